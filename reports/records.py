"""What was planned and what came out of it: the records every report is derived from.

Plain values that travel as JSON: `to_json` and `from_json` are exact inverses, and `from_json` is strict,
since a record with a key too few or too many was written by another version or by nobody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, get_args

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Scalar: TypeAlias = str | int | float | bool
Key: TypeAlias = tuple[str, str, str]
"""Check, host and part: the stable identity of one part of a cell."""
Kind: TypeAlias = Literal["validation", "objective"]


class RecordError(ValueError):
    """A record that is not what it should be; the message names the field and what it holds."""


class Verdict(StrEnum):
    """What is known of a part, a cell or the gate. Nothing observed is unknown, never pass."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Planned:
    """One planned part of a cell, fixed before `-k`, markers and skips.

    `number` is the check's place in the brief, 1 to 8, and 0 for an objective. `file` (relative to the root)
    and `line` (from 1) point at the test. An unknown verdict makes the gate inconclusive only where
    `required`.
    """

    check: str
    host: str
    part: str
    kind: Kind
    number: int
    title: str
    required: bool
    file: str
    line: int

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type or out of range."""
        _check_types(
            self,
            {str: ("check", "host", "part", "title", "file"), bool: ("required",), int: ("number", "line")},
        )
        if self.kind not in ("validation", "objective"):
            raise RecordError(f"Planned.kind is {self.kind!r}, but should be 'validation' or 'objective'")
        if not 0 <= self.number <= 8:
            raise RecordError(f"Planned.number is {self.number}, but should be 1 to 8, or 0 for an objective")

    @property
    def key(self) -> Key:
        """Check, host and part."""
        return self.check, self.host, self.part

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return _plain(self)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        return cls(**_exactly(cls, data))


@dataclass(frozen=True, slots=True)
class Plan:
    """The ledger: every part that has to come out of this run, and where the plan comes from.

    `kind` is that of the environment (staged, laravel, live). Raises RecordError where a part is planned
    twice.
    """

    environment: str
    kind: str
    hosts: tuple[str, ...]
    parts: tuple[Planned, ...]
    provenance: Mapping[str, str]

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type or a part is planned twice."""
        _check_types(self, {str: ("environment", "kind"), tuple: ("hosts", "parts"), Mapping: ("provenance",)})
        seen: set[Key] = set()
        for part in self.parts:
            if part.key in seen:
                raise RecordError(f"part {part.key} is planned twice, but should be planned once")
            seen.add(part.key)

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return _plain(self) | {
            "hosts": list(self.hosts),
            "parts": [part.to_json() for part in self.parts],
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        values = _exactly(cls, data)
        for name in ("hosts", "parts"):
            if not isinstance(values[name], list):
                raise RecordError(f"Plan.{name} is {type(values[name]).__name__}, but should be a list")
        values["hosts"] = tuple(values["hosts"])
        values["parts"] = tuple(Planned.from_json(part) for part in values["parts"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one part, once.

    `reason` words what was observed and what it should be; `remedy` what to do. `figures` are the numbers
    behind it: a whole number is a count and is summed over a run's parts in the history, a float is a measure
    and is not. `seconds` is the duration, `started` seconds since the epoch (UTC), `attempt` counts from 1.
    """

    check: str
    host: str
    part: str
    verdict: Verdict
    reason: str
    remedy: str
    figures: Mapping[str, Scalar]
    seconds: float
    attempt: int
    nodeid: str
    started: float

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type or not finite."""
        _check_types(
            self,
            {
                Verdict: ("verdict",),
                str: ("check", "host", "part", "reason", "remedy", "nodeid"),
                Mapping: ("figures",),
                int: ("attempt",),
                float: ("seconds", "started"),
            },
        )
        for name, value in self.figures.items():
            if not isinstance(name, str) or not isinstance(value, str | int | float):
                raise RecordError(f"figure {name!r} is {type(value).__name__}, but should be a text or a number")
            if isinstance(value, float) and not math.isfinite(value):
                raise RecordError(f"figure {name!r} is {value}, but should be finite")

    @property
    def key(self) -> Key:
        """Check, host and part."""
        return self.check, self.host, self.part

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return _plain(self) | {"verdict": self.verdict.value, "figures": dict(self.figures)}

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        values = _exactly(cls, data)
        if values["verdict"] not in list(Verdict):
            raise RecordError(f"Outcome.verdict is {values['verdict']!r}, but should be one of {[*map(str, Verdict)]}")
        return cls(**values | {"verdict": Verdict(values["verdict"])})


OtherOutcome: TypeAlias = Literal["passed", "failed", "skipped", "error", "interrupted"]


@dataclass(frozen=True, slots=True)
class Other:
    """A test of the same run that belongs to no cell. `error` is one outside the test, as in collection."""

    nodeid: str
    outcome: OtherOutcome
    seconds: float
    message: str

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type."""
        _check_types(self, {str: ("nodeid", "message"), float: ("seconds",)})
        if self.outcome not in get_args(OtherOutcome):
            raise RecordError(f"Other.outcome is {self.outcome!r}, but should be one of {get_args(OtherOutcome)}")

    @property
    def failed(self) -> bool:
        """Whether it speaks against the run."""
        return self.outcome not in ("passed", "skipped")

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return _plain(self)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        return cls(**_exactly(cls, data))


def _plain(record: DataclassInstance) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _exactly(cls: type[DataclassInstance], data: object) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise RecordError(f"{cls.__name__} is {type(data).__name__}, but should be an object")
    expected = {field.name for field in fields(cls)}
    if data.keys() != expected:
        raise RecordError(
            f"{cls.__name__} lacks {sorted(expected - data.keys())} and has"
            f" {sorted(map(str, data.keys() - expected))} too many"
        )
    return dict(data)


def _check_types(record: DataclassInstance, expected: Mapping[type, tuple[str, ...]]) -> None:
    for kind, names in expected.items():
        for name in names:
            value = getattr(record, name)
            if kind is float:
                fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            else:
                fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
            if not fits:
                raise RecordError(
                    f"{type(record).__name__}.{name} is {type(value).__name__}, but should be {kind.__name__}"
                )
