"""A live stage for a module's faults."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.environments import laravel_stage as laravel
from fixtures.environments.stages import stage_of
from fixtures.faults.base import GATEWAY, LARAVEL, Fault
from fixtures.faults.stage import FaultyStage
from fixtures.observation import browser
from fixtures.options import lack
from fixtures.processes import may_mount
from validations.gate_runs import Runs


@pytest.fixture(scope="module", name="stage")
def _stage(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[FaultyStage]:
    """A stage that is up for the module, of the kind that is asked for (a gateway); whoever breaks it mends it."""
    kind = getattr(request, "param", GATEWAY)
    if kind == LARAVEL and (missing := laravel.lacking()):
        lack(pytestconfig, LARAVEL, f"there is no {' and no '.join(missing)}")
    application = stage_of(kind)()
    try:
        stage = FaultyStage(application, application.up())
        try:
            yield stage
        finally:
            stage.close()
    finally:
        application.down()


@pytest.fixture(name="runs")
def _runs() -> Iterator[Runs]:
    """Runs of the gate in a folder that anyone may enter, as an application's runtime user has to."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        Path(folder).chmod(0o755)
        runs = Runs(Path(folder))
        yield runs
        assert runs.left_behind() == []


def require_for(config: pytest.Config, *faults: Fault) -> None:
    """Skip, or fail where it is required, what this machine cannot plant."""
    needs = {need for fault in faults for need in fault.needs}
    if "root" in needs and os.geteuid() != 0:
        lack(config, "root", "only root can mount and give files away")
    if "mount" in needs and not may_mount():
        lack(config, "mount", "nothing can be mounted here")
    if "browser" in needs and (reason := browser.lacking()):
        lack(config, "browser", reason)
