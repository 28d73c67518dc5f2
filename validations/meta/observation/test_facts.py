"""A probe's answer becomes facts or a reason, whatever it holds; one bad section says nothing of the others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.observation.facts import Unobserved, parse

GOOD: dict[str, Any] = {
    "looked_by": "gateway probe as www-data",
    "seconds": 0.4,
    "application": {
        "name": "a",
        "environment": "production",
        "root": "/r",
        "release": "r1",
        "runtime_user": "www-data",
    },
    "middleware": {"stack": ["a.AutoFixViewCache"]},
    "directories": [
        {
            "role": "logs", "path": "/l", "resolved_by": "convention", "kind": "directory", "looked_as": "www-data",
            "mode": 493, "owner": "www-data", "writable": True, "read_only_mount": False, "free_bytes": 9,
            "free_inodes": 9, "unwritable_entries": [], "world_writable_entries": [], "write_error": None,
        }
    ],
    "compiled": {
        "path": "/v", "generation": "/v/g", "sources": 2, "intact": 1, "bytes": 9, "missing": ["a.html"], "damaged": [],
    },
    "script": {"path": "/s", "exists": True},
    "commands": [{"name": "view:health-check", "hidden": False, "options": ["--fix"]}],
    "health": {"exit_code": 0, "answer": {"healthy": True}, "noise": "", "error": ""},
    "locks": {"store": "redis", "url": "redis://h/0", "rebuild_key": "k", "ttl_seconds": 30},
    "caches": {"panels": ["admin"], "files": [{"role": "icons", "path": "/i", "exists": False}]},
    "log": {
        "path": "/l", "bytes": 3, "entries": 1, "levels": {"ERROR": 1}, "left_out": 0, "whole": True,
        "sent": [{"text": "[2026-11-25 11:59:00] production.ERROR: ViewException", "cut": False, "times": 1}],
    },
    "schedule": {"entries": [{"expression": "* * * * *", "command": "x"}]},
    "unobserved": {},
}  # fmt: skip
SECTIONS = sorted(set(GOOD) - {"looked_by", "seconds", "unobserved"})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_a_whole_answer_is_read() -> None:
    """Each section of a good answer is a fact."""
    facts = parse(json.dumps(GOOD))
    for section in SECTIONS:
        assert facts.seen(section) is not None
    assert facts.compiled is not None
    assert facts.compiled.missing == ("a.html",)


@pytest.mark.parametrize(
    ("section", "lost", "where"),
    [
        pytest.param("directories", "read_only_mount", "directories.0.read_only_mount", id="directory"),
        pytest.param("compiled", "damaged", "compiled.damaged", id="compiled-views"),
        pytest.param("health", "noise", "health.noise", id="health"),
    ],
)
def test_a_section_that_lacks_what_is_always_told_is_not_observed(section: str, lost: str, where: str) -> None:
    """A list that got lost is not an empty one; the other sections are facts all the same."""
    value = GOOD[section]
    short = {name: one for name, one in (value[0] if isinstance(value, list) else value).items() if name != lost}
    facts = parse(json.dumps(GOOD | {section: [short] if isinstance(value, list) else short}))
    with pytest.raises(Unobserved, match=f"the probe's answer lacks {where}"):
        facts.seen(section)
    assert all(facts.seen(other) for other in SECTIONS if other != section)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_is_absent_is_not_observed(section: str) -> None:
    """What the probe did not see has its reason, or is said not to have been told."""
    absent = {name: value for name, value in GOOD.items() if name != section}
    with pytest.raises(Unobserved, match=f"the probe said nothing of {section}"):
        parse(json.dumps(absent)).seen(section)
    with pytest.raises(Unobserved, match="no console"):
        parse(json.dumps(absent | {"unobserved": {section: "no console"}})).seen(section)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("value", [7, "text", [7], {"a": 7}], ids=["number", "text", "list", "object"])
def test_a_section_of_another_shape_is_not_observed(section: str, value: object) -> None:
    """A section that cannot be read is not observed, and its neighbours are."""
    facts = parse(json.dumps(GOOD | {section: value}))
    with pytest.raises(Unobserved, match=f"the probe's answer could not be read: {section}"):
        facts.seen(section)
    for other in set(SECTIONS) - {section}:
        facts.seen(other)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param({"compiled": GOOD["compiled"] | {"intact": "1"}}, "compiled.intact", id="number-in-words"),
        pytest.param({"compiled": GOOD["compiled"] | {"intact": 1.5}}, "compiled.intact", id="half-a-view"),
        pytest.param({"compiled": GOOD["compiled"] | {"intact": True}}, "compiled.intact", id="true-for-one"),
        pytest.param({"script": {"path": "/s", "exists": "yes"}}, "script.exists", id="yes-for-true"),
        pytest.param(
            {"directories": [GOOD["directories"][0] | {"kind": "dir"}]}, "directories.0.kind", id="strange-kind"
        ),
        pytest.param({"commands": [{"name": "a", "options": []}]}, "commands.0.hidden", id="key-missing"),
    ],
)
def test_a_value_of_the_wrong_type_is_not_understood(change: dict[str, Any], where: str) -> None:
    """Nothing is converted: a probe that says "3" where a number belongs has not been understood, and where."""
    facts = parse(json.dumps(GOOD | change))
    with pytest.raises(Unobserved, match=where):
        facts.seen(where.partition(".")[0])


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"looked_by": 1, "seconds": 2}',
        '{"looked_by": "a"}',
        "{",
        "\0",
        b"\xff\xfe",
        "Traceback",
    ],
    ids=["empty", "null", "list", "object", "wrong-type", "no-time", "cut", "nul", "no-utf8", "traceback"],
)
def test_what_is_no_answer_is_not_observed(answer: str | bytes) -> None:
    """An answer that is none is one line of reason."""
    with pytest.raises(Unobserved, match=r"^the probe's answer could not be read: .+$") as caught:
        parse(answer)
    assert "\n" not in str(caught.value)


def test_reasons_that_are_none_spoil_the_answer() -> None:
    """Where the reasons themselves cannot be read, nothing is."""
    with pytest.raises(Unobserved, match="unobserved"):
        parse(json.dumps(GOOD | {"unobserved": [1]}))


@st.composite
def mutated(draw: st.DrawFn) -> str | bytes:
    """Return a good answer with a few values replaced anywhere, or with its text cut about."""
    answer = json.loads(json.dumps(GOOD))
    for _ in range(draw(st.integers(0, 3))):
        here: Any = answer
        while True:
            key = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
            if not isinstance(here[key], dict | list) or not here[key] or draw(st.booleans()):
                here[key] = draw(JSON)
                break
            here = here[key]
    text = json.dumps(answer)
    if draw(st.booleans()):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 40))
        text = text[:start] + draw(st.text(max_size=6)) + text[end:]
    return text if draw(st.booleans()) else text.encode(errors="replace")


@settings(max_examples=500)
@given(mutated())
def test_any_answer_becomes_facts_or_a_reason(answer: str | bytes) -> None:
    """However an answer is spoilt, it is facts or `Unobserved`, and so is each of its sections."""
    try:
        facts = parse(answer)
    except Unobserved:
        return
    for section in SECTIONS:
        if getattr(facts, section) is None:
            with pytest.raises(Unobserved):
                facts.seen(section)
        else:
            assert facts.seen(section) == getattr(facts, section)


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_any_text_becomes_facts_or_a_reason(answer: str | bytes) -> None:
    """Text, bytes and JSON of any kind raise nothing but `Unobserved`."""
    with pytest.raises(Unobserved):
        parse(answer)
