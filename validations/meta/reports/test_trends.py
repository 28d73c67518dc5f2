"""What a history says of cells: flaky by a rule and not by a feeling, outages apart, what changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reports import history
from reports.__main__ import main
from reports.trends import STEADY, Change, History, Past, changes, pasts, steadiness
from validations.meta.reports.samples import STARTED, outcome, past, plan, planned, run

NOW = datetime.fromtimestamp(STARTED, UTC)
CELL = "7-page@web-1"
OTHER = "1-middleware@web-1"


def _runs(verdicts: str, *, revision: str = "r1", days: float = 0.1) -> list[Past]:
    """Return runs of two cells: of CELL p passes, f fails, u is unknown; of `x` everything fails, `r` was repeated."""
    words = {"p": "pass", "f": "fail", "u": "unknown", "x": "fail", "r": "pass"}
    return [
        past(
            days=days * (index - len(verdicts)),
            verdict="fail" if letter in "fx" else "pass",
            cells={CELL: words[letter], OTHER: "fail" if letter == "x" else "pass"},
            revision=revision,
            repeated=(CELL,) if letter == "r" else (),
        )
        for index, letter in enumerate(verdicts)
    ]


def _why(runs: list[Past]) -> str:
    return {one.cell: one.why for one in steadiness(runs, now=NOW)}.get(CELL, "not judged")


@pytest.mark.parametrize(
    ("verdicts", "why"),
    [
        pytest.param("ppppp", "", id="always-passes"),
        pytest.param("fffff", "", id="always-fails"),
        pytest.param("pfp", "passed and failed on r1", id="both-on-one-revision"),
        pytest.param("fp" + "p" * (STEADY - 2), "passed and failed on r1", id="not-long-enough-ago"),
        pytest.param("f" + "p" * STEADY, "", id="mended"),
        pytest.param("f" + "p" * STEADY + "f", "passed and failed on r1", id="broken-again"),
        pytest.param("ppxpp", "", id="an-outage-is-not-its-fault"),
        pytest.param("ppupp", "", id="unknown-says-nothing"),
        pytest.param("ppr", "its attempts disagreed in run--0.1", id="attempts-disagreed"),
        pytest.param("r" + "p" * STEADY, "", id="attempts-disagreed-long-ago"),
        pytest.param("xx", "not judged", id="outages-alone"),
    ],
)
def test_flaky_is_what_passes_and_fails_on_one_revision(verdicts: str, why: str) -> None:
    """Until it has passed five times in a row; what an outage did to all cells is not counted against one."""
    assert _why(_runs(verdicts)) == why


def test_a_change_of_revision_explains_a_change_of_verdict() -> None:
    """A cell that a deploy broke, and the next one mended, is not flaky."""
    runs = [*_runs("pp", revision="r1", days=3), *_runs("ff", revision="r2", days=2), *_runs("pp", revision="r3")]
    assert _why(runs) == ""


def test_what_is_older_than_the_window_is_forgotten() -> None:
    """Two weeks; of what has no revision nothing is claimed."""
    assert _why(_runs("pf", days=20)) == "not judged"
    assert _why(_runs("pf", revision="")) == ""


def test_flips_are_counted_between_neighbours() -> None:
    """A cell that fails every other time flips always, one that failed for a while flips twice."""
    flips = {name: steadiness(_runs(name), now=NOW)[0] for name in ("pfpfp", "pfffp")}
    assert (flips["pfpfp"].flip_rate, flips["pfffp"].flip_rate) == (1.0, 0.5)
    assert (flips["pfffp"].judged, flips["pfffp"].failed) == (5, 3)


def test_the_last_green_is_a_run_that_passed_as_a_whole() -> None:
    """A gate that passed in a run that failed beside it is no green run."""
    runs = [past(days=-3), past(days=-2, exit_code=1), past(days=-1, verdict="fail")]
    assert History(runs).green is runs[0]
    assert History(runs[1:]).green is None


def test_changes_are_the_revision_cells_and_measures_that_moved() -> None:
    """A measure that moved by less than a tenth is noise."""
    before = past(days=-1, measures={"page.p95@web-1": 0.020, "recovery@web-1": 0.1})
    after = past(verdict="fail", revision="r2", measures={"page.p95@web-1": 0.0345, "recovery@web-1": 0.105})
    assert changes(before, after) == [
        Change("revision", "r1", "r2"),
        Change("1-middleware@web-1", "pass", "fail"),
        Change("page.p95@web-1", "20 ms", "34.5 ms"),
    ]


@pytest.mark.parametrize(
    "broken",
    [{"started": "yesterday"}, {"cells": []}, {"exit": "x"}, {"verdict": None, "exit": None}, {"measures": {"a": []}}],
    ids=["time", "cells", "exit", "nothing", "measure"],
)
def test_a_line_of_another_form_does_no_harm(broken: dict[str, object]) -> None:
    """A history travels through caches and merges: what cannot be read is left out, or left out of."""
    good = history.line(run(plan(planned())), run(plan(planned())).gate, ended=STARTED, code=1)
    assert len(pasts([good, good | broken])) in (1, 2)


# The command line


def _recorded(folder: Path) -> Path:
    """Record a green and a red run of one revision, twice over as a merge of two caches does, and a torn line."""
    ledger = plan(planned("page/web-1/page", number=7), planned("locks/web-1/ttl", number=5))
    lines = []
    for number, verdict in enumerate(("pass", "fail")):
        came = [outcome("page/web-1/page", figures={"release": "r7"}), outcome("locks/web-1/ttl")]
        ran = run(ledger, came[: 2 - number], name=f"run-{number}")
        entry = history.line(ran, ran.gate, ended=STARTED + 4, code=number)
        assert entry["verdict"] == verdict
        lines.append(json.dumps(entry | {"started": f"2026-11-2{number}T00:00:00+00:00"}))
    (folder / "history.jsonl").write_text("\n".join([*reversed(lines), *lines, lines[0][:50]]))
    return folder


def _call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments])


def test_the_history_is_printed(tmp_path: Path) -> None:
    """Every run once, the oldest first, and what they come to."""
    told = _call("history", _recorded(tmp_path))
    assert told.exit_code == 0
    rows = [line.split() for line in told.output.splitlines()]
    assert [row[0] for row in rows[:3]] == ["run", "run-0", "run-1"]
    assert rows[2][-1] == "5-locks@web-1"
    assert "2 runs recorded, 1 passed, in 0 everything failed; last green: run-0" in told.output
    assert "1 lines cannot be read" in told.output


def test_the_history_is_told_as_json(tmp_path: Path) -> None:
    """For a dashboard of one's own: the sums, every cell's steadiness, the lines as they were recorded."""
    told = json.loads(_call("history", _recorded(tmp_path), "--json", "--last", 1).output)
    assert (told["recorded"], told["last_green"], told["damaged_lines"]) == (2, "run-0", 1)
    assert [one["run"] for one in told["runs"]] == ["run-1"]
    assert {one["cell"]: one["judged"] for one in told["cells"]} == {"7-page@web-1": 2, "5-locks@web-1": 1}


def test_two_runs_are_compared(tmp_path: Path) -> None:
    """By their ids or the beginnings of them, or as the latest and the latest that was green."""
    _recorded(tmp_path)
    told = json.loads(_call("history", tmp_path, "--compare", "green", "latest", "--json").output)
    assert told["changes"] == [{"what": "5-locks@web-1", "before": "pass", "after": "missing"}]
    assert "nothing is different" in _call("history", tmp_path, "--compare", "run-1", "latest").output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--compare", "run-", "latest"], "'run-' names 2 of them", id="ambiguous"),
        pytest.param(["--compare", "nobody", "latest"], "'nobody' names none", id="nobody"),
        pytest.param(["-e", "elsewhere"], "holds no run of elsewhere", id="no-such-environment"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(tmp_path: Path, arguments: list[str], said: str) -> None:
    """One line and exit code 1."""
    told = _call("history", _recorded(tmp_path), *arguments)
    assert told.exit_code == 1
    assert said in told.output


def test_rendering_what_is_no_run_says_why(tmp_path: Path) -> None:
    """No log, an empty one, one of another version: exit code 1, and nothing is written."""
    for text, said in ((None, "cannot be read"), ("", "holds no event"), ('{"schema": 1}\n', "is no event log")):
        if text is not None:
            (tmp_path / "events.jsonl").write_text(text)
        told = _call("render", tmp_path)
        assert told.exit_code == 1
        assert said in told.output
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
