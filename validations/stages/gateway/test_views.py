"""The gateway's views: each renders by itself, and the enhanced call view shows whatever a call holds."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from selectolax.lexbor import LexborHTMLParser

from fixtures.calls.sample import SAMPLE_CALL
from fixtures.calls.schema import FIELDS
from fixtures.calls.strategies import Call, calls, calls_with_a_token
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import SKELETON, create_application_directory, grow
from fixtures.gateway.views.compiled_views import CompiledViews
from fixtures.gateway.web.call_view import enhanced_call_context
from validations.expectations import TIERS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VIEWS = grow(682).views
APP = {"name": "api-gateway", "environment": "production", "release": "20261124-035512-3f2a"}
CONTEXT = {"now": dt.datetime(2026, 11, 24, 4, 0, tzinfo=dt.UTC), "auth": "operator"}
# No page sets a handler, runs a script, embeds anything or loads anything from elsewhere.
FORBIDDEN_TAGS = {"script", "img", "iframe", "object", "embed", "link", "base"}


def is_fragment(name: str) -> bool:
    """Tell by its path whether a view is a part of a page."""
    return "_partials/" in name or name.startswith("components/")


def parsed(text: str) -> ET.Element:
    """Parse a document as XML, which forgives nothing."""
    return ET.fromstring(text)


def environment_of(views: Mapping[str, str]) -> jinja2.Environment:
    """Give an environment with the options that the gateway's has, but nothing of its caches."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(dict(views)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["app"] = APP
    return environment


@pytest.fixture(name="environment", scope="module")
def _environment() -> jinja2.Environment:
    return environment_of(VIEWS)


@pytest.fixture(name="enhanced", scope="module")
def _enhanced(environment: jinja2.Environment) -> jinja2.Template:
    return environment.get_template("calls/enhanced.html")


def page_of(enhanced: jinja2.Template, call: Mapping[str, Any]) -> str:
    """Render a call's page; it is well-formed XML, which no stray character, quote or tag of a value leaves it."""
    page = enhanced.render(**CONTEXT, **enhanced_call_context(call))
    page.encode()
    parsed(page)
    return page


def test_each_view_renders_by_itself(environment: jinja2.Environment) -> None:
    """Every view says something with no more than the application gives to all, as well-formed."""
    for name in VIEWS:
        text = environment.get_template(name).render(CONTEXT)
        if is_fragment(name):
            assert text.strip(), name
            parsed(f"<div>{text}</div>")
        else:
            assert text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>"), name  # noqa: PT018 - one promise
            assert parsed(text).find(".//h1") is not None, name


def test_pages_extend_a_layout_and_use_components() -> None:
    """The tree is one of inheritance, includes, imports and component calls, as an admin panel's is."""
    pages = [name for name in VIEWS if not is_fragment(name) and name != "layouts/base.html"]
    assert [name for name in pages if "{% extends" not in VIEWS[name]] == []
    uses = Counter(tag for text in VIEWS.values() for tag in re.findall(r"{% (extends|include|from|call|macro)", text))
    assert set(uses) == {"extends", "include", "from", "call", "macro"}
    assert min(uses.values()) >= 100


def test_views_grow_from_many_sources() -> None:
    """The 682 views come of at least 40 hand-written sources, no two of them the same."""
    sources = [path.read_text() for path in (SKELETON / "resources").rglob("*.html")]
    assert len(sources) == len(set(sources)) >= 40
    assert len(set(VIEWS.values())) >= 600


@pytest.mark.parametrize(
    "number", [pytest.param(120, id="120"), pytest.param(682, id="682"), pytest.param(1000, id="1000")]
)
def test_links_between_the_panels_lead_somewhere(number: int) -> None:
    """Whatever was grown, what pages and sidebars link to in the panels is there."""
    views = grow(number).views
    environment = environment_of(views)
    missing = set()
    for name in views:
        document = LexborHTMLParser(environment.get_template(name).render(CONTEXT))
        links = {(node.attributes["href"] or "").partition("?")[0] for node in document.css("a[href^='/admin/']")}
        missing |= {(name, link) for link in links if f"filament/{link.removeprefix('/admin/')}.html" not in views}
    assert missing == set()


def test_compiled_views_serve_the_page(tmp_path: Path) -> None:
    """The gateway's own compiled views render the call as any Jinja environment does, to the end of the document."""
    release = Release.at(create_application_directory(tmp_path / "app", views=120, env={}))
    views = CompiledViews(release.views_source, release.compiled_path, template_globals={"app": APP})
    page = views.render("calls/enhanced.html", {**CONTEXT, **enhanced_call_context(SAMPLE_CALL)})
    assert '<footer class="footer" data-sentinel="enhanced-call-view">' in page
    assert page.rstrip().endswith("</body>\n</html>")


# A call has 112 fields: drawing one takes a while.
drawn_calls = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@drawn_calls
@given(calls)
def test_a_page_has_each_field_once_in_its_tier(enhanced: jinja2.Template, call: Call) -> None:
    """For any call: 112 rows, never empty, each as deep as its tier, and nothing is open at first."""
    document = LexborHTMLParser(page_of(enhanced, call))
    rows = document.css("[data-field]")
    assert Counter(row.attributes["data-field"] for row in rows) == Counter(field.path for field in FIELDS)
    for row in rows:
        tier = row.attributes["data-tier"]
        around = [node.attributes.get("data-tier-toggle") for node in _ancestors(row) if node.tag == "details"]
        assert around == [str(number) for number in range(int(tier or 0), 1, -1)]
        assert row.attributes["data-field"] in TIERS[int(tier or 0)]
        assert row.text(deep=True).strip()
    assert document.css("details[open], details[name]") == []


@drawn_calls
@given(calls)
def test_a_page_runs_and_loads_nothing(enhanced: jinja2.Template, call: Call) -> None:
    """Values stay text: no element, attribute or address on the page comes from the call."""
    document = LexborHTMLParser(page_of(enhanced, call))
    plain = LexborHTMLParser(page_of(enhanced, SAMPLE_CALL))
    tags = {node.tag for node in document.root.traverse()} if document.root else set()
    assert tags & FORBIDDEN_TAGS == set()
    assert _addresses(document) == _addresses(plain)
    for node in document.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")]


@drawn_calls
@given(calls_with_a_token())
def test_an_access_token_never_shows(enhanced: jinja2.Template, drawn: tuple[Call, str]) -> None:
    """Neither a web call's token nor its name gets onto the page, wherever else in the call they stand."""
    call, token = drawn
    page = page_of(enhanced, call)
    assert token not in page
    assert "access_token" not in page


def test_controls_say_what_they_open(enhanced: jinja2.Template) -> None:
    """Each summary names its tier and how many fields it adds, and holds no other control."""
    document = LexborHTMLParser(page_of(enhanced, SAMPLE_CALL))
    assert [node.text().strip() for node in document.css("details > summary:first-child")] == [
        "Tier 2: details, 19 more fields",
        "Tier 3: performance and cost, 55 more fields",
        "Tier 4: raw record, 25 more fields",
    ]
    assert document.css("summary a, summary button, summary input") == []
    assert len(document.css("details")) == 3


def test_what_is_not_recorded_says_so(enhanced: jinja2.Template) -> None:
    """A call of nothing has a placeholder in every row, and each has a name for those who hear the page."""
    document = LexborHTMLParser(page_of(enhanced, {}))
    rows = document.css("[data-field]")
    assert len(rows) == 112
    for row in rows:
        (placeholder,) = row.css(".absent")
        assert (placeholder.text(), placeholder.attributes["aria-label"]) == ("—", "not recorded")


def test_headings_go_down_one_level_at_a_time(enhanced: jinja2.Template) -> None:
    """The page has one h1, and no heading skips a level."""
    levels = [
        int((node.tag or "h0")[1]) for node in LexborHTMLParser(page_of(enhanced, SAMPLE_CALL)).css("h1,h2,h3,h4")
    ]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_ids_and_labels_belong_together(environment: jinja2.Environment) -> None:
    """On every page an id is there once, and each label and aria reference names one."""
    for name in VIEWS:
        if is_fragment(name):
            continue
        document = LexborHTMLParser(environment.get_template(name).render(CONTEXT))
        ids = Counter(node.attributes["id"] for node in document.css("[id]"))
        references = {node.attributes["for"] for node in document.css("label[for]")}
        references |= {node.attributes["aria-describedby"] for node in document.css("[aria-describedby]")}
        assert (name, max(ids.values(), default=1), references - set(ids)) == (name, 1, set())


def _ancestors(node: Any) -> list[Any]:
    found = []
    while (node := node.parent) is not None:
        found.append(node)
    return found


def _addresses(document: LexborHTMLParser) -> list[tuple[str, str | None]]:
    return [
        (name, node.attributes[name])
        for node in document.css("[href],[src],[action]")
        for name in ("href", "src", "action")
        if name in node.attributes
    ]
