"""Of a host that shows nothing, no check passes: each part is driven through `examine` and `judge`."""

from __future__ import annotations

import pytest

from fixtures.environments.base import Disturbance
from fixtures.environments.settings import Environment, FurtherPage
from fixtures.observation.browser import BrowserObservation
from fixtures.observation.facts import HostFacts, Unobserved
from fixtures.observation.lock_store import LockObservation, LockStore
from fixtures.observation.pages import Answer, PageObservation
from fixtures.observation.repair import Repair
from reports.records import Level, Verdict
from validations.driver import findings
from validations.registry import EIGHT, OBJECTIVES, Check

ENVIRONMENT = Environment(
    kind="gateway", url="http://127.0.0.1:1", root="/nowhere", runtime_user="www-data", panels=("admin",)
)
# What a read-only environment passes without an effect; the rest of the cell has to show something.
NOT_EXERCISED = {("middleware", "repairs"), ("locks", "taken"), ("locks", "owned")}
every_check = pytest.mark.parametrize("check", [*EIGHT, *OBJECTIVES], ids=lambda check: check.id)


class BlindHost:
    """A host of which nothing can be seen: `facts` and `answers` are what there is instead."""

    id = "blind"
    environment = ENVIRONMENT

    def __init__(self, facts: HostFacts | None, answers: tuple[Answer, ...]) -> None:
        self._facts = facts
        self._answers = answers

    @property
    def disturbance(self) -> Disturbance | None:
        """Nothing may be done to it."""
        return None

    def facts(self) -> HostFacts:
        """Return facts without a single section, or nothing."""
        if self._facts is None:
            raise Unobserved("the probe ended with 1")
        return self._facts

    def page(self) -> PageObservation:
        """Return a page nobody got."""
        return PageObservation("http://127.0.0.1:1/", "sentinel", self._answers, None, "")

    def further_page(self, page: FurtherPage) -> Answer:
        """Return no answer."""
        raise Unobserved(f"nobody asked for {page.name}")

    def browser(self) -> BrowserObservation:
        """Return no visit."""
        raise Unobserved("the browser's visit ended with 1")

    def lock_store(self) -> LockStore:
        """Return no store."""
        raise Unobserved("Redis could not be asked")


class DisturbedBlindHost(BlindHost):
    """A host that may be disturbed, and cannot be."""

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


BLIND = [
    pytest.param(None, (), id="no-probe"),
    pytest.param(HostFacts(looked_by="nobody", seconds=0.0), (), id="no-sections"),
    pytest.param(HostFacts(looked_by="nobody", seconds=0.0), (Answer(error="ConnectError"),) * 9, id="no-answers"),
    pytest.param(None, (Answer(status=200),) * 9, id="blank-answers"),
]


@every_check
@pytest.mark.parametrize(("facts", "answers"), BLIND)
def test_no_part_passes_on_a_stage_that_shows_nothing(
    check: Check, facts: HostFacts | None, answers: tuple[Answer, ...]
) -> None:
    """Every part of every check and objective is red or unknown where nothing was observed, and says why."""
    for finding in findings(check, DisturbedBlindHost(facts, answers)).values():
        assert finding.verdict in {Verdict.FAIL, Verdict.UNKNOWN}
        assert finding.reason


@every_check
@pytest.mark.parametrize(("facts", "answers"), BLIND)
def test_no_check_passes_on_a_read_only_host_that_shows_nothing(
    check: Check, facts: HostFacts | None, answers: tuple[Answer, ...]
) -> None:
    """Only the effects that a read-only environment cannot have pass, saying so, and never carry a whole cell."""
    seen = findings(check, BlindHost(facts, answers))
    for part, finding in seen.items():
        if finding.verdict is Verdict.PASS:
            assert (check.id, part) in NOT_EXERCISED
            assert finding.level is Level.DECLARED
            assert finding.code == f"{check.id}.not-exercised"
    # One host alone has nobody to agree with.
    assert any(not finding.green for finding in seen.values()) or not check.parts(ENVIRONMENT)
