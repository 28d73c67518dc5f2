"""Every adapter's file is what its reader takes: published schemas and other people's linters say so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.options import lack
from validations.meta.reports.integrations.kept import CHECKOUT, INTEGRATIONS

SECONDS = 120.0
GITHUB = CHECKOUT / ".github"


def linter(pytestconfig: pytest.Config, name: str) -> str:
    """Return the path of a linter of the group `integrations`; skip, or fail where it is required, without it."""
    path = shutil.which(name, path=str(Path(sys.executable).parent))
    if path is None:
        lack(pytestconfig, "linters", f"{name} is not installed")
    return path


def said(*command: str, cwd: Path = CHECKOUT) -> str:
    """Run a command, which has to end with 0, and return what it said."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        pytest.param("vendor.github-workflows", sorted((GITHUB / "workflows").glob("*.yml")), id="github-workflows"),
        pytest.param("vendor.github-actions", [GITHUB / "actions/gate/action.yml"], id="github-action"),
        pytest.param("vendor.gitlab-ci", [INTEGRATIONS / "gitlab/viewgate.gitlab-ci.yml"], id="gitlab-ci"),
    ],
)
def test_a_pipeline_is_valid_under_its_published_schema(
    pytestconfig: pytest.Config, schema: str, files: list[Path]
) -> None:
    """GitHub's and GitLab's published schemas accept the workflows, the action and the template."""
    assert files
    checker = linter(pytestconfig, "check-jsonschema")
    said(
        checker,
        "--builtin-schema",
        schema,
        *(["--data-transform", "gitlab-ci"] * ("gitlab" in schema)),
        *map(str, files),
    )


def test_a_schema_refuses_what_is_wrong(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """The schema check can fail: a workflow with a word too many is refused."""
    wrong = tmp_path / "ci.yml"
    text = (GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("runs-on:", "runs_on:"), encoding="utf-8")
    checker = linter(pytestconfig, "check-jsonschema")
    done = subprocess.run(
        [checker, "--builtin-schema", "vendor.github-workflows", str(wrong)],
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 1


def test_the_workflows_take_no_more_than_they_need(pytestconfig: pytest.Config) -> None:
    """Zizmor finds nothing of weight, every workflow begins without permissions, and every foreign action is pinned."""
    said(linter(pytestconfig, "zizmor"), "--offline", "--no-progress", "--min-severity", "medium", str(GITHUB))
    for file in sorted((GITHUB / "workflows").glob("*.yml")):
        lines = file.read_text(encoding="utf-8").splitlines()
        assert "permissions: {}" in lines, file
        used = [line.split("uses:")[1].split() for line in lines if "uses:" in line]
        assert all(
            word[0].startswith(("./", "actions/")) and (word[0].startswith("./") or len(word[0].split("@")[1]) == 40)
            for word in used
        ), used


def test_the_dockerfile_is_clean_and_drops_root(pytestconfig: pytest.Config) -> None:
    """Hadolint finds nothing, and the container runs as a number that is not root's."""
    dockerfile = INTEGRATIONS / "container" / "Dockerfile"
    assert said(linter(pytestconfig, "hadolint"), str(dockerfile)) == ""
    users = [line.split()[1] for line in dockerfile.read_text(encoding="utf-8").splitlines() if line.startswith("USER")]
    assert users == ["10001"]


def test_the_cronjob_is_what_a_cluster_takes(pytestconfig: pytest.Config) -> None:
    """Kubernetes' own schema accepts the CronJob."""
    said(linter(pytestconfig, "kubernetes-validate"), str(INTEGRATIONS / "kubernetes" / "cronjob.yaml"))


def test_argos_job_is_what_a_cluster_takes(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """The Job inside of the analysis template is one that Kubernetes' own schema accepts."""
    checker = linter(pytestconfig, "kubernetes-validate")
    import yaml

    templates = list(yaml.safe_load_all((INTEGRATIONS / "argo/analysis-template.yaml").read_text(encoding="utf-8")))
    assert [template["kind"] for template in templates] == ["AnalysisTemplate", "AnalysisTemplate"]
    (job,) = [
        metric["provider"]["job"]
        for template in templates
        for metric in template["spec"]["metrics"]
        if "job" in metric["provider"]
    ]
    whole = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "viewgate"}, **job}
    (tmp_path / "job.json").write_text(json.dumps(whole), encoding="utf-8")
    said(checker, str(tmp_path / "job.json"))


def test_flagger_goes_back_where_the_gate_is_not_green(pytestconfig: pytest.Config) -> None:
    """The hook is of the one kind whose failures count towards Flagger's threshold, and the first one reaches it."""
    linter(pytestconfig, "kubernetes-validate")
    import yaml

    analysis = yaml.safe_load((INTEGRATIONS / "flagger/canary.yaml").read_text(encoding="utf-8"))["spec"]["analysis"]
    assert [hook["type"] for hook in analysis["webhooks"]] == ["rollout"]
    assert analysis["threshold"] == 1


@pytest.mark.parametrize("rules", [pytest.param("check", id="syntax"), pytest.param("test", id="behaviour")])
def test_the_alerts_hold(pytestconfig: pytest.Config, rules: str) -> None:
    """Promtool takes the alerts, and they fire when the gate is red, inconclusive for long, silent or absent."""
    if shutil.which("promtool") is None:
        lack(pytestconfig, "prometheus", "there is no promtool on PATH")
    file = {"check": "alerts.yml", "test": "alerts_test.yml"}[rules]
    assert "SUCCESS" in said("promtool", rules, "rules", file, cwd=INTEGRATIONS / "prometheus")


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing in the service, its timer and the alert."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here: apt-get install systemd")
    for unit in sorted((INTEGRATIONS / "systemd").glob("viewgate*")):
        # The program is looked for; on this machine it is another one.
        text = unit.read_text(encoding="utf-8").replace("/usr/local/bin/uv", "/bin/true")
        (tmp_path / unit.name.replace("@", "@production")).write_text(text, encoding="utf-8")
    told = said("systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir())))
    ours = [line for line in told.splitlines() if "viewgate" in line]
    assert ours == []


def test_the_service_leaves_uv_a_cache() -> None:
    """Where everything is read-only, uv's cache is in the folder that systemd makes for the unit."""
    lines = (INTEGRATIONS / "systemd" / "viewgate@.service").read_text(encoding="utf-8").splitlines()
    (folder,) = [line.partition("=")[2] for line in lines if line.startswith("CacheDirectory=")]
    assert "ProtectSystem=strict" in lines
    assert f"Environment=UV_CACHE_DIR=/var/cache/{folder}" in lines


def test_every_secret_is_a_reference() -> None:
    """No adapter holds a credential: what looks like one is the name of a variable."""
    for path in [*INTEGRATIONS.rglob("*"), *GITHUB.rglob("*")]:
        if path.is_file() and path.suffix in {".yml", ".yaml", ".json", ".php", ".crontab", ".service"}:
            text = path.read_text(encoding="utf-8").lower()
            assert "password" not in text, path
            assert "bearer " not in text, path
