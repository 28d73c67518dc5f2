"""The hit rate: judged between two readings of one server's counters, over enough lookups, and only then."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from fixtures.gateway.console import view_commands
from fixtures.gateway.health.health_check import Check, HealthCheck, HealthReport
from fixtures.gateway.health.hit_rate import Reading, Window, enough_lookups
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import create_application_directory, minimum_views
from fixtures.gateway.views.view_cache_service import ViewCacheService
from fixtures.gateway.web.counters import SharedCounters
from validations.stages.gateway.served import Served, is_complete, kill_and_replace, serving

START = (0, 0)
# What a pool of 682 views had counted when it had just started and was healthy.
FILLING = (4_666, 5_654)
GOOD = (9_000, 1_000)
BAD = (4_000, 6_000)
FEW = (10, 90)
# Of all pages the one with the most views.
PAGE = "/admin/admin/resources/calls/list"


@pytest.fixture(scope="module", name="compiled")
def _compiled(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Release:
    app = tmp_path_factory.mktemp("hit-rate") / "app"
    env = {"APP_TOKEN": "secret-token", "REDIS_URL": redis_url}
    release = Release.at(create_application_directory(app, views=minimum_views(), env=env))
    ViewCacheService.of(release).rebuild()
    return release


@pytest.fixture(name="warm")
def _warm(compiled: Release) -> Release:
    """A release whose views are compiled, and for which no reading is kept."""
    path = compiled.hit_rate_readings
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    return compiled


def look(
    release: Release,
    counted: tuple[int, int] | None,
    *,
    keep: bool = True,
    fix: bool = False,
    server: str = "a",
    workers: int = 2,
) -> HealthReport:
    """Run the health check while the workers have counted that much."""
    reading = None if counted is None else Reading(server, workers, *counted, 1_800_000_000.0)
    check = HealthCheck(release, lambda: reading)
    return check.fix(keep=keep) if fix else check.examine(keep=keep)


def opcache(report: HealthReport) -> Check:
    """Return the check of the hit rate."""
    return next(check for check in report.checks if check.name == "opcache")


def plus(*steps: tuple[int, int]) -> tuple[int, int]:
    """Return the counters after these steps."""
    return sum(hits for hits, _ in steps), sum(misses for _, misses in steps)


@pytest.mark.parametrize(
    ("steps", "ok", "rate", "told"),
    [
        pytest.param([FILLING], True, None, "4,666 of 10,320", id="just-started-and-filling"),
        pytest.param([START, FEW], True, None, "10 of 100", id="too-few-lookups"),
        pytest.param([FILLING, START], True, None, "0 of 0", id="no-lookup-between"),
        pytest.param([START, GOOD], True, 0.9, "9,000 of 10,000", id="good"),
        pytest.param([START, BAD], False, 0.4, "4,000 of 10,000", id="bad"),
        pytest.param([FILLING, GOOD], True, 0.9, "9,000 of 10,000", id="filled-and-good-since"),
        pytest.param([(99_000, 1_000), BAD], False, 0.4, "4,000 of 10,000", id="good-since-the-start-and-bad-now"),
        pytest.param([START, BAD, START], False, 0.4, "4,000 of 10,000", id="bad-and-looked-at-again"),
        pytest.param([START, BAD, (5_000, 0)], True, 0.6, "9,000 of 15,000", id="bad-and-better-since"),
        pytest.param([START, BAD, FEW, GOOD], True, 0.8921, "9,010 of 10,100", id="bad-and-good-since"),
        pytest.param([START, GOOD, BAD], False, 0.4, "4,000 of 10,000", id="good-and-bad-since"),
        pytest.param([START, FEW, FEW, BAD], False, 0.3941, "4,020 of 10,200", id="few-add-up"),
        pytest.param([START, (5_000, 5_000)], True, 0.5, "5,000 of 10,000", id="just-enough"),
        pytest.param([START, (4_999, 5_001)], False, 0.4999, "4,999 of 10,000", id="just-below"),
    ],
)
def test_a_rate_is_of_the_lookups_between_two_readings(
    warm: Release, steps: Sequence[tuple[int, int]], rate: float | None, told: str, *, ok: bool
) -> None:
    """Each step adds lookups and is read; the last reading is judged by what lies between, or says that it is not."""
    for end in range(1, len(steps)):
        look(warm, plus(*steps[:end]))
    report = look(warm, plus(*steps))
    found = opcache(report)
    assert (found.ok, found.judged, report.metrics.opcache_hit_rate) == (ok, rate is not None, rate)
    assert f"{told} lookups" in found.observed
    assert report.status == ("healthy" if ok else "degraded")


@pytest.mark.parametrize(
    ("counted", "server"),
    [
        pytest.param(BAD, "b", id="another-server"),
        pytest.param(plus(FILLING, BAD), "b", id="another-server-that-counted-more"),
        pytest.param((0, 20_000), "a", id="hits-went-back"),
        pytest.param((20_000, 0), "a", id="misses-went-back"),
    ],
)
def test_counters_that_started_afresh_are_not_judged(warm: Release, counted: tuple[int, int], server: str) -> None:
    """After a restart or a reset the reading is the first one; the next is judged by it."""
    look(warm, FILLING)
    first = look(warm, counted, server=server)
    assert (opcache(first).ok, opcache(first).judged, first.metrics.opcache_hit_rate) == (True, False, None)
    assert opcache(look(warm, plus(counted, BAD), server=server)).ok is False


@pytest.mark.parametrize(
    ("workers", "ok"),
    [pytest.param(2, False, id="two-workers"), pytest.param(64, True, id="many-workers")],
)
def test_more_workers_need_more_lookups(warm: Release, workers: int, *, ok: bool) -> None:
    """Every worker loads every view once, so what is bad for two workers may be a start of many."""
    look(warm, START, workers=workers)
    found = opcache(look(warm, BAD, workers=workers))
    assert (found.ok, found.judged) == (ok, not ok)
    assert enough_lookups(682, 64) >= 2 * 682 * 64


def _unreadable(path: Path) -> None:
    path.write_text("[{")


def _of_another_shape(path: Path) -> None:
    path.write_text(json.dumps([{"server": "a", "workers": 2, "hits": "many", "misses": None, "time": 1}]))


def _negative(path: Path) -> None:
    path.write_text(json.dumps([{"server": "a", "workers": 2, "hits": -50_000, "misses": 0, "time": 1}]))


def _too_long(path: Path) -> None:
    path.write_text("[" * 100_000)


def _a_pipe(path: Path) -> None:
    os.mkfifo(path)


def _a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("spoil", [_unreadable, _of_another_shape, _negative, _too_long, _a_pipe, _a_device])
def test_readings_that_cannot_be_used_are_replaced(warm: Release, spoil: Callable[[Path], None]) -> None:
    """Whatever lies where the readings are kept, the check ends, judges nothing by it, and keeps its own."""
    spoil(warm.hit_rate_readings)
    assert opcache(look(warm, START)).judged is False
    assert opcache(look(warm, BAD)).ok is False


def test_a_reading_that_cannot_be_kept_is_reported(warm: Release) -> None:
    """Where the reading cannot be written the check says so with the path, and judges as before."""
    look(warm, START)
    warm.hit_rate_readings.unlink()
    warm.hit_rate_readings.mkdir()
    found = opcache(look(warm, BAD))
    assert (found.ok, found.judged) == (True, False)
    assert f"could not be kept: {warm.hit_rate_readings}" in found.observed


def test_looking_without_keeping_changes_nothing(warm: Release) -> None:
    """A check that keeps nothing judges by the readings that are there, and leaves them alone."""
    look(warm, FILLING, keep=False)
    assert not warm.hit_rate_readings.exists()
    look(warm, FILLING)
    before = warm.hit_rate_readings.read_bytes()
    assert opcache(look(warm, plus(FILLING, BAD), keep=False)).ok is False
    assert warm.hit_rate_readings.read_bytes() == before


def test_a_fix_does_not_make_a_bad_rate_good(warm: Release) -> None:
    """With --fix the rate is judged by the same lookups as without, and is not called fixed."""
    look(warm, START)
    for _ in range(2):
        found = opcache(look(warm, BAD, fix=True))
        assert (found.ok, found.fixed) == (False, False)


def test_without_a_server_nothing_is_judged(warm: Release, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no server answers, the check says so, in JSON and for people; it is neither red nor simply ok."""
    found = opcache(look(warm, None))
    assert (found.ok, found.judged) == (True, False)
    assert view_commands.health_check(warm, fix=False, as_json=True, no_log=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["metrics"]["opcache_hit_rate"] is None
    assert {check["name"] for check in told["checks"] if not check["judged"]} == {"opcache"}
    view_commands.health_check(warm, fix=False, as_json=False, no_log=True)
    assert "unknown opcache: not judged: no gateway answers" in capsys.readouterr().out


def test_a_successor_counts_on() -> None:
    """A worker that takes a slot over adds to it, so the totals of a server never decrease; another starts at zero."""
    counters = SharedCounters(2)
    counters.publish(0, 5, 2)
    counters.publish(1, 1, 1)
    hits, misses = counters.counted(0)
    counters.publish(0, hits + 1, misses)
    assert counters.totals() == (7, 3)
    other = SharedCounters(2)
    assert (other.totals(), other.server != counters.server) == ((0, 0), True)


def test_windows_say_their_rate() -> None:
    """A window's rate is its share of hits."""
    assert Window(hits=1, lookups=3, since=0.0).rate == 0.3333


@pytest.fixture(name="served")
def _served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with serving(getattr(request, "param", minimum_views())) as served:
        yield served


def counted(served: Served) -> Reading:
    """Ask the running server for its counters."""
    return Reading.of(httpx.get(f"{served.environment.url}/up", timeout=10).json()["opcache"])


def test_the_counters_are_of_one_start_of_the_server(served: Served) -> None:
    """Workers that are killed and replaced count on; after a restart of the server the reading is a first one."""
    assert is_complete(served.page())
    served.health()
    first = counted(served)
    kill_and_replace(served, *served.workers())
    assert is_complete(served.page())
    second = counted(served)
    assert second.follows(first)
    assert second.lookups > first.lookups
    served.stage.restart()
    assert is_complete(served.page())
    assert not counted(served).follows(first)
    (told,) = [check for check in served.health()["checks"] if check["name"] == "opcache"]
    assert (told["ok"], told["judged"]) == (True, False)
    assert "no earlier reading" in told["observed"]


def visit(served: Served, lookups: int, between: Callable[[], None] = lambda: None) -> None:
    """Request pages until the workers have looked up so many views more; `between` is done before each request."""
    enough = counted(served).lookups + lookups
    with httpx.Client(base_url=served.environment.url, headers=served.headers, timeout=30) as client:
        for number in range(1, lookups):
            between()
            assert client.get(PAGE).text.rstrip().endswith("</html>")
            if number % 20 == 0 and counted(served).lookups >= enough:
                return


@pytest.mark.profile("ci")
@pytest.mark.parametrize("served", [682], indirect=True)
def test_a_start_under_traffic_is_healthy_and_a_bad_rate_is_not(served: Served) -> None:
    """A server of 682 views is healthy from its start on; one whose views keep changing is not, until they stop."""

    def touch() -> None:
        for file in (served.compiled / "current").glob("*.view"):
            os.utime(file)

    rates = []
    for _ in range(3):
        report = served.health()
        assert report["healthy"] is True, report["checks"]
        rates.append(report["metrics"]["opcache_hit_rate"])
        visit(served, 10_000)
    assert rates[0] is None
    assert all(rate > 0.9 for rate in rates[1:]), rates
    served.health()
    visit(served, 10_000, touch)
    for arguments in ((), ("--fix",), ("--no-log",)):
        report = served.health(*arguments)
        assert [check["name"] for check in report["checks"] if not check["ok"]] == ["opcache"]
        assert report["metrics"]["opcache_hit_rate"] < 0.5
    visit(served, 10_000)
    assert served.health()["healthy"] is True
