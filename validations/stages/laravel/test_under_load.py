"""Traffic through nginx while the cache is rebuilt, cleared, edited under and deployed: every answer is whole."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.options import lack
from fixtures.profiles import Profile
from validations.stages.gateway.served import Served, serving
from validations.stages.gateway.wrk import SCRIPT, Traffic, Wrk

# A stage of its own with all views: the gate's own run does without.
pytestmark = pytest.mark.profile("ci")
VIEWS = 682


@pytest.fixture(scope="module", name="loaded")
def _loaded(laravel_here: None) -> Iterator[Served]:  # noqa: ARG001
    with serving(VIEWS, kind="laravel") as served:
        yield served


@pytest.fixture(name="wrk")
def _wrk(loaded: Served, tmp_path: Path, pytestconfig: pytest.Config) -> Callable[[], Wrk]:
    program = shutil.which("wrk")
    if program is None:
        lack(pytestconfig, "wrk", "there is no wrk on PATH to make traffic with")
    script = tmp_path / "count.lua"
    script.write_text(SCRIPT)
    return lambda: Wrk(program, script, loaded)


def test_the_count_sees_what_is_not_whole(wrk: Callable[[], Wrk]) -> None:
    """The counter is not blind: a page that is not there is counted as bad, each time it is asked for."""
    visitors = wrk()
    visitors.seconds, visitors.page = 2, "/nowhere"
    with visitors:
        traffic = visitors.traffic()
    assert traffic.bad > 0
    assert traffic.first.startswith("404 ")
    assert traffic.whole > traffic.bad


def test_every_answer_is_whole_whatever_happens_to_the_cache(
    loaded: Served, wrk: Callable[[], Wrk], profile: Profile, record_property: Callable[[str, object], None]
) -> None:
    """Under rebuilds, clears, edits and 20 deploys, not one of 50,000 answers (soak) is less than a page."""
    requests = profile.choose(gate=0, ci=2_000, soak=50_000)
    deploys = profile.choose(gate=0, ci=3, soak=20)
    # A deployment takes seconds: in a longer round more of them go on while visitors come.
    seconds = profile.choose(gate=0, ci=15, soak=60)
    deploy = loaded.environment.deployment.path
    turns = itertools.cycle(["view:cache", deploy, "view:clear", "view:health-check --fix", "optimize", "view:cache"])
    done: dict[str, int] = {}
    seen = Traffic()
    while seen.whole < requests or done.get(deploy, 0) < deploys:
        visitors = wrk()
        visitors.seconds = seconds
        with visitors:
            while visitors.goes_on():
                turn = next(turns)
                _edit(loaded, sum(done.values()))
                run = loaded.run(loaded.root / deploy) if turn == deploy else loaded.artisan(*turn.split())
                assert run.returncode == 0, f"{turn}: {run.stdout}{run.stderr}"
                done[turn] = done.get(turn, 0) + 1
            seen += visitors.traffic()
        assert (seen.bad, seen.broken, seen.first) == (0, 0, ""), json.dumps(done)
    record_property("answers", seen.whole)
    record_property("disturbances", json.dumps(done))
    assert loaded.artisan("optimize:clear").returncode == 0
    assert loaded.health("--fix")["healthy"] is True
    assert loaded.residue() == []


def _edit(served: Served, number: int) -> None:
    """Edit a source of the release that is served, as nobody should."""
    view = served.root.resolve() / "resources/views/partials/topbar.blade.php"
    new = view.with_suffix(".new")
    new.write_text(view.read_text().partition("{{-- edit")[0] + f"{{{{-- edit {number} --}}}}\n")
    new.replace(view)
