"""The gateway's logs: written by several processes, rotated, read back by signature."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from fixtures.gateway.health.logs import LaravelFormatter, LaravelHandler, RotatingLog, monitor_log
from fixtures.gateway.health.view_errors import SIGNATURES, entries, recent_view_errors, signature_of
from fixtures.gateway.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> RotatingLog:
    return RotatingLog(tmp_path / "laravel.log")


@pytest.fixture(name="logger")
def _logger(log: RotatingLog) -> Iterator[logging.Logger]:
    logger = logging.getLogger(f"test_logs.{os.getpid()}")
    logger.propagate = False
    logger.setLevel("INFO")
    handler = LaravelHandler(log, LaravelFormatter("production", ZoneInfo("UTC"), {"hunter2"}))
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)


def _fail() -> None:
    try:
        Path("/absent/storage/framework/views/a.view").stat()
    except FileNotFoundError as error:
        raise ValueError("one\n[2026-01-01 00:00:00] forged.ERROR: two") from error


def test_an_exception_is_one_entry_with_its_causes(log: RotatingLog, logger: logging.Logger) -> None:
    """An entry is in Laravel's format, over several lines, and nothing in it can pass for another entry."""
    try:
        _fail()
    except ValueError:
        logger.exception("view failed\n[2026-01-01 00:00:00] forged.ERROR: x", extra={"context": {"view": "a.html"}})
    logger.info("next")
    first, second = entries(log.path.read_text())
    assert (first.channel, first.level, second.text) == ("production", "ERROR", "next")
    lines = first.text.split("\n")
    assert lines[0].startswith('view failed\\n[2026-01-01 00:00:00] forged.ERROR: x {"view":"a.html",')
    assert '"exception":"[object] (ValueError(code: 0): one\\n[2026-01-01' in lines[0]
    assert lines[1] == "[stacktrace]"
    assert lines[2].startswith("#0 ")
    assert any(line.startswith("[previous exception] [object] (FileNotFoundError(code: 0): ") for line in lines)
    assert lines[-1].endswith('"}')


def test_a_secret_does_not_reach_the_log(log: RotatingLog, logger: logging.Logger) -> None:
    """The Redis password and the token are struck out wherever they stand in an entry."""
    logger.error("no route to redis://:hunter2@10.0.0.1", extra={"context": {"password": "hunter2"}})
    assert "hunter2" not in log.path.read_text()
    assert log.path.read_text().count("***") == 2


def test_a_log_that_cannot_be_written_does_not_raise(
    tmp_path: Path, logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request does not fail because its log line cannot be written: the line goes to stderr."""
    handler = logger.handlers[0]
    assert isinstance(handler, LaravelHandler)
    handler.log = RotatingLog(tmp_path / "absent" / "laravel.log")
    logger.error("lost")
    assert "production.ERROR: lost\n" in capsys.readouterr().err


def test_rotation_keeps_a_chain_and_loses_nothing_young(tmp_path: Path) -> None:
    """A log that grows over its size moves to .1, .1 to .2, and no further than the chain is long."""
    log = RotatingLog(tmp_path / "a.log", rotate_at=100, backups=2)
    for number in range(40):
        log.append(f"{number:09d}")
    kept = [path.read_text() for path in (log.backup(2), log.backup(1), log.path)]
    assert "".join(kept).split() == [f"{number:09d}" for number in range(10, 40)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]


def test_processes_that_rotate_one_log_lose_no_entry(tmp_path: Path) -> None:
    """Entries of several processes all arrive, each whole, while the log rotates under them."""
    log = RotatingLog(tmp_path / "a.log", rotate_at=20_000, backups=50)
    children = []
    for writer in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for number in range(2_000):
                    log.append(f"{writer}:{number:060d}")
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
    lines = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{writer}:{number:060d}" for writer in range(4) for number in range(2_000))


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        pytest.param("filemtime", "filemtime(): stat failed for /app/storage/framework/views/a.php", id="brief"),
        pytest.param("require", "require(/a/b.php): Failed to open stream: No such file", id="require"),
        pytest.param("rename", "rename(/a,/b): No such file or directory", id="rename"),
        pytest.param("hash_file", "hash_file(/a): Failed to open stream", id="hash-file"),
        pytest.param("missing-file", "File does not exist at path /a.", id="file-does-not-exist"),
        pytest.param("root-tag", "Livewire\\RootTagMissingFromViewException", id="root-tag"),
        pytest.param("hint-path", "No hint path defined for [x]", id="hint-path"),
        pytest.param("template", "[object] (jinja2.exceptions.TemplateNotFound(code: 0): a.html", id="jinja"),
    ],
)
def test_a_view_error_is_known_by_its_signature(signature: str, text: str) -> None:
    """Each way in which the view cache is known to fail is recognised."""
    assert signature_of(text) == signature
    assert set(SIGNATURES) >= {signature}


def test_only_view_errors_of_the_last_hour_count(log: RotatingLog) -> None:
    """Older entries, other errors, mere notices and the tail of a rotated entry are not counted; warnings are."""
    log.append("#3 tail of an entry: filemtime(): stat failed")
    log.append("[2026-11-24 02:59:59] production.ERROR: filemtime(): stat failed")
    log.append("[2026-11-24 03:00:00] production.ERROR: filemtime(): stat failed\n[stacktrace]\n#0 x")
    log.append("[2026-11-24 03:30:00] production.NOTICE: filemtime(): stat failed")
    log.append("[2026-11-24 03:30:00] production.WARNING: touch(): Utime failed")
    log.append("[2026-11-24 03:31:00] production.ERROR: a queue is down")
    log.append('[2026-11-24 03:32:00] production.CRITICAL: x {"exception":"\nrequire(a): Failed to open stream')
    found = recent_view_errors(log, NOW)
    assert found.by_signature == {"filemtime": 1, "touch": 1, "require": 1}
    assert found.total == 3
    assert found.latest is not None
    assert found.latest.startswith("x ")


def test_errors_rotated_away_within_the_hour_still_count(log: RotatingLog) -> None:
    """A rotation does not make the last hour look clean."""
    log.append("[2026-11-24 03:30:00] production.ERROR: filemtime(): stat failed")
    log.path.rename(log.backup(1))
    assert recent_view_errors(log, NOW).total == 1


@pytest.mark.parametrize(
    ("now", "stamp"),
    [
        pytest.param(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "02:05:00", id="after-the-clock-went-back"),
        pytest.param(datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "02:50:00", id="before-the-clock-went-back"),
        pytest.param(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "01:45:00", id="over-the-missing-hour"),
    ],
)
def test_an_error_counts_across_a_change_of_the_clock(log: RotatingLog, now: datetime, stamp: str) -> None:
    """An error of the last hour counts although the stamps carry no offset and the clocks were changed."""
    local = now.astimezone(ZoneInfo("Europe/Berlin"))
    log.append(f"[{local:%Y-%m-%d} {stamp}] production.ERROR: filemtime(): stat failed")
    assert recent_view_errors(log, local).total == 1


def test_an_absent_log_holds_no_errors(log: RotatingLog) -> None:
    """Nothing was logged where there is no log yet."""
    assert recent_view_errors(log, NOW, timedelta(hours=1)).total == 0


def test_the_monitor_log_is_the_systems_where_it_may_be_written(tmp_path: Path) -> None:
    """The monitor log stands in the system's log directory if that is writable, else in the application's."""
    release = Release(tmp_path / "release")
    system = tmp_path / "system"
    assert monitor_log(release, system).path == release.logs / "view-cache-monitor.log"
    system.mkdir()
    assert monitor_log(release, system).path == system / "view-cache-monitor.log"
