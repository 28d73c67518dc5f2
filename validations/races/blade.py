"""What goes wrong with Laravel's compiled views, by class: how each is known, and where it is told of. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fixtures.concurrency.history import History, Operation
from fixtures.concurrency.systems import OPERATIONS
from fixtures.observation.signatures import in_error
from validations.races.invariants import READS, Broken, broken_in

OBSERVER = "observer"
LABEL = re.compile(r"^\S+ version \d+$")
"""A body that is a version of its view, whole, is told by this name; any other body as it is."""


@dataclass(frozen=True)
class Symptom:
    """One class of failure. broken: the invariants that it breaks; upstream: the issue or study that describes it.

    signature: the name of the row of `fixtures.observation.signatures` that its error bears; inside: the framework's
    method that has to be among the error's callers. since: the first version of Laravel that has it.
    """

    name: str
    signature: str
    broken: tuple[str, ...]
    upstream: str
    since: str = ""
    inside: str = ""


SYMPTOMS = (
    Symptom("filemtime-while-compiling", "filemtime", ("I2", "I8"),
            "laravel/framework#60401: touching an unchanged view looks at it unguarded", "13.15",
            inside="Compiler::compile"),
    Symptom("filemtime", "filemtime", ("I2", "I8"), "laravel/framework#48368: gone between exists and filemtime"),
    Symptom("hash-file", "hash_file", ("I2", "I8"),
            "laravel/framework#55450: gone between exists and hash_file", "12.10"),
    Symptom("rename", "rename", ("I8",), "laravel/framework#58812: view:clear deletes the temporary file", "12.52"),
    Symptom("chmod", "chmod", ("I8",),
            "laravel/framework#58812: view:clear deletes the temporary file; silent since 12.54 (#59126)", "12.52"),
    Symptom("touch", "touch", ("I2", "I8"),
            "laravel/framework#60401: gone between the last look and touch", "13.15"),
    Symptom("require", "require", ("I2", "I8"), "laravel/framework#44487: gone between the last look and require"),
    Symptom("first-render-miss", "missing-file", ("I2", "I8"),
            "laravel/framework#58378: gone between compile and the first render"),
    Symptom("cut-file", "parse", ("I3", "I8"), "laravel/framework#58378: a prefix of the file was required"),
    Symptom("unlink", "unlink", ("I8",), "laravel/framework#48957: two remove one file"),
    Symptom("mkdir", "mkdir", ("I8",), "laravel/framework#58460: two make one directory"),
)  # fmt: skip
"""Errors, the more special first."""

BODIES = {
    "blank": Symptom("blank", "", ("I3",), "laravel/framework#58812: put() empties the file that is required"),
    "cut": Symptom("cut", "", ("I3",), "laravel/framework#58812: a part of the page was blank"),
    "sticky-blank": Symptom("sticky-blank", "", ("I3", "I11"),
                            "laravel/framework#60401: touch() makes an empty file newer than its source", "13.15"),
    "sticky-stale": Symptom("sticky-stale", "", ("I4", "I11"),
                            "laravel/framework#60401, and every version: compiled from what was read before the edit"),
    "sticky-error": Symptom("sticky-error", "", ("I8", "I11"), "an error that does not heal by itself"),
    "other": Symptom("other", "", ("I8",), "an error of no known class"),
}  # fmt: skip
"""What is wrong with a page, told by its body; and what is wrong for good."""

KNOWN = {symptom.name: symptom for symptom in (*SYMPTOMS, *BODIES.values())}


@dataclass(frozen=True)
class Seen:
    """One failure: its class (named `invariant`, as the explorer has it), and what was seen."""

    invariant: str
    seen: str


PROMISES = ("I4", "I6", "I7", "I8", "I11", "I12")
"""Judged beside the symptoms, which are I2 and I3. What I1, I5 and I9 look at is not noted by PHP."""


def promises(history: History) -> list[Seen | Broken]:
    """Judge a run by what its visitors see, and by what is left when all is done."""
    return [*symptoms(history), *broken_in(history, PROMISES)]


def symptoms(history: History) -> list[Seen]:
    """Name every failure of a run, each class once.

    A page that is empty while its editor has emptied the source shows what is there: only what stays of it counts.
    """
    found: dict[str, Seen] = {}
    looks: dict[str, Operation] = {}
    saves = history.operations("save")
    for done in history.operations(*OPERATIONS):
        if done.outcome == "info":
            continue
        if done.actor == OBSERVER and done.op != "visit":
            looks[done.subject] = done  # the last one: the second, unless the first was good
            continue
        for name in _named(done):
            if name == "blank" and any(save.subject == done.subject and _overlap(save, done) for save in saves):
                continue
            found.setdefault(name, Seen(name, f"{done.actor}'s {done.op} {done.subject}: {_excerpt(done)}"))
    current = _current(history)
    for view, look in looks.items():
        sticky = _sticky(look, current[view])
        if sticky:
            told = f"when all is done, and for good: {view} is {_excerpt(look)}, and should be {current[view]!r}"
            found.setdefault(sticky, Seen(sticky, told))
    return list(found.values())


def _named(done: Operation) -> Iterator[str]:
    if done.outcome == "fail":
        yield _class_of(str(done.value))
    elif done.op in READS and not LABEL.match(str(done.value)):
        yield "cut" if str(done.value).strip() else "blank"


def _class_of(error: str) -> str:
    found = in_error(error)
    if found is None:
        return "other"
    fitting = (one.name for one in SYMPTOMS if one.signature == found.name and one.inside in error)
    return next(fitting, "other")


def _overlap(one: Operation, other: Operation) -> bool:
    ends = [math.inf if operation.end is None else operation.end for operation in (one, other)]
    return one.begin < ends[1] and other.begin < ends[0]


def _sticky(look: Operation, current: str) -> str:
    if look.outcome == "fail":
        return "sticky-error"
    if look.value == current:
        return ""
    return "sticky-stale" if LABEL.match(str(look.value)) else "sticky-blank"


def _current(history: History) -> dict[str, str]:
    edits = history.operations("edit", "save")
    return {edit.subject: str(edit.value) for edit in edits if edit.outcome == "ok"}


def _excerpt(done: Operation) -> str:
    text = str(done.value)
    return repr(text if len(text) < 160 else f"{text[:80]}…{text[-70:]}") if done.outcome == "ok" else text
