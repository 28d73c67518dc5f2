"""What the race tests share: the explorer of the gateway, and Laravel in each of its forms."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Exploration, Explorer
from fixtures.concurrency.gateway import GatewaySystem, independence
from fixtures.concurrency.php.copies import CannotCopy, copy_of
from fixtures.concurrency.php.system import STAGE, PhpSystem, Subject
from fixtures.concurrency.php.trees import literal
from fixtures.options import lack
from validations.races.explored_systems import _bare, _core, _on_own_core, _redis_url, _shim_here, _system, _world
from validations.races.invariants import broken_in
from validations.races.states import STATES

__all__ = ["_bare", "_core", "_on_own_core", "_redis_url", "_shim_here", "_system", "_world"]


@pytest.fixture(name="explorer")
def _explorer(system: GatewaySystem, pytestconfig: pytest.Config) -> Iterator[Explorer]:
    def watch(exploration: Exploration) -> None:
        pytestconfig.hook.pytest_viewgate_progress(
            config=pytestconfig,
            subject=exploration.scenario.name,
            done=exploration.schedules,
            total=exploration.most,
            unit="schedules",
            states=len(exploration.states),
        )

    shard = pytestconfig.option.shard
    looked_at = pytestconfig.pluginmanager.has_plugin("viewgate-progress")
    with Explorer(
        system,
        broken_in,
        STATES,
        shard=shard,
        reduction=independence,
        watch=watch if looked_at else None,
    ) as explorer:
        yield explorer


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect the tests of applications and versions that are somewhere else where these are named; so the replay."""
    asked = {
        "test_blade_application.py": config.option.laravel_root,
        "test_blade_real.py": config.option.laravels,
        "test_replay.py": config.option.replay,
    }
    return True if asked.get(collection_path.name, "") is None else None


@pytest.fixture(scope="session", name="php_here")
def _php_here(pytestconfig: pytest.Config) -> None:
    """Skip where PHP is missing."""
    if shutil.which("php") is None:
        lack(pytestconfig, "laravel", "no php on PATH")


@pytest.fixture(scope="module", name="stage")
def _stage(
    laravel_here: None,  # noqa: ARG001 - skips
    shim_here: None,  # noqa: ARG001 - skips
    world: Callable[[], Path],
    redis_url: str,
) -> Iterator[PhpSystem]:
    system = PhpSystem(world(), STAGE, redis_url=redis_url)
    yield system
    system.close()


@pytest.fixture(scope="module", name="literal")
def _literal(
    laravel_here: None,  # noqa: ARG001 - skips
    shim_here: None,  # noqa: ARG001 - skips
    world: Callable[[], Path],
    redis_url: str,
) -> Iterator[PhpSystem]:
    system = PhpSystem(world(), literal(world()), redis_url=redis_url)
    yield system
    system.close()


@pytest.fixture(scope="module", name="application")
def _application(
    pytestconfig: pytest.Config,
    php_here: None,  # noqa: ARG001 - skips
    shim_here: None,  # noqa: ARG001 - skips
    world: Callable[[], Path],
    redis_url: str,
) -> Iterator[PhpSystem]:
    if pytestconfig.option.laravel_root is None:
        # Whoever names the file is not kept from it.
        pytest.fail("which application is to be explored? --laravel-root PATH says so", pytrace=False)
    tree = pytestconfig.invocation_params.dir / pytestconfig.option.laravel_root
    with contextlib.ExitStack() as closing:
        reason = ""
        try:
            copy = closing.enter_context(copy_of(tree))
        except CannotCopy as error:
            reason = f"--laravel-root: {error}"
        if reason:
            pytest.fail(reason, pytrace=False)
        subject = Subject(copy.root.name, copy.root, pytestconfig.option.laravel_service, copy=copy)
        system = PhpSystem(world(), subject, redis_url=redis_url)
        closing.callback(system.close)
        yield system
