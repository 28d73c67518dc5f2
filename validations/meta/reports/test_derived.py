"""All reports of whole runs: red from the start, greener together, and the same when derived from the log again."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest

from reports.records import FILES
from validations.meta.reports.tree import CELLS, Tree, both_ways, ended

GREEN = {"report.html", "summary.md", "metrics.prom", "report.json", "junit.xml", "junit-strict.xml"}


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture(scope="module", name="passed_once")
def _passed_once(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = Tree(tmp_path_factory.mktemp("passed"))
    assert tree.run().code == 0
    return tree


@pytest.fixture(name="passed")
def _passed(tree: Tree, passed_once: Tree) -> Tree:
    """Give a tree with the reports of a run that passed."""
    shutil.copytree(passed_once.out, tree.out)
    return tree


@both_ways
def test_the_reports_of_a_run_are_derived_again_from_its_log(tree: Tree, how: tuple[str, ...]) -> None:
    """Byte by byte, and whatever was lost or changed of them meanwhile is as it was."""
    assert tree.run(*how, mode="attach").code == 0
    assert set(tree.greens()) == GREEN
    written = {name: (tree.out / name).read_bytes() for name in FILES}
    for name in FILES:
        (tree.out / name).unlink()
    (tree.out / "junit.xml").write_text("<testsuites/>")
    again = tree.render()
    assert again.code == 0, again.output
    assert {name: (tree.out / name).read_bytes() for name in FILES} == written


@pytest.mark.parametrize(
    ("mode", "code"), [pytest.param("fail", 1, id="failed"), pytest.param("unknown", 6, id="inconclusive")]
)
def test_a_red_run_stays_red_when_it_is_derived_again(tree: Tree, mode: str, code: int) -> None:
    """With the exit code that it had."""
    assert tree.run(mode=mode).code == code
    assert tree.greens() == []
    assert tree.render().code == code
    assert tree.greens() == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: [one for one in lines if '"part": "logs"' not in one or '"plan"' in one], id="lost"),
        pytest.param(lambda lines: lines[:-1], id="no-end"),
        pytest.param(lambda lines: [*lines[:5], lines[5][:40], *lines[6:]], id="torn-within"),
        pytest.param(lambda lines: [*lines, lines[-2][:40]], id="more-after-the-end"),
        pytest.param(lambda lines: [*lines[:5], "null", *lines[6:]], id="no-event"),
    ],
)
def test_a_log_that_lost_something_makes_no_green_reports(passed: Tree, change: object) -> None:
    """What the log no longer bears out did not happen."""
    log = passed.out / "events.jsonl"
    lines = change(log.read_text().splitlines())  # type: ignore[operator]
    log.write_text("\n".join(lines) + ("" if len(lines[-1]) == 40 else "\n"))
    again = passed.render()
    assert again.code == 1, again.output
    assert passed.greens() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.profile("ci")) for seed in range(1, 8))], ids=str
)
def test_a_run_ended_at_any_moment_leaves_no_green_report(passed: Tree, number: signal.Signals, seed: int) -> None:
    """Over an older run's green reports, too: none is green whose log does not say that the run passed."""
    tree = passed
    process = tree.start("--reports", "out", mode="slow")
    time.sleep(random.Random(seed * 100 + number).uniform(0.3, 1.2))  # noqa: S311 - a moment, not a secret
    process.send_signal(number)
    ended(process)
    said = [one["verdict"] for one in tree.events() if one["event"] == "run-ended"]
    # Between the older run's reports and ours there are none.
    assert not tree.greens(some_missing=True) or said == ["pass"]
    if tree.events():
        tree.render()
        assert bool(tree.greens()) == (said == ["pass"])


def test_a_run_killed_as_it_begins_leaves_no_older_green(passed: Tree) -> None:
    """An older run's green reports are gone before its log is, so that no moment shows them without it."""
    assert passed.greens() != []
    assert passed.run(mode="killed as it begins").code == -signal.SIGKILL
    assert passed.events() == []
    assert passed.greens(some_missing=True) == []


def test_a_part_that_was_running_under_sigkill_is_named_when_derived_again(tree: Tree) -> None:
    """The killed process could not say so; its log holds what had begun."""
    assert tree.run(mode="killed at 4").code == -signal.SIGKILL
    assert tree.greens() == []
    running = [one for one in tree.events() if one["event"] == "test-started"][-1]
    assert tree.render().code == 1
    cases = tree.cases()
    (cut,) = [name for name in CELLS if cases[name] == "Interrupted"]
    assert cut.rpartition(".")[2] in str(running["nodeid"])


@both_ways
def test_evidence_is_kept_with_the_run(tree: Tree, how: tuple[str, ...]) -> None:
    """In the run's folder under a plain name, text without its secrets, from a worker as well."""
    tree.run(*how, mode="attach")
    kept = {path.name: path.read_bytes() for path in (tree.out / "attachments").iterdir()}
    assert kept == {"web-1-page.png": b"\x89PNG", "body.html": b"<p>[redacted]</p>"}
    told = (tree.out / "junit.xml").read_text()
    assert "[[ATTACHMENT|out/attachments/web-1-page.png]]\n[[ATTACHMENT|out/attachments/body.html]]" in told


def test_a_repeated_test_beside_the_gate_is_one_that_passed_in_the_end(tree: Tree) -> None:
    """Its first attempt is told as one, and not as a test that passed."""
    run = tree.run(mode="repeated")
    assert run.code == 0, run.output
    text = (tree.out / "junit.xml").read_text()
    assert text.count('name="test_of_no_cell') == 1
    assert "<flakyFailure" in text
    assert "the first time it fails" in text


def test_what_was_explored_is_on_the_page(tree: Tree) -> None:
    """Races and faults come through a test's properties, from a worker too, without secrets."""
    run = tree.run("-n2", mode="explored")
    assert run.code == 0
    assert re.search(r"^page +1 +1 +0 +0$", run.output, re.MULTILINE)
    text = (tree.out / "report.html").read_text()
    assert 'id="races"' in text
    assert 'id="faults"' in text
    assert "[redacted]" in text
    assert "swordfish" not in text


def test_a_race_that_cannot_be_read_fails_the_run(tree: Tree) -> None:
    """A search of which nothing is known may have found anything."""
    run = tree.run(mode="no race")
    assert run.code == 1
    assert "should be a whole number" in (tree.out / "junit.xml").read_text()


@pytest.mark.parametrize("mode", ["", "killed at 4"], ids=["passed", "killed"])
def test_githubs_job_summary_holds_the_run_beside_what_others_wrote(tree: Tree, mode: str) -> None:
    """It is red from the start, and only the run's own part of it is replaced."""
    file = tree.root / "step.md"
    file.write_text("# of others\n")
    tree.run(mode=mode, environment={"GITHUB_STEP_SUMMARY": str(file)})
    text = file.read_text()
    assert text.startswith("# of others\n")
    assert text.count("\n## ") == 1
    assert ("viewgate passed" in text) == (not mode)


def test_each_report_grows_in_one_piece(tree: Tree) -> None:
    """Nothing temporary is left, and the history has one line a run."""
    tree.run()
    tree.run(mode="fail")
    assert not [path for path in tree.out.iterdir() if path.name.startswith(".")]
    verdicts = [json.loads(line)["verdict"] for line in (tree.out / "history.jsonl").read_text().splitlines()]
    assert verdicts == ["pass", "fail"]
    assert "Since the last green" in (tree.out / "report.html").read_text()


def test_a_writer_that_breaks_fails_the_run_and_no_other_report(tree: Tree) -> None:
    """The last line says which defect, every part is told, and nothing is green: not what was written before it."""
    run = tree.run(mode="writer breaks")
    assert run.code == 1, run.output
    assert "reports cannot be written to" in run.last_line
    assert "TypeError: a writer's own defect" in run.last_line
    assert tree.greens() == []
    assert [name for name in CELLS if tree.cases()[name] == "pass"] == list(CELLS)
    (line,) = (tree.out / "history.jsonl").read_text().splitlines()
    assert (json.loads(line)["verdict"], json.loads(line)["exit"]) == ("fail", 1)
