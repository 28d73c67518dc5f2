"""Under pytest-xdist one host's cells stay on one worker: two would disturb a stage at the same time."""

from __future__ import annotations

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]

from fixtures.environments.settings import Environment
from fixtures.hosts import TARGET, Target, pytest_xdist_make_scheduler


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        pytest.param("validations/gate/test_1_middleware.py::test_middleware[web-1-answers]", "web-1", id="one-cell"),
        pytest.param("validations/gate/test_5_locks.py::test_locks[web-1-taken]", "web-1", id="another-file"),
        pytest.param("validations/meta/test_plan.py::test_x[web-1]", "validations/meta/test_plan.py", id="not-a-cell"),
        pytest.param(
            "validations/races/test_portfolio.py::test_x[a]",
            "validations/races/test_portfolio.py::test_x[a]",
            id="a-search",
        ),
    ],
)
def test_cells_are_grouped_by_host_searches_by_none_and_other_tests_by_file(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch, nodeid: str, scope: str
) -> None:
    """A host's cells stay together, whatever file they are in; a search goes to anybody, other tests go by file."""
    environment = Environment(kind="gateway", url="http://127.0.0.1:9", root="/srv")
    monkeypatch.setattr(pytestconfig.option, "dist", "loadfile")
    monkeypatch.setattr(pytestconfig.option, "tx", ["popen"] * 2)
    before = pytestconfig.stash.get(TARGET, None)
    pytestconfig.stash[TARGET] = Target("web-1", environment, stage=None, intrusive=False)
    try:
        scheduler = pytest_xdist_make_scheduler(pytestconfig, Producer("scheduler"))
    finally:
        if before is None:
            del pytestconfig.stash[TARGET]
        else:
            pytestconfig.stash[TARGET] = before
    assert scheduler._split_scope(nodeid) == scope  # noqa: SLF001 - what pytest-xdist asks it
