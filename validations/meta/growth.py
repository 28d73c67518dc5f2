"""Decide whether a backtracking matcher takes a number of steps in proportion to the length of the text.

A backtracking matcher (Python's `re`, PHP's PCRE) explores the paths of a pattern's automaton over the text. The number
of paths grows no faster than the text if and only if the automaton is finitely ambiguous (Weber and Seidl, 1991), that
is, unless one of these holds:

- exponential: one place of the pattern is reached again from itself in two ways by the same text, as in `(a+)+`;
- polynomial: two places each repeat the same text, and that text leads from the one to the other, as in `a*a*`. A
  search tries every start, so its automaton begins with a place that repeats anything: `a+b` is quadratic on `aaa…`.

The pattern is parsed by Python's own parser and never run. Paths are overestimated, never underestimated: atomic and
possessive parts count as if they gave characters back, and assertions inside a pattern as if they always held.
Backreferences are refused. A place at which the match may end without a condition is exempt from the second rule,
except where the whole text has to match: once it is reached the attempt succeeds, and a search goes on behind it.
"""

from __future__ import annotations

import importlib
import itertools
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

# Private, but the only parser that reads a pattern exactly as `re` does; the names are the same from Python 3.11 on.
_parser: Any = importlib.import_module("re._parser")
_compiler: Any = importlib.import_module("re._compiler")
_c: Any = importlib.import_module("re._constants")

Use = Literal["search", "match", "fullmatch"]
"""`search` stands for all that may begin anywhere: findall, finditer, split and sub, too."""

MOST_COPIES = 64
"""A repeat of one character with a higher bound counts as unbounded."""

_OF_EACH_KIND = {unicodedata.category(chr(code)): chr(code) for code in range(0xFFFF, 0xFF, -1)}
# Latin-1, one character of each kind beyond it, and those whose case folds into ASCII or out of Latin-1.
_SAMPLE = {*map(chr, range(256)), *_OF_EACH_KIND.values(), *"\u0130\u0131\u017f\u212a\u0178\u03bc\u2028"}


@dataclass(frozen=True, slots=True)
class Attack:
    """A text that makes the matcher explore ever more paths when it is repeated."""

    growth: Literal["exponential", "polynomial"]
    pump: str


class NotDecided(Exception):  # noqa: N818 - a limit of the analysis
    """The pattern holds something that the analysis does not cover. The message says what."""


def attack_on(pattern: str | bytes, flags: int = 0, use: Use = "search") -> Attack | None:
    """Return a text on which the pattern's steps grow faster than the text, or None where there is none.

    Raises `NotDecided` where the pattern cannot be parsed or holds what the analysis does not cover.
    """
    return _Graph(_parsed(pattern, flags), of_bytes=isinstance(pattern, bytes), use=use).attack()


def steps(pattern: str | bytes, text: str, flags: int = 0) -> int:
    """Return how many places a search visits that never succeeds: every path over the text, from every start."""
    return _Graph(_parsed(pattern, flags), of_bytes=isinstance(pattern, bytes), use="search").visits(text)


def _parsed(pattern: str | bytes, flags: int) -> Any:
    try:
        return _parser.parse(pattern, flags)
    except re.error as error:
        raise NotDecided(f"it cannot be parsed: {error}") from None


@dataclass(frozen=True, slots=True)
class _Place:
    """An edge that reads one character: from a state, by a node of the parsed pattern, to a state."""

    source: int
    node: Any
    flags: int
    target: int


@dataclass
class _Automaton:
    """Edges that read nothing (to a state, and whether without a condition), by state; and edges that read."""

    free: list[list[tuple[int, bool]]] = field(default_factory=list)
    places: list[_Place] = field(default_factory=list)

    def state(self) -> int:
        self.free.append([])
        return len(self.free) - 1

    def connect(self, source: int, target: int, *, sure: bool = True) -> None:
        self.free[source].append((target, sure))

    def add(self, parsed: Any, here: int, flags: int) -> int:
        """Add a pattern behind a state; return the state in which it ends."""
        for op, argument in parsed:
            here = self._one(op, argument, here, flags)
        return here

    def _one(self, op: Any, argument: Any, here: int, flags: int) -> int:
        if op in (_c.LITERAL, _c.NOT_LITERAL, _c.ANY, _c.IN, _c.CATEGORY):
            end = self.state()
            self.places.append(_Place(here, (op, argument), flags, end))
            return end
        if op is _c.SUBPATTERN:
            _, more, fewer, inner = argument
            return self.add(inner, here, (flags | more) & ~fewer)
        if op is _c.ATOMIC_GROUP:
            return self.add(argument, here, flags)
        if op in (_c.MAX_REPEAT, _c.MIN_REPEAT, _c.POSSESSIVE_REPEAT):
            least, most, inner = argument
            return self._repeat(least, most, inner, here, flags)
        end = self.state()
        if op is _c.BRANCH:
            for alternative in argument[1]:
                begin = self.state()
                self.connect(here, begin)
                self.connect(self.add(alternative, begin, flags), end)
        elif op is _c.AT:
            self.connect(here, end, sure=False)
        elif op in (_c.ASSERT, _c.ASSERT_NOT):
            direction, inner = argument
            if direction > 0:
                # What is looked ahead for is explored, and leads nowhere. What is looked behind for is of fixed length.
                begin = self.state()
                self.connect(here, begin)
                self.add(inner, begin, flags)
            self.connect(here, end, sure=False)
        else:
            raise NotDecided(f"{str(op).lower()} is not covered")
        return end

    def _repeat(self, least: int, most: Any, inner: Any, here: int, flags: int) -> int:
        end = self.state()
        if most == 1:
            self.connect(here, end)
            self.connect(self.add(inner, here, flags), end)
            return end
        if most <= MOST_COPIES and len(inner) == 1 and inner.getwidth() == (1, 1):
            for _ in range(least):
                here = self.add(inner, here, flags)
            for _ in range(most - least):
                self.connect(here, end)
                here = self.add(inner, here, flags)
            self.connect(here, end)
            return end
        if inner.getwidth()[0] == 0:
            raise NotDecided("a repeat of what may be empty is not covered")
        # A bounded repeat has no more paths than the unbounded one.
        loop = self.state()
        self.connect(self.add(inner, here, flags) if least else here, loop)
        self.connect(self.add(inner, loop, flags), loop)
        self.connect(loop, end)
        return end


class _Follow:
    """Which places follow a state over edges that read nothing, and in how many ways. Those edges form no circle."""

    def __init__(self, automaton: _Automaton) -> None:
        self._free = automaton.free
        self._known: dict[int, dict[int, int]] = {}
        self._from: dict[int, list[int]] = {}
        for number, place in enumerate(automaton.places, 1):
            self._from.setdefault(place.source, []).append(number)

    def places(self, state: int) -> dict[int, int]:
        if state not in self._known:
            found = dict.fromkeys(self._from.get(state, ()), 1)
            for target, _ in self._free[state]:
                for place, ways in self.places(target).items():
                    found[place] = found.get(place, 0) + ways
            self._known[state] = found
        return self._known[state]

    def ends(self, state: int, final: int) -> bool:
        return state == final or any(sure and self.ends(target, final) for target, sure in self._free[state])


class _Graph:
    """A pattern's places, each of which reads one character, and in how many ways each follows another.

    Place 0 is the search before a match. Characters that the same places read are one letter.
    """

    def __init__(self, parsed: Any, *, of_bytes: bool, use: Use) -> None:
        flags = parsed.state.flags
        before, rest = _leading(parsed)
        automaton = _Automaton()
        start = automaton.state()
        final = automaton.add(rest, start, flags)
        reads = _reader(parsed, of_bytes=of_bytes)
        anything = reads((_c.ANY, None), flags | re.DOTALL)
        sets = [anything, *(reads(place.node, place.flags) for place in automaton.places)]
        sets.append(anything if before is None else reads(before, flags))
        self._letters, self._reads = _lettered(sets)
        follow = _Follow(automaton)
        self._first = follow.places(start)
        self._after = [{}, *(follow.places(place.target) for place in automaton.places), {}]
        self._ending = {number for number, place in enumerate(automaton.places, 1) if follow.ends(place.target, final)}
        if use == "fullmatch":
            self._ending = set()
        if use == "search" and not _anchored(parsed):
            # Every start but the first may have to stand behind a certain character: a line break, say.
            last = len(sets) - 1
            self._after[0] = {0: 1} | (self._first if before is None else {last: 1})
            self._after[last] = {} if before is None else self._first
        self._reach = _reach(self._after)

    def attack(self) -> Attack | None:
        """Return a text on which the paths multiply, or None."""
        repeating = [place for place, reached in enumerate(self._reach) if place in reached]
        return self._exponential(repeating) or self._polynomial(repeating)

    def _exponential(self, repeating: list[int]) -> Attack | None:
        for place in repeating:
            circle = self._circle(place, self._reach)
            for one in circle:
                twice = [after for after, ways in self._after[one].items() if ways > 1 and after in circle]
                if twice:
                    return Attack("exponential", self._letter(self._reads[twice[0]]))
            path = self._path((place, place, 0), (place, place, 1), (circle, circle, None))
            if path is not None:
                return Attack("exponential", path)
        return None

    def _polynomial(self, repeating: list[int]) -> Attack | None:
        # A place at which the match may end repeats nothing in vain.
        open_after = [
            {after for after in following if after not in self._ending} if place not in self._ending else set()
            for place, following in enumerate(self._after)
        ]
        open_reach = _reach(open_after)
        in_vain = [place for place, reached in enumerate(open_reach) if place in reached]
        for one, other in itertools.product(repeating, in_vain):
            if one == other or other not in self._reach[one]:
                continue
            between = {place for place in self._reach[one] if place == other or other in self._reach[place]}
            rooms = (self._circle(one, self._reach), between, self._circle(other, open_reach))
            path = self._path((one, one, other), (one, other, other), rooms)
            if path is not None:
                return Attack("polynomial", path)
        return None

    @staticmethod
    def _circle(place: int, reach: list[set[int]]) -> set[int]:
        """Return the places that lie on a circle with this one."""
        return {other for other in reach[place] if place in reach[other]}

    def _path(
        self, start: tuple[int, int, int], goal: tuple[int, int, int], rooms: tuple[set[int], set[int], set[int] | None]
    ) -> str | None:
        """Return the shortest text that leads three walkers, each in its room, from the start to the goal.

        Where there is no third room, the third number says whether the two have been apart.
        """
        seen: dict[tuple[int, int, int], tuple[tuple[int, int, int], str]] = {}
        queue = [start]
        for here in queue:
            for there in self._next(here, rooms):
                common = self._reads[there[0]] & self._reads[there[1]]
                if rooms[2] is not None:
                    common &= self._reads[there[2]]
                if not common or there in seen:
                    continue
                seen[there] = (here, self._letter(common))
                queue.append(there)
        if goal not in seen:
            return None
        at, text = seen[goal]
        while at != start:
            at, letter = seen[at]
            text = letter + text
        return text

    def _next(
        self, here: tuple[int, int, int], rooms: tuple[set[int], set[int], set[int] | None]
    ) -> Iterator[tuple[int, int, int]]:
        firsts = [place for place in self._after[here[0]] if place in rooms[0]]
        seconds = [place for place in self._after[here[1]] if place in rooms[1]]
        for first, second in itertools.product(firsts, seconds):
            if rooms[2] is None:
                yield first, second, int(here[2] or first != second)
            else:
                yield from ((first, second, third) for third in self._after[here[2]] if third in rooms[2])

    def visits(self, text: str) -> int:
        """Count the paths over a text, from every start, at all their lengths."""
        letters = {letter: number for number, letter in enumerate(self._letters)}
        here, total = ({0: 1} if 0 in self._after[0] else {}) | self._first, 0
        for character in text:
            letter = letters.get(character, -1)
            here = {place: ways for place, ways in here.items() if place == 0 or letter in self._reads[place]}
            total += sum(here.values())
            following: dict[int, int] = {}
            for place, ways in here.items():
                for after, more in self._after[place].items():
                    following[after] = following.get(after, 0) + ways * more
            here = following
        return total

    def _letter(self, of: Iterable[int]) -> str:
        """Return the most readable of some letters."""
        return min((self._letters[number] for number in of), key=_unreadable)


def _unreadable(character: str) -> tuple[bool, bool, bool, str]:
    return character not in string.printable, character.isspace(), not character.isalnum(), character


def _reader(parsed: Any, *, of_bytes: bool) -> Any:
    """Return a function that says which characters of a sample a node of a pattern reads.

    The sample holds every character that the pattern names, and those beside it, so that no range falls between.
    """
    near = {chr(code + by) for code in _codes(parsed) for by in (-1, 0, 1) if 0 <= code + by < 0x110000}
    sample = [character for character in sorted(_SAMPLE | near) if not of_bytes or character < "\u0100"]
    known: dict[tuple[str, int], frozenset[str]] = {}

    def reads(node: Any, flags: int) -> frozenset[str]:
        key = (repr(node), flags)
        if key not in known:
            state = _parser.State()
            state.flags = flags
            fits = _compiler.compile(_parser.SubPattern(state, [node]), flags).fullmatch
            known[key] = frozenset(one for one in sample if fits(one.encode("latin-1") if of_bytes else one))
        return known[key]

    return reads


def _codes(parsed: Any) -> Iterator[int]:
    """Yield every number in a parsed pattern, the codes of its characters among them."""
    if isinstance(parsed, int):
        yield int(parsed)
    elif isinstance(parsed, list | tuple | _parser.SubPattern):
        for part in parsed:
            yield from _codes(part)


def _lettered(sets: list[frozenset[str]]) -> tuple[list[str], list[frozenset[int]]]:
    """Return a character for all that the same sets hold, and the sets as numbers of such characters."""
    kinds: dict[tuple[bool, ...], str] = {}
    for character in sorted(sets[0], key=_unreadable):
        kinds.setdefault(tuple(character in one for one in sets), character)
    numbered = [frozenset(number for number, kind in enumerate(kinds) if kind[index]) for index in range(len(sets))]
    return list(kinds.values()), numbered


def _anchored(parsed: Any) -> bool:
    """Tell whether a match can begin at the text's start alone."""
    if not len(parsed) or parsed[0][0] is not _c.AT:
        return False
    where = parsed[0][1]
    return where is _c.AT_BEGINNING_STRING or (where is _c.AT_BEGINNING and not parsed.state.flags & re.MULTILINE)


def _leading(parsed: Any) -> tuple[Any, Any]:
    """Return (what stands right before a match that does not begin at the text's start, the rest of the pattern)."""
    before, rest = None, parsed
    if len(parsed):
        op, argument = parsed[0]
        if op is _c.SUBPATTERN and not argument[1] and not argument[2]:
            before, inner = _leading(argument[3])
            rest = [(op, (*argument[:3], inner)), *parsed[1:]]
        elif op is _c.AT and argument is _c.AT_BEGINNING and parsed.state.flags & re.MULTILINE:
            before, rest = (_c.LITERAL, ord("\n")), parsed[1:]
        elif op is _c.AT and argument is _c.AT_BOUNDARY and len(parsed) > 1 and _of_words(parsed[1]):
            before, rest = (_c.IN, [(_c.CATEGORY, _c.CATEGORY_NOT_WORD)]), parsed[1:]
        elif op is _c.ASSERT_NOT and argument[0] < 0 and len(argument[1]) == 1:
            kind, characters = argument[1][0]
            if kind is _c.LITERAL:
                before, rest = (_c.NOT_LITERAL, characters), parsed[1:]
            elif kind is _c.IN and characters[0][0] is not _c.NEGATE:
                before, rest = (_c.IN, [(_c.NEGATE, None), *characters]), parsed[1:]
    return before, rest


def _of_words(node: Any) -> bool:
    """Tell whether whatever a node reads begins with a letter, a digit or an underscore."""
    op, argument = node
    if op is _c.LITERAL:
        return argument < 128 and (chr(argument).isalnum() or argument == ord("_"))
    if op is _c.SUBPATTERN:
        return len(argument[3]) > 0 and _of_words(argument[3][0])
    return op is _c.BRANCH and all(len(one) > 0 and _of_words(one[0]) for one in argument[1])


def _reach(after: Iterable[Iterable[int]]) -> list[set[int]]:
    """Return for each place those that can follow it, at once or later."""
    following, found = [list(places) for places in after], []
    for places in following:
        seen: set[int] = set()
        queue = list(places)
        while queue:
            here = queue.pop()
            if here not in seen:
                seen.add(here)
                queue.extend(following[here])
        found.append(seen)
    return found
