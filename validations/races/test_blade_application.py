"""Any Laravel application under the explorer: `--laravel-root PATH` says which, else this file is not collected.

A copy of its tree is explored. Each scenario is explored to the end, and each class of failure told with a shrunk
witness.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

import pytest

from fixtures.concurrency.explorer import Exploration, Explorer
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.php.discovery import Explorable, explorable
from fixtures.concurrency.php.system import PhpSystem
from fixtures.concurrency.scheduler import HarnessError
from fixtures.concurrency.witness import table
from fixtures.profiles import Profile
from validations.races.blade import KNOWN, symptoms
from validations.races.blade_portfolio import CASES, SERVICE_CASES, BladeCase, cases, service_cases
from validations.races.telling import tell


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Fail with the message alone where the application cannot be explored."""
    reason = ""
    try:
        yield
    except HarnessError as error:
        reason = str(error)
    if reason:
        pytest.fail(reason, pytrace=False)


@pytest.fixture(scope="module", name="views")
def _views(application: PhpSystem, pytestconfig: pytest.Config) -> Explorable:
    with in_one_line():
        return explorable(application, pytestconfig.option.laravel_view)


@pytest.fixture(scope="module", name="explorer")
def _explorer(application: PhpSystem) -> Iterator[Explorer]:
    with Explorer(
        application, symptoms, name="laravel", variant=application.subject.name, reduction=Independence
    ) as explorer:
        yield explorer


def case_of(name: str, views: Explorable, service: str) -> BladeCase:
    """Give a scenario with the application's own views. Skips what it has nothing for."""
    if name in SERVICE_CASES:
        if not service:
            pytest.skip("the application's own rebuild is explored with --laravel-service CLASS")
        return next(case for case in service_cases(views.page) if case.scenario.name == name)
    case = next(case for case in cases(views.page, views.parts or "") if case.scenario.name == name)
    if "" in case.scenario.views:
        pytest.skip("no view of several parts renders without data: name one as the second --laravel-view")
    return case


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in (*CASES, *SERVICE_CASES)])
def test_no_schedule_breaks_a_view(
    name: str, explorer: Explorer, views: Explorable, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """No schedule of a few preemptions gives a visitor anything but a whole, fresh page, or leaves damage for good."""
    case = case_of(name, views, request.config.option.laravel_service)
    bound = case.preemptions + profile.choose(gate=0, ci=0, soak=1)
    system = request.getfixturevalue("application")
    told = f"laravel-{system.version()} {system.subject.name}, seen by {system.eye}"

    with in_one_line():
        everything = explorer.exhaust(case.scenario, bound, until=())
        found = [one_of(explorer, everything, symptom, bound) for symptom in sorted(everything.broken)]
    for exploration in [everything, *found]:
        symptom = f"{exploration.failure.witness.promise} in " if exploration.failure else ""
        tell(request, [exploration], system=told, scenario=f"{symptom}{name}")
    assert everything.exhausted
    if found:
        pytest.fail(report(told, everything, found), pytrace=False)


def one_of(explorer: Explorer, everything: Exploration, symptom: str, bound: int) -> Exploration:
    """Look for one class of failure alone, and shrink it."""
    exploration = explorer.exhaust(everything.scenario, bound, until={symptom})
    assert exploration.failure is not None, f"{symptom} came up in one exploration and not in the next"
    return dataclasses.replace(exploration, schedules=exploration.failure.found_after)


def report(told: str, everything: Exploration, found: list[Exploration]) -> str:
    """Say what breaks, how often, where it is told of, and by which interleaving."""
    lines = [f"{told}: {everything.scenario.name}, {everything.schedules} schedules, {len(found)} classes of failure"]
    for exploration in found:
        failure = exploration.failure
        assert failure is not None
        symptom = KNOWN[failure.witness.promise]
        since = f", since Laravel {symptom.since}" if symptom.since else ""
        told_of = f"breaks {', '.join(symptom.broken)}; {symptom.upstream}{since}"
        shown = table(failure.witness, failure.outcome)
        lines += ["", f"{symptom.name} in {everything.broken[symptom.name]} schedules; {told_of}", shown]
    remedy = "warm compiled views in a new directory and flip to it; never delete a live one (fixtures/README.md)"
    return "\n".join([*lines, "", f"remedy: {remedy}"])
