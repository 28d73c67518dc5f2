"""What was planned and what came out of it: the records every report is derived from.

Plain values that travel as JSON: `to_json` and `from_json` are exact inverses. Reading is strict: a record with a key
too few or too many, or a value of another type, was written by another version or by something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

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

T = TypeVar("T")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class RecordError(ValueError):
    """A record that cannot be read; the message names the field and what is wrong with it."""


class _Json:
    """Reads and writes a record as plain JSON values."""

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain JSON values."""
        kind: Any = type(self)
        plain: dict[str, Any] = _adapter(kind).dump_python(self, mode="json")
        return plain

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read what `to_json` wrote. Raises RecordError for unknown or missing keys and wrong types."""
        kind: Any = cls
        try:
            # A lone surrogate has no UTF-8: it is kept as the escape that reports show anyway.
            text = _LONE_SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", json.dumps(data, ensure_ascii=False))
            read: Self = _adapter(kind).validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join([cls.__name__, *map(str, first["loc"])])
            raise RecordError(f"{where}: {first['msg']}") from None
        except (TypeError, ValueError) as error:
            raise RecordError(f"{cls.__name__} is no JSON: {error}") from None
        return read


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(field, Field))
def record(cls: type[T]) -> type[T]:
    """Make a class a frozen record that checks its fields when it is made. Raises pydantic's ValidationError."""
    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    made: Any = validated(frozen=True, slots=True, config=strict)(cls)
    return cast("type[T]", made)


class Verdict(StrEnum):
    """What a check found, or the gate as a whole. Nothing observed is unknown, never pass."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


class Level(StrEnum):
    """How close to what serves a fact was seen (DESIGN's levels of evidence), from far to near.

    declared: a configuration, a script's text, a command's own word. resolved: asked of the booted application's own
    object. observed: seen in what runs, or in an effect.
    """

    DECLARED = "declared"
    RESOLVED = "resolved"
    OBSERVED = "observed"

    @property
    def rank(self) -> int:
        """0 for declared, 1 for resolved, 2 for observed."""
        return list(Level).index(self)


Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9]+(-[a-z0-9]+)*$")]
"""The stable name of a finding: its check, a dot, and a short slug, as `coverage.content-differs`."""


@record
class Finding(_Json):
    """What a judge found of one part.

    `observed` and `expected` are clauses, `seen_by` says how it was looked at, `remedy` what to do. `level` is that of
    the evidence, None where there was none. `figures` are the numbers behind it: a whole number is a count and is
    summed over a run's parts in the history, a float is a measure and is not; one named `release` names what is
    deployed. `samples` are measurements one by one, as the seconds of each request. `pictures` are files by name,
    which go to the run's folder and not into JSON.

    `cause` words the one root cause that this part is unknown because of, the same words for all parts that share
    it; "" where there is none. `sporadic`: bad after it had been good, within one look.
    """

    verdict: Verdict
    code: Code
    observed: str
    expected: str = ""
    remedy: str = ""
    seen_by: str = ""
    level: Level | None = None
    figures: Mapping[str, Scalar] = field(default_factory=dict)
    samples: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    pictures: Mapping[str, bytes] = Field(default_factory=dict, repr=False, exclude=True)
    cause: str = ""
    sporadic: bool = False

    @property
    def reason(self) -> str:
        """What was observed, and what it should be."""
        return f"{self.observed}, but should be {self.expected}" if self.expected else self.observed

    @property
    def green(self) -> bool:
        """Whether it passes or does not apply."""
        return self.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)


@record
class Planned(_Json):
    """One planned part of a cell, fixed before `-k`, markers and skips.

    `number` is the check's place in the brief, 1 to 8, and 0 for an objective. `file` (relative to the root)
    and `line` (from 1) point at the test. An unknown verdict makes the gate inconclusive only where `required`.
    `least` is the level of evidence that a pass needs.
    """

    check: str
    host: str
    part: str
    kind: Kind
    number: Annotated[int, Field(ge=0, le=8)]
    title: str
    required: bool
    file: str
    line: int
    least: Level = Level.DECLARED

    @property
    def key(self) -> Key:
        """Check, host and part."""
        return self.check, self.host, self.part


@record
class Waiver(_Json):
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

    @property
    def name(self) -> str:
        """What is waived, for people."""
        return f"{self.check}{f'/{self.part}' if self.part else ''} on {self.host}"

    def covers(self, planned: Planned) -> bool:
        """Tell whether it speaks of this part."""
        return (self.check, self.host) == (planned.check, planned.host) and self.part in ("", planned.part)


@record
class Plan(_Json):
    """The ledger: every part that has to come out of this run, and where the plan comes from.

    Raises ValidationError where a part is planned twice.
    """

    environment: str
    kind: EnvironmentKind
    hosts: tuple[str, ...]
    parts: tuple[Planned, ...]
    provenance: Mapping[str, str]
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a part that is planned twice."""
        seen: set[Key] = set()
        for part in self.parts:
            if part.key in seen:
                raise ValueError(f"part {part.key} is planned twice, but should be planned once")
            seen.add(part.key)


@record
class Outcome(_Json):
    """One finding that came out of a run: of which part, by which test, when.

    `attachments` are files in the run's folder, as relative paths. `seconds` is the duration, `started` seconds since
    the epoch (UTC). `superseded` is an attempt that another one followed (`--wait`): it is shown, and does not decide.
    """

    check: str
    host: str
    part: str
    finding: Finding
    seconds: float
    started: float
    nodeid: str = ""
    attachments: tuple[
        Annotated[str, StringConstraints(pattern=r"^attachments/[A-Za-z0-9_-][A-Za-z0-9._-]*$")], ...
    ] = ()
    superseded: bool = False

    @property
    def key(self) -> Key:
        """Check, host and part."""
        return self.check, self.host, self.part

    @property
    def verdict(self) -> Verdict:
        """The finding's verdict."""
        return self.finding.verdict


OtherOutcome: TypeAlias = Literal["passed", "failed", "skipped", "error", "interrupted", "repeated"]


@record
class Other(_Json):
    """A test of the same run that belongs to no cell.

    `error` is one outside the test, as in collection; `repeated` an attempt that did not pass and that another
    plugin repeats. `started` is in seconds since the epoch, 0 where it is not known.
    """

    nodeid: str
    outcome: OtherOutcome
    seconds: float
    message: str
    started: float

    @property
    def failed(self) -> bool:
        """Whether it speaks against the run; of a repeated test the last attempt does."""
        return self.outcome not in ("passed", "skipped", "repeated")
