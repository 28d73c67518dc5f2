"""I1 to I12 on literal histories: what keeps each, what breaks each, and what nobody can know, which breaks none."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.concurrency.history import Event, History, Kind
from validations.races.invariants import INVARIANTS, broken_in

LOCK = "app:lock:view:k"
REBUILD = "app:lock:view-cache:rebuild"


def _event(actor: str, kind: Kind, op: str, subject: str, value: Any = None, *, seconds: float = 0.0) -> Event:
    return Event(0, actor, kind, op, subject, value, seconds)


def did(actor: str, op: str, subject: str = "", value: Any = None, seconds: float = 0.0) -> list[Event]:
    """Give an operation that went well, with nothing in between."""
    return [_event(actor, "invoke", op, subject), _event(actor, "ok", op, subject, value, seconds=seconds)]


def failed(actor: str, op: str, subject: str, error: str, seconds: float = 0.0) -> list[Event]:
    """Give an operation that failed."""
    return [_event(actor, "invoke", op, subject), _event(actor, "fail", op, subject, error, seconds=seconds)]


def begun(actor: str, op: str, subject: str = "") -> list[Event]:
    """Give an operation whose end nobody knows."""
    return [_event(actor, "invoke", op, subject)]


def ended(actor: str, op: str, subject: str = "", value: Any = None, seconds: float = 0.0) -> list[Event]:
    """Give the good end of an operation that was begun."""
    return [_event(actor, "ok", op, subject, value, seconds=seconds)]


def unknown(actor: str, op: str, subject: str = "") -> list[Event]:
    """Give an operation whose reply was lost."""
    return [_event(actor, "invoke", op, subject), _event(actor, "info", op, subject)]


def saw(actor: str, op: str, subject: str = "", value: Any = None) -> list[Event]:
    """Give a note."""
    return [_event(actor, "note", op, subject, value)]


def killed(actor: str) -> list[Event]:
    """Give a kill, as a nemesis carries it out."""
    return [*begun("nemesis", "kill", actor), *saw(actor, "killed"), *ended("nemesis", "kill", actor)]


def entered(actor: str, lock: str = LOCK) -> list[Event]:
    """Take a lock and go inside."""
    return [*saw(actor, "acquired", lock, actor), *saw(actor, "entered", lock)]


def left(actor: str, lock: str = LOCK) -> list[Event]:
    """Go out and give the lock back."""
    return [*saw(actor, "left", lock), *saw(actor, "released", lock, value=True)]


def published(actor: str, generation: str, missing: tuple[str, ...] = ()) -> list[Event]:
    """Flip to a generation."""
    return saw(actor, "published", "r1/compiled/current", [f"generations/{generation}", list(missing)])


def compiled(actor: str, text: str = "v0", doing: str = "render") -> list[Event]:
    """Compile the page."""
    return saw(actor, "compiled", "page", [text, doing])


V0 = did("setup", "edit", "page", "v0")
V1 = did("editor", "edit", "page", "v1")


def history(*parts: list[Event], watching: bool = True, **facts: Any) -> History:
    """Put parts together, with a TTL of 30 s."""
    return History(tuple(event for part in parts for event in part), watching=watching, facts=facts)


def good(name: str, *parts: list[Event], **facts: Any) -> Any:
    """Give a case that keeps the promise."""
    return pytest.param(name.partition("-")[0], history(*parts, **facts), [], id=f"{name}")


def bad(name: str, seen: str, *parts: list[Event], **facts: Any) -> Any:
    """Give a case that breaks the promise, once."""
    return pytest.param(name.partition("-")[0], history(*parts, **facts), [seen], id=f"{name}")


GOOD = [
    good("I1-one-after-the-other", entered("ann"), left("ann"), entered("bob"), left("bob")),
    good("I1-two-locks", entered("ann", "a:lock:x"), entered("bob", "a:lock:y"), left("ann", "a:lock:x")),
    good("I1-lost-before-he-came-in", saw("ann", "acquired", LOCK, "ann"), saw("nemesis", "expired", LOCK),
         entered("bob"), saw("ann", "entered", LOCK)),
    good("I1-reacquired", entered("ann"), left("ann"), entered("ann"), left("ann")),
    good("I1-a-loss-that-was-told", begun("ann", "rebuild"), entered("ann", REBUILD),
         saw("nemesis", "expired", REBUILD), saw("ann", "told", "", "it is not ours any more"),
         saw("ann", "left", REBUILD), ended("ann", "rebuild", "", "1-1")),
    good("I1-a-loss-in-an-attempt-that-was-given-up", begun("ann", "rebuild"), saw("ann", "acquired", REBUILD, "ann"),
         saw("nemesis", "expired", REBUILD), saw("ann", "released", REBUILD, value=False),
         saw("ann", "acquired", REBUILD, "ann"), published("ann", "1-1"),
         saw("ann", "released", REBUILD, value=True), ended("ann", "rebuild", "", "1-1")),
    good("I1-a-loss-during-another-operation", begun("ann", "emergency-fix"), entered("ann", REBUILD),
         saw("nemesis", "expired", REBUILD), ended("ann", "emergency-fix"), did("ann", "rebuild", "", "1-1")),
    good("I2-rendered", V0, did("ann", "render", "page", "v0")),
    good("I2-another-error", V0, failed("ann", "render", "page", "LockTimeout: held")),
    good("I3-whole", V0, did("ann", "render", "page", "v0"), torn=[]),
    good("I3-the-new-version", V0, V1, did("ann", "render", "page", "v1")),
    good("I3-an-edit-that-is-not-over", V0, begun("editor", "edit", "page"), saw("editor", "writes", "page", "v1"),
         did("ann", "render", "page", "v1")),
    good("I4-seen", V0, V1, did("ann", "render", "page", "v1")),
    good("I4-edited-meanwhile", V0, begun("ann", "render", "page"), V1, ended("ann", "render", "page", "v0")),
    good("I4-pinned-and-not-taken-up", V0, V1, did("ann", "render", "page", "v0"), watching=False),
    good("I4-visit-before-the-deployment", begun("ann", "visit", "page"), did("deployer", "deploy", "r2"),
         ended("ann", "visit", "page", "page version 0")),
    good("I5-once", compiled("ann")),
    good("I5-once-a-version", compiled("ann"), compiled("bob", "v1")),
    good("I5-once-a-generation", compiled("ann"), published("cle", "1-2"), compiled("bob")),
    good("I5-a-rebuild-compiles-what-it-likes", compiled("ann"), compiled("bob", doing="rebuild")),
    good("I5-rebuilt-one-after-the-other", begun("ann", "rebuild"), compiled("ann", doing="rebuild"),
         published("ann", "1-1"), ended("ann", "rebuild"), begun("bob", "rebuild"), compiled("bob", doing="rebuild"),
         published("bob", "2-1"), ended("bob", "rebuild")),
    good("I5-rebuilt-twice-by-one", begun("ann", "rebuild"), compiled("ann", doing="rebuild"),
         ended("ann", "rebuild"), begun("ann", "rebuild"), compiled("ann", doing="rebuild"), published("ann", "1-1"),
         ended("ann", "rebuild")),
    good("I5-taken-over-and-again", begun("bob", "rebuild"), did("ann", "rebuild"), ended("bob", "rebuild"),
         begun("ann", "rebuild"), compiled("ann", doing="rebuild"), published("ann", "2-1"), ended("ann", "rebuild"),
         begun("bob", "rebuild"), compiled("bob", doing="rebuild"), published("bob", "3-1"), ended("bob", "rebuild")),
    good("I5-brought-up-to-date", begun("ann", "rebuild"), compiled("ann", doing="rebuild"),
         compiled("ann", "v1", doing="rebuild"), ended("ann", "rebuild")),
    good("I5-begun-again-after-the-grace-period", begun("ann", "rebuild"), compiled("ann", doing="rebuild"),
         did("nemesis", "age"), compiled("ann", doing="rebuild"), ended("ann", "rebuild")),
    good("I5-flipped-under-a-render", begun("ann", "render", "page"), published("cle", "1-2"), compiled("ann"),
         ended("ann", "render", "page", "v0"), compiled("bob")),
    good("I5-the-store-refused", compiled("ann"), saw("bob", "refused", "store"), compiled("bob")),
    good("I6-quick", did("ann", "render", "page", "v0", seconds=31.9)),
    good("I6-fenced-off", begun("ann", "rebuild"), published("bob", "2-1"),
         [_event("ann", "fail", "rebuild", "", "Fenced: token 1")]),
    good("I6-fenced-off-after-a-loss", begun("ann", "rebuild"), saw("ann", "acquired", REBUILD, "ann"),
         saw("bob", "acquired", REBUILD, "bob"), published("bob", "2-1"),
         [_event("ann", "fail", "rebuild", "", "Fenced: token 1")]),
    good("I6-fenced-off-by-one-who-had-lost-it", begun("ann", "rebuild"), saw("bob", "acquired", REBUILD, "bob"),
         saw("nemesis", "expired", REBUILD), saw("ann", "acquired", REBUILD, "ann"), published("bob", "2-1"),
         [_event("ann", "fail", "rebuild", "", "Fenced: token 2")]),
    good("I7-tidy", did("ann", "rebuild"), residue=[], locks=[], locks_without_ttl=[]),
    good("I8-a-state-of-the-lock", failed("ann", "rebuild", "", "LockLost: it expired")),
    good("I8-no-such-view", failed("ann", "render", "page", "TemplateNotFound: page")),
    good("I8-a-full-disk", failed("ann", "rebuild", "", "OSError: [Errno 28] No space left on device")),
    good("I9-rising", published("ann", "00000001-5"), published("bob", "00000002-6")),
    good("I9-carried-on", published("ann", "00000002-5"), published("bob", "00000002-6")),
    good("I10-complete", published("ann", "1-1"), missing=[]),
    good("I11-healed", V0, failed("observer", "render", "page", "FileNotFoundError: gone"),
         did("observer", "render", "page", "v0")),
    good("I12-all-ended", did("ann", "render", "page", "v0")),
]  # fmt: skip

BAD = [
    bad("I1-together", f"bob and ann were inside {LOCK} together", entered("ann"), saw("bob", "entered", LOCK)),
    bad("I1-anothers-lock", f"ann gave back {LOCK}, which bob held",
        saw("ann", "acquired", LOCK, "ann"), saw("nemesis", "expired", LOCK), saw("bob", "acquired", LOCK, "bob"),
        saw("ann", "released", LOCK, value=True)),
    bad("I1-a-loss-that-was-not-told", f"ann lost {REBUILD} during its rebuild, and did not say so",
        begun("ann", "rebuild"), entered("ann", REBUILD), saw("nemesis", "expired", REBUILD),
        published("ann", "1-1"), saw("ann", "left", REBUILD), ended("ann", "rebuild", "", "1-1")),
    bad("I1-a-loss-after-another-attempt", f"ann lost {REBUILD} during its rebuild, and did not say so",
        begun("ann", "rebuild"), saw("ann", "acquired", REBUILD, "ann"), saw("ann", "released", REBUILD, value=True),
        saw("ann", "acquired", REBUILD, "ann"), saw("nemesis", "expired", REBUILD), published("ann", "1-1"),
        ended("ann", "rebuild", "", "1-1")),
    bad("I1-lost-long-ago", f"bob and ann were inside {LOCK} together",
        saw("nemesis", "expired", LOCK), entered("ann"), saw("bob", "entered", LOCK)),
    bad("I2-missing", "ann's render of page met FileNotFoundError: gone", V0,
        failed("ann", "render", "page", "FileNotFoundError: gone")),
    bad("I3-empty", "ann rendered '', which no version of page says", V0, did("ann", "render", "page", "")),
    bad("I3-prefix", "ann rendered 'v', which no version of page says", V0, did("ann", "render", "page", "v")),
    bad("I3-not-yet-written", "ann rendered 'v1', which no version of page says", V0,
        did("ann", "render", "page", "v1"), V1),
    bad("I3-torn-file-left", "torn files are left: ['k.view']", V0, torn=["k.view"]),
    bad("I4-stale", "ann was shown 'v0' after 'v1' was in place", V0, V1, did("ann", "render", "page", "v0")),
    bad("I4-stale-after-a-rebuild", "ann was shown 'v0' after 'v1' was in place", V0, V1, did("cle", "rebuild"),
        did("ann", "render", "page", "v0"), watching=False),
    bad("I4-old-release", "ann was shown the old release after the deployment", did("deployer", "deploy", "r2"),
        did("ann", "visit", "page", "page version 0")),
    bad("I5-twice", "page was compiled 2 times, 1 would do", compiled("ann"), compiled("bob")),
    bad("I5-flipped-before-both", "page was compiled 2 times, 1 would do", published("cle", "1-2"),
        begun("ann", "render", "page"), compiled("ann"), compiled("bob")),
    bad("I5-rebuilt-again", "bob rebuilt what ann had rebuilt while it waited",
        begun("ann", "rebuild"), begun("bob", "rebuild"), compiled("ann", doing="rebuild"), published("ann", "1-1"),
        ended("ann", "rebuild"), compiled("bob", doing="rebuild"), published("bob", "2-1"), ended("bob", "rebuild")),
    bad("I5-begun-again", "ann's rebuild compiled page again: what it had was taken",
        begun("ann", "rebuild"), compiled("ann", doing="rebuild"), did("bob", "clear"),
        compiled("ann", doing="rebuild"), ended("ann", "rebuild")),
    bad("I6-gave-up", "ann's render gave up on a lock: LockTimeout: held",
        failed("ann", "render", "page", "LockTimeout: held")),
    bad("I6-too-long", "ann's rebuild took 32.5 s, with a TTL of 30 s", did("ann", "rebuild", seconds=32.5)),
    bad("I6-fenced-off-by-nobody", "ann's rebuild was fenced off by nobody: Fenced: token 1",
        published("bob", "2-1"), failed("ann", "rebuild", "", "Fenced: token 1")),
    bad("I6-fenced-off-with-the-lock-in-hand", "ann's rebuild was fenced off with its lock in hand: Fenced: token 1",
        begun("ann", "rebuild"), saw("bob", "acquired", REBUILD, "bob"), published("bob", "2-1"),
        saw("ann", "acquired", REBUILD, "ann"), [_event("ann", "fail", "rebuild", "", "Fenced: token 1")]),
    bad("I7-lock-of-one-who-lives", "locks are left that nobody owns: ['app:lock:view:k']",
        did("nemesis", "lose-reply", "ann"), saw("ann", "acquired", LOCK, "ann"), killed("bob"), locks=[LOCK]),
    bad("I7-lock-that-was-never-given-back", "locks are left that nobody owns: ['app:lock:view:k']",
        entered("ann"), saw("ann", "refused", "store", "TimeoutError"), locks=[LOCK]),
    bad("I7-lock-where-the-disk-was-full", "locks are left that nobody owns: ['app:lock:view:k']",
        entered("ann"), saw("ann", "refused", "disk"), left("ann"), locks=[LOCK]),
    bad("I7-residue", "residue is left: ['.staging-1']", residue=[".staging-1"]),
    bad("I7-lock-without-ttl", "locks without a TTL are left: ['app:lock:x']", locks_without_ttl=["app:lock:x"]),
    bad("I7-lock", "locks are left that nobody owns: ['app:lock:x']", locks=["app:lock:x"]),
    bad("I8-a-full-disk-met-in-a-render", "ann's render page raised OSError: [Errno 28] No space left on device",
        failed("ann", "render", "page", "OSError: [Errno 28] No space left on device")),
    bad("I8-thrown", "ann's clear raised FileExistsError: there",
        failed("ann", "clear", "", "FileExistsError: there")),
    bad("I9-older-token", "bob published token 1 after token 2",
        published("ann", "00000002-5"), published("bob", "00000001-6")),
    bad("I10-incomplete", "ann published generations/1-1 without ['page']", published("ann", "1-1", ("page",))),
    bad("I10-lacking-at-the-end", "the current generation lacks ['page']", missing=["page"]),
    bad("I11-stays-blank", "it does not heal: observer rendered '', which no version of page says", V0,
        did("observer", "render", "page", ""), did("observer", "render", "page", "")),
    bad("I11-stays-stale", "it does not heal: ann, later was shown 'v0' after 'v1' was in place", V0, V1,
        did("ann, later", "render", "page", "v0"), did("ann, later", "render", "page", "v0")),
    bad("I11-stays-broken", "it does not heal: observer's render page raised EOFError: short", V0,
        failed("observer", "render", "page", "EOFError: short"),
        failed("observer", "render", "page", "EOFError: short")),
    bad("I12-stuck", "ann was not done after 4000 steps", begun("ann", "render", "page"),
        saw("ann", "stuck", "", 4000)),
]  # fmt: skip

INDETERMINATE = [
    good("I1-the-holder-was-killed", entered("ann"), killed("ann"), entered("bob")),
    good("I1-the-lock-was-lost", entered("ann"), saw("nemesis", "expired", LOCK), entered("bob")),
    good("I1-the-lock-was-lost-on-the-doorstep", saw("ann", "acquired", LOCK, "ann"), saw("nemesis", "expired", LOCK),
         saw("ann", "entered", LOCK), entered("bob")),
    good("I1-who-comes-late-had-lost-it", saw("bob", "acquired", LOCK, "bob"), saw("nemesis", "expired", LOCK),
         entered("ann"), saw("bob", "entered", LOCK)),
    good("I1-the-release-was-refused", saw("bob", "acquired", LOCK, "bob"), saw("ann", "released", LOCK, value=False)),
    good("I2-killed", V0, begun("ann", "render", "page"), killed("ann")),
    good("I3-killed", V0, begun("ann", "render", "page"), killed("ann")),
    good("I3-the-edit-is-unknown", V0, begun("editor", "edit", "page"), saw("editor", "writes", "page", "v1"),
         killed("editor"), did("ann", "render", "page", "v1")),
    good("I4-the-edit-is-unknown", V0, begun("editor", "edit", "page"), saw("editor", "writes", "page", "v1"),
         killed("editor"), did("ann", "render", "page", "v0")),
    good("I4-the-rebuild-is-unknown", V0, V1, unknown("cle", "rebuild"), did("ann", "render", "page", "v0"),
         watching=False),
    good("I4-the-deployment-is-unknown", unknown("deployer", "deploy", "r2"),
         did("ann", "visit", "page", "page version 0")),
    good("I5-the-holder-was-killed", compiled("ann"), killed("ann"), compiled("bob")),
    good("I5-the-lock-was-lost", compiled("ann"), saw("nemesis", "expired", LOCK), compiled("bob")),
    good("I5-begun-again-where-the-clock-jumped", begun("ann", "rebuild"), compiled("ann", doing="rebuild"),
         saw("bob", "jumped"), compiled("ann", doing="rebuild"), ended("ann", "rebuild")),
    good("I5-the-reply-was-lost", did("nemesis", "lose-reply", "ann"), compiled("ann"), compiled("bob")),
    good("I6-killed-while-waiting", begun("ann", "rebuild"), killed("ann")),
    good("I7-the-owner-was-killed", begun("ann", "rebuild"), killed("ann"), locks=["app:lock:x"]),
    good("I6-fenced-off-by-one-who-was-killed", killed("bob"), failed("ann", "rebuild", "", "Fenced: token 1")),
    good("I7-taken-after-nobody-waited-any-more", entered("ann", REBUILD), left("ann", REBUILD),
        saw("bob", "refused", "store", "TimeoutError"), locks=[REBUILD]),
    good("I7-given-back-after-nobody-waited-any-more", entered("ann"), saw("ann", "refused", "store", "TimeoutError"),
        left("ann"), locks=[LOCK]),
    good("I7-the-release-may-be-lost", did("nemesis", "lose-reply", "ann"), saw("ann", "acquired", LOCK, "ann"),
         saw("ann", "released", LOCK), locks=[LOCK]),
    good("I8-the-reply-was-lost", unknown("ann", "rebuild")),
    good("I9-no-token", published("ann", "00000002-5"), saw("bob", "published", "current", ["r2", []])),
    good("I10-damaged-by-somebody-else", did("nemesis", "wipe"), missing=["page"]),
    good("I11-looked-at-once", V0, did("observer", "render", "page", "")),
    good("I12-killed", begun("ann", "render", "page"), killed("ann")),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "told", "seen"), [*GOOD, *BAD, *INDETERMINATE])
def test_an_invariant_judges_a_literal_history(invariant: str, told: History, seen: list[str]) -> None:
    """Each invariant says just what this history breaks of it, in words, and nothing of what it does not."""
    assert [broken.seen for broken in broken_in(told, [invariant])] == seen


@pytest.mark.parametrize("cases", [GOOD, BAD, INDETERMINATE], ids=["good", "bad", "indeterminate"])
def test_every_invariant_is_judged(cases: list[Any]) -> None:
    """There is a good, a bad and an indeterminate history for each of the twelve."""
    assert {case.values[0] for case in cases} == set(INVARIANTS) == {f"I{number}" for number in range(1, 13)}


ENDS = [pytest.param(*case.values[:2], id=case.id) for case in BAD if case.values[0] in {"I2", "I4", "I6", "I8", "I11"}]


@pytest.mark.parametrize(("invariant", "told"), ENDS)
def test_an_unknown_end_breaks_nothing(invariant: str, told: History) -> None:
    """Where nobody knows how the operations ended, the promises about their ends hold."""
    events = tuple(event for event in told.events if event.kind in {"invoke", "note"})
    assert broken_in(History(events, watching=told.watching), [invariant]) == []
