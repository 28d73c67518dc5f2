"""The gateway probe sees what is there: on real trees, mounts, users, logs and processes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from fixtures.environments import redis_server
from fixtures.environments.stage import runtime_user
from fixtures.environments.transports import carry
from fixtures.observation import gateway_probe
from fixtures.observation.cancellation import Cancellation
from fixtures.observation.facts import HostFacts, parse
from fixtures.observation.gateway_probe import (
    CannotLook,
    Probe,
    RunLater,
    an_hour_before,
    as_user,
    cache_file,
    caches,
    commands,
    compiled_views,
    directory,
    find_json,
    health_of,
    json_of,
    lock_server,
    owner_of,
    view_state,
    write_once,
)
from fixtures.processes import end, wait_until

# A worker of pytest-xdist has threads when the probe forks; the child only looks, and ends.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="not applicable: only root may change users, owners and mounts")
USER = runtime_user()
ACCOUNT = pwd.getpwnam(USER)
Mount = Callable[..., Path]


def look(path: Path, *, write: bool = False) -> dict[str, Any]:
    """Look at a directory as the runtime user."""
    seen = as_user(USER, lambda: directory("role", str(path), by_application=True, write=write))
    assert isinstance(seen, dict)
    return seen


def give(path: Path) -> Path:
    """Give a path to the runtime user."""
    if ROOT:
        os.chown(path, ACCOUNT.pw_uid, ACCOUNT.pw_gid, follow_symlinks=False)
    return path


@pytest.fixture(name="room")
def _room(open_folder: Path) -> Path:
    """An empty directory of the runtime user's, as it should be."""
    room = open_folder / "room"
    room.mkdir(mode=0o755)
    return give(room)


@pytest.fixture(name="mount")
def _mount(open_folder: Path) -> Iterator[Mount]:
    """Mount something in the open folder; all of it is unmounted before that goes."""
    mounted: list[Path] = []

    def mount(*words: str | Path, at: Path) -> Path:
        assert at.is_relative_to(open_folder)
        at.mkdir(exist_ok=True)
        done = subprocess.run(["mount", *words, at], capture_output=True, text=True, check=False, timeout=30)
        if done.returncode != 0:
            pytest.skip(f"not applicable: this system does not let root mount: {done.stderr.strip()}")
        if at not in mounted:
            mounted.append(at)
        return at

    yield mount
    for at in reversed(mounted):
        subprocess.run(["umount", at], check=True, timeout=30)


# --- a directory


def test_a_directory_as_it_should_be(room: Path) -> None:
    """A directory of the runtime user's is writable, and what was written to find out is gone again."""
    seen = look(room, write=True)
    assert seen["kind"] == "directory"
    assert (seen["owner"], seen["mode"], seen["looked_as"]) == (USER, 0o755, USER)
    assert seen["writable"] is True
    assert seen["write_error"] == ""
    assert (seen["unwritable_entries"], seen["world_writable_entries"]) == ([], [])
    assert seen["read_only_mount"] is False
    assert seen["free_bytes"] > 0
    assert seen["free_inodes"] > 0
    assert list(room.iterdir()) == []


def test_nothing_is_written_unasked(room: Path) -> None:
    """Without leave to write, nothing is written, and no result of writing is made up."""
    before = room.stat().st_mtime_ns
    assert look(room)["write_error"] is None
    assert room.stat().st_mtime_ns == before


def test_what_is_no_directory_is_named(room: Path) -> None:
    """A missing path, a file, a dangling link and a pipe are told apart, and none is a directory."""
    (room / "file").write_text("x", encoding="utf-8")
    (room / "dangling").symlink_to("nowhere")
    os.mkfifo(room / "pipe")
    kinds = {name: look(room / name)["kind"] for name in ("missing", "file", "dangling", "pipe")}
    assert kinds == {"missing": "missing", "file": "file", "dangling": "dangling-link", "pipe": "other"}


def test_a_link_to_a_directory_is_followed(room: Path) -> None:
    """A directory behind a link is a directory, with its real path."""
    target = room / "target"
    target.mkdir()
    give(target)
    (room / "link").symlink_to("target")
    seen = look(room / "link", write=True)
    assert (seen["kind"], seen["real_path"], seen["write_error"]) == ("directory", str(target), "")


def test_a_closed_directory_is_not_writable(room: Path) -> None:
    """Mode 000 keeps its own owner out, and writing says so."""
    room.chmod(0o000)
    seen = look(room, write=True)
    room.chmod(0o755)
    assert seen["kind"] == "directory"
    assert seen["writable"] is False
    assert seen["write_error"] == "Permission denied"
    assert seen["unwritable_entries"] == ["."]


@as_root
def test_roots_directory_is_not_writable(open_folder: Path) -> None:
    """A directory that root owns is not writable for the runtime user, though root could write anywhere."""
    seen = look(open_folder, write=True)
    assert (seen["owner"], seen["writable"], seen["write_error"]) == ("root", False, "Permission denied")


@as_root
def test_a_directory_behind_a_closed_one_is_out_of_reach(open_folder: Path) -> None:
    """What the runtime user cannot even reach is not missing: it is out of reach."""
    closed = open_folder / "closed"
    (closed / "room").mkdir(parents=True)
    closed.chmod(0o700)
    assert look(closed / "room")["kind"] == "unreachable"


def test_a_directory_anyone_can_write_is_seen(room: Path) -> None:
    """World-writable modes are told of the directory itself and of whatever lies in it, but not of links."""
    (room / "views").mkdir()
    give(room / "views")
    (room / "views" / "a.view").write_text("x", encoding="utf-8")
    give(room / "views" / "a.view").chmod(0o666)
    (room / "link").symlink_to("views")
    assert look(room)["world_writable_entries"] == ["views/a.view"]
    room.chmod(0o777)
    assert look(room)["world_writable_entries"] == [".", "views/a.view"]


@as_root
def test_what_another_user_left_below_is_seen(room: Path) -> None:
    """A directory that cannot be written, and a file that cannot be read, are told; a file that can be read is not."""
    (room / "generation").mkdir(mode=0o755)
    (room / "secret.view").write_text("x", encoding="utf-8")
    (room / "secret.view").chmod(0o600)
    (room / "open.view").write_text("x", encoding="utf-8")
    (room / "open.view").chmod(0o644)
    (room / "closed").mkdir(mode=0o700)
    (room / "closed" / "deep").mkdir()
    assert look(room)["unwritable_entries"] == ["closed", "generation", "secret.view"]


@as_root
def test_a_long_list_of_defects_is_cut(room: Path) -> None:
    """A thousand defects are told by the first twenty."""
    for number in range(30):
        (room / f"d{number:02}").mkdir()
    assert look(room)["unwritable_entries"] == [f"d{number:02}" for number in range(20)]


@as_root
def test_a_read_only_mount_is_seen(room: Path, open_folder: Path, mount: Mount) -> None:
    """A read-only bind mount is told as one, though owner and mode are right."""
    at = mount("--bind", room, at=open_folder / "bound")
    mount("-o", "remount,bind,ro", at=at)
    seen = look(at, write=True)
    assert (seen["owner"], seen["mode"]) == (USER, 0o755)
    assert seen["read_only_mount"] is True
    assert seen["writable"] is False
    assert seen["write_error"] == "Read-only file system"


@as_root
def test_a_read_only_mount_below_is_seen(room: Path, open_folder: Path, mount: Mount) -> None:
    """A read-only mount inside of a writable directory cannot be written, and is named."""
    (open_folder / "source").mkdir()
    give(open_folder / "source")
    at = mount("--bind", open_folder / "source", at=room / "generations")
    mount("-o", "remount,bind,ro", at=at)
    seen = look(room, write=True)
    assert (seen["writable"], seen["read_only_mount"]) == (True, False)
    assert seen["unwritable_entries"] == ["generations"]


@as_root
def test_a_full_disk_is_seen(open_folder: Path, mount: Mount) -> None:
    """On a disk without room, nothing is free and writing fails, though all permissions allow it."""
    at = give(mount("-t", "tmpfs", "-o", "size=256k", "tmpfs", at=open_folder / "disk"))
    with pytest.raises(OSError, match="No space left"):
        (at / "filler").write_bytes(b"\0" * (512 << 10))
    seen = look(at, write=True)
    assert seen["writable"] is True
    assert seen["free_bytes"] < 65536
    assert seen["write_error"] == "No space left on device"
    assert [path.name for path in at.iterdir()] == ["filler"]


@as_root
def test_a_disk_without_names_is_seen(open_folder: Path, mount: Mount) -> None:
    """A disk with room and no inodes left takes no file."""
    at = give(mount("-t", "tmpfs", "-o", "size=1m,nr_inodes=3", "tmpfs", at=open_folder / "disk"))
    for number in range(2):
        (at / f"file{number}").touch()
    seen = look(at, write=True)
    assert seen["free_bytes"] > 65536
    assert seen["free_inodes"] == 0
    assert seen["write_error"] == "No space left on device"


def test_writing_where_nothing_can_be_written_says_why(tmp_path: Path) -> None:
    """The system's own words are the answer, and nothing is left behind."""
    assert write_once(str(tmp_path / "missing")) == "No such file or directory"
    assert write_once(str(tmp_path)) == ""
    assert list(tmp_path.iterdir()) == []


# --- looking as somebody


@as_root
def test_looking_as_a_user_has_no_rights_of_roots_left() -> None:
    """The look is made with the user's ids and groups alone, and there is no way back."""

    def ids() -> list[list[int]]:
        return [list(os.getresuid()), list(os.getresgid()), sorted(os.getgroups())]

    groups = sorted(os.getgrouplist(USER, ACCOUNT.pw_gid))
    assert as_user(USER, ids) == [[ACCOUNT.pw_uid] * 3, [ACCOUNT.pw_gid] * 3, groups]
    with pytest.raises(CannotLook, match="Operation not permitted"):
        as_user(USER, lambda: os.setuid(0))
    assert os.geteuid() == 0


@as_root
def test_root_cannot_answer_for_the_runtime_user(open_folder: Path) -> None:
    """A file that root alone may read is not readable in the look."""
    secret = open_folder / "secret"
    secret.write_text("x", encoding="utf-8")
    secret.chmod(0o600)
    with pytest.raises(CannotLook, match="Permission denied"):
        as_user(USER, secret.read_text)


@as_root
def test_a_user_may_not_look_as_another() -> None:
    """Who is not root looks as himself, or says how the gate has to be run."""
    with pytest.raises(CannotLook, match=f"{USER} may not look as root: run the gate as root or as root"):
        as_user(USER, lambda: as_user("root", os.getuid))


@pytest.mark.parametrize(
    ("user", "said"),
    [
        pytest.param(None, "the runtime user is not known: name it as runtime_user", id="unknown"),
        pytest.param("no-such-user", "there is no user 'no-such-user' on this host", id="no-such-user"),
    ],
)
def test_nobody_is_taken_for_a_user_that_is_not_there(user: str | None, said: str) -> None:
    """Without a user nothing is looked at, and least of all as root."""
    with pytest.raises(CannotLook, match=said):
        as_user(user, os.getuid)


def _break() -> None:
    raise ValueError("a defect of the probe")


@pytest.mark.parametrize(
    "observe",
    [
        pytest.param(_break, id="raises"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), id="killed"),
        pytest.param(object, id="no-json"),
    ],
)
def test_a_look_that_breaks_off_is_no_observation(
    observe: Callable[[], object], capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever ends the look early leaves nothing that could pass for an answer."""
    with pytest.raises(CannotLook, match="broke off"):
        as_user(USER, observe)
    capfd.readouterr()


def test_a_look_that_hangs_is_ended(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe nobody writes to, in a file's place, holds the look up only until its deadline."""
    monkeypatch.setattr(gateway_probe, "FILES_SECONDS", 1)
    os.mkfifo(open_folder / "a.view", mode=0o644)
    with pytest.raises(CannotLook, match="took more than 1 s"):
        as_user(USER, lambda: view_state(open_folder / "a.view"))


# --- a compiled view


def view(body: bytes = b'{"name": "a.html"}\ncode') -> bytes:
    """Return a compiled view in the format that the gateway documents."""
    return b"viewgate-view 1 %s %d\n" % (hashlib.blake2b(body, digest_size=16).hexdigest().encode(), len(body)) + body


def state_of(path: Path, data: bytes) -> str:
    """Write a file and return its state."""
    path.write_bytes(data)
    return view_state(path)


def test_a_whole_view_is_intact(tmp_path: Path) -> None:
    """A file whose length and digest agree is intact, also through a link."""
    assert state_of(tmp_path / "a.view", view()) == "intact"
    (tmp_path / "link").symlink_to("a.view")
    assert view_state(tmp_path / "link") == "intact"


def test_a_view_cut_anywhere_is_not_intact(tmp_path: Path) -> None:
    """Cut at every single byte, a view is empty, foreign or truncated."""
    whole = view()
    head = whole.index(b"\n") + 1
    for length in range(len(whole)):
        state = state_of(tmp_path / "a.view", whole[:length])
        if length == 0:
            assert state == "empty"
        elif length < head:
            assert state == "foreign"
        else:
            assert state == f"truncated: {length - head} of {len(whole) - head} bytes"


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF], ids=["low-bit", "case-bit", "high-bit", "all-bits"])
def test_a_view_with_one_wrong_byte_is_not_intact(tmp_path: Path, flip: int) -> None:
    """A change of any single byte, in the header or behind it, is seen."""
    whole = view()
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
        assert state_of(tmp_path / "a.view", changed) != "intact"


def test_damaged_views_are_told_apart(tmp_path: Path, open_folder: Path) -> None:
    """Missing, unreadable, foreign, corrupt and over-long files each have a name."""
    assert view_state(tmp_path / "missing") == "missing"
    (tmp_path / "dangling").symlink_to("nowhere")
    assert view_state(tmp_path / "dangling") == "missing"
    assert view_state(tmp_path) == "unreadable: Is a directory"
    assert state_of(tmp_path / "a.view", b"<?php echo 1;") == "foreign"
    assert state_of(tmp_path / "a.view", view()[:-1] + b"X") == "corrupt"
    assert state_of(tmp_path / "a.view", view() + b"X").startswith("truncated: ")
    closed = open_folder / "closed.view"
    closed.write_bytes(view())
    closed.chmod(0o000)
    assert as_user(USER, lambda: view_state(closed)) == "unreadable: Permission denied"


# --- the compiled views of a release


class Release:
    """A release with three templates and a generation that serves them."""

    NAMES = ("a.html", "calls/b.html", "c.html")

    def __init__(self, root: Path) -> None:
        self.root = root
        self.views = root / "storage/framework/views"
        self.generation = self.views / "generations/g1"
        self.generation.mkdir(parents=True)
        (self.views / "current").symlink_to("generations/g1")
        self.manifest: dict[str, Any] = {"views": {}}
        for name in self.NAMES:
            source = self.source(name)
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(name, encoding="utf-8")
            digest = hashlib.sha256(name.encode()).hexdigest()
            self.manifest["views"][name] = {"key": digest[:8], "source_sha256": digest}
            self.compiled(name).write_bytes(view(self.body(name)))
        self.write_manifest()

    @staticmethod
    def body(name: str) -> bytes:
        """Return what a compiled view says it was made of, and its code."""
        return (
            json.dumps({"name": name, "source_sha256": hashlib.sha256(name.encode()).hexdigest()}).encode() + b"\ncode"
        )

    def source(self, name: str) -> Path:
        """Return where a template's source lies."""
        return self.root / "resources/views" / name

    def compiled(self, name: str) -> Path:
        """Return where a template's compiled view lies."""
        return self.generation / f"{self.manifest['views'][name]['key']}.view"

    def write_manifest(self) -> None:
        """Write the manifest as it stands."""
        (self.generation / "manifest.json").write_text(json.dumps(self.manifest), encoding="utf-8")

    def seen(self) -> dict[str, Any]:
        """Look at it."""
        return compiled_views(str(self.root), str(self.views))


@pytest.fixture(name="release")
def _release(tmp_path: Path) -> Release:
    return Release(tmp_path)


def test_every_view_of_a_warm_release_is_intact(release: Release) -> None:
    """Each source is found compiled in the generation being served, with its size counted."""
    seen = release.seen()
    assert (seen["sources"], seen["intact"], seen["missing"], seen["damaged"]) == (3, 3, [], [])
    assert seen["bytes"] == sum(len(view(release.body(name))) for name in release.NAMES)


def test_a_compiled_view_of_another_template_is_damaged(release: Release) -> None:
    """Two whole compiled views in each other's place are both named: the digest of each is its own and right."""
    one, other = release.compiled("a.html"), release.compiled("c.html")
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    seen = release.seen()
    assert seen["intact"] == 1
    assert [text.partition(":")[0] for text in seen["damaged"]] == ["a.html", "c.html"]
    assert seen["generation"] == str(release.generation)


def test_a_view_that_is_not_served_is_told(release: Release) -> None:
    """A deleted file, a broken file, an edited source and a new source are each named."""
    release.compiled("a.html").unlink()
    release.compiled("calls/b.html").write_bytes(view()[:-2])
    release.source("c.html").write_text("edited", encoding="utf-8")
    release.source("new.html").write_text("new", encoding="utf-8")
    seen = release.seen()
    assert (seen["sources"], seen["intact"], seen["bytes"]) == (4, 0, 0)
    assert seen["missing"] == ["a.html", "new.html"]
    assert seen["damaged"] == ["c.html: stale: its source was edited since", "calls/b.html: truncated: 21 of 23 bytes"]


def _no_current(release: Release) -> None:
    (release.views / "current").unlink()


def _dangling_current(release: Release) -> None:
    shutil.rmtree(release.generation)


def _no_sources(release: Release) -> None:
    shutil.rmtree(release.root / "resources")


def _broken_manifest(release: Release) -> None:
    (release.generation / "manifest.json").write_text("{", encoding="utf-8")


def _manifest_of_another_shape(release: Release) -> None:
    (release.generation / "manifest.json").write_text("[]", encoding="utf-8")


def _no_manifest(release: Release) -> None:
    (release.generation / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(_no_current, "no generation of compiled views is being served", id="no-current"),
        pytest.param(_dangling_current, "no generation of compiled views is being served", id="dangling-current"),
        pytest.param(_no_sources, "no template source was found", id="no-sources"),
        pytest.param(_broken_manifest, "manifest of the generation being served cannot be read", id="broken-manifest"),
        pytest.param(_manifest_of_another_shape, "manifest .* cannot be read", id="manifest-list"),
        pytest.param(_no_manifest, "manifest .* cannot be read", id="no-manifest"),
    ],
)
def test_a_release_that_cannot_be_looked_into_is_not_observed(
    release: Release, spoil: Callable[[Release], None], said: str
) -> None:
    """Where nothing is served or nothing can be read, there is no count, but a reason."""
    spoil(release)
    with pytest.raises(CannotLook, match=said):
        release.seen()


# --- caches of components and icons


class Panel:
    """A panel with two components, and its cache."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "app/filament/admin"
        self.folder.mkdir(parents=True)
        self.cache = root / "bootstrap/cache/filament/panels/admin.json"
        self.cache.parent.mkdir(parents=True)
        for name in ("a", "b"):
            (self.folder / f"{name}.toml").write_text(name, encoding="utf-8")
        self.write({"resources": [self.entry("a")], "pages": {"first": self.entry("b")}})

    def entry(self, name: str) -> dict[str, str]:
        """Return the cache's entry of a component."""
        digest = hashlib.sha256(name.encode()).hexdigest()
        return {"name": name, "path": f"app/filament/admin/{name}.toml", "sha256": digest}

    def write(self, content: object) -> None:
        """Write the cache."""
        self.cache.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    def seen(self) -> dict[str, Any]:
        """Look at the cache."""
        return cache_file(str(self.root), "panel-admin", str(self.cache), sources_path=str(self.folder), ending=".toml")


@pytest.fixture(name="panel")
def _panel(tmp_path: Path) -> Panel:
    return Panel(tmp_path)


def test_a_fresh_cache_lists_what_is_there(panel: Panel) -> None:
    """Entries count however they are grouped."""
    seen = panel.seen()
    assert (seen["exists"], seen["entries"]) == (True, 2)
    assert (seen["absent"], seen["changed"], seen["unlisted"]) == ([], [], [])


def test_a_cache_that_differs_from_its_sources_is_told(panel: Panel) -> None:
    """What is gone, changed since, and not listed is named."""
    (panel.folder / "a.toml").unlink()
    (panel.folder / "b.toml").write_text("edited", encoding="utf-8")
    (panel.folder / "c.toml").write_text("c", encoding="utf-8")
    seen = panel.seen()
    assert seen["absent"] == ["app/filament/admin/a.toml"]
    assert seen["changed"] == ["app/filament/admin/b.toml"]
    assert seen["unlisted"] == ["app/filament/admin/c.toml"]


@pytest.mark.parametrize(
    "content",
    ["{}", "[]", "null", '"text"', "7", '{"resources": []}'],
    ids=["object", "list", "null", "text", "number", "empty-group"],
)
def test_a_cache_that_lists_nothing_has_no_entries(panel: Panel, content: str) -> None:
    """JSON without entries is an empty cache, and all sources are unlisted."""
    panel.write(content)
    seen = panel.seen()
    assert seen.get("load_error") is None
    assert seen["entries"] == 0
    assert len(seen["unlisted"]) == 2


@pytest.mark.parametrize("content", ["", "{", "<?php return [];", "[" * 100_000], ids=["empty", "cut", "php", "deep"])
def test_a_cache_that_is_no_json_does_not_load(panel: Panel, content: str) -> None:
    """A cache that cannot be loaded says why."""
    panel.write(content)
    seen = panel.seen()
    assert seen["load_error"]
    assert seen["bytes"] == len(content)


def test_a_cache_that_is_not_there_or_no_file_is_told(panel: Panel) -> None:
    """A missing cache is missing, a dangling link, too; a directory in its place does not load."""
    panel.cache.unlink()
    assert panel.seen()["exists"] is False
    panel.cache.symlink_to("nowhere")
    assert panel.seen()["exists"] is False
    panel.cache.unlink()
    panel.cache.mkdir()
    assert "IsADirectoryError" in panel.seen()["load_error"]


def test_every_panel_found_or_named_has_a_cache_looked_at(panel: Panel) -> None:
    """Panels on disk and panels the application names are both looked at, and the icons."""
    seen = caches(str(panel.root), {}, ["agent"])
    assert seen["panels"] == ["admin", "agent"]
    assert [(file["role"], file["exists"]) for file in seen["files"]] == [
        ("panel-admin", True),
        ("panel-agent", False),
        ("icons", False),
    ]


def test_an_application_without_panels_is_not_observed(tmp_path: Path) -> None:
    """No panel on disk and none named is no observation."""
    with pytest.raises(CannotLook, match="has no panels"):
        caches(str(tmp_path), {}, None)


# --- the last hour


@pytest.mark.parametrize(
    ("now", "since"),
    [
        pytest.param("2026-06-01T12:30:00+00:00", "2026-06-01 13:30:00", id="summer"),
        pytest.param("2026-03-29T01:30:00+00:00", "2026-03-29 01:30:00", id="clocks-forward"),
        pytest.param("2026-10-25T01:10:00+00:00", "2026-10-25 01:10:00", id="clocks-back"),
    ],
)
def test_the_hour_is_whole_where_clocks_change(now: str, since: str) -> None:
    """In Berlin, no entry of the last hour has a stamp before the one from which on entries count."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    moment = dt.datetime.fromisoformat(now)
    assert str(an_hour_before(moment.astimezone(berlin))) == since
    for minutes in range(60):
        stamp = (moment - dt.timedelta(minutes=minutes)).astimezone(berlin).replace(tzinfo=None)
        assert stamp >= an_hour_before(moment.astimezone(berlin))


# --- the console


@pytest.mark.parametrize(
    ("text", "answer", "noise"),
    [
        pytest.param('{"a": 1}', {"a": 1}, "", id="clean"),
        pytest.param('PHP Deprecated: x\n{"a": 1}\nbye', {"a": 1}, "PHP Deprecated: x\n\nbye", id="around"),
        pytest.param('{"a": 1}{"b": 2}', {"a": 1}, '{"b": 2}', id="two-answers"),
        pytest.param("", None, "", id="nothing"),
        pytest.param("no answer", None, "no answer", id="words"),
        pytest.param("[1, 2]", None, "[1, 2]", id="list"),
        pytest.param('{"a": {"b": 1}, ', None, '{"a": {"b": 1},', id="cut-off"),
        pytest.param("oops {x} then", None, "oops {x} then", id="brace-in-noise"),
    ],
)
def test_an_answer_is_told_from_what_stands_around_it(text: str, answer: object, noise: str) -> None:
    """The first JSON object is the answer, all else is noise; a piece of a broken answer is none."""
    assert find_json(text) == (answer, noise)


def run(*command: str | Path) -> dict[str, Any]:
    """Run a command as the probe does."""
    return RunLater([str(word) for word in command]).result()


def test_a_command_that_prints_no_json_is_not_observed() -> None:
    """What it said last, and how it ended, is the reason."""
    with pytest.raises(CannotLook, match="ended with 3 and printed no JSON; it said: no such command"):
        json_of(run("bash", "-c", "echo starting >&2; echo no such command >&2; exit 3"))
    with pytest.raises(CannotLook, match="it said: nothing"):
        json_of(run("true"))


@pytest.mark.parametrize("found", ["missing", "not-executable", "directory"])
def test_a_command_that_cannot_be_started_is_not_observed(tmp_path: Path, found: str) -> None:
    """The system's reason and the path are told."""
    command = tmp_path / "artisan"
    if found == "not-executable":
        command.write_text("#!/bin/sh\n", encoding="utf-8")
        command.chmod(0o644)
    elif found == "directory":
        command.mkdir()
    with pytest.raises(CannotLook, match=rf"`artisan list` could not be started: .*: {command}"):
        run(command, "list")


def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the deadline the command and what it started are killed, and the reason is told."""
    monkeypatch.setattr(gateway_probe.RunLater, "seconds", 0.5)
    pids = tmp_path / "pids"
    with pytest.raises(CannotLook, match=r"`bash .*` did not end within 0.5 s"):
        run("bash", "-c", f"sleep 600 & echo $! $$ > {pids}; wait")
    for pid in pids.read_text(encoding="utf-8").split():
        wait_until(lambda pid=pid: _ended(int(pid)), awaited=f"the end of process {pid}", seconds=10)  # type: ignore[misc]


def test_a_command_whose_output_is_held_open_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that left the session and keeps the output open holds nobody up."""
    monkeypatch.setattr(gateway_probe.RunLater, "seconds", 0.5)
    pid = tmp_path / "pid"
    with pytest.raises(CannotLook, match="did not end within"):
        run("setsid", "bash", "-c", f"setsid bash -c 'echo $$ > {pid}; exec sleep 600' & exit 0")
    wait_until(lambda: pid.exists() and pid.read_text(encoding="utf-8") != "", awaited="the process' id", seconds=10)
    os.kill(int(pid.read_text(encoding="utf-8")), signal.SIGKILL)


def _ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_a_command_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What our caller has set does not override the application's own settings."""
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    names = {line.split("=")[0] for line in run("env")["out"].splitlines()}
    assert names <= {"PATH", "LC_ALL"}


@pytest.mark.parametrize(
    "told",
    [
        '{"commands": null}',
        '{"commands": [1]}',
        '{"commands": ["view:health-check"]}',
        '{"commands": {"view:health-check": {}}}',
        '{"commands": [{"name": "a", "hidden": false, "definition": []}]}',
        '{"commands": [{"name": "a", "definition": {"options": {}}}]}',
        "{}",
    ],
    ids=["null", "numbers", "words", "object", "no-options", "hidden-untold", "no-commands"],
)
def test_a_list_of_another_shape_is_not_observed(told: str) -> None:
    """A command list that is not of Symfony's shape is no list."""
    with pytest.raises(CannotLook, match="has not the shape of a command list"):
        commands({"out": told, "err": "", "code": 0, "name": "list"})


def test_a_health_run_keeps_code_answer_and_noise_apart() -> None:
    """Exit code, JSON, what stood around it and what was said on the error channel are facts of their own."""
    seen = health_of(run("bash", "-c", """echo hello; echo '{"healthy": true}'; echo warned >&2; exit 1"""))
    assert seen == {"exit_code": 1, "answer": {"healthy": True}, "noise": "hello", "error": "warned"}


# --- the deployment script

GOOD = "#!/bin/sh\n./artisan view:cache\n"


def script(
    folder: Path, text: str | None = GOOD, *, mode: int = 0o755, dry_run: bool = False, name: str = "deploy.sh"
) -> dict[str, Any]:
    """Write a script and look at it."""
    path = folder / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    probe = Probe(str(folder), USER, name)
    return probe.script_of(RunLater(["bash", "-n", str(path)]), dry_run=dry_run)


def test_a_script_that_a_shell_can_read(open_folder: Path) -> None:
    """A script as it should be is a file, executable, parses, and is sent as it is."""
    seen = script(open_folder)
    assert (seen["exists"], seen["is_file"], seen["executable"]) == (True, True, True)
    assert (seen["parse_error"], seen["text"], seen["bytes"], seen["cut"]) == (None, GOOD, len(GOOD), False)
    assert (seen["mode"], seen["owner"], seen["link"]) == ("0755", owner_of(str(open_folder)), "")
    assert (seen["interpreter"], seen["interpreter_found"], seen["files"]) == ("/bin/sh", True, {})
    assert "dry_run_code" not in seen


@pytest.mark.parametrize(
    ("first", "interpreter", "found"),
    [
        pytest.param("#!/usr/bin/env bash", "bash", True, id="env"),
        pytest.param("#!/usr/bin/env -S bash -e", "bash", True, id="env-with-options"),
        pytest.param("#!/bin/bsh", "/bin/bsh", False, id="no-such-shell"),
        pytest.param("#!/usr/bin/env bsh", "bsh", False, id="no-such-shell-on-the-path"),
        pytest.param("#!/bin/sh\r", "/bin/sh\r", False, id="carriage-return"),
        pytest.param("set -e", "", True, id="none"),
    ],
)
def test_the_interpreter_of_a_script_is_looked_for(
    open_folder: Path, first: str, interpreter: str, *, found: bool
) -> None:
    """What the first line names is told, and whether it is there."""
    seen = script(open_folder, f"{first}\ntrue\n")
    assert (seen["interpreter"], seen["interpreter_found"]) == (interpreter, found)


def test_texts_that_a_script_may_call_are_sent(open_folder: Path) -> None:
    """What it sources, calls by path or by role, and what these name in turn; no settings, and nothing without end."""
    (open_folder / "lib").mkdir()
    for name, text in {
        "lib/tools.sh": "source ./more.inc\n", "lib/more.inc": "true\n", "composer.json": "{}", ".env.sh": "KEY=1\n",
        "runs": "#!/bin/sh\n", "data": "php artisan view:clear\n", "huge.sh": "#" * 70_000, "unnamed.sh": "true\n",
    }.items():  # fmt: skip
        (open_folder / name).write_text(text, encoding="utf-8")
    seen = script(open_folder, "#!/bin/sh\n. $here/lib/tools.sh; ./runs; cat data huge.sh .env.sh\n")
    assert set(seen["files"]) == {
        str(open_folder / one) for one in ("lib/tools.sh", "lib/more.inc", "composer.json", "runs")
    }


@pytest.mark.parametrize(
    "line",
    [
        "mysql --password=s3cr3t-value",
        "export DEPLOY_TOKEN='s3cr3t-value'",
        'curl -H "Authorization: Bearer s3cr3t-value"',
        "git clone https://bot:s3cr3t-value@example.org/shop.git",
    ],
    ids=["option", "variable", "header", "url"],
)
def test_a_secret_of_a_script_stays_on_its_host(open_folder: Path, line: str) -> None:
    """Passwords and tokens are taken out of a script's text and of what it calls."""
    (open_folder / "more.sh").write_text(line, encoding="utf-8")
    seen = script(open_folder, f"#!/bin/sh\n. ./more.sh\n{line}\n")
    assert len(seen["files"]) == 1
    assert "s3cr3t" not in json.dumps(seen)


def test_what_a_dry_run_removes_is_seen(open_folder: Path) -> None:
    """Compiled views that are gone once the dry run has ended are counted."""
    served = open_folder / "storage/framework/views/current"
    served.mkdir(parents=True)
    for number in range(3):
        (served / f"{number}.view").touch()
    seen = script(open_folder, "#!/bin/sh\nrm storage/framework/views/current/[01].view\n", dry_run=True)
    assert seen["dry_run_removed"] == 0, "it ran in another folder"
    text = f"#!/bin/sh\nrm {served}/[01].view\n"
    assert script(open_folder, text, dry_run=True)["dry_run_removed"] == 2


@pytest.mark.parametrize("dry_run", [False, True], ids=["looked-at", "dry-run"])
def test_a_script_that_is_none_is_seen_as_that(open_folder: Path, *, dry_run: bool) -> None:
    """A missing script, a directory, a dangling link and an empty file are told apart, dry run or not."""
    (open_folder / "folder.sh").mkdir()
    (open_folder / "dangling.sh").symlink_to("nowhere")
    assert script(open_folder, None, dry_run=dry_run)["exists"] is False
    for name in ("folder.sh", "dangling.sh"):
        seen = script(open_folder, None, name=name, dry_run=dry_run)
        assert (seen["exists"], seen["is_file"]) == (True, False)
    assert script(open_folder, "", dry_run=dry_run)["bytes"] == 0


def test_a_script_the_runtime_user_cannot_run_is_seen(open_folder: Path) -> None:
    """Neither a missing x nor a missing r passes for executable, and its dry run says what happened."""
    seen = script(open_folder, mode=0o644, dry_run=True)
    assert seen["executable"] is False
    assert "dry_run_code" not in seen
    assert "could not be started: Permission denied" in seen["dry_run_error"]
    if ROOT:
        assert script(open_folder, mode=0o711)["executable"] is False


def test_a_script_with_a_syntax_error_is_seen(open_folder: Path) -> None:
    """What the shell says of it is told."""
    assert "syntax error" in script(open_folder, "#!/bin/sh\nif true; then\n")["parse_error"]


def test_a_dry_run_is_told(open_folder: Path) -> None:
    """Code, lines and last words of the dry run are facts."""
    seen = script(open_folder, "#!/bin/sh\necho step 01 lock: $1\n\necho; echo done >&2\nexit 4\n", dry_run=True)
    assert (seen["dry_run_code"], seen["dry_run_lines"]) == (4, ["step 01 lock: --dry-run"])
    assert seen["dry_run_error"] == "done"


def test_a_dry_run_that_hangs_is_told(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run that does not end has no code, and says so."""
    monkeypatch.setattr(gateway_probe.RunLater, "seconds", 0.5)
    seen = script(open_folder, "#!/bin/sh\nexec sleep 600\n", dry_run=True)
    assert "dry_run_code" not in seen
    assert "did not end within 0.5 s" in seen["dry_run_error"]


# --- the whole probe


def probe(root: Path, **asked: object) -> HostFacts:
    """Run the probe as a host of an environment does, in an interpreter of its own."""
    words = json.dumps({"root": str(root), "runtime_user": USER} | asked)
    command = [sys.executable, "-I", "-S", gateway_probe.__file__]
    done = carry(command, f"{words}\n".encode(), 60, Cancellation(), lifeline=True)
    assert done.code == 0, done.err.decode()
    return parse(done.out)


SECTIONS = [
    "application", "middleware", "directories", "compiled", "script",
    "commands", "health", "locks", "caches", "log", "schedule",
]  # fmt: skip


def test_a_host_with_nothing_on_it_has_a_reason_for_everything(open_folder: Path) -> None:
    """On an empty folder, each section is what is there (nothing) or has a reason, and none is made up."""
    facts = probe(open_folder)
    assert {name for name in SECTIONS if getattr(facts, name) is not None} == {"directories", "script"}
    assert {name for name in SECTIONS if facts.unobserved.get(name)} == set(SECTIONS) - {"directories", "script"}
    assert {directory.kind for directory in facts.seen("directories")} == {"missing"}
    assert facts.seen("script").exists is False


def test_names_that_are_no_text_do_not_blind_the_probe(open_folder: Path) -> None:
    """A file whose name is not UTF-8 is told as well as can be."""
    views = open_folder / "storage/framework/views"
    views.mkdir(parents=True)
    name = os.fsdecode(b"caf\xe9.view")
    (views / name).touch()
    (views / name).chmod(0o666)
    (seen,) = [found for found in probe(open_folder).seen("directories") if found.role == "compiled-views"]
    assert seen.world_writable_entries == ("caf?.view",)


def test_an_application_that_answers_nonsense_spoils_only_what_it_was_asked(open_folder: Path) -> None:
    """A console whose answers have another shape leaves the sections it has no part in observed."""
    artisan = open_folder / "artisan"
    nonsense = {
        "application": [],
        "views": 7,
        "cache": "x",
        "logs": None,
        "panels": {"a": 1},
        "locks": {"store": 1, "url": 2, "rebuild_key": 3, "ttl_seconds": "x"},
        "schedule": "never",
        "middleware": {"global": 5},
    }
    artisan.write_text(f"#!/bin/sh\necho '{json.dumps(nonsense)}'\n", encoding="utf-8")
    artisan.chmod(0o755)
    facts = probe(open_folder)
    assert {name for name in SECTIONS if getattr(facts, name) is not None} == {"directories", "script", "health"}
    assert all(facts.unobserved[name] for name in set(SECTIONS) - {"directories", "script", "health"})


# --- the locks' Redis, asked on its host


def test_redis_is_asked_on_its_host(tmp_path: Path) -> None:
    """What it is, and how long the rebuild's lock is still held, with a password and in a database of its own."""
    server = redis_server.start(tmp_path)
    try:
        url = server.url.removesuffix("/0") + "/3"
        with redis.Redis.from_url(url) as client:
            assert lock_server(url, "the-lock")["held_ttl_ms"] == -2
            client.set("the-lock", "me", px=60_000)
            seen = lock_server(url, "the-lock")
        assert 0 < seen["held_ttl_ms"] <= 60_000
        assert (seen["server"]["policy"], seen["server"]["maxmemory"]) == ("noeviction", 0)
        assert seen["server"]["version"]
        wrong = lock_server(url.replace(server.password, "wr0ng-password"), "the-lock")
        assert "WRONGPASS" in wrong["server_error"]
        assert "wr0ng" not in wrong["server_error"]
    finally:
        end(server.process)
    assert "refused" in lock_server(server.url, "the-lock")["server_error"]
    assert "is no URL" in lock_server("redis://:p@ss@[::1/0", "the-lock")["server_error"]
