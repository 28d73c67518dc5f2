"""Validation 6: Filament's caches exist.

Existing is the least of it: a cache that is empty, cannot be loaded, names what is gone or was made before its
sources changed hides resources silently. Each panel has a component cache of its own; the icons have one manifest.
"""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.environments.base import Host
from fixtures.observation.facts import CacheFile, Caches
from reports.records import Verdict
from validations.cells import Cell, validates
from validations.contracts import Judgement, counted, failed, listed, not_applicable, passed, unknown
from validations.registry import FILAMENT


@dataclass(frozen=True, slots=True)
class Evidence:
    """The panels that are expected by name (None: whichever there are), and the caches that were found."""

    panels: tuple[str, ...] | None
    caches: Caches


pytest_generate_tests = validates(FILAMENT)


def test_filament(cell: Cell) -> None:
    """Every panel's component cache and the icon manifest exist, load, list just what is there, and are fresh."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Take the caches of the host's facts."""
    return Evidence(host.environment.panels, host.facts().seen("caches"))


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge the set of panels, or one cache named by its role."""
    if "panels" in evidence.caches.absent and not evidence.panels and part != "icons":
        return not_applicable("the application has no Filament: no package, no panel, no cache")
    if part == "icons" and "icons" in evidence.caches.absent:
        return not_applicable("the application has no icon package, and no manifest")
    if part == "panels":
        return _panels(evidence)
    cache = next((cache for cache in evidence.caches.files if cache.role == part), None)
    if cache is None:
        return unknown(f"the probe did not look at the cache of {part}")
    return _cache(cache)


def _panels(evidence: Evidence) -> Judgement:
    found = sorted(evidence.caches.panels)
    if evidence.panels is None:
        return _each_panel(evidence.caches, found)
    expected = sorted(evidence.panels)
    if found != expected:
        return failed(
            f"the application has {f'the panels {listed(found, most=9)}' if found else 'no panel'}",
            ", ".join(expected) or "none",
            remedy="name every panel of the application as `panels` of the environment, so that each is looked at",
        )
    return passed(f"{counted(len(found), 'panel')}: {', '.join(found)}", panels=len(found))


def _each_panel(caches: Caches, found: list[str]) -> Judgement:
    """Judge the cache of every panel that the application names, where the environment names none."""
    if not found:
        return unknown("the application names no panel, and nothing shows that it has none")
    files = {cache.role: cache for cache in caches.files}
    for panel in found:
        cache = files.get(f"panel-{panel}")
        if cache is None:
            return unknown(f"the probe did not look at the cache of panel-{panel}")
        judgement = _cache(cache)
        if judgement.verdict is not Verdict.PASS:
            return judgement
    return passed(f"{counted(len(found), 'panel')}, each with a cache: {', '.join(found)}", panels=len(found))


def _cache(cache: CacheFile) -> Judgement:  # noqa: PLR0911 - one a defect
    if not cache.exists:
        return failed(f"{cache.path} is not there", "the cache")
    if cache.load_error is not None:
        return failed(f"{cache.path} cannot be loaded: {cache.load_error}", "a cache that loads")
    if cache.entries == 0:
        return failed(f"{cache.path} is empty", "a list of components")
    if cache.absent:
        return failed(f"it lists {listed(cache.absent)}", "only what is there", seen_by=cache.path)
    if cache.unlisted:
        return failed(f"it does not list {listed(cache.unlisted)}", "all that is there", seen_by=cache.path)
    if cache.changed:
        return failed(f"{listed(cache.changed)} changed since it was made", "fresh", seen_by=cache.path)
    return passed(
        f"{counted(cache.entries, 'entry').replace('entrys', 'entries')}, all there and fresh",
        entries=cache.entries,
    )
