"""Words the end of a gate run for a terminal: the table of the eight, objectives, remedies, and the verdict.

Readable at 100 columns and without colour; colour only underlines what the words say.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reports.records import Verdict
from reports.verdict import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reports.records import Plan
    from reports.verdict import Cell, Gate, Part

WIDTH = 100
_PARTS_TOLD = 5
"""A hundred and twelve missing fields are one fault: tell a few and say how many more there are."""

_REASON = 1_500
"""Characters of one reason: a screenful."""

_WORDS = {
    Verdict.PASS: "pass",
    Verdict.FAIL: "FAIL",
    Verdict.UNKNOWN: "UNKNOWN",
    Verdict.NOT_APPLICABLE: "n/a",
}
_GATE_WORDS = {Verdict.PASS: "PASSED", Verdict.FAIL: "FAILED", Verdict.UNKNOWN: "INCONCLUSIVE"}
_COLOURS = {Verdict.PASS: "32", Verdict.FAIL: "31;1", Verdict.UNKNOWN: "33;1", Verdict.NOT_APPLICABLE: "36"}
# What an observed page or log says must not steer the terminal it is shown on.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def summary(plan: Plan, gate: Gate, *, colour: bool = False) -> str:
    """Return the table of the eight, the objectives, and what to do about each that is not green."""
    blocks = [_table(plan, gate.validations, colour=colour)]
    if gate.objectives:
        blocks.append(_objectives(plan, gate.objectives, colour=colour))
    absent = [cell for cell in gate.cells if all(part.state is State.NOT_RUN for part in cell.parts)]
    blocks += [_remedies(cell, colour=colour) for cell in gate.cells if not _green(cell) and cell not in absent]
    if absent:
        blocks.append(_not_run(absent, colour=colour))
    return "\n\n".join(blocks)


def verdict_line(gate: Gate, *, reports: str, others_failed: int = 0, colour: bool = False) -> str:
    """Return the last line: the verdict, its reason, and where the reports are."""
    word = _GATE_WORDS.get(gate.verdict, "FAILED")
    painted = f"\033[{_COLOURS[gate.verdict]}m{word}\033[0m" if colour else word
    beside = f"; beside the gate, tests that did not pass: {others_failed}" if others_failed else ""
    return f"gate: {painted}: {_line(gate.reason)}{beside}; reports in {_line(reports)}"


def _table(plan: Plan, cells: Sequence[Cell], *, colour: bool) -> str:
    several = len(plan.hosts) > 1
    head = ["#", "check", *(["host"] if several else []), "verdict", "parts", "time", "reason"]
    rows: list[list[str]] = []
    previous = None
    for cell in cells:
        first = cell.check != previous
        previous = cell.check
        rows.append(
            [
                str(cell.number or "-") if first else "",
                _line(cell.check) if first else "",
                *([_line(cell.host)] if several else []),
                _word(cell),
                f"{cell.green}/{len(cell.parts)}",
                f"{cell.seconds:.2f}s",
                _line(cell.reason),
            ]
        )
    hosts = f"{len(plan.hosts)} hosts" if several else "".join(plan.hosts) or "no host"
    title = f"the eight validations of {_line(plan.environment)} ({_line(plan.kind)}), {_line(hosts)}"
    return "\n".join([title, *_aligned(head, rows, [cell.verdict for cell in cells], colour=colour)])


def _objectives(plan: Plan, cells: Sequence[Cell], *, colour: bool) -> str:
    told = ", ".join(f"{count} {word}" for word, count in Counter(map(_word, cells)).items())
    rows: list[list[str]] = []
    verdicts: list[Verdict] = []
    for cell in cells:
        for part in cell.parts:
            name = cell.check if len(cell.parts) == 1 else f"{cell.check} {part.planned.part}"
            host = [_line(cell.host)] if len(plan.hosts) > 1 else []
            rows.append([_line(name), *host, _part_word(part), _value(part), _line(part.reason)])
            verdicts.append(part.verdict)
    head = ["objective", *(["host"] if len(plan.hosts) > 1 else []), "verdict", "value", "reason"]
    return "\n".join([f"objectives: {told}", *_aligned(head, rows, verdicts, colour=colour)])


def _value(part: Part) -> str:
    """Return `value (target)` of an objective, from the figures of these names."""
    value, target = part.figures.get("value"), part.figures.get("target")
    if value is None:
        return "-"
    return _line(f"{_number(value)} ({_number(target)})" if target is not None else _number(value))


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _aligned(
    head: Sequence[str], rows: Sequence[Sequence[str]], verdicts: Sequence[Verdict], *, colour: bool
) -> Iterable[str]:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head) - 1)]
    place = list(head).index("verdict")
    for number, row in enumerate([head, *rows]):
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        room = max(WIDTH - sum(widths) - 2 * len(row), 20)
        reason = row[-1] if len(row[-1]) <= room else f"{row[-1][: room - 3]}..."
        if colour and number:
            cells[place] = f"\033[{_COLOURS[verdicts[number - 1]]}m{cells[place]}\033[0m"
        yield "  ".join(["", *cells, reason]).rstrip()


def _remedies(cell: Cell, *, colour: bool) -> str:
    host = f" on {_line(cell.host)}" if cell.host else ""
    word = _word(cell)
    painted = f"\033[{_COLOURS[cell.verdict]}m{word}\033[0m" if colour else word
    lines = [f"{_name(cell)}{host}: {painted}  {_line(cell.title)}".rstrip()]
    # Parts that say the same are told once.
    alike: dict[tuple[str, str], list[Part]] = {}
    for part in cell.parts:
        if not _part_green(part):
            alike.setdefault((part.reason, part.remedy), []).append(part)
    for (reason, remedy), parts in list(alike.items())[:_PARTS_TOLD]:
        names = ", ".join(_line(part.planned.part) for part in parts[:_PARTS_TOLD])
        more = f" and {len(parts) - _PARTS_TOLD} more" if len(parts) > _PARTS_TOLD else ""
        lines.append(f"  {names}{more}: {_indented(reason or 'no reason was given')}")
        lines.append(f"    remedy: {_indented(remedy)}" if remedy else "    remedy: none was given")
    if len(alike) > _PARTS_TOLD:
        left = sum(len(parts) for parts in list(alike.values())[_PARTS_TOLD:])
        lines.append(f"  and {left} more parts that are not green: see junit.xml")
    return "\n".join(lines)


def _not_run(cells: Sequence[Cell], *, colour: bool) -> str:
    """Tell once of all cells of which nothing ran: they have one cause."""
    names = ", ".join(dict.fromkeys(_name(cell) for cell in cells))
    painted = f"\033[{_COLOURS[Verdict.UNKNOWN]}mNOT RUN\033[0m" if colour else "NOT RUN"
    parts = sum(len(cell.parts) for cell in cells)
    return f"{painted}: {names} ({parts} parts)\n    remedy: {_indented(cells[0].remedy)}"


def _name(cell: Cell) -> str:
    return _line(f"{cell.number} {cell.check}" if cell.number else cell.check)


def _green(cell: Cell) -> bool:
    return all(_part_green(part) for part in cell.parts)


def _part_green(part: Part) -> bool:
    return part.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)


def _word(cell: Cell) -> str:
    return "NOT RUN" if cell.missing and cell.verdict is not Verdict.FAIL else _WORDS[cell.verdict]


def _part_word(part: Part) -> str:
    return "NOT RUN" if part.missing else _WORDS[part.verdict]


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _indented(text: str) -> str:
    text = text.strip()
    cut = f"{text[:_REASON]}... (all of it in junit.xml)" if len(text) > _REASON else text
    return _clean(cut).replace("\n", "\n      ")


def _clean(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
