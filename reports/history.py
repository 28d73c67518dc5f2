"""What runs came to, one line a run, in `history.jsonl`: the memory behind availability and trends.

Several runs may append at once, and one may be killed while it does: a line is one write under a lock, and a
torn line costs itself only.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from reports.records import Plan
    from reports.verdict import Gate, Part

SCHEMA = 1
FILE_NAME = "history.jsonl"


class Recorded(NamedTuple):
    """What a history holds: its lines, oldest first, and how many could not be read."""

    lines: list[dict[str, Any]]
    damaged: int


def line(plan: Plan, gate: Gate, *, run: str, started: str, ended: str, code: int) -> dict[str, Any]:
    """Return the line of a run.

    `cells` holds a verdict by `<number>-<check>@<host>`, `missing` where parts of it did not run. `figures`
    holds by check the sums of its whole-number figures over hosts and parts, as page requests and complete
    answers.
    """
    return {
        "schema": SCHEMA,
        "run": run,
        "started": started,
        "ended": ended,
        "environment": plan.environment,
        "kind": plan.kind,
        "hosts": list(plan.hosts),
        "provenance": dict(plan.provenance),
        "verdict": gate.verdict.value,
        "exit": code,
        "cells": {
            f"{cell.number}-{cell.check}@{cell.host}": "missing" if cell.missing else cell.verdict.value
            for cell in gate.cells
        },
        "figures": _totals(gate.parts),
    }


def append(path: Path, entry: Mapping[str, Any]) -> None:
    """Append one line. Raises OSError where it cannot."""
    data = json.dumps(entry, ensure_ascii=True, allow_nan=False).encode("ascii") + b"\n"
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
    """Read a history, of one environment or of all. A file that is not there holds nothing."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Recorded([], 0)
    lines: list[dict[str, Any]] = []
    damaged = 0
    for raw in text.splitlines():
        if not raw.strip():
            continue
        entry = _parse(raw)
        if entry is None:
            damaged += 1
        elif environment in (None, entry["environment"]):
            lines.append(entry)
    return Recorded(lines, damaged)


def _parse(raw: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    if isinstance(entry, dict) and entry.get("schema") == SCHEMA and isinstance(entry.get("environment"), str):
        return entry
    return None


def _totals(parts: Iterable[Part]) -> dict[str, dict[str, int]]:
    totals: dict[str, Counter[str]] = {}
    for part in parts:
        for name, value in part.figures.items():
            if part.state is State.RAN and isinstance(value, int) and not isinstance(value, bool):
                totals.setdefault(part.planned.check, Counter())[name] += value
    return {check: dict(figures) for check, figures in totals.items()}
