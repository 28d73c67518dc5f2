"""Small figures as inline SVG, painted by attributes: an artifact viewer may block every style and every script.

Widths are those of a phone, so that nothing is scaled down until its letters cannot be read; what is wider scrolls. The
classes let a style sheet put the colours of dark and of light in place of the attributes'.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from reports.history import percentile
from reports.text import duration, line

COLOURS = {
    "pass": "#2f7d4f",
    "fail": "#b3261e",
    "unknown": "#9a6700",
    "not-applicable": "#75716a",
    "missing": "#b3261e",
    "waived": "#5b5bb0",
}
_MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def element(tag: str, *content: str, **attributes: object) -> Markup:
    """Return an element; what is not markup is escaped, an attribute's underscores are hyphens (`class_` is class)."""
    told = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if not content:
        return Markup(f"<{tag}{told}/>")  # noqa: S704 - every value is escaped
    return Markup(f"<{tag}{told}>{''.join(map(escape, content))}</{tag}>")  # noqa: S704


def _number(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def figure(width: float, height: float, label: str, *content: str) -> Markup:
    """Return a figure of this size in pixels, with what it shows as its accessible name."""
    return element(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=line(label, 300),
        class_="figure",
    )


def painted(verdict: str) -> dict[str, str]:
    """Return the attributes of something filled in a verdict's colour."""
    return {"fill": COLOURS.get(verdict, COLOURS["unknown"]), "class_": f"is-{verdict}"}


def words(x: float, y: float, *text: str, **attributes: object) -> Markup:
    """Return text at a place."""
    told: dict[str, object] = {"font_size": 11, "fill": "currentColor"}
    return element("text", *text, x=x, y=y, **told | attributes)


def mono(x: float, y: float, *text: str, **attributes: object) -> Markup:
    """Return text of one width a letter at a place."""
    return words(x, y, *text, **{"font_family": _MONO} | attributes)


def strip(runs: Sequence[tuple[str, str]], *, size: float = 11, gap: float = 3, label: str) -> Markup:
    """Return a strip of squares, one a run: (verdict, what a pointer over it reads), the oldest first."""
    squares = [
        element(
            "rect",
            element("title", line(told, 200)),
            x=float(index * (size + gap)),
            y=0 if verdict != "pass" else size * 0.25,
            width=size,
            # What is not green stands out by its height, too.
            height=size if verdict != "pass" else size * 0.75,
            rx=1.5,
            **painted(verdict),
        )
        for index, (verdict, told) in enumerate(runs)
    ]
    return figure(max(len(runs), 1) * (size + gap) - gap, size, label, *squares)


def trend(values: Sequence[float], *, target: float | None = None, label: str) -> Markup:
    """Return a line through the values, the latest marked, with the target as a dashed one where it is near."""
    width, height, edge = 150.0, 38.0, 4.0
    low, high = min(values), max(values)
    if target is not None and abs(target - low) <= 4 * (high - low):
        low, high = min(low, target), max(high, target)
    else:
        target = None
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return height - edge - (value - low) / span * (height - 2 * edge) if high > low else height / 2

    step = (width - 2 * edge) / max(len(values) - 1, 1)
    points = [(edge + index * step, place(value)) for index, value in enumerate(values)]
    parts = []
    if target is not None:
        at = place(target)
        parts.append(
            element(
                "line", x1=0, x2=width, y1=at, y2=at, stroke="currentColor", stroke_opacity=0.35, stroke_dasharray="3 3"
            )
        )
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    parts.append(
        element(
            "polyline",
            points=drawn,
            fill="none",
            stroke="currentColor",
            stroke_opacity=0.7,
            stroke_width=1.5,
            stroke_linejoin="round",
        )
    )
    x, y = points[-1]
    parts.append(element("circle", cx=x, cy=y, r=2.8, fill="currentColor"))
    return figure(width, height, label, *parts)


def meter(value: float, target: float, verdict: str, *, label: str) -> Markup:
    """Return a bar of a value from nothing to the larger of it and its target, with a tick at the target."""
    width, height = 150.0, 12.0
    most = max(value, target) or 1.0
    parts = [
        element("rect", x=0, y=4, width=width, height=4, rx=2, fill="currentColor", fill_opacity=0.13),
        element("rect", x=0, y=4, width=max(width * value / most, 2.0), height=4, rx=2, **painted(verdict)),
        element("rect", x=min(width * target / most, width - 1.5), y=0, width=1.5, height=12, fill="currentColor"),
    ]
    return figure(width, height, label, *parts)


def distribution(seconds: Sequence[float], most: float, *, label: str) -> Markup:
    """Return a histogram of durations from nothing to `most`, with the median and the 95th percentile marked."""
    width, height, base = 340.0, 118.0, 92.0
    bins = 48
    span = most or 1e-9
    counts = [0] * bins
    for value in seconds:
        counts[min(int(value / span * bins), bins - 1)] += 1
    tallest = max(counts)
    bar = width / bins
    parts: list[Markup] = []
    for index, count in enumerate(counts):
        if count:
            tall = max(count / tallest * (base - 22), 1.5)
            told = f"{count} from {duration(span * index / bins)} to {duration(span * (index + 1) / bins)}"
            parts.append(
                element(
                    "rect",
                    element("title", told),
                    x=index * bar + 0.5,
                    y=base - tall,
                    width=bar - 1.5,
                    height=tall,
                    rx=1,
                    fill="currentColor",
                    fill_opacity=0.38,
                )
            )
    parts.append(
        element("line", x1=0, x2=width, y1=base + 0.5, y2=base + 0.5, stroke="currentColor", stroke_opacity=0.4)
    )
    for name, percent, y in (("p50", 50, 14), ("p95", 95, 28)):
        value = percentile(seconds, percent)
        x = min(value / span, 1.0) * width
        end = x > width - 80
        place, anchor = (x - 4, "end") if end else (x + 4, "start")
        parts.append(
            element(
                "line", x1=x, x2=x, y1=y - 9, y2=base, stroke="currentColor", stroke_dasharray="2 3", stroke_opacity=0.8
            )
        )
        parts.append(words(place, y, f"{name} {duration(value)}", text_anchor=anchor))
    parts.append(words(0, height - 8, "0", fill_opacity=0.75))
    parts.append(words(width, height - 8, duration(most), fill_opacity=0.75, text_anchor="end"))
    return figure(width, height, label, *parts)


def timeline(rows: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], seconds: float, *, label: str) -> Markup:
    """Return a row for each (name, verdict, its spans in seconds since the start) over the time of a run."""
    left, right, tall = 150.0, 640.0, 20.0
    seconds = max(seconds, 1e-6)
    scale = (right - left) / seconds
    height = len(rows) * tall + 30
    parts: list[Markup] = []
    for tick in _ticks(seconds):
        x = left + tick * scale
        parts.append(element("line", x1=x, x2=x, y1=0, y2=height - 20, stroke="currentColor", stroke_opacity=0.15))
        parts.append(
            words(
                x,
                height - 6,
                duration(tick),
                text_anchor="end" if x > right - 20 else "middle" if tick else "start",
                fill_opacity=0.75,
            )
        )
    for index, (name, verdict, spans) in enumerate(rows):
        y = index * tall
        parts.append(words(0, y + 14, _short(name, 24)))
        for begin, end in spans:
            parts.append(
                element(
                    "rect",
                    element("title", f"{line(name, 80)}: {duration(begin)} to {duration(end)}"),
                    x=left + max(begin, 0) * scale,
                    y=y + 4,
                    width=max((end - begin) * scale, 2.0),
                    height=tall - 8,
                    rx=2,
                    **painted(verdict),
                )
            )
    return figure(right, height, label, *parts)


def _ticks(seconds: float) -> list[float]:
    """Return the round times within, three to eight of them."""
    step = 10.0 ** math.floor(math.log10(seconds))
    step = next(step * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2) if seconds / (step * part) <= 8)
    return [step * number for number in range(int(seconds / step) + 1)]


def _short(text: str, most: int) -> str:
    text = line(text)
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"
