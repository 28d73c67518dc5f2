"""What reports cost a gate run, and how long a long history takes, against the pace of the machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from reports import history, writers
from reports.events import EventLog
from reports.redact import Redactor
from reports.run import Run
from reports.trends import History
from validations.benchmarks.conftest import Ratios
from validations.benchmarks.pace import pace
from validations.meta.reports import showcase as reports_showcase

LEAST_REPORTS = 0.43
"""Gate runs, as far as their reports go, for each unit of the machine's pace."""

LEAST_HISTORIES = 0.08
"""Histories of 10,000 runs, read and rendered, for each unit of the machine's pace."""


def _rate(work: Callable[[], None]) -> float:
    """Return how often a second of the processor it could be done: reports wait for nothing but the disk."""
    started = time.process_time()
    work()
    return 1 / (time.process_time() - started)


def test_what_reports_cost_a_gate_run(tmp_path: Path, ratios: Ratios) -> None:
    """Every event of 162 parts logged, and all reports written three times: a fixed share of the machine's pace."""
    ran, past = reports_showcase.green()

    def work() -> None:
        log = EventLog(tmp_path / "events.jsonl", Redactor(["redis://:swordfish@127.0.0.1:6379/0"]))
        run = Run.begin(log.append("run-started", run=ran.id, plan=ran.plan.to_json()))
        writers.write_all(run, run.gate, past, tmp_path)
        for number, outcome in enumerate(ran.outcomes):
            run.take(log.append("test-started", nodeid=outcome.nodeid, line=1))
            run.take(log.append("part", outcome=outcome.to_json()))
            if number == len(ran.outcomes) // 2:
                writers.write_all(run, run.gate, past, tmp_path)
        run.take(log.append("run-ended", trouble="", exit=0, others_failed=False))
        assert run.gate.verdict == "pass"
        writers.write_all(run, run.gate, past, tmp_path)
        log.close()

    ratios.compare(
        "reports of gate runs a second, against the machine's pace",
        lambda: _rate(work),
        lambda: pace(time.process_time),
        turns=7,
        least=LEAST_REPORTS,
    )


def test_ten_thousand_runs_of_history(tmp_path: Path, ratios: Ratios) -> None:
    """Read, judged and rendered into a page of less than a megabyte, at a fixed share of the machine's pace."""
    ran, _ = reports_showcase.green()
    line = history.line(ran, ran.gate, ended=ran.started + 5, code=0)
    with (tmp_path / history.FILE_NAME).open("w") as file:
        for number in range(10_000):
            at = datetime.fromtimestamp(ran.started - 600 * (10_000 - number), UTC).isoformat()
            file.write(json.dumps(line | {"run": f"run-{number}", "started": at, "ended": at}) + "\n")

    def work() -> None:
        lines = history.read(tmp_path / history.FILE_NAME, ran.plan.environment).lines
        past = History.before(lines, ran.id, ran.started)
        assert len(past.runs) == 10_000
        writers.write_all(ran, ran.gate, past, tmp_path)

    ratios.compare(
        "histories of 10,000 runs rendered a second, against the machine's pace",
        lambda: _rate(work),
        lambda: pace(time.process_time),
        turns=5,
        least=LEAST_HISTORIES,
    )
    assert (tmp_path / "report.html").stat().st_size < 1_000_000
