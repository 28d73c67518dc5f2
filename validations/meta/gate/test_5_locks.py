"""Validation 5 sees through file locks, locks for ever, shared owners and stolen locks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import LockStore as SaidStore
from fixtures.observation.facts import Unobserved
from fixtures.observation.lock_store import LockObservation, LockStore, WatchedRebuild
from reports.records import Verdict
from validations.contracts import Judgement, failed, passed, unknown
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


def unwatched(**changes: Any) -> Evidence:
    """Return the evidence of a read-only environment with changes to what the application says."""
    return replace(READ_ONLY, said=said(**changes))


BOOTED = "the booted application"
DURING = "k in Redis, during a rebuild"
TWICE = "PTTL k, during two rebuilds"
TAKEN_OVER = "k, taken over by another owner during a rebuild"


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("store", GOOD, passed("locks are kept in Redis, as k", seen_by=BOOTED), id="store"),
        pytest.param("reachable", GOOD, passed("Redis 7.2 answers", seen_by="INFO of the lock store"), id="reachable"),
        pytest.param("eviction", GOOD,
            passed("maxmemory-policy is noeviction", seen_by="INFO of the lock store"), id="eviction"),
        pytest.param("taken", GOOD, passed("taken while a rebuild ran, and given back", seen_by=DURING), id="taken"),
        pytest.param("expires", GOOD, passed("expires within 30.0 s", seen_by=TWICE, ttl_seconds=30.0), id="expires"),
        pytest.param("owned", GOOD,
            passed("a fresh owner each time; a lost lock is left alone and reported", seen_by=TAKEN_OVER), id="owned"),
        pytest.param("taken", READ_ONLY,
            passed("effect not exercised: this environment is read only (--intrusive exercises it)"),
            id="taken-and-not-watched"),
        pytest.param("expires", READ_ONLY,
            passed("declared: 30 s; effect not exercised", seen_by=BOOTED), id="expires-as-declared"),
        pytest.param("store", replace(GOOD, said=Unobserved("no console")),
            unknown("the application could not be asked for its lock store: no console"), id="not-asked"),
        pytest.param("store", replace(GOOD, said=said(store="array", url="")),
            failed("locks are kept in 'array' (no URL)", "Redis", seen_by=BOOTED), id="array"),
        pytest.param("store", replace(GOOD, said=said(url="memcached://host")),
            failed("locks are kept in 'redis' (memcached URL)", "Redis", seen_by=BOOTED), id="another-server"),
        pytest.param("eviction", replace(GOOD, store=Unobserved("connection refused")),
            failed("connection refused", "a Redis that answers", remedy="start Redis, or correct REDIS_URL",
                seen_by="INFO of the lock store"), id="no-redis"),
        pytest.param("reachable", replace(GOOD, said=Unobserved("no console"), store=Unobserved("no route")),
            failed("no route", "a Redis that answers", remedy="start Redis, or correct REDIS_URL",
                seen_by="INFO of the lock store"), id="neither-told-nor-answering"),
        pytest.param("reachable", replace(GOOD, said=Unobserved("no console"), store=Unobserved("no console")),
            unknown("nobody told where the lock store is: no console", seen_by="INFO of the lock store"),
            id="store-not-told"),
        pytest.param("eviction", replace(GOOD, store=replace(STORE, policy="allkeys-lru")),
            failed("maxmemory-policy is allkeys-lru", "noeviction: any other may drop a lock that is being held",
                remedy="CONFIG SET maxmemory-policy noeviction, or keep locks in a Redis of their own",
                seen_by="INFO of the lock store"), id="may-evict"),
        pytest.param("eviction", replace(GOOD, store=replace(STORE, policy="")),
            failed("maxmemory-policy is not told", "noeviction: any other may drop a lock that is being held",
                remedy="CONFIG SET maxmemory-policy noeviction, or keep locks in a Redis of their own",
                seen_by="INFO of the lock store"), id="policy-not-told"),
        pytest.param("owned", replace(GOOD, rebuilds=Unobserved("no artisan")),
            unknown("no rebuild could be watched: no artisan"), id="not-watched"),
        pytest.param("expires", replace(READ_ONLY, said=Unobserved("no console")),
            unknown("the application could not be asked for its locks' expiry: no console"), id="expiry-not-asked"),
        pytest.param("expires", unwatched(held_ttl_ms=29_040),
            passed("k is held, and expires after 29.0 s; effect not exercised", seen_by="PTTL"), id="held"),
        pytest.param("expires", unwatched(held_ttl_ms=-1),
            failed("k is held, and never expires",
                "an expiry of at most 30 s, as declared: a holder that is killed would block all others",
                remedy="give Cache::lock() such an expiry everywhere, and delete this one once nobody rebuilds",
                seen_by="PTTL"), id="held-for-ever"),
        pytest.param("expires",
            replace(unwatched(held_ttl_ms=-1), rebuilds=Unobserved("it waited for its lock for ever")),
            failed("k is held, and never expires",
                "an expiry of at most 30 s, as declared: a holder that is killed would block all others",
                remedy="give Cache::lock() such an expiry everywhere, and delete this one once nobody rebuilds",
                seen_by="PTTL"), id="held-for-ever-and-not-watched"),
        pytest.param("expires", unwatched(held_ttl_ms=3_600_001, ttl_seconds=None),
            failed("k is held, and expires after 3600.001 s",
                "an expiry of at most 3600 s: a holder that is killed would block all others",
                remedy="give Cache::lock() such an expiry everywhere, and delete this one once nobody rebuilds",
                seen_by="PTTL"), id="held-for-days"),
        pytest.param("expires", unwatched(held_ttl_ms=3_600_000, ttl_seconds=None),
            passed("k is held, and expires after 3600.0 s; effect not exercised", seen_by="PTTL"),
            id="held-for-the-longest"),
        pytest.param("expires", unwatched(held_ttl_ms=30_001),
            failed("k is held, and expires after 30.001 s",
                "an expiry of at most 30 s, as declared: a holder that is killed would block all others",
                remedy="give Cache::lock() such an expiry everywhere, and delete this one once nobody rebuilds",
                seen_by="PTTL"), id="held-for-longer-than-declared"),
        pytest.param("expires", unwatched(held_ttl_ms=30_000),
            passed("k is held, and expires after 30.0 s; effect not exercised", seen_by="PTTL"),
            id="held-as-long-as-declared"),
        pytest.param("expires", unwatched(held_ttl_ms=29_040, ttl_seconds=7200.0),
            failed("its locks are declared to expire after 7200 s", "above 0 and at most 3600",
                remedy="set VIEW_LOCK_TTL_SECONDS to a few times a rebuild's length", seen_by=BOOTED),
            id="held-and-declared-for-too-long"),
        pytest.param("expires", replace(unwatched(held_ttl_ms=-2), rebuilds=Unobserved("no artisan")),
            unknown("no rebuild could be watched: no artisan"), id="not-held-and-not-watched"),
        pytest.param("expires", unwatched(held_ttl_ms=0),
            passed("k is held, and expires after 0.0 s; effect not exercised", seen_by="PTTL"), id="about-to-expire"),
        pytest.param("expires", unwatched(held_ttl_ms=-2, ttl_seconds=None),
            passed("k is not held now, and so not for ever; effect not exercised", seen_by="PTTL"), id="not-held"),
        pytest.param("expires", unwatched(held_ttl_ms=-2),
            passed("declared: 30 s; effect not exercised", seen_by=BOOTED), id="not-held-and-declared"),
        pytest.param("expires", unwatched(ttl_seconds=None),
            unknown("the application does not tell its locks' expiry, and no lock could be looked for"),
            id="nothing-known"),
        pytest.param("expires", unwatched(ttl_seconds=0.0),
            failed("its locks are declared to expire after 0 s", "above 0 and at most 3600",
                remedy="set VIEW_LOCK_TTL_SECONDS to a few times a rebuild's length", seen_by=BOOTED),
            id="declared-for-ever"),
        pytest.param("expires", unwatched(ttl_seconds=0.5),
            passed("declared: 0.5 s; effect not exercised", seen_by=BOOTED), id="declared-for-a-moment"),
        pytest.param("expires", unwatched(ttl_seconds=3600.5),
            failed("its locks are declared to expire after 3600.5 s", "above 0 and at most 3600",
                remedy="set VIEW_LOCK_TTL_SECONDS to a few times a rebuild's length", seen_by=BOOTED),
            id="declared-for-too-long"),
        pytest.param("expires", unwatched(ttl_seconds=3600.0),
            passed("declared: 3600 s; effect not exercised", seen_by=BOOTED), id="declared-for-the-longest"),
        pytest.param("taken", watched(alone={"exit_code": 2, "said": "boom"}),
            failed("a rebuild ended with 2: boom", "0", seen_by=DURING), id="rebuild-failed"),
        pytest.param("taken", watched(alone={"owners": ()}),
            failed("no lock was seen while a rebuild ran", "one", seen_by=DURING), id="never-locked"),
        pytest.param("taken", watched(alone={"value_after": "owner-0001"}),
            failed("the lock was still held after the rebuild had ended", "given back",
                remedy="release the lock in a finally block: until it expires nobody can rebuild", seen_by=DURING),
            id="not-given-back"),
        pytest.param("expires", watched(alone={"ttls_ms": ()}, robbed={"ttls_ms": ()}),
            unknown("no lock was seen whose expiry could be read", seen_by=TWICE), id="no-expiry-seen"),
        pytest.param("expires", watched(alone={"ttls_ms": (-1, 30_000)}),
            failed("the lock never expires",
                "an expiry above zero: a holder that is killed would block all others for ever",
                remedy="take the lock with SET key owner NX PX ttl, in one command", seen_by=TWICE),
            id="never-expires"),
        pytest.param("expires", watched(robbed={"ttls_ms": (0,)}),
            failed("the lock's expiry is 0 ms",
                "an expiry above zero: a holder that is killed would block all others for ever",
                remedy="take the lock with SET key owner NX PX ttl, in one command", seen_by=TWICE),
            id="expiry-of-nothing"),
        pytest.param("expires", watched(robbed={"ttls_ms": (7_200_000,)}),
            failed("the lock expires after 7200 s", "at most 3600 s", seen_by=TWICE), id="expiry-in-hours"),
        pytest.param("expires", watched(robbed={"ttls_ms": (3_600_001,)}),
            failed("the lock expires after 3600.001 s", "at most 3600 s", seen_by=TWICE), id="expiry-just-too-late"),
        pytest.param("expires", watched(robbed={"ttls_ms": (3_600_000,)}),
            passed("expires within 3600.0 s", seen_by=TWICE, ttl_seconds=3600.0), id="longest-expiry"),
        pytest.param("expires", watched(alone={"ttls_ms": (1,)}, robbed={"ttls_ms": ()}),
            passed("expires within 0.0 s", seen_by=TWICE, ttl_seconds=0.001), id="shortest-expiry"),
        pytest.param("expires", replace(GOOD, rebuilds=replace(WATCHED, robbed=None)),
            passed("expires within 30.0 s", seen_by="PTTL k, during a rebuild", ttl_seconds=30.0), id="expires-alone"),
        pytest.param("owned", replace(GOOD, rebuilds=replace(WATCHED, robbed=None, alone=replace(ALONE, exit_code=2))),
            unknown("a rebuild that was left alone ended with 2, so the lock was taken from none", seen_by=DURING),
            id="not-robbed"),
        pytest.param("owned", watched(robbed={"owners": ()}),
            unknown("no lock was seen whose owner could be read", seen_by=TAKEN_OVER), id="no-owner-seen"),
        pytest.param("owned", watched(alone={"owners": ("owner-0001", "owner-0003")},
            robbed={"owners": ("owner-0001",)}),
            failed("two rebuilds took the lock as owner-0001 and owner-0003", "each under a random name of its own",
                remedy="use a fresh random owner token for every acquisition", seen_by=TAKEN_OVER),
            id="same-owner-twice"),
        pytest.param("owned", watched(robbed={"owners": ("1234567",)}),
            failed("two rebuilds took the lock as 1234567 and owner-0001", "each under a random name of its own",
                remedy="use a fresh random owner token for every acquisition", seen_by=TAKEN_OVER),
            id="guessable-owner"),
        pytest.param("owned", watched(robbed={"value_after": None}),
            failed("the rebuild deleted a lock that another had taken meanwhile",
                "left alone: release compares the owner first",
                remedy="release by a script that deletes only if the value is still the owner's", seen_by=TAKEN_OVER),
            id="deleted-anothers"),
        pytest.param("owned", watched(robbed={"exit_code": 0}),
            failed("the rebuild lost its lock and reported success",
                "a failure: it may have published beside another rebuild",
                remedy="check ownership (or the fencing token) before publishing, and report a lost lock",
                seen_by=TAKEN_OVER), id="lost-and-content"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told
