"""The brief's system on Laravel under the explorer: a flip between whole generations, and no schedule that breaks it.

Beside it stands what the brief says literally, a lock on the rebuild and a middleware that heals, which does not do.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.php.system import PhpSystem
from fixtures.profiles import Profile
from validations.races.blade import promises, symptoms
from validations.races.blade_portfolio import CASES, SERVICE_CASES, BladeCase
from validations.races.telling import insist, tell

QUICK = (
    "warm-render-against-clear",
    "warm-render-against-cache",
    "request-against-rebuild",
    "cold-render-against-edit",
    "resaved-and-edited-in-a-second",
    "two-rebuilds",
)
"""What every run explores; the rest takes minutes."""

EVERY = {**CASES, **SERVICE_CASES}


@pytest.fixture(scope="module", name="explorer")
def _explorer(stage: PhpSystem) -> Iterator[Explorer]:
    with Explorer(stage, promises, name="laravel", variant="stage", reduction=Independence) as explorer:
        yield explorer


def bound(case: BladeCase, profile: Profile) -> int:
    """Tell how many preemptions to exhaust: two, and one among three actors, whose schedules are ten times as many."""
    pair = len(case.scenario.actors) == 2
    return min(case.preemptions, profile.choose(gate=1, ci=2 if pair else 1, soak=2))


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in QUICK])
def test_no_schedule_breaks_the_stage(
    name: str, explorer: Explorer, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """Clears, rebuilds and edits beside a render: each visitor has a whole, fresh page, and nothing is left lying."""
    hold(EVERY[name], explorer, profile, request)


@pytest.mark.profile("ci")
@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in EVERY if name not in QUICK])
def test_no_longer_schedule_breaks_the_stage(
    name: str, explorer: Explorer, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """The same beside cold starts, optimize, kills, emergency fixes, pages of several parts, and among three."""
    hold(EVERY[name], explorer, profile, request)


def hold(case: BladeCase, explorer: Explorer, profile: Profile, request: pytest.FixtureRequest) -> None:
    """Exhaust a scenario, and fail with the interleaving where a promise breaks."""
    exploration = explorer.exhaust(case.scenario, bound(case, profile))
    tell(request, [exploration], system="laravel-8.83 stage, seen by shim")
    insist(exploration, request)
    assert exploration.exhausted
    actors = len(case.scenario.actors)
    assert exploration.schedules > actors * (actors - 1), "too few schedules: nobody was ever interrupted"


@pytest.mark.parametrize(
    ("scenario", "symptom"),
    [
        pytest.param("request-against-rebuild", "blank", id="the-middleware-sees-no-blank-page"),
        pytest.param("warm-render-against-rebuild", "filemtime", id="a-render-takes-no-lock"),
        pytest.param("killed-rebuild", "sticky-blank", id="who-dies-has-emptied"),
    ],
)
def test_the_fix_as_the_brief_words_it_leaves_a_race(
    scenario: str, symptom: str, literal: PhpSystem, request: pytest.FixtureRequest
) -> None:
    """A lock on the rebuild and a middleware that heals: the witness that it does not do; the stage has none there."""
    case = SERVICE_CASES[scenario]
    with Explorer(literal, symptoms, name="laravel", variant="literal") as explorer:
        exploration = explorer.exhaust(case.scenario, case.preemptions, until={symptom})
    tell(request, [exploration], system="laravel-8.83 literal, seen by shim", scenario=f"{symptom} in {scenario}")
    assert exploration.failure is not None, f"{exploration.schedules} schedules, and no {symptom}"
    assert exploration.failure.witness.promise == symptom
