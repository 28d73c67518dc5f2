"""Draws the interleaving that breaks a promise: a lane an actor, a row a step, the violated promise marked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from reports.explored import Step, Witness
from reports.svg import COLOURS, element, figure, mono, words
from reports.text import line

_LEFT, _LANE, _ROW, _HEAD = 38.0, 264.0, 25.0, 34.0
_LETTERS = 35
_MOST = 200
"""Rows drawn of one witness: beyond that nobody follows a diagram, and the file of the witness has all."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: a step with its index, or so many steps of the same actor in one."""

    index: int
    step: Step
    hidden: int = 0


def diagram(witness: Witness) -> Markup:
    """Return the diagram; long stretches of one actor alone are drawn in one row, since nothing meets there."""
    rows = _rows(witness)[:_MOST]
    lanes = {actor: _LEFT + 14 + number * _LANE for number, actor in enumerate(witness.actors)}
    width = _LEFT + max(len(lanes), 1) * _LANE
    height = _HEAD + len(rows) * _ROW + 10
    parts: list[Markup] = []
    for actor, x in lanes.items():
        parts.append(words(x - 4, 14, _cut(actor), font_size=12, font_weight="bold"))
        parts.append(
            element(
                "line",
                x1=x,
                x2=x,
                y1=_HEAD - 8,
                y2=height - 8,
                stroke="currentColor",
                stroke_opacity=0.22,
                stroke_width=2,
            )
        )
    places = [(lanes[row.step.actor], _HEAD + number * _ROW + 8) for number, row in enumerate(rows)]
    for (x, y), (next_x, next_y) in pairwise(places):
        if x != next_x:
            # Here the schedule lets another one go on.
            # Between the rows, so that it runs through no words.
            turn = y + _ROW / 2
            parts.append(
                element(
                    "path",
                    d=f"M{x:g} {y:g}V{turn:g}H{next_x:g}V{next_y:g}",
                    fill="none",
                    stroke="currentColor",
                    stroke_opacity=0.45,
                    stroke_dasharray="3 3",
                )
            )
    for row, (x, y) in zip(rows, places, strict=True):
        parts.append(_step(row, x, y, width, broken=row.index == witness.at and not row.hidden))
    told = f"{witness.promise} is violated: {witness.seen}, in {len(witness.steps)} steps of {len(lanes)} actors"
    return figure(width, height, told, *parts)


def _step(row: _Row, x: float, y: float, width: float, *, broken: bool) -> Markup:
    if row.hidden:
        return words(x + 12, y + 4, f"{row.hidden} more steps", font_style="italic", fill_opacity=0.7)
    step = row.step
    told = f"{step.operation} {step.resource}".strip()
    failed = bool(step.outcome)
    red = {"fill": COLOURS["fail"], "class_": "is-fail"}
    parts = [mono(0, y + 4, str(row.index), fill_opacity=0.55)]
    if broken:
        band = element("rect", x=0, y=y - 11, width=width, height=22, rx=3, fill_opacity=0.14, **red)
        parts.insert(0, band)
    parts.append(element("circle", cx=x, cy=y, r=5 if broken else 3.6, **(red if broken else {"fill": "currentColor"})))
    room = _LETTERS - (min(len(step.outcome), 14) + 3 if failed else 0)
    parts.append(
        mono(
            x + 12,
            y + 4,
            _cut(told, room),
            *([element("tspan", f" ← {_cut(step.outcome, 14)}", **red)] if failed else []),
        )
    )
    title = element("title", line(f"step {row.index}, {step.actor}: {told} {step.outcome}".strip(), 400))
    return element("g", title, *parts)


def _rows(witness: Witness) -> list[_Row]:
    rows: list[_Row] = []
    alone: list[_Row] = []

    def flush() -> None:
        if len(alone) > 8:
            rows.extend([*alone[:3], _Row(alone[3].index, alone[3].step, len(alone) - 6), *alone[-3:]])
        else:
            rows.extend(alone)
        alone.clear()

    for index, step in enumerate(witness.steps):
        if alone and alone[-1].step.actor != step.actor:
            flush()
        alone.append(_Row(index, step))
        if index == witness.at:
            # Nothing of the step at which it shows is hidden.
            flush()
    flush()
    return rows


def _cut(text: str, most: int = _LETTERS) -> str:
    text = line(text)
    head = most // 3
    return text if len(text) <= most else f"{text[:head]}…{text[-(most - head - 1) :]}"
