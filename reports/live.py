"""What a terminal shows while a run goes on: the table of the eight as it grows, and how far a long search is.

Only where somebody looks: not in a file, not in a pipe, not with `-v`, where pytest names each test itself. No escape
sequences but colours, and those as pytest does, so that NO_COLOR is respected.
"""

from __future__ import annotations

import time
from contextlib import nullcontext

import pytest

from reports import terminal
from reports.records import Key
from reports.run import Run
from reports.text import duration, line

_PAUSE = 0.2
"""Seconds between two updates of a progress line."""


def watched(config: pytest.Config) -> pytest.TerminalReporter | None:
    """Return the terminal that somebody looks at, if any."""
    reporter: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    return reporter if reporter is not None and reporter.isatty() and config.get_verbosity() <= 0 else None


class LiveTable:
    """Writes a cell's row as soon as all of its parts have come out."""

    def __init__(self, reporter: pytest.TerminalReporter, run: Run) -> None:
        self._reporter = reporter
        self._run = run
        self._table = terminal.Growing(run.plan)
        self._files = {part.file for part in run.plan.parts}
        self._left: dict[tuple[str, str], set[Key]] = {}
        self._rows = 0
        for part in run.plan.parts:
            if part.kind == "validation":
                self._left.setdefault((part.check, part.host), set()).add(part.key)

    @property
    def whole(self) -> bool:
        """Whether the table stands there in one piece, and need not be told again."""
        return not self._left and not self._run.others

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Let pytest name no file whose tests have rows."""
        self._reporter.showfspath = False if nodeid.partition("::")[0] in self._files else None

    def came(self, key: Key) -> None:
        """Note that a part came out."""
        left = self._left.get(key[:2])
        if left is None:
            return
        left.discard(key)
        if left:
            return
        del self._left[key[:2]]
        cell = next(cell for cell in self._run.gate.validations if (cell.check, cell.host) == key[:2])
        self._reporter.ensure_newline()
        if not self._rows:
            self._reporter.write_line(self._table.head())
        self._rows += 1
        self._reporter.write_line(self._table.row(cell, colour=self._reporter.hasmarkup))
        self._reporter.flush()


class Progress:
    """Shows how far a long search is, in one line that is written over, and taken away when its test ends."""

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        self._config = config
        self._reporter = reporter
        self._shown = 0
        self._at = 0.0
        self._subject = ""
        self._began = 0.0

    def pytest_viewgate_progress(
        self, subject: str, done: int, total: int | None, unit: str, states: int | None
    ) -> None:
        """Show it, a few times a second at most."""
        now = time.monotonic()
        if subject != self._subject:
            self._subject, self._began = subject, now
        if now - self._at < _PAUSE:
            return
        self._at = now
        told = f"{done:,} of {total:,} {unit}" if total else f"{done:,} {unit}"
        parts = [f"{line(subject, 50)}: {told}"]
        if states is not None:
            parts.append(f"{states} states")
        if total and done and now > self._began:
            parts.append(f"{duration((now - self._began) / done * max(total - done, 0))} left")
        self._write(f"  {', '.join(parts)}"[: terminal.WIDTH])

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the line away before pytest tells of the test."""
        if self._shown and report.when == "call":
            self._write("")

    def _write(self, text: str) -> None:
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        freed = capture.global_and_fixture_disabled() if capture is not None else nullcontext()
        if not self._shown:
            # What pytest has written of its own line stays.
            text = f"\n{text}" if self._reporter.currentfspath else text
        # Without escape sequences: what stood there is overwritten by spaces.
        blank = f"\r{' ' * self._shown}\r" if self._shown else ""
        with freed:
            self._reporter.write(f"{blank}{text}", flush=True)
        self._shown = len(text.lstrip("\n"))
