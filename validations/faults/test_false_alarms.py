"""A healthy stage is green however often, and under whatever load, it is looked at."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from fixtures.environments.__main__ import as_toml
from fixtures.environments.stage import DEFAULT_VIEWS
from fixtures.faults.base import GATEWAY, LARAVEL
from fixtures.faults.stage import FaultyStage
from fixtures.processes import end
from fixtures.profiles import Profile
from validations.faults.conftest import Stages
from validations.gate_runs import Runs

# Every third run is on a machine that is busy, every other one with two workers.
BUSY, TWO_WORKERS = 3, 2


@pytest.fixture(name="stage")
def _stage(request: pytest.FixtureRequest, stages: Stages) -> FaultyStage:
    """Give a stage of the kind that is asked for, as large as the one that everybody's gate starts."""
    return stages(request.param, DEFAULT_VIEWS)


@pytest.fixture(name="busy")
def _busy() -> Iterator[list[subprocess.Popen[bytes]]]:
    """What keeps every processor busy, started by whoever wants that."""
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        end(process)


@pytest.mark.profile("ci")
@pytest.mark.parametrize("stage", [GATEWAY, LARAVEL], indirect=True)
def test_a_healthy_stage_never_alarms(
    stage: FaultyStage,
    profile: Profile,
    runs: Runs,
    busy: list[subprocess.Popen[bytes]],
    request: pytest.FixtureRequest,
) -> None:
    """Run after run of the gate on a healthy stage passes, some of them under load, some with two workers."""
    (runs.folder / "environments.toml").write_text(as_toml("kept", stage.environment), encoding="utf-8")
    times = profile.choose(gate=1, ci=5, soak=100)
    for number in range(times):
        request.config.hook.pytest_viewgate_progress(
            config=request.config,
            subject=f"a healthy {stage.kind}",
            done=number,
            total=times,
            unit="runs of the gate",
            states=None,
        )
        if number % BUSY == BUSY - 1:
            spin = [sys.executable, "-S", "-c", "while True: pass"]
            busy += [subprocess.Popen(spin) for _ in os.sched_getaffinity(0)]
        runs.forget()
        workers = ("-n", "2") if number % TWO_WORKERS else ()
        logged, waited = stage.log.stat().st_size, _waited()
        done = runs.gate("--environment", "kept", "--intrusive", *workers)
        while busy:
            end(busy.pop())
        assert done.returncode == 0, f"run {number + 1}:\n{done.stdout}{done.stderr}\n{_told_by(stage, logged, waited)}"
    request.node.user_properties.append(("healthy_runs", times))


def _waited() -> dict[str, float]:
    """Return for how many seconds each process that we have up was ready to run, and no processor was free.

    By the second number of `/proc/<pid>/schedstat` (Documentation/scheduler/sched-stats.rst), in nanoseconds.
    """
    waited = {}
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(OSError, psutil.Error):  # it has ended
            nanoseconds = Path(f"/proc/{process.pid}/schedstat").read_text(encoding="ascii").split()[1]
            waited[f"{process.pid} {' '.join(process.cmdline())}"] = int(nanoseconds) / 1e9
    return waited


def _told_by(stage: FaultyStage, logged: int, waited: Mapping[str, float]) -> str:
    """Say what the stage itself tells of a run: its log since then, and how long it got no processor."""
    log = stage.log.read_bytes()[logged:].decode(errors="replace")
    delays = "".join(f"{now - waited.get(name, 0):8.2f} s {name}\n" for name, now in _waited().items())
    return f"the application's log:\n{log}\nready to run, without a processor:\n{delays}"
