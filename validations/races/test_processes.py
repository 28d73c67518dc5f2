"""The process tier: real workers, a real Redis of their own and real signals, judged by the same invariants."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from fixtures.concurrency.history import History
from fixtures.concurrency.process_tier import Plan, Processes
from fixtures.options import lack
from fixtures.processes import may_mount
from fixtures.profiles import Profile
from validations.races.invariants import Broken, broken_in
from validations.races.output import PROPERTY
from validations.races.plans import CASES, DISK_CASES, MUTANTS, MUTANTS_ON_DISK, Case, plans, reached

# Time is real here: on a busy machine a lock's TTL may be over before anybody comes to wait for it. What a plan has
# to come to is given so many rounds more; its promises are judged in each.
FURTHER_ROUNDS = 4


class Told:
    """What the plans of one test came to, for the terminal and for reports."""

    def __init__(self, profile: str) -> None:
        self._profile = profile
        self._began = time.monotonic()
        self.plans = 0
        self.states: Counter[str] = Counter()
        self.witness: dict[str, object] | None = None

    def take(self, plan: Plan, history: History) -> list[Broken]:
        """Judge a history, and count what it reached."""
        self.plans += 1
        self.states.update(reached(history))
        broken = broken_in(history)
        if broken:
            self.witness = _witness(plan, history, broken[0])
        return broken

    def owed(self, case: Case) -> list[str]:
        """Return the states that a case must reach, and has not."""
        return [state for state in case.must_reach if not self.states[state]]

    def as_property(self, scenario: str, mutants: dict[str, object] | None = None) -> tuple[str, dict[str, object]]:
        """Give the user property."""
        return PROPERTY, {
            "system": "processes",
            "scenario": scenario,
            "profile": self._profile,
            "schedules": self.plans,
            "preemptions": None,
            "exhausted": False,
            "pct_bound": None,
            "states": dict(sorted(self.states.items())),
            "mutants": mutants,
            "seconds": round(time.monotonic() - self._began, 3),
            "witness": self.witness,
        }


def _witness(plan: Plan, history: History, broken: Broken) -> dict[str, object]:
    actors = [name for name, _ in plan.scenario.actors]
    return {
        "witness": 1,
        "system": "processes",
        "variant": plan.mutant,
        "promise": broken.invariant,
        "seen": broken.seen,
        "scenario": plan.scenario.as_json(),
        "schedule": [[strike.step, strike.actor, strike.nemesis, strike.inside] for strike in plan.strikes],
        "actors": [*actors, "nemesis"],
        "steps": [
            [event.actor, f"{event.kind} {event.op}", event.subject, str(event.value)]
            for event in history.events
            if event.actor in {*actors, "nemesis"}
        ],
    }


def insist(plan: Plan, history: History, broken: list[Broken]) -> None:
    """Fail where a promise broke, with the plan and all that happened."""
    if broken:
        lines = [f"{promise.invariant} is violated: {promise.seen}" for promise in broken]
        lines += [f"plan: {plan}"]
        lines += [
            f"{event.seconds:9.4f}  {event.actor:12} {event.kind:6} {event.op} {event.subject} {event.value or ''}"
            for event in history.events
        ]
        pytest.fail("\n".join(lines), pytrace=False)


@pytest.fixture(scope="module", name="processes")
def _processes() -> Iterator[Processes]:
    folder = Path(tempfile.mkdtemp(prefix="viewgate-processes-"))
    try:
        with Processes(folder, small_disk=may_mount()) as processes:
            yield processes
    finally:
        shutil.rmtree(folder)


@pytest.fixture(name="told")
def _told(profile: Profile) -> Told:
    return Told(profile.name)


@pytest.fixture(name="processes_on_disk")
def _processes_on_disk(processes: Processes, pytestconfig: pytest.Config) -> Processes:
    """Give the processes where their disk can be filled."""
    if not may_mount():
        lack(pytestconfig, "mount", "no small disk can be mounted here")
    return processes


def _given(request: pytest.FixtureRequest, case: Case) -> Processes:
    """Give the processes that a case needs."""
    fills = any(strike.nemesis == "fill" for strike in case.plan.strikes)
    found: Processes = request.getfixturevalue("processes_on_disk" if fills else "processes")
    return found


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*CASES, *DISK_CASES)])
def test_every_promise_holds_whatever_befalls_a_worker_inside_its_lock(
    request: pytest.FixtureRequest, told: Told, profile: Profile, case: Case
) -> None:
    """Killed, paused, robbed of its lock or unheard in the midst of it: no promise breaks, and it did come to that."""
    rounds = profile.choose(gate=1, ci=3, soak=200)
    while told.plans < rounds or (told.owed(case) and told.plans < rounds + FURTHER_ROUNDS):
        history = _given(request, case).carry_out(case.plan)
        broken = told.take(case.plan, history)
        insist(case.plan, history, broken)
    request.node.user_properties.append(told.as_property(case.id))
    assert told.owed(case) == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in (*MUTANTS, *MUTANTS_ON_DISK)])
def test_a_real_bug_is_found_in_real_processes(request: pytest.FixtureRequest, told: Told, case: Case) -> None:
    """As a mutant of the catalogue, the gateway breaks its promise under the same faults; and it did come to that."""
    broken: set[str] = set()
    while not told.plans or ((told.owed(case) or case.breaks not in broken) and told.plans <= FURTHER_ROUNDS):
        history = _given(request, case).carry_out(case.plan)
        broken |= {promise.invariant for promise in told.take(case.plan, history)}
    killed = int(case.breaks in broken)
    mutants = {"killed": killed, "of": 1, "survivors": [] if killed else [case.id]}
    request.node.user_properties.append(told.as_property(f"mutant: {case.id}", mutants))
    assert told.owed(case) == []
    assert case.breaks in broken


def test_every_promise_holds_under_drawn_plans(
    request: pytest.FixtureRequest, processes: Processes, told: Told, profile: Profile
) -> None:
    """Hypothesis draws who does what and what befalls whom where; the same invariants judge what came of it."""

    @settings(
        max_examples=profile.choose(gate=10, ci=80, soak=5000),
        deadline=None,
        # What real processes do is not repeated exactly: the history that failed is told, and not shrunk.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(plan=plans(small_disk=may_mount()))
    def drawn(plan: Plan) -> None:
        history = processes.carry_out(plan)
        insist(plan, history, told.take(plan, history))

    # The named plans above prove that each state can be reached; many drawn ones must reach these by themselves.
    many = ("contended", "killed-inside", "lost-inside", "second-holder", "reply-lost", "answered-late")
    owed = profile.choose(gate=(), ci=many, soak=many)
    try:
        for number in range(1 + FURTHER_ROUNDS):
            # Which are drawn would else hang on the words of this test; a search draws others each time.
            (drawn if profile.name == "soak" else seed(number)(drawn))()
            if all(told.states[state] for state in owed):
                break
    finally:
        request.node.user_properties.append(told.as_property("drawn plans"))
    assert [state for state in owed if not told.states[state]] == []
