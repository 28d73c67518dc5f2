"""The webhook answers 2xx only when green, has one gate run at a time, and tells nothing that was observed."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fixtures.processes import end, free_port, wait_until
from reports.events import SCHEMA
from reports.integrations.webhook import TOKEN, Flights, Result, application
from reports.records import EVENTS
from validations.meta.reports.integrations.kept import CHECKOUT, RUN_SECONDS, Kept
from validations.meta.reports.samples import outcome, plan, planned

DEADLINE = 60.0
HOST = "10.0.0.7"
PARTS = (planned(f"middleware/{HOST}/booted"), planned(f"writable/{HOST}/views", number=2))
OLDER = "20261125T000000Z-abc123"


def log(code: int) -> str:
    """Return the event log of a run whose id is @RUN@ and that ended with a code: where that is 0, all has passed."""
    came = [outcome(f"middleware/{HOST}/booted", reason="canary-observed")]
    if code == 0:
        came.append(outcome(f"writable/{HOST}/views"))
    head = {"schema": SCHEMA, "at": "2026-11-25T00:00:00+00:00"}
    events: list[dict[str, object]] = [{"event": "run-started", "run": "@RUN@", "plan": plan(*PARTS).to_json()}]
    events += [{"event": "part", "outcome": one.to_json()} for one in came]
    events += [{"event": "run-ended", "trouble": "", "exit": code, "others_failed": False}]
    return "".join(f"{json.dumps({**head, **event})}\n" for event in events)


def script(
    folder: Path, *, code: int = 0, waits: bool = False, told: str | None = None, into: str = "", named: str = ""
) -> list[str]:
    """Return the command of a run that notes its begin, waits to be let go where it should, and ends with a code.

    told: the event log that it leaves; default: that of its code. into: the folder below `folder`; default: its id.
    named: the id in its log; default: its own.
    """
    gate = folder / "gate"
    if waits and not gate.exists():
        os.mkfifo(gate)
    text = f"""
import pathlib, sys
run = sys.argv[sys.argv.index("--run-id") + 1]
with open({str(folder / "begun")!r}, "a") as notes: notes.write("begun\\n")
{f"open({str(gate)!r}).read()" if waits else ""}
print("canary-observed 10.0.0.7 password=hunter2")
told = {log(code) if told is None else told!r}
if told:
    own = pathlib.Path({str(folder)!r}, {into!r} or run)
    own.mkdir(exist_ok=True)
    (own / {EVENTS!r}).write_text(told.replace("@RUN@", {named!r} or run))
sys.exit({code})
"""
    return [sys.executable, "-c", text]


def begun(folder: Path) -> int:
    """Count the runs that have begun."""
    notes = folder / "begun"
    return notes.read_text(encoding="utf-8").count("\n") if notes.exists() else 0


async def let_go(folder: Path) -> None:
    """Let the run that waits go on."""
    await asyncio.to_thread((folder / "gate").write_text, "go", encoding="utf-8")


async def until_begun(folder: Path, number: int) -> None:
    """Wait until so many runs have begun."""
    await asyncio.to_thread(wait_until, lambda: begun(folder) == number, awaited=f"run {number}", seconds=DEADLINE)


def test_one_run_at_a_time_and_none_that_began_before_one_asked(tmp_path: Path) -> None:
    """Ten that ask during a run share one run that begins after it; none gets the run that he did not ask for."""

    async def ask() -> None:
        flights = Flights(script(tmp_path, waits=True), reports=tmp_path)
        first = asyncio.create_task(flights.result())
        await until_begun(tmp_path, 1)
        others = [asyncio.create_task(flights.result()) for _ in range(10)]
        others[0].cancel()  # who hangs up takes nobody else's result away
        await let_go(tmp_path)
        await first
        await until_begun(tmp_path, 2)
        assert not any(other.done() for other in others[1:])
        await let_go(tmp_path)
        results = await asyncio.gather(*others[1:])
        assert len({id(result) for result in results}) == 1
        assert begun(tmp_path) == 2

    asyncio.run(asyncio.wait_for(ask(), DEADLINE))


@pytest.mark.parametrize(
    ("code", "verdict", "status"),
    [
        pytest.param(0, "passed", 200, id="green"),
        pytest.param(1, "failed", 503, id="red"),
        pytest.param(6, "inconclusive", 503, id="inconclusive"),
        pytest.param(4, "could-not-run", 503, id="usage"),
        pytest.param(-9, "could-not-run", 503, id="killed"),
    ],
)
def test_only_green_is_2xx(tmp_path: Path, code: int, verdict: str, status: int) -> None:
    """`/gate` answers 200 for exit code 0 alone, `/verdict` always; neither repeats what was observed."""
    command = script(tmp_path, code=code)
    if code < 0:
        command = [sys.executable, "-c", f"import os; os.kill(os.getpid(), {-code})"]
    app = application(Flights(command, reports=tmp_path))

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gate") as client:
            for path, expected in (("/gate", status), ("/verdict", 200)):
                answer = await client.post(path, json={"name": "gateway", "phase": "Progressing"}, timeout=DEADLINE)
                assert answer.status_code == expected
                told = answer.json()
                assert set(told) == set(Result.__dataclass_fields__)
                assert told["verdict"] == verdict
                if code >= 0:
                    assert told["checks"] == ([] if code == 0 else ["2-writable"])
                assert not any(word in answer.text for word in ("canary", "10.0.0.7", "hunter2"))

    asyncio.run(asyncio.wait_for(ask(), DEADLINE))


@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"told": ""}, id="none"),
        pytest.param({"into": OLDER, "named": OLDER}, id="of-an-older-run"),
        pytest.param({"named": OLDER}, id="of-another-id"),
        pytest.param({"told": log(1)}, id="of-another-code"),
        pytest.param({"told": log(1).replace('"exit": 1', '"exit": 0')}, id="of-a-part-missing"),
        pytest.param({"told": log(0).rsplit("\n", 2)[0] + "\n"}, id="without-end"),
        pytest.param({"told": log(0)[:-1]}, id="torn"),
    ],
)
def test_a_green_end_without_a_report_of_its_own_is_no_green(tmp_path: Path, left: dict[str, str]) -> None:
    """Exit code 0 counts only with the whole report of that very run; an older one beside it counts for nothing."""
    older = tmp_path / OLDER
    older.mkdir()
    (older / EVENTS).write_text(log(0).replace("@RUN@", OLDER), encoding="utf-8")
    (tmp_path / EVENTS).write_text(log(0).replace("@RUN@", OLDER), encoding="utf-8")
    command = script(tmp_path, told=left.get("told"), into=left.get("into", ""), named=left.get("named", ""))
    flights = Flights(command, reports=tmp_path)
    result = asyncio.run(asyncio.wait_for(flights.result(), DEADLINE))
    assert (result.verdict, result.exit, result.checks) == ("could-not-run", None, ())
    assert result.run != OLDER


def test_a_run_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """A run beyond the deadline is ended, and the answer is that it could not run."""
    flights = Flights(script(tmp_path, waits=True), reports=tmp_path, deadline_seconds=0.5)
    result = asyncio.run(asyncio.wait_for(flights.result(), DEADLINE))
    assert (result.verdict, result.exit) == ("could-not-run", None)


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    """With a token configured nobody without it makes the gate run."""
    app = application(Flights(script(tmp_path), reports=tmp_path), token="canary-token")  # noqa: S106

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gate") as client:
            assert (await client.get("/gate")).status_code == 401
            assert (await client.get("/gate", headers={"Authorization": "Bearer other"})).status_code == 401
            assert begun(tmp_path) == 0
            told = await client.get("/gate", headers={"Authorization": "Bearer canary-token"}, timeout=DEADLINE)
            assert told.status_code == 200

    asyncio.run(asyncio.wait_for(ask(), DEADLINE))


@contextmanager
def endpoint(kept: Kept) -> Iterator[str]:
    """Serve the endpoint as its users start it."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "reports.integrations.webhook", "--environment", kept.name),
            *("--environments", str(kept.file), "--port", str(port)),
        ],
        cwd=CHECKOUT,
        env={**os.environ, TOKEN: ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"

        def up() -> bool:
            try:
                return httpx.get(f"{url}/up").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(up, awaited="the endpoint", seconds=DEADLINE)
        yield url
    finally:
        end(process, seconds=30)


@pytest.mark.profile("ci")
def test_a_rollout_asks_a_real_gate(kept: Kept) -> None:
    """Over real HTTP: 200 for a whole stage, 503 that names the check for a broken one, 200 again once it is mended."""
    payload = {"name": "gateway", "namespace": "web", "phase": "Progressing", "metadata": {}}
    with endpoint(kept) as url:
        answer = httpx.post(f"{url}/gate", json=payload, timeout=RUN_SECONDS)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "passed"), answer.text
        with kept.broken():
            answer = httpx.post(f"{url}/gate", json=payload, timeout=RUN_SECONDS)
            assert (answer.status_code, answer.json()["checks"]) == (503, ["6-filament"]), answer.text
        told = json.loads(httpx.get(f"{url}/verdict", timeout=RUN_SECONDS).content)
        assert told["verdict"] == "passed"
