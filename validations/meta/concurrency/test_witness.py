"""A race that was found can be read, kept and run again, as anybody would run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Exploration, Explorer, Failure
from fixtures.concurrency.gateway import GatewaySystem
from fixtures.concurrency.mutants import mutant
from fixtures.concurrency.witness import Witness, table
from validations.races.invariants import broken_in
from validations.races.portfolio import CASES
from validations.races.telling import insist

CHECKOUT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 120.0
SCENARIO = next(case.scenario for case in CASES if case.scenario.name == "two-cold-renders")


@pytest.fixture(scope="module", name="exploration")
def _exploration(system: GatewaySystem) -> Exploration:
    seeded = mutant("no-second-look")
    with seeded.applied(), Explorer(system, broken_in, variant=seeded.name) as explorer:
        return explorer.exhaust(SCENARIO, 1)


@pytest.fixture(name="failure")
def _failure(exploration: Exploration) -> Failure:
    assert exploration.failure is not None
    return exploration.failure


def replayed(path: Path) -> subprocess.CompletedProcess[str]:
    """Run a replay as a person does."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--replay={path}"]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)


def test_the_table_tells_the_interleaving(failure: Failure) -> None:
    """One column an actor, one line a step, what was invoked and compiled between them, the broken promise last."""
    lines = table(failure.witness, failure.outcome).splitlines()
    assert lines[0] == f"scenario two-cold-renders, schedule {failure.witness.as_json()['schedule']}"
    assert lines[1].split() == ["step", "ann", "bob"]
    column = lines[1].index("bob")
    steps = [line for line in lines[2:-1] if line[:4].strip()]
    assert len(steps) == len(failure.outcome.run.steps)
    for line, step in zip(steps, failure.outcome.run.steps, strict=True):
        assert int(line[:4]) == step.index
        place = 6 if step.actor == "ann" else column
        assert line[place:].startswith(f"{step.op} ")
        assert not line[6:place].strip()
    assert sum("· saw compiled page.html" in line for line in lines) == 2
    assert lines[-1] == "I5 is violated: page.html was compiled 2 times, 1 would do"


def test_a_failed_exploration_names_the_file_that_replays_it(
    exploration: Exploration,
    failure: Failure,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The failure shows the table and the command; the file holds the witness, its actors and its steps."""
    monkeypatch.setattr(request.config.hook, "pytest_viewgate_attach", lambda **_: None)
    monkeypatch.setattr(type(request.config), "rootpath", tmp_path)
    with pytest.raises(pytest.fail.Exception) as failed:
        insist(exploration, request)
    shown, _, command = str(failed.value).rpartition("\n")
    assert shown == table(failure.witness, failure.outcome)
    path = Path(command.rpartition(" --replay=")[2])
    assert Witness.read(path) == failure.witness
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["actors"] == ["ann", "bob"]
    assert len(kept["steps"]) == len(failure.outcome.run.steps)


def test_a_replay_runs_exactly_it(failure: Failure, tmp_path: Path) -> None:
    """`pytest --replay=FILE` runs one test, shows the same table, and fails while the promise is broken."""
    failure.witness.write(tmp_path / "witness.json")
    run = replayed(tmp_path / "witness.json")
    assert run.returncode == 1, run.stdout + run.stderr
    assert table(failure.witness, failure.outcome) in run.stdout
    assert "1 failed in" in run.stdout


def test_a_replay_passes_once_the_bug_is_gone(failure: Failure, tmp_path: Path) -> None:
    """The same schedule on the gateway as it is holds the promise, and shows that it does."""
    told = {**failure.as_json(), "variant": ""}
    (tmp_path / "witness.json").write_text(json.dumps(told), encoding="utf-8")
    run = replayed(tmp_path / "witness.json")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "I5 holds" in run.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"schedule": [[500, "bob"]]}, "could be followed", id="switch-that-never-comes"),
        pytest.param({"schedule": [[0, "nobody"]]}, "is no witness that can be replayed", id="unknown-actor"),
    ],
)
def test_a_replay_that_cannot_be_is_not_green(
    failure: Failure, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    """A witness that does not fit says why, and does not pass."""
    told = {**failure.as_json(), "variant": "", **change}
    (tmp_path / "witness.json").write_text(json.dumps(told), encoding="utf-8")
    run = replayed(tmp_path / "witness.json")
    assert run.returncode != 0
    assert said in run.stdout + run.stderr


def test_a_witness_of_what_nobody_grants_is_refused(failure: Failure, tmp_path: Path) -> None:
    """Real processes are not replayed step by step, and a mutant that is not there is not replaced by none."""
    (tmp_path / "witness.json").write_text(json.dumps({**failure.as_json(), "system": "processes"}), encoding="utf-8")
    with pytest.raises(ValueError, match="tells of real processes"):
        Witness.read(tmp_path / "witness.json")
    with pytest.raises(ValueError, match="there is no mutant 'no-such-mutant'; there are "):
        mutant("no-such-mutant")
