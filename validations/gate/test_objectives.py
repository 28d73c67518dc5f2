"""The brief's objectives, beside the eight: how much, how often, how soon. What was not measured says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fixtures.environments.base import Host
from fixtures.environments.settings import Objectives, Page
from fixtures.observation.facts import (
    ApplicationLog,
    CompiledViews,
    Configuration,
    HostFacts,
    Recomputed,
    Schedule,
    Unobserved,
)
from fixtures.observation.pages import Answer
from fixtures.observation.reading.log import ViewErrors, view_errors
from fixtures.observation.repair import Repair
from reports.records import Finding, Scalar
from validations import agreement, recomputation
from validations.cells import Cell, validates
from validations.contracts import DECLARED, OBSERVED, RESOLVED, counted, failed, listed, passed, unknown
from validations.gate.test_7_page import defect, upper_bound
from validations.messages import fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import (
    AGREEMENT,
    AVAILABILITY,
    COVERAGE,
    ERRORS,
    OBJECTIVES,
    RECOVERY,
    SCHEDULED_HEALTH,
    SCHEDULED_REBUILD,
    VIEWS,
    Check,
)
from validations.versions import vendor_left_out

says(
    {
        "compiled-views.not-measured": is_unknown("not measured: {reason}"),
        "compiled-views.too-few": fails("{found}", "at least {least:,}", "run {console} view:cache"),
        "compiled-views.enough": passes("{found}, of at least {least:,}"),
        "coverage.not-measured": is_unknown("not measured: {reason}"),
        "coverage.no-sources": is_unknown("not measured: no template source was found"),
        "coverage.cache-off": fails(
            "view.cache is false: every request compiles every view again, over what another is reading",
            "true, and compiled views that are kept",
            "remove 'cache' => false from config/view.php",
        ),
        "coverage.incomplete": fails(
            "{intact} of {sources} templates have an intact compiled view; {lacking}",
            "all of them",
            "run {console} view:cache, or {console} view:health-check --fix",
        ),
        "coverage.published-left-out": fails(
            "{intact} of {sources} templates have an intact compiled view; {lacking}",
            "all of them",
            "compile resources/views/vendor/ yourself after view:cache, which leaves it out since Laravel 11.49 and"
            " 12.54",
        ),
        "coverage.vendor-left-out": fails(
            "{intact} of {sources} templates have an intact compiled view; {lacking}",
            "all of them",
            "view:cache leaves out every folder named vendor: rename it, or compile its templates after view:cache with"
            " app('blade.compiler')->compile($path)",
        ),
        "coverage.broken-files": fails(
            "{count} that no template of the application asks for: {broken}",
            "no file that is empty or cut off: a package's view is read as it is",
            "run {console} view:cache, or {console} view:health-check --fix",
        ),
        "coverage.complete": passes("all {sources} templates are compiled and intact{beside}"),
        "view-errors.not-measured": is_unknown("not measured: {reason}"),
        "view-errors.empty-log": is_unknown(
            "not measured: {path} holds no entry, so nothing shows that errors would be written there"
        ),
        "view-errors.found": fails(
            "{count} in the last hour ({kinds}); the latest: {latest}",
            "none",
            "read the latest entry in {path}, then {console} view:health-check --fix",
        ),
        "view-errors.not-all-read": is_unknown(
            "not measured: no view error was found in {path}, but {missed}",
            "read the last hour of {path} yourself, and find out what fills it",
        ),
        "view-errors.none": passes("none in the last hour, of {entries} in the log"),
        **{
            f"{check}.{slug}": words
            for check in ("schedule-health", "schedule-rebuild")
            for slug, words in {
                "not-measured": is_unknown("not measured: {reason}"),
                "scheduled": passes("{command} at {expression} is scheduled"),
                "other-time": fails(
                    "{command} is scheduled at {found}", "{expression}", "schedule {command} at {expression}"
                ),
                "other-environment": fails(
                    "{command} is scheduled for other environments than this one",
                    "{command} at {expression}",
                    "schedule {command} at {expression} in the environment {environment}, too",
                ),
                "absent": fails(
                    "the schedule has {commands}",
                    "{command} at {expression}",
                    "schedule {command} at {expression}",
                ),
            }.items()
        },
        "availability.not-measured": is_unknown("not measured: no request was made"),
        "availability.too-low": fails(
            "{told}", "at least {target:g} %", "find what answered badly in the reports of this run and those before"
        ),
        # A gate that kept failing for an outage of the past would roll back the very deploy that ended it.
        "availability.was-too-low": is_unknown(
            "not met by the recorded runs ({told}), while all {answers} of this run were complete",
            "nothing of this run: the objective is met again as complete answers add up",
        ),
        "availability.reached": passes("{told}{proof}"),
        "recovery.not-exercised": is_unknown(
            "not measured: a defect would have to be planted, and this environment is read only",
            "run the gate with --intrusive, where a damaged compiled view may be risked for a moment",
        ),
        "recovery.not-measured": is_unknown("not measured: {reason}"),
        "recovery.none": fails(
            "{view} was not served complete and intact again",
            "within {most:g} s",
            "enable the middleware (check 1) and the schedule",
        ),
        "recovery.late": fails(
            "recovered after {seconds:.1f} s", "within {most:g} s", "enable the middleware (check 1) and the schedule"
        ),
        "recovery.recovered": passes("{milliseconds:.0f} ms from a planted defect to green, of at most {most:g} s"),
    }
)

T = TypeVar("T")

WINDOW_DAYS = 30


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the objectives are judged by; each fact, or why it could not be had."""

    agreed: Objectives
    compiled: CompiledViews | Unobserved
    log: ApplicationLog | Unobserved
    schedule: Schedule | Unobserved
    page: Page
    answers: tuple[Answer, ...]
    history: tuple[dict[str, Any], ...]
    repair: Repair | Unobserved | None
    now: dt.datetime
    version: str = ""
    environment: str = ""
    places: Places = GATEWAY
    # Of Laravel; None: this application's own code is not asked.
    recomputed: Recomputed | Unobserved | None = None
    configuration: Configuration | Unobserved | None = None


pytest_generate_tests = validates(*OBJECTIVES)


def test_objectives(cell: Cell) -> None:
    """The environment meets the brief's objectives, or says which of them was not measured."""
    if cell.check is AGREEMENT:
        cell.digest(lambda host: agreement.digest_of(_seen(host.facts)))
    else:
        cell.judge()


def examine(host: Host, history: Sequence[dict[str, Any]]) -> Evidence:
    """Take from the host's facts, its page and the recorded runs what the objectives are judged by."""
    disturbance = host.disturbance
    facts, page = _seen(host.facts), _seen(host.page)
    application = None if isinstance(facts, Unobserved) else facts.application
    return Evidence(
        agreed=host.environment.objectives,
        compiled=facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen("compiled")),
        log=facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen("log")),
        schedule=facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen("schedule")),
        page=host.environment.page,
        answers=() if isinstance(page, Unobserved) else page.answers,
        history=tuple(history),
        repair=None if disturbance is None else _seen(disturbance.repair),
        now=dt.datetime.now(dt.UTC),
        version=application.framework_version if application else "",
        environment=application.environment if application else "",
        places=places_of(host),
        recomputed=_of_laravel(host, facts, "recomputed"),
        configuration=_of_laravel(host, facts, "configuration"),
    )


def _of_laravel(host: Host, facts: HostFacts | Unobserved, section: str) -> Any:
    if host.environment.kind != "laravel":
        return None
    return facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen(section))


def _seen(observe: Callable[[], T]) -> T | Unobserved:
    try:
        return observe()
    except Unobserved as reason:
        return reason


def judge(evidence: Evidence, objective: Check) -> Finding:
    """Judge one objective of a host; whether hosts agree takes all of them."""
    judges: dict[Check, Callable[[Evidence], Finding]] = {
        VIEWS: _views,
        COVERAGE: _coverage,
        ERRORS: _errors,
        SCHEDULED_HEALTH: lambda it: _scheduled(it, objective.id, "view:health-check --fix", "*/5 * * * *"),
        SCHEDULED_REBUILD: lambda it: _scheduled(it, objective.id, "view:cache", "0 3 * * *"),
        AVAILABILITY: _availability,
        RECOVERY: _recovery,
    }
    return judges[objective](evidence)


def _views(evidence: Evidence) -> Finding:
    compiled, least = evidence.compiled, evidence.agreed.compiled_views
    if isinstance(compiled, Unobserved):
        return unknown("compiled-views.not-measured", reason=compiled)
    figures, found = _measured(compiled.counted, least), counted(compiled.counted, "compiled view")
    if compiled.counted < least:
        console = evidence.places.console
        return failed("compiled-views.too-few", figures=figures, found=found, least=least, console=console)
    return passed("compiled-views.enough", OBSERVED, figures=figures, found=found, least=least)


def _measured(value: float, target: float) -> dict[str, Scalar]:
    """Return a measure and its target, as dashboards read them."""
    return {"value": float(value), "target": float(target)}


def _coverage(evidence: Evidence) -> Finding:
    for unseen in (evidence.configuration, evidence.compiled, evidence.recomputed):
        # Caches of another tree are the root of whatever else is found, or is not.
        if isinstance(unseen, Configuration) and (found := recomputation.of_configuration(unseen)):
            return found
        if isinstance(unseen, Unobserved):
            return unknown("coverage.not-measured", reason=unseen)
    compiled, recomputed = evidence.compiled, evidence.recomputed
    assert isinstance(compiled, CompiledViews)
    assert not isinstance(recomputed, Unobserved)
    if compiled.sources == 0:
        return unknown("coverage.no-sources")
    if not compiled.cached:
        return failed("coverage.cache-off", level=RESOLVED)
    wrong = recomputation.of_views(recomputed) if recomputed else None
    # Without that folder view:cache comes to no end: it is why others are missing.
    if wrong and wrong.code == "coverage.absent-folder":
        return wrong
    if bad := _of_files(compiled, evidence):
        return bad
    if wrong:
        return wrong
    # What a compilation that writes or draws lots makes is known by its file alone.
    level = RESOLVED if recomputed and recomputed.all_equal else DECLARED
    beside = f"; {recomputation.told(recomputed)}" if recomputed else ""
    return passed(
        "coverage.complete",
        level,
        figures=_measured(compiled.intact / compiled.sources, 1),
        sources=compiled.sources,
        beside=beside + _told_of_files(compiled),
    )


def _of_files(compiled: CompiledViews, evidence: Evidence) -> Finding | None:
    """Judge what the compiled files tell of themselves."""
    console = evidence.places.console
    lacking = [*compiled.damaged, *(f"{name}: not compiled" for name in compiled.missing)]
    intact, sources = compiled.intact, compiled.sources
    if lacking or intact != sources:
        vendor, published = _vendor_alone(compiled, evidence.version)
        left_out = "coverage.vendor-left-out" if vendor else "coverage.published-left-out"
        code = left_out if vendor or published else "coverage.incomplete"
        figures = _measured(intact / sources, 1)
        return failed(code, figures=figures, intact=intact, sources=sources, lacking=listed(lacking), console=console)
    files = compiled.files
    broken = [*files.empty, *files.cut] if files else []
    if broken:
        count = counted(len(broken), "compiled file")
        return failed("coverage.broken-files", count=count, broken=listed(broken), console=console)
    return None


def _vendor_alone(compiled: CompiledViews, version: str) -> tuple[bool, bool]:
    """Tell whether all that is missing is in folders named vendor, and whether it is published views of packages.

    The former view:cache never compiles; the latter it leaves out in some versions.
    """
    missing = compiled.missing
    alone = bool(missing) and not compiled.damaged and all("/vendor/" in name for name in missing)
    published = alone and all(name.startswith("resources/views/vendor/") for name in missing)
    return alone and not published, published and vendor_left_out(version)


def _told_of_files(compiled: CompiledViews) -> str:
    """Say what else lies there and is worth knowing: none of it breaks a page by itself."""
    files, told = compiled.files, []
    if compiled.package_missing_count:
        told.append(
            f"{compiled.package_missing_count} of {counted(compiled.package_sources, 'package view')} are not compiled,"
            f" or under another spelling of their path: {listed(compiled.package_missing, most=1)}"
        )
    if files and files.duplicates_count:
        told.append(
            f"{files.duplicates_count} compiled under two spellings of their path: {listed(files.duplicates, most=1)}"
        )
    if files and files.dead_count + files.elsewhere_count:
        gone = listed([*files.dead, *files.elsewhere], most=1)
        told.append(f"{files.dead_count + files.elsewhere_count} of other releases or none: {gone}")
    return "".join(f"; {text}" for text in told)


def _errors(evidence: Evidence) -> Finding:
    log = evidence.log
    if isinstance(log, Unobserved):
        return unknown("view-errors.not-measured", reason=log)
    if log.entries == 0:
        return unknown("view-errors.empty-log", path=log.path)
    found = view_errors(log)
    figures = _measured(found.total, 0)
    if found.total:
        return failed(
            "view-errors.found",
            figures=figures,
            count=counted(found.total, "view error"),
            kinds=", ".join(f"{count} {kind}" for kind, count in found.by_signature.items()),
            latest=found.latest,
            path=log.path,
            console=evidence.places.console,
        )
    if not found.complete:
        return unknown("view-errors.not-all-read", path=log.path, missed=_not_read(found))
    entries = counted(log.entries, "entry").replace("entrys", "entries")
    return passed("view-errors.none", OBSERVED, figures=figures, entries=entries)


def _not_read(found: ViewErrors) -> str:
    """Say which part of the hour was not read."""
    parts = []
    if found.unclear:
        parts.append(f"{found.unclear} of the last hour's entries are too long or in no known format")
    if found.missed:
        parts.append(f"{found.missed} of the last hour's entries were left out")
    if not found.whole:
        parts.append("the hour began before what was read of the file")
    return ", and ".join(parts)


def _scheduled(evidence: Evidence, check: str, command: str, expression: str) -> Finding:
    schedule = evidence.schedule
    if isinstance(schedule, Unobserved):
        return unknown(f"{check}.not-measured", reason=schedule)
    words = command.split()
    named = [entry for entry in schedule.entries if all(word in entry.command.split() for word in words)]
    here = [entry for entry in named if entry.runs_here]
    if any(entry.expression == expression for entry in here):
        return passed(f"{check}.scheduled", RESOLVED, command=command, expression=expression)
    if here:
        return failed(
            f"{check}.other-time", level=RESOLVED, command=command, expression=expression, found=here[0].expression
        )
    if named:
        return failed(
            f"{check}.other-environment",
            level=RESOLVED,
            command=command,
            expression=expression,
            environment=evidence.environment,
        )
    commands = listed([entry.command for entry in schedule.entries], most=5) or "nothing"
    return failed(f"{check}.absent", level=RESOLVED, command=command, expression=expression, commands=commands)


def _availability(evidence: Evidence) -> Finding:
    answers = evidence.answers
    if not answers:
        return unknown("availability.not-measured")
    since = (evidence.now - dt.timedelta(days=WINDOW_DAYS)).isoformat()
    runs = [line for line in evidence.history if str(line.get("started", "")) >= since]
    bad = sum(defect(answer, evidence.page) is not None for answer in answers)
    requests, complete = len(answers), len(answers) - bad
    for line in runs:
        figures = line.get("figures", {}).get("page", {})
        requests += int(figures.get("requests", 0))
        complete += int(figures.get("complete", 0))
    share, target = complete / requests, evidence.agreed.availability
    told = f"{complete:,} of {requests:,} requests complete in {counted(len(runs) + 1, 'run')}: {share:.3%}".replace(
        "%", " %"
    )
    measured = _measured(share, target)
    if share < target and bad:
        return failed("availability.too-low", figures=measured, told=told, target=target * 100)
    if share < target:
        return unknown("availability.was-too-low", told=told, answers=len(answers))
    proof = "" if complete < requests else f" (at least {(1 - upper_bound(requests)) * 100:.2f} % with 95 % confidence)"
    return passed("availability.reached", OBSERVED, figures=measured, told=told, proof=proof)


def _recovery(evidence: Evidence) -> Finding:
    repair, most = evidence.repair, evidence.agreed.recovery_seconds
    if repair is None:
        return unknown("recovery.not-exercised")
    if isinstance(repair, Unobserved):
        return unknown("recovery.not-measured", reason=repair)
    if repair.seconds is None or defect(repair.answer, evidence.page) is not None:
        return failed("recovery.none", view=repair.view, most=most)
    figures = _measured(repair.seconds, most)
    if repair.seconds > most:
        return failed("recovery.late", figures=figures, seconds=repair.seconds, most=most)
    return passed("recovery.recovered", OBSERVED, figures=figures, milliseconds=repair.seconds * 1000, most=most)
