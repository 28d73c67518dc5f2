"""The copy that is explored in an application's place: what is in it, what is not, and that it goes again."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.php import copies
from fixtures.concurrency.php.copies import BOUNDED_BYTES, CannotCopy, Copy, copy_of
from fixtures.options import lack
from fixtures.processes import wait_until
from validations.as_account import OTHER, as_account

CHECKOUT = Path(__file__).resolve().parents[3]
SECONDS = 60.0

CODE = {
    "bootstrap/app.php": "<?php",
    "vendor/autoload.php": "<?php",
    "resources/views/page.blade.php": "page",
    "config/app.php": "<?php",
}


def lay_out(tree: Path, files: dict[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="utf-8")
    return tree


@pytest.fixture(name="temporary", autouse=True)
def _temporary(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = open_folder / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(name="tree")
def _tree(open_folder: Path) -> Path:
    return lay_out(open_folder / "srv/app", CODE)


def contents(copy: Copy) -> dict[str, str]:
    """Return what lies in a copy by its original path: a file's text, where a link leads, nothing for a directory."""
    found = {}
    for folder, folders, files in os.walk(copy.sandbox):
        for path in (Path(folder, name) for name in (*folders, *files)):
            leads = os.path.realpath(path)
            assert leads == "/dev/null" or Path(leads).is_relative_to(copy.sandbox), f"{path} leads out of the copy"
            text = path.read_text(encoding="utf-8") if path.is_file() and leads != "/dev/null" else ""
            found[copy.shown(str(path))] = f"-> {copy.shown(leads)}" if path.is_symlink() else text
    return found


def test_links_lead_to_the_same_places_and_never_out_of_the_copy(tree: Path, open_folder: Path) -> None:
    """Links of every kind, shared storage and a linked vendor among them, are followed; circles and ends are not."""
    elsewhere = lay_out(
        open_folder / "srv",
        {"shared/storage/app/kept.txt": "kept", "shared/.env": "A=1", "lib/acme/a.php": "acme", "beside/b": "beside"},
    )
    lay_out(tree, {"node_modules/icons/one.svg": "icon", "node_modules/other/two.js": "other", "app/a.php": "a"})
    links = {
        "relative": ("config", f"{tree}/config"),
        "absolute": (f"{tree}/config", f"{tree}/config"),
        "app/itself": (str(tree), str(tree)),
        "storage": ("../shared/storage", f"{elsewhere}/shared/storage"),
        ".env": (f"{elsewhere}/shared/.env", f"{elsewhere}/shared/.env"),
        "vendor/acme": (f"{elsewhere}/chain", f"{elsewhere}/lib/acme"),
        "icons": ("node_modules/icons", f"{tree}/node_modules/icons"),
        "parent": ("..", str(elsewhere)),
        "everything": ("/", ""),
        "nothing": ("/dev/null", "/dev/null"),
        "dangling": ("absent", None),
        "dangling-outside": (f"{elsewhere}/absent/file", None),
        "circle": ("circle", None),
        "temporary": (tempfile.gettempdir(), tempfile.gettempdir()),
    }
    (elsewhere / "chain").symlink_to(elsewhere / "lib/acme")
    (elsewhere / "lib/acme/back").symlink_to(tree / "app")
    for name, (target, _) in links.items():
        (tree / name).symlink_to(target)
    (open_folder / "current").symlink_to(tree)

    with copy_of(open_folder / "current") as copy:
        found = contents(copy)
        sandbox = str(copy.sandbox)
        leads = {name: os.path.realpath(copy.root / name) for name in links if (copy.root / name).is_symlink()}
        assert leads == {
            name: to if name == "nothing" else f"{sandbox}{to}" for name, (_, to) in links.items() if to is not None
        }
        assert copy.root == Path(f"{sandbox}{tree}")
        assert (copy.root / "storage/app/kept.txt").read_text() == "kept"
        assert (copy.root / "vendor/acme/back/a.php").read_text() == "a"
    assert found[f"{elsewhere}/lib/acme/a.php"] == "acme"
    assert found[f"{tree}/node_modules/icons/one.svg"] == "icon"
    assert not found.keys() & {f"{elsewhere}/beside", f"{tree}/node_modules/other", f"{elsewhere}/chain"}


def test_what_no_page_is_rendered_from_is_left_out(tree: Path) -> None:
    """History, node_modules, logs, sessions, what is big, sockets and pipes stay away; storage has its directories."""
    big = "x" * (BOUNDED_BYTES + 1)
    lay_out(
        tree,
        {
            ".git/config": "",
            "vendor/acme/node_modules/a.js": "",
            "storage/logs/laravel.log": "",
            "storage/framework/sessions/abc": "",
            "storage/framework/views/1.php": "",
            "storage/app/upload.bin": big,
            "storage/app/settings.json": "{}",
            "public/video.mp4": big,
            "public/build/manifest.json": "{}",
            "app/big.php": big,
        },
    )
    os.mkfifo(tree / "app/pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tree / "app/socket"))
    with copy_of(tree) as copy:
        found = {Path(path).relative_to(tree).as_posix() for path, text in contents(copy).items() if text}
        assert found == {*CODE, "storage/app/settings.json", "public/build/manifest.json", "app/big.php"}
        assert (copy.root / "storage/framework/sessions").is_dir()
        assert not (copy.root / ".git").exists()


def test_a_file_keeps_its_time_and_mode_and_is_another_file(tree: Path) -> None:
    """What is written to the copy in place, or to its mode, does not reach the original."""
    view = tree / "resources/views/page.blade.php"
    view.chmod(0o444)
    os.utime(view, ns=(1, 1_600_000_000_123_456_789))
    before = view.lstat()
    with copy_of(tree) as copy:
        copied = copy.root / "resources/views/page.blade.php"
        about = copied.lstat()
        assert (about.st_mtime_ns, stat.S_IMODE(about.st_mode)) == (before.st_mtime_ns, 0o644)
        assert (about.st_dev, about.st_ino) != (before.st_dev, before.st_ino)
        assert stat.S_IMODE(copy.sandbox.stat().st_mode) == 0o700
        with copied.open("r+") as file:
            file.write("else")
    assert (view.read_text(), view.lstat().st_mtime_ns, view.lstat().st_mode) == (
        "page",
        before.st_mtime_ns,
        before.st_mode,
    )


def test_caches_and_settings_do_not_name_the_original(tree: Path, open_folder: Path) -> None:
    """A cache with the original's path, by whatever name, is left out; a path in .env is the copy's; all else stays."""
    by_link, alias = open_folder / "current", open_folder / "alias"
    by_link.symlink_to(tree)
    alias.symlink_to(open_folder / "srv")
    lay_out(
        tree,
        {
            "bootstrap/cache/config.php": f"<?php return ['path' => '{tree}/storage'];",
            "bootstrap/cache/routes-v7.php": f"<?php return ['path' => '{by_link}/storage'];",
            "bootstrap/cache/filament/panels/admin.php": f'{{"path": "{str(tree).replace("/", chr(92) + "/")}"}}',
            "bootstrap/cache/by-another-name.php": f"<?php return unserialize('s:20:\"file://{alias}/app/storage\";');",
            "bootstrap/cache/services.php": "<?php return ['providers' => []];",
            "storage/app/cache.php": f"<?php return '{tree}';",
            "storage/app/data.json": str(tree),
            ".env": f'DB_DATABASE="{by_link}/database/a.sqlite"\nLOG={tree}/storage/a.log\nURL=https://a{tree}/config\n'
            f"ALIAS='{alias}/app/config'\n"
            f"PREFIX={tree}/no/such\nBESIDE={tree}-old/config\n",
            "database/a.sqlite": "",
        },
    )
    with copy_of(by_link) as copy:
        kept = {path.relative_to(copy.root).as_posix() for path in copy.root.rglob("*") if path.is_file()}
        assert kept == {*CODE, "bootstrap/cache/services.php", "storage/app/data.json", ".env", "database/a.sqlite"}
        assert (copy.root / ".env").read_text().splitlines() == [
            f'DB_DATABASE="{copy.root}/database/a.sqlite"',
            f"LOG={copy.root}/storage/a.log",
            f"URL=https://a{tree}/config",
            f"ALIAS='{copy.root}/config'",
            f"PREFIX={tree}/no/such",
            f"BESIDE={tree}-old/config",
        ]


def test_a_tree_deeper_than_a_path_may_be_long_is_copied_as_far_as_php_sees(tree: Path) -> None:
    """Directories beyond PATH_MAX, which no path names, are left out, and all above is there."""
    name = "d" * 200
    here = os.open(tree, os.O_RDONLY)
    depth = 0
    while depth < 25:  # 25 times 201 bytes are more than 4096
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here, depth = below, depth + 1
    os.close(here)
    with copy_of(tree) as copy:
        path, seen = copy.root, 0
        while len(os.fsencode(path)) < 4096 - 201 and (path := path / name).is_dir():
            seen += 1
        assert seen >= (4095 - len(os.fsencode(copy.root))) // 201
        assert (copy.root / "vendor/autoload.php").is_file()
    assert list(copy.sandbox.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("closed", "refused"),
    [
        pytest.param(".", True, id="the-tree"),
        pytest.param("vendor", True, id="a-folder-of-code"),
        pytest.param("config/app.php", True, id="a-file-of-code"),
        pytest.param(".env", True, id="the-settings"),
        pytest.param("storage", False, id="storage"),
        pytest.param("public/private", False, id="a-folder-of-public"),
        pytest.param(".ssh", False, id="a-hidden-folder"),
        pytest.param("dump.sql", False, id="a-file-that-is-no-code"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line_where_it_matters(
    closed: str, tree: Path, temporary: Path, *, refused: bool
) -> None:
    """Code and settings that the user may not read end it with their name; what PHP does not load is left out."""
    lay_out(tree, {".env": "", "storage/a": "", "public/private/a": "", ".ssh/a": "", "dump.sql": ""})
    if os.geteuid() == 0:
        for path in (tree, *tree.rglob("*")):
            os.chown(path, OTHER.pw_uid, OTHER.pw_gid)
    mode = (tree / closed).stat().st_mode
    (tree / closed).chmod(0)
    try:
        if refused:
            with pytest.raises(CannotCopy) as raised:
                as_account(OTHER, names_in, tree)
            assert str(tree / closed) in str(raised.value)
            assert OTHER.pw_name in str(raised.value)
            assert "\n" not in str(raised.value)
        else:
            found = as_account(OTHER, names_in, tree)
            assert {*CODE, ".env"} <= found
            assert not any(name == closed or name.startswith(f"{closed}/a") for name in found)
    finally:
        (tree / closed).chmod(mode)
    assert list(temporary.iterdir()) == []


def names_in(tree: Path) -> set[str]:
    """Copy a tree, and return the names of its files."""
    with copy_of(tree) as copy:
        return {path.relative_to(copy.root).as_posix() for path in copy.root.rglob("*") if path.is_file()}


@pytest.fixture(name="small")
def _small(pytestconfig: pytest.Config, temporary: Path) -> Iterator[Path]:
    """Lay a file system of 1 MB over the temporary folder."""
    if os.geteuid() != 0:
        lack(pytestconfig, "root", "only root can mount")
    mounted = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=100", "none", str(temporary)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode != 0:
        lack(pytestconfig, "mount", "nothing can be mounted here")
    yield temporary
    subprocess.run(["umount", "-l", str(temporary)], check=True)


@pytest.mark.parametrize(
    ("files", "meanwhile"),
    [
        pytest.param({"app/big.php": "x" * 2_000_000}, False, id="too-many-bytes"),
        pytest.param({f"app/{number}.php": "" for number in range(120)}, False, id="too-many-files"),
        pytest.param({"app/big.php": "x" * 2_000_000}, True, id="filled-meanwhile"),
    ],
)
def test_a_file_system_without_room_is_said_in_one_line(
    files: dict[str, str], tree: Path, small: Path, monkeypatch: pytest.MonkeyPatch, *, meanwhile: bool
) -> None:
    """What the copy takes, and how much there is room for; what was copied until then is gone."""
    lay_out(tree, files)
    if meanwhile:
        monkeypatch.setattr(copies, "_check_room", lambda *_: None)
    with pytest.raises(CannotCopy, match=r"room") as raised, copy_of(tree):
        pass
    assert str(small) in str(raised.value)
    assert "TMPDIR" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list(small.iterdir()) == []


@pytest.mark.parametrize("within", [pytest.param(".", id="in-the-tree"), pytest.param("storage", id="in-its-storage")])
def test_a_temporary_folder_in_the_application_is_refused(
    within: str, tree: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy would change what it is a copy of: one line says so, and nothing was written."""
    (open_folder / "shared").mkdir()
    (tree / "storage").symlink_to(open_folder / "shared")
    (tree / within / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str((tree / within / "tmp").resolve()))
    with pytest.raises(CannotCopy, match="TMPDIR"), copy_of(tree):
        pass
    assert list((tree / within / "tmp").iterdir()) == []


def test_a_folder_that_is_not_there_is_said_in_one_line(tree: Path) -> None:
    """A path that is no directory ends with its name and the reason."""
    for path in (tree / "absent", tree / "config/app.php"):
        with pytest.raises(CannotCopy, match=re.escape(str(path))), copy_of(path):
            pass


HOLDING = """
import signal, sys
from pathlib import Path
from fixtures.concurrency.php.copies import copy_of
with copy_of(Path(sys.argv[1])) as copy:
    print(copy.root, flush=True)
    signal.pause()
"""


@pytest.mark.parametrize(
    "number", [pytest.param(each, id=each.name.lower()) for each in (signal.SIGTERM, signal.SIGKILL)]
)
def test_the_copy_goes_with_its_process(number: signal.Signals, tree: Path, temporary: Path) -> None:
    """A process that a signal ends, and that cannot clear up, leaves no copy either."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tree)],
        cwd=CHECKOUT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        root = Path(process.stdout.readline().strip())
        assert (root / "vendor/autoload.php").is_file()
        process.send_signal(number)
        assert process.wait(SECONDS) == -number
    finally:
        process.kill()
        process.communicate()
    wait_until(lambda: not list(temporary.iterdir()), awaited="the end of the copy", seconds=SECONDS)


def test_the_copy_goes_with_an_error(tree: Path, temporary: Path) -> None:
    """What is raised while it is explored comes through, and the copy is gone."""
    with pytest.raises(OSError, match="explored"):
        break_off(tree, temporary)
    assert list(temporary.iterdir()) == []


def break_off(tree: Path, temporary: Path) -> None:
    """Raise an error beside a copy."""
    with copy_of(tree) as copy:
        assert list(temporary.iterdir()) == [copy.sandbox]
        raise OSError(errno.EIO, "explored")
