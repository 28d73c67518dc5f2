"""Real Laravels under the explorer: they fail as is told of their versions. `.ci/versions` lays them out and runs this.

The tree is the bare one, which every version since 8 boots. Without `--laravels` this file is not collected.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.concurrency.php.system import BARE, PhpSystem
from fixtures.concurrency.php.trees import VERSIONS
from validations.races.test_blade_versions import failures, found_in
from validations.versions import version_of

pytestmark = pytest.mark.usefixtures("shim_here")


def test_a_real_version_fails_as_is_told_of_it(
    real_php: str, world: Callable[[], Path], request: pytest.FixtureRequest
) -> None:
    """What fails in a real Laravel is just what fails in the stand-in for the last version that changed anything."""
    system = PhpSystem(world(), BARE, php=real_php)
    version = system.version()
    like = max((known for known in VERSIONS if _of(known) <= _of(version)), key=_of)
    assert found_in(system, like, f"laravel-{version}", request) == failures(like, real_php)


def _of(version: str) -> tuple[int, int, int]:
    found = version_of(version)
    assert found is not None
    return found
