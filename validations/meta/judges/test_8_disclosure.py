"""Validation 8 sees each field that is lost, doubled, misplaced or empty, and each disclosure that is not one.

The document is grown here from the pinned fields, in the plainest markup that keeps every promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.environments.settings import Environment
from reports.records import Verdict
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
    evidence = Evidence(rows=(), toggles=())
    assert {judge(evidence, part).verdict for part in PARTS} == {Verdict.FAIL, Verdict.UNKNOWN}


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
