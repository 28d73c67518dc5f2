"""Two eyes: the shim, and the stream wrapper where nothing can be compiled. What both see, and what only one does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.php.system import BARE, PhpSystem
from fixtures.concurrency.systems import Scenario
from validations.races.blade import symptoms
from validations.races.blade_portfolio import CASES
from validations.races.telling import tell

SAME = (
    "warm-render-against-clear",
    "cold-render-against-clear",
    "cold-render-against-edit",
    "cold-render-against-save",
)
LONGER = ("two-cold-renders", "warm-render-against-cache")

LONG = "x" * 20_000


@pytest.fixture(scope="module", name="wrapper")
def _wrapper(laravel_here: None, world: Callable[[], Path]) -> Iterator[PhpSystem]:  # noqa: ARG001 - skips
    system = PhpSystem(world(), BARE, eye="wrapper")
    yield system
    system.close()


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, id=name) for name in SAME),
        *(pytest.param(name, id=name, marks=pytest.mark.profile("ci")) for name in LONGER),
    ],
)
def test_both_eyes_see_the_same_classes_of_failure(
    name: str, bare: PhpSystem, wrapper: PhpSystem, request: pytest.FixtureRequest
) -> None:
    """The wrapper's schedules are fewer and its steps are others, but what fails is the same."""
    seen = {}
    for system in (bare, wrapper):
        with Explorer(system, symptoms, name="laravel", variant="bare") as explorer:
            exploration = explorer.exhaust(CASES[name].scenario, 2, until=())
        tell(request, [exploration], system=f"laravel-8.83 bare, seen by {system.eye}")
        assert exploration.exhausted
        seen[system.eye] = set(exploration.broken)
    assert seen["wrapper"] == seen["shim"] == set(CASES[name].unmodified)


def test_the_wrapper_finds_the_production_error_and_replays_it(
    wrapper: PhpSystem, request: pytest.FixtureRequest
) -> None:
    """Without a compiler `filemtime(): stat failed` is found, too, shrunk to one preemption."""
    with Explorer(wrapper, symptoms, name="laravel", variant="bare") as explorer:
        exploration = explorer.exhaust(CASES["warm-render-against-clear"].scenario, 2, until={"filemtime"})
    tell(request, [exploration], system="laravel-8.83 bare, seen by wrapper", scenario="filemtime")
    assert exploration.failure is not None
    assert len(exploration.failure.witness.schedule) == 1
    assert "filemtime(): stat failed for compiled/page.php" in exploration.failure.witness.seen


def announced(system: PhpSystem, *operations: tuple[str, list[object]]) -> tuple[list[str], list[object]]:
    """Have PHP call these functions in turn; give the steps that were announced, and what each call gave or said."""
    deed = ("operations", json.dumps(operations))
    with Explorer(system, symptoms) as explorer:
        outcome, _ = explorer.once(Scenario("operations", (("ann", (deed,)),), views=("page",)), ())
    told = next(event.value for event in outcome.history.events if event.op == "operations" and event.kind == "ok")
    return [step.op for step in outcome.run.steps], json.loads(told)


@pytest.mark.parametrize(
    ("operations", "by_shim", "by_wrapper"),
    [
        pytest.param(
            [("file_put_contents", ["@a", "a"]), ("file_exists", ["@a"]), ("filemtime", ["@a"])],
            ["access", "stat"],
            ["stat"],
            id="a-look-that-hides-the-next",
        ),
        pytest.param(
            [("file_put_contents", ["@a", LONG])],
            ["create", "write", "close"],
            ["create", "write", "write", "write", "close"],
            id="a-long-write-in-pieces",
        ),
        pytest.param([("glob", ["@*"])], ["glob"], [], id="glob"),
        pytest.param([("tempnam", ["@", "a"])], ["create", "close"], [], id="tempnam"),
        pytest.param([("symlink", ["@b", "@a"]), ("readlink", ["@a"])], ["symlink", "readlink"], [], id="symlink"),
        pytest.param([("file_put_contents", ["@a", "a"]), ("link", ["@a", "@b"])], ["link"], [], id="link"),
        pytest.param(
            [("file_put_contents", ["@a", "a"]), ("rename", ["@a", "@b"]), ("unlink", ["@b"])],
            ["rename", "unlink"],
            ["rename", "unlink"],
            id="rename-and-unlink-are-the-same",
        ),
    ],
)
def test_where_the_eyes_differ(
    operations: list[tuple[str, list[object]]],
    by_shim: list[str],
    by_wrapper: list[str],
    bare: PhpSystem,
    wrapper: PhpSystem,
) -> None:
    """Each difference that a report's reader has to know of; looks that only resolve a name are left aside."""
    for system, expected in ((bare, by_shim), (wrapper, by_wrapper)):
        steps, _ = announced(system, *operations)
        seen = [step for step in steps if step not in {"start", "lstat", "fstat"}]
        made = ["create", "write", "close"] if operations[0][0] == "file_put_contents" and len(operations) > 1 else []
        assert seen == [*made, *expected]


def test_the_wrapper_speaks_php_s_own_words(bare: PhpSystem, wrapper: PhpSystem) -> None:
    """What cannot be opened or removed is told alike: Laravel's retry goes by the text."""
    operations: list[tuple[str, list[object]]] = [
        ("file_get_contents", ["@none"]),
        ("hash_file", ["sha1", "@none"]),
        ("unlink", ["@none"]),
        ("filemtime", ["@none"]),
        ("rename", ["@none", "@other"]),
    ]
    said = []
    for system in (bare, wrapper):
        _, told = announced(system, *operations)
        said.append([str(word).replace(str(system.compiled), "") for word in told])
    assert said[0] == said[1]
    assert said[0][0] == "file_get_contents(/none): Failed to open stream: No such file or directory"
