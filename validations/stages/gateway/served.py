"""A whole application that is up, to be driven as its operator would: console, scripts, pages, processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]

from fixtures.environments.settings import Environment, HeaderAuthentication, secret
from fixtures.environments.stage import Stage
from fixtures.environments.stages import stage_of
from fixtures.observation.gateway_probe import bare_environment
from fixtures.processes import wait_until

SECONDS = 120


class Served:
    """A stage that is up."""

    def __init__(self, stage: Stage, environment: Environment) -> None:
        self.stage = stage
        self.environment = environment
        self.root = Path(environment.root)

    @property
    def app(self) -> Path:
        """The application's directory, which holds `current`, `releases` and `shared`."""
        return self.root.parent

    @property
    def compiled(self) -> Path:
        """The published release's directory of compiled views."""
        return self.root.resolve() / "storage" / "framework" / "views"

    @property
    def release(self) -> str:
        """The release that is published."""
        return self.root.resolve().name

    @property
    def page_url(self) -> str:
        """The address of the enhanced call view."""
        return self.environment.url + self.environment.page.path

    @property
    def headers(self) -> dict[str, str]:
        """An operator's."""
        known = self.environment.authentication
        assert isinstance(known, HeaderAuthentication)
        return {name: secret(reference) for name, reference in known.headers.items()}

    def artisan(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a console command to its end, with other settings where they are given."""
        return self.run(self.root / "artisan", *arguments, **settings)

    def run(self, *command: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, in an environment that holds nothing but the settings given."""
        return subprocess.run(
            command, env=bare_environment() | settings, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a console command in a session of its own, and say nothing of what it prints."""
        return subprocess.Popen(
            [self.root / "artisan", *arguments],
            env=bare_environment() | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def page(self) -> httpx.Response:
        """Request the enhanced call view as an operator."""
        return self.get(self.environment.page.path)

    def get(self, path: str) -> httpx.Response:
        """Request a page as an operator."""
        return httpx.get(self.environment.url + path, headers=self.headers, timeout=SECONDS)

    def workers(self) -> list[int]:
        """Tell the process ids of the workers that serve."""
        assert self.stage.gateway is not None
        return [child.pid for child in psutil.Process(self.stage.gateway.pid).children()]

    def health(self, *arguments: str) -> dict[str, Any]:
        """Run `view:health-check --json` and return what it says."""
        done = self.artisan("view:health-check", "--json", *arguments)
        told = json.loads(done.stdout)
        assert isinstance(told, dict), done.stdout
        assert (done.returncode == 0) is told["healthy"], done
        return told

    def residue(self) -> list[str]:
        """List what no finished operation leaves: unfinished generations, temporaries, unfinished releases."""
        found = [*self.app.glob("releases/.*"), *self.app.glob("shared/storage/framework/**/.tmp-*")]
        unfinished = (".staging-*", ".trash-*", "*.staging", ".new-*")
        found += [path for pattern in unfinished for path in self.compiled.glob(f"generations/{pattern}")]
        found += [*self.compiled.glob(".current-*"), *self.compiled.glob("current/.tmp-*")]
        return sorted(str(path.relative_to(self.app)) for path in found)


@contextlib.contextmanager
def serving(views: int, *, kind: str = "gateway") -> Iterator[Served]:
    """Serve a stage of its own, of that kind, for as long as the block lasts."""
    stage = stage_of(kind)(views=views)
    try:
        yield Served(stage, stage.up())
    finally:
        stage.down()


def reborn(served: Served) -> None:
    """Kill the workers, and wait for the two that boot on whatever is there."""
    kill_and_replace(served, *served.workers())


def kill_and_replace(served: Served, *workers: int) -> None:
    """Kill workers, and wait for as many others."""
    old = set(served.workers())
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    wait_until(
        lambda: len(set(served.workers()) - old) == len(workers), awaited="killed workers' successors", seconds=SECONDS
    )


def is_complete(response: httpx.Response) -> bool:
    """Tell the whole enhanced call view."""
    text = response.text
    return (
        response.status_code == 200
        and 'data-sentinel="enhanced-call-view"' in text
        and text.rstrip().endswith("</html>")
    )
