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
    """The stage, with a php-fpm that has just been started: its OPcache counts no other file's rebuilds.

    Each rebuild is a miss for every view. A few hundred of them among hardly any visitors bring the hit rate of a
    php-fpm's whole life below what the health check calls healthy, and rightly so.
    """
    shared.stage.restart()
    return shared
