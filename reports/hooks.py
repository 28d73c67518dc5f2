"""The hooks through which the suite tells `reports` what it plans, and asks what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reports.records import Plan


@pytest.hookspec(firstresult=True)
def pytest_viewgate_plan(config: pytest.Config) -> Plan | None:
    """Return the planned cells, or None where the gate was not asked for.

    Asked once, on the controller, before collection and before anything is started.
    """


@pytest.hookspec(firstresult=True)
def pytest_viewgate_history(config: pytest.Config, environment: str) -> list[dict[str, Any]]:  # type: ignore[empty-body]
    """Return the recorded lines of an environment's earlier runs, oldest first; see `reports.history.line`.

    Implemented by `reports`; works on pytest-xdist's workers too.
    """


@pytest.hookspec
def pytest_viewgate_secrets(config: pytest.Config) -> Iterable[str]:  # type: ignore[empty-body]
    """Return secret values known by now; they disappear from whatever is written from here on.

    Asked on the controller before every event, so a secret may become known during the run.
    """
