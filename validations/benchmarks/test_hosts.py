"""A host's facts over ssh: one streamed probe against the same facts asked for by others, over the same sshd.

The others are written as their users write them: in testinfra and serverspec a resource and a matcher for each thing
that is to be known of a file, a command for each command; in shell one script that is streamed at once. testinfra
shares one connection (ControlPersist), as ours does; serverspec keeps one open.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.environments.live import LiveHost
from fixtures.environments.settings import Deployment, Environment
from fixtures.environments.stage import Stage
from fixtures.options import lack
from validations.benchmarks.conftest import Ratios, rate
from validations.meta.environments import sshd
from validations.meta.environments.sshd import Sshd

VIEWS = 66
LEAST = 5
NO_LEAST = 0
RUN_SECONDS = 500


@dataclass(frozen=True)
class Known:
    """What is asked for: directories, files of which size and hash are wanted, and commands."""

    folders: list[str]
    files: list[str]
    commands: list[list[str]]


@pytest.fixture(scope="module", name="server")
def _server(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if reason := sshd.lacking():
        lack(pytestconfig, "ssh", reason)
    # Not ed25519: serverspec's ssh library may not know it.
    server = Sshd(tmp_path_factory.mktemp("hosts") / "sshd", keys="rsa")
    with contextlib.closing(server):
        yield server


@pytest.fixture(scope="module", name="environment")
def _environment(server: Sshd) -> Iterator[Environment]:
    stage = Stage(views=VIEWS, workers=1)
    with contextlib.ExitStack() as closing:
        closing.callback(stage.down)
        yield stage.up().model_copy(update={"hosts": (server.url,), "deployment": Deployment()})


@pytest.fixture(scope="module", name="known")
def _known(environment: Environment) -> Known:
    root = Path(environment.root).resolve()
    generation = (root / "storage" / "framework" / "views" / "current").resolve()
    manifest = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))["views"]
    caches = sorted((root / "bootstrap" / "cache").rglob("*.json"))
    script = root / environment.deployment.path
    redis_url = Path((environment.redis_url or "").removeprefix("file:")).read_text(encoding="utf-8")
    console = str(root / "artisan")
    return Known(
        folders=[
            str(root / path)
            for path in (
                "storage/framework/views",
                "bootstrap/cache",
                "bootstrap/cache/filament/panels",
                "storage/logs",
            )
        ],
        files=[
            *(str(generation / f"{entry['key']}.view") for entry in manifest.values()),
            *(str(root / "resources" / "views" / name) for name in manifest),
            *(str(path) for path in [*caches, generation / "manifest.json", script]),
        ],
        commands=[
            [console, "about", "--json"],
            [console, "list", "--format=json"],
            [console, "view:health-check", "--json", "--no-log"],
            ["bash", "-n", str(script)],
            ["tail", "-c", "4194304", str(root / "storage" / "logs" / "laravel.log")],
            ["redis-cli", "--no-auth-warning", "-u", redis_url, "INFO"],
            ["curl", "-fsS", f"{environment.url}/login"],
        ],
    )


def ours(environment: Environment, server: Sshd) -> None:
    """Look at the host as the gate does, connecting anew."""
    host = LiveHost("web-1", server.url, environment)
    with contextlib.closing(host):
        facts = host.facts()
        assert facts.seen("compiled").intact == VIEWS, facts.unobserved
        assert facts.seen("health").exit_code == 0
        assert host.lock_store().policy == "noeviction"
    assert httpx.get(f"{environment.url}/login").status_code == 200


def test_against_testinfra(environment: Environment, server: Sshd, known: Known, ratios: Ratios) -> None:
    """One probe is at least five times as fast as the same facts in plain testinfra."""
    testinfra = pytest.importorskip("testinfra", reason="uv sync --group benchmarks")

    def plain() -> None:
        control = server.folder / "plain"
        host: Any = testinfra.get_host(
            f"ssh://{getpass.getuser()}@127.0.0.1:{server.port}?ssh_config={server.client}", controlpath=str(control)
        )
        for folder in known.folders:
            seen = host.file(folder)
            assert seen.is_directory
            assert seen.user
            assert seen.mode
            assert host.run("runuser -u %s -- test -w %s", environment.runtime_user or "", folder).rc == 0
        for file in known.files:
            seen = host.file(file)
            assert seen.exists
            assert seen.size > 0
            assert len(seen.sha256sum) == 64
        for command in known.commands:
            assert host.run(" ".join(["%s"] * len(command)), *command).rc == 0
        subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={control}", "any"], capture_output=True, check=True)

    ratios.compare(
        f"hosts a minute over ssh, {VIEWS} views, against plain testinfra",
        lambda: rate(lambda: ours(environment, server), 60),
        lambda: rate(plain, 60),
        turns=1,
        least=LEAST,
    )


SPEC = """
require 'json'
require 'serverspec'
require 'net/ssh'
set :backend, :ssh
set :host, '127.0.0.1'
set :disable_sudo, true
set :ssh_options, user: %(user)s, port: %(port)d, keys: [%(key)s], keys_only: true, config: false,
    user_known_hosts_file: %(known)s, verify_host_key: :always
JSON.parse(File.read(%(facts)s)).each do |kind, each|
  each.each do |name|
    if kind == 'folders'
      describe file(name) do
        it { should be_directory }
        its(:owner) { should_not eq nil }
        its(:mode) { should_not eq nil }
      end
      describe command("runuser -u #{%(runtime)s} -- test -w #{name}") do
        its(:exit_status) { should eq 0 }
      end
    elsif kind == 'files'
      describe file(name) do
        it { should exist }
        its(:size) { should > 0 }
        its(:sha256sum) { should match(/^[0-9a-f]{64}/) }
      end
    else
      describe command(name) do
        its(:exit_status) { should eq 0 }
      end
    end
  end
end
"""


def test_against_serverspec(
    environment: Environment, server: Sshd, known: Known, ratios: Ratios, tmp_path: Path
) -> None:
    """One probe is at least five times as fast as the same facts in serverspec."""
    rspec = shutil.which("rspec")
    if rspec is None:
        pytest.skip("rspec is not installed: apt-get install ruby-serverspec")
    facts = tmp_path / "facts.json"
    commands = [shlex.join(command) for command in known.commands]
    facts.write_text(json.dumps({"folders": known.folders, "files": known.files, "commands": commands}))
    spec = tmp_path / "host_spec.rb"
    words: dict[str, Any] = {
        "user": json.dumps(getpass.getuser()),
        "port": server.port,
        "key": json.dumps(str(server.folder / "user")),
        "known": json.dumps(str(server.folder / "known")),
        "facts": json.dumps(str(facts)),
        "runtime": json.dumps(environment.runtime_user),
    }
    spec.write_text(SPEC % words)

    def plain() -> None:
        done = subprocess.run([rspec, str(spec)], capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        assert f"{4 * len(known.folders) + 3 * len(known.files) + len(known.commands)} examples" in done.stdout

    ratios.compare(
        f"hosts a minute over ssh, {VIEWS} views, against serverspec",
        lambda: rate(lambda: ours(environment, server), 60),
        lambda: rate(plain, 60),
        turns=1,
        least=LEAST,
    )


SCRIPT = """
set -eu
for folder in {folders}; do
  [ -d "$folder" ]
  stat -c '%U %a' "$folder"
  runuser -u {runtime} -- test -w "$folder"
done
for file in {files}; do
  [ -s "$file" ]
  stat -c '%s' "$file"
  sha256sum "$file"
done
{commands}
echo all was seen
"""


def test_against_shell(environment: Environment, server: Sshd, known: Known, ratios: Ratios) -> None:
    """The same facts in a script of shell and curl, which judges nothing: no ratio is promised, it is told."""
    script = SCRIPT.format(
        folders=shlex.join(known.folders),
        files=shlex.join(known.files),
        runtime=shlex.quote(environment.runtime_user or ""),
        commands="\n".join(shlex.join(command) for command in known.commands),
    )

    def plain() -> None:
        done = subprocess.run(
            ["ssh", "-F", str(server.client), "-p", str(server.port), "127.0.0.1", "bash", "-s"],
            input=script,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.stdout.endswith("all was seen\n"), done.stdout[-3000:] + done.stderr[-2000:]

    ratios.compare(
        f"hosts a minute over ssh, {VIEWS} views, against a shell script that judges nothing",
        lambda: rate(lambda: ours(environment, server), 60),
        lambda: rate(plain, 60),
        turns=5,
        least=NO_LEAST,
    )
