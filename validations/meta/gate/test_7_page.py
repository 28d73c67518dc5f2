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
from reports.records import Scalar, Verdict
from validations.contracts import OBSERVED
from validations.gate.test_7_page import Evidence, defect, judge, proves, upper_bound
from validations.places import GATEWAY, LARAVEL, Places
from validations.versions import Race

WHOLE = Answer(status=200, bytes=90_000, seconds=0.01, sentinel=True, document_end=True, release="r1")
EXPECTED = Page(guest_status=302, guest_location="/login")
OPEN = Page()
GUEST = Answer(status=302, location="http://host/login?next=/calls")
DASH = Answer(status=200, bytes=900, sentinel=True, document_end=True)
REFUSED = Answer(error="ConnectError")


def page(*answers: Answer, guest: Answer | None = GUEST, expected: Page = EXPECTED) -> Evidence:
    """Return the evidence of these answers."""
    return Evidence(expected, PageObservation("http://host/calls/1", expected.sentinel, answers, guest, ""), "r1")


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


def found(evidence: Evidence, part: str) -> tuple[Verdict, str]:
    """Return the verdict on a part, and its code without the check's name."""
    finding = judge(evidence, part)
    return finding.verdict, finding.code.removeprefix("page.")


@pytest.mark.parametrize(
    ("part", "evidence", "code"),
    [
        pytest.param("complete", page(WHOLE, WHOLE), "complete", id="complete"),
        pytest.param("guest", page(WHOLE), "guest-kept-out", id="guest"),
        pytest.param("guest", page(WHOLE, guest=Answer(status=403), expected=Page(guest_status=403)), "guest-kept-out",
            id="guest-is-forbidden"),
        pytest.param("guest", opened(WHOLE), "open-to-all", id="open"),
        pytest.param("guest", opened(WHOLE, guest=WHOLE), "open-to-all", id="open-and-credentials-not-needed"),
        pytest.param("release", page(WHOLE, REFUSED), "same-release", id="release"),
        pytest.param("page-dash", further(DASH, sentinel="Dash"), "further-complete", id="further-page"),
        pytest.param("page-dash", further(Answer(status=302, location="https://a.test/login"), status=302,
            location="/login"), "further-complete", id="further-redirect"),
        pytest.param("page-dash", further(replace(DASH, status=199), status=199), "further-complete", id="further-199"),
        pytest.param("page-dash", further(replace(DASH, status=300), status=300), "further-complete", id="further-300"),
    ],
)  # fmt: skip
def test_a_complete_page_for_those_who_may_see_it_passes(part: str, evidence: Evidence, code: str) -> None:
    """Whole answers of the published release, and a guest sent to the login, are green by observation."""
    assert found(evidence, part) == (Verdict.PASS, code)
    assert judge(evidence, part).level is OBSERVED


# --- the answers

DEFECTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no-answer": ({"error": "ReadTimeout"}, "no-answer", "ReadTimeout"),
    "error": ({"status": 500}, "other-status", "500"),
    "problem-document": ({"status": 503}, "other-status", "503"),
    "login-redirect": ({"status": 302, "location": "https://a.test/login?y"}, "other-status", "302 to /login"),
    "broken-redirect": ({"status": 302, "location": "http://["}, "other-status", "302 to http://["),
    "not-found": ({"status": 404, "sentinel": False}, "other-status", "404"),
    "blank-200": ({"bytes": 0, "sentinel": False, "document_end": False}, "blank", ""),
    "blank-and-marked": ({"bytes": 0}, "blank", ""),
    "error-text": ({"signatures": ("filemtime(): stat failed", "x")}, "shows-an-error", "filemtime(): stat failed"),
    "truncated": ({"document_end": False}, "cut-off", ""),
    "login": ({"sentinel": False, "login": True}, "login", ""),
    "another-page": ({"sentinel": False}, "other-page", repr(EXPECTED.sentinel)),
    "short": ({"bytes": 4095}, "short", "4,096"),
}


@pytest.mark.parametrize(("changes", "code", "told"), DEFECTS.values(), ids=DEFECTS)
@pytest.mark.parametrize("place", [0, 25, 49], ids=["first", "middle", "last"])
def test_one_bad_answer_in_fifty_is_red(changes: dict[str, Any], code: str, told: str, place: int) -> None:
    """One answer that is not the complete page is seen among fifty, wherever it stands, and it is told what it was."""
    answers = [WHOLE] * 50
    answers[place] = replace(WHOLE, **changes)
    finding = judge(page(*answers), "complete")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"page.{code}")
    assert finding.figures == {"requests": 50, "complete": 49}
    assert told in finding.observed


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(WHOLE, EXPECTED, id="whole"),
        pytest.param(replace(WHOLE, login=True), EXPECTED, id="whole-with-a-password"),
        pytest.param(replace(WHOLE, bytes=4_096), EXPECTED, id="just-long-enough"),
        pytest.param(replace(WHOLE, bytes=5_000), Page(least_bytes=5_000), id="as-long-as-agreed"),
        pytest.param(replace(WHOLE, status=404), Page(status=404), id="status-as-agreed"),
    ],
)
def test_the_complete_page_has_no_defect(answer: Answer, expected: Page) -> None:
    """What is as the environment says is not counted among the bad."""
    assert defect(answer, expected) is None


@pytest.mark.parametrize(
    ("answer", "expected", "code", "told"),
    [
        pytest.param(replace(WHOLE, bytes=4_999), Page(least_bytes=5_000), "short", "5,000", id="bytes"),
        pytest.param(replace(WHOLE, sentinel=False), Page(sentinel="End of call"), "other-page", "'End of call'",
            id="sentinel"),
    ],
)  # fmt: skip
def test_each_bound_is_the_environments_own(answer: Answer, expected: Page, code: str, told: str) -> None:
    """A page that misses what the environment agreed on is told with what was agreed."""
    name, words = defect(answer, expected) or ("", "")
    assert name == f"page.{code}"
    assert told in words


def test_the_three_commonest_defects_are_told_and_all_are_counted() -> None:
    """The finding is named after the commonest defect; the numbers behind it go to the reports."""
    answers = (
        WHOLE,
        *[replace(WHOLE, status=500)] * 4,
        *[replace(WHOLE, document_end=False)] * 3,
        *[Answer(status=200)] * 2,
        Answer(error="ReadTimeout"),
    )
    finding = judge(page(*answers), "complete")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "page.other-status")
    assert finding.figures == {"requests": 11, "complete": 1}
    assert [count for count in range(1, 9) if f"{count} times" in finding.observed] == [2, 3, 4]
    assert "ReadTimeout" not in finding.observed


def test_of_whole_answers_the_slowest_and_the_shortest_are_told() -> None:
    """The measures behind a pass go to the reports."""
    finding = judge(page(replace(WHOLE, seconds=0.02, bytes=95_000), WHOLE), "complete")
    figures: dict[str, Scalar] = {"requests": 2, "complete": 2, "slowest_seconds": 0.02, "least_bytes": 90_000.0}
    assert finding.figures == figures


@pytest.mark.parametrize(
    ("changes", "place", "named"),
    [
        pytest.param({"status": 500}, GATEWAY, "./artisan view:health-check --fix", id="gateway"),
        pytest.param({"status": 500}, LARAVEL, "php artisan view:health-check --fix", id="laravel"),
        pytest.param({"document_end": False}, LARAVEL, "storage/logs/laravel.log", id="log"),
        pytest.param({"sentinel": False}, LARAVEL, "page.sentinel", id="sentinel"),
        pytest.param({"sentinel": False, "login": True}, LARAVEL, "authentication", id="login"),
        pytest.param({"bytes": 9}, LARAVEL, "page.least_bytes", id="short"),
    ],
)
def test_the_remedy_fits_what_was_seen(changes: dict[str, Any], place: Places, named: str) -> None:
    """A broken page is repaired by this application's own console; another page than was meant is never "fixed" so."""
    remedy = judge(replace(page(replace(WHOLE, **changes)), places=place), "complete").remedy
    assert named in remedy
    assert ("view:health-check" in remedy) is ({*changes} <= {"status", "document_end"})


# --- guests, releases and further pages


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(page(WHOLE, guest=WHOLE), "guest-other-answer", "200", id="let-in"),
        pytest.param(page(WHOLE, guest=Answer(status=302, location="/home")), "guest-other-answer", "302 to /home",
            id="sent-elsewhere"),
        pytest.param(page(WHOLE, guest=Answer(status=302)), "guest-other-answer", "302", id="sent-nowhere"),
        pytest.param(page(WHOLE, guest=Answer(status=302, location="http://[" + "x" * 80)), "guest-other-answer",
            f"302 to http://[{'x' * 72}", id="broken-location"),
        pytest.param(page(WHOLE, guest=Answer(status=500)), "guest-other-answer", "500", id="error"),
        pytest.param(page(WHOLE, expected=Page(guest_status=403)), "guest-other-answer", "302 to /login",
            id="not-forbidden"),
        pytest.param(page(WHOLE, guest=replace(GUEST, sentinel=True)), "guest-sees-it", "", id="redirect-with-it"),
        # A forgotten page.guest_status does not leave the authentication state unjudged.
        pytest.param(opened(WHOLE, guest=GUEST), "guest-lacks-it", "302 to /login", id="said-to-be-open"),
        pytest.param(opened(WHOLE, REFUSED), "guest-lacks-it", "ConnectError", id="open-and-partly-refused"),
    ],
)  # fmt: skip
def test_a_guest_who_gets_anything_but_what_was_agreed_is_red(evidence: Evidence, code: str, told: str) -> None:
    """The page shows a caller's data: a guest gets the login, and nothing of the page, or it is said to be open."""
    finding = judge(evidence, "guest")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"page.{code}")
    assert told in finding.observed
    assert "x" * 73 not in finding.observed
    assert ("page.guest_status" in finding.remedy) is (code == "guest-lacks-it")


@pytest.mark.parametrize("release", ["r0", ""], ids=["older-release", "no-release-told"])
def test_a_worker_of_another_release_is_red(release: str) -> None:
    """A single worker that was not reloaded is seen among many, and it is told which release it serves."""
    finding = judge(page(WHOLE, replace(WHOLE, release=release), WHOLE), "release")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "page.other-release")
    assert f"1 answers from {release or 'no release at all'}" in finding.observed
    assert "r1" in finding.expected


def test_every_other_release_is_counted() -> None:
    """Of several releases that are still served, each is told with how many answers it gave."""
    old, none = replace(WHOLE, release="r0"), replace(WHOLE, release="")
    observed = judge(page(WHOLE, old, none, old), "release").observed
    assert "2 answers from r0" in observed
    assert "1 answers from no release" in observed


def test_the_release_is_told_to_the_reports() -> None:
    """The figure named `release` says what is deployed."""
    assert judge(page(WHOLE), "release").figures == {"release": "r1"}


def test_answers_that_need_not_tell_their_release_are_not_judged_by_it() -> None:
    """Where answers are not marked by agreement and none is, there is nothing to compare."""
    unmarked = replace(page(replace(WHOLE, release="")), marked=False)
    assert found(unmarked, "release") == (Verdict.NOT_APPLICABLE, "unmarked-by-agreement")


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(further(REFUSED), "other-answer", "ConnectError", id="no-answer"),
        pytest.param(further(replace(DASH, status=500), sentinel="Dash"), "other-answer", "500", id="status"),
        pytest.param(further(Answer(status=302, location="/login"), sentinel="Dash"), "other-answer", "302 to /login",
            id="redirected"),
        pytest.param(further(Answer(status=302, location="/home"), status=302, location="/login"), "other-answer",
            "302 to /home", id="redirected-elsewhere"),
        pytest.param(further(replace(DASH, signatures=("Traceback", "x")), sentinel="Dash"), "shows-an-error",
            "'Traceback'", id="error-text"),
        pytest.param(further(replace(DASH, sentinel=False, login=True), sentinel="Dash"), "incomplete", "a login page",
            id="login-page"),
        pytest.param(further(Answer(status=200), sentinel="Dash"), "incomplete", "blank", id="blank"),
        pytest.param(further(replace(DASH, sentinel=False), sentinel="Dash"), "incomplete", "another", id="another"),
        pytest.param(further(replace(DASH, document_end=False), sentinel="Dash"), "incomplete", "part", id="cut-off"),
        pytest.param(further(DASH), "no-evidence", "900 bytes", id="no-sentinel-is-no-evidence"),
        pytest.param(further(replace(DASH, status=299), status=299), "no-evidence", "299", id="no-evidence-of-299"),
    ],
)  # fmt: skip
def test_a_further_page_is_what_its_visitor_should_get(evidence: Evidence, code: str, told: str) -> None:
    """Status, redirect and sentinel of a further page decide; a 200 alone is no evidence. It is told which page."""
    finding = judge(evidence, "page-dash")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"page.further-{code}")
    assert told in finding.observed
    assert finding.seen_by == "GET /admin as a user"
    assert ("'dash'" in finding.remedy) is (code != "shows-an-error")


@pytest.mark.parametrize(
    ("part", "evidence", "code", "reason"),
    [
        pytest.param("complete", page(), "not-asked", "", id="no-request"),
        pytest.param("guest", page(WHOLE, guest=None), "guest-not-asked", "no headers", id="guest-not-asked"),
        pytest.param("guest", page(WHOLE, guest=REFUSED), "guest-not-asked", "ConnectError", id="guest-refused"),
        pytest.param("guest", opened(), "nobody-answered", "", id="open-and-not-asked"),
        pytest.param("guest", opened(REFUSED), "nobody-answered", "", id="open-and-refused"),
        pytest.param("release", page(REFUSED), "no-worker-answered", "", id="no-release-served"),
        # Answers that agree with each other do not show that they are of what was published, nor do two blanks.
        pytest.param("release", replace(page(WHOLE), release=Unobserved("no console")), "release-not-known",
            "no console", id="release-not-known"),
        pytest.param("release", replace(page(replace(WHOLE, release="")), release=Unobserved("no console")),
            "release-not-known", "no console", id="release-neither-told-nor-known"),
        pytest.param("release", replace(page(replace(WHOLE, release="")), release=""), "release-not-known", "no name",
            id="release-without-a-name"),
        pytest.param("release", replace(page(WHOLE), release=""), "release-not-known", "no name", id="nameless-host"),
        pytest.param("page-dash", further(Unobserved("no session")), "further-not-asked", "no session",
            id="further-page-not-asked"),
    ],
)  # fmt: skip
def test_what_was_not_observed_is_unknown(part: str, evidence: Evidence, code: str, reason: str) -> None:
    """Where nobody asked or nobody answered nothing is known, and the reason is kept."""
    assert found(evidence, part) == (Verdict.UNKNOWN, code)
    assert reason in judge(evidence, part).observed


# --- what it proves


@pytest.mark.parametrize(
    ("requests", "percent"),
    [(1, "95.0"), (59, "5.0"), (300, "1.0"), (100_000, "0.1")],
    ids=["1", "59", "300", "100000"],
)
def test_it_says_what_so_many_requests_prove(requests: int, percent: str) -> None:
    """The claim is the one that the number of requests allows, and stands in the finding."""
    assert f"0 of {requests}: below {percent} %" in proves(requests)
    asked = min(requests, 300)
    assert proves(asked) in judge(page(*[WHOLE] * asked), "complete").observed


@given(st.integers(min_value=1, max_value=100_000))
def test_the_claim_is_never_more_than_what_was_shown(requests: int) -> None:
    """At the claimed rate, so many good answers in a row would be no more likely than one in twenty."""
    rate = upper_bound(requests)
    assert (1 - rate) ** requests == pytest.approx(0.05)
    assert float(proves(requests).split("below ")[1].split(" %")[0]) / 100 >= rate


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
    finding = judge(page(*answers), "complete")
    assert (finding.verdict, finding.sporadic) == (Verdict.FAIL, sporadic)


RACE = Race("clear-race", "This version races", ("blank", "cut"), 2_000)


@pytest.mark.parametrize(("requests", "few"), [(2_000, False), (1_999, True)], ids=["enough", "too-few"])
def test_the_race_is_told_with_what_it_would_take_to_show_it(requests: int, few: bool) -> None:  # noqa: FBT001 - a column
    """The race of the installed version is told with its figures; where requests were too few, how many it takes."""
    finding = judge(replace(page(*[WHOLE] * requests), race=RACE), "complete")
    assert RACE.told in finding.observed
    assert ("takes 2,000" in finding.observed) is few
    figures = {"race": "clear-race", "race_signatures": "blank; cut", "race_requests": 2_000}
    assert {name: finding.figures[name] for name in figures} == figures
