"""Ends no run with 0 that was asked for the gate and has not validated it; a pytest plugin.

It is loaded twice over: by `addopts` in pyproject.toml, which `--noconftest` leaves alone, and by the root conftest.py,
which `-o addopts=` leaves alone. pytest then loads it before the other plugins, so it imports none of them when it is
loaded. What it does stands in an object without a name, which no `-p no:NAME` can take away
once it is registered. Where neither is loaded, the gate's modules refuse to be collected (see `validations.cells`).
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import os
from collections.abc import Generator
from pathlib import Path
from typing import NoReturn

import pytest

from reports.console import stand_in
from reports.records import EVENTS, FILES

CHECKOUT = Path(__file__).resolve().parents[1]
OURS = ("fixtures.", "reports.", "validations.", "viewgate")
"""How the names of our plugins begin."""
ENDS_EARLY = ("--collect-only", "--setup-plan", "--setup-only")
"""What makes of a run, whatever it names, one that validates nothing."""
_CONTROLLER = "VIEWGATE_CONTROLLER"


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the guard, at the first moment at which a plugin can register anything."""
    stand_in()
    pluginmanager.register(Guard())


class Guard:
    """Follows one pytest run from its options to its exit code."""

    def __init__(self) -> None:
        self._asked: bool | None = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, parser: pytest.Parser, args: list[str]
    ) -> Generator[None]:
        """Look once all plugins are loaded, and before pytest rejects the options of one that is not."""
        result = yield
        if _is_worker():
            # Its reports are the controller's. Were it none after all, `pytest_cmdline_main` would look.
            return result
        os.environ[_CONTROLLER] = str(os.getpid())
        if not early_config.pluginmanager.has_plugin("reports.plugin"):
            # Its plugin is not there to declare it, and older reports in this folder must go all the same.
            parser.addoption("--reports")
        self._begin(early_config, parser.parse_known_args(args, namespace=copy.copy(early_config.option)))
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> Generator[None, object, object]:
        """Accept exit code 0 only from a run whose own report says so."""
        if hasattr(config, "workerinput"):
            return (yield)
        if self._asked is None:
            self._begin(config, config.option)
        code = yield
        if self._asked and code == 0:
            told = getattr(config.hook, "pytest_viewgate_exit", None)
            own = told(config=config) if told is not None else None
            if own is None:
                _refuse("this run left no report of its own, so nothing is known to have been validated")
            if own != 0:
                _refuse(f"this run ends with 0, and its own report with {own}")
        return code

    def _begin(self, config: pytest.Config, option: argparse.Namespace) -> None:
        """Find out whether the gate is asked for; if so, refuse a run that cannot validate it. Raises UsageError."""
        from fixtures.options import looks_up, names_gate, paths_of

        folder = config.invocation_params.dir
        named = bool(option.file_or_dir)
        testpaths = config.getini("testpaths") if folder == config.rootpath else []
        arguments = option.file_or_dir or testpaths or [str(folder)]
        self._asked = names_gate(paths_of(arguments, folder, packages=option.pyargs))
        listing = looks_up(option)
        if not named and (getattr(option, "replay", None) or (listing and listing not in ENDS_EARLY)):
            # `pytest --help` and `pytest --replay=FILE` name no tests, and so not the gate's.
            self._asked = False
        if not self._asked:
            return
        if getattr(option, "reports", None):
            # Whatever comes of this run, an older report does not stand for it.
            for name in (*FILES, EVENTS):
                # Where there can be none, reports' own plugin says why it cannot write any.
                with contextlib.suppress(OSError):
                    (folder / option.reports / name).unlink()
        self._require_plugins(config.pluginmanager, option)
        if listing:
            _refuse(f"{listing} runs no test: leave it out, or name other folders")
        if option.replay:
            _refuse("--replay runs a witness alone: leave out one of them")

    def _require_plugins(self, manager: pytest.PytestPluginManager, option: argparse.Namespace) -> None:
        for word in map(str.strip, option.plugins):
            if word.startswith("no:") and word.removeprefix("no:").startswith(OURS):
                _refuse(f"-p {word} blocks a part of it: leave that out")
        conftest = manager.get_plugin(str(CHECKOUT / "conftest.py"))
        if conftest is None:
            _refuse(
                "the checkout's conftest.py, which names its plugins, is not loaded: leave out --noconftest"
                " and --confcutdir"
            )
        missing = [name for name in conftest.pytest_plugins if not manager.has_plugin(name)]
        if missing:
            _refuse(f"its plugins {', '.join(missing)} are not loaded: run it from a whole checkout")


def _is_worker() -> bool:
    """Tell whether this is a worker of pytest-xdist; a run within a test inherits its environment, and is none."""
    return "PYTEST_XDIST_WORKER" in os.environ and os.environ.get(_CONTROLLER) == str(os.getppid())


def _refuse(why: str) -> NoReturn:
    hint = " (PYTEST_ADDOPTS is set)" if os.environ.get("PYTEST_ADDOPTS") else ""
    raise pytest.UsageError(f"validations/gate is asked for, but {why}{hint}")
