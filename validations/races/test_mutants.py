"""The search is searched: real bugs, seeded into the gateway, that it must find; and what it finds must replay."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures.concurrency import explorer, gateway, ports, scheduler, schedules
from fixtures.concurrency import mutants as seeded
from fixtures.concurrency.explorer import Exploration, Explorer, told
from fixtures.concurrency.gateway import GatewaySystem
from fixtures.concurrency.mutants import Mutant, care, late, locking, views
from fixtures.profiles import Profile
from validations.races import invariants, portfolio, states
from validations.races.invariants import INVARIANTS, broken_in
from validations.races.portfolio import CASES
from validations.races.states import STATES
from validations.races.telling import tell

FIRST = (*views.MUTANTS, *locking.MUTANTS, *care.MUTANTS)
LATE = late.MUTANTS
SCENARIOS = {case.scenario.name: case.scenario for case in CASES}
REPLAYS = 20
SLOW = {"release-by-name", "one-owner-for-all", "lost-rename-is-fatal"}
"""They need two preemptions among some thousand schedules: too many for `--profile gate`."""


def _param(mutant: Mutant) -> Any:
    return pytest.param(mutant, id=mutant.name, marks=[pytest.mark.profile("ci")] if mutant.name in SLOW else [])


@dataclass
class Hunts:
    """What became of each mutant, searched for once a session."""

    system: GatewaySystem
    profile: Profile

    def __post_init__(self) -> None:
        """Begin with none."""
        self._done: dict[str, Exploration] = {}

    def of(self, mutant: Mutant) -> Exploration:
        """Search where the source's interleaving is, then everywhere else, for the promise that it broke."""
        if mutant.name not in self._done:
            with (
                mutant.applied(),
                Explorer(self.system, broken_in, STATES, variant=mutant.name, reduction=gateway.independence) as hunter,
            ):
                self._done[mutant.name] = self._searched(hunter, mutant)
        return self._done[mutant.name]

    def _searched(self, hunter: Explorer, mutant: Mutant) -> Exploration:
        first = hunter.exhaust(SCENARIOS[mutant.scenario], 2, until={mutant.breaks})
        if first.failure is None and self.profile.includes("ci"):
            for scenario in SCENARIOS.values():
                again = hunter.exhaust(scenario, 2, until={mutant.breaks})
                if again.failure is not None:
                    return again
        return first


@pytest.fixture(scope="module", name="hunts")
def _hunts(system: GatewaySystem, profile: Profile) -> Hunts:
    return Hunts(system, profile)


@pytest.mark.parametrize("mutant", [_param(mutant) for mutant in (*FIRST, *LATE)])
def test_a_real_bug_is_found_by_the_promise_that_it_broke(mutant: Mutant, hunts: Hunts) -> None:
    """Every mutant is killed by its invariant, and its witness gives the same history twenty times out of twenty."""
    exploration = hunts.of(mutant)
    failure = exploration.failure
    assert failure is not None, f"{mutant.name} survived {exploration.schedules} schedules of {mutant.scenario}"
    assert failure.witness.promise == mutant.breaks
    witness = failure.witness
    with mutant.applied(), Explorer(hunts.system, broken_in) as replaying:
        for _ in range(REPLAYS):
            outcome, broken = replaying.once(witness.scenario, witness.schedule)
            assert told(outcome) == told(failure.outcome)
            assert witness.seen in [finding.seen for finding in broken]


@pytest.mark.parametrize(
    ("name", "all_of"), [pytest.param("mutants", FIRST, id="first"), pytest.param("the last mutants", LATE, id="late")]
)
def test_the_mutation_score_is_whole(
    name: str, all_of: tuple[Mutant, ...], hunts: Hunts, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """No mutant that this profile searches for survives; the score is told, that of the last ten apart."""
    searched = [mutant for mutant in all_of if profile.includes("ci") or mutant.name not in SLOW]
    explorations = {mutant.name: hunts.of(mutant) for mutant in searched}
    survivors = [name for name, exploration in explorations.items() if exploration.failure is None]
    score = {"killed": len(searched) - len(survivors), "of": len(searched), "survivors": survivors}
    tell(request, list(explorations.values()), scenario=name, mutants=score)
    assert survivors == []


def test_there_are_as_many_as_promised() -> None:
    """There are at least 30 mutants and ten more, of different names, each with a source and an invariant."""
    everyone = (*FIRST, *LATE)
    assert len(FIRST) >= 30
    assert len(LATE) >= 10
    assert len({mutant.name for mutant in everyone}) == len(everyone)
    for mutant in everyone:
        assert re.search(r"#\d|\d\.\d|\b20\d\d\b", mutant.source), f"{mutant.name} cites {mutant.source!r}"
        assert mutant.breaks in INVARIANTS
        assert mutant.scenario in SCENARIOS
        assert seeded.mutant(mutant.name) is mutant


def test_mutants_change_gateway_code_alone() -> None:
    """What a mutant replaces belongs to the gateway, and is put back."""
    for mutant in (*FIRST, *LATE):
        before = [vars(owner)[name] for owner, name, _ in mutant.changes]
        with mutant.applied():
            for owner, name, value in mutant.changes:
                home = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
                assert home.startswith("fixtures.gateway."), f"{mutant.name} changes {home}"
                assert vars(owner)[name] is value
        assert [vars(owner)[name] for owner, name, _ in mutant.changes] == before


def test_nothing_that_searches_or_judges_knows_a_mutant() -> None:
    """Scheduler, schedules, explorer, scenarios, states and invariants name no mutant."""
    for module in (explorer, gateway, ports, scheduler, schedules, invariants, portfolio, states):
        text = Path(inspect.getfile(module)).read_text(encoding="utf-8")
        assert [mutant.name for mutant in (*FIRST, *LATE) if mutant.name in text] == []
