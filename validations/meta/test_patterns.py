"""No pattern of the project takes more steps than in proportion to the text, so that no page can hang the gate."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from fixtures.observation.pages import answer_of
from validations.meta.growth import NotDecided, Use, attack_on, steps
from validations.meta.written_patterns import ITERATING, Written, in_php, in_python, written

CHECKOUT = Path(__file__).resolve().parents[2]

# The pattern that a page of `<input <input <input …` once hung the gate with.
HANGS = r"""<input\b[^>]*\btype\s*=\s*["']?password\b"""


def objection(one: Written) -> str:
    """Return why a pattern may not stay as it is, or "" where it may.

    RE2 searches in linear time; what goes on behind a match may still read the rest of the text for each of them.
    """
    if one.engine == "re2" and one.function not in {*ITERATING, "import", "split"}:
        return ""
    if one.pattern is None:
        return "it is not written down where it is used: give the pattern itself, a constant, or re.escape"
    for use in one.uses:
        try:
            attack = attack_on(one.pattern, one.flags, use)
        except NotDecided as reason:
            return str(reason)
        if attack is not None:
            return f"{attack.growth} in the length of {attack.pump!r} repeated ({use}): {one.pattern!r}"
    return ""


def objections(found: list[Written]) -> list[str]:
    """Return one line for each pattern that may not stay as it is."""
    return [f"{one.place}: {one.engine}.{one.function}: {why}" for one in found if (why := objection(one))]


def test_every_pattern_of_the_project_is_linear() -> None:
    """Each pattern that is written in Python or PHP is RE2's or proved to be linear; rewrite one that is not."""
    found = list(written(CHECKOUT))
    assert {one.engine for one in found} == {"re", "re2", "preg"}
    assert len(found) > 100
    assert objections(found) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"P = re.compile(rb'''{HANGS}''')", id="bytes"),
        pytest.param(f"def f(t):\n    return re.search(r'''{HANGS}''', t)", id="search"),
        pytest.param(f"A = r'''{HANGS}'''\nP = re.compile(rf'(?:{{A}}|x)', re.IGNORECASE)", id="constant"),
        pytest.param(f"P = {{'a': (1, re.compile(r'(?i)' + r'''{HANGS}'''))}}", id="in-a-dict"),
        pytest.param(f"x = re.sub(pattern=r'''{HANGS}''', repl='', string='')", id="by-keyword"),
        pytest.param("def f(pattern, t):\n    return re.search(pattern, t)", id="unknown"),
        pytest.param("from re import search\nsearch('a', 'b')", id="other-name"),
        pytest.param("import re as engine\nengine.search('a', 'b')", id="other-module-name"),
        pytest.param("import re2\nP = re2.compile('a.*b')\nx = P.sub('', 'a')", id="re2-goes-on"),
        pytest.param("P = re.compile('[a-z]+[0-9a-z]*')\nx = P.fullmatch('a')", id="fullmatch"),
        pytest.param("x = re.match('(?:a|aa)+$', 'a')", id="match"),
    ],
)
def test_a_planted_pattern_is_found_in_python(tmp_path: Path, source: str) -> None:
    """A super-linear pattern is found however it is written, and so is one that cannot be seen."""
    path = tmp_path / "planted.py"
    path.write_text(f"import re\n{source}\n", encoding="utf-8")
    assert len(objections(list(in_python(path, tmp_path)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(f"preg_match('/{HANGS.replace(chr(39), chr(92) + chr(39))}/', $text);", id="literal"),
        pytest.param("const A = '/a.*b/s'; preg_match(A, $text);", id="constant"),
        pytest.param("class B { private const A = '~a+b~i'; function c($t) { preg_split(self::A, $t); } }", id="self"),
        pytest.param('preg_replace("/a+b/", "", $text);', id="double-quotes"),
        pytest.param("preg_match('/a'.'+b/', $text);", id="joined"),
        pytest.param("foreach ($patterns as $p) { preg_match($p, $text); }", id="unknown"),
        pytest.param("preg_match('/(a)+\\1b/', $text);", id="backreference"),
        pytest.param("preg_match('/^(?:a*)*$/', $text);", id="empty-repeat"),
    ],
)
def test_a_planted_pattern_is_found_in_php(tmp_path: Path, source: str) -> None:
    """The same in PHP; what a comment or a text beside it says is no pattern."""
    path = tmp_path / "planted.php"
    path.write_text(f"<html>preg_match('/a+b/')<?php\n// preg_match('/a+b/')\n{source}\n", encoding="utf-8")
    assert len(objections(list(in_php(path, tmp_path)))) == 1


@pytest.mark.parametrize(
    "source",
    ["re.sub(r'[^a-z]+', '-', x)", "re.search(re.escape(x), y)", "re.compile('|'.join(map(re.escape, x)))"],
    ids=["a-class", "escaped", "escaped-alternatives"],
)
def test_a_linear_pattern_is_let_be(tmp_path: Path, source: str) -> None:
    """A pattern that is linear, or an alternation of escaped values, is no finding."""
    path = tmp_path / "linear.py"
    path.write_text(f"import re\n{source}\n", encoding="utf-8")
    found = list(in_python(path, tmp_path))
    assert (len(found), objections(found)) == (1, [])


# --- the analysis itself

SUPER_LINEAR: dict[str, tuple[str, Use, int]] = {
    "what-hung": (HANGS, "search", 0),
    "from-every-start": ("a+b", "search", 0),
    "spaces-at-the-end": (r"\s+$", "search", 0),
    "digits-before-a-point": (r"\d+\.\d+", "search", 0),
    "word-then-word": (r"hash_file\(.*failed", "search", re.IGNORECASE),
    "over-lines": ("(?s)parse.*views", "search", 0),
    "from-every-line": ("^a.*b", "search", re.MULTILINE | re.DOTALL),
    "by-case": ("(?i)[a-k]+K!", "search", 0),
    "by-case-beyond-ascii": ("a+[k-m]*\u212a", "search", re.IGNORECASE),
    "three-in-a-row": ("x*y*z*$", "search", 0),
    "one-in-the-other": (r"a*\w*$", "match", 0),
    "nested": ("(a+)+", "fullmatch", 0),
    "alternatives-alike": ("(?:a|a)*b", "match", 0),
    "alternatives-joined": ("(?:a|b|ab)*c", "match", 0),
    "bounded-alternatives": ("(?:a|a){30}b", "match", 0),
    "ahead": (r"a(?=.*b)", "search", 0),
    "atomic": ("(?>a+)b", "search", 0),
    "bounded-high": ("[a-z]{0,100}!", "search", 0),
}
LINEAR: dict[str, tuple[str, Use, int]] = {
    "a-class": ("[^a-z]+", "search", 0),
    "anchored": ("^[a-z]+$", "search", 0),
    "anchored-to-lines": ("^[a-z]+$", "search", re.MULTILINE),
    "a-word-repeated": ("(?:ab)+", "search", 0),
    "to-the-end": ("a.*", "search", 0),
    "twice-to-the-end": ("(.*)(.*)", "match", 0),
    "of-fixed-length": (r"\d{4}-\d\d-\d\d", "search", 0),
    "from-the-start-of-a-word": (r"(?<![\w.-])[\w.-]{0,100}?password", "search", re.IGNORECASE),
    "from-the-first-digit": (r"((?<!\d)\d+)\.\d+", "search", 0),
    "from-a-boundary": (r"\bcookie\s*:[ \t]*\S", "search", 0),
    "quoted": (r'"(?:[^"\\]|\\.)*"', "match", 0),
    "from-one-start": ("a+b", "match", 0),
    "between-commas": ("^(?:[^,]*,)*[^,]*x,$", "match", 0),
    "between-tags": ("<b>[^<]*</b>", "search", 0),
    "words": ("cat|dog|bird", "search", 0),
}


@pytest.mark.parametrize(("pattern", "use", "flags"), SUPER_LINEAR.values(), ids=SUPER_LINEAR)
def test_a_super_linear_pattern_has_its_attack(pattern: str, use: Use, flags: int) -> None:
    """The analysis finds a text, and twice as much of it more than doubles the steps."""
    attack = attack_on(pattern, flags, use)
    assert attack is not None
    if use == "search" and "(?>" not in pattern:
        few, many = (steps(pattern, attack.pump * times, flags) for times in (200, 400))
        assert many > 3 * few


@pytest.mark.parametrize(("pattern", "use", "flags"), LINEAR.values(), ids=LINEAR)
def test_a_linear_pattern_has_none(pattern: str, use: Use, flags: int) -> None:
    """The analysis finds no text on which the steps grow faster than the text, be it of characters or of bytes."""
    assert attack_on(pattern, flags, use) is None
    assert attack_on(pattern.encode(), flags, use) is None


# --- what reads pages


def test_a_page_of_open_tags_is_read_as_any_other() -> None:
    """A megabyte of what once took a quarter of an hour has no login form and no signature."""
    answer = answer_of(httpx.Response(200, content=b"<input " * 150_000 + b" password"), "</main>", 0.0)
    assert (answer.login, answer.signatures, answer.bytes) == (False, (), 1_050_009)
