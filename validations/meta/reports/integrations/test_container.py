"""The container's steps without a container engine, which is not here: what is copied runs, as the Dockerfile says.

The Dockerfile's own lines are followed: the files that `.dockerignore` lets in, the pinned set without the development
group, and then the entry point, with nothing to be downloaded and a user who may not write to the code.
"""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from fixtures.environments.settings import HOST_FORMS
from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS, Kept
from validations.meta.reports.integrations.test_pipelines import clone

DOCKERFILE = (INTEGRATIONS / "container" / "Dockerfile").read_text(encoding="utf-8")
PACKAGES = {"ssh": "openssh-client", "kubectl": "kubernetes-client", "docker": "docker-cli", "podman": "podman"}
"""Debian's package of each program by which hosts are reached."""


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions, each with the rest of its line."""
    whole = re.sub(r"^#.*\n", "", dockerfile, flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, rest in re.findall(r"^([A-Z]+) (.+)$", whole, flags=re.MULTILINE)]


def steps(rest: str) -> list[list[str]]:
    """Return the commands of a RUN."""
    return [shlex.split(command) for command in rest.split("&&")]


def not_writable(dockerfile: str) -> list[str]:
    """Return the folders that the image's user has to write to and may not.

    WORKDIR makes the folder root's where it is not there, whoever USER is, and COPY --chown leaves it as it is where it
    is: only `install -d -o NAME` and `chown NAME FOLDER`, run by root, hand a folder over.
    """
    names, owners, user, needed = {"0": "root"}, dict[str, str](), "root", list[str]()
    for word, rest in instructions(dockerfile):
        if word == "USER":
            user = names.get(rest, rest)
        elif word == "WORKDIR":
            owners.setdefault(rest, "root")
            needed.append(rest)
        elif word == "VOLUME":
            needed.append(rest)
        for program, *words in steps(rest) if word == "RUN" and user == "root" else []:
            if program == "useradd":
                names[words[words.index("--uid") + 1]] = words[-1]
            elif program == "install" and "-d" in words:
                owners |= dict.fromkeys((one for one in words if one.startswith("/")), words[words.index("-o") + 1])
            elif program == "chown":
                owners |= dict.fromkeys((one for one in words if one.startswith("/")), words[0].partition(":")[0])
    return [folder for folder in needed if owners.get(folder, "root") != user]


def test_the_images_user_may_write_where_it_has_to() -> None:
    """The folder in which `uv sync` makes `.venv`, and the one for reports, are the user's."""
    assert not_writable(DOCKERFILE) == []


@pytest.mark.parametrize(
    ("said", "instead", "folders"),
    [
        pytest.param("viewgate /opt/viewgate /reports", "viewgate /reports", ["/opt/viewgate"], id="left-to-workdir"),
        pytest.param("viewgate /opt/viewgate /reports", "viewgate /opt/viewgate", ["/reports"], id="left-to-volume"),
        pytest.param("USER 10001", "USER 10002", ["/opt/viewgate", "/reports"], id="another-user"),
        pytest.param("FROM", "USER 10001\nFROM", ["/opt/viewgate", "/reports"], id="user-too-early"),
    ],
)
def test_a_folder_that_is_roots_is_found(said: str, instead: str, folders: list[str]) -> None:
    """A folder left to WORKDIR or VOLUME, or given to somebody else, is found."""
    assert said in DOCKERFILE
    assert sorted(not_writable(DOCKERFILE.replace(said, instead))) == folders


def test_the_image_has_the_programs_that_its_first_lines_promise() -> None:
    """For each way to a host that is named, the program's package is installed, before root is given up."""
    head = DOCKERFILE.partition("FROM")[0].partition("Built")[0]
    promised = {PACKAGES[way] for way in HOST_FORMS if way in re.findall(r"\w+", head)}
    before = instructions(DOCKERFILE.partition("\nUSER ")[0])
    commands = [command for word, rest in before if word == "RUN" for command in steps(rest)]
    installed = {word for command in commands if command[:2] == ["apt-get", "install"] for word in command[2:]}
    assert promised
    assert promised <= installed


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
    told = dict(instructions(DOCKERFILE))
    home = tmp_path / "home"
    clone(home)
    for path in sorted(home.rglob("*"), reverse=True):
        if path.is_file() and not lets_in(str(path.relative_to(home))):
            path.unlink()
    install = next(rest for word, rest in instructions(DOCKERFILE) if word == "RUN" and rest.startswith("uv sync"))
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
