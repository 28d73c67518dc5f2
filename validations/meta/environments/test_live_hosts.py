"""Whole runs of the gate on hosts elsewhere: two real sshd on loopback, through which one gateway is looked at.

Both lead to the same machine and the same application, whose pages are asked for at one URL.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.environments.__main__ import as_toml
from fixtures.environments.settings import Budget, Environment, Objectives, Page
from fixtures.environments.stage import Stage
from fixtures.options import lack
from fixtures.processes import wait_until
from validations.meta.environments import sshd
from validations.meta.environments.sshd import Sshd

CHECKOUT = Path(__file__).resolve().parents[3]
VIEWS = 66
RUN_SECONDS = 240.0


@dataclass
class Shop:
    """A stage that is up, and where it is described."""

    folder: Path
    stage: Stage
    environment: Environment

    def described(self, hosts: list[str], **changes: object) -> Path:
        """Write environments.toml with these hosts, and return its path."""
        settings = {
            "hosts": tuple(hosts),
            "production": True,
            "objectives": Objectives(compiled_views=VIEWS),
            "budget": Budget(requests=400, seconds=100),
        }
        environment = self.environment.model_copy(update=settings | changes)
        path = self.folder / "environments.toml"
        path.write_text(as_toml("shop", environment), encoding="utf-8")
        return path

    def command(self, *arguments: str) -> list[str]:
        """Return the command of a gate on it."""
        gate = [sys.executable, "-m", "pytest", str(CHECKOUT / "validations" / "gate"), "--environment", "shop"]
        return [*gate, "--reports", str(self.folder / "reports"), *arguments]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a gate on it."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "VIEWGATE_"))}
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=ours | {"NO_COLOR": "1", "TMPDIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def gate(self, *arguments: str) -> tuple[int, str]:
        """Run a gate on it to its end: (exit code, what it said)."""
        with self.start(*arguments) as process:
            try:
                said, _ = process.communicate(timeout=RUN_SECONDS)
            finally:
                process.kill()
        return process.returncode, said

    def parts(self) -> dict[tuple[str, str, str], tuple[str, str]]:
        """Read junit.xml: (verdict, cause) by check, host and part."""
        found = {}
        for case in ET.parse(self.folder / "reports" / "junit.xml").getroot().iter("testcase"):
            told = {one.get("name"): one.get("value") or "" for one in case.iter("property")}
            if "host" in told:
                check = str(case.get("classname")).split(".")[2].lstrip("0123456789-")
                found[check, told["host"], str(case.get("name"))] = told["verdict"], told.get("cause", "")
        return found

    def verdicts(self, host: str) -> set[str]:
        """Return the verdicts of a host's parts of the eight, as far as they apply: nobody asked for a browser."""
        objectives = ("compiled-views", "coverage", "view-errors", "schedule-", "availability", "recovery", "agreement")
        return {
            verdict
            for (check, on, _), (verdict, _) in self.parts().items()
            if on == host and verdict != "not-applicable" and not check.startswith(objectives)
        }


@pytest.fixture(scope="module", name="shop")
def _shop(open_module_folder: Path) -> Iterator[Shop]:
    stage = Stage(views=VIEWS, workers=1)
    with contextlib.ExitStack() as closing:
        closing.callback(stage.down)
        environment = stage.up()
        page = environment.page.model_copy(update={"requests": 30, "timeout_seconds": 5.0})
        assert isinstance(page, Page)
        yield Shop(open_module_folder, stage, environment.model_copy(update={"page": page}))


@pytest.fixture(name="hosts")
def _hosts(pytestconfig: pytest.Config, open_folder: Path) -> Iterator[tuple[Sshd, Sshd]]:
    if reason := sshd.lacking():
        lack(pytestconfig, "ssh", reason)
    with contextlib.ExitStack() as closing:
        servers = [closing.enter_context(contextlib.closing(Sshd(open_folder / name))) for name in ("one", "two")]
        yield servers[0], servers[1]


def test_two_hosts_pass_in_one_command_each(shop: Shop, hosts: tuple[Sshd, Sshd]) -> None:
    """All eight checks take at most two SSH commands over one connection a host, and leave nothing on either side."""
    shop.described([host.url for host in hosts])
    code, said = shop.gate()
    assert code == 0, said
    for host in hosts:
        assert host.connections == 1
        assert host.commands <= 2
        assert shop.verdicts(host.host_id) == {"pass"}
        assert shop.parts()["agreement", host.host_id, "objective"][0] == "pass"
        wait_until(lambda host=host: len(host.processes()) == 1, awaited="the end of the connection", seconds=20)  # type: ignore[misc]
    assert [path.name for path in shop.folder.iterdir() if path.name.startswith("viewgate-way-")] == []


@pytest.mark.profile("ci")
def test_a_host_that_is_not_there_is_unknown_for_one_cause(shop: Shop, hosts: tuple[Sshd, Sshd]) -> None:
    """One host of two refuses connections: its own cells are unknown, told once, and the other's are judged."""
    alive, dead = hosts
    dead.close()
    shop.described([host.url for host in hosts])
    code, said = shop.gate()
    assert code == 6, said
    assert shop.verdicts(alive.host_id) == {"pass"}
    causes = {cause for (_, host, _), (_, cause) in shop.parts().items() if host == dead.host_id and cause}
    assert len(causes) == 1
    assert "refused" in causes.pop()
    # What is asked for over HTTP is seen all the same.
    assert shop.parts()["page", dead.host_id, "complete"][0] == "pass"
    assert said.count("UNKNOWN because ssh://") == 1


def test_a_host_that_is_down_is_one_failure(shop: Shop, hosts: tuple[Sshd, Sshd]) -> None:
    """Where neither the host nor its page answers, the page fails and all else of it is unknown because of that."""
    dead = hosts[0]
    dead.close()
    shop.described([dead.url], url="http://127.0.0.1:1")
    code, said = shop.gate()
    assert code == 1, said
    parts = shop.parts()
    assert {check for (check, _, _), (verdict, _) in parts.items() if verdict == "fail"} == {"page"}
    unknown = [cause for verdict, cause in parts.values() if verdict == "unknown"]
    assert len(set(unknown)) == 1
    assert f"{dead.host_id} is down" in unknown[0]


@pytest.mark.profile("ci")
def test_a_host_that_is_stopped_in_the_middle_ends_within_its_budget(shop: Shop, hosts: tuple[Sshd, Sshd]) -> None:
    """One host of two gets SIGSTOP while it is being looked at: the run ends in time, and tells the truth of both."""
    alive, stopped = hosts
    seconds = 25
    shop.described([host.url for host in hosts], budget=Budget(requests=400, seconds=seconds))
    process = shop.start()
    wait_until(lambda: stopped.commands > 0, awaited="the probe on the second host", seconds=60)
    stopped.stop()
    started = time.monotonic()
    said, _ = process.communicate(timeout=RUN_SECONDS)
    assert time.monotonic() - started < 2 * seconds
    assert process.returncode == 6, said
    assert shop.verdicts(alive.host_id) == {"pass"}
    causes = {cause for (_, host, _), (_, cause) in shop.parts().items() if host == stopped.host_id and cause}
    assert len(causes) == 1
    assert "said nothing within" in causes.pop()


@contextlib.contextmanager
def _not_executable(shop: Shop) -> Iterator[Path]:
    """Take the execute bits from the deployment script, and give them back."""
    script = Path(shop.environment.root).resolve() / "scripts" / "deploy-with-cache-management.sh"
    mode = script.stat().st_mode
    script.chmod(0o644)
    try:
        yield script
    finally:
        script.chmod(mode)


@pytest.mark.profile("ci")
def test_a_waived_defect_is_shown_and_does_not_count(shop: Shop) -> None:
    """With a waiver the gate passes over a known defect, names it, and shows it as waived; a typing error fails it."""
    shop.described(["local"])
    waiver = {
        "environment": "shop",
        "check": "deployment",
        "host": "shop",
        "reason": "known",
        "link": "https://a.test/1",
    }
    file = shop.folder / "waivers.toml"
    lines = [f'{name} = "{value}"' for name, value in waiver.items()]
    file.write_text("\n".join(["[[waivers]]", *lines, "expires = 2999-12-31"]), encoding="utf-8")
    with _not_executable(shop):
        code, said = shop.gate("--waivers", str(file))
        assert code == 0, said
        assert "waived: 3 deployment" in said
        assert shop.parts()["deployment", "shop", "executable"][0] == "waived"
        file.write_text(file.read_text(encoding="utf-8").replace('"deployment"', '"deploymint"'), encoding="utf-8")
        code, said = shop.gate("--waivers", str(file))
    assert code == 1, said
    assert "the waiver of deploymint on shop matches nothing that is planned" in said


@pytest.mark.profile("ci")
def test_what_is_mended_while_it_waits_is_confirmed(shop: Shop) -> None:
    """A defect that goes away during `--wait` is green at the end, with every look recorded as an attempt."""
    shop.described(["local"], budget=Budget(requests=5000, seconds=100))
    events = shop.folder / "reports" / "events.jsonl"
    events.unlink(missing_ok=True)
    with _not_executable(shop) as script:
        process = shop.start("--wait", "90")
        wait_until(
            lambda: events.exists() and '"writable"' in "".join(_outcomes(events)),
            awaited="the check before it",
            seconds=120,
        )
        script.chmod(0o755)
        said, _ = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 0, said
    seen = [json.loads(line)["outcome"] for line in _outcomes(events)]
    looks = [
        (one["finding"]["verdict"], one["superseded"])
        for one in seen
        if (one["check"], one["part"]) == ("deployment", "executable")
    ]
    assert looks[0] == ("fail", True)
    assert looks[-2:] == [("pass", True), ("pass", False)]


def _outcomes(events: Path) -> list[str]:
    return [line for line in events.read_text(encoding="utf-8").splitlines() if '"event": "part"' in line]


def test_what_disturbs_is_refused_elsewhere(shop: Shop) -> None:
    """`--intrusive` on a host that is not this machine is refused before anything is asked."""
    shop.described(["ssh://web-1"], production=False)
    code, said = shop.gate("--intrusive")
    assert code == 4, said
    assert "--intrusive is refused: it disturbs this machine alone, and 'shop' has ssh://web-1" in said
