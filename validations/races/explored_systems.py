"""The systems that are explored, as fixtures: the gateway in a folder in memory, with its own Redis; bare Laravel."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.cores import on_core, own_core
from fixtures.concurrency.gateway import GatewaySystem
from fixtures.concurrency.php import shim
from fixtures.concurrency.php.system import BARE, PhpSystem
from fixtures.environments import redis_server
from fixtures.options import lack
from fixtures.processes import end

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
def _on_own_core(request: pytest.FixtureRequest) -> Iterator[None]:
    """Explore on one core with whoever takes turns with us: Redis, or processes that announce their steps."""
    explores = {"system", "world"} & set(request.fixturenames)
    with on_core(request.getfixturevalue("core")) if explores else contextlib.nullcontext():
        yield


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
