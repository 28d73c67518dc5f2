"""Writes `summary.md`: the verdict, the table of the eight, what is not green and what to do, in GitHub's Markdown.

It is also put into the job summary that `GITHUB_STEP_SUMMARY` names. GitHub takes 1 MiB of it a step and throws all of
it away above that, so what others wrote there counts, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reports import words
from reports.run import Run
from reports.text import duration, inert, line, number
from reports.trends import History, Past, changes
from reports.verdict import Cell, Gate, Part, State, affected

STEP_LIMIT = 1_048_576
"""Bytes of one step's summary that GitHub takes."""

_TEXT = 600
_CELLS = 100
_MARKS = {
    State.PASS: "✅",
    State.FAIL: "❌",
    State.UNKNOWN: "❔",
    State.NOT_APPLICABLE: "⬜",
    State.WAIVED: "🟪",
    State.NOT_RUN: "❔",
}
# Within a line; a colon and a hyphen do something at its beginning alone, which text of others never is.
_PUNCTUATION = re.compile(r"([\\`*_\[\]#|~$])")


def render(run: Run, gate: Gate, past: History, now: Past | None = None) -> str:
    """Return the summary. `past` are the recorded runs before this one, and `now` this one as it is recorded."""
    plan = run.plan
    blocks = [
        f"## {_MARKS[State(gate.verdict)]} viewgate {words.GATE[gate.verdict]}: {_md(plan.environment)}",
        f"{_md(gate.reason)}.",
        *_table(gate.validations, many=len(plan.hosts) > 1),
    ]
    # What is unknown because of something else is told there, once.
    bad = [cell for cell in gate.cells if cell.bad]
    if bad:
        blocks += ["### What is not green", *(_bad(cell) for cell in bad[:_CELLS])]
        if len(bad) > _CELLS:
            blocks.append(f"… and {len(bad) - _CELLS} more, in `report.html`.")
    if gate.causes:
        because = [f"- {_md(cause)}: {_md(affected(parts))}" for cause, parts in list(gate.causes.items())[:_CELLS]]
        blocks += ["### Unknown because of", "\n".join(because)]
    failed = [other for other in run.others if other.failed]
    if failed:
        blocks.append(f"### Tests beside the gate that did not pass: {len(failed)}")
        blocks.append("\n".join(f"- {_md(other.nodeid)}: {_md(other.message)}" for other in failed[:20]))
    if gate.objectives:
        blocks += ["### Objectives", *_objectives(gate.objectives)]
    green = past.green
    if green is not None and now is not None and not now.green:
        told = "\n".join(f"- {_md(one.what)}: {_md(one.before)} → {_md(one.after)}" for one in changes(green, now)[:30])
        blocks.append(f"### Since the last green run, {green.started:%d %b %Y %H:%M} UTC\n\n{told}")
    took = f"{duration(run.seconds)}, " if run.seconds else ""
    blocks.append(f"<sub>{took}revision {_md(run.revision or 'not known')}, run {_md(run.id)}</sub>")
    return inert("\n\n".join(blocks)) + "\n"


def placed(text: str, summary: str, run: str) -> str:
    """Return a job summary with this run's in it: in place of its own earlier one, or after what others wrote.

    What does not fit is left out, so that GitHub does not throw the others' away.
    """
    begin, end = f"<!-- viewgate {run} -->", f"<!-- /viewgate {run} -->"
    before, found, rest = text.partition(begin)
    after = rest.partition(end)[2].removeprefix("\n") if found else ""
    if before and not before.endswith("\n"):
        before += "\n"
    room = STEP_LIMIT - len((before + after + begin + end).encode()) - 8
    ours = _fitted(summary, room)
    return f"{before}{begin}\n{ours}\n{end}\n{after}" if ours else before + after


def _fitted(summary: str, room: int) -> str:
    while len(summary.encode()) > room:
        # From the end: what is not green stands before what is.
        summary, found, _ = summary.rstrip("\n").rpartition("\n\n")
        if not found:
            return ""
    return summary


def _table(cells: Sequence[Cell], *, many: bool) -> Iterable[str]:
    # With many cells the green ones go without saying.
    shown = [cell for cell in cells if cell.state is not State.PASS] if len(cells) > _CELLS else list(cells)
    rows = ["| # | check | " + ("host | " if many else "") + "verdict | evidence | parts | time | reason |"]
    rows.append("|---|---|" + ("---|" if many else "") + "---|---|---|---|---|")
    rows += [
        f"| {cell.number or ''} | {_md(cell.check)} | "
        + (f"{_md(cell.host)} | " if many else "")
        + f"{_MARKS[cell.state]} {words.STATES[cell.state]} | {cell.level or ''} | {cell.green}/{len(cell.parts)} | "
        + f"{duration(cell.seconds)} | {_md(cell.reason, 200)} |"
        for cell in shown[:_CELLS]
    ]
    yield "\n".join(rows)
    if len(shown) < len(cells):
        yield f"{len(cells) - len(shown)} more cells pass."
    if len(shown) > _CELLS:
        yield f"… and {len(shown) - _CELLS} more, in `report.html`."


def _bad(cell: Cell) -> str:
    lines = [
        f"#### {cell.number or ''} {_md(cell.check)} on {_md(cell.host)}: {words.STATES[cell.state]}".replace(
            "####  ", "#### "
        )
    ]
    alike: dict[tuple[str, str, str], list[Part]] = {}
    for part in cell.bad:
        alike.setdefault((part.finding.observed, part.finding.expected, part.finding.remedy), []).append(part)
    for (observed, expected, remedy), parts in list(alike.items())[:5]:
        names = ", ".join(_md(part.planned.part) for part in parts[:5])
        more = f" and {len(parts) - 5} more" if len(parts) > 5 else ""
        lines.append(f"- **{names}{more}** (`{parts[0].finding.code}`)")
        lines.append(f"  - observed: {_md(observed or 'nothing was said', _TEXT)}")
        if expected:
            lines.append(f"  - should be: {_md(expected, _TEXT)}")
        if remedy:
            lines.append(f"  - remedy: {_md(remedy, _TEXT)}")
    if len(alike) > 5:
        lines.append(f"- and {sum(map(len, list(alike.values())[5:]))} more parts, in `report.html`")
    return "\n".join(lines)


def _objectives(cells: Sequence[Cell]) -> Iterable[str]:
    rows = ["| objective | host | verdict | value | target | reason |", "|---|---|---|---|---|---|"]
    for cell in cells[:_CELLS]:
        value, target = (
            next((part.finding.figures[name] for part in cell.parts if name in part.finding.figures), "")
            for name in ("value", "target")
        )
        rows.append(
            f"| {_md(cell.check)} | {_md(cell.host)} | {words.STATES[cell.state]}"
            f" | {_md(number(value))} | {_md(number(target))} | {_md(cell.reason, 200)} |"
        )
    yield "\n".join(rows)


def _md(text: str, limit: int = _TEXT) -> str:
    """Return text of others as one line that is shown and does nothing."""
    told = line(text, limit)
    return _PUNCTUATION.sub(r"\\\1", told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
