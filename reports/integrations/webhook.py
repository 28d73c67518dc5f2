"""The gate as an HTTP endpoint, for rollouts that ask before they go on: Flagger's webhooks, Argo Rollouts' web metric.

    python -m reports.integrations.webhook --environment production --port 9321

`/gate` answers 200 only if the gate is green, 503 if it is red, inconclusive or could not run. `/verdict` answers 200
with the same document, for those who read it. `/up` says that the endpoint itself is there. At most one gate runs at a
time, and nobody gets a result of a run that had begun before he asked: whoever asks meanwhile shares the next one.

Green is a run that left a report of its own which says so (see `gate`); what another run has left says nothing.

The document names verdict, exit code, run and the checks that are not green, and nothing that was observed: Flagger
copies the body of a refusal into the cluster's events, where everybody reads it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import hmac
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reports.console import Console
from reports.integrations.gate import CHECKOUT, COMMAND, COULD_NOT_RUN, RUNS, VERDICTS, NoReportError, accepted
from reports.run import Run, new_id

TOKEN = "VIEWGATE_WEBHOOK_TOKEN"  # noqa: S105 - the name of the variable that holds it
DEADLINE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run, in words that anybody may read.

    exit: None where it did not end by itself, or ended with 0 without a report that bears it out. run: its id. checks:
    those that are not green. began: ISO 8601, UTC. seconds: how long it took.
    """

    verdict: str
    exit: int | None
    run: str
    checks: tuple[str, ...]
    began: str
    seconds: float


class Flights:
    """Runs the gate, one run at a time; whoever asks during a run shares the next one.

    command: of a run, which takes the option `--run-id`. reports: the folder in which runs leave theirs.
    """

    def __init__(self, command: Sequence[str], *, reports: Path, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._command = list(command)
        self._reports = reports
        self._deadline_seconds = deadline_seconds
        self._running: asyncio.Task[Result] | None = None
        self._next: asyncio.Task[Result] | None = None

    async def result(self) -> Result:
        """Return the result of a run that began after this call."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        # Somebody who hangs up does not end the run that others wait for.
        return await asyncio.shield(self._next)

    async def end(self) -> None:
        """End what runs."""
        for task in (self._next, self._running):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _after(self, running: asyncio.Task[Result] | None) -> Result:
        if running is not None:
            await asyncio.wait({running})
        self._running, self._next = self._next, None
        return await self._run()

    async def _run(self) -> Result:
        began = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        clock = asyncio.get_running_loop().time
        started = clock()
        run = new_id()
        code: int | None = None
        process = await asyncio.create_subprocess_exec(
            *self._command,
            "--run-id",
            run,
            cwd=CHECKOUT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=1 << 20,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self._deadline_seconds):
                async for line in process.stdout:
                    sys.stderr.write(line.decode(errors="replace"))
                code = await process.wait()
        except TimeoutError:
            sys.stderr.write(f"viewgate: a run did not end within {self._deadline_seconds:g} s and was ended\n")
        finally:
            await _end(process)
        seconds = round(clock() - started, 1)
        try:
            told = accepted(self._reports / run, run, code)
        except NoReportError as reason:
            sys.stderr.write(f"viewgate: {reason}\n")
            return Result(COULD_NOT_RUN, code or None, run, (), began, seconds)
        verdict = COULD_NOT_RUN if code is None else VERDICTS.get(code, COULD_NOT_RUN)
        return Result(verdict, code, run, _not_green(told), began, seconds)


def _not_green(run: Run) -> tuple[str, ...]:
    """Name the checks that keep a rollout from going on, without their hosts."""
    return tuple(sorted({f"{cell.number}-{cell.check}" for cell in run.gate.cells if cell.stops}))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Let a run that is to end take its stage down; kill it where it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await process.wait()


def application(flights: Flights, *, token: str = "") -> Starlette:
    """Return the endpoint. With a token, only who brings it as a bearer may have the gate run."""

    async def gate(request: Request) -> Response:
        return await answer(request, red=503)

    async def verdict(request: Request) -> Response:
        return await answer(request, red=200)

    async def answer(request: Request, *, red: int) -> Response:
        if token and not hmac.compare_digest(
            request.headers.get("authorization", "").encode(), f"Bearer {token}".encode()
        ):
            return JSONResponse({"verdict": COULD_NOT_RUN, "exit": None}, 401, {"WWW-Authenticate": "Bearer"})
        result = await flights.result()
        green = result.verdict == VERDICTS[0]
        return JSONResponse(asdict(result), 200 if green else red, {"Cache-Control": "no-store"})

    async def up(_: Request) -> Response:
        return JSONResponse({"status": "up"})

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette):  # type: ignore[no-untyped-def] # noqa: ANN202 - Starlette's own shape
        yield
        await flights.end()

    return Starlette(
        routes=[
            Route("/gate", gate, methods=["GET", "POST"]),
            Route("/verdict", verdict, methods=["GET", "POST"]),
            Route("/up", up),
        ],
        lifespan=lifespan,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(
        prog="python -m reports.integrations.webhook", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--environment", required=True, help="which environment of environments.toml to validate")
    parser.add_argument("--environments", default="", help="the file that describes it")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; default: this machine only")
    parser.add_argument("--port", type=int, default=9321, help="0: a free one; default: 9321")
    parser.add_argument("--deadline", type=float, default=DEADLINE_SECONDS, help="seconds a run may take; default: 300")
    asked = parser.parse_args(arguments)
    options = ["--environment", asked.environment]
    if asked.environments:
        options += ["--environments", str(Path(asked.environments).resolve())]
    flights = Flights([*COMMAND, *options], reports=RUNS, deadline_seconds=asked.deadline)
    sys.stdout, sys.stderr = Console(sys.stdout), Console(sys.stderr)
    app = application(flights, token=os.environ.get(TOKEN, ""))
    uvicorn.run(app, host=asked.host, port=asked.port, log_level="info", access_log=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
