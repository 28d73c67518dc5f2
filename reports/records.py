"""What was planned and what came out of it: the records every report is derived from.

Plain values that travel as JSON: `to_json` and `from_json` are exact inverses, and `from_json` is strict,
since a record with a key too few or too many was written by another version or by nobody.
"""

from __future__ import annotations

import math
import re
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
EnvironmentKind: TypeAlias = Literal["staged", "gateway", "laravel"]
"""A stage that the suite starts itself (of either kind), or an application of that kind which already runs."""

FILES = ("junit.xml", "junit-strict.xml", "report.json", "metrics.prom", "summary.md", "report.css", "report.html")
"""The files that are derived from a run's events, in the order in which they are replaced."""
EVENTS = "events.jsonl"
"""The file of a run's events."""


def worded(observed: str, expected: str) -> str:
    """Word what was observed, and what it should be where that is known."""
    return f"{observed}, but should be {expected}" if expected else observed


class RecordError(ValueError):
    """A record that is not what it should be; the message names the field and what it holds."""


class Verdict(StrEnum):
    """What is known of a part, a cell or the gate. Nothing observed is unknown, never pass."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    WAIVED = "waived"
    """Of parts, cells and reports alone: not green, and somebody answers for that until a date."""


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
class Waiver:
    """A known defect that somebody answers for: what is not green of this check on this host, until a date.

    `part` is one part of the check, or "" for any. `expires` is the last day that counts, as YYYY-MM-DD, and
    `expired` whether it had passed when the run began.
    """

    check: str
    host: str
    part: str
    reason: str
    link: str
    expires: str
    expired: bool

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type."""
        _check_types(self, {str: ("check", "host", "part", "reason", "link", "expires"), bool: ("expired",)})

    @property
    def name(self) -> str:
        """What is waived, for people."""
        return f"{self.check}{f'/{self.part}' if self.part else ''} on {self.host}"

    def covers(self, planned: Planned) -> bool:
        """Tell whether it speaks of this part."""
        return (self.check, self.host) == (planned.check, planned.host) and self.part in ("", planned.part)

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

    Raises RecordError where a part is planned twice.
    """

    environment: str
    kind: EnvironmentKind
    hosts: tuple[str, ...]
    parts: tuple[Planned, ...]
    provenance: Mapping[str, str]
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type or value, or a part is planned twice."""
        _check_types(
            self, {str: ("environment", "kind"), tuple: ("hosts", "parts", "waivers"), Mapping: ("provenance",)}
        )
        if self.kind not in get_args(EnvironmentKind):
            raise RecordError(f"Plan.kind is {self.kind!r}, but should be one of {get_args(EnvironmentKind)}")
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
            "waivers": [waiver.to_json() for waiver in self.waivers],
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        values = _exactly(cls, data)
        for name in ("hosts", "parts", "waivers"):
            if not isinstance(values[name], list):
                raise RecordError(f"Plan.{name} is {type(values[name]).__name__}, but should be a list")
        values["hosts"] = tuple(values["hosts"])
        values["parts"] = tuple(Planned.from_json(part) for part in values["parts"])
        values["waivers"] = tuple(Waiver.from_json(waiver) for waiver in values["waivers"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one part, once.

    `observed` and `expected` are clauses, `seen_by` says how it was looked at, `remedy` what to do. `figures` are
    the numbers behind it: a whole number is a count and is summed over a run's parts in the history, a float is a
    measure and is not; one named `release` names what is deployed. `samples` are measurements one by one, as the
    seconds of each request. `attachments` are files in the run's folder, as relative paths. `seconds` is the
    duration, `started` seconds since the epoch (UTC), `attempt` counts from 1.

    `cause` words the one root cause that this part is unknown because of, the same words for all parts that share
    it; "" where there is none. `superseded` is an attempt that another one followed (`--wait`): it is told, and does
    not decide.
    """

    check: str
    host: str
    part: str
    verdict: Verdict
    observed: str
    expected: str
    seen_by: str
    remedy: str
    figures: Mapping[str, Scalar]
    samples: Mapping[str, tuple[float, ...]]
    attachments: tuple[str, ...]
    seconds: float
    attempt: int
    nodeid: str
    started: float
    cause: str = ""
    superseded: bool = False

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type or not finite, or where a test waives itself."""
        _check_types(
            self,
            {
                Verdict: ("verdict",),
                str: ("check", "host", "part", "observed", "expected", "seen_by", "remedy", "nodeid", "cause"),
                bool: ("superseded",),
                Mapping: ("figures", "samples"),
                tuple: ("attachments",),
                int: ("attempt",),
                float: ("seconds", "started"),
            },
        )
        if self.verdict is Verdict.WAIVED:
            raise RecordError("Outcome.verdict is 'waived', but a test says what it saw: a waiver is for the plan")
        for name, value in self.figures.items():
            if not isinstance(name, str) or not isinstance(value, str | int | float):
                raise RecordError(f"figure {name!r} is {type(value).__name__}, but should be a text or a number")
            if isinstance(value, float) and not math.isfinite(value):
                raise RecordError(f"figure {name!r} is {value}, but should be finite")
        for name, values in self.samples.items():
            if not isinstance(values, tuple) or not all(map(_is_number, values)):
                raise RecordError(f"samples {name!r} should be a list of finite numbers")
        for path in self.attachments:
            if not isinstance(path, str) or not _ATTACHMENT.fullmatch(path):
                raise RecordError(f"attachment {path!r} should be a file below attachments/, in plain characters")

    @property
    def key(self) -> Key:
        """Check, host and part."""
        return self.check, self.host, self.part

    @property
    def reason(self) -> str:
        """What was observed, and what it should be."""
        return worded(self.observed, self.expected)

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return _plain(self) | {
            "verdict": self.verdict.value,
            "figures": dict(self.figures),
            "samples": {name: list(values) for name, values in self.samples.items()},
            "attachments": list(self.attachments),
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        values = _exactly(cls, data)
        if values["verdict"] not in list(Verdict):
            raise RecordError(f"Outcome.verdict is {values['verdict']!r}, but should be one of {[*map(str, Verdict)]}")
        if not isinstance(values["samples"], Mapping):
            raise RecordError(f"Outcome.samples is {type(values['samples']).__name__}, but should be an object")
        if not isinstance(values["attachments"], list):
            raise RecordError(f"Outcome.attachments is {type(values['attachments']).__name__}, but should be a list")
        samples = {name: tuple(told) if isinstance(told, list) else told for name, told in values["samples"].items()}
        read = {"verdict": Verdict(values["verdict"]), "samples": samples, "attachments": tuple(values["attachments"])}
        return cls(**values | read)


OtherOutcome: TypeAlias = Literal["passed", "failed", "skipped", "error", "interrupted", "repeated"]


@dataclass(frozen=True, slots=True)
class Other:
    """A test of the same run that belongs to no cell.

    `error` is one outside the test, as in collection; `repeated` an attempt that did not pass and that another
    plugin repeats. `started` is in seconds since the epoch, 0 where it is not known.
    """

    nodeid: str
    outcome: OtherOutcome
    seconds: float
    message: str
    started: float

    def __post_init__(self) -> None:
        """Raise RecordError where a field is of the wrong type."""
        _check_types(self, {str: ("nodeid", "message"), float: ("seconds", "started")})
        if self.outcome not in get_args(OtherOutcome):
            raise RecordError(f"Other.outcome is {self.outcome!r}, but should be one of {get_args(OtherOutcome)}")

    @property
    def failed(self) -> bool:
        """Whether it speaks against the run; of a repeated test the last attempt does."""
        return self.outcome not in ("passed", "skipped", "repeated")

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        return _plain(self)

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        return cls(**_exactly(cls, data))


_ATTACHMENT = re.compile(r"attachments/[A-Za-z0-9_-][A-Za-z0-9._-]*")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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
                fits = _is_number(value)
            else:
                fits = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
            if not fits:
                raise RecordError(
                    f"{type(record).__name__}.{name} is {type(value).__name__}, but should be {kind.__name__}"
                )
