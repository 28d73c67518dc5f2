"""The page that people look at: complete without scripts and styles, harmless whatever is in it, the verdict first."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from fixtures.observation import browser as browsers
from fixtures.options import lack
from reports import html, interleaving
from reports.explored import Race, Witness
from reports.records import Other, Outcome, Plan, Verdict
from reports.run import Run
from reports.trends import History
from validations.meta.reports import showcase as reports_showcase
from validations.meta.reports.samples import HOSTILE, others, outcome, outcomes, past, plan, planned, plans, run

PAGE = planned("page/web-1/page", number=7)
NOTHING = History([])
STRICT = "default-src 'none'"
JENKINS = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self'"
GREEN, RED = reports_showcase.green(), reports_showcase.red()
SHOWN = {"green": GREEN, "red": RED}


def rendered(ran: Run, history: History = NOTHING, picture: bytes | None = None) -> str:
    """Return the page of a run."""
    return html.render(ran, ran.gate, history, read=lambda _: picture)


def hold_sound(text: str) -> LexborHTMLParser:
    """Hold a page to what every page keeps: nothing runs, nothing is fetched, every place is one and is there."""
    text.encode()
    tree = LexborHTMLParser(text)
    assert tree.css("script, iframe, object, embed, form, base") == []
    elements = tree.css("*")
    assert [name for one in elements for name in one.attributes if name.startswith("on") or name == "style"] == []
    ids = Counter(one.attributes["id"] for one in elements if "id" in one.attributes)
    assert [name for name, times in ids.items() if times > 1] == []
    for one in elements:
        for name in ("href", "src"):
            target = one.attributes.get(name) or ""
            assert not re.match(r"(?i)\s*(javascript|https?|//)", target)
            if target.startswith("#"):
                assert target[1:] in ids
    return tree


@pytest.mark.parametrize("name", SHOWN)
def test_a_page_is_sound(name: str) -> None:
    """Every link leads to a place of the page or to a file beside it, and the sheet beside it is the one within."""
    tree = hold_sound(rendered(*SHOWN[name]))
    style = tree.css_first("style")
    assert style is not None
    assert style.text() == html.stylesheet()


@given(ledger=plans, came=st.lists(outcomes, max_size=4), tests=st.lists(others, max_size=4))
def test_a_page_is_sound_whatever_is_in_it(ledger: Plan, came: list[Outcome], tests: list[Other]) -> None:
    """Any text in any field stays text, and the verdict is the gate's."""
    keys = [part.key for part in ledger.parts]
    ours = [
        replace(one, check=check, host=host, part=part) for one, (check, host, part) in zip(came, keys, strict=False)
    ]
    ran = run(ledger, [*ours, *came[len(keys) :]], tests)
    tree = hold_sound(rendered(ran, History([past(days=-1)])))
    title = tree.css_first("h1")
    assert title is not None
    words = {Verdict.PASS: "Passed", Verdict.FAIL: "Failed", Verdict.UNKNOWN: "Inconclusive"}
    assert title.text() == words[ran.gate.verdict]


def test_megabytes_are_cut() -> None:
    """A page that failed with ten megabytes does not make a page that no phone opens."""
    ran = run(plan(PAGE), [outcome("page/web-1/page", Verdict.FAIL, reason="x" * 10_000_000, remedy="view:cache")])
    text = rendered(ran)
    assert len(text) < 100_000
    assert "more characters" in text


def test_ten_thousand_runs_of_history_make_a_small_page() -> None:
    """All of them count, the last fifty are shown."""
    ran, history = GREEN
    one = history.runs[-1]
    runs = [
        replace(one, run=f"r{n}", started=one.started - timedelta(minutes=10 * (10_000 - n))) for n in range(10_000)
    ]
    text = rendered(ran, History(runs, one.started))
    assert "10,000 recorded before it 10,000 passed" in text
    assert len(text.encode()) < 1_000_000
    assert text.count("<rect") < 2_000


def test_a_page_of_a_run_that_has_not_ended_is_red() -> None:
    """The page that stands before anything ran says that nothing did."""
    ran = run(plan(PAGE), trouble="the run has not ended")
    tree = hold_sound(rendered(ran))
    assert [one.text(strip=True) for one in tree.css("h1")] == ["Failed"]
    assert "1 of 1 planned parts did not run" in tree.css_first(".lede").text()  # type: ignore[union-attr]


def test_what_changed_since_the_last_green_is_told() -> None:
    """The revision and each cell that was green then; a run that is green has nothing to tell."""
    ran = run(plan(PAGE), [outcome("page/web-1/page", Verdict.FAIL, figures={"release": "r2"})])
    history = History([past(days=-2, cells={"7-page@web-1": "pass"}), past(days=-1, verdict="fail")])
    tree = hold_sound(rendered(ran, history))
    rows = [[cell.text(strip=True) for cell in row.css("th, td")] for row in tree.css("#changed tbody tr")]
    assert rows == [["revision", "r1", "r2"], ["7-page@web-1", "pass", "fail"]]
    fine = run(plan(PAGE), [outcome("page/web-1/page")])
    assert hold_sound(rendered(fine, history)).css("#changed") == []


def _witness(*steps: list[str]) -> Witness:
    actors = list(dict.fromkeys(step[0] for step in steps))
    return Witness.from_json({"promise": "I2", "seen": "no view", "actors": actors, "steps": [list(s) for s in steps]})


def test_an_interleaving_has_a_lane_an_actor_and_a_row_a_step() -> None:
    """A switch is a line between lanes, and the step at which the promise breaks is the one that is marked."""
    diagram = interleaving.diagram(
        _witness(
            ["a", "write", "x", ""], ["b", "unlink", "x", ""], ["b", "stat", "x", ""], ["a", "rename", "x", "ENOENT"]
        )
    )
    root = ET.fromstring(diagram)
    space = "{http://www.w3.org/2000/svg}"
    titles = [one.text for one in root.iter(f"{space}title")]
    assert titles == ["step 0, a: write x", "step 1, b: unlink x", "step 2, b: stat x", "step 3, a: rename x ENOENT"]
    assert len(root.findall(f"{space}path")) == 2
    marked = [group for group in root.findall(f"{space}g") if group.find(f"{space}rect") is not None]
    assert [group.findtext(f"{space}title") for group in marked] == ["step 3, a: rename x ENOENT"]
    assert root.get("aria-label") == "I2 is violated: no view, in 4 steps of 2 actors"


def test_a_stretch_of_one_actor_is_told_in_few_rows() -> None:
    """A hundred steps that meet nothing do not hide the two that do; an actor nobody named has a lane, too."""
    steps = [["a", "read", f"f{n}", ""] for n in range(100)]
    diagram = interleaving.diagram(_witness(*steps, ["b", "unlink", HOSTILE, "E"]))
    root = ET.fromstring(diagram)
    assert "94 more steps" in diagram
    assert len(list(root.iter("{http://www.w3.org/2000/svg}title"))) == 7
    assert "<script" not in diagram


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([], id="list"),
        pytest.param({"schedules": "many"}, id="schedules-text"),
        pytest.param({"states": [1]}, id="states-numbers"),
        pytest.param({"pct_bound": float("nan")}, id="bound-nan"),
        pytest.param({"witness": {"steps": ["a"]}}, id="step-text"),
        pytest.param({"mutants": {"killed": True}}, id="killed-bool"),
    ],
)
def test_what_is_no_race_is_refused(told: Any) -> None:
    """A test that says nonsense of its search is found out, and the run is not green."""
    with pytest.raises(ValueError, match=r"should be|race"):
        Race.from_json("n", told)


# What only a browser can tell


@pytest.fixture(scope="module", name="chromium")
def _chromium(pytestconfig: pytest.Config) -> Iterator[Any]:
    if reason := browsers.lacking():
        lack(pytestconfig, "browser", reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browsers.executable())
        yield chromium
        chromium.close()


class Viewer:
    """An artifact viewer that serves one page under a policy, and remembers what the page asked for."""

    def __init__(self, chromium: Any, text: str, policy: str, **options: Any) -> None:
        self.asked: list[str] = []
        self._text = text
        self._policy = policy
        self._context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
        self._context.set_default_timeout(20_000)
        self._context.route("**/*", self._serve)
        self.page = self._context.new_page()

    def __enter__(self) -> Any:
        """Open the page."""
        self.page.goto("http://viewer.invalid/report.html")
        return self.page

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._context.close()

    def _serve(self, route: Any) -> None:
        name = route.request.url.rpartition("/")[2].partition("#")[0]
        self.asked.append(name)
        if name == "report.html":
            headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": self._policy}
            route.fulfill(status=200, body=self._text, headers=headers)
        elif name == "report.css":
            route.fulfill(status=200, body=html.stylesheet(), headers={"Content-Type": "text/css"})
        else:
            route.fulfill(status=404)


def test_everything_is_there_without_scripts_and_styles(chromium: Any) -> None:
    """Under `default-src 'none'` a reader sees the verdict, what is not green and why, and every figure."""
    ran, history = RED
    viewer = Viewer(chromium, rendered(ran, history), STRICT, java_script_enabled=False)
    with viewer as page:
        seen = page.inner_text("body")
        for failure in reports_showcase.FAILURES.values():
            assert failure["observed"] in seen
            assert failure["expected"] in seen
        for words in ("Failed", "I2 no missing view", "caught", "missed", "false alarm", "One root cause", "waived"):
            assert words in seen
        assert page.locator("#hosts tbody tr").count() == 15
        charts = page.locator("svg.figure")
        assert charts.count() > 20
        assert all(charts.nth(index).bounding_box()["width"] > 40 for index in range(8))
        # Painted by attributes: a rectangle of a red cell is red without any style.
        painted = page.locator("#timeline rect.is-fail").first.evaluate("(one) => getComputedStyle(one).fill")
        assert painted == "rgb(179, 38, 30)"
    assert viewer.asked == ["report.html"]


def test_the_sheet_beside_the_page_is_used_where_only_that_is_allowed(chromium: Any) -> None:
    """Under Jenkins' default policy the page looks as it should, too."""
    with Viewer(chromium, rendered(*RED), JENKINS) as page:
        assert page.locator("h1").evaluate("(one) => getComputedStyle(one).color") == "rgb(179, 38, 30)"
        assert page.locator(".eight").evaluate("(one) => getComputedStyle(one).display") == "grid"


def test_the_verdict_comes_first_and_failures_before_the_rest(chromium: Any) -> None:
    """What is called for at night is on the first screen; nothing is fetched but the sheet."""
    viewer = Viewer(chromium, rendered(*RED, picture=_pixel()), "")
    with viewer as page:
        places = ["h1", ".lede", "#eight", "#not-green", "#changed", "#hosts", "#objectives", "#history", "#cells"]
        tops = [page.locator(place).bounding_box()["y"] for place in places]
        assert tops == sorted(tops)
        assert tops[3] < 900
        reds = page.locator("#not-green article").evaluate_all("(all) => all.map((one) => one.className)")
        assert reds.index("is-unknown") > reds.index("is-fail")
    assert set(viewer.asked) <= {"report.html", "report.css"}


@pytest.mark.parametrize("width", [320, 390, 768])
@pytest.mark.parametrize("name", [*SHOWN, "hostile"])
def test_nothing_is_wider_than_a_phone(chromium: Any, name: str, width: int) -> None:
    """The page itself never scrolls sideways; what is wider scrolls within itself."""
    long = outcome(
        "page/web-1/page", Verdict.FAIL, reason="x" * 3_000 + HOSTILE, remedy="y" * 500, figures={"z" * 300: "w" * 300}
    )
    hostile = run(plan(PAGE), [long], [Other("t" * 400, "failed", 0.1, "v" * 900, 1.0)]), NOTHING
    text = rendered(*(SHOWN | {"hostile": hostile})[name])
    with Viewer(chromium, text, "", viewport={"width": width, "height": 800}) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


CONTRAST = """
() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map(Number).map((c) => c / 255)
      .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (el) => {
    for (; el; el = el.parentElement) {
      const colour = getComputedStyle(el).backgroundColor;
      if (!colour.endsWith(", 0)")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const el of document.querySelectorAll("body *:not(svg *)")) {
    if (![...el.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [light(getComputedStyle(el).color), light(behind(el))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${el.tagName} ${el.className} ${ratio.toFixed(2)}`);
  }
  return [...new Set(found)];
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_stands_out_from_what_is_behind_it(chromium: Any, scheme: str) -> None:
    """By day and by night, 4.5 to 1 at least, as WCAG's level AA asks."""
    with Viewer(chromium, rendered(*RED), "", color_scheme=scheme) as page:
        dark = page.locator("body").evaluate("(one) => getComputedStyle(one).backgroundColor")
        assert (dark == "rgb(23, 22, 20)") == (scheme == "dark")
        assert page.evaluate(CONTRAST) == []


def test_a_link_to_a_part_leads_to_it_though_its_cell_is_closed(chromium: Any) -> None:
    """A ticket may point at any part of any cell."""
    with Viewer(chromium, rendered(*RED), "", java_script_enabled=False) as page:
        place = "7-page@web-1/guest"
        row = page.locator(f'[id="{place}"]')
        assert not row.is_visible()
        page.goto(f"http://viewer.invalid/report.html#{place}")
        row.wait_for(state="visible")
        assert row.bounding_box()["y"] < 900


def test_on_paper_it_is_dark_on_white_and_what_is_red_is_open(chromium: Any) -> None:
    """Also where the reader's screen is dark."""
    with Viewer(chromium, rendered(*RED), "", color_scheme="dark") as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert page.locator("body").evaluate("(one) => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator("body").evaluate("(one) => getComputedStyle(one).color") == "rgb(0, 0, 0)"
        assert page.locator('[id="7-page@web-2/complete"]').is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_picture_is_in_the_page_and_links_to_the_file_beside_it(chromium: Any) -> None:
    """The page alone, taken out of its folder, still shows what a check saw."""
    with Viewer(chromium, rendered(*RED, picture=_pixel()), "") as page:
        picture = page.locator("#pictures img")
        assert picture.evaluate("(one) => one.complete && one.naturalWidth") == 1
        assert page.locator("#pictures a").get_attribute("href") == "attachments/page-web-2-blank.png"


def test_hostile_text_runs_nothing(chromium: Any) -> None:
    """Markup, the end of a script, and event handlers in any field are shown as they are."""
    attack = (
        f"<img src=x onerror=\"document.title='pwned'\"></style></svg><script>document.title='pwned'</script>{HOSTILE}"
    )
    parts = [planned("page/web-1/page", number=7), replace(PAGE, part=attack, title=attack), replace(PAGE, host=attack)]
    came = [outcome("page/web-1/page", Verdict.FAIL, reason=attack, remedy=attack, figures={attack: attack})]
    race = {
        "system": attack,
        "scenario": attack,
        "states": {attack: 1},
        "witness": {"promise": attack, "seen": attack, "actors": [attack], "steps": [[attack, attack, attack, attack]]},
    }
    ran = run(
        replace(plan(*parts), environment=attack, provenance={attack: attack}),
        came,
        [Other(attack, "failed", 1, attack, 1)],
    )
    ran.races.append(Race.from_json("n", race))
    text = rendered(ran)
    hold_sound(text)
    viewer = Viewer(chromium, text, "")
    with viewer as page:
        assert "viewgate" in page.title()
        assert "onerror=" in page.inner_text("#not-green")
    assert set(viewer.asked) <= {"report.html", "report.css"}


def _pixel() -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00"))
        + chunk(b"IEND", b"")
    )
