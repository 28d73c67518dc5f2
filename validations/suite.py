"""How the suite's own tests run: on two processes, the longest files first, and with each stage built once.

`uv run pytest` without a path is the whole suite. It takes two worker processes where there are two cores; `-n` says
otherwise, and `-n 0` is one process. A run of the gate alone starts one stage and stays as it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from fixtures.environments.built import BUILT
from fixtures.options import gate_alone

WORKERS = 2

LONGEST = (
    "validations/gate/",
    "validations/meta/test_gate_end_to_end.py",
    "validations/faults/",
    "validations/stages/",
    "validations/races/test_mutants.py",
    "validations/races/test_blade_stage.py",
)
"""What takes a worker longest comes first, so that no worker is left with it while the other has nothing to do."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Take two workers for the whole suite where none are named and nothing needs the terminal."""
    option = config.option
    one_process = (
        option.usepdb,
        option.trace,
        option.capture == "no",
        option.collectonly,
        option.setupshow,
        option.showfixtures,
        option.show_fixtures_per_test,
        option.replay,
    )
    if (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and getattr(option, "numprocesses", 0) is None
        and not hasattr(config, "workerinput")
        and not any(one_process)
        and len(os.sched_getaffinity(0)) >= WORKERS
    ):
        option.numprocesses = WORKERS


def pytest_configure(config: pytest.Config) -> None:
    """Keep each application that a stage is made of, once it is built, for the stages after it until the run ends."""
    if hasattr(config, "workerinput") or BUILT in os.environ or gate_alone(config):
        return
    folder = Path(tempfile.mkdtemp(prefix="viewgate-built-"))
    os.environ[BUILT] = str(folder)

    def forget() -> None:
        del os.environ[BUILT]
        shutil.rmtree(folder)

    config.add_cleanup(forget)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest files first where workers share them out in this order (`--no-loadscope-reorder`)."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: next((at for at, path in enumerate(LONGEST) if item.nodeid.startswith(path)), 99))
