"""One schedule of those that commute, or that differ in names: no history of the gateway's whole space is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fixtures.concurrency.explorer import Exploration, Explorer
from fixtures.concurrency.gateway import GatewaySystem, independence
from fixtures.concurrency.history import History
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.mutants import Mutant, care, late, locking, views
from fixtures.concurrency.systems import Scenario, alike
from fixtures.profiles import Profile
from validations.meta.concurrency.anonymous import Line, anonymous
from validations.races.invariants import Broken, broken_in
from validations.races.portfolio import CASES

SCENARIOS = {case.scenario.name: case.scenario for case in CASES}
MUTANTS = (*views.MUTANTS, *locking.MUTANTS, *care.MUTANTS, *late.MUTANTS)

ONCE = ("two-cold-renders", "visit-against-deployment", "two-collections", "renderer-killed", "reply-lost")
"""With one preemption these take a second: of each kind of trouble there is one."""

SOME = (*views.MUTANTS[:3], *locking.MUTANTS[:3], *care.MUTANTS[:1], *late.MUTANTS[:1])
"""Of the seeded bugs; all of them take minutes, and `--profile soak`."""

TWICE = ("two-cold-renders", "render-against-clear", "cold-render-against-clear", "two-first-clears")
"""With two, these have hundreds of schedules, and not thousands."""


def told(history: History) -> list[Line]:
    """Give what a history tells, without what says only how late it was: the stamps in names."""
    events = [(event.actor, event.kind, event.op, event.subject, _unstamped(event.value)) for event in history.events]
    return [*events, ("left", _unstamped(sorted(history.facts.items())))]


def _unstamped(value: Any) -> str:
    return re.sub(r"\d{12,}", "T", str(value))


def explored(
    system: GatewaySystem, scenario: Scenario, preemptions: int, reduction: Callable[[], Independence] | None
) -> tuple[Exploration, set[tuple[Line, ...]]]:
    """Exhaust a space, whatever breaks in it; give the histories, too, whoever of those alike did what."""
    found: set[tuple[Line, ...]] = set()

    def judge(history: History) -> list[Broken]:
        found.add(anonymous(told(history), scenario))
        return broken_in(history)

    with Explorer(system, judge, reduction=reduction) as explorer:
        return explorer.exhaust(scenario, preemptions, until=()), found


def compare(system: GatewaySystem, scenario: Scenario, preemptions: int) -> tuple[int, int]:
    """Insist that nothing is lost; give how many schedules the spaces have, the whole one first."""
    whole, histories = explored(system, scenario, preemptions, None)
    reduced, kept = explored(system, scenario, preemptions, independence)
    assert kept == histories
    assert reduced.broken.keys() == whole.broken.keys()
    assert (whole.exhausted, reduced.exhausted, reduced.reduced) == (True, True, True)
    return whole.schedules, reduced.schedules


@pytest.mark.parametrize(
    ("name", "preemptions"),
    [
        *(pytest.param(name, 1, id=f"{name}-1") for name in ONCE),
        *(pytest.param(name, 2, id=f"{name}-2", marks=pytest.mark.profile("ci")) for name in TWICE),
        *(
            pytest.param(name, 2, id=f"{name}-2", marks=pytest.mark.profile("soak"))
            for name in SCENARIOS
            if name not in TWICE
        ),
    ],
)
def test_no_history_of_the_gateway_is_lost(name: str, preemptions: int, system: GatewaySystem) -> None:
    """Event by event the reduced space has the same histories, and the facts at their ends, from fewer schedules."""
    whole, reduced = compare(system, SCENARIOS[name], preemptions)
    assert reduced < whole


def test_who_is_alike_does_the_same_and_is_done_the_same() -> None:
    """One who is killed is like nobody, nor is the one who kills; the other two stand for each other."""
    render = (("render", "page.html"),)
    scenario = Scenario(
        "s", (("ann", render), ("bob", render), ("cid", render), ("nemesis", (("kill", "bob"),)), ("dee", render))
    )
    assert alike(scenario) == (0, 1, 0, 3, 0)
    seen = [("ann", "ok", "ann-0"), ("observer", "ok", ""), ("ann, later", "ok", ""), ("bob, later", "fail", "")]
    other = [("cid", "ok", "cid-0"), ("observer", "ok", ""), ("bob, later", "fail", ""), ("cid, later", "ok", "")]
    assert anonymous(seen, scenario) == anonymous(other, scenario)
    assert anonymous(seen, scenario) != anonymous([("bob", "ok", "bob-0"), *seen[1:]], scenario)


@pytest.mark.parametrize(
    "mutant",
    [
        pytest.param(mutant, id=mutant.name, marks=pytest.mark.profile("ci" if mutant in SOME else "soak"))
        for mutant in MUTANTS
    ],
)
def test_no_history_of_a_seeded_bug_is_lost(mutant: Mutant, system: GatewaySystem, profile: Profile) -> None:
    """With any bug in the gateway, too: what breaks in the whole space breaks in the reduced one."""
    with mutant.applied():
        compare(system, SCENARIOS[mutant.scenario], profile.choose(gate=1, ci=1, soak=2))
