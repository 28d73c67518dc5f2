"""One root cause is one failure: a host that is down, an application that does not boot, a page that is dead."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from fixtures.environments.settings import Environment
from fixtures.environments.transports import Unreachable
from fixtures.observation.facts import HostFacts, Unobserved
from fixtures.observation.pages import Answer, PageObservation
from reports.records import Finding, Verdict
from validations.causes import Cause, root_cause

NO_BOOT = "`about --json` ended with 1 and printed no JSON; it said: SyntaxError"
DOWN = "ssh://web-1 cannot be reached: Connection refused"
DEAD = (Answer(error="ConnectError: refused"),) * 3
ALIVE = (Answer(status=200, bytes=10, sentinel=True, document_end=True), Answer(status=500))


def unknown(observed: str) -> Finding:
    """Return that something is not known."""
    return Finding(Verdict.UNKNOWN, "locks.not-asked", observed)


def failed(observed: str) -> Finding:
    """Return that something is bad."""
    return Finding(Verdict.FAIL, "locks.unreachable", observed, "good", "mend it")


NOT_APPLICABLE = Finding(Verdict.NOT_APPLICABLE, "page.unmarked-by-agreement", "none")
PASSED = Finding(Verdict.PASS, "locks.not-evictable", "noeviction")


@dataclass
class Seen:
    """A host of which this was seen."""

    said: HostFacts | Unobserved
    answers: tuple[Answer, ...] | None
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
        if self.answers is None:
            raise Unobserved("nobody asked for it")
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


WHERE = "http://shop.test/"
CONSOLE = "run its console by hand and read what it says"


@pytest.mark.parametrize(
    ("said", "answers", "cause"),
    [
        pytest.param(
            Unreachable(DOWN),
            DEAD,
            Cause(
                text=f"web-1 is down: {DOWN}; and its page: {WHERE}: ConnectError: refused",
                carrier="page",
                reason=DOWN,
                page=True,
                console=True,
                remedy="bring the host up, or its way",
            ),
            id="down",
        ),
        pytest.param(
            Unreachable(DOWN),
            ALIVE,
            Cause(DOWN, "", DOWN, page=False, console=False, remedy="bring the host up, or its way"),
            id="out-of-reach",
        ),
        pytest.param(
            FACTS,
            DEAD,
            Cause(
                f"the application on web-1 does not boot: {NO_BOOT}",
                "page",
                NO_BOOT,
                page=True,
                console=True,
                remedy=CONSOLE,
            ),
            id="no-boot",
        ),
        pytest.param(
            HostFacts(looked_by="probe", seconds=1.0),
            ALIVE,
            Cause(
                "the application on web-1 does not boot: it does not say what it is",
                "health",
                "it does not say what it is",
                page=False,
                console=True,
                remedy=CONSOLE,
            ),
            id="no-word",
        ),
        pytest.param(
            BOOTED,
            (Answer(status=500), Answer(error="ReadTimeout"), Answer(status=500)),
            Cause(
                f"the page of web-1 answers nothing whole: {WHERE}: status 500",
                "page",
                "",
                page=True,
                console=False,
                remedy="see check 7: bring the page back",
            ),
            id="dead-page",
        ),
        pytest.param(
            BOOTED,
            (Answer(status=500), Answer(error="ConnectError"), Answer(error="ConnectError")),
            Cause(
                f"the page of web-1 answers nothing whole: {WHERE}: ConnectError",
                "page",
                "",
                page=True,
                console=False,
                remedy="see check 7: bring the page back",
            ),
            id="mostly-refused",
        ),
        pytest.param(BOOTED, (Answer(status=500), Answer(status=499)), None, id="refused-and-not-broken"),
        pytest.param(BOOTED, None, None, id="page-not-seen"),
    ],
)
def test_a_cause_is_told_whole(
    said: HostFacts | Unobserved, answers: tuple[Answer, ...] | None, cause: Cause | None
) -> None:
    """What keeps a host from being seen comes with the check that fails for it, what it explains, and what to do."""
    assert root_cause(Seen(said, answers)) == cause  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cause", "check", "part", "finding", "explained"),
    [
        pytest.param("page", "middleware", "answers", unknown("none"), True, id="part-by-the-page"),
        pytest.param("page", "middleware", "repairs", unknown("none"), False, id="part-not-by-the-page"),
        pytest.param("page", "disclosure", "named", failed("none"), True, id="check-by-the-page"),
        pytest.param("page", "availability", "", unknown("none"), True, id="objective-by-the-page"),
        pytest.param("page", "health", "runs", unknown("none"), False, id="check-not-by-the-page"),
        pytest.param("page", "page", "guest", unknown("none"), True, id="what-the-carrier-does-not-know"),
        pytest.param("console", "health", "runs", failed("none"), True, id="check-by-the-console"),
        pytest.param("console", "middleware", "repairs", failed("none"), True, id="part-by-the-console"),
        pytest.param("console", "recovery", "", failed("none"), True, id="objective-by-the-console"),
        pytest.param("console", "middleware", "answers", failed("none"), False, id="part-not-by-the-console"),
        pytest.param("console", "locks", "store", unknown("none"), True, id="unknown-for-want-of-the-console"),
        pytest.param("console", "locks", "store", failed("none"), False, id="failed-beside-the-console"),
        pytest.param("reason", "locks", "store", failed("why: gone"), True, id="told-by-its-reason"),
        pytest.param("reason", "locks", "store", failed("why not"), False, id="told-by-another-reason"),
        pytest.param("page", "page", "complete", NOT_APPLICABLE, False, id="what-does-not-apply"),
    ],
)
def test_a_cause_explains_what_needs_what_is_gone(
    cause: str,
    check: str,
    part: str,
    finding: Finding,
    explained: bool,  # noqa: FBT001 - a column
) -> None:
    """What is judged by answers of the page or the console is unknown for want of them; all else speaks for itself."""
    one = Cause("it is gone", "page", "gone" if cause == "reason" else "", cause == "page", cause == "console", "do")
    applied = one.applied(check, part, finding)
    if not explained:
        assert applied == finding
        return
    assert (applied.verdict, applied.code) == (Verdict.UNKNOWN, f"{check}.follows")
    assert (applied.cause, applied.remedy, applied.level) == ("it is gone", "do", None)


def test_of_a_host_that_is_down_one_cell_fails() -> None:
    """The page fails; everything else is unknown because of one thing, and what is green stays green."""
    cause = root_cause(Seen(Unreachable(DOWN), DEAD))  # type: ignore[arg-type]
    assert cause is not None
    dead = failed("3 of 3 answers were not the complete page")
    assert cause.applied("page", "complete", dead) == dead
    for check, part, finding in (
        ("writable", "logs", unknown(f"not observed: {DOWN}")),
        ("locks", "reachable", failed(DOWN)),
        ("middleware", "answers", unknown("no worker answered")),
        ("health", "runs", failed("it did not run")),
    ):
        applied = cause.applied(check, part, finding)
        assert (applied.verdict, applied.cause) == (Verdict.UNKNOWN, cause.text), check
    assert cause.applied("locks", "eviction", PASSED).verdict is Verdict.PASS


def test_a_failure_of_its_own_stays_one() -> None:
    """What a root cause does not explain is judged beside it."""
    cause = root_cause(Seen(FACTS, ALIVE))  # type: ignore[arg-type]
    assert cause is not None
    own = failed("www-data cannot write storage/logs")
    assert cause.applied("writable", "logs", own) == own
    assert cause.applied("page", "complete", failed("1 of 2 answers")).verdict is Verdict.FAIL
    assert cause.applied("health", "runs", failed("it did not run")).verdict is Verdict.FAIL
    assert cause.applied("middleware", "registered", unknown(f"not asked: {NO_BOOT}")).cause == cause.text
