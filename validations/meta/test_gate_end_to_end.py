"""The gate as its users run it: whole runs of it, healthy and broken, interrupted and killed.

Every run here is a process of its own with a temporary folder of its own, so that what is left behind is seen.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from fixtures.processes import end, wait_until
from validations.gate_runs import CHECKOUT, RUN_SECONDS, Runs

# For runs that do not get to their verdict.
SMALL = ("--views", "66")
EIGHT = ("middleware", "writable", "deployment", "health", "locks", "filament", "page", "disclosure")


@pytest.fixture(name="runs")
def _runs(open_folder: Path) -> Runs:
    return Runs(open_folder)


@pytest.fixture(scope="module", name="kept")
def _kept(open_module_folder: Path) -> Iterator[Kept]:
    """One stage, kept up for all tests that break it; each puts back what it broke."""
    runs = Runs(open_module_folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.environments", "up", "kept"],
        cwd=runs.folder,
        env=runs.environment(PYTHONPATH=str(CHECKOUT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    description = runs.folder / ".viewgate" / "kept.toml"
    try:
        wait_until(
            lambda: description.exists() or process.poll() is not None,
            awaited=f"the kept stage in {runs.folder}",
            seconds=RUN_SECONDS,
        )
        assert process.poll() is None, process.communicate()[0].decode()
        (root,) = runs.temporary.glob("viewgate-stage-*/api-gateway/current")
        yield Kept(runs, root.resolve())
    finally:
        end(process, seconds=30)
    assert not runs.left_behind()


class Kept:
    """A stage that is up: its runs, and its release."""

    def __init__(self, runs: Runs, root: Path) -> None:
        self.runs = runs
        self.root = root

    def gate(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the gate on it, without what runs before have recorded."""
        self.runs.forget()
        return self.runs.gate("--environment", "kept", *arguments)


@dataclass(frozen=True)
class AtOnce:
    """Two healthy runs that were up at the same time, each of a stage of its own; `two` has two workers."""

    one: Runs
    two: Runs
    done: subprocess.CompletedProcess[str]
    two_ended_with: int


@pytest.fixture(scope="module", name="at_once")
def _at_once(open_module_folder: Path) -> AtOnce:
    folders = [open_module_folder / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = map(Runs, folders)
    process = two.start("-n", "2")
    try:
        done = one.gate()
        return AtOnce(one, two, done, process.wait(RUN_SECONDS))
    finally:
        end(process)


def test_a_healthy_stage_passes_and_leaves_nothing(at_once: AtOnce) -> None:
    """One command on a healthy stage passes, names the eight, and leaves neither file nor process behind."""
    assert at_once.done.returncode == 0, at_once.done.stdout + at_once.done.stderr
    for check in EIGHT:
        assert check in at_once.done.stdout
    assert "gate: PASSED" in at_once.done.stdout
    assert set(at_once.one.verdicts().values()) == {"green"}
    assert at_once.one.left_behind() == []


def test_two_workers_share_one_stage(at_once: AtOnce) -> None:
    """Under `-n 2` the gate passes on one shared stage, with every part green, and leaves nothing behind."""
    assert at_once.two_ended_with == 0, (at_once.two.reports / "summary.md").read_text()
    assert set(at_once.two.verdicts().values()) == {"green"}
    assert at_once.two.left_behind() == []


def test_two_runs_at_once_do_not_disturb_each_other(at_once: AtOnce) -> None:
    """Two runs of the gate pass though each began before the other ended."""
    (began, ended), (other_began, other_ended) = map(_span, (at_once.one, at_once.two))
    assert began < other_ended
    assert other_began < ended
    assert (at_once.done.returncode, at_once.two_ended_with) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["-k", "middleware"], "did not run", id="subset-by-keyword"),
        pytest.param(["--deselect", "validations/gate/test_7_page.py"], "did not run", id="deselected"),
        pytest.param(["-p", "skips_everything"], "did not run", id="all-skipped"),
        pytest.param(["-n", "2", "-p", "kills_its_worker"], "", id="worker-killed"),
    ],
)
def test_a_run_that_left_something_out_does_not_pass(kept: Kept, plugins: str, arguments: list[str], said: str) -> None:
    """A subset, skipped tests and a killed worker fail the gate: what was planned and did not run is missed."""
    done = kept.runs.gate("--environment", "kept", *arguments, PYTHONPATH=plugins)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "gate: FAILED" in done.stdout
    assert said in done.stdout
    assert "failure" in kept.runs.verdicts().values() or "error" in kept.runs.verdicts().values()


@pytest.fixture(name="plugins")
def _plugins(tmp_path: Path) -> str:
    """A folder of pytest plugins that sabotage a run."""
    (tmp_path / "skips_everything.py").write_text(
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items: item.add_marker(pytest.mark.skip(reason='not today'))\n"
    )
    (tmp_path / "kills_its_worker.py").write_text(
        "import os, signal\n"
        "def pytest_runtest_call(item):\n"
        "    if 'PYTEST_XDIST_WORKER' in os.environ and 'test_5_locks' in item.nodeid:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    return str(tmp_path)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["sigint", "sigterm"])
def test_an_interrupted_run_is_red_and_takes_its_stage_with_it(runs: Runs, sent: signal.Signals) -> None:
    """SIGINT and SIGTERM end a run with exit code 2, a red report, and nothing left."""
    process = runs.start(*SMALL)
    wait_until(
        lambda: "green" in _words(runs), awaited="the first green part in junit.xml", seconds=RUN_SECONDS, every=0.05
    )
    process.send_signal(sent)
    assert process.wait(RUN_SECONDS) == 2
    assert "error" in runs.verdicts().values()
    assert runs.verdicts()[_gate_case(runs)] == "failure"
    assert runs.left_behind() == []


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.6, 0.9], ids=["at-start", "staging", "observing", "ending"])
def test_a_killed_run_leaves_a_red_report_and_no_stage(runs: Runs, fraction: float) -> None:
    """SIGKILL at any moment before the verdict leaves a well-formed red junit.xml, and the stage goes by itself."""
    process = runs.start(*SMALL)
    wait_until((runs.reports / "junit.xml").exists, awaited="the first junit.xml", seconds=RUN_SECONDS)
    # The moment is drawn, not awaited: any moment must do. A run takes some five seconds.
    moment = time.monotonic() + random.uniform(0, 10) * fraction  # noqa: S311 - not a secret
    wait_until(
        lambda: time.monotonic() >= moment or process.poll() is not None,
        awaited="the drawn moment",
        seconds=RUN_SECONDS,
    )
    process.kill()
    process.wait(RUN_SECONDS)
    # Once the verdict is written all was observed, and has ended: only the goodbye is cut short.
    judged = "run-ended" in (runs.reports / "events.jsonl").read_text(encoding="utf-8")
    assert runs.verdicts()[_gate_case(runs)] == "failure" or judged
    wait_until(lambda: runs.left_behind() == [], awaited="the end of the stage", seconds=30, every=0.1)


def _span(runs: Runs) -> tuple[datetime, datetime]:
    """Return when a run's first and last event happened."""
    lines = (runs.reports / "events.jsonl").read_text(encoding="utf-8").splitlines()
    began, ended = (datetime.fromisoformat(json.loads(line)["at"]) for line in (lines[0], lines[-1]))
    return began, ended


def _words(runs: Runs) -> set[str]:
    try:
        return set(runs.verdicts().values())
    except (OSError, ET.ParseError):
        return set()


def _gate_case(runs: Runs) -> str:
    (name,) = [name for name in runs.verdicts() if name.endswith("gate.verdict")]
    return name
