"""Validation 8 sees each field that is lost, doubled, misplaced or empty, and each disclosure that is not one.

The document is grown here from the pinned fields, in the plainest markup that keeps every promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.environments.settings import Environment
from fixtures.observation.browser import BrowserObservation, Control, View
from fixtures.observation.document import Row, Toggle
from fixtures.observation.facts import Absent, Unobserved
from reports.records import Level, Verdict
from validations.expectations import FIELDS, TIERS, ExpectedField, slug
from validations.gate.test_8_disclosure import BROWSERS, Evidence, judge, read
from validations.registry import DISCLOSURE

DESCRIBED = Environment(kind="gateway", url="http://127.0.0.1:1", root="/srv")
PARTS = tuple(part for part in DISCLOSURE.parts(DESCRIBED) if part not in BROWSERS)
FIELD = st.sampled_from(FIELDS)
TIER = st.integers(1, 4)
DISCLOSED = st.integers(2, 4)


@dataclass(frozen=True)
class Document:
    """The rows of each tier and the disclosures around them, from which a page is written."""

    rows: dict[int, tuple[str, ...]]
    names: dict[int, str] = field(default_factory=lambda: {tier: f"Tier {tier}" for tier in (2, 3, 4)})
    marks: dict[int, str] = field(default_factory=lambda: {tier: f'data-tier-toggle="{tier}"' for tier in (2, 3, 4)})
    extra: str = ""

    def with_rows(self, tier: int, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Document:
        """Return the document with the rows of one tier changed."""
        return replace(self, rows=self.rows | {tier: change(self.rows[tier])})

    def __str__(self) -> str:
        """Return the page."""
        inner = ""
        for tier in (4, 3, 2):
            rows = "".join(self.rows[tier])
            inner = f"<details {self.marks[tier]}>{self.names[tier]}<dl>{rows}</dl>{inner}</details>"
        return f"<!doctype html><title>Call</title><dl>{''.join(self.rows[1])}</dl>{inner}{self.extra}"


def row(expected: ExpectedField, *, path: str = "", tier: str = "", value: str = "42", mark: str = "") -> str:
    """Return the row of a field, with changes."""
    named = f'data-field="{path or expected.path}" data-tier="{tier or expected.tier}"'
    return f"<dt>{expected.path}</dt><dd {named} {mark}>{value}</dd>"


def summary(text: str) -> str:
    """Return a disclosure's control."""
    return f"<summary>{text}</summary>"


ROWS = {tier: tuple(row(expected) for expected in FIELDS if expected.tier == tier) for tier in TIERS}
GOOD = Document(ROWS, names={tier: summary(f"Tier {tier}") for tier in (2, 3, 4)})


def changed(expected: ExpectedField, *rows: str) -> Document:
    """Return the good document with these rows in place of the field's."""
    old = row(expected)
    return GOOD.with_rows(
        expected.tier, lambda all_rows: tuple(new for one in all_rows for new in (rows if one == old else (one,)))
    )


def not_green(body: Document | str) -> set[str]:
    """Return the parts that do not pass."""
    evidence = read(str(body))
    return {part for part in PARTS if judge(evidence, part).verdict is not Verdict.PASS}


def named(expected: ExpectedField) -> str:
    """Return the part of a field."""
    return f"field-{slug(expected.path)}"


def test_the_page_with_every_field_in_its_tier_passes() -> None:
    """All 112 fields, nested in closed and named disclosures, are green in every part."""
    assert not_green(GOOD) == set()


@given(FIELD)
def test_a_deleted_field_is_red(expected: ExpectedField) -> None:
    """A lost row is missed as a field, in the count of its tier and in the whole."""
    assert not_green(changed(expected)) == {named(expected), "fields", f"tier-{expected.tier}"}


@given(FIELD)
def test_a_doubled_field_is_red(expected: ExpectedField) -> None:
    """A row that stands twice is missed as a field shown once, in the count of its tier and in the whole."""
    assert not_green(changed(expected, row(expected), row(expected))) == {
        named(expected),
        "fields",
        f"tier-{expected.tier}",
    }


def test_each_row_of_a_field_is_read() -> None:
    """A field that stands twice in the page has both rows in the evidence, in their order."""
    once, expected = read(str(GOOD)), FIELDS[0]
    twice = read(str(changed(expected, row(expected, value="1"), row(expected, value="2"))))
    assert len(twice.rows) == len(once.rows) + 1
    both = tuple(one for one in twice.rows if one.path == expected.path)
    assert twice.by_path == {**once.by_path, expected.path: both}
    assert len(both) == 2


@given(FIELD, TIER)
def test_a_field_moved_to_another_tier_is_red(expected: ExpectedField, tier: int) -> None:
    """A row that says one tier and lies in another is red; tier 1 notices that one of its own is not seen at once."""
    moved = changed(expected).with_rows(tier, lambda rows: (*rows, row(expected)))
    red = set() if tier == expected.tier else {named(expected)}
    assert not_green(moved) == red | ({"tier-1"} if red and expected.tier == 1 else set())


@given(FIELD, st.sampled_from(["1", "2", "3", "4", "5", "0", "one", " "]))
def test_a_field_that_says_another_tier_is_red(expected: ExpectedField, said: str) -> None:
    """A row that names a tier it does not belong to is red, and so are the counts of both tiers."""
    red = {named(expected), f"tier-{expected.tier}"} | ({f"tier-{said}"} if said in {"1", "2", "3", "4"} else set())
    assert not_green(changed(expected, row(expected, tier=said))) == (set() if said == str(expected.tier) else red)


@given(FIELD)
def test_a_field_under_another_name_is_red(expected: ExpectedField) -> None:
    """A strange name is a field lost and one too many."""
    assert not_green(changed(expected, row(expected, path="call.strange"))) == {named(expected), "fields"}


@given(FIELD, st.sampled_from(["", " \n", "&nbsp;", "&#8203;", "<b></b>", "<!-- 42 -->", "<b hidden>42</b>"]))
def test_a_field_that_shows_nothing_is_red(expected: ExpectedField, value: str) -> None:
    """An absent value has a placeholder: blanks, comments and hidden text are none."""
    assert not_green(changed(expected, row(expected, value=value))) == {named(expected)}


@given(FIELD)
def test_a_label_does_not_stand_for_a_value(expected: ExpectedField) -> None:
    """A row with its own heading in it is empty where nothing else stands there."""
    heading = f"<h4>{expected.path}</h4>"
    assert not_green(changed(expected, row(expected, value=f"{heading}<p></p>"))) == {named(expected)}
    assert not_green(changed(expected, row(expected, value=f"{heading}<p>&mdash;</p>"))) == set()


@given(
    FIELD,
    st.sampled_from(
        ["hidden", 'aria-hidden="true"', 'style="display: none"', 'style="DISPLAY:NONE"', 'style="visibility : hidden"']
    ),
)
def test_a_hidden_field_is_red(expected: ExpectedField, mark: str) -> None:
    """A row that an attribute hides is not shown."""
    assert not_green(changed(expected, row(expected, mark=mark))) == {named(expected)}


@pytest.mark.parametrize(
    "wrap", ["<template>{}</template>", "<!--{}-->", "<textarea>{}</textarea>"], ids=["template", "comment", "textarea"]
)
@given(expected=FIELD)
def test_a_field_in_what_no_browser_shows_is_red(wrap: str, expected: ExpectedField) -> None:
    """Rows in a template, a comment or a text field are text, and no rows."""
    red = not_green(changed(expected, wrap.format(row(expected))))
    assert red == {named(expected), "fields", f"tier-{expected.tier}"}


@pytest.mark.parametrize(
    "wrap", ["<html hidden>{}", "<body hidden>{}", "<div hidden>{}</div>"], ids=["html", "body", "div"]
)
def test_a_hidden_page_is_red(wrap: str) -> None:
    """An attribute that hides all of it hides every field."""
    assert not_green(wrap.format(GOOD)) >= {named(expected) for expected in FIELDS}


@given(DISCLOSED)
def test_an_open_disclosure_is_red(tier: int) -> None:
    """A tier that is open at first is not disclosed by anybody."""
    opened = replace(GOOD, marks=GOOD.marks | {tier: f"{GOOD.marks[tier]} open"})
    assert not_green(opened) == {"closed"}


@given(DISCLOSED)
def test_disclosures_that_close_each_other_are_red(tier: int) -> None:
    """Details with a name attribute are exclusive, so that tiers are not cumulative."""
    exclusive = replace(GOOD, marks=GOOD.marks | {tier: f'{GOOD.marks[tier]} name="tiers"'})
    assert not_green(exclusive) == {"closed"}


@given(
    DISCLOSED,
    st.sampled_from(
        [
            "",
            summary(""),
            summary(" \n "),
            summary("<i></i>"),
            "<p>more</p>" + summary("Tier"),
            summary('Tier <a href="#">more</a>'),
            summary("<button>Tier</button>"),
        ]
    ),
)
def test_a_control_without_a_name_is_red(tier: int, control: str) -> None:
    """The summary comes first, has a name, and holds no other control."""
    assert not_green(replace(GOOD, names=GOOD.names | {tier: control})) == {"named"}


@given(DISCLOSED, st.sampled_from(["", 'data-tier-toggle=""', 'data-tier-toggle="5"', 'data-tier="2"']))
def test_a_disclosure_of_no_tier_is_red(tier: int, mark: str) -> None:
    """Fields at the right depth, behind a disclosure that opens no tier, are not where they belong."""
    red = {named(expected) for expected in FIELDS if expected.tier >= tier}
    deeper = {f"tier-{number}" for number in range(tier, 5)}
    assert not_green(replace(GOOD, marks=GOOD.marks | {tier: mark})) == red | deeper


def test_tiers_beside_each_other_are_red() -> None:
    """Tiers that are not nested replace each other instead of adding up."""
    beside = "".join(
        f"<details {GOOD.marks[tier]}>{GOOD.names[tier]}{''.join(ROWS[tier])}</details>" for tier in (2, 3, 4)
    )
    body = f"<!doctype html>{''.join(ROWS[1])}{beside}"
    assert not_green(body) == {named(expected) for expected in FIELDS if expected.tier > 2} | {"tier-3", "tier-4"}


def test_a_page_without_disclosures_is_red() -> None:
    """All fields at once, with nothing to open, are no disclosure."""
    body = "<!doctype html>" + "".join(row for rows in ROWS.values() for row in rows)
    tiers = {f"tier-{tier}" for tier in (2, 3, 4)}
    assert not_green(body) == {named(one) for one in FIELDS if one.tier > 1} | tiers | {"closed", "named"}


@pytest.mark.parametrize(
    "extra",
    ["<p>access_token</p>", '<meta name="access_token">', "<!-- access_token -->", "<script>access_token</script>"],
    ids=["text", "attribute", "comment", "script"],
)
def test_a_mention_of_the_secret_is_red(extra: str) -> None:
    """The call's credential is nowhere in the document, also where nobody sees it."""
    assert not_green(replace(GOOD, extra=extra)) == {"secret"}


def test_one_field_too_many_is_red() -> None:
    """The access token as a field is one too many, whatever tier it says."""
    extra = '<dd data-field="access_token" data-tier="5">x</dd>'
    assert not_green(replace(GOOD, extra=extra)) == {"fields", "secret"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="blank"),
        pytest.param("<html></html>", id="empty-document"),
        pytest.param('{"fields": 112}', id="json"),
        pytest.param("\0\ufffd\ud800", id="no-text"),
        pytest.param("<details>" * 2000, id="deep"),
    ],
)
def test_a_body_that_is_no_page_passes_nothing(body: str) -> None:
    """No part is green for a body that shows nothing."""
    assert not_green(body) >= set(PARTS) - {"secret", "closed", "named"}
    assert judge(read(body), "secret").verdict is Verdict.UNKNOWN


def test_nothing_observed_passes_nothing() -> None:
    """No part is green on evidence that holds nothing."""
    assert {judge(NOTHING, part).verdict for part in PARTS} == {Verdict.FAIL, Verdict.UNKNOWN}


@st.composite
def mutilated(draw: st.DrawFn) -> str:
    """Return the good page after a few cuts, doublings, swaps and insertions of what breaks documents."""
    body = str(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 400)))
        piece = draw(
            st.sampled_from(
                ["", body[start:end] * 2, body[start:end][::-1], "<details>", "</details>", "<!--", '"', "\0"]
            )
            | st.text(max_size=20)
        )
        body = body[:start] + piece + body[end:]
    return body


@settings(max_examples=1000)
@given(mutilated())
def test_a_mutilated_page_never_passes_for_what_it_lost(body: str) -> None:
    """However a page is cut, reading and judging it raise nothing, and no field passes that is not marked just once."""
    red = not_green(body)
    for expected in FIELDS:
        if body.count(f'data-field="{expected.path}"') == 0:
            assert {named(expected), "fields"} <= red
    if body.count("<details ") < 3:
        assert red & {"tier-2", "tier-3", "tier-4"}


READ = read(str(GOOD))
NOTHING = Evidence(rows=(), toggles=())
ROW = READ.by_path["call_id"][0]
BEHIND = READ.by_path["call_type"][0]
SEEN = [tuple((one.path, "" if one.tier <= tiers else "closed") for one in FIELDS) for tiers in range(5)]
AFTER = ("loading", "key 2", "key 3", "key 4", "key 4 again", "key 3 again", "key 2 again")
VIEWS = tuple(View(tiers, after, SEEN[tiers]) for tiers, after in zip((1, 2, 3, 4, 3, 2, 1), AFTER, strict=True))
CONTROLS = tuple(
    Control(tier, "Enter", reached=True, found_again=True, name=f"Tier {tier}", expanded=(False, True, False))
    for tier in (2, 3, 4)
)
VISIT = BrowserObservation("Chromium", 200, VIEWS, CONTROLS)
VISITED = replace(READ, browser=VISIT)
BY_SELECTORS = replace(VISITED, markup="selectors")
PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict


def rows(path: str, *rows: Row, markup: str = "viewgate") -> Evidence:
    """Return good evidence with these rows in place of the field's own."""
    others = {name: told for name, told in READ.by_path.items() if name != path}
    by_path = others | ({path: rows} if rows else {})
    return Evidence(tuple(row for told in by_path.values() for row in told), READ.toggles, by_path, markup=markup)


def toggles(tier: int, /, **changes: Any) -> Evidence:
    """Return good evidence with changes to a tier's disclosure."""
    told = [replace(one, **changes) if one.tier == str(tier) else one for one in READ.toggles]
    return replace(READ, toggles=tuple(told))


def visited(**changes: Any) -> Evidence:
    """Return good evidence with changes to the visit."""
    return replace(READ, browser=replace(VISIT, **changes))


def controls(*tiers: int, **changes: Any) -> Evidence:
    """Return good evidence with changes to the controls of these tiers."""
    return visited(controls=tuple(replace(one, **changes) if one.tier in tiers else one for one in CONTROLS))


def view(index: int, /, **changes: Any) -> Evidence:
    """Return good evidence with changes to one view."""
    return visited(views=tuple(replace(one, **changes) if at == index else one for at, one in enumerate(VIEWS)))


def without(tiers: int, *paths: str) -> tuple[tuple[str, str], ...]:
    """Return what is seen with so many tiers open and these fields covered."""
    return tuple((path, "covered" if path in paths else why) for path, why in SEEN[tiers])


@pytest.mark.parametrize(
    ("part", "evidence", "verdict", "code", "named"),
    [
        pytest.param("field-call_id", READ, PASS, "field", "call_id", id="field"),
        pytest.param("field-call_id", rows("call_id"), FAIL, "field-not-once", "call_id is shown nowhere",
            id="field-nowhere"),
        pytest.param("field-call_id", rows("call_id", ROW, ROW), FAIL, "field-not-once", "twice", id="field-twice"),
        pytest.param("field-call_id", rows("call_id", ROW, ROW, ROW), FAIL, "field-not-once", "3 times",
            id="field-thrice"),
        pytest.param("field-call_id", rows("call_id", replace(ROW, tier="")), FAIL, "field-of-other-tier", "nothing",
            id="field-of-no-tier"),
        pytest.param("field-call_id", rows("call_id", replace(ROW, tier="4")), FAIL, "field-of-other-tier", "tier 4",
            id="field-of-another-tier"),
        pytest.param("field-call_id", rows("call_id", replace(ROW, around=("2", ""))), FAIL, "field-misplaced",
            "2 disclosures (2, of no tier)", id="field-behind-a-disclosure"),
        pytest.param("field-call_type", rows("call_type", replace(BEHIND, around=())), FAIL, "field-misplaced",
            "no disclosure, but should be behind 1 disclosure (2)", id="field-not-behind-its-own"),
        pytest.param("field-call_id", rows("call_id", replace(ROW, hidden=True)), FAIL, "field-hidden", "call_id",
            id="field-hidden"),
        pytest.param("field-call_id", rows("call_id", replace(ROW, text="")), FAIL, "field-empty", "call_id",
            id="field-empty"),
        pytest.param("field-call_id", rows("call_id", replace(ROW, tier="", around=("2",)), markup="selectors"), PASS,
            "field", "tier 1", id="field-by-selector"),
        pytest.param("field-call_type", rows("call_type", replace(BEHIND, around=("2", "9")), markup="filament"), PASS,
            "field", "tier 2", id="field-in-its-section"),
        pytest.param("field-call_type", rows("call_type", replace(BEHIND, around=("3", "2")), markup="filament"), FAIL,
            "field-misplaced", "(3, 2)", id="field-in-anothers-section"),
        pytest.param("field-latency-asr-max",
            rows("latency.asr.max", replace(READ.by_path["latency.asr.max"][0], around=("3",)), markup="filament"),
            PASS, "field", "tier 3", id="field-in-a-section-below-the-one-before"),
        pytest.param("field-call_id", replace(READ, markup="filament"), PASS, "field", "tier 1",
            id="field-in-no-section"),
        pytest.param("fields", READ, PASS, "fields", "112", id="fields"),
        pytest.param("fields", NOTHING, FAIL, "no-fields", "112", id="fields-none"),
        pytest.param("fields", replace(READ, by_path={**READ.by_path, "x": (ROW,), "w": (ROW,)}), FAIL,
            "strange-fields", "w, x", id="fields-strange"),
        pytest.param("fields", rows("call_id"), FAIL, "fields-missing", "call_id", id="fields-absent"),
        pytest.param("fields", rows("call_id", ROW, ROW), FAIL, "fields-repeated", "113 rows for 112",
            id="fields-doubled"),
        pytest.param("tier-1", READ, PASS, "tier-1", "13", id="tier-1"),
        pytest.param("tier-2", READ, PASS, "tier", "19", id="tier-2"),
        pytest.param("tier-3", rows("latency.asr.max"), FAIL, "tier-incomplete", "54 fields, but should be 55",
            id="tier-3-of-one-field-less"),
        pytest.param("tier-1", rows("call_id", replace(ROW, around=("2",))), FAIL, "tier-1-disclosed", "call_id",
            id="tier-1-behind-something"),
        pytest.param("tier-3", toggles(3, tier=""), FAIL, "tier-controls", "0 disclosures",
            id="tier-without-a-disclosure"),
        pytest.param("tier-3", toggles(2, tier="3"), FAIL, "tier-controls", "2 disclosures",
            id="tier-with-two-disclosures"),
        pytest.param("tier-3", toggles(3, around=()), FAIL, "tier-not-cumulative",
            "no disclosure, but should be in 1 disclosure (2)", id="tier-beside-the-one-before"),
        pytest.param("tier-2", toggles(2, around=("4", "")), FAIL, "tier-not-cumulative", "(4, of no tier)",
            id="tier-2-in-another"),
        pytest.param("tier-3", replace(toggles(3, around=()), markup="filament"), PASS, "tier", "55",
            id="tier-in-a-section-of-its-own"),
        pytest.param("tier-3", BY_SELECTORS, PASS, "seen", "87", id="tier-by-selector"),
        pytest.param("tier-1", BY_SELECTORS, PASS, "seen", "13", id="tier-1-by-selector"),
        pytest.param("tier-2", replace(toggles(2, tier=""), markup="selectors"), FAIL, "selector", "tier 2 selects 0",
            id="tier-2-by-a-selector-of-nothing"),
        pytest.param("tier-3", replace(toggles(3, tier=""), markup="selectors"), FAIL, "selector", "tier 3 selects 0",
            id="tier-by-a-selector-of-nothing"),
        pytest.param("tier-3", replace(toggles(2, tier="3"), markup="selectors"), FAIL, "selector", "tier 3 selects 2",
            id="tier-by-a-selector-of-two"),
        pytest.param("tier-3", replace(READ, markup="selectors"), UNKNOWN, "browser-needed", "tier 3",
            id="tier-by-selector-unseen"),
        pytest.param("tier-3", replace(visited(views=()), markup="selectors"), UNKNOWN, "browser-needed", "tier 3",
            id="tier-by-selector-without-a-view"),
        pytest.param("tier-3", replace(view(2, fields=SEEN[2]), markup="selectors"), FAIL, "not-seen",
            "call_cost.product_costs[].product and 52 more (closed)", id="tier-by-selector-not-shown"),
        pytest.param("closed", READ, PASS, "closed", "3", id="closed"),
        pytest.param("closed", NOTHING, FAIL, "no-disclosures", "", id="closed-without-disclosures"),
        pytest.param("closed",
            replace(READ, toggles=(*READ.toggles, *(Toggle(tier, "x", (), open=True) for tier in ("", "9")))),
            FAIL, "open", "an unnamed one, 9", id="open-at-first"),
        pytest.param("closed", toggles(3, exclusive=True), FAIL, "exclusive", "tier 3", id="closing-each-other"),
        pytest.param("named", READ, PASS, "named", "", id="named"),
        pytest.param("named", NOTHING, FAIL, "no-disclosures", "", id="named-without-disclosures"),
        pytest.param("named", toggles(3, first=False), FAIL, "unnamed", "tier 3", id="named-not-first"),
        pytest.param("named", toggles(3, name=None), FAIL, "unnamed", "tier 3", id="named-without-a-name"),
        pytest.param("named", toggles(3, tier="", name=""), FAIL, "unnamed", "tier (none)",
            id="named-and-of-no-tier"),
        pytest.param("named", toggles(3, skipped=True), FAIL, "skipped", "tier 3", id="named-and-not-reached"),
        pytest.param("named", toggles(3, controls_inside=1), FAIL, "control-in-control", "tier 3",
            id="named-around-a-control"),
        pytest.param("secret", READ, PASS, "no-secret", "access_token", id="secret"),
        pytest.param("secret", replace(NOTHING, mentions_secret=True), UNKNOWN, "no-call", "", id="secret-of-no-call"),
        pytest.param("secret", replace(READ, mentions_secret=True), FAIL, "secret", "access_token",
            id="secret-mentioned"),
        pytest.param("seen-1", VISITED, PASS, "seen", "13", id="seen-1"),
        pytest.param("seen-3", VISITED, PASS, "seen", "87", id="seen-3"),
        pytest.param("seen-1", replace(READ, browser=Absent("there is no browser")), NOT_APPLICABLE, "no-browser",
            "there is no browser", id="not-looked-at"),
        pytest.param("announced", replace(READ, browser=Unobserved("it ended with 1")), UNKNOWN, "browser-broke",
            "it ended with 1", id="not-told"),
        pytest.param("collapses", visited(views=()), UNKNOWN, "browser-saw-nothing", "", id="no-view"),
        pytest.param("seen-2", view(1, fields=SEEN[3]), FAIL, "seen-early",
            "call_cost.product_costs[].product and 52 more", id="seen-too-early"),
        pytest.param("seen-2", view(1, fields=without(2, "call_type", "agent_id", "call_id", "agent_tag")), FAIL,
            "not-seen", "agent_id, agent_tag, call_id and 1 more (covered)", id="not-seen"),
        pytest.param("seen-2", view(1, fields=tuple(one for one in SEEN[2] if one[0] != "call_type")), FAIL,
            "not-seen", "call_type (not on the page)", id="not-on-the-page"),
        pytest.param("seen-4", visited(views=VIEWS[:3], controls=(*CONTROLS[:2], replace(CONTROLS[2], reached=False))),
            FAIL, "unreachable", "tier 4", id="view-not-reached"),
        pytest.param("seen-4", visited(views=VIEWS[:3]), UNKNOWN, "visit-ended", "tier 4", id="view-not-taken"),
        pytest.param("announced", VISITED, PASS, "announced", "", id="announced"),
        pytest.param("announced", controls(3, reached=False), FAIL, "not-reached", "tier 3",
            id="announced-and-not-reached"),
        pytest.param("announced", visited(controls=CONTROLS[:2]), FAIL, "not-reached", "tier 4",
            id="announced-without-its-control"),
        pytest.param("announced", controls(3, name=" \n"), FAIL, "nameless", "tier 3", id="announced-without-a-name"),
        pytest.param("announced", controls(3, expanded=(True, False, True)), FAIL, "state-untold",
            "tier 3 is told as expanded, and after Enter as collapsed", id="announced-as-open"),
        pytest.param("announced", controls(4, expanded=(None, None, None)), FAIL, "state-untold",
            "neither collapsed nor expanded, and", id="announced-as-nothing"),
        pytest.param("announced", controls(4, expanded=(False, False, False)), FAIL, "state-untold",
            "after Enter as collapsed", id="announced-and-never-opened"),
        pytest.param("announced", replace(controls(4, name="", expanded=(None, None, None)), markup="filament"), PASS,
            "silent-sections", "1 section", id="sections-that-tell-nobody"),
        pytest.param("announced", replace(controls(2, 3, expanded=(None, None, None)), markup="filament"), PASS,
            "silent-sections", "2 sections", id="two-sections-that-tell-nobody"),
        pytest.param("announced",
            replace(visited(controls=(replace(CONTROLS[0], expanded=(None, None, None)),
                replace(CONTROLS[1], expanded=(True, True, True)), CONTROLS[2])), markup="filament"),
            FAIL, "state-untold", "tier 3", id="section-that-tells-and-one-that-lies"),
        pytest.param("announced", replace(controls(2, expanded=(None, True, None)), markup="filament"), FAIL,
            "state-untold", "tier 2", id="section-that-tells-half"),
        pytest.param("collapses", VISITED, PASS, "collapses", "", id="collapses"),
        pytest.param("collapses", controls(3, reached=False), FAIL, "not-reached", "tier 3",
            id="collapses-and-not-reached"),
        pytest.param("collapses", controls(3, found_again=False), FAIL, "no-way-back", "tier 3",
            id="collapses-and-not-found-again"),
        pytest.param("collapses", controls(3, expanded=(False, True, True)), FAIL, "stays-open",
            "tier 3 is told as expanded", id="collapses-and-told-as-open"),
        pytest.param("collapses", controls(3, expanded=(None, None, None)), PASS, "collapses", "",
            id="collapses-and-told-as-nothing"),
        pytest.param("collapses", controls(2, 3, 4, found_again=False), FAIL, "no-way-back", "tier 4",
            id="the-last-first"),
        pytest.param("collapses", visited(views=VIEWS[:6]), UNKNOWN, "visit-ended", "key 3 again",
            id="collapses-half"),
        pytest.param("collapses", view(6, tiers=2), UNKNOWN, "visit-ended", "key 2 again",
            id="collapses-and-ends-open"),
        pytest.param("collapses", view(5, fields=SEEN[3]), FAIL, "seen-early", "key 3 again",
            id="collapses-and-shows-the-tier"),
        pytest.param("collapses", view(4, fields=without(3, "call_id")), FAIL, "not-seen", "call_id (covered)",
            id="collapses-and-hides-more"),
    ],
)  # fmt: skip
def test_each_rule_has_its_code(part: str, evidence: Evidence, verdict: Verdict, code: str, named: str) -> None:
    """Every rule of disclosure has a code of its own, and names the field, the tier or the control that breaks it."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (verdict, f"disclosure.{code}")
    assert named in finding.reason
    assert finding.level is (Level.OBSERVED if verdict in (PASS, FAIL) else None)


@pytest.mark.parametrize(
    ("part", "evidence", "fields"),
    [
        pytest.param("fields", READ, 112, id="all"),
        pytest.param("tier-1", READ, 13, id="tier-1"),
        pytest.param("tier-2", READ, 19, id="tier-2"),
        pytest.param("tier-3", rows("latency.asr.max"), 54, id="tier-3-of-one-field-less"),
    ],
)
def test_the_fields_are_counted(part: str, evidence: Evidence, fields: int) -> None:
    """How many fields were found goes to the reports."""
    assert judge(evidence, part).figures == {"fields": fields}


@pytest.mark.parametrize("part", ["seen-1", "announced", "collapses"])
def test_what_a_browser_saw_names_the_browser(part: str) -> None:
    """What depends on how a page is shown says which browser showed it."""
    assert "Chromium" in judge(VISITED, part).seen_by


@pytest.mark.parametrize(
    ("part", "pictures"),
    [
        pytest.param("seen-1", {"closed.jpg": b"1"}, id="closed"),
        pytest.param("seen-2", {}, id="between"),
        pytest.param("seen-4", {"open.jpg": b"4"}, id="open"),
        pytest.param("collapses", {}, id="closed-again"),
    ],
)
def test_pictures_go_with_what_they_show(part: str, pictures: dict[str, bytes]) -> None:
    """The page at first and with all tiers open are evidence of just that; what was not taken is not missed."""
    assert judge(visited(pictures={"closed": b"1", "open": b"4"}), part).pictures == pictures
    assert judge(VISITED, part).pictures == {}
