"""Looking again until it is green: what is confirmed, what comes and goes, and what is never made green by luck."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.environments.settings import Page
from fixtures.observation.pages import Answer, PageObservation
from reports.records import Finding, Level, Verdict
from validations.gate import test_7_page as page
from validations.waiting import Look, goes_on, pause, settled

WORDS = {"P": Verdict.PASS, "F": Verdict.FAIL, "U": Verdict.UNKNOWN, "-": Verdict.NOT_APPLICABLE, "S": Verdict.FAIL}


def saw(letter: str) -> Finding:
    """Return the finding of a letter."""
    return Finding(WORDS[letter], "page.complete", f"saw {letter}", level=Level.OBSERVED, sporadic=letter == "S")


def looks(*words: str) -> list[Look]:
    """Return a look for each word; a letter for each part (S: failed, and it came and went within that look)."""
    return [Look({str(n): saw(x) for n, x in enumerate(word)}, 0.0, 0.0) for word in words]


@pytest.mark.parametrize(
    ("seen", "more"),
    [
        pytest.param(["P"], False, id="green-at-once"),
        pytest.param(["F"], True, id="red"),
        pytest.param(["U"], True, id="unknown"),
        pytest.param(["F", "P"], True, id="green-to-confirm"),
        pytest.param(["U", "P"], True, id="seen-at-last-to-confirm"),
        pytest.param(["F", "P", "P"], False, id="confirmed"),
        pytest.param(["F", "P", "F"], False, id="came-and-went"),
        pytest.param(["F", "PF", "FP"], False, id="another-part-came-and-went"),
        pytest.param(["FF", "PF"], True, id="one-part-left"),
        pytest.param(["F", "S"], False, id="sporadic"),
        pytest.param(["-P"], False, id="not-applicable"),
    ],
)
def test_it_is_looked_at_until_green_is_confirmed(seen: list[str], more: bool) -> None:  # noqa: FBT001 - a column
    """After a red look a green one needs a second; what comes and goes needs no more looks."""
    assert goes_on(looks(*seen), required=True, time_left=True) is more


def test_the_time_ends_it_but_not_a_confirmation() -> None:
    """When the time is over no red is looked at again; a green that has to be confirmed is."""
    assert not goes_on(looks("F", "F"), required=True, time_left=False)
    assert goes_on(looks("F", "P"), required=True, time_left=False)
    assert not goes_on(looks("U"), required=False, time_left=True)


@pytest.mark.parametrize(
    ("seen", "verdict", "said"),
    [
        pytest.param(["P"], "P", "saw P", id="green-at-once"),
        pytest.param(["F", "F", "P", "P"], "P", "saw P", id="confirmed"),
        pytest.param(["U", "P", "P"], "P", "saw P", id="seen-at-last"),
        pytest.param(["F", "F"], "F", "saw F", id="still-red"),
        pytest.param(["F", "P"], "U", "no further one to confirm it", id="not-confirmed"),
        pytest.param(["P", "F", "P", "P"], "F", "good at look 1 and bad at look 2", id="bad-after-good"),
        pytest.param(["F", "P", "F"], "F", "good at look 2 and bad at look 3", id="lucky-look"),
        pytest.param(["S", "P", "P"], "F", "it came and went at look 1 of 3", id="sporadic-within-a-look"),
        pytest.param(["P", "U", "P"], "U", "no further one to confirm it", id="not-seen-between"),
        pytest.param(["P", "U", "P", "P"], "P", "saw P", id="not-seen-once"),
        pytest.param(["S"], "F", "saw S", id="one-look"),
    ],
)
def test_all_looks_together_decide(seen: list[str], verdict: str, said: str) -> None:
    """The last confirmed look decides, unless the part was bad after it had been good."""
    finding = settled(looks(*seen), "0")
    assert finding.verdict is WORDS[verdict]
    assert said in finding.observed


@given(st.lists(st.sampled_from("PFUS"), min_size=1, max_size=6))
def test_no_luck_makes_it_green(word: list[str]) -> None:
    """Whatever was seen: green needs a green end, and no look that was bad after a good one."""
    finding = settled(looks(*word), "0")
    if finding.verdict is Verdict.PASS:
        assert word[-1] == "P"
        assert len(word) == 1 or word[-2] == "P"
        assert "S" not in word
        first = word.index("P")
        assert "F" not in word[first:]


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        pytest.param(["PP", "PU"], "page.sporadic", id="bad-after-good"),
        pytest.param(["FP", "PP"], "page.blank", id="another-part-was-good"),
    ],
)
def test_what_comes_and_goes_is_told_with_its_looks(seen: list[str], code: str) -> None:
    """A failure that comes and goes keeps how it was looked at and its figures, and names both looks."""
    last = Finding(Verdict.FAIL, "page.blank", "blank", seen_by="GET /", figures={"requests": 9})
    history = [*looks(*seen), Look({"0": last}, 0.0, 0.0)]
    if code == "page.blank":
        history = [Look({"1": look.findings["1"]}, 0.0, 0.0) for look in history[:-1]] + history[-1:]
    told = settled(history, "0")
    assert (told.verdict, told.code) == (Verdict.FAIL, code)
    assert (told.seen_by, dict(told.figures)) == ("GET /", {"requests": 9})
    assert ("look 1" in told.observed and "look 3" in told.observed) is (code == "page.sporadic")


def test_a_green_that_nobody_confirmed_says_so() -> None:
    """The look that was good is named, and what it saw."""
    told = settled(looks("U", "F", "P"), "0")
    assert (told.verdict, told.code, told.level) == (Verdict.UNKNOWN, "page.unconfirmed", Level.OBSERVED)
    assert "look 3" in told.observed
    assert "saw P" in told.observed


def test_pauses_grow() -> None:
    """Each pause is longer than the one before, up to a limit."""
    assert [pause(number) for number in range(1, 9)] == [1.0, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10.0, 10.0]


def answers(word: str) -> tuple[Answer, ...]:
    """Return answers that each take two seconds, one a second: P whole, F blank."""
    whole = {"bytes": 5000, "sentinel": True, "document_end": True}
    return tuple(
        Answer(status=200, seconds=2.0, asked=100.0 + second, **(whole if letter == "P" else {}))  # type: ignore[arg-type]
        for second, letter in enumerate(word)
    )


@pytest.mark.parametrize(
    ("word", "sporadic"),
    [
        pytest.param("FFFFPPPP", False, id="bad-then-good"),
        pytest.param("FFPFFFPP", True, id="good-between"),
        pytest.param("FFPFPPPP", False, id="asked-before-the-first-good-came"),
        pytest.param("PPPPPPPF", True, id="good-then-bad"),
        pytest.param("FFFF", False, id="all-bad"),
    ],
)
def test_answers_that_come_and_go_are_sporadic(word: str, sporadic: bool) -> None:  # noqa: FBT001 - a column
    """Within one look the page comes and goes where a request was bad that began after a good answer had come."""
    seen = PageObservation("http://shop.test/", "s", answers(word), None, "")
    finding = page.judge(page.Evidence(Page(), seen, "r1"), "complete")
    assert finding.verdict is Verdict.FAIL
    assert finding.sporadic is sporadic
