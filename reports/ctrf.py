"""Writes `report.json` in the Common Test Report Format (CTRF), for tools that read one format of every framework.

Statuses are CTRF's five: a part that did not come out is `failed` here too, and one that is unknown `other`. As in
`junit.xml` the last test is the gate itself, so that counting failures finds a gate that did not pass.
"""

from __future__ import annotations

import mimetypes
import uuid
from collections.abc import Sequence
from typing import Any

from reports.history import cell_id
from reports.records import Other, Verdict
from reports.run import Run
from reports.text import json_text, visible
from reports.trends import History
from reports.verdict import Cell, Gate, Part, State

SPEC_VERSION = "0.0.0"
"""The version that the published schema names."""

_NAMESPACE = uuid.UUID("6b2f0f0c-6a55-5ad1-8d9c-76696577676e")
_TEXT = 8_000
_STATUS = {
    State.PASS: "passed",
    State.FAIL: "failed",
    State.UNKNOWN: "other",
    State.NOT_APPLICABLE: "skipped",
    State.WAIVED: "skipped",
    State.NOT_RUN: "failed",
    State.INTERRUPTED: "failed",
    State.UNPLANNED: "failed",
}
_OTHER_STATUS = {"passed": "passed", "skipped": "skipped"}


def render(run: Run, gate: Gate, past: History, *, folder: str = "") -> str:
    """Return the report as JSON text. `folder` is put before the paths of attachments."""
    flaky = {one.cell for one in past.flaky}
    tests = [
        _part(cell, part, flaky=cell_id(cell) in flaky, folder=folder) for cell in gate.cells for part in cell.parts
    ]
    tests += _others(run.others)
    tests.append(_gate(run, gate))
    counts = {status: sum(test["status"] == status for test in tests) for status in _STATUSES}
    report = {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "reportId": str(uuid.uuid5(_NAMESPACE, visible(run.id))),
        "generatedBy": "viewgate",
        "results": {
            "tool": {"name": "viewgate"},
            "summary": {
                "tests": len(tests),
                **counts,
                "flaky": sum(test.get("flaky", False) for test in tests),
                "suites": len({tuple(test["suite"]) for test in tests}),
                "start": round(run.started * 1000),
                "stop": round((run.started + run.seconds) * 1000),
                "duration": round(run.seconds * 1000),
            },
            "tests": tests,
            "environment": {
                "testEnvironment": visible(run.plan.environment),
                "commit": visible(run.revision),
                "healthy": gate.verdict is Verdict.PASS,
                "extra": {
                    "kind": visible(run.plan.kind),
                    **{visible(name): visible(value) for name, value in run.plan.provenance.items()},
                },
            },
            "extra": {"verdict": gate.verdict.value, "reason": visible(gate.reason, _TEXT), "exit": run.exit},
        },
    }
    return f"{json_text(report)}\n"


_STATUSES = ("passed", "failed", "skipped", "pending", "other")


def _part(cell: Cell, part: Part, *, flaky: bool, folder: str) -> dict[str, Any]:
    planned = part.planned
    key = f"{cell_id(cell)}/{planned.part}"
    finding = part.finding
    test: dict[str, Any] = {
        "id": str(uuid.uuid5(_NAMESPACE, visible(key))),
        "name": visible(f"{planned.check} {planned.part} on {planned.host}"),
        "status": _STATUS[part.state],
        "rawStatus": part.state.value,
        "duration": round(part.seconds * 1000),
        "suite": [visible(f"{cell.number} {cell.check}" if cell.number else cell.check), visible(cell.host)],
        "filePath": visible(planned.file),
        "line": planned.line,
        "labels": {"check": visible(planned.check), "host": visible(planned.host), "cell": visible(cell_id(cell))},
        "extra": {
            "code": finding.code,
            "level": finding.level,
            "flakyCell": flaky,
            "figures": {visible(name): _figure(value) for name, value in finding.figures.items()},
        },
    }
    if finding.reason:
        test["message"] = visible(finding.reason, _TEXT)
    if finding.remedy and not part.state.green:
        test["extra"]["remedy"] = visible(finding.remedy, _TEXT)
    if finding.cause:
        test["extra"]["cause"] = visible(finding.cause, _TEXT)
    if part.waiver is not None:
        test["extra"]["waiver"] = visible(part.waiver.link, _TEXT)
    if part.outcomes:
        test["start"] = round(part.outcomes[0].started * 1000)
        test["stop"] = test["start"] + test["duration"]
    if part.attachments:
        test["attachments"] = [_attachment(path, folder) for path in part.attachments]
    if len(part.outcomes) > 1:
        test["retries"] = len(part.outcomes) - 1
        test["retryAttempts"] = [
            {
                "attempt": number,
                "status": _STATUS[State(outcome.verdict)],
                "duration": round(outcome.seconds * 1000),
                "message": visible(outcome.finding.reason, _TEXT),
            }
            for number, outcome in enumerate(part.outcomes, 1)
        ]
    return test


def _figure(value: object) -> object:
    return visible(value) if isinstance(value, str) else value


def _attachment(path: str, folder: str) -> dict[str, str]:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return {"name": path.rpartition("/")[2], "contentType": kind, "path": f"{folder}/{path}" if folder else path}


def _others(others: Sequence[Other]) -> list[dict[str, Any]]:
    attempts: dict[str, list[Other]] = {}
    for other in others:
        attempts.setdefault(other.nodeid, []).append(other)
    tests = []
    for nodeid, tried in attempts.items():
        last = tried[-1]
        worst = next((one for one in tried if one.failed), last)
        name = visible(nodeid, 300) or "session"
        test: dict[str, Any] = {
            "name": name,
            "status": _OTHER_STATUS.get(worst.outcome, "failed"),
            "rawStatus": worst.outcome,
            "duration": round(last.seconds * 1000),
            "suite": [name.partition("::")[0] or "session"],
        }
        if worst.message:
            test["message"] = visible(worst.message, _TEXT)
        if any(one.outcome == "repeated" for one in tried):
            test["flaky"] = test["status"] == "passed"
            test["retries"] = len(tried) - 1
        tests.append(test)
    return tests


def _gate(run: Run, gate: Gate) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(_NAMESPACE, "gate.verdict")),
        "name": "gate.verdict",
        "status": "passed" if gate.verdict is Verdict.PASS else "failed",
        "rawStatus": gate.verdict.value,
        "duration": round(run.seconds * 1000),
        "suite": ["gate"],
        "message": visible(gate.reason, _TEXT),
    }
