"""`--replay=FILE`: exactly one interleaving, run again. Collected where it is asked for."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer, told
from fixtures.concurrency.mutants import mutant
from fixtures.concurrency.schedules import switches_of
from fixtures.concurrency.systems import System
from fixtures.concurrency.witness import Witness, table
from validations.races.blade import promises
from validations.races.invariants import broken_in


@pytest.fixture(name="witness")
def _witness(pytestconfig: pytest.Config) -> Witness:
    return Witness.read(Path(pytestconfig.invocation_params.dir / pytestconfig.option.replay))


def test_the_promise_of_the_witness_holds_now(
    witness: Witness, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """The witness's schedule, followed to the letter and twice to the same end, no longer breaks its promise."""
    laravel = witness.system == "laravel"
    ours = witness.variant if witness.variant in {"bare", "stage", "literal"} else "application"
    part = ours if laravel else "system"
    system: System = request.getfixturevalue(part)
    seeded = mutant(witness.variant).applied() if witness.variant and not laravel else contextlib.nullcontext()
    with seeded, Explorer(system, promises if laravel else broken_in) as explorer:
        outcome, broken = explorer.once(witness.scenario, witness.schedule)
        again, _ = explorer.once(witness.scenario, witness.schedule)
    mine = [finding.seen for finding in broken if finding.invariant == witness.promise]
    last = f"{witness.promise} is violated: {mine[0]}" if mine else f"{witness.promise} holds"
    shown = table(witness, outcome, last)
    assert told(again) == told(outcome), "one schedule gave two histories: see what of it is no announced step"
    if mine:
        pytest.fail(shown, pytrace=False)
    with capsys.disabled():
        print(f"\n{shown}")  # noqa: T201 - what was asked for
    followed = switches_of(outcome.run.decisions)
    assert followed == witness.schedule, (
        f"of the witness's switches {list(witness.schedule)} only {list(followed)} could be followed: the steps have"
        f" changed since; explore {witness.scenario.name} anew"
    )
