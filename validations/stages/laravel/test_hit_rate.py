"""OPcache's hit rate: judged between two readings of one pool of php-fpm, over enough lookups, and only then."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.environments.laravel_stage import LaravelStage
from fixtures.processes import wait_until
from validations.stages.gateway.served import Served, is_complete, serving

# The page takes some 870 lookups, and a rate is judged over 10,000.
VISITS = 12
# OPcache caches no file that is younger than this, in whole seconds.
PROTECTED_SECONDS = 3


def opcache(report: dict[str, Any]) -> tuple[bool, bool, float | None]:
    """Return of a health report whether the hit rate is ok, whether it was judged, and the metric."""
    (check,) = [check for check in report["checks"] if check["name"] == "opcache"]
    return check["ok"], check["judged"], report["metrics"]["opcache_hit_rate"]


def observed(report: dict[str, Any]) -> str:
    """Return what the report says of the hit rate."""
    return next(str(check["observed"]) for check in report["checks"] if check["name"] == "opcache")


def visit(served: Served, between: Callable[[], None] = lambda: None) -> None:
    """Request the page often enough for a rate; `between` is done before each request."""
    for _ in range(VISITS):
        between()
        assert is_complete(served.page())


def settle(served: Served) -> None:
    """Wait until OPcache may cache every file of the release: none of them is that young any more."""
    files = [*served.compiled.glob("current/*.php"), *served.root.resolve().glob("app/**/*.php")]
    youngest = max(file.stat().st_mtime for file in files)
    wait_until(
        lambda: time.time() >= int(youngest) + PROTECTED_SECONDS, awaited="files that OPcache may cache", seconds=30
    )


def touch(served: Served) -> None:
    """Change the time stamps of the compiled views and of the classes: OPcache has to load each of them again."""
    for file in (*served.compiled.glob("current/*.php"), *served.root.resolve().glob("app/**/*.php")):
        os.utime(file)


def readings(served: Served) -> Path:
    """Return the file that the readings are kept in."""
    return served.root.resolve() / "storage/framework/opcache-readings.json"


@pytest.mark.parametrize(
    "views", [pytest.param(None, id="one-resource"), pytest.param(682, id="all", marks=pytest.mark.profile("ci"))]
)
def test_a_pool_that_has_just_started_is_healthy(served: Served, views: int | None) -> None:
    """From its first request on, and while it loads what was just rebuilt, a pool under traffic is healthy."""
    with contextlib.nullcontext(served) if views is None else serving(views, kind="laravel") as started:
        started.stage.restart()
        assert opcache(started.health()) == (True, False, None)
        assert opcache(started.health()) == (True, False, None)
        assert started.artisan("view:cache").returncode == 0
        visit(started)
        rebuilt = started.health()
        assert rebuilt["healthy"] is True, rebuilt["checks"]
        assert rebuilt["metrics"]["opcache_hit_rate"] is None or rebuilt["metrics"]["opcache_hit_rate"] >= 0.5
        settle(started)
        visit(started)
        ok, judged, rate = opcache(started.health())
        assert (ok, judged) == (True, True)
        assert rate is not None
        assert rate > 0.9


def test_a_bad_rate_between_two_readings_is_red_until_it_is_good(served: Served) -> None:
    """Where something keeps changing the files, the check is red, by every later look and --fix, until it stops."""
    settle(served)
    served.health()
    visit(served)
    assert opcache(served.health())[:2] == (True, True)
    visit(served, lambda: touch(served))
    for arguments in ((), ("--fix",), ("--no-log",)):
        report = served.health(*arguments)
        assert [check["name"] for check in report["checks"] if not check["ok"]] == ["opcache"]
        assert report["status"] == "degraded"
        assert report["fixed"] == []
        assert report["metrics"]["opcache_hit_rate"] < 0.5
    settle(served)
    visit(served)
    assert opcache(served.health())[:2] == (True, True)


@pytest.mark.profile("ci")
def test_rebuild_upon_rebuild_is_red(served: Served) -> None:
    """A rebuild or two explain a bad rate; where every visitor meets views that were just rebuilt, it is a defect."""
    settle(served)
    served.health()

    def rebuild() -> None:
        assert served.artisan("view:cache").returncode == 0
        touch(served)

    visit(served, rebuild)
    assert opcache(served.health())[:2] == (False, True)
    served.stage.restart()
    assert opcache(served.health()) == (True, False, None)


def test_a_pool_that_reloaded_starts_afresh(served: Served) -> None:
    """After a graceful reload of php-fpm its counters are not compared with those of the pool before."""
    settle(served)
    served.health()
    visit(served)
    (before, *_) = json.loads(readings(served).read_text())
    assert isinstance(served.stage, LaravelStage)
    assert served.stage.fpm is not None
    os.kill(served.stage.fpm.pid, signal.SIGUSR2)

    def reloaded() -> bool:
        return is_complete(served.page()) and "no earlier reading" in observed(served.health("--no-log"))

    wait_until(reloaded, awaited="a pool that has started anew", seconds=30)
    assert opcache(served.health()) == (True, False, None)
    (kept,) = json.loads(readings(served).read_text())
    assert kept["pool"] != before["pool"]


def _unreadable(path: Path) -> None:
    path.write_text("[{")


def _of_another_shape(path: Path) -> None:
    path.write_text('[{"pool": 1, "hits": "many"}, 7]')


def _of_counters_ahead(path: Path) -> None:
    kept = json.loads(path.read_text())
    path.write_text(json.dumps([{**kept[-1], "hits": kept[-1]["hits"] + 10**9}]))


@pytest.mark.parametrize("spoil", [_unreadable, _of_another_shape, _of_counters_ahead])
def test_readings_that_cannot_be_used_are_replaced(served: Served, spoil: Callable[[Path], None]) -> None:
    """Whatever the file of readings holds, the check ends, judges nothing by it, and keeps a reading of its own."""
    served.health()
    spoil(readings(served))
    before = readings(served).read_bytes()
    assert opcache(served.health("--no-log")) == (True, False, None)
    assert readings(served).read_bytes() == before
    assert opcache(served.health()) == (True, False, None)
    (kept,) = json.loads(readings(served).read_text())
    assert set(kept) == {"pool", "hits", "misses", "time", "generation", "settled", "full", "protection"}


def test_a_reading_that_cannot_be_kept_is_reported(served: Served) -> None:
    """Where the reading cannot be written the check says so with the path, and nothing else is wrong."""
    readings(served).unlink(missing_ok=True)
    readings(served).mkdir()
    try:
        report = served.health()
    finally:
        readings(served).rmdir()
    assert opcache(report) == (True, False, None)
    assert f"could not be kept: {readings(served)}" in observed(report)


def test_a_pool_that_cannot_be_asked_is_red(served: Served) -> None:
    """Without the pool's socket there is no reading, and the remedy names the setting."""
    nowhere = str(served.root / "nowhere.sock")
    report = json.loads(served.artisan("view:health-check", "--json", "--no-log", FPM_SOCKET=nowhere).stdout)
    assert opcache(report) == (False, True, None)
    (check,) = [check for check in report["checks"] if check["name"] == "opcache"]
    assert "FPM_SOCKET" in check["remedy"]
