"""How ratios are measured and told."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest

TABLE = pytest.StashKey[list[tuple[str, str, str, float, float]]]()


class Ratios:
    """Compares two ways of the same, turn by turn, so that a machine's moods meet both."""

    def __init__(self, rows: list[tuple[str, str, str, float, float]]) -> None:
        self._rows = rows

    def compare(
        self, what: str, ours: Callable[[], float], theirs: Callable[[], float], *, turns: int, least: float
    ) -> None:
        """Take turns, tell the medians' ratio (above 1: ours is better), and fail below what is promised.

        Each way returns its figure: a rate, of which more is better.
        """
        figures = [(ours(), theirs()) for _ in range(turns)]
        mine, other = (statistics.median(each) for each in zip(*figures, strict=True))
        self._rows.append((what, f"{mine:,.1f}", f"{other:,.1f}", mine / other, least))
        assert mine / other >= least


def rate(work: Callable[[], object], amount: float) -> float:
    """Return how much of it a second was done."""
    started = time.perf_counter()
    work()
    return amount / (time.perf_counter() - started)


def pytest_configure(config: pytest.Config) -> None:
    """Begin the table."""
    config.stash[TABLE] = []


@pytest.fixture(name="ratios")
def _ratios(pytestconfig: pytest.Config) -> Ratios:
    return Ratios(pytestconfig.stash[TABLE])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table as Markdown, to be read and to be pasted."""
    rows = config.stash[TABLE]
    if rows:
        terminalreporter.section("ratios")
        terminalreporter.write_line("| measured | ours | theirs | ratio | at least |")
        terminalreporter.write_line("|---|---|---|---|---|")
        for what, mine, other, ratio, least in rows:
            terminalreporter.write_line(f"| {what} | {mine} | {other} | {ratio:.2f} | {least:g} |")
