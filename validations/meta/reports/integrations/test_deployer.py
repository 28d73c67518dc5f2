"""Deployer rolls back a release that the gate does not call green, on one and on several hosts.

The recipe runs in `deployer/dep`, a stand-in that orders hooks, workers and failures as Deployer 7.5.12 and 8.0.0-rc.1
do, and in the real `dep` as well where that is on PATH.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fixtures.options import lack
from reports import history
from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS, RUN_SECONDS, Kept

STAND_IN = Path(__file__).parent / "deployer" / "dep"
DEPLOYERS = {"stand-in": str(STAND_IN), "real": shutil.which("dep")}
FAILED = 255
"""What `dep` exits with where a task throws."""

RECIPE = """<?php
namespace Deployer;
require 'recipe/common.php';
set('user', 'tester');
set('keep_releases', 1);
foreach (explode(' ', getenv('HOSTS')) as $alias) {
    localhost($alias)->set('deploy_path', __DIR__ . '/{{alias}}');
}
task('deploy:update_code', function () {
    if (getenv('BROKEN')) {
        throw new \\RuntimeException('this release is never published');
    }
});
after('deploy:failed', 'deploy:unlock');
task('reload', fn () => run('readlink {{current_path}} >> {{deploy_path}}/reloads'));
task('notify', fn () => run('echo {{alias}} >> {{deploy_path}}/../notified'))->once();
after('rollback', 'reload');
after('rollback', 'notify');
require getenv('VIEWGATE');
set('viewgate_suite', getenv('SUITE'));
set('viewgate_reports', __DIR__ . '/reports');
set('viewgate_arguments', '');
"""

GATE = f"""#!/bin/sh
'''exec' {shlex.quote(sys.executable)} "$0" "$@"
' '''
import json, os, sys, time
folder = sys.argv[sys.argv.index("--reports") + 1]
print("<fg=nowhere>{{{{ title }}}}</> ##[add-mask]x")
with open(folder + "/events.jsonl", "w") as events:
    events.write(json.dumps({{"event": "run-started", "run": os.environ["RUN"]}}) + "\\n")
with open(folder + "/history.jsonl", "a") as lines:
    lines.write(os.environ["LINE"])
time.sleep(float(os.environ["SECONDS"]))
sys.exit(int(os.environ["CODE"]))
"""
"""A run of the gate that ends as it is asked to."""


@dataclass(frozen=True, slots=True)
class Done:
    """What `dep` exited with and printed, and the id of the gate's run."""

    code: int
    text: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """Hosts, each a folder, that a Deployer deploys to."""

    folder: Path
    deployer: str
    hosts: tuple[str, ...]

    def dep(self, task: str, *options: str, **environment: str) -> Done:
        """Run `dep TASK` on every host."""
        ours = {"HOSTS": " ".join(self.hosts), "VIEWGATE": str(INTEGRATIONS / "deployer" / "viewgate.php")}
        ours |= {"SUITE": str(CHECKOUT), "DO_NOT_SHOW_BANNER": "true", "BROKEN": ""}
        recipe = self.folder / "deploy.php"
        recipe.write_text(RECIPE, encoding="utf-8")
        done = subprocess.run(
            [self.deployer, task, "all", "-f", str(recipe), *options],
            cwd=self.folder,
            env=os.environ | ours | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout + done.stderr)

    def gated(
        self,
        code: int,
        task: str = "deploy",
        *options: str,
        seconds: float = 0,
        line: Mapping[str, object] | None = None,
    ) -> Done:
        """Run `dep TASK` with a gate that ends with a code. line: changes to its report; run None: no report."""
        run = f"20261201T000000Z-{secrets.token_hex(3)}"
        verdict = {0: "pass", 1: "fail", 6: "unknown"}.get(code, "missing")
        cells = {f"6-filament@{host}": verdict for host in self.hosts} | {"1-middleware@web-1": "pass"}
        told = {"schema": history.SCHEMA, "run": run, "exit": code, "cells": cells} | dict(line or {})
        uv = self.folder / "bin" / "uv"
        uv.parent.mkdir(exist_ok=True)
        uv.write_text(GATE, encoding="utf-8")
        uv.chmod(0o755)
        done = self.dep(
            task,
            *options,
            PATH=f"{uv.parent}:{os.environ['PATH']}",
            RUN=run,
            CODE=str(code),
            SECONDS=str(seconds),
            LINE=f"{json.dumps(told)}\n" if told["run"] else "",
        )
        return replace(done, run=run)

    @property
    def published(self) -> list[str]:
        """The release that each host serves."""
        return [(self.folder / host / "current").readlink().name for host in self.hosts]


@pytest.fixture(params=[pytest.param(path, id=name) for name, path in DEPLOYERS.items() if path])
def deployer(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> str:
    """Return the path of a `dep`."""
    if shutil.which("php") is None:
        lack(pytestconfig, "laravel", "there is no php on PATH")
    return str(request.param)


@pytest.fixture(params=[pytest.param("one", id="one-host"), pytest.param("one two three", id="three-hosts")])
def site(request: pytest.FixtureRequest, deployer: str, tmp_path: Path) -> Site:
    """Return hosts that nothing was deployed to yet."""
    return Site(tmp_path, deployer, tuple(request.param.split()))


@pytest.fixture
def three(deployer: str, tmp_path: Path) -> Site:
    """Return three hosts that serve their first release."""
    hosts = Site(tmp_path, deployer, ("one", "two", "three"))
    assert hosts.gated(0).code == 0
    return hosts


def test_a_red_release_goes_back_on_every_host(site: Site) -> None:
    """A red gate takes every host back to what it served before, with the hooks of `rollback`, and names the check."""
    green = site.gated(0)
    assert green.code == 0, green.text
    # Never published, and so nothing to go back to, although it is the last release made.
    assert site.dep("deploy", BROKEN="1").code == FAILED
    red = site.gated(1)
    assert red.code == FAILED
    assert f"6-filament: fail on {', '.join(site.hosts)}; run {red.run}" in red.text
    assert "1-middleware" not in red.text
    assert site.published == ["1"] * len(site.hosts)
    for host in site.hosts:
        assert f"{host}: back at release 1" in red.text
        assert (site.folder / host / "releases" / "3" / "BAD_RELEASE").exists()
        assert (site.folder / host / "reloads").read_text(encoding="utf-8") == "releases/1\n"
        assert not (site.folder / host / ".dep" / "deploy.lock").exists()
    assert (site.folder / "notified").read_text(encoding="utf-8") == "one\n"
    assert site.gated(0).code == 0
    assert site.published == ["4"] * len(site.hosts)


def test_a_first_release_stays_and_the_output_says_so(site: Site) -> None:
    """Where there is no release before, `dep` fails and claims no rollback."""
    red = site.gated(1)
    assert red.code == FAILED
    assert site.published == ["1"] * len(site.hosts)
    assert red.text.count("still at release 1, its first") == len(site.hosts)
    assert "back at release" not in red.text
    assert not list(site.folder.glob("*/releases/*/BAD_RELEASE"))


@pytest.mark.profile("ci")
@pytest.mark.parametrize(
    ("code", "line"),
    [
        pytest.param(6, {}, id="inconclusive"),
        pytest.param(2, {}, id="interrupted"),
        pytest.param(4, {"run": None}, id="could-not-start"),
        pytest.param(0, {"run": None}, id="no-report"),
        pytest.param(0, {"run": "20261130T000000Z-fedcba"}, id="report-of-another-run"),
        pytest.param(0, {"exit": 1}, id="report-of-another-exit-code"),
        pytest.param(1, {"cells": {}}, id="no-check-failed"),
        pytest.param(1, {"cells": {"7-page@<fg=nowhere>{{ title }}": "fail"}}, id="markup-in-a-name"),
    ],
)
def test_whatever_is_not_green_goes_back(three: Site, code: int, line: dict[str, object]) -> None:
    """Inconclusive, interrupted, not started, without a report of its own: each rolls back and fails."""
    done = three.gated(code, line=line)
    assert (done.code, three.published) == (FAILED, ["1"] * 3), done.text
    assert done.text.count("back at release 1") == 3


@pytest.mark.profile("ci")
def test_inconclusive_may_stay(three: Site) -> None:
    """With 6 among `viewgate_stay` an inconclusive gate lets the release stay, and a red one does not."""
    recipe = ("-o", "viewgate_stay=6")
    assert three.gated(6, "deploy", *recipe).code == 0
    assert three.published == ["2"] * 3
    assert three.gated(1, "deploy", *recipe).code == FAILED
    assert three.published == ["2"] * 3


@pytest.mark.profile("ci")
def test_a_gate_that_takes_too_long_goes_back(three: Site) -> None:
    """A gate that is not done in its time is ended, and the release goes back."""
    done = three.gated(0, "deploy", "-o", "viewgate_seconds=0.2", seconds=RUN_SECONDS)
    assert (done.code, three.published) == (FAILED, ["1"] * 3), done.text


@pytest.mark.profile("ci")
def test_one_host_that_cannot_go_back_leaves_the_others(three: Site) -> None:
    """A rollback that fails on one host is named, and the other hosts go back."""
    (three.folder / "two" / "releases" / "1").rename(three.folder / "elsewhere")
    done = three.gated(1)
    assert (done.code, three.published) == (FAILED, ["1", "2", "1"]), done.text
    assert "two: still at release 2" in done.text


@pytest.mark.profile("ci")
def test_a_rollback_that_is_declined_is_not_claimed(three: Site) -> None:
    """Where Deployer does not go back to a release that is marked as bad, the output does not say that it did."""
    (three.folder / "one" / "releases" / "1" / "BAD_RELEASE").touch()
    done = three.gated(1)
    assert (done.code, three.published) == (FAILED, ["2", "1", "1"]), done.text
    assert "one: still at release 2" in done.text


@pytest.mark.profile("ci")
def test_a_new_host_among_old_ones(three: Site) -> None:
    """A host with its first release keeps it; those with a release before go back."""
    wider = Site(three.folder, three.deployer, (*three.hosts, "four"))
    done = wider.gated(1)
    assert (done.code, wider.published) == (FAILED, ["1", "1", "1", "1"]), done.text
    assert done.text.count("back at release 1") == 3
    assert "four: still at release 1, its first" in done.text


@pytest.mark.profile("ci")
def test_it_does_not_matter_what_was_typed(three: Site) -> None:
    """`dep deploy:publish` goes back as `dep deploy` does; `dep viewgate:gate` alone rolls nothing back."""
    assert three.gated(0, "deploy:prepare").code == 0
    assert three.gated(1, "deploy:publish").code == FAILED
    assert three.published == ["1"] * 3
    assert three.gated(0, "viewgate:gate").code == 0
    alone = three.gated(1, "viewgate:gate")
    assert (alone.code, three.published) == (FAILED, ["1"] * 3)
    assert "back at release" not in alone.text


@pytest.mark.profile("ci")
def test_a_real_gate_decides(deployer: str, kept: Kept, tmp_path: Path) -> None:
    """A whole stage lets the release stay, a broken one takes it back and names the check of that very run."""
    if shutil.which("uv") is None:
        pytest.fail("uv is not on PATH, but it runs the suite")
    site = Site(tmp_path, deployer, ("one", "two"))
    settings = ("-o", f"viewgate_environment={kept.name}", "-o", f"viewgate_environments={kept.file}")
    green = site.dep("deploy", *settings)
    assert (green.code, site.published) == (0, ["1", "1"]), green.text
    with kept.broken():
        red = site.dep("deploy", *settings)
    assert (red.code, site.published) == (FAILED, ["1", "1"]), red.text
    told = history.read(tmp_path / "reports" / history.FILE_NAME).lines
    assert [line["verdict"] for line in told] == ["pass", "fail"]
    assert f"6-filament: fail on {kept.name}; run {told[1]['run']}" in red.text
    assert len(list(tmp_path.glob("reports/*/junit.xml"))) == 2
