"""Validation 8: four-tier progressive disclosure is implemented.

Exactly the 112 fields of a call, each once, in the tier it belongs to; each tier shown on top of the ones before, by a
control that has a name, and closed at first. This is the half that can be told from the document; what a reader sees
of it (a style sheet can undo all of it) is told by a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from fixtures.environments.base import Host
from fixtures.observation.facts import Unobserved
from validations.cells import Cell, validates
from validations.contracts import Judgement, counted, failed, listed, passed, unknown
from validations.expectations import FIELDS, SECRET_FIELD, TIERS, ExpectedField, slug
from validations.registry import DISCLOSURE

# What stands in a row and is not its value: labels, and what no browser shows.
_NO_VALUE = {"h1", "h2", "h3", "h4", "h5", "h6", "label", "script", "style", "template"}
BY_SLUG = {slug(field.path): field for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Row:
    """One element with data-field. `around` are the tiers of the disclosures around it, `text` its value."""

    path: str
    tier: str
    around: tuple[str, ...]
    text: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Toggle:
    """One disclosure: the tier its data-tier-toggle names, its summary's name, and the disclosures around it."""

    tier: str
    name: str | None
    first: bool
    open: bool
    around: tuple[str, ...]
    exclusive: bool
    controls_inside: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The page's document, as far as disclosure goes."""

    rows: tuple[Row, ...]
    toggles: tuple[Toggle, ...]
    by_path: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    mentions_secret: bool = False


@validates(DISCLOSURE)
def test_disclosure(cell: Cell) -> None:
    """The page shows exactly the 112 fields, each once, in its tier; the tiers are cumulative and closed at first."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Take the body of one answer apart. An answer that is no page at all shows nothing of disclosure."""
    page = host.page()
    if not any(answer.status == host.environment.page.status for answer in page.answers):
        said = next((answer.error or f"status {answer.status}" for answer in page.answers), "no answer")
        raise Unobserved(f"there is no page to look into: {said}")
    return read(page.body)


def read(body: str) -> Evidence:
    """Read a document as a browser does (HTML5 tree construction), and collect its rows and disclosures."""
    document = LexborHTMLParser(body)
    rows = tuple(
        Row(
            path=node.attributes.get("data-field") or "",
            tier=node.attributes.get("data-tier") or "",
            around=_tiers_around(node),
            text=_shown(node),
            hidden=_hidden(node),
        )
        for node in document.css("[data-field]")
    )
    toggles = tuple(_toggle(node) for node in document.css("details"))
    by_path: dict[str, tuple[Row, ...]] = {}
    for row in rows:
        by_path[row.path] = (*by_path.get(row.path, ()), row)
    return Evidence(rows, toggles, by_path, SECRET_FIELD in body)


def _toggle(node: LexborNode) -> Toggle:
    summaries = [child for child in node.iter() if child.tag == "summary"]
    first = next(iter(node.iter()), None)
    name = _name(summaries[0]) if summaries else None
    return Toggle(
        tier=node.attributes.get("data-tier-toggle") or "",
        name=name,
        first=first is not None and first.tag == "summary",
        open="open" in node.attributes,
        around=_tiers_around(node),
        exclusive="name" in node.attributes,
        controls_inside=len(summaries[0].css("a, button, input, select, textarea")) if summaries else 0,
    )


def _name(summary: LexborNode) -> str:
    return (summary.attributes.get("aria-label") or summary.text(deep=True)).strip()


def _shown(node: LexborNode) -> str:
    """Return the text of a row without its label, without what is hidden, and without characters nobody sees."""
    text, left = "", [node]
    while left:
        here = left.pop()
        if here.tag == "-text":
            text += here.text(deep=False)
        elif here is node or not (here.tag in _NO_VALUE or "hidden" in here.attributes):
            left.extend(reversed(list(here.iter(include_text=True))))
    return "".join(character for character in text if character.isprintable()).strip()


def _tiers_around(node: LexborNode) -> tuple[str, ...]:
    """Return the tier that each disclosure around a node says it opens, innermost first."""
    found, parent = [], node.parent
    while parent is not None:
        if parent.tag == "details":
            found.append(parent.attributes.get("data-tier-toggle") or "")
        parent = parent.parent
    return tuple(found)


def _around(tier: int) -> tuple[str, ...]:
    """Return what has to be around the fields of a tier: its own disclosure, and those of the tiers before."""
    return tuple(str(n) for n in range(tier, 1, -1))


def _hidden(node: LexborNode) -> bool:
    """Tell whether it, or an element around it, is hidden by an attribute; style sheets are a browser's matter."""
    here: LexborNode | None = node
    while here is not None:
        style = (here.attributes.get("style") or "").replace(" ", "").lower()
        if (
            "hidden" in here.attributes
            or here.attributes.get("aria-hidden") == "true"
            or here.tag in {"template", "script", "noscript"}
            or "display:none" in style
            or "visibility:hidden" in style
        ):
            return True
        here = here.parent
    return False


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: a field, a tier, or a rule of the whole page."""
    if part.startswith("field-"):
        return _field(evidence, BY_SLUG[part.removeprefix("field-")])
    if part.startswith("tier-"):
        return _tier(evidence, int(part.removeprefix("tier-")))
    rules: dict[str, Callable[[Evidence], Judgement]] = {
        "fields": _fields,
        "closed": _closed,
        "named": _named,
        "secret": _secret,
    }
    return rules[part](evidence)


def _field(evidence: Evidence, expected: ExpectedField) -> Judgement:
    rows = evidence.by_path.get(expected.path, ())
    if len(rows) != 1:
        return failed(f"{expected.path} is shown {_times(len(rows))}", "shown once")
    (row,) = rows
    if row.tier != str(expected.tier):
        return failed(f"{expected.path} says tier {row.tier or 'nothing'}", f"tier {expected.tier}")
    if row.around != _around(expected.tier):
        return failed(
            f"{expected.path} lies behind {_behind(row.around)}",
            f"behind {_behind(_around(expected.tier))}: it belongs to tier {expected.tier}",
        )
    if row.hidden:
        return failed(f"{expected.path} is hidden by an attribute", "seen once its tier is open")
    if not row.text:
        return failed(f"{expected.path} shows nothing", "a value, or a placeholder where the call has none")
    return passed(f"{expected.path} is shown in tier {expected.tier}")


def _behind(around: tuple[str, ...]) -> str:
    if not around:
        return "no disclosure"
    return f"{counted(len(around), 'disclosure')} ({', '.join(tier or 'of no tier' for tier in around)})"


def _times(number: int) -> str:
    return {0: "nowhere", 2: "twice"}.get(number, f"{number} times")


def _fields(evidence: Evidence) -> Judgement:
    found, expected = set(evidence.by_path), {field.path for field in FIELDS}
    if not evidence.rows:
        return failed("the page marks no fields at all", f"{len(FIELDS)} elements with data-field")
    strange, absent = sorted(found - expected), sorted(expected - found)
    if strange:
        return failed(f"it shows {listed(strange)}, too", f"exactly the {len(FIELDS)} fields of a call")
    if absent:
        return failed(f"it lacks {listed(absent)}", f"exactly the {len(FIELDS)} fields of a call")
    if len(evidence.rows) != len(FIELDS):
        return failed(f"it shows {len(evidence.rows)} rows for {len(FIELDS)} fields", "each field once")
    return passed(f"exactly the {len(FIELDS)} fields, each once", fields=len(FIELDS))


def _tier(evidence: Evidence, tier: int) -> Judgement:
    shown = [row for row in evidence.rows if row.tier == str(tier)]
    if len(shown) != len(TIERS[tier]):
        return failed(f"tier {tier} has {counted(len(shown), 'field')}", f"{len(TIERS[tier])}", fields=len(shown))
    if tier == 1:
        behind = [row.path for row in shown if row.around]
        if behind:
            return failed(f"{listed(behind)} lies behind a disclosure", "tier 1 is seen at once")
        return passed(f"tier 1 shows its {len(shown)} fields at once", fields=len(shown))
    toggles = [toggle for toggle in evidence.toggles if toggle.tier == str(tier)]
    if len(toggles) != 1:
        return failed(f"tier {tier} has {counted(len(toggles), 'disclosure')}", "one, with data-tier-toggle")
    if toggles[0].around != _around(tier - 1):
        return failed(
            f"the disclosure of tier {tier} lies in {_behind(toggles[0].around)}",
            f"in {_behind(_around(tier - 1))}: each tier adds to the one before",
        )
    return passed(f"tier {tier} adds its {len(shown)} fields to the ones before", fields=len(shown))


def _closed(evidence: Evidence) -> Judgement:
    if not evidence.toggles:
        return failed("the page has no disclosures", "three, closed at first")
    opened = [toggle.tier or "an unnamed one" for toggle in evidence.toggles if toggle.open]
    if opened:
        return failed(f"open at first: {listed(opened)}", "all closed, so that tier 1 is what is seen")
    exclusive = [toggle.tier for toggle in evidence.toggles if toggle.exclusive]
    if exclusive:
        return failed(
            f"details of tier {listed(exclusive)} have a name attribute",
            "none: opening one would close the tier around or beside it",
        )
    return passed(f"{counted(len(evidence.toggles), 'disclosure')}, all closed")


def _named(evidence: Evidence) -> Judgement:
    if not evidence.toggles:
        return failed("the page has no disclosures", "three, each with a name")
    for toggle in evidence.toggles:
        which = f"the disclosure of tier {toggle.tier or '(none)'}"
        if not toggle.first or not toggle.name:
            return failed(f"{which} has no named summary as its first child", "one: it is the control people use")
        if toggle.controls_inside:
            return failed(
                f"{which} has links or fields in its summary",
                "text alone: a control in a control has no meaning",
            )
    return passed("every control has a name")


def _secret(evidence: Evidence) -> Judgement:
    if not evidence.rows:
        return unknown("there is no call on the page whose secret could be shown")
    if evidence.mentions_secret:
        return failed(
            f"the page mentions {SECRET_FIELD}",
            "nowhere: it lets anyone join the call",
            remedy=f"never hand {SECRET_FIELD} to the template",
        )
    return passed(f"{SECRET_FIELD} is nowhere on the page")
