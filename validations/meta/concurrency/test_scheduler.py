"""The controlled scheduler, on toys whose schedules can be counted by hand."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from fixtures.concurrency import scheduler as scheduling
from fixtures.concurrency.scheduler import Actor, HarnessError, Run, Scheduler
from fixtures.concurrency.schedules import (
    WHOLE,
    Prioritised,
    Shard,
    Sparse,
    exhaust,
    pct_bound,
    preemptions_of,
    switches_of,
)

Bodies = list[tuple[str, Callable[[Actor], None]]]


def counters(total: dict[str, int], actors: int) -> Bodies:
    """Actors that each read a number and write it back one higher: the oldest race there is."""

    def body(actor: Actor) -> None:
        actor.announce("read", "total")
        seen = total["total"]
        actor.announce("write", "total")
        total["total"] = seen + 1

    return [(f"counter-{number}", body) for number in range(actors)]


def explored(
    preemptions: int, actors: int, *, shard: Shard = WHOLE, alike: tuple[int, ...] = ()
) -> dict[tuple[tuple[int, int], ...], int]:
    """Run every schedule up to the bound; what the total came to under each."""
    results = {}
    with Scheduler() as scheduler:

        def run(schedule: tuple[tuple[int, int], ...]) -> list[object]:
            total = {"total": 0}
            decisions = scheduler.run(counters(total, actors), Sparse(schedule)).decisions
            results[schedule] = total["total"]
            return decisions  # type: ignore[return-value]

        given = list(exhaust(run, preemptions, shard, alike=alike))  # type: ignore[arg-type]
    assert len(given) == len(set(given))
    assert set(given) == set(results) - (set() if shard.takes(0) else {()})
    return {schedule: results[schedule] for schedule in given}


@pytest.mark.parametrize(
    ("preemptions", "schedules", "lost"),
    [pytest.param(0, 2, 0, id="none"), pytest.param(1, 4, 2, id="one"), pytest.param(2, 6, 4, id="two")],
)
def test_every_schedule_up_to_the_bound_is_run_once(preemptions: int, schedules: int, lost: int) -> None:
    """Two actors of two steps have 2, 4 and 6 schedules with 0, 1 and 2 preemptions; 0, 2 and 4 lose an update."""
    results = explored(preemptions, actors=2)
    assert (len(results), sum(total < 2 for total in results.values())) == (schedules, lost)


@pytest.mark.parametrize(
    ("actors", "alike", "schedules"),
    [
        pytest.param(2, (0, 0), 3, id="two-alike"),
        pytest.param(2, (0, 1), 6, id="two-of-their-own"),
        pytest.param(3, (0, 0, 0), 10, id="three-alike"),
        pytest.param(3, (0, 1, 1), 30, id="two-of-three-alike"),
        # A turn that nobody takes goes to the next in order, who may be the later of those alike: some are run twice.
        pytest.param(3, (0, 1, 0), 33, id="the-outer-two-alike"),
        pytest.param(3, (), 60, id="nobody-told-of"),
    ],
)
def test_those_alike_begin_in_their_order(actors: int, alike: tuple[int, ...], schedules: int) -> None:
    """Of two who do the same either may stand for the other: half of the schedules, or a sixth, have all the totals."""
    results = explored(2, actors, alike=alike)
    assert len(results) == schedules
    assert set(results.values()) == set(explored(2, actors).values())


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


def test_an_actor_that_blocks_is_a_fault_of_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for something that is no step stops the run with an error, and not the suite for ever."""
    monkeypatch.setattr(scheduling, "HANG_SECONDS", 0.1)

    def body(actor: Actor) -> None:
        actor.announce("wait", "for nobody")
        threading.Event().wait(30)

    with (
        Scheduler() as scheduler,
        pytest.raises(HarnessError, match=r"announced nothing for 0\.1 s after .*for nobody"),
    ):
        scheduler.run([("blocked", body)], Sparse(()))


def test_a_kill_takes_effect_at_once_and_leaves_nothing_undone() -> None:
    """A killed actor's next step has no effect, nor has what its `finally` does; the others go on to their ends."""
    done: list[str] = []

    def victim(actor: Actor) -> None:
        try:
            actor.announce("write", "first")
            done.append("first")
            actor.announce("write", "second")
            done.append("second")
        finally:
            actor.announce("unlink", "first")
            done.append("tidied")

    def killer(actor: Actor) -> None:
        actor.announce("kill", "victim")
        actor.scheduler.kill(actor.scheduler.actor("victim"))
        actor.announce("write", "after")
        done.append("after")

    with Scheduler() as scheduler:
        run = scheduler.run([("victim", victim), ("killer", killer)], Sparse([(1, 1)]))
    assert done == ["first", "after"]
    assert [(step.actor, step.op) for step in run.steps] == [
        ("victim", "write"),
        ("killer", "kill"),
        ("killer", "write"),
    ]
    assert [event.op for event in run.events] == ["killed"]


def test_who_sleeps_wakes_with_an_effect_or_with_the_time() -> None:
    """A sleeper yields; another's effect wakes it at once, and where all sleep the earliest wakes, and time passes."""
    seen: list[tuple[str, float]] = []

    def sleeper(actor: Actor) -> None:
        actor.sleep(5)
        seen.append(("sleeper", actor.scheduler.now))
        actor.sleep(7)
        seen.append(("sleeper", actor.scheduler.now))

    def worker(actor: Actor) -> None:
        actor.announce("write", "something")
        actor.effect()
        actor.sleep(1)
        seen.append(("worker", actor.scheduler.now))

    with Scheduler() as scheduler:
        scheduler.run([("sleeper", sleeper), ("worker", worker)], Sparse(()))
    assert seen == [("sleeper", 5), ("worker", 6), ("sleeper", 12)]


def test_a_livelock_ends_with_the_step_budget() -> None:
    """Actors that wait for each other for ever are stuck, and the history says so."""

    def body(actor: Actor) -> None:
        while True:
            actor.sleep(0.1)

    with Scheduler(budget=50) as scheduler:
        run = scheduler.run([("ann", body), ("bob", body)], Sparse(()))
    assert len(run.steps) == 50
    assert {(event.actor, event.op) for event in run.events} == {("ann", "stuck"), ("bob", "stuck")}


@pytest.mark.parametrize("machines", [pytest.param(machines, id=f"of-{machines}") for machines in (1, 2, 3, 7, 50)])
def test_the_shards_of_a_space_are_the_space(machines: int) -> None:
    """Every schedule is in exactly one shard, in the same one each time, and no machine has nearly all of them."""
    shards = [explored(2, actors=3, shard=Shard(number, machines)) for number in range(1, machines + 1)]
    whole = explored(2, actors=3)
    assert sorted(schedule for shard in shards for schedule in shard) == sorted(whole)
    assert shards == [explored(2, actors=3, shard=Shard(number, machines)) for number in range(1, machines + 1)]
    if machines in {2, 3}:
        assert max(len(shard) for shard in shards) < 0.8 * len(whole)
