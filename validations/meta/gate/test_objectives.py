"""The objectives are met by measurements alone: too few, too late, too seldom, or not measured never passes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from fixtures.environments.settings import Objectives, Page
from fixtures.observation.facts import (
    ApplicationLog,
    CompiledFiles,
    CompiledViews,
    LogEntry,
    Schedule,
    ScheduleEntry,
    Unobserved,
)
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Verdict
from validations.contracts import Judgement, failed, passed, unknown
from validations.gate.test_objectives import Evidence, judge
from validations.registry import (
    AGREEMENT,
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

# Whether hosts agree is judged by all hosts, and tested beside this.
every_objective = pytest.mark.parametrize(
    "objective", [one for one in OBJECTIVES if one is not AGREEMENT], ids=lambda check: check.id
)
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
WHOLE = Answer(status=200, bytes=90_000, sentinel=True, document_end=True)
BLANK = Answer(status=200)
COMPILED = CompiledViews(path="/v", generation="/v/g", sources=682, intact=682, bytes=3_000_000)
QUEUE = LogEntry(text="[2026-11-25 11:59:00] production.ERROR: a queue is down\n#0 a.php", cut=False, times=2)
VIEW = QUEUE.model_copy(update={"text": "[2026-11-25 11:59:30] production.ERROR: filemtime(): stat failed"})
TOUCH = QUEUE.model_copy(update={"text": "[2026-11-25 11:59:40] production.ERROR: touch(): Utime failed", "times": 1})
LOG = ApplicationLog(
    path="/l", bytes=900, entries=12, levels={"ERROR": 2, "INFO": 3}, sent=(QUEUE,), left_out=0, whole=True
)
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
    now=NOW,
)
NOTHING = replace(
    GOOD,
    compiled=Unobserved("not there"),
    log=Unobserved("not there"),
    schedule=Unobserved("not there"),
    answers=(),
    repair=Unobserved("not there"),
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
    started = NOW - dt.timedelta(days=days_ago)
    return {"started": started.isoformat(), "figures": {"page": {"requests": requests, "complete": complete}}}


@every_objective
def test_an_objective_that_is_met_passes_with_its_value(objective: Check) -> None:
    """What was measured and reaches the target is green."""
    assert judge(GOOD, objective).verdict is Verdict.PASS


@every_objective
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
            log(sent=(QUEUE, VIEW)),
            "2 view errors in the last hour (2 filemtime); the latest: filemtime(): stat failed",
            id="errors",
        ),
        pytest.param(
            ERRORS,
            log(sent=(VIEW.model_copy(update={"cut": True}),), left_out=3, whole=False),
            "2 view errors",
            id="errors-in-a-log-that-was-not-read-whole",
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


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        pytest.param(log(left_out=7), "7 of the last hour's entries were left out", id="left-out"),
        pytest.param(log(sent=()), "2 of the last hour's entries were left out", id="not-there"),
        pytest.param(log(whole=False), "the hour began before", id="not-whole"),
        pytest.param(log(sent=(QUEUE.model_copy(update={"cut": True}),)), "2 of the last hour's entries", id="cut"),
        pytest.param(log(sent=(QUEUE.model_copy(update={"text": "{}"}),)), "2 of the last hour's", id="other-format"),
    ],
)
def test_a_log_that_was_not_read_whole_shows_nothing(evidence: Evidence, said: str) -> None:
    """Where a part of the last hour was not read, the rest without a view error is no proof of none."""
    judgement = judge(evidence, ERRORS)
    assert judgement.verdict is Verdict.UNKNOWN
    assert said in judgement.reason


def test_what_is_logged_below_a_problem_is_no_view_error() -> None:
    """An entry that the application itself calls a notice does not count, should one be sent."""
    notice = VIEW.model_copy(update={"text": VIEW.text.replace("ERROR", "NOTICE")})
    assert judge(log(sent=(notice,)), ERRORS).verdict is Verdict.PASS


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


def files(*package_missing: str, package_sources: int = 9, **told: Any) -> Evidence:
    """Return good evidence with files of no template of the application beside its compiled views."""
    return compiled(
        files=CompiledFiles(count=9, intact=9, **told),
        package_missing=package_missing,
        package_missing_count=len(package_missing),
        package_sources=package_sources,
    )


def answered(good: int, bad: int, *runs: dict[str, Any]) -> Evidence:
    """Return good evidence with so many whole and so many blank answers, after these runs."""
    return replace(GOOD, answers=(WHOLE,) * good + (BLANK,) * bad, history=runs)


def other(entry: ScheduleEntry, **changes: Any) -> ScheduleEntry:
    """Return the entry with changes."""
    return entry.model_copy(update=changes)


PUBLISHED = "resources/views/vendor/a"
LEFT_OUT = (
    "compile resources/views/vendor/ yourself after view:cache, which leaves it out since Laravel 11.49 and 12.54"
)


@pytest.mark.parametrize(
    ("objective", "evidence", "told"),
    [
        pytest.param(VIEWS, GOOD, passed("682 compiled views, of at least 682", value=682.0, target=682.0), id="views"),
        pytest.param(VIEWS, replace(compiled(intact=1), agreed=Objectives(compiled_views=1)),
            passed("1 compiled view, of at least 1", value=1.0, target=1.0), id="views-just-enough"),
        pytest.param(VIEWS, NOTHING, unknown("not measured: not there"), id="views-not-measured"),
        pytest.param(VIEWS, replace(compiled(intact=1999), agreed=Objectives(compiled_views=2000)),
            failed("1,999 compiled views", "at least 2,000", value=1999.0, target=2000.0), id="views-too-few"),
        pytest.param(VIEWS, replace(compiled(intact=1), agreed=Objectives(compiled_views=2)),
            failed("1 compiled view", "at least 2", value=1.0, target=2.0), id="one-view-too-few"),
        pytest.param(COVERAGE, GOOD,
            passed("all 682 templates are compiled and intact", value=1.0, target=1.0), id="coverage"),
        pytest.param(COVERAGE, NOTHING, unknown("not measured: not there"), id="coverage-not-measured"),
        pytest.param(COVERAGE, compiled(sources=0, intact=0),
            unknown("not measured: no template source was found"), id="coverage-of-nothing"),
        pytest.param(COVERAGE, compiled(sources=1, intact=1),
            passed("all 1 templates are compiled and intact", value=1.0, target=1.0), id="coverage-of-one"),
        pytest.param(COVERAGE, compiled(cached=False),
            failed("view.cache is false: every request compiles every view again, over what another is reading",
                "true, and compiled views that are kept", remedy="remove 'cache' => false from config/view.php"),
            id="coverage-without-a-cache"),
        pytest.param(COVERAGE, compiled(intact=341, damaged=("a: empty", "b: cut"), missing=("c", "d")),
            failed("341 of 682 templates have an intact compiled view; a: empty, b: cut, c: not compiled and 1"
                " more", "all of them", value=0.5, target=1.0), id="coverage-with-holes"),
        pytest.param(COVERAGE, replace(compiled(intact=681, missing=(PUBLISHED,)), version="12.60.0"),
            failed("681 of 682 templates have an intact compiled view; resources/views/vendor/a: not compiled",
                "all of them", remedy=LEFT_OUT, value=0.998533724340176, target=1.0),
            id="coverage-without-published-views"),
        pytest.param(COVERAGE, replace(compiled(intact=681, missing=(PUBLISHED,)), version="10.0.0"),
            failed("681 of 682 templates have an intact compiled view; resources/views/vendor/a: not compiled",
                "all of them", value=0.998533724340176, target=1.0), id="coverage-without-published-views-of-old"),
        pytest.param(COVERAGE, replace(compiled(intact=680, missing=(PUBLISHED, "b")), version="12.60.0"),
            failed("680 of 682 templates have an intact compiled view; resources/views/vendor/a: not compiled,"
                " b: not compiled", "all of them", value=0.9970674486803519, target=1.0),
            id="coverage-without-others-too"),
        pytest.param(COVERAGE, replace(compiled(intact=680, missing=(PUBLISHED,), damaged=("b: cut",)),
            version="12.60.0"),
            failed("680 of 682 templates have an intact compiled view; b: cut, resources/views/vendor/a: not"
                " compiled", "all of them", value=0.9970674486803519, target=1.0), id="coverage-with-damage-too"),
        pytest.param(COVERAGE, replace(compiled(intact=681, damaged=("b: cut",)), version="12.60.0"),
            failed("681 of 682 templates have an intact compiled view; b: cut", "all of them", value=0.998533724340176,
                target=1.0), id="coverage-of-damage"),
        pytest.param(COVERAGE, compiled(intact=683),
            failed("683 of 682 templates have an intact compiled view; ", "all of them", value=1.001466275659824,
                target=1.0), id="coverage-of-more-than-there-are"),
        pytest.param(COVERAGE, compiled(damaged=("a: stale",)),
            failed("682 of 682 templates have an intact compiled view; a: stale", "all of them", value=1.0, target=1.0),
            id="coverage-of-all-and-one-damaged"),
        pytest.param(COVERAGE, files(empty=("/e",), empty_count=1, cut=("/c",), cut_count=1),
            failed("2 compiled files that no template of the application asks for: /e, /c",
                "no file that is empty or cut off: a package's view is read as it is"), id="empty-package-views"),
        pytest.param(COVERAGE, files(cut=("/c",), cut_count=1),
            failed("1 compiled file that no template of the application asks for: /c",
                "no file that is empty or cut off: a package's view is read as it is"), id="one-cut-package-view"),
        pytest.param(COVERAGE, files("p", "q", duplicates=("/a", "/b"), duplicates_count=2, dead=("/d",), dead_count=1,
            elsewhere=("/x",), elsewhere_count=1),
            passed("all 682 templates are compiled and intact; 2 of 9 package views are not compiled, or under"
                " another spelling of their path: p and 1 more; 2 compiled under two spellings of their path:"
                " /a and 1 more; 2 of other releases or none: /d and 1 more", value=1.0, target=1.0),
            id="what-else-lies-there"),
        pytest.param(COVERAGE, files("p", package_sources=1),
            passed("all 682 templates are compiled and intact; 1 of 1 package view are not compiled, or under"
                " another spelling of their path: p", value=1.0, target=1.0), id="one-package-view"),
        pytest.param(COVERAGE, files(dead=("/d",), dead_count=1),
            passed("all 682 templates are compiled and intact; 1 of other releases or none: /d", value=1.0, target=1.0),
            id="dead-files-alone"),
        pytest.param(COVERAGE, files(elsewhere=("/x",), elsewhere_count=1),
            passed("all 682 templates are compiled and intact; 1 of other releases or none: /x", value=1.0, target=1.0),
            id="files-of-other-releases-alone"),
        pytest.param(ERRORS, GOOD,
            passed("none in the last hour, of 12 entries in the log", value=0.0, target=0.0), id="errors"),
        pytest.param(ERRORS, log(entries=1),
            passed("none in the last hour, of 1 entry in the log", value=0.0, target=0.0), id="errors-of-one-entry"),
        pytest.param(ERRORS, NOTHING, unknown("not measured: not there"), id="errors-not-measured"),
        pytest.param(ERRORS, log(entries=0, path="/logs/l"),
            unknown("not measured: /logs/l holds no entry, so nothing shows that errors would be written there"),
            id="errors-of-no-entry"),
        pytest.param(ERRORS, log(sent=(VIEW, TOUCH)),
            failed("3 view errors in the last hour (2 filemtime, 1 touch); the latest: touch(): Utime failed", "none",
                value=3.0, target=0.0), id="errors-of-two-kinds"),
        pytest.param(ERRORS, log(sent=(QUEUE, TOUCH)),
            failed("1 view error in the last hour (1 touch); the latest: touch(): Utime failed", "none", value=1.0,
                target=0.0), id="one-error"),
        pytest.param(ERRORS, log(left_out=1, whole=False),
            unknown("not measured: no view error was found in /l, but 1 of the last hour's entries were left out,"
                " and the hour began before what was read of the file",
                remedy="read the last hour of /l yourself, and find out what fills it"), id="errors-left-out"),
        pytest.param(SCHEDULED_HEALTH, GOOD,
            passed("view:health-check --fix at */5 * * * * is scheduled"), id="health"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, expression="0 5 * * *"), HEALTH),
            passed("view:health-check --fix at */5 * * * * is scheduled"), id="health-beside-another"),
        pytest.param(SCHEDULED_HEALTH, NOTHING, unknown("not measured: not there"), id="health-not-measured"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, expression="0 5 * * *"), other(HEALTH,
            expression="1 1 1 1 1")),
            failed("view:health-check --fix is scheduled at 0 5 * * *", "*/5 * * * *"), id="health-at-another-time"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, runs_here=False)),
            failed("view:health-check --fix is scheduled for other environments than this one",
                "view:health-check --fix at */5 * * * *"), id="health-elsewhere"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, expression="0 5 * * *"), other(HEALTH, runs_here=False)),
            failed("view:health-check --fix is scheduled at 0 5 * * *", "*/5 * * * *"), id="health-here-and-elsewhere"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, command="view:health-check --fixed")),
            failed("the schedule has view:health-check --fixed", "view:health-check --fix at */5 * * * *"),
            id="health-without-fix"),
        pytest.param(SCHEDULED_HEALTH, schedule(*[other(HEALTH, command=name) for name in "abcdef"]),
            failed("the schedule has a, b, c, d, e and 1 more", "view:health-check --fix at */5 * * * *"),
            id="health-nowhere"),
        pytest.param(SCHEDULED_REBUILD, GOOD, passed("view:cache at 0 3 * * * is scheduled"), id="rebuild"),
        pytest.param(SCHEDULED_REBUILD, schedule(),
            failed("the schedule has nothing", "view:cache at 0 3 * * *"), id="rebuild-nowhere"),
        pytest.param(AVAILABILITY, GOOD,
            passed("300 of 300 requests complete in 1 run: 100.000 % (at least 99.01 % with 95 % confidence)",
                value=1.0, target=0.999), id="availability"),
        pytest.param(AVAILABILITY, NOTHING,
            unknown("not measured: no request was made"), id="availability-not-measured"),
        pytest.param(AVAILABILITY, answered(1999, 1),
            passed("1,999 of 2,000 requests complete in 1 run: 99.950 %", value=0.9995, target=0.999),
            id="availability-of-this-run"),
        pytest.param(AVAILABILITY, answered(298, 2),
            failed("298 of 300 requests complete in 1 run: 99.333 %", "at least 99.9 %", value=0.9933333333333333,
                target=0.999), id="availability-missed"),
        pytest.param(AVAILABILITY, answered(999, 1),
            passed("999 of 1,000 requests complete in 1 run: 99.900 %", value=0.999, target=0.999),
            id="availability-just-met"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 700, 700), run(30, 1000, 1000)),
            passed("2,000 of 2,000 requests complete in 3 runs: 100.000 % (at least 99.85 % with 95 %"
                " confidence)", value=1.0, target=0.999), id="availability-of-runs"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 700, 700), run(30.1, 1000, 0)),
            passed("1,000 of 1,000 requests complete in 2 runs: 100.000 % (at least 99.70 % with 95 %"
                " confidence)", value=1.0, target=0.999), id="availability-of-runs-too-old"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 1000, 990)),
            unknown("not met by the recorded runs (1,290 of 1,300 requests complete in 2 runs: 99.231 %), while"
                " all 300 of this run were complete",
                remedy="nothing of this run: the objective is met again as complete answers add up"),
            id="availability-missed-by-the-runs-before"),
        pytest.param(AVAILABILITY, answered(300, 1, run(1, 1000, 990)),
            failed("1,290 of 1,301 requests complete in 2 runs: 99.154 %", "at least 99.9 %", value=0.9915449654112222,
                target=0.999), id="availability-missed-now-and-before"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 0, 0) | {"figures": {}},
            {"figures": {"page": {"requests": 9}}}, {"started": run(3, 0, 0)["started"]}),
            passed("300 of 300 requests complete in 3 runs: 100.000 % (at least 99.01 % with 95 % confidence)",
                value=1.0, target=0.999), id="availability-of-runs-without-a-page"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 0, 0) | {"figures": {"page": {"requests": "10",
            "complete": "10"}}}),
            passed("310 of 310 requests complete in 2 runs: 100.000 % (at least 99.04 % with 95 % confidence)",
                value=1.0, target=0.999), id="availability-of-runs-in-texts"),
        pytest.param(RECOVERY, GOOD,
            passed("40 ms from a planted defect to green, of at most 300 s", value=0.04, target=300.0), id="recovery"),
        pytest.param(RECOVERY, replace(GOOD, repair=Repair("v", "/f", WHOLE, "intact", 300.0)),
            passed("300000 ms from a planted defect to green, of at most 300 s", value=300.0, target=300.0),
            id="recovery-just-met"),
        pytest.param(RECOVERY, replace(GOOD, repair=None),
            unknown("not measured: a defect would have to be planted, and this environment is read only",
                remedy="run the gate with --intrusive, where a damaged compiled view may be risked for a moment"),
            id="recovery-read-only"),
        pytest.param(RECOVERY, NOTHING, unknown("not measured: not there"), id="recovery-not-measured"),
        pytest.param(RECOVERY, replace(GOOD, repair=Repair("v", "/f", WHOLE, "truncated", None)),
            failed("v was not served complete and intact again", "within 300 s"), id="recovery-never"),
        pytest.param(RECOVERY, replace(GOOD, repair=Repair("v", "/f", BLANK, "intact", 0.1)),
            failed("v was not served complete and intact again", "within 300 s"), id="recovery-to-a-blank-page"),
        pytest.param(RECOVERY, replace(GOOD, repair=Repair("v", "/f", WHOLE, "intact", 300.25),
            agreed=Objectives(recovery_seconds=0.5)),
            failed("recovered after 300.2 s", "within 0.5 s", value=300.25, target=0.5), id="recovery-too-late"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(objective: Check, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, objective) == told
