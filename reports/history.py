"""What runs came to, one line a run, in `history.jsonl`: the memory behind availability and trends.

Several runs may append at once, and one may be killed while it does: a line is one write under a lock, and a
torn line costs itself only.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from reports.run import Run
from reports.text import json_text
from reports.verdict import Cell, Gate, Part, State

SCHEMA = 1
FILE_NAME = "history.jsonl"
_OBJECTS = ("cells", "figures", "measures", "provenance")


class Recorded(NamedTuple):
    """What a history holds: its lines, oldest first, and how many could not be read."""

    lines: list[dict[str, Any]]
    damaged: int


def line(run: Run, gate: Gate, *, ended: float, code: int) -> dict[str, Any]:
    """Return the line of a run.

    `cells` holds a verdict by cell id (see `cell_id`), `missing` where parts of it did not run; `repeated` the
    cells of which a part was attempted more than once with different verdicts. `figures` holds by check the sums
    of its whole-number figures over hosts and parts, as page requests and complete answers. `measures` holds by
    cell what is plotted over time: an objective's value, percentiles of samples.
    """
    plan = run.plan
    return {
        "schema": SCHEMA,
        "run": run.id,
        "started": _stamp(run.started),
        "ended": _stamp(ended),
        "environment": plan.environment,
        "kind": plan.kind,
        "hosts": list(plan.hosts),
        "revision": run.revision,
        "provenance": dict(plan.provenance),
        "verdict": gate.verdict.value,
        "exit": code,
        "cells": {cell_id(cell): cell.state.value for cell in gate.cells},
        "repeated": [cell_id(cell) for cell in gate.cells if any(_mixed(part) for part in cell.parts)],
        "figures": _totals(gate.parts),
        "measures": measures(gate),
    }


def cell_id(cell: Cell) -> str:
    """Return the stable identity of a cell over runs: `<number>-<check>@<host>`, number 0 for an objective."""
    return f"{cell.number}-{cell.check}@{cell.host}"


def measures(gate: Gate) -> dict[str, float]:
    """Return what is plotted over time, by `<check>@<host>` and, for percentiles, `<check>.p95@<host>`; in seconds."""
    told: dict[str, float] = {}
    for cell in gate.cells:
        for part in cell.parts:
            value = part.finding.figures.get("value")
            if isinstance(value, int | float) and not isinstance(value, bool):
                told[f"{cell.check}@{cell.host}"] = float(value)
            for name, values in part.finding.samples.items():
                if name == "seconds" and values:
                    for percent in (50, 95):
                        told[f"{cell.check}.p{percent}@{cell.host}"] = percentile(values, percent)
    return told


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the least of the values that so many percent of them do not exceed (the nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def _mixed(part: Part) -> bool:
    # An attempt that another one superseded was made while a deploy went on, which is no flakiness.
    return len({outcome.verdict for outcome in part.outcomes if not outcome.superseded}) > 1


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Append one line. Raises OSError where it cannot."""
    data = json_text(entry).encode("ascii") + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            # A writer was killed in the middle of its line: end it, so that ours does not become part of it.
            data = b"\n" + data
        written = os.write(descriptor, data)
        if written != len(data):
            raise OSError(f"{written} of {len(data)} bytes were written to {path}, but all should be")
    finally:
        os.close(descriptor)


def read(path: Path, environment: str | None = None) -> Recorded:
    """Read a history, of one environment or of all. A file that is not there holds nothing.

    Histories of several machines are merged by putting one after the other: runs are told by their id, each
    once, the oldest first.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Recorded([], 0)
    lines: list[dict[str, Any]] = []
    damaged = 0
    seen: set[object] = set()
    for raw in text.split(b"\n"):
        if not raw.strip():
            continue
        entry = _parse(raw)
        if entry is None:
            damaged += 1
        elif environment in (None, entry["environment"]):
            run = entry.get("run")
            if run is None or run not in seen:
                seen.add(run)
                lines.append(entry)
    # A stable sort: what a merge put out of order, and nothing else, moves.
    return Recorded(sorted(lines, key=lambda entry: str(entry.get("started", ""))), damaged)


def _parse(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    ours = isinstance(entry, dict) and entry.get("schema") == SCHEMA and isinstance(entry.get("environment"), str)
    return entry if ours and all(isinstance(entry.get(name, {}), dict) for name in _OBJECTS) else None


def _totals(parts: Iterable[Part]) -> dict[str, dict[str, int]]:
    totals: dict[str, Counter[str]] = {}
    for part in parts:
        for name, value in part.finding.figures.items():
            if part.state is not State.UNPLANNED and isinstance(value, int) and not isinstance(value, bool):
                totals.setdefault(part.planned.check, Counter())[name] += value
    return {check: dict(figures) for check, figures in totals.items()}
