"""Runs that show all that the page can: a green one, and a red one on three hosts with races, faults and a past."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fixtures.environments.settings import Environment
from reports.events import SCHEMA
from reports.records import EnvironmentKind, Finding, Level, Other, Outcome, Plan, Planned, Verdict, Waiver
from reports.run import Run
from reports.trends import History, Past
from validations.meta.reports.samples import STARTED, found
from validations.registry import EIGHT, OBJECTIVES, Check

FAILURES: dict[tuple[str, str, str], dict[str, Any]] = {
    ("middleware", "web-2", "registered"): {
        "code": "middleware.absent",
        "remedy": "register AutoFixViewCache in bootstrap/app.py and reload the workers",
        "observed": "AutoFixViewCache is not among the 4 middlewares of the booted application",
        "expected": "in the stack, before the error handler",
        "seen_by": "GET /_about of the running workers",
        "figures": {"middlewares": 4, "release": "20261125-0131"},
    },
    ("page", "web-2", "complete"): {
        "code": "page.blank",
        "remedy": "read the latest entries of storage/logs/laravel.log, then ./artisan view:health-check --fix",
        "observed": "41 of 300 answers were not the complete page: 38 times a blank 200, 3 times status 500",
        "expected": "200 and complete every time",
        "seen_by": "GET http://10.0.3.12/calls/call_0123456789abcdef/enhanced",
        "figures": {"requests": 300, "complete": 259},
        "attachments": ("attachments/page-web-2-blank.png",),
    },
    ("writable", "web-1", "logs"): {
        "code": "writable.open-to-all",
        "remedy": "chmod -R o-w storage/logs: a compiled view is code that will be run",
        "observed": "storage/logs has mode 0775 and can be written by the group `shippers`",
        "expected": "0755 and the runtime user's alone",
        "seen_by": "stat as www-data",
    },
    ("locks", "web-3", "expires"): {
        "code": "locks.never-expires",
        "remedy": "take the lock with SET key owner NX PX ttl, in one command",
        "observed": "the lock api-gateway:lock:view-cache:rebuild has no expiry (TTL -1)",
        "expected": "an expiry of at most 60 s",
        "seen_by": "PTTL during a rebuild",
        "figures": {"ttl_ms": -1},
    },
}
_REFUSED = "not observed: redis://10.0.3.13:6379 refused the connection"
_CAUSE = "web-3: redis://10.0.3.13:6379 refuses the connection"
CAUSED = {("health", "web-3", "metrics"), ("health", "web-3", "exit-code"), ("locks", "web-3", "taken")}
WAIVER = Waiver(
    check="writable",
    host="web-1",
    part="logs",
    reason="the log shipper's user still writes there",
    link="https://tickets.example/OPS-411",
    expires="2026-12-31",
    expired=False,
)
_ENVIRONMENT = Environment(kind="gateway", url="http://127.0.0.1:1", root="/srv", panels=("admin", "agent"))
UNKNOWN = {
    (
        "recovery",
        "web-3",
        "objective",
    ): "not measured: a defect would have to be planted, and this environment is read only"
}


def green() -> tuple[Run, History]:
    """Return a run that passed, with fifty before it."""
    return _run(("staged",), {}, [], explored=False), _past(("staged",), random.Random(1))  # noqa: S311 - figures


def red() -> tuple[Run, History]:
    """Return a run on three hosts that failed, with what else a run may hold."""
    others = [
        Other(f"validations/races/test_races.py::test_promise[{name}]", "passed", 1.5, "", STARTED + 3 + n * 1.2)
        for n, name in enumerate(("two-rebuilders", "deploy-and-edit", "crash-between"))
    ]
    trace = "def test_parity():\n>       assert stage.views == 682\nE       assert 681 == 682\n"
    others.append(Other("validations/meta/test_parity.py::test_parity", "failed", 0.4, trace, STARTED + 7))
    hosts = ("web-1", "web-2", "web-3")
    return _run(hosts, FAILURES, others, explored=True), _past(hosts, random.Random(2))  # noqa: S311 - figures


def _run(
    hosts: tuple[str, ...], failures: dict[tuple[str, str, str], dict[str, Any]], others: list[Other], *, explored: bool
) -> Run:
    chance = random.Random(7)  # noqa: S311 - figures
    parts = [
        _planned(check, host, part)
        for check in (*EIGHT, *OBJECTIVES)
        for host in hosts
        for part in check.parts(_ENVIRONMENT)
    ]
    provenance = {
        "viewgate": "2f3c1d0a9be4",
        "revision": "2f3c1d0a9be4",
        "python": "3.11.7",
        "machine": "Linux-6.1-x86_64-with-glibc2.36",
        "disturbing": "yes",
    }
    environment = "staged" if len(hosts) == 1 else "production"
    kind: EnvironmentKind = "staged" if len(hosts) == 1 else "gateway"
    ledger = Plan(environment, kind, hosts, tuple(parts), provenance, (WAIVER,) if explored else ())
    run = Run.begin(_event(0, "run-started", run="20261125T000000Z-0a0b0c", plan=ledger.to_json()))
    at = {host: 0.2 + 0.3 * number for number, host in enumerate(hosts)}
    for part in parts:
        if explored and part.check == "filament" and part.host == "web-3":
            continue
        seconds = {"registered": 1.4, "taken": 2.1, "complete": 0.9, "fields": 0.6}.get(part.part, 0.012)
        out = _outcome(part, failures.get(part.key), STARTED + at[part.host], seconds, chance)
        at[part.host] += seconds
        run.take(_event(at[part.host], "part", outcome=out.to_json()))
    for other in others:
        run.take(_event(9, "other", other=other.to_json()))
    if explored:
        for race in _races():
            run.take(_event(9, "race", nodeid="validations/races/test_races.py::test_promise", race=race))
        run.take(_event(9, "faults", nodeid="validations/faults/test_matrix.py::test_matrix", faults=_faults()))
    code = 1 if explored else 0
    run.take(_event(9.4, "run-ended", trouble="", exit=code, others_failed=any(other.failed for other in others)))
    return run


def _planned(check: Check, host: str, part: str) -> Planned:
    kind = "validation" if check.number else "objective"
    required = bool(check.number)
    return Planned(check.id, host, part, kind, check.number, check.title, required, check.file, 34)  # type: ignore[arg-type]


def _outcome(
    part: Planned, failure: dict[str, Any] | None, at: float, seconds: float, chance: random.Random
) -> Outcome:
    samples: dict[str, tuple[float, ...]] = {}
    if (part.check, part.part) == ("page", "complete"):
        slow = 2.2 if failure else 1.0
        samples["seconds"] = tuple(sorted(round(0.011 * slow * chance.lognormvariate(0, 0.45), 6) for _ in range(300)))
    value = {
        "compiled-views": (682.0, 682.0),
        "coverage": (1.0, 1.0),
        "view-errors": (0.0, 0.0),
        "availability": (0.99976, 0.999),
        "recovery": (0.077, 300.0),
    }.get(part.check)
    good = Outcome(
        check=part.check,
        host=part.host,
        part=part.part,
        finding=Finding(
            Verdict.PASS,
            f"{part.check}.sample",
            "as it should be",
            level=Level.OBSERVED,
            figures={"value": value[0], "target": value[1]} if value else {},
            samples=samples,
        ),
        seconds=seconds,
        nodeid=f"{part.file}::test_it[{part.host}-{part.part}]",
        started=at,
    )
    if part.key in UNKNOWN and failure is None:
        why, remedy = UNKNOWN[part.key], "run with --intrusive"
        return found(good, verdict=Verdict.UNKNOWN, level=None, observed=why, figures={}, remedy=remedy)
    if part.key in CAUSED and failure is None:
        remedy = "start Redis, then run the gate again"
        return found(good, verdict=Verdict.UNKNOWN, level=None, observed=_REFUSED, remedy=remedy, cause=_CAUSE)
    if not failure:
        return good
    attachments = failure.get("attachments", ())
    told = {name: value for name, value in failure.items() if name != "attachments"}
    return found(replace(good, attachments=attachments), verdict=Verdict.FAIL, **told)


def _races() -> list[dict[str, Any]]:
    steps = [
        ["rebuilder", "lock", "rebuild", ""],
        ["rebuilder", "exists", "views/enhanced.py", ""],
        ["rebuilder", "open w", "views/.enhanced.py.tmp", ""],
        ["rebuilder", "write", "views/.enhanced.py.tmp", ""],
        ["clearer", "listdir", "views", ""],
        ["clearer", "unlink", "views/enhanced.py", ""],
        ["clearer", "unlink", "views/.enhanced.py.tmp", ""],
        *[["clearer", "unlink", f"views/{name}.py", ""] for name in "abcdefghijkl"],
        ["renderer", "stat", "views/enhanced.py", "ENOENT"],
        ["rebuilder", "rename", "views/.enhanced.py.tmp -> views/enhanced.py", "ENOENT"],
        ["renderer", "read", "views/enhanced.py", "FileNotFoundError"],
    ]
    witness = {
        "promise": "I2 no missing view",
        "seen": "a render found no compiled view between a clear and the rebuild that was to replace it",
        "actors": ["rebuilder", "clearer", "renderer"],
        "steps": steps,
    }
    common = {
        "profile": "gate",
        "preemptions": 2,
        "exhausted": True,
        "pct_bound": None,
        "mutants": None,
        "witness": None,
    }
    return [
        common
        | {
            "system": "laravel-12.50",
            "scenario": "rebuild, clear, render",
            "schedules": 1_512,
            "seconds": 3.2,
            "states": {"render during clear": 88, "rename after clear": 41},
            "witness": witness,
        },
        common
        | {
            "system": "gateway",
            "scenario": "two rebuilders",
            "schedules": 2_048,
            "seconds": 4.1,
            "states": {"lock lost": 61, "both compiled": 17},
            "mutants": {"killed": 11, "of": 12, "survivors": ["slow fence"]},
        },
        common
        | {
            "system": "gateway",
            "scenario": "deploy and edit",
            "schedules": 5_000,
            "seconds": 9.8,
            "exhausted": False,
            "pct_bound": 0.0031,
            "states": {"edit before flip": 240},
        },
    ]


def _faults() -> dict[str, Any]:
    rows = [
        ["middleware commented out", "middleware", ["1-middleware"], ["1-middleware"]],
        ["views owned by root", "disk", ["2-writable"], ["2-writable", "4-health"]],
        ["lock without a TTL", "locks", ["5-locks"], ["5-locks"]],
        ["blank 200 every tenth time", "page", ["7-page"], []],
        ["tier 3 open at load", "page", ["8-disclosure"], ["8-disclosure"]],
    ]
    return {"seconds": 12.5, "rows": rows}


def _past(hosts: tuple[str, ...], chance: random.Random) -> History:
    return History(list(_pasts(hosts, chance)), datetime.fromtimestamp(STARTED, UTC))


def _pasts(hosts: tuple[str, ...], chance: random.Random) -> Iterator[Past]:
    cells = [f"{check.number}-{check.id}@{host}" for check in (*EIGHT, *OBJECTIVES) for host in hosts]
    for number in range(60):
        verdicts = dict.fromkeys(cells, "pass")
        if number == 31:
            verdicts = dict.fromkeys(cells, "fail")
        elif number in (12, 40, 57):
            verdicts[f"7-page@{hosts[-1]}"] = "fail"
        elif number in (22, 23):
            verdicts[f"5-locks@{hosts[0]}"] = "unknown"
        words = set(verdicts.values())
        verdict = "fail" if "fail" in words else "unknown" if "unknown" in words else "pass"
        measures = {}
        for host in hosts:
            measures[f"page.p50@{host}"] = 0.011 * chance.lognormvariate(0, 0.1)
            measures[f"page.p95@{host}"] = 0.021 * chance.lognormvariate(0, 0.15)
            measures[f"recovery@{host}"] = 0.08 * chance.lognormvariate(0, 0.2)
            measures[f"availability@{host}"] = 0.9999 - chance.random() * 0.0005
            measures[f"compiled-views@{host}"] = 682.0
        yield Past(
            run=f"run-{number}",
            started=datetime.fromtimestamp(STARTED, UTC) - timedelta(hours=5 * (60 - number)),
            seconds=6.0,
            revision=f"{number // 4:x}f3c1d0a9be4",
            verdict=verdict,
            exit={"pass": 0, "fail": 1, "unknown": 6}[verdict],
            cells=verdicts,
            repeated=(),
            measures=measures,
            figures={},
        )


def _event(seconds: float, name: str, **data: Any) -> dict[str, Any]:
    at = datetime.fromtimestamp(STARTED + seconds, UTC).isoformat()
    return {"schema": SCHEMA, "event": name, "at": at} | data
