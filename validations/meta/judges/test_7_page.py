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
from validations.gate.test_7_page import Evidence, judge, proves, upper_bound

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
