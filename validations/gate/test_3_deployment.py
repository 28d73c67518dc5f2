"""Validation 3: the deployment script exists, and deploys in a safe order.

A file of that name is not enough: it must be something a shell can run, and what it does is read from its text, and
from what that sources, includes and calls by name: the release that is published is warmed before, the switch is
atomic, a failure stops it, and nothing that is served is cleared before its successor stands. Where it may be run with
`--dry-run`, the steps that it lists count beside. What cannot be read before it runs is unknown.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from fixtures.environments.base import Host
from fixtures.environments.settings import Deployment as Setting
from fixtures.observation.facts import Script, Topology, Unobserved
from fixtures.observation.reading.deployment import KINDS, Deployment, Place, Step, read, read_commands
from reports.records import Finding, Verdict
from validations.cells import Cell, validates
from validations.contracts import DECLARED, OBSERVED, RESOLVED, counted, failed, listed, not_applicable, passed, unknown
from validations.deploying import Ruling, ruled
from validations.messages import does_not_apply, fails, is_unknown, passes, says
from validations.registry import DEPLOYMENT
from validations.versions import optimize_clears_views, version_of

_RULED = ("{told}", "{expected}", "{remedy}")
_NAME_IT = (
    "restore it from the repository, or name the script that deploys as path below [environments.NAME.deployment]"
)
_BY_HAND = "run {path} --dry-run by hand, and mend what it complains of"

says(
    {
        "deployment.absent": fails("{path} is not there", "the deployment script", _NAME_IT),
        "deployment.no-file": fails("{path} is not a file, or a link to nowhere", "the deployment script", _NAME_IT),
        "deployment.empty": fails("{path} is empty", "the deployment script", "restore it from the repository"),
        "deployment.there": passes("{path}, {bytes:,} bytes{linked}"),
        "deployment.nothing-to-read": fails(
            "there is no script at {path} to look into", "the deployment script", _NAME_IT
        ),
        "deployment.not-executable": fails("the runtime user may not run {path}", "executable", "chmod 0755 {path}"),
        "deployment.no-interpreter": fails(
            "its first line names {interpreter}, which is not there",
            "an interpreter that is there",
            "begin {path} with #!/usr/bin/env bash, its lines ended by a line feed alone",
        ),
        "deployment.open-to-all": fails(
            "everybody on the host may write {path}: mode {mode}, of {owner}",
            "a script that only its owner may change",
            "chmod 0755 {path}",
        ),
        "deployment.executable": passes("the runtime user may run it"),
        "deployment.not-read": does_not_apply("{kind}: its files are in a language that is not read"),
        "deployment.unparsable": fails(
            "{parser} cannot read it: {error}",
            "a script that parses",
            "mend {path} at the line that {parser} names, or restore it from the repository",
        ),
        "deployment.carriage-return": fails(
            "line {line} ends in a carriage return, which is part of its last word",
            "lines that end in a line feed alone",
            "sed -i 's/\\r$//' {path}",
        ),
        "deployment.parses": passes("{parser} can read it"),
        # What its text does, by the rules of `validations.deploying`.
        "deployment.not-its-kind": fails(*_RULED),
        "deployment.clears-live": fails(*_RULED),
        "deployment.rebuilds-live": fails(*_RULED),
        "deployment.may-rebuild-live": is_unknown("{told}", "{remedy}"),
        "deployment.switch-not-atomic": fails(*_RULED),
        "deployment.no-reload": is_unknown("{told}", "{remedy}"),
        "deployment.not-warmed": fails(*_RULED),
        "deployment.warmed-too-late": fails(*_RULED),
        "deployment.warmed-sometimes": is_unknown("{told}", "{remedy}"),
        "deployment.failure-goes-on": fails(*_RULED),
        "deployment.stays-down": fails(*_RULED),
        "deployment.image-not-read": is_unknown("{told}", "{remedy}"),
        "deployment.deploys-nothing": fails(*_RULED),
        "deployment.not-understood": is_unknown("{told}", "{remedy}"),
        "deployment.runs-meet": is_unknown("{told}", "{remedy}"),
        "deployment.safe-order": passes("{told}{beside}"),
        "deployment.too-long": is_unknown(
            "{path} is too long to be read whole", "move what does not deploy out of {path}"
        ),
        "deployment.shared-views-rebuilt": fails(
            "all releases share {compiled}, and a deploy compiles the views in it anew: {shown}",
            "compiled views that belong to one release, warmed before it is published",
            "set VIEW_COMPILED_PATH to a directory of the release (bootstrap/cache/views, say), and share only what has"
            " to be: storage/app and storage/logs",
        ),
        "deployment.releases-not-known": is_unknown("how releases lie on this host is not known: {reason}"),
        "deployment.place-not-told": is_unknown(
            "the application does not tell where its compiled views are: {compiled} may not be it"
        ),
        "deployment.version-not-known": is_unknown(
            "all releases share the compiled views, and which Laravel deploys into them is not known"
        ),
        # What its dry run lists.
        "deployment.dry-run-removed": fails(
            "{count} that it serves were gone once its dry run had ended",
            "a dry run that changes nothing",
            "let {path} --dry-run list its steps, and leave before it does the first",
        ),
        "deployment.dry-run-broke": fails("its dry run came to nothing: {error}", "the list of steps", _BY_HAND),
        "deployment.dry-run-failed": fails(
            "its dry run ended with {code}: {error}", "0, and the list of steps", _BY_HAND
        ),
        "deployment.dry-run-differs": fails(
            "its dry run lists another order than its text: {listed}, and not {done}",
            "a dry run that lists what is done",
            "let the dry run and the deployment go through the same list of steps",
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

# A line of a dry run: `step 05 warm-views: what it will do`; or as `set -x` prints it: `+ php artisan view:cache`.
STEP = re.compile(r"^\s*step\s+\d+\s+([a-z][a-z-]*)\s*:\s*(.*)")
TRACED = re.compile(r"^\++ ")

TEXT, DRY_RUN = "the script's text", "--dry-run"
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
    """The script, and what its dry run says; how releases lie on the host; of Laravel, the framework's version.

    setting: what the environment says of its deployment. root: the release's folder as the environment names it.
    """

    script: Script
    topology: Topology | Unobserved
    version: str = ""
    setting: Setting = field(default_factory=Setting)
    root: str = "/"
    laravel: bool = True


pytest_generate_tests = validates(DEPLOYMENT)


def test_deployment(cell: Cell) -> None:
    """The deployment script exists, can be run, and warms the new release before it is published."""
    cell.judge()


def examine(host: Host) -> Evidence:
    """Take the script, and how releases lie, of the host's facts."""
    facts, environment = host.facts(), host.environment
    version = facts.application.framework_version if facts.application else ""
    topology: Topology | Unobserved
    try:
        topology = facts.seen("topology")
    except Unobserved as reason:
        topology = reason
    laravel = environment.kind == "laravel"
    return Evidence(facts.seen("script"), topology, version, environment.deployment, environment.root, laravel)


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: exists, executable, parses, order."""
    script = evidence.script
    if part == "exists":
        return _exists(script)
    if part == "order" and (found := _clears_for_all(evidence)):
        return found
    if not script.exists or not script.is_file or script.bytes == 0:
        return failed("deployment.nothing-to-read", path=script.path)
    if part == "executable":
        return _executable(script)
    if evidence.setting.kind not in KINDS:
        return not_applicable("deployment.not-read", kind=evidence.setting.kind)
    return _parses(script) if part == "parses" else _order(evidence)


def _exists(script: Script) -> Finding:
    path = script.path
    if not script.exists:
        return failed("deployment.absent", path=path)
    if not script.is_file:
        return failed("deployment.no-file", path=path)
    if script.bytes == 0:
        return failed("deployment.empty", path=path)
    linked, figures = f", a link to {script.link}" if script.link else "", {"bytes": float(script.bytes)}
    return passed("deployment.there", OBSERVED, figures=figures, path=path, bytes=script.bytes, linked=linked)


def _executable(script: Script) -> Finding:
    path = script.path
    if not script.executable:
        return failed("deployment.not-executable", path=path)
    if not script.interpreter_found:
        named = script.interpreter.replace("\r", "\\r")
        return failed("deployment.no-interpreter", path=path, interpreter=named)
    if script.mode[-1:] in ("2", "3", "6", "7"):
        return failed("deployment.open-to-all", path=path, mode=script.mode, owner=script.owner)
    return passed("deployment.executable", OBSERVED)


def _parses(script: Script) -> Finding:
    if script.parse_error is not None:
        parser, error = script.parser, script.parse_error
        return failed("deployment.unparsable", level=RESOLVED, parser=parser, error=error, path=script.path)
    if "\r\n" in script.text:
        line = script.text[: script.text.index("\r\n")].count("\n") + 1
        return failed("deployment.carriage-return", level=DECLARED, line=line, path=script.path)
    return passed("deployment.parses", RESOLVED, parser=script.parser or "the gate")


def _order(evidence: Evidence) -> Finding:
    """Judge what it does, step by step; then what its dry run lists; then whether it is known whose views it warms."""
    script, setting = evidence.script, evidence.setting
    place = _place(evidence)
    topology = evidence.topology if isinstance(evidence.topology, Topology) else None
    container = topology is not None and topology.container
    real = topology.root if topology is not None else evidence.root

    def placed(path: str) -> str:
        # A script that asks where it lies is told the release, and not the link to it.
        return real + path[len(evidence.root) :] if path.startswith(f"{evidence.root.rstrip('/')}/") else path

    deployment = read(
        script.text,
        kind=setting.kind,
        path=placed(script.path),
        root=real,
        files=script.files | {placed(path): text for path, text in script.files.items()},
        place=place,
        serialized=setting.serialized,
    )
    ruling = ruled(deployment, container=container)
    if ruling.verdict == "failed":
        if place.shared and ruling.code == "rebuilds-live":
            return _shared(evidence, [ruling.told])
        return _ruled(ruling, TEXT)
    listing = _listed(evidence, deployment)
    if listing is not None and listing.verdict is not Verdict.PASS:
        return listing
    if ruling.verdict == "unknown" and not (listing is not None and _own_alone(deployment)):
        return _ruled(ruling, TEXT)
    if script.cut:
        return unknown("deployment.too-long", seen_by=TEXT, path=script.path)
    # A script alone does not tell whether what it warms is being served.
    unsure = _whose_views(evidence)
    beside = "; effect not exercised: deployment.dry_run is not set for this environment"
    return unsure or listing or _ruled(ruling, TEXT, beside)


def _ruled(ruling: Ruling, seen_by: str, beside: str = "") -> Finding:
    """Return what the rules came to as a finding; `beside` is told with what is in order."""
    code, told, remedy = f"deployment.{ruling.code}", ruling.told, ruling.remedy
    if ruling.verdict == "ok":
        return passed(code, DECLARED, seen_by=seen_by, told=told, beside=beside)
    if ruling.verdict == "unknown":
        return unknown(code, level=DECLARED, seen_by=seen_by, told=told, remedy=remedy)
    return failed(code, level=DECLARED, seen_by=seen_by, told=told, expected=ruling.expected, remedy=remedy)


def _place(evidence: Evidence) -> Place:
    """Return what is known of the host for the reading of the script."""
    topology, root = evidence.topology, evidence.root
    warms = optimize_clears_views(evidence.version) if version_of(evidence.version) is not None else None
    if isinstance(topology, Unobserved):
        return Place(roots=(root,), optimize_warms=warms, rebuild_clears=evidence.laravel)
    inside = topology.compiled.startswith(f"{topology.root}/")
    views = tuple(posixpath.relpath(topology.compiled, topology.root).split("/")) if inside else Place().views
    return Place(
        roots=tuple(dict.fromkeys((root, topology.root))),
        shared=topology.compiled if topology.shared and topology.resolved_by == "application" else "",
        views=views,
        optimize_warms=warms,
        rebuild_clears=evidence.laravel,
    )


def _shared(evidence: Evidence, shown: list[str]) -> Finding:
    topology = evidence.topology
    compiled = "" if isinstance(topology, Unobserved) else topology.compiled
    seen_by = "the compiled path's real place"
    return failed(
        "deployment.shared-views-rebuilt", level=RESOLVED, seen_by=seen_by, compiled=compiled, shown=listed(shown)
    )


def _clears_for_all(evidence: Evidence) -> Finding | None:
    """Find the race that the usual deployment makes where the script itself does not show it.

    Deployer's Laravel recipe shares storage between releases and runs artisan:optimize before it publishes: from
    Laravel 11 on that is view:cache, which clears first, and so deletes what the release being served compiled.
    """
    topology = evidence.topology
    if isinstance(topology, Unobserved) or topology.resolved_by != "application" or not topology.shared:
        return None
    shown = []
    if topology.deployer and optimize_clears_views(evidence.version):
        shown.append(f"Deployer's artisan:optimize ({topology.deployer[0]})")
    shown += [line for line in evidence.script.dry_run_lines if (step := STEP.match(line)) and step[1] == WARM]
    return _shared(evidence, shown) if shown else None


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


def _own_alone(deployment: Deployment) -> bool:
    """Tell whether all that is not understood are commands of the application's own: a dry run lists their steps."""
    return all(step.effect.words[:1] == ("own",) for step in deployment.of("unknown"))


# --- the dry run


def _listed(evidence: Evidence, deployment: Deployment) -> Finding | None:
    """Judge what the dry run lists, beside what was read; None where it was not asked for."""
    script, path = evidence.script, evidence.script.path
    if script.dry_run_removed:
        count = counted(script.dry_run_removed, "compiled view")
        return failed("deployment.dry-run-removed", seen_by=DRY_RUN, count=count, path=path)
    if script.dry_run_code is None and script.dry_run_error:
        error = script.dry_run_error
        return failed("deployment.dry-run-broke", level=DECLARED, seen_by=DRY_RUN, error=error, path=path)
    if script.dry_run_code is None:
        return None
    if script.dry_run_code != 0:
        code, error = script.dry_run_code, script.dry_run_error or "no word"
        return failed("deployment.dry-run-failed", level=DECLARED, seen_by=DRY_RUN, code=code, error=error, path=path)
    traced = [line for line in script.dry_run_lines if TRACED.match(line)]
    if any(STEP.match(line) for line in script.dry_run_lines) or not traced:
        finding = _steps_in_order(script)
        names = [match[1] for line in script.dry_run_lines if (match := STEP.match(line))]
        told = [name for name in dict.fromkeys(reversed(names)) if name in (WARM, PUBLISH, RELOAD)][::-1]
    else:
        plan = read_commands(traced, _place(evidence), evidence.root, serialized=True)
        finding = _ruled(ruled(plan), DRY_RUN)
        told = _deeds(plan.steps)
    done = _deeds(deployment.steps)
    if finding.verdict is Verdict.PASS and not deployment.of("unknown") and told != done:
        listing, text = " < ".join(told), " < ".join(done)
        return failed("deployment.dry-run-differs", level=DECLARED, seen_by=DRY_RUN, listed=listing, done=text)
    return finding


def _deeds(steps: tuple[Step, ...]) -> list[str]:
    """Return in which order it warms, publishes and reloads, each by its last time."""
    named = {"warms": WARM, "rebuilds": WARM, "publishes": PUBLISH, "reloads": RELOAD, "looks": RELOAD}
    found = [named[step.deed] for step in steps if step.deed in named and (step.built or step.deed != "publishes")]
    return list(dict.fromkeys(reversed(found)))[::-1]


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
