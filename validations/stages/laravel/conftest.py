"""One Laravel stage for all tests here, each of which leaves it as it found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fixtures.laravel.scaffold import minimum_views
from validations.stages.gateway.served import Served, serving

# The core, and one resource of the catalogue.
VIEWS = minimum_views() + 40


@pytest.fixture(scope="session", name="shared")
def _shared(laravel_here: None) -> Iterator[Served]:  # noqa: ARG001
    with serving(VIEWS, kind="laravel") as served:
        yield served


@pytest.fixture(scope="module", name="served")
def _served(shared: Served) -> Served:
    """The stage, with a php-fpm that has just been started: its OPcache has counted no other module's rebuilds.

    Dozens of rebuilds among hardly any visitors are a bad hit rate, and the health check rightly says so.
    """
    shared.stage.restart()
    return shared
