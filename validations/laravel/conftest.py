"""One Laravel stage for all tests here, each of which leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.laravel.scaffold import minimum_views
from validations.gateway.served import Served, serving

# The core, and one resource of the catalogue.
VIEWS = minimum_views() + 40


@pytest.fixture(scope="session", name="served")
def _served(laravel_here: None) -> Iterator[Served]:  # noqa: ARG001
    with serving(VIEWS, kind="laravel") as served:
        yield served
