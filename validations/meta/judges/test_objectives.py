"""The objectives are met by measurements alone: too few, too late, too seldom, or not measured never passes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from fixtures.environments.settings import Objectives, Page
from fixtures.observation.facts import CompiledViews, ErrorLog, Schedule, ScheduleEntry, Unobserved
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Verdict
from validations.gate.test_objectives import Evidence, judge
from validations.registry import (
    AVAILABILITY,
    COVERAGE,
    ERRORS,
    OBJECTIVES,
    RECOVERY,
    SCHEDULED_HEALTH,
    SCHEDULED_REBUILD,
    VIEWS,
    Check,
)

WHOLE = Answer(status=200, bytes=90_000, sentinel=True, document_end=True)
BLANK = Answer(status=200)
COMPILED = CompiledViews(path="/v", generation="/v/g", sources=682, intact=682, bytes=3_000_000)
LOG = ErrorLog(path="/l", bytes=900, entries=12, errors={})
HEALTH = ScheduleEntry(expression="*/5 * * * *", command="artisan view:health-check --fix")
REBUILD = ScheduleEntry(expression="0 3 * * *", command="artisan view:cache")
GOOD = Evidence(
    agreed=Objectives(),
    compiled=COMPILED,
    log=LOG,
    schedule=Schedule(entries=(HEALTH, REBUILD)),
    page=Page(),
    answers=(WHOLE,) * 300,
    history=(),
    repair=Repair("v", "/f", WHOLE, "intact", 0.04),
    host="a",
    told={"a": {"release": "r1"}, "b": {"release": "r1"}},
)
NOTHING = replace(
    GOOD,
    compiled=Unobserved("not there"),
    log=Unobserved("not there"),
    schedule=Unobserved("not there"),
    answers=(),
    repair=Unobserved("not there"),
    told={"a": Unobserved("not there"), "b": Unobserved("not there")},
)


def compiled(**changes: Any) -> Evidence:
    """Return good evidence with changes to the compiled views."""
    return replace(GOOD, compiled=COMPILED.model_copy(update=changes))


def log(**changes: Any) -> Evidence:
    """Return good evidence with changes to the log."""
    return replace(GOOD, log=LOG.model_copy(update=changes))


def schedule(*entries: ScheduleEntry) -> Evidence:
    """Return good evidence with another schedule."""
    return replace(GOOD, schedule=Schedule(entries=entries))


def run(days_ago: float, requests: int, complete: int) -> dict[str, Any]:
    """Return a recorded run."""
    started = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
    return {"started": started.isoformat(), "figures": {"page": {"requests": requests, "complete": complete}}}


@pytest.mark.parametrize("objective", OBJECTIVES, ids=[check.id for check in OBJECTIVES])
def test_an_objective_that_is_met_passes_with_its_value(objective: Check) -> None:
    """What was measured and reaches the target is green."""
    assert judge(GOOD, objective).verdict is Verdict.PASS


@pytest.mark.parametrize("objective", OBJECTIVES, ids=[check.id for check in OBJECTIVES])
def test_an_objective_that_was_not_measured_is_unknown(objective: Check) -> None:
    """What was not measured is never met, and says so."""
    judgement = judge(NOTHING, objective)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.reason.startswith("not measured: ")


def test_recovery_on_a_read_only_environment_is_unknown() -> None:
    """Where no defect may be planted, nothing is known of recovery."""
    judgement = judge(replace(GOOD, repair=None), RECOVERY)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "read only" in judgement.reason


@pytest.mark.parametrize(
    ("objective", "evidence", "said"),
    [
        pytest.param(VIEWS, compiled(intact=681), "681 compiled views, but should be at least 682", id="one-view-less"),
        pytest.param(VIEWS, compiled(intact=0), "0 compiled views", id="no-views"),
        pytest.param(COVERAGE, compiled(intact=681, missing=("a.html",)), "a.html: not compiled", id="missing"),
        pytest.param(COVERAGE, compiled(intact=681, damaged=("a.html: empty",)), "a.html: empty", id="damaged"),
        pytest.param(COVERAGE, compiled(intact=600), "600 of 682", id="fewer-and-none-named"),
        pytest.param(
            ERRORS,
            log(errors={"filemtime": 2, "parse": 1}, latest="filemtime(): stat failed"),
            "3 view errors in the last hour (2 filemtime, 1 parse); the latest: filemtime(): stat failed",
            id="errors",
        ),
        pytest.param(SCHEDULED_HEALTH, schedule(), "the schedule has nothing", id="empty-schedule"),
        pytest.param(SCHEDULED_HEALTH, schedule(REBUILD), "the schedule has artisan view:cache", id="no-health-check"),
        pytest.param(
            SCHEDULED_HEALTH,
            schedule(HEALTH.model_copy(update={"command": "artisan view:health-check"})),
            "the schedule has artisan view:health-check",
            id="health-without-fix",
        ),
        pytest.param(
            SCHEDULED_HEALTH,
            schedule(HEALTH.model_copy(update={"expression": "0 5 * * *"})),
            "is scheduled at 0 5 * * *",
            id="health-once-a-day",
        ),
        pytest.param(
            SCHEDULED_REBUILD,
            schedule(REBUILD.model_copy(update={"command": "artisan config:cache"})),
            "config:cache",
            id="another-cache",
        ),
        pytest.param(
            SCHEDULED_REBUILD,
            schedule(REBUILD.model_copy(update={"expression": "0 15 * * *"})),
            "is scheduled at 0 15 * * *",
            id="rebuild-at-noon",
        ),
        pytest.param(
            AVAILABILITY, replace(GOOD, answers=(*GOOD.answers, BLANK)), "300 of 301 requests", id="one-blank-200"
        ),
        pytest.param(
            AVAILABILITY,
            replace(GOOD, answers=(*GOOD.answers, BLANK), history=(run(1, 1000, 990),)),
            "1,290 of 1,301 requests",
            id="a-blank-200-after-a-bad-run",
        ),
        pytest.param(
            RECOVERY,
            replace(GOOD, repair=Repair("v", "/f", WHOLE, "truncated", None)),
            "v was not served complete and intact again",
            id="not-repaired",
        ),
        pytest.param(
            RECOVERY,
            replace(GOOD, repair=Repair("v", "/f", BLANK, "intact", 0.1)),
            "was not served complete",
            id="repaired-and-blank",
        ),
        pytest.param(
            RECOVERY,
            replace(GOOD, repair=Repair("v", "/f", WHOLE, "intact", 300.5)),
            "recovered after 300.5 s, but should be within 300 s",
            id="too-late",
        ),
    ],
)
def test_an_objective_that_is_missed_is_red(objective: Check, evidence: Evidence, said: str) -> None:
    """A missed objective says what was measured."""
    judgement = judge(evidence, objective)
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


def test_an_application_without_sources_is_not_covered() -> None:
    """All of no templates is no coverage."""
    assert judge(compiled(sources=0, intact=0), COVERAGE).verdict is Verdict.UNKNOWN


def test_a_log_that_holds_nothing_shows_nothing() -> None:
    """Where no entry was ever written, nothing shows that errors would be."""
    assert judge(log(entries=0), ERRORS).verdict is Verdict.UNKNOWN


def test_runs_of_another_time_do_not_count() -> None:
    """Availability is that of the last 30 days: an old disaster is over, and old glory does not help."""
    assert judge(replace(GOOD, history=(run(31, 1000, 0),)), AVAILABILITY).verdict is Verdict.PASS
    glory = replace(GOOD, answers=(WHOLE,) * 99 + (BLANK,), history=(run(31, 10**6, 10**6),))
    assert judge(glory, AVAILABILITY).verdict is Verdict.FAIL


def test_availability_is_that_of_this_run_and_the_runs_before() -> None:
    """Requests of recorded runs count with those of this one."""
    judgement = judge(replace(GOOD, history=(run(1, 700, 700), run(2, 1000, 1000))), AVAILABILITY)
    assert judgement.verdict is Verdict.PASS
    assert "2,000 of 2,000 requests complete in 3 runs" in judgement.reason
    assert "at least 99.85 % with 95 % confidence" in judgement.reason


def test_an_outage_of_the_past_does_not_fail_the_deploy_that_ended_it() -> None:
    """Where the recorded runs miss the target and this run does not, that is said, and fails nothing."""
    judgement = judge(replace(GOOD, history=(run(1, 1000, 990),)), AVAILABILITY)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "1,290 of 1,300 requests" in judgement.reason


def test_the_agreed_targets_are_those_of_the_environment() -> None:
    """An environment may agree to other targets than the brief's."""
    agreed = Objectives(compiled_views=1000, availability=1.0, recovery_seconds=0.01)
    strict = replace(GOOD, agreed=agreed, answers=(*GOOD.answers, BLANK))
    for objective in (VIEWS, AVAILABILITY, RECOVERY):
        assert judge(strict, objective).verdict is Verdict.FAIL
