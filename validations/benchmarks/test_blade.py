"""The explorer on real PHP, against the machine's pace, and against hammering one page through nginx and php-fpm."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.history import History
from fixtures.concurrency.php.system import BARE, PhpSystem
from fixtures.concurrency.systems import Scenario
from fixtures.environments.hammered import HammeredStage
from fixtures.environments.laravel_stage import lacking
from fixtures.options import lack
from validations.benchmarks.conftest import Ratios
from validations.benchmarks.pace import pace
from validations.races.blade import Seen, symptoms
from validations.races.blade_portfolio import CASES
from validations.races.explored_systems import MEMORY

TURNS = 10
LEAST = 31.0
"""Schedules for each unit of the machine's pace."""

ERROR = "filemtime(): stat failed"
LONGEST_SECONDS = 120.0
"""Hammering that has not found it by then counts as if it had just found it."""

ONE_VIEW = (
    "warm-render-against-clear",
    "cold-render-against-clear",
    "cold-render-against-edit",
    "cold-render-against-save",
)


@pytest.fixture(scope="module", name="bare")
def _bare(pytestconfig: pytest.Config) -> Iterator[PhpSystem]:
    if missing := lacking():
        lack(pytestconfig, "laravel", f"no {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="viewgate-races-", dir=MEMORY if MEMORY.is_dir() else None))
    system = PhpSystem(folder, BARE)
    yield system
    system.close()
    shutil.rmtree(folder)


def test_schedules_a_second_on_real_php(bare: PhpSystem, ratios: Ratios) -> None:
    """One-view scenarios, every schedule of two preemptions, each judged: as many as the machine's pace allows for."""

    def ours() -> float:
        schedules, seconds = 0, 0.0
        with Explorer(bare, symptoms) as explorer:
            for name in ONE_VIEW:
                exploration = explorer.exhaust(CASES[name].scenario, 2, until=())
                schedules += exploration.schedules
                seconds += exploration.seconds
        return schedules / seconds

    ours()  # workers boot once
    ratios.compare(
        "schedules a second on real Blade, one view, against the machine's pace", ours, pace, turns=TURNS, least=LEAST
    )


def explored(system: PhpSystem, scenario: Scenario) -> tuple[int, float]:
    """Explore until the error is seen; give how many renders, and seconds, it took with all that came before."""
    before, began = system.renders, time.perf_counter()
    seen: list[tuple[int, float]] = []

    def judge(history: History) -> list[Seen]:
        found = symptoms(history)
        if any(ERROR in one.seen for one in found):
            seen.append((system.renders - before, time.perf_counter() - began))
        return found

    with Explorer(system, judge) as explorer:
        failure = explorer.exhaust(scenario, 2, until={"filemtime"}).failure
    assert failure is not None
    return seen[0]


def test_the_first_production_error_against_hammering(
    bare: PhpSystem, ratios: Ratios, pytestconfig: pytest.Config
) -> None:
    """To the first `filemtime(): stat failed`: at least 20 times fewer renders, and at least 10 times sooner."""
    if shutil.which("wrk") is None:
        lack(pytestconfig, "wrk", "there is no wrk on PATH to hammer with")
    scenario = CASES["warm-render-against-clear"].scenario
    ours: list[tuple[int, float]] = []
    theirs: list[tuple[int, float]] = []
    bare.version()  # as the stage, it is up before the clock runs
    stage = HammeredStage()
    try:
        stage.up()
        for _ in range(TURNS):
            hammered = stage.hammer(ERROR, LONGEST_SECONDS)
            theirs.append((hammered.requests, hammered.seconds))
            ours.append(explored(bare, scenario))
    finally:
        stage.down()
    for at, what, least in (
        (0, "renders to the first `filemtime` failure, against hammering through nginx", 20),
        (1, "seconds from start-up to the same", 10),
    ):
        mine, other = ([figures[at] for figures in each] for each in (ours, theirs))
        ratios.spend(what, iter(mine).__next__, iter(other).__next__, turns=TURNS, least=least)
