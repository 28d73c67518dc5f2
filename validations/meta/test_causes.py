"""One root cause is one failure: a host that is down, an application that does not boot, a page that is dead."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from fixtures.environments.settings import Environment
from fixtures.environments.transports import Unreachable
from fixtures.observation.facts import HostFacts, Unobserved
from fixtures.observation.pages import Answer, PageObservation
from reports.records import Verdict
from validations.causes import root_cause
from validations.contracts import failed, passed, unknown

NO_BOOT = "`about --json` ended with 1 and printed no JSON; it said: SyntaxError"
DOWN = "ssh://web-1 cannot be reached: Connection refused"
DEAD = (Answer(error="ConnectError: refused"),) * 3
ALIVE = (Answer(status=200, bytes=10, sentinel=True, document_end=True), Answer(status=500))


@dataclass
class Seen:
    """A host of which this was seen."""

    said: HostFacts | Unobserved
    answers: tuple[Answer, ...]
    id: str = "web-1"
    environment: Environment = field(
        default_factory=lambda: Environment(kind="gateway", url="http://shop.test", root="/srv")
    )

    def facts(self) -> HostFacts:
        """What the probe said."""
        if isinstance(self.said, Unobserved):
            raise self.said
        return self.said

    def page(self) -> PageObservation:
        """What the page answered."""
        return PageObservation("http://shop.test/", "s", self.answers, None, "")


FACTS = HostFacts(looked_by="probe", seconds=1.0, unobserved={"application": NO_BOOT})
BOOTED = HostFacts.model_validate_json(
    '{"looked_by": "probe", "seconds": 1, "application": {"name": "a", "environment": "e", "root": "/", "release": "r",'
    ' "runtime_user": "u"}}'
)


@pytest.mark.parametrize(
    ("said", "answers", "text", "carrier"),
    [
        pytest.param(Unreachable(DOWN), DEAD, f"web-1 is down: {DOWN}", "page", id="down"),
        pytest.param(Unreachable(DOWN), ALIVE, DOWN, "", id="out-of-reach"),
        pytest.param(FACTS, DEAD, f"the application on web-1 does not boot: {NO_BOOT}", "page", id="no-boot"),
        pytest.param(FACTS, ALIVE, f"the application on web-1 does not boot: {NO_BOOT}", "health", id="no-console"),
        pytest.param(
            BOOTED, DEAD, "the page of web-1 answers nothing whole: http://shop.test/", "page", id="dead-page"
        ),
    ],
)
def test_what_keeps_a_host_from_being_seen_is_one_cause(
    said: HostFacts | Unobserved, answers: tuple[Answer, ...], text: str, carrier: str
) -> None:
    """The cause is told once, and fails where it shows."""
    cause = root_cause(Seen(said, answers))  # type: ignore[arg-type]
    assert cause is not None
    assert cause.text.startswith(text)
    assert cause.carrier == carrier


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        pytest.param(BOOTED, ALIVE, id="some-answers"),
        pytest.param(BOOTED, (Answer(status=302, location="/login"),), id="sent-to-login"),
        pytest.param(BOOTED, (), id="not-asked"),
        pytest.param(Unobserved("the probe's answer could not be read"), ALIVE, id="unread-probe"),
    ],
)
def test_what_is_seen_is_judged_as_it_is(said: HostFacts | Unobserved, answers: tuple[Answer, ...]) -> None:
    """A host that answers has no root cause: each cell speaks for itself."""
    assert root_cause(Seen(said, answers)) is None  # type: ignore[arg-type]


def test_of_a_host_that_is_down_one_cell_fails() -> None:
    """The page fails; everything else is unknown because of one thing, and what is green stays green."""
    cause = root_cause(Seen(Unreachable(DOWN), DEAD))  # type: ignore[arg-type]
    assert cause is not None
    dead = failed("3 of 3 answers were not the complete page", "200")
    assert cause.applied("page", "complete", dead) == dead
    for check, part, judgement in (
        ("writable", "logs", unknown(f"not observed: {DOWN}")),
        ("locks", "reachable", failed(DOWN, "a Redis that answers")),
        ("middleware", "answers", unknown("no worker answered")),
        ("health", "runs", failed("it did not run", "an answer")),
    ):
        applied = cause.applied(check, part, judgement)
        assert (applied.verdict, applied.cause) == (Verdict.UNKNOWN, cause.text), check
    assert cause.applied("locks", "eviction", passed("noeviction")).verdict is Verdict.PASS


def test_a_failure_of_its_own_stays_one() -> None:
    """What a root cause does not explain is judged beside it."""
    cause = root_cause(Seen(FACTS, ALIVE))  # type: ignore[arg-type]
    assert cause is not None
    own = failed("www-data cannot write storage/logs", "writable")
    assert cause.applied("writable", "logs", own) == own
    assert cause.applied("page", "complete", failed("1 of 2 answers", "200")).verdict is Verdict.FAIL
    assert cause.applied("health", "runs", failed("it did not run", "an answer")).verdict is Verdict.FAIL
    assert cause.applied("middleware", "registered", unknown(f"not asked: {NO_BOOT}")).cause == cause.text
