"""What a check's judgement is, and the one place that words it.

A `judge` is pure: evidence in, `Judgement` out. A judgement that is not green reads: what was observed, what it
should be, which check on which host, how it was looked at, and the remedy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reports.records import Scalar, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """One part's verdict. `observed` and `expected` are clauses; `seen_by` says how it was looked at.

    `samples` are measurements one by one (the seconds of each request), and `attachments` files by name (screenshots):
    both go to the reports as evidence. `cause` words the one root cause that it is unknown because of, alike for all
    parts that share it. `sporadic` is what was bad after it had been good within one look.
    """

    verdict: Verdict
    observed: str
    expected: str = ""
    remedy: str = ""
    seen_by: str = ""
    figures: Mapping[str, Scalar] = field(default_factory=dict)
    samples: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    attachments: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    cause: str = ""
    sporadic: bool = False

    @property
    def reason(self) -> str:
        """Observed, and what it should be."""
        return f"{self.observed}, but should be {self.expected}" if self.expected else self.observed


class Violation(AssertionError):  # noqa: N818 - the word of the design
    """A part that is not green, worded for people: the text of a failed test."""

    def __init__(self, judgement: Judgement, *, where: str) -> None:
        self.judgement = judgement
        via = f" via {judgement.seen_by}" if judgement.seen_by else ""
        lines = [f"{judgement.reason} [{where}{via}]"]
        if judgement.remedy:
            lines.append(f"remedy: {judgement.remedy}")
        # What others wrote may hold line ends; one finding is one line, and its remedy another.
        super().__init__("\n".join(" ".join(one.split()) for one in lines))


def passed(observed: str, *, seen_by: str = "", **figures: Scalar) -> Judgement:
    """Return green: what was observed, and the figures behind it."""
    return Judgement(Verdict.PASS, observed, seen_by=seen_by, figures=figures)


def failed(observed: str, expected: str, *, remedy: str = "", seen_by: str = "", **figures: Scalar) -> Judgement:
    """Return red. Without a remedy of its own the check's applies."""
    return Judgement(Verdict.FAIL, observed, expected, remedy, seen_by, figures)


def unknown(reason: str, *, remedy: str = "", seen_by: str = "") -> Judgement:
    """Return neither: it was not observed, for this reason."""
    return Judgement(Verdict.UNKNOWN, reason, remedy=remedy, seen_by=seen_by)


def not_applicable(reason: str) -> Judgement:
    """Return that it does not apply: what it is about is known to be absent, for this reason."""
    return Judgement(Verdict.NOT_APPLICABLE, reason)


def listed(names: tuple[str, ...] | list[str], most: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(number: int, noun: str) -> str:
    """Return "1 view" or "2 views"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
