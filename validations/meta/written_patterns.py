"""Collect the regular expressions that are written in Python and PHP files, without running anything."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from validations.meta.growth import Use

# The functions that take a pattern, and where each takes its flags.
FLAGS = {
    "compile": 1, "search": 2, "match": 2, "fullmatch": 2, "findall": 2, "finditer": 2, "split": 3, "sub": 4, "subn": 4,
}  # fmt: skip
ENGINES = {"re", "re2", "regex"}
# What goes on behind a match, and so may read the rest of the text once for each.
ITERATING = {"findall", "finditer", "sub", "subn"}
# An escaped value: any character, and no operator.
ESCAPED = r"(?s:.)"


@dataclass(frozen=True, slots=True)
class Written:
    """One pattern as it is written.

    place: `file:line`. engine: `re`, `re2`, `regex` or `preg`. pattern: None where it is made while the program runs.
    uses: how it is run; a compiled pattern may be run in several ways.
    """

    place: str
    engine: str
    function: str
    pattern: str | bytes | None
    flags: int = 0
    uses: tuple[Use, ...] = ("search",)


class NotWritten(Exception):  # noqa: N818 - what was found, not an error
    """The value is made while the program runs."""


def written(root: Path) -> Iterator[Written]:
    """Yield the patterns of every Python and PHP file of the project."""
    for folder in ("fixtures", "reports", "validations"):
        for path in sorted((root / folder).rglob("*")):
            if not path.is_file() or "runs" in path.parts:
                continue
            with path.open("rb") as file:
                first = file.readline(100) if path.suffix == "" else b""
            if path.suffix == ".py" or (first.startswith(b"#!") and b"python" in first):
                yield from in_python(path, root)
            elif path.suffix == ".php" or (first.startswith(b"#!") and b"php" in first):
                yield from in_php(path, root)
    yield from in_python(root / "conftest.py", root)


def in_python(path: Path, root: Path) -> Iterator[Written]:
    """Yield the patterns of a Python file. Other names for an engine or its functions count as unknown patterns."""
    text = path.read_text(encoding="utf-8")
    if not any(f"{word} {engine}" in text for word in ("import", "from") for engine in ENGINES):
        return
    tree = ast.parse(text, str(path))
    nodes = list(ast.walk(tree))
    names = _Names(tree, root)
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for node in nodes:
        for engine, function in _named(node, attributes):
            pattern, flags = None, 0
            if isinstance(node, ast.Call):
                pattern, flags = names.arguments(node, FLAGS[function])
            place = f"{path.relative_to(root)}:{getattr(node, 'lineno', 0)}"
            yield Written(place, engine, function, pattern, flags, _uses(function, attributes))


def _named(node: ast.AST, attributes: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the engine and the function that a node calls, or "import" where it gives one of them another name."""
    match node:
        case ast.ImportFrom(module="re" | "re2" | "regex" as engine):
            yield engine, "import"
        case ast.Import(names=aliases):
            for alias in aliases:
                if alias.name in ENGINES and alias.asname not in (None, alias.name):
                    yield alias.name, "import"
                if alias.name == "re2":
                    yield from (("re2", use) for use in sorted(attributes & ITERATING))
        case ast.Call(func=ast.Attribute(value=ast.Name(id=engine), attr=function)):
            if engine in ENGINES and function in FLAGS:
                yield engine, function


def _uses(function: str, attributes: set[str]) -> tuple[Use, ...]:
    if function == "match":
        return ("match",)
    if function == "fullmatch":
        return ("fullmatch",)
    return ("search", "fullmatch") if function == "compile" and "fullmatch" in attributes else ("search",)


class _Names:
    """The constants of a module, and those that it imports from other modules of the project."""

    def __init__(self, tree: ast.Module, root: Path) -> None:
        self._root = root
        self._values: dict[str, ast.expr] = {}
        self._imported: dict[str, tuple[Path, str]] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._values[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self._values[node.target.id] = node.value
            elif isinstance(node, ast.ImportFrom) and node.module:
                module = root.joinpath(*node.module.split(".")).with_suffix(".py")
                self._imported |= {alias.asname or alias.name: (module, alias.name) for alias in node.names}

    def arguments(self, call: ast.Call, flags_at: int) -> tuple[str | bytes | None, int]:
        """Return the pattern and the flags of a call; None for a pattern that is not written down."""
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        pattern = call.args[0] if call.args else given.get("pattern")
        flags = call.args[flags_at] if len(call.args) > flags_at else given.get("flags")
        with contextlib.suppress(NotWritten):
            if pattern is not None:
                return self.value(pattern), 0 if flags is None else self._flags(flags)
        return None, 0

    def value(self, node: ast.expr) -> str | bytes:
        """Return what an expression is."""
        value: str | bytes
        match node:
            case ast.Constant(value=str() | bytes() as value):
                pass
            case ast.JoinedStr(values=parts):
                value = "".join(self._text(part) for part in parts)
            case ast.FormattedValue(value=inner):
                value = self.value(inner)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                value = self._text(left) + self._text(right)
            case ast.Name(id=name) if name in self._values:
                value = self.value(self._values[name])
            case ast.Name(id=name) if name in self._imported and self._imported[name][0].is_file():
                module, there = self._imported[name]
                value = _Names(ast.parse(module.read_text(encoding="utf-8")), self._root).value(ast.Name(there))
            case ast.Call() if ast.unparse(node).startswith(("re.escape(", "'|'.join(map(re.escape, ")):
                # Each of several escaped values is tried once at each place, whatever they are.
                value = ESCAPED
            case _:
                raise NotWritten(ast.unparse(node))
        return value

    def _text(self, part: ast.expr) -> str:
        value = self.value(part)
        if isinstance(value, bytes):
            raise NotWritten(ast.unparse(part))
        return value

    def _flags(self, node: ast.expr) -> int:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._flags(node.left) | self._flags(node.right)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "re":
            return int(getattr(re, node.attr))
        raise NotWritten(ast.unparse(node))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def in_php(path: Path, root: Path) -> Iterator[Written]:
    """Yield the patterns that a PHP file gives to `preg_…` functions, with constants of the file put in."""
    tokens = list(_tokens(path.read_text(encoding="utf-8")))
    constants = {
        tokens[number + 1].text: number + 3
        for number, token in enumerate(tokens)
        if token.kind == "name" and token.text == "const"
    }
    for number, token in enumerate(tokens):
        called = token.kind == "name" and token.text.startswith("preg_") and tokens[number + 1].text == "("
        if not called or token.text in ("preg_quote", "preg_last_error", "preg_last_error_msg"):
            continue
        pattern, flags = None, 0
        with contextlib.suppress(NotWritten):
            pattern, flags = from_pcre("".join(_pieces(tokens, number + 2, constants)))
        yield Written(f"{path.relative_to(root)}:{token.line}", "preg", token.text, pattern, flags)


def _tokens(text: str) -> Iterator[_Token]:
    """Yield names, strings and single signs of PHP, without comments and what lies outside of `<?php`."""
    at, line = _skipped(text, 0, "<?php"), 1
    counted = 0
    while at < len(text):
        line, counted = line + text.count("\n", counted, at), at
        here = text[at]
        if text.startswith("?>", at):
            at = _skipped(text, at, "<?php")
        elif text.startswith("/*", at):
            at = _skipped(text, at, "*/")
        elif text.startswith("//", at) or (here == "#" and not text.startswith("#[", at)):
            at = _skipped(text, at, "\n")
        elif here in "'\"":
            end = at + 1
            while text[end] != here:
                end += 2 if text[end] == "\\" else 1
            yield _Token(here, text[at + 1 : end], line)
            at = end + 1
        elif here.isalnum() or here in "_$":
            end = at + 1
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            yield _Token("name", text[at:end], line)
            at = end
        else:
            if not here.isspace():
                yield _Token("sign", here, line)
            at += 1


def _skipped(text: str, at: int, until: str) -> int:
    found = text.find(until, at)
    return len(text) if found < 0 else found + len(until)


def _pieces(tokens: list[_Token], at: int, constants: Mapping[str, int]) -> Iterator[str]:
    """Yield the strings and constants that are joined by `.` from a token on, up to the end of the argument."""
    while True:
        token = tokens[at]
        if token.kind == "'":
            yield re.sub(r"\\([\\'])", r"\1", token.text)
        elif token.kind == '"' and "$" not in token.text and "\\" not in token.text:
            yield token.text
        elif token.text in ("self", "static") and tokens[at + 3].text in constants:
            at += 3
            yield from _pieces(tokens, constants[tokens[at].text], constants)
        elif token.kind == "name" and token.text in constants:
            yield from _pieces(tokens, constants[token.text], constants)
        else:
            raise NotWritten(token.text)
        at += 1
        if tokens[at].text in (",", ";", ")"):
            return
        if tokens[at].text != ".":
            raise NotWritten(tokens[at].text)
        at += 1


def from_pcre(literal: str) -> tuple[str, int]:
    """Return a delimited PCRE pattern in Python's syntax, and its flags."""
    opening = literal[:1]
    body, closing, modifiers = literal[1:].rpartition({"(": ")", "[": "]", "{": "}", "<": ">"}.get(opening, opening))
    if not closing or opening.isalnum() or set(modifiers) - set("imsxuD"):
        raise NotWritten(literal)
    flags = 0 if "u" in modifiers else re.ASCII
    for modifier in modifiers:
        flags |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}.get(modifier, 0)
    body = body.replace(f"\\{opening}", opening) if opening in "/~#!@%," else body
    body = re.sub(r"\\x\{([0-9a-f]{1,8})\}", lambda found: f"\\U{int(found[1], 16):08x}", body)
    for theirs, ours in (("\\R", "(?:\\r\\n|[\\n-\\r\\x85])"), ("\\h", "[ \\t]"), ("\\z", "\\Z")):
        body = body.replace(theirs, ours)
    return body, int(flags)
