"""A toy race: two render a view that a third clears, and read it back from where they have published it.

The same code runs under whatever explores it: its files and its store are ports. Who has published and then finds
nothing to read has met the race (the shape of laravel/framework's first render: compile, publish, cleared, require).
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.gateway import AnnouncedModel, AnnouncedReal
from fixtures.concurrency.history import History
from fixtures.concurrency.models import StoreModel
from fixtures.concurrency.ports import AnnouncedFiles, AnnouncedRedis, Times, VirtualClock, Weather, client_of
from fixtures.concurrency.scheduler import Actor, Run, Scheduler
from fixtures.concurrency.schedules import Shard
from fixtures.concurrency.systems import Scenario
from fixtures.environments import redis_server
from fixtures.gateway.locks.redis_locks import RELEASE, RENEW
from fixtures.gateway.system.ports import Files, OsFiles, read_bytes, write_bytes
from fixtures.processes import end
from validations.races.invariants import Broken

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, used through mkdtemp
ACTORS = ("ann", "bob", "cle")
LOCK = "toy:lock:view"
STEPS = 12
MODEL, REAL = "model", "redis"
"""Which store an exploration in a process of its own has."""


def render(files: Files, root: str, name: str, store: redis.Redis | None) -> bool:
    """Compile a view that is not there, and read it back; whether the race was met.

    Twelve steps with a store, three of them commands, and two more where the view is found again.
    """
    if store is not None:
        store.set(LOCK, name, nx=True, px=30_000)
    with contextlib.suppress(FileNotFoundError):
        files.stat(f"{root}/compiled")
    source = read_bytes(files, f"{root}/source")
    write_bytes(files, f"{root}/.tmp-{name}", source)
    if store is not None:
        store.eval(RENEW, 1, LOCK, name, 30_000)
    files.rename(f"{root}/.tmp-{name}", f"{root}/compiled")
    if store is not None:
        store.eval(RELEASE, 1, LOCK, name)
    try:
        read_bytes(files, f"{root}/compiled")
    except FileNotFoundError:
        return True
    return False


def clear(files: Files, root: str, place: int, name: str, store: redis.Redis | None) -> None:
    """Look about for twelve steps, but at one of them, counted from 0, remove what is compiled.

    With a store three of the others are commands.
    """
    for step in range(STEPS):
        if step == place:
            with contextlib.suppress(FileNotFoundError):
                files.unlink(f"{root}/compiled")
        elif store is not None and step == 1:
            store.set(LOCK, name, nx=True, px=30_000)
        elif store is not None and step == STEPS // 2:
            store.eval(RENEW, 1, LOCK, name, 30_000)
        elif store is not None and step == STEPS - 2:
            store.eval(RELEASE, 1, LOCK, name)
        else:
            files.listdir(root)


def lay_out() -> str:
    """Make a world of its own."""
    root = tempfile.mkdtemp(prefix="viewgate-toy-", dir=MEMORY if MEMORY.is_dir() else None)
    Path(root, "source").write_bytes(b"<p>page</p>")
    return root


def bring_back(root: str) -> None:
    """Bring the world's first state back."""
    for name in os.listdir(root):  # noqa: PTH208
        if name != "source":
            os.unlink(f"{root}/{name}")  # noqa: PTH108


# --- under our explorer


class Toy:
    """The toy as a system. store: a Redis' URL, MODEL, or "" for none. place: at which step it is cleared."""

    def __init__(self, store: str = "", place: int = STEPS - 1) -> None:
        self._place = place
        self.root = lay_out()
        self._clients = [self._connected(store) for _ in ACTORS] if store else []
        self._met: list[str] = []

    def close(self) -> None:
        """Remove the world."""
        for client in self._clients:
            client.close()
        shutil.rmtree(self.root)

    def prepare(self, scenario: Scenario) -> None:
        """There is but one."""

    def begin(self, scheduler: Scheduler) -> Sequence[tuple[str, Callable[[Actor], None]]]:  # noqa: ARG002
        """Bring the first state back; give the actors."""
        bring_back(self.root)
        self._met, times, weather = [], Times(), Weather()

        def body(actor: Actor) -> None:
            files = AnnouncedFiles(actor, self.root, times, VirtualClock(actor, [0]), lambda *_: [])
            store = None
            if self._clients:
                store = self._clients[actor.number]
                store.actor, store.weather = actor, weather
            if actor.name == "cle":
                clear(files, self.root, self._place, actor.name, store)
            elif render(files, self.root, actor.name, store):
                self._met.append(actor.name)

        return [(name, body) for name in ACTORS]

    def conclude(self, run: Run) -> History:
        """Tell who met the race."""
        return History(tuple(run.events), facts={"met": self._met})

    def _connected(self, store: str) -> AnnouncedRedis:
        if store != MODEL:
            return client_of(AnnouncedReal, store, single_connection_client=True)
        client = AnnouncedModel()
        client.model = StoreModel()
        return client


SCENARIO = Scenario("toy", tuple((name, ()) for name in ACTORS))


def met(history: History) -> list[Broken]:
    """Judge: whoever has published finds it."""
    return [Broken("I2", f"{name} published a view and found none", 0) for name in history.facts["met"]]


def explored(store: str, *, preemptions: int, shard: Shard) -> tuple[int, float]:
    """Exhaust this share of the space; how many schedules it was, and in how many seconds."""
    toy = Toy(store)
    try:
        with Explorer(toy, met, shard=shard) as explorer:
            found = explorer.exhaust(SCENARIO, preemptions, until=())
    finally:
        toy.close()
    return found.schedules, found.seconds


def drawn(runs: int, seed: int, place: int) -> tuple[int, float, bool]:
    """Draw schedules until the race is met: how many, in how many seconds, and whether it was."""
    toy = Toy(place=place)
    try:
        with Explorer(toy, met) as explorer:
            found = explorer.draw(SCENARIO, runs, depth=2, seed=seed)
    finally:
        toy.close()
    return found.schedules if found.failure is None else found.failure.found_after, found.seconds, bool(found.failure)


# --- as everybody does it: threads that sleep for some moments


class _Sleepy(OsFiles):
    """The real file system, with a random pause before each call."""

    def __init__(self, draw: random.Random) -> None:
        def paused(call: Callable[..., Any]) -> Callable[..., Any]:
            def late(*args: Any, **kwargs: Any) -> Any:
                time.sleep(draw.random() / 1000)
                return call(*args, **kwargs)

            return late

        for name in ("stat", "open", "read", "write", "close", "rename", "unlink", "listdir"):
            setattr(self, name, paused(getattr(super(), name)))


def slept(runs: int, seed: int, place: int) -> tuple[int, float, bool]:
    """Let threads race, with sleeps: how many times until the race is met, in how many seconds, and whether it was."""
    root = lay_out()
    began = time.perf_counter()
    try:
        for number in range(1, runs + 1):
            bring_back(root)
            race: list[bool] = []

            def visit(port: Files, name: str, race: list[bool] = race) -> None:
                race.append(render(port, root, name, None))

            files = [_Sleepy(random.Random(f"{seed} {number} {name}")) for name in ACTORS]  # noqa: S311 - pauses
            threads = [
                threading.Thread(target=visit, args=(port, name))
                for port, name in zip(files[:2], ACTORS[:2], strict=True)
            ]
            threads.append(threading.Thread(target=clear, args=(files[2], root, place, "cle", None)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if any(race):
                return number, time.perf_counter() - began, True
        return runs, time.perf_counter() - began, False
    finally:
        shutil.rmtree(root)


def main() -> None:
    """Exhaust a share in a process of its own, pinned to one core: `toy CORE STORE PREEMPTIONS I N`.

    A real Redis is its own, too, on the same core: while the one works the other waits.
    """
    core, store, preemptions, number, of = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    shard = Shard(int(number), int(of))
    if store == MODEL:
        schedules, seconds = explored(store, preemptions=int(preemptions), shard=shard)
    else:
        with tempfile.TemporaryDirectory(prefix="viewgate-toy-") as folder:
            server = redis_server.start(Path(folder))
            try:
                schedules, seconds = explored(server.local_url, preemptions=int(preemptions), shard=shard)
            finally:
                end(server.process)
    sys.stdout.write(f"{schedules} {seconds}\n")


if __name__ == "__main__":
    main()
