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
from reports.records import Finding
from validations.cells import Cell, validates
from validations.contracts import OBSERVED, counted, failed, listed, not_applicable, passed, unknown
from validations.expectations import FIELDS, SECRET_FIELD, TIERS, ExpectedField, slug
from validations.messages import does_not_apply, fails, is_unknown, passes, says
from validations.registry import DISCLOSURE

_PLACE = "move it in the page's template to where its tier is disclosed, and rebuild the compiled views"
_TEMPLATE = "mend the page's template, and rebuild the compiled views"
_MARK = "mark it in the page's template, or describe the page's own markup as `disclosure` of the environment"
_CONTROL = "give each tier one native details with a summary, in the page's template"
_KEYBOARD = "make it a native summary or button, without tabindex -1 or inert around it"

says(
    {
        "disclosure.field-not-once": fails("{field} is shown {times}", "shown once", _MARK),
        "disclosure.field-of-other-tier": fails("{field} says tier {said}", "tier {tier}", _PLACE),
        "disclosure.field-misplaced": fails(
            "{field} lies behind {behind}", "behind {expected}: it belongs to tier {tier}", _PLACE
        ),
        "disclosure.field-hidden": fails("{field} is hidden by an attribute", "seen once its tier is open", _TEMPLATE),
        "disclosure.field-empty": fails(
            "{field} shows nothing", "a value, or a placeholder where the call has none", _TEMPLATE
        ),
        "disclosure.field": passes("{field} is shown in tier {tier}"),
        "disclosure.no-fields": fails(
            "the page marks no fields at all",
            "{count} elements with data-field",
            "give each field's element a data-field attribute, or describe the page's own markup as `disclosure` of the"
            " environment",
        ),
        "disclosure.strange-fields": fails(
            "it shows {fields}, too", "exactly the {count} fields of a call", "take them out of the page's template"
        ),
        "disclosure.fields-missing": fails("it lacks {fields}", "exactly the {count} fields of a call", _MARK),
        "disclosure.fields-repeated": fails("it shows {rows} rows for {count} fields", "each field once", _TEMPLATE),
        "disclosure.fields": passes("exactly the {count} fields, each once"),
        "disclosure.tier-incomplete": fails("tier {tier} has {found}", "{count}", _PLACE),
        "disclosure.tier-1-disclosed": fails("{fields} lies behind a disclosure", "tier 1 is seen at once", _PLACE),
        "disclosure.tier-1": passes("tier 1 shows its {count} fields at once"),
        "disclosure.tier-controls": fails("tier {tier} has {found}", "one", _CONTROL),
        "disclosure.tier-not-cumulative": fails(
            "the disclosure of tier {tier} lies in {found}",
            "in {expected}: each tier adds to the one before",
            "nest the disclosures in the page's template, each inside of the one before",
        ),
        "disclosure.tier": passes("tier {tier} adds its {count} fields to the ones before"),
        "disclosure.selector": fails(
            "the selector of tier {tier} selects {found}",
            "one",
            "correct disclosure.tiers of the environment, so that each selector selects its control alone",
        ),
        "disclosure.browser-needed": is_unknown(
            "what the selector of tier {tier} opens is told by a browser alone",
            "have the page looked at in one: --require browser",
        ),
        "disclosure.no-disclosures": fails("the page has no disclosures", "three, closed at first", _CONTROL),
        "disclosure.open": fails(
            "open at first: {which}",
            "all closed, so that tier 1 is what is seen",
            "remove the attribute open from these details",
        ),
        "disclosure.exclusive": fails(
            "details of tier {which} have a name attribute",
            "none: opening one would close the tier around or beside it",
            "remove the attribute name from these details",
        ),
        "disclosure.closed": passes("{found}, all closed"),
        "disclosure.unnamed": fails(
            "{which} has no named summary as its first child", "one: it is the control people use", _CONTROL
        ),
        "disclosure.skipped": fails(
            "{which} is taken out of the tab order", "reached by Tab, as a summary is by itself", _KEYBOARD
        ),
        "disclosure.control-in-control": fails(
            "{which} has links or fields in its summary",
            "text alone: a control in a control has no meaning",
            "move links and fields out of the summary",
        ),
        "disclosure.named": passes("every control has a name"),
        "disclosure.no-call": is_unknown("there is no call on the page whose secret could be shown"),
        "disclosure.secret": fails(
            "the page mentions {field}",
            "nowhere: it lets anyone join the call",
            "never hand {field} to the template",
        ),
        "disclosure.no-secret": passes("{field} is nowhere on the page"),
        "disclosure.no-browser": does_not_apply("not looked at in a browser: {reason}"),
        "disclosure.browser-broke": is_unknown("the browser did not tell: {reason}"),
        "disclosure.browser-saw-nothing": is_unknown("the browser saw no page"),
        "disclosure.visit-ended": is_unknown("the visit ended {when}"),
        "disclosure.unreachable": fails(
            "no Tab leads to the control of tier {tier}", "reached by keyboard: not everybody has a mouse", _KEYBOARD
        ),
        "disclosure.seen": passes("after {after} a reader sees the {count} fields of tiers 1 to {tier}"),
        "disclosure.seen-early": fails(
            "after {after} a reader sees {fields}",
            "only the {count} fields of tiers 1 to {tier}",
            "see which style or script shows what its disclosure has closed",
        ),
        "disclosure.not-seen": fails(
            "after {after} a reader does not see {fields} ({why})",
            "the {count} fields of tiers 1 to {tier}",
            "see which style or script hides what its disclosure has opened",
        ),
        "disclosure.not-reached": fails(
            "the control of tier {tier} was not reached", "three controls, reached by keyboard", _KEYBOARD
        ),
        "disclosure.nameless": fails(
            "the control of tier {tier} has no name", "a name that says what it opens", _CONTROL
        ),
        "disclosure.state-untold": fails(
            "the control of tier {tier} is told as {before}, and after {key} as {after}",
            "collapsed, then expanded",
            "use native details, or keep aria-expanded true to what is shown",
        ),
        "disclosure.silent-sections": passes("{found} of Filament tell nobody whether they are open"),
        "disclosure.announced": passes("every control is announced with its name and its state"),
        "disclosure.no-way-back": fails(
            "no Shift+Tab leads back to tier {tier}", "the way back by keyboard", _KEYBOARD
        ),
        "disclosure.stays-open": fails(
            "tier {tier} is told as {state} after {key} again",
            "collapsed",
            "use native details, or have the control close what it opened",
        ),
        "disclosure.collapses": passes("each control closes again what it opened"),
    }
)

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
    cell.judge()


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


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: a field, a tier, or a rule of the whole page."""
    if part.startswith("field-"):
        return _field(evidence, BY_SLUG[part.removeprefix("field-")])
    if part.startswith("tier-"):
        return _tier(evidence, int(part.removeprefix("tier-")))
    if part in BROWSERS:
        return _by_browser(evidence, part)
    rules: dict[str, Callable[[Evidence], Finding]] = {
        "fields": _fields,
        "closed": _closed,
        "named": _named,
        "secret": _secret,
    }
    return rules[part](evidence)


def _field(evidence: Evidence, expected: ExpectedField) -> Finding:
    rows, field, tier = evidence.by_path.get(expected.path, ()), expected.path, expected.tier
    if len(rows) != 1:
        return failed("disclosure.field-not-once", field=field, times=_times(len(rows)))
    (row,) = rows
    if evidence.markup == "viewgate" and row.tier != str(tier):
        return failed("disclosure.field-of-other-tier", field=field, said=row.tier or "nothing", tier=tier)
    if not _well_placed(evidence, row, tier):
        behind, wanted = _behind(row.around), _behind(_around(tier))
        return failed("disclosure.field-misplaced", field=field, behind=behind, expected=wanted, tier=tier)
    if row.hidden:
        return failed("disclosure.field-hidden", field=field)
    if not row.text:
        return failed("disclosure.field-empty", field=field)
    return passed("disclosure.field", OBSERVED, field=field, tier=tier)


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


def _fields(evidence: Evidence) -> Finding:
    found, expected, count = set(evidence.by_path), {field.path for field in FIELDS}, len(FIELDS)
    if not evidence.rows:
        return failed("disclosure.no-fields", count=count)
    strange, absent = sorted(found - expected), sorted(expected - found)
    if strange:
        return failed("disclosure.strange-fields", fields=listed(strange), count=count)
    if absent:
        return failed("disclosure.fields-missing", fields=listed(absent), count=count)
    if len(evidence.rows) != count:
        return failed("disclosure.fields-repeated", rows=len(evidence.rows), count=count)
    return passed("disclosure.fields", OBSERVED, figures={"fields": count}, count=count)


def _tier(evidence: Evidence, tier: int) -> Finding:
    if evidence.markup == "selectors":
        return _selected(evidence, tier)
    shown = [row for row in evidence.rows if row.tier == str(tier)]
    count = len(TIERS[tier])
    if len(shown) != count:
        figures, found = {"fields": len(shown)}, counted(len(shown), "field")
        return failed("disclosure.tier-incomplete", figures=figures, tier=tier, found=found, count=count)
    if tier == 1:
        behind = [row.path for row in shown if row.around]
        if behind:
            return failed("disclosure.tier-1-disclosed", fields=listed(behind))
        return passed("disclosure.tier-1", OBSERVED, figures={"fields": count}, count=count)
    toggles = [toggle for toggle in evidence.toggles if toggle.tier == str(tier)]
    if len(toggles) != 1:
        return failed("disclosure.tier-controls", tier=tier, found=counted(len(toggles), "disclosure"))
    if evidence.markup == "viewgate" and toggles[0].around != _around(tier - 1):
        found, wanted = _behind(toggles[0].around), _behind(_around(tier - 1))
        return failed("disclosure.tier-not-cumulative", tier=tier, found=found, expected=wanted)
    return passed("disclosure.tier", OBSERVED, figures={"fields": count}, tier=tier, count=count)


def _selected(evidence: Evidence, tier: int) -> Finding:
    """Judge a tier whose control is known by a selector: what it opens is told by a browser alone."""
    controls = sum(toggle.tier == str(tier) for toggle in evidence.toggles)
    if tier > 1 and controls != 1:
        return failed("disclosure.selector", tier=tier, found=counted(controls, "element"))
    if isinstance(evidence.browser, Unobserved) or not evidence.browser.views:
        return unknown("disclosure.browser-needed", tier=tier)
    return _seen(evidence.browser, tier)


def _closed(evidence: Evidence) -> Finding:
    if not evidence.toggles:
        return failed("disclosure.no-disclosures")
    if opened := [toggle.tier or "an unnamed one" for toggle in evidence.toggles if toggle.open]:
        return failed("disclosure.open", which=listed(opened))
    if exclusive := [toggle.tier for toggle in evidence.toggles if toggle.exclusive]:
        return failed("disclosure.exclusive", which=listed(exclusive))
    return passed("disclosure.closed", OBSERVED, found=counted(len(evidence.toggles), "disclosure"))


def _named(evidence: Evidence) -> Finding:
    if not evidence.toggles:
        return failed("disclosure.no-disclosures")
    for toggle in evidence.toggles:
        which = f"the disclosure of tier {toggle.tier or '(none)'}"
        if not toggle.first or not toggle.name:
            return failed("disclosure.unnamed", which=which)
        if toggle.skipped:
            return failed("disclosure.skipped", which=which)
        if toggle.controls_inside:
            return failed("disclosure.control-in-control", which=which)
    return passed("disclosure.named", OBSERVED)


def _secret(evidence: Evidence) -> Finding:
    if not evidence.rows:
        return unknown("disclosure.no-call")
    if evidence.mentions_secret:
        return failed("disclosure.secret", field=SECRET_FIELD)
    return passed("disclosure.no-secret", OBSERVED, field=SECRET_FIELD)


def _by_browser(evidence: Evidence, part: str) -> Finding:
    seen = evidence.browser
    if isinstance(seen, Absent):
        return not_applicable("disclosure.no-browser", reason=seen)
    if isinstance(seen, Unobserved):
        return unknown("disclosure.browser-broke", reason=seen)
    if not seen.views:
        return unknown("disclosure.browser-saw-nothing")
    if part == "announced":
        return _announced(seen, evidence.markup)
    if part == "collapses":
        return _collapses(seen)
    pictures = {f"{name}.jpg": seen.pictures[name] for name in PICTURES.get(part, ()) if name in seen.pictures}
    return replace(_seen(seen, int(part.removeprefix("seen-"))), pictures=pictures)


def _seen(observed: BrowserObservation, tier: int) -> Finding:
    """Judge what a reader sees with so many tiers open: exactly the fields of these tiers."""
    by = f"{observed.browser}, by keyboard"
    view = next((view for view in observed.views if view.tiers == tier), None)
    if view is None:
        control = next((control for control in observed.controls if not control.reached), None)
        if control is None:
            return unknown("disclosure.visit-ended", seen_by=by, when=f"before tier {tier} was opened")
        return failed("disclosure.unreachable", seen_by=by, tier=control.tier)
    if (differs := _differs(view.fields, tier, view.after, by)) is not None:
        return differs
    count = sum(not why for _, why in view.fields)
    return passed("disclosure.seen", OBSERVED, seen_by=by, after=view.after, count=count, tier=tier)


def _differs(fields: tuple[tuple[str, str], ...], tier: int, after: str, by: str) -> Finding | None:
    """Hold what was seen against what should be; None where they agree."""
    expected = {row.path for row in FIELDS if row.tier <= tier}
    seen, count = {path for path, why in fields if not why}, len(expected)
    if early := listed(sorted(seen - expected)):
        return failed("disclosure.seen-early", seen_by=by, after=after, fields=early, count=count, tier=tier)
    if unseen := sorted(expected - seen):
        code, why = "disclosure.not-seen", dict(fields).get(unseen[0], "not on the page")
        return failed(code, seen_by=by, after=after, fields=listed(unseen), why=why, count=count, tier=tier)
    return None


def _announced(observed: BrowserObservation, markup: str) -> Finding:
    """Judge what assistive technology is told: a control with a name, closed, then open.

    Filament's own sections tell their state to nobody; that is Filament's finding, and does not make this page red.
    """
    by = f"the accessibility tree of {observed.browser}"
    told = {control.tier: control for control in observed.controls if control.reached}
    silent = 0
    for tier in [tier for tier in TIERS if tier > 1]:
        control = told.get(tier)
        if control is None:
            return failed("disclosure.not-reached", seen_by=by, tier=tier)
        if markup == "filament" and control.expanded[:2] == (None, None):
            silent += 1
            continue
        if not control.name.strip():
            return failed("disclosure.nameless", seen_by=by, tier=tier)
        if control.expanded[:2] != (False, True):
            before, after = _state(control, 0), _state(control, 1)
            return failed("disclosure.state-untold", seen_by=by, tier=tier, before=before, key=control.key, after=after)
    if silent:
        return passed("disclosure.silent-sections", OBSERVED, seen_by=by, found=counted(silent, "section"))
    return passed("disclosure.announced", OBSERVED, seen_by=by)


def _state(control: Control, when: int) -> str:
    return {True: "expanded", False: "collapsed", None: "neither collapsed nor expanded"}[control.expanded[when]]


def _collapses(observed: BrowserObservation) -> Finding:
    """Judge the way back: each control closes what it opened, until tier 1 alone is seen."""
    by = f"{observed.browser}, by keyboard"
    for control in reversed(observed.controls):
        tier = control.tier
        if not control.reached:
            return failed("disclosure.not-reached", seen_by=by, tier=tier)
        if not control.found_again:
            return failed("disclosure.no-way-back", seen_by=by, tier=tier)
        if control.expanded[2] is True:
            return failed("disclosure.stays-open", seen_by=by, tier=tier, state=_state(control, 2), key=control.key)
    last = observed.views[-1]
    if len(observed.views) != 2 * len(TIERS) - 1 or last.tiers != 1:
        return unknown("disclosure.visit-ended", seen_by=by, when=f"after {last.after}")
    return next(
        (bad for view in observed.views[len(TIERS) :] if (bad := _differs(view.fields, view.tiers, view.after, by))),
        passed("disclosure.collapses", OBSERVED, seen_by=by),
    )
