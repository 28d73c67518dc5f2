"""The framework as it comes, under the explorer: each known failure of its view cache is found, shrunk and replayed.

These are no tests of Laravel: they prove that the explorer sees. One that no longer finds its failure has gone blind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.php.system import PhpSystem
from fixtures.concurrency.schedules import preemptions_of
from fixtures.concurrency.witness import Witness, table
from validations.races.blade import KNOWN, symptoms
from validations.races.blade_portfolio import CASES, BladeCase
from validations.races.telling import tell

FOUND = {
    "filemtime": ("warm-render-against-clear", "filemtime(): stat failed for compiled/page.php"),
    "require": ("warm-render-against-clear", "require(compiled/page.php): Failed to open stream"),
    "first-render-miss": ("cold-render-against-clear", "File does not exist at path compiled/page.php"),
    "blank": ("two-cold-renders", "render page: ''"),
    "cut": ("two-cold-renders-of-parts", "<html>"),
    "sticky-stale": ("cold-render-against-edit", "is 'page version 0', and should be 'page version 1'"),
}
"""Each failure: the scenario that it comes up in, and what its witness says."""


@pytest.fixture(name="explorer")
def _explorer(bare: PhpSystem) -> Iterator[Explorer]:
    with Explorer(bare, symptoms, name="laravel", variant="bare", reduction=Independence) as explorer:
        yield explorer


@pytest.mark.parametrize("symptom", [pytest.param(name, id=name) for name in FOUND])
def test_each_known_failure_is_found_shrunk_and_replayed(
    symptom: str, explorer: Explorer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The failure comes up in its own words; its witness has two switches at most, and replays from its file."""
    scenario, said = FOUND[symptom]
    exploration = explorer.exhaust(CASES[scenario].scenario, 2, until={symptom})
    tell(request, [exploration], system="laravel-8.83 bare, seen by shim", scenario=f"{symptom} in {scenario}")
    failure = exploration.failure
    assert failure is not None, (
        f"{symptom} ({KNOWN[symptom].upstream}) did not come up in {exploration.schedules} schedules of {scenario}"
    )
    shown = table(failure.witness, failure.outcome)
    assert said in failure.witness.seen, shown
    assert preemptions_of(failure.outcome.run.decisions) <= 1, shown
    assert len(failure.witness.schedule) <= 2, shown

    failure.witness.write(tmp_path / "witness.json")
    kept = Witness.read(tmp_path / "witness.json")
    for _ in range(3):
        _, found = explorer.once(kept.scenario, kept.schedule)
        assert kept.seen in [seen.seen for seen in found]


@pytest.mark.profile("ci")
@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_a_scenario_has_the_failures_that_are_known_and_no_others(
    case: BladeCase, explorer: Explorer, request: pytest.FixtureRequest
) -> None:
    """In all schedules of its few preemptions just the known classes of failure come up."""
    exploration = explorer.exhaust(case.scenario, case.preemptions, until=())
    tell(request, [exploration], system="laravel-8.83 bare, seen by shim")
    assert exploration.exhausted
    assert dict(exploration.broken).keys() == set(case.unmodified)
