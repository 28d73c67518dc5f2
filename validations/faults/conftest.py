"""A live stage for a module's faults."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.environments import laravel_stage
from fixtures.environments.settings import Objectives
from fixtures.environments.stages import stage_of
from fixtures.faults.base import GATEWAY, LARAVEL, Fault
from fixtures.faults.stage import FaultyStage
from fixtures.observation import browser
from fixtures.options import lack
from fixtures.processes import may_mount
from validations.gate_runs import Runs

VIEWS = 120
"""Few, since many faults are followed by a rebuild. What is agreed is as many; 682 are looked at by whole gates."""

Stages = Callable[[str, int], FaultyStage]


@pytest.fixture(scope="session", name="stages")
def _stages(pytestconfig: pytest.Config) -> Iterator[Stages]:
    """Give the stage of a kind and a number of views, which is up until the session ends: what breaks it mends it."""
    up: dict[tuple[str, int], FaultyStage] = {}

    def stage(kind: str, views: int) -> FaultyStage:
        if kind == LARAVEL and (missing := laravel_stage.lacking()):
            lack(pytestconfig, LARAVEL, f"there is no {' and no '.join(missing)}")
        if (kind, views) not in up:
            application = stage_of(kind)(views=views)
            closing.callback(application.down)
            agreed = Objectives(compiled_views=views)
            environment = application.up().model_copy(update={"objectives": agreed})
            up[kind, views] = closing.enter_context(contextlib.closing(FaultyStage(application, environment)))
        return up[kind, views]

    with contextlib.ExitStack() as closing:
        yield stage


@pytest.fixture(scope="module", name="stage")
def _stage(request: pytest.FixtureRequest, stages: Stages) -> FaultyStage:
    """Give a stage of the kind that is asked for (a gateway)."""
    return stages(getattr(request, "param", GATEWAY), VIEWS)


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
