"""Words the end of a gate run for a terminal: the table of the eight, objectives, remedies, and the verdict.

Readable at 100 columns and without colour; colour only underlines what the words say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from reports import words
from reports.explored import Fault, Faults
from reports.records import Plan
from reports.text import line, number, visible
from reports.verdict import Cell, Gate, Part, State, affected

WIDTH = 100
_PARTS_TOLD = 5
"""A hundred and twelve missing fields are one fault: tell a few and say how many more there are."""

_REASON = 1_500
"""Characters of one reason: a screenful."""

_COLOURS = {
    State.PASS: "32",
    State.FAIL: "31;1",
    State.UNKNOWN: "33;1",
    State.NOT_APPLICABLE: "36",
    State.WAIVED: "35",
    State.NOT_RUN: "33;1",
    State.INTERRUPTED: "33;1",
    State.UNPLANNED: "31;1",
}


def confusion(told: Faults) -> str:
    """Return what was declared against what was seen, counted by area, and every fault that is off the diagonal."""
    lines = [f"{'area':<16}{'faults':>8}{'caught':>8}{'missed':>8}{'false alarms':>14}"]
    areas = dict.fromkeys(row.area for row in told.rows)
    lines += [_counted(area, [row for row in told.rows if row.area == area]) for area in areas]
    lines.append(_counted("all", told.rows))
    lines += [
        f"{row.name}: declared {', '.join(row.declared) or 'nothing'}; seen {', '.join(row.observed) or 'nothing'}"
        for row in told.rows
        if row.missed or row.false_alarms
    ]
    return "\n".join([*map(visible, lines), f"in {told.seconds:.0f} s, one after another"])


def _counted(name: str, rows: Sequence[Fault]) -> str:
    caught, missed, false = (sum(getattr(row, kind) for row in rows) for kind in ("caught", "missed", "false_alarms"))
    return f"{name:<16}{len(rows):>8}{caught:>8}{missed:>8}{false:>14}"


def summary(plan: Plan, gate: Gate, *, table: bool = True, colour: bool = False) -> str:
    """Return the table of the eight, the objectives, and what to do about each that is not green."""
    blocks = [_table(plan, gate.validations, colour=colour)] if table else []
    if gate.objectives:
        blocks.append(_objectives(plan, gate.objectives, colour=colour))
    absent = [cell for cell in gate.cells if cell.absent]
    # What is unknown because of something else is told there, once.
    bad = [cell for cell in gate.cells if cell.bad]
    blocks += [_remedies(cell, colour=colour) for cell in bad if cell not in absent]
    blocks += [_because(cause, parts, colour=colour) for cause, parts in gate.causes.items()]
    if absent:
        blocks.append(_not_run(absent, colour=colour))
    return "\n\n".join(blocks)


def verdict_line(gate: Gate, *, reports: str, others_failed: int = 0, colour: bool = False) -> str:
    """Return the last line: the verdict, its reason, and where the reports are."""
    word = words.GATE[gate.verdict].upper()
    painted = f"\033[{_COLOURS[State(gate.verdict)]}m{word}\033[0m" if colour else word
    beside = f"; beside the gate, tests that did not pass: {others_failed}" if others_failed else ""
    return f"gate: {painted}: {line(gate.reason)}{beside}; reports in {line(reports)}"


class Growing:
    """The table of the eight row by row, its columns as wide as the plan says they may get."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        parts = [part for part in plan.parts if part.kind == "validation"]
        most = max(Counter((part.check, part.host) for part in parts).values(), default=0)
        several = [max((len(line(host)) for host in plan.hosts), default=0)] if len(plan.hosts) > 1 else []
        checks = max((len(line(part.check)) for part in parts), default=0)
        self._least = [1, checks, *several, len("UNKNOWN"), len("evidence"), 2 * len(str(most)) + 1, len("12.34s")]

    def head(self) -> str:
        """Return the title and the names of the columns."""
        title, names, *_ = _table(self._plan, [], colour=False, least=self._least).splitlines()
        return f"{title}\n{names}"

    def row(self, cell: Cell, *, colour: bool) -> str:
        """Return the row of a cell."""
        return _table(self._plan, [cell], colour=colour, least=self._least).splitlines()[-1]


def _table(plan: Plan, cells: Sequence[Cell], *, colour: bool, least: Sequence[int] = ()) -> str:
    several = len(plan.hosts) > 1
    head = ["#", "check", *(["host"] if several else []), "verdict", "evidence", "parts", "time", "reason"]
    rows: list[list[str]] = []
    previous = None
    for cell in cells:
        first = cell.check != previous
        previous = cell.check
        rows.append(
            [
                str(cell.number or "-") if first else "",
                line(cell.check) if first else "",
                *([line(cell.host)] if several else []),
                words.STATES[cell.state],
                str(cell.level or "-"),
                f"{cell.green}/{len(cell.parts)}",
                f"{cell.seconds:.2f}s",
                line(cell.reason),
            ]
        )
    hosts = f"{len(plan.hosts)} hosts" if several else "".join(plan.hosts) or "no host"
    title = f"the eight validations of {line(plan.environment)} ({line(plan.kind)}), {line(hosts)}"
    states = [cell.state for cell in cells]
    return "\n".join([title, *_aligned(head, rows, states, colour=colour, least=least)])


def _objectives(plan: Plan, cells: Sequence[Cell], *, colour: bool) -> str:
    told = ", ".join(f"{count} {word}" for word, count in Counter(words.STATES[cell.state] for cell in cells).items())
    rows: list[list[str]] = []
    states: list[State] = []
    for cell in cells:
        for part in cell.parts:
            name = cell.check if len(cell.parts) == 1 else f"{cell.check} {part.planned.part}"
            host = [line(cell.host)] if len(plan.hosts) > 1 else []
            rows.append([line(name), *host, words.STATES[part.state], _value(part), line(part.finding.reason)])
            states.append(part.state)
    head = ["objective", *(["host"] if len(plan.hosts) > 1 else []), "verdict", "value", "reason"]
    return "\n".join([f"objectives: {told}", *_aligned(head, rows, states, colour=colour)])


def _value(part: Part) -> str:
    """Return `value (target)` of an objective, from the figures of these names."""
    value, target = part.finding.figures.get("value"), part.finding.figures.get("target")
    if value is None:
        return "-"
    return line(f"{number(value)} ({number(target)})" if target is not None else number(value))


def _aligned(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    states: Sequence[State],
    *,
    colour: bool,
    least: Sequence[int] = (),
) -> Iterable[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    widths = [max(pair) for pair in zip(widths, least or widths, strict=True)]
    place = list(head).index("verdict")
    for index, row in enumerate([head, *rows]):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        room = max(WIDTH - sum(widths) - 2 * len(row), 20)
        reason = row[-1] if len(row[-1]) <= room else f"{row[-1][: room - 3]}..."
        if colour and index:
            cells[place] = f"\033[{_COLOURS[states[index - 1]]}m{cells[place]}\033[0m"
        yield "  ".join(["", *cells, reason]).rstrip()


def _remedies(cell: Cell, *, colour: bool) -> str:
    host = f" on {line(cell.host)}" if cell.host else ""
    word = words.STATES[cell.state]
    painted = f"\033[{_COLOURS[cell.state]}m{word}\033[0m" if colour else word
    lines = [f"{_name(cell)}{host}: {painted}  {line(cell.title)}".rstrip()]
    # Parts that say the same are told once.
    alike: dict[tuple[str, str], list[Part]] = {}
    for part in cell.bad:
        alike.setdefault((part.finding.reason, part.finding.remedy), []).append(part)
    for (reason, remedy), parts in list(alike.items())[:_PARTS_TOLD]:
        names = ", ".join(line(part.planned.part) for part in parts[:_PARTS_TOLD])
        more = f" and {len(parts) - _PARTS_TOLD} more" if len(parts) > _PARTS_TOLD else ""
        lines.append(f"  {names}{more}: {line(reason or 'no reason was given', _REASON)} [{parts[0].finding.code}]")
        lines.append(f"    remedy: {line(remedy, _REASON)}" if remedy else "    remedy: none was given")
    if len(alike) > _PARTS_TOLD:
        left = sum(len(parts) for parts in list(alike.values())[_PARTS_TOLD:])
        lines.append(f"  and {left} more parts that are not green: see junit.xml")
    return "\n".join(lines)


def _because(cause: str, parts: Sequence[Part], *, colour: bool) -> str:
    """Tell once of all parts that are unknown because of one thing."""
    word = words.STATES[State.UNKNOWN]
    painted = f"\033[{_COLOURS[State.UNKNOWN]}m{word}\033[0m" if colour else word
    remedy = line(parts[0].finding.remedy, _REASON)
    return f"{painted} because {line(cause, _REASON)}\n  {line(affected(parts))}\n    remedy: {remedy}"


def _not_run(cells: Sequence[Cell], *, colour: bool) -> str:
    """Tell once of all cells of which nothing ran: they have one cause."""
    names = ", ".join(dict.fromkeys(_name(cell) for cell in cells))
    painted = f"\033[{_COLOURS[State.NOT_RUN]}mNOT RUN\033[0m" if colour else "NOT RUN"
    parts = sum(len(cell.parts) for cell in cells)
    return f"{painted}: {names} ({parts} parts)\n    remedy: {line(cells[0].remedy, _REASON)}"


def _name(cell: Cell) -> str:
    return line(f"{cell.number} {cell.check}" if cell.number else cell.check)
