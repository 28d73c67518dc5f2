"""The brief's objectives, beside the eight: how much, how often, how soon. What was not measured says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from fixtures.environments.base import Host
from fixtures.environments.settings import Objectives, Page
from fixtures.observation.facts import ApplicationLog, CompiledViews, HostFacts, Schedule, Unobserved
from fixtures.observation.pages import Answer
from fixtures.observation.reading.log import ViewErrors, view_errors
from fixtures.observation.repair import Repair
from validations import agreement
from validations.cells import Cell, disturbable, validates
from validations.contracts import Judgement, counted, failed, listed, passed, unknown
from validations.gate.test_7_page import defect, upper_bound
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


pytest_generate_tests = validates(*OBJECTIVES)


def test_objectives(cell: Cell) -> None:
    """The environment meets the brief's objectives, or says which of them was not measured."""
    if cell.check is AGREEMENT:
        cell.digest(lambda host: agreement.digest_of(_seen(host.facts)))
    else:
        cell.judge(lambda host: examine(host, cell.history()), lambda evidence, _: judge(evidence, cell.check))


def examine(host: Host, history: Sequence[dict[str, Any]]) -> Evidence:
    """Take from the host's facts, its page and the recorded runs what the objectives are judged by."""
    stage = disturbable(host)
    facts, page = _seen(host.facts), _seen(host.page)
    return Evidence(
        agreed=host.environment.objectives,
        compiled=facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen("compiled")),
        log=facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen("log")),
        schedule=facts if isinstance(facts, Unobserved) else _seen(lambda: facts.seen("schedule")),
        page=host.environment.page,
        answers=() if isinstance(page, Unobserved) else page.answers,
        history=tuple(history),
        repair=None if stage is None else _seen(stage.repair),
        now=dt.datetime.now(dt.UTC),
        version=_version(facts),
    )


def _version(facts: HostFacts | Unobserved) -> str:
    return "" if isinstance(facts, Unobserved) or facts.application is None else facts.application.framework_version


def _seen(observe: Callable[[], T]) -> T | Unobserved:
    try:
        return observe()
    except Unobserved as reason:
        return reason


def judge(evidence: Evidence, objective: Check) -> Judgement:
    """Judge one objective of a host; whether hosts agree takes all of them."""
    judges: dict[Check, Callable[[Evidence], Judgement]] = {
        VIEWS: _views,
        COVERAGE: _coverage,
        ERRORS: _errors,
        SCHEDULED_HEALTH: lambda evidence: _scheduled(evidence, "*/5 * * * *", ("view:health-check", "--fix")),
        SCHEDULED_REBUILD: lambda evidence: _scheduled(evidence, "0 3 * * *", ("view:cache",)),
        AVAILABILITY: _availability,
        RECOVERY: _recovery,
    }
    return judges[objective](evidence)


def _views(evidence: Evidence) -> Judgement:
    compiled, least = evidence.compiled, evidence.agreed.compiled_views
    if isinstance(compiled, Unobserved):
        return unknown(f"not measured: {compiled}")
    found = compiled.counted
    if found < least:
        return failed(
            f"{counted(found, 'compiled view')}",
            f"at least {least:,}",
            value=float(found),
            target=float(least),
        )
    return passed(
        f"{counted(found, 'compiled view')}, of at least {least:,}",
        value=float(found),
        target=float(least),
    )


def _coverage(evidence: Evidence) -> Judgement:
    compiled = evidence.compiled
    if isinstance(compiled, Unobserved):
        return unknown(f"not measured: {compiled}")
    if compiled.sources == 0:
        return unknown("not measured: no template source was found")
    if not compiled.cached:
        return failed(
            "view.cache is false: every request compiles every view again, over what another is reading",
            "true, and compiled views that are kept",
            remedy="remove 'cache' => false from config/view.php",
        )
    lacking = [*compiled.damaged, *(f"{name}: not compiled" for name in compiled.missing)]
    share = compiled.intact / compiled.sources
    if lacking or compiled.intact != compiled.sources:
        return failed(
            f"{compiled.intact} of {compiled.sources} templates have an intact compiled view; {listed(lacking)}",
            "all of them",
            remedy=_compile_remedy(compiled, evidence.version),
            value=share,
            target=1.0,
        )
    files = compiled.files
    broken = [*files.empty, *files.cut] if files else []
    if broken:
        return failed(
            f"{counted(len(broken), 'compiled file')} that no template of the application asks for: {listed(broken)}",
            "no file that is empty or cut off: a package's view is read as it is",
        )
    return passed(
        f"all {compiled.sources} templates are compiled and intact{_told_of_files(compiled)}", value=share, target=1.0
    )


def _compile_remedy(compiled: CompiledViews, version: str) -> str:
    """Return what compiles that which is missing, where it is not what the check's own remedy says."""
    published = "resources/views/vendor/"
    only_published = bool(compiled.missing) and all(name.startswith(published) for name in compiled.missing)
    if only_published and not compiled.damaged and vendor_left_out(version):
        return f"compile {published} yourself after view:cache, which leaves it out since Laravel 11.49 and 12.54"
    return ""


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


def _errors(evidence: Evidence) -> Judgement:
    log = evidence.log
    if isinstance(log, Unobserved):
        return unknown(f"not measured: {log}")
    if log.entries == 0:
        return unknown(f"not measured: {log.path} holds no entry, so nothing shows that errors would be written there")
    found = view_errors(log)
    if found.total:
        kinds = ", ".join(f"{count} {kind}" for kind, count in found.by_signature.items())
        return failed(
            f"{counted(found.total, 'view error')} in the last hour ({kinds}); the latest: {found.latest}",
            "none",
            value=float(found.total),
            target=0.0,
        )
    if not found.complete:
        return unknown(
            f"not measured: no view error was found in {log.path}, but {_not_read(found)}",
            remedy=f"read the last hour of {log.path} yourself, and find out what fills it",
        )
    return passed(
        f"none in the last hour, of {counted(log.entries, 'entry').replace('entrys', 'entries')} in the log",
        value=0.0,
        target=0.0,
    )


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


def _scheduled(evidence: Evidence, expression: str, words: tuple[str, ...]) -> Judgement:
    schedule = evidence.schedule
    if isinstance(schedule, Unobserved):
        return unknown(f"not measured: {schedule}")
    wanted = f"{' '.join(words)} at {expression}"
    named = [entry for entry in schedule.entries if all(word in entry.command.split() for word in words)]
    elsewhere, named = [e for e in named if not e.runs_here], [e for e in named if e.runs_here]
    if any(entry.expression == expression for entry in named):
        return passed(f"{wanted} is scheduled")
    if named:
        return failed(f"{' '.join(words)} is scheduled at {named[0].expression}", expression)
    if elsewhere:
        return failed(f"{' '.join(words)} is scheduled for other environments than this one", wanted)
    commands = listed([entry.command for entry in schedule.entries], most=5) or "nothing"
    return failed(f"the schedule has {commands}", wanted)


def _availability(evidence: Evidence) -> Judgement:
    if not evidence.answers:
        return unknown("not measured: no request was made")
    since = (evidence.now - dt.timedelta(days=WINDOW_DAYS)).isoformat()
    runs = [line for line in evidence.history if str(line.get("started", "")) >= since]
    requests, complete = (
        len(evidence.answers),
        sum(not defect(answer, evidence.page) for answer in evidence.answers),
    )
    for line in runs:
        figures = line.get("figures", {}).get("page", {})
        requests += int(figures.get("requests", 0))
        complete += int(figures.get("complete", 0))
    share, target = complete / requests, evidence.agreed.availability
    told = f"{complete:,} of {requests:,} requests complete in {counted(len(runs) + 1, 'run')}: {share:.3%}".replace(
        "%", " %"
    )
    if share < target and any(defect(answer, evidence.page) for answer in evidence.answers):
        return failed(told, f"at least {target * 100:g} %", value=share, target=target)
    if share < target:
        # A gate that kept failing for an outage of the past would roll back the very deploy that ended it.
        return unknown(
            f"not met by the recorded runs ({told}), while all {len(evidence.answers)} of this run were complete",
            remedy="nothing of this run: the objective is met again as complete answers add up",
        )
    proof = "" if complete < requests else f" (at least {(1 - upper_bound(requests)) * 100:.2f} % with 95 % confidence)"
    return passed(told + proof, value=share, target=target)


def _recovery(evidence: Evidence) -> Judgement:
    repair, most = evidence.repair, evidence.agreed.recovery_seconds
    if repair is None:
        return unknown(
            "not measured: a defect would have to be planted, and this environment is read only",
            remedy="run the gate with --intrusive, where a damaged compiled view may be risked for a moment",
        )
    if isinstance(repair, Unobserved):
        return unknown(f"not measured: {repair}")
    whole = not defect(repair.answer, evidence.page)
    if repair.seconds is None or not whole:
        return failed(f"{repair.view} was not served complete and intact again", f"within {most:g} s")
    if repair.seconds > most:
        return failed(
            f"recovered after {repair.seconds:.1f} s", f"within {most:g} s", value=repair.seconds, target=most
        )
    return passed(
        f"{repair.seconds * 1000:.0f} ms from a planted defect to green, of at most {most:g} s",
        value=repair.seconds,
        target=most,
    )
