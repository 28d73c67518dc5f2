"""The gate as the last step of a deployment, on both stages: green lets the release stay, red has the former back."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.environments import laravel_stage as laravel
from fixtures.environments.__main__ import as_toml
from fixtures.environments.laravel_stage import LaravelStage
from fixtures.environments.stage import Stage
from fixtures.options import lack
from validations.meta.reports.integrations.kept import CHECKOUT

SECONDS = 400.0
REGISTRATION = {
    "gateway": ("bootstrap/app.py", "    stack.append(AutoFixViewCache)", "    # stack.append(AutoFixViewCache)"),
    "laravel": (
        "app/Http/Kernel.php",
        r"        \App\Http\Middleware\AutoFixViewCache::class,",
        r"        // \App\Http\Middleware\AutoFixViewCache::class,",
    ),
}
"""By kind of application: the file and the line of the middleware's registration, and the line commented out."""


@pytest.mark.profile("ci")
@pytest.mark.parametrize("kind", [pytest.param("gateway", id="gateway"), pytest.param("laravel", id="laravel")])
def test_a_deployment_stands_or_falls_with_the_gate(kind: str, open_folder: Path, pytestconfig: pytest.Config) -> None:
    """A whole release is deployed and stays; one whose middleware is commented out, as in the incident, goes back."""
    if kind == "laravel" and (missing := laravel.lacking()):
        lack(pytestconfig, "laravel", f"there is no {', '.join(missing)}")
    stage = LaravelStage() if kind == "laravel" else Stage()
    try:
        file = open_folder / "environments.toml"
        environment = stage.up()
        file.write_text(as_toml("deployed", environment), encoding="utf-8")
        gate = [sys.executable, "-m", "pytest", str(CHECKOUT / "validations" / "gate"), "--rootdir", str(CHECKOUT)]
        gate += ["--environment", "deployed", "--environments", str(file), "--reports", str(open_folder / "reports")]
        current = Path(environment.root)

        def deploy(source: Path) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [
                    *(str(current / "scripts" / "deploy-with-cache-management.sh"), "--from", str(source)),
                    *("--gate", shlex.join(gate)),
                ],
                cwd=open_folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )

        first = current.resolve()
        good = deploy(first)
        assert good.returncode == 0, good.stdout + good.stderr
        second = current.resolve()
        assert second != first

        source = open_folder / "source"
        shutil.copytree(second, source, symlinks=True)
        name, line, commented = REGISTRATION[kind]
        text = (source / name).read_text(encoding="utf-8")
        assert line in text
        (source / name).write_text(text.replace(line, commented), encoding="utf-8")
        bad = deploy(source)
        assert bad.returncode != 0
        assert "the gate is not green" in bad.stderr
        assert current.resolve() == second
        summary = (open_folder / "reports" / "summary.md").read_text(encoding="utf-8")
        assert "viewgate failed" in summary
        assert "middleware" in summary
        again = subprocess.run(gate, cwd=open_folder, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert again.returncode == 0, again.stdout
    finally:
        stage.down()
