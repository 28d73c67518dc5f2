"""Validation 6 sees through caches that are empty, broken, stale, or of other panels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import CacheFile, Caches
from reports.records import Scalar, Verdict
from validations.contracts import DECLARED
from validations.gate.test_6_filament import Evidence, judge
from validations.places import GATEWAY, LARAVEL, Places

ROLES = ("panel-admin", "panel-agent", "icons")


def cache(role: str, **changes: Any) -> CacheFile:
    """Return a good cache, with changes."""
    told: dict[str, Any] = {"role": role, "path": f"/srv/{role}.json", "exists": True, "bytes": 900, "entries": 4}
    return CacheFile.model_validate(told | changes)


def evidence(*files: CacheFile, panels: tuple[str, ...] = ("admin", "agent")) -> Evidence:
    """Return the evidence of these caches, for two expected panels."""
    return Evidence(("admin", "agent"), Caches(panels=panels, files=files))


def of_any_panels(*files: CacheFile, panels: tuple[str, ...] = ("admin", "agent")) -> Evidence:
    """Return the evidence of these caches, where the environment names no panel."""
    return Evidence(None, Caches(panels=panels, files=files))


def lacking(section: str, *files: CacheFile, panels: tuple[str, ...] = ()) -> Evidence:
    """Return the evidence of an application that positively lacks panels or icons."""
    return Evidence(panels, Caches(panels=panels, files=files, absent=(section,)))


FILES = tuple(cache(role) for role in ROLES)
GOOD = evidence(*FILES)


@pytest.mark.parametrize(
    ("part", "evidence", "code", "figures"),
    [
        pytest.param("panels", GOOD, "panels", {"panels": 2}, id="panels"),
        *(pytest.param(role, GOOD, "cached", {"entries": 4}, id=role) for role in ROLES),
        pytest.param("icons", evidence(cache("icons", entries=1)), "cached", {"entries": 1}, id="cache-of-one"),
        pytest.param("panels", of_any_panels(*FILES), "each-panel", {"panels": 2}, id="any-panels"),
        pytest.param(
            "icons",
            Evidence(None, Caches(panels=(), files=(cache("icons"),), absent=("panels",))),
            "cached",
            {"entries": 4},
            id="no-filament-and-icons",
        ),
        pytest.param(
            "panel-admin",
            lacking("icons", cache("panel-admin"), panels=("admin",)),
            "cached",
            {"entries": 4},
            id="no-icons-and-panels",
        ),
    ],
)
def test_fresh_caches_of_every_panel_pass(part: str, evidence: Evidence, code: str, figures: dict[str, Scalar]) -> None:
    """A cache for each panel and one for the icons, all fresh, are green, and counted."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, f"filament.{code}", DECLARED)
    assert finding.figures == figures


DEFECTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "missing": ({"exists": False, "entries": 0, "bytes": 0}, "missing", "/srv/{role}.json"),
    "broken": ({"load_error": "Extra data"}, "unloadable", "/srv/{role}.json cannot be loaded: Extra data"),
    "empty": ({"entries": 0}, "empty", "/srv/{role}.json"),
    "lists-what-is-gone": ({"absent": ("a", "b", "c", "d")}, "lists-what-is-gone", "a, b, c and 1 more"),
    "lacks-what-is-there": ({"unlisted": ("new.toml",)}, "lacks", "new.toml"),
    "stale": ({"changed": ("x.toml",)}, "outdated", "x.toml"),
}


@pytest.mark.parametrize(("changes", "code", "told"), DEFECTS.values(), ids=DEFECTS)
@pytest.mark.parametrize("role", ROLES)
def test_a_cache_that_hides_components_is_red(role: str, changes: dict[str, Any], code: str, told: str) -> None:
    """A cache that does not agree with its sources is red, of any panel and of the icons, and it is told which."""
    finding = judge(evidence(*(cache(name, **(changes if name == role else {})) for name in ROLES)), role)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"filament.{code}")
    assert (finding.level, finding.seen_by) == (DECLARED, f"/srv/{role}.json")
    assert told.format(role=role) in finding.observed


@pytest.mark.parametrize(
    ("place", "absent", "command"),
    [
        pytest.param(GATEWAY, (), "./artisan filament:optimize", id="gateway"),
        pytest.param(LARAVEL, (), "php artisan filament:optimize", id="laravel"),
        pytest.param(LARAVEL, ("panels",), "php artisan icons:cache", id="icons-without-filament"),
    ],
)
@pytest.mark.parametrize("changes", [changes for changes, _, _ in DEFECTS.values()], ids=DEFECTS)
def test_the_remedy_is_a_command_that_the_application_has(
    changes: dict[str, Any], place: Places, absent: tuple[str, ...], command: str
) -> None:
    """Whoever rebuilds the cache is told the console of this kind, and the command of the package that is there."""
    caches = Caches(panels=(), files=(cache("icons", **changes),), absent=absent)
    assert command in judge(Evidence(None, caches, place), "icons").remedy


@pytest.mark.parametrize(
    ("evidence", "told", "expected"),
    [
        pytest.param(evidence(*FILES, panels=()), "no panel", "admin, agent", id="none"),
        pytest.param(evidence(*FILES, panels=("admin",)), "admin", "admin, agent", id="one-gone"),
        pytest.param(
            evidence(*FILES, panels=("reseller", "admin", "agent")),
            "admin, agent, reseller",
            "admin, agent",
            id="one-more",
        ),
        pytest.param(evidence(*FILES, panels=("admin", "Agent")), "Agent, admin", "admin, agent", id="another-case"),
        pytest.param(replace(GOOD, panels=()), "admin, agent", "none", id="expected-none"),
        pytest.param(evidence(panels=tuple("abcdefghij")), "g, h, i and 1 more", "admin, agent", id="ten-panels"),
    ],
)
def test_other_panels_than_expected_are_red(evidence: Evidence, told: str, expected: str) -> None:
    """A panel too many has a cache nobody looks at; a panel too few is gone. Both lists are told."""
    finding = judge(evidence, "panels")
    assert (finding.verdict, finding.code, finding.expected) == (Verdict.FAIL, "filament.other-panels", expected)
    assert told in finding.observed


def test_every_panel_is_judged_where_none_is_expected_by_name() -> None:
    """Without names each panel that the application has needs a cache that is well: the bad one is told."""
    bad = judge(of_any_panels(cache("panel-agent", entries=0), cache("panel-admin")), "panels")
    assert (bad.verdict, bad.code) == (Verdict.FAIL, "filament.empty")
    assert "/srv/panel-agent.json" in bad.observed


@pytest.mark.parametrize(
    ("part", "evidence", "code", "role"),
    [
        *(
            pytest.param(
                role, evidence(*(cache(name) for name in ROLES if name != role)), "not-looked-at", role, id=role
            )
            for role in ROLES
        ),
        pytest.param("panels", of_any_panels(cache("panel-admin")), "not-looked-at", "panel-agent", id="one-of-any"),
        pytest.param("panels", of_any_panels(*FILES, panels=()), "no-panel", "", id="none-named"),
    ],
)
def test_a_cache_nobody_looked_at_is_unknown(part: str, evidence: Evidence, code: str, role: str) -> None:
    """Silence about a cache is not a pass, whatever the others are like, and it is told which was not looked at."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, f"filament.{code}")
    assert role in finding.observed


@pytest.mark.parametrize(
    ("part", "evidence", "code"),
    [
        pytest.param("panel-admin", lacking("panels"), "no-filament", id="no-filament"),
        pytest.param("panels", lacking("panels"), "no-filament", id="no-panels"),
        pytest.param("icons", lacking("icons", cache("panel-admin"), panels=("admin",)), "no-icons", id="no-icons"),
    ],
)
def test_what_the_application_positively_lacks_does_not_apply(part: str, evidence: Evidence, code: str) -> None:
    """Without the package there is no cache to judge; what of the other package is there is judged."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.NOT_APPLICABLE, f"filament.{code}")
