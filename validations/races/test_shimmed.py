"""The gateway's workers as real processes under the shim: seen from outside they do what the in-process tier says."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.concurrency.explorer import Explorer
from fixtures.concurrency.gateway import GatewaySystem
from fixtures.concurrency.mutants import mutant
from fixtures.concurrency.php import shim
from fixtures.concurrency.php.programs import launch
from fixtures.concurrency.schedules import Schedule
from fixtures.concurrency.shimmed import ShimmedSystem
from fixtures.concurrency.systems import OPERATIONS, Outcome, Scenario
from fixtures.profiles import Profile
from validations.races.invariants import broken_in
from validations.races.portfolio import CASES
from validations.races.telling import insist, tell

DEADLINE_SECONDS = 30.0
SCENARIOS = {case.scenario.name: case.scenario for case in CASES}
ALIKE = (
    *("render-against-clear", "two-cold-renders", "render-against-rebuild"),
    *("visit-against-deployment", "render-against-emergency-fix"),
)
"""Left out: an edited source, whose ctime is the kernel's own, and waits, whose microseconds name temporary files."""

QUICK = ("render-against-clear", "two-cold-renders", "render-against-rebuild")
LONGER = ("render-against-edit", "visit-against-deployment", "two-rebuilds", "render-against-emergency-fix")


@pytest.fixture(scope="module", name="inside")
def _inside(world: Callable[[], Path], redis_url: str) -> Iterator[GatewaySystem]:
    system = GatewaySystem(world(), redis_url)
    yield system
    system.close()


@pytest.fixture(scope="module", name="outside")
def _outside(shim_here: None, world: Callable[[], Path], redis_url: str) -> Iterator[ShimmedSystem]:  # noqa: ARG001
    system = ShimmedSystem(world(), redis_url)
    yield system
    system.close()


def steps(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """Give a run's steps as both tiers name them."""
    return [(step.actor, step.op, step.resource.rstrip("/"), step.outcome) for step in outcome.run.steps]


def outcomes(outcome: Outcome) -> list[tuple[str, str, str, str, object]]:
    """Give what came of each operation, in order; what only a port can note is left aside."""
    return [
        (done.actor, done.op, done.subject, done.outcome, done.value)
        for done in outcome.history.operations(*OPERATIONS)
        if not done.actor.endswith(", later")
    ]


def alike(scenario: Scenario, schedules: list[Schedule], inside: GatewaySystem, outside: ShimmedSystem) -> None:
    """Run the same schedules in both tiers, and compare step by step, and what came of each operation."""
    seen = []
    for system in (inside, outside):
        with Explorer(system, broken_in) as explorer:
            seen.append([explorer.once(scenario, schedule)[0] for schedule in schedules])
    for schedule, one, other in zip(schedules, *seen, strict=True):
        assert steps(one) == steps(other), schedule
        assert outcomes(one) == outcomes(other) != [], schedule
        assert len(one.run.steps) > 8


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in ALIKE])
def test_the_ports_announce_what_the_shim_sees(name: str, inside: GatewaySystem, outside: ShimmedSystem) -> None:
    """Every system call and every command that the in-process tier announces is made, in that order, and no other."""
    alike(SCENARIOS[name], [(), ((0, 1),), ((3, 1),), ((0, 1), (5, 0))], inside, outside)


@pytest.mark.parametrize(
    "name",
    [
        *(pytest.param(name, id=name) for name in QUICK),
        *(pytest.param(name, id=name, marks=pytest.mark.profile("ci")) for name in LONGER),
    ],
)
def test_no_schedule_of_real_processes_breaks_a_promise(
    name: str, outside: ShimmedSystem, inside: GatewaySystem, profile: Profile, request: pytest.FixtureRequest
) -> None:
    """As many schedules as in the in-process tier, and no promise broken in any."""
    bound = profile.choose(gate=1, ci=1, soak=2)
    with Explorer(outside, broken_in) as explorer:
        exploration = explorer.exhaust(SCENARIOS[name], bound)
    tell(request, [exploration], system="gateway's processes, seen by shim")
    insist(exploration, request)
    with Explorer(inside, broken_in) as explorer:
        assert exploration.schedules == explorer.exhaust(SCENARIOS[name], bound).schedules


IMPATIENT = """
import os, select, socket, sys
os.access("/viewgate:alone/1700000000000000000/1", os.F_OK)
store = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
store.sendall(b"*1\\r\\n$4\\r\\nPING\\r\\n")
waiting = select.poll()
waiting.register(store, select.POLLIN)
store.sendall(b"answered" if waiting.poll(1) else b"given up")
"""
PING = b"*1\r\n$4\r\nPING\r\n"
LATE_SECONDS = 0.1


@pytest.mark.parametrize("known", [pytest.param(True, id="the-store"), pytest.param(False, id="another-server")])
def test_a_late_answer_of_the_store_is_no_step(shim_here: None, known: bool) -> None:  # noqa: ARG001, FBT001
    """A client's deadline in real time ends any wait but that for the store, which a busy machine may make late."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE_SECONDS)
        port = server.getsockname()[1]
        client = launch(
            lambda _: [sys.executable, "-S", "-c", IMPATIENT, str(port)],
            os.environ,
            watch=(),
            shim=shim.library(),
            redis=f"127.0.0.1:{port if known else 1}",
        )
        try:
            answering, _ = server.accept()
            with answering:
                answering.settimeout(DEADLINE_SECONDS)
                assert answering.recv(len(PING)) == PING
                if known:
                    time.sleep(LATE_SECONDS)  # not to wait for anything: this is the lateness
                    answering.sendall(b"+PONG\r\n")
                assert answering.recv(99) == (b"answered" if known else b"given up")
        finally:
            client.end()


def test_a_planted_race_is_seen_from_outside(
    shim_here: None,  # noqa: ARG001 - skips
    world: Callable[[], Path],
    redis_url: str,
    request: pytest.FixtureRequest,
) -> None:
    """A gateway that writes in place shows a torn view under the shim, too, and by the same promise."""
    seeded = mutant("put-in-place")
    system = ShimmedSystem(world(), redis_url, seeded=seeded.name)
    try:
        with Explorer(system, broken_in, variant=seeded.name) as explorer:
            exploration = explorer.exhaust(SCENARIOS[seeded.scenario], 2, until={seeded.breaks})
    finally:
        system.close()
    tell(request, [exploration], system="gateway's processes, seen by shim", scenario=f"{seeded.name}, planted")
    assert exploration.failure is not None, f"{exploration.schedules} schedules, and {seeded.breaks} held"
