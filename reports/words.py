"""What reports call the states of parts and cells, and the verdicts of a gate."""

from __future__ import annotations

from reports.records import Verdict
from reports.verdict import State

STATES = {
    State.PASS: "pass",
    State.FAIL: "FAIL",
    State.UNKNOWN: "UNKNOWN",
    State.NOT_APPLICABLE: "n/a",
    State.WAIVED: "waived",
    State.NOT_RUN: "NOT RUN",
    State.INTERRUPTED: "NOT RUN",
    State.UNPLANNED: "FAIL",
}
GATE = {Verdict.PASS: "passed", Verdict.FAIL: "failed", Verdict.UNKNOWN: "inconclusive"}
