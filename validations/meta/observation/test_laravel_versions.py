"""The Laravel probe reads the shapes of Laravel 10 to 13 and of Filament 3 to 5, on stand-ins run by the real PHP."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.environments.settings import Deployment
from fixtures.environments.stage import runtime_user
from fixtures.observation.facts import CacheFile, HostFacts
from reports.records import Finding, Verdict
from validations.gate import test_3_deployment, test_6_filament
from validations.meta.observation.laravel_trees import (
    COMPONENTS,
    FIX,
    cache_components,
    cache_icons,
    compile_views,
    compiled_path,
    described,
    probed,
    retell,
    stand_in,
)

pytestmark = pytest.mark.usefixtures("laravel_here")
ACCOUNT = pwd.getpwnam(runtime_user())
OWNER = (ACCOUNT.pw_uid, ACCOUNT.pw_gid) if os.geteuid() == 0 else None
VERSIONS = ("10.50.3", "11.56.0", "12.67.0", "13.26.1")


@pytest.fixture(name="make")
def _make(open_folder: Path) -> Callable[..., Path]:
    """Write an application of a version."""

    def make(version: str = "12.67.0", *, at: str = "shop", **changes: Any) -> Path:
        return stand_in(open_folder / at, version, owner=OWNER, **changes)

    return make


def cache(facts: HostFacts, role: str) -> CacheFile:
    """Return the cache of that role."""
    assert facts.caches is not None
    return next(file for file in facts.caches.files if file.role == role)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_is_read(make: Callable[..., Path], version: str) -> None:
    """Kernels of either style, xxh128 names, the schedule of a started console: all are told, nothing unobserved."""
    root = make(version)
    compile_views(root, algorithm="xxh128")
    cache_components(root)
    cache_icons(root)
    facts = probed(described(root))
    assert facts.unobserved == {}
    assert "compiles no strings" in facts.seen("recomputed").cannot
    assert facts.seen("application").framework_version == version
    assert facts.seen("application").filament_version == "3.2.121"
    assert facts.seen("middleware").stack == (FIX,)
    assert facts.seen("middleware").route == ("App\\Auth",)
    compiled = facts.seen("compiled")
    assert (compiled.sources, compiled.intact, compiled.counted) == (3, 3, 3 + 1)
    assert re.fullmatch(r"[0-9a-f]{32}\.php", Path(compiled.page_file).name)
    (entry,) = facts.seen("schedule").entries
    assert (entry.command, entry.timezone) == ("/usr/bin/php artisan view:health-check --fix", "Asia/Tokyo")
    assert facts.seen("caches").panels == ("admin",)
    assert (cache(facts, "panel-admin").entries, cache(facts, "icons").entries) == (2, 2)


def test_a_middleware_that_is_removed_again_is_not_there(make: Callable[..., Path]) -> None:
    """Its name stands in bootstrap/app.php twice, and the booted kernel does not have it."""
    root = make("12.67.0")
    file = root / "bootstrap/app.php"
    file.write_text(file.read_text().replace("->append(", f"->append('{FIX}'); $middleware->remove("))
    assert FIX in file.read_text()
    assert probed(described(root)).seen("middleware").stack == ()


def test_groups_and_exclusions_of_a_route_are_resolved(make: Callable[..., Path]) -> None:
    """What a group brings to the page's route is told, and what the route excludes is not."""
    root = make(web=[FIX, "App\\Session"], without=["App\\Session"], route=["web", "auth"])
    middleware = probed(described(root)).seen("middleware")
    assert middleware.route == (FIX, "App\\Auth")
    assert middleware.groups == {"web": (FIX, "App\\Session")}


def test_names_may_be_relative_to_the_release(make: Callable[..., Path]) -> None:
    """With view.relative_hash names do not change from release to release; the compiler is asked, not imitated."""
    root = make(relative=True)
    compile_views(root, algorithm="xxh128")
    assert probed(described(root)).seen("compiled").intact == 0
    compile_views(root, algorithm="xxh128", relative=True)
    assert probed(described(root)).seen("compiled").intact == 3


def test_a_package_whose_path_is_spelled_another_way_is_told(make: Callable[..., Path]) -> None:
    """view:cache compiles the real path; a request looks for the one that the package registered (src/../resources)."""
    root = make()
    package = root / "vendor/acme/widgets"
    (package / "src").mkdir(parents=True)
    (package / "resources/views").mkdir(parents=True)
    view = package / "resources/views/card.blade.php"
    view.write_text("x")
    spelled = f"{package}/src/../resources/views"
    retell(root, hints={"w": [spelled]})
    compiled_path(root, view, algorithm="xxh128").write_text(f"x<?php /**PATH {view} ENDPATH**/ ?>")
    compile_views(root, algorithm="xxh128")
    compiled = probed(described(root)).seen("compiled")
    assert (compiled.package_sources, compiled.package_missing_count) == (1, 1)
    assert compiled.package_missing == ("vendor/acme/widgets/src/../resources/views/card.blade.php",)


def test_timestamps_that_nobody_looks_at_expire_nothing(make: Callable[..., Path]) -> None:
    """With view.check_cache_timestamps = false an older compiled view is served as it is."""
    root = make("12.11.0", config={"view.check_cache_timestamps": False})
    for file in compile_views(root, algorithm="xxh128"):
        os.utime(file, (1, 1))
    compiled = probed(described(root)).seen("compiled")
    assert (compiled.intact, compiled.timestamps_checked) == (3, False)


def test_a_hidden_command_is_told_as_hidden(make: Callable[..., Path]) -> None:
    """The registry tells hidden commands, too."""
    facts = probed(described(make(hidden=True)))
    assert [command.hidden for command in facts.seen("commands")] == [False, True]


def test_a_redis_with_credentials_is_told_without_them(make: Callable[..., Path]) -> None:
    """The connection's URL is told, and its user and password are not; nor where it cannot be reached."""
    locks = probed(described(make())).seen("locks")
    assert (locks.store, locks.url, locks.connection) == ("redis", "rediss://redis.example:6380/4", "cache")
    assert "redis" in locks.server_error
    assert "s3cr3t" not in locks.model_dump_json()


# --- Filament's caches


@pytest.mark.parametrize("folder", ["bootstrap/cache/filament", "storage/panels-of-mine"], ids=["usual", "custom"])
def test_a_component_cache_is_found_where_filament_keeps_it(make: Callable[..., Path], folder: str) -> None:
    """filament.cache_path moves it; a cache at the usual place is then nobody's."""
    root = make()
    if not folder.startswith("bootstrap"):
        retell(root, config={"filament.cache_path": str(root / folder)})
    path = cache_components(root, folder=folder)
    found = cache(probed(described(root)), "panel-admin")
    assert (found.path, found.exists, found.entries) == (str(path), True, 2)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def _older(path: Path) -> None:
    os.utime(path, (1, 1))


@pytest.mark.parametrize(
    ("spoil", "code", "told"),
    [
        pytest.param(lambda path: path.unlink(), "missing", "", id="gone"),
        pytest.param(_cut, "unloadable", "ParseError", id="cut"),
        pytest.param(lambda path: path.write_text(""), "unloadable", "integer", id="empty-file"),
        pytest.param(lambda path: path.write_text("<?php return [];"), "empty", "", id="empty-list"),
        pytest.param(_older, "outdated", "", id="stale"),
    ],
)
@pytest.mark.parametrize("role", ["panel-admin", "icons"])
def test_a_cache_that_hides_components_is_red(
    make: Callable[..., Path], role: str, spoil: Callable[[Path], object], code: str, told: str
) -> None:
    """A panel's cache or the icon manifest that is gone, broken, empty or stale fails the check."""
    root = make()
    files = {"panel-admin": cache_components(root), "icons": cache_icons(root)}
    spoil(files[role])
    facts = probed(described(root))
    evidence = test_6_filament.Evidence(None, facts.seen("caches"))
    finding = test_6_filament.judge(evidence, "icons" if role == "icons" else "panels")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"filament.{code}")
    assert told in finding.observed
    assert str(files[role]) == finding.seen_by
    assert "caches" not in facts.unobserved


def test_a_listed_class_that_is_gone_and_one_that_is_not_listed_are_named(make: Callable[..., Path]) -> None:
    """Lists are held against the files of the panel's directories; abstract classes and a resource's pages are none."""
    root = make()
    cache_components(root, COMPONENTS[0], r"App\Filament\Resources\GoneResource")
    found = cache(probed(described(root)), "panel-admin")
    assert found.absent == (r"App\Filament\Resources\GoneResource",)
    assert found.unlisted == (COMPONENTS[1],)


def test_icons_that_are_gone_or_not_listed_are_named(make: Callable[..., Path]) -> None:
    """The manifest is held against the files of its folders."""
    root = make()
    manifest = cache_icons(root)
    (root / "resources/svg/phone.svg").unlink()
    (root / "resources/svg/new.svg").write_text("<svg/>")
    os.utime(manifest)
    found = cache(probed(described(root)), "icons")
    assert found.absent == (str(root / "resources/svg/phone.svg"),)
    assert found.unlisted == (str(root / "resources/svg/new.svg"),)


def test_a_panel_without_a_cache_is_told(make: Callable[..., Path]) -> None:
    """Every panel that Filament names has a cache of its own."""
    root = make(panels=["admin", "agent"])
    cache_components(root)
    facts = probed(described(root))
    assert facts.seen("caches").panels == ("admin", "agent")
    assert cache(facts, "panel-agent").exists is False


# --- how releases lie


def releases(make: Callable[..., Path], *, share_views: bool) -> Path:
    """Lay a release out as Deployer does, its storage a link to what all releases share, and return `current`."""
    root = make("12.67.0", at="app/releases/7")
    home = root.parent.parent
    shared = home / "shared" / "storage"
    (root / "storage").rename(home / "storage.moved")
    shared.parent.mkdir()
    (home / "storage.moved").rename(shared)
    (root / "storage").symlink_to(shared)
    (home / ".dep").mkdir()
    (home / "current").symlink_to(root)
    if not share_views:
        own = root / "bootstrap/cache/views"
        own.mkdir()
        retell(root, config={"view.compiled": str(own)})
    return home / "current"


def order(facts: HostFacts) -> Finding:
    """Judge the deployment's order by these facts."""
    assert facts.application is not None
    evidence = test_3_deployment.Evidence(
        facts.seen("script"), facts.seen("topology"), facts.application.framework_version
    )
    return test_3_deployment.judge(evidence, "order")


def test_deployers_default_is_found_before_it_bites(make: Callable[..., Path]) -> None:
    """Shared storage and Deployer's recipe: on Laravel 11 and later its optimize clears what is being served."""
    facts = probed(described(releases(make, share_views=True), runtime_user=ACCOUNT.pw_name))
    topology = facts.seen("topology")
    assert (topology.released, topology.shared, len(topology.deployer)) == (True, True, 1)
    finding = order(facts)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "deployment.shared-views-rebuilt")
    assert topology.compiled in finding.observed
    assert "VIEW_COMPILED_PATH" in finding.remedy


def test_compiled_views_of_the_release_are_nobody_elses(make: Callable[..., Path]) -> None:
    """The same deployment with compiled views in the release itself is green."""
    facts = probed(described(releases(make, share_views=False), runtime_user=ACCOUNT.pw_name))
    assert facts.seen("topology").shared is False
    assert facts.seen("application").release == "7"
    assert order(facts).verdict is Verdict.PASS


def test_what_a_script_calls_by_name_is_sent_and_judged(make: Callable[..., Path]) -> None:
    """A console command of the application's own, named by a sourced file, is read: it clears what is served."""
    root = make("12.67.0", at="app/releases/7")
    folder = root / "app/Console/Commands"
    folder.mkdir(parents=True)
    (folder / "Refresh.php").write_text(
        "<?php\nclass Refresh extends Command\n{\n    protected $signature = 'app:refresh {--now}';\n\n"
        "    public function handle()\n    {\n        $this->call('view:clear');\n    }\n}\n",
        encoding="utf-8",
    )
    (folder / "Other.php").write_text("<?php\n// protected $signature = 'app:other';\n", encoding="utf-8")
    (root / "scripts/hooks.sh").write_text("php artisan app:refresh\n", encoding="utf-8")
    script = root / "scripts/deploy-with-cache-management.sh"
    head, _, rest = script.read_text(encoding="utf-8").partition("set -euo pipefail\n")
    script.write_text(f'{head}set -euo pipefail\n. "$(dirname "$0")/hooks.sh"\n{rest}', encoding="utf-8")
    facts = probed(described(root, runtime_user=ACCOUNT.pw_name))
    seen = facts.seen("script")
    assert set(seen.files) >= {str(root / "scripts/hooks.sh"), str(folder / "Refresh.php")}
    assert str(folder / "Other.php") not in seen.files
    assert (seen.mode, seen.interpreter, seen.interpreter_found) == ("0755", "bash", True)
    evidence = test_3_deployment.Evidence(seen, facts.seen("topology"), "12.67.0", root=str(root))
    judgement = test_3_deployment.judge(evidence, "order")
    assert judgement.verdict is Verdict.FAIL
    assert "scripts/hooks.sh line 1" in judgement.reason


@pytest.mark.parametrize("kind", ["deployer", "envoy", "github"])
def test_a_recipe_is_sent_and_run_by_nobody(make: Callable[..., Path], kind: str) -> None:
    """A recipe has to be readable and no more; only PHP's own is parsed on the host."""
    root = make("12.67.0", at="app/releases/7")
    recipe = root / "deploy.php"
    recipe.write_text("<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\n", encoding="utf-8")
    recipe.chmod(0o644)
    setting = Deployment.model_validate({"kind": kind, "path": "deploy.php"})
    seen = probed(described(root, runtime_user=ACCOUNT.pw_name, deployment=setting)).seen("script")
    assert (seen.executable, seen.parse_error, seen.interpreter) == (True, None, "")
    assert seen.parser == ("php -l" if kind == "deployer" else "")
    assert seen.text.startswith("<?php")


@pytest.mark.parametrize(
    ("listed", "lacks", "surplus"),
    [
        pytest.param(COMPONENTS, (), (), id="equal"),
        pytest.param(COMPONENTS[::-1], (), (), id="in-another-order"),
        pytest.param(COMPONENTS[:1], (f"resources: {COMPONENTS[1]}",), (), id="one-dropped"),
        pytest.param((*COMPONENTS, COMPONENTS[0]), (), (f"resources: {COMPONENTS[0]}",), id="one-twice"),
        pytest.param(
            (COMPONENTS[0], r"App\Other"), (f"resources: {COMPONENTS[1]}",), (r"resources: App\Other",), id="other"
        ),
    ],
)
def test_a_panel_s_cache_is_held_to_what_the_panel_discovers(
    make: Callable[..., Path], listed: tuple[str, ...], lacks: tuple[str, ...], surplus: tuple[str, ...]
) -> None:
    """The cache is compared with the booted panel's own properties, entry by entry, whatever the files look like."""
    root = make()
    found = {"resources": COMPONENTS, "resourceDirectories": [f"{root}/app/Filament/Resources"]}
    retell(root, discovers={"admin": found})
    cache_components(root, *listed)
    (cache,) = [file for file in probed(described(root)).seen("caches").files if file.role == "panel-admin"]
    assert (cache.recomputed.lacks, cache.recomputed.surplus) == (lacks, surplus)


def test_a_panel_that_took_its_components_from_the_cache_proves_nothing_of_it(make: Callable[..., Path]) -> None:
    """A panel that ignores no cache in the console is not what the cache can be compared with."""
    root = make()
    retell(root, discovers={"admin": {"resources": [], "resourceDirectories": [], "cached": True}})
    cache_components(root)
    (cache,) = [file for file in probed(described(root)).seen("caches").files if file.role == "panel-admin"]
    assert cache.recomputed is None
    assert "discovers nothing afresh" in cache.not_recomputed
