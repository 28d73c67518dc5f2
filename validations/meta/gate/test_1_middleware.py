"""Validation 1 sees through a registration that is a comment, twice there, not reloaded, or without effect."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import Middleware, Unobserved
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Level, Scalar, Verdict
from validations.contracts import DECLARED, OBSERVED, RESOLVED
from validations.gate.test_1_middleware import MARKS, Evidence, judge
from validations.places import places

WHOLE = Answer(status=200, bytes=90_000, sentinel=True, document_end=True, auto_fix="untouched")
REPAIRED = Repair("calls/enhanced.html", "/f.view", WHOLE, "intact", 0.04)
STACK = Middleware(stack=("gateway.TrustedHosts", "gateway.AutoFixViewCache"))
GOOD = Evidence("AutoFixViewCache", STACK, (WHOLE,) * 3, REPAIRED)
REFUSED = (Answer(error="ConnectError"), Answer(error="ReadTimeout"))


def booted(*stack: str, **told: Any) -> Evidence:
    """Return good evidence with another kernel."""
    return replace(GOOD, booted=Middleware.model_validate({"stack": stack} | told))


def answers(*marks: str, marked: bool = True) -> Evidence:
    """Return good evidence with an answer of each of these marks."""
    return replace(GOOD, answers=tuple(replace(WHOLE, auto_fix=mark) for mark in marks), marked=marked)


def repaired(**changes: Any) -> Evidence:
    """Return good evidence with changes to the repair."""
    return replace(GOOD, repair=replace(REPAIRED, **changes))


def answered(**changes: Any) -> Evidence:
    """Return good evidence with changes to the answer of the damaged page."""
    return repaired(answer=replace(WHOLE, **changes))


IN_GROUPS = {"web": ("a.AutoFixViewCache",), "api": ("a.AutoFixViewCache",), "cli": ("a.B",)}
REGISTRIES = ("bootstrap/app.py", "bootstrap/app.php", "app/Http/Kernel.php")
ON_ROUTE = booted("a.B", route=("a.AutoFixViewCache:60.5",), route_uri="calls/{id}")


@pytest.mark.parametrize(
    ("part", "evidence", "code", "level", "told"),
    [
        pytest.param("registered", GOOD, "global", RESOLVED, "number 2 of 2", id="registered"),
        pytest.param("registered", booted(r"App\Http\AutoFixViewCache"), "global", RESOLVED, "1 of 1", id="php-class"),
        pytest.param("registered", booted("AutoFixViewCache"), "global", RESOLVED, "1 of 1", id="class-of-no-module"),
        pytest.param("registered", ON_ROUTE, "on-route", RESOLVED, "calls/{id}", id="on-the-route"),
        pytest.param("repairs", replace(GOOD, repair=None), "not-exercised", DECLARED, "effect not", id="read-only"),
    ],
)
def test_a_registered_middleware_passes(part: str, evidence: Evidence, code: str, level: Level, told: str) -> None:
    """The class in the booted stack or on the page's route is green, and an effect not exercised is only declared."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, f"middleware.{code}", level)
    assert told in finding.observed


@pytest.mark.parametrize(
    ("part", "evidence", "code", "figures"),
    [
        pytest.param("answers", GOOD, "passed", {"marked": 3}, id="answers"),
        pytest.param("answers", replace(GOOD, answers=(*REFUSED, WHOLE)), "passed", {"marked": 1}, id="some-refused"),
        # What it did to an answer is another check's matter.
        *(
            pytest.param("answers", answers(mark), "passed", {"marked": 1}, id=f"marked-{mark}")
            for mark in sorted(MARKS)
        ),
        pytest.param("repairs", GOOD, "repairs", {"repair_seconds": 0.04}, id="repaired"),
        pytest.param("repairs", repaired(seconds=12.0), "repairs", {"repair_seconds": 12.0}, id="repaired-slowly"),
    ],
)
def test_a_working_middleware_passes(part: str, evidence: Evidence, code: str, figures: dict[str, Scalar]) -> None:
    """A middleware that marks every answer and repairs a view within the request is seen at work, and measured."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, f"middleware.{code}", OBSERVED)
    assert finding.figures == figures


def test_the_repair_is_told_in_milliseconds() -> None:
    """An operator reads which view was damaged, and how many milliseconds its repair took."""
    finding = judge(GOOD, "repairs")
    assert "40 ms" in finding.observed
    assert "calls/enhanced.html" in finding.seen_by


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(booted(), "absent", "no middleware", id="nothing-booted"),
        pytest.param(booted("a.TrustedHosts"), "absent", "TrustedHosts", id="commented-out"),
        pytest.param(booted("a.NotAutoFixViewCache"), "absent", "NotAutoFixViewCache", id="name-that-ends-alike"),
        pytest.param(booted("a.AutoFixViewCacheOld"), "absent", "AutoFixViewCacheOld", id="name-that-begins-alike"),
        pytest.param(booted("a.AutoFixViewCache.Other"), "absent", "Other", id="name-of-a-module"),
        pytest.param(booted(*"ABCDEFGH", route=("b.I",)), "absent", "A, B, C, D, E, F, G, H and 1 more", id="others"),
        pytest.param(booted("a.AutoFixViewCache", "b.AutoFixViewCache"), "repeated", "2 times", id="twice"),
        pytest.param(
            booted("a.AutoFixViewCache", route=("AutoFixViewCache:60",)), "repeated", "2 times", id="and-on-the-route"
        ),
        pytest.param(
            booted(groups=IN_GROUPS, route=(), route_uri="calls"),
            "other-group",
            "web, api, which the page's route calls",
            id="in-groups-that-do-not-run",
        ),
    ],
)
def test_a_stack_without_just_one_of_it_is_red(evidence: Evidence, code: str, told: str) -> None:
    """Only the very class, once, where the page runs it counts; the failure names what runs instead."""
    finding = judge(evidence, "registered")
    assert (finding.verdict, finding.code, finding.level) == (Verdict.FAIL, f"middleware.{code}", RESOLVED)
    assert told in finding.observed


@pytest.mark.parametrize(
    ("evidence", "unmarked", "told"),
    [
        pytest.param(answers(*["untouched"] * 3, ""), 1, "1 of 4", id="none"),
        pytest.param(answers(*["untouched"] * 3, "yes"), 1, "1 of 4", id="another-word"),
        pytest.param(answers(*["untouched"] * 3, "UNTOUCHED"), 1, "1 of 4", id="another-case"),
        pytest.param(answers(*["untouched"] * 3, "untouched, untouched"), 1, "1 of 4", id="twice"),
        pytest.param(answers("", ""), 2, "2 of 2", id="all-and-they-have-to"),
        pytest.param(answers("untouched", "", "repaired", "x", marked=False), 2, "2 of 4", id="some-and-none-has-to"),
    ],
)
def test_one_answer_that_did_not_pass_through_is_red(evidence: Evidence, unmarked: int, told: str) -> None:
    """A single worker that is older than the registration is seen among many, and counted."""
    finding = judge(evidence, "answers")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "middleware.not-passed")
    assert finding.figures == {"unmarked": unmarked}
    assert told in finding.observed


def test_answers_that_need_no_mark_and_have_none_do_not_count() -> None:
    """Where the environment marks no answers, their lack of a mark shows nothing."""
    finding = judge(answers("", "", marked=False), "answers")
    assert (finding.verdict, finding.code) == (Verdict.NOT_APPLICABLE, "middleware.unmarked-by-agreement")


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(answered(status=500), "page", "answered 500", id="error"),
        pytest.param(answered(status=503, sentinel=False), "page", "503 without the page", id="error-without-the-page"),
        pytest.param(answered(sentinel=False), "page", "200 without the page", id="blank-200"),
        pytest.param(answered(document_end=False), "page", "answered 200", id="cut-off"),
        pytest.param(repaired(answer=Answer(error="ReadTimeout")), "page", "ReadTimeout", id="no-answer"),
        pytest.param(repaired(state_after="truncated: 1 of 2 bytes"), "file", "truncated: 1 of 2 bytes", id="left-so"),
        pytest.param(repaired(state_after="missing"), "file", "missing", id="deleted"),
        pytest.param(repaired(seconds=None), "file", "still", id="no-time"),
    ],
)
def test_a_defect_that_was_not_healed_in_the_request_is_red(evidence: Evidence, code: str, told: str) -> None:
    """A registered middleware without its effect is red, with the view, and what was answered or left."""
    finding = judge(evidence, "repairs")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"middleware.{code}-not-repaired")
    assert told in finding.observed
    assert "calls/enhanced.html" in finding.seen_by


@pytest.mark.parametrize(
    ("part", "evidence", "code", "told"),
    [
        pytest.param(
            "registered", replace(GOOD, booted=Unobserved("no console")), "not-asked", "no console", id="mute"
        ),
        pytest.param(
            "registered",
            booted(groups={"api": (), "web": ("a.AutoFixViewCache",)}, route_error="NotFound"),
            "route-not-known",
            "group web; whether the page runs that is not known: NotFound",
            id="in-a-group-of-no-known-route",
        ),
        pytest.param("answers", replace(GOOD, answers=()), "no-answer", "no request was made", id="no-request"),
        pytest.param("answers", replace(GOOD, answers=REFUSED), "no-answer", "ConnectError", id="refused"),
        pytest.param("repairs", replace(GOOD, repair=Unobserved("gone")), "effect-not-seen", "gone", id="not-planted"),
    ],
)
def test_what_was_not_seen_is_unknown(part: str, evidence: Evidence, code: str, told: str) -> None:
    """What the application or its workers did not tell, or could not be planted, is not known, and it is told why."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, f"middleware.{code}")
    assert told in finding.observed


@pytest.mark.parametrize(
    ("kind", "version", "files"),
    [
        pytest.param("gateway", "", {"bootstrap/app.py"}, id="gateway"),
        pytest.param("laravel", "10.50.0", {"app/Http/Kernel.php"}, id="laravel-10"),
        pytest.param("laravel", "11.0.0", {"bootstrap/app.php"}, id="laravel-11"),
        pytest.param("laravel", "", {"bootstrap/app.php", "app/Http/Kernel.php"}, id="laravel-of-no-known-version"),
    ],
)
@pytest.mark.parametrize(
    ("part", "evidence"),
    [
        pytest.param("registered", booted(), id="absent"),
        pytest.param("registered", booted("AutoFixViewCache", "AutoFixViewCache"), id="repeated"),
        pytest.param("answers", answers(""), id="not-passed"),
        pytest.param("repairs", answered(status=500), id="page-not-repaired"),
    ],
)
def test_the_remedy_names_the_file_that_registers_it(
    part: str, evidence: Evidence, kind: str, version: str, files: set[str]
) -> None:
    """The file to mend is the one that an application of this kind and version has, and no other's."""
    remedy = judge(replace(evidence, places=places(kind, version)), part).remedy
    assert {file for file in REGISTRIES if file in remedy} == files
