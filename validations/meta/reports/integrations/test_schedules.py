"""The gate on a schedule: cron's line and systemd's command as they stand, silent when green and plain when not."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS, Kept

CRON = INTEGRATIONS / "cron" / "viewgate-cron"


def scheduled(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the job as cron does: a bare environment, a shell, no terminal."""
    bare = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "VIEWGATE_REPORTS": str(folder / "reports"),
    }
    return subprocess.run(
        ["/bin/sh", "-c", shlex.join([str(CRON), *arguments])],
        env=bare | more,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


@pytest.mark.profile("ci")
def test_cron_tells_red_from_could_not_run(kept: Kept, tmp_path: Path) -> None:
    """Green prints nothing, red says RED, an unknown environment COULD NOT RUN; reports and history stay."""
    told = ["--environments", str(kept.file)]
    green = scheduled(tmp_path, kept.name, *told)
    assert (green.returncode, green.stdout, green.stderr) == (0, "", "")
    with kept.broken():
        red = scheduled(tmp_path, kept.name, *told)
    assert (red.returncode, red.stdout.splitlines()[0]) == (1, f"viewgate {kept.name}: RED")
    assert "icons" in red.stdout
    history = (tmp_path / "reports" / "history.jsonl").read_text(encoding="utf-8")
    assert history.count("\n") == 2
    assert (tmp_path / "reports" / "metrics.prom").exists()


@pytest.mark.parametrize("alerted", [pytest.param(False, id="mailed"), pytest.param(True, id="alerted")])
def test_cron_says_that_it_could_not_run(tmp_path: Path, alerted: bool) -> None:  # noqa: FBT001 - a parameter
    """What could not run is told by name: printed for cron to mail, or handed to the command that alerts."""
    (tmp_path / "environments.toml").write_text("", encoding="utf-8")
    note = tmp_path / "note"
    alert = tmp_path / "alert"
    alert.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >{shlex.quote(str(note))}\n', encoding="utf-8")
    alert.chmod(0o755)
    more = {"VIEWGATE_ALERT": str(alert)} if alerted else {}
    done = scheduled(tmp_path, "nowhere", "--environments", str(tmp_path / "environments.toml"), **more)
    said = note.read_text(encoding="utf-8") if alerted else done.stdout
    assert done.returncode == 4
    assert said.splitlines()[0] == "viewgate nowhere: COULD NOT RUN (exit code 4)"


def test_cron_runs_one_at_a_time(tmp_path: Path) -> None:
    """While the run before has not ended, another says so and does not begin."""
    (tmp_path / "reports").mkdir()
    with (tmp_path / "reports" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = scheduled(tmp_path, "production")
    assert done.returncode == 75
    assert "the run before has not ended" in done.stdout
    assert not (tmp_path / "reports" / "last.log").exists()


def test_the_crontabs_line_is_the_jobs() -> None:
    """The crontab's command is a file that is there and can be run, with options that it takes."""
    lines = (INTEGRATIONS / "cron" / "viewgate.crontab").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith("*/5 ")]
    program, *arguments = shlex.split(line.split(None, 6)[6])
    here = CHECKOUT / Path(program).relative_to("/opt/viewgate")
    assert os.access(here, os.X_OK)
    assert arguments[:2] == ["production", "--environments"]


@pytest.mark.profile("ci")
def test_systemds_command_runs_the_gate(kept: Kept, tmp_path: Path) -> None:
    """The service's ExecStart, with its instance and state directory filled in, is a whole green run."""
    unit = (INTEGRATIONS / "systemd" / "viewgate@.service").read_text(encoding="utf-8")
    (start,) = [line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart=")]
    command = (
        start.replace("/usr/local/bin/uv", "uv").replace("/var/lib/viewgate/%i", str(tmp_path)).replace("%i", kept.name)
    )
    done = subprocess.run(
        shlex.split(command),
        cwd=CHECKOUT,
        env={**os.environ, "VIEWGATE_ENVIRONMENTS": str(kept.file)},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "history.jsonl").exists()
