"""The console: the brief's names, help for each, and one clear line for what it does not understand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from fixtures.gateway.console.commands import artisan
from fixtures.gateway.release import Release
from validations.stages.gateway.served import Served, serving

# The brief's, which users type; each has to be there under just this name.
BRIEF = (
    "view:health-check",
    "view:cache",
    "view:clear",
    "optimize",
    "optimize:clear",
    "filament:optimize",
    "schedule:list",
    "schedule:run",
    "schedule:work",
    "deploy",
    "rollback",
    "about",
    "list",
    "serve",
)
COMMANDS = sorted(artisan.commands)


def console(release: Release | Path, *arguments: str) -> Result:
    """Run a command in this process, as whoever runs the tests."""
    path = release.root if isinstance(release, Release) else release
    return CliRunner().invoke(artisan, arguments, obj=path, standalone_mode=True)


@pytest.fixture(scope="module", name="released")
def _released() -> Iterator[Served]:
    with serving(66) as served:
        yield served


@pytest.mark.parametrize("name", BRIEF)
def test_the_briefs_commands_are_there(name: str) -> None:
    """Every command of the brief is known by its name, and none is hidden."""
    assert name in artisan.commands
    assert not artisan.commands[name].hidden


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_complete(name: str) -> None:
    """Each command says what it does, and each of its options and arguments what it is for."""
    command = artisan.commands[name]
    done = CliRunner().invoke(artisan, [name, "--help"], obj=Path("/nowhere"))
    assert done.exit_code == 0
    assert (command.help or "").rstrip().endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
            assert parameter.opts[0] in done.output
        else:
            assert (parameter.name or "?").upper() in done.output + (command.help or "")


def test_the_list_is_what_there_is(release: Release) -> None:
    """`list --format=json` names every command with its description and its options."""
    told = json.loads(console(release, "list", "--format=json").output)
    assert [command["name"] for command in told["commands"]] == COMMANDS
    assert all(command["description"] for command in told["commands"])
    (health,) = [command for command in told["commands"] if command["name"] == "view:health-check"]
    assert {"fix", "json"} <= set(health["definition"]["options"])


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in {"list", "new"}])
def test_a_release_that_is_none_is_told_in_one_line(name: str, tmp_path: Path, released: Served) -> None:
    """Asked about a folder that holds no release, each command says so in one line, and does nothing."""
    done = released.run(released.root / "artisan", "--release", tmp_path, name)
    assert done.returncode in {1, 2}
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert str(tmp_path) in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["view:cache", "now"], "now", id="argument-too-many"),
        pytest.param(["view:health-check", "--fixx"], "--fixx", id="misspelled-option"),
        pytest.param(["rollback", "--to", "20200101-000000-0000"], "20200101-000000-0000", id="unknown-release"),
        pytest.param(["rollback", "--to", "../../etc"], "../../etc", id="release-outside"),
        pytest.param(["deploy", "--from", "/nowhere"], "/nowhere", id="unknown-source"),
        pytest.param(["deploy", "--keep", "0"], "0", id="keep-nothing"),
        pytest.param(["serve", "--port", "99999"], "99999", id="no-port"),
        pytest.param(["serve", "--workers", "0"], "0", id="no-worker"),
        pytest.param(["new", "/proc/nowhere/app"], "/proc/nowhere", id="new-where-nothing-can-be"),
    ],
)
def test_bad_input_is_one_clear_line(released: Served, arguments: list[str], said: str) -> None:
    """What is wrong is named in one line, the exit code is not 0, and what serves goes on."""
    before = released.release
    done = released.artisan(*arguments)
    assert done.returncode in {1, 2}
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert released.release == before
    assert released.page().status_code == 200


def test_a_damaged_setting_is_told_by_its_name_and_never_by_a_secret(released: Served) -> None:
    """A value of .env that cannot be is named with what it should be; the token stays untold."""
    file = released.app / "shared" / ".env"
    text = file.read_text()
    token = next(line.partition("=")[2] for line in text.splitlines() if line.startswith("APP_TOKEN="))
    file.write_text(text + "VIEW_LOCK_TTL_SECONDS=soon\n")
    try:
        done = released.artisan("view:cache")
    finally:
        file.write_text(text)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "VIEW_LOCK_TTL_SECONDS" in done.stderr
    assert token not in done.stdout + done.stderr
