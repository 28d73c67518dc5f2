"""The hooks through which the suite tells `reports` what it plans, and asks what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reports.records import Plan


@pytest.hookspec(firstresult=True)
def pytest_viewgate_plan(config: pytest.Config) -> Plan | None:
    """Return the planned cells, or None where the gate was not asked for.

    Asked once, on the controller, before collection and before anything is started.
    """


@pytest.hookspec(firstresult=True)
def pytest_viewgate_exit(config: pytest.Config) -> int | None:
    """Return the exit code that this run's own report holds, or None where it has no report or has not ended.

    Implemented by `reports`.
    """


@pytest.hookspec(firstresult=True)
def pytest_viewgate_history(config: pytest.Config, environment: str) -> list[dict[str, Any]]:  # type: ignore[empty-body]
    """Return the recorded lines of an environment's earlier runs, oldest first; see `reports.history.line`.

    Implemented by `reports`; works on pytest-xdist's workers too.
    """


@pytest.hookspec(firstresult=True)
def pytest_viewgate_compared(  # type: ignore[empty-body]
    config: pytest.Config, digests: Mapping[str, Any]
) -> Iterable[tuple[str, dict[str, Any]]]:
    """Judge what takes all hosts at once: `digests` are what tests recorded as `viewgate.digest`, by node id.

    Return pairs of a node id and what its test would have recorded as `viewgate`. Asked once, on the controller, when
    every test has run; not where the run was cut short.
    """


@pytest.hookspec(firstresult=True)
def pytest_viewgate_attach(config: pytest.Config, name: str, content: bytes) -> str | None:
    """Keep a file of evidence with the run; return its path in the run's folder, or None where there is no run.

    Implemented by `reports`; works on pytest-xdist's workers too. Text is redacted; of a picture whoever takes it
    sees to it that it shows no secret. A file of the same name is replaced.
    """


@pytest.hookspec
def pytest_viewgate_progress(  # noqa: PLR0917 - hooks are called by name
    config: pytest.Config, subject: str, done: int, total: int | None, unit: str, states: int | None
) -> None:
    """Say how far a long search is: so many of `total` (None where nobody knows) schedules or whatever `unit` names.

    `states` is how many of the states looked for were reached. May be called as often as one likes: a terminal that
    somebody looks at shows it a few times a second, anything else not at all.
    """


@pytest.hookspec
def pytest_viewgate_secrets(config: pytest.Config) -> Iterable[str]:  # type: ignore[empty-body]
    """Return secret values known by now; they disappear from whatever is written from here on.

    Asked on the controller before every event, so a secret may become known during the run.
    """
