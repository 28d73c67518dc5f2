"""The matrix: a check is red if and only if the planted fault says so, and green again once it is healed.

Each look at the stage tells two things: what the fault that is planted turned red, and that what the fault before it
had turned red is green again. Only cells that both of them break are looked at in between.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from fixtures.faults.base import EVERYWHERE, GATEWAY, Fault
from fixtures.faults.catalogue import AREAS, FAULTS, area_of
from fixtures.faults.stage import FaultyStage
from reports.records import Verdict
from validations.faults.conftest import require_for
from validations.faults.looking import CHECKS, Cell, declared, expected, look, red
from validations.faults.order import spread
from validations.registry import Check

PROPERTY = "viewgate.faults"
"""Name of the user property that tells of planted faults: `reports` counts and draws them."""

NOTHING = Fault(
    "nothing-planted", "nothing: a healthy stage", trips="", inject=lambda _: None, watch="rebuilds requests"
)


@dataclass(frozen=True)
class Seen:
    """A fault, the cells while it was planted, and, of those that it breaks, what the fault before left in doubt."""

    fault: Fault
    planted: Mapping[str, Cell]
    healed: Mapping[str, Cell]
    before: str


@dataclass
class Matrix:
    """One stage's faults: which was planted last, what it turned red, and what of them is not yet told."""

    last: str = "nothing"
    turned: frozenset[str] = frozenset()
    watch: str = ""
    untold: list[dict[str, Any]] = field(default_factory=list)


# One an area in every run, on the stage that is there anywhere; the rest where minutes are given.
EVERY_FAULT = [
    pytest.param(
        kind,
        # Not the fault alone: pytest would plant it in both kinds of stages in turn, and bring one up for each.
        (kind, fault),
        id=f"{kind}-{fault.name}",
        marks=()
        if kind == GATEWAY and (fault is NOTHING or fault is AREAS[area_of(fault)][0])
        else pytest.mark.profile("ci"),
    )
    for kind in EVERYWHERE
    for fault in (NOTHING, *spread(fault for fault in FAULTS if kind in fault.kinds))
]


@pytest.fixture(scope="module", name="matrix")
def _matrix(stage: FaultyStage) -> Iterator[Matrix]:
    """What came out of a stage's faults; after all of them every part of every check has to pass again."""
    matrix = Matrix()
    yield matrix
    cells = look(stage, watch=matrix.watch)
    assert {check: cell.said() for check, cell in cells.items() if cell.said()} == {}, f"after {matrix.last}"


@pytest.fixture(scope="module", name="seen")
def _seen(request: pytest.FixtureRequest, pytestconfig: pytest.Config, stage: FaultyStage, matrix: Matrix) -> Seen:
    """Plant a fault, look once for all checks, and heal it."""
    fault: Fault = request.param[1]
    require_for(pytestconfig, fault)
    started = time.monotonic()
    doubted = [check for check in CHECKS if check.id in declared(fault) & matrix.turned]
    healed = look(stage, doubted) if doubted else {}
    with stage.planted(fault):
        planted = look(stage, watch=fault.watch)
    seen = Seen(fault, planted, healed, matrix.last)
    area = "none" if fault is NOTHING else area_of(fault)
    row = [f"{stage.kind}-{fault.name}", area, sorted(declared(fault)), sorted(red(planted))]
    matrix.untold.append({"seconds": round(time.monotonic() - started, 2), "rows": [row]})
    matrix.last, matrix.turned = fault.name, red(planted)
    matrix.watch = "rebuilds" if "rebuilds" in f"{matrix.watch} {fault.watch}" else ""
    return seen


@pytest.mark.parametrize(("stage", "seen"), EVERY_FAULT, indirect=True)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_fault_turns_just_its_cells_red(
    request: pytest.FixtureRequest, matrix: Matrix, seen: Seen, check: Check
) -> None:
    """A check fails if and only if the fault declares it, in just the parts it names, and passed when it was healed."""
    while matrix.untold:
        request.node.user_properties.append((PROPERTY, matrix.untold.pop()))
    if check.id in seen.healed:
        cell = seen.healed[check.id]
        assert cell.verdict is Verdict.PASS, f"after {seen.before} was healed:\n{cell.said()}"
    cell = seen.planted[check.id]
    told = f"{cell.said() or 'all of it passed'}\nhealed just before: {seen.before}"
    assert cell.verdict is expected([seen.fault], check.id), told
    for parts, verdict in ((seen.fault.red, Verdict.FAIL), (seen.fault.unknown, Verdict.UNKNOWN)):
        named = parts.get(check.id)
        if named:
            assert cell.which(verdict) == named, cell.said()
