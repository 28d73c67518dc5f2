"""The gateway's own view cache and locks under every schedule of a few preemptions, and under drawn ones."""

from __future__ import annotations

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.schedules import WHOLE
from fixtures.profiles import Profile
from validations.races.portfolio import CASES, Case
from validations.races.telling import insist, tell

LONGEST_FIRST = sorted(CASES, key=lambda case: -len(case.scenario.actors))
"""So that workers that share them end together."""


@pytest.mark.parametrize("case", [pytest.param(case, id=case.scenario.name) for case in LONGEST_FIRST])
def test_no_schedule_breaks_a_promise(
    case: Case, explorer: Explorer, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """Every schedule of at most one (`gate`) or two preemptions keeps I1 to I12, and the danger came up."""
    exploration = explorer.exhaust(case.scenario, profile.choose(gate=1, ci=2, soak=3))
    tell(request, [exploration])
    insist(exploration, request)
    assert exploration.exhausted
    # A share of the space need not reach them: all shards together do, as the whole does.
    owed = case.must_reach if explorer.shard == WHOLE else ()
    missed = [state for state in owed if not exploration.states[state]]
    assert case.must_reach
    assert missed == [], f"{exploration.schedules} schedules never reached {missed}: the pass would be vacuous"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(
            case,
            id=case.scenario.name,
            marks=[] if case.scenario.name == "three-cold-renders" else [pytest.mark.profile("ci")],
        )
        for case in LONGEST_FIRST
    ],
)
def test_no_drawn_schedule_breaks_a_promise(
    case: Case, explorer: Explorer, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """Schedules of more preemptions, drawn by PCT with depth 3, keep them too; how likely one was hit is told."""
    exploration = explorer.draw(case.scenario, profile.choose(gate=100, ci=100, soak=50_000), depth=3, seed=1)
    tell(request, [exploration], scenario=f"{case.scenario.name}, drawn")
    insist(exploration, request)
    assert exploration.pct_bound is not None
    assert exploration.pct_bound > 0
