"""Ways to break a stage by hand, as somebody with a shell on its host would; each names what it must turn red."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import redis


@dataclass(frozen=True)
class Breakage:
    """One: its name, the checks and objectives that have to be red for it (and no others), and what does it."""

    id: str
    red: frozenset[str]
    done: Callable[[Path, redis.Redis], AbstractContextManager[None]]
    needs_root: bool = False


@contextlib.contextmanager
def _edited(path: Path, change: Callable[[str], str]) -> Iterator[None]:
    """Change a text file in place; owner and mode stay what they are."""
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before, f"{path} was not changed: the breakage no longer fits it"
    path.write_text(after, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


@contextlib.contextmanager
def _with_mode(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode & 0o7777
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@contextlib.contextmanager
def _gone(path: Path) -> Iterator[None]:
    """Move a file out of the way, and back."""
    aside = path.with_name(f".{path.name}.aside")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


@contextlib.contextmanager
def _added(path: Path, text: str) -> Iterator[None]:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    try:
        yield
    finally:
        path.unlink()


@contextlib.contextmanager
def _owned_by_root(path: Path) -> Iterator[None]:
    before = path.stat()
    os.chown(path, 0, 0)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)


@contextlib.contextmanager
def _policy(store: redis.Redis, policy: str) -> Iterator[None]:
    store.config_set("maxmemory-policy", policy)
    try:
        yield
    finally:
        store.config_set("maxmemory-policy", "noeviction")


@contextlib.contextmanager
def _rebuilt(root: Path, change: AbstractContextManager[None]) -> Iterator[None]:
    """Edit a template and rebuild, as a deploy of a bad template would; and rebuild again afterwards."""
    with change:
        _artisan(root, "view:cache")
        yield
    _artisan(root, "view:cache")


def _artisan(root: Path, command: str) -> None:
    subprocess.run([root / "artisan", command], check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def _full_disk(path: Path) -> Iterator[None]:
    """Lay a small file system that is full over a directory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "none", path], check=True, timeout=10)
    try:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
        with contextlib.suppress(OSError), (path / "filler").open("wb") as file:
            while file.write(b"\0" * 4096):
                file.flush()
        yield
    finally:
        subprocess.run(["umount", path], check=True, timeout=10)


@contextlib.contextmanager
def _read_only(path: Path) -> Iterator[None]:
    """Mount a directory over itself, read-only."""
    subprocess.run(["mount", "--bind", path, path], check=True, timeout=10)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", path], check=True, timeout=10)
        yield
    finally:
        subprocess.run(["umount", path], check=True, timeout=10)


def _compiled(root: Path, name: str) -> Path:
    import json

    generation = (root / "storage/framework/views/current").resolve()
    manifest = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))
    return generation / f"{manifest['views'][name]['key']}.view"


@contextlib.contextmanager
def _truncated(path: Path) -> Iterator[None]:
    before = path.read_bytes()
    os.truncate(path, len(before) // 3)
    try:
        yield
    finally:
        path.write_bytes(before)


@contextlib.contextmanager
def _emptied(path: Path) -> Iterator[None]:
    before = path.read_bytes()
    os.truncate(path, 0)
    try:
        yield
    finally:
        path.write_bytes(before)


@contextlib.contextmanager
def _tree_gone(path: Path) -> Iterator[None]:
    aside = path.with_name(f".{path.name}.aside")
    shutil.move(path, aside)
    try:
        yield
    finally:
        shutil.move(aside, path)


_REGISTERS = "stack.append(AutoFixViewCache)"
_SCRIPT = "scripts/deploy-with-cache-management.sh"
_PAGE = "resources/views/calls/enhanced.html"


def _breakage(
    name: str,
    red: str,
    done: Callable[[Path, redis.Redis], AbstractContextManager[None]],
    *,
    needs_root: bool = False,
) -> Breakage:
    return Breakage(name, frozenset(red.split()), done, needs_root)


BREAKAGES = (
    _breakage(
        "middleware-commented-out",
        "middleware",
        lambda root, _: _edited(root / "bootstrap/app.py", lambda text: text.replace(_REGISTERS, f"# {_REGISTERS}")),
    ),
    _breakage(
        "middleware-only-in-a-string",
        "middleware",
        lambda root, _: _edited(root / "bootstrap/app.py", lambda text: text.replace(_REGISTERS, f'"{_REGISTERS}"')),
    ),
    _breakage(
        "middleware-removed-later",
        "middleware",
        lambda root, _: _edited(
            root / "bootstrap/app.py", lambda text: f"{text.rstrip()}\n    stack.remove(AutoFixViewCache)\n"
        ),
    ),
    _breakage(
        "script-empty",
        "deployment",
        lambda root, _: _edited(root / _SCRIPT, lambda _: ""),
    ),
    _breakage(
        "script-not-executable",
        "deployment",
        lambda root, _: _with_mode(root / _SCRIPT, 0o644),
    ),
    _breakage(
        "script-does-not-parse",
        "deployment",
        lambda root, _: _edited(root / _SCRIPT, lambda text: f"{text}\nif true; then\n"),
    ),
    _breakage(
        "script-clears-the-live-cache",
        "deployment",
        lambda root, _: _edited(root / _SCRIPT, lambda text: f"{text}\n./artisan view:clear\n"),
    ),
    _breakage(
        "console-prints-noise",
        "health",
        lambda root, _: _edited(
            root / "artisan", lambda text: text.replace("\n\n", "\n\nprint('Deprecated: something')\n", 1)
        ),
    ),
    _breakage(
        "policy-evicts-locks",
        "locks",
        lambda _, store: _policy(store, "allkeys-lru"),
    ),
    _breakage(
        "icon-manifest-gone",
        "filament",
        lambda root, _: _gone(root / "bootstrap/cache/blade-icons.json"),
    ),
    _breakage(
        "resource-added-since",
        "filament",
        lambda root, _: _added(root / "app/filament/admin/resources/newcomer.toml", 'name = "newcomer"\n'),
    ),
    _breakage(
        "panel-cache-empty",
        "filament",
        lambda root, _: _edited(root / "bootstrap/cache/filament/panels/agent.json", lambda _: "{}"),
    ),
    _breakage(
        "page-without-its-end",
        "page disclosure availability",
        lambda root, _: _rebuilt(root, _edited(root / _PAGE, lambda _: "<html><body>")),
    ),
    _breakage(
        "views-directory-closed",
        "writable health",
        lambda root, _: _with_mode(root / "storage/framework/views/generations", 0o555),
    ),
    _breakage(
        "views-directory-open-to-all",
        "writable health",
        lambda root, _: _with_mode(root / "storage/framework/views", 0o777),
    ),
    _breakage(
        "generation-owned-by-root",
        "writable health",
        lambda root, _: _owned_by_root((root / "storage/framework/views/current").resolve()),
        needs_root=True,
    ),
    _breakage(
        "views-directory-read-only",
        "writable health",
        lambda root, _: _read_only(root / "storage/framework/views"),
        needs_root=True,
    ),
    _breakage(
        "bootstrap-cache-full",
        "writable filament health",
        lambda root, _: _full_disk(root / "bootstrap/cache"),
        needs_root=True,
    ),
    _breakage(
        "one-compiled-view-truncated",
        "health coverage compiled-views",
        lambda root, _: _truncated(_compiled(root, "errors/500.html")),
    ),
    _breakage(
        "one-compiled-view-emptied",
        "health coverage compiled-views",
        lambda root, _: _emptied(_compiled(root, "errors/500.html")),
    ),
    _breakage(
        "template-edited-and-not-compiled",
        "health coverage compiled-views",
        lambda root, _: _edited(root / "resources/views/errors/500.html", lambda text: f"{text}\n<!-- edited -->\n"),
    ),
    _breakage(
        "view-error-in-the-log",
        "health view-errors",
        lambda root, _: _edited(
            root / "storage/logs/laravel.log", lambda text: f"{text}{_log_line('filemtime(): stat failed for x.php')}"
        ),
    ),
)


def _log_line(message: str) -> str:
    import datetime as dt

    return f"[{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}] production.ERROR: {message}\n"
