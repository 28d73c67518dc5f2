"""A terminal that somebody looks at: the table of the eight grows, a search says how far it is; a pipe stays quiet."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import threading
from pathlib import Path

import pytest

from validations.meta.reports.tree import RUN_SECONDS, Tree

PROGRESS = """
import time

def test_search(request):
    for done in range(0, 4001, 10):
        request.config.hook.pytest_viewgate_progress(
            config=request.config, subject="two rebuilders", done=done, total=4000, unit="schedules", states=3
        )
        if done % 1000 == 0:
            time.sleep(0.25)
    print("what a test prints stays captured")
"""


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def _on_terminal(tree: Tree, *arguments: str, mode: str = "", **environment: str) -> str:
    """Run on a terminal; return what was sent to it."""
    ours, theirs = pty.openpty()
    sent: list[bytes] = []

    def read() -> None:
        # The other end is closed when the run has ended: then reading fails.
        try:
            while data := os.read(ours, 65_536):
                sent.append(data)
        except OSError:
            return

    reader = threading.Thread(target=read)
    reader.start()
    process = tree.start("--reports", "out", *arguments, mode=mode, terminal=theirs, environment=environment)
    os.close(theirs)
    try:
        process.wait(RUN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    reader.join(RUN_SECONDS)
    os.close(ours)
    return b"".join(sent).decode()


def _plain(text: str) -> list[str]:
    """Return the lines as they stand there in the end: each after its last carriage return, without colours."""
    lines = re.sub("\033\\[[0-9;]*m", "", text).replace("\r\n", "\n").split("\n")
    return [line.rstrip().rpartition("\r")[2] for line in lines]


def test_the_table_grows_while_the_run_goes_on(tree: Tree) -> None:
    """A row a cell, as soon as all of its parts came out, and no letters for them."""
    lines = _plain(_on_terminal(tree))
    rows = [[*line.split()[:3], line.split()[4]] for line in lines if re.match(r" +\d  ", line)]
    assert rows[:3] == [
        ["1", "middleware", "pass", "1/1"],
        ["2", "writable", "pass", "3/3"],
        ["3", "page", "pass", "1/1"],
    ]
    first, summary = (
        next(n for n, line in enumerate(lines) if words in line) for words in ("middleware", "= viewgate =")
    )
    assert first < summary
    assert not any(line.startswith("test_gate.py ..") for line in lines)


def test_a_gate_alone_tells_its_table_once(tree: Tree) -> None:
    """Where nothing else was said in between, the end does not repeat what stands there."""
    lines = _plain(_on_terminal(tree, "--deselect", "test_gate.py::test_of_no_cell"))
    assert sum("  middleware  " in line for line in lines) == 1
    assert sum(line.startswith("objectives: ") for line in lines) == 1
    again = _plain(_on_terminal(tree))
    assert sum("  middleware  " in line for line in again) == 2


def test_a_cell_that_is_not_whole_has_no_row_yet(tree: Tree) -> None:
    """A part that does not come out leaves its cell to the table at the end."""
    lines = _plain(_on_terminal(tree, mode="silent"))
    end = next(number for number, line in enumerate(lines) if "= viewgate =" in line)
    assert not any("writable" in line for line in lines[:end])
    assert any(re.search(r"writable +NOT RUN", line) for line in lines[end:])


def test_colours_are_left_out_where_nobody_wants_them(tree: Tree) -> None:
    """NO_COLOR is respected; without it a verdict has its colour."""
    assert "\033[31;1mFAIL" in _on_terminal(tree, mode="fail")
    assert "\033[" not in _on_terminal(tree, mode="fail", NO_COLOR="1").replace("\033[?", "")


def test_a_search_says_how_far_it_is_and_takes_it_away(tree: Tree) -> None:
    """Schedules, states and the time left in one line that is written over, though the test's output is captured."""
    (tree.root / "test_search.py").write_text(PROGRESS)
    sent = _on_terminal(tree)
    shown = re.findall(r"two rebuilders: ([\d,]+) of 4,000 schedules, 3 states(?:, ([\w ]+) left)?", sent)
    assert len(shown) >= 3
    assert len(shown) < 100
    assert any(left for _, left in shown)
    assert not any("two rebuilders" in line for line in _plain(sent))
    assert "stays captured" not in sent


@pytest.mark.parametrize("how", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_pipe_stays_quiet(tree: Tree, how: tuple[str, ...]) -> None:
    """In a log there is one table, at its end, and nothing that is written over."""
    (tree.root / "test_search.py").write_text(PROGRESS)
    run = tree.run(*how)
    assert "two rebuilders" not in run.output
    assert "\r" not in run.output
    assert run.output.count("  middleware  ") == 1


def test_with_names_asked_for_pytest_names_each_test(tree: Tree) -> None:
    """`-v` is for whoever wants every test in a line of its own."""
    lines = _plain(_on_terminal(tree, "-v"))
    assert sum("test_gate.py::test_cell" in line for line in lines) >= 5
    assert sum("  middleware  " in line for line in lines) == 1
