"""Validation 6 sees through caches that are empty, broken, stale, or of other panels."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.observation.facts import CacheFile, Caches
from reports.records import Verdict
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
