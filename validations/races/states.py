"""States worth reaching: a promise that held proves nothing where its danger never came up. Pure, as invariants are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fixtures.concurrency.history import Event
from fixtures.concurrency.systems import Outcome
from validations.races.invariants import CARE, READS, WRITES

VIEW_LOCK = ":lock:view:"


def contended(outcome: Outcome) -> bool:
    """Somebody asked for a lock in the store that another held."""
    return ("SET", "no") in outcome.steps_taken


def waited_to_publish(outcome: Outcome) -> bool:
    """A publisher found another at it."""
    return ("flock", "held") in outcome.steps_taken


def rechecked(outcome: Outcome) -> bool:
    """Somebody waited for a view's lock, and found the view compiled when it was his."""
    compiling: dict[str, bool] = {}
    for event in outcome.history.events:
        if event.op == "entered" and VIEW_LOCK in event.subject:
            compiling[event.actor] = False
        elif event.op == "compiled" and event.actor in compiling:
            compiling[event.actor] = True
        elif event.op == "left" and not compiling.pop(event.actor, True):
            return True
    return False


def taken_over(outcome: Outcome) -> bool:
    """A rebuild that waited for another found everything done."""
    made: dict[str, str] = {}
    for event in outcome.history.events:
        if event.op == "published":
            made[str(event.value[0]).rpartition("/")[2]] = event.actor
        elif (event.kind, event.op) == ("ok", "rebuild") and made.get(str(event.value)) not in {event.actor, None}:
            return True
    return False


def flipped_during_a_render(outcome: Outcome) -> bool:
    """The pointer was flipped between a render's first step and its end."""
    return _during(outcome, READS, "published")


def flipped_during_care(outcome: Outcome) -> bool:
    """Another flipped the pointer during a rebuild, a clear or a fix."""
    return _during(outcome, CARE, "published")


def edited_during_a_render(outcome: Outcome) -> bool:
    """A source was edited between a render's first step and its end."""
    return _during(outcome, READS, *WRITES)


def edited_during_care(outcome: Outcome) -> bool:
    """A source was edited during a rebuild, a clear or a fix."""
    return _during(outcome, CARE, *WRITES)


def wiped_during_a_render(outcome: Outcome) -> bool:
    """The compiled files were removed between a render's first step and its end."""
    return _during(outcome, READS, "wipe")


def collected_together(outcome: Outcome) -> bool:
    """Two actors removed retired generations at the same time."""
    removing: dict[str, int] = {}
    for step in outcome.run.steps:
        if step.op == "listdir" and "/.trash-" in step.resource:
            removing[step.resource] = removing.get(step.resource, 0) + 1
    return any(times > 1 for times in removing.values())


def emptied_source_met(outcome: Outcome) -> bool:
    """A source was read while its editor had emptied it and not written it."""
    empty = False
    for step in outcome.run.steps:
        if "/sources/" in step.resource:
            if step.op == "create":
                empty = True
            elif step.op == "write":
                empty = False
            elif step.op == "read" and empty:
                return True
    return False


def killed_inside(outcome: Outcome) -> bool:
    """An actor was killed while it held a lock."""
    return "killed" in outcome.history.ops and any(event.op == "killed" for _, event in _while_inside(outcome))


def killed_before_publishing(outcome: Outcome) -> bool:
    """An actor was killed between the making of a file and the renaming that publishes it."""
    if "killed" not in outcome.history.ops:
        return False
    unfinished: dict[str, str] = {}
    dead = {event.actor for event in outcome.history.events if event.op == "killed"}
    for step in outcome.run.steps:
        if step.op == "create" and "/compiled/" in step.resource:
            unfinished[step.actor] = step.resource
        elif step.op == "rename":
            unfinished.pop(step.actor, None)
    return bool(dead & unfinished.keys())


def killed_at_the_kernel_lock(outcome: Outcome) -> bool:
    """An actor was killed while it held the publishers' kernel lock."""
    if "killed" not in outcome.history.ops:
        return False
    holding: set[str] = set()
    for step in outcome.run.steps:
        if step.op == "flock" and not step.outcome:
            holding.add(step.actor)
        elif step.op == "close" and step.resource.endswith(".lock"):
            holding.discard(step.actor)
        elif step.op == "kill" and step.resource in holding:
            return True
    return False


def lost_inside(outcome: Outcome) -> bool:
    """A lock expired while its holder was inside."""
    return "expired" in outcome.history.ops and any(
        event.op == "expired" and event.subject == key for key, event in _while_inside(outcome)
    )


def second_holder(outcome: Outcome) -> bool:
    """A lock that had expired was taken by another while its first holder was still inside."""
    return any(event.op == "entered" and event.subject == key for key, event in _while_inside(outcome))


def loss_told(outcome: Outcome) -> bool:
    """Whoever lost a lock said so instead of publishing."""
    return any(
        event.kind == "fail" and str(event.value).startswith(("LockLost", "Fenced")) for event in outcome.history.events
    )


def damaged_view_met(outcome: Outcome) -> bool:
    """A request compiled a view in place of its file, which somebody had cut."""
    if "truncate" not in outcome.history.ops:
        return False
    cut = False
    for event in outcome.history.events:
        if (event.kind, event.op) == ("ok", "truncate"):
            cut = True
        elif cut and event.op == "compiled" and event.value[1] == "request":
            return True
    return False


def checked_during_a_render(outcome: Outcome) -> bool:
    """The health check looked at the views between a render's first step and its end."""
    return _during(outcome, READS, "health-fix")


def reply_lost(outcome: Outcome) -> bool:
    """A reply of the store was lost."""
    return any(how == "reply lost" for _, how in outcome.steps_taken)


def store_out_of_reach(outcome: Outcome) -> bool:
    """The store did not answer."""
    return any(how == "ConnectionError" for _, how in outcome.steps_taken)


def _while_inside(outcome: Outcome) -> Iterator[tuple[str, Event]]:
    """Give each event that happens while some actor is inside a lock, with the lock's key."""
    inside: dict[str, set[str]] = {}
    for event in outcome.history.events:
        if event.op in {"entered", "killed", "expired"}:
            for key, actors in inside.items():
                if actors and (event.op != "killed" or event.actor in actors):
                    yield key, event
        if event.op == "entered":
            inside.setdefault(event.subject, set()).add(event.actor)
        elif event.op == "left":
            inside.get(event.subject, set()).discard(event.actor)


def _during(outcome: Outcome, operations: tuple[str, ...], *happenings: str) -> bool:
    """Tell whether another noted one of these, or finished one, during one of the operations."""
    if outcome.history.ops.isdisjoint(happenings):
        return False
    begun: set[str] = set()
    for event in outcome.history.events:
        if event.op in operations:
            (begun.add if event.kind == "invoke" else begun.discard)(event.actor)
        elif event.op in happenings and event.kind in {"note", "ok"} and begun - {event.actor}:
            return True
    return False


STATES: dict[str, Callable[[Outcome], bool]] = {
    state.__name__.replace("_", "-"): state
    for state in (
        contended,
        waited_to_publish,
        rechecked,
        taken_over,
        flipped_during_a_render,
        flipped_during_care,
        edited_during_a_render,
        edited_during_care,
        wiped_during_a_render,
        collected_together,
        emptied_source_met,
        killed_inside,
        killed_before_publishing,
        killed_at_the_kernel_lock,
        lost_inside,
        second_holder,
        loss_told,
        damaged_view_met,
        checked_during_a_render,
        reply_lost,
        store_out_of_reach,
    )
}
