"""The Redis locks are owned, end by themselves, are told when they are lost, and fence the late."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
import redis

from fixtures.environments import redis_server
from fixtures.gateway.locks.redis_locks import LockLost, LockReentered, Locks, LockTimeout, LockUnavailable, connect
from fixtures.gateway.release import Settings
from fixtures.gateway.system.forking import fork, wait_for
from fixtures.gateway.system.ports import SystemClock
from fixtures.processes import end, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from validations.stages.gateway.conftest import Place


def nothing_published() -> int:
    """Give the highest token of a cache that nobody has published to."""
    return 0


def test_a_held_lock_has_an_owner_and_an_end_and_is_gone_afterwards(place: Place, store: redis.Redis) -> None:
    """While held it is a plain string with a TTL above zero; afterwards there is none."""
    locks = place.locks(ttl_seconds=30)
    with locks.rebuild(wait_seconds=0, floor=nothing_published) as lock:
        assert store.get(lock.key) == lock.owner.encode()
        assert 0 < int(store.pttl(lock.key)) <= 30_000
        assert lock.key == f"{place.prefix}:lock:view-cache:rebuild"
    assert not store.exists(lock.key)
    assert lock.lost is None


def test_who_comes_second_waits_and_is_told(place: Place) -> None:
    """Waiting has a deadline, and the error names what was awaited and the remedy."""
    with (
        place.locks().rebuild(wait_seconds=0, floor=nothing_published),
        pytest.raises(LockTimeout, match=r"held by somebody else for 0\.05 s; it expires by itself, run it again"),
        place.locks().rebuild(wait_seconds=0.05, floor=nothing_published),
    ):
        pytest.fail("two were inside at once")


def test_taking_a_lock_again_inside_it_is_refused_at_once(place: Place) -> None:
    """Re-entrant use would wait for oneself: it is refused clearly, and the lock stays held."""
    locks = place.locks()
    with locks.rebuild(wait_seconds=0, floor=nothing_published) as lock:
        with (
            pytest.raises(LockReentered, match="held by the caller already"),
            locks.rebuild(wait_seconds=60, floor=nothing_published),
        ):
            pytest.fail("it was entered twice")
        lock.confirm()


@pytest.mark.parametrize("taken_by_another", [False, True], ids=["evicted", "taken-by-another"])
def test_a_lost_lock_is_told_and_the_next_ones_is_left_alone(
    place: Place, store: redis.Redis, *, taken_by_another: bool
) -> None:
    """Whoever lost the lock learns it before publishing, and never deletes somebody else's."""
    with place.locks().rebuild(wait_seconds=0, floor=nothing_published) as lock:
        store.delete(lock.key)
        if taken_by_another:
            store.set(lock.key, "another", px=60_000)
        with pytest.raises(LockLost, match="is not ours any more"):
            lock.confirm()
    assert store.get(lock.key) == (b"another" if taken_by_another else None)


def test_the_watchdog_renews_for_as_long_as_the_holder_works(place: Place, store: redis.Redis) -> None:
    """A rebuild that takes longer than the TTL keeps its lock."""
    locks = place.locks(ttl_seconds=0.6)
    with locks.rebuild(wait_seconds=0, floor=nothing_published) as lock:
        store.pexpire(lock.key, 300_000)
        wait_until(lambda: int(store.pttl(lock.key)) <= 600, awaited="a renewal by the watchdog", seconds=10)
        lock.confirm()


def test_a_killed_holder_blocks_nobody_longer_than_the_ttl(place: Place, store: redis.Redis) -> None:
    """After SIGKILL of the holder the next one gets in by itself, with a higher token."""

    def die_inside() -> None:
        with place.locks(ttl_seconds=0.5).rebuild(wait_seconds=0, floor=nothing_published):
            os.kill(os.getpid(), signal.SIGKILL)

    assert wait_for(fork(die_inside)) == -signal.SIGKILL
    assert store.exists(place.locks().key("view-cache:rebuild"))
    with place.locks().rebuild(wait_seconds=20, floor=nothing_published) as lock:
        assert lock.token == 2


def test_tokens_rise_above_what_has_published_after_a_flush(place: Place, store: redis.Redis) -> None:
    """A Redis that forgot the counter does not fence everybody out for ever."""
    with place.locks().rebuild(wait_seconds=0, floor=nothing_published):
        pass
    store.delete(f"{place.prefix}:fence:view-cache")
    with place.locks().rebuild(wait_seconds=0, floor=lambda: 41) as lock:
        assert lock.token == 42


def test_a_lock_whose_reply_was_lost_is_recognised_as_our_own(place: Place, store: redis.Redis) -> None:
    """The command was carried out and only its answer lost: the lock is ours, and is not waited for."""

    class LosesFirstReply:
        """Redis behind a connection that breaks after the first command has been sent."""

        def __init__(self) -> None:
            self.lost = False

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        def set(self, *words: object, **options: object) -> object:
            """Carry the command out, and lose the reply once."""
            done = store.set(*words, **options)  # type: ignore[arg-type]
            if not self.lost:
                self.lost = True
                raise redis.ConnectionError
            return done

    locks = Locks(
        LosesFirstReply(),  # type: ignore[arg-type]
        place.prefix,
        ttl_seconds=30,
        clock=SystemClock(),
    )
    with locks.rebuild(wait_seconds=0, floor=nothing_published) as lock:
        lock.confirm()
    assert not store.exists(lock.key)


def test_a_store_that_is_gone_is_told_and_left_alone_for_a_moment(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With Redis gone nobody waits: the rebuild is told, and so is every view's lock, without asking again."""
    server = redis_server.start(tmp_path / "redis")
    settings = Settings.read(tmp_path / ".env", {"APP_TOKEN": "t", "REDIS_URL": server.url})
    locks = Locks(connect(settings), "gone", ttl_seconds=30, clock=SystemClock())
    with locks.single_flight("view"):
        end(server.process)
    with pytest.raises(LockUnavailable, match="failed a moment ago"), locks.single_flight("view"):
        pytest.fail("there was no lock to take")
    with (
        pytest.raises(LockUnavailable, match="did not answer") as told,
        locks.rebuild(wait_seconds=0, floor=nothing_published),
    ):
        pytest.fail("there was no lock to take")
    said = capfd.readouterr()
    for text in (str(told.value), repr(settings), said.out, said.err):
        assert server.password not in text
