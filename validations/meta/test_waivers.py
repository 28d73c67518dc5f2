"""The file of waivers: what is read from it, and each mistake in one line."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from reports.records import Waiver
from validations.waivers import load

TODAY = dt.date(2026, 11, 25)
GOOD = {
    "environment": '"shop"',
    "check": '"filament"',
    "host": '"web-1"',
    "reason": '"known"',
    "link": '"https://issues.test/1"',
    "expires": "2026-11-25",
}


def written(path: Path, **changes: str | None) -> Path:
    """Write one waiver, with these lines changed, added, or (None) left out."""
    lines = [f"{name} = {value}" for name, value in (GOOD | changes).items() if value is not None]
    path = path / "waivers.toml"
    path.write_text("\n".join(["[[waivers]]", *lines]), encoding="utf-8")
    return path


def test_a_waiver_is_read(tmp_path: Path) -> None:
    """It counts on its last day, for its own environment alone."""
    path = written(tmp_path, part='"icons"')
    expected = Waiver("filament", "web-1", "icons", "known", "https://issues.test/1", "2026-11-25", expired=False)
    assert load(path, "shop", today=TODAY) == (expected,)
    assert load(path, "staging", today=TODAY) == ()


def test_a_waiver_expires_with_its_day(tmp_path: Path) -> None:
    """The day after, it has expired, and says so instead of being dropped."""
    (waiver,) = load(written(tmp_path), "shop", today=TODAY + dt.timedelta(days=1))
    assert waiver.expired


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"reason": None}, "waiver 1: reason is None, but should be a text", id="no-reason"),
        pytest.param({"link": None}, "waiver 1: link is None", id="no-link"),
        pytest.param({"link": '"later"'}, "should start with https://", id="link-nowhere"),
        pytest.param({"host": '"  "'}, "waiver 1: host is '  '", id="blank-host"),
        pytest.param({"check": '"*"'}, "has a wildcard", id="every-check"),
        pytest.param({"host": '"web-*"'}, "has a wildcard", id="every-host"),
        pytest.param({"part": "3"}, "part is 3, but should be a text", id="part-number"),
        pytest.param({"expires": None}, "expires is None, but should be a date", id="for-ever"),
        pytest.param({"expires": '"2026-11-25"'}, "unquoted", id="expires-text"),
        pytest.param({"expires": "2026-11-25T10:00:00Z"}, "should be a date", id="expires-time"),
        pytest.param({"until": "2026-11-25"}, "'until' does not belong here", id="unknown-key"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, change: dict[str, str | None], said: str) -> None:
    """A waiver without all it needs is refused, with what was found and what it should be."""
    with pytest.raises(pytest.UsageError) as told:
        load(written(tmp_path, **change), "shop", today=TODAY)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "cannot be read: No such file", id="missing"),
        pytest.param(b"[[waivers", "is not TOML", id="not-toml"),
        pytest.param(b"\xff", "is not UTF-8", id="not-utf8"),
        pytest.param(b"", "should hold tables [[waivers]]", id="empty"),
        pytest.param(b"waivers = 3", "should hold tables [[waivers]]", id="no-tables"),
        pytest.param(b"waivers = [3]", "waiver 1 is no table", id="a-number"),
        pytest.param(b"[[waivers]]\n[other]", "and nothing else", id="more"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A file that cannot be used says which, and why: a gate without its waivers is not what was asked for."""
    path = tmp_path / "waivers.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(pytest.UsageError) as told:
        load(path, "shop", today=TODAY)
    assert said in str(told.value)
