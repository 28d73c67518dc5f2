"""The explorer against frontrun's random strategy and against threads that sleep, on the same toy race."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from validations.benchmarks.conftest import Ratios
from validations.benchmarks.pace import pace_of
from validations.benchmarks.toy import MODEL, REAL, STEPS, drawn, slept

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 600
SEEDS = 9
MOST = 300
"""Examples after which a search without the race is given up; it counts as found at the next one."""

CORES = 2
SPACE = 6_102
"""Schedules of at most two preemptions of the toy with a store."""

Search = Callable[[int, int, int], tuple[int, float, bool]]
"""At most so many runs, with a seed, where the view is cleared at this step: how many, in how many seconds, found?"""


def frontrun(runs: int, seed: int, place: int) -> tuple[int, float, bool]:
    """Search in a process of its own: frontrun has to be loaded before Python is."""
    program = shutil.which("frontrun", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}")
    if program is None:
        pytest.skip("frontrun is not installed: uv run --group benchmarks pytest validations/benchmarks")
    done = subprocess.run(
        [program, sys.executable, "-m", "validations.benchmarks.frontrun_toy", str(runs), str(seed), str(place)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    examples, seconds, found = json.loads(done.stdout.splitlines()[-1])
    return int(examples), float(seconds), bool(found)


OTHERS = [
    pytest.param(frontrun, "frontrun's random", id="frontrun"),
    pytest.param(slept, "threads that sleep", id="threads"),
]


@pytest.mark.parametrize(("theirs", "name"), OTHERS)
def test_schedules_a_second(ratios: Ratios, theirs: Search, name: str) -> None:
    """The same toy, run to its end again and again: at least three times as often."""
    seeds = iter(range(1000))

    def searched(search: Search) -> float:
        # Where the race is found the search ends: several searches make one figure.
        found = [search(MOST, next(seeds), 0) for _ in range(3)]
        return sum(examples for examples, _, _ in found) / sum(seconds for _, seconds, _ in found)

    ratios.compare(f"schedules a second, {name}", lambda: searched(drawn), lambda: searched(theirs), turns=3, least=3)


@pytest.mark.parametrize(
    ("place", "least"),
    [
        pytest.param(0, 3.0, id="far-apart"),
        # Threads that all begin at once are best at what happens at about the same time: here nothing is promised.
        pytest.param(STEPS - 1, 0.0, id="close-together"),
    ],
)
@pytest.mark.parametrize(("theirs", "name"), OTHERS)
def test_examples_to_the_first_failure(ratios: Ratios, theirs: Search, name: str, place: int, least: float) -> None:
    """How soon the race is met, in failures per thousand examples; where its two halves are far apart, far sooner."""

    def examples(search: Search, seed: int) -> float:
        count, _, found = search(MOST, seed, place)
        return float(count if found else MOST + 1)

    # The medians of what was needed, told as rates: of those more is better.
    ours = statistics.median(examples(drawn, seed) for seed in range(SEEDS))
    others = statistics.median(examples(theirs, seed) for seed in range(SEEDS))
    where = "halves far apart" if place == 0 else "halves close together"
    ratios.compare(
        f"failures per 1,000 examples, {where}, {name}",
        lambda: 1000 / ours,
        lambda: 1000 / others,
        turns=1,
        least=least,
    )


def cores() -> list[int]:
    """Return the cores that are pinned to."""
    found = sorted(os.sched_getaffinity(0))[:CORES]
    if len(found) < CORES:
        pytest.skip(f"the promise is for {CORES} cores")
    return found


def exhausted(store: str) -> float:
    """Return the schedules a second of two pinned processes that exhaust one half each of two preemptions."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "validations.benchmarks.toy", str(core), store, "2", str(number), str(CORES)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, core in enumerate(cores(), 1)
    ]
    told = [process.communicate(timeout=SECONDS)[0].split() for process in processes]
    assert sum(int(schedules) for schedules, _ in told) == SPACE
    return SPACE / max(float(seconds) for _, seconds in told)


@pytest.mark.parametrize(
    ("store", "name", "least"),
    [
        pytest.param(REAL, "real files and real Redis", 60.0, id="redis"),
        pytest.param(MODEL, "real files and the model of Redis", 80.0, id="model"),
    ],
)
def test_schedules_a_second_of_two_processes(ratios: Ratios, store: str, name: str, least: float) -> None:
    """Two pinned processes, three actors of 12 steps, exhaust the space as fast as the machine's pace allows for."""
    ratios.compare(
        f"schedules a second, {CORES} pinned processes, {name}, against the machine's pace",
        lambda: exhausted(store),
        lambda: pace_of(cores()),
        turns=7,
        least=least,
    )


def test_the_model_of_redis(ratios: Ratios) -> None:
    """Two pinned processes exhaust the space of two preemptions; on the model at least 1.2 times as fast."""
    ratios.compare(
        f"schedules a second, {CORES} pinned processes, the model of Redis against Redis",
        lambda: exhausted(MODEL),
        lambda: exhausted(REAL),
        turns=9,
        least=1.2,
    )
