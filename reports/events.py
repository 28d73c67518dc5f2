"""The event log of a run, `events.jsonl`: what everything else is derived from."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reports.text import json_text

if TYPE_CHECKING:
    from pathlib import Path

    from reports.redact import Redactor

SCHEMA = 3
"""Version of the events; it changes with the meaning or the name of a key."""


class EventLog:
    """Appends events, one JSON object a line, each redacted, and in the file before `append` returns.

    Opening it starts the file anew. Not buffered: a killed process loses no event that was appended.
    """

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self._redactor = redactor
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)

    def append(self, event: str, **data: Any) -> dict[str, Any]:
        """Write one event and return it as written, without secrets. Raises OSError where it cannot."""
        told = self.worded(event, data)
        # ASCII only: a lone surrogate in an observation has no UTF-8 of its own.
        _write(self._descriptor, f"{json_text(told)}\n".encode("ascii"))
        return told

    def worded(self, event: str, data: dict[str, Any]) -> dict[str, Any]:
        """Return an event as it is to be written: redacted, dated, with its name and the schema before it."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        told: dict[str, Any] = self._redactor.data(data)
        return {"schema": SCHEMA, "event": event, "at": at} | told

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _write(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    if written != len(data):
        raise OSError(f"{written} of {len(data)} bytes were written, but all should be: the disk is full")
