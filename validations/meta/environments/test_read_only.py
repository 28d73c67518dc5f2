"""A gate on what is live changes nothing: the whole gate runs on a stage that is watched from all sides.

Every file is hashed before and after, the kernel tells (inotify) what is opened for writing, made, moved or deleted
meanwhile, and Redis tells (MONITOR) every command. What the application itself does when it answers a GET, or its
console when it is asked, is listed here by name, and nothing else may happen.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from fixtures.environments.__main__ import as_toml
from fixtures.environments.redis_server import RedisServer
from fixtures.environments.settings import Objectives
from fixtures.environments.stage import Stage
from fixtures.observation.gateway_probe import bare_environment
from fixtures.options import lack
from validations.watched import files_watched, tree

CHECKOUT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 240.0
VIEWS = 66

# What the application does of itself when it answers a GET, or its console when it is asked: all of it, by name.
OPENED_FOR_WRITING = {
    "shared/storage/logs/laravel.log": "opened for appending when the console starts; nothing is appended"
}
COMMANDS_SENT = {
    "HELLO": "the health command and the gate: to log in",
    "AUTH": "the same, to a Redis before 6",
    "CLIENT": "the same: who is connected",
    "PING": "the health command: whether Redis answers",
    "INFO": "the gate: which Redis it is, and whether it may evict a lock",
    "SELECT": "the gate's probe: the database that the URL names",
    "PTTL": "the gate's probe: whether a rebuild's lock is held just now, and until when",
}


@pytest.fixture(scope="module", name="stage")
def _stage(pytestconfig: pytest.Config) -> Iterator[Stage]:
    if shutil.which("inotifywait") is None:
        lack(pytestconfig, "inotify", "inotifywait is not installed")
    stage = Stage(views=VIEWS, workers=1)
    with contextlib.ExitStack() as closing:
        closing.callback(stage.down)
        stage.environment = stage.up()  # type: ignore[attr-defined]
        yield stage


@contextlib.contextmanager
def redis_watched(server: RedisServer) -> Iterator[list[str]]:
    """Yield a list that holds, after the block, the name of every command that Redis was sent."""
    seen: list[str] = []
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=RUN_SECONDS) as link,
        link.makefile("rb") as lines,
    ):
        link.sendall(f"AUTH {server.password}\r\nMONITOR\r\n".encode())
        assert [lines.readline(), lines.readline()] == [b"+OK\r\n"] * 2
        yield seen
        with redis.Redis.from_url(server.url) as last:
            last.get("the-end")
        for line in lines:
            if b'"the-end"' in line:
                break
            seen.append(line.split(b'"')[1].decode().upper())


def test_a_whole_gate_changes_nothing(stage: Stage, open_folder: Path) -> None:
    """All eight checks on a live stage: no file differs, none was written, and no command to Redis wrote."""
    environment = stage.environment.model_copy(  # type: ignore[attr-defined]
        update={"production": True, "objectives": Objectives(compiled_views=VIEWS)}
    )
    (open_folder / "environments.toml").write_text(as_toml("shop", environment), encoding="utf-8")
    top = stage.folder / "api-gateway"
    assert stage.redis is not None
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIEWGATE_"))}
    before = tree(top)
    with files_watched(top, open_folder) as touched, redis_watched(stage.redis) as commands:
        gate = [sys.executable, "-m", "pytest", str(CHECKOUT / "validations" / "gate"), "--environment", "shop"]
        done = subprocess.run(
            [*gate, "--reports", "reports"],
            cwd=open_folder,
            env=ours,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    after = tree(top)
    assert {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)} == set()
    assert [path for _, path in touched if path not in OPENED_FOR_WRITING] == []
    assert {what for what, _ in touched} <= {"CLOSE_WRITE,CLOSE"}
    assert set(commands) - COMMANDS_SENT.keys() == set()
    assert {"INFO", "PTTL"} <= set(commands)


def test_the_watchers_see_what_changes(stage: Stage, open_folder: Path) -> None:
    """A rebuild under the same eyes shows in the files' hashes, in inotify and in Redis."""
    top = stage.folder / "api-gateway"
    assert stage.redis is not None
    before = tree(top)
    with files_watched(top, open_folder) as touched, redis_watched(stage.redis) as commands:
        rebuild = [str(top / "current" / "artisan"), "view:cache"]
        subprocess.run(rebuild, env=bare_environment(), check=True, capture_output=True, timeout=RUN_SECONDS)
    assert tree(top) != before
    assert any("CREATE" in what for what, _ in touched)
    assert {*commands} - COMMANDS_SENT.keys()
