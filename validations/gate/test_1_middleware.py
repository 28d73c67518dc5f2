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
from validations.cells import Cell, disturbable, validates
from validations.contracts import Judgement, failed, listed, not_applicable, passed, unknown
from validations.registry import MIDDLEWARE

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


pytest_generate_tests = validates(MIDDLEWARE)


def test_middleware(cell: Cell) -> None:
    """The AutoFixViewCache middleware is registered in the booted application, and does its work."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Ask the application, look at what the workers answer, and damage a view where that is allowed."""
    booted: Middleware | Unobserved
    try:
        booted = host.facts().seen("middleware")
    except Unobserved as reason:
        booted = reason
    stage = disturbable(host)
    repair: Repair | Unobserved | None = None
    if stage is not None:
        try:
            repair = stage.repair()
        except Unobserved as reason:
            repair = reason
    environment = host.environment
    return Evidence(environment.middleware, booted, host.page().answers, repair, "middleware" in environment.marked)


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: registered, answers, repairs."""
    return {"registered": _registered, "answers": _answers, "repairs": _repairs}[part](evidence)


def _registered(evidence: Evidence) -> Judgement:  # noqa: PLR0911 - one a way to be registered
    booted, wanted = evidence.booted, evidence.wanted
    if isinstance(booted, Unobserved):
        return unknown(f"the application could not be asked for its middleware: {booted}")
    seen_by = "the booted application"
    stack = [_short(name) for name in booted.stack]
    route = [_short(name) for name in booted.route or ()]
    times = stack.count(wanted) + route.count(wanted)
    if times > 1:
        return failed(
            f"{wanted} is registered {times} times",
            "once",
            remedy=f"register {wanted} once in bootstrap/app.py: each further one repairs the repair",
            seen_by=seen_by,
        )
    if wanted in stack:
        return passed(f"{wanted} is number {stack.index(wanted) + 1} of {len(stack)}", seen_by=seen_by)
    if wanted in route:
        return passed(f"{wanted} is on the page's own route, {booted.route_uri}", seen_by=seen_by)
    groups = [group for group, names in booted.groups.items() if wanted in map(_short, names)]
    if groups and booted.route is None:
        return unknown(
            f"{wanted} is in the group {groups[0]}; whether the page runs that is not known: {booted.route_error}",
            remedy="name the page's real path as page.path",
            seen_by=seen_by,
        )
    if groups:
        # Filament's panels have middleware of their own, and not that of the group web.
        return failed(
            f"{wanted} is in the group {listed(groups)}, which the page's route {booted.route_uri} does not run",
            "on every request, or on that route",
            remedy=f"append {wanted} to the global middleware, or to the panel's own ->middleware([…])",
            seen_by=seen_by,
        )
    runs = listed([*stack, *route], most=8) or "no middleware at all"
    return failed(f"the booted application runs {runs}", f"{wanted} among them", seen_by=seen_by)


def _short(name: str) -> str:
    """Return the class's own name: without its namespace, and without what Laravel passes to it."""
    return name.partition(":")[0].replace("\\", ".").rpartition(".")[2]


def _answers(evidence: Evidence) -> Judgement:
    answered = [answer for answer in evidence.answers if not answer.error]
    if not answered:
        said = next((answer.error for answer in evidence.answers), "no request was made")
        return unknown(f"no worker answered: {said}")
    unmarked = [answer for answer in answered if answer.auto_fix not in MARKS]
    seen_by = "the X-Auto-Fix-View-Cache header of the running workers"
    if not evidence.marked and not any(answer.auto_fix for answer in answered):
        return not_applicable(f"none of {len(answered)} answers carries X-Auto-Fix-View-Cache, and none has to here")
    if unmarked:
        return failed(
            f"{len(unmarked)} of {len(answered)} answers did not pass through the middleware",
            "0: the running workers have it, too",
            remedy="reload the workers: what runs is older than bootstrap/app.py, or the middleware is swallowed",
            seen_by=seen_by,
            unmarked=len(unmarked),
        )
    return passed(f"all {len(answered)} answers passed through it", seen_by=seen_by, marked=len(answered))


def _repairs(evidence: Evidence) -> Judgement:
    if evidence.repair is None:
        return passed("effect not exercised: this environment is read only (--intrusive exercises it)")
    if isinstance(evidence.repair, Unobserved):
        return unknown(f"its effect could not be exercised: {evidence.repair}")
    repair = evidence.repair
    seen_by = f"{repair.view}, cut in half and then requested"
    got = repair.answer.error or f"{repair.answer.status}{'' if repair.answer.sentinel else ' without the page'}"
    if repair.answer.status != 200 or not (repair.answer.sentinel and repair.answer.document_end):
        return failed(f"the damaged page answered {got}", "a complete 200", seen_by=seen_by)
    if repair.state_after != "intact" or repair.seconds is None:
        return failed(
            f"after a complete answer its compiled file was still {repair.state_after}",
            "intact: the middleware repairs what it meets",
            remedy="it is registered and does nothing: see that it wraps the views and that nothing swallows it",
            seen_by=seen_by,
        )
    return passed(
        f"repaired during the request, in {repair.seconds * 1000:.0f} ms",
        seen_by=seen_by,
        repair_seconds=repair.seconds,
    )
