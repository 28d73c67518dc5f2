"""The controlled scheduler, on toys whose schedules can be counted by hand."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from fixtures.concurrency.scheduler import Actor, Run, Scheduler
from fixtures.concurrency.schedules import Prioritised, Sparse, exhaust, pct_bound, preemptions_of, switches_of

Bodies = list[tuple[str, Callable[[Actor], None]]]


def counters(total: dict[str, int], actors: int) -> Bodies:
    """Actors that each read a number and write it back one higher: the oldest race there is."""

    def body(actor: Actor) -> None:
        actor.announce("read", "total")
        seen = total["total"]
        actor.announce("write", "total")
        total["total"] = seen + 1

    return [(f"counter-{number}", body) for number in range(actors)]


def explored(preemptions: int, actors: int) -> dict[tuple[tuple[int, int], ...], int]:
    """Run every schedule up to the bound; what the total came to under each."""
    results = {}
    with Scheduler() as scheduler:

        def run(schedule: tuple[tuple[int, int], ...]) -> list[object]:
            total = {"total": 0}
            decisions = scheduler.run(counters(total, actors), Sparse(schedule)).decisions
            results[schedule] = total["total"]
            return decisions  # type: ignore[return-value]

        assert len(list(exhaust(run, preemptions))) == len(results)  # type: ignore[arg-type]
    return results


@pytest.mark.parametrize(
    ("preemptions", "schedules", "lost"),
    [pytest.param(0, 2, 0, id="none"), pytest.param(1, 4, 2, id="one"), pytest.param(2, 6, 4, id="two")],
)
def test_every_schedule_up_to_the_bound_is_run_once(preemptions: int, schedules: int, lost: int) -> None:
    """Two actors of two steps have 2, 4 and 6 schedules with 0, 1 and 2 preemptions; 0, 2 and 4 lose an update."""
    results = explored(preemptions, actors=2)
    assert (len(results), sum(total < 2 for total in results.values())) == (schedules, lost)


def test_a_schedule_that_fails_fails_the_same_way_every_time() -> None:
    """A sparse schedule replays: the same steps in the same order, twenty times out of twenty."""
    failing = next(schedule for schedule, total in explored(1, actors=2).items() if total < 2)

    def steps() -> list[tuple[str, str]]:
        run: Run = scheduler.run(counters({"total": 0}, 2), Sparse(failing))
        assert switches_of(run.decisions) == failing
        assert preemptions_of(run.decisions) == 1
        return [(step.actor, step.op) for step in run.steps]

    with Scheduler() as scheduler:
        first = steps()
        assert all(steps() == first for _ in range(19))


def test_a_drawn_schedule_finds_the_lost_update_within_its_bound() -> None:
    """PCT with depth 2 finds it in fewer runs than its bound needs for near certainty."""
    runs = 100
    assert pct_bound(actors=2, steps=4, depth=2, runs=runs) > 0.999
    lost = 0
    with Scheduler() as scheduler:
        for seed in range(runs):
            total = {"total": 0}
            scheduler.run(counters(total, 2), Prioritised(random.Random(seed), 2, 4, 2))  # noqa: S311 - a schedule
            lost += total["total"] < 2
    assert lost > 0
