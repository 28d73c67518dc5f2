"""Records to test reports with: small literal ones, drawn ones, and hostile ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from reports.events import SCHEMA
from reports.records import Finding, Key, Kind, Level, Other, Outcome, Plan, Planned, Scalar, Verdict, Waiver
from reports.run import Run
from reports.trends import Past

STARTED = 1_795_564_800.0
"""When the runs of samples start: 25 November 2026, 00:00 UTC."""

HOSTILE = "\x00\x1b[31m]]><script>&amp;\"'\ud800\uffff\u202e\U0001f9e8\r\n\t"
"""What an observed page may hold: control characters, the end of a CDATA section, markup, a lone surrogate."""

COMMANDS = (
    "\x1b[8mhidden ##[add-mask]masked ##vso[task.setvariable variable=a]b ###teamcity[buildStop]\r\n::error::planted"
    "\n \t::set-output name=a::b\r::stop-commands::c\nsection_start:1:a\r\x1b[0K\u2028::notice::d"
    "\n--- folded\n+++ opened\n\x1b[1m~~~ hushed\n^^^ +++\n%0A::error::e\u2029##[group]f\x85::g::"
)
"""What a line of a log may hold, and a CI runner would do."""


def obeyed(text: str, *, colours: bool = False) -> list[str]:
    """Return the lines of a text that a CI runner or a terminal would obey; colours may be allowed."""
    lines = re.split("\r\n|[\n\r\u2028\u2029]", text)
    if colours:
        lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines]
    return [
        line
        for line in lines
        if re.search(r"##\w*\[", line)
        or line.lstrip().startswith("::")
        or re.match(r"(---|\+\+\+|~~~|\^\^\^)\s", line)
        or re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", line)
    ]


def planned(name: str = "middleware/web-1/booted", *, number: int = 1, required: bool = True) -> Planned:
    """Return a part named `check/host/part`."""
    check, host, part = name.split("/")
    kind: Kind = "validation" if number else "objective"
    return Planned(check, host, part, kind, number, "a promise", required, f"gate/test_{check}.py", 7)


def plan(*parts: Planned, waivers: tuple[Waiver, ...] = ()) -> Plan:
    """Return a plan of these parts, for an environment `staged`."""
    hosts = tuple(dict.fromkeys(part.host for part in parts))
    return Plan("staged", "staged", hosts, parts, {"python": "3.11"}, waivers)


def waiver(name: str = "middleware/web-1/", *, expired: bool = False) -> Waiver:
    """Return a waiver of what is named `check/host/part`; no part is any part."""
    check, host, part = name.split("/")
    return Waiver(check, host, part, "known since Monday", "https://issues.test/7", "2026-12-31", expired)


def outcome(
    name: str = "middleware/web-1/booted",
    verdict: Verdict = Verdict.PASS,
    *,
    reason: str = "",
    remedy: str = "",
    figures: Mapping[str, Scalar] | None = None,
    samples: Mapping[str, tuple[float, ...]] | None = None,
    attachments: tuple[str, ...] = (),
    cause: str = "",
    superseded: bool = False,
    started: float = STARTED + 1,
) -> Outcome:
    """Return an outcome of the part named `check/host/part`."""
    check, host, part = name.split("/")
    nodeid = f"gate/test_{check}.py::test_it[{host}-{part}]"
    return Outcome(
        check=check,
        host=host,
        part=part,
        finding=Finding(
            verdict,
            f"{check}.sample",
            reason,
            remedy=remedy,
            level=None if verdict is Verdict.UNKNOWN else Level.OBSERVED,
            figures=figures or {},
            samples=samples or {},
            cause=cause,
        ),
        seconds=0.25,
        started=started,
        nodeid=nodeid,
        attachments=attachments,
        superseded=superseded,
    )


def found(one: Outcome, **changes: Any) -> Outcome:
    """Return an outcome whose finding differs in these fields."""
    return replace(one, finding=replace(one.finding, **changes))


def run(
    ledger: Plan,
    came: Iterable[Outcome] = (),
    tests: Iterable[Other] = (),
    *,
    interrupted: Mapping[Key, str] | None = None,
    trouble: str = "",
    name: str = "20261125T000000Z-0a0b0c",
) -> Run:
    """Return a run in which this came out, as it would be made from its events; `trouble` is why it is not trusted."""
    at = datetime.fromtimestamp(STARTED, UTC).isoformat()
    head = {"schema": SCHEMA, "at": at}
    made = Run.begin(head | {"event": "run-started", "run": name, "plan": ledger.to_json()})
    for outcome_ in came:
        made.take(head | {"event": "part", "outcome": outcome_.to_json()})
    for test in tests:
        made.take(head | {"event": "other", "other": test.to_json()})
    for key, reason in (interrupted or {}).items():
        made.take(head | {"event": "interrupted", "part": list(key), "reason": reason})
    end = {"event": "run-ended", "trouble": trouble, "exit": 0, "others_failed": any(test.failed for test in tests)}
    made.take(head | end | {"at": datetime.fromtimestamp(STARTED + 5, UTC).isoformat()})
    return made


def past(
    *,
    days: float = 0,
    verdict: str = "pass",
    exit_code: int | None = None,
    cells: Mapping[str, str] | None = None,
    revision: str = "r1",
    repeated: tuple[str, ...] = (),
    measures: Mapping[str, float] | None = None,
) -> Past:
    """Return a recorded run, so many days from the time of the samples."""
    return Past(
        run=f"run-{days}",
        started=datetime.fromtimestamp(STARTED, UTC) + timedelta(days=days),
        seconds=5.0,
        revision=revision,
        verdict=verdict,
        exit=(0 if verdict == "pass" else 1) if exit_code is None else exit_code,
        cells=cells or {"1-middleware@web-1": verdict, "7-page@web-1": "pass"},
        repeated=repeated,
        measures=measures or {},
        figures={},
    )


# A lone surrogate is read back as its escape (see `records`), so that what is compared holds none.
_texts = st.text(max_size=20) | st.just(HOSTILE.replace("\ud800", ""))
_seconds = st.floats(0, 1e6)
_scalars = _texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()

verdicts = st.sampled_from(Verdict)
waivers = st.builds(
    Waiver,
    check=_texts,
    host=_texts,
    part=_texts,
    reason=_texts,
    link=_texts,
    expires=_texts,
    expired=st.booleans(),
)
planneds = st.builds(
    Planned,
    check=_texts,
    host=_texts,
    part=_texts,
    kind=st.sampled_from(["validation", "objective"]),
    number=st.integers(0, 8),
    title=_texts,
    required=st.booleans(),
    file=_texts,
    line=st.integers(0, 10_000),
)
plans = st.builds(
    Plan,
    environment=_texts,
    kind=st.sampled_from(["staged", "gateway", "laravel"]),
    hosts=st.lists(_texts, max_size=3).map(tuple),
    parts=st.lists(planneds, max_size=5, unique_by=lambda part: part.key).map(tuple),
    provenance=st.dictionaries(_texts, _texts, max_size=3),
    waivers=st.lists(waivers, max_size=2).map(tuple),
)
findings = st.builds(
    Finding,
    verdict=verdicts,
    code=st.from_regex(r"[a-z0-9]{1,5}\.[a-z0-9]{1,5}(-[a-z0-9]{1,5})?", fullmatch=True),
    observed=_texts,
    expected=_texts,
    remedy=_texts,
    seen_by=_texts,
    level=st.none() | st.sampled_from(Level),
    figures=st.dictionaries(_texts, _scalars, max_size=3),
    samples=st.dictionaries(st.just("seconds") | _texts, st.lists(_seconds, max_size=3).map(tuple), max_size=2),
    cause=_texts,
    sporadic=st.booleans(),
)
outcomes = st.builds(
    Outcome,
    check=_texts,
    host=_texts,
    part=_texts,
    finding=findings,
    seconds=_seconds,
    started=_seconds,
    nodeid=_texts,
    attachments=st.lists(st.sampled_from(["attachments/a.png", "attachments/b-1.txt"]), max_size=2).map(tuple),
    superseded=st.booleans(),
)
others = st.builds(
    Other,
    nodeid=_texts,
    outcome=st.sampled_from(["passed", "failed", "skipped", "error", "interrupted", "repeated"]),
    seconds=_seconds,
    message=_texts,
    started=_seconds,
)
