"""A run as its events tell it: the one source of every report, in memory while it runs and from the file later.

Whatever is written is derived from a `Run`, and a `Run` is only ever made by taking events, so that what
`python -m reports render` derives again cannot differ from what the run itself wrote.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from reports.events import SCHEMA
from reports.explored import Faults, Race
from reports.records import EVENTS, Key, Other, Outcome, Plan, RecordError
from reports.verdict import Gate, judge

NOT_ENDED = "the run has not ended"
RUN_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
"""What a run may be called: it is the name of its folder, too."""


def new_id() -> str:
    """Return the id of a new run, which no other one has: ids sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"


class LogError(ValueError):
    """An event log that no run can be made of; the message says why."""


class Run:
    """One run, from its plan on. `started` and `ended` are seconds since the epoch, `exit` its code once it ended."""

    def __init__(self, run: str, plan: Plan, started: float) -> None:
        self.id = run
        self.plan = plan
        self.started = started
        self.ended: float | None = None
        self.exit: int | None = None
        self.trouble = NOT_ENDED
        self.others_failed = False
        self.outcomes: list[Outcome] = []
        self.others: list[Other] = []
        self.interrupted: dict[Key, str] = {}
        self.races: list[Race] = []
        self.faults: list[Faults] = []
        self.running: dict[str, int | None] = {}
        self.latest = started

    @classmethod
    def begin(cls, event: Mapping[str, Any]) -> Self:
        """Begin with the first event of a log. Raises LogError where it is none."""
        if event.get("schema") != SCHEMA or event.get("event") != "run-started":
            raise LogError(
                f"it begins with {event.get('event')!r} of schema {event.get('schema')!r}, not a run of ours"
            )
        try:
            return cls(str(event["run"]), Plan.from_json(event["plan"]), _seconds(event))
        except (KeyError, RecordError) as error:
            raise LogError(f"its plan cannot be read: {error}") from error

    def take(self, event: Mapping[str, Any]) -> None:
        """Take the next event. Events of a name we do not know say nothing of the verdict. Raises RecordError."""
        self.latest = _seconds(event)
        match event["event"]:
            case "test-started":
                self.running[event["nodeid"]] = event["line"]
            case "part":
                outcome = Outcome.from_json(event["outcome"])
                self.outcomes.append(outcome)
                self.running.pop(outcome.nodeid, None)
            case "digest":
                self.running.pop(event["nodeid"], None)
            case "other":
                other = Other.from_json(event["other"])
                self.others.append(other)
                self.running.pop(other.nodeid, None)
            case "interrupted":
                check, host, part = event["part"]
                self.interrupted[check, host, part] = event["reason"]
            case "race":
                self.races.append(Race.from_json(event["nodeid"], event["race"]))
            case "faults":
                self.faults.append(Faults.from_json(event["nodeid"], event["faults"]))
            case "run-ended":
                self.trouble = event["trouble"]
                self.others_failed = event["others_failed"]
                self.exit = event["exit"]
                self.ended = self.latest
                self.running.clear()

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return max(self.latest - self.started, 0.0)

    @property
    def gate(self) -> Gate:
        """What it comes to: until it has ended, no gate passes."""
        return judge(self.plan, self.outcomes, interrupted=self.interrupted, trouble=self.trouble)

    @property
    def revision(self) -> str:
        """What was validated: the revision that the plan names, else the releases that were seen deployed."""
        told = self.plan.provenance.get("revision", "")
        seen = {str(one.finding.figures["release"]): None for one in self.outcomes if "release" in one.finding.figures}
        return told or " ".join(seen)


def load(directory: Path) -> Run:
    """Make the run of a folder's event log. Raises LogError where there is none, or none of ours.

    A line that is torn or of another form is trouble, and with trouble no gate passes; a last line without its
    end was being written when its writer was killed.
    """
    path = directory / EVENTS
    try:
        *lines, rest = path.read_bytes().split(b"\n")
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror}; give the folder of a run") from error
    run: Run | None = None
    damage = ""
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line)
            if run is None:
                run = Run.begin(event)
            else:
                run.take(event)
        except LogError as error:
            raise LogError(f"{path} is no event log: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            damage = damage or f"line {number} of the event log cannot be read ({type(error).__name__}: {error})"
    if run is None:
        raise LogError(f"{path} holds no event, not even the plan")
    for nodeid, line_of_test in list(run.running.items()):
        planned = part_of(run.plan, nodeid, line_of_test)
        if planned is not None:
            run.interrupted.setdefault(planned, "still running when the event log ends")
    if damage or (rest and run.ended is not None):
        run.trouble = damage or "the event log goes on after its end"
    return run


def part_of(plan: Plan, nodeid: str, line: int | None) -> Key | None:
    """Return the part a test stands for that did not live to say so, or None where it is not certain.

    A part's test is in its file, on its line (from 0) as far as that is known, and names the host and the part or
    the check in its id; of `tier-1` and `tier-11`, both in the id `web-1-tier-11`, the longer one is meant.
    """
    file, _, name = nodeid.partition("::")
    parts = [part for part in plan.parts if part.file == file]
    parts = [part for part in parts if line is not None and part.line == line + 1] or parts
    if len(parts) > 1:
        _, _, given = name.partition("[")
        named = {part: sum(len(word) for word in (part.check, part.part) if word in given) for part in parts}
        parts = [part for part in parts if named[part] and part.host in given]
        longest = max((len(part.host) + named[part] for part in parts), default=0)
        parts = [part for part in parts if len(part.host) + named[part] == longest]
    return parts[0].key if len(parts) == 1 else None


def _seconds(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()
