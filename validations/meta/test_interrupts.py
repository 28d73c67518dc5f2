"""SIGINT, SIGTERM and SIGHUP are heard whenever they come, and raised only where that is borne."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.processes import wait_until
from validations.gate_runs import RUN_SECONDS, Runs, hearing

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 60

# pytest and our plugin alone, in a folder of its own.
OURS = (sys.executable, "-m", "pytest", "-p", "reports.plugin", "-p", "no:cacheprovider")

# Each is run in a process of its own, which prints what it met.
BEGIN = """
import os, signal, subprocess, sys, threading
from pathlib import Path
from reports.signals import Interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
me = os.getpid()
{first}
interrupts = Interrupts()

def wait():
    threading.Event().wait(30)
    print("nobody interrupted")
"""
HELD = """
try:
    with interrupts.held():
        with interrupts.held():
            os.kill(me, signal.{name})
        print("whole")
    wait()
except KeyboardInterrupt:
    print("interrupted")
"""
# The line table of a code object says which of its instructions have a line: an empty one that none has.
LINELESS = """
code = compile("os.kill(me, signal.{name})", "lineless", "exec").replace(co_linetable=b"")
try:
    try:
        exec(code)
    except KeyboardInterrupt:
        print("in there")
        raise
    wait()
except KeyboardInterrupt:
    print("interrupted")
"""
AT_FORKS = "os.register_at_fork({when}=lambda: os.kill(me, signal.{name}))"
FORKING = """
try:
    child = os.fork()
    if not child:
        os._exit(0)
    wait()
except KeyboardInterrupt:
    print("interrupted")
os.waitpid(child, 0)
"""
# Before it becomes what it is to be, the new process interrupts its starter, who waits for that.
STARTING = """
child = None
try:
    child = subprocess.Popen([sys.executable, "-c", ""], preexec_fn=lambda: os.kill(me, signal.{name}))
    wait()
except KeyboardInterrupt:
    print("known" if child else "nobody's")
child.wait()
"""
CLEARING_UP = """
class Mine:
    def __del__(self):
        os.kill(me, signal.{name})
        print("cleared up")

try:
    Mine()
    wait()
except KeyboardInterrupt:
    print("interrupted")
"""
IN_A_CHILD = """
child = os.fork()
if not child:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
AGAIN = """
for _ in range(2):
    try:
        os.kill(me, signal.{name})
        print("passed over")
    except KeyboardInterrupt:
        print("interrupted")
"""
GIVEN_BACK = """
interrupts.give_back()
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, signal.getsignal(signal.SIGINT) is signal.default_int_handler)
"""


@pytest.mark.parametrize(
    ("first", "program", "met"),
    [
        *(
            pytest.param(first.format(name=name), program.format(name=name), met, id=f"{case}-{name.lower()}")
            for name in ("SIGINT", "SIGTERM")
            for case, first, program, met in (
                ("held", "", HELD, ["whole", "interrupted"]),
                ("without-a-line", "", LINELESS, ["interrupted"]),
                ("before-a-fork", AT_FORKS.replace("{when}", "before"), FORKING, ["interrupted"]),
                ("while-a-process-is-started", "", STARTING, ["known"]),
                ("while-memory-is-cleared-up", "", CLEARING_UP, ["cleared up", "interrupted"]),
                ("after-a-fork", AT_FORKS.replace("{when}", "after_in_parent"), FORKING, ["interrupted"]),
            )
        ),
        pytest.param("", IN_A_CHILD, ["-15"], id="in-a-child"),
        pytest.param("", AGAIN.format(name="SIGTERM"), ["interrupted", "passed over"], id="sigterm-once"),
        pytest.param("", AGAIN.format(name="SIGHUP"), ["interrupted", "passed over"], id="sighup-once"),
        pytest.param("", AGAIN.format(name="SIGINT"), ["interrupted", "interrupted"], id="sigint-each-time"),
        pytest.param("", GIVEN_BACK, ["True True"], id="given-back"),
        pytest.param(
            "signal.signal(signal.SIGINT, signal.SIG_IGN)",
            AGAIN.format(name="SIGINT"),
            ["passed over", "passed over"],
            id="ignored-in-the-background",
        ),
        pytest.param(
            "signal.signal(signal.SIGHUP, signal.SIG_IGN)",
            AGAIN.format(name="SIGHUP"),
            ["passed over", "passed over"],
            id="ignored-under-nohup",
        ),
    ],
)
def test_an_interrupt_is_heard(first: str, program: str, met: list[str]) -> None:
    """It is raised once what must not be broken off is over, and is not lost there; a forked child dies of it."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN.format(first=first) + program],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.stdout.splitlines(), done.stderr) == (met, "")


@pytest.mark.parametrize(
    ("reached", "number"),
    [
        pytest.param("", signal.SIGTERM, id="while-it-is-built"),
        pytest.param("/secrets/authorization", signal.SIGHUP, id="while-it-is-up"),
    ],
)
def test_a_run_without_a_gate_takes_its_stage_with_it(open_folder: Path, reached: str, number: signal.Signals) -> None:
    """It has no keeper: it ends with exit code 2 all the same, and nothing of it is left."""
    runs = Runs(open_folder)
    tests = str(CHECKOUT / "validations/races/test_http.py")
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", tests, "--basetemp", str(open_folder / "basetemp")],
        cwd=open_folder,
        env=runs.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=hearing,  # noqa: PLW1509 - no threads here
    )
    try:
        wait_until(
            lambda: any(runs.temporary.glob(f"viewgate-stage-*{reached}")),
            awaited=f"the tests' stage, with {reached or 'its folder'}",
            seconds=RUN_SECONDS,
        )
        process.send_signal(number)
        said, _ = process.communicate(timeout=RUN_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 2, said
    assert [str(path) for path in runs.temporary.glob("viewgate-*")] == []
    # One that was being started as it came is ended by the kernel, a moment after the run.
    wait_until(lambda: runs.left_behind() == [], awaited="the end of what was being started", seconds=RUN_SECONDS)


def ignoring() -> None:
    """Ignore SIGINT, as a shell has what it starts in the background do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


LEFT_OPEN = """
import os, signal, threading

def test_left_open():
    [open(os.devnull), os.kill(os.getpid(), signal.{name}), threading.Event().wait(30)]
"""
IN_A_WRAPPER = """
import os, pytest, signal, threading

class Wrapper:
    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call):
        yield
        if call.when == "call":
            os.kill(os.getpid(), signal.{name})

@pytest.fixture(autouse=True)
def wrapped(pytestconfig):
    pytestconfig.pluginmanager.register(Wrapper(), "wrapper")
    yield
    pytestconfig.pluginmanager.unregister(name="wrapper")
    threading.Event().wait(30)

def test_wrapped():
    pass
"""


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(program.format(name=name), id=f"{case}-{name.lower()}")
        for name in ("SIGINT", "SIGTERM")
        for case, program in (("left-open", LEFT_OPEN), ("in-a-wrapper", IN_A_WRAPPER))
    ],
)
def test_an_interrupt_is_no_failure_where_warnings_are_errors(tmp_path: Path, program: str) -> None:
    """Neither what was just opened nor a hook that was broken off turns an interrupted run into a failed one."""
    (tmp_path / "test_it.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [*OURS, "-Werror", "."],
        cwd=tmp_path,
        env=Runs(tmp_path).environment(PYTHONPATH=str(CHECKOUT)),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
        preexec_fn=hearing,
    )
    assert (done.returncode, done.stderr) == (2, ""), done.stdout


WORKERS_TREE = """
import os, pytest, threading, time
from pathlib import Path

@pytest.fixture(scope="session", autouse=True)
def up():
    folder = Path(os.environ["PYTEST_XDIST_WORKER"] + ".up")
    folder.mkdir()
    yield
    folder.rmdir()

@pytest.mark.parametrize("number", range(4))
def test_long(number):
    threading.Event().wait(120)
"""


@pytest.mark.parametrize(
    ("number", "send", "prepare"),
    [
        pytest.param(signal.SIGINT, os.kill, hearing, id="sigint"),
        pytest.param(signal.SIGINT, os.killpg, hearing, id="as-a-terminal-does"),
        # execnet's own interrupt of a worker is a SIGINT, and comes after five of its ten seconds.
        pytest.param(signal.SIGTERM, os.kill, ignoring, id="sigterm-in-the-background"),
    ],
)
def test_workers_take_what_they_have_up_with_them(
    tmp_path: Path, number: signal.Signals, send: Callable[[int, int], None], prepare: Callable[[], None]
) -> None:
    """Under pytest-xdist an interrupt reaches the test that a worker is at, and its fixtures clear up."""
    (tmp_path / "test_long.py").write_text(WORKERS_TREE, encoding="utf-8")
    process = subprocess.Popen(
        [*OURS, "-n2", "test_long.py"],
        cwd=tmp_path,
        env=Runs(tmp_path).environment(PYTHONPATH=str(CHECKOUT)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509 - no threads here
    )
    try:
        wait_until(
            lambda: len([*tmp_path.glob("gw*.up")]) == 2, awaited="what both workers have up", seconds=RUN_SECONDS
        )
        send(process.pid, number)
        said, _ = process.communicate(timeout=RUN_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 2, said
    assert [path.name for path in tmp_path.glob("gw*.up")] == []
