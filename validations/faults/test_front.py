"""The proxy in front of a stage: what it leaves behind once it is faithful again."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest
from starlette.types import Message

from fixtures.faults.front import Proxy

DEADLINE_SECONDS = 10.0


def test_who_has_left_is_not_asked_for() -> None:
    """Once a visitor has left, the stage is not asked for him later: what that logs would be another fault's."""
    received: list[Message] = [{"type": "http.request"}, {"type": "http.disconnect"}]
    sent: list[Message] = []
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}

    async def receive() -> Message:
        return received.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    async def visit(stage: str) -> None:
        proxy = Proxy(stage)
        proxy.set(json.dumps({"how": "slow", "every": 1, "rate": 1.0, "guests": True}))
        await asyncio.wait_for(proxy(scope, receive, send), DEADLINE_SECONDS)

    with socket.create_server(("127.0.0.1", 0)) as stage:
        asyncio.run(visit(f"http://127.0.0.1:{stage.getsockname()[1]}"))
        stage.settimeout(0)
        with pytest.raises(BlockingIOError):
            stage.accept()
    assert received == []
    assert sent[0]["status"] == 499
