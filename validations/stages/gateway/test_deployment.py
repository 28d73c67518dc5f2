"""The console and the deployment, on a whole stage: real workers, a real Redis, the brief's own script."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.observation.repair import VIEW, compiled_file
from validations.stages.gateway.served import Served, serving


@pytest.fixture(scope="module", name="served")
def _served() -> Iterator[Served]:
    with serving(120) as served:
        yield served


def _json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def test_the_script_deploys_and_its_release_is_served(served: Served) -> None:
    """The brief's script publishes a new, warm release, and the running workers serve it at once."""
    before = served.release
    done = served.run(served.root / "scripts" / "deploy-with-cache-management.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    assert served.release != before
    assert served.page().headers["x-release"] == served.release
    assert _json(served.artisan("view:health-check", "--json"))["healthy"] is True


def test_a_deploy_whose_gate_is_red_goes_back(served: Served) -> None:
    """A gate that is not green takes the deploy back: the release before is published and served again."""
    before = served.release
    done = served.artisan("deploy", "--gate", "false")
    assert done.returncode == 1, done.stdout
    assert "the gate is not green" in done.stderr
    assert served.release == before
    assert served.page().headers["x-release"] == before


def test_rollback_serves_the_release_before(served: Served) -> None:
    """After a good deploy, `rollback` serves the release that was served before it."""
    before = served.release
    assert served.artisan("deploy").returncode == 0
    assert served.artisan("rollback").returncode == 0
    assert served.page().headers["x-release"] == served.release == before


def test_a_dry_run_changes_nothing(served: Served) -> None:
    """`--dry-run` lists the steps, and neither release nor directory is touched."""
    before = sorted(path.name for path in served.root.resolve().parent.iterdir())
    done = served.run(served.root / "scripts" / "deploy-with-cache-management.sh", "--dry-run")
    assert done.returncode == 0
    assert [line.split()[2].rstrip(":") for line in done.stdout.splitlines()][-1] == "unlock"
    assert sorted(path.name for path in served.root.resolve().parent.iterdir()) == before


@pytest.mark.parametrize(
    ("commands", "healthy_after"),
    [
        pytest.param([["view:health-check"]], False, id="look-only"),
        pytest.param([["view:health-check", "--fix"]], True, id="layer-2-health-fix"),
        pytest.param([["view:emergency-fix"]], True, id="layer-3-emergency"),
    ],
)
def test_a_damaged_view_is_healed_by_each_layer_alone(
    served: Served, commands: list[list[str]], *, healthy_after: bool
) -> None:
    """Looking does not heal; the health check with --fix does, and so does the emergency command, without a request."""
    served.artisan("view:cache")
    compiled_file(str(served.root / "storage/framework/views"), VIEW).write_bytes(b"")
    for command in commands:
        done = served.artisan(*command)
        assert (done.returncode == 0) is healthy_after, done.stdout + done.stderr
    assert _json(served.artisan("view:health-check", "--json"))["healthy"] is healthy_after
    assert served.page().status_code == 200


def test_the_middleware_heals_during_the_request(served: Served) -> None:
    """Layer 1: a compiled view that is damaged is whole again after the next request, which is complete."""
    file = compiled_file(str(served.root / "storage/framework/views"), VIEW)
    file.write_bytes(b"not a view at all")
    answer = served.page()
    assert (answer.status_code, answer.headers["x-auto-fix-view-cache"]) == (200, "repaired")
    assert file.read_bytes().startswith(b"viewgate-view 1 ")


@pytest.mark.parametrize("command", ["view:clear", "optimize:clear"], ids=["view-clear", "optimize-clear"])
def test_a_cleared_cache_goes_on_serving(served: Served, command: str) -> None:
    """Clearing flips to an empty generation: the page is complete all the same, and view:cache fills it again."""
    assert served.artisan(command).returncode == 0
    assert served.page().text.rstrip().endswith("</html>")
    assert served.artisan("optimize").returncode == 0
    assert _json(served.artisan("about", "--json"))["views"]["compiled"] == 120


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["view:nonsense"], id="unknown-command"),
        pytest.param(["view:cache", "--colour"], id="unknown-option"),
        pytest.param(["list", "--format=xml"], id="unknown-format"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(served: Served, arguments: list[str]) -> None:
    """The console answers what it does not understand with one line and exit code 2."""
    done = served.artisan(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
