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
from reports.records import Verdict
from validations.cells import Cell, validates
from validations.contracts import Judgement, counted, failed, listed, passed, unknown
from validations.registry import DEPLOYMENT
from validations.versions import optimize_clears_views, version_of

# A line of a dry run: `step 05 warm-views: what it will do`.
STEP = re.compile(r"^\s*step\s+\d+\s+([a-z][a-z-]*)\s*:\s*(.*)")

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
    cell.judge(examine, judge)


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


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: exists, executable, parses, order."""
    script = evidence.script
    if part == "order" and (found := _clears_what_is_served(evidence)):
        return found
    if part == "exists":
        return _exists(script)
    if not script.exists or not script.is_file or script.bytes == 0:
        return failed(f"there is no script at {script.path} to look into", "the deployment script")
    judgement = {"executable": _executable, "parses": _parses, "order": _order}[part](script)
    if part == "order" and judgement.verdict is Verdict.PASS:
        # A script alone does not tell whether what it warms is being served.
        return _whose_views(evidence) or judgement
    return judgement


def _exists(script: Script) -> Judgement:
    if not script.exists:
        return failed(f"{script.path} is not there", "the deployment script")
    if not script.is_file:
        return failed(f"{script.path} is not a file, or a link to nowhere", "the deployment script")
    if script.bytes == 0:
        return failed(f"{script.path} is empty", "the deployment script")
    return passed(f"{script.path}, {script.bytes:,} bytes", bytes=float(script.bytes))


def _executable(script: Script) -> Judgement:
    if not script.executable:
        return failed(f"the runtime user may not run {script.path}", "executable", remedy=f"chmod 0755 {script.path}")
    return passed("the runtime user may run it")


def _parses(script: Script) -> Judgement:
    if script.parse_error is not None:
        return failed(f"{script.parser} cannot read it: {script.parse_error}", "a script that parses")
    return passed(f"{script.parser} can read it")


def _clears_what_is_served(evidence: Evidence) -> Judgement | None:
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
        return failed(
            f"all releases share {topology.compiled}, and a deploy compiles the views in it anew: {listed(shown)}",
            "compiled views that belong to one release, warmed before it is published",
            remedy="set VIEW_COMPILED_PATH to a directory of the release (bootstrap/cache/views, say), and share only "
            "what has to be: storage/app and storage/logs",
            seen_by="the compiled path's real place",
        )
    if not topology.released and not topology.container:
        return failed(
            f"it rebuilds in place, in {topology.compiled}, which is being served: {listed(shown)} clears first",
            "a release of its own, warmed and then published by one rename",
            remedy="deploy into releases/N and switch a link to it; view:cache deletes every compiled view before it "
            "writes the first",
            seen_by="the compiled path's real place",
        )
    return None


def _whose_views(evidence: Evidence) -> Judgement | None:
    """Say where it is not known whether compiled views belong to one release."""
    topology = evidence.topology
    if isinstance(topology, Unobserved):
        return unknown(f"how releases lie on this host is not known: {topology}")
    if topology.resolved_by != "application":
        return unknown(f"the application does not tell where its compiled views are: {topology.compiled} may not be it")
    if topology.shared and topology.deployer and version_of(evidence.version) is None:
        return unknown("all releases share the compiled views, and which Laravel deploys into them is not known")
    return None


def _rebuilds(line: str, version: str) -> bool:
    return "optimize" not in line or "view:cache" in line or optimize_clears_views(version)


def _order(script: Script) -> Judgement:
    if script.clears:
        return failed(
            f"it clears a live cache: `{script.clears[0]}`",
            "warm a new release and publish it; nothing that is being served is cleared",
            remedy="remove the clearing command: a release comes with compiled views of its own",
            seen_by="the script's text",
        )
    if script.dry_run_code is None and script.dry_run_error:
        return failed(f"its dry run came to nothing: {script.dry_run_error}", "the list of steps", seen_by="--dry-run")
    if script.dry_run_code is None:
        return passed("clears nothing; effect not exercised: deployment_dry_run is not set for this environment")
    if script.dry_run_code != 0:
        return failed(
            f"its dry run ended with {script.dry_run_code}: {script.dry_run_error or 'no word'}",
            "0, and the list of steps",
            remedy=f"run {script.path} --dry-run by hand, and mend what it complains of",
            seen_by="--dry-run",
        )
    return _steps_in_order(script)


def _steps_in_order(script: Script) -> Judgement:
    steps = [(match[1], match[2]) for line in script.dry_run_lines if (match := STEP.match(line))]
    names = [name for name, _ in steps]
    seen_by = "--dry-run"
    if not steps:
        return failed("its dry run lists no steps", "lines such as `step 01 lock: …`", seen_by=seen_by)
    absent = sorted({name for pair in ORDER for name in pair} - set(names))
    if absent:
        return failed(f"its dry run lists no {listed(absent)}", "every step of the warming sequence", seen_by=seen_by)
    published = names.index(PUBLISH)
    for name, what in steps[:published]:
        if CLEARING.search(f"{name} {what}"):
            return failed(
                f"step {name} clears before publishing: {what}",
                "nothing cleared before its successor is served",
                remedy=f"drop the step: {WARM} compiles into the new release, beside the one being served",
                seen_by=seen_by,
            )
    for name, what in steps[published:]:
        if CLEARS.search(what):
            return failed(
                f"step {name} clears what was published: {what}",
                "nothing cleared that is being served",
                remedy="drop the step: visitors would have to wait for every view to be compiled again",
                seen_by=seen_by,
            )
    for first, second in ORDER:
        if first in names[names.index(second) :]:
            return failed(
                f"{second} comes before {first}",
                f"{first} before {second}: {' < '.join(_SAFE)}",
                seen_by=seen_by,
            )
    return passed(f"{counted(len(steps), 'step')}, {WARM} before {PUBLISH}", seen_by=seen_by, steps=len(steps))


_SAFE = ("lock", "release", "build", WARM, "verify", PUBLISH, RELOAD, "gate", "prune")
