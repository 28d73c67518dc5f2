"""Writes `metrics.prom`: gauges of one run, for node_exporter's textfile collector and for GitLab's metrics report.

One text that Prometheus' and OpenMetrics' parsers both take: gauges only, no timestamps, `# EOF` at its end. Alert on
the age of `viewgate_last_success_timestamp_seconds`: a gate that no longer runs says nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable

from reports.history import percentile
from reports.records import Verdict
from reports.run import Run
from reports.text import line
from reports.trends import History
from reports.verdict import Cell, Gate, State

_LABEL = 200


def render(run: Run, gate: Gate, past: History) -> str:
    """Return the metrics as text. `past` are the recorded runs before this one."""
    writer = _Writer(run.plan.environment)
    passed = gate.verdict is Verdict.PASS and not run.others_failed
    writer.gauge("gate_passed", "Whether the gate passed, 0 or 1.", [({}, passed)])
    writer.gauge(
        "gate_verdict", "The gate's verdict: 1 for the one it is.", [({"verdict": v}, gate.verdict == v) for v in _GATE]
    )
    writer.gauge("last_run_timestamp_seconds", "When the latest run started.", [({}, run.started)])
    if passed:
        writer.gauge("last_success_timestamp_seconds", "When the latest run that passed started.", [({}, run.started)])
    elif (green := past.green) is not None:
        stamp = green.started.timestamp()
        writer.gauge("last_success_timestamp_seconds", "When the latest run that passed started.", [({}, stamp)])
    writer.gauge("run_duration_seconds", "How long the run took.", [({}, run.seconds)])
    writer.gauge("recorded_runs", "Runs of this environment in the history.", [({}, len(past.runs))])
    writer.gauge(
        "check_passed",
        "Whether a check passed on a host, 0 or 1.",
        [(_labels(cell), cell.state is State.PASS) for cell in gate.validations],
    )
    writer.gauge(
        "check_verdict",
        "A check's verdict on a host: 1 for the one it is.",
        [
            (_labels(cell) | {"verdict": state.value}, cell.state is state)
            for cell in gate.validations
            for state in _CELL
        ],
    )
    writer.gauge(
        "check_duration_seconds", "How long a check took.", [(_labels(cell), cell.seconds) for cell in gate.validations]
    )
    for name, figure in (("objective_value", "value"), ("objective_target", "target")):
        writer.gauge(name, f"The {figure} of an objective, where it was measured.", _objectives(gate, figure))
    writer.gauge(
        "objective_met",
        "Whether an objective was met, 0 or 1; absent where it was not measured.",
        [
            (_objective(cell), cell.state is State.PASS)
            for cell in gate.objectives
            if cell.state in (State.PASS, State.FAIL)
        ],
    )
    writer.gauge("page_request_seconds", "Quantiles of the page's answer times.", _quantiles(gate))
    writer.gauge(
        "flaky_cells",
        "Cells that pass and fail on one revision.",
        [({}, len(past.flaky))],
    )
    return writer.text()


_GATE = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN)
_CELL = tuple(state for state in State if state not in (State.INTERRUPTED, State.UNPLANNED))


def _labels(cell: Cell) -> dict[str, str]:
    return {"check": cell.check, "host": cell.host}


def _objective(cell: Cell) -> dict[str, str]:
    return {"objective": cell.check, "host": cell.host}


def _objectives(gate: Gate, figure: str) -> Iterable[tuple[dict[str, str], float]]:
    for cell in gate.objectives:
        for part in cell.parts:
            value = part.finding.figures.get(figure)
            if isinstance(value, int | float):
                yield _objective(cell), value


def _quantiles(gate: Gate) -> Iterable[tuple[dict[str, str], float]]:
    for cell in gate.validations:
        for part in cell.parts:
            seconds = part.finding.samples.get("seconds")
            for quantile in (0.5, 0.95, 0.99, 1.0) if seconds else ():
                # `quantile` alone is a summary's word.
                yield _labels(cell) | {"q": f"{quantile:g}"}, percentile(seconds or (), quantile * 100)


class _Writer:
    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._lines: list[str] = []

    def gauge(self, name: str, meaning: str, values: Iterable[tuple[dict[str, str], float]]) -> None:
        """Add a gauge with its values. One without a value is left out; of two with the same labels the first stays."""
        rows: dict[str, str] = {}
        for labels, value in values:
            told = {"environment": self._environment} | labels
            listed = ",".join(f'{label}="{_escaped(text)}"' for label, text in told.items())
            rows.setdefault(f"viewgate_{name}{{{listed}}}", repr(float(value)))
        if rows:
            self._lines += [f"# HELP viewgate_{name} {meaning}", f"# TYPE viewgate_{name} gauge"]
            self._lines += [f"{row} {value}" for row, value in rows.items()]

    def text(self) -> str:
        """Return all of it."""
        return "\n".join([*self._lines, "# EOF", ""])


def _escaped(text: str) -> str:
    return line(text, _LABEL).replace("\\", "\\\\").replace('"', '\\"')
