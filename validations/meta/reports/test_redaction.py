"""What is planted everywhere, in a run that shows as much as it can: secrets, and commands for CI runners.

The run fails on purpose in a test that has them in its arguments, its locals, its output and its log, with pytest told
to show all of that; and the application's own log holds them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from fixtures.environments.__main__ import as_toml
from fixtures.environments.settings import HeaderAuthentication, Objectives
from fixtures.environments.stage import Stage
from fixtures.observation.gateway_probe import without_secrets
from validations.meta.reports.samples import COMMANDS, obeyed

CHECKOUT = Path(__file__).resolve().parents[3]
RUN_SECONDS = 240.0
CANARIES = {
    "header": "Bearer canary-header-4f1d0e55",
    "cookie": "canary-cookie-9a7c1e02",
    "env": "canary-env-file-77be03d1",
    "url": "canary-query-51d2c6f0",
    "netloc": "canary-userinfo-0c8b2d6a",
    "plugin": "canary-local-3e9f8a41",
}
LEAKS = """
import logging, os, sys, pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    result = yield
    if "test_3_deployment" in item.nodeid and "exists" in item.nodeid:
        headers = {"Authorization": os.environ["SHOP_AUTHORIZATION"], "Cookie": f"session={os.environ['SHOP_COOKIE']}"}
        password = os.environ["SHOP_PLUGIN"]
        url = f"https://gate:{os.environ['SHOP_NETLOC']}@shop.test/?token={os.environ['SHOP_URL']}"
        print(headers, "password:", password, url, os.environ["SHOP_REDIS"])
        sys.stderr.write(f"redis is {os.environ['SHOP_REDIS']}\\n")
        logging.getLogger("leak").warning("asking %s with %s", url, headers)
        commands = os.environ["SHOP_COMMANDS"]
        print(commands)
        sys.stderr.write(commands)
        logging.getLogger("leak").warning(commands)
        raise RuntimeError(f"{commands} could not ask {url} with {headers!r} password={password}\\n{commands}")
    return result
"""


@pytest.fixture(scope="module", name="stage")
def _stage() -> Iterator[Stage]:
    stage = Stage(views=66, workers=1)
    with contextlib.ExitStack() as closing:
        closing.callback(stage.down)
        stage.environment = stage.up()  # type: ignore[attr-defined]
        yield stage


def _found(texts: dict[str, str], secrets: dict[str, str]) -> list[str]:
    """Return each place that holds a secret, in any of the forms that it may have."""
    found = []
    for place, text in texts.items():
        for name, value in secrets.items():
            forms = {value, quote(value, safe=""), json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode()}
            found += [f"{name} in {place}" for form in forms if form in text]
    return found


class Shown(NamedTuple):
    """What a run left, by file name, with `stdout` and `stderr`; the secrets that it had; its folder."""

    texts: dict[str, str]
    secrets: dict[str, str]
    folder: Path


@pytest.fixture(
    scope="module",
    name="shown",
    params=[
        pytest.param([], id="one-process"),
        pytest.param(["-n", "2"], id="two-workers", marks=pytest.mark.profile("ci")),
    ],
)
def _shown(request: pytest.FixtureRequest, stage: Stage, open_module_folder: Path) -> Shown:
    """A whole run of the gate on the stage."""
    workers: list[str] = request.param
    open_folder = open_module_folder / ("workers" if workers else "alone")
    open_folder.mkdir()
    open_folder.chmod(0o755)
    environment = stage.environment  # type: ignore[attr-defined]
    root = Path(environment.root)
    redis = stage.redis
    assert redis is not None
    with (root / ".env").resolve().open("a", encoding="utf-8") as file:
        file.write(f"\nDB_PASSWORD={CANARIES['env']}\n")
    with (root / "storage" / "logs" / "laravel.log").open("a", encoding="utf-8", newline="") as file:
        said = f"ViewException: no access with {CANARIES['env']} {COMMANDS} (View: a.html)"
        file.write(f"[{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())}] production.ERROR: {said}\n")
    (open_folder / "leaks.py").write_text(LEAKS)
    path = f"{environment.page.path}?token={CANARIES['url']}"
    described = environment.model_copy(
        update={
            "page": environment.page.model_copy(update={"path": path, "requests": 10}),
            "authentication": HeaderAuthentication(kind="header", headers={"Authorization": "env:SHOP_AUTHORIZATION"}),
            "redis_url": "env:SHOP_REDIS",
            "objectives": Objectives(compiled_views=66),
        }
    )
    (open_folder / "environments.toml").write_text(as_toml("shop", described), encoding="utf-8")
    secrets = CANARIES | {"redis": redis.password, "redis-url": redis.url}
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIEWGATE_"))}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(CHECKOUT / "validations" / "gate"), "--environment", "shop"),
            *(
                "--reports",
                "reports",
                "--junitxml",
                "own.xml",
                "-o",
                "junit_logging=all",
                "-p",
                "leaks",
                "-vv",
                "-rA",
                "--showlocals",
                "--color=yes",
                "--log-cli-level=DEBUG",
            ),
            *("--tb=long", "--log-level=DEBUG", "--log-file=log.txt", "--log-file-level=DEBUG", *workers),
        ],
        cwd=open_folder,
        env=ours
        | {
            "PYTHONPATH": str(open_folder),
            "SHOP_AUTHORIZATION": CANARIES["header"],
            "SHOP_COOKIE": CANARIES["cookie"],
            "SHOP_PLUGIN": CANARIES["plugin"],
            "SHOP_NETLOC": CANARIES["netloc"],
            "SHOP_URL": CANARIES["url"],
            "SHOP_REDIS": redis.url,
            "SHOP_COMMANDS": COMMANDS,
            "GITHUB_STEP_SUMMARY": str(open_folder / "step.md"),
        },
        capture_output=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    stdout, stderr = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 1, stdout + stderr
    written = [file for file in open_folder.rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}]
    texts = {str(file.relative_to(open_folder)): file.read_bytes().decode(errors="replace") for file in written}
    texts |= {"stdout": stdout, "stderr": stderr}
    del texts["environments.toml"]
    return Shown(texts, secrets, open_folder)


def test_no_canary_is_left_anywhere(shown: Shown) -> None:
    """Not in a report, not in the history, not in pytest's own JUnit, not on the terminal."""
    texts = shown.texts
    assert {"reports/junit.xml", "reports/events.jsonl", "reports/history.jsonl", "own.xml"} <= texts.keys()
    assert "RuntimeError" in texts["stdout"]
    # It did log, print and fail with all of that.
    assert "asking https://gate:[redacted]@shop.test" in texts["log.txt"]
    assert "redis is [redacted]" in texts["own.xml"]
    assert "password   = '[redacted]'" in texts["own.xml"]
    assert "no access with [redacted]" in texts["reports/junit.xml"]
    assert _found(texts, shown.secrets) == []


def test_no_command_of_a_ci_runner_stands_in_what_is_printed(shown: Shown) -> None:
    """Not on the terminal, which shows a line of the log in one line, and not in what is echoed of the reports."""
    texts = shown.texts
    assert obeyed(texts["stdout"], colours=True) == []
    assert "\x1b[8m" not in texts["stdout"]
    assert obeyed(texts["stderr"]) == []
    # The finding that quotes the log, what the broken test printed and raised, and its log.
    # A worker's own log is not echoed.
    logged = () if "2/2 workers" in texts["stdout"] else ("asking https://gate",)
    for said in ("no access with", "could not ask", *logged):
        assert said in texts["stdout"]
    assert "# #[add-mask]masked # #vso[task.setvariable variable=a]b ## #teamcity[buildStop]" in texts["stdout"]
    for name in ("summary.md", "events.jsonl", "history.jsonl", "report.json"):
        assert obeyed(texts[f"reports/{name}"]) == [], name
    # Nothing is lost by it: the log reads as it was written.
    assert any("##vso[task.setvariable" in str(json.loads(line)) for line in texts["reports/events.jsonl"].splitlines())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["render", "reports"], "fail: ", id="render"),
        pytest.param(["history", "reports"], "# #[add-mask]", id="history"),
        pytest.param(["history", "reports", "--json"], "#\\u0023[add-mask]", id="history-json"),
        pytest.param(["history", "reports", "--compare", "latest", "planted"], "# #[add-mask]", id="compare"),
        pytest.param(
            ["history", "reports", "--compare", "latest", "planted", "--json"], "#\\u0023[add-mask]", id="compare-json"
        ),
        pytest.param(["history", "reports", "--compare", "latest", "##vso[a]\n::error::"], "# #vso[", id="no-such-run"),
        pytest.param(["render", "torn"], "# #[add-mask]", id="no-event-log"),
    ],
)
def test_no_command_of_a_ci_runner_is_printed_of_recorded_runs(shown: Shown, arguments: list[str], said: str) -> None:
    """No command of `python -m reports` prints what a runner obeys, whatever the files hold."""
    folder = shown.folder
    recorded = json.loads((folder / "reports" / "history.jsonl").read_text(encoding="utf-8").splitlines()[0])
    cells = {f"{cell}{COMMANDS}": verdict for cell, verdict in recorded["cells"].items()}
    planted = recorded | {"run": f"planted{COMMANDS}", "revision": COMMANDS, "cells": cells, "repeated": list(cells)}
    with (folder / "reports" / "history.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(planted) + "\n")
    (folder / "torn").mkdir(exist_ok=True)
    (folder / "torn" / "events.jsonl").write_text(json.dumps({"event": COMMANDS}) + "\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "reports", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    printed = done.stdout.decode() + done.stderr.decode()
    assert said in printed
    assert "Traceback" not in printed
    assert obeyed(printed) == []


def test_what_a_canary_test_could_miss_is_found() -> None:
    """The search sees a secret as it is, quoted for a URL, escaped in JSON, and in base64."""
    secret = 'pass word/"é'  # noqa: S105 - the test's own
    forms = [secret, quote(secret, safe=""), json.dumps(secret), base64.b64encode(secret.encode()).decode()]
    for form in forms:
        assert _found({"a": f"x{form}y"}, {"one": secret}) != []
    assert _found({"a": "nothing"}, {"one": secret}) == []


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        pytest.param("DB_PASSWORD=s3cret-value", "s3cret-value", id="password"),
        pytest.param("APP_KEY='base64:abcdef=='", "base64:abcdef==", id="key-quoted"),
        pytest.param("REDIS_URL=redis://:p%40ss-word@h/0", "p@ss-word", id="url-unquoted"),
        pytest.param("REDIS_URL=redis://me:p%40ss-word@h/0", "p%40ss-word", id="url-quoted"),
        pytest.param('MAIL_TOKEN="with \\"quote"', 'with \\\\\\"quote', id="escaped"),
    ],
)
def test_a_probe_tells_nothing_of_the_env_file(tmp_path: Path, line: str, secret: str) -> None:
    """A value of a telling name in `.env`, or a password in a URL there, leaves no host."""
    (tmp_path / ".env").write_text(f"APP_NAME=shop-name\n{line}\n", encoding="utf-8")
    told = without_secrets(f'{{"latest": "shop-name: {secret}"}}', str(tmp_path))
    assert told == '{"latest": "shop-name: [redacted]"}'


def test_short_and_plain_settings_stay(tmp_path: Path) -> None:
    """Neither a name that tells nothing nor a value of a few letters is taken out."""
    (tmp_path / ".env").write_text("APP_NAME=viewgate\nDB_PASSWORD=root\n", encoding="utf-8")
    assert without_secrets("viewgate as root", str(tmp_path)) == "viewgate as root"
