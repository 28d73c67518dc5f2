"""What the shim keeps a program from changing: everything outside of given folders, by whatever way."""

from __future__ import annotations

import ctypes
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.concurrency.php import shim
from validations.watched import tree

pytestmark = pytest.mark.usefixtures("shim_here")

SECONDS = 60.0
CREATE_RULESET, VERSION = 444, 1
PYTHON = f"{shlex.quote(sys.executable)} -I -S -c"

REFUSED = {
    "echo > @OUT/new": "open @OUT/new",
    "echo >> @OUT/file": "open @OUT/file",
    "echo > @IN/link/new": "open @OUT/new",
    "echo > @IN/dangling": "open @OUT/later",
    "echo > @IN/sub/../../out/new": "open @OUT/new",
    "cd @IN/link && echo > new": "open @OUT/new",
    "mkdir @OUT/folder": "mkdir @OUT/folder",
    "rm @OUT/file": "unlink @OUT/file",
    "rmdir @OUT/empty": "rmdir @OUT/empty",
    "mv @OUT/file @IN/file": "rename @OUT/file",
    "mv @IN/mine @OUT/mine": "rename @OUT/mine",
    "ln @OUT/file @IN/hard": "link @OUT/file",
    "ln -s a @OUT/soft": "symlink @OUT/soft",
    "chmod 600 @OUT/file": "chmod @OUT/file",
    "chmod 600 @IN/link/file": "chmod @OUT/file",
    "touch -d @1 @OUT/file": "open @OUT/file",
    "mkfifo @OUT/pipe": "mkfifo @OUT/pipe",
    "chown $(id -u) @OUT/file": "chown @OUT/file",
    f"{PYTHON} \"import os; os.utime('@OUT/file', (1, 1))\"": "utime @OUT/file",
    f"{PYTHON} \"import os; os.fchmod(os.open('@OUT/file', 0), 0)\"": "chmod @OUT/file",
    f"{PYTHON} \"import os; os.truncate('@OUT/file', 0)\"": "truncate @OUT/file",
    f"{PYTHON} \"import tempfile; tempfile.mkstemp(dir='@OUT')\"": "open @OUT/",
    f"{PYTHON} \"import os; os.open('new', 65, dir_fd=os.open('@OUT', 0))\"": "open @OUT/new",
    f"{PYTHON} \"import os; os.setxattr('@OUT/file', 'user.a', b'a')\"": "setxattr @OUT/file",
}
ALLOWED = (
    "echo > @IN/new",
    "echo > @IN/inside/new",
    "mkdir @IN/folder && mv @IN/new @IN/folder/ && rm -r @IN/folder",
    "ln @IN/mine @IN/hard && ln -s @OUT/file @IN/soft && chmod 600 @IN/mine && touch -d @1 @IN/mine",
    "echo > /dev/null",
    "cat @OUT/file",
)


@pytest.fixture(name="places")
def _places(tmp_path: Path) -> dict[str, Path]:
    places = {"IN": tmp_path / "in", "OUT": tmp_path / "out"}
    for folder in (places["IN"] / "sub", places["OUT"] / "empty"):
        folder.mkdir(parents=True)
    (places["IN"] / "mine").write_text("mine")
    (places["OUT"] / "file").write_text("file")
    (places["IN"] / "link").symlink_to(places["OUT"])
    (places["IN"] / "inside").symlink_to(places["IN"] / "sub")
    (places["IN"] / "dangling").symlink_to(places["OUT"] / "later")
    return places


def run(command: str, places: dict[str, Path], **more: str) -> subprocess.CompletedProcess[str]:
    """Run a shell's command that may change what is IN."""
    limits = {
        "LD_PRELOAD": str(shim.library()),
        "VIEWGATE_SHIM_WRITABLE": str(places["IN"]),
        "VIEWGATE_SHIM_REFUSED": str(places["IN"] / "refused"),
    }
    return subprocess.run(
        ["sh", "-c", named(command, places)],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", **limits, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def named(text: str, places: dict[str, Path]) -> str:
    """Put the folders' paths in a text."""
    for name, path in places.items():
        text = text.replace(f"@{name}", str(path))
    return text


def test_what_lies_outside_is_not_changed_and_each_attempt_is_noted(places: dict[str, Path]) -> None:
    """Every way to make, write, move, link or stamp a file outside fails as on a read-only file system."""
    before = tree(places["OUT"])
    for command, noted in REFUSED.items():
        done = run(command, places)
        said = (places["IN"] / "refused").read_text().splitlines()
        (places["IN"] / "refused").unlink()
        assert said, f"{command} was not noted: {done.stderr}"
        assert said[0].startswith(named(noted, places)), f"{command} was noted as {said}"
        assert done.returncode != 0, command
        assert "Read-only file system" in done.stderr, command
    assert tree(places["OUT"]) == before


def test_what_lies_inside_may_be_changed(places: dict[str, Path]) -> None:
    """The same deeds inside, by links that stay there, and devices: nothing is refused."""
    for command in ALLOWED:
        done = run(command, places)
        assert (done.returncode, done.stderr) == (0, ""), command
    assert not (places["IN"] / "refused").exists()


def test_who_asks_is_told_that_nothing_outside_can_be_written(places: dict[str, Path]) -> None:
    """A program that looks before it writes takes its other way, and nothing is noted: nothing was tried."""
    asked = run("test -w @OUT/file; echo $?; test -w @IN/link/file; echo $?; test -w @IN/mine; echo $?", places)
    assert asked.stdout.split() == ["1", "1", "0"], asked.stderr
    assert not (places["IN"] / "refused").exists()


def test_what_does_not_come_through_the_shim_meets_the_kernel_s_limit(places: dict[str, Path]) -> None:
    """A child that has put the library away cannot write outside either, where the kernel has Landlock."""
    if ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION) < 2:
        pytest.skip("this kernel has no Landlock, or its first version")
    before = tree(places["OUT"])
    for command in (
        "echo > @OUT/new",
        "rm @OUT/file",
        "mv @OUT/file @IN/file",
        "mkdir @OUT/folder",
        "ln @OUT/file @IN/hard",
    ):
        done = run(f"env -i sh -c '{command}'", places)
        assert done.returncode != 0, command
        assert not (places["IN"] / "refused").exists(), "it came through the shim"
    assert run("env -i sh -c 'echo > @IN/new && mv @IN/new @IN/sub/new && echo > /dev/null'", places).returncode == 0
    assert tree(places["OUT"]) == before
