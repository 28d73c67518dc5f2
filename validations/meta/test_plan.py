"""The ledger: what is planned is what pytest collects, and both are what the brief promised."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fixtures.environments.settings import Environment, FurtherPage
from fixtures.hosts import Target
from reports.records import Level
from validations.cells import plan_of
from validations.expectations import FIELDS, TIERS, slug
from validations.registry import AGREEMENT, EIGHT, OBJECTIVES, Check

CHECKOUT = Path(__file__).resolve().parents[2]
GATE = CHECKOUT / "validations" / "gate"
SLUG = re.compile(r"[A-Za-z0-9_-]+")
COLLECT_SECONDS = 240
every_check = pytest.mark.parametrize("check", [*EIGHT, *OBJECTIVES], ids=lambda check: check.id)

TARGETS = {
    "staged": Target("staged", None, kind="staged", intrusive=True),
    "live": Target(
        "shop-1",
        Environment(
            kind="gateway",
            url="http://127.0.0.1:1",
            root="/srv",
            hosts=("local", "ssh://shop-2"),
            panels=("admin", "agent", "re_seller"),
            pages=(FurtherPage(name="dashboard", path="/admin", visitor="guest", sentinel="Dashboard"),),
        ),
        kind="gateway",
        intrusive=False,
    ),
}
# Chooses an environment, as `fixtures.hosts` would, and stands for the recorder; nothing else of ours is loaded.
PLUGIN = """
import json, os

from fixtures.hosts import TARGET
from validations.meta.test_plan import TARGETS

def pytest_configure(config):
    config.stash[TARGET] = TARGETS[os.environ["TARGET"]]
    config.pluginmanager.register(object(), "viewgate-recorder")

def pytest_collection_finish(session):
    cells = [(item, item.callspec.params["cell"]) for item in session.items]
    with open(os.environ["COLLECTED"], "w") as file:
        json.dump([
            {"key": [cell.check.id, cell.host_id, cell.part], "nodeid": item.nodeid, "id": item.callspec.id}
            for item, cell in cells
        ], file)
"""


@pytest.fixture(name="collected", scope="module", params=TARGETS)
def _collected(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Target, list[dict[str, Any]]]:
    """What pytest collects of the gate for a target: key, node id and parameter id of each test."""
    tmp_path = tmp_path_factory.mktemp("collected")
    (tmp_path / "chooses_a_target.py").write_text(PLUGIN, encoding="utf-8")
    told = tmp_path / "collected.json"
    path = f"{tmp_path}{os.pathsep}{CHECKOUT}"
    done = collect("-p", "chooses_a_target", PYTHONPATH=path, COLLECTED=str(told), TARGET=request.param)
    assert done.returncode == 0, done.stdout + done.stderr
    return TARGETS[request.param], json.loads(told.read_text(encoding="utf-8"))


def collect(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Have pytest list the gate's tests, without our configuration, and so without our plugins."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIEWGATE_"))}
    bare = ("-c", os.devnull, "--rootdir", str(CHECKOUT), "--noconftest", "--import-mode=importlib")
    return subprocess.run(
        [sys.executable, "-m", "pytest", str(GATE), "--collect-only", "-q", *bare, *arguments],
        cwd=CHECKOUT,
        env=ours | more,
        capture_output=True,
        text=True,
        timeout=COLLECT_SECONDS,
        check=False,
    )


def test_the_gates_modules_are_not_collected_without_a_plan() -> None:
    """A pytest without our plugins collects nothing of the gate, says why in one line, and does not end with 0."""
    done = collect()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no tests collected, 1 error" in done.stdout
    assert sum(line.startswith("!") and "has not planned them" in line for line in done.stdout.splitlines()) == 1


def test_pytest_collects_exactly_the_plan(collected: tuple[Target, list[dict[str, Any]]]) -> None:
    """Every planned part is a test, every test is a planned part, each just once, in the file the plan names."""
    target, items = collected
    planned = plan_of(target).parts
    assert Counter(tuple(item["key"]) for item in items) == Counter(part.key for part in planned)
    files = {part.key: part.file for part in planned}
    for item in items:
        assert item["nodeid"].startswith(files[tuple(item["key"])] + "::test_")


def test_ids_are_slugs(collected: tuple[Target, list[dict[str, Any]]]) -> None:
    """Each test's id can be typed without quotes, and is unique."""
    _, items = collected
    for item in items:
        assert SLUG.fullmatch(item["id"]), item["id"]
    assert len({item["nodeid"] for item in items}) == len(items)


@pytest.mark.parametrize("name", TARGETS)
def test_the_plan_holds_every_check_on_every_host(name: str) -> None:
    """No check and no objective is without a part, and all of the eight count when they are unknown."""
    target = TARGETS[name]
    plan = plan_of(target)
    assert {(part.check, part.host) for part in plan.parts} == {
        (check.id, host)
        for check in (*EIGHT, *OBJECTIVES)
        for host in target.host_ids
        # One host has nobody to agree with.
        if check is not AGREEMENT or len(target.host_ids) > 1
    }
    assert all(part.required for part in plan.parts if part.number)
    assert {part.part for part in plan.parts if part.check == "filament"} == {
        "panels",
        *(f"panel-{panel}" for panel in target.expected.panels or ()),
        "icons",
    }


@pytest.mark.parametrize(
    ("name", "least"), [("staged", Level.OBSERVED), ("live", Level.DECLARED)], ids=["disturbed", "read-only"]
)
def test_the_plan_states_the_evidence_that_a_pass_needs(name: str, least: Level) -> None:
    """An effect is planned to be seen where the host may be disturbed, and nowhere else."""
    planned = {part.least for part in plan_of(TARGETS[name]).parts if (part.check, part.part) == ("locks", "taken")}
    assert planned == {least}


@pytest.mark.parametrize("name", TARGETS)
def test_the_plan_points_at_its_tests(name: str) -> None:
    """File and line of each planned part lead to the line where its test begins."""
    for part in plan_of(TARGETS[name]).parts:
        lines = (CHECKOUT / part.file).read_text(encoding="utf-8").splitlines()
        assert lines[part.line - 1].startswith("def test_"), part.key


def test_the_eight_stand_in_the_briefs_order() -> None:
    """The eight are numbered 1 to 8 as in the brief, and have unique names."""
    assert [(check.number, check.id) for check in EIGHT] == [
        (1, "middleware"),
        (2, "writable"),
        (3, "deployment"),
        (4, "health"),
        (5, "locks"),
        (6, "filament"),
        (7, "page"),
        (8, "disclosure"),
    ]
    assert all(check.number == 0 for check in OBJECTIVES)
    assert len({check.id for check in (*EIGHT, *OBJECTIVES)}) == len(EIGHT) + len(OBJECTIVES)


def test_the_gates_files_are_the_registrys() -> None:
    """Each of the eight has a file of its own, the objectives share one, and there is no other test in the gate."""
    assert {check.file for check in (*EIGHT, *OBJECTIVES)} == {
        str(path.relative_to(CHECKOUT)) for path in GATE.rglob("test_*.py")
    }


@every_check
def test_a_check_says_what_it_promises(check: Check) -> None:
    """Promise and title are there, and the one test of a check's file states a promise in its docstring."""
    assert check.title
    assert check.promise.endswith(".")
    tests = [
        node
        for node in ast.parse((CHECKOUT / check.file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert len(tests) == 1
    said = ast.get_docstring(tests[0])
    assert said == check.promise if check.number else said


@every_check
def test_the_parts_of_a_check_are_unique_slugs(check: Check) -> None:
    """A part's name is a test's id: letters, digits, - and _."""
    parts = check.parts(TARGETS["live"].expected)
    assert parts
    assert len(set(parts)) == len(parts)
    assert all(SLUG.fullmatch(part) for part in parts)


def test_a_call_has_112_fields_in_four_tiers() -> None:
    """The pinned fields are 13, 19, 55 and 25, each path and each slug once, and no credential among them."""
    assert {tier: len(paths) for tier, paths in TIERS.items()} == {1: 13, 2: 19, 3: 55, 4: 25}
    assert len(FIELDS) == 112
    assert len({field.path for field in FIELDS}) == 112
    assert len({slug(field.path) for field in FIELDS}) == 112
    assert "access_token" not in {field.path for field in FIELDS}
