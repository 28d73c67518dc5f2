"""The models of files and of Redis against the real ones: both are driven side by side, and must say the same."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fixtures.concurrency.explorer import told
from fixtures.concurrency.gateway import GatewaySystem
from fixtures.concurrency.models import FilesModel, ModelRedis, StoreModel, Unmodelled, walk
from fixtures.concurrency.ports import client_of
from fixtures.concurrency.scheduler import Scheduler
from fixtures.concurrency.schedules import Decision, Schedule, Sparse, exhaust
from fixtures.concurrency.systems import Deed, Scenario, carry_out
from fixtures.gateway.locks.redis_locks import RELEASE, RENEW
from fixtures.gateway.system.ports import OsFiles
from fixtures.processes import wait_until
from fixtures.profiles import Profile
from validations.races.explored_systems import MEMORY

ROOT = "/world"

NAMES = st.sampled_from(("a", "b", "c"))
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FLAGS = st.sampled_from(
    (
        os.O_RDONLY,
        os.O_RDONLY | os.O_NONBLOCK,
        os.O_WRONLY,
        os.O_WRONLY | os.O_TRUNC,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL,
        os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        os.O_RDWR | os.O_CREAT,
    )
)
BYTES = st.binary(max_size=6)
LONG_MS = 3_600_000

RENDER: tuple[Deed, ...] = (("render", "page.html"),)
REBUILD: tuple[Deed, ...] = (("rebuild", ""),)


def outcome(call: Callable[..., Any], *args: Any) -> tuple[str, Any]:
    """Give what a call returns, or which error it raises."""
    try:
        return "gave", call(*args)
    except OSError as error:
        return "raised", error.errno
    except redis.RedisError as error:
        return "raised", type(error)


class FilesMachine(RuleBasedStateMachine):
    """Does the same to both file systems."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="viewgate-models-", dir=MEMORY if MEMORY.is_dir() else None)
        self.umask = os.umask(0o022)
        self.real = OsFiles()
        self.model = FilesModel()
        self.model.mkdir(ROOT)
        self.opened: list[tuple[int, int]] = []

    def teardown(self) -> None:
        """Give everything back."""
        for descriptor, _ in self.opened:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        shutil.rmtree(self.folder)
        os.umask(self.umask)

    def both(self, name: str, *args: Any, paths: int = 1) -> tuple[str, Any]:
        """Call both, the first so many arguments being paths; they must agree."""
        real = outcome(getattr(self.real, name), *(f"{self.folder}/{path}" for path in args[:paths]), *args[paths:])
        model = outcome(getattr(self.model, name), *(f"{ROOT}/{path}" for path in args[:paths]), *args[paths:])
        if name == "listdir" and real[0] == model[0] == "gave":
            assert sorted(real[1]) == sorted(model[1])
        elif name == "open" and real[0] == model[0] == "gave":
            self.opened.append((real[1], model[1]))
        elif name != "stat" or real[0] == "raised":
            assert model == real, f"{name}{args}: the model {model}, the kernel {real}"
        return real

    @rule(path=PATHS, flags=FLAGS, mode=st.sampled_from((0o644, 0o600, 0o755)))
    def open(self, path: str, flags: int, mode: int) -> None:
        """Open."""
        self.both("open", path, flags, mode)

    @rule(number=st.integers(0, 9), op=st.sampled_from(("read", "write", "close", "try_lock")), data=BYTES)
    def use(self, number: int, op: str, data: bytes) -> None:
        """Read, write, close or lock what was opened, open still or not."""
        if not self.opened:
            return
        place = number % len(self.opened)
        arguments = {"read": (4,), "write": (data,)}.get(op, ())
        real, model = (
            outcome(getattr(files, op), descriptor, *arguments)
            for files, descriptor in zip((self.real, self.model), self.opened[place], strict=True)
        )
        assert model == real, f"{op}{arguments}: the model {model}, the kernel {real}"
        if op == "close":
            # The kernel gives a number again, the model does not.
            del self.opened[place]

    @rule(path=PATHS, to=PATHS)
    def rename(self, path: str, to: str) -> None:
        """Rename."""
        self.both("rename", path, to, paths=2)

    @rule(path=PATHS, to=PATHS)
    def symlink(self, path: str, to: str) -> None:
        """Make a link, which may lead nowhere or to itself."""
        real = outcome(self.real.symlink, to, f"{self.folder}/{path}")
        assert outcome(self.model.symlink, to, f"{ROOT}/{path}") == real

    @rule(path=PATHS, op=st.sampled_from(("mkdir", "rmdir", "unlink", "readlink", "listdir", "stat")))
    def call(self, path: str, op: str) -> None:
        """Do one thing to one path."""
        self.both(op, path)

    @rule(path=PATHS)
    def list_with_a_slash(self, path: str) -> None:
        """List a folder as the gateway names it."""
        self.both("listdir", f"{path}/")

    @rule(path=PATHS, mode=st.sampled_from((0o700, 0o755, 0o777)))
    def chmod(self, path: str, mode: int) -> None:
        """Set a mode that keeps nobody out."""
        self.both("chmod", path, mode)

    @invariant()
    def both_hold_the_same(self) -> None:
        """Every path, what it is and holds, and which paths are one and the same file."""
        real = dict(self._seen(self.folder, sorted(str(path) for path in Path(self.folder).rglob("*"))))
        model = dict(self._seen(ROOT, sorted(walk(self.model, ROOT))))
        assert {path: seen[:-1] for path, seen in model.items()} == {path: seen[:-1] for path, seen in real.items()}
        pairs = {(model[path][-1], real[path][-1]) for path in real}
        assert len(pairs) == len({first for first, _ in pairs}) == len({second for _, second in pairs})

    def _seen(self, root: str, paths: list[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        for path in paths:
            found = os.lstat(path) if root == self.folder else self.model.lstat(path)
            files: Any = self.real if root == self.folder else self.model
            held: Any = None
            if stat.S_ISLNK(found.st_mode):
                held = files.readlink(path)
            elif stat.S_ISREG(found.st_mode):
                descriptor = files.open(path, os.O_RDONLY)
                held = files.read(descriptor, 1 << 16), found.st_size
                files.close(descriptor)
            followed = outcome(lambda path=path, files=files: stat.S_IFMT(files.stat(path).st_mode))
            yield path.removeprefix(root), (found.st_mode, held, followed, found.st_ino)


class StoreMachine(RuleBasedStateMachine):
    """Does the same to both stores, with the same client library."""

    url: ClassVar[str]
    keys = st.sampled_from(("k", "p:lock:view:a", "p:lock:view:b", "p:fence:view-cache"))
    values = st.sampled_from(("ann", "bob", "7", "-3", ""))

    def __init__(self) -> None:
        super().__init__()
        self.real = client_of(redis.Redis, self.url)
        self.moment = 0.0
        self.model = ModelRedis()
        self.model.model = StoreModel(lambda: self.moment)

    @initialize()
    def begin(self) -> None:
        """Begin with nothing."""
        self.real.flushdb()

    def teardown(self) -> None:
        """Hang up."""
        self.real.close()

    def both(self, name: str, *args: Any, **options: Any) -> Any:
        """Ask both; they must agree."""
        real, model = (
            outcome(lambda store=store: getattr(store, name)(*args, **options)) for store in (self.real, self.model)
        )
        assert model == real, f"{name}{args}{options}: the model {model}, Redis {real}"
        return real[1]

    @rule(key=keys, value=values, nx=st.booleans(), px=st.sampled_from((None, LONG_MS)))
    def set(self, key: str, value: str, nx: bool, px: int | None) -> None:  # noqa: FBT001
        """Set, or take a lock."""
        self.both("set", key, value, nx=nx, px=px)

    @rule(script=st.sampled_from((RELEASE, RENEW)), key=keys, value=values)
    def script(self, script: str, key: str, value: str) -> None:
        """Give a lock back, or renew it."""
        self.both("eval", script, 1, key, value, *((LONG_MS,) if script == RENEW else ()))

    @rule(key=keys, amount=st.integers(-3, 9))
    def incrby(self, key: str, amount: int) -> None:
        """Count on."""
        self.both("incrby", key, amount)

    @rule(key=keys, name=st.sampled_from(("get", "exists", "delete", "incr")))
    def ask(self, key: str, name: str) -> None:
        """Do one thing to one key."""
        self.both(name, key)

    @rule(key=keys, milliseconds=st.sampled_from((-1, 0, LONG_MS)))
    def pexpire(self, key: str, milliseconds: int) -> None:
        """Set a key's end, which may have passed."""
        self.both("pexpire", key, milliseconds)

    @rule(pattern=st.sampled_from(("*", "*:lock:*", "p:fence:*", "k")))
    def find(self, pattern: str) -> None:
        """List keys, in no order."""
        real, model = self.real.keys(pattern), self.model.keys(pattern)
        assert sorted(model) == sorted(real)

    @rule(key=keys, value=values, nx=st.booleans())
    def let_a_ttl_pass(self, key: str, value: str, nx: bool) -> None:  # noqa: FBT001
        """Set a key that ends soon, and wait until it has."""
        if self.both("set", key, value, nx=nx, px=1):
            self.moment += 0.002
            wait_until(lambda: self.real.pttl(key) == -2, awaited="the end of a TTL", seconds=10, every=0.001)

    @rule()
    def flush(self) -> None:
        """Forget all."""
        self.both("flushdb")

    @invariant()
    def both_hold_the_same(self) -> None:
        """Every key, its value, and whether it ends: a long TTL has hardly begun to run."""
        real, model = (
            {key: (store.get(key), _kind_of_ttl(store.pttl(key))) for key in store.keys("*")}
            for store in (self.real, self.model)
        )
        assert model == real


def store_machine(url: str) -> type[RuleBasedStateMachine]:
    """Give the machine for this Redis."""
    return type("StoreMachine", (StoreMachine,), {"url": url})


def _kind_of_ttl(milliseconds: Any) -> int:
    return min(int(milliseconds), 0) if int(milliseconds) < 0 else round(int(milliseconds) / LONG_MS)


def drive(machine: type[RuleBasedStateMachine], examples: int, *, shrink: bool = True) -> None:
    """Draw so many sequences of what is done."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=30,
            deadline=None,
            phases=[phase for phase in Phase if shrink or phase is Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_model_of_files_is_the_kernels_equal(profile: Profile) -> None:
    """Whatever is done to both, each call gives the same or fails alike, and both trees stay the same."""
    drive(FilesMachine, profile.choose(gate=40, ci=150, soak=20_000))


def test_the_model_of_redis_is_redis_equal(redis_url: str, profile: Profile) -> None:
    """Whatever is asked of both, each command gives the same or fails alike, and both hold the same keys."""
    drive(store_machine(redis_url), profile.choose(gate=40, ci=150, soak=20_000))


@pytest.mark.parametrize(
    ("change", "machine"),
    [
        pytest.param("a rename that leaves its target", "files", id="rename"),
        pytest.param("a removal by name that forgets whose it is", "store", id="release"),
    ],
)
def test_a_model_that_errs_is_found(monkeypatch: pytest.MonkeyPatch, redis_url: str, change: str, machine: str) -> None:
    """The comparison is not blind: a model with one defect in it does not pass."""
    del change
    if machine == "files":
        monkeypatch.setattr(FilesModel, "rename", lambda *_: None)
    else:
        keep = StoreModel._eval  # noqa: SLF001

        def forgetful(self: StoreModel, script: Any, keys: Any, key: Any, *arguments: Any) -> int:
            return self._delete(key) if script == RELEASE else keep(self, script, keys, key, *arguments)

        monkeypatch.setattr(StoreModel, "_eval", forgetful)
    with pytest.raises((AssertionError, BaseExceptionGroup)):
        # It ends at the first that fails; so many are there for the luckless draw.
        drive(FilesMachine if machine == "files" else store_machine(redis_url), 5000, shrink=False)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(("EVAL", "return 1", 1, "k"), id="script"),
        pytest.param(("LPUSH", "k", "v"), id="command"),
        pytest.param(("SET", "k", "v", "EX", "1"), id="option"),
    ],
)
def test_the_model_of_redis_says_what_it_does_not_know(asked: tuple[Any, ...]) -> None:
    """What the gateway never asks is refused by name, and never guessed."""
    with pytest.raises(Unmodelled, match="knows no"):
        StoreModel().execute(*asked)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda files: files.open("/f", os.O_WRONLY | os.O_APPEND | os.O_CREAT), id="flags"),
        pytest.param(lambda files: files.stat("/a/../b"), id="dots"),
    ],
)
def test_the_model_of_files_says_what_it_does_not_know(ask: Callable[[FilesModel], object]) -> None:
    """What the gateway never does is refused by name, and never guessed."""
    with pytest.raises(Unmodelled, match="knows no"):
        ask(FilesModel())


@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param(Scenario("two-cold-renders", (("ann", RENDER), ("bob", RENDER))), id="renders"),
        pytest.param(Scenario("two-rebuilds", (("ann", REBUILD), ("bob", REBUILD)), begin="warm"), id="rebuilds"),
        pytest.param(
            Scenario("expiring", (("ann", RENDER), ("bob", RENDER), ("time", (("expire", ""),)))), id="expiring-lock"
        ),
        pytest.param(
            Scenario("killed", (("ann", REBUILD), ("bob", REBUILD), ("killer", (("kill", "ann"),)))), id="killed-holder"
        ),
        pytest.param(
            Scenario("unheard", (("ann", RENDER), ("bob", RENDER), ("net", (("lose-reply", "ann"),)))), id="lost-reply"
        ),
    ],
)
def test_a_schedule_tells_the_same_on_the_model_as_on_a_real_redis(
    system: GatewaySystem, tmp_path: Path, profile: Profile, scenario: Scenario
) -> None:
    """Schedules of one preemption (of two in ci) take the same steps, and make the same history, on both."""
    modelled = GatewaySystem(tmp_path, None)
    seen = 0
    system.prepare(scenario)
    modelled.prepare(scenario)
    try:
        with Scheduler() as scheduler:

            def both(schedule: Schedule) -> Sequence[Decision]:
                nonlocal seen
                real, model = (carry_out(each, scheduler, Sparse(schedule)) for each in (system, modelled))
                assert told(model) == told(real)
                seen += 1
                return real.run.decisions

            space = exhaust(both, profile.choose(gate=1, ci=2, soak=2))
            for _ in itertools.islice(space, profile.choose(gate=60, ci=200, soak=20_000)):
                pass
    finally:
        modelled.close()
    assert seen > 20


def test_a_run_waits_for_a_late_store(redis_url: str) -> None:
    """A client under the scheduler has no deadline in real time (the library's is five seconds): a busy machine has."""
    client = client_of(redis.Redis, redis_url, single_connection_client=True)
    with contextlib.closing(client):
        assert client.ping()
        # What the kernel was told, and not what we asked.
        assert vars(client.connection)["_sock"].gettimeout() is None
