"""The few words that every judgement is put in: what each of them says, and what a failed test shows of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reports.records import Verdict
from validations.contracts import Judgement, Violation, counted, failed, listed, not_applicable, passed, unknown


@pytest.mark.parametrize(
    ("judgement", "told"),
    [
        pytest.param(lambda: passed("a"), Judgement(Verdict.PASS, "a"), id="passed"),
        pytest.param(
            lambda: passed("a", seen_by="b", n=1),
            Judgement(Verdict.PASS, "a", seen_by="b", figures={"n": 1}),
            id="passed-with-figures",
        ),
        pytest.param(lambda: failed("a", "b"), Judgement(Verdict.FAIL, "a", "b"), id="failed"),
        pytest.param(
            lambda: failed("a", "b", remedy="c", seen_by="d", n=1),
            Judgement(Verdict.FAIL, "a", expected="b", remedy="c", seen_by="d", figures={"n": 1}),
            id="failed-with-figures",
        ),
        pytest.param(lambda: unknown("a"), Judgement(Verdict.UNKNOWN, "a"), id="unknown"),
        pytest.param(
            lambda: unknown("a", remedy="b", seen_by="c"),
            Judgement(Verdict.UNKNOWN, "a", remedy="b", seen_by="c"),
            id="unknown-with-a-remedy",
        ),
        pytest.param(lambda: not_applicable("a"), Judgement(Verdict.NOT_APPLICABLE, "a"), id="not-applicable"),
    ],
)
def test_a_judgement_holds_what_it_was_given(judgement: Callable[[], Judgement], told: Judgement) -> None:
    """Each way to judge puts its words where reports look for them, and nothing elsewhere."""
    assert judgement() == told


@pytest.mark.parametrize(
    ("judgement", "text"),
    [
        pytest.param(unknown("it hung"), "it hung [locks/store on web-1]", id="observed-alone"),
        pytest.param(
            failed("it is 0777", "0755", seen_by="stat"),
            "it is 0777, but should be 0755 [locks/store on web-1 via stat]",
            id="how-it-was-seen",
        ),
        pytest.param(
            failed("it is 0777", "0755", remedy="chmod 0755 it"),
            "it is 0777, but should be 0755 [locks/store on web-1]\nremedy: chmod 0755 it",
            id="what-to-do",
        ),
    ],
)
def test_a_failed_test_says_it_all(judgement: Judgement, text: str) -> None:
    """Observed, expected, which part on which host, how it was looked at, and the remedy on a line of its own."""
    violation = Violation(judgement, where="locks/store on web-1")
    assert str(violation) == text
    assert violation.judgement is judgement


@pytest.mark.parametrize(
    ("names", "most", "text"),
    [
        pytest.param([], 3, "", id="none"),
        pytest.param(["a", "b", "c"], 3, "a, b, c", id="as-many-as-fit"),
        pytest.param(["a", "b", "c", "d", "e"], 3, "a, b, c and 2 more", id="more"),
        pytest.param(["a", "b"], 1, "a and 1 more", id="one-alone"),
    ],
)
def test_the_first_few_are_named(names: list[str], most: int, text: str) -> None:
    """Names are listed up to a number, and the rest counted; three where nobody says."""
    assert listed(names, most=most) == text
    if most == 3:
        assert listed(names) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 views"), (1, "1 view"), (2, "2 views"), (1234, "1,234 views")], ids=str
)
def test_a_number_of_things_is_told_as_people_do(number: int, text: str) -> None:
    """One is singular, and thousands are set apart."""
    assert counted(number, "view") == text
