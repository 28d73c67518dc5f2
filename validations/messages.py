"""The catalogue of findings: what each code means, its verdict, and its words.

A gate module registers its own codes beside its judge, and what a driver finds of any check stands here, as `any.…`.
The words are templates for `str.format`: a judge gives a code and its values, and `contracts` fills them in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports.records import Verdict

OBSERVE = "remove what kept this from being observed; until then nothing is known of it"


@dataclass(frozen=True, slots=True)
class Message:
    """The words of a code: clauses of what was observed and of what it should be, and what to do about it."""

    verdict: Verdict
    observed: str
    expected: str = ""
    remedy: str = ""


def passes(observed: str) -> Message:
    """Return the words of a pass."""
    return Message(Verdict.PASS, observed)


def fails(observed: str, expected: str, remedy: str) -> Message:
    """Return the words of a failure: there is none without a remedy."""
    return Message(Verdict.FAIL, observed, expected, remedy)


def is_unknown(observed: str, remedy: str = OBSERVE) -> Message:
    """Return the words of what is not known, and what would make it known."""
    return Message(Verdict.UNKNOWN, observed, remedy=remedy)


def does_not_apply(observed: str) -> Message:
    """Return the words of what is known not to be there."""
    return Message(Verdict.NOT_APPLICABLE, observed)


CATALOGUE: dict[str, Message] = {}
"""By code, the messages of every module that has been imported; `any.SLUG` stands for CHECK.SLUG of every check."""


def says(messages: Mapping[str, Message]) -> None:
    """Put a module's messages into the catalogue. Raises ValueError for a code that is there already."""
    if twice := CATALOGUE.keys() & messages.keys():
        raise ValueError(f"these codes have two messages: {', '.join(sorted(twice))}")
    CATALOGUE.update(messages)


def message(code: str) -> Message:
    """Return the words of a code. Raises KeyError for one that is not in the catalogue."""
    return CATALOGUE.get(code) or CATALOGUE[f"any.{code.partition('.')[2]}"]


says(
    {
        "any.not-observed": is_unknown("not observed: {reason}"),
        "any.broke": is_unknown(
            "the check itself broke: {error}",
            "this is an error of viewgate: report it, with traceback.txt among the run's attachments",
        ),
        "any.judged-nothing": is_unknown(
            "the check itself broke: it judged nothing", "this is an error of viewgate: report it"
        ),
        "any.evidence-too-weak": is_unknown("only {seen}, which is not enough to pass: {observed}", "{raises}"),
        "any.follows": is_unknown("not known because {cause}", "{remedy}"),
        "any.sporadic": fails(
            "{again}",
            "good from some look on",
            "waiting mends nothing that comes and goes: find out what fails now and then, and why",
        ),
        "any.unconfirmed": is_unknown("good at look {look}, and there was no further one to confirm it: {observed}"),
        "any.stage-lacks": does_not_apply("{lacks}"),
        "any.stage-required": fails("--require {stage}, but {lacks}", "installed", "install them by that line"),
    }
)
