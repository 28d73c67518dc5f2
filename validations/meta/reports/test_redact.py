"""Secrets do not reach a report: known values in every spelling, likely ones by their form."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.redact import MIN_LENGTH, REDACTED, Redactor

secrets = st.text(st.characters(exclude_characters="[]"), min_size=MIN_LENGTH, max_size=12)


@given(value=secrets, before=st.text(max_size=8), after=st.text(max_size=8))
@example(value='p"ss w/rd\n', before="", after="")
@example(value="\ud800\udfff12", before="", after="")
def test_a_known_secret_disappears_in_every_spelling(value: str, before: str, after: str) -> None:
    """As it is, quoted for a URL, and escaped for JSON or by repr: the text around it stays."""
    redactor = Redactor([value])
    raw = value.encode("utf-8", "surrogatepass")
    for spelling in (
        value,
        quote(raw),
        quote(raw, safe=""),
        quote_plus(raw),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
    ):
        told = redactor.text(f"{before} {spelling} {after}")
        assert spelling not in told.replace(REDACTED, "", 1) or spelling in f"{before} {after}"
        assert REDACTED in told


def test_a_secret_that_begins_another_leaves_no_tail() -> None:
    """The longest known value goes first."""
    assert Redactor(["hunter", "hunter2-long"]).text("x hunter2-long y") == f"x {REDACTED} y"


def test_a_secret_becomes_known_during_a_run() -> None:
    """What is registered later disappears from then on."""
    redactor = Redactor()
    assert redactor.text("swordfish") == "swordfish"
    redactor.register(["swordfish"])
    assert redactor.text("swordfish") == REDACTED


def test_a_short_value_is_no_secret() -> None:
    """A password of three letters would blot out half of every report."""
    assert Redactor(["abc"]).text("abc") == "abc"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("redis://:p4ss@db:6379/0", "redis://:*@db:6379/0", id="url-password"),
        pytest.param("at redis://u:p@ss@db/0.", "at redis://u:*@db/0.", id="url-password-with-at"),
        pytest.param("https://ghp_x1@github.com/a", "https://*@github.com/a", id="url-token"),
        pytest.param("ssh://deploy@web-1", "ssh://deploy@web-1", id="url-user-only"),
        pytest.param("http://h/x?token=a1&page=2", "http://h/x?token=*&page=2", id="query"),
        pytest.param('Authorization: Digest a, b="c"\nHost: h', "Authorization: *\nHost: h", id="header"),
        pytest.param("set-cookie: sid=1; Path=/\r\nx: y", "set-cookie: *\r\nx: y", id="cookie"),
        pytest.param("{'Cookie': 'a=b', 'x': 1}", "{'Cookie': '*', 'x': 1}", id="header-in-a-mapping"),
        pytest.param("[('authorization', 'Basic eA==')]", "[('authorization', '*')]", id="header-in-a-pair"),
        pytest.param("curl -H 'Authorization: Bearer a'", "curl -H 'Authorization: *", id="header-in-a-command"),
        pytest.param("sent Bearer abcdef123456", "sent Bearer *", id="bearer"),
        pytest.param("APP_TOKEN=abc next", "APP_TOKEN=* next", id="env"),
        pytest.param("REDIS_PASSWORD = 'a b' x", "REDIS_PASSWORD = '*' x", id="env-quoted"),
        pytest.param('{"app_key": "a\\"b", "n": 1}', '{"app_key": "*", "n": 1}', id="json"),
        pytest.param('"{\\"secret\\": \\"a b\\"}"', '"{\\"secret\\": \\"*\\"}"', id="json-in-json"),
        pytest.param('password="cut of', 'password="*" of', id="quote-left-open"),
        pytest.param("rebuild_key=app:lock", "rebuild_key=app:lock", id="name-of-a-lock"),
        pytest.param("682 views, 3 tokens: fine", "682 views, 3 tokens: fine", id="prose"),
        pytest.param("password=None", "password=None", id="nothing-set"),
    ],
)
def test_likely_secrets_disappear_by_form(text: str, told: str) -> None:
    """Credentials in URLs, headers that authenticate, and values of keys named like a secret."""
    assert Redactor().text(text) == told.replace("*", REDACTED)


def test_data_is_redacted_at_every_depth() -> None:
    """Keys, values and lists; a value under a telling key goes whole, whatever it looks like."""
    data = {"a": ["x swordfish", {"app_token": "two words", "n": 1, "ok": None}], "swordfish": 1.5}
    told = Redactor(["swordfish"]).data(data)
    assert told == {"a": [f"x {REDACTED}", {"app_token": REDACTED, "n": 1, "ok": None}], REDACTED: 1.5}


@given(text=st.text() | st.from_regex(r"(password|token|https?://|cookie)?[:=@'\"a ]{0,20}"))
def test_redacting_again_changes_nothing(text: str) -> None:
    """What is safe stays as it is: reports derived from the event log are not redacted twice into noise."""
    redactor = Redactor(["swordfish"])
    once = redactor.text(text)
    assert redactor.text(once) == once
