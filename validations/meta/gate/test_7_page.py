"""Validation 7 sees through blank 200s, other pages, half pages and a page open to guests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.environments.settings import FurtherPage, Page
from fixtures.observation.facts import Unobserved
from fixtures.observation.pages import Answer, PageObservation
from reports.records import Verdict
from validations.contracts import Judgement, failed, not_applicable, passed, unknown
from validations.gate.test_7_page import Evidence, defect, judge, proves, upper_bound
from validations.versions import Race

WHOLE = Answer(status=200, bytes=90_000, seconds=0.01, sentinel=True, document_end=True, release="r1")
EXPECTED = Page(guest_status=302, guest_location="/login")
OPEN = Page()
GUEST = Answer(status=302, location="http://host/login?next=/calls")
PARTS = ("complete", "guest", "release")


def page(*answers: Answer, guest: Answer | None = GUEST, expected: Page = EXPECTED) -> Evidence:
    """Return the evidence of these answers."""
    return Evidence(expected, PageObservation("http://host/calls/1", expected.sentinel, answers, guest, ""), "r1")


@pytest.mark.parametrize("part", PARTS)
def test_a_complete_page_for_those_who_may_see_it_passes(part: str) -> None:
    """Whole answers of the published release, and a guest sent to the login, are green."""
    assert judge(page(WHOLE, WHOLE), part).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"bytes": 0, "sentinel": False, "document_end": False}, "a blank 200", id="blank-200"),
        pytest.param({"status": 500}, "status 500", id="error"),
        pytest.param({"status": 503}, "status 503", id="problem-document"),
        pytest.param({"status": 302, "location": "/login"}, "status 302 to /login", id="login-redirect"),
        pytest.param({"status": 302, "location": "http://["}, "status 302 to http://[", id="broken-redirect"),
        pytest.param({"status": 404, "sentinel": False}, "status 404", id="not-found"),
        pytest.param(
            {"signatures": ("filemtime(): stat failed",)}, "shows 'filemtime(): stat failed'", id="error-text"
        ),
        pytest.param({"document_end": False}, "cut off", id="truncated"),
        pytest.param({"sentinel": False}, "without the sentinel", id="another-page"),
        pytest.param({"bytes": 4095}, "less than 4,096 bytes", id="short"),
    ],
)
@pytest.mark.parametrize("place", [0, 25, 49], ids=["first", "middle", "last"])
def test_one_bad_answer_in_fifty_is_red(changes: dict[str, Any], said: str, place: int) -> None:
    """One answer that is not the complete page is seen among fifty, wherever it stands."""
    answers = [WHOLE] * 50
    answers[place] = replace(WHOLE, **changes)
    judgement = judge(page(*answers), "complete")
    assert judgement.verdict is Verdict.FAIL
    assert "1 of 50 answers" in judgement.reason
    assert said in judgement.reason


def test_a_request_without_an_answer_is_red() -> None:
    """A request that timed out or was refused counts among the failures."""
    judgement = judge(page(WHOLE, Answer(error="ReadTimeout")), "complete")
    assert judgement.verdict is Verdict.FAIL
    assert "1 times ReadTimeout" in judgement.reason


def test_no_request_is_unknown() -> None:
    """Of a page nobody asked for nothing is known."""
    assert judge(page(), "complete").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("guest", "said"),
    [
        pytest.param(replace(WHOLE, status=200), "a guest gets 200", id="open-to-all"),
        pytest.param(Answer(status=302, location="/home"), "a guest gets 302 to /home", id="sent-elsewhere"),
        pytest.param(Answer(status=302), "a guest gets 302", id="sent-nowhere"),
        pytest.param(Answer(status=302, location="http://["), "a guest gets 302 to http://[", id="broken-location"),
        pytest.param(Answer(status=500), "a guest gets 500", id="error"),
        pytest.param(replace(GUEST, sentinel=True), "holds the page", id="redirect-with-the-page"),
    ],
)
def test_a_guest_who_gets_anything_but_the_login_is_red(guest: Answer, said: str) -> None:
    """The page shows a caller's data: a guest gets the login, and nothing of the page."""
    judgement = judge(page(WHOLE, guest=guest), "guest")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


@pytest.mark.parametrize("guest", [None, Answer(error="ConnectError")], ids=["not-asked", "refused"])
def test_a_guest_who_got_no_answer_is_unknown(guest: Answer | None) -> None:
    """Where a guest was expected and not answered, it is not known what guests get."""
    assert judge(page(WHOLE, guest=guest), "guest").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("guest", [None, WHOLE], ids=["no-credentials-at-all", "credentials-not-needed"])
def test_a_page_that_is_open_to_all_passes(guest: Answer | None) -> None:
    """Where the environment expects no login, whoever asks without credentials gets the page."""
    assert judge(page(WHOLE, guest=guest, expected=OPEN), "guest").verdict is Verdict.PASS


def test_a_page_said_to_be_open_that_asks_for_a_login_is_red() -> None:
    """A forgotten page.guest_status does not leave the authentication state unjudged."""
    judgement = judge(page(WHOLE, guest=GUEST, expected=OPEN), "guest")
    assert judgement.verdict is Verdict.FAIL
    assert "status 302 to /login" in judgement.reason
    assert "page.guest_status" in judgement.remedy


@pytest.mark.parametrize("answers", [(), (Answer(error="ConnectError"),)], ids=["none", "refused"])
def test_a_page_said_to_be_open_that_nobody_saw_is_unknown(answers: tuple[Answer, ...]) -> None:
    """No answer shows nothing of being open."""
    assert judge(page(*answers, guest=None, expected=OPEN), "guest").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("release", ["r0", ""], ids=["older-release", "no-release-told"])
def test_a_worker_of_another_release_is_red(release: str) -> None:
    """A single worker that was not reloaded is seen among many."""
    judgement = judge(page(WHOLE, replace(WHOLE, release=release), WHOLE), "release")
    assert judgement.verdict is Verdict.FAIL
    assert f"1 answers from {release or 'no release at all'}" in judgement.reason


@pytest.mark.parametrize("release", [Unobserved("no console"), ""], ids=["unobserved", "nameless"])
def test_a_host_whose_release_is_not_known_is_unknown(release: str | Unobserved) -> None:
    """Answers that agree with each other do not show that they are of what was published, nor do two blanks."""
    evidence = replace(page(replace(WHOLE, release="")), release=release)
    assert judge(evidence, "release").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        (1, "0 of 1: below 95.0 % with 95 % confidence"),
        (59, "0 of 59: below 5.0 % with 95 % confidence"),
        (300, "0 of 300: below 1.0 % with 95 % confidence"),
        (100_000, "0 of 100000: below 0.1 % with 95 % confidence"),
    ],
    ids=["one", "59", "300", "100000"],
)
def test_it_says_what_so_many_requests_prove(requests: int, said: str) -> None:
    """The claim is the one that the number of requests allows, and stands in the judgement."""
    assert proves(requests) == said
    assert judge(page(*[WHOLE] * min(requests, 300)), "complete").reason.startswith(proves(min(requests, 300)))


@given(st.integers(min_value=1, max_value=100_000))
def test_the_claim_is_never_more_than_what_was_shown(requests: int) -> None:
    """At the claimed rate, so many good answers in a row would be no more likely than one in twenty."""
    rate = upper_bound(requests)
    assert (1 - rate) ** requests == pytest.approx(0.05)
    assert float(proves(requests).split("below ")[1].split(" %")[0]) / 100 >= rate


@pytest.mark.parametrize(
    ("asked", "answer", "verdict"),
    [
        pytest.param({"sentinel": "Dash"}, {"sentinel": True, "document_end": True}, Verdict.PASS, id="whole"),
        pytest.param({"sentinel": "Dash"}, {"document_end": True}, Verdict.FAIL, id="another-page"),
        pytest.param({"sentinel": "Dash"}, {"document_end": True, "login": True}, Verdict.FAIL, id="login-page"),
        pytest.param({"sentinel": "Dash"}, {"sentinel": True}, Verdict.FAIL, id="cut-off"),
        pytest.param({"sentinel": "Dash"}, {"bytes": 0}, Verdict.FAIL, id="blank"),
        pytest.param({}, {"document_end": True}, Verdict.FAIL, id="no-sentinel-is-no-evidence"),
        pytest.param({"sentinel": "Dash"}, {"status": 500}, Verdict.FAIL, id="status"),
        pytest.param({"status": 302, "location": "/login"}, {"status": 302, "location": "https://a.test/login"},
                     Verdict.PASS, id="redirect"),
        pytest.param({"status": 302, "location": "/login"}, {"status": 302, "location": "/other"}, Verdict.FAIL,
                     id="redirect-elsewhere"),
        pytest.param({"sentinel": "Dash"}, {"error": "ConnectError"}, Verdict.FAIL, id="no-answer"),
        pytest.param({"sentinel": "Dash"}, None, Verdict.UNKNOWN, id="not-asked"),
        pytest.param({"sentinel": "Dash"}, {"sentinel": True, "document_end": True, "signatures": ("Traceback",)},
                     Verdict.FAIL, id="error-text"),
    ],
)  # fmt: skip
def test_a_further_page_is_what_its_visitor_should_get(
    asked: dict[str, Any], answer: dict[str, Any] | None, verdict: Verdict
) -> None:
    """Status, redirect and sentinel of a further page decide; a 200 alone is no evidence."""
    further = FurtherPage.model_validate({"name": "dash", "path": "/admin", "visitor": "user"} | asked)
    seen = Unobserved("no session") if answer is None else Answer(**{"status": 200, "bytes": 900} | answer)
    evidence = replace(page(WHOLE), further=((further, seen),))
    assert judge(evidence, "page-dash").verdict is verdict


def guest(**changes: Any) -> Evidence:
    """Return good evidence with changes to the guest's answer."""
    return page(WHOLE, guest=replace(GUEST, **changes))


def opened(*answers: Answer, guest: Answer | None = None) -> Evidence:
    """Return the evidence of a page that needs no login."""
    return page(*answers, guest=guest, expected=OPEN)


def further(answer: Answer | Unobserved, **asked: Any) -> Evidence:
    """Return the evidence of two further pages, of which the second one was answered so."""
    first, second = (
        FurtherPage.model_validate({"name": name, "path": path, "visitor": "user"} | wanted)
        for name, path, wanted in (("other", "/o", {}), ("dash", "/admin", asked))
    )
    return replace(page(WHOLE), further=((first, Answer()), (second, answer)))


DASH = Answer(status=200, bytes=900, sentinel=True, document_end=True)
AS_GUEST = "GET http://host/calls/1 without credentials"
AS_USER = "GET /admin as a user"
RELEASES = "the X-Release header of the running workers"
LOGIN = "the page shows a caller's data: require a login for it"


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("guest", page(WHOLE), passed("a guest gets 302 to /login", seen_by=AS_GUEST), id="guest"),
        pytest.param("guest", page(WHOLE, guest=None),
            unknown("the page was not asked for as a guest: no headers to leave out", seen_by=AS_GUEST),
            id="guest-not-asked"),
        pytest.param("guest", page(WHOLE, guest=Answer(error="ConnectError")),
            unknown("the page was not asked for as a guest: ConnectError", seen_by=AS_GUEST), id="guest-refused"),
        pytest.param("guest", page(WHOLE, guest=WHOLE),
            failed("a guest gets 200", "302 to /login", remedy=LOGIN, seen_by=AS_GUEST), id="guest-let-in"),
        pytest.param("guest", guest(location="/home"),
            failed("a guest gets 302 to /home", "302 to /login", remedy=LOGIN, seen_by=AS_GUEST),
            id="guest-sent-elsewhere"),
        pytest.param("guest", page(WHOLE, expected=Page(guest_status=403)),
            failed("a guest gets 302 to /login", "403", remedy=LOGIN, seen_by=AS_GUEST), id="guest-forbidden"),
        pytest.param("guest", guest(sentinel=True),
            failed("a guest's answer holds the page", "nothing of it", remedy="require a login for it",
                seen_by=AS_GUEST), id="guest-shown-the-page"),
        pytest.param("guest", page(WHOLE, guest=Answer(status=403), expected=Page(guest_status=403)),
            passed("a guest gets 403", seen_by=AS_GUEST), id="guest-is-forbidden"),
        pytest.param("guest", guest(location="http://[" + "x" * 80),
            failed("a guest gets 302 to"
                " http://[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "302 to /login",
                remedy=LOGIN, seen_by=AS_GUEST), id="guest-sent-to-nowhere"),
        pytest.param("guest", opened(WHOLE), passed("the page is open to all in this environment"), id="open"),
        pytest.param("guest", opened(WHOLE, guest=WHOLE),
            passed("the page is open to all in this environment"), id="open-to-a-guest"),
        pytest.param("guest", opened(Answer(error="ConnectError")),
            unknown("nobody without credentials was answered"), id="open-and-unseen"),
        pytest.param("guest", opened(WHOLE, Answer(error="ConnectError")),
            failed("a guest gets ConnectError", "the page, since page.guest_status is not set",
                remedy="set page.guest_status and page.guest_location to what a visitor without credentials should"
                " get", seen_by=AS_GUEST), id="open-and-partly-refused"),
        pytest.param("guest", opened(WHOLE, guest=GUEST),
            failed("a guest gets status 302 to /login", "the page, since page.guest_status is not set",
                remedy="set page.guest_status and page.guest_location to what a visitor without credentials should"
                " get", seen_by=AS_GUEST), id="said-to-be-open"),
        pytest.param("release", page(WHOLE),
            passed("all answers come from r1", seen_by=RELEASES, release="r1"), id="release"),
        pytest.param("release", page(Answer(error="ConnectError")),
            unknown("no worker answered", seen_by=RELEASES), id="no-release-served"),
        pytest.param("release", replace(page(replace(WHOLE, release="")), marked=False),
            not_applicable("none of 1 answers carries X-Release, and none has to here"), id="no-release-told"),
        pytest.param("release", replace(page(WHOLE), release=Unobserved("no console")),
            unknown("which release lies on the host is not known: no console", seen_by=RELEASES),
            id="release-not-known"),
        pytest.param("release", replace(page(WHOLE), release=""),
            unknown("which release lies on the host is not known: it has no name", seen_by=RELEASES),
            id="release-without-a-name"),
        pytest.param("release", page(WHOLE, replace(WHOLE, release="r0"), replace(WHOLE, release=""), replace(WHOLE,
            release="r0")),
            failed("2 answers from r0, 1 answers from no release at all", "all from r1, the release that is published",
                remedy="reload the workers: they still serve the release before", seen_by=RELEASES),
            id="other-releases"),
        pytest.param("page-dash", further(DASH, sentinel="Dash"),
            passed("/admin answers a user with 200", seen_by=AS_USER), id="further-page"),
        pytest.param("page-dash", further(Answer(status=302, location="https://a.test/login"), status=302,
            location="/login"),
            passed("/admin answers a user with 302 to /login", seen_by=AS_USER), id="further-redirect"),
        pytest.param("page-dash", further(Unobserved("no session")),
            unknown("the page was not asked for: no session", seen_by=AS_USER), id="further-page-not-asked"),
        pytest.param("page-dash", further(Answer(error="ConnectError")),
            failed("ConnectError", "200", seen_by=AS_USER), id="further-page-refused"),
        pytest.param("page-dash", further(replace(DASH, status=500), sentinel="Dash"),
            failed("500", "200", seen_by=AS_USER), id="further-page-with-another-status"),
        pytest.param("page-dash", further(Answer(status=302, location="/login"), sentinel="Dash"),
            failed("302 to /login", "200", seen_by=AS_USER), id="further-page-redirected"),
        pytest.param("page-dash", further(Answer(status=302, location="/home"), status=302, location="/login"),
            failed("302 to /home", "302 to /login", seen_by=AS_USER), id="further-page-redirected-elsewhere"),
        pytest.param("page-dash", further(replace(DASH, signatures=("Traceback", "x")), sentinel="Dash"),
            failed("a 200 that shows 'Traceback'", "the page", seen_by=AS_USER), id="further-page-with-an-error"),
        pytest.param("page-dash", further(replace(DASH, sentinel=False, login=True), sentinel="Dash"),
            failed("a 200 that is a login page", "a whole page with 'Dash'", seen_by=AS_USER),
            id="further-page-that-is-a-login"),
        pytest.param("page-dash", further(Answer(status=200), sentinel="Dash"),
            failed("a 200 that is a blank page", "a whole page with 'Dash'", seen_by=AS_USER),
            id="further-page-that-is-blank"),
        pytest.param("page-dash", further(replace(DASH, sentinel=False), sentinel="Dash"),
            failed("a 200 that is another page, or part of one", "a whole page with 'Dash'", seen_by=AS_USER),
            id="further-page-that-is-another"),
        pytest.param("page-dash", further(replace(DASH, document_end=False), sentinel="Dash"),
            failed("a 200 that is another page, or part of one", "a whole page with 'Dash'", seen_by=AS_USER),
            id="further-page-that-is-cut"),
        pytest.param("page-dash", further(DASH),
            failed("a 200 of 900 bytes, which is no evidence by itself", "known by a sentinel",
                remedy="give the page 'dash' a sentinel: a text near its end that only it has", seen_by=AS_USER),
            id="further-page-without-evidence"),
        pytest.param("page-dash", further(replace(DASH, status=299), status=299),
            failed("a 299 of 900 bytes, which is no evidence by itself", "known by a sentinel",
                remedy="give the page 'dash' a sentinel: a text near its end that only it has", seen_by=AS_USER),
            id="further-page-of-203"),
        pytest.param("page-dash", further(replace(DASH, status=199), status=199),
            passed("/admin answers a user with 199", seen_by=AS_USER), id="further-page-of-199"),
        pytest.param("page-dash", further(replace(DASH, status=300), status=300),
            passed("/admin answers a user with 300", seen_by=AS_USER), id="further-page-of-300"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told


COMPLETE = "GET http://host/calls/1"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        pytest.param((), unknown("no request was made"), id="none"),
        pytest.param(
            (replace(WHOLE, seconds=0.02, bytes=95_000), WHOLE),
            passed(
                "0 of 2: below 77.7 % with 95 % confidence; at least 90,000 bytes each",
                seen_by=COMPLETE,
                requests=2,
                complete=2,
                slowest_seconds=0.02,
                least_bytes=90_000.0,
            ),
            id="two-whole",
        ),
        pytest.param(
            (
                WHOLE,
                *[replace(WHOLE, status=500)] * 4,
                *[replace(WHOLE, document_end=False)] * 3,
                *[Answer(status=200)] * 2,
                Answer(error="ReadTimeout"),
            ),
            failed(
                "10 of 11 answers were not the complete page: 4 times status 500, 3 times a 200 cut off before the end"
                " of the document, 2 times a blank 200",
                "200 and complete every time",
                seen_by=COMPLETE,
                requests=11,
                complete=1,
            ),
            id="four-kinds-of-bad",
        ),
    ],
)
def test_what_is_told_of_all_answers(answers: tuple[Answer, ...], told: Judgement) -> None:
    """The three commonest defects are counted, and the numbers behind them go to the reports with every time taken."""
    times = tuple(sorted(answer.seconds for answer in answers if not answer.error))
    assert judge(page(*answers), "complete") == replace(told, samples={"seconds": times})


@pytest.mark.parametrize(
    ("taken", "kept"),
    [
        pytest.param([0.3, 0.1, 0.2], (0.1, 0.2, 0.3), id="sorted"),
        pytest.param([0.12345678], (0.123457,), id="rounded"),
        pytest.param([float(n) for n in range(1000)], tuple(float(n) for n in range(1000)), id="all-of-thousand"),
        pytest.param([float(n) for n in range(1001)], tuple(float(n) for n in range(0, 1001, 2)), id="every-second"),
        pytest.param([float(n) for n in range(2001)], tuple(float(n) for n in range(0, 2001, 3)), id="every-third"),
    ],
)
def test_so_many_times_go_to_the_reports(taken: list[float], kept: tuple[float, ...]) -> None:
    """Of very many times every so-manieth is kept, the fastest first; a request without an answer took none."""
    answers = [replace(WHOLE, seconds=seconds) for seconds in taken]
    assert judge(page(Answer(error="ReadTimeout"), *answers), "complete").samples == {"seconds": kept}
    assert judge(page(*answers), "release").samples == {}


BAD = replace(WHOLE, status=500, seconds=1.0)


@pytest.mark.parametrize(
    ("answers", "sporadic"),
    [
        pytest.param((replace(WHOLE, asked=1.0, seconds=1.0), replace(BAD, asked=2.5)), True, id="asked-after"),
        pytest.param((replace(WHOLE, asked=1.0, seconds=1.0), replace(BAD, asked=2.0)), False, id="asked-as-it-came"),
        pytest.param((replace(WHOLE, asked=1.0, seconds=1.0), replace(BAD, asked=1.5)), False, id="asked-before"),
        pytest.param(
            (replace(WHOLE, asked=1.0), replace(WHOLE, asked=9.0), replace(BAD, asked=5.0)), True, id="between"
        ),
        pytest.param((replace(BAD, asked=1.0), replace(WHOLE, asked=5.0)), False, id="bad-and-then-good"),
        pytest.param((replace(BAD, asked=1.0), replace(BAD, asked=5.0)), False, id="never-good"),
    ],
)
def test_what_was_bad_after_it_had_been_good_is_sporadic(answers: tuple[Answer, ...], sporadic: bool) -> None:  # noqa: FBT001 - a column
    """An answer that was asked for once a good one had come, and is bad, shows a page that comes and goes."""
    judgement = judge(page(*answers), "complete")
    assert (judgement.verdict, judgement.sporadic) == (Verdict.FAIL, sporadic)


@pytest.mark.parametrize(
    ("answer", "expected", "said"),
    [
        pytest.param(WHOLE, EXPECTED, "", id="whole"),
        pytest.param(Answer(error="ReadTimeout", status=200), EXPECTED, "ReadTimeout", id="no-answer"),
        pytest.param(replace(WHOLE, status=500), EXPECTED, "status 500", id="status"),
        pytest.param(Answer(status=302, location="https://a.test/x?y"), EXPECTED, "status 302 to /x", id="redirect"),
        pytest.param(replace(WHOLE, bytes=0), EXPECTED, "a blank 200", id="blank"),
        pytest.param(
            replace(WHOLE, signatures=("Traceback", "x")), EXPECTED, "a 200 that shows 'Traceback'", id="error-text"
        ),
        pytest.param(
            replace(WHOLE, document_end=False), EXPECTED, "a 200 cut off before the end of the document", id="cut-off"
        ),
        pytest.param(replace(WHOLE, sentinel=False, login=True), EXPECTED, "a 200 that is a login page", id="login"),
        pytest.param(replace(WHOLE, login=True), EXPECTED, "", id="whole-with-a-password"),
        pytest.param(
            replace(WHOLE, sentinel=False),
            Page(sentinel="End of call"),
            "a 200 without the sentinel 'End of call': another page",
            id="another-page",
        ),
        pytest.param(
            replace(WHOLE, bytes=4_999), Page(least_bytes=5_000), "a 200 of less than 5,000 bytes", id="short"
        ),
        pytest.param(replace(WHOLE, bytes=5_000), Page(least_bytes=5_000), "", id="just-long-enough"),
    ],
)
def test_a_defect_is_worded_so_that_it_can_be_counted(answer: Answer, expected: Page, said: str) -> None:
    """What is wrong with an answer is told in the same words each time, and of a good one there is nothing."""
    assert defect(answer, expected) == said


RACE = Race("clear-race", "This version races", ("blank", "cut"), 2_000)


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        pytest.param(2_000, "This version races", id="enough"),
        pytest.param(
            1_999,
            "This version races; 1,999 requests are too few for that, which takes 2,000 while something clears",
            id="too-few",
        ),
    ],
)
def test_the_race_is_told_with_what_it_would_take_to_show_it(requests: int, told: str) -> None:
    """The race of the installed version is told behind what was seen, with its figures and what would show it."""
    judgement = judge(replace(page(*[WHOLE] * requests), race=RACE), "complete")
    assert judgement.observed.endswith(f"; at least 90,000 bytes each. {told}")
    figures = {"race": "clear-race", "race_signatures": "blank; cut", "race_requests": 2_000}
    assert {name: judgement.figures[name] for name in figures} == figures
