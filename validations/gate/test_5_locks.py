"""Validation 5: the service takes Redis locks.

Not fooled by an array or a file lock, which exclude nobody on another machine: the store must be Redis, must answer,
and must not be able to evict a lock. On a stage a rebuild is watched from Redis' side: its lock has an owner and an
expiry while it runs and is gone afterwards; and where the lock is taken over in the middle, the rebuild neither gives
back what is no longer its own nor says that all went well (races: pitfalls 2, 3, 7, 14). Where nothing may be
disturbed, a lock that is held just then must expire within what its service declares, whoever holds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fixtures.environments.base import Host
from fixtures.observation.facts import LockStore as SaidStore
from fixtures.observation.facts import Unobserved
from fixtures.observation.lock_store import LockObservation, LockStore
from reports.records import Verdict
from validations.cells import Cell, disturbable, validates
from validations.contracts import Judgement, failed, passed, unknown
from validations.registry import LOCKS

LONGEST_TTL_SECONDS = 3600
# What PTTL answers for a key that is not there, and for one that never expires.
_NOT_HELD, _FOR_EVER = -2, -1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the application says of its locks, what Redis says of itself, and watched rebuilds where allowed."""

    said: SaidStore | Unobserved
    store: LockStore | Unobserved
    rebuilds: LockObservation | Unobserved | None


pytest_generate_tests = validates(LOCKS)


def test_locks(cell: Cell) -> None:
    """A rebuild takes a lock in Redis with an expiry and an owner, and gives back only what is its own."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Ask the application, ask Redis, and watch rebuilds where that is allowed."""
    said: SaidStore | Unobserved
    store: LockStore | Unobserved
    rebuilds: LockObservation | Unobserved | None = None
    try:
        said = host.facts().seen("locks")
    except Unobserved as reason:
        said = reason
    try:
        store = host.lock_store()
    except Unobserved as reason:
        store = reason
    stage = disturbable(host)
    if stage is not None:
        try:
            rebuilds = stage.rebuilds()
        except Unobserved as reason:
            rebuilds = reason
    return Evidence(said, store, rebuilds)


def judge(evidence: Evidence, part: str) -> Judgement:
    """Judge one part: store, reachable, eviction, taken, expires, owned."""
    if part == "store":
        return _store(evidence.said)
    if part in {"reachable", "eviction"}:
        return _redis(evidence.said, evidence.store, part)
    if part == "expires" and not isinstance(evidence.rebuilds, LockObservation):
        told = _declared(evidence.said)
        # What kept a rebuild from being watched may be the very lock that somebody holds for ever.
        if evidence.rebuilds is None or told.verdict is Verdict.FAIL:
            return told
    if evidence.rebuilds is None:
        return passed("effect not exercised: this environment is read only (--intrusive exercises it)")
    if isinstance(evidence.rebuilds, Unobserved):
        return unknown(f"no rebuild could be watched: {evidence.rebuilds}")
    return {"taken": _taken, "expires": _expires, "owned": _owned}[part](evidence.rebuilds)


def _store(said: SaidStore | Unobserved) -> Judgement:
    if isinstance(said, Unobserved):
        return unknown(f"the application could not be asked for its lock store: {said}")
    seen_by = "the booted application"
    scheme = urlsplit(said.url).scheme
    if said.store != "redis" or scheme not in {"redis", "rediss", "unix"}:
        return failed(f"locks are kept in {said.store!r} ({scheme or 'no'} URL)", "Redis", seen_by=seen_by)
    return passed(f"locks are kept in Redis, as {said.rebuild_key}", seen_by=seen_by)


def _redis(said: SaidStore | Unobserved, store: LockStore | Unobserved, part: str) -> Judgement:
    seen_by = "INFO of the lock store"
    if isinstance(store, Unobserved):
        if isinstance(said, Unobserved) and str(said) == str(store):
            return unknown(f"nobody told where the lock store is: {said}", seen_by=seen_by)
        # A store that is configured and does not answer gives no lock to anybody.
        return failed(str(store), "a Redis that answers", remedy="start Redis, or correct REDIS_URL", seen_by=seen_by)
    if part == "reachable":
        return passed(f"Redis {store.version} answers", seen_by=seen_by)
    if store.policy != "noeviction":
        return failed(
            f"maxmemory-policy is {store.policy or 'not told'}",
            "noeviction: any other may drop a lock that is being held",
            remedy="CONFIG SET maxmemory-policy noeviction, or keep locks in a Redis of their own",
            seen_by=seen_by,
        )
    return passed("maxmemory-policy is noeviction", seen_by=seen_by)


def _declared(said: SaidStore | Unobserved) -> Judgement:
    if isinstance(said, Unobserved):
        return unknown(f"the application could not be asked for its locks' expiry: {said}")
    seen_by = "the booted application"
    held, declared = said.held_ttl_ms, said.ttl_seconds
    if declared is not None and not 0 < declared <= LONGEST_TTL_SECONDS:
        return failed(
            f"its locks are declared to expire after {declared:g} s",
            f"above 0 and at most {LONGEST_TTL_SECONDS}",
            remedy="set VIEW_LOCK_TTL_SECONDS to a few times a rebuild's length",
            seen_by=seen_by,
        )
    if held is not None and held != _NOT_HELD:
        return _held(said.rebuild_key, held, declared)
    if declared is not None:
        return passed(f"declared: {declared:g} s; effect not exercised", seen_by=seen_by)
    if held is None:
        return unknown("the application does not tell its locks' expiry, and no lock could be looked for")
    return passed(f"{said.rebuild_key} is not held now, and so not for ever; effect not exercised", seen_by="PTTL")


def _held(key: str, ttl_ms: int, declared: float | None) -> Judgement:
    """Judge the expiry of a lock that is held at this moment, whoever holds it, by what its service declares."""
    longest = LONGEST_TTL_SECONDS if declared is None else declared
    if not 0 <= ttl_ms <= longest * 1000:
        return failed(
            f"{key} is held, and {'never expires' if ttl_ms == _FOR_EVER else f'expires after {ttl_ms / 1000:.10g} s'}",
            f"an expiry of at most {longest:g} s{'' if declared is None else ', as declared'}: "
            "a holder that is killed would block all others",
            remedy="give Cache::lock() such an expiry everywhere, and delete this one once nobody rebuilds",
            seen_by="PTTL",
        )
    return passed(f"{key} is held, and expires after {ttl_ms / 1000:.1f} s; effect not exercised", seen_by="PTTL")


def _taken(seen: LockObservation) -> Judgement:
    seen_by = f"{seen.key} in Redis, during a rebuild"
    if seen.alone.exit_code != 0:
        return failed(f"a rebuild ended with {seen.alone.exit_code}: {seen.alone.said}", "0", seen_by=seen_by)
    if not seen.alone.owners:
        return failed("no lock was seen while a rebuild ran", "one", seen_by=seen_by)
    if seen.alone.value_after is not None:
        return failed(
            "the lock was still held after the rebuild had ended",
            "given back",
            remedy="release the lock in a finally block: until it expires nobody can rebuild",
            seen_by=seen_by,
        )
    return passed("taken while a rebuild ran, and given back", seen_by=seen_by)


def _expires(seen: LockObservation) -> Judgement:
    rebuilds = [seen.alone] if seen.robbed is None else [seen.alone, seen.robbed]
    seen_by = f"PTTL {seen.key}, during {'a rebuild' if seen.robbed is None else 'two rebuilds'}"
    ttls = [ttl for rebuild in rebuilds for ttl in rebuild.ttls_ms]
    if not ttls:
        return unknown("no lock was seen whose expiry could be read", seen_by=seen_by)
    if min(ttls) <= 0:
        return failed(
            "the lock never expires" if _FOR_EVER in ttls else f"the lock's expiry is {min(ttls)} ms",
            "an expiry above zero: a holder that is killed would block all others for ever",
            remedy="take the lock with SET key owner NX PX ttl, in one command",
            seen_by=seen_by,
        )
    if max(ttls) > LONGEST_TTL_SECONDS * 1000:
        return failed(
            f"the lock expires after {max(ttls) / 1000:.10g} s",
            f"at most {LONGEST_TTL_SECONDS} s",
            seen_by=seen_by,
        )
    return passed(f"expires within {max(ttls) / 1000:.1f} s", seen_by=seen_by, ttl_seconds=max(ttls) / 1000)


def _owned(seen: LockObservation) -> Judgement:
    if seen.robbed is None:
        return unknown(
            f"a rebuild that was left alone ended with {seen.alone.exit_code}, so the lock was taken from none",
            seen_by=f"{seen.key} in Redis, during a rebuild",
        )
    seen_by = f"{seen.key}, taken over by another owner during a rebuild"
    if not seen.alone.owners or not seen.robbed.owners:
        return unknown("no lock was seen whose owner could be read", seen_by=seen_by)
    owners = {*seen.alone.owners, *seen.robbed.owners}
    if {*seen.alone.owners} & {*seen.robbed.owners} or any(len(owner) < 8 for owner in owners):
        return failed(
            f"two rebuilds took the lock as {' and '.join(sorted(owners))}",
            "each under a random name of its own",
            remedy="use a fresh random owner token for every acquisition",
            seen_by=seen_by,
        )
    if seen.robbed.value_after != seen.intruder:
        return failed(
            "the rebuild deleted a lock that another had taken meanwhile",
            "left alone: release compares the owner first",
            remedy="release by a script that deletes only if the value is still the owner's",
            seen_by=seen_by,
        )
    if seen.robbed.exit_code == 0:
        return failed(
            "the rebuild lost its lock and reported success",
            "a failure: it may have published beside another rebuild",
            remedy="check ownership (or the fencing token) before publishing, and report a lost lock",
            seen_by=seen_by,
        )
    return passed("a fresh owner each time; a lost lock is left alone and reported", seen_by=seen_by)
