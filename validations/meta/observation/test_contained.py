"""What a visit's browser leaves behind: nothing, however the visit ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.processes import end, wait_until
from validations.gate_runs import CHECKOUT, processes_of

SECONDS = 30.0

# A child in a session of its own that has a child too, as a browser's are, and a file.
TREE = """
import os, pathlib, sys, tempfile, time
folder = tempfile.mkdtemp()
os.chdir(folder)
pathlib.Path("profile").write_text("mine")
if os.fork() == 0:
    os.setsid()
    os.fork()
    time.sleep(600)
print("here", flush=True)
time.sleep(float(sys.argv[1]))
sys.exit(7)
"""

# Whoever wants it: a run of the gate.
RUN = """
import subprocess, sys
from fixtures.processes import ended_with_us
command = [sys.executable, "-m", "fixtures.observation.contained", sys.executable, "-c", *sys.argv[1:]]
process = subprocess.Popen(ended_with_us(command))
print(process.pid, flush=True)
sys.exit(process.wait())
"""


@pytest.fixture(name="start")
def _start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], subprocess.Popen[bytes]]]:
    """Start a tree that stays for so many seconds, and wait until all of it is there."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    started: list[subprocess.Popen[bytes]] = []

    def start(stays: float) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", RUN, TREE, str(stays)], cwd=CHECKOUT, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        words = process.stdout.readline() + process.stdout.readline()
        assert b"here" in words
        return process

    yield start
    for process in started:
        end(process)


def left_in(folder: Path) -> list[str]:
    """Tell which files and processes are left."""
    return [str(path) for path in folder.iterdir()] + processes_of(folder)


def test_what_ended_by_itself_leaves_nothing(start: Callable[[float], subprocess.Popen[bytes]], tmp_path: Path) -> None:
    """Its exit code is given on, and the children that it left are ended with its files."""
    process = start(0)
    assert process.wait(SECONDS) == 7
    assert left_in(tmp_path) == []


def test_what_is_cut_short_leaves_nothing(start: Callable[[float], subprocess.Popen[bytes]], tmp_path: Path) -> None:
    """Where the run is killed, which it cannot tell anybody, all that it had started goes by itself."""
    process = start(600)
    assert left_in(tmp_path), "the tree has a folder and processes in it"
    process.send_signal(signal.SIGKILL)
    process.wait(SECONDS)
    wait_until(lambda: left_in(tmp_path) == [], awaited="the end of the tree", seconds=SECONDS, every=0.05)
