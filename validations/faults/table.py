"""The confusion table: what was declared against what was seen, counted by area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

PROPERTY = "viewgate.faults"


class Row(NamedTuple):
    """One fault, the checks that should not be green for it, and those that were not."""

    fault: str
    area: str
    declared: list[str]
    observed: list[str]

    @property
    def caught(self) -> int:
        """Declared, and seen."""
        return len({*self.declared} & {*self.observed})

    @property
    def missed(self) -> int:
        """Declared, and not seen."""
        return len({*self.declared} - {*self.observed})

    @property
    def false_alarms(self) -> int:
        """Seen, and not declared."""
        return len({*self.observed} - {*self.declared})


def summed(rows: Iterable[Row], seconds: float) -> dict[str, Any]:
    """Return the counts and the rows, as reports draw them."""
    kept = list(rows)
    return {
        "caught": sum(row.caught for row in kept),
        "missed": sum(row.missed for row in kept),
        "false_alarms": sum(row.false_alarms for row in kept),
        "seconds": round(seconds, 2),
        "rows": [list(row) for row in kept],
    }


def together(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what several processes counted as one; `seconds` is what it would have taken one alone."""
    told = list(parts)
    return summed((Row(*row) for part in told for row in part["rows"]), sum(part["seconds"] for part in told))


def table(content: Mapping[str, Any]) -> str:
    """Return the counts by area as text, and every row that is off the diagonal."""
    rows = [Row(*row) for row in content["rows"]]
    lines = [f"{'area':<16}{'faults':>8}{'caught':>8}{'missed':>8}{'false alarms':>14}"]
    areas = dict.fromkeys(row.area for row in rows)
    lines += [_line(area, [row for row in rows if row.area == area]) for area in areas]
    lines.append(_line("all", rows))
    lines += [
        f"{row.fault}: declared {', '.join(row.declared) or 'nothing'}; seen {', '.join(row.observed) or 'nothing'}"
        for row in rows
        if row.missed or row.false_alarms
    ]
    return "\n".join([*lines, f"in {content['seconds']:.0f} s, one after another"])


def _line(name: str, rows: list[Row]) -> str:
    caught, missed, false = (sum(getattr(row, kind) for row in rows) for kind in ("caught", "missed", "false_alarms"))
    return f"{name:<16}{len(rows):>8}{caught:>8}{missed:>8}{false:>14}"
