"""Validation 6: Filament's caches exist.

Existing is the least of it: a cache that is empty, cannot be loaded, names what is gone or was made before its
sources changed hides resources silently. Each panel has a component cache of its own; the icons have one manifest.
"""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.environments.base import Host
from fixtures.observation.facts import CacheFile, Caches
from reports.records import Finding, Verdict
from validations import recomputation
from validations.cells import Cell, validates
from validations.contracts import DECLARED, RESOLVED, counted, failed, listed, not_applicable, passed, unknown
from validations.messages import does_not_apply, fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import FILAMENT

_REBUILD = "run {console} {command} in the release that is being served"

says(
    {
        "filament.no-filament": does_not_apply("the application has no Filament: no package, no panel, no cache"),
        "filament.no-icons": does_not_apply("the application has no icon package, and no manifest"),
        "filament.not-looked-at": is_unknown("the probe did not look at the cache of {role}"),
        "filament.other-panels": fails(
            "the application has {found}",
            "{expected}",
            "name every panel of the application as `panels` of the environment, so that each is looked at",
        ),
        "filament.panels": passes("{count}: {found}"),
        "filament.no-panel": is_unknown("the application names no panel, and nothing shows that it has none"),
        "filament.each-panel": passes("{count}, each with a cache: {found}"),
        "filament.missing": fails("{path} is not there", "the cache", _REBUILD),
        "filament.unloadable": fails("{path} cannot be loaded: {which}", "a cache that loads", _REBUILD),
        "filament.empty": fails("{path} is empty", "a list of components", _REBUILD),
        "filament.lists-what-is-gone": fails("it lists {which}", "only what is there", _REBUILD),
        "filament.lacks": fails("it does not list {which}", "all that is there", _REBUILD),
        "filament.outdated": fails("{which} changed since it was made", "fresh", _REBUILD),
        "filament.cached": passes("{count}, all there and fresh"),
        "filament.computed": passes("{count}, as the application computes them now"),
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The panels that are expected by name (None: whichever there are), and the caches that were found."""

    panels: tuple[str, ...] | None
    caches: Caches
    places: Places = GATEWAY


pytest_generate_tests = validates(FILAMENT)


def test_filament(cell: Cell) -> None:
    """Every panel's component cache and the icon manifest exist, load, list just what is there, and are fresh."""
    cell.judge()


def examine(host: Host) -> Evidence:
    """Take the caches of the host's facts."""
    return Evidence(host.environment.panels, host.facts().seen("caches"), places_of(host))


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge the set of panels, or one cache named by its role."""
    if "panels" in evidence.caches.absent and not evidence.panels and part != "icons":
        return not_applicable("filament.no-filament")
    if part == "icons" and "icons" in evidence.caches.absent:
        return not_applicable("filament.no-icons")
    if part == "panels":
        return _panels(evidence)
    return _of_role(evidence, part)


def _panels(evidence: Evidence) -> Finding:
    found = sorted(evidence.caches.panels)
    names = ", ".join(found)
    if evidence.panels is None:
        return _each_panel(evidence, found)
    expected = sorted(evidence.panels)
    if found != expected:
        has = f"the panels {listed(found, most=9)}" if found else "no panel"
        return failed("filament.other-panels", level=DECLARED, found=has, expected=", ".join(expected) or "none")
    count = counted(len(found), "panel")
    return passed("filament.panels", DECLARED, figures={"panels": len(found)}, count=count, found=names)


def _each_panel(evidence: Evidence, found: list[str]) -> Finding:
    """Judge the cache of every panel that the application names, where the environment names none."""
    if not found:
        return unknown("filament.no-panel")
    for panel in found:
        finding = _of_role(evidence, f"panel-{panel}")
        if finding.verdict is not Verdict.PASS:
            return finding
    count, names = counted(len(found), "panel"), ", ".join(found)
    return passed("filament.each-panel", DECLARED, figures={"panels": len(found)}, count=count, found=names)


def _of_role(evidence: Evidence, role: str) -> Finding:
    cache = next((cache for cache in evidence.caches.files if cache.role == role), None)
    if cache is None:
        return unknown("filament.not-looked-at", role=role)
    # Icons are of a package of their own, which may be there without Filament.
    command = "icons:cache" if "panels" in evidence.caches.absent else "filament:optimize"
    now = cache.recomputed
    if now is not None and cache.exists and cache.load_error is None:
        count = counted(now.entries, "entry").replace("entrys", "entries")
        wrong = recomputation.of_cache(cache)
        computed = passed("filament.computed", RESOLVED, figures={"entries": now.entries}, count=count)
        return wrong or computed
    bad = _defect(cache)
    if bad is not None:
        code, which = bad
        console, path = evidence.places.console, cache.path
        return failed(code, level=DECLARED, seen_by=path, path=path, which=which, console=console, command=command)
    count = counted(cache.entries, "entry").replace("entrys", "entries")
    return passed("filament.cached", DECLARED, figures={"entries": cache.entries}, count=count)


def _defect(cache: CacheFile) -> tuple[str, str] | None:
    """Return what is wrong with a cache, by its code, and which of its entries or what error shows it."""
    if not cache.exists:
        return "filament.missing", ""
    if cache.load_error is not None:
        return "filament.unloadable", cache.load_error
    if cache.entries == 0:
        return "filament.empty", ""
    if cache.absent:
        return "filament.lists-what-is-gone", listed(cache.absent)
    if cache.unlisted:
        return "filament.lacks", listed(cache.unlisted)
    return ("filament.outdated", listed(cache.changed)) if cache.changed else None
