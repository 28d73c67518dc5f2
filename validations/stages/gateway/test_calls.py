"""The call's 112 fields, and how their values are worded."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given

from fixtures.calls.sample import SAMPLE_CALL
from fixtures.calls.schema import ABSENT, FIELDS, value_of
from fixtures.calls.strategies import Call, calls
from fixtures.gateway.web.call_view import enhanced_call_context
from validations import expectations


def test_the_schema_is_what_the_gate_expects() -> None:
    """The gateway's fields and tiers are the 112 that validation 8 pins on its own."""
    assert {field.path: field.tier for field in FIELDS} == {f.path: f.tier for f in expectations.FIELDS}
    assert Counter(field.tier for field in FIELDS) == {1: 13, 2: 19, 3: 55, 4: 25}
    assert len(FIELDS) == len({field.path for field in FIELDS}) == 112


def test_every_field_says_what_it_is() -> None:
    """Each field has a label of its own and a meaning, and a unit where its number needs one."""
    assert len({field.label for field in FIELDS}) == 112
    assert all(field.meaning.endswith(".") for field in FIELDS)
    assert all(
        field.unit
        for field in FIELDS
        if field.kind == "number" and field.path.endswith(("_ms", "_timestamp", "cost", "price"))
    )


def test_the_sample_call_has_every_field() -> None:
    """The sample leaves no field out, so that a page of it shows 112 values and no placeholder."""
    assert [field.path for field in FIELDS if value_of(SAMPLE_CALL, field.path) in (ABSENT, None, "", [], {})] == []
    rows = enhanced_call_context(SAMPLE_CALL)["rows"]
    assert [path for path, row in rows.items() if row.shown.kind == "absent"] == []


@pytest.mark.parametrize(
    ("call", "path", "expected"),
    [
        pytest.param({}, "call_id", ABSENT, id="absent"),
        pytest.param({"call_id": None}, "call_id", None, id="null"),
        pytest.param({"latency": 3}, "latency.e2e.p50", ABSENT, id="number-for-object"),
        pytest.param({"transcript_object": "x"}, "transcript_object[].role", ABSENT, id="text-for-list"),
        pytest.param({"transcript_object": []}, "transcript_object[].role", [], id="empty-list"),
        pytest.param(
            {"transcript_object": [{"role": "agent"}, {}, 7]},
            "transcript_object[].role",
            ["agent", None, None],
            id="items-without-it",
        ),
        pytest.param(
            {"transcript_object": [{"words": [{"word": "a"}, {}]}, {}, {"words": [{"word": "b"}]}]},
            "transcript_object[].words[].word",
            ["a", None, None, "b"],
            id="lists-in-lists",
        ),
        pytest.param({"latency": {"e2e": {"values": [1, 2]}}}, "latency.e2e.values[]", [1, 2], id="list-itself"),
    ],
)
def test_a_path_leads_to_its_value(call: Call, path: str, expected: Any) -> None:
    """value_of follows objects and lists, and keeps an item's place where the item has no such field."""
    assert value_of(call, path) == expected


@given(calls)
def test_columns_of_one_list_keep_beside_each_other(call: Call) -> None:
    """Fields of the same items have as many values, whatever is left out of single items."""
    words = [value_of(call, f"transcript_object[].words[].{name}") for name in ("word", "start", "end")]
    assert len({len(values) for values in words if values is not ABSENT}) <= 1


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        pytest.param("duration_ms", 83_000, "1 min 23 s", id="minutes"),
        pytest.param("duration_ms", 7_384_000, "2 h 3 min 4 s", id="hours"),
        pytest.param("duration_ms", 900, "900 ms", id="milliseconds"),
        pytest.param("duration_ms", -61_000, "-1 min 1 s", id="negative"),
        pytest.param("start_timestamp", 1_767_225_600_000, "2026-01-01 00:00:00 UTC", id="moment"),
        pytest.param("start_timestamp", 10**18, str(10**18), id="moment-out-of-range"),
        pytest.param("start_timestamp", float("nan"), "nan", id="moment-not-a-number"),
        pytest.param("call_cost.combined_cost", 12.4, "$0.124", id="cents"),
        pytest.param("call_cost.combined_cost", 250_000, "$2,500.00", id="dollars"),
        pytest.param("call_cost.combined_cost", -5, "-$0.05", id="credit"),
        pytest.param("call_cost.total_duration_unit_price", 0.15, "$0.0015 per second", id="rate"),
        pytest.param("call_cost.total_duration_seconds", 83, "1 min 23 s", id="seconds"),
        pytest.param("latency.llm.max", 880.0000000000001, "880 ms", id="float-noise"),
        pytest.param("call_analysis.call_successful", True, "Yes", id="true"),
        pytest.param("disconnection_reason", "agent_hangup", "Agent hangup", id="word"),
        pytest.param("agent_name", 7, "7", id="number-for-text"),
        pytest.param("call_id", None, "not recorded", id="null"),
        pytest.param("call_id", "  ", "empty", id="blank"),
        pytest.param("metadata", {}, "empty", id="empty-map"),
    ],
)
def test_a_value_is_worded_for_people(path: str, value: Any, text: str) -> None:
    """Numbers have their units, times their zone, and what is missing says so."""
    assert enhanced_call_context(_call_with(path, value))["rows"][path].shown.text == text


def test_what_a_text_hides_is_kept_beside_it() -> None:
    """The raw value goes along where the text is another, and only there."""
    rows = enhanced_call_context(SAMPLE_CALL)["rows"]
    assert (rows["duration_ms"].raw, rows["call_status"].raw, rows["call_id"].raw) == ("83000", "ended", "")


def test_a_transcript_is_told_by_turns() -> None:
    """A turn begins with its speaker and goes on until the next one's; a text without speakers stays whole."""
    shown = enhanced_call_context({"transcript": "Agent: One\nmore\nUser: Two\n"})["rows"]["transcript"].shown
    assert [(who, part.text) for who, part in shown.parts] == [("Agent", "One\nmore"), ("User", "Two")]
    assert enhanced_call_context({"transcript": "just words"})["rows"]["transcript"].shown.kind == "text"


def test_arguments_of_a_tool_are_taken_apart() -> None:
    """JSON in a text is shown as what it says, and a text that only looks like it stays a text."""
    path = "transcript_with_tool_calls[]"
    for content, kind in (('{"order": "1001"}', "map"), ("{not json", "text"), ("[" * 100_000, "text")):
        call = {"transcript_with_tool_calls": [{"role": "tool_call_invocation", "arguments": content}]}
        ((title, shown),) = enhanced_call_context(call)["rows"][path].shown.parts
        assert (title, [part.kind for _, part in shown.parts]) == ("Tool call invocation", [kind])


def test_nesting_without_end_is_cut() -> None:
    """A map nested deeper than people can read neither ends the page nor fills it."""
    nested: dict[str, Any] = {}
    for _ in range(300):
        nested = {"inner": nested}
    assert "nested deeper than is shown" in repr(enhanced_call_context({"metadata": nested})["rows"]["metadata"])


@given(calls)
def test_each_field_is_in_one_block_of_its_tier(call: Call) -> None:
    """Whatever the call, the tiers hold 13, 19, 55 and 25 rows, each field once, as the latency table does."""
    tiers = enhanced_call_context(call)["tiers"]
    assert [tier.fields for tier in tiers] == [13, 19, 55, 25]
    shown = Counter((row.path, tier.number) for tier in tiers for block in tier.blocks for row in block.rows)
    assert shown == Counter((field.path, field.tier) for field in FIELDS)
    (latency,) = (block for block in tiers[2].blocks if block.kind == "latency")
    cells = [row.path for _, rows in latency.lines for row in rows if row.tier == 3]
    assert sorted(cells) == sorted(row.path for row in latency.rows)


def test_the_sample_is_made_up() -> None:
    """The sample names nobody and reaches nobody: numbers and addresses are reserved for fiction."""
    text = json.dumps(SAMPLE_CALL)
    assert "+1555010" in text
    assert text.count("https://") == text.count("https://example.invalid/")


def _call_with(path: str, value: Any) -> Call:
    call: Any = value
    for name in reversed(path.split(".")):
        call = {name: call}
    return dict(call)
