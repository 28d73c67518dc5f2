"""Failing examples are shared: what one machine has found, another tries first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
SECONDS = 120

# One number of 400 is wrong. Whoever tries once begins with 0 and does not meet it, unless told.
TEST = """
import os
from hypothesis import given, settings, strategies as st

@settings(max_examples=int(os.environ["TRIES"]), deadline=None)
@given(number=st.integers(0, 400))
def test_rare(number):
    assert number != 77
"""

LIVE = """
[environments.live]
kind = "gateway"
url = "http://127.0.0.1:9"
root = "/srv"
redis_url = "env:UNDER_TEST"
"""


class Machine:
    """A checkout's worth of Hypothesis: its own folder, and the suite's plugin for the shared database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        (folder / "test_rare.py").write_text(TEST, encoding="utf-8")

    def run(self, tries: int, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the test on it."""
        plugins = ["-p", "fixtures.options", "-p", "fixtures.examples", "-p", "no:cacheprovider"]
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *plugins, *arguments, "test_rare.py"],
            cwd=self.folder,
            env={"PYTHONPATH": str(CHECKOUT), "TRIES": str(tries), **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


def test_what_one_machine_has_found_another_tries_first(tmp_path: Path, redis_url: str) -> None:
    """A machine that would not find it by itself fails at once where another shares what it has found."""
    finder, other, alone = (Machine(tmp_path / name) for name in ("finder", "other", "alone"))
    shared = ["--examples", "env:SHARED"]
    assert other.run(1, *shared, SHARED=redis_url).returncode == 0
    assert finder.run(4000, *shared, SHARED=redis_url).returncode == 1
    told = other.run(1, *shared, SHARED=redis_url)
    assert told.returncode == 1, told.stdout + told.stderr
    assert "number=77" in told.stdout
    assert alone.run(1).returncode == 0


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        pytest.param("redis://127.0.0.1:6379/0", "--examples is no reference", id="no-reference"),
        pytest.param("env:NOBODY_SET_THIS", "env:NOBODY_SET_THIS is not set", id="not-set"),
        pytest.param("env:NOWHERE", "names no Redis that answers (ConnectionError)", id="no-answer"),
        pytest.param("env:UNDER_TEST", "is the Redis of live, which is under test", id="under-test"),
    ],
)
def test_a_database_that_cannot_be_shared_is_told_in_one_line(tmp_path: Path, reference: str, said: str) -> None:
    """Wrong usage ends with exit code 4 and one line: the Redis under test is never the one that keeps the examples."""
    machine = Machine(tmp_path / "machine")
    (machine.folder / "environments.toml").write_text(LIVE, encoding="utf-8")
    done = machine.run(
        1,
        "--environment",
        "live",
        "--examples",
        reference,
        NOWHERE="redis://127.0.0.1:1/0",
        UNDER_TEST="redis://:secret@localhost/3",
    )
    assert done.returncode == 4, done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    assert said in line
    assert "secret" not in line
