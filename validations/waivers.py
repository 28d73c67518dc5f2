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
from typing import Any

import pytest

from reports.records import Waiver

TEXTS = ("environment", "check", "host", "reason", "link")


def load(path: Path, environment: str, *, today: dt.date) -> tuple[Waiver, ...]:
    """Return the environment's waivers. Raises `pytest.UsageError` in one line where the file cannot be used."""
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise pytest.UsageError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise pytest.UsageError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise pytest.UsageError(f"{path} is not TOML: {error}") from None
    tables = document.get("waivers")
    if set(document) != {"waivers"} or not isinstance(tables, list):
        raise pytest.UsageError(f"{path} should hold tables [[waivers]] and nothing else")
    read = [_waiver(table, f"{path}: waiver {number}", today) for number, table in enumerate(tables, 1)]
    return tuple(waiver for named, waiver in read if named == environment)


def _waiver(table: Any, where: str, today: dt.date) -> tuple[str, Waiver]:
    if not isinstance(table, dict):
        raise pytest.UsageError(f"{where} is no table")
    strange = sorted(set(table) - {*TEXTS, "part", "expires"})
    if strange:
        raise pytest.UsageError(
            f"{where}: {strange[0]!r} does not belong here; allowed: {', '.join(TEXTS)}, part, expires"
        )
    for name in TEXTS:
        if not isinstance(table.get(name), str) or not table[name].strip():
            raise pytest.UsageError(f"{where}: {name} is {table.get(name)!r}, but should be a text")
    part = table.get("part", "")
    if not isinstance(part, str):
        raise pytest.UsageError(f"{where}: part is {part!r}, but should be a text, or left out")
    if "*" in table["check"] + table["host"] + part:
        raise pytest.UsageError(f"{where} has a wildcard, but each waiver stands for one check on one host")
    if not table["link"].startswith(("http://", "https://")):
        raise pytest.UsageError(f"{where}: link is {table['link']!r}, but should start with https:// or http://")
    expires = table.get("expires")
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise pytest.UsageError(f"{where}: expires is {expires!r}, but should be a date such as 2026-12-31, unquoted")
    waiver = Waiver(
        check=table["check"],
        host=table["host"],
        part=part,
        reason=table["reason"],
        link=table["link"],
        expires=expires.isoformat(),
        expired=expires < today,
    )
    return table["environment"], waiver
