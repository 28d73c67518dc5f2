"""Histories without names: two that differ only in which of two actors who do the same did what become one."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from fixtures.concurrency.systems import Scenario, alike

Line = tuple[str, ...]
"""What is told of one event, or of what is left; whoever it is about comes first."""


def anonymous(told: Sequence[Line], scenario: Scenario) -> tuple[Line, ...]:
    """Give the first in order of all that this may be told as, where those who do the same change names."""
    return min(
        _in_order([tuple(_renamed(word, names) for word in line) for line in told]) for names in _names(scenario)
    )


def _names(scenario: Scenario) -> Iterator[dict[str, str]]:
    """Give every way of handing names round among those who do the same."""
    groups: dict[int, list[str]] = {}
    for (name, _), first in zip(scenario.actors, alike(scenario), strict=True):
        groups.setdefault(first, []).append(name)
    for choice in itertools.product(*(itertools.permutations(group) for group in groups.values())):
        yield {
            old: new
            for group, permuted in zip(groups.values(), choice, strict=True)
            for old, new in zip(group, permuted, strict=True)
        }


def _renamed(word: str, names: dict[str, str]) -> str:
    return re.sub(r"\w+", lambda found: names.get(found[0], found[0]), word)


def _in_order(told: Sequence[Line]) -> tuple[Line, ...]:
    """Put what everybody sees at the end into the order of names, in which it was looked at."""
    blocks = itertools.groupby(told, key=lambda line: line[0].endswith(", later"))
    return tuple(
        line
        for at_the_end, block in blocks
        for line in (sorted(block, key=lambda line: line[0]) if at_the_end else block)
    )
