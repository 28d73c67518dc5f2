"""Writes `junit.xml`, the report pipelines and dashboards read, and `junit-strict.xml`, valid under junit-10.xsd.

Not pytest's own, which turns an interrupted run green and leaves tests that did not run out. Here every
planned part is a test case from the start: an error of type `NotRun` until it has come out, `Interrupted` if
its process ended under it. One test suite a check, one class a cell, so that dashboards group by the eight;
the last test case is the gate itself. The message is repeated in the text, because GitLab shows only the
text. The strict profile leaves out what the schema of Jenkins' xUnit plugin knows nothing of: file, line and
properties of a test case, and the count of skipped ones at the root.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from reports.records import Other, Verdict
from reports.run import Run
from reports.text import visible
from reports.verdict import Cell, Gate, Part, State

# GitHub cuts a check at 65,535 characters and GitLab a file at 30 MB; a reader needs less of either.
_MESSAGE = 1_000
_TEXT = 8_000
_NAME = 300
_VALUE = 1_000


def render(run: Run, gate: Gate, *, folder: str = "") -> tuple[str, str]:
    """Return the report as XML text, extended and strict.

    `folder` is the run's folder as the pipeline sees it, relative to the project: GitLab and Azure look for
    attachments there.
    """
    root = ET.Element("testsuites", name=_text(f"viewgate {run.plan.environment}", _NAME))
    writer = _Writer(run, folder)
    for title, cells in _by_check(gate.validations):
        writer.cells(root, title, cells)
    if gate.objectives:
        writer.cells(root, "objectives", gate.objectives)
    if run.others:
        writer.others(root)
    writer.gate(root, gate)
    _count(root)
    extended = _xml(root)
    root.attrib.pop("skipped")
    for case in root.iter("testcase"):
        case.attrib.pop("file", None)
        case.attrib.pop("line", None)
        for properties in case.findall("properties"):
            case.remove(properties)
    return extended, _xml(root)


def _xml(root: ET.Element) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _by_check(cells: Sequence[Cell]) -> Iterable[tuple[str, list[Cell]]]:
    checks: dict[str, list[Cell]] = {}
    for cell in cells:
        checks.setdefault(_check(cell), []).append(cell)
    return checks.items()


def _check(cell: Cell) -> str:
    return f"{cell.number}-{cell.check}" if cell.number else cell.check


class _Writer:
    """Fills the test suites of one report; keeps (classname, name) unique, since GitLab drops the second."""

    def __init__(self, run: Run, folder: str) -> None:
        self._run = run
        self._plan = run.plan
        self._folder = folder
        self._stamp = datetime.fromtimestamp(run.started, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        self._taken: set[tuple[str, str]] = set()

    def cells(self, root: ET.Element, title: str, cells: Sequence[Cell]) -> None:
        suite = self._suite(root, title, {"check": title})
        for cell in cells:
            classname = f"viewgate.{self._plan.environment}.{_check(cell)}.{cell.host}"
            for part in cell.parts:
                self._part(suite, classname, part)

    def others(self, root: ET.Element) -> None:
        suite = self._suite(root, "tests of no cell", {})
        attempts: dict[str, list[Other]] = {}
        for other in self._run.others:
            attempts.setdefault(other.nodeid, []).append(other)
        for tried in attempts.values():
            *earlier, last = tried
            repeated = [one for one in earlier if one.outcome == "repeated"]
            # What failed without being repeated is a result of its own (a call, and then its teardown).
            for one in earlier:
                if one.outcome != "repeated":
                    self._other(suite, one, [])
            self._other(suite, last, repeated)

    def _other(self, suite: ET.Element, other: Other, repeated: Sequence[Other]) -> None:
        file, _, name = other.nodeid.partition("::")
        module, *classes = [file.removesuffix(".py").replace("/", "."), *name.split("[")[0].split("::")[:-1]]
        case = self._case(suite, ".".join([module or "session", *classes]), _last(name) or file, other.seconds)
        case.set("file", _text(file, _NAME))
        if other.outcome == "skipped":
            _result(case, "skipped", "Skipped", other.message)
        elif other.outcome in ("failed", "repeated"):
            _result(case, "failure", "TestFailed", other.message)
        elif other.outcome != "passed":
            _result(case, "error", other.outcome.title(), other.message)
        for one in repeated:
            _attempt(case, "flakyFailure" if other.outcome == "passed" else "rerunFailure", "TestFailed", one.message)

    def gate(self, root: ET.Element, gate: Gate) -> None:
        suite = self._suite(root, "gate", {"verdict": gate.verdict.value})
        properties = suite.find("properties")
        assert properties is not None
        told = {"verdict": gate.verdict, "kind": self._plan.kind, "revision": self._run.revision}
        for name, value in (told | dict(self._plan.provenance)).items():
            _property(properties, name, value)
        case = self._case(suite, "viewgate", "gate.verdict", 0)
        if gate.verdict is Verdict.UNKNOWN:
            _result(case, "failure", "Inconclusive", gate.reason)
        elif gate.verdict is not Verdict.PASS:
            _result(case, "failure", "Failed", gate.reason)

    def _suite(self, root: ET.Element, name: str, tags: Mapping[str, str]) -> ET.Element:
        suite = ET.SubElement(root, "testsuite", name=_text(name, _NAME), timestamp=self._stamp)
        properties = ET.SubElement(suite, "properties")
        _property(properties, "environment", self._plan.environment)
        # Datadog takes a suite's tags for its tests, too.
        _tags(properties, {"environment": self._plan.environment} | dict(tags))
        return suite

    def _part(self, suite: ET.Element, classname: str, part: Part) -> None:
        planned, finding = part.planned, part.finding
        case = self._case(suite, classname, planned.part, part.seconds)
        case.set("file", _text(planned.file, _NAME))
        case.set("line", str(planned.line))
        properties = ET.SubElement(case, "properties")
        _property(properties, "host", planned.host)
        _property(properties, "verdict", part.state)
        _property(properties, "code", finding.code)
        if finding.level is not None:
            _property(properties, "level", finding.level)
        if finding.cause:
            _property(properties, "cause", finding.cause)
        if part.waiver is not None:
            _property(properties, "waiver", part.waiver.link)
        for name, value in finding.figures.items():
            _property(properties, name, value)
        for path in part.attachments:
            _property(properties, "attachment", self._path(path))
        _tags(properties, {"host": planned.host, "verdict": part.state.value})
        kind = _kind(part)
        if kind is not None:
            # The remedy has room of its own, or a long observation would cut it off.
            lines = [planned.title, f"seen by: {finding.seen_by}" if finding.seen_by else ""]
            told = "\n".join(filter(None, lines))
            _result(case, *kind, finding.reason, more=told, remedy="" if kind[0] == "skipped" else finding.remedy)
        for number, outcome in enumerate(part.outcomes, 1):
            if outcome.verdict in _WORDS and number != part.attempt:
                tag = "flakyFailure" if part.state.green else "rerunFailure"
                told = f"attempt {number}: {outcome.finding.reason or 'no reason was given'}"
                _attempt(case, tag, _WORDS[outcome.verdict], told)
        if part.attachments:
            # GitLab reads the first of them, Azure all.
            out = ET.SubElement(case, "system-out")
            out.text = "\n".join(f"[[ATTACHMENT|{self._path(path)}]]" for path in part.attachments)

    def _path(self, path: str) -> str:
        return f"{self._folder}/{path}" if self._folder else path

    def _case(self, suite: ET.Element, classname: str, name: str, seconds: float) -> ET.Element:
        classname, base = _text(classname, _NAME), _text(name, _NAME) or "unnamed"
        name, number = base, 1
        while (classname, name) in self._taken:
            number += 1
            name = f"{base}~{number}"
        self._taken.add((classname, name))
        return ET.SubElement(suite, "testcase", classname=classname, name=name, time=f"{max(seconds, 0):.3f}")


_WORDS = {Verdict.FAIL: "Failed", Verdict.UNKNOWN: "Unknown"}


_KINDS = {
    State.NOT_RUN: ("error", "NotRun"),
    State.INTERRUPTED: ("error", "Interrupted"),
    State.UNPLANNED: ("failure", "Unplanned"),
    State.FAIL: ("failure", "Failed"),
    State.UNKNOWN: ("error", "Unknown"),
    State.NOT_APPLICABLE: ("skipped", "NotApplicable"),
    State.WAIVED: ("skipped", "Waived"),
}


def _kind(part: Part) -> tuple[str, str] | None:
    """Return the element and the type of a part that does not pass."""
    if part.state is State.UNKNOWN and not part.planned.required:
        # What the gate passes without must not turn a dashboard red.
        return "skipped", "Unknown"
    return _KINDS.get(part.state)


def _result(case: ET.Element, tag: str, kind: str, message: str, *, more: str = "", remedy: str = "") -> None:
    message = message or "no reason was given"
    element = ET.SubElement(case, tag, type=kind, message=_text(message, _MESSAGE))
    element.text = _text(f"{message}\n{more}", _TEXT) + _text(f"\nremedy: {remedy}" if remedy else "", _TEXT)


def _attempt(case: ET.Element, tag: str, kind: str, message: str) -> None:
    message = message or "no reason was given"
    element = ET.SubElement(case, tag, message=_text(message, _MESSAGE), type=kind)
    ET.SubElement(element, "stackTrace").text = _text(message, _TEXT)


def _property(properties: ET.Element, name: str, value: object) -> None:
    ET.SubElement(properties, "property", name=_text(name, _NAME), value=_text(str(value), _VALUE))


def _tags(properties: ET.Element, tags: Mapping[str, str]) -> None:
    for name, value in tags.items():
        _property(properties, f"dd_tags[viewgate.{name}]", value)


def _last(name: str) -> str:
    """Return a test's own name with its parameters, which may hold `::` themselves."""
    head, bracket, parameters = name.partition("[")
    return head.rpartition("::")[2] + bracket + parameters


def _count(root: ET.Element) -> None:
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    seconds = 0.0
    for suite in root:
        cases = suite.findall("testcase")
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        took = sum(float(case.get("time", "0")) for case in cases)
        for name, count in counts.items():
            suite.set(name, str(count))
            totals[name] += count
        suite.set("time", f"{took:.3f}")
        seconds += took
    for name, count in totals.items():
        root.set(name, str(count))
    root.set("time", f"{seconds:.3f}")


def _text(text: str, limit: int) -> str:
    return visible(text, limit)
