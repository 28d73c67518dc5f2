"""Validation 1 sees through a registration that is a comment, twice there, not reloaded, or without effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import Middleware, Unobserved
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Verdict
from validations.contracts import Judgement, failed, not_applicable, passed, unknown
from validations.gate.test_1_middleware import MARKS, Evidence, judge

WHOLE = Answer(status=200, bytes=90_000, sentinel=True, document_end=True, auto_fix="untouched")
REPAIRED = Repair("calls/enhanced.html", "/f.view", WHOLE, "intact", 0.04)
STACK = Middleware(stack=("gateway.TrustedHosts", "gateway.AutoFixViewCache"))
GOOD = Evidence("AutoFixViewCache", STACK, (WHOLE,) * 3, REPAIRED)


@pytest.mark.parametrize("part", ["registered", "answers", "repairs"])
def test_a_registered_and_working_middleware_passes(part: str) -> None:
    """A middleware in the booted stack that marks every answer and repairs a view is green."""
    assert judge(GOOD, part).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        pytest.param((), "runs no middleware at all", id="nothing-booted"),
        pytest.param(("gateway.TrustedHosts",), "runs TrustedHosts", id="commented-out"),
        pytest.param(("gateway.NotAutoFixViewCache",), "NotAutoFixViewCache", id="name-that-ends-alike"),
        pytest.param(("gateway.AutoFixViewCacheOld",), "AutoFixViewCacheOld", id="name-that-begins-alike"),
        pytest.param(("gateway.AutoFixViewCache.Other",), "runs Other", id="name-of-a-module"),
        pytest.param(("a.AutoFixViewCache", "a.AutoFixViewCache"), "2 times", id="registered-twice"),
    ],
)
def test_a_stack_without_just_one_of_it_is_red(stack: tuple[str, ...], said: str) -> None:
    """Only the very class, once, in the booted stack counts; the failure names what runs instead."""
    judgement = judge(replace(GOOD, booted=Middleware(stack=stack)), "registered")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


def test_a_php_class_name_is_understood() -> None:
    """Laravel's names are separated by backslashes."""
    booted = Middleware(stack=(r"App\Http\Middleware\AutoFixViewCache",))
    assert judge(replace(GOOD, booted=booted), "registered").verdict is Verdict.PASS


def test_a_stack_that_could_not_be_asked_for_is_unknown() -> None:
    """Where the application did not answer, its middleware is not known, and the reason is told."""
    judgement = judge(replace(GOOD, booted=Unobserved("no console")), "registered")
    assert judgement.verdict is Verdict.UNKNOWN
    assert "no console" in judgement.reason


@pytest.mark.parametrize(
    "mark",
    ["", "yes", "UNTOUCHED", "untouched, untouched"],
    ids=["none", "another-word", "another-case", "twice"],
)
def test_one_answer_that_did_not_pass_through_is_red(mark: str) -> None:
    """A single worker that is older than the registration is seen among many."""
    judgement = judge(replace(GOOD, answers=(*GOOD.answers, replace(WHOLE, auto_fix=mark))), "answers")
    assert judgement.verdict is Verdict.FAIL
    assert "1 of 4 answers" in judgement.reason


@pytest.mark.parametrize("mark", sorted(MARKS))
def test_every_mark_of_the_middleware_counts(mark: str) -> None:
    """What it did to an answer is another check's matter: here it was passed through."""
    assert judge(replace(GOOD, answers=(replace(WHOLE, auto_fix=mark),)), "answers").verdict is Verdict.PASS


@pytest.mark.parametrize(
    "answers", [(), (Answer(error="ConnectError"), Answer(error="ConnectError"))], ids=["none", "refused"]
)
def test_no_answer_is_unknown(answers: tuple[Answer, ...]) -> None:
    """Workers that answered nothing show neither that it runs nor that it does not."""
    assert judge(replace(GOOD, answers=answers), "answers").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("repair", "said"),
    [
        pytest.param(replace(REPAIRED, answer=replace(WHOLE, status=500)), "answered 500", id="error"),
        pytest.param(replace(REPAIRED, answer=replace(WHOLE, sentinel=False)), "200 without the page", id="blank-200"),
        pytest.param(replace(REPAIRED, answer=replace(WHOLE, document_end=False)), "damaged page", id="cut-off"),
        pytest.param(replace(REPAIRED, answer=Answer(error="ReadTimeout")), "ReadTimeout", id="no-answer"),
        pytest.param(replace(REPAIRED, state_after="truncated: 1 of 2 bytes", seconds=None), "truncated", id="left-so"),
        pytest.param(replace(REPAIRED, state_after="missing", seconds=0.1), "missing", id="deleted"),
        pytest.param(replace(REPAIRED, seconds=None), "still", id="no-time"),
    ],
)
def test_a_defect_that_was_not_healed_in_the_request_is_red(repair: Repair, said: str) -> None:
    """A registered middleware without its effect is red, with what was answered or left."""
    judgement = judge(replace(GOOD, repair=repair), "repairs")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


def test_an_effect_that_was_to_be_exercised_and_was_not_is_unknown() -> None:
    """Where a defect was allowed and could not be planted, the effect is unknown."""
    assert judge(replace(GOOD, repair=Unobserved("no current")), "repairs").verdict is Verdict.UNKNOWN


def test_a_read_only_environment_says_that_the_effect_was_not_exercised() -> None:
    """On production the part passes on read-only facts, and says so."""
    judgement = judge(replace(GOOD, repair=None), "repairs")
    assert judgement.verdict is Verdict.PASS
    assert "effect not exercised" in judgement.reason


def test_a_class_of_no_module_is_understood() -> None:
    """A name without a namespace is the class's own."""
    booted = Middleware(stack=("AutoFixViewCache",))
    assert judge(replace(GOOD, booted=booted), "registered").verdict is Verdict.PASS


def booted(**told: Any) -> Evidence:
    """Return good evidence with another kernel."""
    return replace(GOOD, booted=Middleware.model_validate({"stack": ()} | told))


def answers(*marks: str, marked: bool = True) -> Evidence:
    """Return good evidence with an answer of each of these marks."""
    return replace(GOOD, answers=tuple(replace(WHOLE, auto_fix=mark) for mark in marks), marked=marked)


def repaired(**changes: Any) -> Evidence:
    """Return good evidence with changes to the repair."""
    return replace(GOOD, repair=replace(REPAIRED, **changes))


BOOTED = "the booted application"
HEADER = "the X-Auto-Fix-View-Cache header of the running workers"
DAMAGED = "calls/enhanced.html, cut in half and then requested"


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("registered", GOOD, passed("AutoFixViewCache is number 2 of 2", seen_by=BOOTED), id="registered"),
        pytest.param("registered", replace(GOOD, booted=Unobserved("no console")),
            unknown("the application could not be asked for its middleware: no console"), id="not-asked"),
        pytest.param("registered", booted(stack=("a.AutoFixViewCache",), route=("AutoFixViewCache:60",)),
            failed("AutoFixViewCache is registered 2 times", "once",
                remedy="register AutoFixViewCache once in bootstrap/app.py: each further one repairs the repair",
                seen_by=BOOTED), id="twice"),
        pytest.param("registered", booted(stack=("a.B",), route=("a.AutoFixViewCache:60.5",), route_uri="calls/{id}"),
            passed("AutoFixViewCache is on the page's own route, calls/{id}", seen_by=BOOTED), id="on-the-route"),
        pytest.param("registered", booted(groups={"api": (), "web": ("a.AutoFixViewCache",)}, route_error="NotFound"),
            unknown("AutoFixViewCache is in the group web; whether the page runs that is not known: NotFound",
                remedy="name the page's real path as page.path", seen_by=BOOTED), id="in-a-group-of-no-known-route"),
        pytest.param("registered", booted(groups={"web": ("a.AutoFixViewCache",), "api": ("a.AutoFixViewCache",),
            "cli": ("a.B",)}, route=(), route_uri="calls"),
            failed("AutoFixViewCache is in the group web, api, which the page's route calls does not run",
                "on every request, or on that route",
                remedy="append AutoFixViewCache to the global middleware, or to the panel's own ->middleware([…])",
                seen_by=BOOTED), id="in-groups-that-do-not-run"),
        pytest.param("registered", booted(),
            failed("the booted application runs no middleware at all", "AutoFixViewCache among them", seen_by=BOOTED),
            id="nothing"),
        pytest.param("registered", booted(stack=tuple(f"a.{letter}" for letter in "ABCDEFGH"), route=("b.I",)),
            failed("the booted application runs A, B, C, D, E, F, G, H and 1 more", "AutoFixViewCache among them",
                seen_by=BOOTED), id="others"),
        pytest.param("answers", GOOD,
            passed("all 3 answers passed through it", seen_by=HEADER, marked=3), id="answers"),
        pytest.param("answers", replace(GOOD, answers=()),
            unknown("no worker answered: no request was made"), id="no-request"),
        pytest.param("answers", replace(GOOD, answers=(Answer(error="ConnectError"), Answer(error="ReadTimeout"))),
            unknown("no worker answered: ConnectError"), id="refused"),
        pytest.param("answers", replace(GOOD, answers=(Answer(error="ConnectError"), WHOLE)),
            passed("all 1 answers passed through it", seen_by=HEADER, marked=1), id="one-refused"),
        pytest.param("answers", answers("untouched", "", "repaired", "other", marked=False),
            failed("2 of 4 answers did not pass through the middleware", "0: the running workers have it, too",
                remedy="reload the workers: what runs is older than bootstrap/app.py, or the middleware is swallowed",
                seen_by=HEADER, unmarked=2), id="one-unmarked"),
        pytest.param("answers", answers("", "", marked=False),
            not_applicable("none of 2 answers carries X-Auto-Fix-View-Cache, and none has to here"),
            id="none-marked-and-none-has-to-be"),
        pytest.param("answers", answers("", ""),
            failed("2 of 2 answers did not pass through the middleware", "0: the running workers have it, too",
                remedy="reload the workers: what runs is older than bootstrap/app.py, or the middleware is swallowed",
                seen_by=HEADER, unmarked=2), id="none-marked-and-all-have-to-be"),
        pytest.param("repairs", GOOD,
            passed("repaired during the request, in 40 ms", seen_by=DAMAGED, repair_seconds=0.04), id="repaired"),
        pytest.param("repairs", repaired(seconds=12.0),
            passed("repaired during the request, in 12000 ms", seen_by=DAMAGED, repair_seconds=12.0),
            id="repaired-slowly"),
        pytest.param("repairs", replace(GOOD, repair=None),
            passed("effect not exercised: this environment is read only (--intrusive exercises it)"), id="read-only"),
        pytest.param("repairs", replace(GOOD, repair=Unobserved("no current")),
            unknown("its effect could not be exercised: no current"), id="not-planted"),
        pytest.param("repairs", repaired(answer=replace(WHOLE, status=500)),
            failed("the damaged page answered 500", "a complete 200", seen_by=DAMAGED), id="status"),
        pytest.param("repairs", repaired(answer=replace(WHOLE, status=503, sentinel=False)),
            failed("the damaged page answered 503 without the page", "a complete 200", seen_by=DAMAGED),
            id="status-without-the-page"),
        pytest.param("repairs", repaired(answer=replace(WHOLE, sentinel=False)),
            failed("the damaged page answered 200 without the page", "a complete 200", seen_by=DAMAGED), id="blank"),
        pytest.param("repairs", repaired(answer=replace(WHOLE, document_end=False)),
            failed("the damaged page answered 200", "a complete 200", seen_by=DAMAGED), id="cut-off"),
        pytest.param("repairs", repaired(answer=Answer(error="ReadTimeout")),
            failed("the damaged page answered ReadTimeout", "a complete 200", seen_by=DAMAGED), id="no-answer"),
        pytest.param("repairs", repaired(state_after="truncated: 1 of 2 bytes"),
            failed("after a complete answer its compiled file was still truncated: 1 of 2 bytes",
                "intact: the middleware repairs what it meets",
                remedy="it is registered and does nothing: see that it wraps the views and that nothing swallows it",
                seen_by=DAMAGED), id="left-broken"),
        pytest.param("repairs", repaired(seconds=None),
            failed("after a complete answer its compiled file was still intact",
                "intact: the middleware repairs what it meets",
                remedy="it is registered and does nothing: see that it wraps the views and that nothing swallows it",
                seen_by=DAMAGED), id="not-timed"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told
