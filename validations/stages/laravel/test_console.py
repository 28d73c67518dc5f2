"""The console: the health check and its five metrics, the schedule, the caches, the logs, the emergency script."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from validations.expectations import METRICS
from validations.stages.gateway.served import Served, is_complete, serving


@pytest.fixture(autouse=True)
def _healthy_after(served: Served) -> Iterator[None]:
    """Whatever tests before have left in the log is not there, and whatever this one broke is healthy afterwards."""
    log = served.app / "shared/storage/logs/laravel.log"
    log.write_bytes(b"")
    yield
    log.write_bytes(b"")
    report = served.health("--fix")
    assert report["healthy"] is True, report["checks"]


def check(report: dict[str, object], name: str) -> dict[str, object]:
    """Return one check of a health report."""
    checks = report["checks"]
    assert isinstance(checks, list)
    return next(check for check in checks if check["name"] == name)


def test_the_health_check_tells_the_five_metrics(served: Served) -> None:
    """A healthy stage has the brief's five metrics; of a pool that has just started there is no hit rate yet."""
    served.artisan("view:cache")
    assert is_complete(served.page())
    report = served.health()
    assert report["status"] == "healthy"
    assert list(report["metrics"]) == list(METRICS)
    assert report["metrics"]["compiled_views"] == len(list(served.compiled.glob("current/*.php")))
    assert report["metrics"]["permissions"] == "ok"
    assert 0 < report["metrics"]["disk_used_percent"] <= 100
    assert report["metrics"]["opcache_hit_rate"] is None
    assert report["metrics"]["recent_errors"] == 0


def test_metrics_are_exposed_for_prometheus(served: Served) -> None:
    """`/metrics` has the five, as Prometheus reads them."""
    families = {family.name: family for family in text_string_to_metric_families(served.get("/metrics").text)}
    assert set(families) >= {f"view_cache_{name}" for name in METRICS if name != "opcache_hit_rate"}
    assert families["view_cache_permissions"].samples[0].value == 1


@pytest.mark.parametrize("options", [pytest.param((), id="told"), pytest.param(("--fix",), id="fixed")])
def test_damage_and_modes_are_told_and_fixed(served: Served, options: tuple[str, ...]) -> None:
    """Damage and wrong modes turn the health check red; with --fix they are put right, and it says which."""
    file = next(served.compiled.glob("current/*.php"))
    os.truncate(file, file.stat().st_size // 2)
    file.chmod(0o666)
    (served.compiled / "current").resolve().chmod(0o777)
    report = served.health(*options)
    assert report["healthy"] is bool(options)
    assert sorted(report["fixed"]) == (["integrity", "permissions"] if options else [])
    if not options:
        assert "truncated" in str(check(report, "integrity")["observed"])
        assert "writable for everybody" in str(check(report, "permissions")["observed"])
        assert report["status"] == "unhealthy"


def test_a_closed_place_for_new_generations_is_told_and_fixed(served: Served) -> None:
    """Where the next rebuild could not begin, the health check is red before anybody rebuilds, and --fix opens it."""
    generations = served.compiled / "generations"
    generations.chmod(0o555)
    told = check(served.health(), "permissions")
    assert told["observed"] == f"{generations} is out of reach for {served.stage.runtime_user}"
    assert served.health("--fix")["fixed"] == ["permissions"]
    assert served.artisan("view:cache").returncode == 0


def test_a_view_error_of_the_last_hour_is_counted(served: Served) -> None:
    """An error of the view cache in the application's log is one of the metrics, and makes it degraded."""
    log = served.app / "shared/storage/logs/laravel.log"
    log.write_text("")
    # Its entry has the application's own stamp.
    served.artisan("view:cache")
    stamp = log.read_text()[:21]
    log.write_text(f"{stamp} production.ERROR: filemtime(): stat failed for /x.php (View: /y)\n#0 stack\n")
    report = served.health()
    assert (report["status"], report["metrics"]["recent_errors"]) == ("degraded", 1)
    assert "1 filemtime" in str(check(report, "recent-errors")["observed"])


def test_each_log_has_its_entries(served: Served) -> None:
    """A health check is an entry of its log, unless --no-log; a minute's figures are a line of the monitor's."""
    logs = served.app / "shared/storage/logs"
    served.health()
    before = (logs / "view-health-check.log").read_text()
    served.health("--no-log")
    assert (logs / "view-health-check.log").read_text() == before
    served.health()
    assert "healthy" in (logs / "view-health-check.log").read_text().removeprefix(before)
    assert served.artisan("view:monitor").returncode == 0
    line = (logs / "view-cache-monitor.log").read_text().splitlines()[-1]
    assert re.search(r'"compiled_views":\d', line.partition("healthy ")[2])


def test_the_schedule_is_the_briefs(served: Served) -> None:
    """The health check with --fix every five minutes, the full rebuild at 03:00, and the monitor's line a minute."""
    listed = served.artisan("schedule:list").stdout
    assert re.search(r"view:health-check --fix \| \*/5 \* \* \* \*", listed)
    assert re.search(r"view:cache\s+\| 0 3 \* \* \*", listed)
    assert re.search(r"view:monitor\s+\| \* \* \* \* \*", listed)


def test_the_component_caches_list_what_is_there(served: Served) -> None:
    """filament:optimize writes one cache a panel and the icon manifest; with a new class they are stale."""
    assert served.artisan("filament:optimize").returncode == 0
    cache = served.root.resolve() / "bootstrap/cache"
    assert sorted(path.name for path in (cache / "filament/panels").iterdir()) == ["admin.php", "agent.php"]
    assert "App\\\\Filament\\\\Admin\\\\Pages\\\\Health" in (cache / "filament/panels/admin.php").read_text()
    assert "'phone'" in (cache / "blade-icons.php").read_text()
    assert served.artisan("release:verify").returncode == 0
    page = served.root.resolve() / "app/Filament/Admin/Pages/Extra.php"
    page.write_text("<?php namespace App\\Filament\\Admin\\Pages; class Extra extends \\App\\Filament\\Page {}")
    try:
        stale = served.artisan("release:verify")
        assert (stale.returncode, "admin.php is stale" in stale.stdout) == (1, True)
    finally:
        page.unlink()


def test_optimized_it_serves_as_before(served: Served) -> None:
    """With configuration and routes cached the page is whole, and a rebuild flips the very link they name."""
    done = served.artisan("optimize")
    assert done.returncode == 0, done.stdout
    try:
        caches = served.root.resolve() / "bootstrap/cache"
        assert {path.name for path in caches.glob("*.php")} >= {"config.php", "routes-v7.php"}
        assert list(caches.glob(".staged-*")) == []
        before = (served.compiled / "current").resolve()
        assert served.artisan("view:cache").returncode == 0
        assert (served.compiled / "current").resolve() != before
        answer = served.page()
        assert is_complete(answer)
        assert answer.headers["x-auto-fix-view-cache"] == "untouched"
    finally:
        assert served.artisan("optimize:clear").returncode == 0
    assert is_complete(served.page())


@pytest.mark.profile("ci")
def test_the_emergency_script_brings_back_what_is_in_the_way(served: Served) -> None:
    """With a file where the compiled views should be and modes taken away, the script makes everything whole again."""
    moved = served.compiled.with_name("views.moved")
    served.compiled.rename(moved)
    served.compiled.write_text("in the way")
    (served.root.resolve() / "bootstrap/cache").chmod(0o500)
    try:
        done = served.run(served.root / "scripts/fix-view-cache-emergency.sh")
    finally:
        for path in (moved, *served.compiled.parent.glob("views.aside-*")):
            served.run("rm", "-rf", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("healthy")
    assert served.page().headers["x-auto-fix-view-cache"] == "untouched"


RENDER_ALL = r"""
require $argv[1].'/bootstrap/autoload.php';
$app = require $argv[1].'/bootstrap/app.php';
$app->make(Illuminate\Contracts\Console\Kernel::class)->bootstrap();
$call = json_decode(file_get_contents($argv[1].'/resources/calls/sample.json'));
$context = (new App\CallView\EnhancedCall(new App\CallView\Schema($argv[1].'/resources/calls')))->context($call);
$row = $context['rows']['call_id'];
$blocks = array_column(array_merge(...array_column($context['tiers'], 'blocks')), null, 'kind');
$told = [];
foreach ($app['App\Services\ViewCacheService']->templates() as $template) {
    if (! str_starts_with($template, $argv[1].'/resources/views/')) {
        continue;
    }
    $name = strtr(substr($template, strlen($argv[1].'/resources/views/'), -10), '/', '.');
    $data = ['row' => $row, 'shown' => $row->shown, 'part' => $row->shown, 'path' => 'call_id', 'save' => 'Save'];
    $kind = str_replace('calls.partials.', '', $name);
    $data += ['left' => $context['tiers'], 'block' => $blocks[$kind] ?? $blocks['facts']];
    if (preg_match('/^filament\.(\w+)\.resources\.([\w-]+)\./', $name, $found)) {
        $class = str_replace(' ', '', ucwords(strtr($found[2], '-', ' ')));
        $class = 'App\\Filament\\'.ucfirst($found[1])."\\Resources\\$class";
        $data += ['records' => $class::$records, 'record' => $class::$records[0]];
    }
    if (str_starts_with($name, 'components.')) {
        $texts = ['slot', 'heading', 'label', 'legend', 'confirm', 'caption', 'current', 'text', 'url'];
        $data = array_fill_keys($texts, 'All') + ['name' => 'phone', 'icon' => 'phone', 'value' => true, 'shown' => 1,
            'total' => 2, 'headings' => ['A'], 'events' => [['now', 'who', 'what']], 'trail' => ['Here' => ''],
            'pairs' => ['A' => true], 'values' => [1, 2], 'items' => ['All' => ['/', 1]], 'options' => ['A'],
            'attributes' => new Illuminate\View\ComponentAttributeBag];
    }
    try {
        $html = view($name, $data + $context)->render();
        $told[$name] = strlen($html);
    } catch (Throwable $error) {
        $told[$name] = $error->getMessage();
    }
}
echo json_encode($told);
"""


@pytest.mark.parametrize(
    "views", [pytest.param(None, id="one-resource"), pytest.param(682, id="all", marks=pytest.mark.profile("ci"))]
)
def test_every_view_renders(served: Served, views: int | None) -> None:
    """Each template of a release, page, layout, component or partial, renders by itself to something."""
    with contextlib.nullcontext(served) if views is None else serving(views, kind="laravel") as grown:
        root = grown.root.resolve()
        as_owner = ["runuser", "-u", grown.stage.runtime_user, "--"] if os.geteuid() == 0 else []
        done = grown.run(*as_owner, "php", "-r", RENDER_ALL, "--", str(root))
        told = json.loads(done.stdout)
        assert len(told) == grown.stage.views
    assert {name: said for name, said in told.items() if not (isinstance(said, int) and said > 10)} == {}
