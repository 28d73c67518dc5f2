"""Every file that is derived from a run, by name: the one list that the run itself and `render` write from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from reports import ctrf, files, history, html, junit, markdown, metrics
from reports.records import FILES
from reports.run import Run
from reports.trends import History, Past
from reports.verdict import Gate


def write_all(run: Run, gate: Gate, past: History, directory: Path) -> str:
    """Replace every file; return the summary's text. Raises OSError where one cannot be written."""
    summary = ""
    for name, text in render(run, gate, past, directory):
        files.replace(directory / name, text)
        if name == "summary.md":
            summary = text
    return summary


def render(run: Run, gate: Gate, past: History, directory: Path) -> Iterator[tuple[str, str]]:
    """Yield every file's name and text. `past` are the recorded runs before this one."""
    folder = shown(directory)
    yield from zip(FILES, junit.render(run, gate, folder=folder), strict=False)
    yield "report.json", ctrf.render(run, gate, past, folder=folder)
    yield "metrics.prom", metrics.render(run, gate, past)
    now = Past.from_line(history.line(run, gate, ended=run.started + run.seconds, code=run.exit or 0))
    yield "summary.md", markdown.render(run, gate, past, now)
    yield "report.css", html.stylesheet()
    yield "report.html", html.render(run, gate, past, read=lambda path: _read(directory / path))


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def shown(directory: Path) -> str:
    """Return a run's folder as the pipeline sees it: relative to the project, where it lies in there."""
    project = Path(os.environ.get("CI_PROJECT_DIR") or Path.cwd())
    try:
        return directory.resolve().relative_to(project.resolve()).as_posix()
    except ValueError:
        return str(directory)
