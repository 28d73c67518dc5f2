"""Validation 7: the enhanced call view is accessible.

A 200 is no evidence: up to Laravel 12.51 a blank 200 is 62 to 99 % of the failures of a compile race. So each of many
answers must be whole (the sentinel at its end, the end of the document, a length) and show none of the texts by which
a broken view gives itself away; and the finding says what so many answers prove, and no more.
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
from reports.records import Finding, Scalar
from validations.cells import Cell, validates
from validations.contracts import OBSERVED, failed, not_applicable, passed, unknown
from validations.messages import does_not_apply, fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import PAGE
from validations.versions import CONFIDENCE, Race, race_of

_BAD = ("{bad} of {answers} answers were not the complete page: {kinds}", "{status} and complete every time")
_LOG = "read the latest entries of {log}"

says(
    {
        "page.not-asked": is_unknown("no request was made"),
        "page.no-answer": fails(*_BAD, "start the web server or its workers, or correct url, and see what ends them"),
        "page.other-status": fails(*_BAD, f"{_LOG}, then {{console}} view:health-check --fix; or correct page.path"),
        "page.blank": fails(*_BAD, f"{_LOG}, then {{console}} view:health-check --fix"),
        "page.shows-an-error": fails(*_BAD, f"{_LOG}, then {{console}} view:health-check --fix"),
        "page.cut-off": fails(*_BAD, f"{_LOG}, then {{console}} view:health-check --fix"),
        "page.login": fails(
            *_BAD,
            "correct the environment's authentication: whoever it names is not logged in, or may not see the page",
        ),
        "page.other-page": fails(
            *_BAD,
            "set page.sentinel to a text near the end of that page that only it has, or page.path to the page that is"
            " meant",
        ),
        "page.short": fails(*_BAD, "see what the page lacks; where it is whole, lower page.least_bytes"),
        "page.complete": passes("{proof}; at least {size:,} bytes each{race}"),
        "page.further-not-asked": is_unknown("the page was not asked for: {reason}"),
        "page.further-other-answer": fails(
            "{got}", "{wanted}", f"{_LOG}; or correct status and location of the page {{name}} in environments.toml"
        ),
        "page.further-shows-an-error": fails(
            "a {status} that shows {signature}", "the page", f"{_LOG}, then {{console}} view:health-check --fix"
        ),
        "page.further-incomplete": fails(
            "a {status} that is {got}",
            "a whole page with {sentinel}",
            f"{_LOG}; or give the page {{name}} a sentinel that it has, a text near its end",
        ),
        "page.further-no-evidence": fails(
            "a {status} of {bytes} bytes, which is no evidence by itself",
            "known by a sentinel",
            "give the page {name} a sentinel: a text near its end that only it has",
        ),
        "page.further-complete": passes("{path} answers a {visitor} with {wanted}"),
        "page.guest-not-asked": is_unknown("the page was not asked for as a guest: {reason}"),
        "page.guest-other-answer": fails(
            "a guest gets {got}", "{wanted}", "the page shows a caller's data: require a login for it"
        ),
        "page.guest-sees-it": fails("a guest's answer holds the page", "nothing of it", "require a login for it"),
        "page.guest-kept-out": passes("a guest gets {got}"),
        "page.nobody-answered": is_unknown("nobody without credentials was answered"),
        "page.guest-lacks-it": fails(
            "a guest gets {got}",
            "the page, since page.guest_status is not set",
            "set page.guest_status and page.guest_location to what a visitor without credentials should get",
        ),
        "page.open-to-all": passes("the page is open to all in this environment"),
        "page.no-worker-answered": is_unknown("no worker answered"),
        "page.unmarked-by-agreement": does_not_apply(
            "none of {answers} answers carries X-Release, and none has to here"
        ),
        "page.release-not-known": is_unknown("which release lies on the host is not known: {reason}"),
        "page.other-release": fails(
            "{which}",
            "all from {release}, the release that is published",
            "reload the workers: they still serve the release before",
        ),
        "page.same-release": passes("all answers come from {release}"),
    }
)

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
    places: Places = GATEWAY


pytest_generate_tests = validates(PAGE)


def test_page(cell: Cell) -> None:
    """The enhanced call view answers every request with a complete page, to those who may see it."""
    cell.judge()


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
    marked = "release" in environment.marked
    return Evidence(environment.page, host.page(), release, marked, race, further, places_of(host))


def _asked(host: Host, page: FurtherPage) -> Answer | Unobserved:
    try:
        return host.further_page(page)
    except Unobserved as reason:
        return reason


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: guest, complete, release, or page-NAME for a further page."""
    if part.startswith("page-"):
        page, answer = next((page, answer) for page, answer in evidence.further if f"page-{page.name}" == part)
        return _further(page, answer, evidence.places)
    finding = {"guest": _guest, "complete": _complete, "release": _release}[part](evidence)
    return replace(finding, samples={"seconds": _times(evidence)}) if part == "complete" else finding


def _times(evidence: Evidence) -> tuple[float, ...]:
    """Return how long the answers took, in seconds, the fastest first; of very many every so-manieth."""
    taken = sorted(answer.seconds for answer in evidence.page.answers if not answer.error)
    return tuple(round(seconds, 6) for seconds in taken[:: max(1, -(-len(taken) // MOST_SAMPLES))])


def defect(answer: Answer, expected: Page) -> tuple[str, str] | None:
    """Return the code of what is wrong with an answer, and its words, or None for the complete page.

    The same fault has the same words, so that it can be counted.
    """
    if answer.error:
        return "page.no-answer", answer.error
    if answer.status != expected.status:
        to = f" to {_path(answer.location)}" if answer.location else ""
        return "page.other-status", f"status {answer.status}{to}"
    if answer.bytes == 0:
        return "page.blank", f"a blank {answer.status}"
    if answer.signatures:
        return "page.shows-an-error", f"a {answer.status} that shows {answer.signatures[0]!r}"
    if not answer.document_end:
        return "page.cut-off", f"a {answer.status} cut off before the end of the document"
    if not answer.sentinel and answer.login:
        return "page.login", f"a {answer.status} that is a login page"
    if not answer.sentinel:
        return "page.other-page", f"a {answer.status} without the sentinel {expected.sentinel!r}: another page"
    if answer.bytes < expected.least_bytes:
        return "page.short", f"a {answer.status} of less than {expected.least_bytes:,} bytes"
    return None


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


def _complete(evidence: Evidence) -> Finding:
    answers, expected = evidence.page.answers, evidence.expected
    if not answers:
        return unknown("page.not-asked")
    defects = Counter(found for answer in answers if (found := defect(answer, expected)))
    bad, seen_by = sum(defects.values()), f"GET {evidence.page.url}"
    figures: dict[str, Scalar] = {"requests": len(answers), "complete": len(answers) - bad}
    if bad:
        # Named after the most frequent; all of them are told.
        (((code, _), _), *_) = common = defects.most_common(3)
        finding = failed(
            code,
            seen_by=seen_by,
            figures=figures,
            bad=bad,
            answers=len(answers),
            kinds=", ".join(f"{count} times {kind}" for (_, kind), count in common),
            status=expected.status,
            log=evidence.places.log,
            console=evidence.places.console,
        )
        return replace(finding, sporadic=_sporadic(answers, expected))
    size, race = min(answer.bytes for answer in answers), evidence.race
    figures |= {"slowest_seconds": max(answer.seconds for answer in answers), "least_bytes": float(size)}
    return passed(
        "page.complete",
        OBSERVED,
        seen_by=seen_by,
        figures=figures | _race_figures(race),
        proof=proves(len(answers)),
        size=size,
        race=_race_told(race, len(answers)),
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


def _further(page: FurtherPage, answer: Answer | Unobserved, places: Places) -> Finding:
    seen_by, name = f"GET {page.path} as a {page.visitor}", repr(page.name)
    if isinstance(answer, Unobserved):
        return unknown("page.further-not-asked", seen_by=seen_by, reason=answer)
    where, log, status = _path(answer.location), places.log, answer.status
    wanted = f"{page.status}{f' to {page.location}' if page.location else ''}"
    if answer.error or status != page.status or where != page.location:
        got = answer.error or f"{status}{f' to {where}' if where else ''}"
        return failed("page.further-other-answer", seen_by=seen_by, got=got, wanted=wanted, name=name, log=log)
    if answer.signatures:
        code, signature = "page.further-shows-an-error", repr(answer.signatures[0])
        return failed(code, seen_by=seen_by, status=status, signature=signature, log=log, console=places.console)
    if page.sentinel is not None and not (answer.sentinel and answer.document_end):
        code, sentinel = "page.further-incomplete", repr(page.sentinel)
        got = (
            "a login page" if answer.login else "a blank page" if answer.bytes == 0 else "another page, or part of one"
        )
        return failed(code, seen_by=seen_by, status=status, got=got, sentinel=sentinel, name=name, log=log)
    if page.sentinel is None and 200 <= status < 300:
        return failed("page.further-no-evidence", seen_by=seen_by, status=status, bytes=answer.bytes, name=name)
    visitor = page.visitor
    return passed("page.further-complete", OBSERVED, seen_by=seen_by, path=page.path, visitor=visitor, wanted=wanted)


def _guest(evidence: Evidence) -> Finding:
    expected, guest = evidence.expected, evidence.page.guest
    seen_by = f"GET {evidence.page.url} without credentials"
    if expected.guest_status is None:
        return _open_to_all(evidence)
    if guest is None or guest.error:
        return unknown(
            "page.guest-not-asked", seen_by=seen_by, reason=guest.error if guest else "no headers to leave out"
        )
    where = _path(guest.location)
    got = f"{guest.status}{f' to {where}' if where else ''}"
    if guest.status != expected.guest_status or where != expected.guest_location:
        wanted = f"{expected.guest_status}{f' to {expected.guest_location}' if expected.guest_location else ''}"
        return failed("page.guest-other-answer", seen_by=seen_by, got=got, wanted=wanted)
    if guest.sentinel:
        return failed("page.guest-sees-it", seen_by=seen_by)
    return passed("page.guest-kept-out", OBSERVED, seen_by=seen_by, got=got)


def _open_to_all(evidence: Evidence) -> Finding:
    """Judge a page that the environment says needs no login: who brings no credentials gets it, too."""
    page = evidence.page
    asked = page.answers if page.guest is None else (page.guest,)
    if not any(answer.status for answer in asked):
        return unknown("page.nobody-answered")
    defects = [words for answer in asked if (found := defect(answer, evidence.expected)) for _, words in [found]]
    if defects:
        return failed("page.guest-lacks-it", seen_by=f"GET {page.url} without credentials", got=defects[0])
    return passed("page.open-to-all", OBSERVED)


def _release(evidence: Evidence) -> Finding:
    seen_by = "the X-Release header of the running workers"
    served = Counter(answer.release for answer in evidence.page.answers if not answer.error)
    if not served:
        return unknown("page.no-worker-answered", seen_by=seen_by)
    if not evidence.marked and set(served) == {""}:
        return not_applicable("page.unmarked-by-agreement", answers=served.total())
    release = evidence.release
    if isinstance(release, Unobserved) or not release:
        return unknown("page.release-not-known", seen_by=seen_by, reason=release or "it has no name")
    other = {name: count for name, count in served.items() if name != release}
    if other:
        which = ", ".join(f"{count} answers from {name or 'no release at all'}" for name, count in other.items())
        return failed("page.other-release", seen_by=seen_by, which=which, release=release)
    return passed("page.same-release", OBSERVED, seen_by=seen_by, figures={"release": release}, release=release)
