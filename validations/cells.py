"""Cells: each part of each check on each host is one test, planned before anything can leave it out.

A gate module says `pytest_generate_tests = validates(CHECK)`, and its one test gets a `cell` for every host and part.
This plugin records the verdict where reports find it (`item.user_properties`, which survives pytest-xdist), and states
the plan.
What compares hosts has no verdict on a worker: its cells record each host's digest, and are judged here at the end.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.hosts import TARGET, Target
from fixtures.options import gate_asked
from reports.records import Finding, Outcome, Plan, Planned, Verdict, Waiver
from validations import agreement, driver
from validations.agreement import Digest
from validations.causes import Cause, root_cause
from validations.contracts import Violation, failed, not_applicable, unknown
from validations.registry import AGREEMENT, EIGHT, OBJECTIVES, Check
from validations.waiting import Look, goes_on, pause, settled
from validations.waivers import load

if TYPE_CHECKING:
    from fixtures.environments.base import Host

# Names of user properties: what came out of a cell, and what of a host is compared with the others.
_OUTCOME = "viewgate"
_DIGEST = "viewgate.digest"
_PROPERTIES = (_OUTCOME, _DIGEST)
CHECKOUT = Path(__file__).resolve().parents[1]

_UNPLANNED = (
    "the gate's tests are collected by a run that has not planned them: run `pytest validations/gate`, with the plugins"
    " that the checkout's conftest.py names"
)

_seen = pytest.StashKey[dict[tuple[str, str], object]]()
_looks = pytest.StashKey[dict[tuple[str, str], list[Look]]]()
_causes = pytest.StashKey[dict[str, Cause | None]]()
_found = pytest.StashKey[tuple[float, float, Finding]]()
_earlier = pytest.StashKey[list[tuple[float, float, Finding]]]()
_digest = pytest.StashKey[Digest]()


class Cell:
    """One part of one check on one host, while it is being validated."""

    def __init__(self, check: Check, host_id: str, part: str) -> None:
        self.check = check
        self.host_id = host_id
        self.part = part
        self._item: pytest.Item | None = None

    @property
    def id(self) -> str:
        """The test's id: host and part, or host and check where one test module holds several checks."""
        return f"{self.host_id}-{self.part if self.check.number else self.check.id}"

    def bind(self, item: pytest.Item) -> None:
        """Say which test this is."""
        self._item = item

    def judge(self) -> None:
        """Examine the host (once for all parts of the check), judge this part, and settle it."""
        assert self._item is not None
        started = time.time()
        clock = time.perf_counter()
        if self._target.lacks:
            self.settle(self._lacking(), started, time.perf_counter() - clock)
            return
        if self._target.wait:
            looks = self._looked()
            self._item.stash[_earlier] = [(look.started, look.seconds, look.findings[self.part]) for look in looks[:-1]]
            self.settle(settled(looks, self.part), started, time.perf_counter() - clock)
            return
        seen = self._item.config.stash.setdefault(_seen, {})
        key = (self.check.file, self.host_id)
        if key not in seen:
            seen[key] = self._examined()
        self.settle(self._judged(seen[key], self.part), started, time.perf_counter() - clock)

    def digest(self, examine: Callable[[Host], Digest]) -> None:
        """Take of the host what is compared with the other hosts once all have been looked at."""
        assert self._item is not None
        self._item.stash[_digest] = examine(self._host())

    def _examined(self) -> object:
        return driver.examine(self.check, self._host(), () if self.check.number else self._history())

    def _judged(self, evidence: object, part: str) -> Finding:
        return driver.judge(self.check, self._host(), evidence, part, self._cause)

    def _cause(self) -> Cause | None:
        """Return the host's one root cause, looked for once."""
        assert self._item is not None
        causes = self._item.config.stash.setdefault(_causes, {})
        if self.host_id not in causes:
            causes[self.host_id] = root_cause(self._host())
        return causes[self.host_id]

    def _looked(self) -> list[Look]:
        """Look until it is settled (see `waiting`), once for all parts of the check."""
        assert self._item is not None
        stash = self._item.config.stash
        looks = stash.setdefault(_looks, {}).setdefault((self.check.id, self.host_id), [])
        parts = self.check.parts(self._target.expected)
        needed = required(self.check, self._target)
        while not looks or goes_on(looks, required=needed, time_left=self._target.waits()):
            if looks:
                time.sleep(pause(len(looks)))
                stash.setdefault(_causes, {}).pop(self.host_id, None)
                if not self._target.host(self.host_id).forget():
                    break
            started, clock = time.time(), time.perf_counter()
            evidence = self._examined()
            findings = {part: self._judged(evidence, part) for part in parts}
            looks.append(Look(findings, started, time.perf_counter() - clock))
        return looks

    def settle(self, finding: Finding, started: float, seconds: float) -> None:
        """Record the finding, and fail the test where it is not green."""
        assert self._item is not None
        self._item.stash[_found] = (started, seconds, finding)
        if finding.verdict is Verdict.PASS:
            return
        if finding.verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(finding.reason)
        if finding.verdict is Verdict.UNKNOWN and not required(self.check, self._target):
            # Said in the report and in the summary; the run does not depend on it.
            pytest.skip(f"unknown: {finding.reason}")
        raise Violation(finding, where=f"{self.check.id}/{self.part} on {self.host_id}")

    def _lacking(self) -> Finding:
        """Judge a stage that this machine cannot bring up: not applicable, or failed where `--require` names it."""
        assert self._item is not None
        stage, lacks = self._target.name, self._target.lacks
        if stage in self._item.config.option.require:
            return failed(f"{self.check.id}.stage-required", stage=stage, lacks=lacks, level=None)
        return not_applicable(f"{self.check.id}.stage-lacks", lacks=lacks)

    def _history(self) -> list[dict[str, Any]]:
        """Return what earlier runs recorded of this very application, through a hook of reports'.

        A stage that the suite starts has no past: what an earlier one answered says nothing of it.
        """
        assert self._item is not None
        if self._target.kind == "staged":
            return []
        lines = self._item.config.hook.pytest_viewgate_history(config=self._item.config, environment=self._target.name)
        root = self._target.environment().root
        return [line for line in lines or [] if line.get("provenance", {}).get("root") == root]

    @property
    def _target(self) -> Target:
        assert self._item is not None
        return self._item.config.stash[TARGET]

    def _host(self) -> Host:
        return self._target.host(self.host_id)


def validates(*checks: Check) -> Callable[[pytest.Metafunc], None]:
    """Return a gate module's `pytest_generate_tests`: its one test gets a `cell` for every host and part of the checks.

    pytest calls it for the module it stands in, whatever plugins there are. So a module whose cells nothing has
    planned, or nothing records, is not collected, and is no pass.
    """

    def generate(metafunc: pytest.Metafunc) -> None:
        config = metafunc.config
        target = config.stash.get(TARGET, None)
        recorded = hasattr(config, "workerinput") or config.pluginmanager.has_plugin("viewgate-recorder")
        if target is None or not recorded:
            # One error ends the run, and its last line says why.
            metafunc.definition.session.shouldfail = _UNPLANNED
            raise pytest.Collector.CollectError(_UNPLANNED)
        metafunc.parametrize("cell", [pytest.param(cell, id=cell.id) for cell in cells_of(target, checks)])

    return generate


def required(check: Check, target: Target) -> bool:
    """Tell whether an unknown counts: always among the eight; objectives are owed where they can be measured."""
    return check.number > 0 or target.kind == "staged"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where it is waited for green, start its clock with the first result, also where workers look."""
    target = session.config.stash.get(TARGET, None)
    if target is not None and target.wait and not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Clock(target), "viewgate-clock")


class _Clock:
    """Asks once a result has come whether there is time to look again: the time runs from the first question."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def pytest_runtest_logreport(self) -> None:
        """Ask."""
        self._target.waits()


def cells_of(target: Target, checks: Sequence[Check]) -> list[Cell]:
    """Return the cells' parts that these checks have in this environment: one for every host and part."""
    return [
        Cell(check, host, part) for check in checks for host in target.host_ids for part in check.parts(target.expected)
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell a cell which test it is."""
    cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")  # type: ignore[attr-defined]
    if isinstance(cell, Cell):
        cell.bind(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Put the verdict where reports find it. A test that broke before it judged is unknown, never left out."""
    cell = item.callspec.params.get("cell") if hasattr(item, "callspec") else None
    if isinstance(cell, Cell) and (call.when == "call" or call.excinfo is not None):
        came = item.stash.get(_found, None)
        digest = item.stash.get(_digest, None)
        raised = call.excinfo.value if call.excinfo is not None else None
        if raised is not None and not isinstance(raised, (Violation, pytest.skip.Exception)):
            came = (call.start, call.duration, driver.Broken.of(raised).finding(cell.check.id))
        elif came is None and raised is None and digest is None:
            came = (call.start, call.duration, unknown(f"{cell.check.id}.judged-nothing"))
        item.user_properties[:] = [pair for pair in item.user_properties if pair[0] not in _PROPERTIES]
        # A test that was skipped before it judged did not come out at all: the ledger will miss it.
        if came is not None:
            looks = [(*earlier, True) for earlier in item.stash.get(_earlier, ())] + [(*came, False)]
            for started, seconds, finding, superseded in looks:
                told = _outcome(item.config, cell, started, seconds, finding, superseded=superseded)
                item.user_properties.append((_OUTCOME, told))
        elif digest is not None:
            item.user_properties.append((_DIGEST, _told(cell, digest, call.start, call.duration)))
    report = yield
    if isinstance(cell, Cell) and call.excinfo is not None and isinstance(call.excinfo.value, Violation):
        # The wording is the whole message; a traceback through the suite would only hide it.
        report.longrepr = str(call.excinfo.value)  # type: ignore[attr-defined]
    return report


def _told(cell: Cell, digest: Digest, started: float, seconds: float) -> dict[str, Any]:
    """Return a host's digest as it travels to the controller."""
    return {
        "check": cell.check.id,
        "host": cell.host_id,
        "part": cell.part,
        "seen": dict(digest.seen),
        "unseen": dict(digest.unseen),
        "started": started,
        "seconds": seconds,
    }


def _outcome(
    config: pytest.Config, cell: Cell, started: float, seconds: float, finding: Finding, *, superseded: bool
) -> dict[str, Any]:
    """Return what came out of a cell, as reports read it: an `Outcome`, without the test's own id."""
    attach = config.hook.pytest_viewgate_attach
    attached = [
        attach(config=config, name=f"{cell.check.id}-{cell.host_id}-{cell.part}-{name}", content=content)
        for name, content in finding.pictures.items()
    ]
    outcome = Outcome(
        check=cell.check.id,
        host=cell.host_id,
        part=cell.part,
        finding=finding,
        seconds=seconds,
        started=started,
        attachments=tuple(path for path in attached if path),
        superseded=superseded,
    )
    return outcome.to_json()


def pytest_viewgate_compared(config: pytest.Config, digests: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Judge whether the hosts agree, out of the digest that each host's test recorded (a hook of reports').

    A host without a digest has no outcome, and the ledger will miss it; of no other host it is known then that it
    agrees with all. Without a wait this looks at no host.
    """
    target = config.stash[TARGET]
    came = {told["host"]: (nodeid, told) for nodeid, told in digests.items()}
    started, clock = time.time(), time.perf_counter()
    seen = {host: Digest(told["seen"], told["unseen"]) for host, (_, told) in came.items()}
    looks = [_compared(target.host_ids, seen, started, clock)]
    everywhere = set(came) == set(target.host_ids)
    needed = required(AGREEMENT, target)
    while everywhere and target.wait and goes_on(looks, required=needed, time_left=target.waits()):
        time.sleep(pause(len(looks)))
        started, clock = time.time(), time.perf_counter()
        seen = {host: agreement.digest_of(facts) for host, facts in target.facts_anew().items()}
        looks.append(_compared(target.host_ids, seen, started, clock))
    outcomes = []
    for host, (nodeid, told) in came.items():
        cell = Cell(AGREEMENT, host, told["part"])
        for number, look in enumerate(looks, 1):
            last = number == len(looks)
            finding = settled(looks, host) if last else look.findings[host]
            told_of = _outcome(config, cell, look.started, look.seconds, finding, superseded=not last)
            outcomes.append((nodeid, told_of))
    return outcomes


def _compared(hosts: Sequence[str], seen: Mapping[str, Digest], started: float, clock: float) -> Look:
    """Judge each host against the others."""
    digests = {host: seen.get(host, agreement.MISSING) for host in hosts}
    return Look({host: agreement.judge(host, digests) for host in hosts}, started, time.perf_counter() - clock)


def pytest_viewgate_plan(config: pytest.Config) -> Plan | None:
    """Tell reports what has to come out of this run: every part of every check on every host (a hook of reports')."""
    target = config.stash.get(TARGET, None)
    if target is None or not gate_asked(config):
        return None
    file = config.option.waivers
    if file is None:
        return plan_of(target)
    today = dt.datetime.now(dt.UTC).date()
    return plan_of(target, load(config.invocation_params.dir / file, target.name, today=today))


def plan_of(target: Target, waivers: tuple[Waiver, ...] = ()) -> Plan:
    """Return the ledger of an environment."""
    parts = [
        Planned(
            check=cell.check.id,
            host=cell.host_id,
            part=cell.part,
            kind="validation" if cell.check.number else "objective",
            number=cell.check.number,
            title=cell.check.title,
            required=required(cell.check, target),
            least=cell.check.least(cell.part).level(target.expected.kind, disturbed=target.intrusive),
            file=cell.check.file,
            line=_line_of_test(cell.check.file),
        )
        for cell in cells_of(target, (*EIGHT, *OBJECTIVES))
    ]
    return Plan(
        environment=target.name,
        kind=target.kind,
        hosts=target.host_ids,
        parts=tuple(parts),
        provenance=_provenance(target),
        waivers=waivers,
    )


def _provenance(target: Target) -> dict[str, str]:
    import platform

    commit = _commit()
    return {
        "viewgate": commit,
        # What a stage serves is what lies here; what a live environment serves is observed (see `Outcome.figures`).
        **({"revision": commit} if target.kind == "staged" else {}),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "disturbing": "yes" if target.intrusive else "no",
        "root": "" if target.kind == "staged" else target.environment().root,
    }


def _commit() -> str:
    """Return the checkout's commit, with `-dirty` where files differ from it; nothing where it is no clone."""
    import subprocess

    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        told = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


_lines: dict[str, int] = {}


def _line_of_test(file: str) -> int:
    if file not in _lines:
        try:
            text = (CHECKOUT / file).read_text(encoding="utf-8").splitlines()
        except OSError:
            text = []
        _lines[file] = next((number for number, line in enumerate(text, 1) if line.startswith("def test_")), 0)
    return _lines[file]


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is validated, and whether it may be disturbed."""
    target = config.stash.get(TARGET, None)
    if target is None:
        return None
    how = "may be disturbed" if target.intrusive else "read only"
    return f"environment: {target.name} ({how}), hosts: {', '.join(target.host_ids)}"
