"""The table "least evidence that passes", out of the registry: `python -m validations.least_evidence` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from validations.registry import EIGHT, OBJECTIVES, Least


def table() -> Iterator[str]:
    """Yield the lines of the table, in Markdown."""
    yield "| part | gateway | Laravel | as root | as an unprivileged user, over ssh | by docker or kubectl |"
    yield "|---|---|---|---|---|---|"
    for check in (*EIGHT, *OBJECTIVES):
        for least in check.evidence:
            part = check.id if least.parts == "*" and not check.number else f"{check.id}/{least.parts}"
            levels = (_level(least, least.gateway), _level(least, least.laravel))
            seen = (least.root, least.user or "the same", least.container or "the same")
            yield f"| `{part}` | {' | '.join((*levels, *seen))} |"


def _level(least: Least, level: str) -> str:
    return f"{level}; with `--intrusive` {least.disturbed}" if least.disturbed else level


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in table())
