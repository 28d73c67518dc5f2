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
from reports.records import Finding, Verdict
from validations.cells import Cell, validates
from validations.contracts import DECLARED, OBSERVED, RESOLVED, failed, passed, unknown
from validations.messages import fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import LOCKS

says(
    {
        "locks.not-asked": is_unknown("the application could not be asked for its lock store: {reason}"),
        "locks.no-redis": fails(
            "locks are kept in {store} ({scheme} URL)",
            "Redis",
            "keep the locks in a Redis that every host reaches; an array or a file excludes nobody elsewhere",
        ),
        "locks.redis": passes("locks are kept in Redis, as {key}"),
        "locks.store-not-told": is_unknown("nobody told where the lock store is: {reason}"),
        # A store that is configured and does not answer gives no lock to anybody.
        "locks.unreachable": fails("{reason}", "a Redis that answers", "start Redis, or correct REDIS_URL"),
        "locks.reachable": passes("Redis {version} answers"),
        "locks.evictable": fails(
            "maxmemory-policy is {policy}",
            "noeviction: any other may drop a lock that is being held",
            "CONFIG SET maxmemory-policy noeviction, or keep locks in a Redis of their own",
        ),
        "locks.not-evictable": passes("maxmemory-policy is noeviction"),
        "locks.not-exercised": passes("effect not exercised: this environment is read only (--intrusive exercises it)"),
        "locks.not-watched": is_unknown("no rebuild could be watched: {reason}"),
        "locks.expiry-not-asked": is_unknown("the application could not be asked for its locks' expiry: {reason}"),
        "locks.declared-wrongly": fails(
            "its locks are declared to expire after {declared:g} s",
            "above 0 and at most {longest}",
            "give the rebuild's lock an expiry of a few times a rebuild's length: {setting}",
        ),
        "locks.declared": passes("declared: {declared:g} s; effect not exercised"),
        "locks.expiry-not-known": is_unknown(
            "the application does not tell its locks' expiry, and no lock could be looked for"
        ),
        "locks.not-held": passes("{key} is not held now, and so not for ever; effect not exercised"),
        "locks.held-too-long": fails(
            "{key} is held, and {ends}",
            "an expiry of at most {longest:g} s{declared}: a holder that is killed would block all others",
            "give the lock such an expiry wherever it is taken ({setting}), and delete this one once nobody rebuilds",
        ),
        "locks.held": passes("{key} is held, and expires after {seconds:.1f} s; effect not exercised"),
        "locks.rebuild-failed": fails(
            "a rebuild ended with {code}: {said}", "0", "run the rebuild by hand, and mend what it complains of"
        ),
        "locks.not-taken": fails(
            "no lock was seen while a rebuild ran",
            "one",
            "take a lock in Redis around every rebuild, in the service that all commands and the middleware use",
        ),
        "locks.not-given-back": fails(
            "the lock was still held after the rebuild had ended",
            "given back",
            "release the lock in a finally block: until it expires nobody can rebuild",
        ),
        "locks.taken": passes("taken while a rebuild ran, and given back"),
        "locks.expiry-not-seen": is_unknown("no lock was seen whose expiry could be read"),
        "locks.never-expires": fails(
            "{ends}",
            "an expiry above zero: a holder that is killed would block all others for ever",
            "take the lock with SET key owner NX PX ttl, in one command",
        ),
        "locks.expires-late": fails(
            "the lock expires after {seconds:.10g} s",
            "at most {longest} s",
            "give the rebuild's lock an expiry of a few times a rebuild's length: {setting}",
        ),
        "locks.expires": passes("expires within {seconds:.1f} s"),
        "locks.not-robbed": is_unknown(
            "a rebuild that was left alone ended with {code}, so the lock was taken from none"
        ),
        "locks.owner-not-seen": is_unknown("no lock was seen whose owner could be read"),
        "locks.owner-not-random": fails(
            "two rebuilds took the lock as {owners}",
            "each under a random name of its own",
            "use a fresh random owner token for every acquisition",
        ),
        "locks.other-released": fails(
            "the rebuild deleted a lock that another had taken meanwhile",
            "left alone: release compares the owner first",
            "release by a script that deletes only if the value is still the owner's",
        ),
        "locks.loss-not-told": fails(
            "the rebuild lost its lock and reported success",
            "a failure: it may have published beside another rebuild",
            "check ownership (or the fencing token) before publishing, and report a lost lock",
        ),
        "locks.owned": passes("a fresh owner each time; a lost lock is left alone and reported"),
    }
)

LONGEST_TTL_SECONDS = 3600
# What PTTL answers for a key that is not there, and for one that never expires.
_NOT_HELD, _FOR_EVER = -2, -1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the application says of its locks, what Redis says of itself, and watched rebuilds where allowed."""

    said: SaidStore | Unobserved
    store: LockStore | Unobserved
    rebuilds: LockObservation | Unobserved | None
    places: Places = GATEWAY


pytest_generate_tests = validates(LOCKS)


def test_locks(cell: Cell) -> None:
    """A rebuild takes a lock in Redis with an expiry and an owner, and gives back only what is its own."""
    cell.judge()


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
    if host.disturbance is not None:
        try:
            rebuilds = host.disturbance.rebuilds()
        except Unobserved as reason:
            rebuilds = reason
    return Evidence(said, store, rebuilds, places_of(host))


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one part: store, reachable, eviction, taken, expires, owned."""
    if part == "store":
        return _store(evidence.said)
    if part in {"reachable", "eviction"}:
        return _redis(evidence.said, evidence.store, part)
    if part == "expires" and not isinstance(evidence.rebuilds, LockObservation):
        told = _declared(evidence.said, evidence.places.lock_expiry)
        # What kept a rebuild from being watched may be the very lock that somebody holds for ever.
        if evidence.rebuilds is None or told.verdict is Verdict.FAIL:
            return told
    if evidence.rebuilds is None:
        return passed("locks.not-exercised", DECLARED)
    if isinstance(evidence.rebuilds, Unobserved):
        return unknown("locks.not-watched", reason=evidence.rebuilds)
    if part == "expires":
        return _expires(evidence.rebuilds, evidence.places.lock_expiry)
    return {"taken": _taken, "owned": _owned}[part](evidence.rebuilds)


def _store(said: SaidStore | Unobserved) -> Finding:
    if isinstance(said, Unobserved):
        return unknown("locks.not-asked", reason=said)
    seen_by, scheme = "the booted application", urlsplit(said.url).scheme
    if said.store != "redis" or scheme not in {"redis", "rediss", "unix"}:
        store = repr(said.store)
        return failed("locks.no-redis", level=RESOLVED, seen_by=seen_by, store=store, scheme=scheme or "no")
    return passed("locks.redis", RESOLVED, seen_by=seen_by, key=said.rebuild_key)


def _redis(said: SaidStore | Unobserved, store: LockStore | Unobserved, part: str) -> Finding:
    seen_by = "INFO of the lock store"
    if isinstance(store, Unobserved):
        if isinstance(said, Unobserved) and str(said) == str(store):
            return unknown("locks.store-not-told", seen_by=seen_by, reason=said)
        return failed("locks.unreachable", seen_by=seen_by, reason=store)
    if part == "reachable":
        return passed("locks.reachable", OBSERVED, seen_by=seen_by, version=store.version)
    if store.policy != "noeviction":
        return failed("locks.evictable", seen_by=seen_by, policy=store.policy or "not told")
    return passed("locks.not-evictable", OBSERVED, seen_by=seen_by)


def _declared(said: SaidStore | Unobserved, setting: str) -> Finding:
    if isinstance(said, Unobserved):
        return unknown("locks.expiry-not-asked", reason=said)
    seen_by, key = "the booted application", said.rebuild_key
    held, declared = said.held_ttl_ms, said.ttl_seconds
    if declared is not None and not 0 < declared <= LONGEST_TTL_SECONDS:
        code, longest = "locks.declared-wrongly", LONGEST_TTL_SECONDS
        return failed(code, level=DECLARED, seen_by=seen_by, declared=declared, longest=longest, setting=setting)
    if held is not None and held != _NOT_HELD:
        return _held(key, held, declared, setting)
    if declared is not None:
        return passed("locks.declared", DECLARED, seen_by=seen_by, declared=declared)
    if held is None:
        return unknown("locks.expiry-not-known")
    return passed("locks.not-held", OBSERVED, seen_by="PTTL", key=key)


def _held(key: str, ttl_ms: int, declared: float | None, setting: str) -> Finding:
    """Judge the expiry of a lock that is held at this moment, whoever holds it, by what its service declares."""
    longest = LONGEST_TTL_SECONDS if declared is None else declared
    if not 0 <= ttl_ms <= longest * 1000:
        ends = "never expires" if ttl_ms == _FOR_EVER else f"expires after {ttl_ms / 1000:.10g} s"
        as_declared = "" if declared is None else ", as declared"
        code = "locks.held-too-long"
        return failed(code, seen_by="PTTL", key=key, ends=ends, longest=longest, declared=as_declared, setting=setting)
    return passed("locks.held", OBSERVED, seen_by="PTTL", key=key, seconds=ttl_ms / 1000)


def _taken(seen: LockObservation) -> Finding:
    seen_by = f"{seen.key} in Redis, during a rebuild"
    if seen.alone.exit_code != 0:
        return failed("locks.rebuild-failed", seen_by=seen_by, said=seen.alone.said, code=seen.alone.exit_code)
    if not seen.alone.owners:
        return failed("locks.not-taken", seen_by=seen_by)
    if seen.alone.value_after is not None:
        return failed("locks.not-given-back", seen_by=seen_by)
    return passed("locks.taken", OBSERVED, seen_by=seen_by)


def _expires(seen: LockObservation, setting: str) -> Finding:
    rebuilds = [seen.alone] if seen.robbed is None else [seen.alone, seen.robbed]
    seen_by = f"PTTL {seen.key}, during {'a rebuild' if seen.robbed is None else 'two rebuilds'}"
    ttls = [ttl for rebuild in rebuilds for ttl in rebuild.ttls_ms]
    if not ttls:
        return unknown("locks.expiry-not-seen", seen_by=seen_by)
    if min(ttls) <= 0:
        ends = "the lock never expires" if _FOR_EVER in ttls else f"the lock's expiry is {min(ttls)} ms"
        return failed("locks.never-expires", seen_by=seen_by, ends=ends)
    seconds = max(ttls) / 1000
    if seconds > LONGEST_TTL_SECONDS:
        return failed(
            "locks.expires-late", seen_by=seen_by, seconds=seconds, longest=LONGEST_TTL_SECONDS, setting=setting
        )
    return passed("locks.expires", OBSERVED, seen_by=seen_by, figures={"ttl_seconds": seconds}, seconds=seconds)


def _owned(seen: LockObservation) -> Finding:
    if seen.robbed is None:
        seen_by = f"{seen.key} in Redis, during a rebuild"
        return unknown("locks.not-robbed", seen_by=seen_by, code=seen.alone.exit_code)
    seen_by = f"{seen.key}, taken over by another owner during a rebuild"
    if not seen.alone.owners or not seen.robbed.owners:
        return unknown("locks.owner-not-seen", seen_by=seen_by)
    owners = {*seen.alone.owners, *seen.robbed.owners}
    if {*seen.alone.owners} & {*seen.robbed.owners} or any(len(owner) < 8 for owner in owners):
        return failed("locks.owner-not-random", seen_by=seen_by, owners=" and ".join(sorted(owners)))
    if seen.robbed.value_after != seen.intruder:
        return failed("locks.other-released", seen_by=seen_by)
    if seen.robbed.exit_code == 0:
        return failed("locks.loss-not-told", seen_by=seen_by)
    return passed("locks.owned", OBSERVED, seen_by=seen_by)
