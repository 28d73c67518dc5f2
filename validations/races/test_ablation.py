"""The ablation law: the lock buys efficiency. Take it away, and only mutual exclusion and single flight may go."""

from __future__ import annotations

import dataclasses

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.systems import Scenario
from fixtures.profiles import Profile
from validations.races.invariants import INVARIANTS, WITHOUT_LOCKS
from validations.races.portfolio import CASES, Case
from validations.races.telling import insist, tell

KEPT = frozenset(INVARIANTS) - WITHOUT_LOCKS


OF_THE_STORE = frozenset({"expire", "flush", "lose-reply", "store-down"})
"""What befalls the store alone: without locks nobody asks it for anything, and these strike nobody."""


def without_locks(scenario: Scenario) -> Scenario:
    """Give a scenario as it is where there are no locks at all."""
    actors = tuple(
        (name, deeds) for name, deeds in scenario.actors if not all(operation in OF_THE_STORE for operation, _ in deeds)
    )
    return dataclasses.replace(scenario, name=f"{scenario.name}-without-locks", actors=actors, locking=False)


def cases() -> list[object]:
    """Give every scenario, those that are the same without locks once; those of three actors are for `--profile ci`."""
    different = {
        dataclasses.replace(scenario, name="", ttl_seconds=0.0): scenario
        for scenario in (without_locks(case.scenario) for case in reversed(CASES))
    }
    return [
        pytest.param(scenario, id=scenario.name, marks=[pytest.mark.profile("ci")] if len(scenario.actors) > 2 else [])
        for scenario in reversed(different.values())
    ]


@pytest.mark.parametrize("scenario", cases())
def test_without_locks_only_exclusion_and_single_flight_may_go(
    scenario: Scenario, explorer: Explorer, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """In every schedule of at most one or two preemptions all but I1 and I5 hold without any lock.

    Two in `soak`, and in `ci` among two actors: those of three are ten times as many.
    """
    most = profile.choose(gate=1, ci=2 if len(scenario.actors) == 2 else 1, soak=2)
    exploration = explorer.exhaust(scenario, most, until=KEPT)
    tell(request, [exploration])
    insist(exploration, request)
    assert exploration.exhausted


def test_without_locks_single_flight_goes(explorer: Explorer) -> None:
    """The law is no empty one: two cold renders without locks do compile twice."""
    case = next(case for case in CASES if case.scenario.name == "two-cold-renders")
    assert explorer.exhaust(without_locks(case.scenario), 1, until=KEPT).broken.keys() == {"I5"}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.scenario.name) for case in CASES])
def test_without_locks_nobody_asks_the_store(case: Case, explorer: Explorer) -> None:
    """What befalls the store alone may be left out: not one command goes to it without locks."""
    outcome, _ = explorer.once(without_locks(case.scenario), ())
    assert outcome.run.steps
    assert not [step for step in outcome.run.steps if ":lock:" in step.resource or ":fence:" in step.resource]
