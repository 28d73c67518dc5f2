"""Validation 4: the health command is available, and tells the truth.

Listed by the console for machines, not hidden, with `--fix`; it runs; its JSON carries the brief's five metrics, which
agree with what was counted from outside; and its exit code agrees with its content, since schedulers read nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fixtures.environments.base import Host
from fixtures.observation.facts import Command, CompiledViews, HealthCheck, Unobserved
from validations.cells import Cell, validates
from validations.contracts import Judgement, failed, listed, passed, unknown
from validations.expectations import METRICS
from validations.registry import HEALTH

NAME = "view:health-check"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The console's commands, one run of the health command, and what was counted from outside."""

    commands: tuple[Command, ...] | Unobserved
    run: HealthCheck | Unobserved
    compiled: CompiledViews | Unobserved


pytest_generate_tests = validates(HEALTH)


def test_health(cell: Cell) -> None:
    """The console lists view:health-check with --fix; it runs, tells the five metrics, and its exit code is true."""
    cell.judge(examine, judge)


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
    return Evidence(commands, run, compiled)


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: listed, fix-option, runs, metrics, exit-code."""
    if part in {"listed", "fix-option"}:
        return _listed(evidence.commands, with_fix=part == "fix-option")
    run = evidence.run
    if isinstance(run, Unobserved):
        return _did_not_run(run, evidence.commands)
    answer = run.answer
    if answer is None:
        said = run.error or run.noise or "nothing"
        return failed(
            f"{NAME} --json ended with {run.exit_code} and said: {said}", "an answer in JSON", seen_by=f"{NAME} --json"
        )
    if part == "runs":
        return _runs(run, answer, evidence.compiled)
    if part == "metrics":
        return _metrics(answer, evidence.compiled)
    return _exit_code(run.exit_code, answer)


def _listed(commands: tuple[Command, ...] | Unobserved, *, with_fix: bool) -> Judgement:
    seen_by = "list --format=json"
    if isinstance(commands, Unobserved):
        return unknown(f"the console could not be asked for its commands: {commands}", seen_by=seen_by)
    command = next((command for command in commands if command.name == NAME), None)
    if command is None:
        return failed(
            f"none of the console's {len(commands)} commands is {NAME}", f"{NAME} among them", seen_by=seen_by
        )
    if command.hidden:
        return failed(f"{NAME} is hidden", "listed, so that people find it", seen_by=seen_by)
    if not with_fix:
        return passed(f"{NAME} is one of {len(commands)} commands", seen_by=seen_by, commands=len(commands))
    if not {"fix", "--fix"} & {*command.options}:
        options = listed(command.options, most=6) or "no option"
        return failed(f"{NAME} has {options}", "--fix", seen_by=seen_by)
    return passed(f"{NAME} has --fix", seen_by=seen_by)


def _did_not_run(reason: Unobserved, commands: tuple[Command, ...] | Unobserved) -> Judgement:
    seen_by = f"{NAME} --json"
    if isinstance(commands, Unobserved):
        return unknown(f"the console could not be asked: {commands}", seen_by=seen_by)
    return failed(f"{NAME} did not run: {reason}", "an answer in JSON", seen_by=seen_by)


def _runs(run: HealthCheck, answer: dict[str, Any], compiled: CompiledViews | Unobserved) -> Judgement:
    seen_by = f"{NAME} --json"
    if run.noise:
        return failed(
            f"around its JSON it printed: {run.noise[:120]}",
            "JSON alone on standard output",
            remedy="find what prints while the application boots: it breaks every machine that reads the console",
            seen_by=seen_by,
        )
    if not isinstance(answer.get("healthy"), bool):
        return failed(f"its JSON has healthy: {answer.get('healthy')!r}", "true or false", seen_by=seen_by)
    if answer["healthy"] is not True:
        return failed(
            f"it says the cache is not healthy: {_complaints(answer)}",
            "healthy",
            remedy=f"{NAME} --fix",
            seen_by=seen_by,
        )
    lacking = [] if isinstance(compiled, Unobserved) else [*compiled.damaged, *compiled.missing]
    if lacking:
        return failed(
            f"it says healthy, and seen from outside it is not: {listed(lacking)}",
            "unhealthy, as long as a compiled view is damaged or missing",
            remedy=f"view:cache; and have {NAME} look at every compiled view, as the gate does",
            seen_by=seen_by,
        )
    return passed(f"it ran and says healthy{_not_judged(answer)}", seen_by=seen_by)


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


def _metrics(answer: dict[str, Any], compiled: CompiledViews | Unobserved) -> Judgement:
    seen_by = f"{NAME} --json"
    metrics = answer.get("metrics")
    if not isinstance(metrics, dict):
        return failed("its JSON has no metrics", f"metrics: {', '.join(METRICS)}", seen_by=seen_by)
    absent = [name for name in METRICS if name not in metrics]
    if absent:
        return failed(f"its metrics lack {', '.join(absent)}", f"all of {', '.join(METRICS)}", seen_by=seen_by)
    wrong = [f"{name} = {metrics[name]!r}" for name in METRICS if not _sensible(name, metrics[name])]
    if wrong:
        return failed(
            f"its metrics say {', '.join(wrong)}",
            "a count, ok, a percentage, a rate from 0 to 1, a count",
            seen_by=seen_by,
        )
    if isinstance(compiled, Unobserved):
        return unknown(f"there is no count from outside to hold its metrics against: {compiled}", seen_by=seen_by)
    if metrics["compiled_views"] != compiled.counted:
        return failed(
            f"it counts {metrics['compiled_views']} compiled views",
            f"{compiled.counted}, as counted from outside",
            remedy=f"count what is intact in {compiled.generation}: the command counts something else",
            seen_by=seen_by,
        )
    figures = {name: value for name, value in metrics.items() if name in METRICS and value is not None}
    told = ", ".join(f"{name} {value}" for name, value in figures.items())
    # Measures, not counts: nothing here may be summed over runs.
    return passed(told, seen_by=seen_by, **{n: float(v) if isinstance(v, int) else v for n, v in figures.items()})


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


def _exit_code(code: int, answer: dict[str, Any]) -> Judgement:
    seen_by = f"{NAME} --json"
    checks = answer.get("checks")
    if not isinstance(checks, list) or not checks:
        return failed("its JSON lists no checks", "what it checked, one by one", seen_by=seen_by)
    sound = all(isinstance(check, dict) and check.get("ok") is True for check in checks)
    if answer.get("healthy") is not sound:
        return failed(f"it says healthy: {answer.get('healthy')}", f"{sound}, as its own checks say", seen_by=seen_by)
    if (code == 0) is not sound:
        return failed(
            f"it ended with exit code {code} and says {'healthy' if sound else 'unhealthy'}",
            "0 if and only if healthy",
            remedy=f"have {NAME} return what it found: a schedule sees nothing but the exit code",
            seen_by=seen_by,
        )
    return passed(f"exit code {code} agrees with its {len(checks)} checks", seen_by=seen_by, checks=len(checks))
