"""Validation 3: the deployment script exists, and deploys in a safe order.

A file of that name is not enough: it must be something a shell can run, and its dry run must list the warming
sequence with the new release warmed before it is published. Clearing a live cache before its successor stands is
how the usual zero-downtime recipe makes the very race this suite is about, and fails wherever it is found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fixtures.environments.base import Host
from fixtures.observation.facts import Script, Topology, Unobserved
from reports.records import Finding, Verdict
from validations.cells import Cell, validates
from validations.contracts import DECLARED, OBSERVED, RESOLVED, counted, failed, listed, passed, unknown
from validations.messages import fails, is_unknown, passes, says
from validations.registry import DEPLOYMENT
from validations.versions import optimize_clears_views, version_of

says(
    {
        "deployment.absent": fails(
            "{path} is not there",
            "the deployment script",
            "restore it from the repository, or name the script that deploys as deployment_script",
        ),
        "deployment.no-file": fails(
            "{path} is not a file, or a link to nowhere",
            "the deployment script",
            "restore it from the repository, or name the script that deploys as deployment_script",
        ),
        "deployment.empty": fails("{path} is empty", "the deployment script", "restore it from the repository"),
        "deployment.there": passes("{path}, {bytes:,} bytes"),
        "deployment.nothing-to-read": fails(
            "there is no script at {path} to look into",
            "the deployment script",
            "restore it from the repository, or name the script that deploys as deployment_script",
        ),
        "deployment.not-executable": fails("the runtime user may not run {path}", "executable", "chmod 0755 {path}"),
        "deployment.executable": passes("the runtime user may run it"),
        "deployment.unparsable": fails(
            "{parser} cannot read it: {error}",
            "a script that parses",
            "mend {path} at the line that {parser} names, or restore it from the repository",
        ),
        "deployment.parses": passes("{parser} can read it"),
        "deployment.shared-views-rebuilt": fails(
            "all releases share {compiled}, and a deploy compiles the views in it anew: {shown}",
            "compiled views that belong to one release, warmed before it is published",
            "set VIEW_COMPILED_PATH to a directory of the release (bootstrap/cache/views, say), and share only what has"
            " to be: storage/app and storage/logs",
        ),
        "deployment.rebuilt-in-place": fails(
            "it rebuilds in place, in {compiled}, which is being served: {shown} clears first",
            "a release of its own, warmed and then published by one rename",
            "deploy into releases/N and switch a link to it; view:cache deletes every compiled view before it writes"
            " the first",
        ),
        "deployment.releases-not-known": is_unknown("how releases lie on this host is not known: {reason}"),
        "deployment.place-not-told": is_unknown(
            "the application does not tell where its compiled views are: {compiled} may not be it"
        ),
        "deployment.version-not-known": is_unknown(
            "all releases share the compiled views, and which Laravel deploys into them is not known"
        ),
        "deployment.clears": fails(
            "it clears a live cache: `{line}`",
            "warm a new release and publish it; nothing that is being served is cleared",
            "remove the clearing command: a release comes with compiled views of its own",
        ),
        "deployment.dry-run-broke": fails(
            "its dry run came to nothing: {error}",
            "the list of steps",
            "run {path} --dry-run by hand, and mend what it complains of",
        ),
        "deployment.clears-nothing": passes(
            "clears nothing; effect not exercised: deployment_dry_run is not set for this environment"
        ),
        "deployment.dry-run-failed": fails(
            "its dry run ended with {code}: {error}",
            "0, and the list of steps",
            "run {path} --dry-run by hand, and mend what it complains of",
        ),
        "deployment.no-steps": fails(
            "its dry run lists no steps",
            "lines such as `step 01 lock: …`",
            "have {path} --dry-run print each step it would take, a line a step",
        ),
        "deployment.steps-missing": fails(
            "its dry run lists no {absent}", "every step of the warming sequence", "add the missing steps to {path}"
        ),
        "deployment.clears-before-publishing": fails(
            "step {name} clears before publishing: {what}",
            "nothing cleared before its successor is served",
            "drop the step: {warm} compiles into the new release, beside the one being served",
        ),
        "deployment.clears-published": fails(
            "step {name} clears what was published: {what}",
            "nothing cleared that is being served",
            "drop the step: visitors would have to wait for every view to be compiled again",
        ),
        "deployment.out-of-order": fails(
            "{second} comes before {first}", "{first} before {second}: {safe}", "move step {first} before {second}"
        ),
        "deployment.in-order": passes("{steps}, {warm} before {publish}"),
    }
)

# A line of a dry run: `step 05 warm-views: what it will do`.
STEP = re.compile(r"^\s*step\s+\d+\s+([a-z][a-z-]*)\s*:\s*(.*)")

DRY_RUN = "--dry-run"
WARM, PUBLISH, RELOAD = "warm-views", "publish", "reload"
# Each of the first must come before each of the second.
ORDER = (
    ("lock", "release"),
    ("release", "build"),
    ("build", WARM),
    (WARM, "verify"),
    ("filament-optimize", "verify"),
    ("verify", PUBLISH),
    (PUBLISH, RELOAD),
    (RELOAD, "gate"),
    ("gate", "prune"),
    ("gate", "unlock"),
)
CLEARS = re.compile(r"\b(view|optimize|cache):clear\b")
CLEARING = re.compile(r"\b(view:clear|optimize:clear|cache:clear|clear)\b|\brm\s+-\w*[rf]")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The script, and what its dry run says; how releases lie on the host; of Laravel, the framework's version."""

    script: Script
    topology: Topology | Unobserved
    version: str = ""


pytest_generate_tests = validates(DEPLOYMENT)


def test_deployment(cell: Cell) -> None:
    """The deployment script exists, can be run, and warms the new release before it is published."""
    cell.judge()


def examine(host: Host) -> Evidence:
    """Take the script, and how releases lie, of the host's facts."""
    facts = host.facts()
    version = facts.application.framework_version if facts.application else ""
    topology: Topology | Unobserved
    try:
        topology = facts.seen("topology")
    except Unobserved as reason:
        topology = reason
    return Evidence(facts.seen("script"), topology, version)


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: exists, executable, parses, order."""
    script = evidence.script
    if part == "order" and (found := _clears_what_is_served(evidence)):
        return found
    if part == "exists":
        return _exists(script)
    if not script.exists or not script.is_file or script.bytes == 0:
        return failed("deployment.nothing-to-read", path=script.path)
    finding = {"executable": _executable, "parses": _parses, "order": _order}[part](script)
    if part == "order" and finding.verdict is Verdict.PASS:
        # A script alone does not tell whether what it warms is being served.
        return _whose_views(evidence) or finding
    return finding


def _exists(script: Script) -> Finding:
    if not script.exists:
        return failed("deployment.absent", path=script.path)
    if not script.is_file:
        return failed("deployment.no-file", path=script.path)
    if script.bytes == 0:
        return failed("deployment.empty", path=script.path)
    figures = {"bytes": float(script.bytes)}
    return passed("deployment.there", OBSERVED, figures=figures, path=script.path, bytes=script.bytes)


def _executable(script: Script) -> Finding:
    if not script.executable:
        return failed("deployment.not-executable", path=script.path)
    return passed("deployment.executable", OBSERVED)


def _parses(script: Script) -> Finding:
    if script.parse_error is not None:
        parser, error = script.parser, script.parse_error
        return failed("deployment.unparsable", level=RESOLVED, parser=parser, error=error, path=script.path)
    return passed("deployment.parses", RESOLVED, parser=script.parser)


def _clears_what_is_served(evidence: Evidence) -> Finding | None:
    """Find the race that the usual deployment makes, before it bites.

    Deployer's Laravel recipe shares storage between releases and runs artisan:optimize before it publishes: from
    Laravel 11 on that is view:cache, which clears first, and so deletes what the release being served compiled.
    """
    topology = evidence.topology
    if isinstance(topology, Unobserved) or topology.resolved_by != "application":
        return None
    shown = [f"`{line}`" for line in evidence.script.rebuilds if _rebuilds(line, evidence.version)]
    if topology.deployer and optimize_clears_views(evidence.version):
        shown.append(f"Deployer's artisan:optimize ({topology.deployer[0]})")
    if topology.shared:
        shown += [line for line in evidence.script.dry_run_lines if (step := STEP.match(line)) and step[1] == WARM]
    if not shown:
        return None
    if topology.shared:
        code = "deployment.shared-views-rebuilt"
    elif not topology.released and not topology.container:
        code = "deployment.rebuilt-in-place"
    else:
        return None
    seen_by = "the compiled path's real place"
    return failed(code, level=RESOLVED, seen_by=seen_by, compiled=topology.compiled, shown=listed(shown))


def _whose_views(evidence: Evidence) -> Finding | None:
    """Say where it is not known whether compiled views belong to one release."""
    topology = evidence.topology
    if isinstance(topology, Unobserved):
        return unknown("deployment.releases-not-known", reason=topology)
    if topology.resolved_by != "application":
        return unknown("deployment.place-not-told", compiled=topology.compiled)
    if topology.shared and topology.deployer and version_of(evidence.version) is None:
        return unknown("deployment.version-not-known")
    return None


def _rebuilds(line: str, version: str) -> bool:
    return "optimize" not in line or "view:cache" in line or optimize_clears_views(version)


def _order(script: Script) -> Finding:
    if script.clears:
        seen_by = "the script's text"
        return failed("deployment.clears", level=DECLARED, seen_by=seen_by, line=script.clears[0])
    if script.dry_run_code is None and script.dry_run_error:
        code = "deployment.dry-run-broke"
        return failed(code, level=DECLARED, seen_by=DRY_RUN, error=script.dry_run_error, path=script.path)
    if script.dry_run_code is None:
        return passed("deployment.clears-nothing", DECLARED)
    if script.dry_run_code != 0:
        return failed(
            "deployment.dry-run-failed",
            level=DECLARED,
            seen_by=DRY_RUN,
            code=script.dry_run_code,
            error=script.dry_run_error or "no word",
            path=script.path,
        )
    return _steps_in_order(script)


def _steps_in_order(script: Script) -> Finding:
    steps = [(match[1], match[2]) for line in script.dry_run_lines if (match := STEP.match(line))]
    names = [name for name, _ in steps]
    path = script.path
    if not steps:
        return failed("deployment.no-steps", level=DECLARED, seen_by=DRY_RUN, path=path)
    absent = sorted({name for pair in ORDER for name in pair} - set(names))
    if absent:
        missing = listed(absent)
        return failed("deployment.steps-missing", level=DECLARED, seen_by=DRY_RUN, absent=missing, path=path)
    published = names.index(PUBLISH)
    for name, what in steps[:published]:
        if CLEARING.search(f"{name} {what}"):
            code = "deployment.clears-before-publishing"
            return failed(code, level=DECLARED, seen_by=DRY_RUN, name=name, what=what, warm=WARM)
    for name, what in steps[published:]:
        if CLEARS.search(what):
            return failed("deployment.clears-published", level=DECLARED, seen_by=DRY_RUN, name=name, what=what)
    for first, second in ORDER:
        if first in names[names.index(second) :]:
            code, safe = "deployment.out-of-order", " < ".join(_SAFE)
            return failed(code, level=DECLARED, seen_by=DRY_RUN, first=first, second=second, safe=safe)
    figures, told = {"steps": len(steps)}, counted(len(steps), "step")
    return passed(
        "deployment.in-order", DECLARED, seen_by=DRY_RUN, figures=figures, steps=told, warm=WARM, publish=PUBLISH
    )


_SAFE = ("lock", "release", "build", WARM, "verify", PUBLISH, RELOAD, "gate", "prune")
