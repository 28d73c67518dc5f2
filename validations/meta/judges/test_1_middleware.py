"""Validation 1 sees through a registration that is a comment, twice there, not reloaded, or without effect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.observation.facts import Middleware, Unobserved
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Verdict
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
