"""`python -m reports render RUN` derives a run's reports again; `history` prints what runs came to, compares two."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from reports import history, writers
from reports.console import Console
from reports.records import FILES
from reports.run import LogError, load
from reports.text import duration, json_text, line
from reports.trends import History, Past, Steadiness, changes, pasts
from reports.verdict import exit_code

RUNS = Path(__file__).parent / "runs"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Reports of earlier runs."""


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
def render(run: Path) -> None:
    """Derive every report of RUN (a run's folder) again from its event log; exit as the run did."""
    try:
        told = load(run)
    except LogError as error:
        raise click.ClickException(str(error)) from None
    gate = told.gate
    past = History.before(_recorded(run, told.plan.environment).lines, told.id, told.started)
    writers.write_all(told, gate, past, run)
    click.echo(f"{gate.verdict.value}: {line(gate.reason)}; {', '.join(FILES)} in {run}")
    # What the log no longer bears out does not pass, whatever the run ended with.
    sys.exit(told.exit or exit_code(0, gate.verdict, others_failed=told.others_failed))


def _recorded(run: Path, environment: str) -> history.Recorded:
    """Return the history that a run belongs to: in its own folder where that was given, else in the one above."""
    path = run / history.FILE_NAME
    return history.read(path if path.exists() else run.resolve().parent / history.FILE_NAME, environment)


@main.command("history")
@click.argument("file", type=click.Path(path_type=Path), default=RUNS)
@click.option("--environment", "-e", help="Runs of this environment alone.")
@click.option("--last", "-n", default=20, show_default=True, help="Print so many runs.", type=click.IntRange(1))
@click.option(
    "--compare", nargs=2, metavar="RUN RUN", help="Compare two runs: a beginning of an id, `green` or `latest`."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def history_(file: Path, environment: str | None, last: int, compare: tuple[str, str] | None, *, as_json: bool) -> None:
    """Print what is recorded in FILE (a history.jsonl, or the folder of one), or compare two of its runs."""
    path = file / history.FILE_NAME if file.is_dir() else file
    recorded = history.read(path, environment)
    runs = pasts(recorded.lines)
    if not runs:
        raise click.ClickException(f"{path} holds no run{f' of {environment}' if environment else ''}")
    if compare:
        _compare(_chosen(runs, compare[0]), _chosen(runs, compare[1]), as_json=as_json)
        return
    # As of the latest run: how steady cells are does not change while nothing runs.
    past = History(runs, runs[-1].started)
    told = _summary(past, recorded.damaged)
    if as_json:
        cells = [
            {
                "cell": one.cell,
                "judged": one.judged,
                "failed": one.failed,
                "flip_rate": round(one.flip_rate, 4),
                "flaky": one.why or None,
            }
            for one in past.steady
        ]
        click.echo(json_text(told | {"cells": cells, "runs": recorded.lines[-last:]}, indent=1))
    else:
        _print(runs[-last:], past.flaky, told)


def _compare(before: Past, after: Past, *, as_json: bool) -> None:
    told = changes(before, after)
    if as_json:
        listed = [{"what": one.what, "before": one.before, "after": one.after} for one in told]
        click.echo(json_text({"before": before.run, "after": after.run, "changes": listed}, indent=1))
        return
    click.echo(line(f"{before.run} ({before.verdict}) and {after.run} ({after.verdict})"))
    _columns([["what", "then", "now"], *([one.what, one.before, one.after] for one in told)])
    if not told:
        click.echo("  nothing is different")


def _chosen(runs: Sequence[Past], name: str) -> Past:
    green = History(runs).green
    named = {"latest": runs[-1], **({"green": green} if green else {})}
    found = [named[name]] if name in named else [run for run in runs if run.run.startswith(name)]
    if len(found) != 1:
        known = "none" if not found else f"{len(found)} of them"
        raise click.ClickException(f"{name!r} names {known}, but should name one run: see `python -m reports history`")
    return found[0]


def _summary(past: History, damaged: int) -> dict[str, Any]:
    return {
        "recorded": len(past.runs),
        "passed": past.passed,
        "everything_failed": past.outages,
        "last_green": past.green.run if past.green else None,
        "damaged_lines": damaged,
    }


def _print(runs: Sequence[Past], flaky: Sequence[Steadiness], told: dict[str, Any]) -> None:
    rows = [["run", "started", "verdict", "exit", "took", "revision", "not green"]]
    for run in runs:
        bad = [cell for cell, verdict in run.cells.items() if verdict not in ("pass", "not-applicable")]
        more = f" and {len(bad) - 3} more" if len(bad) > 3 else ""
        which = "everything" if run.everything_failed else ", ".join(bad[:3]) + more
        started = f"{run.started:%Y-%m-%d %H:%M}"
        rows.append([run.run, started, run.verdict, str(run.exit), duration(run.seconds), run.revision, which])
    _columns(rows)
    click.echo(
        f"{told['recorded']} runs recorded, {told['passed']} passed, in {told['everything_failed']} everything failed;"
        f" last green: {line(told['last_green'] or 'none')}"
    )
    if told["damaged_lines"]:
        click.echo(f"{told['damaged_lines']} lines cannot be read")
    for one in flaky:
        click.echo(line(f"flaky: {one.cell}: {one.why}; failed {one.failed} of {one.judged}"))


def _columns(rows: Sequence[Sequence[str]]) -> None:
    shown = [[line(word, 60) for word in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(shown[0]))]
    for row in shown:
        click.echo("  " + "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.stdout, sys.stderr = Console(sys.stdout), Console(sys.stderr)
    main(prog_name="python -m reports")
