"""The output of the races, a pytest plugin: what was explored, a line a scenario, with pytest-xdist as without."""

from __future__ import annotations

from typing import Any

import pytest

PROPERTY = "viewgate.race"
"""Name of the user property by which a test tells what it explored; see `telling.tell`."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was explored."""
    told = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == PROPERTY
    ]
    if told:
        terminalreporter.section("races explored", sep="=")
        for race in sorted(told, key=lambda race: (race["system"], race["scenario"])):
            terminalreporter.line(line(race))


def line(told: dict[str, Any]) -> str:
    """Say in one line what was explored."""
    parts = [f"{told['scenario']}: {told['schedules']} schedules in {told['seconds']:.1f} s"]
    if told["mutants"] is not None:
        return f"{parts[0]}; killed {told['mutants']['killed']} of {told['mutants']['of']}"
    if told["preemptions"] is not None:
        parts.append(f"{'all' if told['exhausted'] else 'not all'} of at most {told['preemptions']} preemptions")
        if told.get("reduced"):
            parts[-1] += ", one of those alike"
    if told["pct_bound"] is not None:
        parts.append(f"a bug of PCT's depth is hit with probability {told['pct_bound']:.4f} at least")
    if told["states"]:
        parts.append("reached " + ", ".join(f"{name} {times}" for name, times in told["states"].items()))
    return "; ".join(parts)
