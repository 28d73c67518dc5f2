"""The event log and the history: append-only, whole lines, no secrets, readable after any death."""

from __future__ import annotations

import json
import multiprocessing
from typing import TYPE_CHECKING

import pytest

from reports import history
from reports.events import SCHEMA, EventLog
from reports.records import Verdict
from reports.redact import REDACTED, Redactor
from validations.meta.reports.samples import HOSTILE, STARTED, outcome, plan, planned, run

if TYPE_CHECKING:
    from pathlib import Path

PLAN = plan(planned("middleware/web-1/booted"), planned("page/web-1/page", number=7))


def _line(environment: str = "staged") -> dict[str, object]:
    return {"schema": history.SCHEMA, "environment": environment}


def test_an_event_is_in_the_file_before_append_returns(tmp_path: Path) -> None:
    """Nothing is buffered: a process killed in the next moment has told what it knew."""
    log = EventLog(tmp_path / "events.jsonl", Redactor(["swordfish"]))
    for number in range(3):
        told = log.append("part", number=number, reason=f"swordfish {HOSTILE}")
        last = json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])
        assert (last["schema"], last["event"], last["number"]) == (SCHEMA, "part", number)
        assert last["reason"] == told["reason"] == f"{REDACTED} {HOSTILE}"
    log.close()


def test_a_log_starts_anew(tmp_path: Path) -> None:
    """What an earlier run left in the same directory does not become part of this one."""
    path = tmp_path / "events.jsonl"
    path.write_text("old\n")
    EventLog(path, Redactor()).close()
    assert path.read_text() == ""


def test_a_run_is_one_line_of_history(tmp_path: Path) -> None:
    """A run's verdict, its cells, and the counts of its figures summed over hosts and parts."""
    parts = [planned(f"page/{host}/page", number=7) for host in ("web-1", "web-2")]
    figures: dict[str, str | int | float | bool] = {"requests": 300, "complete": 299, "rate": 0.5, "ok": True}
    came = [outcome("/".join(part.key), Verdict.FAIL, figures=figures) for part in parts]
    ledger = plan(*parts, planned("locks/web-1/ttl", number=5))
    ran = run(ledger, came)
    entry = history.line(ran, ran.gate, ended=STARTED + 5, code=1)
    history.append(tmp_path / "history.jsonl", entry)
    ((line,), damaged) = history.read(tmp_path / "history.jsonl", "staged")
    assert damaged == 0
    assert (line["verdict"], line["exit"], line["provenance"]) == ("fail", 1, {"python": "3.11"})
    assert line["cells"] == {"5-locks@web-1": "missing", "7-page@web-1": "fail", "7-page@web-2": "fail"}
    assert line["figures"] == {"page": {"requests": 600, "complete": 598}}


def test_a_history_knows_its_environments(tmp_path: Path) -> None:
    """Lines come back oldest first, those of one environment alone; no file is no history."""
    path = tmp_path / "history.jsonl"
    assert history.read(path) == ([], 0)
    for number, environment in enumerate(["staged", "live", "staged"]):
        history.append(path, _line(environment) | {"n": number})
    assert [line["n"] for line in history.read(path, "staged").lines] == [0, 2]
    assert [line["n"] for line in history.read(path).lines] == [0, 1, 2]


@pytest.mark.parametrize("left", range(0, 40, 3))
def test_a_torn_line_costs_itself_only(tmp_path: Path, left: int) -> None:
    """A writer killed in the middle of its line spoils neither the lines before nor those after."""
    path = tmp_path / "history.jsonl"
    history.append(path, _line() | {"n": 1})
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:left])
    history.append(path, _line() | {"n": 2})
    recorded = history.read(path)
    torn = 0 < left < len(whole) - 1
    assert recorded.damaged == torn
    assert [line["n"] for line in recorded.lines] == [1, 2]


@pytest.mark.parametrize(
    "line",
    ["null", "[]", "1", '{"schema": 99, "environment": "staged"}', '{"schema": 1}', "\x00\x00", '{"a'],
    ids=["null", "list", "number", "other-schema", "no-environment", "zero-bytes", "torn"],
)
def test_a_line_that_is_no_run_is_counted_and_left_out(tmp_path: Path, line: str) -> None:
    """A history travels through caches and merges; what is not ours in it is not read as ours."""
    path = tmp_path / "history.jsonl"
    path.write_text(f"{line}\n")
    history.append(path, _line())
    assert history.read(path) == ([_line()], 1)


def _append_many(path: Path, writer: int) -> None:
    for number in range(50):
        history.append(path, _line() | {"writer": writer, "n": number, "pad": "x" * 5_000})


def test_runs_that_end_together_keep_all_their_lines(tmp_path: Path) -> None:
    """Processes append at once: every line is there, whole, and each writer's in its order."""
    path = tmp_path / "history.jsonl"
    processes = [
        multiprocessing.get_context("fork").Process(target=_append_many, args=(path, writer)) for writer in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    lines, damaged = history.read(path)
    assert damaged == 0
    for writer in range(4):
        assert [line["n"] for line in lines if line["writer"] == writer] == list(range(50))


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """A full or missing disk is not passed over."""
    with pytest.raises(OSError, match="No such file"):
        history.append(tmp_path / "none" / "history.jsonl", _line())
    log = EventLog(_full_device(), Redactor())
    with pytest.raises(OSError, match="No space left"):
        log.append("part", reason="x")
    log.close()


def _full_device() -> Path:
    from pathlib import Path

    return Path("/dev/full")
