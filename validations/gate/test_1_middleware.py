"""Validation 1: the AutoFixViewCache middleware is enabled.

The incident's first root cause was its registration being commented out. Reading files for its name is fooled by
a comment, a string and a later removal; so the booted application is asked which middleware it has, every answer
of the running workers must carry the middleware's mark, and on a stage a compiled view is damaged and must be whole
again after the next request.
"""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.environments.base import Host
from fixtures.observation.facts import Middleware, Unobserved
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Finding
from validations.cells import Cell, validates
from validations.contracts import DECLARED, OBSERVED, RESOLVED, failed, listed, not_applicable, passed, unknown
from validations.messages import does_not_apply, fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import MIDDLEWARE

says(
    {
        "middleware.not-asked": is_unknown("the application could not be asked for its middleware: {reason}"),
        "middleware.repeated": fails(
            "{wanted} is registered {times} times",
            "once",
            "register {wanted} once in {file}: each further one repairs the repair",
        ),
        "middleware.global": passes("{wanted} is number {place} of {count}"),
        "middleware.on-route": passes("{wanted} is on the page's own route, {route}"),
        "middleware.route-not-known": is_unknown(
            "{wanted} is in the group {group}; whether the page runs that is not known: {reason}",
            "name the page's real path as page.path",
        ),
        # Filament's panels have middleware of their own, and not that of the group web.
        "middleware.other-group": fails(
            "{wanted} is in the group {groups}, which the page's route {route} does not run",
            "on every request, or on that route",
            "append {wanted} to the global middleware in {file}, or to the panel's own ->middleware([…])",
        ),
        "middleware.absent": fails(
            "the booted application runs {runs}",
            "{wanted} among them",
            "register {wanted} in {file} (it was commented out in the incident) and reload the workers",
        ),
        "middleware.no-answer": is_unknown("no worker answered: {error}"),
        "middleware.unmarked-by-agreement": does_not_apply(
            "none of {answers} answers carries X-Auto-Fix-View-Cache, and none has to here"
        ),
        "middleware.not-passed": fails(
            "{unmarked} of {answers} answers did not pass through the middleware",
            "0: the running workers have it, too",
            "reload the workers: what runs is older than {file}, or the middleware is swallowed",
        ),
        "middleware.passed": passes("all {answers} answers passed through it"),
        "middleware.not-exercised": passes(
            "effect not exercised: this environment is read only (--intrusive exercises it)"
        ),
        "middleware.effect-not-seen": is_unknown("its effect could not be exercised: {reason}"),
        "middleware.page-not-repaired": fails(
            "the damaged page answered {got}",
            "a complete 200",
            "register {wanted} in {file}, outside of what renders, and reload the workers",
        ),
        "middleware.file-not-repaired": fails(
            "after a complete answer its compiled file was still {state}",
            "intact: the middleware repairs what it meets",
            "it is registered and does nothing: see that it wraps the views and that nothing swallows it",
        ),
        "middleware.repairs": passes("repaired during the request, in {milliseconds:.0f} ms"),
    }
)

MARKS = {"untouched", "repaired", "retried", "aggressive", "failed"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The booted middleware (or why it could not be had), the answers, and a planted defect where one was allowed.

    `marked` tells whether every answer has to carry the header.
    """

    wanted: str
    booted: Middleware | Unobserved
    answers: tuple[Answer, ...]
    repair: Repair | Unobserved | None
    marked: bool = True
    places: Places = GATEWAY


pytest_generate_tests = validates(MIDDLEWARE)


def test_middleware(cell: Cell) -> None:
    """The AutoFixViewCache middleware is registered in the booted application, and does its work."""
    cell.judge()


def examine(host: Host) -> Evidence:
    """Ask the application, look at what the workers answer, and damage a view where that is allowed."""
    booted: Middleware | Unobserved
    try:
        booted = host.facts().seen("middleware")
    except Unobserved as reason:
        booted = reason
    repair: Repair | Unobserved | None = None
    if host.disturbance is not None:
        try:
            repair = host.disturbance.repair()
        except Unobserved as reason:
            repair = reason
    environment = host.environment
    marked = "middleware" in environment.marked
    return Evidence(environment.middleware, booted, host.page().answers, repair, marked, places_of(host))


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: registered, answers, repairs."""
    return {"registered": _registered, "answers": _answers, "repairs": _repairs}[part](evidence)


def _registered(evidence: Evidence) -> Finding:
    booted, wanted = evidence.booted, evidence.wanted
    if isinstance(booted, Unobserved):
        return unknown("middleware.not-asked", reason=booted)
    seen_by = "the booted application"
    stack = [_short(name) for name in booted.stack]
    route = [_short(name) for name in booted.route or ()]
    times = stack.count(wanted) + route.count(wanted)
    if times > 1:
        file = evidence.places.middleware
        return failed("middleware.repeated", level=RESOLVED, seen_by=seen_by, wanted=wanted, times=times, file=file)
    if wanted in stack:
        place = stack.index(wanted) + 1
        return passed("middleware.global", RESOLVED, seen_by=seen_by, wanted=wanted, place=place, count=len(stack))
    if wanted in route:
        return passed("middleware.on-route", RESOLVED, seen_by=seen_by, wanted=wanted, route=booted.route_uri)
    groups = [group for group, names in booted.groups.items() if wanted in map(_short, names)]
    if groups and booted.route is None:
        reason, group = booted.route_error, groups[0]
        return unknown("middleware.route-not-known", seen_by=seen_by, wanted=wanted, group=group, reason=reason)
    if groups:
        return failed(
            "middleware.other-group",
            level=RESOLVED,
            seen_by=seen_by,
            wanted=wanted,
            groups=listed(groups),
            route=booted.route_uri,
            file=evidence.places.middleware,
        )
    return failed(
        "middleware.absent",
        level=RESOLVED,
        seen_by=seen_by,
        runs=listed([*stack, *route], most=8) or "no middleware at all",
        wanted=wanted,
        file=evidence.places.middleware,
    )


def _short(name: str) -> str:
    """Return the class's own name: without its namespace, and without what Laravel passes to it."""
    return name.partition(":")[0].replace("\\", ".").rpartition(".")[2]


def _answers(evidence: Evidence) -> Finding:
    answered = [answer for answer in evidence.answers if not answer.error]
    if not answered:
        error = next((answer.error for answer in evidence.answers), "no request was made")
        return unknown("middleware.no-answer", error=error)
    unmarked = sum(answer.auto_fix not in MARKS for answer in answered)
    seen_by = "the X-Auto-Fix-View-Cache header of the running workers"
    if not evidence.marked and not any(answer.auto_fix for answer in answered):
        return not_applicable("middleware.unmarked-by-agreement", answers=len(answered))
    if unmarked:
        return failed(
            "middleware.not-passed",
            seen_by=seen_by,
            figures={"unmarked": unmarked},
            unmarked=unmarked,
            answers=len(answered),
            file=evidence.places.middleware,
        )
    figures = {"marked": len(answered)}
    return passed("middleware.passed", OBSERVED, seen_by=seen_by, figures=figures, answers=len(answered))


def _repairs(evidence: Evidence) -> Finding:
    repair = evidence.repair
    if repair is None:
        return passed("middleware.not-exercised", DECLARED)
    if isinstance(repair, Unobserved):
        return unknown("middleware.effect-not-seen", reason=repair)
    seen_by = f"{repair.view}, cut in half and then requested"
    if repair.answer.status != 200 or not (repair.answer.sentinel and repair.answer.document_end):
        got = repair.answer.error or f"{repair.answer.status}{'' if repair.answer.sentinel else ' without the page'}"
        file = evidence.places.middleware
        return failed("middleware.page-not-repaired", seen_by=seen_by, got=got, wanted=evidence.wanted, file=file)
    if repair.state_after != "intact" or repair.seconds is None:
        return failed("middleware.file-not-repaired", seen_by=seen_by, state=repair.state_after)
    figures = {"repair_seconds": repair.seconds}
    milliseconds = repair.seconds * 1000
    return passed("middleware.repairs", OBSERVED, seen_by=seen_by, figures=figures, milliseconds=milliseconds)
