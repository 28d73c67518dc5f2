"""The order in which the suite's own files run."""

from __future__ import annotations

import pytest

from validations.gate_runs import CHECKOUT
from validations.suite import LONGEST


@pytest.mark.parametrize("path", [pytest.param(path, id=path.strip("/").replace("/", "-")) for path in LONGEST])
def test_what_is_begun_with_is_there(path: str) -> None:
    """What a worker begins with is a file or a folder of the suite."""
    assert (CHECKOUT / path).exists()
