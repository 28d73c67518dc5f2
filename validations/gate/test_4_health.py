"""Validation 4: the health command is available, and tells the truth.

Listed by the console for machines, not hidden, with `--fix`; it runs; its JSON carries the brief's five metrics, which
agree with what was counted from outside; and its exit code agrees with its content, since schedulers read nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fixtures.environments.base import Host
from fixtures.observation.facts import Command, CompiledViews, HealthCheck, Unobserved
from reports.records import Finding, Scalar
from validations.cells import Cell, validates
from validations.contracts import OBSERVED, RESOLVED, failed, listed, passed, unknown
from validations.expectations import METRICS
from validations.messages import fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import HEALTH

says(
    {
        "health.console-not-asked": is_unknown(
            "the console could not be asked for its commands: {reason}",
            "run {console} list by hand, and mend what keeps it from starting",
        ),
        "health.not-listed": fails(
            "none of the console's {count} commands is {name}",
            "{name} among them",
            "register {name} in the console of this release",
        ),
        "health.hidden": fails("{name} is hidden", "listed, so that people find it", "do not hide {name}"),
        "health.listed": passes("{name} is one of {count} commands"),
        "health.without-fix": fails("{name} has {options}", "--fix", "give {name} an option --fix that repairs"),
        "health.with-fix": passes("{name} has --fix"),
        "health.did-not-run": fails(
            "{name} did not run: {reason}",
            "an answer in JSON",
            "run {console} {name} --json by hand as the runtime user, and mend what it complains of",
        ),
        "health.no-json": fails(
            "{name} --json ended with {code} and said: {said}",
            "an answer in JSON",
            "run {console} {name} --json by hand as the runtime user, and mend what it complains of",
        ),
        "health.noise": fails(
            "around its JSON it printed: {noise}",
            "JSON alone on standard output",
            "find what prints while the application boots: it breaks every machine that reads the console",
        ),
        "health.no-word": fails(
            "its JSON has healthy: {healthy}",
            "true or false",
            "have {name} --json say healthy: true or healthy: false",
        ),
        "health.unhealthy": fails(
            "it says the cache is not healthy: {complaints}", "healthy", "{console} {name} --fix"
        ),
        "health.wrongly-healthy": fails(
            "it says healthy, and seen from outside it is not: {lacking}",
            "unhealthy, as long as a compiled view is damaged or missing",
            "{console} view:cache; and have {name} look at every compiled view, as the gate does",
        ),
        "health.healthy": passes("it ran and says healthy{not_judged}"),
        "health.no-metrics": fails(
            "its JSON has no metrics", "metrics: {metrics}", "have {name} --json tell the brief's five metrics"
        ),
        "health.metrics-missing": fails(
            "its metrics lack {absent}", "all of {metrics}", "have {name} --json tell {absent}, too"
        ),
        "health.metrics-senseless": fails(
            "its metrics say {wrong}",
            "a count, ok, a percentage, a rate from 0 to 1, a count",
            "have {name} --json tell what it measured, and null for an opcache_hit_rate that it could not measure",
        ),
        "health.count-not-held": is_unknown("there is no count from outside to hold its metrics against: {reason}"),
        "health.count-differs": fails(
            "it counts {said} compiled views",
            "{counted}, as counted from outside",
            "count what is intact in {generation}: the command counts something else",
        ),
        "health.metrics": passes("{metrics}"),
        "health.no-checks": fails(
            "its JSON lists no checks",
            "what it checked, one by one",
            "have {name} --json list its checks, each with name, ok and observed",
        ),
        "health.contradicts-itself": fails(
            "it says healthy: {healthy}",
            "{sound}, as its own checks say",
            "have {name} say healthy if and only if every check of its own is ok",
        ),
        "health.exit-code": fails(
            "it ended with exit code {code} and says {said}",
            "0 if and only if healthy",
            "have {name} return what it found: a schedule sees nothing but the exit code",
        ),
        "health.agrees": passes("exit code {code} agrees with its {checks} checks"),
    }
)

NAME = "view:health-check"
SEEN_BY = f"{NAME} --json"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The console's commands, one run of the health command, and what was counted from outside."""

    commands: tuple[Command, ...] | Unobserved
    run: HealthCheck | Unobserved
    compiled: CompiledViews | Unobserved
    places: Places = GATEWAY


pytest_generate_tests = validates(HEALTH)


def test_health(cell: Cell) -> None:
    """The console lists view:health-check with --fix; it runs, tells the five metrics, and its exit code is true."""
    cell.judge()


def examine(host: Host) -> Evidence:
    """Take the command list and the run of the host's facts."""
    facts = host.facts()
    commands: tuple[Command, ...] | Unobserved
    run: HealthCheck | Unobserved
    compiled: CompiledViews | Unobserved
    try:
        commands = facts.seen("commands")
    except Unobserved as reason:
        commands = reason
    try:
        run = facts.seen("health")
    except Unobserved as reason:
        run = reason
    try:
        compiled = facts.seen("compiled")
    except Unobserved as reason:
        compiled = reason
    return Evidence(commands, run, compiled, places_of(host))


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: listed, fix-option, runs, metrics, exit-code."""
    if part in {"listed", "fix-option"}:
        return _listed(evidence, with_fix=part == "fix-option")
    run, console = evidence.run, evidence.places.console
    if isinstance(run, Unobserved):
        if isinstance(evidence.commands, Unobserved):
            return unknown("health.console-not-asked", seen_by=SEEN_BY, reason=evidence.commands, console=console)
        return failed("health.did-not-run", level=None, seen_by=SEEN_BY, name=NAME, reason=run, console=console)
    answer = run.answer
    if answer is None:
        said, code = run.error or run.noise or "nothing", run.exit_code
        return failed("health.no-json", seen_by=SEEN_BY, name=NAME, said=said, console=console, code=code)
    if part == "runs":
        return _runs(evidence, run, answer)
    if part == "metrics":
        return _metrics(answer, evidence.compiled)
    return _exit_code(run.exit_code, answer)


def _listed(evidence: Evidence, *, with_fix: bool) -> Finding:
    commands, seen_by = evidence.commands, "list --format=json"
    if isinstance(commands, Unobserved):
        console = evidence.places.console
        return unknown("health.console-not-asked", seen_by=seen_by, reason=commands, console=console)
    count = len(commands)
    command = next((command for command in commands if command.name == NAME), None)
    if command is None:
        return failed("health.not-listed", level=RESOLVED, seen_by=seen_by, name=NAME, count=count)
    if command.hidden:
        return failed("health.hidden", level=RESOLVED, seen_by=seen_by, name=NAME)
    if not with_fix:
        figures = {"commands": count}
        return passed("health.listed", RESOLVED, seen_by=seen_by, figures=figures, name=NAME, count=count)
    if not {"fix", "--fix"} & {*command.options}:
        options = listed(command.options, most=6) or "no option"
        return failed("health.without-fix", level=RESOLVED, seen_by=seen_by, name=NAME, options=options)
    return passed("health.with-fix", RESOLVED, seen_by=seen_by, name=NAME)


def _runs(evidence: Evidence, run: HealthCheck, answer: dict[str, Any]) -> Finding:
    compiled, console = evidence.compiled, evidence.places.console
    if run.noise:
        return failed("health.noise", seen_by=SEEN_BY, noise=run.noise[:120])
    if not isinstance(answer.get("healthy"), bool):
        return failed("health.no-word", seen_by=SEEN_BY, name=NAME, healthy=repr(answer.get("healthy")))
    if answer["healthy"] is not True:
        complaints = _complaints(answer)
        return failed("health.unhealthy", seen_by=SEEN_BY, name=NAME, complaints=complaints, console=console)
    if not isinstance(compiled, Unobserved) and (lacking := [*compiled.damaged, *compiled.missing]):
        return failed("health.wrongly-healthy", seen_by=SEEN_BY, name=NAME, lacking=listed(lacking), console=console)
    return passed("health.healthy", OBSERVED, seen_by=SEEN_BY, not_judged=_not_judged(answer))


def _not_judged(answer: dict[str, Any]) -> str:
    """Return what its checks had too little to judge by: a green that was not observed is not silent."""
    checks = answer.get("checks")
    found = [
        f"; {check.get('name')}: {check.get('observed')}"
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, dict) and check.get("judged") is False
    ]
    return "".join(found)[:300]


def _complaints(answer: dict[str, Any]) -> str:
    checks = answer.get("checks")
    found = [
        f"{check.get('name')}: {check.get('observed')}"
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, dict) and check.get("ok") is not True
    ]
    return "; ".join(found)[:300] or "and does not say why"


def _metrics(answer: dict[str, Any], compiled: CompiledViews | Unobserved) -> Finding:
    metrics, all_of = answer.get("metrics"), ", ".join(METRICS)
    if not isinstance(metrics, dict):
        return failed("health.no-metrics", seen_by=SEEN_BY, name=NAME, metrics=all_of)
    absent = [name for name in METRICS if name not in metrics]
    if absent:
        return failed("health.metrics-missing", seen_by=SEEN_BY, name=NAME, absent=", ".join(absent), metrics=all_of)
    wrong = [f"{name} = {metrics[name]!r}" for name in METRICS if not _sensible(name, metrics[name])]
    if wrong:
        return failed("health.metrics-senseless", seen_by=SEEN_BY, name=NAME, wrong=", ".join(wrong))
    if isinstance(compiled, Unobserved):
        return unknown("health.count-not-held", seen_by=SEEN_BY, reason=compiled)
    said, counted = metrics["compiled_views"], compiled.counted
    if said != counted:
        generation = compiled.generation
        return failed("health.count-differs", seen_by=SEEN_BY, said=said, counted=counted, generation=generation)
    told = {name: value for name, value in metrics.items() if name in METRICS and value is not None}
    # Measures, not counts: nothing here may be summed over runs.
    figures: dict[str, Scalar] = {n: float(v) if isinstance(v, int) else v for n, v in told.items()}
    words = ", ".join(f"{name} {value}" for name, value in told.items())
    return passed("health.metrics", OBSERVED, seen_by=SEEN_BY, figures=figures, metrics=words)


def _sensible(name: str, value: Any) -> bool:
    if name == "permissions":
        return isinstance(value, str) and value != ""
    if name == "opcache_hit_rate" and value is None:
        # Too few views were looked up since the last reading: then there is no rate, and none may be made up.
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    most = {"disk_used_percent": 100, "opcache_hit_rate": 1}.get(name, 10**12)
    return 0 <= value <= most and (name not in {"compiled_views", "recent_errors"} or isinstance(value, int))


def _exit_code(code: int, answer: dict[str, Any]) -> Finding:
    checks, healthy = answer.get("checks"), answer.get("healthy")
    if not isinstance(checks, list) or not checks:
        return failed("health.no-checks", seen_by=SEEN_BY, name=NAME)
    sound = all(isinstance(check, dict) and check.get("ok") is True for check in checks)
    if healthy is not sound:
        return failed("health.contradicts-itself", seen_by=SEEN_BY, name=NAME, healthy=healthy, sound=sound)
    if (code == 0) is not sound:
        said = "healthy" if sound else "unhealthy"
        return failed("health.exit-code", seen_by=SEEN_BY, name=NAME, said=said, code=code)
    figures = {"checks": len(checks)}
    return passed("health.agrees", OBSERVED, seen_by=SEEN_BY, figures=figures, checks=len(checks), code=code)
