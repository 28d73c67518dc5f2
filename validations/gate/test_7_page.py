"""Validation 7: the enhanced call view is accessible.

A 200 is no evidence: up to Laravel 12.51 a blank 200 is 62 to 99 % of the failures of a compile race. So each of many
answers must be whole (the sentinel at its end, the end of the document, a length) and show none of the texts by which
a broken view gives itself away; and the judgement says what so many answers prove, and no more.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from fixtures.environments.base import Host
from fixtures.environments.settings import FurtherPage, Page
from fixtures.observation.facts import Unobserved
from fixtures.observation.pages import Answer, PageObservation
from reports.records import Scalar
from validations.cells import Cell, validates
from validations.contracts import Judgement, failed, not_applicable, passed, unknown
from validations.registry import PAGE
from validations.versions import CONFIDENCE, Race, race_of

MOST_SAMPLES = 1_000
"""Times of single requests that go to the reports: enough for every percentile that one can tell of so many."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was expected of the page, its answers, the release that lies on the host, and its version's race.

    `marked` tells whether every answer has to say which release gave it.
    """

    expected: Page
    page: PageObservation
    release: str | Unobserved
    marked: bool = True
    race: Race | None = None
    # Further pages, each with its answer or why there is none.
    further: tuple[tuple[FurtherPage, Answer | Unobserved], ...] = ()


pytest_generate_tests = validates(PAGE)


def test_page(cell: Cell) -> None:
    """The enhanced call view answers every request with a complete page, to those who may see it."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Request the page, many times and once as a guest; ask the host which release it has."""
    release: str | Unobserved
    race = None
    try:
        application = host.facts().seen("application")
        release, race = application.release, race_of(application.framework_version)
    except Unobserved as reason:
        release = reason
    environment = host.environment
    further = tuple((page, _asked(host, page)) for page in environment.pages)
    return Evidence(environment.page, host.page(), release, "release" in environment.marked, race, further)


def _asked(host: Host, page: FurtherPage) -> Answer | Unobserved:
    try:
        return host.further_page(page)
    except Unobserved as reason:
        return reason


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: guest, complete, release, or page-NAME for a further page."""
    if part.startswith("page-"):
        return next(_further(page, answer) for page, answer in evidence.further if f"page-{page.name}" == part)
    judgement = {"guest": _guest, "complete": _complete, "release": _release}[part](evidence)
    return replace(judgement, samples={"seconds": _times(evidence)}) if part == "complete" else judgement


def _times(evidence: Evidence) -> tuple[float, ...]:
    """Return how long the answers took, in seconds, the fastest first; of very many every so-manieth."""
    taken = sorted(answer.seconds for answer in evidence.page.answers if not answer.error)
    return tuple(round(seconds, 6) for seconds in taken[:: max(1, -(-len(taken) // MOST_SAMPLES))])


def defect(answer: Answer, expected: Page) -> str:  # noqa: PLR0911 - one a defect
    """Return what is wrong with an answer, or nothing. The same fault is worded the same, so that it can be counted."""
    if answer.error:
        return answer.error
    if answer.status != expected.status:
        to = f" to {_path(answer.location)}" if answer.location else ""
        return f"status {answer.status}{to}"
    if answer.bytes == 0:
        return f"a blank {answer.status}"
    if answer.signatures:
        return f"a {answer.status} that shows {answer.signatures[0]!r}"
    if not answer.document_end:
        return f"a {answer.status} cut off before the end of the document"
    if not answer.sentinel and answer.login:
        return f"a {answer.status} that is a login page"
    if not answer.sentinel:
        return f"a {answer.status} without the sentinel {expected.sentinel!r}: another page"
    if answer.bytes < expected.least_bytes:
        return f"a {answer.status} of less than {expected.least_bytes:,} bytes"
    return ""


def _path(location: str) -> str:
    try:
        return urlsplit(location).path
    except ValueError:
        return location[:80]


def proves(requests: int) -> str:
    """Say what so many requests without a failure prove of the rate of failures, after Clopper and Pearson."""
    # Rounded up: what is claimed must not be more than what was shown.
    least = math.ceil(upper_bound(requests) * 1000) / 10
    return f"0 of {requests}: below {least} % with {CONFIDENCE * 100:.0f} % confidence"


def upper_bound(requests: int) -> float:
    """Return the rate of failures that none in so many requests excludes, with the confidence."""
    return 1.0 - math.pow(1 - CONFIDENCE, 1 / requests)


def _complete(evidence: Evidence) -> Judgement:
    answers, expected = evidence.page.answers, evidence.expected
    if not answers:
        return unknown("no request was made")
    defects = Counter(found for answer in answers if (found := defect(answer, expected)))
    bad, seen_by = sum(defects.values()), f"GET {evidence.page.url}"
    if bad:
        kinds = ", ".join(f"{count} times {kind}" for kind, count in defects.most_common(3))
        judgement = failed(
            f"{bad} of {len(answers)} answers were not the complete page: {kinds}",
            f"{expected.status} and complete every time",
            seen_by=seen_by,
            requests=len(answers),
            complete=len(answers) - bad,
        )
        return replace(judgement, sporadic=_sporadic(answers, expected))
    slowest = max(answer.seconds for answer in answers)
    size = min(answer.bytes for answer in answers)
    return passed(
        f"{proves(len(answers))}; at least {size:,} bytes each{_race_told(evidence.race, len(answers))}",
        seen_by=seen_by,
        **_race_figures(evidence.race),
        requests=len(answers),
        complete=len(answers),
        slowest_seconds=slowest,
        least_bytes=float(size),
    )


def _sporadic(answers: tuple[Answer, ...], expected: Page) -> bool:
    """Tell whether an answer was bad that was asked for after a good one had come."""
    good = [answer.asked + answer.seconds for answer in answers if not defect(answer, expected)]
    return bool(good) and any(answer.asked > min(good) and defect(answer, expected) for answer in answers)


def _race_told(race: Race | None, requests: int) -> str:
    """Say what so many answers can show of the race that the installed version has."""
    if race is None:
        return ""
    few = f"; {requests:,} requests are too few for that, which takes {race.requests:,} while something clears"
    return f". {race.told}{few if requests < race.requests else ''}"


def _race_figures(race: Race | None) -> dict[str, Scalar]:
    if race is None:
        return {}
    return {"race": race.name, "race_signatures": "; ".join(race.signatures), "race_requests": race.requests}


def _further(page: FurtherPage, answer: Answer | Unobserved) -> Judgement:
    seen_by = f"GET {page.path} as a {page.visitor}"
    if isinstance(answer, Unobserved):
        return unknown(f"the page was not asked for: {answer}", seen_by=seen_by)
    where = _path(answer.location)
    wanted = f"{page.status}{f' to {page.location}' if page.location else ''}"
    if answer.error or answer.status != page.status or where != page.location:
        return failed(answer.error or f"{answer.status}{f' to {where}' if where else ''}", wanted, seen_by=seen_by)
    if answer.signatures:
        return failed(f"a {answer.status} that shows {answer.signatures[0]!r}", "the page", seen_by=seen_by)
    if page.sentinel is not None and not (answer.sentinel and answer.document_end):
        got = (
            "a login page" if answer.login else "a blank page" if answer.bytes == 0 else "another page, or part of one"
        )
        return failed(f"a {answer.status} that is {got}", f"a whole page with {page.sentinel!r}", seen_by=seen_by)
    if page.sentinel is None and 200 <= answer.status < 300:
        return failed(
            f"a {answer.status} of {answer.bytes} bytes, which is no evidence by itself",
            "known by a sentinel",
            remedy=f"give the page {page.name!r} a sentinel: a text near its end that only it has",
            seen_by=seen_by,
        )
    return passed(f"{page.path} answers a {page.visitor} with {wanted}", seen_by=seen_by)


def _guest(evidence: Evidence) -> Judgement:
    expected, guest = evidence.expected, evidence.page.guest
    seen_by = f"GET {evidence.page.url} without credentials"
    if expected.guest_status is None:
        return _open_to_all(evidence)
    if guest is None or guest.error:
        return unknown(
            f"the page was not asked for as a guest: {guest.error if guest else 'no headers to leave out'}",
            seen_by=seen_by,
        )
    where = _path(guest.location)
    if guest.status != expected.guest_status or where != expected.guest_location:
        got = f"{guest.status}{f' to {where}' if where else ''}"
        wanted = f"{expected.guest_status}{f' to {expected.guest_location}' if expected.guest_location else ''}"
        return failed(
            f"a guest gets {got}",
            wanted,
            remedy="the page shows a caller's data: require a login for it",
            seen_by=seen_by,
        )
    if guest.sentinel:
        return failed(
            "a guest's answer holds the page",
            "nothing of it",
            remedy="require a login for it",
            seen_by=seen_by,
        )
    return passed(f"a guest gets {guest.status}{f' to {where}' if where else ''}", seen_by=seen_by)


def _open_to_all(evidence: Evidence) -> Judgement:
    """Judge a page that the environment says needs no login: who brings no credentials gets it, too."""
    page = evidence.page
    asked = page.answers if page.guest is None else (page.guest,)
    if not any(answer.status for answer in asked):
        return unknown("nobody without credentials was answered")
    defects = [found for answer in asked if (found := defect(answer, evidence.expected))]
    if defects:
        return failed(
            f"a guest gets {defects[0]}",
            "the page, since page.guest_status is not set",
            remedy="set page.guest_status and page.guest_location to what a visitor without credentials should get",
            seen_by=f"GET {page.url} without credentials",
        )
    return passed("the page is open to all in this environment")


def _release(evidence: Evidence) -> Judgement:
    seen_by = "the X-Release header of the running workers"
    served = Counter(answer.release for answer in evidence.page.answers if not answer.error)
    if not served:
        return unknown("no worker answered", seen_by=seen_by)
    if not evidence.marked and set(served) == {""}:
        return not_applicable(f"none of {served.total()} answers carries X-Release, and none has to here")
    if isinstance(evidence.release, Unobserved) or not evidence.release:
        return unknown(
            f"which release lies on the host is not known: {evidence.release or 'it has no name'}", seen_by=seen_by
        )
    other = {release: count for release, count in served.items() if release != evidence.release}
    if other:
        which = ", ".join(f"{count} answers from {release or 'no release at all'}" for release, count in other.items())
        return failed(
            which,
            f"all from {evidence.release}, the release that is published",
            remedy="reload the workers: they still serve the release before",
            seen_by=seen_by,
        )
    return passed(f"all answers come from {evidence.release}", seen_by=seen_by, release=evidence.release)
