"""Validation 8: four-tier progressive disclosure is implemented.

Exactly the 112 fields of a call, each once, in the tier it belongs to; each tier shown on top of the ones before, by a
control that has a name, and closed at first. That can be told from the document; what a reader sees of it, which a
style sheet or a script can undo, is told by a real browser, worked by keyboard.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from fixtures.environments.base import Host
from fixtures.observation import document
from fixtures.observation.browser import BrowserObservation, Control
from fixtures.observation.document import Row, Toggle
from fixtures.observation.facts import Absent, Unobserved
from fixtures.observation.markup import Disclosure
from validations.cells import Cell, validates
from validations.contracts import Judgement, counted, failed, listed, not_applicable, passed, unknown
from validations.expectations import FIELDS, SECRET_FIELD, TIERS, ExpectedField, slug
from validations.registry import DISCLOSURE

# The parts that a browser tells.
BROWSERS = {*(f"seen-{tier}" for tier in TIERS), "announced", "collapses"}
# Which pictures are evidence of which part.
PICTURES = {"seen-1": ("closed",), "seen-4": ("open",)}
BY_SLUG = {slug(field.path): field for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The page's document, as far as disclosure goes."""

    rows: tuple[Row, ...]
    toggles: tuple[Toggle, ...]
    by_path: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    mentions_secret: bool = False
    markup: str = "viewgate"
    browser: BrowserObservation | Unobserved = field(default_factory=lambda: Unobserved("nobody looked"))


pytest_generate_tests = validates(DISCLOSURE)


def test_disclosure(cell: Cell) -> None:
    """The page shows exactly the 112 fields, each once, in its tier; the tiers are cumulative and closed at first."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Take the body of one answer apart, and visit the page. What is no page at all shows nothing of disclosure."""
    page = host.page()
    if not any(answer.status == host.environment.page.status for answer in page.answers):
        said = next((answer.error or f"status {answer.status}" for answer in page.answers), "no answer")
        raise Unobserved(f"there is no page to look into: {said}")
    browser: BrowserObservation | Unobserved
    try:
        seen = host.browser()
        # A report travels further than the page does, and on production the page shows whom somebody called.
        browser = replace(seen, pictures={}) if host.environment.production else seen
    except Unobserved as reason:
        browser = reason
    return replace(read(page.body, host.environment.disclosure), browser=browser)


def read(body: str, disclosure: Disclosure | None = None) -> Evidence:
    """Read a document's rows and disclosures, marked up as the environment says."""
    read_from = document.read(body, disclosure)
    by_path: dict[str, tuple[Row, ...]] = {}
    for row in read_from.rows:
        by_path[row.path] = (*by_path.get(row.path, ()), row)
    markup = disclosure.markup if disclosure else "viewgate"
    return Evidence(read_from.rows, read_from.toggles, by_path, SECRET_FIELD in body, markup)


def _around(tier: int) -> tuple[str, ...]:
    """Return what has to be around the fields of a tier: its own disclosure, and those of the tiers before."""
    return tuple(str(n) for n in range(tier, 1, -1))


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: a field, a tier, or a rule of the whole page."""
    if part.startswith("field-"):
        return _field(evidence, BY_SLUG[part.removeprefix("field-")])
    if part.startswith("tier-"):
        return _tier(evidence, int(part.removeprefix("tier-")))
    if part in BROWSERS:
        return _by_browser(evidence, part)
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
    if evidence.markup == "viewgate" and row.tier != str(expected.tier):
        return failed(f"{expected.path} says tier {row.tier or 'nothing'}", f"tier {expected.tier}")
    if not _well_placed(evidence, row, expected.tier):
        return failed(
            f"{expected.path} lies behind {_behind(row.around)}",
            f"behind {_behind(_around(expected.tier))}: it belongs to tier {expected.tier}",
        )
    if row.hidden:
        return failed(f"{expected.path} is hidden by an attribute", "seen once its tier is open")
    if not row.text:
        return failed(f"{expected.path} shows nothing", "a value, or a placeholder where the call has none")
    return passed(f"{expected.path} is shown in tier {expected.tier}")


def _well_placed(evidence: Evidence, row: Row, tier: int) -> bool:
    """Tell whether a field lies where it is disclosed with its tier; by selectors only a browser can tell.

    Filament's sections usually stand below each other: the innermost around a field has to be its tier's.
    """
    if evidence.markup == "selectors":
        return True
    if evidence.markup == "filament":
        return row.around[:1] == _around(tier)[:1]
    return row.around == _around(tier)


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


def _tier(evidence: Evidence, tier: int) -> Judgement:  # noqa: PLR0911 - one a defect
    if evidence.markup == "selectors":
        return _selected(evidence, tier)
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
        return failed(f"tier {tier} has {counted(len(toggles), 'disclosure')}", "one")
    if evidence.markup == "viewgate" and toggles[0].around != _around(tier - 1):
        return failed(
            f"the disclosure of tier {tier} lies in {_behind(toggles[0].around)}",
            f"in {_behind(_around(tier - 1))}: each tier adds to the one before",
        )
    return passed(f"tier {tier} adds its {len(shown)} fields to the ones before", fields=len(shown))


def _selected(evidence: Evidence, tier: int) -> Judgement:
    """Judge a tier whose control is known by a selector: what it opens is told by a browser alone."""
    controls = sum(toggle.tier == str(tier) for toggle in evidence.toggles)
    if tier > 1 and controls != 1:
        return failed(f"the selector of tier {tier} selects {counted(controls, 'element')}", "one")
    if isinstance(evidence.browser, Unobserved) or not evidence.browser.views:
        return unknown(
            f"what the selector of tier {tier} opens is told by a browser alone",
            remedy="have the page looked at in one: --require browser",
        )
    return _seen(evidence.browser, tier)


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
        if toggle.skipped:
            return failed(f"{which} is taken out of the tab order", "reached by Tab, as a summary is by itself")
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


def _by_browser(evidence: Evidence, part: str) -> Judgement:
    seen = evidence.browser
    if isinstance(seen, Absent):
        return not_applicable(f"not looked at in a browser: {seen}")
    if isinstance(seen, Unobserved):
        return unknown(f"the browser did not tell: {seen}")
    if not seen.views:
        return unknown("the browser saw no page")
    if part == "announced":
        return _announced(seen, evidence.markup)
    if part == "collapses":
        return _collapses(seen)
    pictures = {f"{name}.jpg": seen.pictures[name] for name in PICTURES.get(part, ()) if name in seen.pictures}
    return replace(_seen(seen, int(part.removeprefix("seen-"))), attachments=pictures)


def _seen(observed: BrowserObservation, tier: int) -> Judgement:
    """Judge what a reader sees with so many tiers open: exactly the fields of these tiers."""
    by = f"{observed.browser}, by keyboard"
    view = next((view for view in observed.views if view.tiers == tier), None)
    if view is None:
        control = next((control for control in observed.controls if not control.reached), None)
        if control is None:
            return unknown(f"the visit ended before tier {tier} was opened", seen_by=by)
        return failed(
            f"no Tab leads to the control of tier {control.tier}",
            "reached by keyboard: not everybody has a mouse",
            remedy="make it a native summary or button, without tabindex -1 or inert around it",
            seen_by=by,
        )
    return _differs(view.fields, tier, view.after, by) or passed(
        f"after {view.after} a reader sees the {sum(not why for _, why in view.fields)} fields of tiers 1 to {tier}",
        seen_by=by,
    )


def _differs(fields: tuple[tuple[str, str], ...], tier: int, after: str, by: str) -> Judgement | None:
    """Hold what was seen against what should be; None where they agree."""
    expected = {row.path for row in FIELDS if row.tier <= tier}
    seen = {path for path, why in fields if not why}
    why = dict(fields)
    if early := sorted(seen - expected):
        return failed(
            f"after {after} a reader sees {listed(early)}",
            f"only the {len(expected)} fields of tiers 1 to {tier}",
            remedy="see which style or script shows what its disclosure has closed",
            seen_by=by,
        )
    if unseen := sorted(expected - seen):
        return failed(
            f"after {after} a reader does not see {listed(unseen)} ({why.get(unseen[0], 'not on the page')})",
            f"the {len(expected)} fields of tiers 1 to {tier}",
            remedy="see which style or script hides what its disclosure has opened",
            seen_by=by,
        )
    return None


def _announced(observed: BrowserObservation, markup: str) -> Judgement:
    """Judge what assistive technology is told: a control with a name, closed, then open.

    Filament's own sections tell their state to nobody; that is Filament's finding, and does not make this page red.
    """
    by = f"the accessibility tree of {observed.browser}"
    told = {control.tier: control for control in observed.controls if control.reached}
    silent = 0
    for tier in [tier for tier in TIERS if tier > 1]:
        control = told.get(tier)
        if control is None:
            return failed(
                f"the control of tier {tier} was not reached", "three controls, reached by keyboard", seen_by=by
            )
        if markup == "filament" and control.expanded[:2] == (None, None):
            silent += 1
            continue
        if not control.name.strip():
            return failed(f"the control of tier {tier} has no name", "a name that says what it opens", seen_by=by)
        if control.expanded[:2] != (False, True):
            before, after = _state(control, 0), _state(control, 1)
            return failed(
                f"the control of tier {tier} is told as {before}, and after {control.key} as {after}",
                "collapsed, then expanded",
                remedy="use native details, or keep aria-expanded true to what is shown",
                seen_by=by,
            )
    if silent:
        return passed(f"{counted(silent, 'section')} of Filament tell nobody whether they are open", seen_by=by)
    return passed("every control is announced with its name and its state", seen_by=by)


def _state(control: Control, when: int) -> str:
    return {True: "expanded", False: "collapsed", None: "neither collapsed nor expanded"}[control.expanded[when]]


def _collapses(observed: BrowserObservation) -> Judgement:
    """Judge the way back: each control closes what it opened, until tier 1 alone is seen."""
    by = f"{observed.browser}, by keyboard"
    for control in reversed(observed.controls):
        if not control.reached:
            return failed(f"the control of tier {control.tier} was not reached", "three, opened and closed", seen_by=by)
        if not control.found_again:
            return failed(f"no Shift+Tab leads back to tier {control.tier}", "the way back by keyboard", seen_by=by)
        if control.expanded[2] is True:
            return failed(
                f"tier {control.tier} is told as {_state(control, 2)} after {control.key} again",
                "collapsed",
                seen_by=by,
            )
    last = observed.views[-1]
    if len(observed.views) != 2 * len(TIERS) - 1 or last.tiers != 1:
        return unknown(f"the visit ended after {last.after}", seen_by=by)
    return next(
        (bad for view in observed.views[len(TIERS) :] if (bad := _differs(view.fields, view.tiers, view.after, by))),
        passed("each control closes again what it opened", seen_by=by),
    )
