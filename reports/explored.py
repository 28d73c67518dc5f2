"""What tests of races and faults explored: how much, how far, and the interleaving that breaks a promise.

They arrive as pairs `("viewgate.race", {...})` and `("viewgate.faults", {...})` in a test's `user_properties`, which
pytest-xdist carries over, and travel through the event log as they came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from reports.records import RecordError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an interleaving: who did what to which resource, and what came of it (nothing where it went well)."""

    actor: str
    operation: str
    resource: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A schedule that breaks a promise. `seen` says how; `at` is the index of the step it shows at, or -1."""

    promise: str
    seen: str
    actors: tuple[str, ...]
    steps: tuple[Step, ...]
    at: int

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read a witness. Raises RecordError where it has no actors and steps."""
        told = _Told("a race's witness", data)
        steps = []
        for step in told.many("steps"):
            if not isinstance(step, list | tuple) or len(step) < 3:
                raise RecordError(
                    f"a step of a witness is {step!r}, but should be [actor, operation, resource, outcome]"
                )
            actor, operation, resource, *outcome = ("" if word is None else str(word) for word in step)
            steps.append(Step(actor, operation, resource, " ".join(outcome)))
        actors = tuple(map(str, told.many("actors")))
        absent = {step.actor for step in steps} - set(actors)
        at = told.data.get("at", len(steps) - 1)
        if not isinstance(at, int) or at >= len(steps):
            at = len(steps) - 1
        return cls(told.text("promise"), told.text("seen"), actors + tuple(sorted(absent)), tuple(steps), at)


@dataclass(frozen=True, slots=True)
class Mutants:
    """Planted defects of a system: how many the search found, and which got past it."""

    killed: int
    of: int
    survivors: tuple[str, ...]

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what was said of mutants."""
        told = _Told("a race's mutants", data)
        return cls(told.count("killed"), told.count("of"), tuple(map(str, told.many("survivors"))))


@dataclass(frozen=True, slots=True)
class Race:
    """One search for races.

    `preemptions` is the bound that was searched within (None: none), `exhausted` whether everything within it was,
    `reduced` whether of schedules that differ in what commutes one was run;
    `pct_bound` the least probability with which PCT finds a bug of its depth; `states` how often each state that
    must be reached was.
    """

    nodeid: str
    system: str
    scenario: str
    profile: str
    schedules: int
    preemptions: int | None
    exhausted: bool
    reduced: bool
    pct_bound: float | None
    states: Mapping[str, int]
    mutants: Mutants | None
    seconds: float
    witness: Witness | None

    @classmethod
    def from_json(cls, nodeid: str, data: object) -> Self:
        """Read what a test said. Raises RecordError where that is of another form."""
        told = _Told("a race", data)
        states = told.data.get("states") or {}
        if not isinstance(states, Mapping):
            raise RecordError(f"states of a race is {type(states).__name__}, but should be an object")
        return cls(
            nodeid=nodeid,
            system=told.text("system"),
            scenario=told.text("scenario"),
            profile=told.text("profile"),
            schedules=told.count("schedules"),
            preemptions=told.maybe("preemptions", told.count),
            exhausted=told.data.get("exhausted") is True,
            reduced=told.data.get("reduced") is True,
            pct_bound=told.maybe("pct_bound", told.measure),
            states={str(name): _whole(times, f"state {name!r}") for name, times in states.items()},
            mutants=told.maybe("mutants", lambda name: Mutants.from_json(told.data[name])),
            seconds=told.measure("seconds"),
            witness=told.maybe("witness", lambda name: Witness.from_json(told.data[name])),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault: the cells it should turn red, and those that it did."""

    name: str
    area: str
    declared: tuple[str, ...]
    observed: tuple[str, ...]

    @property
    def caught(self) -> int:
        """Declared, and seen."""
        return len({*self.declared} & {*self.observed})

    @property
    def missed(self) -> int:
        """Declared, and not seen."""
        return len({*self.declared} - {*self.observed})

    @property
    def false_alarms(self) -> int:
        """Seen, and not declared."""
        return len({*self.observed} - {*self.declared})


@dataclass(frozen=True, slots=True)
class Faults:
    """A fault x check matrix, or a part of one; `seconds` is what all of it would have taken one process alone."""

    nodeid: str
    seconds: float
    rows: tuple[Fault, ...]

    @property
    def caught(self) -> int:
        """How many cells were red that had to be."""
        return sum(row.caught for row in self.rows)

    @property
    def missed(self) -> int:
        """How many were green that had to be red."""
        return sum(row.missed for row in self.rows)

    @property
    def false_alarms(self) -> int:
        """How many were red without cause."""
        return sum(row.false_alarms for row in self.rows)

    @classmethod
    def from_json(cls, nodeid: str, data: object) -> Self:
        """Read what a test said. Raises RecordError where that is of another form."""
        told = _Told("a fault matrix", data)
        rows = []
        for row in told.many("rows"):
            match row:
                case [name, area, [*declared], [*observed]]:
                    rows.append(Fault(str(name), str(area), tuple(map(str, declared)), tuple(map(str, observed))))
                case _:
                    raise RecordError(
                        f"a fault is {row!r}, but should be [fault, area, declared cells, observed cells]"
                    )
        return cls(nodeid, told.measure("seconds"), tuple(rows))

    @classmethod
    def of(cls, parts: Sequence[Faults]) -> Self:
        """Return the matrix that these are parts of."""
        return cls(
            parts[0].nodeid,
            sum(part.seconds for part in parts),
            tuple(row for part in parts for row in part.rows),
        )


class _Told:
    """What a test said, read key by key; a key that is not there is nothing."""

    def __init__(self, what: str, data: object) -> None:
        if not isinstance(data, Mapping):
            raise RecordError(f"{what} is {type(data).__name__}, but should be an object")
        self._what = what
        self.data: Mapping[str, Any] = data

    def text(self, name: str) -> str:
        return str(self.data.get(name) or "")

    def count(self, name: str) -> int:
        return _whole(self.data.get(name) or 0, f"{name} of {self._what}")

    def measure(self, name: str) -> float:
        value = self.data.get(name) or 0.0
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise RecordError(f"{name} of {self._what} is {value!r}, but should be a number")
        return float(value)

    def many(self, name: str) -> list[Any]:
        value = self.data.get(name) or []
        if not isinstance(value, list | tuple):
            raise RecordError(f"{name} of {self._what} is {type(value).__name__}, but should be a list")
        return list(value)

    def maybe(self, name: str, read: Callable[[str], Value]) -> Value | None:
        return None if self.data.get(name) is None else read(name)


def _whole(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise RecordError(f"{what} is {value!r}, but should be a whole number")
    return value
