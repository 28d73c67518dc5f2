"""The few words that every finding is put in: their catalogue, how it is filled in, and the evidence that passes."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from string import Formatter

import pytest
from pydantic import TypeAdapter

from fixtures.environments.settings import Environment, FurtherPage
from reports.records import Code, Finding, Level, Verdict
from validations.contracts import Violation, counted, failed, listed, not_applicable, passed, unknown
from validations.deploying import CODES as RULINGS
from validations.messages import CATALOGUE, OBSERVE, Message, does_not_apply, fails, is_unknown, passes, says
from validations.places import GATEWAY, LARAVEL, LARAVEL_10
from validations.registry import EIGHT, OBJECTIVES, SCHEDULED_HEALTH, SCHEDULED_REBUILD, Check

CHECKOUT = Path(__file__).resolve().parents[3]
CHECKS = (*EIGHT, *OBJECTIVES)
VERDICTS = {
    "passed": Verdict.PASS,
    "failed": Verdict.FAIL,
    "unknown": Verdict.UNKNOWN,
    "not_applicable": Verdict.NOT_APPLICABLE,
}
# What a call says beside the values of its message.
OWN = {"level", "seen_by", "figures"}
# With what a clause may begin although it is no common noun.
NAMES = {"CONFIG", "JSON", "Redis"}
SAMPLES = {
    "locks.sample-pass": passes("a {n}"),
    "locks.sample-fail": fails("a {n}", "b {n}", "c {n}"),
    "locks.sample-unknown": is_unknown("a {n}"),
    "any.sample-absent": does_not_apply("a {n}"),
}


@pytest.fixture(name="samples")
def _samples(monkeypatch: pytest.MonkeyPatch) -> None:
    for code, message in SAMPLES.items():
        monkeypatch.setitem(CATALOGUE, code, message)


# --- how a finding is put into words


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(
            lambda: passed("locks.sample-pass", Level.RESOLVED, seen_by="d", figures={"m": 1}, n=7),
            Finding(Verdict.PASS, "locks.sample-pass", "a 7", "", "", "d", Level.RESOLVED, {"m": 1}),
            id="passed",
        ),
        pytest.param(
            lambda: failed("locks.sample-fail", n=7),
            Finding(Verdict.FAIL, "locks.sample-fail", "a 7", "b 7", "c 7", level=Level.OBSERVED),
            id="failed",
        ),
        pytest.param(
            lambda: failed("locks.sample-fail", level=Level.DECLARED, seen_by="d", figures={"m": 1}, n=7),
            Finding(Verdict.FAIL, "locks.sample-fail", "a 7", "b 7", "c 7", "d", Level.DECLARED, {"m": 1}),
            id="failed-by-weaker-evidence",
        ),
        pytest.param(
            lambda: unknown("locks.sample-unknown", n=7),
            Finding(Verdict.UNKNOWN, "locks.sample-unknown", "a 7", "", OBSERVE),
            id="unknown",
        ),
        pytest.param(
            lambda: unknown("locks.sample-unknown", level=Level.DECLARED, seen_by="d", n=7),
            Finding(Verdict.UNKNOWN, "locks.sample-unknown", "a 7", "", OBSERVE, "d", Level.DECLARED),
            id="unknown-by-weak-evidence",
        ),
        pytest.param(
            lambda: not_applicable("locks.sample-absent", n=7),
            Finding(Verdict.NOT_APPLICABLE, "locks.sample-absent", "a 7"),
            id="words-of-any-check",
        ),
    ],
)
@pytest.mark.usefixtures("samples")
def test_a_finding_holds_what_it_was_given(found: Callable[[], Finding], told: Finding) -> None:
    """The catalogue's words are filled with the values, and all else stands where reports look for it."""
    assert found() == told


@pytest.mark.parametrize(
    ("found", "error"),
    [
        pytest.param(lambda: passed("locks.sample-fail", Level.OBSERVED, n=7), ValueError, id="another-verdict"),
        pytest.param(lambda: passed("locks.nowhere", Level.OBSERVED), KeyError, id="no-such-code"),
        pytest.param(lambda: failed("locks.sample-fail"), KeyError, id="a-value-too-few"),
        pytest.param(lambda: says({"locks.sample-fail": passes("again")}), ValueError, id="a-code-said-twice"),
    ],
)
@pytest.mark.usefixtures("samples")
def test_a_code_means_one_thing(found: Callable[[], object], error: type[Exception]) -> None:
    """A code has one message and one verdict, and every value of its words; anything else is an error of ours."""
    with pytest.raises(error):
        found()


@pytest.mark.parametrize(
    ("finding", "text"),
    [
        pytest.param(
            Finding(Verdict.UNKNOWN, "locks.hung", "it hung"), "it hung [locks.hung; on web-1]", id="observed-alone"
        ),
        pytest.param(
            Finding(Verdict.FAIL, "locks.open", "it is 0777", "0755", "chmod 0755 it", "stat"),
            "it is 0777, but should be 0755 [locks.open; on web-1 via stat]\nremedy: chmod 0755 it",
            id="all-of-it",
        ),
        pytest.param(
            Finding(Verdict.FAIL, "locks.open", "it\n::error::", "0755", "chmod\r\nit"),
            "it ::error::, but should be 0755 [locks.open; on web-1]\nremedy: chmod it",
            id="line-ends-of-others",
        ),
    ],
)
def test_a_failed_test_says_it_all(finding: Finding, text: str) -> None:
    """Observed, expected, its code, where and how it was looked at, on one line, and the remedy on another."""
    violation = Violation(finding, where="on web-1")
    assert str(violation) == text
    assert violation.finding is finding


@pytest.mark.parametrize(
    ("names", "most", "text"),
    [
        pytest.param([], 3, "", id="none"),
        pytest.param(["a", "b", "c"], 3, "a, b, c", id="as-many-as-fit"),
        pytest.param(["a", "b", "c", "d", "e"], 3, "a, b, c and 2 more", id="more"),
        pytest.param(["a", "b"], 1, "a and 1 more", id="one-alone"),
    ],
)
def test_the_first_few_are_named(names: list[str], most: int, text: str) -> None:
    """Names are listed up to a number, and the rest counted; three where nobody says."""
    assert listed(names, most=most) == text
    if most == 3:
        assert listed(names) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 views"), (1, "1 view"), (2, "2 views"), (1234, "1,234 views")], ids=str
)
def test_a_number_of_things_is_told_as_people_do(number: int, text: str) -> None:
    """One is singular, and thousands are set apart."""
    assert counted(number, "view") == text


# --- the catalogue, held against every call that uses it


@dataclass(frozen=True, slots=True)
class Use:
    """A call of passed, failed, unknown or not_applicable: where, the codes that it may say, and its values."""

    where: str
    verdict: Verdict
    codes: frozenset[str]
    values: frozenset[str]


def uses() -> Iterator[Use]:
    """Yield every call under validations/, without the tests of the suite itself."""
    for path in sorted((CHECKOUT / "validations").rglob("*.py")):
        file = str(path.relative_to(CHECKOUT))
        if not file.startswith("validations/meta/"):
            yield from uses_of(file, ast.parse(path.read_text(encoding="utf-8")))


def uses_of(file: str, tree: ast.Module) -> Iterator[Use]:
    """Yield the calls in one module."""
    imported = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "validations.contracts"
        for name in node.names
    }
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if (word := node.func.id) in VERDICTS and word in imported:
            values = frozenset(one.arg or "**" for one in node.keywords) - OWN
            codes = frozenset(codes_of(node.args[0], node, file, tree, parents))
            yield Use(f"{file}:{node.lineno}", VERDICTS[word], codes, values)


def codes_of(
    said: ast.expr, call: ast.AST, file: str, tree: ast.Module, parents: Mapping[ast.AST, ast.AST]
) -> Iterator[str]:
    """Yield the codes that an expression may be; of a name, those that the nearest block assigns to it."""
    match said:
        case ast.Constant(value=str(code)):
            yield code
        case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(slug))]):
            # Only the two schedules share a judge; what other modules say so is said of any check.
            schedules = (SCHEDULED_HEALTH.id, SCHEDULED_REBUILD.id)
            yield from (f"{check}{slug}" for check in (schedules if file == SCHEDULED_HEALTH.file else ("any",)))
        case ast.JoinedStr(values=[ast.Constant(value="deployment."), ast.FormattedValue()]):
            ruled = {"passed": "ok", "failed": "failed", "unknown": "unknown"}
            word = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
            yield from (f"deployment.{code}" for code in RULINGS[ruled[word]])
        case ast.IfExp(body=body, orelse=orelse):
            for one in (body, orelse):
                yield from codes_of(one, call, file, tree, parents)
        case ast.Name(id=name):
            for value in assigned(name, call, parents):
                if isinstance(value, ast.Constant | ast.JoinedStr | ast.IfExp):
                    yield from codes_of(value, call, file, tree, parents)
                else:
                    # Taken apart from what a function of the module returns: a code, and what shows it.
                    yield from returned(tree)


def assigned(name: str, call: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> list[ast.expr]:
    """Return what is assigned to a name before a call, in the innermost block that assigns it."""
    node = call
    while (parent := parents.get(node)) is not None:
        block = next((one for _, one in ast.iter_fields(parent) if isinstance(one, list) and node in one), [])
        before = [one for statement in block[: block.index(node)] for one in ast.walk(statement)] if block else []
        if found := [value for one in before if isinstance(one, ast.Assign) for value in values_of(name, one)]:
            return found
        node = parent
    return []


def values_of(name: str, assignment: ast.Assign) -> Iterator[ast.expr]:
    """Yield what an assignment gives a name: its own element of a tuple, or the whole where that is not written."""
    for target in assignment.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        one_each = isinstance(target, ast.Tuple) and isinstance(assignment.value, ast.Tuple)
        for index, one in enumerate(names):
            if any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(one)):
                yield assignment.value.elts[index] if one_each else assignment.value  # type: ignore[attr-defined]


def returned(tree: ast.Module) -> Iterator[str]:
    """Yield the codes that stand first in what the functions of a module return."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            for one in ast.walk(node.value):
                match one:
                    case ast.Tuple(elts=[ast.Constant(value=str(code)), *_]):
                        yield code


def fields(message: Message) -> set[str]:
    """Return the names of the values that a message is filled with."""
    texts = (message.observed, message.expected, message.remedy)
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name is not None}


for module in {check.file.removesuffix(".py").replace("/", ".") for check in CHECKS}:
    importlib.import_module(module)
MESSAGES = dict(CATALOGUE)
USES = list(uses())


def test_a_call_says_what_the_catalogue_has() -> None:
    """Its codes are known, with its verdict; it gives all values that their words take, and no other."""
    for use in USES:
        assert use.codes, f"{use.where}: no code could be read from this call"
        assert {code: MESSAGES[code].verdict for code in use.codes} == dict.fromkeys(use.codes, use.verdict), use.where
        assert {name for code in use.codes for name in fields(MESSAGES[code])} == use.values, use.where


def test_every_message_is_said() -> None:
    """The catalogue holds no words that nothing says."""
    assert set(MESSAGES) == {code for use in USES for code in use.codes}


def test_a_code_begins_with_its_check() -> None:
    """A code has the pattern of records, begins with a registered check or stands for any, and never for both."""
    for code in MESSAGES:
        check, _, slug = TypeAdapter[str](Code).validate_python(code).partition(".")
        assert check in {"any", *(check.id for check in CHECKS)}, code
        assert check == "any" or f"any.{slug}" not in MESSAGES, code


def test_a_message_says_all_that_its_verdict_owes() -> None:
    """A failure says what was observed, what it should be and what to do; what is not known, how to know it."""
    owed = {Verdict.FAIL: (True, True, True), Verdict.UNKNOWN: (True, False, True)}
    for code, message in MESSAGES.items():
        said = (bool(message.observed), bool(message.expected), bool(message.remedy))
        assert said == owed.get(message.verdict, (True, False, False)), code


def test_a_message_is_a_clause() -> None:
    """Messages are put into sentences: they end with no full stop, and begin with no capital but a name's."""
    for code, message in MESSAGES.items():
        for text in (message.observed, message.expected, message.remedy):
            assert not text.endswith("."), code
            assert not text[:1].isupper() or re.split(r"\W", text)[0] in NAMES, code


def test_no_remedy_names_what_depends_on_the_application() -> None:
    """Files and commands that differ by kind and version come from `places`, and stand in no words."""
    names = {name for one in (GATEWAY, LARAVEL, LARAVEL_10) for name in astuple(one)}
    assert not {(code, name) for code in MESSAGES for name in names if name in MESSAGES[code].remedy}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param('return failed("a.b", n=1)', {"a.b"}, id="constant"),
        pytest.param('return failed("a.b" if x else "a.c", n=1)', {"a.b", "a.c"}, id="either"),
        pytest.param('return failed(f"{check.id}.b", n=1)', {"any.b"}, id="of-any-check"),
        pytest.param('code, n = "a.b", 1\n    return failed(code, n=n)', {"a.b"}, id="name"),
        pytest.param(
            'if x:\n        code = "a.b"\n        return failed(code, n=1)\n    code = "a.c"', {"a.b"}, id="nearest"
        ),
        pytest.param(
            'if x:\n        code = "a.b"\n    else:\n        code = "a.c"\n    return failed(code, n=1)',
            {"a.b", "a.c"},
            id="branches",
        ),
        pytest.param("return failed(code, n=1)", set(), id="not-known"),
    ],
)
def test_codes_are_read_from_calls(text: str, codes: set[str]) -> None:
    """Codes are read as they are written; one that cannot be read is none, and is not passed over."""
    tree = ast.parse(f"from validations.contracts import failed\ndef judge(x, check):\n    {text}\n")
    (use,) = uses_of("a.py", tree)
    assert set(use.codes) == codes
    assert set(use.values) == {"n"}
    assert use.verdict is Verdict.FAIL


# --- the evidence that passes


ENVIRONMENTS = [
    Environment(
        kind=kind,
        url="http://127.0.0.1:1",
        root="/srv",
        hosts=("local", "ssh://shop-2"),
        panels=("admin", "re_seller"),
        pages=(FurtherPage(name="dashboard", path="/admin", visitor="guest", sentinel="Dashboard"),),
    )
    for kind in ("gateway", "laravel")
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda one: one.kind)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_part_has_the_evidence_that_it_needs(check: Check, environment: Environment) -> None:
    """Each part has a row, each row a part, and where more may be done to a host no less is asked of a pass."""
    rows = [check.least(part) for part in check.parts(environment)]
    assert {row.parts for row in rows} == {row.parts for row in check.evidence}
    for row in rows:
        read_only, disturbed = (row.level(environment.kind, disturbed=one) for one in (False, True))
        assert disturbed.rank >= read_only.rank
        assert row.root
        assert row.raises
