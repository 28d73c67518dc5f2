"""The explorer tells versions of Laravel apart by their failures, on patients that do to files what each of them does.

They are Laravel 8.83 with a compiler of ours (`fixtures/laravel/later`), laid out as Composer does; a real tree of any
version is explored by `--laravel-root` in the same way (test_blade_application.py).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.php.discovery import Explorable, explorable
from fixtures.concurrency.php.system import PhpSystem, Subject
from fixtures.concurrency.php.trees import VERSIONS, later
from fixtures.concurrency.scheduler import HarnessError
from validations.races.blade import symptoms
from validations.races.blade_portfolio import CASES
from validations.races.telling import tell

pytestmark = pytest.mark.usefixtures("laravel_here", "shim_here")

RESAVED = "resaved-render-against-clear"
SAME_SECOND = "resaved-and-edited-in-a-second"
COLD = "cold-render-against-clear"
WARM = "warm-render-against-clear"
CACHE = "warm-render-against-cache"
TWO = "two-cold-renders"

PHP_SECONDS = 20.0

FAILS: dict[str, dict[str, set[str]]] = {
    "10.0": {
        WARM: {"filemtime", "require"},
        COLD: {"first-render-miss", "require"},
        TWO: {"blank"},
    },
    "10.24": {
        WARM: {"require"},
        CACHE: {"filemtime", "require", "blank"},
        RESAVED: {"require", "first-render-miss"},
        TWO: {"blank"},
    },
    "12.10": {
        RESAVED: {"hash-file", "require", "first-render-miss"},
        TWO: {"blank"},
    },
    "12.52": {
        COLD: {"rename", "chmod", "first-render-miss", "require"},
        TWO: set(),
        SAME_SECOND: set(),
    },
    "12.54": {
        COLD: {"rename", "first-render-miss", "require"},
        TWO: set(),
        SAME_SECOND: set(),
    },
    "13.15": {
        COLD: {"rename", "first-render-miss", "require"},
        RESAVED: {"hash-file", "filemtime-while-compiling", "touch", "blank", "sticky-blank", "require"},
        SAME_SECOND: {"sticky-stale"},
    },
}
"""What fails in which version, in these scenarios, whatever the schedule: the study's table, found anew."""

SINCE_PHP_8_4 = {RESAVED: {"first-render-miss"}}
"""What a newer PHP adds where a version touches: its touch() forgets what was seen of the file, so the next look shows
that it is gone. Seen with 8.4 and not with 8.2."""


def failures(like: str, php: str) -> dict[str, set[str]]:
    """Give what fails in each scenario of a version under this PHP."""
    told = subprocess.run([php, "-r", "echo PHP_VERSION_ID;"], capture_output=True, check=True, timeout=PHP_SECONDS)
    newer = int(told.stdout) >= 80400
    added = SINCE_PHP_8_4 if newer and like == "13.15" else {}
    return {name: broken | added.get(name, set()) for name, broken in FAILS[like].items()}


def explore(like: str, tmp_path: Path, world: Callable[[], Path], request: pytest.FixtureRequest) -> None:
    """Explore each scenario of a version to the end, and compare what came up."""
    system = PhpSystem(world(), later(tmp_path, like))
    assert found_in(system, like, f"laravel-8.83 like {like}", request) == failures(like, "php")


def found_in(system: PhpSystem, like: str, told: str, request: pytest.FixtureRequest) -> dict[str, set[str]]:
    """Explore each scenario of a version to the end, close the system, and give what failed."""
    found = {}
    try:
        with Explorer(system, symptoms, name="laravel", variant=like, reduction=Independence) as explorer:
            for name in FAILS[like]:
                exploration = explorer.exhaust(CASES[name].scenario, CASES[name].preemptions, until=())
                tell(request, [exploration], system=f"{told}, seen by shim")
                assert exploration.exhausted
                found[name] = set(exploration.broken)
    finally:
        system.close()
    return found


def test_the_newest_version_has_the_failures_that_only_it_has(
    tmp_path: Path, world: Callable[[], Path], request: pytest.FixtureRequest
) -> None:
    """Laravel 13.15's touch: a page blank for good, one stale for good, and three errors that are no older."""
    explore("13.15", tmp_path, world, request)


@pytest.mark.profile("ci")
@pytest.mark.parametrize("like", [pytest.param(like, id=like) for like in VERSIONS if like != "13.15"])
def test_each_version_has_its_own_failures(
    like: str, tmp_path: Path, world: Callable[[], Path], request: pytest.FixtureRequest
) -> None:
    """10.24's guard, 12.10's hash, 12.52's atomic write and 12.54's silent chmod() each take and bring failures."""
    explore(like, tmp_path, world, request)


def test_views_that_render_by_themselves_are_found(tmp_path: Path, world: Callable[[], Path]) -> None:
    """Of an application nobody knows, a simple view and one of several parts are chosen; one that needs data is not."""
    subject = later(tmp_path, "13.15")
    (subject.root / "resources/views/a.blade.php").write_text("{{ $nobody }}", encoding="utf-8")
    system = PhpSystem(world(), subject)
    try:
        assert explorable(system) == Explorable("page", "card")
        with pytest.raises(HarnessError, match=r"a does not render by itself: .*[Uu]ndefined variable"):
            explorable(system, ["a"])
    finally:
        system.close()


def test_a_tree_that_is_no_laravel_is_told_of(tmp_path: Path, world: Callable[[], Path]) -> None:
    """A tree without a framework is an error of its own, which says what is missing."""
    (tmp_path / "resources/views").mkdir(parents=True)
    system = PhpSystem(world(), Subject("none", tmp_path))
    try:
        with pytest.raises(HarnessError, match=r"has neither vendor/autoload.php nor bootstrap/autoload.php"):
            system.version()
    finally:
        system.close()
