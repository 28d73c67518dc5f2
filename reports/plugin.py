"""The pytest plugin: collects what comes out on the controller, writes every report, sets the exit code.

Red first: as soon as the plan is known, all reports exist and say that nothing ran. From then on they only
turn greener by atomic replacement, so that a run killed at any moment leaves a truthful red report. Without a
plan (`pytest validations/meta`) nothing is written and the exit code stays pytest's.

A cell arrives as a pair `("viewgate", {...})` in `report.user_properties`, which pytest-xdist carries over, with the
fields of `reports.records.Outcome`. A cell that compares hosts arrives as `("viewgate.digest", {...})`: its outcome
comes from a hook once all tests have run, with pytest-xdist and without. What tests explored arrives as
`("viewgate.race", {...})` and `("viewgate.faults", {...})` (see `reports.explored`). Each becomes an event; what is
written is derived from the events alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports import events, files, history, hooks, live, markdown, terminal, writers
from reports.console import Console
from reports.explored import Faults
from reports.records import EVENTS, FILES, Finding, Other, OtherOutcome, Outcome, RecordError, Verdict
from reports.redact import Redactor
from reports.run import RUN_ID, Run, new_id, part_of
from reports.signals import Interrupts
from reports.text import inert, line
from reports.trends import History
from reports.verdict import exit_code

PROPERTY = "viewgate"
"""Name of the user property that carries a cell's part."""

DIGEST = "viewgate.digest"
"""Name of the user property that carries what of one host is compared with the others."""

FAULTS = "viewgate.faults"
"""Name of the user property that carries a fault matrix, or a part of one."""

ATTACHMENTS = "attachments"

_HISTORY = pytest.StashKey[Path]()
_DIRECTORY = pytest.StashKey[Path]()
_WORKERS = pytest.StashKey[list[int]]()
_PASSIVE_OPTIONS = ("collectonly", "help", "markers", "showfixtures", "show_fixtures_per_test")
_TROUBLES = {
    int(pytest.ExitCode.INTERRUPTED): "interrupted",
    int(pytest.ExitCode.INTERNAL_ERROR): "pytest had an internal error",
    int(pytest.ExitCode.USAGE_ERROR): "pytest was used wrongly",
    int(pytest.ExitCode.NO_TESTS_COLLECTED): "no test was collected",
}
_EXPLORED = {"viewgate.race": "race", FAULTS: "faults"}
_MOST_OF_RUN = 0.005
"""Share of the run's time that may go into rewriting reports while it goes on."""


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
    group.addoption(
        "--run-id",
        type=_run_id,
        metavar="ID",
        help="Name this run, for whoever starts it and accepts no other run's report. Never give one twice. "
        "Default: the time and a random number",
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main() -> Generator[None, object, object]:
    """Make one line of a usage error, which pytest does not write to its terminal."""
    try:
        return (yield)
    except pytest.UsageError as error:
        raise pytest.UsageError(*(inert(line(str(word))) for word in error.args)) from None


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Write every report red, before anything else can happen. Raises UsageError where it cannot."""
    _put_console(config)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_HISTORY] = Path(worker["viewgate_history"])
        if worker["viewgate_directory"]:
            config.stash[_DIRECTORY] = Path(worker["viewgate_directory"])
        config.pluginmanager.register(_Heard(config), "viewgate-heard")
        return
    if any(getattr(config.option, name, False) for name in _PASSIVE_OPTIONS):
        return
    reporter = live.watched(config)
    if reporter is not None:
        config.pluginmanager.register(live.Progress(config, reporter), "viewgate-progress")
    given = config.getoption("--reports")
    directory = config.invocation_params.dir / given if given else config.rootpath / "reports" / "runs"
    config.stash[_HISTORY] = directory / history.FILE_NAME
    try:
        plan = config.hook.pytest_viewgate_plan(config=config)
    except BaseException:
        if given:
            # The run ends before it has a plan: what an earlier one left here must not stand for it.
            _remove((*FILES, EVENTS), directory)
        raise
    if plan is None:
        config.pluginmanager.register(_Heard(config), "viewgate-heard")
        return
    recorder = Recorder(config, plan.to_json(), directory, explicit=bool(given))
    config.stash[_DIRECTORY] = recorder.directory
    for plugin, name in ((recorder, "viewgate-recorder"), (_LastWord(recorder), "viewgate-last-word")):
        if config.pluginmanager.register(plugin, name) is None:
            raise pytest.UsageError(f"-p no:{name} leaves this run without a verdict: leave that out")


def _put_console(config: pytest.Config) -> None:
    """Let all that pytest writes to its terminal pass through a console, where it has a terminal."""
    if config.pluginmanager.has_plugin("terminalreporter"):
        writer = config.get_terminal_writer()
        # Nothing public: pytest makes the writer of the stream, and hands out the writer alone.
        writer._file = Console(writer._file, colours=writer.hasmarkup)  # noqa: SLF001


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker, which may run in another directory, where the history and the run's folder are."""
    node.workerinput["viewgate_history"] = str(node.config.stash[_HISTORY])
    node.workerinput["viewgate_directory"] = str(node.config.stash.get(_DIRECTORY, ""))
    if node.gateway.spec.popen:
        # Asked for by pytest-xdist itself just before; nothing public tells a worker's process.
        node.config.stash.setdefault(_WORKERS, []).append(node.gateway._rinfo().pid)  # noqa: SLF001


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Interrupt pytest-xdist's workers where the run was: in some seconds it ends them, whatever they have up."""
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        for pid in session.config.stash.get(_WORKERS, []):
            with contextlib.suppress(ChildProcessError):
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                    os.kill(pid, signal.SIGTERM)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell of planted faults, whichever processes planted them; in a run without a plan, too."""
    told = [
        Faults.from_json(report.nodeid, content)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, content in report.user_properties
        if name == FAULTS
    ]
    if told:
        terminalreporter.section("planted faults")
        terminalreporter.write_line(terminal.confusion(Faults.of(told)))


def pytest_viewgate_history(config: pytest.Config, environment: str) -> list[dict[str, Any]]:
    """Return the recorded lines of an environment's earlier runs, oldest first."""
    return history.read(config.stash[_HISTORY], environment).lines


def pytest_viewgate_attach(config: pytest.Config, name: str, content: bytes) -> str | None:
    """Write a file of evidence into the run's folder and return its path in there; None where there is no run."""
    directory = config.stash.get(_DIRECTORY, None)
    if directory is None:
        return None
    path = f"{ATTACHMENTS}/{re.sub('[^A-Za-z0-9._-]+', '-', name).lstrip('.-') or 'unnamed'}"
    if not path.endswith((".png", ".jpg", ".webp")):
        # A picture cannot be redacted; whoever takes one sees to it.
        redactor = Redactor()
        for secrets in config.hook.pytest_viewgate_secrets(config=config):
            redactor.register(secrets)
        content = redactor.text(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    (directory / ATTACHMENTS).mkdir(exist_ok=True)
    files.replace(directory / path, content)
    return path


def _run_id(text: str) -> str:
    if not RUN_ID.fullmatch(text):
        raise pytest.UsageError(
            f"--run-id is {text!r}, but should be 1 to 100 letters, digits, dots, hyphens and underscores, no dot first"
        )
    return text


def _remove(names: Iterable[str], directory: Path) -> None:
    for name in names:
        (directory / name).unlink(missing_ok=True)


class _Heard:
    """Lets tests end by their fixtures, and what they have up with them, in a process that records no gate run."""

    def __init__(self, config: pytest.Config) -> None:
        self._interrupts = Interrupts()
        config.add_cleanup(self._interrupts.give_back)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Clear up undisturbed."""
        self._interrupts.deaf = True


class Recorder:
    """Follows one gate run from its plan to its exit code."""

    def __init__(self, config: pytest.Config, plan: dict[str, Any], directory: Path, *, explicit: bool) -> None:
        self._config = config
        run = config.getoption("--run-id") or new_id()
        self._history = directory / history.FILE_NAME
        self._redactor = Redactor()
        self._phases: dict[str, list[pytest.TestReport]] = {}
        self._pairs_read: dict[str, list[Any]] = {}
        self._running: dict[str, int | None] = {}
        # What of each host is compared with the others, by the node id of the test that took it.
        self._digests: dict[str, dict[str, Any]] = {}
        self._failed_in_cells = 0
        self._failed_elsewhere = False
        self._trouble = ""
        self._unwritten = ""
        self._began = time.monotonic()
        self._written_seconds = 0.0
        self._over = False

        self.directory = directory if explicit else directory / run
        try:
            if not explicit and self.directory.exists():
                raise pytest.UsageError(f"--run-id {run} is that of an earlier run; give each run another one")
            self.directory.mkdir(parents=True, exist_ok=explicit)
            # Until ours are written, none is better than the green ones of a run whose log is gone.
            _remove(FILES, self.directory)
            self._log = events.EventLog(self.directory / EVENTS, self._redactor)
            self._learn_secrets()
            # The plan as it was logged, without secrets.
            self.run = Run.begin(self._log.append("run-started", run=run, plan=plan))
            lines = history.read(self._history, self.run.plan.environment).lines
            self._past = History.before(lines, self.run.id, self.run.started)
            self._write_all()
            if not explicit:
                files.point(config.rootpath / "reports" / "latest", self.directory)
        except OSError as error:
            raise pytest.UsageError(
                f"{self._unwritable(error)}; give a writable directory with --reports DIR"
            ) from error
        self._interrupts = Interrupts()
        reporter = live.watched(config)
        self._live = None if reporter is None else live.LiveTable(reporter, self.run)
        if self._live is not None:
            config.pluginmanager.register(self._live, "viewgate-live-table")

    # What the session says

    def pytest_report_header(self) -> str:
        """Say where the reports are before anything can go wrong."""
        return f"viewgate: {len(self.run.plan.parts)} planned parts; reports in {self.shown_directory}"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take a file that could not be collected for the failure it is."""
        if report.failed:
            self._other(Other(report.nodeid, "error", 0.0, _message(report), 0.0))

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        """Note what is running."""
        self._running[nodeid] = location[1]
        self._tell("test-started", nodeid=nodeid, line=location[1])

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
        pairs = [pair for name, pair in _pairs(report) if name == PROPERTY]
        said = [pair for pair in pairs if isinstance(pair, dict) and not pair.get("superseded")]
        verdicts = {pair.get("finding", {}).get("verdict") for pair in said}
        if not report.passed and any(map(self._is_waived, said)):
            return "waived in the gate", "w", "WAIVED"
        digest = report.when == "call" and any(name == DIGEST for name, _ in _pairs(report))
        told: tuple[str, str, str] | None = ("passed", ".", "PASSED") if report.passed and digest else None
        if report.failed and Verdict.FAIL in verdicts:
            told = "failed in the gate", "F", "FAILED"
        elif (report.failed or report.skipped) and Verdict.UNKNOWN in verdicts:
            told = "unknown in the gate", "?", "UNKNOWN"
        elif report.skipped and verdicts == {Verdict.NOT_APPLICABLE}:
            told = "not applicable in the gate", "-", "N/A"
        elif report.passed and report.when == "call" and verdicts == {Verdict.PASS}:
            told = "passed", ".", "PASSED"
        # On a terminal a cell has its row in the table, and its parts no letters.
        return told if told is None or self._live is None else (told[0], "", told[2])

    def _is_waived(self, pair: dict[str, Any]) -> bool:
        key = pair.get("check"), pair.get("host"), pair.get("part")
        planned = [part for part in self.run.plan.parts if part.key == key]
        return any(waiver.covers(part) and not waiver.expired for part in planned for waiver in self.run.plan.waivers)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that the run was interrupted, and by what."""
        self._trouble = self._trouble or self._interrupts.reason or f"interrupted: {str(excinfo.value) or 'SIGINT'}"
        # What was open when it came is closed by the collector, whose warning would be an error, and that the run's.
        for category in (ResourceWarning, pytest.PytestUnraisableExceptionWarning):
            warnings.simplefilter("ignore", category)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that pytest itself failed."""
        self._trouble = self._trouble or f"internal error: {excinfo.exconly()}"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """When every test has run, have judged what takes all hosts at once. A run cut short leaves that missing."""
        result = yield
        if self._digests:
            judged = self._config.hook.pytest_viewgate_compared(config=self._config, digests=self._digests)
            for nodeid, pair in judged or ():
                self._record(Outcome.from_json(pair | {"nodeid": nodeid}))
        return result

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None]:
        """Judge when all has ended, pytest-xdist's workers included, but before the terminal's summary."""
        self._interrupts.deaf = True
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

    def pytest_viewgate_exit(self) -> int | None:
        """Return the exit code that the report holds."""
        return self.run.exit if self._over else None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the gate's outcome."""
        if self._over:
            terminalreporter.ensure_newline()
            terminalreporter.section("viewgate")
            colour = terminalreporter.hasmarkup
            table = self._live is None or not self._live.whole
            terminalreporter.write_line(terminal.summary(self.run.plan, self.run.gate, table=table, colour=colour))

    def pytest_unconfigure(self) -> None:
        """Give the signal back; a run that ended before its session began ends here."""
        if not self._over:
            self._trouble = self._trouble or "the session did not start"
            self._finish(int(pytest.ExitCode.INTERNAL_ERROR))
        self._interrupts.give_back()
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
        # Not one of pytest's outcomes: what repeats tests says so of an attempt that failed.
        repeated = next((phase for phase in phases if str(phase.outcome) == "rerun"), None)
        seconds = sum(phase.duration for phase in phases)
        cell = False
        for name, pair in new:
            try:
                if name == PROPERTY:
                    cell = True
                    outcome = Outcome.from_json(pair | {"nodeid": nodeid})
                    if not outcome.superseded:
                        outcome = _reconciled(outcome, failed or repeated, skipped)
                    self._record(outcome)
                elif name == DIGEST:
                    # One of a test that failed does not count: its cell is then missing.
                    if not failed and not repeated:
                        cell = True
                        self._digests[nodeid] = pair
                        self._tell("digest", nodeid=nodeid, digest=pair)
                else:
                    self._tell(_EXPLORED[name], **{"nodeid": nodeid, _EXPLORED[name]: pair})
            except (RecordError, TypeError) as error:
                unread = f"what a test says of a {name.partition('.')[2] or 'cell'} cannot be read: {error}"
                self._other(Other(nodeid, "error", seconds, unread, phases[0].start))
        if cell:
            self._failed_in_cells += sum(phase.failed for phase in phases)
        else:
            ended: OtherOutcome = "failed" if failed else "repeated" if repeated else "skipped" if skipped else "passed"
            self._other(Other(nodeid, ended, seconds, _message(failed or repeated or skipped), phases[0].start))
        self._rewrite()

    def _record(self, outcome: Outcome) -> None:
        self._tell("part", outcome=outcome.to_json())
        if self._live is not None:
            self._live.came(self.run.outcomes[-1].key)

    def _other(self, other: Other) -> None:
        # Under pytest-xdist every worker reports the file it cannot collect.
        told = Other.from_json(self._redactor.data(other.to_json()))
        if other.outcome != "error" or told not in self.run.others:
            self._tell("other", other=other.to_json())

    def _crashed(self, report: pytest.TestReport) -> None:
        phases = self._phases.pop(report.nodeid, [])
        self._stopped(report.nodeid, phases, f"{_message(report)}, but it should have come to an end")
        self._running.pop(report.nodeid, None)
        self._rewrite()

    def _stopped(self, nodeid: str, phases: list[pytest.TestReport], reason: str) -> None:
        """Record a test under which the process ended, on its part where that is certain."""
        key = part_of(self.run.plan, nodeid, self._running.get(nodeid))
        if key is None:
            seconds = sum(phase.duration for phase in phases)
            self._other(Other(nodeid, "interrupted", seconds, reason, phases[0].start if phases else 0.0))
        else:
            self._tell("interrupted", part=list(key), reason=reason)

    # What is written

    @property
    def shown_directory(self) -> str:
        """The reports' directory, as one would type it from here."""
        return os.path.relpath(self.directory, self._config.invocation_params.dir)

    def verdict_line(self, *, colour: bool) -> str:
        """Return the last line of the run."""
        failed = sum(other.failed for other in self.run.others)
        return terminal.verdict_line(self.run.gate, reports=self.shown_directory, others_failed=failed, colour=colour)

    def _finish(self, status: int) -> int:
        for nodeid in list(self._running):
            why = self._trouble or "the run ended"
            self._stopped(nodeid, self._phases.get(nodeid, []), f"still running when it ended: {why}")
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._trouble = self._trouble or _TROUBLES.get(status, f"pytest ended with {status}")
        self._over = True
        self._end(status, self._unwritten or self._trouble)
        self._write(self._write_all)
        self._own_up(status)
        entry = history.line(self.run, self.run.gate, ended=time.time(), code=self.run.exit or 0)
        self._write(lambda: history.append(self._history, entry))
        self._own_up(status)
        assert self.run.exit is not None
        return self.run.exit

    def _own_up(self, status: int) -> None:
        """Turn the run red where something could not be written, and with it what was written, green, before that."""
        if self._unwritten and self.run.trouble != self._redactor.text(self._unwritten):
            self._end(status, self._unwritten)
            self._write(self._write_all)

    def _end(self, status: int, trouble: str) -> None:
        """Log the end: the verdict with its exit code."""
        failed = self._failed_elsewhere or any(other.failed for other in self.run.others)
        trouble = self._redactor.text(trouble)
        self.run.trouble = trouble
        gate = self.run.gate
        self._tell(
            "run-ended",
            verdict=gate.verdict.value,
            reason=gate.reason,
            trouble=trouble,
            exit=exit_code(status, gate.verdict, others_failed=failed),
            others_failed=failed,
        )

    def _tell(self, event: str, **data: Any) -> None:
        """Log an event, and let the run take it as it was logged: without secrets."""
        self._learn_secrets()
        with self._interrupts.held():
            try:
                told = self._log.append(event, **data)
            except OSError as error:
                self._unwritten = self._unwritten or self._unwritable(error)
                told = self._log.worded(event, data)
            self.run.take(told)

    def _learn_secrets(self) -> None:
        for secrets in self._config.hook.pytest_viewgate_secrets(config=self._config):
            self._redactor.register(secrets)

    def _rewrite(self) -> None:
        """Let the reports grow greener, as often as their share of the run's time allows."""
        began = time.monotonic()
        if self._written_seconds < _MOST_OF_RUN * (began - self._began):
            self._write(self._write_all)
            self._written_seconds += time.monotonic() - began

    def _write(self, write: Callable[[], None]) -> None:
        """Write a report. What cannot be written fails the run at its end; until then the run goes on."""
        with self._interrupts.held():
            try:
                write()
            except Exception as error:  # noqa: BLE001 - a writer's own defect fails the run, and takes nothing else with it
                self._unwritten = self._unwritten or self._unwritable(error)

    def _write_all(self) -> None:
        summary = writers.write_all(self.run, self.run.gate, self._past, self.directory)
        step = os.environ.get("GITHUB_STEP_SUMMARY")
        if step:
            path = Path(step)
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            path.write_text(markdown.placed(text, summary, self.run.id), encoding="utf-8")

    def _unwritable(self, error: Exception) -> str:
        why = (isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}"
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
            else:
                Console(sys.stderr).write(f"{self._recorder.verdict_line(colour=False)}\n")


def _pairs(report: pytest.TestReport) -> list[tuple[str, Any]]:
    # A report of a collection has none.
    return [
        (name, value)
        for name, value in getattr(report, "user_properties", ())
        if name in (PROPERTY, DIGEST) or name in _EXPLORED
    ]


def _reconciled(outcome: Outcome, failed: pytest.TestReport | None, skipped: pytest.TestReport | None) -> Outcome:
    """Hold what a cell says of itself against what pytest saw: it cannot pass in a test that did not."""
    said_so = (Verdict.FAIL,) if failed and failed.when == "teardown" else (Verdict.FAIL, Verdict.UNKNOWN)
    if failed and outcome.verdict not in said_so:
        reason = f"the cell says {outcome.verdict}, but its test failed in {failed.when}: {_message(failed)}"
        remedy = "repair the test: what a cell says has to hold until its teardown has ended"
        return replace(outcome, finding=Finding(Verdict.FAIL, "gate.test-failed", reason, remedy=remedy))
    if skipped and outcome.verdict is Verdict.PASS:
        reason = f"the cell says pass, but its test was skipped: {_message(skipped)}"
        remedy = "do not skip what is planned"
        return replace(outcome, finding=Finding(Verdict.UNKNOWN, "gate.test-skipped", reason, remedy=remedy))
    return outcome


def _message(report: pytest.TestReport | pytest.CollectReport | None) -> str:
    if report is None or report.longrepr is None:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    crash = getattr(report.longrepr, "reprcrash", None)
    return f"{crash.message}\n\n{report.longreprtext}" if crash else report.longreprtext
