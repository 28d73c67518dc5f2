"""A pytest plugin: no secret leaves a test by what pytest itself shows of it.

A traceback, a repr of arguments, locals, captured output and log records reach the terminal and pytest's own JUnit
without passing our reports. So each report of a test is redacted where it is made, on workers too. What the gate's
tests show is redacted by value and by form; of others, which may test just that, by value alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator
from typing import Any

import pytest
from _pytest._code.code import TerminalRepr

from reports.redact import Redactor
from reports.text import visible

GATE = "validations/gate/"

_REDACTOR = pytest.StashKey[Redactor]()


def pytest_configure(config: pytest.Config) -> None:
    """Start with what is known by now, and stand before every log: a live one is on the terminal at once."""
    config.stash[_REDACTOR] = Redactor()
    make = logging.getLogRecordFactory()

    def redacted(*args: Any, **more: Any) -> logging.LogRecord:
        record = make(*args, **more)
        if os.environ.get("PYTEST_CURRENT_TEST", "").startswith(GATE):
            redact = _learned(config).text
            record.msg, record.args = visible(redact(record.getMessage())), ()
            if record.exc_info:
                record.exc_text = visible(redact(logging.Formatter().formatException(record.exc_info)))
        return record

    logging.setLogRecordFactory(redacted)
    config.add_cleanup(lambda: logging.setLogRecordFactory(make))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Redact what every other plugin has made of the report, and show control characters as escapes."""
    report = yield
    redactor = _learned(item.config)
    gate = report.nodeid.startswith(GATE)
    redact = redactor.text if gate else redactor.known

    def hide(text: str) -> str:
        # What is a control character here is one of another's text; on the terminal it may be a colour of pytest's.
        return visible(redact(text))

    report.longrepr = _hidden(report.longrepr, hide)
    report.sections = [(name, hide(content)) for name, content in report.sections]
    if gate:
        report.user_properties = [(name, redactor.data(value)) for name, value in report.user_properties]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Redact an error of pytest's own before it is shown."""
    config = next((frame.locals["config"] for frame in excinfo.traceback if "config" in frame.locals), None)
    if isinstance(config, pytest.Config):
        redact = _learned(config).text
        _hidden(excrepr, lambda text: visible(redact(text)))


def _learned(config: pytest.Config) -> Redactor:
    redactor = config.stash[_REDACTOR]
    for secrets in config.hook.pytest_viewgate_secrets(config=config):
        redactor.register(secrets)
    return redactor


def _hidden(shown: Any, hide: Callable[[str], str]) -> Any:
    """Return what is shown without secrets: a text, or pytest's tree of what it writes to the terminal."""
    if isinstance(shown, str):
        return hide(shown)
    if isinstance(shown, list | tuple):
        return type(shown)(_hidden(one, hide) for one in shown)
    if isinstance(shown, TerminalRepr):
        for name, value in vars(shown).items():
            setattr(shown, name, _hidden(value, hide))
    return shown
