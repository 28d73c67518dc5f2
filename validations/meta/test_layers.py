"""The house keeps its layers: who may import whom is a test, since a rule without one is a wish."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
OURS = ("fixtures", "reports", "validations")
TOP_LEVEL = {"conftest.py", "pyproject.toml", "README.md", "LICENSE", *OURS}
PROBE = "fixtures.observation.gateway_probe"


def within(name: str, *packages: str) -> bool:
    """Tell whether a dotted name is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def ours(name: str) -> bool:
    """Tell whether a module is of this checkout."""
    return within(name, *OURS)


# Who is meant, and what they may not import. What only tests of a part need, its tests may import.
RULES: dict[str, tuple[Callable[[str], bool], Callable[[str], bool]]] = {
    "fixtures makes things happen: it knows neither reports nor validations": (
        lambda who: within(who, "fixtures"),
        lambda what: within(what, "reports", "validations"),
    ),
    "reports tells: it knows neither fixtures nor validations": (
        lambda who: within(who, "reports"),
        lambda what: within(what, "fixtures", "validations"),
    ),
    "validations judges: of reports it knows the records alone, and the console that all is printed to": (
        lambda who: within(who, "validations") and not within(who, "validations.meta", "validations.benchmarks"),
        lambda what: within(what, "reports") and not within(what, "reports.records", "reports.console"),
    ),
    "a check sees an environment as a black box": (
        lambda who: within(who, "validations.gate"),
        lambda what: within(what, "fixtures.gateway", "fixtures.faults", "fixtures.concurrency"),
    ),
    "the gateway is the system under test: of ours it knows the call schema alone": (
        lambda who: within(who, "fixtures.gateway"),
        lambda what: ours(what) and not within(what, "fixtures.gateway", "fixtures.calls"),
    ),
    "the gateway runs without a test framework": (
        lambda who: within(who, "fixtures.gateway", "fixtures.calls"),
        lambda what: within(what, "pytest", "_pytest", "xdist"),
    ),
    "an observation is made with what it is handed: it does not know how a host is reached": (
        lambda who: within(who, "fixtures.observation"),
        lambda what: within(what, "fixtures.environments", "fixtures.hosts"),
    ),
    "the probe is one file of standard library": (
        lambda who: who == PROBE,
        lambda what: what.partition(".")[0] not in sys.stdlib_module_names,
    ),
}


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield each module of ours below a folder, by name."""
    for package in OURS:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(module: str, path: Path) -> Iterator[str]:
    """Yield what a module imports, at its top or anywhere in it; `from a import b` is a.b."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"importlib.import_module", "__import__"}:
            yield from (
                word.value for word in node.args[:1] if isinstance(word, ast.Constant) and isinstance(word.value, str)
            )


def broken(root: Path) -> list[str]:
    """Return each import below a folder that breaks a rule, with the rule."""
    return [
        f"{module} imports {name}: {rule}"
        for module, path in modules(root)
        for name in imported(module, path)
        for rule, (who, what) in RULES.items()
        if who(module) and what(name)
    ]


def test_every_import_keeps_its_layer() -> None:
    """No module of the checkout imports what its layer may not know."""
    assert broken(CHECKOUT) == []


@pytest.mark.parametrize(
    ("file", "code", "found"),
    [
        pytest.param("fixtures/a.py", "import reports.records", "reports.records", id="fixtures-reports"),
        pytest.param(
            "fixtures/a/b.py", "from validations import cells", "validations.cells", id="fixtures-validations"
        ),
        pytest.param(
            "reports/a.py", "from fixtures.hosts import TARGET", "fixtures.hosts.TARGET", id="reports-fixtures"
        ),
        pytest.param("reports/a.py", "import validations", "validations", id="reports-validations"),
        pytest.param("validations/cells.py", "from reports import plugin", "reports.plugin", id="cells-reports"),
        pytest.param(
            "validations/gate/test_1.py",
            "import fixtures.gateway.web.server as s",
            "fixtures.gateway.web.server",
            id="gate-gateway",
        ),
        pytest.param("validations/gate/a.py", "from fixtures import faults", "fixtures.faults", id="gate-faults"),
        pytest.param("validations/gate/a.py", "import fixtures.concurrency", "fixtures.concurrency", id="gate-races"),
        pytest.param("fixtures/gateway/a.py", "from fixtures import hosts", "fixtures.hosts", id="gateway-fixtures"),
        pytest.param("fixtures/gateway/a.py", "import pytest", "pytest", id="gateway-pytest"),
        pytest.param("fixtures/calls/a.py", "import pytest", "pytest", id="calls-pytest"),
        pytest.param(
            "fixtures/observation/a.py",
            "from fixtures.environments.settings import Environment",
            "fixtures.environments.settings.Environment",
            id="observation-environments",
        ),
        pytest.param("fixtures/observation/gateway_probe.py", "import httpx", "httpx", id="probe-library"),
        pytest.param("fixtures/a.py", "def f():\n    import reports", "reports", id="in-a-function"),
        pytest.param("fixtures/a.py", "if TYPE_CHECKING:\n    import reports", "reports", id="for-types-alone"),
        pytest.param(
            "fixtures/a.py", "import importlib\nimportlib.import_module('reports.junit')", "reports.junit", id="by-name"
        ),
        pytest.param("fixtures/gateway/a.py", "from .. import hosts", "fixtures.hosts", id="relative"),
        pytest.param(
            "fixtures/gateway/__init__.py", "from ..hosts import TARGET", "fixtures.hosts.TARGET", id="relative-init"
        ),
    ],
)
def test_a_planted_import_is_found(tmp_path: Path, file: str, code: str, found: str) -> None:
    """Each rule sees an import that breaks it, in whatever way it is written."""
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(code, encoding="utf-8")
    assert [line.partition(":")[0].split(" imports ")[1] for line in broken(tmp_path)] == [found]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        pytest.param("validations/cells.py", "from reports.records import Verdict", id="records"),
        pytest.param("validations/gate/test_1.py", "from fixtures.observation import facts", id="observation"),
        pytest.param("validations/stages/gateway/test_a.py", "import fixtures.gateway", id="tests-of-the-gateway"),
        pytest.param("validations/meta/test_a.py", "import reports.junit", id="tests-of-reports"),
        pytest.param("fixtures/gateway/a.py", "from fixtures.calls import schema\nfrom . import ports", id="gateway"),
        pytest.param("fixtures/gateways.py", "import pytest, fixtures.hosts", id="another-name"),
    ],
)
def test_what_is_allowed_is_not_reported(tmp_path: Path, file: str, code: str) -> None:
    """An import that keeps the rules is no finding."""
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(code, encoding="utf-8")
    assert broken(tmp_path) == []


def test_the_conftest_is_a_list_of_plugins() -> None:
    """The root conftest names plugins and does nothing else: at most 25 lines, one assignment."""
    text = (CHECKOUT / "conftest.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 25
    docstring, assignment = ast.parse(text).body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(assignment, ast.Assign)
    assert ast.unparse(assignment.targets[0]) == "pytest_plugins"


def test_the_top_level_is_fixed() -> None:
    """Nothing is added at the top of the repository but dotfiles."""
    if not (CHECKOUT / ".git").exists():
        pytest.skip("this is no clone: what belongs to the repository is not known")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=30
    ).stdout.split("\0")
    found = {path.partition("/")[0] for path in listed if path}
    assert {name for name in found if not name.startswith(".")} == TOP_LEVEL


def test_every_package_says_what_it_is() -> None:
    """Each folder of modules has an __init__.py with a docstring."""
    folders = {path.parent for _, path in modules(CHECKOUT) if "skeleton" not in path.parts}
    silent = [
        str(folder.relative_to(CHECKOUT))
        for folder in sorted(folders)
        if not (folder / "__init__.py").exists()
        or ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) is None
    ]
    assert silent == []


def ordered(root: Path) -> None:
    """Raise CycleError where of two packages each can be reached from the other by imports."""
    names = {module for module, _ in modules(root)}
    graph: dict[str, set[str]] = {}
    for module, path in modules(root):
        for name in imported(module, path):
            target = name if name in names else name.rpartition(".")[0]
            if target in names and package_of(module) != package_of(target):
                graph.setdefault(package_of(module), set()).add(package_of(target))
    TopologicalSorter(graph).prepare()


def test_no_two_packages_import_each_other(tmp_path: Path) -> None:
    """The folders of each top-level folder stand in an order, and a planted cycle is found."""
    ordered(CHECKOUT)
    for name, code in {"a/x": "from fixtures.b.y import z", "b/y": "import fixtures.a.x"}.items():
        (tmp_path / f"fixtures/{name}.py").parent.mkdir(parents=True)
        (tmp_path / f"fixtures/{name}.py").write_text(code, encoding="utf-8")
    with pytest.raises(CycleError):
        ordered(tmp_path)


def package_of(module: str) -> str:
    """Return the folder or file that a module is in directly below the top level."""
    return ".".join(module.split(".")[:2])


def test_no_three_modules_have_one_name() -> None:
    """A module's name tells it from others, but for a folder's `__init__`, `__main__`, `conftest` and `base`."""
    usual = {"__init__", "__main__", "conftest", "base"}
    names = Counter(path.stem for _, path in modules(CHECKOUT) if path.stem not in usual)
    assert {name: count for name, count in names.items() if count > 2} == {}
