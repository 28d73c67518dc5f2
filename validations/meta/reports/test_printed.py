"""What is printed drives neither a CI runner nor a terminal, in however many pieces it is written."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import markdown, terminal
from reports.console import Console
from reports.records import Verdict
from reports.text import inert, json_text
from reports.trends import History
from validations.meta.reports.samples import COMMANDS, HOSTILE, obeyed, outcome, plan, planned, run

PIECES = [
    "#",
    "##",
    "##vso",
    "[",
    "]",
    "a",
    ":",
    "::",
    "---",
    "^^^ +++",
    "error::",
    " ",
    "\t",
    "\n",
    "\r",
    "\x1b[0K",
    "\x1b[31m",
    "\u2028",
]


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a ##[add-mask]b", "a # #[add-mask]b", id="github-anywhere"),
        pytest.param("a ###[add-mask]b", "a ## #[add-mask]b", id="one-more-mark"),
        pytest.param("##vso[task.complete]", "# #vso[task.complete]", id="azure"),
        pytest.param("x##teamcity[buildStop]", "x# #teamcity[buildStop]", id="teamcity"),
        pytest.param("::error::a", ": :error::a", id="github-at-the-beginning"),
        pytest.param("a\n \t\u00a0::error::a", "a\n \t\u00a0: :error::a", id="github-after-blanks"),
        pytest.param("\x1b[31m::error::a", "\x1b[31m: :error::a", id="github-after-a-colour"),
        pytest.param("## a [b] App::make ### c", "## a [b] App::make ### c", id="no-command"),
    ],
)
def test_a_command_is_broken_off_and_can_be_read(text: str, shown: str) -> None:
    """A space stands inside what a runner would do; all else is as it was."""
    assert inert(text) == shown


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        pytest.param(["##", "[a]"], "## [a]", id="before-the-bracket"),
        pytest.param(["#", "#vso[a]"], "# #vso[a]", id="between-the-marks"),
        pytest.param(["##vs", "o[a]"], "##vs o[a]", id="within-the-name"),
        pytest.param([" ", ":", ":error::"], " : :error::", id="between-the-colons"),
        pytest.param(["a\n", "::error::"], "a\n: :error::", id="a-new-line"),
        pytest.param(["a", "::error::"], "a::error::", id="within-a-line"),
        pytest.param(["--", "- folded"], "-- - folded", id="within-a-section"),
        pytest.param(["+++", " opened"], " +++ opened", id="behind-a-section"),
    ],
)
def test_a_command_in_two_pieces_is_one(pieces: list[str], shown: str) -> None:
    """What was written before on the same line is looked at, too."""
    stream = io.StringIO()
    console = Console(stream)
    for piece in pieces:
        assert console.write(piece) == len(piece)
    assert stream.getvalue() == shown


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12), colours=st.booleans())
def test_nothing_that_is_written_is_obeyed(pieces: list[str], colours: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever the text, and wherever it is cut, no line of it is a command, and no control character is left."""
    stream = io.StringIO()
    console = Console(stream, colours=colours)
    for piece in pieces:
        console.write(piece)
    assert obeyed(stream.getvalue(), colours=colours) == []


def test_a_terminal_gets_what_moves_its_cursor_within_a_line() -> None:
    """A carriage return and a terminal's progress pass where there is one; no other sequence does."""
    text = "1 of 2\r2 of 2\x1b]9;4;1;50\x1b\\\x1b[2J"
    looked_at, log = Terminal(), io.StringIO()
    Console(looked_at).write(text)
    Console(log).write(text)
    assert looked_at.getvalue() == "1 of 2\r2 of 2\x1b]9;4;1;50\x1b\\\\x1b[2J"
    assert log.getvalue() == "1 of 2\\r2 of 2\\x1b]9;4;1;50\\x1b\\\\x1b[2J"


def test_there_is_no_way_around_the_console() -> None:
    """Bytes, which are not looked at, cannot be written."""
    console = Console(io.TextIOWrapper(io.BytesIO()))
    assert not hasattr(console, "buffer")
    with pytest.raises(TypeError):
        console.write(b"##[a]")  # type: ignore[arg-type]


@given(
    data=st.recursive(
        st.text(max_size=8) | st.sampled_from([COMMANDS, HOSTILE, "##[a]", "###"]), st.lists, max_leaves=4
    )
)
def test_json_reads_as_it_was_and_is_not_obeyed(data: object) -> None:
    """What is in a file of ours is no command where somebody prints the file, and is what was written to it."""
    for text in (json_text(data), json_text({"a": data}, indent=1)):
        assert obeyed(text) == []
    assert json.loads(json_text(data)) == data


def test_a_finding_is_one_line() -> None:
    """However many lines others wrote, a finding, its remedy and a cause take a line each."""
    name = "page/web-1/page"
    came = [
        outcome(name, Verdict.FAIL, reason=f"first\n{COMMANDS}\nlast", remedy=f"do\n{COMMANDS}"),
        outcome("locks/web-1/ttl", Verdict.UNKNOWN, reason="no", cause=f"down\n{COMMANDS}", remedy="start it"),
    ]
    ran = run(plan(planned(name, number=7), planned("locks/web-1/ttl", number=5)), came)
    shown = terminal.summary(ran.plan, ran.gate)
    (line,) = [line for line in shown.splitlines() if line.startswith("  page: ")]
    assert "first" in line
    assert "last" in line
    stream = io.StringIO()
    Console(stream).write(shown)
    assert obeyed(stream.getvalue()) == []
    assert obeyed(markdown.render(ran, ran.gate, History([]))) == []
