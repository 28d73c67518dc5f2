"""What is particular to Laravel: groups and routes, shared compiled views, the version's race, absent Filament."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import (
    Caches,
    CompiledViews,
    Directory,
    LockStore,
    Middleware,
    Schedule,
    ScheduleEntry,
    Script,
    Topology,
    Unobserved,
)
from fixtures.observation.lock_store import LockStore as Store
from reports.records import Finding, Level, Verdict
from validations.gate import (
    test_1_middleware,
    test_2_writable,
    test_3_deployment,
    test_4_health,
    test_5_locks,
    test_6_filament,
    test_7_page,
    test_objectives,
)
from validations.meta.gate.test_4_health import answer, ran
from validations.meta.gate.test_7_page import WHOLE, page
from validations.meta.gate.test_objectives import GOOD as MET
from validations.places import places
from validations.registry import COVERAGE, SCHEDULED_HEALTH, VIEWS
from validations.versions import optimize_clears_views, race_of, vendor_left_out, version_of

FIX = r"App\Http\Middleware\AutoFixViewCache"


# --- 1: the booted kernel


def registered(version: str = "12.60.0", **booted: Any) -> Finding:
    """Judge the registration in a kernel that is booted like this."""
    kernel = Middleware.model_validate({"stack": (), "route": (), "route_uri": "admin/calls/{record}"} | booted)
    where = places("laravel", version)
    evidence = test_1_middleware.Evidence("AutoFixViewCache", kernel, (WHOLE,), None, marked=False, places=where)
    return test_1_middleware.judge(evidence, "registered")


@pytest.mark.parametrize(
    "booted",
    [
        pytest.param({"stack": (FIX,)}, id="global"),
        pytest.param({"groups": {"web": (FIX,)}, "route": (FIX,)}, id="group-of-the-route"),
        pytest.param({"route": (f"{FIX}:60,strict",)}, id="route-with-parameters"),
    ],
)
def test_a_middleware_that_the_page_passes_is_registered(booted: dict[str, Any]) -> None:
    """Global, in a group that the page's route runs, or on the route itself: the page passes it."""
    assert registered(**booted).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("booted", "verdict", "code", "named"),
    [
        pytest.param({"groups": {"web": (FIX,)}}, Verdict.FAIL, "other-group", "web", id="filament-panel-without-web"),
        pytest.param(
            {"groups": {"web": (FIX,)}, "route": None, "route_error": "NotFoundHttpException"},
            Verdict.UNKNOWN,
            "route-not-known",
            "NotFoundHttpException",
            id="route-not-known",
        ),
        pytest.param({"route": None}, Verdict.FAIL, "absent", "no middleware at all", id="nowhere"),
        pytest.param({"stack": (FIX,), "route": (FIX,)}, Verdict.FAIL, "repeated", "2", id="global-and-on-the-route"),
        pytest.param({"stack": (r"App\NotAutoFixViewCache",)}, Verdict.FAIL, "absent", "NotAuto", id="another-class"),
    ],
)
def test_a_middleware_that_the_page_does_not_pass_is_not_green(
    booted: dict[str, Any], verdict: Verdict, code: str, named: str
) -> None:
    """A group that the page's route does not run is no registration: Filament's panels do not run web."""
    finding = registered(**booted)
    assert (finding.verdict, finding.code) == (verdict, f"middleware.{code}")
    assert named in finding.reason


@pytest.mark.parametrize(
    ("version", "file"),
    [
        pytest.param("10.50.0", "app/Http/Kernel.php", id="kernel"),
        pytest.param("11.0.0", "bootstrap/app.php", id="bootstrap"),
    ],
)
@pytest.mark.parametrize("booted", [{}, {"stack": (FIX, FIX)}], ids=["absent", "repeated"])
def test_where_to_register_depends_on_the_version(booted: dict[str, Any], version: str, file: str) -> None:
    """The remedy names the file in which this version of Laravel registers middleware."""
    assert file in registered(version=version, **booted).remedy


def answered(*marks: str, marked: bool = False) -> Finding:
    """Judge answers with these headers."""
    answers = tuple(replace(WHOLE, auto_fix=mark) for mark in marks)
    evidence = test_1_middleware.Evidence("AutoFixViewCache", Middleware(stack=(FIX,)), answers, None, marked)
    return test_1_middleware.judge(evidence, "answers")


def test_an_application_without_our_header_is_not_asked_for_it() -> None:
    """Where no answer has the header and none has to, the part does not apply; on one that has it, all must."""
    assert answered("", "").verdict is Verdict.NOT_APPLICABLE
    assert answered("", "", marked=True).verdict is Verdict.FAIL
    assert answered("untouched", "").verdict is Verdict.FAIL
    assert answered("untouched", "repaired").verdict is Verdict.PASS
    assert answered().verdict is Verdict.UNKNOWN


# --- 2: directories


def test_a_directory_that_filament_would_use_does_not_apply_without_filament() -> None:
    """An application that positively has no Filament needs no directory for it."""
    told = {"role": "filament-cache", "path": "/p", "resolved_by": "application", "kind": "unused", "looked_as": "w"}
    evidence = test_2_writable.Evidence("w", {"filament-cache": Directory.model_validate(told)}, None)
    assert test_2_writable.judge(evidence, "filament-cache").verdict is Verdict.NOT_APPLICABLE


def test_a_host_that_does_not_tell_its_inodes_is_not_failed_for_it() -> None:
    """Where nothing tells the free inodes, they are not made up, neither as none nor as many."""
    told = {
        "role": "logs", "path": "/p", "resolved_by": "application", "kind": "directory", "looked_as": "w",
        "writable": True, "free_bytes": 1 << 40, "free_inodes": None, "by_modes": True,
    }  # fmt: skip
    evidence = test_2_writable.Evidence("w", {"logs": Directory.model_validate(told)}, None)
    finding = test_2_writable.judge(evidence, "logs")
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, "writable.allowed", Level.RESOLVED)


# --- 3: the deployment's topology

RELEASES = """set -e
new=/srv/shop/releases/$(date +%s)
git clone -q git@example.org:shop.git "$new"
php "$new/artisan" view:cache
ln -sfn "$new" /srv/shop/current
systemctl reload php-fpm
"""


def lying(version: str = "12.60.0", *, text: str = "", exists: bool = True, **lies: Any) -> test_3_deployment.Evidence:
    """Return the evidence of a deployment on a host where releases lie like this."""
    told = {
        "root": "/srv/shop/releases/7", "released": True, "shared": False, "resolved_by": "application",
        "compiled": "/srv/shop/shared/storage/framework/views",
    }  # fmt: skip
    script = Script(path="/s", exists=exists, is_file=True, bytes=9, executable=True, text=text or RELEASES)
    topology = Topology.model_validate(told | lies)
    return test_3_deployment.Evidence(script, topology, version, root="/srv/shop/current")


DEP = ("/srv/shop/.dep",)
PULLED = "set -e; flock -n 9; cd /srv/shop/current; git pull; php artisan view:cache"


@pytest.mark.parametrize(
    ("evidence", "code", "named"),
    [
        pytest.param(lying(shared=True, deployer=DEP), "shared-views-rebuilt", "/srv/shop/.dep", id="deployer"),
        pytest.param(lying(shared=True, deployer=DEP, exists=False), "shared-views-rebuilt", "/srv", id="no-script"),
        pytest.param(lying(shared=True), "shared-views-rebuilt", "view:cache", id="shared"),
        pytest.param(
            lying(shared=True, text=RELEASES.replace("view:cache", "optimize")),
            "shared-views-rebuilt",
            "optimize",
            id="optimize",
        ),
        pytest.param(lying("9.52.0", shared=True), "shared-views-rebuilt", "view:cache", id="view-cache-of-old"),
        pytest.param(
            lying(released=False, text=PULLED),
            "rebuilds-live",
            "view:cache",
            id="in-place",
        ),
    ],
)
def test_a_deploy_that_clears_what_is_served_fails_before_it_bites(
    evidence: test_3_deployment.Evidence, code: str, named: str
) -> None:
    """Deployer's default, and all like it: compiled views of all releases, cleared before one is published."""
    finding = test_3_deployment.judge(evidence, "order")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"deployment.{code}")
    assert named in finding.reason


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(lying(deployer=DEP), id="deployer-with-views-of-the-release"),
        pytest.param(lying(), id="warms-the-release"),
        pytest.param(lying(released=False, container=True, text=PULLED), id="image"),
    ],
)
def test_a_deploy_that_clears_nothing_served_passes(evidence: test_3_deployment.Evidence) -> None:
    """Rebuilding what nobody is being served from is what a deploy is for."""
    assert test_3_deployment.judge(evidence, "order").verdict is Verdict.PASS


# --- 4: metrics


def test_the_health_commands_count_is_held_against_all_compiled_views() -> None:
    """Laravel compiles packages' views, too: they count."""
    told, own = ran(answer()), compiled(sources=3, intact=3, files={"count": 682, "intact": 682})
    assert test_4_health.judge(replace(told, compiled=own), "metrics").verdict is Verdict.PASS
    fewer = compiled(files={"count": 682, "intact": 681})
    assert test_4_health.judge(replace(told, compiled=fewer), "metrics").verdict is Verdict.FAIL


# --- 5: locks


def expires(**said: Any) -> Finding:
    """Judge the expiry of locks that were not watched."""
    told = {"store": "redis", "url": "redis://h:6379/0", "rebuild_key": "shop_k", "ttl_seconds": None} | said
    evidence = test_5_locks.Evidence(LockStore.model_validate(told), Store("7.2", "noeviction", 0), None)
    return test_5_locks.judge(evidence, "expires")


@pytest.mark.parametrize(
    ("said", "verdict", "code", "named"),
    [
        pytest.param({"held_ttl_ms": -2}, Verdict.PASS, "not-held", "shop_k", id="not-held"),
        pytest.param({"held_ttl_ms": 29_000}, Verdict.PASS, "held", "29.0 s", id="held"),
        pytest.param({"held_ttl_ms": -1}, Verdict.FAIL, "held-too-long", "never", id="leaked"),
        pytest.param(
            {"held_ttl_ms": -1, "ttl_seconds": 60.0}, Verdict.FAIL, "held-too-long", "60 s", id="declared-and-leaked"
        ),
        pytest.param({"held_ttl_ms": 10**9}, Verdict.FAIL, "held-too-long", "1000000 s", id="for-days"),
        pytest.param(
            {"held_ttl_ms": -2, "ttl_seconds": 0.0}, Verdict.FAIL, "declared-wrongly", "0 s", id="declared-for-ever"
        ),
        pytest.param({"held_ttl_ms": -2, "ttl_seconds": 60.0}, Verdict.PASS, "declared", "60 s", id="declared"),
        pytest.param({}, Verdict.UNKNOWN, "expiry-not-known", "", id="nothing-known"),
    ],
)
def test_a_lock_that_is_held_for_ever_is_seen_without_touching_it(
    said: dict[str, Any], verdict: Verdict, code: str, named: str
) -> None:
    """PTTL of the rebuild's key tells a lock without an expiry; that none is held proves as much as it says."""
    finding = expires(**said)
    assert (finding.verdict, finding.code) == (verdict, f"locks.{code}")
    assert named in finding.reason


# --- 6: Filament


@pytest.mark.parametrize(
    ("panels", "absent", "verdict"),
    [
        pytest.param(None, ("panels", "icons"), Verdict.NOT_APPLICABLE, id="none-and-none-expected"),
        pytest.param((), ("panels", "icons"), Verdict.NOT_APPLICABLE, id="expected-none"),
        pytest.param(("admin",), ("panels", "icons"), Verdict.FAIL, id="expected-one"),
        pytest.param(None, (), Verdict.UNKNOWN, id="not-known-to-be-absent"),
    ],
)
def test_an_application_without_filament(
    panels: tuple[str, ...] | None, absent: tuple[str, ...], verdict: Verdict
) -> None:
    """What is known to be absent does not apply, unless the environment names it; what is not known is not absent."""
    evidence = test_6_filament.Evidence(panels, Caches(panels=(), files=(), absent=absent))
    assert test_6_filament.judge(evidence, "panels").verdict is verdict
    icons = Verdict.NOT_APPLICABLE if absent else Verdict.UNKNOWN
    assert test_6_filament.judge(evidence, "icons").verdict is icons


# --- 7: the race of the version


@pytest.mark.parametrize(
    ("version", "name", "requests", "shown"),
    [
        pytest.param("8.83.26", "non-atomic-write", 299, "a blank or cut 200; filemtime(): stat failed; ", id="8"),
        pytest.param("10.23.1", "non-atomic-write", 299, "filemtime(): stat failed", id="before-the-guard"),
        pytest.param("12.51.0", "non-atomic-write", 299, "hash_file(): Failed to open stream", id="last-non-atomic"),
        pytest.param("12.52.0", "clear-race", 24963, "rename(): No such file", id="first-atomic"),
        pytest.param("v13.26.1", "clear-race", 24963, "filemtime(): stat failed", id="13"),
    ],
)
def test_the_race_of_the_version_stands_beside_the_page(version: str, name: str, requests: int, shown: str) -> None:
    """Class, signatures and sample size follow from the installed version, and are told with the verdict."""
    race = race_of(version)
    assert race is not None
    finding = test_7_page.judge(replace(page(*[WHOLE] * 300), race=race), "complete")
    assert (finding.verdict, finding.code) == (Verdict.PASS, "page.complete")
    assert version in finding.reason
    assert finding.figures["race"] == name
    assert finding.figures["race_requests"] == requests
    assert shown in str(finding.figures["race_signatures"])
    assert ("too few" in finding.reason) is (requests > 300)


def test_signatures_that_a_version_cannot_show_are_not_told() -> None:
    """From 10.24 on filemtime() is guarded, from 12.52 on there is no blank page; hash_file() came with 12.10."""
    shown = {version: race.signatures for version in ("9.52.0", "11.56.0", "12.60.0") if (race := race_of(version))}
    assert "filemtime(): stat failed" in shown["9.52.0"]
    assert "filemtime(): stat failed" not in shown["11.56.0"]
    assert not any("hash_file" in signature for signature in shown["11.56.0"])
    assert not any("blank" in signature for signature in shown["12.60.0"])


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("8.83.26", (8, 83, 26)),
        ("v12.0", (12, 0, 0)),
        ("Laravel Framework 9.1.2", (9, 1, 2)),
        ("", None),
        ("dev", None),
    ],
    ids=["plain", "short", "sentence", "empty", "branch"],
)
def test_a_version_is_read_or_not_known(text: str, version: tuple[int, int, int] | None) -> None:
    """A version is three numbers; where there is none, there is no race to tell of."""
    assert version_of(text) == version
    assert (race_of(text) is None) is (version is None)


def test_what_commands_do_depends_on_the_version() -> None:
    """Optimize compiles views from 11 on; view:cache leaves published package views out from 11.49 and 12.54 on."""
    assert [optimize_clears_views(version) for version in ("10.50.3", "11.0.0", "13.1.0", "")] == [
        False,
        True,
        True,
        False,
    ]
    versions = ("8.83.0", "11.48.0", "11.49.0", "12.53.9", "12.54.0", "13.0.0", "")
    assert [vendor_left_out(version) for version in versions] == [False, False, True, False, True, True, False]


def released(*releases: str, marked: bool = False) -> Finding:
    """Judge the release of answers that name these."""
    answers = [replace(WHOLE, release=release) for release in releases]
    return test_7_page.judge(replace(page(*answers), marked=marked), "release")


def test_an_application_without_a_release_header_is_not_asked_for_it() -> None:
    """Where no answer names a release and none has to, the part does not apply; where one does, all must."""
    assert released("", "").verdict is Verdict.NOT_APPLICABLE
    assert released("", "", marked=True).verdict is Verdict.FAIL
    assert released("r1", "").verdict is Verdict.FAIL
    assert released("r1", "r1").verdict is Verdict.PASS
    assert released().verdict is Verdict.UNKNOWN


# --- objectives


def compiled(**changes: Any) -> CompiledViews:
    """Return good compiled views of Laravel, with changes."""
    told = {
        "path": "/v", "generation": "/v", "sources": 3, "intact": 3, "bytes": 900,
        "files": {"count": 700, "intact": 700}, "package_sources": 697,
    }  # fmt: skip
    return CompiledViews.model_validate(told | changes)


def coverage(version: str = "12.60.0", **changes: Any) -> Finding:
    """Judge the coverage of these compiled views."""
    return test_objectives.judge(replace(MET, compiled=compiled(**changes), version=version), COVERAGE)


def test_packages_views_count_as_compiled_views() -> None:
    """The brief's 682 are all compiled views, of the application's templates and of packages'."""
    assert test_objectives.judge(replace(MET, compiled=compiled()), VIEWS).verdict is Verdict.PASS
    few = compiled(files={"count": 700, "intact": 681})
    assert test_objectives.judge(replace(MET, compiled=few), VIEWS).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        pytest.param({"cached": False}, "cache-off", "view.cache", id="cache-off"),
        pytest.param({"intact": 2, "missing": ("views/a.blade.php",)}, "incomplete", "views/a.blade.php", id="hole"),
        pytest.param({"intact": 2, "damaged": ("a: expired",)}, "incomplete", "a: expired", id="perpetual-recompile"),
        pytest.param(
            {"files": {"count": 3, "intact": 2, "empty_count": 1, "empty": ("f.php",)}},
            "broken-files",
            "f.php",
            id="empty-package-view",
        ),
        pytest.param(
            {"files": {"count": 3, "intact": 2, "cut_count": 1, "cut": ("f.php",)}},
            "broken-files",
            "f.php",
            id="cut-package-view",
        ),
    ],
)
def test_a_hole_in_the_compiled_views_is_red(changes: dict[str, Any], code: str, named: str) -> None:
    """What a request would compile, or stumble over, fails the coverage."""
    finding = coverage(**changes)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"coverage.{code}")
    assert named in finding.reason


@pytest.mark.parametrize(
    ("version", "code"),
    [
        pytest.param("12.60.0", "coverage.published-left-out", id="left-out"),
        pytest.param("12.53.0", "coverage.incomplete", id="compiled"),
    ],
)
def test_published_package_views_that_view_cache_leaves_out_have_a_remedy_of_their_own(version: str, code: str) -> None:
    """From 11.49 and 12.54 on view:cache does not compile them, so that running it again would not help."""
    assert coverage(version, intact=2, missing=("resources/views/vendor/mail/a.blade.php",)).code == code


def test_a_command_scheduled_for_another_environment_is_not_scheduled() -> None:
    """A constraint to other environments means that it never runs here."""
    entry = ScheduleEntry(expression="*/5 * * * *", command="php artisan view:health-check --fix", runs_here=False)
    finding = test_objectives.judge(replace(MET, schedule=Schedule(entries=(entry,))), SCHEDULED_HEALTH)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "schedule-health.other-environment")


def test_what_was_not_told_is_unknown_for_laravel_too() -> None:
    """A probe that could not boot the application leaves its questions open."""
    reason = Unobserved("the application does not boot: RuntimeException")
    evidence = test_1_middleware.Evidence("AutoFixViewCache", reason, (WHOLE,), None, marked=False)
    assert test_1_middleware.judge(evidence, "registered").verdict is Verdict.UNKNOWN
    assert test_5_locks.judge(test_5_locks.Evidence(reason, reason, None), "expires").verdict is Verdict.UNKNOWN
