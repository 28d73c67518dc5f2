"""A throw-away suite of three checks and one objective, to follow whole pytest runs with the reports' plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from validations.gate_runs import hearing

CHECKOUT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 240.0

CONFTEST = """
import os, shutil, signal, threading, time
from pathlib import Path

import pytest

from reports.records import Plan, Planned

MODE = os.environ.get("MODE", "")
PARTS = {"middleware": ["booted"], "writable": ["views", "views-cache", "logs"], "page": ["page"]}


def part(check, name, number, required=True):
    kind = "validation" if number else "objective"
    return Planned(check, "web-1", name, kind, number, f"promise of {check}", required, "test_gate.py", 0)


def pytest_viewgate_plan(config):
    if MODE == "no plan":
        return None
    if MODE == "plan error":
        raise pytest.UsageError("no environment is named nowhere")
    parts = [part(check, name, n) for n, check in enumerate(PARTS, 1) for name in PARTS[check]]
    parts.append(part("availability", "share", 0, required=MODE != "unknown objective"))
    return Plan("staged", "staged", ("web-1",), () if MODE == "empty plan" else tuple(parts), {"python": "3"})


def pytest_viewgate_secrets(config):
    if MODE == "killed as it begins":
        os.kill(os.getpid(), signal.SIGKILL)
    return ["swordfish-1"]


def pytest_collection(session):
    for report in Path("out").glob("junit.xml"):
        shutil.copy(report, "first.xml")


def pytest_collection_modifyitems(items):
    if MODE == "all skipped":
        for item in items:
            item.add_marker(pytest.mark.skip("not today"))
    if MODE == "writer breaks":
        import reports.html

        def broken(*arguments, **named):
            raise TypeError("a writer's own defect")

        reports.html.render = broken
    if MODE == "internal error":
        raise RuntimeError("a plugin broke")


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport():
    if MODE.startswith("killed at") and Path("out/events.jsonl").read_bytes().count(b"\\n") >= int(MODE.split()[-1]):
        os.kill(os.getpid(), signal.SIGKILL)


def pytest_runtestloop(session):
    if MODE == "no stage":
        raise pytest.UsageError("the stage did not come up")


def pytest_sessionfinish(session):
    if MODE == "threshold":
        session.exitstatus = 1
    if MODE == "no end":
        raise RuntimeError("a fixture's end broke")


if MODE == "repeated":
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        # As pytest-rerunfailures does it.
        if item.name != "test_of_no_cell":
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for attempt in (1, 2):
            item.attempt = attempt
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                if report.failed:
                    report.outcome = "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


if MODE == "twice":
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for attempt in (1, 2):
            item.attempt = attempt
            runtestprotocol(item, nextitem=nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True


class Cell:
    def __init__(self, item):
        self.item = item
        self.attached = []

    def attach(self, name, content):
        config = self.item.config
        self.attached.append(config.hook.pytest_viewgate_attach(config=config, name=name, content=content))

    def __call__(self, check, name, verdict="pass", reason="", **figures):
        data = dict(
            check=check, host="web-1", part=name, attachments=self.attached, seconds=0.01, started=time.time(),
            finding=dict(verdict=verdict, code="sample.said", observed=reason, remedy="do this" if reason else "",
                         figures=figures),
        )
        self.item.user_properties.append(("viewgate", data))
        if verdict in ("fail", "unknown"):
            pytest.fail(f"wording of pytest: {reason}", pytrace=False)


@pytest.fixture
def cell(request):
    yield Cell(request.node)
    if MODE == "teardown error" and "logs" in request.node.name:
        raise RuntimeError("a fixture could not clear up")


def wait_here():
    Path("waiting").touch()
    threading.Event().wait(60)
"""

TEST_GATE = """
import os, signal, sys, time
from pathlib import Path

import pytest

from conftest import MODE, PARTS, wait_here

CELLS = [pytest.param(check, name, id=f"web-1-{name}") for check in PARTS for name in PARTS[check]]


@pytest.mark.parametrize(("check", "name"), CELLS)
def test_cell(cell, request, check, name):
    if MODE == "slow":
        time.sleep(0.05)
    if name == "logs":
        if MODE == "fail":
            cell(check, name, "fail", "0777 with swordfish-1, but should be 0755", mode=511)
        if MODE == "unknown":
            cell(check, name, "unknown", "no answer, but should be one")
        if MODE == "stray":
            cell(check, "stray")
        if MODE == "malformed":
            request.node.user_properties.append(("viewgate", {"check": "writable", "verdict": "pass"}))
        if MODE == "no object":
            request.node.user_properties.append(("viewgate", ["pass"]))
        if MODE == "silent":
            return
        if MODE == "skip after pass":
            cell(check, name)
            pytest.skip("changed my mind")
        if MODE == "twice" and request.node.attempt == 1:
            cell(check, name, "fail", "blank, but should be whole")
        if MODE == "exit":
            os._exit(0)
        if MODE == "interrupt":
            raise KeyboardInterrupt
        if MODE == "pytest exit":
            pytest.exit("enough", returncode=0)
        if MODE == "wait":
            wait_here()
        if MODE == "forked child":
            for _ in range(20):
                child = os.fork()
                if not child:
                    signal.pause()
                    os._exit(0)
                os.kill(child, signal.SIGTERM)
                assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM
        if MODE == "lost directory":
            out = Path("out")
            for file in out.iterdir():
                file.unlink()
            out.rmdir()
            out.touch()
    if MODE == "not applicable" and check == "page":
        request.node.user_properties.append(("viewgate", dict(
            check=check, host="web-1", part=name, seconds=0.0, started=time.time(),
            finding=dict(verdict="not-applicable", code="sample.said", observed="no page"))))
        pytest.skip("no page")
    if MODE == "attach" and name == "views":
        cell.attach("../web 1/page.png", b"\\x89PNG")
        cell.attach("body.html", b"<p>swordfish-1</p>")
    cell(check, name, requests=30)


def test_objective(cell, request):
    lines = request.config.hook.pytest_viewgate_history(config=request.config, environment="staged")
    if MODE == "unknown objective":
        cell("availability", "share", "unknown", "nothing recorded, but should be")
    cell("availability", "share", recorded=len(lines))


def test_of_no_cell(request):
    assert MODE != "other fails"
    assert getattr(request.node, "attempt", 2) == 2, "the first time it fails"
    if MODE in ("explored", "no race"):
        race = {"system": "gateway", "scenario": "swordfish-1", "schedules": 7 if MODE == "explored" else "many"}
        request.node.user_properties.append(("viewgate.race", race))
        faults = {"seconds": 1.5, "rows": [["blank", "page", ["7-page"], ["7-page"]]]}
        request.node.user_properties.append(("viewgate.faults", faults))


if MODE == "no import":
    raise ImportError("this file cannot be collected")
"""

SETTINGS = '[pytest]\nstrict = true\naddopts = ["-p", "no:cacheprovider"]\nfilterwarnings = ["error"]\n'
CELLS = {
    "1-middleware.web-1.booted",
    "2-writable.web-1.views",
    "2-writable.web-1.views-cache",
    "2-writable.web-1.logs",
    "3-page.web-1.page",
    "availability.web-1.share",
}
both_ways = pytest.mark.parametrize("how", [(), ("-n2",)], ids=["alone", "xdist"])


class Run(NamedTuple):
    """How a run ended."""

    code: int
    output: str

    @property
    def last_line(self) -> str:
        """The last line it printed."""
        return self.output.rstrip().splitlines()[-1]


class Tree:
    """A throw-away suite of three checks and one objective, in a directory of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.out = root / "out"
        for name, text in {"conftest.py": CONFTEST, "test_gate.py": TEST_GATE, "pytest.toml": SETTINGS}.items():
            (root / name).write_text(text)

    def start(
        self,
        *arguments: str,
        mode: str = "",
        environment: Mapping[str, str] | None = None,
        terminal: int = subprocess.PIPE,
    ) -> subprocess.Popen[str]:
        """Start a run in one of the modes of the suite, with more in its environment, on a terminal if one is given."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "GITHUB_STEP_SUMMARY", "CI_PROJECT_DIR", "NO_COLOR", "FORCE_COLOR"))
        }
        return subprocess.Popen(
            # Other plugins, Hypothesis' above all, cost each of these many runs more than all the rest.
            [sys.executable, "-m", "pytest", "-p", "xdist.plugin", "-p", "reports.plugin", *arguments],
            cwd=self.root,
            env=ours
            | {"PYTHONPATH": str(CHECKOUT), "MODE": mode, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
            | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            | dict(environment or {}),
            stdout=terminal,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=hearing,  # noqa: PLW1509 - no threads here
        )

    def run(self, *arguments: str, mode: str = "", environment: Mapping[str, str] | None = None) -> Run:
        """Run to the end, with the reports in `self.out`."""
        return ended(self.start("--reports", "out", *arguments, mode=mode, environment=environment))

    def cases(self, file: str = "out/junit.xml") -> dict[str, str]:
        """Return each case's name with the type of its result, `pass` where there is none."""
        root = ET.parse(self.root / file).getroot()
        cases = {}
        for case in root.iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}".removeprefix("viewgate.staged.")
            results = [one for one in case if one.tag != "properties"]
            cases[name] = (results[0].get("type") or results[0].tag) if results else "pass"
        return cases

    def greens(self, *, some_missing: bool = False) -> list[str]:
        """Return the reports that say that the gate passed; all have to be there, or some may be missing."""
        told = {
            "report.html": "<h1>Passed</h1>",
            "summary.md": "viewgate passed",
            "metrics.prom": 'viewgate_gate_passed{environment="staged"} 1.0',
            "report.json": '"healthy": true',
        }
        strict = ("junit.xml", "junit-strict.xml")
        there = [name for name in (*told, *strict) if not some_missing or (self.out / name).exists()]
        found = [name for name in there if name in told and told[name] in (self.out / name).read_text()]
        cases = {name: self.cases(f"out/{name}") for name in there if name in strict}
        return found + [name for name in cases if cases[name]["viewgate.gate.verdict"] == "pass"]

    def render(self) -> Run:
        """Derive the reports again from the event log."""
        ours = os.environ | {"PYTHONPATH": str(CHECKOUT)}
        command = [sys.executable, "-m", "reports", "render", "out"]
        done = subprocess.run(
            command, cwd=self.root, env=ours, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def events(self) -> list[dict[str, object]]:
        """Return the lines of the event log."""
        return [json.loads(line) for line in (self.out / "events.jsonl").read_text().splitlines()]


def ended(process: subprocess.Popen[str]) -> Run:
    """Wait for a run's end, and see to it."""
    with process:
        try:
            output, _ = process.communicate(timeout=RUN_SECONDS)
        finally:
            process.kill()
    return Run(process.returncode, output)


def until(process: subprocess.Popen[str], path: Path) -> None:
    """Wait until a run has made a file."""
    deadline = time.monotonic() + RUN_SECONDS
    while not path.exists():
        assert process.poll() is None, f"the run ended before it made {path.name}"
        assert time.monotonic() < deadline, f"{path.name} was not there within {RUN_SECONDS} s"
        time.sleep(0.005)
