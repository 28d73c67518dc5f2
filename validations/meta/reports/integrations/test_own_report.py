"""Every adapter accepts the report of the run that it started, and no other: least of all an older green one.

In each, pytest is made to end at once with 0, before any plugin of ours is loaded: nothing but the report that is not
there can tell. The webhook's part of this is in test_webhook.py.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures.options import lack
from reports.integrations.gate import NoReportError, accepted
from reports.records import EVENTS, FILES
from reports.run import load
from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS
from validations.meta.reports.integrations.test_container import DOCKERFILE, instructions
from validations.meta.reports.integrations.test_deployer import FAILED, STAND_IN, Site
from validations.meta.reports.integrations.test_pipelines import bash, loaded
from validations.meta.reports.integrations.test_schedules import scheduled
from validations.meta.reports.integrations.test_webhook import OLDER, log

GREEN = log(0).replace("@RUN@", OLDER)


def older_in(folder: Path) -> Path:
    """Make a folder that holds an older run's green reports."""
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_text("passed", encoding="utf-8")
    (folder / EVENTS).write_text(GREEN, encoding="utf-8")
    assert accepted(folder, OLDER, 0).exit == 0
    return folder


def left_in(folder: Path) -> list[str]:
    """Return the reports in a folder."""
    return [name for name in (*FILES, EVENTS) if (folder / name).exists()]


@pytest.fixture(name="gone")
def _gone(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which pytest ends at once with 0."""
    (tmp_path / "gone.py").write_text("import os\nos._exit(0)\n", encoding="utf-8")
    return {"PYTEST_ADDOPTS": "-p gone", "PYTHONPATH": str(tmp_path)}


def test_github_action(pytestconfig: pytest.Config, gone: dict[str, str], tmp_path: Path) -> None:
    """The action's step fails, says that the gate could not run, and leaves no older report for the next step."""
    reports = older_in(tmp_path / "viewgate-reports")
    action = loaded(pytestconfig, CHECKOUT / ".github" / "actions" / "gate" / "action.yml")
    (step,) = [step["run"] for step in action["runs"]["steps"] if step.get("id") == "gate"]
    output = tmp_path / "output"
    given = {"SUITE": str(CHECKOUT), "ENVIRONMENT": "staged", "ENVIRONMENTS": "", "ARGUMENTS": ""}
    done = bash(step, given | gone | {"REPORTS": str(reports), "GITHUB_OUTPUT": str(output)}, tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert output.read_text(encoding="utf-8").splitlines() == ["verdict=could-not-run", "exit-code=4"]
    assert left_in(reports) == []


def test_gitlab_job(pytestconfig: pytest.Config, gone: dict[str, str], tmp_path: Path) -> None:
    """The job's last line fails, and its artifacts hold no older report."""
    reports = older_in(tmp_path / "viewgate-reports")
    (tmp_path / "viewgate-suite").symlink_to(CHECKOUT)
    job = loaded(pytestconfig, INTEGRATIONS / "gitlab" / "viewgate.gitlab-ci.yml")[".viewgate"]
    given = {"VIEWGATE_ENVIRONMENT": "staged", "CI_PROJECT_DIR": str(tmp_path), "VIEWGATE_ARGUMENTS": ""}
    done = bash(job["script"][-1], given | gone, tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert left_in(reports) == []


def test_the_line_for_elsewhere(gone: dict[str, str], tmp_path: Path) -> None:
    """The README's line rolls back."""
    text = (INTEGRATIONS / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if "./rollback.sh" in line]
    rollback = tmp_path / "rollback.sh"
    rollback.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(tmp_path / 'back'))}\n", encoding="utf-8")
    rollback.chmod(0o755)
    assert bash(line.replace("./rollback.sh", str(rollback)), gone, CHECKOUT).returncode == 4
    assert (tmp_path / "back").exists()


def test_deployer(pytestconfig: pytest.Config, gone: dict[str, str], tmp_path: Path) -> None:
    """Deployer fails, whatever other runs have left where runs leave their reports."""
    if shutil.which("php") is None:
        lack(pytestconfig, "laravel", "there is no php on PATH")
    older_in(tmp_path / "reports" / OLDER)
    done = Site(tmp_path, str(STAND_IN), ("web-1",)).dep("viewgate:gate", **gone)
    assert done.code == FAILED, done.text
    assert "could not run (exit code 4; no report of its own)" in done.text


def test_cron(gone: dict[str, str], tmp_path: Path) -> None:
    """The scheduled job says that the gate could not run, and no older metrics stay to be scraped."""
    reports = older_in(tmp_path / "reports")
    done = scheduled(tmp_path, "staged", **gone)
    assert (done.returncode, done.stdout.splitlines()[0]) == (4, "viewgate staged: COULD NOT RUN (exit code 4)")
    assert left_in(reports) == []


def test_systemd(gone: dict[str, str], tmp_path: Path) -> None:
    """The service's command fails."""
    unit = (INTEGRATIONS / "systemd" / "viewgate@.service").read_text(encoding="utf-8")
    (start,) = [line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart=")]
    reports = older_in(tmp_path / "reports")
    command = start.replace("/usr/local/bin/uv", "uv").replace("/var/lib/viewgate/%i", str(reports))
    assert bash(command.replace("%i", "staged"), gone, CHECKOUT).returncode == 4
    assert left_in(reports) == []


def test_image(gone: dict[str, str], tmp_path: Path) -> None:
    """The image's entry point fails, for whoever runs it: Kubernetes' CronJob, Argo's Job."""
    reports = older_in(tmp_path / "reports")
    told = dict(instructions(DOCKERFILE))
    entry = [word.strip('[], "') for word in f"{told['ENTRYPOINT']}, {told['CMD']}".split(", ")]
    words = [word.replace("/reports", str(reports)) if word.startswith("--reports") else word for word in entry]
    ours = os.environ | gone | {"UV_NO_SYNC": "1"}
    assert subprocess.run(words, cwd=CHECKOUT, env=ours, timeout=RUN_SECONDS, check=False).returncode == 4
    assert left_in(reports) == []


@pytest.mark.parametrize(
    ("run", "code"),
    [
        pytest.param("20261201T000000Z-000000", 0, id="another-run"),
        pytest.param(OLDER, 1, id="another-code"),
        pytest.param(OLDER, None, id="no-code"),
    ],
)
def test_a_report_is_named_by_its_run_and_code(tmp_path: Path, run: str, code: int | None) -> None:
    """A whole green report is none of a run with another id or another end."""
    folder = older_in(tmp_path / "reports")
    assert load(folder).id == OLDER
    with pytest.raises(NoReportError):
        accepted(folder, run, code)
