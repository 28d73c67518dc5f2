"""What a reader sees is told by a real browser: pages whose documents are right, and whose sight or handling is not.

Each is served over real HTTP and visited by the system's Chromium, as the gate's eighth check does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

from fixtures.environments.base import Host
from fixtures.environments.settings import Environment
from fixtures.observation import browser
from fixtures.observation.browser import BrowserObservation, View
from fixtures.observation.facts import Absent, Unobserved
from fixtures.observation.markup import Disclosure
from fixtures.observation.pages import Answer, PageObservation
from fixtures.options import lack
from reports.records import Verdict
from validations.expectations import FIELDS, TIERS
from validations.gate.test_8_disclosure import BROWSERS, Evidence, examine, judge, read
from validations.registry import DISCLOSURE

ENVIRONMENT = Environment(kind="gateway", url="http://127.0.0.1:1", root="/srv")
AUTHORIZATION = "Bearer canary-7f3a"
SEEN = {f"seen-{tier}" for tier in TIERS}
OPENED = {"seen-2", "seen-3", "seen-4"}


def rows(tier: int) -> str:
    """Return the rows of a tier."""
    return "".join(
        f'<dt>{row.path}</dt><dd data-field="{row.path}" data-tier="{tier}">42</dd>'
        for row in FIELDS
        if row.tier == tier
    )


def native(extra: str = "", *, summary: str = "<summary>Tier {tier}</summary>") -> str:
    """Return a page of native disclosures, each inside the one before, with something more in its head."""
    inner = ""
    for tier in (4, 3, 2):
        control = summary.format(tier=tier)
        inner = f'<details data-tier-toggle="{tier}">{control}<dl>{rows(tier)}</dl>{inner}</details>'
    return f"<!doctype html><title>Call</title><meta charset=utf-8>{extra}<dl>{rows(1)}</dl>{inner}</html>"


def buttons(handler: str) -> str:
    """Return a page of buttons with aria-expanded, whose handler gets the button and the element that it controls."""
    inner = ""
    for tier in (4, 3, 2):
        marks = f'data-tier-toggle="{tier}" aria-expanded="false" aria-controls="t{tier}"'
        button = f"<h2><button {marks}>Tier {tier}</button></h2>"
        inner = f'{button}<div id="t{tier}" hidden><dl>{rows(tier)}</dl>{inner}</div>'
    script = (
        "document.querySelectorAll('button').forEach((button) => button.addEventListener('click', () => {"
        f"const panel = document.getElementById(button.getAttribute('aria-controls')); {handler} }}))"
    )
    return f"<!doctype html><title>Call</title><dl>{rows(1)}</dl>{inner}<script>{script}</script></html>"


TOGGLES = "panel.hidden = !panel.hidden; button.setAttribute('aria-expanded', String(!panel.hidden));"


def style(text: str) -> str:
    """Return the native page with a style sheet."""
    return native(f"<style>{text}</style>")


def script(text: str) -> str:
    """Return the native page with a script that runs once it is there."""
    return native(f"<script>addEventListener('DOMContentLoaded', () => {{ {text} }})</script>")


EVERY_SUMMARY = "document.querySelectorAll('summary').forEach((summary) => summary."
GOOD = [
    pytest.param(native(), set(), id="native"),
    pytest.param(buttons(TOGGLES), set(), id="buttons", marks=pytest.mark.profile("ci")),
]
CI = pytest.mark.profile("ci")
BAD = [
    pytest.param(
        style("details::details-content{content-visibility:visible!important;block-size:auto!important}"),
        {"seen-1", "seen-2", "seen-3", "collapses"},
        id="closed-and-shown",
    ),
    pytest.param(
        script(EVERY_SUMMARY + "addEventListener('click', (event) => event.preventDefault()))"),
        {*OPENED, "announced", "collapses"},
        id="keys-taken-away",
    ),
    pytest.param(style('[data-tier="4"]{display:none}'), {"seen-4"}, id="never-rendered", marks=CI),
    pytest.param(
        style('[data-tier="1"]{position:absolute;left:-9999px}'), {*SEEN, "collapses"}, id="beside-the-page", marks=CI
    ),
    pytest.param(style("dl{opacity:0}"), {*SEEN, "collapses"}, id="transparent", marks=CI),
    pytest.param(style('[data-tier="2"]{color:transparent}'), {*OPENED, "collapses"}, id="no-colour", marks=CI),
    pytest.param(style('[data-tier="3"]{font-size:0}'), {"seen-3", "seen-4", "collapses"}, id="no-size", marks=CI),
    pytest.param(style('[data-tier="4"]{clip-path:inset(100%)}'), {"seen-4"}, id="clipped", marks=CI),
    pytest.param(
        native('<div style="position:fixed;inset:0;background:#fff;z-index:9"></div>'),
        {*SEEN, "collapses"},
        id="covered",
        marks=CI,
    ),
    pytest.param(
        script(EVERY_SUMMARY + "setAttribute('tabindex', '-1'))"),
        {*OPENED, "announced", "collapses"},
        id="no-tab-stop",
        marks=CI,
    ),
    pytest.param(native(summary="<summary></summary>"), {"announced"}, id="no-name", marks=CI),
    pytest.param(buttons("panel.hidden = !panel.hidden"), {"announced"}, id="state-not-told", marks=CI),
    pytest.param(
        buttons(TOGGLES + "if (panel.hidden) { panel.hidden = false; }"), {"collapses"}, id="never-closes", marks=CI
    ),
    pytest.param(
        script("document.querySelector('[data-tier=\"1\"]').remove()"), {*SEEN, "collapses"}, id="taken-off", marks=CI
    ),
    pytest.param(
        script("document.querySelectorAll('details').forEach((one) => { one.open = true; })"),
        {*SEEN, "announced", "collapses"},
        id="opened-by-script",
        marks=CI,
    ),
]


class Served:
    """One page over HTTP, and what it was asked: (method, path, Authorization)."""

    def __init__(self, page: str) -> None:
        self.asked: list[tuple[str, str, str | None]] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.asked.append((self.command, self.path, self.headers.get("Authorization")))
                body = page.encode() if self.path == "/call" else b""
                self.send_response(200 if body else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.origin = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[list[Served]]:
    """Serve pages until the test is over; it appends what it serves."""
    served: list[Served] = []
    yield served
    for one in served:
        one.close()


def visited(
    pytestconfig: pytest.Config, served: list[Served], page: str, markup: Disclosure | None = None
) -> BrowserObservation:
    """Serve a page and visit it."""
    if reason := browser.lacking():
        lack(pytestconfig, "browser", reason)
    served.append(Served(page))
    return browser.visit(f"{served[-1].origin}/call", headers={"Authorization": AUTHORIZATION}, disclosure=markup)


@pytest.mark.parametrize(("page", "red"), [*GOOD, *BAD])
def test_what_a_reader_sees(pytestconfig: pytest.Config, serve: list[Served], page: str, red: set[str]) -> None:
    """Exactly the parts whose promise the page breaks to the eye or the keyboard are red, and no part of a good one."""
    evidence = Evidence((), (), browser=visited(pytestconfig, serve, page))
    judged = {part: judge(evidence, part) for part in BROWSERS}
    assert {part for part, finding in judged.items() if finding.verdict is not Verdict.PASS} == red, judged


def test_the_visit_only_looks(pytestconfig: pytest.Config, serve: list[Served]) -> None:
    """Nothing but GET leaves the browser, whatever the page's scripts want, and headers stay with the page's origin."""
    stranger = Served("")
    serve.append(stranger)
    page = script(
        "fetch('/changes', {method: 'POST'}).catch(() => 0);"
        "navigator.sendBeacon('/beacon', 'x');"
        f"fetch('{stranger.origin}/elsewhere', {{mode: 'no-cors'}}).catch(() => 0);"
        "fetch('/more').catch(() => 0)"
    )
    observed = visited(pytestconfig, serve, page)
    asked = serve[-1].asked
    assert {method for method, _, _ in asked} == {"GET"}
    assert {path for _, path, _ in asked} >= {"/call", "/more"}
    assert {told for _, _, told in asked} == {AUTHORIZATION}
    assert stranger.asked
    assert {told for _, _, told in stranger.asked} == {None}
    assert "canary" not in repr(observed)


@pytest.mark.parametrize("part", sorted(BROWSERS))
def test_nothing_seen_is_never_green(part: str) -> None:
    """A visit that failed is unknown; that no browser is here is said, and does not apply."""
    failed = Evidence((), (), browser=Unobserved("the browser's visit ended with 1"))
    absent = Evidence((), (), browser=Absent("there is no browser"))
    empty = Evidence((), (), browser=BrowserObservation("Chromium", 200, (), ()))
    assert judge(failed, part).verdict is Verdict.UNKNOWN
    assert judge(empty, part).verdict is Verdict.UNKNOWN
    assert judge(absent, part).verdict is Verdict.NOT_APPLICABLE
    assert "there is no browser" in judge(absent, part).observed


def filament(state: str = "true", *, tiers: tuple[int, ...] = (2, 3, 4)) -> str:
    """Return a page of Filament's collapsible sections (v3), one below the other, with what Alpine makes of them."""
    sections = "".join(
        f'<section x-data="{{ isCollapsed: {state} }}" class="fi-section"><header class="fi-section-header">'
        f'<h3 class="fi-section-header-heading"> Tier  {tier} </h3><button type="button">⌄</button></header>'
        f'<div class="fi-section-content-ctn invisible h-0"><dl>{rows(tier)}</dl></div></section>'
        for tier in tiers
    )
    script = (
        "document.querySelectorAll('.fi-section').forEach((section) => section.querySelector('button')"
        ".addEventListener('click', () => { const content = section.querySelector('.fi-section-content-ctn');"
        "content.classList.toggle('invisible'); content.classList.toggle('h-0'); }))"
    )
    style = ".invisible{visibility:hidden}.h-0{height:0;overflow:hidden}"
    return (
        f"<!doctype html><title>Call</title><style>{style}</style><dl>{rows(1)}</dl>{sections}<script>{script}</script>"
    )


SECTIONS = Disclosure(markup="filament", tiers=("Tier 2", "Tier 3", "Tier 4"))
SELECTORS = Disclosure(markup="selectors", tiers=("[aria-controls=t2]", "[aria-controls=t3]", "[aria-controls=t4]"))
STATIC = [part for part in DISCLOSURE.parts(ENVIRONMENT) if part not in BROWSERS]


@CI
@pytest.mark.parametrize(
    ("page", "markup", "red"),
    [
        pytest.param(filament(), SECTIONS, set(), id="filament"),
        pytest.param(filament("false"), SECTIONS, {"closed"}, id="filament-open-at-first"),
        pytest.param(
            filament(tiers=(2, 3)),
            SECTIONS,
            {"fields", "tier-4", *OPENED - {"seen-2", "seen-3"}},
            id="filament-no-tier-4",
        ),
        pytest.param(buttons(TOGGLES), SELECTORS, set(), id="selectors"),
    ],
)
def test_other_markup(
    pytestconfig: pytest.Config, serve: list[Served], page: str, markup: Disclosure, red: set[str]
) -> None:
    """Filament's sections and selectors of one's own are judged like the gateway's markup, document and sight."""
    seen = visited(pytestconfig, serve, page, markup)
    evidence = replace(read(page, markup), browser=seen)
    parts = {part for part in STATIC if not part.startswith("field-")} | BROWSERS
    judged = {part: judge(evidence, part) for part in parts}
    not_green = {part for part, finding in judged.items() if finding.verdict is not Verdict.PASS}
    if red:
        assert red <= not_green, judged
    else:
        assert not_green == set(), judged


@pytest.mark.parametrize("tier", [pytest.param(tier, id=f"tier-{tier}") for tier in TIERS])
def test_selectors_alone_show_nothing(tier: int) -> None:
    """What a selector opens cannot be told from the document: without a browser it is unknown, never green."""
    evidence = replace(read(buttons(TOGGLES), SELECTORS), browser=Absent("none was asked for"))
    assert judge(evidence, f"tier-{tier}").verdict is Verdict.UNKNOWN


class Pictured:
    """A host whose page was seen, with a picture of it."""

    def __init__(self, *, production: bool) -> None:
        self.environment = ENVIRONMENT.model_copy(update={"production": production})

    def page(self) -> PageObservation:
        """Return a page."""
        return PageObservation("http://127.0.0.1:1/call", "s", (Answer(status=200),), None, native())

    def browser(self) -> BrowserObservation:
        """Return a visit that saw nothing but took a picture."""
        view = View(1, "load", tuple((row.path, "") for row in FIELDS if row.tier == 1))
        return BrowserObservation("Chromium", 200, (view,), (), pictures={"closed": b"picture"})


@pytest.mark.parametrize(
    ("production", "attached"),
    [pytest.param(False, {"closed.jpg": b"picture"}, id="stage"), pytest.param(True, {}, id="production")],
)
def test_pictures_are_evidence_but_of_production(production: bool, attached: dict[str, bytes]) -> None:  # noqa: FBT001
    """A picture of a stage's page goes to the report; one of production, which shows real callers, does not."""
    evidence = examine(cast("Host", Pictured(production=production)))
    assert judge(evidence, "seen-1").verdict is Verdict.PASS
    assert judge(evidence, "seen-1").pictures == attached
