"""Waivers: known defects that somebody answers for until a date, in a file of their own.

    [[waivers]]
    environment = "production"
    check = "filament"
    host = "web-1"
    part = "icons"            # left out: any part of the check
    reason = "icons come from the CDN until the package is updated"
    link = "https://issues.example/123"
    expires = 2026-12-31      # the last day that counts

What is waived stays visible, as a state of its own, and counts neither for nor against. An expired waiver, and one
that matches nothing, fails the gate; there is no wildcard, and a whole gate cannot be waived.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from reports.records import Waiver


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("should be a text")
    if "*" in value:
        raise ValueError("a wildcard, but each waiver stands for one check on one host")
    return value


def _reason(value: str) -> str:
    if not value.strip():
        raise ValueError("should be a text")
    return value


def _link(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("should start with https:// or http://")
    return value


class _Row(BaseModel):
    """One `[[waivers]]` table as it is written."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    environment: Annotated[str, AfterValidator(_text)]
    check: Annotated[str, AfterValidator(_text)]
    host: Annotated[str, AfterValidator(_text)]
    part: Annotated[str, AfterValidator(_text)] = ""
    reason: Annotated[str, AfterValidator(_reason)]
    link: Annotated[str, AfterValidator(_link)]
    expires: dt.date


class _File(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    waivers: list[_Row]


def load(path: Path, environment: str, *, today: dt.date) -> tuple[Waiver, ...]:
    """Return the environment's waivers. Raises `pytest.UsageError` in one line where the file cannot be used."""
    try:
        rows = _File.model_validate(tomllib.loads(path.read_bytes().decode())).waivers
    except OSError as error:
        raise pytest.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise pytest.UsageError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except ValidationError as error:
        raise pytest.UsageError(f"{path}: {_first(error)}") from None
    except (ValueError, RecursionError) as error:
        raise pytest.UsageError(f"{path} is not TOML: {error}") from None
    return tuple(
        Waiver(
            **row.model_dump(exclude={"environment", "expires"}),
            expires=row.expires.isoformat(),
            expired=row.expires < today,
        )
        for row in rows
        if row.environment == environment
    )


def _first(error: ValidationError) -> str:
    """Word the first mistake: which waiver (from 1) and key, what was found and what is allowed."""
    mistake = error.errors(include_url=False)[0]
    where = [f"waiver {place + 1}" if isinstance(place, int) else str(place) for place in mistake["loc"]]
    found = f", but found {mistake['input']!r}"[:200] if mistake["type"] not in ("missing", "extra_forbidden") else ""
    return f"{': '.join(where[1:]) or 'waivers'}: {mistake['msg']}{found}"
