"""What a recomputation shows of a host's caches. Pure: facts in, a finding of the first thing that is wrong out.

`None`: all that was recomputed is as it should be. Evidence is resolved: the application's own code was asked.
"""

from __future__ import annotations

from fixtures.observation.facts import CacheFile, Configuration, Recomputed, RecomputedFile
from reports.records import Finding
from validations.contracts import RESOLVED, counted, failed, listed, unknown
from validations.messages import fails, is_unknown, says

# What the application's own code did not tell: then it is judged by what the files tell of themselves.
UNTOLD = ("writes", "varies")
# The same change in at least so many files, and in all of them, is one difference of how they are compiled.
LEAST_ALIKE = 3


_RED = fails("{observed}", "{expected}", "{remedy}")
_UNKNOWN = is_unknown("{observed}", "{remedy}")
says(
    {
        "coverage.configuration-elsewhere": _RED,
        "coverage.absent-folder": _RED,
        "coverage.does-not-compile": _RED,
        "coverage.content-differs": _RED,
        "coverage.expired": _RED,
        "coverage.empty-below": _RED,
        "filament.differs": _RED,
        "coverage.configuration-not-compared": _UNKNOWN,
        "coverage.compiled-otherwise": _UNKNOWN,
        "coverage.not-confirmed": _UNKNOWN,
    }
)


def of_configuration(configuration: Configuration) -> Finding | None:
    """Return that the cached configuration was made for another tree than the one that is served.

    Without a `.env` the one that is loaded afresh may lack what the cached one was made with: then it is not known.
    """
    if not configuration.cached or not configuration.elsewhere_count:
        return None
    keys = configuration.elsewhere
    if not configuration.environment_file:
        return unknown(
            "coverage.configuration-not-compared",
            level=RESOLVED,
            observed=f"the cached configuration {configuration.path} names other places than one that is loaded afresh:"
            f" {listed(keys)}; but there is no .env to load it with",
            remedy="put the .env back, or cache the configuration anew with what the deploy sets",
        )
    compiled = "templates and compiled views" if any(key.startswith("view.") for key in keys) else "what it names"
    return failed(
        "coverage.configuration-elsewhere",
        level=RESOLVED,
        observed=f"{compiled} lie outside this release by the cached configuration {configuration.path}:"
        f" {listed(keys)}{_more(configuration.elsewhere_count, keys)}",
        expected="a configuration that was cached where it is served",
        remedy="run config:cache in the release that is served, after it has its final place; then view:cache",
    )


def of_views(found: Recomputed) -> Finding | None:
    """Return what is wrong with the compiled views, the root of it first."""
    kinds = (_absent_folder, _uncompilable, _otherwise, _content, _expired, _empty_below, _unconfirmed)
    return next((wrong for kind in kinds if (wrong := kind(found)) is not None), None)


def _absent_folder(found: Recomputed) -> Finding | None:
    if not found.absent_folders:
        return None
    return failed(
        "coverage.absent-folder",
        level=RESOLVED,
        observed=f"view:cache ends with an error: {listed(found.absent_folders)} is registered as a folder of views and"
        " is not there",
        expected="folders that exist",
        remedy="deploy that folder, or have its package's service provider not register it; then run view:cache",
    )


def _uncompilable(found: Recomputed) -> Finding | None:
    files = found.in_state("error", "fatal")
    if not files:
        return None
    return failed(
        "coverage.does-not-compile",
        level=RESOLVED,
        observed=f"{counted(_count(found, 'error', 'fatal'), 'template')} cannot be compiled:"
        f" {listed([f'{file.of}: {file.why}' for file in files])}",
        expected="templates that compile",
        remedy="mend the template, or bring back what it names, and run view:cache: it ends at the first of these",
    )


def _otherwise(found: Recomputed) -> Finding | None:
    """Return that the console compiles otherwise than what wrote the files, where that explains all that differs."""
    differs = _count(found, "differs")
    alike = found.changes == 1 and _count(found, "equal") == 0 and differs >= LEAST_ALIKE
    if not (alike if differs else _count(found, "uncompiled")):
        return None
    return unknown(
        "coverage.compiled-otherwise",
        level=RESOLVED,
        observed="console and web compile differently: all"
        f" {counted(_count(found, 'differs', 'uncompiled'), 'file')} that differ do so in one way:"
        f" {listed(_names(found.in_state('differs', 'uncompiled')))}",
        remedy="register directives and compilers in a provider's boot(), for the console as for requests",
    )


def _content(found: Recomputed) -> Finding | None:
    files = found.in_state("differs", "inline-source")
    if not files:
        return None
    return failed(
        "coverage.content-differs",
        level=RESOLVED,
        observed=f"{_count(found, 'differs', 'inline-source'):,} of {counted(found.compared, 'compiled view')} hold"
        f" something else than their templates compile to: {listed(_names(files))}",
        expected="what the application compiles now",
        remedy="run view:cache in the release that is served, after the deploy's composer install",
    )


def _expired(found: Recomputed) -> Finding | None:
    files = found.in_state("expired")
    if not files:
        return None
    return failed(
        "coverage.expired",
        level=RESOLVED,
        observed=f"{counted(_count(found, 'expired'), 'compiled view')} are no newer than their templates, so that"
        f" every request compiles them again: {listed(_names(files))}",
        expected="compiled views newer than their templates",
        remedy="run view:cache after the last file of the release was written",
    )


def _empty_below(found: Recomputed) -> Finding | None:
    if not found.empty_below:
        return None
    return failed(
        "coverage.empty-below",
        level=RESOLVED,
        observed=f"{listed(found.empty_below)} below the compiled views holds nothing",
        expected="no compiled file that is empty",
        remedy="delete it, and run view:cache",
    )


def _unconfirmed(found: Recomputed) -> Finding | None:
    files = found.in_state("moving", "unconfirmed")
    if not files:
        return None
    return unknown(
        "coverage.not-confirmed",
        level=RESOLVED,
        observed=f"{listed(_names(files))} differ, and changed or were out of time when looked at again",
        remedy="run the gate when the deploy has ended, or with a larger budget.command_seconds",
    )


def of_cache(cache: CacheFile) -> Finding | None:
    """Return how a component cache or the icon manifest differs from what is there now; it has been recomputed."""
    now = cache.recomputed
    if now is None or not (now.lacks_count or now.surplus_count):
        return None
    parts = [
        f"{verb} {listed(names)}{_more(count, names)}"
        for verb, names, count in (
            ("lacks", now.lacks, now.lacks_count),
            ("has too many", now.surplus, now.surplus_count),
        )
        if count
    ]
    return failed(
        "filament.differs",
        level=RESOLVED,
        observed=f"{cache.path} {' and '.join(parts)}",
        expected="what the application discovers now",
        remedy="run filament:optimize in the release that is served",
    )


def told(found: Recomputed) -> str:
    """Say, behind a pass, what was compared and what else lies there: none of it breaks a page."""
    if found.cannot:
        return f"known by trailers and times alone, since {found.cannot}"
    parts = [f"{found.states.get('equal', 0):,} of {found.of:,} hold what their templates compile to now"]
    if not found.whole:
        parts.append(f"{found.of - found.compared:,} were not compared by the deadline")
    untold = sum(found.states.get(state, 0) for state in UNTOLD)
    if untold:
        parts.append(
            f"{untold} are known by their trailers alone, since their compilation writes or draws lots:"
            f" {listed(_names(found.in_state(*UNTOLD)), most=1)}"
        )
    if found.inline:
        parts.append(f"{found.inline} are of inline views, which a count of *.php includes")
    if found.below:
        folders = ", ".join(f"{name}/ ({count})" for name, count in sorted(found.below.items()))
        parts.append(f"not observed: what others compile below it, in {folders}")
    return "; ".join(parts)


def _count(found: Recomputed, *states: str) -> int:
    return sum(found.states.get(state, 0) for state in states)


def _names(files: list[RecomputedFile]) -> list[str]:
    return [file.of or file.name for file in files]


def _more(count: int, names: tuple[str, ...]) -> str:
    return f" ({count} in all)" if count > len(names) else ""
