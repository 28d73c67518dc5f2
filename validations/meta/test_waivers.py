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


def test_a_waiver_of_any_part_may_have_a_plain_link(tmp_path: Path) -> None:
    """Without a part it stands for all of the check; a tracker without TLS is one, too."""
    (waiver,) = load(written(tmp_path, link='"http://issues.test/1"'), "shop", today=TODAY)
    assert (waiver.part, waiver.link) == ("", "http://issues.test/1")


def test_each_waiver_of_a_file_is_read_and_the_wrong_one_named(tmp_path: Path) -> None:
    """Waivers are counted from one, in the order of the file, also in what is said of a mistake."""
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n" + text.replace("web-1", "wéb-2"), encoding="utf-8")
    assert [waiver.host for waiver in load(path, "shop", today=TODAY)] == ["web-1", "wéb-2"]
    path.write_text(text + "\n" + text.replace("web-1", "*"), encoding="utf-8")
    with pytest.raises(pytest.UsageError, match=r"waiver 2: host: .*wildcard"):
        load(path, "shop", today=TODAY)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        pytest.param({"environment": "3"}, "environment", id="environment-number"),
        pytest.param({"reason": None}, "reason", id="no-reason"),
        pytest.param({"link": None}, "link", id="no-link"),
        pytest.param({"link": '"later"'}, "link", id="link-nowhere"),
        pytest.param({"host": '"  "'}, "host", id="blank-host"),
        pytest.param({"check": '"*"'}, "check", id="every-check"),
        pytest.param({"host": '"web-*"'}, "host", id="every-host"),
        pytest.param({"part": '"i*"'}, "part", id="every-part"),
        pytest.param({"part": "3"}, "part", id="part-number"),
        pytest.param({"expires": None}, "expires", id="for-ever"),
        pytest.param({"expires": '"2026-11-25"'}, "expires", id="expires-text"),
        pytest.param({"expires": "2026-11-25T10:00:00"}, "expires", id="expires-time"),
        pytest.param({"until": "2026-11-25"}, "until", id="unknown-key"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, change: dict[str, str | None], key: str) -> None:
    """A waiver without all it needs is refused in one line that names the file, the waiver and the key."""
    path = written(tmp_path, **change)
    with pytest.raises(pytest.UsageError) as error:
        load(path, "shop", today=TODAY)
    assert str(error.value).startswith(f"{path}: waiver 1: {key}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"[[waivers", id="not-toml"),
        pytest.param(b"# \xff", id="not-utf8"),
        pytest.param(b"", id="empty"),
        pytest.param(b"waivers = 3", id="no-tables"),
        pytest.param(b"waivers = [3]", id="a-number"),
        pytest.param(b"[[waivers]]\n[other]", id="more"),
        pytest.param(b"waivers = " + b"[" * 3000, id="deep"),
        pytest.param(b"waivers = " + b"9" * 5000, id="long-number"),
    ],
)
def test_a_file_that_is_none_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    """A file that cannot be used says which, and why: a gate without its waivers is not what was asked for."""
    path = tmp_path / "waivers.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(pytest.UsageError) as error:
        load(path, "shop", today=TODAY)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
