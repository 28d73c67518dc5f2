"""A stage's own Redis: what it is while it has not yet been told everything."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import redis

from fixtures.environments.redis_server import command, find_server
from fixtures.processes import end, free_port, wait_until

SECONDS = 20.0


def test_a_server_whose_starter_was_killed_is_closed_to_others_and_ends(tmp_path: Path) -> None:
    """Without the rest of its configuration it listens on this machine alone; its folder gone, it ends when told to."""
    folder = tmp_path / "redis"
    folder.mkdir()
    port = free_port()
    server = subprocess.Popen(
        command(find_server(), port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=folder
    )
    with contextlib.ExitStack() as closing:
        closing.callback(end, server)
        client = closing.enter_context(redis.Redis(port=port, decode_responses=True))
        wait_until(lambda: answers(client), awaited="an answer", seconds=SECONDS)
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        client.set("key", "value")
        shutil.rmtree(folder)
        server.terminate()
        assert server.wait(SECONDS) == 0


def answers(client: redis.Redis) -> bool:
    """Tell whether it answers."""
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
