"""The gateway's compiled views against Jinja2's own bytecode cache, and its middleware against none."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from fixtures.environments import redis_server
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import create_application_directory
from fixtures.gateway.views.compiled_views import OPTIONS, CompiledViews
from fixtures.gateway.views.view_cache_service import ViewCacheService
from fixtures.processes import end
from validations.benchmarks.conftest import Ratios, rate

VIEWS = 682
APPEND = "stack.append(AutoFixViewCache)"
CONTEXT = {"now": dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC), "auth": "operator"}
APP = {"name": "api-gateway", "environment": "production", "release": "20261124-035512-3f2a"}


@pytest.fixture(scope="module", name="release")
def _release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    folder = tmp_path_factory.mktemp("gateway")
    redis = redis_server.start(folder / "redis")
    try:
        env = {"APP_TOKEN": "secret-token", "REDIS_URL": redis.url}
        yield Release.at(create_application_directory(folder / "app", views=VIEWS, env=env))
    finally:
        end(redis.process)


def service_of(release: Release) -> ViewCacheService:
    """Open the caretaker as a worker does."""
    return ViewCacheService.of(release, template_globals={"app": APP})


def jinja_of(release: Release, cache: Path) -> jinja2.Environment:
    """Open Jinja2's own: templates from the file system, bytecode in files, room in memory for every view."""
    environment = jinja2.Environment(  # noqa: S701 - OPTIONS say autoescape
        loader=jinja2.FileSystemLoader(release.views_source),
        bytecode_cache=jinja2.FileSystemBytecodeCache(str(cache)),
        cache_size=2 * VIEWS,
        **OPTIONS,
    )
    environment.globals["app"] = APP
    return environment


def test_a_warm_render(release: Release, tmp_path: Path, ratios: Ratios) -> None:
    """A render from memory costs no more than Jinja2's own, which looks at its sources, too (at least 0.95)."""
    service = service_of(release)
    service.rebuild()
    theirs = jinja_of(release, tmp_path)
    names = ["components/badge.html", "errors/404.html", "login.html", "_partials/footer.html"]

    def ours_once() -> None:
        for name in names * 50:
            service.views.render(name, CONTEXT)

    def theirs_once() -> None:
        for name in names * 50:
            theirs.get_template(name).render(CONTEXT)

    renders = len(names) * 50
    ratios.compare(
        "warm renders a second",
        lambda: rate(ours_once, renders),
        lambda: rate(theirs_once, renders),
        turns=21,
        least=0.95,
    )


def test_a_fresh_environment(release: Release, tmp_path: Path, ratios: Ratios) -> None:
    """A process with nothing in memory finds all its compiled views sooner than with Jinja2's own (at least 1.3)."""
    service_of(release).rebuild()
    names = sorted(CompiledViews(release.views_source, release.compiled_path).sources.names())

    def ours() -> None:
        views = service_of(release).views
        for name in names:
            views.get_template(name)

    def theirs() -> None:
        environment = jinja_of(release, tmp_path)
        for name in names:
            environment.get_template(name)

    theirs()
    ratios.compare(
        "views a second into a fresh environment",
        lambda: rate(ours, len(names)),
        lambda: rate(theirs, len(names)),
        turns=9,
        least=1.3,
    )


# Each in a process of its own, as a console command is: forking costs a large process more than a small one.
REBUILD = """
import sys, time
from fixtures.gateway.release import Release
from fixtures.gateway.views.view_cache_service import ViewCacheService
service = ViewCacheService.of(Release.at(sys.argv[1]))
started = time.perf_counter()
views = service.rebuild().views
print(views / (time.perf_counter() - started))
"""
COMPILE_TEMPLATES = """
import sys, time, jinja2
environment = jinja2.Environment(loader=jinja2.FileSystemLoader(sys.argv[1]), autoescape=True)
views = len(environment.list_templates())
started = time.perf_counter()
environment.compile_templates(sys.argv[2], zip=None)
print(views / (time.perf_counter() - started))
"""


def test_a_cold_rebuild(release: Release, tmp_path: Path, ratios: Ratios) -> None:
    """Every view compiled from nothing, to code, under the lock, published: on two cores at least 1.5 times as fast."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("the promise is for two cores")

    def told(code: str, *arguments: Path) -> float:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=True
        )
        return float(done.stdout)

    ratios.compare(
        f"views a second in a cold rebuild of {VIEWS}",
        lambda: told(REBUILD, release.root),
        lambda: told(COMPILE_TEMPLATES, release.views_source, tmp_path),
        turns=9,
        least=1.5,
    )


# The application alone, as its server calls it: what the server costs would only hide what the middleware does.
REQUESTS = """
import asyncio, sys
from fixtures.gateway.release import Release
from fixtures.gateway.web.application import create_application
root, path, requests = sys.argv[1:]
application = create_application(Release.at(root))
common = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
common |= {"path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": []}
common |= {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80)}
async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}
async def send(message):
    assert message.get("status", 200) == 200, message
async def serve():
    for _ in range(int(requests)):
        await application(dict(common), receive, send)
asyncio.run(serve())
"""
FEW, MANY = 100, 600
"""Requests of two processes: what differs between them is requests, and not how they boot."""


@pytest.mark.parametrize("path", [pytest.param("/", id="dashboard"), pytest.param("/login", id="login")])
def test_the_middleware(release: Release, path: str, ratios: Ratios) -> None:
    """A request that needs no fix takes the application at most 3 % more instructions than without the middleware.

    Instructions are counted, not timed: no other load on the machine is in them.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.skip("valgrind is not installed to count instructions: apt-get install valgrind")
    counting = (valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null")
    service_of(release).rebuild()
    boot = release.root / "bootstrap" / "app.py"
    appended = boot.read_text()
    assert appended.count(APPEND) == 1

    def instructions(requests: int) -> int:
        done = subprocess.run(
            [*counting, sys.executable, "-c", REQUESTS, release.root, path, str(requests)],
            env=os.environ | {"PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        found = re.search(r"Collected : (\d+)", done.stderr)
        assert found is not None, done.stderr
        return int(found[1])

    def of_a_request(text: str) -> float:
        boot.write_text(text)
        try:
            return (instructions(MANY) - instructions(FEW)) / (MANY - FEW)
        finally:
            boot.write_text(appended)

    ratios.spend(
        f"instructions a request with the middleware, {path}",
        lambda: of_a_request(appended),
        lambda: of_a_request(appended.replace(APPEND, "stack.clear()")),
        turns=1,
        least=0.97,
    )
