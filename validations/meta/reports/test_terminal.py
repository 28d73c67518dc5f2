"""The end of a run in a terminal: the eight in their order, what is not green and what to do, the verdict last."""

from __future__ import annotations

import re

import pytest

from reports import terminal
from reports.explored import Faults
from reports.records import Verdict
from reports.verdict import judge
from validations.meta.reports.samples import HOSTILE, outcome, plan, planned

CHECKS = ("middleware", "writable", "deployment", "health", "locks", "filament", "page", "disclosure")
LEDGER = plan(
    *[planned(f"{check}/web-1/{part}", number=n) for n, check in enumerate(CHECKS, 1) for part in ("a", "b")],
    planned("availability/web-1/share", number=0, required=False),
)
FINE = [outcome("/".join(part.key), reason="as it should be") for part in LEDGER.parts]


def _told(*worse: str, verdict: Verdict = Verdict.FAIL, reason: str = "0777, but should be 0755") -> str:
    """Return the summary of a run in which these parts have another verdict."""
    came = [
        outcome("/".join(one.key), verdict, reason=reason, remedy="chmod 0755 storage")
        if "/".join(one.key) in worse
        else one
        for one in FINE
    ]
    return terminal.summary(LEDGER, judge(LEDGER, came))


def test_the_eight_stand_in_the_order_of_the_brief() -> None:
    """One line each, with number, id, verdict, level of evidence, parts, time and reason."""
    lines = _told().splitlines()
    assert lines[0] == "the eight validations of staged (staged), web-1"
    rows = [line.split(maxsplit=6) for line in lines[2:10]]
    assert [row[:5] for row in rows] == [
        [str(n), check, "pass", "observed", "2/2"] for n, check in enumerate(CHECKS, 1)
    ]
    assert rows[0][5:] == ["0.50s", "as it should be"]


def test_what_is_not_green_comes_with_its_remedy() -> None:
    """Observed, expected, where, and what to do: said once, and only for what is not green."""
    told = _told("writable/web-1/b")
    row = told.splitlines()[3]
    assert row.split(maxsplit=6) == ["2", "writable", "FAIL", "observed", "1/2", "0.50s", "b: 0777, but should be 0755"]
    block = told[told.index("2 writable on web-1: FAIL") :].splitlines()
    assert block[1:] == ["  b: 0777, but should be 0755 [writable.sample]", "    remedy: chmod 0755 storage"]
    assert told.count("remedy:") == 1


def test_parts_that_say_the_same_are_told_once() -> None:
    """A hundred missing fields are one fault and one remedy."""
    parts = [planned(f"disclosure/web-1/field-{n:03}", number=8) for n in range(112)]
    ledger = plan(*parts)
    came = [outcome("/".join(part.key), Verdict.FAIL, reason="absent", remedy="render it") for part in parts]
    told = terminal.summary(ledger, judge(ledger, came))
    assert "field-000, field-001, field-002, field-003, field-004 and 107 more: absent" in told
    assert told.count("render it") == 1
    distinct = [outcome("/".join(part.key), Verdict.FAIL, reason=part.part) for part in parts]
    assert "and 107 more parts that are not green: see junit.xml" in terminal.summary(ledger, judge(ledger, distinct))


def test_cells_of_which_nothing_ran_are_told_together() -> None:
    """With `-k` of a subset seven checks have one cause and one remedy."""
    told = terminal.summary(LEDGER, judge(LEDGER, FINE[:4]))
    names = "3 deployment, 4 health, 5 locks, 6 filament, 7 page, 8 disclosure, availability"
    assert f"NOT RUN: {names} (13 parts)\n    remedy: let the whole gate run" in told
    assert told.count("remedy:") == 1


def test_several_hosts_stand_as_rows_below_their_check() -> None:
    """Each cell has its line; a check is named once."""
    ledger = plan(*[planned(f"page/web-{n}/page", number=7) for n in (1, 2)])
    told = terminal.summary(ledger, judge(ledger, [outcome("page/web-1/page")]))
    rows = told.splitlines()[:4]
    assert rows[0].endswith("2 hosts")
    assert rows[1].split() == ["#", "check", "host", "verdict", "evidence", "parts", "time", "reason"]
    assert rows[2].split()[:4] == ["7", "page", "web-1", "pass"]
    assert rows[3].split()[:3] == ["web-2", "NOT", "RUN"]


def test_objectives_stand_apart_with_value_and_target() -> None:
    """An objective is told as what was measured against what was promised."""
    share = outcome("availability/web-1/share", Verdict.UNKNOWN, figures={"value": 0.98765, "target": "99.9 %"})
    told = terminal.summary(LEDGER, judge(LEDGER, [*FINE[:-1], share]))
    assert "objectives: 1 UNKNOWN" in told
    assert re.search(r"availability +UNKNOWN +0\.9877 \(99\.9 %\)", told)


@pytest.mark.parametrize("reason", ["x" * 5_000, "many words " * 500, HOSTILE * 50], ids=["long", "words", "hostile"])
def test_the_table_fits_a_hundred_columns_and_steers_no_terminal(reason: str) -> None:
    """What an observed page says is cut to the table's width, and its control characters are shown, not sent."""
    told = _told("page/web-1/a", reason=reason)
    table = told.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= terminal.WIDTH
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", told)
    told.encode()


def test_colour_only_underlines_what_the_words_say() -> None:
    """Without its colours the text is the same, so nobody needs to see them."""
    gate = judge(LEDGER, FINE[1:])
    plain, painted = (terminal.summary(LEDGER, gate, colour=colour) for colour in (False, True))
    assert "\033[" not in plain
    assert plain != painted
    assert re.sub("\033\\[[0-9;]*m", "", painted) == plain
    last = terminal.verdict_line(gate, reports="r", colour=True)
    assert re.sub("\033\\[[0-9;]*m", "", last) == terminal.verdict_line(gate, reports="r")


@pytest.mark.parametrize(
    ("came", "line"),
    [
        pytest.param(FINE, "gate: PASSED: 8 of 8 cells passed, none failed and none required is unknown", id="passed"),
        pytest.param(FINE[1:], "gate: FAILED: 1 of 17 planned parts did not run", id="part-missing"),
        pytest.param(
            [*FINE[1:], outcome("middleware/web-1/a", Verdict.FAIL)], "gate: FAILED: failed: 1 middleware", id="failed"
        ),
        pytest.param(
            [*FINE[1:], outcome("middleware/web-1/a", Verdict.UNKNOWN)],
            "gate: INCONCLUSIVE: unknown: 1 middleware",
            id="inconclusive",
        ),
    ],
)
def test_the_last_line_is_the_verdict(came: list[object], line: str) -> None:
    """One line for a log's reader: the verdict, why, and where the reports are."""
    gate = judge(LEDGER, came)  # type: ignore[arg-type]
    assert terminal.verdict_line(gate, reports="reports/latest") == f"{line}; reports in reports/latest"


def test_tests_that_fail_beside_the_gate_are_named_in_the_last_line() -> None:
    """A gate that passed in a run that failed does not read as if all were well."""
    line = terminal.verdict_line(judge(LEDGER, FINE), reports="r", others_failed=2)
    assert line.endswith("; beside the gate, tests that did not pass: 2; reports in r")


def test_one_root_cause_is_told_once() -> None:
    """Cells that are unknown because of one thing have one block between them, under that thing."""
    parts = [planned(f"{check}/web-1/it", number=number) for number, check in ((1, "middleware"), (5, "locks"))]
    came = [
        outcome(f"{part.check}/web-1/it", Verdict.UNKNOWN, reason="not observed", cause="web-1 is down", remedy="wake")
        for part in parts
    ]
    said = terminal.summary(plan(*parts), judge(plan(*parts), came))
    assert said.count("web-1 is down") == 1
    assert "UNKNOWN because web-1 is down\n  middleware, locks on web-1 (2 parts)\n    remedy: wake" in said


def test_planted_faults_are_counted_by_area_whoever_planted_them() -> None:
    """What every process told of its faults is one table, and a fault that is not just what it declares has a line."""
    parts = [
        [["a", "page", ["page"], ["page"]], ["b", "locks", ["locks", "health"], ["locks"]]],
        [["c", "page", [], ["filament"]]],
    ]
    told = Faults.of([Faults.from_json("test", {"seconds": 1.5, "rows": rows}) for rows in parts])
    assert (told.caught, told.missed, told.false_alarms) == (2, 1, 1)
    table = terminal.confusion(told).splitlines()
    assert [line.split() for line in table[:4]] == [
        ["area", "faults", "caught", "missed", "false", "alarms"],
        ["page", "2", "1", "0", "1"],
        ["locks", "1", "1", "1", "0"],
        ["all", "3", "2", "1", "1"],
    ]
    assert table[4:] == [
        "b: declared locks, health; seen locks",
        "c: declared nothing; seen filament",
        "in 3 s, one after another",
    ]
