"""A Laravel application that nobody prepared for the gate, described in ten lines: truthful verdicts, and no change.

It is a small one, on Debian's Laravel 8 behind PHP's own server: what it shares with the stage is the framework alone.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.environments import redis_server
from fixtures.environments.live import open_hosts
from fixtures.environments.settings import Environment, load
from fixtures.environments.stage import runtime_user
from fixtures.observation.gateway_probe import bare_environment
from fixtures.processes import end, free_port, wait_until
from reports.records import Verdict
from validations.driver import findings
from validations.meta.gate import test_8_disclosure as documents
from validations.meta.observation.laravel_trees import laravel_8
from validations.registry import EIGHT

pytestmark = pytest.mark.usefixtures("laravel_here")
ACCOUNT = pwd.getpwnam(runtime_user())
ROOT = os.geteuid() == 0
INDEX = """\
<?php
require __DIR__.'/../bootstrap/autoload.php';
$app = require __DIR__.'/../bootstrap/app.php';
$kernel = $app->make(Illuminate\\Contracts\\Http\\Kernel::class);
$kernel->handle(Illuminate\\Http\\Request::capture())->send();
"""
DESCRIBED = """\
[environments.mine]
kind = "laravel"
url = "http://127.0.0.1:{port}"
root = "{root}"
runtime_user = "{user}"
production = true
panels = []

[environments.mine.page]
path = "/calls/7/enhanced"
requests = 3
"""
PAGE = f'<html>{documents.GOOD}<p data-sentinel="enhanced-call-view">end</p>{"<!-- long enough -->" * 250}</html>\n'
VIEW = "resources/views/calls/enhanced.blade.php"


def start(root: Path, *words: str) -> subprocess.Popen[bytes]:
    """Start PHP as the application's user."""
    group = ACCOUNT.pw_gid if ROOT else None
    return subprocess.Popen(
        ["php", *words], env=bare_environment(), user=ACCOUNT.pw_uid if ROOT else None, group=group,
        extra_groups=[] if ROOT else None, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=root,
    )  # fmt: skip


def rebuild(root: Path) -> None:
    """Compile every view with the framework's own command."""
    for source in (root / "resources/views").rglob("*.blade.php"):
        os.utime(source, (source.stat().st_atime, source.stat().st_mtime - 60))
    assert start(root, str(root / "artisan"), "view:cache").wait(60) == 0


@pytest.fixture(name="mine")
def _mine(open_folder: Path) -> Iterator[Environment]:
    """The application, served, and described."""
    with contextlib.ExitStack() as ending:
        redis = redis_server.start(open_folder / "redis")
        ending.callback(end, redis.process)
        owner = (ACCOUNT.pw_uid, ACCOUNT.pw_gid) if ROOT else None
        root = laravel_8(open_folder / "mine", owner=owner, redis_port=redis.port)
        config = root / "config/database.php"
        config.write_text(config.read_text().replace("'password' => null", f"'password' => '{redis.password}'"))
        (root / VIEW).write_text(PAGE)
        (root / "public").mkdir()
        (root / "public/index.php").write_text(INDEX)
        rebuild(root)
        port = free_port()
        # OPcache would go on serving, for two seconds, what a defect has just taken away.
        index = str(root / "public/index.php")
        server = start(root, "-d", "opcache.enable=0", "-S", f"127.0.0.1:{port}", "-t", str(root / "public"), index)
        ending.callback(end, server)

        def listens() -> bool:
            with socket.socket() as visitor:
                return visitor.connect_ex(("127.0.0.1", port)) == 0

        wait_until(listens, awaited="PHP's server", seconds=30)
        file = open_folder / "environments.toml"
        file.write_text(DESCRIBED.format(port=port, root=root, user=ACCOUNT.pw_name))
        yield load("mine", file=file, folder=open_folder)


def not_green(environment: Environment) -> dict[str, set[str]]:
    """Return the parts of each of the eight that do not pass, looked at as a live environment is."""
    (host,) = open_hosts("mine", environment, intrusive=False)
    try:
        seen = {check.id: findings(check, host) for check in EIGHT}
    finally:
        host.close()
    for parts in seen.values():
        verdicts = {one.verdict for one in parts.values()}
        assert Verdict.UNKNOWN not in verdicts or Verdict.FAIL in verdicts, parts
    return {
        check: red for check, parts in seen.items() if (red := {part for part, one in parts.items() if not one.green})
    }


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Return what lies below a folder, and when it was written."""
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in root.rglob("*") if path.is_file()}


def _spoil(file: str, before: str, after: str) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        text = (root / file).read_text(encoding="utf-8")
        assert before in text
        (root / file).write_text(text.replace(before, after), encoding="utf-8")

    return spoil


def _lose_a_field(root: Path) -> None:
    _spoil(VIEW, 'data-field="agent_name"', "")(root)
    rebuild(root)


def _empty_the_page(root: Path) -> None:
    for file in (root / "storage/framework/views").glob("*.php"):
        if VIEW.encode() in file.read_bytes():
            os.truncate(file, 0)


DEFECTS: dict[str, tuple[Callable[[Path], None], dict[str, set[str]]]] = {
    "commented-out": (
        _spoil("app/Http/Kernel.php", "[\\App\\Http\\Middleware\\AutoFixViewCache::class]", "[/* AutoFixViewCache */]"),
        {"middleware": {"registered"}},
    ),
    "open-to-all": (
        lambda root: (root / "storage/framework/views").chmod(0o777),
        {"writable": {"compiled-views"}},
    ),
    "clears": (
        _spoil("scripts/deploy-with-cache-management.sh", '"$release/artisan" view:cache', "./artisan view:clear"),
        {"deployment": {"order"}},
    ),
    "lying-exit-code": (_spoil("app/Console/HealthCheck.php", "return 0;", "return 1;"), {"health": {"exit-code"}}),
    "array-store": (
        _spoil("config/cache.php", "'default' => 'redis'", "'default' => 'array'"),
        {"locks": {"store", "reachable", "eviction", "expires"}},
    ),
    "blank-page": (_empty_the_page, {}),
    "lost-field": (_lose_a_field, {"disclosure": {"field-agent_name", "fields", "tier-1"}}),
}


@pytest.mark.profile("ci")
def test_a_foreign_application_gets_truthful_verdicts_and_its_defects_are_found(mine: Environment) -> None:
    """All eight are green or do not apply; each planted defect turns its own check red; looking changes nothing."""
    root = Path(mine.root)
    before = tree(root)
    assert not_green(mine) == {}
    assert tree(root) == before
    whole = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and "storage" not in path.parts}
    for name, (spoil, red) in DEFECTS.items():
        spoil(root)
        found = not_green(mine)
        if name == "blank-page":
            assert "complete" in found["page"]
            assert "metrics" in found["health"]
        else:
            assert found == red, name
        for path, text in whole.items():
            if path.read_bytes() != text:
                path.write_bytes(text)
        (root / "storage/framework/views").chmod(0o755)
        rebuild(root)
    assert not_green(mine) == {}
