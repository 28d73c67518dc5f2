"""Shrinking leaves no actor, deed or switch in a witness that the broken promise does not need."""

from __future__ import annotations

import pytest

from fixtures.concurrency.explorer import Exploration, Explorer, Failure
from fixtures.concurrency.history import History
from fixtures.concurrency.schedules import Schedule
from fixtures.concurrency.shrinking import parts, smallest
from fixtures.concurrency.systems import Scenario
from validations.meta.concurrency.toys import IDLE, RAISE, Counters, counting, lost_updates
from validations.races.invariants import Broken


def failing(explorer: Explorer, scenario: Scenario, schedule: Schedule) -> Failure:
    """Run one schedule, which must fail."""
    failure = explorer.explore_one(Exploration(scenario, None), scenario, schedule)
    assert failure is not None
    return failure


def test_parts_come_smallest_first_and_the_whole_last() -> None:
    """Every choice of deeds is a part once, fewest actors first; whoever has no deed left is not there."""
    scenario = Scenario("s", (("ann", (RAISE, IDLE)), ("bob", (RAISE,))))
    assert [part.actors for part in parts(scenario)] == [
        (("bob", (RAISE,)),),
        (("ann", (RAISE,)),),
        (("ann", (IDLE,)),),
        (("ann", (RAISE, IDLE)),),
        (("ann", (RAISE,)), ("bob", (RAISE,))),
        (("ann", (IDLE,)), ("bob", (RAISE,))),
        (("ann", (RAISE, IDLE)), ("bob", (RAISE,))),
    ]


def test_nothing_befalls_who_is_not_there() -> None:
    """A kill without its victim is no part."""
    scenario = Scenario("s", (("ann", (RAISE,)), ("nemesis", (("kill", "ann"), ("flush", "")))))
    assert [part.actors for part in parts(scenario)] == [
        (("nemesis", (("flush", ""),)),),
        (("ann", (RAISE,)),),
        (("ann", (RAISE,)), ("nemesis", (("kill", "ann"),))),
        (("ann", (RAISE,)), ("nemesis", (("flush", ""),))),
        (("ann", (RAISE,)), ("nemesis", (("kill", "ann"), ("flush", "")))),
    ]


@pytest.mark.parametrize(
    ("scenario", "schedule"),
    [
        pytest.param(counting((RAISE,), (IDLE,), (RAISE,)), ((1, 2),), id="an-actor-too-many"),
        pytest.param(counting((IDLE, RAISE, RAISE), (RAISE, IDLE)), ((2, 1),), id="deeds-too-many"),
        pytest.param(
            counting((RAISE,), (RAISE,), (RAISE,)), ((0, 2), (1, 0), (2, 1), (3, 2), (4, 0)), id="switches-too-many"
        ),
    ],
)
def test_a_witness_has_what_it_needs_and_no_more(scenario: Scenario, schedule: Schedule) -> None:
    """Whatever it was found in, a lost update is told with two actors of one deed each and a single switch."""
    with Explorer(Counters(), lost_updates) as explorer:
        found = failing(explorer, scenario, schedule)
        least = smallest(explorer, found)
        outcome, _ = explorer.once(least.witness.scenario, least.witness.schedule)
    assert [deeds for _, deeds in least.witness.scenario.actors] == [(RAISE,), (RAISE,)]
    assert least.witness.schedule == ((1, 1),)
    assert outcome.run.steps == least.outcome.run.steps


def test_what_needs_more_than_is_tried_keeps_its_witness() -> None:
    """Where no part breaks the promise with two preemptions, the failure stays as it was found."""

    def judge(history: History) -> list[Broken]:
        # Two preemptions lose three updates of six, and four take four.
        return lost_updates(history) if history.facts["of"] - history.facts["total"] > 3 else []

    scenario = counting((RAISE, RAISE, RAISE), (RAISE, RAISE, RAISE))
    with Explorer(Counters(), judge) as explorer:
        found = failing(explorer, scenario, ((1, 1), (5, 0), (6, 1), (7, 0)))
        assert smallest(explorer, found) == found
