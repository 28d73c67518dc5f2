"""Faults as the gate's users meet them: a run of its own, its exit code, its report, and the remedy it names.

The remedy is followed to the letter: what it says is run as it stands there, and nothing else, and the gate is green.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest
import redis
from selectolax.lexbor import LexborHTMLParser

from fixtures.environments.__main__ import as_toml
from fixtures.environments.live import LiveHost
from fixtures.environments.settings import LOCAL, secret
from fixtures.faults.base import GATEWAY, Fault
from fixtures.faults.catalogue import AREAS, area_of, named
from fixtures.faults.stage import FaultyStage
from fixtures.observation.gateway_probe import bare_environment
from validations.faults.conftest import require_for
from validations.faults.looking import asking_little, declared
from validations.gate_runs import Runs

# What the remedies of these faults tell a person to type, and how it is found in the report.
COMMANDS = re.compile(
    r"(?P<shell>ch(?:mod|own) (?:-R )?\S+ /[^\s,;:]+)"
    r"|(?P<console>view:(?:health-check --fix|cache)|filament:optimize)"
    r"|(?P<redis>CONFIG SET [\w-]+ \w+)"
)
FOLLOWED = {
    "script-not-executable": "chmod 0755 ",
    "views-directory-open-to-all": "chmod -R o-w ",
    "generation-owned-by-root": "chown -R ",
    "compiled-view-truncated": "view:health-check --fix",
    "template-edited-and-not-compiled": "view:health-check --fix",
    "cleared-and-not-rebuilt": "view:health-check --fix",
    "panel-cache-missing": "filament:optimize",
    "resource-added-since": "filament:optimize",
    "icon-manifest-missing": "filament:optimize",
    "locks-evictable": "CONFIG SET maxmemory-policy noeviction",
}


class Gate:
    """Runs of the gate on the stage as it is, from outside."""

    def __init__(self, runs: Runs, stage: FaultyStage) -> None:
        self.runs = runs
        self.stage = stage

    def run(self, *, intrusive: bool) -> subprocess.CompletedProcess[str]:
        """Describe the stage in environments.toml, and run the gate on it, without what earlier runs recorded."""
        described = as_toml("kept", asking_little(self.stage.environment))
        (self.runs.folder / "environments.toml").write_text(described, encoding="utf-8")
        self.runs.forget()
        return self.runs.gate("--environment", "kept", *(["--intrusive"] if intrusive else []))


@pytest.fixture(name="gate")
def _gate(stage: FaultyStage, runs: Runs) -> Gate:
    return Gate(runs, stage)


@pytest.mark.parametrize(
    ("stage", "fault"),
    [
        pytest.param(
            kind := faults[0].kinds[0],
            faults[0],
            id=f"{kind}-{area}",
            marks=() if area == "page" else pytest.mark.profile("ci"),
        )
        for area, faults in AREAS.items()
    ],
    indirect=["stage"],
)
def test_a_run_tells_of_a_fault(gate: Gate, pytestconfig: pytest.Config, fault: Fault) -> None:
    """A run of the gate ends with 1; its reports fail just the declared cells, and say of each what to do about it."""
    require_for(pytestconfig, fault)
    with gate.stage.planted(fault):
        # Where the directory is closed a rebuild fails, too, which the lock's cells would tell if they watched one.
        done = gate.run(intrusive=area_of(fault) != "directory")
    assert done.returncode == 1, done.stdout + done.stderr
    # What follows from another cell's failure is told as unknown, and an objective that is unknown as skipped.
    red = gate.runs.checks("failure") | gate.runs.checks("error")
    assert red <= declared(fault) <= red | gate.runs.checks("skipped"), done.stdout
    failed = gate.runs.checks("failure") & {*fault.red}
    assert failed
    assert "gate: FAILED" in done.stdout
    metrics = (gate.runs.reports / "metrics.prom").read_text(encoding="utf-8")
    page = LexborHTMLParser((gate.runs.reports / "report.html").read_text(encoding="utf-8"))
    rows = " ".join(section.text() for section in page.css("section#not-green"))
    for check in failed:
        told = gate.runs.failures(check)
        assert told
        assert all("but should be" in text and "remedy: " in text for text in told), told
        assert check in rows
        objective = f'objective="{check}",host="kept"}} 0.0'
        assert f'check="{check}",host="kept",verdict="fail"}} 1.0' in metrics or objective in metrics


@pytest.mark.parametrize(
    ("stage", "name"),
    [
        pytest.param(
            GATEWAY,
            name,
            id=f"{GATEWAY}-{name}",
            marks=() if name == "panel-cache-missing" else pytest.mark.profile("ci"),
        )
        for name in FOLLOWED
    ],
    indirect=["stage"],
)
def test_its_remedy_makes_it_green(gate: Gate, pytestconfig: pytest.Config, name: str) -> None:
    """What the remedy in the report says is run to the letter, once for each remedy, and the gate passes."""
    fault = named(name)
    require_for(pytestconfig, fault)
    with _cached_again(gate.stage), gate.stage.planted(fault):
        # A view that the run itself damaged, and that could not be repaired, would be in the log for an hour.
        assert gate.run(intrusive=False).returncode == 1
        texts = [text for check in fault.red for text in gate.runs.failures(check)]
        commands = [found for text in texts if (found := COMMANDS.search(text.partition("remedy: ")[2]))]
        assert any(found[0].startswith(FOLLOWED[name]) for found in commands), texts
        for found in commands:
            _follow(gate.stage, found)
        done = gate.run(intrusive=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("stage", "milliseconds", "held"),
    [
        pytest.param(GATEWAY, None, re.compile("never expires"), id="for-ever"),
        pytest.param(GATEWAY, 3_600_000, re.compile(r"expires after 3[56]\d\d(?:\.\d+)? s"), id="for-an-hour"),
    ],
    indirect=["stage"],
)
@pytest.mark.profile("ci")
def test_a_lock_that_is_held_for_too_long_is_seen_by_looking(
    gate: Gate, milliseconds: int | None, held: re.Pattern[str]
) -> None:
    """A gate that changes nothing tells a lock that outlives what its service declares, and of nothing else."""
    with contextlib.closing(LiveHost("stage", LOCAL, gate.stage.environment)) as host:
        key = host.facts().seen("locks").rebuild_key
    with _redis_of(gate.stage) as client:
        assert client.set(key, "somebody", px=milliseconds, nx=True)
        try:
            done = gate.run(intrusive=False)
        finally:
            client.delete(key)
    assert done.returncode == 1, done.stdout + done.stderr
    assert gate.runs.checks("failure") | gate.runs.checks("error") == {"locks"}, done.stdout
    (told,) = gate.runs.failures("locks")
    said = told.partition(f"{key} is held, and ")[2].partition(", but should be an expiry of at most 30 s, as declared")
    assert said[1], told
    assert held.fullmatch(said[0]), told


@contextlib.contextmanager
def _cached_again(stage: FaultyStage) -> Iterator[None]:
    """Make every cache anew at the end: remedies cached what was planted, and other tests have this stage, too."""
    try:
        yield
    finally:
        for command in ("view:cache", "filament:optimize"):
            subprocess.run([stage.root / "artisan", command], env=bare_environment(), timeout=60, check=True)


def _follow(stage: FaultyStage, found: re.Match[str]) -> None:
    """Do what stands there."""
    if found["shell"]:
        subprocess.run(shlex.split(found["shell"]), check=True, timeout=60)
    elif found["console"]:
        words = found["console"].split()
        subprocess.run([stage.root / "artisan", *words], env=bare_environment(), timeout=60, check=False)
    else:
        with _redis_of(stage) as client:
            client.execute_command(*found["redis"].split())


def _redis_of(stage: FaultyStage) -> redis.Redis:
    assert stage.environment.redis_url is not None
    return redis.Redis.from_url(secret(stage.environment.redis_url))
