"""Takes secrets out of what is about to be written: known values wherever they stand, likely ones by form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED = "[redacted]"
_SHORT = 100
MIN_LENGTH = 4
"""A shorter value would blot out half of every report and hides little."""

# `user:password@` in any URL; over http a lone user is a token. Up to the last `@`: passwords hold some too.
_URL_PASSWORD = re.compile(r"(://[^\s/@:'\"]*+:)[^\s/'\"]*@")
_URL_TOKEN = re.compile(r"(?i)(https?://)[^\s/@:'\"]*+@")
# A header in HTTP's form runs to the end of its line; as an item of a mapping or pair, to its closing quote.
_HEADER_NAMES = r"(?:proxy-authorization|authorization|set-cookie|cookie|x-api-key|x-auth-token)"
_HEADER_ITEM = re.compile(
    rf"""(?i)((?:"{_HEADER_NAMES}"|'{_HEADER_NAMES}')\s*[:,=]\s*b?)"""
    r"""(?:(")(?:\\.|[^"\\])*+|(')(?:\\.|[^'\\])*+)"""
)
_HEADER_LINE = re.compile(rf"(?i)\b({_HEADER_NAMES}\s*:[ \t]*)(?=[^\s\"'])[^\r\n]+")
_BEARER = re.compile(r"(?i)\b(bearer\s+)(?=[^\s\"',;]*\d)[A-Za-z0-9._~+/=-]{8,}")
# `key` alone names a lock or a cache entry as often as a secret, so it needs a word before it.
_TELLING_NAME = (
    r"(?:password|passwd|passphrase|secret|token|credentials?"
    r"|(?:api|app|access|auth|encryption|license|private|secret|signing)[_.-]?key)"
)
_ENDS_TELLING = re.compile(rf"(?i){_TELLING_NAME}$")
# Bounded, and tried once a word: a megabyte of letters costs no more than one look each. A cut may have left the
# quote open, and JSON within JSON has its quotes escaped.
_ASSIGNMENT = re.compile(
    rf"""(?i)(?P<name>(?<![\w.-])[\w.-]{{0,100}}?{_TELLING_NAME})(?P<mid>\\?["']?\s{{0,3}}[=:]\s{{0,3}})"""
    r"""(?P<value>\\"[^"\\]*+\\"|"(?:\\.|[^"\\])*+"|'(?:\\.|[^'\\])*+'|["']?[^\s&;,"'<>(){}\[\]]++)"""
)


class Redactor:
    """Redacts texts and JSON-like data.

    `register` makes a value known; from then on it disappears, also URL-quoted and JSON-escaped. Patterns
    need no registration: credentials in URLs, Authorization and Cookie headers, and values of keys named like
    a secret.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._told: dict[str, str] = {}
        self._known: set[str] = set()
        self._values: re.Pattern[str] | None = None
        self.register(secrets)

    def register(self, secrets: Iterable[str]) -> None:
        """Make values known. Values shorter than `MIN_LENGTH` characters are left to the patterns."""
        new = {secret for secret in secrets if len(secret) >= MIN_LENGTH} - self._known
        if not new:
            return
        self._known |= new
        self._told.clear()
        forms = {form for secret in self._known for form in _forms(secret)}
        # The longest first, or a secret that begins another one would leave the other's tail behind.
        self._values = re.compile("|".join(map(re.escape, sorted(forms, key=lambda form: (-len(form), form)))))

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        if len(text) > _SHORT:
            return self._text(text)
        # Names of keys, hosts and files come again with every event.
        told = self._told.get(text)
        if told is None:
            told = self._told[text] = self._text(text)
        return told

    def _text(self, text: str) -> str:
        text = self.known(text)
        if "@" in text:
            text = _URL_PASSWORD.sub(rf"\1{REDACTED}@", text)
            text = _URL_TOKEN.sub(rf"\1{REDACTED}@", text)
        if "=" in text or ":" in text or "," in text:
            text = _HEADER_ITEM.sub(lambda found: f"{found[1]}{found[2] or found[3]}{REDACTED}", text)
            text = _HEADER_LINE.sub(rf"\1{REDACTED}", text)
            text = _ASSIGNMENT.sub(_assignment, text)
        return _BEARER.sub(rf"\1{REDACTED}", text)

    def known(self, text: str) -> str:
        """Return the text without the values that are known; what only looks like a secret stays."""
        return text if self._values is None else self._values.sub(REDACTED, text)

    def data(self, data: Any) -> Any:
        """Return JSON-like data without secrets; a text under a key named like one is redacted whole."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {
                self.text(name): REDACTED if isinstance(value, str) and value and _named(name) else self.data(value)
                for name, value in data.items()
            }
        if isinstance(data, list | tuple):
            return [self.data(value) for value in data]
        return data


def _forms(secret: str) -> set[str]:
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    # Lone surrogates have no UTF-8, hence no form in a URL.
    raw = secret.encode("utf-8", "surrogatepass")
    return escaped | {secret, quote(raw), quote(raw, safe=""), quote_plus(raw)}


def _named(name: str) -> bool:
    return _ENDS_TELLING.search(name) is not None


def _assignment(found: re.Match[str]) -> str:
    value = found["value"]
    if value.strip("\\\"'") in ("", REDACTED, "None", "null", "true", "false"):
        return found[0]
    mark = '\\"' if value.startswith('\\"') else value[0] if value[0] in "\"'" else ""
    return f"{found['name']}{found['mid']}{mark}{REDACTED}{mark}"
