"""Both stages, driven alike: the same operations, the same evidence to the gate, the same answers to visitors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from fixtures.environments.base import Host
from fixtures.environments.live import IntrusiveHost, open_hosts
from reports.records import Verdict
from validations.driver import findings
from validations.expectations import METRICS
from validations.gate import test_8_disclosure as disclosure
from validations.registry import EIGHT
from validations.stages.gateway.served import SECONDS, Served, serving

# A second stage and minutes: the gate's own run does without.
pytestmark = pytest.mark.profile("ci")
PAGES = ("/", "/login", "/admin/admin/resources/calls/list", "/admin/agent/pages/desk", "/nowhere", "/calls/x/enhanced")
COMMANDS = (
    "view:cache",
    "view:clear",
    "view:health-check",
    "filament:optimize",
    "optimize",
    "optimize:clear",
    "schedule:list",
    "schedule:run",
)
# Each in turn; after each, both are looked at.
OPERATIONS: tuple[tuple[str, ...], ...] = (
    ("view:cache",),
    ("view:clear",),
    ("filament:optimize",),
    ("view:health-check", "--fix"),
    ("optimize",),
    ("optimize:clear",),
    ("view:cache",),
)


@pytest.fixture(scope="module", name="both")
def _both(served: Served) -> Iterator[tuple[Served, Served]]:
    assert served.artisan("view:cache").returncode == 0
    with serving(served.stage.views) as gateway:
        yield gateway, served


def opened(served: Served) -> IntrusiveHost:
    """Open a stage as a run of the gate does, with nothing remembered."""
    (host,) = open_hosts(served.stage.kind, served.environment, intrusive=True)
    assert isinstance(host, IntrusiveHost)
    return host


def answers(served: Served) -> dict[str, tuple[object, ...]]:
    """Return what visitors get: status, where to, the middleware's mark, the whole of a page, by who asks for what."""
    seen: dict[str, tuple[object, ...]] = {}
    for visitor, headers in (("operator", served.headers), ("guest", {})):
        with httpx.Client(base_url=served.environment.url, headers=headers, timeout=SECONDS) as client:
            for path in (*PAGES, served.environment.page.path):
                answer = client.get(path)
                seen[f"{visitor} {path}"] = (
                    answer.status_code,
                    urlsplit(answer.headers.get("location", "")).path,
                    answer.headers["x-auto-fix-view-cache"],
                    answer.headers["x-release"] == served.release,
                    answer.text.rstrip().endswith("</html>") or answer.is_redirect,
                    f'data-auth="{visitor}"' in answer.text or answer.is_redirect,
                )
    return seen


def rows(served: Served) -> list[tuple[object, ...]]:
    """Return what the enhanced call view shows, as validation 8 reads it: each field's place and words."""
    evidence = disclosure.read(served.page().text)
    return [(row.path, row.tier, row.around, " ".join(row.text.split()), row.hidden) for row in evidence.rows]


def test_the_same_operations_give_the_same_answers(both: tuple[Served, Served]) -> None:
    """After each console command both end with 0, and every visitor of either gets the same from both."""
    for operation in OPERATIONS:
        assert [served.artisan(*operation).returncode for served in both] == [0, 0], operation
        gateway, laravel = both
        assert answers(gateway) == answers(laravel), operation
        assert rows(gateway) == rows(laravel)
        assert len(rows(laravel)) == 112


def test_the_gates_eyes_see_the_same(both: tuple[Served, Served]) -> None:
    """Every part of the eight is observed on both and passes on both; what they tell of themselves agrees."""
    for served in both:
        assert served.artisan("view:cache").returncode == 0
        assert served.artisan("filament:optimize").returncode == 0
    hosts = [opened(served) for served in both]
    verdicts = [_verdicts(host) for host in hosts]
    assert verdicts[0] == verdicts[1]
    # No browser was opened; what only one can tell is left to the gate's own runs.
    left = {part for part, verdict in verdicts[0].items() if verdict is Verdict.NOT_APPLICABLE}
    assert all(part.startswith("disclosure/") for part in left), left
    assert {verdict for part, verdict in verdicts[0].items() if part not in left} == {Verdict.PASS}
    gateway, laravel = (_told(host) for host in hosts)
    assert gateway == laravel


def _verdicts(host: Host) -> dict[str, Verdict]:
    """Judge every part of the eight."""
    return {f"{check.id}/{part}": one.verdict for check in EIGHT for part, one in findings(check, host).items()}


def _told(host: IntrusiveHost) -> dict[str, object]:
    """Return what both have to tell alike, whatever is particular to either taken out."""
    facts, repair, rebuilds = host.facts(), host.repair(), host.rebuilds()
    assert rebuilds.robbed is not None, rebuilds.alone
    health = facts.seen("health")
    commands = {command.name: set(command.options) for command in facts.seen("commands")}
    return {
        "application": (facts.seen("application").name, facts.seen("application").environment),
        "panels": sorted(facts.seen("caches").panels),
        "caches": sorted(file.role for file in facts.seen("caches").files),
        "rooms": sorted((room.role, room.kind, room.owner, room.write_error) for room in facts.seen("directories")),
        "schedule": sorted(
            (entry.expression, *re.findall(r"view:[\w-]+|--fix", entry.command))
            for entry in facts.seen("schedule").entries
        ),
        "commands": [name in commands for name in COMMANDS],
        "health": (
            health.exit_code,
            sorted(health.answer["metrics"]),
            [check["name"] for check in health.answer["checks"]],
            sorted(health.answer["checks"][0]),
            sorted(health.answer["metrics"]) == sorted(METRICS),
        ),
        "plan": [re.findall(r"step \d+ ([a-z-]+):", line) for line in facts.seen("script").dry_run_lines],
        "repair": (repair.answer.status, repair.answer.complete, repair.answer.auto_fix, repair.state_after),
        "rebuilds": (
            rebuilds.alone.exit_code,
            len(rebuilds.alone.owners),
            all(0 < ttl <= 60_000 for ttl in rebuilds.alone.ttls_ms),
            rebuilds.alone.value_after,
            rebuilds.robbed.exit_code != 0,
            rebuilds.robbed.value_after == rebuilds.intruder,
        ),
    }


def test_a_deployment_and_a_red_gate_end_alike(both: tuple[Served, Served]) -> None:
    """A deployment serves the new release, a red gate the one before, on either; every step is said alike."""
    said = []
    for served in both:
        before = served.release
        script = served.root / served.environment.deployment.path
        done = served.run(script)
        assert done.returncode == 0, done.stderr
        new = served.release
        assert new > before
        red = served.run(served.root / served.environment.deployment.path, "--gate", "exit 1")
        assert red.returncode != 0
        assert served.release == new == served.page().headers["x-release"]
        steps = [re.findall(r"step \d+ ([a-z-]+):", line) for line in (done.stdout + red.stdout).splitlines()]
        said.append([step[0] for step in steps if step])
    assert said[0] == said[1]
