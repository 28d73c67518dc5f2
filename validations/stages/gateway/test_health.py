"""The health check: five things looked at, each put right where it can be, told truthfully and in numbers."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fixtures.gateway.console import view_commands
from fixtures.gateway.deployment import filament_caches as filament
from fixtures.gateway.health.health_check import HealthCheck, HealthReport
from fixtures.gateway.health.hit_rate import Reading, Readings
from fixtures.gateway.health.logs import application_log, health_log, monitor_log
from fixtures.gateway.health.prometheus import exposition
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import minimum_views
from fixtures.gateway.views.view_cache_service import ViewCacheService

VIEWS = minimum_views()


@pytest.fixture(name="warm")
def _warm(release: Release) -> Release:
    """A release whose caches are there."""
    ViewCacheService.of(release).rebuild()
    filament.optimize(release)
    return release


def check_of(release: Release) -> HealthCheck:
    """Return the health check of a release that no server serves."""
    return HealthCheck(release, lambda: None)


def ill(report: HealthReport) -> list[str]:
    """Name what is not well."""
    return [check.name for check in report.checks if not check.ok]


def compiled(release: Release) -> list[Path]:
    """List the compiled files."""
    return sorted((release.compiled_path / "current").glob("*.view"))


def fail_in_the_log(release: Release) -> None:
    """Write what a broken view leaves in the application log."""
    now = datetime.now(release.settings.timezone)
    line = f"[{now:%Y-%m-%d %H:%M:%S}] production.ERROR: filemtime(): stat failed for /srv/views/a.php"
    application_log(release).append(line)


def test_a_warm_release_is_healthy(warm: Release) -> None:
    """All five are well, and the five metrics are what is there."""
    report = check_of(warm).examine()
    assert (report.status, ill(report)) == ("healthy", [])
    assert [check.name for check in report.checks] == ["permissions", "integrity", "room", "recent-errors", "opcache"]
    metrics = report.metrics
    assert (metrics.compiled_views, metrics.permissions, metrics.recent_errors) == (VIEWS, "ok", 0)
    assert metrics.opcache_hit_rate is None
    room = os.statvfs(warm.compiled_path)
    used = room.f_blocks - room.f_bfree
    assert metrics.disk_used_percent == pytest.approx(100 * used / (used + room.f_bavail), abs=1)


def _remove(release: Release) -> None:
    compiled(release)[3].unlink()


def _cut(release: Release) -> None:
    os.truncate(compiled(release)[3], 40)


def _edit(release: Release) -> None:
    with (release.views_source / "login.html").open("a") as source:
        source.write("<!-- edited -->")


def _clear(release: Release) -> None:
    ViewCacheService.of(release).clear()


def _open_to_all(release: Release) -> None:
    release.compiled_path.chmod(0o777)


def _open_cache_to_all(release: Release) -> None:
    release.bootstrap_cache.chmod(0o777)


def _take_away(release: Release) -> None:
    (release.storage / "framework" / "views").rename(release.storage / "framework" / "was")


@pytest.mark.parametrize(
    ("defect", "name"),
    [
        pytest.param(_remove, "integrity", id="view-missing"),
        pytest.param(_cut, "integrity", id="view-truncated"),
        pytest.param(_edit, "integrity", id="source-edited"),
        pytest.param(_clear, "integrity", id="cleared"),
        pytest.param(_open_to_all, "permissions", id="world-writable"),
        pytest.param(_open_cache_to_all, "permissions", id="cache-world-writable"),
        pytest.param(_take_away, "integrity", id="directory-gone"),
    ],
)
def test_a_defect_is_told_and_fixed(warm: Release, defect: Callable[[Release], None], name: str) -> None:
    """Looking tells the defect with a remedy and changes nothing; fixing it is told as fixed, once."""
    defect(warm)
    for _ in range(2):
        seen = check_of(warm).examine()
        assert seen.status == "unhealthy"
        assert name in ill(seen)
        (told,) = [check for check in seen.checks if check.name == name]
        assert told.remedy
        assert told.fixable
    fixed = check_of(warm).fix()
    assert fixed.status == "healthy"
    assert [check.name for check in fixed.checks if check.fixed] == ill(seen)
    again = check_of(warm).fix()
    assert (again.status, [check.name for check in again.checks if check.fixed]) == ("healthy", [])


def test_what_cannot_be_fixed_stays_told(warm: Release) -> None:
    """A template that does not compile is not called fixed: the report says why, and the exit code is 1."""
    (warm.views_source / "login.html").write_text("{% block %}")
    report = check_of(warm).fix()
    assert ill(report) == ["integrity"]
    (integrity,) = [check for check in report.checks if check.name == "integrity"]
    assert "login.html" in integrity.observed
    assert not integrity.fixed
    assert view_commands.health_check(warm, fix=True, as_json=True, no_log=True) == 1


def test_recent_errors_degrade_and_no_fix_hides_them(warm: Release) -> None:
    """A view error in the log's last hour is told by its signature, with and without a fix."""
    fail_in_the_log(warm)
    for report in (check_of(warm).examine(), check_of(warm).fix()):
        assert (report.status, ill(report), report.metrics.recent_errors) == ("degraded", ["recent-errors"], 1)
        (errors,) = [check for check in report.checks if check.name == "recent-errors"]
        assert "filemtime" in errors.observed


@pytest.mark.parametrize("fix", [False, True], ids=["look", "fix"])
def test_exit_code_json_and_log_agree(warm: Release, capsys: pytest.CaptureFixture[str], *, fix: bool) -> None:
    """What is printed, what is logged and the exit code tell the same, ill or well."""
    _cut(warm)
    code = view_commands.health_check(warm, fix=fix, as_json=True, no_log=False)
    told = json.loads(capsys.readouterr().out)
    logged = json.loads(health_log(warm).path.read_text().splitlines()[-1])
    assert code == (0 if fix else 1)
    assert told["healthy"] is fix
    assert told["fixed"] == logged["fixed"] == (["integrity"] if fix else [])
    assert (logged["status"], logged["fix"]) == (told["status"], fix)
    assert logged["compiled_views"] == told["metrics"]["compiled_views"] == (VIEWS if fix else VIEWS - 1)


def test_the_monitor_log_has_one_line_a_run(warm: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run appends one line of JSON with the five metrics, whatever they are; without root it is under storage."""
    log = monitor_log(warm, warm.root / "nowhere")
    assert log.path.parent == warm.logs
    monkeypatch.setattr("fixtures.gateway.console.view_commands.SYSTEM_LOGS", warm.root / "nowhere")
    for _ in range(2):
        assert view_commands.monitor(warm) == 0
    _cut(warm)
    fail_in_the_log(warm)
    assert view_commands.monitor(warm) == 0
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(line["compiled_views"], line["recent_errors"]) for line in lines] == [(VIEWS, 0)] * 2 + [(VIEWS - 1, 1)]
    assert {"time", "release", "permissions", "disk_used_percent", "opcache_hit_rate"} <= set(lines[0])


def test_the_five_metrics_are_prometheus_text(warm: Release) -> None:
    """Prometheus' own parser reads five gauges, each with help; what could not be observed is NaN."""
    first, second = Reading("a", 1, 0, 0, 1.0), Reading("a", 1, 9_000, 3_000, 2.0)
    Readings(warm.hit_rate_readings, enough=10_000).keep(first)
    families = {family.name: family for family in text_string_to_metric_families(exposition(warm, second))}
    values = {name.removeprefix("viewgate_gateway_"): family.samples[0].value for name, family in families.items()}
    assert set(values) == {"compiled_views", "permissions_ok", "disk_used_percent", "opcache_hit_rate", "recent_errors"}
    assert (values["compiled_views"], values["permissions_ok"], values["opcache_hit_rate"]) == (VIEWS, 1, 0.75)
    assert all(family.type == "gauge" and family.documentation for family in families.values())
    unknown = {family.name: family for family in text_string_to_metric_families(exposition(warm, first))}
    assert str(unknown["viewgate_gateway_opcache_hit_rate"].samples[0].value) == "nan"


def _states(release: Release) -> set[str]:
    return {state.state for state in filament.examine(release)}


def test_filament_caches_list_what_is_there(warm: Release) -> None:
    """Each panel has its component cache and all share the icon manifest; each entry is a source that exists."""
    states = filament.examine(warm)
    assert len(states) == len(filament.panels(warm)) + 1
    assert _states(warm) == {"fresh"}
    for panel in filament.panels(warm):
        cache = json.loads(filament.panel_cache(warm, panel).read_text())
        entries = [entry for kind in filament.KINDS for entry in cache[kind]]
        assert entries
        assert all((warm.root / entry["path"]).is_file() for entry in entries)
    assert {stat.S_IMODE(state.path.stat().st_mode) & 0o022 for state in states} == {0}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        pytest.param(None, "missing", id="missing"),
        pytest.param("", "unloadable", id="empty"),
        pytest.param("{", "unloadable", id="torn"),
        pytest.param('{"icons": []}', "stale", id="of-nothing"),
    ],
)
def test_a_filament_cache_that_is_not_right_is_told(warm: Release, text: str | None, state: str) -> None:
    """Missing, unloadable and stale are told apart, and optimize puts each right."""
    if text is None:
        warm.icon_manifest.unlink()
    else:
        warm.icon_manifest.write_text(text)
    assert _states(warm) == {"fresh", state}
    filament.optimize(warm)
    assert _states(warm) == {"fresh"}


def test_a_component_that_came_or_went_makes_its_cache_stale(warm: Release) -> None:
    """A source that is new, changed or gone is told by its name, and a broken one replaces nothing."""
    folder = warm.filament_sources / "admin" / "pages"
    new = folder / "new-page.toml"
    new.write_text('name = "new-page"\n')
    (stale,) = [state for state in filament.examine(warm) if not state.fresh]
    assert "new-page.toml is not listed" in stale.detail
    filament.optimize(warm)
    new.unlink()
    (stale,) = [state for state in filament.examine(warm) if not state.fresh]
    assert "does not exist" in stale.detail
    filament.optimize(warm)
    before = filament.panel_cache(warm, "admin").read_bytes()
    new.write_text("name = ")
    with pytest.raises(filament.FilamentError, match=r"new-page\.toml"):
        filament.optimize(warm)
    assert filament.panel_cache(warm, "admin").read_bytes() == before
