"""The faults themselves: named apart, of known cells, and together trying every part that a check has."""

from __future__ import annotations

import re

import pytest

from fixtures.faults.base import Fault, cells
from fixtures.faults.catalogue import AREAS, FAULTS, area_of
from validations.faults.looking import CHECKS, STAGE
from validations.registry import DISCLOSURE

every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
# What no edit of a stage can do alone: the 112 fields are alike, and one of them stands for all.
ALIKE = {(DISCLOSURE.id, part) for part in DISCLOSURE.parts(STAGE) if part.startswith("field-")}


@every_fault
def test_a_fault_names_cells_that_there_are(fault: Fault) -> None:
    """What a fault declares are checks and parts of the registry, each said once, and something is declared."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", fault.name)
    assert ": " in fault.breaks
    known = {check.id: set(check.parts(STAGE)) for check in CHECKS}
    declared = {**fault.red, **fault.unknown}
    assert declared
    assert {check: set(parts) - known[check] for check, parts in declared.items() if set(parts) - known[check]} == {}


def test_names_are_distinct() -> None:
    """No two faults have one name, and there are as many as the suite promises."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 80


def test_areas_cover_every_fault() -> None:
    """Each fault belongs to just one area."""
    assert [area_of(fault) for fault in FAULTS] == [area for area, faults in AREAS.items() for _ in faults]


def test_every_part_is_tried() -> None:
    """Every part of every check is turned red by name by some fault: none of them is green by nature."""
    tried = {(check, part) for fault in FAULTS for check, parts in fault.red.items() for part in parts}
    tried |= {(check, "objective") for fault in FAULTS for check in (*fault.red, *fault.unknown)}
    planned = {(check.id, part) for check in CHECKS for part in check.parts(STAGE)}
    assert planned - tried - ALIKE == set()
    assert tried & ALIKE


def test_a_check_named_twice_is_refused() -> None:
    """A declaration that names a check twice is a mistake, not the last of the two."""
    assert cells("page/complete,guest recovery") == {"page": {"complete", "guest"}, "recovery": set()}
    with pytest.raises(ValueError, match="named twice"):
        cells("page/complete page/guest")
