"""The container's steps without a container engine, which is not here: what is copied runs, as the Dockerfile says.

The Dockerfile's own lines are followed: the files that `.dockerignore` lets in, the pinned set without the development
group, and then the entry point, with nothing to be downloaded and a user who may not write to the code.
"""

from __future__ import annotations

import fnmatch
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS, Kept
from validations.meta.reports.integrations.test_pipelines import clone


def lets_in(name: str) -> bool:
    """Tell whether .dockerignore lets a file into the image: the last line that matches decides."""
    inside = True
    for line in (CHECKOUT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        pattern, wanted = line.removeprefix("!"), line.startswith("!")
        parts = name.split("/")
        heads = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if any(fnmatch.fnmatch(head, pattern) for head in heads):
            inside = wanted
    return inside


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        pytest.param("conftest.py", True, id="conftest"),
        pytest.param("validations/gate/test_1_middleware.py", True, id="gate"),
        pytest.param("fixtures/gateway/skeleton/resources/views/login.html", True, id="skeleton"),
        pytest.param("environments.toml", False, id="environments"),
        pytest.param(".git/config", False, id="git"),
        pytest.param("reports/runs/x/junit.xml", False, id="runs"),
        pytest.param(".env", False, id="env"),
    ],
)
def test_what_the_image_holds(name: str, inside: bool) -> None:  # noqa: FBT001 - a parameter
    """The suite is in the image; reports, repositories and what may hold secrets are not."""
    assert lets_in(name) is inside


@pytest.mark.profile("ci")
def test_the_image_would_run_the_gate(kept: Kept, tmp_path: Path) -> None:
    """What the Dockerfile copies and installs is enough for a green run with nothing to be downloaded."""
    lines = (INTEGRATIONS / "container" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    told = {line.split()[0]: line.split(None, 1)[1] for line in lines if line and line[0].isupper()}
    home = tmp_path / "home"
    clone(home)
    for path in sorted(home.rglob("*"), reverse=True):
        if path.is_file() and not lets_in(str(path.relative_to(home))):
            path.unlink()
    install = next(line.split(None, 1)[1] for line in lines if line.startswith("RUN uv sync"))
    # Where packages come from is this machine's business; the run itself gets nothing of ours.
    ours = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"}}
    subprocess.run(shlex.split(install.replace("--no-cache", "")), cwd=home, env=ours, timeout=RUN_SECONDS, check=True)
    bare = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    settings = dict(pair.split("=", 1) for pair in told["ENV"].split())
    entry = [word.strip('[], "') for word in told["ENTRYPOINT"].split(", ")]
    done = subprocess.run(
        [*entry, "--environment", kept.name, "--environments", str(kept.file), "--reports", str(tmp_path / "reports")],
        cwd=home,
        env=bare | settings,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "reports" / "junit.xml").exists()
