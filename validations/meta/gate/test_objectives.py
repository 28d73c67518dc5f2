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
    Configuration,
    LogEntry,
    Recomputed,
    Schedule,
    ScheduleEntry,
    Unobserved,
)
from fixtures.observation.pages import Answer
from fixtures.observation.repair import Repair
from reports.records import Level, Verdict
from validations.gate.test_objectives import Evidence, judge
from validations.places import places
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
PASS, FAIL, UNKNOWN, _ = Verdict
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
WHOLE = Answer(status=200, bytes=90_000, sentinel=True, document_end=True)
BLANK = Answer(status=200)
COMPILED = CompiledViews(path="/v", generation="/v/g", sources=682, intact=682, bytes=3_000_000)
QUEUE = LogEntry(text="[2026-11-25 11:59:00] production.ERROR: a queue is down\n#0 a.php", cut=False, times=2)
VIEW = QUEUE.model_copy(update={"text": "[2026-11-25 11:59:30] production.ERROR: filemtime(): stat failed"})
TOUCH = QUEUE.model_copy(update={"text": "[2026-11-25 11:59:40] production.ERROR: touch(): Utime failed", "times": 1})
NOTICE = VIEW.model_copy(update={"text": VIEW.text.replace("ERROR", "NOTICE")})
LOG = ApplicationLog(
    path="/l", bytes=900, entries=12, levels={"ERROR": 2, "INFO": 3}, sent=(QUEUE,), left_out=0, whole=True
)
HEALTH = ScheduleEntry(expression="*/5 * * * *", command="artisan view:health-check --fix")
REBUILD = ScheduleEntry(expression="0 3 * * *", command="artisan view:cache")
DAILY = HEALTH.model_copy(update={"expression": "0 5 * * *"})
ELSEWHERE = HEALTH.model_copy(update={"runs_here": False})
PUBLISHED = "resources/views/vendor/a"
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


def views(intact: int, *, of: int) -> Evidence:
    """Return good evidence with so many views, of so many that were agreed."""
    return replace(compiled(intact=intact), agreed=Objectives(compiled_views=of))


def published(version: str, missing: tuple[str, ...] = (PUBLISHED,), damaged: tuple[str, ...] = ()) -> Evidence:
    """Return evidence of a Laravel of which these templates are missing or damaged, half of all."""
    return replace(compiled(intact=341, missing=missing, damaged=damaged), version=version)


def repaired(seconds: float | None, *, state: str = "intact", answer: Answer = WHOLE) -> Evidence:
    """Return good evidence with another repair."""
    return replace(GOOD, repair=Repair("a.blade", "/f", answer, state, seconds))


@every_objective
def test_an_objective_that_is_met_passes_with_its_value(objective: Check) -> None:
    """What was measured and reaches the target is green."""
    assert judge(GOOD, objective).verdict is Verdict.PASS


@every_objective
def test_an_objective_that_was_not_measured_is_unknown(objective: Check) -> None:
    """What was not measured is never met, and says so."""
    finding = judge(NOTHING, objective)
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, f"{objective.id}.not-measured")


@pytest.mark.parametrize(
    ("objective", "evidence", "verdict", "code", "value", "named"),
    [
        pytest.param(VIEWS, GOOD, PASS, "enough", 682, "682", id="views"),
        pytest.param(VIEWS, views(1, of=1), PASS, "enough", 1, "1 compiled view,", id="views-just-enough"),
        pytest.param(VIEWS, compiled(intact=681), FAIL, "too-few", 681, "at least 682", id="one-view-less"),
        pytest.param(VIEWS, compiled(intact=0), FAIL, "too-few", 0, "0 compiled views", id="no-views"),
        pytest.param(VIEWS, views(1999, of=2000), FAIL, "too-few", 1999, "1,999", id="views-too-few-of-many"),
        pytest.param(COVERAGE, GOOD, PASS, "complete", 1, "682", id="coverage"),
        pytest.param(COVERAGE, compiled(sources=1, intact=1), PASS, "complete", 1, "1", id="coverage-of-one"),
        pytest.param(COVERAGE, compiled(sources=0, intact=0), UNKNOWN, "no-sources", None, "", id="coverage-of-none"),
        pytest.param(COVERAGE, compiled(cached=False), FAIL, "cache-off", None, "view.cache", id="cache-off"),
        pytest.param(COVERAGE, compiled(intact=600), FAIL, "incomplete", 600 / 682, "600 of 682", id="none-named"),
        pytest.param(COVERAGE, compiled(intact=683), FAIL, "incomplete", 683 / 682, "683 of 682", id="more-than-all"),
        pytest.param(COVERAGE, compiled(damaged=("a: stale",)), FAIL, "incomplete", 1, "a: stale", id="one-damaged"),
        pytest.param(COVERAGE, compiled(intact=341, damaged=("a: empty", "b: cut"), missing=("c", "d")), FAIL,
            "incomplete", 0.5, "a: empty, b: cut, c: not compiled and 1 more", id="coverage-with-holes"),
        pytest.param(COVERAGE, published("12.60.0"), FAIL, "published-left-out", 0.5, PUBLISHED, id="published-views"),
        pytest.param(COVERAGE, published("10.0.0"), FAIL, "incomplete", 0.5, PUBLISHED, id="published-views-of-old"),
        pytest.param(COVERAGE, published("12.60.0", missing=(PUBLISHED, "b")), FAIL, "incomplete", 0.5,
            "b: not compiled", id="published-views-and-another"),
        pytest.param(COVERAGE, published("12.60.0", damaged=("b: cut",)), FAIL, "incomplete", 0.5, "b: cut",
            id="published-views-and-damage"),
        pytest.param(COVERAGE, published("12.60.0", missing=(), damaged=("b: cut",)), FAIL, "incomplete", 0.5,
            "b: cut", id="damage-alone"),
        pytest.param(COVERAGE, files(empty=("/e",), empty_count=1, cut=("/c",), cut_count=1), FAIL, "broken-files",
            None, "/e, /c", id="empty-and-cut-package-views"),
        pytest.param(COVERAGE, files(cut=("/c",), cut_count=1), FAIL, "broken-files", None, "/c", id="cut-alone"),
        pytest.param(COVERAGE, files("p", "q", duplicates=("/a", "/b"), duplicates_count=2, dead=("/d",), dead_count=1,
            elsewhere=("/x",), elsewhere_count=1), PASS, "complete", 1, "/a and 1 more", id="what-else-lies-there"),
        pytest.param(COVERAGE, files("p", package_sources=1), PASS, "complete", 1, "1 of 1 package view",
            id="one-package-view"),
        pytest.param(COVERAGE, files(dead=("/d",), dead_count=1), PASS, "complete", 1, "/d", id="dead-files"),
        pytest.param(COVERAGE, files(elsewhere=("/x",), elsewhere_count=1), PASS, "complete", 1, "/x",
            id="files-of-other-releases"),
        pytest.param(ERRORS, GOOD, PASS, "none", 0, "12 entries", id="no-errors"),
        pytest.param(ERRORS, log(entries=1), PASS, "none", 0, "1 entry", id="no-errors-of-one-entry"),
        # An entry that the application itself calls a notice does not count, should one be sent.
        pytest.param(ERRORS, log(sent=(NOTICE,)), PASS, "none", 0, "", id="a-notice"),
        # Where no entry was ever written, nothing shows that errors would be.
        pytest.param(ERRORS, log(entries=0, path="/logs/l"), UNKNOWN, "empty-log", None, "/logs/l", id="empty-log"),
        pytest.param(ERRORS, log(sent=(VIEW, TOUCH)), FAIL, "found", 3, "(2 filemtime, 1 touch)", id="two-kinds"),
        pytest.param(ERRORS, log(sent=(QUEUE, TOUCH)), FAIL, "found", 1, "touch(): Utime failed", id="one-error"),
        pytest.param(ERRORS, log(sent=(VIEW.model_copy(update={"cut": True}),), left_out=3, whole=False), FAIL,
            "found", 2, "filemtime(): stat failed", id="errors-in-a-log-that-was-not-read-whole"),
        # Where a part of the last hour was not read, the rest without a view error is no proof of none.
        pytest.param(ERRORS, log(left_out=7), UNKNOWN, "not-all-read", None, "7 of the last hour's", id="left-out"),
        pytest.param(ERRORS, log(sent=()), UNKNOWN, "not-all-read", None, "2 of the last hour's", id="not-there"),
        pytest.param(ERRORS, log(whole=False), UNKNOWN, "not-all-read", None, "hour began before", id="not-whole"),
        pytest.param(ERRORS, log(left_out=1, whole=False), UNKNOWN, "not-all-read", None, "left out, and the hour",
            id="left-out-and-not-whole"),
        pytest.param(ERRORS, log(sent=(QUEUE.model_copy(update={"cut": True}),)), UNKNOWN, "not-all-read", None,
            "2 of the last hour's", id="cut"),
        pytest.param(ERRORS, log(sent=(QUEUE.model_copy(update={"text": "{}"}),)), UNKNOWN, "not-all-read", None,
            "2 of the last hour's", id="other-format"),
        pytest.param(SCHEDULED_HEALTH, GOOD, PASS, "scheduled", None, "*/5 * * * *", id="health"),
        pytest.param(SCHEDULED_HEALTH, schedule(DAILY, HEALTH), PASS, "scheduled", None, "", id="health-twice"),
        pytest.param(SCHEDULED_HEALTH, schedule(DAILY, other(HEALTH, expression="1 1 1 1 1")), FAIL, "other-time", None,
            "0 5 * * *, but should be */5 * * * *", id="health-at-another-time"),
        pytest.param(SCHEDULED_HEALTH, replace(schedule(ELSEWHERE), environment="live"), FAIL, "other-environment",
            None, "view:health-check --fix", id="health-elsewhere"),
        pytest.param(SCHEDULED_HEALTH, schedule(DAILY, ELSEWHERE), FAIL, "other-time", None, "0 5 * * *",
            id="health-here-and-elsewhere"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, command="view:health-check")), FAIL, "absent", None,
            "view:health-check", id="health-without-fix"),
        pytest.param(SCHEDULED_HEALTH, schedule(other(HEALTH, command="view:health-check --fixed")), FAIL, "absent",
            None, "view:health-check --fixed", id="health-with-another-option"),
        pytest.param(SCHEDULED_HEALTH, schedule(REBUILD), FAIL, "absent", None, "artisan view:cache", id="no-health"),
        pytest.param(SCHEDULED_HEALTH, schedule(*[other(HEALTH, command=name) for name in "abcdef"]), FAIL, "absent",
            None, "a, b, c, d, e and 1 more", id="other-commands"),
        pytest.param(SCHEDULED_REBUILD, GOOD, PASS, "scheduled", None, "0 3 * * *", id="rebuild"),
        pytest.param(SCHEDULED_REBUILD, schedule(), FAIL, "absent", None, "nothing", id="empty-schedule"),
        pytest.param(SCHEDULED_REBUILD, schedule(other(REBUILD, command="artisan config:cache")), FAIL, "absent", None,
            "config:cache", id="another-cache"),
        pytest.param(SCHEDULED_REBUILD, schedule(other(REBUILD, expression="0 15 * * *")), FAIL, "other-time", None,
            "0 15 * * *", id="rebuild-at-noon"),
        pytest.param(AVAILABILITY, GOOD, PASS, "reached", 1, "at least 99.01 %", id="availability"),
        pytest.param(AVAILABILITY, answered(1999, 1), PASS, "reached", 0.9995, "1,999 of 2,000", id="one-blank"),
        pytest.param(AVAILABILITY, answered(999, 1), PASS, "reached", 0.999, "99.900 %", id="availability-just-met"),
        pytest.param(AVAILABILITY, answered(298, 2), FAIL, "too-low", 298 / 300, "at least 99.9 %", id="two-blank"),
        pytest.param(AVAILABILITY, answered(300, 1), FAIL, "too-low", 300 / 301, "300 of 301", id="one-blank-of-few"),
        # Requests of recorded runs count with those of this one, for 30 days: an old disaster is over, and old glory
        # does not help.
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 700, 700), run(30, 1000, 1000)), PASS, "reached", 1,
            "3 runs: 100.000 % (at least 99.85 %", id="availability-of-runs"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 700, 700), run(30.1, 1000, 0)), PASS, "reached", 1,
            "1,000 of 1,000 requests complete in 2 runs", id="old-disaster"),
        pytest.param(AVAILABILITY, answered(99, 1, run(31, 10**6, 10**6)), FAIL, "too-low", 0.99, "1 run",
            id="old-glory"),
        # Where the recorded runs miss the target and this run does not, that is said, and fails nothing.
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 1000, 990)), UNKNOWN, "was-too-low", None,
            "1,290 of 1,300", id="availability-missed-by-the-runs-before"),
        pytest.param(AVAILABILITY, answered(300, 1, run(1, 1000, 990)), FAIL, "too-low", 1290 / 1301,
            "1,290 of 1,301", id="availability-missed-now-and-before"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 0, 0) | {"figures": {}},
            {"figures": {"page": {"requests": 9}}}, {"started": run(3, 0, 0)["started"]}), PASS, "reached", 1,
            "300 of 300 requests complete in 3 runs", id="runs-without-a-page"),
        pytest.param(AVAILABILITY, answered(300, 0, run(1, 0, 0) | {"figures": {"page": {"requests": "10",
            "complete": "10"}}}), PASS, "reached", 1, "310 of 310", id="runs-in-texts"),
        pytest.param(RECOVERY, GOOD, PASS, "recovered", 0.04, "40 ms", id="recovery"),
        pytest.param(RECOVERY, repaired(300.0), PASS, "recovered", 300, "300 s", id="recovery-just-met"),
        pytest.param(RECOVERY, repaired(300.5), FAIL, "late", 300.5, "300.5 s", id="recovery-too-late"),
        # Where no defect may be planted, nothing is known of recovery.
        pytest.param(RECOVERY, replace(GOOD, repair=None), UNKNOWN, "not-exercised", None, "", id="read-only"),
        pytest.param(RECOVERY, repaired(None, state="truncated"), FAIL, "none", None, "a.blade", id="recovery-never"),
        pytest.param(RECOVERY, repaired(0.1, answer=BLANK), FAIL, "none", None, "a.blade", id="recovery-to-a-blank"),
    ],
)  # fmt: skip
def test_each_objective_is_met_by_what_was_measured(
    *, objective: Check, evidence: Evidence, verdict: Verdict, code: str, value: float | None, named: str
) -> None:
    """Each way to meet or miss an objective has a code, says what was measured, and names what is amiss."""
    finding = judge(evidence, objective)
    assert (finding.verdict, finding.code) == (verdict, f"{objective.id}.{code}")
    assert finding.figures.get("value") == (pytest.approx(value) if value is not None else None)
    assert named in finding.reason
    weak, resolved = verdict is UNKNOWN, code == "cache-off" or objective in (SCHEDULED_HEALTH, SCHEDULED_REBUILD)
    near = Level.RESOLVED if resolved else Level.DECLARED if finding.code == "coverage.complete" else Level.OBSERVED
    assert finding.level is (None if weak else near)


@pytest.mark.parametrize(
    ("objective", "target"),
    [
        pytest.param(VIEWS, 1000, id="views"),
        pytest.param(AVAILABILITY, 1.0, id="availability"),
        pytest.param(RECOVERY, 0.01, id="recovery"),
    ],
)
def test_the_agreed_targets_are_those_of_the_environment(objective: Check, target: float) -> None:
    """An environment may agree to other targets than the brief's; measure and target go to the reports as floats."""
    agreed = Objectives(compiled_views=1000, availability=1.0, recovery_seconds=0.01)
    finding = judge(replace(answered(300, 1), agreed=agreed), objective)
    assert finding.verdict is FAIL
    assert finding.figures["target"] == target
    assert {type(figure) for figure in finding.figures.values()} == {float}


def test_what_else_lies_there_is_told() -> None:
    """Package views that are not compiled, second spellings and files of other releases are each told with a count."""
    more: dict[str, Any] = {"duplicates": ("/a", "/b"), "duplicates_count": 2, "dead": ("/d",), "dead_count": 1}
    told = judge(files("p", "q", elsewhere=("/x",), elsewhere_count=1, **more), COVERAGE).observed
    for said in ("; 2 of 9 package", "p and 1 more", "; 2 compiled", "/a and 1 more", "; 2 of other", "/d and 1 more"):
        assert said in told


@pytest.mark.parametrize(
    ("objective", "evidence", "said"),
    [
        pytest.param(VIEWS, compiled(intact=0), "php artisan view:cache", id="views"),
        pytest.param(COVERAGE, compiled(intact=0), "php artisan view:cache", id="coverage"),
        pytest.param(COVERAGE, files(cut=("/c",), cut_count=1), "php artisan view:cache", id="package-views"),
        pytest.param(COVERAGE, published("12.60.0"), "resources/views/vendor/", id="published-views"),
        pytest.param(ERRORS, log(sent=(VIEW,)), "/l, then php artisan view:health-check --fix", id="errors"),
        pytest.param(SCHEDULED_HEALTH, replace(schedule(ELSEWHERE), environment="live"), "live", id="elsewhere"),
        pytest.param(RECOVERY, replace(GOOD, repair=None), "--intrusive", id="read-only"),
    ],
)
def test_a_remedy_names_what_to_type_and_where(objective: Check, evidence: Evidence, said: str) -> None:
    """A remedy can be followed to the letter on the application that was judged: its console, its log, its name."""
    assert said in judge(replace(evidence, places=places("laravel", "12.60.0")), objective).remedy


OF_A_BUILD = Configuration(
    cached=True, path="/c.php", environment_file=True, elsewhere_count=1, elsewhere=("view.compiled",)
)


def test_a_configuration_of_another_tree_is_the_root_of_what_is_not_there() -> None:
    """Compiled views that are not there, since the configuration names a build's, are red for that configuration."""
    finding = judge(replace(GOOD, compiled=Unobserved("no directory"), configuration=OF_A_BUILD), COVERAGE)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "coverage.configuration-elsewhere")


@pytest.mark.parametrize("section", ["recomputed", "configuration"])
def test_what_was_not_recomputed_is_unknown_unless_the_application_could_not(section: str) -> None:
    """A section that got lost is no pass; one that says why it could not be computed leaves what the files tell."""
    lost: dict[str, Any] = {section: Unobserved("lost")}
    assert judge(replace(GOOD, **lost), COVERAGE).verdict is Verdict.UNKNOWN
    could_not = replace(
        GOOD, recomputed=Recomputed(cannot="why"), configuration=Configuration(cached=True, cannot="why")
    )
    finding = judge(could_not, COVERAGE)
    assert (finding.verdict, finding.level) == (Verdict.PASS, Level.DECLARED)


def test_views_that_were_all_recomputed_and_are_equal_are_resolved() -> None:
    """Evidence that every compiled view is what the application makes of its template is of the level resolved."""
    equal = Recomputed(of=2, whole=True, states={"equal": 2})
    assert judge(replace(GOOD, recomputed=equal), COVERAGE).level is Level.RESOLVED
    some = Recomputed(of=2, whole=True, states={"equal": 1, "varies": 1})
    assert judge(replace(GOOD, recomputed=some), COVERAGE).level is Level.DECLARED


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        pytest.param(("resources/views/admin/vendor/a",), "coverage.vendor-left-out", id="a-folder-named-vendor"),
        pytest.param(("resources/views/a/vendor/a", "resources/views/b"), "coverage.incomplete", id="and-another"),
        pytest.param(("resources/views/vendors/a",), "coverage.incomplete", id="another-name"),
    ],
)
def test_the_remedy_for_a_folder_that_view_cache_leaves_out_helps(missing: tuple[str, ...], code: str) -> None:
    """Where view:cache never compiles what is missing, the remedy is not to run it once more."""
    finding = judge(compiled(missing=missing, intact=681), COVERAGE)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, code)
