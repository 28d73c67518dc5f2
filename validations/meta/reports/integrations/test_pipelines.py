"""GitHub's action, GitLab's job and the README's line, run as their runners run them, on a stage that is kept up.

Neither runner is on this machine. What they would run is read from the very files and run here by bash: the steps of
the action and the lines of the job.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from fixtures.options import lack
from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS, Kept

pytestmark = pytest.mark.profile("ci")


def loaded(pytestconfig: pytest.Config, path: Path) -> Any:
    """Read a YAML file with the reader that the linters bring."""
    try:
        import yaml
    except ModuleNotFoundError:
        lack(pytestconfig, "linters", "no reader of YAML is installed")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def bash(script: str, environment: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does."""
    ours = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIEWGATE_", "GITHUB_"))
    }
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        env=ours | environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def verdict_of(junit: Path) -> str:
    """Return what the last testcase of a JUnit file says of the gate."""
    last = ET.parse(junit).getroot().findall(".//testcase")[-1]
    assert last.get("name") == "gate.verdict"
    return "red" if last.find("failure") is not None or last.find("error") is not None else "green"


class GitHub:
    """The composite action's steps in a workspace of their own."""

    def __init__(self, config: pytest.Config, kept: Kept, workspace: Path) -> None:
        self.workspace = workspace
        self._kept = kept
        self._action = loaded(config, CHECKOUT / ".github" / "actions" / "gate" / "action.yml")
        shutil.copy(kept.file, workspace / "environments.toml")

    def run(self, **given: str) -> tuple[int, dict[str, str], str]:
        """Run the action; return its exit code, its outputs, and what it printed."""
        inputs = {name: str(one.get("default", "")) for name, one in self._action["inputs"].items()} | given
        output, summary = self.workspace / "output", self.workspace / "summary"
        output.write_text("", encoding="utf-8")

        def expanded(text: str) -> str:
            contexts = {
                "github.action_path": str(CHECKOUT / ".github/actions/gate"),
                "github.workspace": str(self.workspace),
            }
            contexts |= {f"inputs.{name}": value for name, value in inputs.items()}
            return re.sub(r"\$\{\{ ([\w.]+) \}\}", lambda found: contexts[found[1]], text)

        code, printed = 0, ""
        for step in self._action["runs"]["steps"]:
            assert "${{" not in step["run"], "an expression in a script lets an input be a script"
            environment = {name: expanded(value) for name, value in step.get("env", {}).items()}
            files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
            done = bash(step["run"], environment | files, self.workspace)
            code, printed = done.returncode, printed + done.stdout + done.stderr
            if code:
                break
        return code, dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines()), printed


def test_github_action(pytestconfig: pytest.Config, kept: Kept, tmp_path: Path) -> None:
    """The action's outputs, exit code, summary and JUnit are green for a whole stage and red for a broken one."""
    github = GitHub(pytestconfig, kept, tmp_path)
    code, outputs, printed = github.run(environment=kept.name)
    assert (code, outputs) == (0, {"verdict": "passed", "exit-code": "0"}), printed
    assert "viewgate passed" in (tmp_path / "summary").read_text(encoding="utf-8")
    with kept.broken():
        code, outputs, printed = github.run(environment=kept.name)
    assert (code, outputs) == (1, {"verdict": "failed", "exit-code": "1"})
    assert "::error title=viewgate::the gate failed" in printed
    assert verdict_of(tmp_path / "viewgate-reports" / "junit.xml") == "red"
    history = (tmp_path / "viewgate-reports" / "history.jsonl").read_text(encoding="utf-8")
    assert history.count("\n") == 2


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"environment": "nowhere"}, id="unknown-environment"),
        pytest.param({"environment": "x", "environments": "missing.toml"}, id="missing-file"),
        pytest.param({"arguments": "--wait 1\n--no-such-option\n"}, id="option-on-a-second-line"),
    ],
)
def test_github_action_that_cannot_run(
    pytestconfig: pytest.Config, kept: Kept, tmp_path: Path, given: dict[str, str]
) -> None:
    """A gate that cannot run is told apart from a red one."""
    code, outputs, _ = GitHub(pytestconfig, kept, tmp_path).run(**{"environment": kept.name} | given)
    assert (code, outputs) == (4, {"verdict": "could-not-run", "exit-code": "4"})


def test_an_input_is_never_a_script(pytestconfig: pytest.Config, kept: Kept, tmp_path: Path) -> None:
    """What looks like a command in an input is not run."""
    mark = tmp_path / "mark"
    code, outputs, _ = GitHub(pytestconfig, kept, tmp_path).run(environment=f'x"; touch {mark}; $(touch {mark}) #')
    assert (code, outputs["verdict"]) == (4, "could-not-run")
    assert not mark.exists()


def test_gitlab_job(pytestconfig: pytest.Config, kept: Kept, tmp_path: Path) -> None:
    """The job's lines, on a clone of this very checkout, end as the gate does and leave the declared reports."""
    job = loaded(pytestconfig, INTEGRATIONS / "gitlab" / "viewgate.gitlab-ci.yml")[".viewgate"]
    source = tmp_path / "suite.git"
    clone(source)
    declared = {name: str(value) for name, value in job["variables"].items()}

    def run(project: Path) -> subprocess.CompletedProcess[str]:
        project.mkdir()
        shutil.copy(kept.file, project / "environments.toml")
        environment = declared | {
            "VIEWGATE_REPOSITORY": source.as_uri(),
            "VIEWGATE_REF": "suite",
            "VIEWGATE_ENVIRONMENT": kept.name,
            "CI_PROJECT_DIR": str(project),
            "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv"),
        }
        return bash("\n".join(job["script"]), environment, project)

    green = run(tmp_path / "green")
    assert green.returncode == 0, green.stdout + green.stderr
    reports = job["artifacts"]["reports"]
    assert verdict_of(tmp_path / "green" / reports["junit"]) == "green"
    assert "viewgate_gate_passed" in (tmp_path / "green" / reports["metrics"]).read_text(encoding="utf-8")
    assert (tmp_path / "green" / job["cache"]["paths"][0]).exists()
    with kept.broken():
        red = run(tmp_path / "red")
    assert red.returncode == 1, red.stdout + red.stderr
    assert verdict_of(tmp_path / "red" / reports["junit"]) == "red"


def test_gitlab_stops_where_the_gate_is_not_green(pytestconfig: pytest.Config) -> None:
    """The job may not fail unnoticed, and it is in a stage that others can come after."""
    job = loaded(pytestconfig, INTEGRATIONS / "gitlab" / "viewgate.gitlab-ci.yml")[".viewgate"]
    assert not job.keys() & {"allow_failure", "when", "rules"}
    assert job["stage"] not in {".pre", ".post"}


@pytest.mark.parametrize(
    "code", [pytest.param(0, id="green"), pytest.param(1, id="red"), pytest.param(6, id="unknown")]
)
def test_the_line_for_elsewhere_keeps_the_exit_code(tmp_path: Path, code: int) -> None:
    """The README's line for any other tool rolls back unless green, and a rollback that works hides no exit code."""
    text = (INTEGRATIONS / "README.md").read_text(encoding="utf-8")
    (line,) = [line for line in text.splitlines() if line.startswith("uv run python -m reports.integrations.gate")]
    for name, body in {"uv": f"exit {code}", "rollback.sh": "touch back"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    done = bash(line, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}, tmp_path)
    assert done.returncode == code
    assert (tmp_path / "back").exists() is (code != 0)


def clone(target: Path) -> None:
    """Make a repository of what is tracked here as it is now, with a branch `suite`."""
    target.mkdir()
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        timeout=RUN_SECONDS,
        check=True,
    ).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (CHECKOUT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, target / name)
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "suite", "."], ["add", "-A"], [*who, "commit", "-q", "-m", "the suite"]):
        subprocess.run(["git", *words], cwd=target, timeout=RUN_SECONDS, check=True)
