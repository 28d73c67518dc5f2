"""How a judge says what it found: a code, its level of evidence, and the values that its message is filled with.

A `judge` is pure: evidence in, `Finding` out. The words stand in the catalogue (`validations.messages`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reports.records import Finding, Level, Scalar, Verdict
from validations.messages import message

DECLARED, RESOLVED, OBSERVED = Level.DECLARED, Level.RESOLVED, Level.OBSERVED


class Violation(AssertionError):  # noqa: N818 - the word of the design
    """A part that is not green, worded for people: the text of a failed test."""

    def __init__(self, finding: Finding, *, where: str) -> None:
        self.finding = finding
        via = f" via {finding.seen_by}" if finding.seen_by else ""
        lines = [f"{finding.reason} [{finding.code}; {where}{via}]"]
        if finding.remedy:
            lines.append(f"remedy: {finding.remedy}")
        # What others wrote may hold line ends; one finding is one line, and its remedy another.
        super().__init__("\n".join(" ".join(one.split()) for one in lines))


def passed(
    code: str, level: Level, /, *, seen_by: str = "", figures: Mapping[str, Scalar] | None = None, **values: object
) -> Finding:
    """Return green, by evidence of this level. `values` fill the message of the code."""
    return replace(_found(Verdict.PASS, code, values), level=level, seen_by=seen_by, figures=figures or {})


def failed(
    code: str,
    /,
    *,
    level: Level | None = OBSERVED,
    seen_by: str = "",
    figures: Mapping[str, Scalar] | None = None,
    **values: object,
) -> Finding:
    """Return red."""
    return replace(_found(Verdict.FAIL, code, values), level=level, seen_by=seen_by, figures=figures or {})


def unknown(code: str, /, *, level: Level | None = None, seen_by: str = "", **values: object) -> Finding:
    """Return neither: it was not observed, or not well enough."""
    return replace(_found(Verdict.UNKNOWN, code, values), level=level, seen_by=seen_by)


def not_applicable(code: str, /, **values: object) -> Finding:
    """Return that it does not apply: what it is about is known to be absent."""
    return _found(Verdict.NOT_APPLICABLE, code, values)


def _found(verdict: Verdict, code: str, values: Mapping[str, object]) -> Finding:
    words = message(code)
    if words.verdict is not verdict:
        raise ValueError(f"{code} is said to be {verdict}, and in the catalogue {words.verdict}")
    observed, expected, remedy = (text.format(**values) for text in (words.observed, words.expected, words.remedy))
    return Finding(verdict, code, observed, expected, remedy)


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """Return "1 view" or "2 views"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
