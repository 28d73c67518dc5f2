"""What a check examines is what its host shows: no fact is left out, replaced or mistaken for another on the way."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from fixtures.environments.base import Disturbance
from fixtures.environments.settings import Environment, FurtherPage
from fixtures.observation.browser import BrowserObservation
from fixtures.observation.facts import Absent, ApplicationLog, HostFacts, Schedule, Unobserved, parse
from fixtures.observation.lock_store import LockObservation, LockStore, WatchedRebuild
from fixtures.observation.markup import Disclosure
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
    test_8_disclosure,
    test_objectives,
)
from validations.versions import race_of

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
ASKED = FurtherPage(name="dash", path="/admin", visitor="user")
NOT_ASKED = FurtherPage(name="other", path="/other", visitor="guest")
VISIT = BrowserObservation("Chromium", 200, (), (), pictures={"closed": b"picture"})
REPAIR = Repair("v", "/v/v.view", ANSWER, "intact", 0.1)


T = TypeVar("T")


def _said(what: T | Unobserved) -> T:
    if isinstance(what, Unobserved):
        raise what
    return what


class SeenHost:
    """A host of which everything can be seen."""

    id = "seen"

    def __init__(
        self,
        facts: HostFacts | Unobserved = FACTS,
        environment: Environment = ENVIRONMENT,
        page: PageObservation | Unobserved = PAGE,
        visit: BrowserObservation | Unobserved = Absent("none was asked for"),  # noqa: B008 - never raised twice
    ) -> None:
        self._facts = facts
        self._page = page
        self._visit = visit
        self.environment = environment

    @property
    def disturbance(self) -> Disturbance:
        """It may be disturbed."""
        return self

    def facts(self) -> HostFacts:
        """Return all of them."""
        return _said(self._facts)

    def page(self) -> PageObservation:
        """Return its answers."""
        return _said(self._page)

    def further_page(self, page: FurtherPage) -> Answer:
        """Return the answer of the one that was asked for."""
        if page != ASKED:
            raise Unobserved(f"nobody asked for {page.name}")
        return ANSWER

    def browser(self) -> BrowserObservation:
        """Return the visit."""
        return _said(self._visit)

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


@pytest.mark.parametrize(
    ("marks", "middleware", "release"),
    [
        pytest.param(None, True, True, id="gateway"),
        pytest.param((), False, False, id="neither"),
        pytest.param(("middleware",), True, False, id="middleware"),
        pytest.param(("release",), False, True, id="release"),
    ],
)
def test_a_check_knows_which_headers_every_answer_has_to_carry(
    marks: tuple[Any, ...] | None,
    middleware: bool,  # noqa: FBT001 - a column
    release: bool,  # noqa: FBT001 - a column
) -> None:
    """Of an application without our headers the checks do not ask for them."""
    host = SeenHost(environment=ENVIRONMENT.model_copy(update={"marks": marks}))
    assert test_1_middleware.examine(host).marked is middleware
    assert test_7_page.examine(host).marked is release


def test_further_pages_are_each_asked_for() -> None:
    """Each page that the environment names comes with its answer, or with why there is none."""
    host = SeenHost(environment=ENVIRONMENT.model_copy(update={"pages": (ASKED, NOT_ASKED)}))
    (first, answer), (second, none) = test_7_page.examine(host).further
    assert (first, answer, second) == (ASKED, ANSWER, NOT_ASKED)
    assert isinstance(none, Unobserved)
    assert str(none) == "nobody asked for other"


def test_the_page_is_told_with_the_race_of_its_version() -> None:
    """The race is that of the version that the application tells; where it tells none, the reason is kept."""
    assert test_7_page.examine(SeenHost()).race == race_of("8.83.26") is not None
    silent = FACTS.model_copy(update={"application": None, "unobserved": {"application": "it does not boot"}})
    seen = test_7_page.examine(SeenHost(silent))
    assert (str(seen.release), seen.race) == ("it does not boot", None)


READ = '<!doctype html><dd data-field="call_id" data-tier="1">42</dd>'


@pytest.mark.parametrize("production", [True, False], ids=["production", "stage"])
def test_the_document_and_the_visit_are_those_of_the_page(production: bool) -> None:  # noqa: FBT001 - a column
    """Disclosure reads one body and takes the visit; pictures of production, which shows real callers, stay there."""
    host = SeenHost(
        environment=ENVIRONMENT.model_copy(update={"production": production}),
        page=replace(PAGE, answers=(Answer(error="ReadTimeout"), ANSWER), body=READ),
        visit=VISIT,
    )
    seen = test_8_disclosure.examine(host)
    assert [row.path for row in seen.rows] == ["call_id"]
    assert seen.browser == (replace(VISIT, pictures={}) if production else VISIT)


def test_a_page_that_was_not_visited_says_why() -> None:
    """Where there is no browser the document is read all the same, and the reason kept."""
    seen = test_8_disclosure.examine(SeenHost(page=replace(PAGE, body=READ)))
    assert isinstance(seen.browser, Absent)
    assert str(seen.browser) == "none was asked for"
    assert len(seen.rows) == 1


def test_the_document_is_marked_up_as_the_environment_says() -> None:
    """Fields and what opens them are looked for by the environment's own selectors."""
    disclosure = Disclosure(markup="selectors", field="[data-x]", field_attribute="data-x", tiers=("#a", "#b", "#c"))
    host = SeenHost(
        environment=ENVIRONMENT.model_copy(update={"disclosure": disclosure}),
        page=replace(PAGE, body='<!doctype html><dd data-x="call_id">access_token</dd>'),
    )
    seen = test_8_disclosure.examine(host)
    assert ([row.path for row in seen.rows], list(seen.by_path), seen.markup) == (["call_id"], ["call_id"], "selectors")
    assert seen.mentions_secret


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        pytest.param((), "no answer", id="none"),
        pytest.param((Answer(error="ReadTimeout"), Answer(status=500)), "ReadTimeout", id="refused"),
        pytest.param((Answer(status=500), Answer(error="ReadTimeout")), "status 500", id="error"),
    ],
)
def test_what_is_no_page_shows_nothing_of_disclosure(answers: tuple[Answer, ...], said: str) -> None:
    """Where no answer has the page's status there is nothing to look into, and the first one says why."""
    with pytest.raises(Unobserved, match=f"^there is no page to look into: {said}$"):
        test_8_disclosure.examine(SeenHost(page=replace(PAGE, answers=answers)))


LOG = ApplicationLog(path="/l", bytes=9, entries=1, levels={}, sent=(), left_out=0, whole=True)
FULL = FACTS.model_copy(update={"log": LOG, "schedule": Schedule(entries=())})


def test_the_objectives_take_what_the_host_the_page_and_the_history_show() -> None:
    """Each fact that the objectives are judged by is the one of that name; a host that may be disturbed is repaired."""
    before = dt.datetime.now(dt.UTC)
    seen = test_objectives.examine(SeenHost(FULL), [{"run": 1}])
    assert before <= seen.now <= dt.datetime.now(dt.UTC)
    assert seen == test_objectives.Evidence(
        agreed=ENVIRONMENT.objectives,
        compiled=FACTS.seen("compiled"),
        log=FULL.seen("log"),
        schedule=FULL.seen("schedule"),
        page=ENVIRONMENT.page,
        answers=PAGE.answers,
        history=({"run": 1},),
        repair=REPAIR,
        now=seen.now,
        version="8.83.26",
        environment="production",
    )


def test_objectives_say_of_each_fact_why_it_was_not_seen() -> None:
    """A host that is silent leaves every fact open with the reason, and one that lacks a section leaves that one."""
    silent = test_objectives.examine(SeenHost(Unobserved("no probe"), page=Unobserved("no page")), [])
    for fact in (silent.compiled, silent.log, silent.schedule):
        assert isinstance(fact, Unobserved)
        assert str(fact) == "no probe"
    assert (silent.answers, silent.version) == ((), "")
    partly = test_objectives.examine(SeenHost(FACTS.model_copy(update={"application": None, "compiled": None})), [])
    assert partly.version == ""
    for fact in (partly.compiled, partly.log, partly.schedule):
        assert isinstance(fact, Unobserved)


def test_releases_that_were_not_seen_are_told_with_the_reason() -> None:
    """Where nobody knows how releases lie, deployment keeps why."""
    silent = FACTS.model_copy(update={"topology": None, "unobserved": {"topology": "no console"}})
    assert str(test_3_deployment.examine(SeenHost(silent)).topology) == "no console"
