"""How cost grows with hosts, views and recorded runs: no step is worse than linear."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fixtures.environments import redis_server
from fixtures.environments.__main__ import as_toml
from fixtures.environments.stage import Stage
from fixtures.gateway.release import Release
from fixtures.gateway.scaffold.application_tree import create_application_directory
from fixtures.observation.gateway_probe import compiled_views
from fixtures.options import lack
from fixtures.processes import end
from validations.benchmarks.conftest import Growth
from validations.meta.environments.sshd import Sshd, lacking

CHECKOUT = Path(__file__).resolve().parents[2]
HOSTS = (1, 5, 20)
VIEWS = (682, 5_000, 50_000)
RUNS = (100, 1_000, 10_000)
LOOKS = 3
SECONDS = 600.0


@contextmanager
def release_of(views: int, folder: Path) -> Iterator[Release]:
    """Grow a release of so many views, with a Redis for its locks."""
    redis = redis_server.start(folder / "redis")
    try:
        env = {"APP_TOKEN": "secret-token", "REDIS_URL": redis.url}
        yield Release.at(create_application_directory(folder / "app", views=views, env=env))
    finally:
        end(redis.process)
        shutil.rmtree(folder, ignore_errors=True)


def look(release: Release, views: int) -> float:
    """Look at every compiled view, and give the seconds."""
    started = time.perf_counter()
    seen = compiled_views(str(release.root), str(release.compiled_path))
    seconds = time.perf_counter() - started
    assert seen["intact"] == views
    return seconds


def test_growth_with_views(growth: Growth, tmp_path: Path) -> None:
    """A full rebuild by the console and the probe's look at every compiled file grow no faster than the views."""
    looks: dict[int, float] = {}

    def rebuild(views: int) -> float:
        with release_of(views, tmp_path / str(views)) as release:
            started = time.perf_counter()
            subprocess.run([release.root / "artisan", "view:cache"], capture_output=True, timeout=SECONDS, check=True)
            seconds = time.perf_counter() - started
            looks[views] = min(look(release, views) for _ in range(LOOKS))
        return seconds

    growth.measure("rebuild of all views", VIEWS, rebuild, turns=1)
    growth.measure("look at every compiled view", VIEWS, looks.__getitem__, turns=1)


def test_growth_with_recorded_runs(growth: Growth, tmp_path: Path) -> None:
    """Every report derived again, history and trends in it, grows no faster than the runs that are recorded."""
    stage = Stage()
    run = tmp_path / "runs" / "latest-run"
    try:
        file = tmp_path / "environments.toml"
        file.write_text(as_toml("grown", stage.up()), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "validations/gate", "--environment", "grown"]
        command += ["--environments", str(file), "--reports", str(run)]
        subprocess.run(command, cwd=CHECKOUT, capture_output=True, timeout=SECONDS, check=True)
    finally:
        stage.down()
    (line,) = (run / "history.jsonl").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)

    def render(runs: int) -> float:
        started = time.time() - 300 * runs
        with (run / "history.jsonl").open("w", encoding="utf-8") as history:
            for number in range(runs):
                at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(started + 300 * number))
                history.write(json.dumps(told | {"run": f"run-{number:06}", "started": at, "ended": at}) + "\n")
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "reports", "render", str(run)],
            cwd=CHECKOUT,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        seconds = time.perf_counter() - began
        assert (run / "report.html").stat().st_size < 1_000_000 + 2 * sum(
            one.stat().st_size for one in run.glob("attachments/*")
        )
        return seconds

    growth.measure("every report derived from its log, by recorded runs", RUNS, render)


def test_growth_with_hosts(growth: Growth, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """A read-only gate over ssh grows no faster than its hosts, each asked for a page twenty times."""
    if reason := lacking():
        lack(pytestconfig, "ssh", reason)
    stage = Stage(views=120)
    with ExitStack() as stack:
        stack.callback(stage.down)
        environment = stage.up()
        servers = []
        for number in range(max(HOSTS)):
            server = Sshd(tmp_path / f"sshd-{number}", address=f"127.0.0.{number + 1}")
            stack.callback(end, server.process)
            servers.append(server)
        page = environment.page.model_copy(update={"requests": 20})

        def gate(hosts: int) -> float:
            described = environment.model_copy(
                update={"hosts": tuple(server.url for server in servers[:hosts]), "page": page}
            )
            file = tmp_path / f"hosts-{hosts}.toml"
            file.write_text(as_toml("grown", described), encoding="utf-8")
            command = [sys.executable, "-m", "pytest", "validations/gate", "-q", "--environment", "grown"]
            command += ["--environments", str(file), "--reports", str(tmp_path / f"reports-{hosts}")]
            started = time.perf_counter()
            done = subprocess.run(
                command,
                cwd=CHECKOUT,
                env=dict(os.environ),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            seconds = time.perf_counter() - started
            # A stage of 120 views misses the objective of 682: what counts here is that every cell was observed.
            assert "unknown" not in done.stdout.partition("objectives:")[0], done.stdout[-3000:]
            return seconds

        growth.measure("the gate over ssh, by hosts", HOSTS, gate, turns=1)
