"""The sink of what is printed: text of others drives neither a terminal nor a CI runner.

A log line of a host may hold `##vso[task.setvariable ...]`, `::error::`, a carriage return or an escape sequence.
Whatever pytest writes to the terminal passes through a `Console` (see `reports.plugin`), and so does what our own
commands print.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, TextIO

from reports.text import inert, visible

# What passes, by whether colours do and whether the stream is a terminal: there pytest overwrites lines with carriage
# returns, and tells of its progress.
_PASSING = {
    (True, False): re.compile(r"(\x1b\[[0-9;]*m)"),
    (False, True): re.compile(r"(\r|\x1b\]9;4;[0-9;]*\x1b\\)"),
    (True, True): re.compile(r"(\x1b\[[0-9;]*m|\r|\x1b\]9;4;[0-9;]*\x1b\\)"),
}
_TAIL = 100
"""Characters of a line that are looked at again with what is written behind them: longer than any command."""


def stand_in() -> None:
    """Let a standard stream that is closed (`>&-`) lead nowhere, and no file of ours take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free: this one.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)  # noqa: FBT003 - the only way to give it
        if getattr(sys, name) is None:
            stream = open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


class Console:
    """A text stream for lines that are written in pieces. Raises what the stream beneath it raises.

    Control characters appear as escapes. Colours pass where `colours` is set, and what moves the cursor within a line
    where the stream is a terminal. What a CI runner takes for a command appears with a space in it.
    """

    def __init__(self, stream: TextIO, *, colours: bool = False) -> None:
        self._stream = stream
        self._passing = _PASSING.get((colours, stream.isatty()))
        # The end of the line as it stands, since a command may come in two pieces.
        self._line = ""

    def write(self, text: str) -> int:
        """Write the text so that it does nothing but stand there; return its length."""
        pieces = [text] if self._passing is None else self._passing.split(text)
        shown = "".join(piece if odd % 2 else visible(piece) for odd, piece in enumerate(pieces))
        whole = inert(self._line + shown)
        # What stands there cannot be changed: a command that begins in it is broken off behind it.
        shown = whole[len(self._line) :] if whole.startswith(self._line) else f" {inert(shown)}"
        self._stream.write(shown)
        self._line = re.split("[\n\r]", self._line + shown)[-1][-_TAIL:]
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Return what the stream beneath has, but no way to write bytes, which are not looked at."""
        if name == "buffer":
            raise AttributeError(name)
        return getattr(self._stream, name)
