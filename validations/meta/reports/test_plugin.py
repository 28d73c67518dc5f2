"""The reports' plugin in whole pytest runs: healthy, broken, left out, interrupted, killed; never green by mistake."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from reports.records import FILES, Other, Outcome, Plan
from reports.verdict import judge
from validations.meta.reports.tree import CELLS, RUN_SECONDS, Tree, both_ways, ended, until


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@both_ways
def test_a_healthy_run_passes(tree: Tree, how: tuple[str, ...]) -> None:
    """Exit code 0, every part and the gate green, the verdict in the very last line, nothing temporary left."""
    run = tree.run(*how)
    assert run.code == 0, run.output
    assert tree.cases() == {
        **dict.fromkeys(CELLS, "pass"),
        "test_gate.test_of_no_cell": "pass",
        "viewgate.gate.verdict": "pass",
    }
    assert run.last_line.startswith("gate: PASSED: 3 of 3 cells passed")
    assert {path.name for path in tree.out.iterdir()} == {"events.jsonl", "history.jsonl", *FILES}


def test_reports_are_red_before_anything_is_collected(tree: Tree) -> None:
    """A run killed while it collects has told that nothing ran and that the gate failed."""
    tree.run()
    first = tree.cases("first.xml")
    assert first == dict.fromkeys(CELLS, "NotRun") | {"viewgate.gate.verdict": "Failed"}


def test_each_run_has_a_directory_of_its_own_and_a_link_to_the_latest(tree: Tree) -> None:
    """Without --reports, runs lie side by side, also two at once, and `latest` is one of them."""
    for process in [tree.start(), tree.start(mode="fail")]:
        ended(process)
    runs = [path for path in (tree.root / "reports" / "runs").iterdir() if path.is_dir()]
    assert len(runs) == 2
    latest = tree.root / "reports" / "latest"
    assert not latest.readlink().is_absolute()
    assert latest.resolve() in runs
    assert len((tree.root / "reports" / "runs" / "history.jsonl").read_text().splitlines()) == 2
    assert sorted(path.name for path in latest.parent.iterdir()) == ["latest", "runs"]


@pytest.mark.parametrize(
    ("mode", "code", "cell"),
    [
        pytest.param("fail", 1, "Failed", id="part-fails"),
        pytest.param("unknown", 6, "Unknown", id="part-unknown"),
        pytest.param("unknown objective", 0, "pass", id="unknown-objective-not-required"),
        pytest.param("not applicable", 0, "pass", id="part-not-applicable"),
        pytest.param("stray", 1, "pass", id="nobody-planned-it"),
        pytest.param("malformed", 1, "pass", id="outcome-malformed"),
        pytest.param("no object", 1, "pass", id="outcome-no-object"),
        pytest.param("silent", 1, "NotRun", id="no-outcome"),
        pytest.param("skip after pass", 6, "Unknown", id="skipped-after-passing"),
        pytest.param("teardown error", 1, "Failed", id="teardown-fails"),
        pytest.param("all skipped", 1, "NotRun", id="all-skipped"),
        pytest.param("other fails", 1, "pass", id="other-test-fails"),
        pytest.param("threshold", 1, "pass", id="another-plugin-fails-it"),
        pytest.param("forked child", 0, "pass", id="forked-child-is-terminated"),
    ],
)
def test_what_comes_out_decides_the_exit_code(tree: Tree, mode: str, code: int, cell: str) -> None:
    """Whatever goes wrong in one part, the run is no greener than that."""
    run = tree.run(mode=mode)
    assert run.code == code, run.output
    cases = tree.cases()
    assert cases["2-writable.web-1.logs"] == cell
    green = mode in {
        "unknown objective",
        "not applicable",
        "other fails",
        "threshold",
        "forked child",
        "malformed",
        "no object",
    }
    assert (cases["viewgate.gate.verdict"] == "pass") == green
    word = {0: "PASSED", 6: "INCONCLUSIVE"}.get(code, "PASSED" if green else "FAILED")
    assert run.last_line.startswith(f"gate: {word}")


@pytest.mark.parametrize(
    ("mode", "code", "cell"),
    [
        pytest.param("fail", 1, "Failed", id="part-fails"),
        pytest.param("unknown", 6, "Unknown", id="part-unknown"),
        pytest.param("unknown objective", 0, "pass", id="unknown-objective-not-required"),
        pytest.param("teardown error", 1, "Failed", id="teardown-fails"),
        pytest.param("all skipped", 1, "NotRun", id="all-skipped"),
    ],
)
def test_workers_make_no_difference_to_the_exit_code(tree: Tree, mode: str, code: int, cell: str) -> None:
    """What a worker of pytest-xdist saw counts as if the controller had."""
    run = tree.run("-n2", mode=mode)
    assert run.code == code, run.output
    assert tree.cases()["2-writable.web-1.logs"] == cell


@pytest.mark.parametrize(
    ("arguments", "mode", "code"),
    [
        pytest.param(["-k", "booted"], "", 1, id="k-subset"),
        pytest.param(["-k", "nothing_of_this_name"], "", 5, id="k-nothing"),
        pytest.param(["--deselect", "test_gate.py::test_objective"], "", 1, id="deselect"),
        pytest.param(["-x"], "fail", 1, id="first-failure-ends-it"),
        pytest.param(["--setup-only"], "", 1, id="setup-only"),
        pytest.param([], "empty plan", 1, id="empty-plan"),
        pytest.param([], "no import", 2, id="collection-error"),
        pytest.param([], "internal error", 3, id="internal-error"),
        pytest.param([], "pytest exit", 1, id="exit-with-code-zero"),
        pytest.param([], "no end", 1, id="session-end-breaks"),
        pytest.param(["-n2", "-k", "booted"], "", 1, id="xdist-k-subset"),
        pytest.param(["-n2"], "no import", 1, id="xdist-collection-error"),
        pytest.param(["no_such_file.py"], "", 4, id="no-such-file"),
    ],
)
def test_a_run_that_leaves_something_out_does_not_pass(tree: Tree, arguments: list[str], mode: str, code: int) -> None:
    """No selection, error or early end turns what did not run green."""
    run = tree.run(*arguments, mode=mode)
    assert run.code == code, run.output
    assert tree.cases()["viewgate.gate.verdict"] == "Failed"


def test_a_run_that_could_not_start_says_why_in_its_report(tree: Tree) -> None:
    """Whoever sees the report only, as a dashboard does, learns that there was no stage."""
    run = tree.run(mode="no stage")
    assert (run.code, run.output.strip().splitlines()[-1]) == (4, "ERROR: the stage did not come up")
    assert 'message="the stage did not come up; 6 of 6 planned parts' in (tree.out / "junit.xml").read_text()


@both_ways
@pytest.mark.parametrize("mode", ["exit", "interrupt"])
def test_the_part_under_which_a_process_ends_is_told(tree: Tree, mode: str, how: tuple[str, ...]) -> None:
    """A crashed worker or an interrupt names the part it hit; a dead controller leaves what it had written."""
    run = tree.run(*how, mode=mode)
    dead = mode == "exit" and not how
    # os._exit(0) of the controller itself is nobody's to change: the report tells.
    assert (run.code == 0) == dead
    cases = tree.cases()
    assert cases["2-writable.web-1.logs"] == ("NotRun" if dead else "Interrupted")
    assert cases["viewgate.gate.verdict"] == "Failed"


@pytest.mark.parametrize(
    ("number", "how"),
    [
        pytest.param(signal.SIGTERM, [], id="sigterm"),
        pytest.param(signal.SIGINT, [], id="sigint"),
        pytest.param(signal.SIGHUP, [], id="sighup"),
        pytest.param(signal.SIGTERM, ["-n2", "--maxschedchunk=1"], id="xdist-sigterm"),
    ],
)
def test_a_signal_ends_the_run_in_good_order(tree: Tree, number: signal.Signals, how: list[str]) -> None:
    """Exit code 2, what came out before is kept, what was running is Interrupted, the last line says why."""
    process = tree.start("--reports", "out", *how, mode="wait")
    until(process, tree.root / "waiting")
    # Under pytest-xdist both the first part's outcome and that this one began may still be on their way.
    ends = time.monotonic() + RUN_SECONDS
    while not {"part", "logs began"} <= {
        "logs began" if str(event.get("nodeid", "")).endswith("logs]") else str(event["event"])
        for event in tree.events()
    }:
        assert time.monotonic() < ends, "the first part's outcome did not arrive"
        time.sleep(0.02)
    process.send_signal(number)
    run = ended(process)
    assert run.code == 2, run.output
    cases = tree.cases()
    assert cases["1-middleware.web-1.booted"] == "pass"
    assert cases["2-writable.web-1.logs"] == "Interrupted"
    assert cases["viewgate.gate.verdict"] == "Failed"
    assert run.last_line.startswith(f"gate: FAILED: interrupted: {number.name}")
    assert tree.events()[-1]["event"] == "run-ended"


@pytest.mark.parametrize("events", range(1, 9))
def test_a_run_killed_between_its_outcomes_leaves_a_red_report(tree: Tree, events: int) -> None:
    """SIGKILL gives no time to write: what is there is well-formed, red, and no greener than what came out."""
    run = tree.run(mode=f"killed at {events}")
    assert run.code == -signal.SIGKILL
    cases = tree.cases()
    assert cases["viewgate.gate.verdict"] == "Failed"
    assert set(cases) >= CELLS
    came = {one["outcome"]["part"] for one in tree.events() if one["event"] == "part"}  # type: ignore[index]
    green = {name.rpartition(".")[2] for name in CELLS if cases[name] == "pass"}
    assert green <= came


def test_reports_that_cannot_be_written_are_a_usage_error(tree: Tree) -> None:
    """One clear line, exit code 4, and nothing runs."""
    tree.out.write_text("a file")
    run = tree.run()
    assert run.code == 4
    (line,) = run.output.strip().splitlines()
    assert line.startswith("ERROR: reports cannot be written to")
    assert "give a writable directory with --reports DIR" in line


def test_reports_that_can_no_longer_be_written_fail_the_run(tree: Tree) -> None:
    """A run whose reports vanished does not pass, and says so in its last line."""
    run = tree.run(mode="lost directory")
    assert run.code == 1
    assert run.last_line.startswith("gate: FAILED: reports cannot be written to")


def test_a_run_without_a_plan_leaves_no_report_behind(tree: Tree) -> None:
    """An earlier run's green report does not stand for one that ended before it had a plan."""
    tree.run()
    run = tree.run(mode="plan error")
    assert (run.code, run.output.strip()) == (4, "ERROR: no environment is named nowhere")
    assert not (tree.out / "junit.xml").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--collect-only"], ["--help"], ["--markers"], ["--fixtures"], ["--version", "--version"]],
    ids=lambda arguments: arguments[0].strip("-"),
)
def test_looking_around_writes_nothing(tree: Tree, arguments: list[str]) -> None:
    """What does not run the gate has no verdict."""
    assert tree.run(*arguments).code == 0
    assert not tree.out.exists()


@both_ways
def test_without_a_plan_the_run_is_pytests_own(tree: Tree, how: tuple[str, ...]) -> None:
    """`pytest validations/meta` writes no reports, words no verdict, and keeps pytest's exit code."""
    run = tree.run(*how, mode="no plan")
    assert run.code == 0
    assert "gate:" not in run.output
    assert not tree.out.exists()


@both_ways
def test_a_run_sees_what_earlier_ones_recorded(tree: Tree, how: tuple[str, ...]) -> None:
    """The history hook works wherever a test runs, and holds this environment's runs only."""
    tree.run()
    other = json.dumps({"schema": 1, "environment": "live"})
    with (tree.out / "history.jsonl").open("a") as file:
        file.write(f"{other}\n")
    tree.run(*how)
    lines = [json.loads(line) for line in (tree.out / "history.jsonl").read_text().splitlines()]
    assert [line.get("figures", {}).get("availability") for line in lines] == [{"recorded": 0}, None, {"recorded": 1}]
    assert lines[-1]["figures"]["writable"] == {"requests": 90}


def test_no_secret_reaches_a_file_or_the_terminal(tree: Tree) -> None:
    """A secret in an observation is redacted before the first byte of it is written."""
    run = tree.run(mode="fail")
    assert "0777 with [redacted]" in (tree.out / "junit.xml").read_text()
    for path in tree.out.iterdir():
        assert "swordfish" not in path.read_text(), path.name
    assert "swordfish" not in run.output


def test_a_failing_cell_is_worded_once(tree: Tree) -> None:
    """The table names it, the remedy explains it, and pytest's own failure section keeps quiet."""
    run = tree.run(mode="fail")
    assert "wording of pytest" not in run.output
    assert run.output.count("but should be 0755") == 2
    assert "1 failed in the gate" in run.output
    assert "\033[" not in run.output


def test_an_attempt_that_failed_is_not_mended_by_the_next(tree: Tree) -> None:
    """Both attempts are in the event log, and the worse one counts."""
    run = tree.run(mode="twice")
    assert run.code == 1
    assert tree.cases()["2-writable.web-1.logs"] == "Failed"
    said = [one["outcome"] for one in tree.events() if one["event"] == "part"]
    attempts = [one["finding"]["verdict"] for one in said if one["part"] == "logs"]  # type: ignore[index]
    assert attempts == ["fail", "pass"]


def test_the_event_log_holds_all_that_the_reports_are_made_of(tree: Tree) -> None:
    """Plan, outcomes, other tests and the end: the verdict can be derived again from the log alone."""
    tree.run(mode="unknown")
    told = tree.events()
    ledger = Plan.from_json(told[0]["plan"])
    came = [Outcome.from_json(one["outcome"]) for one in told if one["event"] == "part"]
    beside = [Other.from_json(one["other"]) for one in told if one["event"] == "other"]
    gate = judge(ledger, came)
    assert [other.outcome for other in beside] == ["passed"]
    (said,) = [one for one in told if one["event"] == "run-ended"]
    assert {name: said[name] for name in ("verdict", "reason", "trouble", "exit")} == {
        "verdict": "unknown",
        "reason": gate.reason,
        "trouble": "",
        "exit": 6,
    }
