"""What dashboards and pipelines read beside JUnit: metrics, CTRF and the summary, in other people's parsers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from reports import ctrf, markdown, metrics
from reports.records import Other, Outcome, Plan, Verdict
from reports.run import Run
from reports.trends import History, Past
from validations.meta.reports.samples import (
    HOSTILE,
    STARTED,
    found,
    others,
    outcome,
    outcomes,
    past,
    plan,
    planned,
    plans,
    run,
)

BOOTED = planned("middleware/web-1/booted", number=1)
PAGE = planned("page/web-1/page", number=7)
UPTIME = planned("availability/web-1/objective", number=0)
LEDGER = plan(BOOTED, PAGE, UPTIME)
FINE = [
    outcome("middleware/web-1/booted"),
    outcome("page/web-1/page", samples={"seconds": tuple(n / 1000 for n in range(1, 101))}),
    outcome("availability/web-1/objective", figures={"value": 0.9995, "target": 0.999}),
]
BAD = [found(FINE[0], verdict=Verdict.FAIL, observed="commented out", expected="registered"), *FINE[1:]]
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "ctrf.schema.json").read_text(encoding="utf-8"))


def _metrics(ran: Run, *recorded: Past) -> dict[tuple[str, str], float]:
    """Read the metrics with both parsers, which have to agree; return them by name and the last label's value."""
    text = metrics.render(ran, ran.gate, History(recorded))
    plain = [sample for family in prometheus.text_string_to_metric_families(text) for sample in family.samples]
    families = list(openmetrics.text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    assert [sample for family in families for sample in family.samples] == plain
    assert {family.type for family in families} == {"gauge"}
    assert all(sample.timestamp is None for sample in plain)
    assert {sample.labels["environment"] for sample in plain} == {"staged"}
    return {(one.name.removeprefix("viewgate_"), list(one.labels.values())[-1]): one.value for one in plain}


def test_metrics_of_a_run_that_passed() -> None:
    """The gate, its checks, its objectives and the page's latency, as gauges."""
    told = _metrics(run(LEDGER, FINE))
    assert told["gate_passed", "staged"] == 1
    assert told["last_run_timestamp_seconds", "staged"] == told["last_success_timestamp_seconds", "staged"] == STARTED
    assert told["run_duration_seconds", "staged"] == 5
    assert told["objective_value", "web-1"] == 0.9995
    assert (told["page_request_seconds", "0.5"], told["page_request_seconds", "1"]) == (0.05, 0.1)


def test_the_last_success_is_that_of_the_history_where_this_run_failed() -> None:
    """Alerting on its age finds a gate that fails, and one that no longer runs; without any it is absent."""
    failed = run(LEDGER, BAD)
    recorded = [past(days=-3), past(days=-2, verdict="fail"), past(days=-1, exit_code=1)]
    told = _metrics(failed, *recorded)
    assert (told["gate_passed", "staged"], told["gate_verdict", "fail"]) == (0, 1)
    assert told["last_success_timestamp_seconds", "staged"] == recorded[0].started.timestamp()
    assert ("last_success_timestamp_seconds", "staged") not in _metrics(failed, *recorded[1:])


def _ctrf(ran: Run, *recorded: Past) -> dict[str, Any]:
    told = json.loads(ctrf.render(ran, ran.gate, History(recorded)))
    jsonschema.validate(told, SCHEMA, cls=jsonschema.Draft7Validator)
    results: dict[str, Any] = told["results"]
    return results


def test_ctrf_has_a_test_for_every_part_and_the_gate_last() -> None:
    """Ids are the same in every run, so that a part can be followed; what did not run is failed."""
    first, second = _ctrf(run(LEDGER, FINE[1:])), _ctrf(run(LEDGER, BAD))
    assert [test["status"] for test in first["tests"]] == ["failed", "passed", "passed", "failed"]
    assert first["tests"][0]["rawStatus"] == "missing"
    assert [test["id"] for test in first["tests"]] == [test["id"] for test in second["tests"]]
    assert second["tests"][0]["message"] == "commented out, but should be registered"
    assert (second["summary"]["tests"], second["summary"]["failed"]) == (4, 2)


def test_ctrf_tells_attempts_and_attachments() -> None:
    """A repeated test is one test with its attempts; a picture is named with its type and place."""
    tests = [Other("test_a.py::test_b", said, 0.1, "flap", 0.0) for said in ("repeated", "passed")]
    picture = replace(FINE[1], attachments=("attachments/tier-1.png",))
    again = found(replace(FINE[0], started=STARTED + 2), verdict=Verdict.FAIL)
    told = _ctrf(run(LEDGER, [FINE[0], again, picture, FINE[2]], tests))
    by_name = {test["name"]: test for test in told["tests"]}
    assert by_name["test_a.py::test_b"]["flaky"] is True
    assert told["summary"]["flaky"] == 1
    booted = by_name["middleware booted on web-1"]
    assert (booted["status"], [one["status"] for one in booted["retryAttempts"]]) == ("failed", ["passed", "failed"])
    (attached,) = by_name["page page on web-1"]["attachments"]
    assert attached == {"name": "tier-1.png", "contentType": "image/png", "path": "attachments/tier-1.png"}


def _summary(ran: Run, *recorded: Past) -> str:
    return markdown.render(ran, ran.gate, History(recorded))


def test_the_summary_starts_with_the_verdict_and_its_reason() -> None:
    """What is not green comes before what is, with observed, expected and remedy."""
    told = _summary(run(LEDGER, [found(BAD[0], remedy="register it"), *BAD[1:]]))
    assert told.startswith("## ❌ viewgate failed: staged\n\nfailed: 1 middleware.\n")
    block = told.partition("### What is not green")[2].partition("\n### ")[0]
    assert [line.strip() for line in block.strip().splitlines()] == [
        "#### 1 middleware on web-1: FAIL",
        "- **booted** (`middleware.sample`)",
        "- observed: commented out",
        "- should be: registered",
        "- remedy: register it",
    ]
    assert told.index("What is not green") < told.index("Objectives")


@pytest.mark.parametrize(
    "size",
    [pytest.param(0, id="alone"), pytest.param(1_000_000, id="little-room"), pytest.param(1_048_500, id="no-room")],
)
def test_the_job_summary_stays_within_githubs_limit(size: int) -> None:
    """What others wrote stays whole, what is ours is cut from its end, and a rewritten one takes its own place."""
    theirs = "x" * size + "\n"
    summary = _summary(run(LEDGER, [found(BAD[0], observed="y" * 5_000_000), *BAD[1:]])) + "\n\n" + "z" * 100_000
    once = markdown.placed(theirs, "not run yet", "run-1") + "after\n"
    text = markdown.placed(once, summary, "run-1")
    assert text.startswith(theirs)
    assert text.endswith("after\n")
    assert "not run yet" not in text
    assert ("viewgate failed" in text) == (size < 1_048_000)
    assert len(text.encode()) <= markdown.STEP_LIMIT
    assert markdown.placed(text, summary, "run-1") == text


@given(ledger=plans, came=st.lists(outcomes, max_size=4), tests=st.lists(others, max_size=4))
def test_every_file_is_sound_whatever_is_in_it(ledger: Plan, came: list[Outcome], tests: list[Other]) -> None:
    """Both parsers and the schema take it, and Markdown stays what we made of it, for any text in any field."""
    keys = [part.key for part in ledger.parts]
    ours = [
        replace(one, check=check, host=host, part=part) for one, (check, host, part) in zip(came, keys, strict=False)
    ]
    ran = run(replace(ledger, environment="staged"), [*ours, *came[len(keys) :]], tests)
    _metrics(ran)
    _ctrf(ran)
    told = _summary(ran)
    told.encode()
    assert "<script" not in told
    assert sum(line.startswith("## ") for line in told.splitlines()) == 1


def test_hostile_text_is_one_line_of_a_table() -> None:
    """Neither a pipe, a line's end, a heading nor markup of an observed page changes the summary's form."""
    reason = f"a | b\n## heading\n- item `code` <b>bold</b> [link](x) {HOSTILE}"
    ran = run(LEDGER, [found(BAD[0], observed=reason), *BAD[1:]])
    rows = [line for line in _summary(ran).splitlines() if line.startswith("| 1 ")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 8
    assert "<b>" not in rows[0]
    assert "[link" not in rows[0].replace("\\[", "")
