"""The stage: who runs it, who owns what it writes, and that nothing of it is left."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from fixtures.environments.laravel_stage import LaravelStage
from fixtures.laravel.scaffold import minimum_views
from validations.stages.gateway.served import SECONDS, Served, is_complete, serving

CHECKOUT = Path(__file__).parents[3]


def test_the_enhanced_call_view_is_served_whole(served: Served) -> None:
    """An operator gets the whole page, marked by middleware and release; a guest is sent to the login page."""
    answer = served.page()
    assert is_complete(answer)
    assert answer.headers["x-auto-fix-view-cache"] == "untouched"
    assert answer.headers["x-release"] == served.release
    guest = httpx.get(served.page_url, timeout=SECONDS)
    assert (guest.status_code, guest.headers["location"]) == (302, f"{served.environment.url}/login")


def test_nothing_of_it_runs_as_root(served: Served) -> None:
    """Every process of php-fpm and nginx, their masters among them, is the runtime user's."""
    stage = served.stage
    assert isinstance(stage, LaravelStage)
    assert stage.fpm is not None
    assert stage.nginx is not None
    processes = [
        process
        for master in (psutil.Process(stage.fpm.pid), psutil.Process(stage.nginx.pid))
        for process in (master, *master.children(recursive=True))
    ]
    assert len(processes) == 2 + stage.workers + 1
    assert {process.username() for process in processes} == {stage.runtime_user}
    assert stage.runtime_user != "root"


def test_what_the_console_writes_is_the_runtime_users(served: Served) -> None:
    """Whoever runs the console, root among them: what it writes belongs to the runtime user."""
    assert served.artisan("view:cache").returncode == 0
    assert served.artisan("filament:optimize").returncode == 0
    owners = {
        pwd.getpwuid(path.lstat().st_uid).pw_name
        for top in (served.root.resolve() / "storage", served.root.resolve() / "bootstrap/cache", served.app / "shared")
        for path in (top, *top.rglob("*"))
    }
    assert owners == {served.stage.runtime_user}


def test_nothing_of_it_is_left(laravel_here: None) -> None:  # noqa: ARG001
    """When it is down no process of it runs, and its folder is gone, whatever modes were changed in it."""
    with serving(minimum_views(), kind="laravel") as own:
        stage = own.stage
        assert isinstance(stage, LaravelStage)
        processes = [
            process
            for started in (stage.fpm, stage.nginx, stage.redis.process if stage.redis else None)
            if started is not None
            for process in (psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True))
        ]
        own.compiled.chmod(0)
    assert len(processes) >= 5
    assert [process for process in processes if process.is_running()] == []
    assert not stage.folder.exists()


@pytest.mark.parametrize(
    ("required", "code", "said"),
    [
        pytest.param([], 6, "INCONCLUSIVE: no cell passed", id="not-applicable"),
        pytest.param(
            ["--require", "laravel"],
            1,
            "--require laravel, but php-cli",
            id="required",
        ),
    ],
)
@pytest.mark.profile("ci")
def test_a_machine_without_it_says_what_to_install(tmp_path: Path, required: list[str], code: int, said: str) -> None:
    """Where a package is missing all cells are not applicable, with the line that helps, or fail where required."""
    (tmp_path / "git").symlink_to("/usr/bin/git")
    command = ["validations/gate", "--environment", "laravel", "-q", "--reports", str(tmp_path / "reports"), *required]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *command],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout
    assert said in done.stdout
    assert "apt-get install --no-install-recommends php-laravel-framework" in (
        done.stdout + (tmp_path / "reports/junit.xml").read_text(encoding="utf-8")
    )
