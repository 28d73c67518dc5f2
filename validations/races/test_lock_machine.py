"""The lock alone, against a model: whatever is done to it in whatever order, on a real Redis."""

from __future__ import annotations

import contextlib
import contextvars
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, cast

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fixtures.concurrency.mutants import mutant
from fixtures.concurrency.ports import client_of
from fixtures.gateway.locks.redis_locks import (
    Fenced,
    Lock,
    LockLost,
    LockReentered,
    Locks,
    LockTimeout,
    LockUnavailable,
    NoWatchdog,
)
from fixtures.gateway.views.generations import _admitted
from fixtures.profiles import Profile

PREFIX = "viewgate:lock-machine"
KEY = f"{PREFIX}:lock:view-cache:rebuild"
ACTORS = ("ann", "bob", "cid")

Value = TypeVar("Value")


class Moment:
    """A clock that goes on by its sleeps alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now

    def wall_ns(self) -> int:
        """Nanoseconds."""
        return round(self.now * 1e9)

    def sleep(self, seconds: float) -> None:
        """Go on."""
        self.now += seconds


class Forgetful(redis.Redis):
    """A client that can be made to lose its next reply: the command is carried out all the same."""

    loses = False

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Carry it out."""
        answer = super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        if self.loses:
            self.loses = False
            raise redis.TimeoutError("the reply was lost")
        return answer


@dataclass
class Person:
    """One process: its connection, its locks, what it holds, and the context that remembers it."""

    name: str
    store: Forgetful
    locks: Locks
    context: contextvars.Context
    stack: contextlib.ExitStack | None = None
    lock: Lock | None = None

    def run(self, call: Callable[[], Value]) -> Value:
        """Do something as this process."""
        return self.context.run(call)


class LockMachine(RuleBasedStateMachine):
    """The model: who owns the key in the store, and the highest token that has published."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.store = client_of(redis.Redis, self.url)
        self.people = {name: self._person(name) for name in ACTORS}
        self.owner: str | None = None
        self.published = 0

    def _person(self, name: str) -> Person:
        store = client_of(Forgetful, self.url)
        owners: Iterator[str] = (f"{name}-{number}" for number in range(1_000_000))
        locks = Locks(
            store,
            PREFIX,
            ttl_seconds=3600,
            clock=Moment(),
            watchdog=NoWatchdog(),
            rng=random.Random(0),  # noqa: S311 - jitter
            new_owner=lambda: next(owners),
        )
        return Person(name, store, locks, contextvars.Context())

    @initialize()
    def begin(self) -> None:
        """Begin with nothing."""
        self.store.flushdb()

    def teardown(self) -> None:
        """Hang up."""
        for person in self.people.values():
            if person.stack is not None:
                person.run(person.stack.close)
            person.store.close()
        self.store.close()

    @rule(name=st.sampled_from(ACTORS), loses=st.sampled_from((False, False, True)))
    def enter(self, name: str, loses: bool) -> None:  # noqa: FBT001
        """Take the lock without waiting: it is had if it is free, also where the reply that says so is lost."""
        self._enter(name, loses=loses)

    def _enter(self, name: str, *, loses: bool = False) -> None:
        person = self.people[name]
        person.store.loses = loses
        stack = contextlib.ExitStack()
        before, inside = self.owner, person.stack is not None
        try:
            lock = person.run(
                lambda: stack.enter_context(person.locks.rebuild(wait_seconds=0, floor=lambda: self.published))
            )
        except LockReentered:
            assert inside
        except LockTimeout:
            assert not inside
            assert before is not None
        else:
            assert not inside
            assert before is None
            assert lock.token is not None
            assert lock.token > self.published
            person.stack, person.lock, self.owner = stack, lock, name
        finally:
            person.store.loses = False

    @precondition(lambda self: any(person.stack for person in self.people.values()))
    @rule(data=st.data(), loses=st.sampled_from((False, False, True)), fails=st.booleans())
    def leave(self, data: st.DataObject, loses: bool, fails: bool) -> None:  # noqa: FBT001
        """Give it back, well or by an exception: one's own goes, another's stays, and a loss is told."""
        person = self._somebody_inside(data)
        stack, lock = person.stack, person.lock
        assert stack is not None
        assert lock is not None
        person.store.loses = loses
        if fails:
            with pytest.raises(ZeroDivisionError):
                person.run(lambda: self._fail(stack))
        else:
            person.run(stack.close)
        person.store.loses = False
        mine = self.owner == person.name
        if mine:
            self.owner = None
        assert mine or lock.lost is not None, f"{person.name} lost the lock and was not told"
        person.stack = person.lock = None

    @precondition(lambda self: any(person.stack for person in self.people.values()))
    @rule(data=st.data())
    def publish(self, data: st.DataObject) -> None:
        """Publish under the lock: only its owner may, and only with a token above all that have published."""
        person = self._somebody_inside(data)
        lock = person.lock
        assert lock is not None
        try:
            person.run(lock.confirm)
            _admitted(lock.token, self.published)
        except Fenced:
            assert lock.token is not None
            assert lock.token <= self.published
        except LockLost:
            assert self.owner != person.name
        else:
            assert self.owner == person.name
            assert lock.token is not None
            assert lock.token > self.published
            self.published = lock.token

    @precondition(lambda self: self.owner is not None)
    @rule(taker=st.sampled_from((None, *ACTORS)))
    def expire(self, taker: str | None) -> None:
        """The TTL runs out, and perhaps another is there at once: much has to meet for that to come up by itself."""
        self.store.pexpire(KEY, 0)
        self.owner = None
        if taker is not None:
            self._enter(taker)

    @rule()
    def flush(self) -> None:
        """The store forgets the lock and the tokens."""
        self.store.flushdb()
        self.owner = None

    @invariant()
    def the_store_holds_what_the_model_says(self) -> None:
        """The key is its owner's or nobody's, and never without a TTL."""
        held = cast("bytes | None", self.store.get(KEY))
        told = None if held is None else held.decode().partition("-")[0]
        assert told == self.owner
        assert held is None or self.store.pttl(KEY) > 0

    def _somebody_inside(self, data: st.DataObject) -> Person:
        inside = [person.name for person in self.people.values() if person.stack is not None]
        return self.people[data.draw(st.sampled_from(inside))]

    @staticmethod
    def _fail(stack: contextlib.ExitStack) -> None:
        with stack:
            raise ZeroDivisionError


def drive(url: str, examples: int, *, shrink: bool = True) -> None:
    """Draw so many orders of what is done."""
    machine = type("LockMachine", (LockMachine,), {"url": url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            database=None,
            derandomize=not shrink,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        ),
    )


def test_the_lock_does_what_its_model_says(redis_url: str, profile: Profile) -> None:
    """Entering, leaving, failing, publishing, expiry, a store that forgets and lost replies: as the model has it."""
    drive(redis_url, profile.choose(gate=60, ci=300, soak=50_000))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, id=name)
        for name in ("release-by-name", "lost-reply-forgotten", "exception-keeps-the-lock", "no-ttl", "loss-is-silent")
    ],
)
def test_a_lock_that_errs_is_found(redis_url: str, name: str) -> None:
    """The machine is not blind: a real bug of locks does not pass it."""
    with mutant(name).applied(), pytest.raises((AssertionError, LockUnavailable)):
        drive(redis_url, 300, shrink=False)
