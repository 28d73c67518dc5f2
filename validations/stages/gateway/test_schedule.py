"""The schedule: what runs when, in the application's time zone, at most once a minute and never beside itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fixtures.gateway.release import Release
from fixtures.gateway.schedule.scheduler import ENTRIES, Scheduler
from fixtures.gateway.system.forking import fork, wait_for
from fixtures.processes import wait_until

SECONDS = 30
HEALTH, REBUILD, MONITOR = (entry.command for entry in ENTRIES)
BERLIN = ZoneInfo("Europe/Berlin")


def scheduler_of(release: Release, **actions: Callable[[], int]) -> Scheduler:
    """Give a scheduler whose commands do nothing but what is said."""
    return Scheduler(release, dict.fromkeys((HEALTH, REBUILD, MONITOR), lambda: 0) | actions)


def at(text: str) -> datetime:
    """Read a time in the application's time zone."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def due(now: str) -> list[str]:
    """Name what is due."""
    return [entry.command for entry in ENTRIES if entry.is_due(at(now))]


@pytest.mark.parametrize(
    ("now", "commands"),
    [
        pytest.param("2026-11-24T03:00:30", [HEALTH, REBUILD, MONITOR], id="at-three"),
        pytest.param("2026-11-24T03:01:00", [MONITOR], id="a-minute-later"),
        pytest.param("2026-11-24T15:05:59", [HEALTH, MONITOR], id="every-five-minutes"),
        pytest.param("2026-11-24T15:04:59", [MONITOR], id="not-yet"),
    ],
)
def test_what_is_due(now: str, commands: list[str]) -> None:
    """The health check is due every 5 minutes, the rebuild at the application's 03:00, the monitor each minute."""
    assert due(now) == commands


def test_a_day_has_one_rebuild_and_288_health_checks() -> None:
    """Over a whole day, minute by minute, nothing is due too often or too seldom."""
    midnight = at("2026-11-24T00:00:00")
    minutes = [midnight + timedelta(minutes=minute) for minute in range(24 * 60)]
    counts = {entry.command: sum(entry.is_due(minute) for minute in minutes) for entry in ENTRIES}
    assert counts == {HEALTH: 288, REBUILD: 1, MONITOR: 1440}


@pytest.mark.parametrize(
    ("now", "next_due"),
    [
        pytest.param("2026-11-24T02:59:59", "2026-11-24T03:00:00+01:00", id="today"),
        pytest.param("2026-11-24T03:00:00", "2026-11-25T03:00:00+01:00", id="tomorrow"),
        pytest.param("2026-03-28T12:00:00", "2026-03-29T03:00:00+02:00", id="clocks-go-forward"),
        pytest.param("2026-10-24T12:00:00", "2026-10-25T03:00:00+01:00", id="clocks-go-back"),
    ],
)
def test_the_rebuild_is_at_three_on_the_clock_on_the_wall(now: str, next_due: str) -> None:
    """03:00 is local time on each day, those on which the clocks change included."""
    (rebuild,) = [entry for entry in ENTRIES if entry.command == REBUILD]
    assert rebuild.next_due(at(now)).isoformat() == next_due


def test_outcomes_are_told(release: Release) -> None:
    """Each command that was due is told: done, failed with its code, killed by a signal, or raised."""

    def raises() -> int:
        raise OSError("no room")

    def dies() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    now = at("2026-11-24T03:00:00")
    told = scheduler_of(release, **{HEALTH: lambda: 3, REBUILD: raises, MONITOR: dies}).run(now)
    assert told == {HEALTH: "failed (exit 3)", REBUILD: "failed (exit 70)", MONITOR: "failed (signal 9)"}


def test_a_minute_runs_once(release: Release, tmp_path: Path) -> None:
    """Two crons that both ask in one minute run each command once; the next minute runs it again."""
    ran = tmp_path / "ran"

    def note() -> int:
        with ran.open("a") as file:
            file.write("x")
        return 0

    told = [
        scheduler_of(release, **{MONITOR: note}).run(at(f"2026-11-24T15:0{minute}:10"))[MONITOR] for minute in (1, 1, 2)
    ]
    assert told == ["done", "skipped: it has run in this minute", "done"]
    assert ran.read_text() == "xx"


def test_a_command_never_runs_beside_itself(release: Release, tmp_path: Path) -> None:
    """While one run of a command goes on, the next minute's is skipped, and others are not held up."""
    begun, ended = tmp_path / "begun", tmp_path / "ended"

    def goes_on() -> int:
        begun.touch()
        wait_until(ended.exists, awaited="the end of the test", seconds=SECONDS)
        return 0

    scheduler = scheduler_of(release, **{HEALTH: goes_on})

    def run() -> None:
        assert scheduler.run(at("2026-11-24T15:05:00"))[HEALTH] == "done"

    child = fork(run)
    try:
        wait_until(begun.exists, awaited="the first run", seconds=SECONDS)
        (entry,) = [entry for entry in ENTRIES if entry.command == HEALTH]
        assert scheduler.is_running(entry)
        told = scheduler.run(at("2026-11-24T15:10:00"))
        assert told == {HEALTH: "skipped: its last run has not ended", MONITOR: "done"}
    finally:
        ended.touch()
    assert wait_for(child) == 0
    assert not scheduler.is_running(entry)


class Asleep(Scheduler):
    """A scheduler on a machine that falls asleep before 03:00 and wakes hours later."""

    times: tuple[str, ...] = ("2026-11-24T02:59:30", "2026-11-24T02:59:30", "2026-11-24T05:13:00")

    def now(self) -> datetime:
        """Tell the time; it is asleep after the first turn."""
        now, *rest = self.times
        if rest:
            self.times = tuple(rest)
        return at(now)


def test_missed_runs_are_not_made_up_for(release: Release, tmp_path: Path) -> None:
    """A scheduler that slept over 03:00 does not rebuild when it wakes, and of many missed minutes none is queued."""
    ran = tmp_path / "ran"
    ran.touch()

    def note(word: str) -> Callable[[], int]:
        def run() -> int:
            with ran.open("a") as file:
                file.write(f"{word} ")
            return 0

        return run

    scheduler = Asleep(release, {HEALTH: note("health"), REBUILD: note("rebuild"), MONITOR: note("monitor")})
    child = fork(scheduler.work)
    try:
        wait_until(lambda: len(ran.read_text().split()) >= 2, awaited="the run after waking", seconds=SECONDS)
    finally:
        os.kill(child, signal.SIGTERM)
    assert wait_for(child) == 0
    assert ran.read_text().split() == ["monitor", "monitor"]


def test_work_waits_for_what_runs_when_it_is_told_to_end(release: Release, tmp_path: Path) -> None:
    """SIGTERM ends the worker after what it has started, not in the middle of it."""
    begun, ended = tmp_path / "begun", tmp_path / "ended"

    def goes_on() -> int:
        begun.touch()
        wait_until((tmp_path / "go").exists, awaited="the test's word", seconds=SECONDS)
        ended.touch()
        return 0

    scheduler = scheduler_of(release, **{MONITOR: goes_on})

    def work() -> None:
        scheduler.work()
        assert ended.exists()

    child = fork(work)
    wait_until(begun.exists, awaited="the first run", seconds=SECONDS)
    os.kill(child, signal.SIGTERM)
    (tmp_path / "go").touch()
    assert wait_for(child) == 0


def test_entries_are_listed_as_laravel_lists_its_own(release: Release, capsys: pytest.CaptureFixture[str]) -> None:
    """`schedule:list --json` has Laravel's keys, the time zone, and when each is due next."""
    from fixtures.gateway.console.schedule_commands import list_entries

    assert list_entries(release, as_json=True) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["expression"], row["command"], row["timezone"]) for row in rows] == [
        ("*/5 * * * *", "artisan view:health-check --fix", "Europe/Berlin"),
        ("0 3 * * *", "artisan view:cache", "Europe/Berlin"),
        ("* * * * *", "artisan view:monitor", "Europe/Berlin"),
    ]
    assert list_entries(release, as_json=False) == 0
    text = capsys.readouterr().out
    assert "Times are in Europe/Berlin." in text
    assert all(entry.command in text for entry in ENTRIES)


def test_the_schedule_alone_heals_within_its_interval(release: Release) -> None:
    """Layer 2: with no request and no hand, the next due health check puts a damaged view right."""
    from fixtures.gateway.console.schedule_commands import scheduler_of as real_scheduler_of
    from fixtures.gateway.views.view_cache_service import ViewCacheService

    service = ViewCacheService.of(release)
    service.rebuild()
    victim = next((release.compiled_path / "current").glob("*.view"))
    victim.write_bytes(b"")
    scheduler = real_scheduler_of(release)
    assert HEALTH not in scheduler.run(at("2026-11-24T15:04:59"))
    assert not service.is_healthy().healthy
    assert scheduler.run(at("2026-11-24T15:05:00"))[HEALTH] == "done"
    assert service.is_healthy().healthy
