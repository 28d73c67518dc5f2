"""`junit.xml` as others read it: well-formed whatever is in it, every planned part a case, counts that agree."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from reports import junit
from reports.records import Key, Other, Outcome, Plan, Verdict
from reports.verdict import judge
from validations.meta.reports_samples import HOSTILE, others, outcome, outcomes, plan, planned, plans

BOOTED = planned("middleware/web-1/booted", number=1)
PAGE = planned("page/web-1/page", number=7)
UPTIME = planned("availability/web-1/share", number=0)
LEDGER = plan(BOOTED, PAGE, UPTIME)


def _read(text: str) -> list[tuple[TestSuite, TestCase]]:
    """Read a report with somebody else's reader."""
    report = JUnitXml.fromstring(text.encode())
    return [(suite, case) for suite in report for case in suite]


def _report(*came: Outcome, interrupted: dict[Key, str] | None = None, tests: tuple[Other, ...] = ()) -> str:
    return junit.render(LEDGER, judge(LEDGER, came, interrupted=interrupted), tests, started=0.0)


def _case(text: str, name: str) -> TestCase:
    (case,) = [case for _, case in _read(text) if case.name == name]
    return case


def test_before_anything_ran_every_part_is_an_error() -> None:
    """The first report of a run: nothing ran, and the gate has failed."""
    read = _read(_report())
    assert [(suite.name, case.classname, case.name) for suite, case in read] == [
        ("1-middleware", "viewgate.staged.1-middleware.web-1", "booted"),
        ("7-page", "viewgate.staged.7-page.web-1", "page"),
        ("objectives", "viewgate.staged.availability.web-1", "share"),
        ("gate", "viewgate", "gate.verdict"),
    ]
    for _, case in read[:-1]:
        (result,) = case.result
        assert (type(result), result.type) == (Error, "NotRun")
    (verdict,) = read[-1][1].result
    assert isinstance(verdict, Failure)
    assert verdict.message == "3 of 3 planned parts did not run"


@pytest.mark.parametrize(
    ("verdict", "kind", "word"),
    [
        pytest.param(Verdict.FAIL, Failure, "Failed", id="fail"),
        pytest.param(Verdict.UNKNOWN, Error, "Unknown", id="unknown"),
        pytest.param(Verdict.NOT_APPLICABLE, Skipped, None, id="not-applicable"),
    ],
)
def test_a_verdict_has_its_element(verdict: Verdict, kind: type, word: str | None) -> None:
    """The message stands in the attribute and in the text, for readers that know one of the two."""
    came = outcome("page/web-1/page", verdict, reason="blank, but should be whole", remedy="artisan view:cache")
    (result,) = _case(_report(came), "page").result
    assert (type(result), result.type, result.message) == (kind, word, came.reason)
    assert result.text.startswith(came.reason)
    assert ("remedy: artisan view:cache" in result.text) == (kind is not Skipped)


def test_a_part_that_passes_has_its_place_and_its_figures() -> None:
    """File and line for those who show the source, time in three decimals, figures as properties."""
    case = _case(_report(outcome("page/web-1/page", figures={"requests": 300})), "page")
    assert case.result == []
    element = case._elem  # noqa: SLF001 - junitparser has no words for these
    assert (element.get("file"), element.get("line")) == ("gate/test_page.py", "7")
    assert element.get("time") == "0.250"
    told = {one.get("name"): one.get("value") for one in element.iter("property")}
    assert told == {"host": "web-1", "verdict": "pass", "requests": "300"}


def test_an_interrupted_part_and_a_stray_one_are_red() -> None:
    """What was cut off and what nobody planned are told apart from what failed."""
    text = _report(outcome("page/web-1/stray"), interrupted={PAGE.key: "worker crashed"})
    (cut,) = _case(text, "page").result
    assert (type(cut), cut.type, cut.message) == (Error, "Interrupted", "worker crashed")
    (stray,) = _case(text, "stray").result
    assert (type(stray), stray.type) == (Failure, "Unplanned")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        pytest.param(Verdict.PASS, [], id="pass"),
        pytest.param(Verdict.UNKNOWN, ["Inconclusive"], id="unknown"),
        pytest.param(Verdict.FAIL, ["Failed"], id="fail"),
    ],
)
def test_the_last_case_is_the_gate(verdict: Verdict, words: list[str]) -> None:
    """Whoever reads failures only sees that a gate did not pass, also where nothing failed."""
    came = [outcome("/".join(part.key), verdict if part is PAGE else Verdict.PASS) for part in LEDGER.parts]
    case = _read(_report(*came))[-1][1]
    assert case.name == "gate.verdict"
    assert [result.type for result in case.result] == words


def test_tests_of_no_cell_stand_under_their_file() -> None:
    """Tests of the suite itself in the same run are told too, and apart from the gate."""
    tests = (
        Other("meta/test_a.py::TestB::test_c[x::y]", "passed", 0.1, ""),
        Other("meta/test_a.py::test_d", "failed", 0.1, "AssertionError"),
        Other("meta/test_a.py::test_d", "skipped", 0.1, "no php"),
        Other("meta/test_broken.py", "error", 0.0, "SyntaxError"),
        Other("", "interrupted", 0.0, ""),
    )
    cases = [case for suite, case in _read(_report(tests=tests)) if suite.name == "tests of no cell"]
    assert [(case.classname, case.name) for case in cases] == [
        ("meta.test_a.TestB", "test_c[x::y]"),
        ("meta.test_a", "test_d"),
        ("meta.test_a", "test_d~2"),
        ("meta.test_broken", "meta/test_broken.py"),
        ("session", ""),
    ]
    assert [[type(result) for result in case.result] for case in cases] == [[], [Failure], [Skipped], [Error], [Error]]


@given(ledger=plans, came=st.lists(outcomes, max_size=4), tests=st.lists(others, max_size=4))
def test_a_report_is_sound_whatever_is_in_it(ledger: Plan, came: list[Outcome], tests: list[Other]) -> None:
    """Well-formed, counts equal to the cases, names unique, the gate last: for any text in any field."""
    drawn = [part.key for part in ledger.parts]
    ours = [
        replace(one, check=check, host=host, part=part) for one, (check, host, part) in zip(came, drawn, strict=False)
    ]
    gate = judge(ledger, [*ours, *came[len(drawn) :]])
    root = ET.fromstring(junit.render(ledger, gate, tests, started=0.0).encode())
    cases = root.findall("testsuite/testcase")
    names = Counter((case.get("classname"), case.get("name")) for case in cases)
    assert max(names.values()) == 1
    assert cases[-1].get("name") == "gate.verdict"
    for element in [root, *root]:
        own = list(element.iter("testcase"))
        assert element.get("tests") == str(len(own))
        for name, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
            assert element.get(name) == str(sum(case.find(tag) is not None for case in own))


def test_hostile_content_is_shown_and_does_no_harm() -> None:
    """Control characters and lone surrogates become readable escapes; markup and `]]>` stay text."""
    text = _report(outcome("page/web-1/page", Verdict.FAIL, reason=HOSTILE))
    (result,) = _case(text, "page").result
    for shown in ("\\x00\\x1b[31m]]><script>&amp;", "\\ud800\\uffff", "\U0001f9e8"):
        assert shown in result.text


def test_megabytes_are_cut() -> None:
    """A page of ten megabytes in a reason does not make a report that no dashboard takes; the remedy stays."""
    came = outcome("page/web-1/page", Verdict.FAIL, reason="x" * 10_000_000, remedy="artisan view:cache")
    text = _report(came)
    assert len(text) < 20_000
    (result,) = _case(text, "page").result
    assert "more characters" in result.message
    assert result.text.endswith("remedy: artisan view:cache")
