"""I1 to I12: what must hold in every history. Pure: a history in, the broken promises out.

An operation whose end nobody knows (killed, or its reply was lost) is never a violation by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fixtures.concurrency.history import History, Operation

READS = ("render", "request", "visit")
WRITES = ("edit", "save")
CARE = ("rebuild", "clear", "emergency-fix", "health-fix", "deploy")
STATES = ("LockTimeout", "LockLost", "Fenced", "TemplateNotFound", "PublishTimeout")
"""Errors by which an operation says truly how things are; the cache's own faults have other names."""

DISK_FULL = "OSError: [Errno 28]"
"""What a rebuild, a clear or a fix says where the disk is full; a render never does."""

REBUILD_LOCK = ":lock:view-cache:rebuild"

EPSILON_SECONDS = 2.0
"""What recovery may take beyond the TTL."""


@dataclass(frozen=True)
class Broken:
    """A promise that did not hold: which, what was seen, and the position in the history where it was."""

    invariant: str
    seen: str
    at: int


def i1_mutex(history: History) -> Iterator[Broken]:
    """No two actors inside one critical section, and nobody gives back another's lock.

    A lock that was lost excuses, once its holder says that it was.
    """
    yield from _untold_losses(history)
    inside: dict[str, tuple[str, int]] = {}
    owner: dict[str, str | None] = {}
    taken: dict[tuple[str, str], int] = {}
    lost: dict[str, int] = {}
    dead: set[str] = set()
    for at, event in history.notes("acquired", "released", "entered", "left", "expired", "killed"):
        key = event.subject
        if event.op == "killed":
            dead.add(event.actor)
        elif event.op == "expired":
            lost[key] = at
            owner[key] = None
        elif event.op == "acquired":
            owner[key] = event.actor
            taken[key, event.actor] = at
        elif event.op == "released" and event.value:
            if owner.get(key) not in {event.actor, None}:
                yield Broken("I1", f"{event.actor} gave back {key}, which {owner[key]} held", at)
            owner[key] = None
        elif event.op == "entered":
            other, since = inside.get(key, ("", -1))
            mine = taken.pop((key, event.actor), at)
            if other and other not in dead and lost.get(key, -1) < min(since, mine):
                yield Broken("I1", f"{event.actor} and {other} were inside {key} together", at)
            inside[key] = (event.actor, mine)
        elif event.op == "left" and inside.get(key, ("",))[0] == event.actor:
            del inside[key]


def _untold_losses(history: History) -> Iterator[Broken]:
    holding: dict[str, str] = {}
    lost: dict[str, str] = {}
    for at, event in enumerate(history.events):
        if event.op == "acquired" and event.subject.endswith(REBUILD_LOCK):
            holding[event.actor] = event.subject
            lost.pop(event.actor, None)  # an attempt that was given up; this one is another
        elif event.op == "expired":
            lost.update({actor: key for actor, key in holding.items() if key == event.subject})
        elif event.op == "released":
            holding.pop(event.actor, None)
        elif event.op == "told" or event.kind in {"invoke", "fail"}:
            lost.pop(event.actor, None)
        elif (event.kind, event.op) == ("ok", "rebuild") and event.actor in lost:
            key = lost.pop(event.actor)
            yield Broken("I1", f"{event.actor} lost {key} during its rebuild, and did not say so", at)


def i2_no_missing(history: History) -> Iterator[Broken]:
    """No render fails because a compiled file is not there."""
    for read in history.operations(*READS):
        if read.outcome == "fail" and str(read.value).startswith("FileNotFoundError"):
            yield Broken("I2", f"{read.actor}'s {read.op} of {read.subject} met {read.value}", read.end or 0)


def i3_no_torn(history: History) -> Iterator[Broken]:
    """What is rendered is a version of the source, whole; what lies on disk is whole."""
    written: dict[str, set[str]] = {}
    ends = {read.end: read for read in history.operations(*READS) if read.outcome == "ok"}
    for at, event in enumerate(history.events):
        if event.op == "writes" or (event.op in WRITES and event.value is not None):
            written.setdefault(event.subject, set()).add(str(event.value))
        read = ends.get(at)
        if read is not None and read.op != "visit" and read.value not in written.get(read.subject, set()):
            yield Broken("I3", f"{read.actor} rendered {read.value!r}, which no version of {read.subject} says", at)
    if history.facts.get("torn") and not history.operations("truncate"):
        yield Broken("I3", f"torn files are left: {history.facts['torn']}", len(history.events))


def i4_fresh(history: History) -> Iterator[Broken]:
    """A render shows every edit that it must have seen.

    That is one made before it began and, where a generation pins the views, taken up by a rebuild, clear or fix.
    """
    edits = [edit for edit in history.operations(*WRITES) if edit.outcome == "ok"]
    care = [done for done in history.operations("rebuild", "clear", "emergency-fix") if done.outcome == "ok"]
    last = max((edit.end or 0 for edit in edits), default=0)
    for read in history.operations("render", "request"):
        if read.outcome != "ok":
            continue
        mine = [edit for edit in edits if edit.subject == read.subject]
        shown = next((edit for edit in mine if edit.value == read.value), None)
        if shown is None:
            continue  # torn, or of an edit that is not over: others judge that
        for edit in mine:
            newer = edit.begin > (shown.end or 0)
            seen = edit.end is not None and edit.end < read.begin
            taken_up = history.watching or any(
                edit.end is not None and edit.end < done.begin and done.end is not None and done.end < read.begin
                for done in care
            )
            if newer and seen and taken_up:
                yield Broken(
                    "I4", f"{read.actor} was shown {read.value!r} after {edit.value!r} was in place", read.begin
                )
                break
    deploys = [done for done in history.operations("deploy") if done.outcome == "ok"]
    for visit in history.operations("visit"):
        before = [done for done in deploys if done.end is not None and done.end < visit.begin]
        if before and visit.outcome == "ok" and "version 0" in str(visit.value):
            yield Broken("I4", f"{visit.actor} was shown the old release after the deployment", max(visit.begin, last))


def i5_single_flight(history: History) -> Iterator[Broken]:
    """A version of a view is compiled once, and once more for each killed holder, lost lock and new generation.

    So it is where the store or the disk refused. A rebuild does not repeat what another did while it waited, nor what
    it has done itself: nobody takes what it has staged. A file that was damaged is served from its source by whoever
    meets it.
    """
    if history.operations("truncate", "wipe"):
        return
    excuses = len(history.notes("killed", "expired", "refused")) + len(history.operations("lose-reply", "store-down"))
    reads = history.operations(*READS)
    flips = [at for at, _ in history.notes("published")]
    compiled: dict[tuple[str, str], int] = {}
    since: dict[tuple[str, str], int] = {}
    for at, event in history.notes("compiled"):
        text, doing = event.value
        if doing not in READS:
            continue
        key = (event.subject, text)
        compiled[key] = compiled.get(key, 0) + 1
        # Whoever was at it before a flip compiles for the generation that was.
        begun = max((read.begin for read in reads if read.actor == event.actor and read.begin < at), default=at)
        since[key] = min(begun, since.get(key, begun))
        allowed = 1 + excuses + sum(since[key] < flip < at for flip in flips)
        if compiled[key] == allowed + 1:
            yield Broken("I5", f"{event.subject} was compiled {compiled[key]} times, {allowed} would do", at)
    yield from _repeated_rebuilds(history, excuses)
    yield from _begun_again(history, excuses)


def _begun_again(history: History, excuses: int) -> Iterator[Broken]:
    # Once the grace period is over, what a rebuild has staged may be taken for a dead one's.
    if excuses or history.notes("jumped") or history.operations("age"):
        return
    for mine in history.operations(*CARE):
        compiled: set[tuple[str, str]] = set()
        for at, event in history.notes("compiled"):
            if event.actor != mine.actor or not _within(at, mine):
                continue
            version = (event.subject, event.value[0])
            if version in compiled:
                yield Broken(
                    "I5", f"{mine.actor}'s {mine.op} compiled {event.subject} again: what it had was taken", at
                )
                return
            compiled.add(version)


def _repeated_rebuilds(history: History, excuses: int) -> Iterator[Broken]:
    rebuilds = history.operations("rebuild")
    disturbed = excuses or history.operations("clear", "truncate", "wipe", "edit", "save")[_setups(history) :]
    if disturbed:
        return
    flips = [(event.actor, at) for at, event in history.notes("published")]
    compiles = [(event.actor, at) for at, event in history.notes("compiled")]
    for mine in rebuilds:
        began = next((at for actor, at in compiles if actor == mine.actor and _within(at, mine)), None)
        for other in rebuilds:
            if other.actor == mine.actor or began is None or other.end is None or other.end > began:
                continue
            if any(actor == other.actor and _within(at, other) and at > mine.begin for actor, at in flips):
                yield Broken("I5", f"{mine.actor} rebuilt what {other.actor} had rebuilt while it waited", began)


def _within(at: int, operation: Operation) -> bool:
    return operation.begin < at and (operation.end is None or at < operation.end)


def _setups(history: History) -> int:
    return sum(event.actor == "setup" and event.kind == "ok" for event in history.events)


def i6_recovery(history: History) -> Iterator[Broken]:
    """Nobody waits for a lock beyond its TTL, whoever died holding it.

    Nobody is fenced off by nobody, nor while the lock is still his own.
    """
    limit = history.ttl_seconds + EPSILON_SECONDS
    for done in history.operations(*READS, *CARE):
        if done.outcome == "fail" and str(done.value).startswith("LockTimeout"):
            yield Broken("I6", f"{done.actor}'s {done.op} gave up on a lock: {done.value}", done.end or 0)
        elif done.seconds > limit:
            yield Broken(
                "I6",
                f"{done.actor}'s {done.op} took {done.seconds:.1f} s, with a TTL of {history.ttl_seconds:g} s",
                done.end or 0,
            )
    yield from _fenced_off_wrongly(history)


def _fenced_off_wrongly(history: History) -> Iterator[Broken]:
    fenced = [
        done
        for done in history.operations(*CARE)
        if done.outcome == "fail" and str(done.value).startswith("Fenced") and done.end is not None
    ]
    flips = [(at, event.actor) for at, event in history.notes("published")] if fenced else []
    taken = [(at, event.actor) for at, event in history.notes("acquired") if event.subject.endswith(REBUILD_LOCK)]
    losses = [at for at, event in history.notes("expired") if event.subject.endswith(REBUILD_LOCK)]
    for done in fenced:
        at_end = done.end or 0
        mine = max((at for at, actor in taken if actor == done.actor and _within(at, done)), default=at_end)
        if not history.notes("killed") and not any(at > done.begin and actor != done.actor for at, actor in flips):
            yield Broken("I6", f"{done.actor}'s {done.op} was fenced off by nobody: {done.value}", at_end)
        elif mine < at_end and not (
            any(mine < at < at_end and actor != done.actor for at, actor in taken) or any(at < at_end for at in losses)
        ):
            # Nobody had lost the lock: whoever published with a higher token drew it before this actor had it.
            yield Broken("I6", f"{done.actor}'s {done.op} was fenced off with its lock in hand: {done.value}", at_end)


def i7_no_residue(history: History) -> Iterator[Broken]:
    """When all is done nothing unfinished lies about, and no lock is kept; what the dead left goes with recovery."""
    end = len(history.events)
    if residue := history.facts.get("residue"):
        yield Broken("I7", f"residue is left: {residue}", end)
    if forever := history.facts.get("locks_without_ttl"):
        yield Broken("I7", f"locks without a TTL are left: {forever}", end)
    kept = [key for key in history.facts.get("locks") or () if not _excused(history, key)]
    if kept:
        yield Broken("I7", f"locks are left that nobody owns: {kept}", end)


def _excused(history: History, key: str) -> bool:
    """Tell whether a lock may be left: its owner was killed, the store was down, or a reply was lost or came too late.

    Of whoever no longer waits for its answer the store may do later still what it was asked for.
    """
    if history.operations("store-down"):
        return True
    killed = {event.actor for _, event in history.notes("killed")}
    owner, given_back = None, False
    for _, event in history.notes("acquired", "released"):
        if event.subject == key and event.op == "acquired":
            owner, given_back = event.actor, False
        elif event.subject == key and event.actor == owner:
            given_back = True
    if owner is not None and not given_back:
        return owner in killed
    unanswered = any(event.subject == "store" for _, event in history.notes("refused"))
    return bool(killed or unanswered or history.operations("lose-reply"))


def i8_no_throw(history: History) -> Iterator[Broken]:
    """No fault of the cache reaches a caller as an exception; a state of the lock told by its name is none."""
    for done in history.operations(*READS, *CARE):
        told = (*STATES, DISK_FULL) if done.op in CARE else STATES
        if done.outcome == "fail" and not str(done.value).startswith(told):
            what = f"{done.op} {done.subject}".rstrip()
            yield Broken("I8", f"{done.actor}'s {what} raised {done.value}", done.end or 0)


def i9_fence(history: History) -> Iterator[Broken]:
    """Nothing is published with a fencing token below one that has published."""
    highest: dict[str, int] = {}
    for at, event in history.notes("published"):
        named = str(event.value[0]).rpartition("/")[2].partition("-")[0]
        if not named.isdigit():
            continue
        token = int(named)
        if token < highest.get(event.subject, 0):
            yield Broken("I9", f"{event.actor} published token {token} after token {highest[event.subject]}", at)
        highest[event.subject] = max(token, highest.get(event.subject, 0))


def i10_set_atomic(history: History) -> Iterator[Broken]:
    """A generation that can be seen has every file that it names."""
    if history.operations("truncate", "wipe"):
        return
    for at, event in history.notes("published"):
        if event.value[1]:
            yield Broken("I10", f"{event.actor} published {event.value[0]} without {event.value[1]}", at)
    if missing := history.facts.get("missing"):
        yield Broken("I10", f"the current generation lacks {missing}", len(history.events))


def i11_no_sticky(history: History) -> Iterator[Broken]:
    """What was broken heals with the next render: when all is done, the second look is a good one."""
    looks: dict[tuple[str, str], list[Operation]] = {}
    for read in history.operations("render"):
        if read.actor == "observer" or read.actor.endswith(", later"):
            looks.setdefault((read.actor, read.subject), []).append(read)
    if all(len(operations) == 1 for operations in looks.values()):
        return
    again = {operations[-1].end for operations in looks.values() if len(operations) > 1}
    begun = {operations[-1].begin for operations in looks.values() if len(operations) > 1}
    for check in (i2_no_missing, i3_no_torn, i4_fresh, i8_no_throw):
        for broken in check(history):
            if broken.at in again or broken.at in begun:
                yield Broken("I11", f"it does not heal: {broken.seen}", broken.at)


def i12_progress(history: History) -> Iterator[Broken]:
    """Every actor ends within the step budget."""
    for at, event in history.notes("stuck"):
        yield Broken("I12", f"{event.actor} was not done after {event.value} steps", at)


INVARIANTS: dict[str, Callable[[History], Iterator[Broken]]] = {
    "I1": i1_mutex,
    "I2": i2_no_missing,
    "I3": i3_no_torn,
    "I4": i4_fresh,
    "I5": i5_single_flight,
    "I6": i6_recovery,
    "I7": i7_no_residue,
    "I8": i8_no_throw,
    "I9": i9_fence,
    "I10": i10_set_atomic,
    "I11": i11_no_sticky,
    "I12": i12_progress,
}

WITHOUT_LOCKS = frozenset({"I1", "I5"})
"""The ablation law: what may break where there is no lock at all."""


def broken_in(history: History, names: Iterable[str] = INVARIANTS) -> list[Broken]:
    """Judge a history."""
    return [broken for name in names for broken in INVARIANTS[name](history)]
