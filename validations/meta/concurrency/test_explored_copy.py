"""What is explored is a copy: whatever an application writes, and wherever, its own tree stays as it was.

The application has a package that writes on `optimize` as Filament and blade-icons do; it is deployed with shared
storage, and its caches and settings name it by its absolute path.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.independence import Independence
from fixtures.concurrency.php import shim
from fixtures.concurrency.php.copies import copy_of
from fixtures.concurrency.php.system import PhpSystem, Subject
from fixtures.concurrency.php.trees import released
from fixtures.options import lack
from fixtures.processes import wait_until
from fixtures.profiles import Profile
from validations.as_account import OTHER, as_account
from validations.gate_runs import CHECKOUT, RUN_SECONDS, Runs, hearing
from validations.races.blade import symptoms
from validations.races.blade_portfolio import CASES
from validations.watched import files_watched, tree

pytestmark = pytest.mark.usefixtures("laravel_here", "shim_here")

OPTIMIZE = "render-against-optimize"
OTHERS = ("warm-render-against-cache", "cold-render-against-edit", "killed-deployment")
PHP_SECONDS = 60.0

WRITTEN = {
    "bootstrap/cache/blade-icons.php",
    "bootstrap/cache/filament/panels/admin.php",
    "bootstrap/cache/relative.php",
    "bootstrap/cache/by-command.php",
    "storage/app/acme.log",
    "storage/app/acme.json",
    "storage/app/export.csv",
    "storage/app/public/acme.txt",
    "public/acme.js",
    "public/by-self.txt",
}
"""What the package makes: it also writes bootstrap/cache/acme.php, which there is, and deletes public/old.txt."""


@pytest.fixture(name="deployed")
def _deployed(open_folder: Path, pytestconfig: pytest.Config) -> Path:
    """An application in a folder of another user, with its configuration cached there; the folder that holds it all."""
    if shutil.which("inotifywait") is None:
        lack(pytestconfig, "inotify", "inotifywait is not installed")
    folder = open_folder / "srv"
    current = released(folder)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, OTHER.pw_uid, OTHER.pw_gid, follow_symlinks=False)
    as_account(OTHER, cache_configuration, current)
    assert str(current.resolve()) in (current / "bootstrap/cache/config.php").read_text(encoding="utf-8")
    return folder


def cache_configuration(current: Path) -> None:
    """Cache the configuration as a deployment does, with the absolute paths of the release."""
    subprocess.run(
        ["php", "artisan", "config:cache"], cwd=current, check=True, capture_output=True, timeout=PHP_SECONDS
    )


def explore(current: Path, temporary: Path, scenarios: tuple[str, ...]) -> set[str]:
    """Explore a copy of an application; return the files that are in it then and are not in the application."""
    tempfile.tempdir = os.environ["XDG_CACHE_HOME"] = str(temporary)
    shim.library.cache_clear()  # another user's
    root = current.resolve()
    with copy_of(current) as copy:
        system = PhpSystem(Path(tempfile.mkdtemp()), Subject("deployed", copy.root, copy=copy))
        try:
            with Explorer(system, symptoms, reduction=Independence) as explorer:
                for name in scenarios:
                    exploration = explorer.exhaust(CASES[name].scenario, 1, until=())
                    assert exploration.exhausted
                    assert name != OPTIMIZE or not exploration.broken
            files = written_below(copy.root)
            assert str(copy.root) in (copy.root / "bootstrap/cache/acme.php").read_text(encoding="utf-8")
            assert written_below(root) - files == {"public/old.txt", "bootstrap/cache/config.php"}
            return files - written_below(root)
        finally:
            system.close()


def written_below(root: Path) -> set[str]:
    """Name the files of a tree where optimizers write."""
    return {
        Path(folder, name).relative_to(root).as_posix()
        for top in ("bootstrap/cache", "storage/app", "public")
        for folder, _, names in os.walk(root / top)
        for name in names
    }


@pytest.mark.parametrize(
    "account",
    [
        pytest.param(pwd.getpwuid(os.geteuid()), id="as-whoever-runs-this"),
        pytest.param(OTHER, id="as-its-owner"),
    ],
)
def test_nothing_that_an_optimizer_writes_reaches_the_application(
    account: pwd.struct_passwd, deployed: Path, open_folder: Path, profile: Profile
) -> None:
    """Contents, owners, modes, times and inotify: the tree is as it was, and all that was written is in the copy."""
    temporary = open_folder / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    scenarios = (*profile.choose(gate=(), ci=OTHERS, soak=OTHERS), OPTIMIZE)
    before = tree(deployed)
    with files_watched(deployed, open_folder) as touched:
        written = as_account(account, explore, deployed / "current", temporary, scenarios)
    assert written == WRITTEN
    assert touched == []
    assert tree(deployed) == before
    assert [path.name for path in temporary.glob("viewgate-application-*")] == []


FIXED = "<?php return ['fixed' => '{}/public/fixed.txt'];"


@pytest.mark.parametrize(
    ("chosen", "number", "ends"),
    [
        pytest.param(
            f"{OPTIMIZE} or clear-against-clear",
            None,
            (1, "the application was kept from changing ", "/public/fixed.txt (open)", "1 failed, 1 passed"),
            id="to-its-end",
        ),
        pytest.param("render", signal.SIGTERM, (2,), id="until-sigterm"),
    ],
)
def test_a_run_leaves_the_application_alone(
    chosen: str, number: signal.Signals | None, ends: tuple[int, *tuple[str, ...]], deployed: Path, open_folder: Path
) -> None:
    """--laravel-root as it is typed: the tree is as it was, no copy is left, and a path that leads out is one line."""
    runs = Runs(open_folder)
    (deployed / "current/config/acme.php").write_text(FIXED.format((deployed / "current").resolve()))
    command = [sys.executable, "-m", "pytest", str(CHECKOUT / "validations/races/test_blade_application.py")]
    arguments = ["-k", chosen, "--laravel-root", "srv/current"]
    before = tree(deployed)
    with files_watched(deployed, open_folder) as touched:
        process = subprocess.Popen(
            [*command, *arguments, "--basetemp", str(open_folder / "basetemp")],
            cwd=open_folder,
            env=runs.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=hearing,  # noqa: PLW1509 - no threads here
        )
        try:
            if number:
                wait_until(
                    lambda: any(runs.temporary.glob("viewgate-application-*")), awaited="the copy", seconds=RUN_SECONDS
                )
                process.send_signal(number)
            output, _ = process.communicate(timeout=RUN_SECONDS)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == ends[0], output
    for said in ends[1:]:
        assert said in output, output
    assert "Traceback" not in output
    assert touched == []
    assert tree(deployed) == before
    assert runs.left_behind() == []
