"""What a check examines is what its host shows: no fact is left out, replaced or mistaken for another on the way."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.environments.base import Host
from fixtures.environments.settings import Environment, FurtherPage
from fixtures.observation.browser import BrowserObservation
from fixtures.observation.facts import Absent, HostFacts, Unobserved, parse
from fixtures.observation.locks import LockObservation, LockStore, WatchedRebuild
from fixtures.observation.pages import Answer, PageObservation
from fixtures.observation.repair import Repair
from validations.gate import (
    test_1_middleware,
    test_2_writable,
    test_3_deployment,
    test_4_health,
    test_5_locks,
    test_6_filament,
    test_7_page,
)

ENVIRONMENT = Environment(
    kind="gateway", url="http://127.0.0.1:1", root="/srv/app", runtime_user="www-data", panels=("admin",)
)
FACTS = parse(
    """{
    "looked_by": "somebody", "seconds": 0.1,
    "application": {"name": "a", "environment": "production", "root": "/srv/app", "release": "r7",
        "runtime_user": "www-data", "framework_version": "8.83.26"},
    "middleware": {"stack": ["A", "B"]},
    "directories": [{"role": "logs", "path": "/l", "resolved_by": "convention", "kind": "missing", "looked_as": "w"}],
    "compiled": {"path": "/v", "generation": "/v/g", "sources": 2, "intact": 2, "bytes": 9,
        "missing": [], "damaged": []},
    "topology": {"root": "/srv/app", "released": true, "compiled": "/v", "resolved_by": "application", "shared": false},
    "script": {"path": "/s", "exists": false},
    "commands": [{"name": "list", "hidden": false, "options": []}],
    "health": {"exit_code": 0, "answer": {}, "noise": "", "error": ""},
    "locks": {"store": "redis", "url": "redis://h/0", "rebuild_key": "k", "ttl_seconds": 3.0},
    "caches": {"panels": ["admin"], "files": []}
    }"""
)
ANSWER = Answer(status=200, bytes=9, sentinel=True, document_end=True)
PAGE = PageObservation("http://127.0.0.1:1/calls/1", "s", (ANSWER,), None, "<p>")
STORE = LockStore("7", "noeviction", 0)
REBUILD = WatchedRebuild(0, ("me",), (30,), None, "")
REBUILDS = LockObservation("k", REBUILD, REBUILD, "you")
REPAIR = Repair("v", "/v/v.view", ANSWER, "intact", 0.1)


class SeenHost:
    """A host of which everything can be seen."""

    id = "seen"
    environment = ENVIRONMENT
    others: tuple[Host, ...] = ()

    def __init__(self, facts: HostFacts = FACTS) -> None:
        self._facts = facts

    def facts(self) -> HostFacts:
        """Return all of them."""
        return self._facts

    def page(self) -> PageObservation:
        """Return one answer."""
        return PAGE

    def further_page(self, page: FurtherPage) -> Answer:
        """Return no answer."""
        raise Unobserved(f"nobody asked for {page.name}")

    def browser(self) -> BrowserObservation:
        """Return none."""
        raise Absent("none was asked for")

    def lock_store(self) -> LockStore:
        """Return a good one."""
        return STORE

    def repair(self) -> Repair:
        """Return one that succeeded."""
        return REPAIR

    def rebuilds(self) -> LockObservation:
        """Return two."""
        return REBUILDS


@pytest.mark.parametrize(
    ("module", "shown"),
    [
        pytest.param(
            test_1_middleware,
            {"wanted": "AutoFixViewCache", "answers": PAGE.answers, "repair": REPAIR},
            id="middleware",
        ),
        pytest.param(
            test_2_writable,
            {
                "user": "www-data",
                "directories": {"logs": FACTS.seen("directories")[0]},
                "compiled": FACTS.compiled,
            },
            id="writable",
        ),
        pytest.param(
            test_3_deployment,
            {"script": FACTS.script, "topology": FACTS.topology, "version": "8.83.26"},
            id="deployment",
        ),
        pytest.param(
            test_4_health,
            {"commands": FACTS.commands, "run": FACTS.health, "compiled": FACTS.compiled},
            id="health",
        ),
        pytest.param(test_5_locks, {"said": FACTS.locks, "store": STORE, "rebuilds": REBUILDS}, id="locks"),
        pytest.param(test_6_filament, {"panels": ("admin",), "caches": FACTS.caches}, id="filament"),
        pytest.param(
            test_7_page, {"expected": ENVIRONMENT.page, "page": PAGE, "release": "r7", "marked": True}, id="page"
        ),
    ],
)
def test_a_check_takes_what_its_host_shows(module: Any, shown: dict[str, Any]) -> None:
    """Each field of a check's evidence holds the fact of that name, and nothing else."""
    evidence = module.examine(SeenHost())
    assert {name: getattr(evidence, name) for name in shown} == shown


def test_a_fact_that_was_not_seen_stays_unseen() -> None:
    """Where the probe saw no compiled views, health says so instead of counting none."""
    blind = FACTS.model_copy(update={"compiled": None, "unobserved": {"compiled": "the manifest was cut in half"}})
    seen = test_4_health.examine(SeenHost(blind))
    assert isinstance(seen.compiled, Unobserved)
    assert "cut in half" in str(seen.compiled)


def test_a_host_without_an_application_has_no_version() -> None:
    """Where no application answered, deployment assumes no version."""
    assert test_3_deployment.examine(SeenHost(FACTS.model_copy(update={"application": None}))).version == ""
