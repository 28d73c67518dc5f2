"""Writes `report.html`: one page for whoever is called at night, readable without scripts and without styles.

First the verdict and its reason, then what is not green and what to do, then everything else. What a policy of an
artifact viewer blocks (scripts, inline styles, images in data URLs) takes nothing of the content away.
"""

from __future__ import annotations

import base64
import mimetypes
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports import history, interleaving, svg, words
from reports.explored import Faults
from reports.records import Other
from reports.run import NOT_ENDED, Run
from reports.text import duration, line, number, visible
from reports.trends import Change, History, Past, changes, measure
from reports.verdict import Cell, Gate, Part, State, affected, worst

TEMPLATES = Path(__file__).parent / "templates"
_COMPILED = TEMPLATES / "__pycache__"
"""Where the template lies compiled, as Python's own modules do: a gate run has no time to compile it."""

_TEXT = 4_000
_PARTS_SHOWN = 1_500
"""Parts told one by one; of a larger run the green ones are named only."""

_BESIDE_SHOWN = 50
_ROWS_OF_TIMELINE = 40
_EMBEDDED = 3_000_000
"""Bytes of pictures that are put into the page itself; all of them are linked."""

_WORDS = {
    "pass": "pass",
    "fail": "fail",
    "unknown": "unknown",
    "not-applicable": "not applicable",
    "missing": "not run",
    "interrupted": "interrupted",
    "unplanned": "not planned",
    "waived": "waived",
}


def render(run: Run, gate: Gate, past: History, *, read: Callable[[str], bytes | None]) -> str:
    """Return the page. `past` are the recorded runs before this one; `read` gives an attachment's bytes by its path."""
    page = _Page(run, gate, past, read)
    text: str = _environment().get_template("report.html").render(page=page, run=run, gate=gate)
    return text


def stylesheet() -> str:
    """Return the page's style sheet, which is in the page and beside it: a policy may allow either, or none."""
    return _style()


@cache
def _style() -> str:
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")


@cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        bytecode_cache=jinja2.FileSystemBytecodeCache(str(_COMPILED)) if _writable(_COMPILED) else None,
    )
    environment.filters |= {"line": line, "number": number, "duration": duration, "verdict": _WORDS.__getitem__}
    return environment


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _shown(value: object) -> object:
    return visible(value, _TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


@dataclass(frozen=True, slots=True)
class Alike:
    """Parts of one cell that say the same."""

    parts: tuple[Part, ...]
    decisive: Part

    @property
    def names(self) -> str:
        """The first few of their names, and how many more."""
        told = ", ".join(part.planned.part for part in self.parts[:6])
        return f"{told} and {len(self.parts) - 6} more" if len(self.parts) > 6 else told


@dataclass(frozen=True, slots=True)
class Check:
    """One of the eight over all hosts."""

    number: int
    name: str
    title: str
    verdict: str
    cells: tuple[Cell, ...]
    green: int
    parts: int
    seconds: float
    recent: Markup
    anchor: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure with its past."""

    name: str
    host: str
    latest: str
    before: str
    figure: Markup


class _Page:
    """What the template shows, each thing made when it is asked for."""

    def __init__(self, run: Run, gate: Gate, past: History, read: Callable[[str], bytes | None]) -> None:
        self._run = run
        self._gate = gate
        self._read = read
        self._embedded = 0
        self.past = past
        self.word = words.GATE[gate.verdict].capitalize()
        self.style = Markup(_style())  # noqa: S704 - our own sheet
        self.many = len(run.plan.hosts) > 1
        self.started = datetime.fromtimestamp(run.started, UTC)
        self.over = run.trouble != NOT_ENDED
        self.brief = len(gate.parts) <= _PARTS_SHOWN
        self._anchors: dict[str, str] = {}
        self._taken: set[str] = set()
        self.now = Past.from_line(history.line(run, gate, ended=run.started + run.seconds, code=run.exit or 0))

    @property
    def reason(self) -> str:
        """The gate's reason, as the sentence that it is here."""
        return self._gate.reason[:1].upper() + self._gate.reason[1:]

    # Where things are

    @property
    def contents(self) -> Iterable[tuple[str, str]]:
        """Yield the place and the title of what is on the page."""
        told: list[tuple[str, str, object]] = [
            ("not-green", "Not green", self.bad or self.absent or self._gate.causes),
            ("hosts", "Hosts", self.many),
            ("objectives", "Objectives", self._gate.objectives),
            ("latency", "Latency", self.latencies),
            ("races", "Races", self._run.races),
            ("faults", "Faults", self._run.faults),
            ("pictures", "Pictures", next(iter(self.pictures), None)),
            ("timeline", "Timeline", self.timeline),
            ("history", "History", True),
            ("cells", "Every part", True),
            ("beside", "Tests beside", self._run.others),
            ("provenance", "Provenance", True),
        ]
        return ((place, title) for place, title, there in told if there)

    def anchor(self, cell: Cell, part: Part | None = None) -> str:
        """Return the id of a cell's or a part's place, the same in every report of the same plan."""
        name = f"{history.cell_id(cell)}/{part.planned.part}" if part else history.cell_id(cell)
        if name not in self._anchors:
            slug = re.sub(r"[^A-Za-z0-9@/._-]+", "-", name) or "cell"
            while slug in self._taken:
                slug += "~"
            self._taken.add(slug)
            self._anchors[name] = slug
        return self._anchors[name]

    # The eight

    @property
    def checks(self) -> Iterable[Check]:
        """The eight, each over all hosts."""
        groups: dict[tuple[int, str], list[Cell]] = {}
        for cell in self._gate.validations:
            groups.setdefault((cell.number, cell.check), []).append(cell)
        for (place, name), cells in groups.items():
            ids = [history.cell_id(cell) for cell in cells]
            recent = [
                (_worst(told), f"{one.started:%d %b %H:%M}") for one in self.past.recent[-9:] if (told := _of(one, ids))
            ]
            states = [cell.state.value for cell in cells]
            recent.append((_worst(states), "this run"))
            worst = next((cell for cell in cells if cell.state.value == _worst(states)), cells[0])
            yield Check(
                number=place,
                name=name,
                title=cells[0].title,
                verdict=_worst(states),
                cells=tuple(cells),
                green=sum(cell.green for cell in cells),
                parts=sum(len(cell.parts) for cell in cells),
                seconds=sum(cell.seconds for cell in cells),
                recent=svg.strip(recent, size=7, gap=2, label=f"the last {len(recent)} runs"),
                anchor=self.anchor(worst),
            )

    @property
    def matrix(self) -> Iterable[tuple[str, str, list[Cell | None]]]:
        """Yield each check's number, name, and its cell on every host of the plan."""
        groups: dict[tuple[int, str], dict[str, Cell]] = {}
        for cell in self._gate.cells:
            groups.setdefault((cell.number, cell.check), {})[cell.host] = cell
        for (place, name), cells in groups.items():
            yield str(place or ""), name, [cells.get(host) for host in self._run.plan.hosts]

    # What is not green

    @property
    def bad(self) -> list[Cell]:
        """Cells that are not green by themselves and of which something ran: the worst first, the waived last."""
        absent = self.absent
        found = [cell for cell in self._gate.cells if cell not in absent and self.alike(cell)]
        return sorted(found, key=lambda cell: -cell.state.rank)

    @property
    def causes(self) -> Iterable[tuple[str, str, str]]:
        """Yield each root cause with what is unknown because of it, and a remedy."""
        for cause, parts in self._gate.causes.items():
            yield cause, affected(parts), parts[0].finding.remedy

    @property
    def absent(self) -> list[Cell]:
        """Cells of which nothing ran: they have one cause."""
        return [cell for cell in self._gate.cells if cell.absent]

    def alike(self, cell: Cell) -> list[Alike]:
        """Return a cell's parts that are not green, those that say the same together, the worst first."""
        groups: dict[tuple[object, ...], list[Part]] = {}
        for part in cell.bad:
            finding = part.finding
            key = (part.state, finding.observed, finding.expected, finding.remedy, part.attachments)
            groups.setdefault(key, []).append(part)
        told = [Alike(tuple(parts), parts[0]) for parts in groups.values()]
        return sorted(told, key=lambda one: -one.decisive.state.rank)

    def picture(self, path: str) -> Markup:
        """Return where a picture's bytes are: in the page itself as far as there is room, else beside it."""
        kind = mimetypes.guess_type(path)[0] or ""
        content = self._read(path) if kind.startswith("image/") else None
        if content is None or self._embedded + len(content) > _EMBEDDED:
            return Markup("{}").format(path)
        self._embedded += len(content)
        # Markup, so that it is not cut as text of others is.
        return Markup("data:{};base64,{}").format(kind, base64.b64encode(content).decode("ascii"))

    @property
    def pictures(self) -> Iterable[tuple[Cell, Part, str]]:
        """Yield each picture once, with a part that it is evidence of."""
        seen: set[str] = set()
        for cell in self._gate.cells:
            for part in cell.parts:
                for path in part.attachments:
                    if path not in seen:
                        seen.add(path)
                        yield cell, part, path

    # Figures

    def meter(self, cell: Cell) -> Markup | None:
        """Return the bar of an objective's value and target, where it has both and they tell something as lengths."""
        value, target = (_figure(cell, name) for name in ("value", "target"))
        if not isinstance(value, int | float) or not isinstance(target, int | float) or not target or value < 0:
            return None
        told = f"{number(value)}, with {number(target)} agreed"
        return svg.meter(float(value), float(target), cell.state.value, label=told)

    def figure(self, cell: Cell, name: str) -> str:
        """Return a figure of a cell as people read it."""
        value = _figure(cell, name)
        return "" if value is None else number(value)

    @cached_property
    def latencies(self) -> list[tuple[Cell, Markup, list[tuple[str, str]]]]:
        """Each cell that timed its requests, with their distribution and their percentiles."""
        timed = [
            (cell, part.finding.samples["seconds"])
            for cell in self._gate.cells
            for part in cell.parts
            if len(part.finding.samples.get("seconds", ())) > 1
        ]
        # One scale for all hosts, so that they can be compared at a glance.
        most = max((max(seconds) for _, seconds in timed), default=0.0)
        drawn = []
        for cell, seconds in timed:
            told = [(f"p{p:g}", duration(history.percentile(seconds, p))) for p in (50, 95, 99)]
            told.append(("slowest", duration(max(seconds))))
            label = f"{len(seconds)} answers: " + ", ".join(f"{name} {value}" for name, value in told)
            drawn.append(
                (cell, svg.distribution(seconds, most, label=label), [("requests", f"{len(seconds):,}"), *told])
            )
        return drawn

    @cached_property
    def timeline(self) -> Markup | None:
        """Return when what ran, the cells in their order and then the files of other tests."""
        rows = []
        for cell in self._gate.cells:
            spans = [
                (outcome.started - self._run.started, outcome.started - self._run.started + outcome.seconds)
                for part in cell.parts
                for outcome in part.outcomes
            ]
            if spans:
                name = f"{cell.number or ''} {cell.check}{f' {cell.host}' if self.many else ''}".strip()
                rows.append((name, cell.state.value, _merged(spans)))
        if len(rows) > _ROWS_OF_TIMELINE:
            longest = sorted(rows, key=lambda row: -sum(end - begin for begin, end in row[2]))[:_ROWS_OF_TIMELINE]
            rows = [row for row in rows if row in longest]
        files: dict[str, list[Other]] = {}
        for other in self._run.others:
            if other.started:
                files.setdefault(other.nodeid.partition("::")[0], []).append(other)
        for file, others in list(files.items())[:_ROWS_OF_TIMELINE]:
            spans = [(one.started - self._run.started, one.started - self._run.started + one.seconds) for one in others]
            name = file.rpartition("/")[2].removesuffix(".py")
            rows.append((name, "fail" if any(one.failed for one in others) else "pass", _merged(spans)))
        if not rows:
            return None
        most = max(self._run.seconds, *(end for _, _, spans in rows for _, end in spans))
        return svg.timeline(rows, most, label=f"{len(rows)} rows over {duration(most)}")

    # The past

    @property
    def strip(self) -> Markup:
        """Return the last runs as squares, this one the last."""
        recent = [
            (
                one.verdict if one.verdict != "pass" or one.green else "fail",
                f"{one.started:%d %b %Y %H:%M} {one.revision}",
            )
            for one in self.past.recent
        ]
        told = [*recent, ("missing" if not self.over else self._gate.verdict.value, "this run")]
        passed = sum(verdict == "pass" for verdict, _ in told)
        return svg.strip(told, label=f"{passed} of the last {len(told)} runs passed")

    @property
    def changed(self) -> list[Change]:
        """What is different from the last green run."""
        green = self.past.green
        return changes(green, self.now) if green is not None and self.now is not None else []

    @property
    def measures(self) -> Iterable[Measure]:
        """Yield each measure of this run with its trend over the last runs."""
        targets = {f"{cell.check}@{cell.host}": _figure(cell, "target") for cell in self._gate.objectives}
        for key, value in history.measures(self._gate).items():
            values = [one.measures[key] for one in self.past.recent if key in one.measures]
            name, _, host = key.rpartition("@")
            target = targets.get(key)
            aim = float(target) if isinstance(target, int | float) else None
            least, most = (measure(key, limit([*values, value])) for limit in (min, max))
            label = f"{name}: {measure(key, value)}, from {least} to {most}"
            yield Measure(
                name=name.replace(".p", " p"),
                host=host if self.many else "",
                latest=measure(key, value),
                before=measure(key, history.percentile(values, 50)) if values else "",
                figure=svg.trend([*values, value], target=aim, label=label),
            )

    # What was explored

    @property
    def diagrams(self) -> Iterable[tuple[Any, Markup | None]]:
        """Yield each race with the diagram of its witness, those with one first."""
        for race in sorted(self._run.races, key=lambda race: (race.witness is None, race.system, race.scenario)):
            yield race, interleaving.diagram(race.witness) if race.witness else None

    @property
    def confusion(self) -> Iterable[tuple[Faults, list[str], list[tuple[str, str, list[str]]]]]:
        """Yield each fault matrix: its columns, and a row a fault with what each cell did, one word a column.

        Tests of one file tell of one matrix, fault by fault and in whatever process they ran.
        """
        files: dict[str, list[Faults]] = {}
        for part in self._run.faults:
            files.setdefault(part.nodeid.partition("::")[0], []).append(part)
        for told in map(Faults.of, files.values()):
            columns = sorted({cell for row in told.rows for cell in (*row.declared, *row.observed)}, key=_in_order)
            yield (
                told,
                columns,
                [
                    (row.name, row.area, [_came(cell in row.declared, cell in row.observed) for cell in columns])
                    for row in told.rows
                ],
            )

    @property
    def beside(self) -> tuple[int, list[Other], int]:
        """Tests of no cell: how many, those that did not pass as far as they are shown, and how many did not."""
        bad = [other for other in self._run.others if other.failed]
        return len(self._run.others), bad[:_BESIDE_SHOWN], len(bad)


def _figure(cell: Cell, name: str) -> object:
    return next((part.finding.figures[name] for part in cell.parts if name in part.finding.figures), None)


def _came(declared: bool, observed: bool) -> str:  # noqa: FBT001 - two bits make four words
    return {(True, True): "caught", (True, False): "missed", (False, True): "false alarm"}.get((declared, observed), "")


def _in_order(name: str) -> tuple[int, str]:
    found = re.match(r"\d+", name)
    return int(found[0]) if found else 99, name


def _worst(recorded: Sequence[str]) -> str:
    known = list(State)
    return worst(State(word) if word in known else State.UNKNOWN for word in recorded).value


def _of(one: Past, ids: Sequence[str]) -> list[str]:
    return [one.cells[name] for name in ids if name in one.cells]


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Join spans with less than a hundredth of a second between them."""
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if merged and begin - merged[-1][1] < 0.01:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged
