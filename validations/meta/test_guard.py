"""A run that was asked for the gate and validates nothing does not end with 0, and leaves no older report.

Each run is a process of its own, as a pipeline starts it, with an older green report in its folder.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from reports.records import EVENTS, FILES, Verdict
from reports.run import load
from validations.gate_runs import CHECKOUT, GATE, RUN_SECONDS
from validations.guard import OURS

TEST = "validations/gate/test_7_page.py::test_page"
DOWN = '[environments.down]\nkind = "gateway"\nurl = "http://127.0.0.1:9"\nroot = "/srv/nothing-here"\n'
# What another plugin may do.
PLUGINS = {
    "answers_at_once": "import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_cmdline_main(): return 0\n",
    "turns_it_green": """
def pytest_sessionstart(session): session.config.ours = session
def pytest_unconfigure(config): config.ours.exitstatus = 0
""",
}


class Folder:
    """A folder with plugins that can be named, an environment that is down, and an older run's green reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports = path / "reports"
        self.reports.mkdir()
        for name in (*FILES, EVENTS):
            (self.reports / name).write_text("passed", encoding="utf-8")
        for name, text in PLUGINS.items():
            (path / f"{name}.py").write_text(text, encoding="utf-8")
        (path / "environments.toml").write_text(DOWN, encoding="utf-8")

    def pytest(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run pytest in the checkout."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIEWGATE_"))}
        return subprocess.run(
            # With two words pytest takes the folder for that of the tests where no other is named.
            [sys.executable, "-m", "pytest", *arguments, f"--reports={self.reports}"],
            cwd=CHECKOUT,
            env=ours | {"PYTHONPATH": str(self.path), "NO_COLOR": "1"} | more,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    def older(self) -> list[str]:
        """Return the reports of the older run that are still there."""
        return [path.name for path in self.reports.iterdir() if path.is_file() and path.read_bytes() == b"passed"]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "addopts"),
    [
        pytest.param(["validations/gate"], "--co", id="collect-only-in-the-environment"),
        pytest.param([TEST, "--collect-only"], "", id="collect-only-of-a-test"),
        pytest.param(["validations", "--collect-only"], "", id="collect-only-of-a-folder-above"),
        pytest.param(["--collect-only"], "", id="collect-only-of-testpaths"),
        pytest.param(["--pyargs", "validations.gate", "--collect-only"], "", id="collect-only-by-module"),
        pytest.param([str(GATE), "--setup-plan"], "", id="setup-plan"),
        pytest.param(["validations/gate"], "--help", id="help"),
        pytest.param(["validations/gate"], "--version --version", id="version-twice"),
        pytest.param(["validations/gate", "--replay=witness.json"], "", id="replay"),
        pytest.param(["validations/gate", "--noconftest"], "", id="no-conftest"),
        pytest.param(["validations/gate", "-p", "no:validations.guard"], "", id="guard-blocked"),
        pytest.param(["validations/gate", "-o", "addopts="], "--co", id="guard-of-the-conftest-alone"),
        pytest.param(["validations/gate", "-pno:fixtures.options"], "", id="options-blocked"),
        pytest.param(["validations/gate"], "-p no:fixtures.hosts", id="hosts-blocked"),
        pytest.param(["validations/gate", "-p", "no:reports.plugin"], "", id="reports-blocked"),
        pytest.param(["validations/gate", "-p", "no:viewgate-recorder", "-k", "complete"], "", id="recorder-blocked"),
        pytest.param([str(GATE)], "-p answers_at_once", id="another-plugin-answers"),
    ],
)
def test_a_run_that_validates_nothing_is_refused(folder: Folder, arguments: list[str], addopts: str) -> None:
    """Exit code 4, one line that says why, and no older report, whatever keeps the gate from being validated."""
    done = folder.pytest(*arguments, PYTEST_ADDOPTS=addopts)
    assert done.returncode == 4, done.stdout + done.stderr
    (said,) = done.stderr.split("ERROR: ")[1:]
    assert said.startswith("validations/gate is asked for, but ")
    assert len(said.strip().splitlines()) == 1
    assert folder.older() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["validations/meta/observation/test_contained.py", "--collect-only"], 0, id="other-folder"),
        pytest.param(
            ["validations/meta/observation/test_contained.py", "-p", "no:validations.cells", "--co"],
            0,
            id="other-blocked",
        ),
        pytest.param(["--markers"], 0, id="markers-of-nothing"),
    ],
)
def test_a_run_that_is_not_asked_for_the_gate_is_pytests_own(folder: Folder, arguments: list[str], code: int) -> None:
    """Listing other tests, and pytest's help, end as ever, and touch no report."""
    done = folder.pytest(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert len(folder.older()) == len(FILES) + 1


def test_a_wrong_option_leaves_no_older_report(folder: Folder) -> None:
    """An option that pytest does not know it rejects in lines of its own, and the older report is gone then, too."""
    assert folder.pytest("validations/gate", "--no-such-option").returncode == 4
    assert folder.older() == []


@pytest.mark.parametrize("blocked", ["reports.plugin", "fixtures.hosts", "viewgate-recorder"])
def test_without_its_guard_the_gate_is_guarded_by_its_parts(folder: Folder, blocked: str) -> None:
    """With the guard taken out on purpose, a plugin that is blocked as well does not leave the gate green."""
    down = ("--environment", "down", "--environments", str(folder.path / "environments.toml"))
    given = ("validations/gate", "-o", "addopts=", "-p", "no:validations.guard", "-p", f"no:{blocked}", "-k", "nothing")
    done = folder.pytest(*given, *(() if blocked == "reports.plugin" else down))
    assert done.returncode in {1, 4}, done.stdout + done.stderr
    said = ("has not planned them", "without a verdict", "unrecognized arguments")
    assert any(words in done.stdout + done.stderr for words in said)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        # pytest ignores it there, and so have we to.
        pytest.param({"PYTEST_ADDOPTS": "--version", "PYTHONOPTIMIZE": "1"}, 1, id="version-without-assertions"),
        pytest.param({"PYTEST_ADDOPTS": "-p turns_it_green"}, 4, id="turned-green"),
        # Workers have no reports of their own, and take away none.
        pytest.param({"PYTEST_ADDOPTS": "-n 2"}, 1, id="with-workers"),
    ],
)
def test_a_red_gate_stays_red(folder: Folder, more: dict[str, str], code: int) -> None:
    """No option in the environment, no Python without assertions, and no plugin that ends with 0 turns it green."""
    down = ("--environment", "down", "--environments", str(folder.path / "environments.toml"))
    done = folder.pytest("validations/gate", *down, **more)
    assert done.returncode == code, done.stdout + done.stderr
    assert "gate: FAILED: failed: " in done.stdout
    assert folder.older() == []
    assert code == 4 or load(folder.reports).exit == code


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "0<&- 1>&- 2>&-"])
@pytest.mark.parametrize("module", ["pytest validations/gate", "reports.integrations.gate"])
def test_a_run_without_standard_streams_leaves_its_report(folder: Folder, closed: str, module: str) -> None:
    """Where nobody hears it, a red gate ends with 1 and its own report says so."""
    options = f"--environment down --environments {folder.path}/environments.toml --reports {folder.reports}"
    words = ["sh", "-c", f"exec {shlex.quote(sys.executable)} -m {module} {options} {closed}"]
    assert subprocess.run(words, cwd=CHECKOUT, timeout=RUN_SECONDS, check=False).returncode == 1
    told = load(folder.reports)
    assert (told.exit, told.gate.verdict) == (1, Verdict.FAIL)
    assert folder.older() == []


def test_the_guard_knows_every_plugin_of_ours(pytestconfig: pytest.Config) -> None:
    """Each plugin of this checkout has a name that the guard protects, but for conftest files and the guard itself."""
    manager = pytestconfig.pluginmanager
    ours = [
        name
        for name, plugin in manager.list_name_plugin()
        if (getattr(plugin, "__name__", None) or type(plugin).__module__).startswith(OURS[:-1])
    ]
    unprotected = [name for name in ours if not name.startswith(OURS)]
    assert {"fixtures.hosts", "reports.plugin", "validations.cells"} <= set(ours)
    assert all(name.endswith("conftest.py") or name.isdecimal() for name in unprotected), unprotected
