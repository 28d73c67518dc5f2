"""Traffic while the cache is rebuilt, cleared, edited under and deployed: every answer is the complete page."""

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


@pytest.fixture(scope="module", name="served")
def _served() -> Iterator[Served]:
    with serving(682) as served:
        yield served


@pytest.fixture(name="wrk")
def _wrk(served: Served, tmp_path: Path, pytestconfig: pytest.Config) -> Callable[[], Wrk]:
    program = shutil.which("wrk")
    if program is None:
        lack(pytestconfig, "wrk", "there is no wrk on PATH to make traffic with")
    script = tmp_path / "count.lua"
    script.write_text(SCRIPT)
    return lambda: Wrk(program, script, served)


def test_the_count_sees_what_is_not_whole(wrk: Callable[[], Wrk]) -> None:
    """The counter is not blind: a page that is not there is counted as bad, each time it is asked for."""
    visitors = wrk()
    visitors.seconds, visitors.page = 1, "/nowhere"
    with visitors:
        traffic = visitors.traffic()
    assert traffic.bad > 0
    assert traffic.first.startswith("404 ")
    assert 3 < traffic.whole / traffic.bad < 5


def test_every_answer_is_whole_whatever_happens_to_the_cache(
    served: Served, wrk: Callable[[], Wrk], profile: Profile, record_property: Callable[[str, object], None]
) -> None:
    """Under rebuilds, clears, edits, deploys and rollbacks, not one of 100,000 answers (soak) is less than a page."""
    requests = profile.choose(gate=1_000, ci=20_000, soak=100_000)
    rounds = profile.choose(gate=1, ci=3, soak=20)
    turns = itertools.cycle(
        [
            ["deploy"],
            ["view:clear"],
            ["view:cache"],
            ["optimize:clear"],
            ["rollback"],
            ["view:health-check", "--fix"],
            ["optimize"],
        ]
    )
    done: dict[str, int] = {}
    seen = Traffic()
    while seen.whole < requests or done.get("rollback", 0) < rounds:
        with wrk() as visitors:
            while visitors.goes_on():
                arguments = next(turns)
                _edit(served, sum(done.values()))
                run = served.artisan(*arguments)
                assert run.returncode == 0, f"{arguments}: {run.stdout}{run.stderr}"
                done[arguments[0]] = done.get(arguments[0], 0) + 1
            seen += visitors.traffic()
        assert (seen.bad, seen.broken, seen.first) == (0, 0, ""), json.dumps(done)
    record_property("answers", seen.whole)
    record_property("disturbances", json.dumps(done))
    assert served.health("--fix")["healthy"] is True
    assert served.residue() == []


def _edit(served: Served, number: int) -> None:
    """Edit a source of the release that is served, as nobody should."""
    view = served.root.resolve() / "resources" / "views" / "_partials" / "topbar.html"
    view.write_text(view.read_text().partition("{# edit")[0] + f"{{# edit {number} #}}\n")
