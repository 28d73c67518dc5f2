"""Makes text of others fit to be shown: what a format cannot hold or a reader must not obey, as visible escapes."""

from __future__ import annotations

import json
import re

# Control characters, line separators, those that turn the direction of writing, lone surrogates, and the two
# noncharacters of XML.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
# What CI runners take for a command: `##[add-mask]` (GitHub, Azure), `##vso[task.complete]` (Azure) and
# `##teamcity[message]` wherever it stands; `::error::` (GitHub) after nothing but blanks and colours. The markers of
# GitLab's and Travis' sections need control characters. Buildkite's (`--- `) stand first in a line.
_COMMAND = re.compile(r"#(#\w*\[)")
_LEADING_COMMAND = re.compile(r"(?m)^((?:[^\S\n]|\x1b\[[0-9;]*m)*:)(:)")
_LEADING_SECTION = re.compile(r"(?m)^((?:\x1b\[[0-9;]*m)*)(?=(?:---|\+\+\+|~~~|\^\^\^)(?:[^\S\n]|$))")


def visible(text: str, limit: int = 0) -> str:
    """Return the text with unfit characters as escapes, cut to about `limit` characters where that is given."""
    if limit and len(text) > limit:
        text = f"{text[:limit]}... ({len(text) - limit} more characters)"
    return _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def line(text: str, limit: int = 0) -> str:
    """Return the text as one visible line."""
    return visible(" ".join(text.split()), limit)


def inert(text: str) -> str:
    """Return the text with a space inside what CI runners take for a command: `# #[add-mask]`, `: :error::`."""
    return _LEADING_SECTION.sub(r"\1 ", _LEADING_COMMAND.sub(r"\1 \2", _COMMAND.sub(r"# \1", text)))


def json_text(data: object, indent: int | None = None) -> str:
    """Return data as JSON in ASCII of which no CI runner takes anything for a command, and which reads the same."""
    # Two of these stand in a row only within a string.
    return json.dumps(data, ensure_ascii=True, allow_nan=False, indent=indent).replace("##", "#\\u0023")


def number(value: object) -> str:
    """Return a figure as people read it: four digits of a measure, a count with its thousands apart."""
    if isinstance(value, float):
        return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def duration(seconds: float) -> str:
    """Return a duration as people read it: `350 µs`, `77 ms`, `1.58 s`, `4 min 05 s`, `2 h 07 min`."""
    for below, factor, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if seconds < below:
            return f"{seconds * factor:.3g} {unit}" if seconds > 0 else "0 s"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min"
