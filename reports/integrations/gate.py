"""Runs the gate for a pipeline, a schedule or a deployment, and believes nothing but the report of that very run.

    python -m reports.integrations.gate --environment production --reports DIR

Takes the options of `pytest validations/gate` and ends with its exit code. An exit code alone says little: pytest ends
with 0 where an option in its environment or configuration has it collect nothing. So the run gets an id of its own, and
what it leaves is read again: without a report of that id which has come to its end and says the same as the exit code,
the gate could not run (exit code 4), and reports in DIR that say otherwise are removed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from reports.console import Console, stand_in
from reports.records import EVENTS, FILES, Verdict
from reports.run import LogError, Run, load, new_id

CHECKOUT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "pytest", str(CHECKOUT / "validations" / "gate"))
RUNS = CHECKOUT / "reports" / "runs"
VERDICTS = {0: "passed", 1: "failed", 6: "inconclusive"}
COULD_NOT_RUN = "could-not-run"
CODE = 4
"""Exit code where the run that was started left no report of its own: pytest's own for wrong usage."""


class NoReportError(Exception):
    """A run that left no report of its own; the message says what is there instead."""


def accepted(folder: Path, run: str, code: int | None) -> Run:
    """Return the run of that id as the event log in a folder tells it.

    code: that of the ended process, None where it did not end by itself. Raises NoReportError where there is no such
    log, where it is another run's, or where it does not bear out the exit code.
    """
    try:
        told = load(folder)
    except LogError as error:
        raise NoReportError(str(error)) from error
    if told.id != run:
        raise NoReportError(f"{folder} holds the report of the run {told.id}, but should hold that of {run}")
    if told.exit is None or told.exit != code:
        ended = "none" if told.exit is None else told.exit
        raise NoReportError(f"the report of {run} holds the exit code {ended}, but its process ended with {code}")
    if code == 0 and told.gate.verdict is not Verdict.PASS:
        raise NoReportError(f"the run {run} ended with 0, but its events say: {told.gate.reason}")
    return told


def main(arguments: Sequence[str]) -> int:
    """Run the gate to its end; return its exit code, or `CODE` where it left no report of its own."""
    stand_in()
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--reports", type=Path)
    given: Path | None = parser.parse_known_args(arguments)[0].reports
    run = new_id()
    code = _ended([*COMMAND, *arguments, "--run-id", run])
    try:
        accepted(given or RUNS / run, run, code)
    except NoReportError as reason:
        if given is not None:
            _take_down(given, run)
        Console(sys.stderr).write(f"viewgate: the gate could not run (exit code {code}): {reason}\n")
        return CODE if code in VERDICTS or code < 0 else code
    return code


def _ended(words: Sequence[str]) -> int:
    """Run a command to its end and return its exit code, which is negative for a signal; hand on what ends us."""
    running: list[subprocess.Popen[bytes]] = []

    def hand_on(number: int, _: FrameType | None) -> None:
        if not running:
            sys.exit(128 + number)
        # A terminal sends its interrupt to the run as well.
        if number != signal.SIGINT or not os.isatty(0):
            running[0].send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, hand_on)
    running.append(subprocess.Popen(words))
    return running[0].wait()


def _take_down(folder: Path, run: str) -> None:
    """Remove reports of another run, and those of this one that say that it passed."""
    with contextlib.suppress(LogError):
        told = load(folder)
        if told.id == run and told.exit != 0:
            return
    for name in (*FILES, EVENTS):
        (folder / name).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
