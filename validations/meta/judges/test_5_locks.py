"""Validation 5 sees through file locks, locks for ever, shared owners and stolen locks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import LockStore as SaidStore
from fixtures.observation.facts import Unobserved
from fixtures.observation.locks import LockObservation, LockStore, WatchedRebuild
from reports.records import Verdict
from validations.gate.test_5_locks import LONGEST_TTL_SECONDS, Evidence, judge

PARTS = ("store", "reachable", "eviction", "taken", "expires", "owned")
SAID = SaidStore(store="redis", url="redis://127.0.0.1:6379/0", rebuild_key="k", ttl_seconds=30.0)
STORE = LockStore("7.2", "noeviction", 0)
ALONE = WatchedRebuild(0, ("owner-0001",), (29_000, 30_000), None, "")
ROBBED = WatchedRebuild(1, ("owner-0002",), (30_000,), "intruder-1", "lost its lock")
WATCHED = LockObservation("k", ALONE, ROBBED, "intruder-1")
GOOD = Evidence(SAID, STORE, WATCHED)
READ_ONLY = replace(GOOD, rebuilds=None)
# One that was left alone failed, so there was no other.
FAILED = replace(GOOD, rebuilds=replace(WATCHED, alone=replace(ALONE, exit_code=2, said="boom"), robbed=None))


def said(**changes: Any) -> SaidStore:
    """Return what a good application says, with changes."""
    return SAID.model_copy(update=changes)


def watched(*, alone: dict[str, Any] | None = None, robbed: dict[str, Any] | None = None) -> Evidence:
    """Return good evidence with changes to the two watched rebuilds."""
    seen = replace(WATCHED, alone=replace(ALONE, **(alone or {})), robbed=replace(ROBBED, **(robbed or {})))
    return replace(GOOD, rebuilds=seen)


@pytest.mark.parametrize("evidence", [GOOD, READ_ONLY], ids=["watched", "read-only"])
@pytest.mark.parametrize("part", PARTS)
def test_a_redis_lock_with_owner_and_expiry_passes(evidence: Evidence, part: str) -> None:
    """The brief's lock is green, watched or declared."""
    assert judge(evidence, part).verdict is Verdict.PASS


@pytest.mark.parametrize("part", ["taken", "expires", "owned"])
def test_what_was_not_watched_says_so(part: str) -> None:
    """On a read-only environment the pass says that the effect was not exercised."""
    assert "effect not exercised" in judge(READ_ONLY, part).reason


@pytest.mark.parametrize(
    ("store", "words"),
    [
        pytest.param(said(store="array"), "'array'", id="array"),
        pytest.param(said(store="file", url="file:///tmp/locks"), "'file' (file URL)", id="file"),
        pytest.param(said(store="", url=""), "(no URL)", id="nothing"),
        pytest.param(said(url="/var/locks"), "'redis' (no URL)", id="redis-by-name-only"),
        pytest.param(said(url="memcached://host"), "(memcached URL)", id="another-server"),
    ],
)
def test_locks_outside_of_redis_are_red(store: SaidStore, words: str) -> None:
    """A lock that no other machine sees excludes nobody there."""
    judgement = judge(replace(GOOD, said=store), "store")
    assert judgement.verdict is Verdict.FAIL
    assert words in judgement.reason


@pytest.mark.parametrize("url", ["rediss://h/0", "unix:///run/redis.sock"], ids=["tls", "socket"])
def test_every_way_to_redis_counts(url: str) -> None:
    """TLS and a socket lead to Redis, too."""
    assert judge(replace(GOOD, said=said(url=url)), "store").verdict is Verdict.PASS


def test_a_store_that_could_not_be_asked_for_is_unknown() -> None:
    """Where the application did not answer, its store and its locks' expiry are not known."""
    evidence = replace(READ_ONLY, said=Unobserved("no console"))
    for part in ("store", "expires"):
        judgement = judge(evidence, part)
        assert judgement.verdict is Verdict.UNKNOWN
        assert "no console" in judgement.reason


@pytest.mark.parametrize("part", ["reachable", "eviction"])
def test_a_store_that_nobody_named_is_unknown(part: str) -> None:
    """Where the application did not say which store it takes, none was asked, and none is out of reach."""
    silent = Unobserved("the application does not boot")
    judgement = judge(replace(GOOD, said=silent, store=silent), part)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "the application does not boot" in judgement.reason
    asked = judge(replace(GOOD, said=silent, store=Unobserved("Redis could not be asked: refused")), part)
    assert asked.verdict is Verdict.FAIL


@pytest.mark.parametrize("part", ["reachable", "eviction"])
def test_a_store_that_does_not_answer_is_red(part: str) -> None:
    """A Redis out of reach gives no lock to anybody."""
    judgement = judge(replace(GOOD, store=Unobserved("Redis could not be asked: refused")), part)
    assert judgement.verdict is Verdict.FAIL
    assert "refused" in judgement.reason


@pytest.mark.parametrize(
    "policy",
    ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random", pytest.param("", id="untold")],
)
def test_a_store_that_may_evict_is_red(policy: str) -> None:
    """Any policy but noeviction may drop a lock while it is held, and an untold one may be any."""
    judgement = judge(replace(GOOD, store=replace(STORE, policy=policy)), "eviction")
    assert judgement.verdict is Verdict.FAIL
    assert (policy or "not told") in judgement.reason


@pytest.mark.parametrize("ttl", [0.0, -1.0, LONGEST_TTL_SECONDS + 1.0], ids=["zero", "never", "too-long"])
def test_a_declared_expiry_out_of_bounds_is_red(ttl: float) -> None:
    """A lock that is declared to expire never, at once, or after hours is red."""
    judgement = judge(replace(READ_ONLY, said=said(ttl_seconds=ttl)), "expires")
    assert judgement.verdict is Verdict.FAIL
    assert f"after {ttl:g} s" in judgement.reason


@pytest.mark.parametrize(
    ("part", "evidence", "words"),
    [
        pytest.param("taken", FAILED, "ended with 2: boom", id="failed"),
        pytest.param("taken", watched(alone={"owners": ()}), "no lock was seen", id="never-locked"),
        pytest.param("taken", watched(alone={"value_after": "owner-0001"}), "still held", id="not-given-back"),
        pytest.param("expires", watched(alone={"ttls_ms": (-1,)}), "never expires", id="no-expiry"),
        pytest.param("expires", watched(alone={"ttls_ms": (-1, 30_000)}), "never expires", id="expiry-set-later"),
        pytest.param("expires", watched(robbed={"ttls_ms": (-1,)}), "never expires", id="no-expiry-second-time"),
        pytest.param("expires", watched(alone={"ttls_ms": (0,)}), "is 0 ms", id="expiry-zero"),
        pytest.param("expires", watched(alone={"ttls_ms": (10**9,)}), "after 1000000 s", id="expiry-in-days"),
        pytest.param("owned", watched(robbed={"owners": ("owner-0001",)}), "owner-0001", id="same-owner-twice"),
        pytest.param(
            "owned",
            watched(alone={"owners": ("owner-0001", "owner-0002")}),
            "owner-0001 and owner-0002",
            id="one-of-two-owners-again",
        ),
        pytest.param("owned", watched(alone={"owners": ("1",)}), "took the lock as 1 and", id="guessable-owner"),
        pytest.param("owned", watched(robbed={"value_after": None}), "deleted a lock", id="deleted-anothers"),
        pytest.param("owned", watched(robbed={"value_after": "owner-0003"}), "deleted a lock", id="took-it-back"),
        pytest.param("owned", watched(robbed={"exit_code": 0}), "reported success", id="lost-and-content"),
    ],
)
def test_a_lock_that_does_not_hold_is_red(part: str, evidence: Evidence, words: str) -> None:
    """What was seen in Redis while a rebuild ran outweighs every word about it."""
    judgement = judge(evidence, part)
    assert judgement.verdict is Verdict.FAIL
    assert words in judgement.reason


@pytest.mark.parametrize(
    ("part", "evidence"),
    [
        pytest.param("expires", watched(alone={"ttls_ms": ()}, robbed={"ttls_ms": ()}), id="no-expiry-seen"),
        pytest.param("owned", watched(alone={"owners": ()}), id="no-owner-seen"),
        pytest.param("owned", watched(robbed={"owners": ()}), id="not-robbed"),
        pytest.param("owned", FAILED, id="failed-alone"),
        pytest.param("taken", replace(GOOD, rebuilds=Unobserved("no artisan")), id="not-watched-taken"),
        pytest.param("expires", replace(GOOD, rebuilds=Unobserved("no artisan")), id="not-watched-expires"),
        pytest.param("owned", replace(GOOD, rebuilds=Unobserved("no artisan")), id="not-watched-owned"),
    ],
)
def test_what_was_not_seen_is_unknown(part: str, evidence: Evidence) -> None:
    """Where watching was allowed and nothing was seen, nothing is known."""
    assert judge(evidence, part).verdict is Verdict.UNKNOWN


def test_of_a_rebuild_that_failed_the_expiry_counts() -> None:
    """What was seen of the lock of a rebuild that failed alone is judged as any other's, and said to be of one."""
    judgement = judge(FAILED, "expires")
    assert (judgement.verdict, judgement.seen_by) == (Verdict.PASS, "PTTL k, during a rebuild")


def test_an_owner_of_eight_characters_is_random_enough() -> None:
    """The shortest name that passes as random has eight characters."""
    seen = watched(alone={"owners": ("12345678",)}, robbed={"owners": ("abcdefgh",)})
    assert judge(seen, "owned").verdict is Verdict.PASS
