"""The server: workers that are replaced, reloaded without a dropped request, and healed when they boot."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import create_application_directory, create_release, minimum_views
from fixtures.gateway.views.view_cache_service import ViewCacheService
from fixtures.processes import end, end_with_parent, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[3]
CLIENTS_KEEP_SECONDS = 5.0
COMMAND = (
    "import sys; from fixtures.gateway.web.server import serve\n"
    "sys.exit(serve(sys.argv[1], host='127.0.0.1', port=int(sys.argv[2]), workers=2))"
)


@dataclass(frozen=True)
class Server:
    """A running server, and the application that it serves."""

    process: subprocess.Popen[bytes]
    app: Path
    url: str

    def workers(self) -> set[int]:
        """Tell the process ids of its workers."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def release(self) -> str:
        """Tell which release answers."""
        return httpx.get(f"{self.url}/up", timeout=30).headers["X-Release"]


@contextlib.contextmanager
def serving(app: Path, port: int = 0) -> Iterator[Server]:
    """Serve an application for as long as the block lasts."""
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, app, str(port)],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        preexec_fn=end_with_parent,  # noqa: PLW1509 - no threads here
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (told["pid"], told["workers"]) == (process.pid, 2)
        yield Server(process, app, told["url"])
    finally:
        end(process, seconds=20)
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(name="app")
def _app(tmp_path: Path, redis_url: str) -> Path:
    app = tmp_path / "calls"
    create_application_directory(app, views=minimum_views(), env={"APP_TOKEN": "secret-token", "REDIS_URL": redis_url})
    return app


def is_complete(response: httpx.Response) -> bool:
    """Tell a complete page."""
    return response.status_code == 200 and response.text.rstrip().endswith("</html>")


def flip(app: Path, release: Path) -> None:
    """Make a release the current one."""
    link = app / ".next"
    link.symlink_to(release.relative_to(app))
    link.replace(app / "current")


def test_a_killed_worker_is_replaced(app: Path) -> None:
    """After SIGKILL of a worker another takes its place, and pages go on."""
    with serving(app) as server:
        before = server.workers()
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: len(server.workers() - before) == 1, awaited="the killed worker's successor", seconds=20)
        assert is_complete(httpx.get(server.url))


def test_a_reload_boots_the_current_release_and_drops_no_request(app: Path) -> None:
    """Over SIGHUP after a flip every answer is complete, on connections that are kept and on new ones."""
    with serving(app) as server:
        old = server.release()
        stop, bad = Event(), []

        def ask(*, kept: bool) -> None:
            with httpx.Client(timeout=30) as client:
                while not stop.is_set():
                    response = client.get(server.url) if kept else httpx.get(server.url, timeout=30)
                    if not is_complete(response):
                        bad.append(response.status_code)

        askers = [Thread(target=ask, kwargs={"kept": kept}) for kept in (True, False)]
        for asker in askers:
            asker.start()
        try:
            before = server.workers()
            flip(app, create_release(app, views=minimum_views()))
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not server.workers() & before, awaited="the old workers' end", seconds=60)
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        assert bad == []
        assert server.release() != old


@pytest.mark.profile("ci")
def test_an_idle_connection_outlives_what_clients_keep(app: Path) -> None:
    """A client that gives up an idle connection after five seconds, as httpx does, never meets one being closed."""
    with serving(app) as server, contextlib.closing(HTTPConnection(server.url.removeprefix("http://"))) as visitor:
        visitor.request("GET", "/up")
        assert visitor.getresponse().read()
        assert select.select([visitor.sock], [], [], CLIENTS_KEEP_SECONDS + 1)[0] == []
        visitor.request("GET", "/up")
        assert visitor.getresponse().status == 200


def test_a_reload_into_a_release_that_does_not_boot_keeps_the_old_workers(app: Path) -> None:
    """What cannot be booted never serves, and what serves goes on."""
    with serving(app) as server:
        old = server.release()
        before = server.workers()
        broken = create_release(app, views=minimum_views())
        (broken / "bootstrap" / "app.py").write_text("raise RuntimeError('broken')")
        flip(app, broken)
        server.process.send_signal(signal.SIGHUP)
        log = app / "shared" / "storage" / "logs" / "laravel.log"
        wait_until(lambda: "the old workers serve on" in log.read_text(), awaited="the reload's refusal", seconds=30)
        # The refusal is logged before the workers that could not boot are gone.
        wait_until(lambda: server.workers() == before, awaited="the old workers and no others", seconds=30)
        assert server.release() == old


@pytest.mark.parametrize("damage", ["all-truncated", "removed", "never-compiled"])
def test_a_start_on_a_damaged_cache_applies_the_fix_by_itself(app: Path, damage: str) -> None:
    """The first 100 responses are complete, and every view is intact before the first of them."""
    release = Release.at(app)
    service = ViewCacheService.of(release)
    if damage != "never-compiled":
        service.rebuild()
    if damage == "all-truncated":
        for path in release.compiled_path.rglob("*"):
            if path.is_file():
                os.truncate(path, 10)
    elif damage == "removed":
        (release.compiled_path / "current").unlink()
    with serving(app) as server, httpx.Client(base_url=server.url) as client:
        assert service.is_healthy().problems == ()
        responses = [client.get("/") for _ in range(100)]
        assert all(is_complete(response) for response in responses)
        assert {response.headers["X-Auto-Fix-View-Cache"] for response in responses} == {"untouched"}


def test_workers_end_with_their_supervisor(app: Path) -> None:
    """After SIGTERM of the supervisor, and after SIGKILL too, nothing of it is left."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with serving(app) as server:
            workers = server.workers()
            server.process.send_signal(number)
            server.process.wait(30)
            wait_until(lambda: not any(map(psutil.pid_exists, workers)), awaited="the workers' end", seconds=30)  # noqa: B023
            assert (app / "gateway.pid").exists() == (number == signal.SIGKILL)


def test_a_port_in_use_is_told_in_one_line(app: Path) -> None:
    """The error names host, port, reason and remedy; nothing is left running."""
    with serving(app) as server:
        port = server.url.rpartition(":")[2]
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, app, port], cwd=CHECKOUT, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr.decode()
