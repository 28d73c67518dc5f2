"""The gateway's compiled views against Jinja2's own bytecode cache, and its middleware against none."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest

from fixtures.environments import redis_server
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import create_application_directory
from fixtures.gateway.views.compiled_views import OPTIONS, CompiledViews
from fixtures.gateway.views.view_cache_service import ViewCacheService
from fixtures.options import lack
from fixtures.processes import end
from validations.benchmarks.conftest import Ratios, rate
from validations.stages.gateway.served import Served, serving

VIEWS = 682
CPUCLOCK_SCHED = 2
"""The kind of a process's clock that counts exactly, as in clock_getcpuclockid(3)."""

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


@pytest.fixture(scope="module", name="plain")
def _plain() -> Iterator[Served]:
    """A gateway without the middleware."""
    with serving(120) as served:
        boot = served.root.resolve() / "bootstrap" / "app.py"
        boot.write_text(boot.read_text().replace("    stack.append(AutoFixViewCache)", "    stack.clear()"))
        deployed = served.artisan("deploy", "--gate", "true")
        assert deployed.returncode == 0, deployed.stderr
        yield served


@pytest.fixture(scope="module", name="healing")
def _healing() -> Iterator[Served]:
    """A gateway as it is."""
    with serving(120) as served:
        yield served


@pytest.mark.parametrize("path", [pytest.param("/", id="dashboard"), pytest.param("/login", id="login")])
def test_the_middleware(plain: Served, healing: Served, path: str, ratios: Ratios, pytestconfig: pytest.Config) -> None:
    """A request that needs no fix costs a worker next to no more than without the middleware (at least 0.97).

    Time of the workers' processors is compared, not how long it took: what else the machine does is not in it. Rounds
    are short and take turns, so that what is left of a machine's moods meets both.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        lack(pytestconfig, "wrk", "there is no wrk on PATH to make traffic with")

    def seconds_a_request(served: Served) -> float:
        before = sum(map(processor_seconds, served.workers()))
        done = subprocess.run(
            [wrk, "-t1", "-c4", "-d1s", served.environment.url + path],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "Non-2xx" not in done.stdout
        found = re.search(r"(\d+) requests in", done.stdout)
        assert found is not None
        return (sum(map(processor_seconds, served.workers())) - before) / int(found[1])

    ratios.spend(
        f"seconds of a worker's processor a request with the middleware, {path}",
        lambda: seconds_a_request(healing),
        lambda: seconds_a_request(plain),
        turns=31,
        least=0.97,
    )


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, to the nanosecond: Linux has a clock for every process."""
    return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
