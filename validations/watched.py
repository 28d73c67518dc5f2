"""Whether a folder was left alone: what lies in it, by contents, owner, mode and times, and what inotify tells."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fixtures.processes import end, wait_until


def tree(top: Path) -> dict[str, tuple[object, ...]]:
    """Return every entry below a folder: its kind, mode, owner, times of change, and what it holds."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(top):
        for name in [*folders, *files, "."]:
            path = Path(folder, name)
            about = path.lstat()
            if stat.S_ISREG(about.st_mode):
                holds = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                holds = str(path.readlink()) if stat.S_ISLNK(about.st_mode) else ""
            key = os.path.normpath(path.relative_to(top))
            found[key] = (about.st_mode, about.st_uid, about.st_gid, about.st_ino, about.st_mtime_ns, holds)
    return found


@contextlib.contextmanager
def files_watched(top: Path, beside: Path) -> Iterator[list[tuple[str, str]]]:
    """Yield a list that holds, after the block, (what, path) of every event of change below the folder."""
    events = [f"-e{event}" for event in ("modify", "attrib", "create", "delete", "move", "close_write")]
    log = beside / "inotify.log"
    mark = beside / "mark"
    mark.mkdir(exist_ok=True)
    with log.open("wb") as output:
        command = ["inotifywait", "-m", "-r", "--format", "%e %w%f", *events, str(top), str(mark)]
        watcher = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE)
    seen: list[tuple[str, str]] = []
    assert watcher.stderr is not None
    try:
        while b"established" not in (line := watcher.stderr.readline()):
            assert line, "inotifywait ended"
        yield seen
        # Events come in order: with this one, all are there.
        (mark / "the-end").touch()
        wait_until(lambda: b"the-end" in log.read_bytes(), awaited="the watcher's last event", seconds=20)
        for event in log.read_text(encoding="utf-8").splitlines():
            what, _, path = event.partition(" ")
            if path.startswith(f"{top}/"):
                seen.append((what, path.removeprefix(f"{top}/")))
    finally:
        (mark / "the-end").unlink(missing_ok=True)
        end(watcher)
