"""Where a lock was lost, told from a history alone: who is excused, and who is not."""

from __future__ import annotations

import pytest

from fixtures.concurrency.history import Event
from fixtures.concurrency.losses import with_lost_locks

KEY = "p:lock:view:k"
TTL_SECONDS = 0.4


def note(seconds: float, actor: str, op: str, value: object = None, subject: str = KEY) -> Event:
    """Give a note."""
    return Event(0, actor, "note", op, subject, value, seconds)


def held(seconds: float, actor: str) -> list[Event]:
    """Take the lock, and enter."""
    return [note(seconds, actor, "acquired", seconds), note(seconds, actor, "entered")]


def nemesis(begin: float, end: float, op: str) -> list[Event]:
    """Tell of what befell the store, from when until when."""
    return [
        Event(0, "nemesis", "invoke", op, "ann", None, begin),
        Event(0, "nemesis", "ok", op, "ann", None, end),
    ]


@pytest.mark.parametrize(
    ("events", "lost"),
    [
        pytest.param([*held(0.0, "ann"), *held(0.5, "bob")], ["ann"], id="ttl-over"),
        pytest.param([*held(0.0, "ann"), *held(0.3, "bob")], [], id="ttl-not-over"),
        pytest.param(
            [*held(0.0, "ann"), note(0.3, "ann", "confirmed", 0.3), *held(0.5, "bob")], [], id="confirmed-since"
        ),
        pytest.param(
            [*held(0.0, "ann"), note(0.3, "ann", "confirmed", 0.05), *held(0.5, "bob")], ["ann"], id="asked-long-before"
        ),
        pytest.param([*held(0.0, "ann"), note(0.1, "ann", "released", True), *held(0.5, "bob")], [], id="given-back"),  # noqa: FBT003
        pytest.param(
            [*held(0.0, "ann"), note(0.1, "cid", "released", True), *held(0.2, "bob")],  # noqa: FBT003
            [],
            id="given-back-by-another",
        ),
        pytest.param(
            [*held(0.0, "ann"), *nemesis(0.1, 0.15, "store-down"), *held(0.2, "bob")], ["ann"], id="store-down"
        ),
        pytest.param([*held(0.0, "ann"), *nemesis(0.1, 0.15, "flush"), *held(0.2, "bob")], ["ann"], id="flush"),
        pytest.param([*nemesis(0.0, 0.05, "flush"), *held(0.1, "ann"), *held(0.2, "bob")], [], id="flush-before"),
        pytest.param([*held(0.0, "ann"), *nemesis(0.1, 0.15, "fill"), *held(0.2, "bob")], [], id="disk-alone"),
        pytest.param([*held(0.0, "ann"), note(0.1, "ann", "killed", 1, ""), *held(0.5, "bob")], [], id="dead"),
        pytest.param(
            [Event(0, "ann", "invoke", "render", "v", None, 0.0), note(0.7, "ann", "compiled", ["t", "render"], "v")],
            ["ann"],
            id="waited-in-vain",
        ),
        pytest.param(
            [Event(0, "ann", "invoke", "render", "v", None, 0.0), note(0.1, "ann", "compiled", ["t", "render"], "v")],
            [],
            id="did-not-wait",
        ),
    ],
)
def test_a_lock_counts_as_lost_only_where_it_may_have_been(events: list[Event], lost: list[str]) -> None:
    """Somebody's lock is lost once its TTL is over, unrenewed, or where the store forgot it; nobody else is excused."""
    told = with_lost_locks(events, TTL_SECONDS)
    assert [event.actor for event in told if event.op == "expired"] == lost
    assert [event for event in told if event.op != "expired"] == events
