"""Validation 6 sees through caches that are empty, broken, stale, or of other panels."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.observation.facts import CacheFile, Caches
from reports.records import Verdict
from validations.contracts import Judgement, failed, not_applicable, passed, unknown
from validations.gate.test_6_filament import Evidence, judge

ROLES = ("panel-admin", "panel-agent", "icons")


def cache(role: str, **changes: Any) -> CacheFile:
    """Return a good cache, with changes."""
    told: dict[str, Any] = {"role": role, "path": f"/srv/{role}.json", "exists": True, "bytes": 900, "entries": 4}
    return CacheFile.model_validate(told | changes)


def evidence(*files: CacheFile, panels: tuple[str, ...] = ("admin", "agent")) -> Evidence:
    """Return the evidence of these caches, for two expected panels."""
    return Evidence(("admin", "agent"), Caches(panels=panels, files=files))


GOOD = evidence(*(cache(role) for role in ROLES))


@pytest.mark.parametrize("part", ["panels", *ROLES])
def test_fresh_caches_of_every_panel_pass(part: str) -> None:
    """A cache for each panel and one for the icons, all fresh, are green."""
    assert judge(GOOD, part).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"exists": False, "entries": 0, "bytes": 0}, "is not there", id="missing"),
        pytest.param({"load_error": "JSONDecodeError: Extra data"}, "JSONDecodeError", id="broken"),
        pytest.param({"entries": 0}, "is empty", id="empty"),
        pytest.param({"absent": ("a.toml", "b.toml")}, "lists a.toml, b.toml", id="lists-what-is-gone"),
        pytest.param({"unlisted": ("new.toml",)}, "does not list new.toml", id="lacks-what-is-there"),
        pytest.param({"changed": ("x.toml",)}, "x.toml changed since", id="stale"),
    ],
)
@pytest.mark.parametrize("role", ROLES)
def test_a_cache_that_hides_components_is_red(role: str, changes: dict[str, Any], said: str) -> None:
    """A cache that is there and does not agree with its sources is red, for every panel and for the icons."""
    files = [cache(name, **(changes if name == role else {})) for name in ROLES]
    judgement = judge(evidence(*files), role)
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


@pytest.mark.parametrize(
    "panels",
    [(), ("admin",), ("admin", "agent", "reseller"), ("admin", "Agent")],
    ids=["none", "one-gone", "one-more", "another-case"],
)
def test_other_panels_than_expected_are_red(panels: tuple[str, ...]) -> None:
    """A panel too many has a cache nobody looks at; a panel too few is gone."""
    judgement = judge(evidence(*GOOD.caches.files, panels=panels), "panels")
    assert judgement.verdict is Verdict.FAIL
    assert "admin, agent" in judgement.reason


@pytest.mark.parametrize("role", ROLES)
def test_a_cache_nobody_looked_at_is_unknown(role: str) -> None:
    """Silence about a cache is not a pass, whatever the others are like."""
    files = [cache(name) for name in ROLES if name != role]
    assert judge(evidence(*files), role).verdict is Verdict.UNKNOWN


def of_any_panels(*files: CacheFile, panels: tuple[str, ...] = ("admin", "agent")) -> Evidence:
    """Return the evidence of these caches, where the environment names no panel."""
    return Evidence(None, Caches(panels=panels, files=files))


def test_every_panel_is_judged_where_none_is_expected_by_name() -> None:
    """Without names each panel that the application has needs a cache that is well: one bad or unseen is told."""
    good = [cache(role) for role in ROLES]
    assert judge(of_any_panels(*good), "panels").verdict is Verdict.PASS
    bad = judge(of_any_panels(good[0], cache("panel-agent", entries=0)), "panels")
    assert bad.verdict is Verdict.FAIL
    assert "panel-agent" in bad.reason
    assert judge(of_any_panels(good[0]), "panels").verdict is Verdict.UNKNOWN
    assert judge(of_any_panels(*good, panels=()), "panels").verdict is Verdict.UNKNOWN


def one(**changes: Any) -> Evidence:
    """Return the evidence of an icon manifest with changes."""
    return evidence(cache("icons", **changes))


NAME_THEM = "name every panel of the application as `panels` of the environment, so that each is looked at"


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("panels", GOOD, passed("2 panels: admin, agent", panels=2), id="panels"),
        pytest.param("panels", Evidence(("admin",), Caches(panels=("admin",), files=())),
            passed("1 panel: admin", panels=1), id="one-panel"),
        pytest.param("icons", GOOD, passed("4 entries, all there and fresh", entries=4), id="cache"),
        pytest.param("icons", one(entries=1), passed("1 entry, all there and fresh", entries=1), id="cache-of-one"),
        pytest.param("panel-admin", Evidence((), Caches(panels=(), files=(), absent=("panels",))),
            not_applicable("the application has no Filament: no package, no panel, no cache"), id="no-filament"),
        pytest.param("icons", Evidence(None, Caches(panels=(), files=(cache("icons"),), absent=("panels",))),
            passed("4 entries, all there and fresh", entries=4), id="no-filament-and-icons"),
        pytest.param("icons", Evidence(("admin",), Caches(panels=("admin",), files=(cache("panel-admin"),),
            absent=("icons",))),
            not_applicable("the application has no icon package, and no manifest"), id="no-icons"),
        pytest.param("panel-admin", Evidence(("admin",), Caches(panels=("admin",), files=(cache("panel-admin"),),
            absent=("icons",))),
            passed("4 entries, all there and fresh", entries=4), id="no-icons-and-panels"),
        pytest.param("icons", evidence(), unknown("the probe did not look at the cache of icons"), id="not-looked-at"),
        pytest.param("panels", evidence(panels=("c", "a", "b")),
            failed("the application has the panels a, b, c", "admin, agent", remedy=NAME_THEM), id="other-panels"),
        pytest.param("panels", evidence(panels=()),
            failed("the application has no panel", "admin, agent", remedy=NAME_THEM), id="no-panel"),
        pytest.param("panels", Evidence((), Caches(panels=("admin",), files=())),
            failed("the application has the panels admin", "none", remedy=NAME_THEM), id="expected-none"),
        pytest.param("panels", evidence(panels=tuple("abcdefghij")),
            failed("the application has the panels a, b, c, d, e, f, g, h, i and 1 more", "admin, agent",
                remedy=NAME_THEM), id="ten-panels"),
        pytest.param("panels", of_any_panels(*GOOD.caches.files),
            passed("2 panels, each with a cache: admin, agent", panels=2), id="any-panels"),
        pytest.param("panels", of_any_panels(panels=()),
            unknown("the application names no panel, and nothing shows that it has none"),
            id="any-panels-and-none-named"),
        pytest.param("panels", of_any_panels(cache("panel-agent")),
            unknown("the probe did not look at the cache of panel-admin"), id="any-panels-and-one-not-looked-at"),
        pytest.param("panels", of_any_panels(cache("panel-agent", entries=0), cache("panel-admin")),
            failed("/srv/panel-agent.json is empty", "a list of components"), id="any-panels-and-one-empty"),
        pytest.param("icons", one(exists=False), failed("/srv/icons.json is not there", "the cache"), id="missing"),
        pytest.param("icons", one(load_error="Extra data"),
            failed("/srv/icons.json cannot be loaded: Extra data", "a cache that loads"), id="broken"),
        pytest.param("icons", one(entries=0), failed("/srv/icons.json is empty", "a list of components"), id="empty"),
        pytest.param("icons", one(absent=("a", "b", "c", "d")),
            failed("it lists a, b, c and 1 more", "only what is there", seen_by="/srv/icons.json"),
            id="lists-what-is-gone"),
        pytest.param("icons", one(unlisted=("a",)),
            failed("it does not list a", "all that is there", seen_by="/srv/icons.json"), id="lacks-what-is-there"),
        pytest.param("icons", one(changed=("a",)),
            failed("a changed since it was made", "fresh", seen_by="/srv/icons.json"), id="stale"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told
