"""Validation 5 sees through file locks, locks for ever, shared owners and stolen locks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import LockStore as SaidStore
from fixtures.observation.facts import Unobserved
from fixtures.observation.lock_store import LockObservation, LockStore, WatchedRebuild
from reports.records import Level, Verdict
from validations.contracts import DECLARED, OBSERVED, RESOLVED
from validations.gate.test_5_locks import LONGEST_TTL_SECONDS, Evidence, judge

KEY = "shop_view"
SAID = SaidStore(store="redis", url="redis://127.0.0.1:6379/0", rebuild_key=KEY, ttl_seconds=30.0)
STORE = LockStore("7.2", "noeviction", 0)
ALONE = WatchedRebuild(0, ("owner-0001",), (29_000, 30_000), None, "")
ROBBED = WatchedRebuild(1, ("owner-0002",), (30_000,), "intruder-1", "lost its lock")
WATCHED = LockObservation(KEY, ALONE, ROBBED, "intruder-1")
GOOD = Evidence(SAID, STORE, WATCHED)
READ_ONLY = replace(GOOD, rebuilds=None)
# One that was left alone failed, so there was no other.
FAILED = replace(GOOD, rebuilds=replace(WATCHED, alone=replace(ALONE, exit_code=2, said="boom"), robbed=None))
NOT_WATCHED = replace(GOOD, rebuilds=Unobserved("no artisan"))
NO_CONSOLE = Unobserved("no console")
REFUSED = Unobserved("Redis could not be asked: refused")

SEEN = {
    "store": ("locks.redis", RESOLVED),
    "reachable": ("locks.reachable", OBSERVED),
    "eviction": ("locks.not-evictable", OBSERVED),
    "taken": ("locks.taken", OBSERVED),
    "expires": ("locks.expires", OBSERVED),
    "owned": ("locks.owned", OBSERVED),
}
NOT_EXERCISED = ("locks.not-exercised", DECLARED)
TOLD = SEEN | {"taken": NOT_EXERCISED, "expires": ("locks.declared", DECLARED), "owned": NOT_EXERCISED}


def said(**changes: Any) -> Evidence:
    """Return the evidence of a read-only environment with changes to what the application says."""
    return replace(READ_ONLY, said=SAID.model_copy(update=changes))


def watched(*, alone: dict[str, Any] | None = None, robbed: dict[str, Any] | None = None) -> Evidence:
    """Return good evidence with changes to the two watched rebuilds."""
    seen = replace(WATCHED, alone=replace(ALONE, **(alone or {})), robbed=replace(ROBBED, **(robbed or {})))
    return replace(GOOD, rebuilds=seen)


def store(**changes: Any) -> Evidence:
    """Return good evidence with changes to what Redis says."""
    return replace(GOOD, store=replace(STORE, **changes))


@pytest.mark.parametrize(
    ("evidence", "codes"), [pytest.param(GOOD, SEEN, id="watched"), pytest.param(READ_ONLY, TOLD, id="read-only")]
)
def test_a_redis_lock_with_owner_and_expiry_passes(evidence: Evidence, codes: dict[str, tuple[str, Level]]) -> None:
    """The brief's lock is green: by its effect where it was watched, and by what is declared where it was not."""
    found = {part: judge(evidence, part) for part in SEEN}
    assert {part: (one.code, one.level) for part, one in found.items()} == codes
    assert {one.verdict for one in found.values()} == {Verdict.PASS}


@pytest.mark.parametrize(
    ("part", "evidence", "code", "level"),
    [
        pytest.param("store", said(url="rediss://h/0"), "redis", RESOLVED, id="tls"),
        pytest.param("store", said(url="unix:///run/redis.sock"), "redis", RESOLVED, id="socket"),
        pytest.param("expires", said(ttl_seconds=0.5), "declared", DECLARED, id="declared-for-a-moment"),
        pytest.param("expires", said(ttl_seconds=3600.0), "declared", DECLARED, id="declared-for-the-longest"),
        pytest.param("expires", said(held_ttl_ms=-2), "declared", DECLARED, id="not-held-and-declared"),
        pytest.param("expires", said(held_ttl_ms=-2, ttl_seconds=None), "not-held", OBSERVED, id="not-held"),
        pytest.param("expires", said(held_ttl_ms=0), "held", OBSERVED, id="about-to-expire"),
        pytest.param("expires", said(held_ttl_ms=30_000), "held", OBSERVED, id="held-as-long-as-declared"),
        pytest.param(
            "expires", said(held_ttl_ms=3_600_000, ttl_seconds=None), "held", OBSERVED, id="held-for-the-longest"
        ),
        pytest.param(
            "owned",
            watched(alone={"owners": ("12345678",)}, robbed={"owners": ("abcdefgh",)}),
            "owned",
            OBSERVED,
            id="owners-of-eight-characters",
        ),
    ],
)
def test_what_is_just_good_enough_passes(part: str, evidence: Evidence, code: str, level: Level) -> None:
    """Every way to Redis counts, and every expiry and owner up to the bounds."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, f"locks.{code}", level)


@pytest.mark.parametrize(
    ("evidence", "seconds", "rebuilds"),
    [
        pytest.param(GOOD, 30.0, "two rebuilds", id="both"),
        pytest.param(replace(GOOD, rebuilds=replace(WATCHED, robbed=None)), 30.0, "a rebuild", id="alone"),
        # What was seen of the lock of a rebuild that failed is judged as any other's.
        pytest.param(FAILED, 30.0, "a rebuild", id="failed-alone"),
        pytest.param(watched(robbed={"ttls_ms": (3_600_000,)}), 3600.0, "two rebuilds", id="longest"),
        pytest.param(watched(alone={"ttls_ms": (1,)}, robbed={"ttls_ms": ()}), 0.001, "two rebuilds", id="shortest"),
    ],
)
def test_the_longest_expiry_that_was_seen_is_told(evidence: Evidence, seconds: float, rebuilds: str) -> None:
    """An expiry within bounds passes, in seconds, with how many rebuilds it was seen in."""
    finding = judge(evidence, "expires")
    assert (finding.verdict, finding.code) == (Verdict.PASS, "locks.expires")
    assert finding.figures == {"ttl_seconds": seconds}
    assert finding.seen_by.endswith(rebuilds)


@pytest.mark.parametrize(
    ("part", "evidence", "code", "told"),
    [
        pytest.param("store", said(store="array", url=""), "no-redis", "'array' (no URL)", id="array"),
        pytest.param("store", said(store="array"), "no-redis", "'array'", id="array-beside-redis"),
        pytest.param("store", said(store="file", url="file:///tmp/locks"), "no-redis", "'file' (file URL)", id="file"),
        pytest.param("store", said(store="", url=""), "no-redis", "(no URL)", id="nothing"),
        pytest.param("store", said(url="/var/locks"), "no-redis", "'redis' (no URL)", id="redis-by-name-only"),
        pytest.param("store", said(url="memcached://host"), "no-redis", "(memcached URL)", id="another-server"),
        pytest.param("reachable", replace(GOOD, store=REFUSED), "unreachable", "refused", id="no-redis"),
        pytest.param("eviction", replace(GOOD, store=REFUSED), "unreachable", "refused", id="none-to-evict"),
        pytest.param("reachable", replace(GOOD, said=NO_CONSOLE, store=REFUSED), "unreachable", "refused",
            id="neither-told-nor-answering"),
        pytest.param("eviction", replace(GOOD, said=NO_CONSOLE, store=REFUSED), "unreachable", "refused",
            id="neither-told-nor-answering-of-eviction"),
        *(pytest.param("eviction", store(policy=policy), "evictable", policy, id=policy)
            for policy in ("allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random")),
        pytest.param("eviction", store(policy=""), "evictable", "not told", id="policy-not-told"),
        pytest.param("expires", said(ttl_seconds=0.0), "declared-wrongly", "after 0 s", id="declared-zero"),
        pytest.param("expires", said(ttl_seconds=-1.0), "declared-wrongly", "after -1 s", id="declared-never"),
        pytest.param("expires", said(ttl_seconds=LONGEST_TTL_SECONDS + 0.5), "declared-wrongly", "after 3600.5 s",
            id="declared-for-too-long"),
        pytest.param("expires", said(held_ttl_ms=29_040, ttl_seconds=7200.0), "declared-wrongly", "after 7200 s",
            id="held-and-declared-for-too-long"),
        pytest.param("expires", said(held_ttl_ms=-1), "held-too-long", f"{KEY} is held, and never", id="held-for-ever"),
        pytest.param("expires", replace(said(held_ttl_ms=-1), rebuilds=Unobserved("it waited for its lock for ever")),
            "held-too-long", KEY, id="held-for-ever-and-not-watched"),
        pytest.param("expires", said(held_ttl_ms=30_001), "held-too-long", "30.001 s", id="held-longer-than-declared"),
        pytest.param("expires", said(held_ttl_ms=3_600_001, ttl_seconds=None), "held-too-long", "3600.001 s",
            id="held-for-days"),
        pytest.param("taken", FAILED, "rebuild-failed", "with 2: boom", id="failed"),
        pytest.param("taken", watched(alone={"owners": ()}), "not-taken", "", id="never-locked"),
        pytest.param("taken", watched(alone={"value_after": "owner-0001"}), "not-given-back", "", id="not-given-back"),
        pytest.param("expires", watched(alone={"ttls_ms": (-1,)}), "never-expires", "", id="no-expiry"),
        pytest.param("expires", watched(alone={"ttls_ms": (-1, 30_000)}), "never-expires", "never", id="set-later"),
        pytest.param("expires", watched(robbed={"ttls_ms": (-1,)}), "never-expires", "never", id="no-expiry-next-time"),
        pytest.param("expires", watched(alone={"ttls_ms": (0,)}), "never-expires", "0 ms", id="expiry-zero"),
        pytest.param("expires", watched(robbed={"ttls_ms": (0,)}), "never-expires", "0 ms", id="expiry-zero-next-time"),
        pytest.param("expires", watched(alone={"ttls_ms": (10**9,)}), "expires-late", "1000000 s", id="in-days"),
        pytest.param("expires", watched(robbed={"ttls_ms": (3_600_001,)}), "expires-late", "3600.001 s",
            id="just-too-late"),
        pytest.param("owned", watched(robbed={"owners": ("owner-0001",)}), "owner-not-random", "owner-0001",
            id="same-owner-twice"),
        pytest.param("owned", watched(alone={"owners": ("owner-0001", "owner-0002")}), "owner-not-random",
            "owner-0001 and owner-0002", id="one-of-two-owners-again"),
        pytest.param("owned", watched(alone={"owners": ("1",)}), "owner-not-random", " 1 and", id="guessable-owner"),
        pytest.param("owned", watched(robbed={"owners": ("1234567",)}), "owner-not-random", "1234567",
            id="owner-of-seven-characters"),
        pytest.param("owned", watched(robbed={"value_after": None}), "other-released", "", id="deleted-anothers"),
        pytest.param("owned", watched(robbed={"value_after": "owner-0003"}), "other-released", "", id="took-it-back"),
        pytest.param("owned", watched(robbed={"exit_code": 0}), "loss-not-told", "", id="lost-and-content"),
    ],
)  # fmt: skip
def test_a_lock_that_does_not_hold_is_red(part: str, evidence: Evidence, code: str, told: str) -> None:
    """What was seen in Redis outweighs every word about it, and the operator is told which value is wrong."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"locks.{code}")
    assert told in finding.observed


@pytest.mark.parametrize(
    ("part", "evidence", "code", "reason"),
    [
        pytest.param("store", replace(READ_ONLY, said=NO_CONSOLE), "not-asked", "no console", id="store"),
        pytest.param("expires", replace(READ_ONLY, said=NO_CONSOLE), "expiry-not-asked", "no console", id="expiry"),
        pytest.param("expires", said(ttl_seconds=None), "expiry-not-known", "", id="expiry-not-told"),
        *(pytest.param(part, replace(GOOD, said=NO_CONSOLE, store=Unobserved("no console")), "store-not-told",
            "no console", id=f"{part}-of-a-store-that-nobody-named") for part in ("reachable", "eviction")),
        *(pytest.param(part, NOT_WATCHED, "not-watched", "no artisan", id=f"{part}-not-watched")
            for part in ("taken", "expires", "owned")),
        pytest.param("expires", replace(said(held_ttl_ms=-2), rebuilds=Unobserved("no artisan")), "not-watched",
            "no artisan", id="not-held-and-not-watched"),
        pytest.param("expires", watched(alone={"ttls_ms": ()}, robbed={"ttls_ms": ()}), "expiry-not-seen", "",
            id="no-expiry-seen"),
        pytest.param("owned", watched(alone={"owners": ()}), "owner-not-seen", "", id="no-owner-seen"),
        pytest.param("owned", watched(robbed={"owners": ()}), "owner-not-seen", "", id="no-robbed-owner-seen"),
        pytest.param("owned", FAILED, "not-robbed", "with 2", id="failed-alone"),
    ],
)  # fmt: skip
def test_what_was_not_seen_is_unknown(part: str, evidence: Evidence, code: str, reason: str) -> None:
    """Where nothing was told or seen nothing is known, and the reason is kept."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, f"locks.{code}")
    assert reason in finding.observed
