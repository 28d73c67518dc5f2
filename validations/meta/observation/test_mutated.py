"""Mutated answers, configurations and pages: none of them gets a traceback, and none a pass that it has not earned."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.environments import laravel_probing as laravel
from fixtures.environments.base import Disturbance
from fixtures.environments.settings import Environment, HeaderAuthentication, SettingsError, load
from fixtures.environments.transports import Ran
from fixtures.observation import pages
from fixtures.observation.facts import HostFacts, Unobserved
from fixtures.observation.lock_store import LockObservation, LockStore
from fixtures.observation.pages import Answer, PageObservation
from fixtures.observation.repair import Repair
from validations.driver import findings
from validations.expectations import FIELDS, SECRET_FIELD
from validations.gate.test_8_disclosure import BROWSERS
from validations.meta.environments.test_settings import EXAMPLE
from validations.meta.gate import test_8_disclosure as documents
from validations.meta.gate.test_nothing_observed import BlindHost
from validations.registry import DISCLOSURE, EIGHT, OBJECTIVES, PAGE, Check

ENVIRONMENT = Environment(
    kind="laravel",
    url="http://127.0.0.1:1",
    root="/srv/shop/current",
    runtime_user="www-data",
    panels=("admin",),
    authentication=HeaderAuthentication(kind="header", headers={"Authorization": "env:NOBODY"}),
)
SENTINEL = ENVIRONMENT.page.sentinel
BODY = f"<html>{documents.GOOD}<p {SENTINEL}>end</p>{'<!-- long enough -->' * 250}</body></html>"
VIEWS = "/srv/shop/releases/7/bootstrap/cache/views"
RELEASES = """#!/usr/bin/env bash
set -e
new=/srv/shop/releases/$(date +%s)
git clone -q git@example.org:shop.git "$new"
php "$new/artisan" view:cache
ln -sfn "$new" /srv/shop/current
systemctl reload php-fpm
"""


def _directory(role: str) -> dict[str, Any]:
    return {
        "role": role, "path": f"/srv/shop/{role}", "resolved_by": "application", "kind": "directory", "mode": 0o755,
        "looked_as": "www-data", "by_modes": False, "real_path": f"/srv/shop/{role}", "owner": "www-data",
        "writable": True, "read_only_mount": False, "free_bytes": 1 << 36, "free_inodes": 1 << 20,
        "unwritable_entries": [], "world_writable_entries": [], "write_error": None,
    }  # fmt: skip


def _cache(role: str) -> dict[str, Any]:
    told = {"role": role, "path": f"/srv/shop/{role}.php", "exists": True, "bytes": 900, "entries": 3}
    return told | {"absent": [], "changed": [], "unlisted": [], "recomputed": None, "not_recomputed": "no package"}


# What a probe tells of a Laravel application that is as it should be.
GOOD: dict[str, Any] = {
    "looked_by": "laravel probe, PHP 8.3.6, as www-data",
    "application": {
        "name": "shop", "environment": "production", "root": "/srv/shop/current", "release": "7",
        "runtime_user": "www-data", "debug": False, "timezone": "UTC", "framework_version": "12.60.0",
    },
    "middleware": {
        "stack": ["App\\Http\\Middleware\\AutoFixViewCache"], "groups": {"web": ["App\\Session"]},
        "route": ["App\\Session"], "route_uri": "calls/{call}/enhanced", "route_error": "",
    },
    "directories": [_directory(role) for role in ("compiled-views", "bootstrap-cache", "filament-cache", "logs")],
    "compiled": {
        "path": VIEWS, "generation": VIEWS, "sources": 40, "intact": 40, "bytes": 900_000, "missing": [], "damaged": [],
        "page_file": f"{VIEWS}/1.php", "package_sources": 660, "package_missing_count": 0, "package_missing": [],
        "cached": True, "timestamps_checked": True,
        "files": {
            "count": 700, "intact": 700, "empty_count": 0, "empty": [], "cut_count": 0, "cut": [], "dead_count": 0,
            "dead": [], "elsewhere_count": 0, "elsewhere": [], "duplicates_count": 0, "duplicates": [],
        },
    },
    "recomputed": {
        "of": 700, "whole": True, "states": {"equal": 700}, "files": [], "inline": 0, "below": {}, "empty_below": [],
        "absent_folders": [], "changes": 0,
    },
    "configuration": {
        "cached": True, "path": "/srv/shop/current/bootstrap/cache/config.php", "environment_file": True,
        "compared": 300, "elsewhere_count": 0, "elsewhere": [], "other_count": 0, "other": [],
    },
    "script": {
        "path": "/srv/shop/current/scripts/deploy.sh", "exists": True, "is_file": True, "bytes": 4000,
        "executable": True, "parser": "bash -n", "parse_error": None, "text": RELEASES, "files": {}, "mode": "0755",
        "owner": "deploy", "interpreter": "bash", "interpreter_found": True,
    },
    "topology": {
        "root": "/srv/shop/releases/7", "released": True, "compiled": VIEWS, "resolved_by": "application",
        "shared": False, "deployer": ["/srv/shop/.dep"], "container": False,
    },
    "commands": [{"name": "view:health-check", "hidden": False, "options": ["fix", "json"]}],
    "health": {
        "exit_code": 0, "noise": "", "error": "",
        "answer": {
            "healthy": True, "checks": [{"name": "views", "ok": True, "observed": "700"}],
            "metrics": {
                "compiled_views": 700, "permissions": "ok", "disk_used_percent": 20.5, "opcache_hit_rate": 0.98,
                "recent_errors": 0,
            },
        },
    },
    "locks": {
        "store": "redis", "url": "redis://127.0.0.1:6379/0", "rebuild_key": "shop_view", "ttl_seconds": None,
        "connection": "default", "held_ttl_ms": -2,
        "server": {"version": "7.2", "policy": "noeviction", "maxmemory": 0},
    },
    "caches": {"panels": ["admin"], "files": [_cache("panel-admin"), _cache("icons")], "absent": []},
    "log": {
        "path": "/l", "bytes": 900, "entries": 12, "levels": {"INFO": 3, "ERROR": 1}, "left_out": 0, "whole": True,
        "sent": [{"text": "[2026-11-25 11:59:00] production.ERROR: a queue is down", "cut": False, "times": 1}],
    },
    "schedule": {
        "entries": [
            {"expression": "*/5 * * * *", "command": "artisan view:health-check --fix", "runs_here": True},
            {"expression": "0 3 * * *", "command": "artisan view:cache", "runs_here": True},
        ],
    },
}  # fmt: skip
SECTIONS = sorted(set(GOOD) - {"looked_by"})
# What its workers answer where they say that they are of the release that is published.
RELEASED = {"X-Release": "7", "X-Auto-Fix-View-Cache": "untouched"}
OF_FACTS = [check for check in (*EIGHT, *OBJECTIVES) if check not in {DISCLOSURE, PAGE}]
Path_ = tuple[str | int, ...]
Parts = set[tuple[str, str]]

# A defect of the host: where it shows in the answer, how, and the parts that it has to keep from passing.
DEFECTS: Mapping[str, tuple[Path_, Any, Parts]] = {
    "unregistered": (("middleware", "stack"), ["App\\Other"], {("middleware", "registered")}),
    "unwritable": (("directories", 0, "writable"), False, {("writable", "compiled-views")}),
    "of-root": (("directories", 1, "looked_as"), "root", {("writable", "bootstrap-cache")}),
    "gone": (("directories", 2, "kind"), "missing", {("writable", "filament-cache")}),
    "read-only": (("directories", 3, "read_only_mount"), True, {("writable", "logs")}),
    "full": (("directories", 0, "free_bytes"), 5, {("writable", "compiled-views")}),
    "no-inodes": (("directories", 0, "free_inodes"), 5, {("writable", "compiled-views")}),
    "entry-of-root": (("directories", 0, "unwritable_entries"), ["a.php"], {("writable", "compiled-views")}),
    "open-to-all": (("directories", 0, "world_writable_entries"), ["."], {("writable", "compiled-views")}),
    "by-convention": (("directories", 0, "resolved_by"), "convention", {("writable", "compiled-views")}),
    "no-script": (("script", "exists"), False, {("deployment", "exists"), ("deployment", "parses")}),
    "no-file": (("script", "is_file"), False, {("deployment", "exists")}),
    "empty-script": (("script", "bytes"), 0, {("deployment", "exists"), ("deployment", "order")}),
    "not-executable": (("script", "executable"), False, {("deployment", "executable")}),
    "syntax": (("script", "parse_error"), "line 3", {("deployment", "parses")}),
    "clears": (("script", "text"), f"php artisan view:clear\n{RELEASES}", {("deployment", "order")}),
    "no-shell": (("script", "interpreter_found"), False, {("deployment", "executable")}),
    "script-of-all": (("script", "mode"), "0757", {("deployment", "executable")}),
    "shared": (("topology", "shared"), True, {("deployment", "order")}),
    "hidden": (("commands", 0, "hidden"), True, {("health", "listed")}),
    "no-fix": (("commands", 0, "options"), ["json"], {("health", "fix-option")}),
    "exit-code": (("health", "exit_code"), 1, {("health", "exit-code")}),
    "noise": (("health", "noise"), "Deprecated: x", {("health", "runs")}),
    "unhealthy": (("health", "answer", "healthy"), False, {("health", "runs"), ("health", "exit-code")}),
    "check-red": (("health", "answer", "checks", 0, "ok"), False, {("health", "exit-code")}),
    "other-count": (("health", "answer", "metrics", "compiled_views"), 699, {("health", "metrics")}),
    "array-store": (("locks", "store"), "array", {("locks", "store")}),
    "lock-for-ever": (("locks", "held_ttl_ms"), -1, {("locks", "expires")}),
    "evicts": (("locks", "server", "policy"), "allkeys-lru", {("locks", "eviction")}),
    "redis-down": (("locks", "server"), None, {("locks", "reachable"), ("locks", "eviction")}),
    "no-cache": (("caches", "files", 0, "exists"), False, {("filament", "panel-admin")}),
    "broken-cache": (("caches", "files", 0, "load_error"), "ParseError", {("filament", "panel-admin")}),
    "empty-cache": (("caches", "files", 1, "entries"), 0, {("filament", "icons")}),
    "class-gone": (("caches", "files", 0, "absent"), ["A"], {("filament", "panel-admin")}),
    "stale-cache": (("caches", "files", 0, "changed"), ["A"], {("filament", "panel-admin")}),
    "recomputed-cache": (
        ("caches", "files", 0, "recomputed"),
        {"entries": 3, "lacks_count": 1, "lacks": ["A"], "surplus_count": 0, "surplus": []},
        {("filament", "panel-admin")},
    ),
    "other-content": (
        ("recomputed", "files"), [{"name": "1.php", "state": "differs", "of": "a"}], {("coverage", "objective")},
    ),
    "absent-folder": (("recomputed", "absent_folders"), ["/srv/p"], {("coverage", "objective")}),
    "empty-below": (("recomputed", "empty_below"), ["livewire/a.php"], {("coverage", "objective")}),
    "configured-elsewhere": (("configuration", "elsewhere_count"), 1, {("coverage", "objective")}),
    "unlisted": (("caches", "files", 1, "unlisted"), ["a.svg"], {("filament", "icons")}),
    "panel-more": (("caches", "panels"), ["admin", "agent"], {("filament", "panels")}),
    "few-views": (("compiled", "files", "intact"), 681, {("compiled-views", "objective")}),
    "hole": (("compiled", "intact"), 39, {("coverage", "objective")}),
    "missing": (("compiled", "missing"), ["a.blade.php"], {("coverage", "objective")}),
    "damaged": (("compiled", "damaged"), ["a: empty"], {("coverage", "objective")}),
    "package-view-empty": (("compiled", "files", "empty"), ["f.php"], {("coverage", "objective")}),
    "package-view-cut": (("compiled", "files", "cut"), ["f.php"], {("coverage", "objective")}),
    "cache-off": (("compiled", "cached"), False, {("coverage", "objective")}),
    "view-error": (
        ("log", "sent", 0, "text"), "[2026-11-25 11:59:00] a.ERROR: touch(): Utime failed",
        {("view-errors", "objective")},
    ),
    "cut-entry": (("log", "sent", 0, "cut"), True, {("view-errors", "objective")}),
    "other-log-format": (("log", "sent", 0, "text"), "{}", {("view-errors", "objective")}),
    "entries-left-out": (("log", "left_out"), 1, {("view-errors", "objective")}),
    "half-an-hour": (("log", "whole"), False, {("view-errors", "objective")}),
    "silent-log": (("log", "entries"), 0, {("view-errors", "objective")}),
    "late": (("schedule", "entries", 0, "expression"), "*/6 * * * *", {("schedule-health", "objective")}),
    "elsewhere": (("schedule", "entries", 1, "runs_here"), False, {("schedule-rebuild", "objective")}),
}  # fmt: skip


class ToldHost(BlindHost):
    """A read-only host of which this was told, and that answers with this body."""

    def __init__(
        self, facts: HostFacts | None, headers: Mapping[str, str] | None = None, *, body: bytes = BODY.encode()
    ) -> None:
        super().__init__(facts, ())
        self.environment = ENVIRONMENT
        self._headers = dict(headers or {})
        self._body = body

    def page(self) -> PageObservation:
        """Return three answers with the body, and a guest's."""
        response = httpx.Response(200, headers=self._headers, content=self._body)
        answers = (pages.answer_of(response, SENTINEL, 0.01),) * 3
        return PageObservation(
            "http://127.0.0.1:1/", SENTINEL, answers, Answer(status=200), self._body.decode("utf-8", "replace")
        )

    def lock_store(self) -> LockStore:
        """Return what the application was told by its Redis."""
        return laravel.lock_store(self.facts().seen("locks"))


def facts_of(out: bytes, command: list[str]) -> HostFacts | None:
    """Read what came from a host, as a live host does; None where that told nothing."""
    try:
        return laravel.facts(Ran(command, 0, out, b"", 1.0))
    except Unobserved as reason:
        one_line(reason)
        return None


def one_line(reason: Exception) -> None:
    """Hold a reason to one line, with something in it."""
    assert "\n" not in str(reason).strip()
    assert str(reason)


def told(answer: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """Return what a probe prints to tell this, line by line, and the command that it answers."""
    command = laravel.command(ENVIRONMENT)
    mark = json.loads(command[-1])["mark"]
    lines = [f"{mark} {json.dumps({name: value})}" for name, value in [*answer.items(), ("ended", True)]]
    return ("\n" + "\n\n".join(lines) + "\n").encode(), command


def green(out: bytes, command: list[str]) -> Parts:
    """Return the parts that pass on a host of which this was told."""
    host = ToldHost(facts_of(out, command))
    seen = {(check.id, part): one for check in OF_FACTS for part, one in findings(check, host).items()}
    assert all(finding.reason for finding in seen.values())
    return {key for key, finding in seen.items() if finding.green}


def paths(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """Yield where every value of an answer lies."""
    if here:
        yield here
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths(child, (*here, key))


def holder(answer: dict[str, Any], path: Path_) -> Any:
    """Return what holds the value that the path leads to; None where that is not there any more."""
    here: Any = answer
    for key in path[:-1]:
        try:
            here = here[key]
        except (KeyError, IndexError, TypeError):
            return None
    last = path[-1]
    if isinstance(here, dict) and isinstance(last, str):
        return here
    return here if isinstance(here, list) and isinstance(last, int) and last < len(here) else None


def put(answer: dict[str, Any], path: Path_, value: Any) -> None:
    """Put a value where the path leads, if that is still there."""
    here = holder(answer, path)
    if here is not None:
        here[path[-1]] = value


def take(answer: dict[str, Any], path: Path_) -> None:
    """Take away what lies where the path leads, if it is still there."""
    here = holder(answer, path)
    if isinstance(here, dict):
        here.pop(path[-1], None)
    elif here is not None:
        del here[path[-1]]


PATHS = sorted(paths(GOOD), key=str)
STRANGE: st.SearchStrategy[Any] = st.sampled_from(
    [None, "x", "", 7.5, -3, {"x": 1}, ["x"], [[]], 10**30, "\ud800", {"": None}]
)
PLANTED = st.lists(st.sampled_from(sorted(DEFECTS)), min_size=1, max_size=3, unique=True)
CHANGES = st.lists(st.tuples(st.sampled_from(PATHS), st.none() | STRANGE.map(lambda value: (value,))), max_size=4)


def planted(names: list[str]) -> tuple[dict[str, Any], Parts]:
    """Return the good answer with these defects, and the parts that may not pass."""
    answer, red = copy.deepcopy(GOOD), set[tuple[str, str]]()
    for name in names:
        path, value, parts = DEFECTS[name]
        put(answer, path, copy.deepcopy(value))
        red |= parts
    return answer, red


def test_a_good_answer_passes_everything_but_what_was_not_measured() -> None:
    """Nothing of what follows is red already without a mutation."""
    seen = green(*told(GOOD))
    every = {(check.id, part) for check in OF_FACTS for part in check.parts(ENVIRONMENT)}
    # Availability is measured by page requests of a guest here, and recovery where a defect may be planted.
    assert every - seen <= {("recovery", "objective")}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_seen(name: str) -> None:
    """Each defect keeps the parts that it names from passing, and no others of the same check but those it must."""
    answer, red = planted([name])
    assert red.isdisjoint(green(*told(answer)))


@pytest.mark.parametrize("name", DEFECTS)
def test_a_value_that_was_not_told_is_not_made_up(name: str) -> None:
    """Whatever single value is lost on the way, a defect does not pass by its absence."""
    answer, red = planted([name])
    section = DEFECTS[name][0][0]
    for path in PATHS:
        if path[0] != section:
            continue
        lost = copy.deepcopy(answer)
        take(lost, path)
        assert red.isdisjoint(green(*told(lost))), path


@given(PLANTED, CHANGES)
@settings(max_examples=350)
def test_a_mutated_answer_gets_no_false_pass(names: list[str], changes: list[tuple[Path_, tuple[Any] | None]]) -> None:
    """Values lost or replaced by others of any kind: no traceback, and none of the defects' parts passes."""
    answer, red = planted(names)
    bad = {DEFECTS[name][0] for name in names}
    for path, value in changes:
        if value is None:
            take(answer, path)
        elif not any(path == defect or defect[: len(path)] == path for defect in bad):
            put(answer, path, value[0])
    assert red.isdisjoint(green(*told(answer)))


@given(PLANTED, st.data())
@settings(max_examples=100)
def test_an_answer_that_is_cut_or_garbled_gets_no_false_pass(names: list[str], data: st.DataObject) -> None:
    """Bytes lost, doubled or overwritten on the way: no traceback, and a section is told whole or not at all."""
    answer, red = planted(names)
    out, command = told(answer)
    at = data.draw(st.integers(0, len(out)))
    length = data.draw(st.sampled_from([0, 1, 2, 30, 400, 5000, len(out)]))
    noise = data.draw(st.sampled_from([b"", b"\n", b"\xff", b"\n{}", b"Warning: x in y\n", b'"', b"\x00", b" "]))
    garbled = out[:at] + noise + out[at + length :]
    assert red.isdisjoint(green(garbled, command))


# --- what a check says that it needs


class UndisturbedHost(ToldHost):
    """The same host, opened to be disturbed; nothing comes of it."""

    @property
    def disturbance(self) -> Disturbance:
        """What may be done to it."""
        return self

    def repair(self) -> Repair:
        """Return no repair."""
        raise Unobserved("no defect could be planted")

    def rebuilds(self) -> LockObservation:
        """Return no rebuilds."""
        raise Unobserved("no rebuild could be started")


def green_parts(check: Check, host: ToldHost, kind: Literal["gateway", "laravel"]) -> set[str]:
    """Return the parts of a check that pass on a host of this kind."""
    host.environment = ENVIRONMENT.model_copy(update={"kind": kind})
    return {part for part, finding in findings(check, host).items() if finding.green}


@pytest.mark.parametrize("kind", ["gateway", "laravel"])
@pytest.mark.parametrize("check", [*EIGHT, *OBJECTIVES], ids=lambda check: check.id)
def test_a_check_needs_the_facts_that_it_declares_and_no_others(
    check: Check, kind: Literal["gateway", "laravel"]
) -> None:
    """Without a declared section some part does not pass that passed with it; without any other, all pass as before."""
    whole = facts_of(*told(GOOD))
    assert whole is not None
    needs = getattr(check, kind)
    headers = RELEASED if kind == "gateway" else None
    before = green_parts(check, ToldHost(whole, headers), kind)
    for section in SECTIONS:
        less = whole.model_copy(update={section: None, "unobserved": {section: "it was not looked at"}})
        assert (green_parts(check, ToldHost(less, headers), kind) < before) is (section in needs.facts), section


@pytest.mark.parametrize("check", [*EIGHT, *OBJECTIVES], ids=lambda check: check.id)
def test_an_effect_is_required_where_the_host_may_be_disturbed(check: Check) -> None:
    """Read only, a check that declares an effect passes without it; where it could have it, it does not."""
    whole = facts_of(*told(GOOD))
    read_only = green_parts(check, ToldHost(whole), "laravel")
    disturbed = green_parts(check, UndisturbedHost(whole), "laravel")
    assert disturbed <= read_only
    if check.number:
        assert (disturbed < read_only) is bool(check.laravel.effects)


# --- pages

NOISES = st.sampled_from((
    b"", b" ", b"<", b">", b'"', b"</details>", b"<details open>", b"<!--", b"-->", b"\x00", b"\xff", b"<script>",
    b"<template>", b" hidden", b"access_token", b"filemtime(): stat failed for /v", b"</html>", b"&#",
))  # fmt: skip
CUTS = st.tuples(
    st.integers(0, len(BODY.encode())),
    st.sampled_from([0, 1, 7, 60, 900, 20_000, len(BODY)]),
    NOISES,
)


def page_parts(body: bytes) -> tuple[set[str], set[str]]:
    """Return the parts of the page and of the disclosure that pass on this body."""
    host = ToldHost(None, body=body)
    seen = [findings(check, host) for check in (PAGE, DISCLOSURE)]
    page, disclosure = ({part for part, one in parts.items() if one.green} for parts in seen)
    return page, disclosure


def test_the_good_page_passes() -> None:
    """Nothing of what follows is red already without a mutation: what a browser tells was not looked at."""
    page, disclosure = page_parts(BODY.encode())
    assert "complete" in page
    assert {part for part in DISCLOSURE.parts(ENVIRONMENT) if part not in BROWSERS} <= disclosure


@given(st.lists(CUTS, min_size=1, max_size=3))
@settings(max_examples=300)
def test_a_mutated_page_gets_no_false_pass(cuts: list[tuple[int, int, bytes]]) -> None:
    """A page that is cut, garbled or shows an error passes only what its own text still bears out."""
    body = BODY.encode()
    for at, length, noise in cuts:
        body = body[:at] + noise + body[at + length :]
    page, disclosure = page_parts(body)
    if "complete" in page:
        assert SENTINEL.encode() in body
        assert body.rstrip().lower().endswith(b"</html>")
        assert len(body) >= ENVIRONMENT.page.least_bytes
        assert b"filemtime(): stat failed" not in body
    for expected in FIELDS:
        if f"field-{expected.path.replace('[]', '').replace('.', '-')}" in disclosure:
            assert body.count(f'data-field="{expected.path}"'.encode()) >= 1
    if "fields" in disclosure:
        assert all(f'data-field="{expected.path}"'.encode() in body for expected in FIELDS)
    if "closed" in disclosure:
        assert len(re.findall(rb"<details", body)) >= 1
    assert not ("secret" in disclosure and SECRET_FIELD.encode() in body)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=100)
def test_any_body_at_all_is_judged(body: bytes) -> None:
    """Whatever a server sends, it is judged without a traceback, and is not the page."""
    page, disclosure = page_parts(body)
    assert "complete" not in page
    assert "fields" not in disclosure


# --- configurations

TEXT = EXAMPLE.read_text(encoding="utf-8")
LINES = TEXT.splitlines()
EDITS = st.tuples(
    st.integers(0, len(TEXT)),
    st.sampled_from([0, 1, 1, 5, 40]),
    st.text("\"'=[]{}#\n .,\\0179abcs-_:/@é", max_size=4)
    | st.sampled_from(["true", "-1", "[[", "s3cr3t@", '"""', "1e999"]),
)


@given(st.lists(EDITS, min_size=1, max_size=3), st.sampled_from(["production", "staging", "session", "preview"]))
@settings(max_examples=300)
def test_a_mutated_configuration_is_used_as_it_stands_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[int, int, str]], name: str
) -> None:
    """Either every value is what TOML says that stands there, or one line says which file and what is wrong."""
    text = TEXT
    for at, length, put_in in edits:
        text = text[:at] + put_in + text[at + length :]
    folder = tmp_path_factory.getbasetemp()
    file = folder / "mutated.toml"
    file.write_text(text, encoding="utf-8")
    try:
        environment = load(name, file=file, folder=folder)
    except SettingsError as error:
        one_line(error)
        return
    stands = tomllib.loads(text)["environments"][name]
    assert environment.production is stands.get("production", False)
    assert environment.url == stands["url"].rstrip("/")
    assert environment.page.requests == stands.get("page", {}).get("requests", 300)
    assert set(stands) <= set(Environment.model_fields)
    assert all(reference.startswith(("env:", "file:")) for reference in environment.secrets)
    Path(folder / "mutated.toml").unlink()
