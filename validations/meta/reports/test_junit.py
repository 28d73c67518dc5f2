"""`junit.xml` as others read it: well-formed whatever is in it, every planned part a case, counts that agree."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import JUnitXml, TestCase, TestSuite

from reports import junit
from reports.records import Key, Other, OtherOutcome, Outcome, Plan, Verdict
from validations.meta.reports.samples import HOSTILE, others, outcome, outcomes, plan, planned, plans, run

BOOTED = planned("middleware/web-1/booted", number=1)
PAGE = planned("page/web-1/page", number=7)
UPTIME = planned("availability/web-1/share", number=0)
LEDGER = plan(BOOTED, PAGE, UPTIME)


def _read(text: str) -> list[tuple[TestSuite, TestCase]]:
    """Read a report with somebody else's reader."""
    # Its annotations are those of its other flavour, which does not know attempts.
    report: Any = JUnitXml.fromstring(text.encode())
    return [(suite, case) for suite in report for case in suite]


def _report(*came: Outcome, interrupted: dict[Key, str] | None = None, tests: tuple[Other, ...] = ()) -> str:
    ran = run(LEDGER, came, tests, interrupted=interrupted)
    return junit.render(ran, ran.gate, folder="reports/latest")[0]


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
        pytest.param(Verdict.NOT_APPLICABLE, Skipped, "NotApplicable", id="not-applicable"),
    ],
)
def test_a_verdict_has_its_element(verdict: Verdict, kind: type, word: str | None) -> None:
    """The message stands in the attribute and in the text, for readers that know one of the two."""
    came = outcome("page/web-1/page", verdict, reason="blank, but should be whole", remedy="artisan view:cache")
    (result,) = _case(_report(came), "page").result
    assert (type(result), result.type, result.message) == (kind, word, came.finding.reason)
    assert result.text.startswith(came.finding.reason)
    assert ("remedy: artisan view:cache" in result.text) == (kind is not Skipped)


def test_a_part_that_passes_has_its_place_and_its_figures() -> None:
    """File and line for those who show the source, time in three decimals, figures as properties."""
    case = _case(_report(outcome("page/web-1/page", figures={"requests": 300})), "page")
    assert case.result == []
    element = case._elem  # noqa: SLF001 - junitparser has no words for these
    assert (element.get("file"), element.get("line")) == ("gate/test_page.py", "7")
    assert element.get("time") == "0.250"
    told = {one.get("name"): one.get("value") for one in element.iter("property")}
    tags = {"dd_tags[viewgate.host]": "web-1", "dd_tags[viewgate.verdict]": "pass"}
    assert (
        told
        == {
            "host": "web-1",
            "verdict": "pass",
            "code": "page.sample",
            "level": "observed",
            "requests": "300",
        }
        | tags
    )


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
        Other("meta/test_a.py::TestB::test_c[x::y]", "passed", 0.1, "", 0.0),
        Other("meta/test_a.py::test_d", "failed", 0.1, "AssertionError", 0.0),
        Other("meta/test_a.py::test_d", "skipped", 0.1, "no php", 0.0),
        Other("meta/test_broken.py", "error", 0.0, "SyntaxError", 0.0),
        Other("", "interrupted", 0.0, "", 0.0),
    )
    cases = [case for suite, case in _read(_report(tests=tests)) if suite.name == "tests of no cell"]
    assert [(case.classname, case.name) for case in cases] == [
        ("meta.test_a.TestB", "test_c[x::y]"),
        ("meta.test_a", "test_d"),
        ("meta.test_a", "test_d~2"),
        ("meta.test_broken", "meta/test_broken.py"),
        ("session", "unnamed"),
    ]
    assert [[type(result) for result in case.result] for case in cases] == [[], [Failure], [Skipped], [Error], [Error]]


def test_an_unknown_objective_that_is_not_required_is_skipped() -> None:
    """What the gate passes without turns no dashboard red."""
    share = planned("availability/web-1/share", number=0, required=False)
    ran = run(plan(PAGE, share), [outcome("page/web-1/page"), outcome("availability/web-1/share", Verdict.UNKNOWN)])
    assert ran.gate.verdict is Verdict.PASS
    (result,) = _case(junit.render(ran, ran.gate)[0], "share").result
    assert (type(result), result.type) == (Skipped, "Unknown")


def test_attempts_that_failed_are_told_beside_the_result() -> None:
    """The worst attempt is the failure, another one that failed a rerunFailure; one that passed is no mending."""
    came = [outcome("page/web-1/page", Verdict.FAIL, reason=f"blank {n}", started=n) for n in (1.0, 2.0)]
    case = _case(_report(*came, outcome("page/web-1/page", started=3.0)), "page")
    (failure,) = case.result
    assert (type(failure), failure.message) == (Failure, "blank 1.0")
    assert [(one.type, one.message, one.stack_trace) for one in case.rerun_failures()] == [
        ("Failed", "attempt 2: blank 2.0", "attempt 2: blank 2.0")
    ]


@pytest.mark.parametrize(
    ("last", "tag"),
    [pytest.param("passed", "flakyFailure", id="passes"), pytest.param("failed", "rerunFailure", id="fails")],
)
def test_a_test_that_another_plugin_repeats_is_one_case(last: OtherOutcome, tag: str) -> None:
    """pytest-rerunfailures makes each attempt a test that passes; here they are attempts of one."""
    tests = [Other("test_a.py::test_b", outcome, 0.1, "flap", 0.0) for outcome in ("repeated", "repeated", last)]
    (case,) = [case for suite, case in _read(_report(tests=tuple(tests))) if suite.name == "tests of no cell"]
    assert [type(result) for result in case.result] == ([] if last == "passed" else [Failure])
    assert [one._tag for one in (*case.flaky_failures(), *case.rerun_failures())] == [tag, tag]  # noqa: SLF001


def test_pictures_are_attached_as_gitlab_and_azure_look_for_them() -> None:
    """One system-out, a line an attachment, the path as seen from the project."""
    paths = ("attachments/page-tier-1.png", "attachments/page-tier-2.png")
    case = _case(_report(outcome("page/web-1/page", Verdict.FAIL, attachments=paths)), "page")
    assert case.system_out.splitlines() == [f"[[ATTACHMENT|reports/latest/{path}]]" for path in paths]


@pytest.fixture(scope="module", name="schema")
def _schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(Path(__file__).parent / "schemas" / "junit-10.xsd")


def test_the_extended_report_says_what_the_schema_does_not_know(schema: xmlschema.XMLSchema) -> None:
    """Were the extended report valid, the strict one would be nothing of its own."""
    ran = run(LEDGER)
    extended, strict = junit.render(ran, ran.gate)
    assert schema.is_valid(strict)
    assert not schema.is_valid(extended)


@given(ledger=plans, came=st.lists(outcomes, max_size=4), tests=st.lists(others, max_size=4))
def test_a_report_is_sound_whatever_is_in_it(
    schema: xmlschema.XMLSchema, ledger: Plan, came: list[Outcome], tests: list[Other]
) -> None:
    """Well-formed, counts equal to the cases, names unique, the gate last, the strict one valid: for any text."""
    drawn = [part.key for part in ledger.parts]
    ours = [
        replace(one, check=check, host=host, part=part) for one, (check, host, part) in zip(came, drawn, strict=False)
    ]
    ran = run(ledger, [*ours, *came[len(drawn) :]], tests)
    extended, strict = junit.render(ran, ran.gate)
    schema.validate(strict)
    _hold_sound(extended)
    _hold_sound(strict)
    _hold_to_consumers(extended)


def _hold_to_consumers(text: str) -> None:
    """Hold a report to what each consumer wants of it, beyond being well-formed."""
    # GitLab takes no file of 30 MB, and no more than this many test cases.
    assert len(text.encode()) < 30_000_000
    root = ET.fromstring(text.encode())
    for suite in root:
        # Jenkins drops a suite without test cases; Azure reads its timestamp.
        assert suite.findall("testcase")
        datetime.strptime(suite.get("timestamp", ""), "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - UTC without saying so
        # Datadog's tags are properties of exactly this form.
        names = [one.get("name", "") for one in suite.findall("properties/property")]
        assert any(re.fullmatch(r"dd_tags\[[\w.]+\]", name) for name in names)
    for case in root.iter("testcase"):
        # Buildkite refuses a case without either; junit-10 knows three decimals.
        assert case.get("classname")
        assert case.get("name")
        assert re.fullmatch(r"\d+\.\d{3}", case.get("time", ""))
        results = [one for one in case if one.tag in ("failure", "error", "skipped")]
        # dorny/test-reporter and GitLab read the first result only.
        assert len(results) <= 1
        for result in results:
            # GitLab shows the text alone, Azure and the GitHub actions the message; all group by the type.
            assert result.get("type")
            assert result.get("message")
            start = (result.get("message") or "").partition("... (")[0][:100]
            assert (result.text or "").startswith(start)
            # GitHub cuts a check at 65,535 characters.
            assert len(result.text or "") < 65_535
        for out in case.findall("system-out"):
            # GitLab's own pattern.
            assert re.match(r"\[\[ATTACHMENT\|(?P<path>[^\[\]\|]+?)\]\]", out.text or "")


def _hold_sound(text: str) -> None:
    root = ET.fromstring(text.encode())
    cases = list(root.iter("testcase"))
    names = Counter((case.get("classname"), case.get("name")) for case in cases)
    assert max(names.values()) == 1
    assert cases[-1].get("name") == "gate.verdict"
    for element in [root, *root]:
        own = list(element.iter("testcase"))
        assert element.get("tests") == str(len(own))
        for name, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
            if (element is root) and name == "skipped" and element.get(name) is None:
                continue
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
