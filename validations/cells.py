"""Cells: each part of each check on each host is one test, planned before anything can leave it out.

A gate module marks its one test with `@validates(CHECK)`; this plugin gives it a `cell` for every host and part,
records the verdict where reports find it (`item.user_properties`, which survives pytest-xdist), and tells the plan.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

from fixtures.hosts import TARGET, Target
from fixtures.options import gate_asked
from reports.records import Plan, Planned, Verdict, Waiver
from validations.causes import Cause, root_cause
from validations.contracts import Judgement, Violation, failed, not_applicable, unknown
from validations.registry import EIGHT, OBJECTIVES, Check
from validations.waiting import Look, goes_on, pause, settled
from validations.waivers import load

if TYPE_CHECKING:
    from fixtures.environments.base import DisturbableHost, Host

T = TypeVar("T")
OBSERVE = "remove what kept this from being observed; until then nothing is known of it"
CHECKOUT = Path(__file__).resolve().parents[1]

_seen = pytest.StashKey[dict[tuple[str, str], object]]()
_looks = pytest.StashKey[dict[tuple[str, str], list[Look]]]()
_causes = pytest.StashKey[dict[str, Cause | None]]()
_judgement = pytest.StashKey[tuple[float, float, Judgement]]()
_earlier = pytest.StashKey[list[tuple[float, float, Judgement]]]()


class Cell:
    """One part of one check on one host, while it is being validated."""

    def __init__(self, check: Check, host_id: str, part: str) -> None:
        self.check = check
        self.host_id = host_id
        self.part = part
        self._item: pytest.Item | None = None

    @property
    def id(self) -> str:
        """Host and part, as the test's id."""
        return f"{self.host_id}-{self.part}"

    def bind(self, item: pytest.Item) -> None:
        """Say which test this is."""
        self._item = item

    def judge(self, examine: Callable[[Host], T], judge: Callable[[T, str], Judgement]) -> None:
        """Examine the host (once for all parts of the check), judge this part, and settle it.

        What could not be observed is unknown, with the reason. An examination that breaks is unknown, too: its
        own fault says nothing of the host.
        """
        assert self._item is not None
        started = time.time()
        clock = time.perf_counter()
        if self._target.lacks:
            self.settle(self._lacking(), started, time.perf_counter() - clock)
            return
        if self._target.wait:
            looks = self._looked(examine, judge)
            self._item.stash[_earlier] = [
                (look.started, look.seconds, look.judgements[self.part]) for look in looks[:-1]
            ]
            self.settle(settled(looks, self.part), started, time.perf_counter() - clock)
            return
        seen = self._item.config.stash.setdefault(_seen, {})
        key = (self.check.file, self.host_id)
        if key not in seen:
            try:
                seen[key] = examine(self._host())
            except Exception as reason:  # noqa: BLE001 - kept for the other parts, and raised again below
                seen[key] = reason
        judgement = self._judged(seen[key], judge, self.part)
        self.settle(judgement, started, time.perf_counter() - clock)

    def _judged(self, evidence: object, judge: Callable[[T, str], Judgement], part: str) -> Judgement:
        """Judge a part, and lay what is not green to the host's one root cause where it has one."""
        from fixtures.observation.facts import Unobserved

        if isinstance(evidence, Unobserved):
            judgement = unknown(f"not observed: {evidence}")
        elif isinstance(evidence, Exception):
            raise evidence
        else:
            judgement = judge(cast("T", evidence), part)
        if judgement.verdict not in (Verdict.FAIL, Verdict.UNKNOWN):
            return judgement
        assert self._item is not None
        causes = self._item.config.stash.setdefault(_causes, {})
        if self.host_id not in causes:
            causes[self.host_id] = root_cause(self._host())
        cause = causes[self.host_id]
        return judgement if cause is None else cause.applied(self.check.id, part, judgement)

    def _looked(self, examine: Callable[[Host], T], judge: Callable[[T, str], Judgement]) -> list[Look]:
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
            evidence: object
            try:
                evidence = examine(self._host())
            except Exception as reason:  # noqa: BLE001 - what kept it from being observed is judged
                evidence = reason
            judgements = {part: self._judged(evidence, judge, part) for part in parts}
            looks.append(Look(judgements, started, time.perf_counter() - clock))
        return looks

    def settle(self, judgement: Judgement, started: float, seconds: float) -> None:
        """Record the verdict, and fail the test where it is not green."""
        assert self._item is not None
        self._item.stash[_judgement] = (started, seconds, judgement)
        if judgement.verdict is Verdict.PASS:
            return
        if judgement.verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(judgement.reason)
        if judgement.verdict is Verdict.UNKNOWN and not required(self.check, self._target):
            # Said in the report and in the summary; the run does not depend on it.
            pytest.skip(f"unknown: {judgement.reason}")
        raise Violation(judgement, where=f"{self.check.id}/{self.part} on {self.host_id}")

    def _lacking(self) -> Judgement:
        """Judge a stage that this machine cannot bring up: not applicable, or failed where `--require` names it."""
        assert self._item is not None
        required = self._target.name in self._item.config.option.require
        told = self._target.lacks
        if required:
            return failed(f"--require {self._target.name}, but {told}", "installed", remedy="install them by that line")
        return not_applicable(told)

    def history(self) -> list[dict[str, Any]]:
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


def validates(*checks: Check) -> pytest.MarkDecorator:
    """Mark the test of a gate module: it gets a `cell` for every host and every part of these checks."""
    return pytest.mark.validates(*checks)


def required(check: Check, target: Target) -> bool:
    """Tell whether an unknown counts: always among the eight; objectives are owed where they can be measured."""
    return check.number > 0 or target.kind == "staged"


def disturbable(host: Host) -> DisturbableHost | None:
    """Return the host with the verbs that disturb, where this run has them."""
    return cast("DisturbableHost", host) if hasattr(host, "repair") else None


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers of the gate."""
    config.addinivalue_line("markers", "validates(*checks): the test of these checks of the registry")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a gate module's test its cells: one for every host and part."""
    marker = metafunc.definition.get_closest_marker("validates")
    if marker is None:
        return
    target = metafunc.config.stash.get(TARGET, None)
    cells = (
        []
        if target is None
        else [
            Cell(check, host, part)
            for check in marker.args
            for host in target.host_ids
            for part in check.parts(target.expected)
        ]
    )
    several = len(marker.args) > 1
    metafunc.parametrize(
        "cell",
        [pytest.param(cell, id=f"{cell.host_id}-{cell.check.id}" if several else cell.id) for cell in cells],
    )


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
        came = item.stash.get(_judgement, None)
        raised = call.excinfo.value if call.excinfo is not None else None
        if raised is not None and not isinstance(raised, (Violation, pytest.skip.Exception)):
            came = (call.start, call.duration, _broken(f"{type(raised).__name__}: {raised}"))
        elif came is None and raised is None:
            came = (call.start, call.duration, _broken("it judged nothing"))
        # A test that was skipped before it judged did not come out at all: the ledger will miss it.
        if came is not None:
            item.user_properties[:] = [pair for pair in item.user_properties if pair[0] != "viewgate"]
            for earlier in item.stash.get(_earlier, ()):
                _record(item, cell, *earlier, superseded=True)
            _record(item, cell, *came)
    report = yield
    if isinstance(cell, Cell) and call.excinfo is not None and isinstance(call.excinfo.value, Violation):
        # The wording is the whole message; a traceback through the suite would only hide it.
        report.longrepr = str(call.excinfo.value)  # type: ignore[attr-defined]
    return report


def _broken(why: str) -> Judgement:
    return unknown(f"the check itself broke: {why}"[:500], remedy="run it alone with --tb=long, and report this")


def _record(
    item: pytest.Item, cell: Cell, started: float, seconds: float, judgement: Judgement, *, superseded: bool = False
) -> None:
    green = judgement.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)
    # What was not observed is not known to be broken: the check's own remedy would mend what may be whole.
    usual = cell.check.remedy if judgement.verdict is Verdict.FAIL else OBSERVE
    remedy = "" if green else judgement.remedy or usual
    attach = item.config.hook.pytest_viewgate_attach
    attached = [
        attach(config=item.config, name=f"{cell.check.id}-{cell.id}-{name}", content=content)
        for name, content in judgement.attachments.items()
    ]
    item.user_properties.append(
        (
            "viewgate",
            {
                "check": cell.check.id,
                "host": cell.host_id,
                "part": cell.part,
                "verdict": judgement.verdict.value,
                "observed": judgement.observed,
                "expected": judgement.expected,
                "seen_by": judgement.seen_by,
                "remedy": remedy,
                "figures": dict(judgement.figures),
                "samples": {name: list(values) for name, values in judgement.samples.items()},
                "attachments": [path for path in attached if path],
                "seconds": seconds,
                "started": started,
                "cause": judgement.cause,
                "superseded": superseded,
            },
        )
    )


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
            check=check.id,
            host=host,
            part=part,
            kind="validation" if check.number else "objective",
            number=check.number,
            title=check.title,
            required=required(check, target),
            file=check.file,
            line=_line_of_test(check.file),
        )
        for check in (*EIGHT, *OBJECTIVES)
        for host in target.host_ids
        for part in check.parts(target.expected)
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
