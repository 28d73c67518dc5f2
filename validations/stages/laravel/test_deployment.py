"""Deployments by the script: warm before published, atomic, back again where the gate is red, resumed after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.processes import wait_until
from validations.stages.gateway.served import SECONDS, Served, is_complete

# Seconds each: the gate's own run does without.
CI = pytest.mark.profile("ci")
SCRIPT = "scripts/deploy-with-cache-management.sh"


@pytest.fixture(autouse=True)
def _served_after(served: Served) -> Iterator[None]:
    """Whatever a test did, a whole release is served afterwards, and no half one is left."""
    yield
    assert is_complete(served.page())
    assert served.residue() == []


def deploy(served: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the published release's own script."""
    return served.run(served.root / SCRIPT, *arguments)


def releases(served: Served) -> set[str]:
    """Return the releases there are."""
    return {path.name for path in (served.app / "releases").iterdir()}


def test_a_dry_run_tells_and_changes_nothing(served: Served) -> None:
    """The plan warms before it publishes; no release, lock or file comes of it."""
    before = sorted((path, path.lstat().st_mtime_ns) for path in served.app.rglob("*"))
    done = deploy(served, "--dry-run")
    assert done.returncode == 0, done.stderr
    steps = [line.split()[2].rstrip(":") for line in done.stdout.splitlines()]
    assert steps.index("warm-views") < steps.index("verify") < steps.index("publish") < steps.index("gate")
    assert sorted((path, path.lstat().st_mtime_ns) for path in served.app.rglob("*")) == before


def test_a_deployed_release_is_warm_and_served(served: Served) -> None:
    """After a deployment the new release answers, with compiled views of its own, and the gate was asked about it."""
    before, told = served.release, served.stage.folder / "served/asked"
    done = deploy(served, "--gate", f'echo "$RELEASE" > {told}')
    assert done.returncode == 0, done.stderr
    assert served.release != before
    assert told.read_text().strip() == served.release
    answer = served.page()
    assert is_complete(answer)
    assert answer.headers["x-release"] == served.release
    assert answer.headers["x-auto-fix-view-cache"] == "untouched"
    assert len(list(served.compiled.glob("current/*.php"))) >= served.stage.views
    assert not (served.root / "UNACCEPTED").exists()
    assert [check for check in served.health()["checks"] if not check["ok"]] == []


def test_a_red_gate_brings_the_release_before_back(served: Served) -> None:
    """Where the gate is red the deployment fails, and the release before is served on."""
    before = served.release
    done = deploy(served, "--gate", "exit 1")
    assert done.returncode != 0
    assert "the gate is not green" in done.stderr
    assert f"was not accepted, {before} serves on" in done.stderr
    assert served.release == before
    assert served.page().headers["x-release"] == before


@CI
def test_a_template_that_does_not_compile_is_never_published(served: Served, tmp_path: Path) -> None:
    """A release whose views do not all compile fails before it is published."""
    before = served.release
    sources = tmp_path / "sources"
    subprocess.run(["cp", "-a", served.root.resolve(), sources], check=True, timeout=SECONDS)
    (sources / "resources/views/broken.blade.php").write_text("@if (true")
    done = deploy(served, "--from", str(sources))
    assert done.returncode != 0
    assert "broken.blade.php does not compile" in done.stdout
    assert "publish" not in done.stdout
    assert served.release == before


@CI
def test_two_deployments_at_once_are_refused(served: Served) -> None:
    """The second of two is told that another is under way, and the first is not disturbed by it."""
    told, go_on = served.stage.folder / "served/gate-runs", served.stage.folder / "served/go-on"
    gate = f"touch {told}; until [ -e {go_on} ]; do sleep 0.05; done"
    running = subprocess.Popen([served.root / SCRIPT, "--gate", gate], stdout=subprocess.DEVNULL)
    try:
        wait_until(told.exists, awaited="the gate", seconds=SECONDS)
        second = deploy(served)
    finally:
        go_on.touch()
        code = running.wait(SECONDS)
    assert second.returncode != 0
    assert "another deployment is under way" in second.stderr
    assert code == 0


@CI
def test_a_deployment_killed_after_publishing_is_undone_by_the_next(served: Served) -> None:
    """Who comes after a killed deployment goes back from its release before anything else, and says what then fails."""
    before, told = served.release, served.stage.folder / "served/killed-gate-runs"
    running = subprocess.Popen(
        [served.root / SCRIPT, "--gate", f"touch {told}; exec sleep 60"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(told.exists, awaited="the gate", seconds=SECONDS)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(SECONDS)
    assert (served.root / "UNACCEPTED").read_text().strip() == before
    done = deploy(served, "--gate", "exit 1")
    assert done.returncode != 0
    assert served.release == before


@CI
def test_a_rollback_serves_the_release_before(served: Served) -> None:
    """A rollback has the release before served again; the one rolled back from is not gone back to."""
    first = served.release
    assert deploy(served).returncode == 0
    second = served.release
    done = deploy(served, "--rollback")
    assert done.returncode == 0, done.stderr
    assert served.release < second
    assert served.page().headers["x-release"] == served.release == first
    assert (served.app / "releases" / second / "UNACCEPTED").exists()


@CI
def test_old_releases_go_but_none_in_use(served: Served) -> None:
    """Beyond those to keep, releases that no request can be reading any more are removed; others stay."""
    for _ in range(3):
        assert deploy(served, "--keep", "99").returncode == 0
    assert len(releases(served)) >= 4
    long_ago = served.root.resolve().stat().st_mtime - 3600
    for path in served.app.glob("releases/*/RETIRED"):
        os.utime(path, (long_ago, long_ago))
    before = served.release
    assert deploy(served, "--keep", "0").returncode == 0
    assert releases(served) == {before, served.release}
