"""How the stage asks php-fpm, and what it says where that does not answer: a late server and a broken one differ."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("laravel_here")
CLASS = Path(__file__).parents[3] / "fixtures/laravel/skeleton/app/Support/FastCgi.php"
ASKING = "require $argv[1]; echo App\\Support\\FastCgi::run($argv[2], '/status.php', 1);"
SECONDS = 30.0


@contextmanager
def listening(path: Path, *, hangs_up: bool) -> Iterator[None]:
    """Take connections and say nothing: keep them, or hang up at once."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(SECONDS)
        kept: list[socket.socket] = []

        def accept() -> None:
            kept.append(server.accept()[0])
            if hangs_up:
                kept[0].close()

        taking = threading.Thread(target=accept)
        taking.start()
        yield
        taking.join(SECONDS)
        for connection in kept:
            connection.close()


@pytest.mark.parametrize(
    ("hangs_up", "said"),
    [
        pytest.param(False, "did not answer within 1 s", id="late"),
        pytest.param(True, "broke off its answer", id="broken"),
    ],
)
def test_a_late_server_is_not_called_a_broken_one(tmp_path: Path, *, hangs_up: bool, said: str) -> None:
    """What an operator reads says whether php-fpm was busy for too long, or went away."""
    path = tmp_path / "fpm.sock"
    with listening(path, hangs_up=hangs_up):
        done = subprocess.run(
            ["php", "-r", ASKING, str(CLASS), str(path)], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert f"{path} {said}" in done.stdout + done.stderr
