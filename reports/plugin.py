"""The pytest plugin: collects what comes out on the controller, writes every report, sets the exit code.

Red first: as soon as the plan is known, all reports exist and say that nothing ran. From then on they only
turn greener by atomic replacement, so that a run killed at any moment leaves a truthful red report. Without a
plan (`pytest validations/meta`) nothing is written and the exit code stays pytest's.

A cell arrives as a pair `("viewgate", {check, host, part, verdict, reason, remedy, figures, seconds,
started})` in `report.user_properties`, which pytest-xdist carries over.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reports import events, history, hooks, junit, terminal
from reports.records import Other, Outcome, Plan, Planned, RecordError, Verdict
from reports.redact import Redactor
from reports.verdict import Gate, exit_code, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from reports.records import Key, OtherOutcome

PROPERTY = "viewgate"
"""Name of the user property that carries a cell's part."""

_HISTORY = pytest.StashKey[Path]()
_PASSIVE_OPTIONS = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test")
_NOT_ENDED = "the run has not ended"
_TROUBLES = {
    int(pytest.ExitCode.INTERRUPTED): "interrupted",
    int(pytest.ExitCode.INTERNAL_ERROR): "pytest had an internal error",
    int(pytest.ExitCode.USAGE_ERROR): "pytest was used wrongly",
    int(pytest.ExitCode.NO_TESTS_COLLECTED): "no test was collected",
}
_REWRITE_SECONDS = 1.0
_MOST_OF_RUN = 100
"""Between cells a rewrite waits this many times as long as the last took: at most 1 % of a run."""


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare what `validations` implements."""
    pluginmanager.add_hookspecs(hooks)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where the reports go."""
    group = parser.getgroup("viewgate reports")
    group.addoption(
        "--reports",
        metavar="DIR",
        help="Write the reports directly into DIR (default: a new directory below reports/runs, "
        "linked as reports/latest)",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Write every report red, before anything else can happen. Raises UsageError where it cannot."""
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_HISTORY] = Path(worker["viewgate_history"])
        return
    if any(getattr(config.option, name, False) for name in _PASSIVE_OPTIONS):
        return
    given = config.getoption("--reports")
    directory = config.invocation_params.dir / given if given else config.rootpath / "reports" / "runs"
    config.stash[_HISTORY] = directory / history.FILE_NAME
    try:
        plan = config.hook.pytest_viewgate_plan(config=config)
    except BaseException:
        if given:
            # The run ends before it has a plan: what an earlier one left here must not stand for it.
            for name in (Recorder.JUNIT, Recorder.EVENTS):
                (directory / name).unlink(missing_ok=True)
        raise
    if plan is None:
        return
    recorder = Recorder(config, plan, directory, explicit=bool(given))
    config.pluginmanager.register(recorder, "viewgate-recorder")
    config.pluginmanager.register(_LastWord(recorder), "viewgate-last-word")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker, which may run in another directory, where the history is."""
    node.workerinput["viewgate_history"] = str(node.config.stash[_HISTORY])


def pytest_viewgate_history(config: pytest.Config, environment: str) -> list[dict[str, Any]]:
    """Return the recorded lines of an environment's earlier runs, oldest first."""
    return history.read(config.stash[_HISTORY], environment).lines


class Recorder:
    """Follows one gate run from its plan to its exit code."""

    JUNIT = "junit.xml"
    EVENTS = "events.jsonl"

    def __init__(self, config: pytest.Config, plan: Plan, directory: Path, *, explicit: bool) -> None:
        self._config = config
        self._started = time.time()
        stamp = datetime.fromtimestamp(self._started, UTC)
        self._run = f"{stamp:%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
        self._history = directory / history.FILE_NAME
        self._redactor = Redactor()
        self._outcomes: list[Outcome] = []
        self._others: list[Other] = []
        self._interrupted: dict[Key, str] = {}
        self._running: dict[str, int | None] = {}
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self._pairs_read: dict[str, list[Any]] = {}
        self._attempts: Counter[Key] = Counter()
        self._failed_in_cells = 0
        self._failed_elsewhere = False
        self._trouble = ""
        self._unwritten = ""
        self._deaf = False
        self._written_at = self._write_seconds = 0.0
        self._gate: Gate | None = None

        self.directory = directory if explicit else directory / self._run
        try:
            self.directory.mkdir(parents=True, exist_ok=explicit)
            self._log = events.EventLog(self.directory / self.EVENTS, self._redactor)
            self._learn_secrets()
            # The plan as it was logged, without secrets.
            told = self._log.append("run-started", run=self._run, plan=plan.to_json())
            self._plan = Plan.from_json(told["plan"])
            self._write_junit(self._judge(_NOT_ENDED))
            if not explicit:
                _point(config.rootpath / "reports" / "latest", self.directory)
        except OSError as error:
            raise pytest.UsageError(
                f"{self._unwritable(error)}; give a writable directory with --reports DIR"
            ) from error
        self._left: dict[tuple[str, str], set[Key]] = {}
        for part in self._plan.parts:
            self._left.setdefault((part.check, part.host), set()).add(part.key)
        self._listening = True
        self._old_sigterm = signal.signal(signal.SIGTERM, self._terminated)
        os.register_at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._in_child)

    # What the session says

    def pytest_report_header(self) -> str:
        """Say where the reports are before anything can go wrong."""
        return f"viewgate: {len(self._plan.parts)} planned parts; reports in {self.shown_directory}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a file that could not be collected for the failure it is."""
        if report.failed:
            self._other(report.nodeid, "error", 0.0, _message(report))

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Note what is running."""
        self._running[nodeid] = location[1]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the phases of a test; with its teardown, or its worker's death, it has come out."""
        phases = self._phases.setdefault(report.nodeid, [])
        # pytest-xdist's word for the phase in which a worker died.
        if report.when not in ("setup", "call", "teardown"):
            self._crashed(report)
            return
        phases.append(report)
        if report.when == "teardown":
            self._completed(report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Note what no longer runs."""
        self._running.pop(nodeid, None)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Keep what the gate words itself out of pytest's own failure sections."""
        verdicts = {pair.get("verdict") for pair in _pairs(report) if isinstance(pair, dict)}
        if report.failed and Verdict.FAIL in verdicts:
            return "failed in the gate", "F", "FAILED"
        if (report.failed or report.skipped) and Verdict.UNKNOWN in verdicts:
            return "unknown in the gate", "?", "UNKNOWN"
        if report.skipped and verdicts == {Verdict.NOT_APPLICABLE}:
            return "not applicable in the gate", "-", "N/A"
        return None

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that the run was interrupted, and by what."""
        self._trouble = self._trouble or f"interrupted: {str(excinfo.value) or 'SIGINT'}"

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that pytest itself failed."""
        self._trouble = self._trouble or f"internal error: {excinfo.exconly()}"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None]:
        """Judge when all has ended, pytest-xdist's workers included, but before the terminal's summary."""
        self._deaf = True
        # pytest tells plugins of an interrupt and of an internal error, but of a UsageError only the terminal.
        error = sys.exc_info()[1]
        if isinstance(error, pytest.UsageError):
            self._trouble = self._trouble or str(error)
        try:
            return (yield)
        except BaseException as error:
            self._trouble = self._trouble or f"the session did not end well: {error!r}"
            raise
        finally:
            status = int(session.exitstatus)
            # A failure no cell accounts for: another plugin's threshold, or a report that never came here.
            self._failed_elsewhere = (
                status != exitstatus
                or session.testsfailed > self._failed_in_cells
                or (status == pytest.ExitCode.TESTS_FAILED and not session.testsfailed)
            )
            session.exitstatus = self._finish(status)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the gate's outcome."""
        if self._gate is not None:
            terminalreporter.ensure_newline()
            terminalreporter.section("viewgate")
            colour = terminalreporter.hasmarkup
            terminalreporter.write_line(terminal.summary(self._plan, self._gate, colour=colour))

    def pytest_unconfigure(self) -> None:
        """Give the signal back; a run that ended before its session began ends here."""
        if self._gate is None:
            self._trouble = self._trouble or "the session did not start"
            self._finish(int(pytest.ExitCode.INTERNAL_ERROR))
        self._listening = False
        signal.signal(signal.SIGTERM, self._old_sigterm or signal.SIG_DFL)
        self._log.close()

    # What comes out

    def _completed(self, nodeid: str) -> None:
        phases = self._phases.pop(nodeid)
        pairs = _pairs(phases[-1])
        # A repeated test keeps the pairs of its earlier attempts.
        new = [pair for pair in pairs if pair not in self._pairs_read.get(nodeid, [])]
        self._pairs_read[nodeid] = pairs
        # The last failure: a teardown's is the one a cell cannot know of.
        failed = next((phase for phase in reversed(phases) if phase.failed), None)
        skipped = next((phase for phase in phases if phase.skipped), None)
        seconds = sum(phase.duration for phase in phases)
        whole_cell = False
        for pair in new:
            try:
                outcome = Outcome.from_json(pair | {"nodeid": nodeid, "attempt": 1})
            except (RecordError, TypeError) as error:
                self._other(nodeid, "error", seconds, f"an outcome of a cell that cannot be read: {error}")
            else:
                whole_cell |= self._record(_reconciled(outcome, failed, skipped))
        if new:
            self._failed_in_cells += sum(phase.failed for phase in phases)
        else:
            ended: OtherOutcome = "failed" if failed else "skipped" if skipped else "passed"
            self._other(nodeid, ended, seconds, _message(failed or skipped))
        self._rewrite(at_once=whole_cell)

    def _record(self, outcome: Outcome) -> bool:
        """Record an outcome; return whether its cell is whole with it."""
        self._attempts[outcome.key] += 1
        outcome = replace(outcome, attempt=self._attempts[outcome.key])
        outcome = Outcome.from_json(self._append("part", "outcome", outcome.to_json()))
        self._outcomes.append(outcome)
        left = self._left.get((outcome.check, outcome.host), set())
        if outcome.key not in left:
            return False
        left.discard(outcome.key)
        return not left

    def _other(self, nodeid: str, outcome: OtherOutcome, seconds: float, message: str) -> None:
        told = self._append("other", "other", Other(nodeid, outcome, seconds, message).to_json())
        other = Other.from_json(told)
        # Under pytest-xdist every worker reports the file it cannot collect.
        if outcome != "error" or other not in self._others:
            self._others.append(other)

    def _crashed(self, report: pytest.TestReport) -> None:
        phases = self._phases.pop(report.nodeid, [])
        self._stopped(report.nodeid, phases, f"{_message(report)}, but it should have come to an end")
        self._running.pop(report.nodeid, None)
        self._rewrite(at_once=True)

    def _stopped(self, nodeid: str, phases: list[pytest.TestReport], reason: str) -> None:
        """Record a test under which the process ended, on its part where that is certain."""
        planned = _planned(self._plan, nodeid, self._running.get(nodeid))
        if planned is None:
            self._other(nodeid, "interrupted", sum(phase.duration for phase in phases), reason)
        else:
            self._interrupted[planned.key] = self._redactor.text(reason)

    def _terminated(self, _number: int, _frame: FrameType | None) -> None:
        """End the run in good order on SIGTERM, as pytest does on SIGINT."""
        if not self._deaf:
            # Once is enough: a second interrupt would break off the fixtures' clearing up.
            self._deaf = True
            self._trouble = self._trouble or "interrupted: SIGTERM"
            raise KeyboardInterrupt(self._trouble)

    # A forked child of a test is no controller: it dies of SIGTERM, as it would without us. The signal is held
    # back meanwhile, since Python drops one that reaches a child before its interpreter is in order.

    def _before_fork(self) -> None:
        if self._listening:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _after_fork(self) -> None:
        if self._listening:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _in_child(self) -> None:
        if self._listening:
            self._listening = False
            signal.signal(signal.SIGTERM, self._old_sigterm or signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    # What is written

    @property
    def shown_directory(self) -> str:
        """The reports' directory, as one would type it from here."""
        return os.path.relpath(self.directory, self._config.invocation_params.dir)

    def verdict_line(self, *, colour: bool) -> str:
        """Return the last line of the run."""
        gate = self._gate or self._judge(_NOT_ENDED)
        failed = sum(other.failed for other in self._others)
        return terminal.verdict_line(gate, reports=self.shown_directory, others_failed=failed, colour=colour)

    def _judge(self, trouble: str) -> Gate:
        return judge(self._plan, self._outcomes, interrupted=self._interrupted, trouble=trouble)

    def _finish(self, status: int) -> int:
        for nodeid in list(self._running):
            why = self._trouble or "the run ended"
            self._stopped(nodeid, self._phases.get(nodeid, []), f"still running when it ended: {why}")
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._trouble = self._trouble or _TROUBLES.get(status, f"pytest ended with {status}")
        self._gate = gate = self._judge(self._redactor.text(self._unwritten or self._trouble))
        code = self._code(status)
        ended = datetime.now(UTC).isoformat(timespec="milliseconds")
        end = {
            "verdict": gate.verdict.value,
            "reason": gate.reason,
            "exit": code,
            "interrupted": [[*key, reason] for key, reason in self._interrupted.items()],
        }
        self._append("run-ended", "end", end)
        started = datetime.fromtimestamp(self._started, UTC).isoformat(timespec="milliseconds")
        entry = history.line(self._plan, gate, run=self._run, started=started, ended=ended, code=code)
        self._write(lambda: history.append(self._history, entry))
        # Last, since it may be green: what could not be written by now keeps it red.
        if self._unwritten:
            self._gate = gate = self._judge(self._unwritten)
        self._write(lambda: self._write_junit(gate))
        if self._unwritten:
            self._gate = self._judge(self._unwritten)
        return self._code(status)

    def _code(self, status: int) -> int:
        assert self._gate is not None
        failed = self._failed_elsewhere or any(other.failed for other in self._others)
        return exit_code(status, self._gate.verdict, others_failed=failed)

    def _append(self, event: str, name: str, data: dict[str, Any]) -> Any:
        """Log an event and return its data as logged, without secrets."""
        self._learn_secrets()
        try:
            return self._log.append(event, **{name: data})[name]
        except OSError as error:
            self._unwritten = self._unwritten or self._unwritable(error)
            return self._redactor.data(data)

    def _learn_secrets(self) -> None:
        for secrets in self._config.hook.pytest_viewgate_secrets(config=self._config):
            self._redactor.register(secrets)

    def _rewrite(self, *, at_once: bool) -> None:
        pause = max(_REWRITE_SECONDS, _MOST_OF_RUN * self._write_seconds)
        began = time.monotonic()
        if at_once or began - self._written_at > pause:
            self._write(lambda: self._write_junit(self._judge(_NOT_ENDED)))
            self._written_at = time.monotonic()
            self._write_seconds = self._written_at - began

    def _write(self, write: Callable[[], None]) -> None:
        """Write a report. What cannot be written fails the run at its end; until then the run goes on."""
        try:
            write()
        except OSError as error:
            self._unwritten = self._unwritten or self._unwritable(error)

    def _write_junit(self, gate: Gate) -> None:
        _replace(self.directory / self.JUNIT, junit.render(self._plan, gate, self._others, started=self._started))

    def _unwritable(self, error: OSError) -> str:
        why = error.strerror or str(error)
        return f"reports cannot be written to {self.directory} ({why}), but a gate run has to leave them"


class _LastWord:
    """Says the verdict in the very last line, below pytest's own."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        try:
            return (yield)
        finally:
            reporter = session.config.pluginmanager.get_plugin("terminalreporter")
            if reporter is not None:
                reporter.write_line(self._recorder.verdict_line(colour=reporter.hasmarkup))


def _pairs(report: pytest.TestReport) -> list[Any]:
    # A report of a collection has none.
    return [value for name, value in getattr(report, "user_properties", ()) if name == PROPERTY]


def _reconciled(outcome: Outcome, failed: pytest.TestReport | None, skipped: pytest.TestReport | None) -> Outcome:
    """Hold what a cell says of itself against what pytest saw: it cannot pass in a test that did not."""
    said_so = (Verdict.FAIL,) if failed and failed.when == "teardown" else (Verdict.FAIL, Verdict.UNKNOWN)
    if failed and outcome.verdict not in said_so:
        reason = f"the cell says {outcome.verdict}, but its test failed in {failed.when}: {_message(failed)}"
        remedy = "repair the test: what a cell says has to hold until its teardown has ended"
        return replace(outcome, verdict=Verdict.FAIL, reason=reason, remedy=remedy)
    if skipped and outcome.verdict is Verdict.PASS:
        reason = f"the cell says pass, but its test was skipped: {_message(skipped)}"
        return replace(outcome, verdict=Verdict.UNKNOWN, reason=reason, remedy="do not skip what is planned")
    return outcome


def _message(report: pytest.TestReport | pytest.CollectReport | None) -> str:
    if report is None or report.longrepr is None:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return f"{crash.message}\n\n{report.longreprtext}" if crash else report.longreprtext


def _planned(plan: Plan, nodeid: str, line: int | None) -> Planned | None:
    """Return the part a test stands for that did not live to say so, or None where it is not certain.

    A part's test is in its file, on its line as far as that is known, and names the host and the part or the
    check in its id; of `tier-1` and `tier-11`, both in the id `web-1-tier-11`, the longer one is meant.
    """
    file, _, name = nodeid.partition("::")
    parts = [part for part in plan.parts if part.file == file]
    parts = [part for part in parts if line is not None and part.line == line + 1] or parts
    if len(parts) > 1:
        _, _, given = name.partition("[")
        named = {part: sum(len(word) for word in (part.check, part.part) if word in given) for part in parts}
        parts = [part for part in parts if named[part] and part.host in given]
        longest = max((len(part.host) + named[part] for part in parts), default=0)
        parts = [part for part in parts if len(part.host) + named[part] == longest]
    return parts[0] if len(parts) == 1 else None


def _replace(path: Path, text: str) -> None:
    """Replace a file as a whole: a reader sees the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _point(link: Path, target: Path) -> None:
    """Let a link point at a directory, with no moment at which it points nowhere."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.symlink_to(os.path.relpath(target, link.parent))
    try:
        temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)
