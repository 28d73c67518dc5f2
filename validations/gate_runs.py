"""Whole runs of the gate as processes of their own, as its users start them, and what their reports say."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from fixtures.environments.built import BUILT

CHECKOUT = Path(__file__).resolve().parents[1]
GATE = CHECKOUT / "validations" / "gate"
RUN_SECONDS = 300.0


def hearing() -> None:
    """Hear, as `preexec_fn`, what whoever runs us in the background may have ignored: a child inherits that."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Runs:
    """Runs of the gate below one folder that anyone may enter, as a stage's runtime user has to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.temporary.chmod(0o777)
        self.reports = folder / "reports"

    def environment(self, **more: str) -> dict[str, str]:
        """Return our environment without what this very pytest run put there, but for what it has built for others."""
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "VIEWGATE_")) or name == BUILT
        }
        return ours | {"TMPDIR": str(self.temporary), "NO_COLOR": "1"} | more

    def command(self, *arguments: str) -> list[str]:
        """Return the command of a run whose reports lie in `self.reports`."""
        return [sys.executable, "-m", "pytest", str(GATE), "--reports", str(self.reports), *arguments]

    def gate(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the gate to its end."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a run and go on."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=hearing,  # noqa: PLW1509 - no threads here
        )

    def verdicts(self) -> dict[str, str]:
        """Read junit.xml: each testcase's `classname.name`, and its verdict as one word."""
        root = ET.parse(self.reports / "junit.xml").getroot()
        kinds = ("failure", "error", "skipped")
        return {
            f"{case.get('classname')}.{case.get('name')}": next(
                (kind for kind in kinds if case.find(kind) is not None), "green"
            )
            for case in root.iter("testcase")
        }

    def checks(self, verdict: str) -> set[str]:
        """Return the ids of the checks and objectives that have a part which came out so."""
        return {
            _check_of(name)
            for name, found in self.verdicts().items()
            if found == verdict and name.startswith("viewgate.") and not name.endswith("gate.verdict")
        }

    def failures(self, check: str) -> list[str]:
        """Return the texts of a check's failed parts."""
        root = ET.parse(self.reports / "junit.xml").getroot()
        return [
            f"{failure.get('message')}\n{failure.text}"
            for case in root.iter("testcase")
            for failure in case.iter("failure")
            if _check_of(str(case.get("classname"))) == check
        ]

    def forget(self) -> None:
        """Remove the reports that there are."""
        shutil.rmtree(self.reports, ignore_errors=True)

    def left_behind(self) -> list[str]:
        """Return what lies in the temporary folder, and the processes that work there."""
        files = [str(path) for path in self.temporary.iterdir() if path.name.startswith("viewgate-")]
        return files + processes_of(self.temporary)


def _check_of(classname: str) -> str:
    """Return the check of `viewgate.<environment>.<number>-<check>.<host>`; an objective has no number."""
    return classname.split(".")[2].lstrip("0123456789-") if classname.startswith("viewgate.") else ""


def processes_of(folder: Path) -> list[str]:
    """Return the processes that work in a folder or name it."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "cwd").readlink().__fspath__().encode()
        except OSError:
            continue
        if str(folder).encode() in words:
            found.append(f"process {entry.name}: {words[:120]!r}")
    return found
