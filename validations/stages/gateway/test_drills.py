"""Drills: what disk, store and SIGKILL can do to a running gateway, and that it serves and heals all the same."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import psutil  # type: ignore[import-untyped]
import pytest
import redis as redis_lib

from fixtures.environments import redis_server
from fixtures.processes import end, wait_until
from fixtures.profiles import Profile
from validations.stages.gateway.served import Served, is_complete, kill_and_replace, reborn, serving

VIEWS = 120
SECONDS = 60
# How long the longest of the killed commands takes here, about: moments are drawn from it.
LONGEST_SECONDS = {"view:cache": 0.8, "deploy": 2.0}


@pytest.fixture(scope="module", name="served")
def _served() -> Iterator[Served]:
    with serving(VIEWS) as served:
        # A killed holder blocks nobody longer than the TTL: short, so that many can be killed, and yet longer than a
        # busy machine keeps a process from renewing its lock.
        with (served.app / "shared" / ".env").open("a") as settings:
            settings.write("VIEW_LOCK_TTL_SECONDS=2\n")
        yield served


def assert_healed(served: Served) -> None:
    """One run of the scheduled health check is enough; then all is there, and nothing else. The log may tell of it."""
    served.health("--fix")
    told = served.health()
    assert [check for check in told["checks"] if not check["ok"] and check["name"] != "recent-errors"] == []
    assert told["metrics"]["compiled_views"] == VIEWS
    assert served.residue() == []
    assert is_complete(served.page())


@contextlib.contextmanager
def deleted(served: Served) -> Iterator[None]:
    """The views directory is gone."""
    shutil.rmtree(served.compiled)
    yield


@contextlib.contextmanager
def unlinked(served: Served) -> Iterator[None]:
    """The pointer to the generation is gone."""
    (served.compiled / "current").unlink()
    yield


@contextlib.contextmanager
def emptied(served: Served) -> Iterator[None]:
    """Every compiled file has no bytes."""
    for file in served.compiled.glob("current/*.view"):
        os.truncate(file, 0)
    yield


@contextlib.contextmanager
def truncated(served: Served) -> Iterator[None]:
    """Every file is cut somewhere, the manifest too."""
    draw = random.Random(served.release)  # noqa: S311 - no secret
    for file in served.compiled.glob("current/*"):
        os.truncate(file, draw.randrange(file.stat().st_size))
    yield


@contextlib.contextmanager
def closed(served: Served) -> Iterator[None]:
    """No directory of the cache may be written."""
    for folder in [served.compiled, *(path for path in served.compiled.rglob("*") if path.is_dir())]:
        if not folder.is_symlink():
            folder.chmod(0o555)
    yield


@contextlib.contextmanager
def mounted(served: Served, *options: str) -> Iterator[None]:
    """Another file system lies over the views directory."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    place = str(served.compiled)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place], check=True, timeout=SECONDS)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True, timeout=SECONDS)


def full(served: Served) -> AbstractContextManager[None]:
    """The disk under the views has 64 KiB, and is full soon."""
    return mounted(served, "-o", f"size=64k,uid={served.compiled.stat().st_uid}")


def read_only(served: Served) -> AbstractContextManager[None]:
    """The views directory is a read-only mount."""
    return mounted(served, "-o", "ro")


@contextlib.contextmanager
def stopped(served: Served) -> Iterator[None]:
    """Redis hangs: it takes connections, and answers nobody."""
    assert served.stage.redis is not None
    served.stage.redis.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        served.stage.redis.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def restarted(served: Served) -> Iterator[None]:
    """Redis is gone, and comes back with nothing."""
    before = served.stage.redis
    assert before is not None
    before.process.kill()
    end(before.process)
    try:
        yield
    finally:
        folder = served.app.parent / "redis"
        served.stage.redis = redis_server.start(folder, port=before.port, password=before.password)


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(deleted, id="directory-deleted"),
        pytest.param(unlinked, id="pointer-deleted", marks=pytest.mark.profile("ci")),
        pytest.param(emptied, id="every-file-empty", marks=pytest.mark.profile("ci")),
        pytest.param(truncated, id="every-file-truncated"),
        pytest.param(closed, id="directories-read-only", marks=pytest.mark.profile("ci")),
        pytest.param(read_only, id="read-only-mount", marks=pytest.mark.profile("ci")),
        pytest.param(full, id="disk-full"),
        pytest.param(stopped, id="redis-stopped"),
        pytest.param(restarted, id="redis-restarted", marks=pytest.mark.profile("ci")),
    ],
)
def test_pages_are_whole_while_it_lasts_and_all_is_healed_after(
    served: Served, happens: Callable[[Served], AbstractContextManager[None]]
) -> None:
    """The workers that meet it serve on, those that boot on it serve 100 whole pages, and one health check heals."""
    assert served.artisan("view:cache").returncode == 0
    with happens(served):
        assert is_complete(served.page())
        reborn(served)
        with httpx.Client(headers=served.headers, timeout=SECONDS) as visitor:
            assert [number for number in range(100) if not is_complete(visitor.get(served.page_url))] == []
    assert_healed(served)


@pytest.mark.parametrize("command", LONGEST_SECONDS)
def test_a_killed_command_leaves_whole_pages_and_can_be_run_again(
    served: Served, profile: Profile, command: str
) -> None:
    """SIGKILL at drawn moments (200 in soak): the release before or the new one is served whole, nothing is left."""
    draw = random.Random(command)  # noqa: S311 - no secret
    for number in range(profile.choose(gate=3, ci=12, soak=70)):
        process = served.start(command)
        moment = draw.uniform(0, LONGEST_SECONDS[command])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        forked = _descendants(process.pid)
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(forked, timeout=SECONDS)
        assert alive == [], "what a killed command had forked goes on"
        answer = served.page()
        assert is_complete(answer), f"kill {number} after {moment:.3f} s"
    assert served.artisan(command).returncode == 0
    assert served.page().headers["x-release"] == served.release
    assert_healed(served)


def test_killed_workers_lose_no_more_than_the_requests_they_held(served: Served, profile: Profile) -> None:
    """SIGKILL of workers at drawn moments: whoever gets an answer gets the whole page, and two workers serve after."""
    draw = random.Random("workers")  # noqa: S311 - no secret
    over = threading.Event()
    answers: list[bool] = []
    cut: list[str] = []

    def visit() -> None:
        while not over.is_set():
            try:
                answers.append(is_complete(httpx.get(served.page_url, headers=served.headers, timeout=SECONDS)))
            except httpx.TransportError as error:  # its worker was killed under it
                cut.append(repr(error))

    def wait_for_answers(number: int) -> None:
        wait_until(lambda: len(answers) >= number, awaited="some more answers", seconds=SECONDS)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    kills = profile.choose(gate=3, ci=10, soak=60)
    try:
        for _ in range(kills):
            wait_for_answers(len(answers) + draw.randrange(1, 8))
            kill_and_replace(served, draw.choice(sorted(served.workers())))
    finally:
        over.set()
        for visitor in visitors:
            visitor.join(SECONDS)
    assert answers.count(False) == 0
    assert len(cut) <= kills * len(visitors)
    assert len(served.workers()) == 2
    assert_healed(served)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def test_a_flushed_store_costs_a_rebuild_its_lock_and_nothing_else(served: Served) -> None:
    """FLUSHALL while a rebuild holds its lock: no page is lost, and whatever it says, the cache is whole after it."""
    with redis_client(served) as client:
        rebuild = served.start("view:cache")
        wait_until(
            lambda: bool(client.keys("*rebuild*")) or rebuild.poll() is not None,
            awaited="the rebuild's lock",
            seconds=SECONDS,
        )
        client.flushall()
        assert is_complete(served.page())
        rebuild.wait(SECONDS)
    assert_healed(served)


@contextlib.contextmanager
def redis_client(served: Served) -> Iterator[redis_lib.Redis]:
    """Connect to the stage's Redis."""
    assert served.stage.redis is not None
    client = redis_lib.Redis.from_url(served.stage.redis.url)
    try:
        yield client
    finally:
        client.close()
