"""What a history says: how often it passed, which cells are flaky, what changed since the last green.

The rules. *Flaky* is a cell that both passed and failed on one revision within `WINDOW_DAYS`, or whose attempts within
one run disagreed; it no longer is after `STEADY` passes in a row. A run in which everything failed tells of
the environment, not of its cells, and is counted apart. What was unknown, missing or not applicable says neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from reports.text import duration, number

WINDOW_DAYS = 14
RECENT = 49
"""Recorded runs shown one by one: fifty with the run that is told of."""

STEADY = 5
"""Passes in a row after which a flaky cell is taken for mended."""


@dataclass(frozen=True, slots=True)
class Past:
    """One run of the history, as far as it can be read: a history travels through caches and merges."""

    run: str
    started: datetime
    seconds: float
    revision: str
    verdict: str
    exit: int
    cells: Mapping[str, str]
    repeated: tuple[str, ...]
    measures: Mapping[str, float]
    figures: Mapping[str, Mapping[str, int]]

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Self | None:
        """Read a line of `reports.history`; None where it lacks what every line has."""
        try:
            started, ended = _time(line["started"]), _time(line["ended"])
            return cls(
                run=str(line["run"]),
                started=started,
                seconds=max((ended - started).total_seconds(), 0.0),
                revision=str(line.get("revision", "")),
                verdict=str(line["verdict"]),
                exit=int(line["exit"]),
                cells={name: str(verdict) for name, verdict in line["cells"].items()},
                repeated=tuple(map(str, line.get("repeated", ()))),
                measures={
                    name: float(value)
                    for name, value in line.get("measures", {}).items()
                    if isinstance(value, int | float)
                },
                figures={name: told for name, told in line.get("figures", {}).items() if isinstance(told, dict)},
            )
        except (KeyError, ValueError, TypeError, AttributeError, OverflowError):
            return None

    @property
    def green(self) -> bool:
        """Whether the gate passed, and with it the run."""
        return self.verdict == "pass" and self.exit == 0

    @property
    def everything_failed(self) -> bool:
        """Whether not one of several cells came out green: then the environment failed, or the run itself."""
        return len(self.cells) > 1 and not any(verdict in ("pass", "not-applicable") for verdict in self.cells.values())


@dataclass(frozen=True, slots=True)
class Steadiness:
    """How steady one cell was. `flips` of so many `judged` runs; `why` it is flaky, empty where it is not."""

    cell: str
    judged: int
    failed: int
    flips: int
    why: str

    @property
    def flip_rate(self) -> float:
        """Share of neighbouring runs that disagree."""
        return self.flips / (self.judged - 1) if self.judged > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from another run: a cell's verdict, the revision, or a measure."""

    what: str
    before: str
    after: str


class History:
    """The recorded runs of one environment before a run, the oldest first, and what they say; each thing found once."""

    def __init__(self, runs: Sequence[Past], now: datetime | None = None) -> None:
        self.runs = runs
        self._now = now

    @classmethod
    def before(cls, lines: Iterable[Mapping[str, Any]], run: str, started: float) -> Self:
        """Read recorded lines, as far as they are older than this run."""
        now = datetime.fromtimestamp(started, UTC)
        return cls([one for one in pasts(lines) if one.started <= now and one.run != run], now)

    @cached_property
    def recent(self) -> Sequence[Past]:
        """The runs that are shown one by one."""
        return self.runs[-RECENT:]

    @cached_property
    def passed(self) -> int:
        """How many passed."""
        return sum(one.green for one in self.runs)

    @cached_property
    def outages(self) -> int:
        """In how many everything failed."""
        return sum(one.everything_failed for one in self.runs)

    @cached_property
    def green(self) -> Past | None:
        """The latest run that passed."""
        return next((run for run in reversed(self.runs) if run.green), None)

    @cached_property
    def steady(self) -> Sequence[Steadiness]:
        """How steady each cell was, the least steady first."""
        return steadiness(self.runs, now=self._now)

    @property
    def flaky(self) -> Sequence[Steadiness]:
        """The cells that are flaky."""
        return [one for one in self.steady if one.why]


def pasts(lines: Iterable[Mapping[str, Any]]) -> list[Past]:
    """Read the lines of a history, the oldest first."""
    return [past for line in lines if (past := Past.from_line(line)) is not None]


def steadiness(runs: Sequence[Past], *, now: datetime | None = None) -> list[Steadiness]:
    """Return how steady each cell was within the window, the least steady first."""
    since = (now or datetime.now(UTC)) - timedelta(days=WINDOW_DAYS)
    told: dict[str, list[tuple[Past, str]]] = {}
    for run in runs:
        if run.started >= since and not run.everything_failed:
            for cell, verdict in run.cells.items():
                if verdict in ("pass", "fail"):
                    told.setdefault(cell, []).append((run, verdict))
    found = [_steadiness(cell, seen) for cell, seen in told.items()]
    return sorted(found, key=lambda one: (not one.why, -one.flip_rate, -one.failed, one.cell))


def _steadiness(cell: str, seen: Sequence[tuple[Past, str]]) -> Steadiness:
    verdicts = [verdict for _, verdict in seen]
    flips = sum(one != other for one, other in pairwise(verdicts))
    by_revision: dict[str, set[str]] = {}
    for run, verdict in seen:
        if run.revision:
            by_revision.setdefault(run.revision, set()).add(verdict)
    both = [revision for revision, said in by_revision.items() if len(said) > 1]
    repeated = [run.run for run, _ in seen if cell in run.repeated]
    why = ""
    doubtful = [cell in run.repeated or verdict == "fail" for run, verdict in seen]
    if any(doubtful[-STEADY:]) or len(doubtful) < STEADY:
        if both:
            why = f"passed and failed on {both[-1]}"
        elif repeated:
            why = f"its attempts disagreed in {repeated[-1]}"
    return Steadiness(cell, len(verdicts), verdicts.count("fail"), flips, why)


def changes(before: Past, after: Past) -> list[Change]:
    """Return what is different between two runs: the revision, then cells, then measures that moved by a tenth."""
    told = []
    if before.revision != after.revision:
        told.append(Change("revision", before.revision or "not known", after.revision or "not known"))
    for cell in dict.fromkeys([*before.cells, *after.cells]):
        was, now = before.cells.get(cell, "not planned"), after.cells.get(cell, "not planned")
        if was != now:
            told.append(Change(cell, was, now))
    for name, was_measure in before.measures.items():
        now_measure = after.measures.get(name, was_measure)
        if abs(now_measure - was_measure) > 0.1 * max(abs(was_measure), abs(now_measure)):
            told.append(Change(name, measure(name, was_measure), measure(name, now_measure)))
    return told


def measure(name: str, value: float) -> str:
    """Return a measure as people read it: percentiles and the recovery are times, the others numbers."""
    return duration(value) if ".p" in name or name.partition("@")[0] == "recovery" else number(value)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
