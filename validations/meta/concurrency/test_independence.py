"""What commutes need not be run in both orders: the reduced space has every history of the whole one, and no fewer."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.history import History
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.php.system import PhpSystem
from fixtures.concurrency.scheduler import Actor, Run, Scheduler, Step
from fixtures.concurrency.schedules import Decision, Schedule, Sparse, exhaust
from fixtures.profiles import Profile
from validations.meta.concurrency.anonymous import Line, anonymous
from validations.races.blade import Seen, symptoms
from validations.races.blade_portfolio import CASES

Program = tuple[tuple[str, ...], ...]
"""File operations one after another; where a `stat` finds nothing the next one is left out."""

PATHS = ("a", "b", "d/a", "d/b")


def meets(step: tuple[str, str], *others: tuple[str, str]) -> bool:
    """Tell whether ann's step meets what bob does."""
    mine, theirs = Step(0, "ann", *step), [Step(number, "bob", *other) for number, other in enumerate(others, 1)]
    known = Independence()
    known.saw(Run([mine, *theirs]))
    return known.meets(mine, theirs)


@pytest.mark.parametrize(
    ("step", "other"),
    [
        pytest.param(("stat", "d/a"), ("write", "d/a"), id="look-and-write"),
        pytest.param(("stat", "d/a"), ("rename", "b -> d/a"), id="look-and-rename-onto"),
        pytest.param(("read", "d/a"), ("rename", "d -> e"), id="look-below-what-is-renamed"),
        pytest.param(("lstat", "d"), ("unlink", "d/a"), id="look-at-a-directory-and-unlink-in-it"),
        pytest.param(("glob", "d/*"), ("create", "d/a"), id="glob-and-create"),
        pytest.param(("glob", "*/a"), ("stat", "b"), id="a-glob-over-directories"),
        pytest.param(("create", "d/a"), ("unlink", "d/b"), id="two-names-in-a-directory"),
        pytest.param(("rmdir", "d"), ("stat", "d/a"), id="remove-above-a-look"),
        pytest.param(("write", "a"), ("kill", "ann"), id="a-kill-meets-what-its-victim-changes"),
        pytest.param(("SET", "redis:lock"), ("kill", "ann"), id="a-kill-meets-what-its-victim-asks-for"),
        pytest.param(("stat", "a"), ("age", "1 h"), id="time-meets-everything"),
        pytest.param(("link", "a -> b"), ("stat", "c"), id="what-is-not-known-meets-everything"),
        pytest.param(("GET", "redis:lock"), ("SET", "redis:lock"), id="one-key"),
        pytest.param(("GET", "redis:lock"), ("FLUSHDB", "redis:"), id="a-flush-meets-every-key"),
        pytest.param(("SET", "redis:lock"), ("expire", "every lock"), id="an-expiry-meets-every-key"),
        pytest.param(("SET", "redis:lock"), ("lose-reply", "ann"), id="a-lost-reply-meets-who-asks"),
    ],
)
def test_what_does_not_commute_meets(step: tuple[str, str], other: tuple[str, str]) -> None:
    """Either order of these two may show, so a switch between them is tried; from both sides."""
    assert meets(step, other)
    if other[0] in {"write", "rename", "unlink", "create", "stat"}:
        assert meets(other, step)


def test_names_that_mean_one_file_meet() -> None:
    """What is open goes by every name that it may have by now, what is reached through a link by any."""
    assert meets(("write", "t/x"), ("rename", "t -> d"), ("read", "d/x"))
    assert meets(("stat", "new/x"), ("symlink", "tmp"), ("rename", "tmp -> new"))
    assert meets(("stat", "current"), ("readlink", "current"))
    assert meets(("access", "a"), ("open", "a"), ("close", "a"))


@pytest.mark.parametrize(
    ("step", "other"),
    [
        pytest.param(("stat", "a"), ("read", "a"), id="two-looks"),
        pytest.param(("lstat", "current"), ("readlink", "current"), id="two-looks-at-a-link"),
        pytest.param(("write", "d/a"), ("write", "d/b"), id="two-files"),
        pytest.param(("create", "d/a"), ("create", "e/a"), id="two-directories"),
        pytest.param(("write", "a"), ("sleep", ""), id="a-sleep-by-itself"),
        pytest.param(("write", "a"), ("kill", "cid"), id="a-kill-of-another"),
        pytest.param(("stat", "a"), ("kill", "ann"), id="a-kill-of-one-who-only-looks"),
        pytest.param(("write", "a"), ("FLUSHDB", "redis:"), id="a-file-and-the-store"),
        pytest.param(("GET", "redis:lock"), ("SET", "redis:other"), id="two-keys"),
    ],
)
def test_what_commutes_does_not_meet(step: tuple[str, str], other: tuple[str, str]) -> None:
    """In either order these two come to the same: else nothing would be spared."""
    assert not meets(step, other)
    assert other[0] in {"sleep", "kill"} or not meets(other, step)


def test_what_failed_has_only_looked() -> None:
    """Making a directory that is there changes nothing below it; where it was missing, it does."""
    known = Independence()
    there, made = Step(0, "ann", "mkdir", "d", "FileExistsError"), Step(0, "ann", "mkdir", "d")
    below, missed = Step(1, "bob", "stat", "d/a"), Step(1, "bob", "stat", "d/a", "FileNotFoundError")
    assert not known.meets(there, [below])
    assert not known.meets(there, [Step(1, "bob", "create", "d/a")])
    assert not known.meets(below, [made])
    assert known.meets(missed, [made])
    assert known.meets(made, [below])
    assert known.meets(Step(0, "ann", "SET", "redis:lock", "reply lost"), [Step(1, "bob", "GET", "redis:lock")])


def test_what_is_done_beside_a_step_meets_too() -> None:
    """A step of no known kind touches what it tells that it touches; without a word of it, everything."""
    known = Independence()
    wiped = Step(1, "nemesis", "wipe", "compiled files", beside=(("listdir", "d"), ("unlink", "d/a")))
    assert known.meets(Step(0, "ann", "read", "d/a"), [wiped])
    assert known.meets(Step(0, "ann", "create", "d/b"), [wiped])
    assert not known.meets(Step(0, "ann", "read", "e"), [wiped])
    assert known.meets(Step(0, "ann", "read", "e"), [Step(1, "nemesis", "wipe", "compiled files")])


class Blind(Independence):
    """Believes that everything commutes."""

    def after(self, schedule: Schedule) -> Iterator[tuple[int, Schedule]]:  # noqa: ARG002
        """Take nothing up."""
        return iter(())


def do(root: Path, op: tuple[str, ...], actor: Actor) -> object:
    """Do one thing to real files, each system call announced."""
    kind, path = op[0], op[1]
    if kind == "put":
        step = actor.announce("create", path)
        with failing(step):
            descriptor = os.open(root / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            actor.announce("write", path)
            os.write(descriptor, actor.name.encode())
            actor.announce("close", path)
        finally:
            os.close(descriptor)
            actor.effect()
        return None
    if kind == "get":
        step = actor.announce("open", path)
        with failing(step), (root / path).open("rb") as file:
            actor.announce("read", path)
            return file.read()
    if kind in {"await", "nap"}:
        return awaited(root / path, path, actor, looks=3 if kind == "await" else 0)
    step = actor.announce(kind, f"{path} -> {op[2]}" if kind == "rename" else path)
    if kind == "stat":
        return (root / path).exists()
    with failing(step):
        if kind == "listdir":
            return os.listdir(root / path)  # noqa: PTH208 - in the order that it has
        if kind == "rename":
            (root / path).rename(root / op[2])
        else:
            {"unlink": os.unlink, "mkdir": os.mkdir, "rmdir": os.rmdir}[kind](root / path)
    actor.effect()
    return None


@contextlib.contextmanager
def failing(step: Step) -> Iterator[None]:
    """Tell a step's error."""
    try:
        yield
    except OSError as error:
        step.outcome = type(error).__name__
        raise


def awaited(file: Path, path: str, actor: Actor, *, looks: int) -> bool:
    """Look again and again, a few times, and sleep in between; without a look, sleep once."""
    for _ in range(looks):
        actor.announce("stat", path)
        if file.exists():
            return True
        actor.sleep(0.1)
    if not looks:
        actor.sleep(0.1)
    return False


def histories(
    programs: Sequence[Program], root: Path, preemptions: int, reduction: Callable[[], Independence] | None
) -> tuple[int, set[tuple[object, ...]]]:
    """Run all schedules; give how many they were, and what each actor saw, in which order, with what was left."""
    found: set[tuple[object, ...]] = set()
    known = None if reduction is None else reduction()

    def body(program: Program) -> Callable[[Actor], None]:
        def act(actor: Actor) -> None:
            seen: list[object] = []
            actor.invoke("act")
            for before, op in zip((("", ""), *program), program, strict=False):
                if before[0] == "stat" and seen[-1] is False:
                    seen.append("left out")
                    continue
                try:
                    seen.append(do(root, op, actor))
                except OSError as error:
                    seen.append(type(error).__name__)
            actor.record("ok", "act", "", repr(seen))

        return act

    with Scheduler() as scheduler:

        def run(schedule: Schedule) -> Sequence[Decision]:
            shutil.rmtree(root, ignore_errors=True)
            (root / "d").mkdir(parents=True)
            (root / "d/a").write_text("first")
            bodies = [(f"actor-{number}", body(program)) for number, program in enumerate(programs)]
            ran = scheduler.run(bodies, Sparse(schedule))
            if known is not None:
                known.saw(ran)
            left = tuple((str(p), p.read_bytes() if p.is_file() else b"") for p in sorted(root.rglob("*")))
            found.add((tuple((e.actor, e.kind, e.value) for e in ran.events), left))
            return ran.decisions

        number = len(list(exhaust(run, preemptions, reduction=known)))
    return number, found


one = st.sampled_from(PATHS)
operations = st.one_of(
    st.tuples(st.sampled_from(("put", "get", "stat", "unlink", "await")), one),
    st.tuples(st.just("rename"), one, one),
    st.tuples(st.just("rename"), st.just("d"), st.just("e")),
    st.tuples(st.sampled_from(("listdir", "mkdir", "rmdir", "nap")), st.just("d")),
)
programs = st.lists(st.lists(operations, min_size=1, max_size=4).map(tuple), min_size=2, max_size=3)


def test_no_history_is_lost_whatever_is_drawn(world: Callable[[], Path], profile: Profile) -> None:
    """Of drawn programs on real files the reduced space, never the larger, has the very histories of the whole."""
    root = world() / "files"
    spared = 0

    @settings(
        max_examples=profile.choose(gate=40, ci=100, soak=20_000),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(programs, st.integers(1, 2))
    def compare(drawn: list[Program], preemptions: int) -> None:
        nonlocal spared
        whole, all_histories = histories(drawn, root, preemptions, None)
        fewer, kept = histories(drawn, root, preemptions, Independence)
        assert kept == all_histories
        assert fewer <= whole
        spared += whole - fewer

    compare()
    assert spared > 0


def test_who_believes_that_all_commutes_loses_histories(world: Callable[[], Path]) -> None:
    """The comparison can fail: a reduction that is wrong gives fewer histories than there are."""
    root = world() / "files"
    raced: list[Program] = [(("stat", "d/a"), ("get", "d/a")), (("unlink", "d/a"),)]
    _, everything = histories(raced, root, 2, None)
    _, kept = histories(raced, root, 2, Independence)
    _, blind = histories(raced, root, 2, Blind)
    assert blind < everything == kept


def test_who_sleeps_can_go_wherever_he_could(world: Callable[[], Path]) -> None:
    """Whoever naps needs a change to wake him: where he may go then does not depend on which of two switches is run."""
    root = world() / "files"
    woken: list[Program] = [
        (("rename", "d/a", "b"), ("put", "a"), ("get", "d/b")),
        (("get", "b"), ("nap", "d"), ("put", "d/b")),
    ]
    whole, everything = histories(woken, root, 2, None)
    fewer, kept = histories(woken, root, 2, Independence)
    assert kept == everything
    assert fewer < whole


SMALL = ("warm-render-against-clear", "cold-render-against-clear", "two-cold-renders", "visit-against-deployment")
LARGER = (
    "warm-render-against-cache",
    "two-renders-against-clear",
    "resaved-render-against-clear",
    "parts-against-clear",
)


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, id=name) for name in SMALL),
        *(pytest.param(name, id=name, marks=pytest.mark.profile("ci")) for name in LARGER),
    ],
)
def test_no_history_of_real_blade_is_lost(name: str, bare: PhpSystem) -> None:
    """On the unmodified framework, too: event by event the same histories, and the same failures."""
    seen: list[set[tuple[Line, ...]]] = []
    counts = []
    scenario = CASES[name].scenario
    for reduction in (None, Independence):
        found: set[tuple[Line, ...]] = set()

        def judge(history: History, found: set[tuple[Line, ...]] = found) -> list[Seen]:
            found.add(anonymous([(*event[1:5], str(event.value)) for event in history.events], scenario))
            return symptoms(history)

        with Explorer(bare, judge, reduction=reduction) as explorer:
            exploration = explorer.exhaust(scenario, 2, until=())
        assert exploration.exhausted
        assert set(exploration.broken) == set(CASES[name].unmodified)
        counts.append(exploration.schedules)
        seen.append(found)
    assert seen[0] == seen[1]
    assert counts[1] <= counts[0]
