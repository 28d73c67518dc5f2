"""What real processes are put through: named plans, drawn ones, and the states they must reach to mean anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from fixtures.concurrency.history import History
from fixtures.concurrency.process_tier import TTL_SECONDS, Plan, Strike
from fixtures.concurrency.scheduler import Run
from fixtures.concurrency.systems import Deed, Outcome, Scenario
from validations.races import states

PAGE, OTHER = "page.html", "other.html"
RENDER: tuple[Deed, ...] = (("render", PAGE),)
REBUILD: tuple[Deed, ...] = (("rebuild", ""),)

JUMPS = ("jump+3600", "jump-3600")
NEMESES = ("kill", "outlast", "restart", "evict", "flush", "lose-reply", "late", *JUMPS)


@dataclass(frozen=True)
class Case:
    """A plan, and the states that it must reach. breaks: the promise that must break of a mutant."""

    id: str
    plan: Plan
    must_reach: tuple[str, ...] = ()
    breaks: str = ""


def of(
    name: str,
    *strikes: Strike,
    first: tuple[Deed, ...] = REBUILD,
    second: tuple[Deed, ...] = REBUILD,
    mutant: str = "",
) -> Plan:
    """Give a plan for two: bob begins where ann has been struck, or has done what she had to do."""
    scenario = Scenario(name, (("ann", first), ("bob", second)), ttl_seconds=TTL_SECONDS)
    wait = Strike("bob", "wait", 1, inside=False)
    return Plan(scenario, (wait, *strikes), mutant)


def _ann(nemesis: str, step: int, *, inside: bool = True) -> Strike:
    return Strike("ann", nemesis, step, inside)


CASES = (
    Case("kill-in-a-rebuild", of("kill-in-a-rebuild", _ann("kill", 14)), ("killed-inside",)),
    Case(
        "kill-in-a-render",
        of("kill-in-a-render", _ann("kill", 4), first=RENDER, second=RENDER),
        ("killed-inside", "contended"),
    ),
    Case(
        "pause-past-the-ttl",
        of("pause-past-the-ttl", _ann("outlast", 12)),
        ("lost-inside", "second-holder", "loss-told"),
    ),
    Case(
        "pause-past-the-ttl-in-a-render",
        of("pause-past-the-ttl-in-a-render", _ann("outlast", 4), first=RENDER, second=RENDER),
        ("lost-inside", "second-holder"),
    ),
    Case(
        "store-restarts", of("store-restarts", _ann("restart", 12)), ("restarted-inside", "second-holder", "loss-told")
    ),
    Case("store-evicts", of("store-evicts", _ann("evict", 12)), ("evicted-inside", "second-holder", "loss-told")),
    Case("store-is-flushed", of("store-is-flushed", _ann("flush", 12)), ("flushed-inside", "second-holder")),
    Case(
        "reply-of-taking-lost",
        of("reply-of-taking-lost", _ann("lose-reply", 13, inside=False), first=RENDER, second=RENDER),
        ("reply-lost",),
    ),
    Case("reply-of-giving-back-lost", of("reply-of-giving-back-lost", _ann("lose-reply", 41)), ("reply-lost",)),
    Case(
        "taken-too-late",
        of("taken-too-late", _ann("late", 13, inside=False), first=RENDER, second=RENDER),
        ("answered-late",),
    ),
    Case(
        "taken-after-it-was-given-up",
        of(
            "taken-after-it-was-given-up",
            _ann("late", 13, inside=False),
            _ann("late", 14, inside=False),
            first=RENDER,
            second=RENDER,
        ),
        ("answered-late",),
    ),
    Case("given-back-too-late", of("given-back-too-late", _ann("late", 41)), ("answered-late",)),
    Case("clock-jumps", of("clock-jumps", _ann("jump+3600", 12)), ("clock-jumped",)),
)

DISK_CASES = (
    Case("disk-full-in-a-rebuild", of("disk-full-in-a-rebuild", _ann("fill", 8), second=RENDER), ("disk-refused",)),
    Case(
        "disk-full-in-a-render",
        of("disk-full-in-a-render", _ann("fill", 3), first=RENDER, second=RENDER),
        ("disk-refused",),
    ),
)

MUTANTS = (
    Case(
        "no-ttl",
        of("no-ttl", _ann("kill", 4), first=RENDER, second=RENDER, mutant="no-ttl"),
        ("killed-inside",),
        "I7",
    ),
    Case(
        "release-by-name",
        of(
            "release-by-name",
            _ann("outlast", 4),
            Strike("bob", "outlast", 3),
            first=RENDER,
            second=RENDER,
            mutant="release-by-name",
        ),
        ("second-holder",),
        "I1",
    ),
    Case("no-fence", of("no-fence", _ann("outlast", 3), mutant="no-fence"), ("second-holder",), "I9"),
    Case(
        "put-in-place",
        of("put-in-place", _ann("kill", 4), first=RENDER, second=(("clear", ""),), mutant="put-in-place"),
        ("killed-inside",),
        "I3",
    ),
    Case(
        "store-down-is-fatal",
        of(
            "store-down-is-fatal",
            _ann("lose-reply", 13, inside=False),
            _ann("lose-reply", 14, inside=False),
            first=RENDER,
            second=RENDER,
            mutant="store-down-is-fatal",
        ),
        ("reply-lost",),
        "I8",
    ),
)

MUTANTS_ON_DISK = (
    Case(
        "lost-rename-is-fatal",
        of("lost-rename-is-fatal", _ann("fill", 3), first=RENDER, second=RENDER, mutant="lost-rename-is-fatal"),
        ("disk-refused",),
        "I8",
    ),
)


@st.composite
def plans(draw: st.DrawFn, *, small_disk: bool) -> Plan:
    """Draw who does what, which faults there are at all (swarm), and where they strike."""
    views = draw(st.sampled_from(((PAGE,), (PAGE, OTHER))))
    deed = st.one_of(
        st.tuples(st.sampled_from(("render", "request", "edit")), st.sampled_from(views)),
        st.sampled_from((("rebuild", ""), ("clear", ""), ("emergency-fix", ""), ("health-fix", ""))),
    )
    names = ("ann", "bob", "cid", "dee")[: draw(st.integers(2, 4))]
    actors = tuple((name, tuple(draw(st.lists(deed, min_size=1, max_size=3)))) for name in names)
    scenario = Scenario(
        "drawn",
        actors,
        begin=draw(st.sampled_from(("absent", "open", "warm"))),
        held=draw(st.booleans()),
        watching=draw(st.booleans()),
        views=views,
        ttl_seconds=TTL_SECONDS,
    )
    enabled = draw(
        st.lists(st.sampled_from((*NEMESES, *(("fill",) if small_disk else ()))), min_size=1, max_size=3, unique=True)
    )
    strike = st.builds(Strike, st.sampled_from(names), st.sampled_from(enabled), st.integers(1, 45), st.booleans())
    return Plan(scenario, tuple(draw(st.lists(strike, min_size=1, max_size=4))))


# --- states worth reaching

_SHARED = (
    "killed-inside",
    "lost-inside",
    "second-holder",
    "loss-told",
    "rechecked",
    "taken-over",
    "flipped-during-care",
)


def reached(history: History) -> list[str]:
    """Name the states that a run of real processes reached."""
    outcome = Outcome(Run(), history)
    return [
        *(name for name in _SHARED if states.STATES[name](outcome)),
        *(name for name, state in STATES.items() if state(history)),
    ]


def _noted(history: History, op: str, subject: str = "") -> bool:
    return any(event.subject == subject for _, event in history.notes(op))


def _inside(history: History, op: str, value: object = None) -> bool:
    """Tell whether this befell a worker while it was inside a lock."""
    inside: dict[str, int] = {}
    for event in history.events:
        if event.op in {"entered", "left"}:
            inside[event.actor] = inside.get(event.actor, 0) + (1 if event.op == "entered" else -1)
        elif (event.kind, event.op) == ("ok", op) and inside.get(event.subject) and value in {None, event.value}:
            return True
    return False


def _answered_late(history: History) -> bool:
    """Tell whether somebody gave up on a store that was only late."""
    late = {str(event.subject) for event in history.events if (event.kind, event.op) == ("ok", "late")}
    return any(event.subject == "store" and event.actor in late for _, event in history.notes("refused"))


STATES: Mapping[str, Callable[[History], bool]] = {
    "contended": lambda history: bool(history.notes("waited")),
    "restarted-inside": lambda history: _inside(history, "store-down", "restart"),
    "evicted-inside": lambda history: _inside(history, "store-down", "evict"),
    "flushed-inside": lambda history: _inside(history, "flush"),
    "reply-lost": lambda history: _noted(history, "reply-lost"),
    "answered-late": _answered_late,
    "disk-refused": lambda history: _noted(history, "refused", "disk"),
    "clock-jumped": lambda history: bool(history.notes("jumped")),
}
