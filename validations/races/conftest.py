"""What the race tests share: a Redis of their own, and the gateway in a folder in memory."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.cores import on_core, own_core
from fixtures.concurrency.explorer import Exploration, Explorer
from fixtures.concurrency.gateway import GatewaySystem, independence
from fixtures.concurrency.php import shim
from fixtures.concurrency.php.system import BARE, STAGE, PhpSystem, Subject
from fixtures.concurrency.php.trees import literal
from fixtures.environments import redis_server
from fixtures.environments.processes import end
from fixtures.options import lack
from validations.races.invariants import broken_in
from validations.races.states import STATES

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, used through mkdtemp


@pytest.fixture(scope="session", name="core")
def _core() -> int | None:
    return own_core()


@pytest.fixture(scope="session", name="redis_url")
def _redis_url(tmp_path_factory: pytest.TempPathFactory, core: int | None) -> Iterator[str]:
    with on_core(core):
        server = redis_server.start(tmp_path_factory.mktemp("redis"))
    yield server.local_url
    end(server.process)


@pytest.fixture(scope="session", name="system")
def _system(redis_url: str) -> Iterator[GatewaySystem]:
    folder = Path(tempfile.mkdtemp(prefix="viewgate-races-", dir=MEMORY if MEMORY.is_dir() else None))
    system = GatewaySystem(folder, redis_url)
    yield system
    system.close()
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _beside_redis(request: pytest.FixtureRequest) -> Iterator[None]:
    """Explore on the core that Redis has."""
    with on_core(request.getfixturevalue("core")) if "system" in request.fixturenames else contextlib.nullcontext():
        yield


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


@pytest.fixture(scope="session", name="shim_here")
def _shim_here(pytestconfig: pytest.Config) -> None:
    """Skip where the shim cannot be compiled."""
    try:
        shim.library()
    except shim.NoCompiler as error:
        lack(pytestconfig, "cc", str(error))


@pytest.fixture(scope="session", name="world")
def _world() -> Iterator[Callable[[], Path]]:
    """Give fresh folders, in memory where there is such a thing."""
    made: list[Path] = []

    def fresh() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="viewgate-races-", dir=MEMORY if MEMORY.is_dir() else None)))
        return made[-1]

    yield fresh
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="module", name="bare")
def _bare(laravel_here: None, shim_here: None, world: Callable[[], Path]) -> Iterator[PhpSystem]:  # noqa: ARG001
    system = PhpSystem(world(), BARE)
    yield system
    system.close()


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
    root: Path = pytestconfig.option.laravel_root.resolve()
    system = PhpSystem(world(), Subject(root.name, root, pytestconfig.option.laravel_service), redis_url=redis_url)
    yield system
    system.close()
