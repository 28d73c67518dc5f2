"""How ratios are measured and told."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from collections.abc import Callable, Sequence

import pytest

TABLE = pytest.StashKey[list[tuple[str, str, str, float, float]]]()
GROWTH = pytest.StashKey[list[tuple[str, str, float]]]()

MOST_SLOPE = 1.1
"""Linear, and what a machine's moods add to it: the steepest step that may be between two sizes."""


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
        mine, other = self._medians(ours, theirs, turns)
        self._rows.append((what, f"{mine:,.1f}", f"{other:,.1f}", mine / other, least))
        assert mine / other >= least

    def spend(
        self, what: str, ours: Callable[[], float], theirs: Callable[[], float], *, turns: int, least: float
    ) -> None:
        """The same with what each way costs, of which less is better."""
        mine, other = self._medians(ours, theirs, turns)
        self._rows.append((what, f"{mine:,.3g}", f"{other:,.3g}", other / mine, least))
        assert other / mine >= least

    @staticmethod
    def _medians(ours: Callable[[], float], theirs: Callable[[], float], turns: int) -> tuple[float, float]:
        figures = dict[Callable[[], float], list[float]]({ours: [], theirs: []})
        for turn in range(turns):
            # Whoever was second is first in the next turn: a machine that slows down then favours neither.
            for way in (ours, theirs) if turn % 2 == 0 else (theirs, ours):
                figures[way].append(way())
        return statistics.median(figures[ours]), statistics.median(figures[theirs])


class Growth:
    """Tells how cost grows with size."""

    def __init__(self, rows: list[tuple[str, str, float]]) -> None:
        self._rows = rows

    def measure(self, what: str, sizes: Sequence[int], cost: Callable[[int], float], *, turns: int = 3) -> None:
        """Take the least of some turns at each size, in seconds; fail where a step is steeper than linear.

        The slope of a step is that of the logarithms: 1 is linear, 2 is quadratic, below 1 a fixed cost is in it.
        """
        seconds = [min(cost(size) for _ in range(turns)) for size in sizes]
        steps = itertools.pairwise(zip(sizes, seconds, strict=True))
        slopes = [math.log(later[1] / former[1]) / math.log(later[0] / former[0]) for former, later in steps]
        told = ", ".join(f"{size:,}: {one:.3g} s" for size, one in zip(sizes, seconds, strict=True))
        self._rows.append((what, told, max(slopes)))
        assert max(slopes) <= MOST_SLOPE, told


def rate(work: Callable[[], object], amount: float) -> float:
    """Return how much of it a second was done."""
    started = time.perf_counter()
    work()
    return amount / (time.perf_counter() - started)


def pytest_configure(config: pytest.Config) -> None:
    """Begin the table."""
    config.stash[TABLE] = []
    config.stash[GROWTH] = []


@pytest.fixture(name="ratios")
def _ratios(pytestconfig: pytest.Config) -> Ratios:
    return Ratios(pytestconfig.stash[TABLE])


@pytest.fixture(name="growth")
def _growth(pytestconfig: pytest.Config) -> Growth:
    return Growth(pytestconfig.stash[GROWTH])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table as Markdown, to be read and to be pasted."""
    rows = config.stash[TABLE]
    if rows:
        terminalreporter.section("ratios")
        terminalreporter.write_line("| measured | ours | theirs | ratio | at least |")
        terminalreporter.write_line("|---|---|---|---|---|")
        for what, mine, other, ratio, least in rows:
            terminalreporter.write_line(f"| {what} | {mine} | {other} | {ratio:.2f} | {least:g} |")
    growth = config.stash[GROWTH]
    if growth:
        terminalreporter.section("growth")
        terminalreporter.write_line("| measured | seconds by size | steepest step |")
        terminalreporter.write_line("|---|---|---|")
        for what, told, slope in growth:
            terminalreporter.write_line(f"| {what} | {told} | {slope:.2f} |")
