"""Writes `junit.xml`, the report pipelines and dashboards read.

Not pytest's own, which turns an interrupted run green and leaves tests that did not run out. Here every
planned part is a test case from the start: an error of type `NotRun` until it has come out, `Interrupted` if
its process ended under it. One test suite a check, one class a cell, so that dashboards group by the eight;
the last test case is the gate itself. The message is repeated in the text, because GitLab shows only the
text.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reports.records import Verdict
from reports.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.records import Other, Plan
    from reports.verdict import Cell, Gate, Part

# GitHub cuts a check at 65,535 characters and GitLab a file at 30 MB; a reader needs less of either.
_MESSAGE = 1_000
_TEXT = 8_000
_NAME = 300
_VALUE = 1_000
# Everything but the Char production of XML 1.0: control characters, lone surrogates and two noncharacters.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(plan: Plan, gate: Gate, others: Iterable[Other] = (), *, started: float) -> str:
    """Return the report as XML text. `started` is the run's start in seconds since the epoch."""
    root = ET.Element("testsuites", name=_text(f"viewgate {plan.environment}", _NAME))
    stamp = datetime.fromtimestamp(started, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    writer = _Writer(stamp, plan)
    for title, cells in _by_check(gate.validations):
        writer.cells(root, title, cells)
    if gate.objectives:
        writer.cells(root, "objectives", gate.objectives)
    listed = list(others)
    if listed:
        writer.others(root, listed)
    writer.gate(root, gate)
    _count(root)
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

    def __init__(self, stamp: str, plan: Plan) -> None:
        self._stamp = stamp
        self._plan = plan
        self._taken: set[tuple[str, str]] = set()

    def cells(self, root: ET.Element, title: str, cells: Sequence[Cell]) -> None:
        suite = self._suite(root, title)
        for cell in cells:
            classname = f"viewgate.{self._plan.environment}.{_check(cell)}.{cell.host}"
            for part in cell.parts:
                self._part(suite, classname, part)

    def others(self, root: ET.Element, others: Sequence[Other]) -> None:
        suite = self._suite(root, "tests of no cell")
        for other in others:
            file, _, name = other.nodeid.partition("::")
            module, *classes = [
                file.removesuffix(".py").replace("/", "."),
                *name.split("[")[0].split("::")[:-1],
            ]
            case = self._case(suite, ".".join([module or "session", *classes]), _last(name) or file, other.seconds)
            case.set("file", _text(file, _NAME))
            if other.outcome == "skipped":
                _result(case, "skipped", None, other.message)
            elif other.outcome == "failed":
                _result(case, "failure", "TestFailed", other.message)
            elif other.outcome != "passed":
                _result(case, "error", other.outcome.title(), other.message)

    def gate(self, root: ET.Element, gate: Gate) -> None:
        suite = self._suite(root, "gate")
        properties = ET.SubElement(suite, "properties")
        told = {"verdict": gate.verdict, "environment": self._plan.environment, "kind": self._plan.kind}
        for name, value in (told | dict(self._plan.provenance)).items():
            _property(properties, name, value)
        case = self._case(suite, "viewgate", "gate.verdict", 0)
        if gate.verdict is Verdict.UNKNOWN:
            _result(case, "failure", "Inconclusive", gate.reason)
        elif gate.verdict is not Verdict.PASS:
            _result(case, "failure", "Failed", gate.reason)

    def _suite(self, root: ET.Element, name: str) -> ET.Element:
        return ET.SubElement(root, "testsuite", name=_text(name, _NAME), timestamp=self._stamp)

    def _part(self, suite: ET.Element, classname: str, part: Part) -> None:
        planned = part.planned
        case = self._case(suite, classname, planned.part, part.seconds)
        case.set("file", _text(planned.file, _NAME))
        case.set("line", str(planned.line))
        properties = ET.SubElement(case, "properties")
        _property(properties, "host", planned.host)
        _property(properties, "verdict", part.verdict)
        for name, value in part.figures.items():
            _property(properties, name, value)
        if part.state is State.NOT_RUN:
            tag, kind = "error", "NotRun"
        elif part.state is State.INTERRUPTED:
            tag, kind = "error", "Interrupted"
        elif part.state is State.UNPLANNED:
            tag, kind = "failure", "Unplanned"
        elif part.verdict is Verdict.FAIL:
            tag, kind = "failure", "Failed"
        elif part.verdict is Verdict.UNKNOWN:
            tag, kind = "error", "Unknown"
        elif part.verdict is Verdict.NOT_APPLICABLE:
            _result(case, "skipped", None, part.reason)
            return
        else:
            return
        _result(case, tag, kind, part.reason, title=planned.title, remedy=part.remedy)

    def _case(self, suite: ET.Element, classname: str, name: str, seconds: float) -> ET.Element:
        classname, base = _text(classname, _NAME), _text(name, _NAME)
        name, number = base, 1
        while (classname, name) in self._taken:
            number += 1
            name = f"{base}~{number}"
        self._taken.add((classname, name))
        return ET.SubElement(suite, "testcase", classname=classname, name=name, time=f"{max(seconds, 0):.3f}")


def _result(case: ET.Element, tag: str, kind: str | None, message: str, *, title: str = "", remedy: str = "") -> None:
    message = message or "no reason was given"
    element = ET.SubElement(case, tag)
    if kind is not None:
        element.set("type", kind)
    element.set("message", _text(message, _MESSAGE))
    # The remedy has room of its own, or a long observation would cut it off.
    element.text = _text(f"{message}\n{title}", _TEXT) + _text(f"\nremedy: {remedy}" if remedy else "", _TEXT)


def _property(properties: ET.Element, name: str, value: object) -> None:
    ET.SubElement(properties, "property", name=_text(name, _NAME), value=_text(str(value), _VALUE))


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
    """Cut a text and show what XML 1.0 cannot hold as an escape."""
    if len(text) > limit:
        text = f"{text[:limit]}... ({len(text) - limit} more characters)"
    return _ILLEGAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
