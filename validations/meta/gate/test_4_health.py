"""Validation 4 sees through a command that is hidden, noisy, silent, or whose exit code lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import Command, CompiledViews, HealthCheck, Unobserved
from reports.records import Level, Scalar, Verdict
from validations.contracts import OBSERVED, RESOLVED
from validations.expectations import METRICS
from validations.gate.test_4_health import NAME, Evidence, judge
from validations.places import GATEWAY, LARAVEL, Places

PARTS = ("listed", "fix-option", "runs", "metrics", "exit-code")
COMPILED = CompiledViews(path="/v", generation="/v/g", sources=682, intact=682, bytes=3_000_000)
OTHER = Command(name="view:cache", hidden=False, options=("force", "fix"))
COMMAND = Command(name=NAME, hidden=False, options=("--fix", "--json"))


def answer(**changes: Any) -> dict[str, Any]:
    """Return a healthy answer, with changes."""
    return {
        "status": "healthy",
        "healthy": True,
        "metrics": {
            "compiled_views": 682,
            "permissions": "ok",
            "disk_used_percent": 23.4,
            "opcache_hit_rate": 0.98,
            "recent_errors": 0,
        },
        "checks": [{"name": "views", "ok": True, "observed": "682"}, {"name": "disk", "ok": True}],
    } | changes


def metrics(**changes: Any) -> dict[str, Any]:
    """Return a healthy answer with changed metrics."""
    return answer(metrics=answer()["metrics"] | changes)


def ran(told: dict[str, Any] | None, code: int = 0, **said: str) -> Evidence:
    """Return the evidence of a run that answered this."""
    return Evidence((OTHER, COMMAND), HealthCheck(exit_code=code, answer=told, **said), COMPILED)


def unhealthy(checks: object) -> Evidence:
    """Return the evidence of a run that says it is not healthy, with these checks."""
    return ran(answer(healthy=False, checks=checks), code=1)


def listed_as(*others: Command, **changes: Any) -> Evidence:
    """Return good evidence of another console: with these commands, and the health command with changes, if any."""
    commands = (*others, COMMAND.model_copy(update=changes)) if changes else others
    return replace(ran(answer()), commands=commands)


def counted(**changes: Any) -> Evidence:
    """Return good evidence with changes to what was counted from outside."""
    return replace(ran(answer()), compiled=COMPILED.model_copy(update=changes))


SICK = answer(healthy=False, checks=[{"name": "disk", "ok": False}, {"name": "views", "ok": True}])
HUNG = Unobserved("it hung")
NOT_RUN = replace(ran(None), run=HUNG)
NOT_COUNTED = replace(ran(answer()), compiled=Unobserved("no manifest"))


@pytest.mark.parametrize(
    ("part", "evidence", "code", "level", "figures"),
    [
        pytest.param("listed", ran(answer()), "listed", RESOLVED, {"commands": 2}, id="listed"),
        pytest.param("fix-option", ran(answer()), "with-fix", RESOLVED, {}, id="fix-option"),
        pytest.param("fix-option", listed_as(options=("fix",)), "with-fix", RESOLVED, {}, id="fix-without-dashes"),
        pytest.param("runs", ran(answer()), "healthy", OBSERVED, {}, id="runs"),
        pytest.param("runs", NOT_COUNTED, "healthy", OBSERVED, {}, id="nothing-to-compare-its-word-with"),
        pytest.param("exit-code", ran(answer()), "agrees", OBSERVED, {"checks": 2}, id="exit-code"),
        # A command that says unhealthy is true where it does not end with 0, though its cell is red by another part.
        pytest.param("exit-code", ran(SICK, code=1), "agrees", OBSERVED, {"checks": 2}, id="exit-code-in-sickness"),
        pytest.param("exit-code", ran(SICK, code=3), "agrees", OBSERVED, {"checks": 2}, id="any-code-in-sickness"),
    ],
)
def test_a_listed_and_true_command_passes(
    part: str, evidence: Evidence, code: str, level: Level, figures: dict[str, Scalar]
) -> None:
    """A command that is listed with --fix, runs, and tells the truth is green."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, f"health.{code}", level)
    assert finding.figures == figures


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="usual"),
        # Before any view was asked for there is no rate, and none may be made up.
        pytest.param({"opcache_hit_rate": None}, id="no-rate"),
        pytest.param({"disk_used_percent": 100}, id="disk-full"),
        pytest.param({"disk_used_percent": 0}, id="disk-empty"),
        pytest.param({"opcache_hit_rate": 1}, id="every-hit"),
        pytest.param({"recent_errors": 10**12}, id="errors-without-end"),
    ],
)
def test_metrics_that_can_be_true_go_to_the_reports_as_measures(changes: dict[str, Any]) -> None:
    """What is just possible passes; a whole number would be summed over runs as a count, so each is a float."""
    told = metrics(**changes, more=7)
    finding = judge(ran(told), "metrics")
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, "health.metrics", OBSERVED)
    assert finding.figures == {name: told["metrics"][name] for name in METRICS if told["metrics"][name] is not None}
    assert {type(value) for name, value in finding.figures.items() if name != "permissions"} == {float}
    assert {name for name in METRICS if name in finding.observed} == finding.figures.keys()


FEW = {"name": "opcache", "ok": True, "judged": False, "observed": "3 of 7 lookups"}


@pytest.mark.parametrize(
    ("checks", "told"),
    [
        pytest.param([*answer()["checks"], "odd", FEW], "; opcache: 3 of 7 lookups", id="one"),
        pytest.param([FEW | {"observed": "x" * 400}], f"; opcache: {'x' * 289}", id="wordy"),
        pytest.param(None, "", id="checks-null"),
    ],
)
def test_what_was_not_judged_is_named(checks: object, told: str) -> None:
    """A healthy run with a check that had too little to judge by passes, and the report names that check alone."""
    finding = judge(ran(answer(checks=checks)), "runs")
    assert (finding.verdict, finding.code) == (Verdict.PASS, "health.healthy")
    assert finding.observed == judge(ran(answer()), "runs").observed + told


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(listed_as(), "not-listed", "0 commands", id="empty-list"),
        pytest.param(listed_as(OTHER), "not-listed", "1 commands", id="not-registered"),
        pytest.param(listed_as(name="view:health-checks"), "not-listed", NAME, id="another-name"),
        pytest.param(listed_as(OTHER, hidden=True), "hidden", NAME, id="hidden"),
    ],
)
@pytest.mark.parametrize("part", ["listed", "fix-option"])
def test_a_command_that_is_not_listed_is_red(evidence: Evidence, code: str, told: str, part: str) -> None:
    """A command that is absent, hidden or another's namesake is red."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.FAIL, f"health.{code}", RESOLVED)
    assert told in finding.observed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        pytest.param((), "no option", id="none"),
        pytest.param(("json",), "json", id="another"),
        pytest.param(("prefix", "fixed", "no-fix"), "prefix, fixed, no-fix", id="alike"),
        pytest.param(tuple("abcdefg"), "a, b, c, d, e, f and 1 more", id="many"),
    ],
)
def test_a_command_without_fix_is_red(options: tuple[str, ...], told: str) -> None:
    """Another command's --fix, or an option that sounds like it, does not count."""
    finding = judge(listed_as(OTHER, options=options), "fix-option")
    assert (finding.verdict, finding.code, finding.level) == (Verdict.FAIL, "health.without-fix", RESOLVED)
    assert told in finding.observed


@pytest.mark.parametrize("part", PARTS)
def test_an_unlisted_console_is_unknown(part: str) -> None:
    """Where the console could not be asked, it is not known what it has, nor what that would have said."""
    finding = judge(replace(NOT_RUN, commands=Unobserved("it does not boot")), part)
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, "health.console-not-asked")
    assert "it does not boot" in finding.observed


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(NOT_RUN, "did-not-run", "it hung", id="did-not-run"),
        pytest.param(
            ran(None, code=255, error="No class", noise="PHP"), "no-json", "255 and said: No class", id="error"
        ),
        pytest.param(ran(None, code=255, noise="PHP Fatal"), "no-json", "255 and said: PHP Fatal", id="noise-alone"),
        pytest.param(ran(None, code=1), "no-json", "1 and said: nothing", id="silence"),
    ],
)
@pytest.mark.parametrize("part", ["runs", "metrics", "exit-code"])
def test_a_command_that_gave_no_answer_is_red(evidence: Evidence, code: str, told: str, part: str) -> None:
    """A command that did not run, or printed no JSON, is red with its last words."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"health.{code}")
    assert told in finding.observed


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(ran(answer(), noise="PHP Deprecated: x"), "noise", "PHP Deprecated: x", id="noise"),
        pytest.param(ran(answer(), noise="x" * 121), "noise", f" {'x' * 120}", id="much-noise"),
        pytest.param(ran({}), "no-word", "None", id="empty-object"),
        pytest.param(ran(answer(healthy="yes")), "no-word", "'yes'", id="healthy-in-words"),
        pytest.param(ran(answer(healthy=1)), "no-word", "1", id="healthy-as-number"),
        pytest.param(
            unhealthy([{"name": "disk", "ok": False, "observed": "99 %"}, *answer()["checks"], "odd", {"name": "log"}]),
            "unhealthy",
            ": disk: 99 %; log: None",
            id="unhealthy",
        ),
        pytest.param(unhealthy([{"name": "a", "observed": "b" * 400}]), "unhealthy", f": a: {'b' * 297}", id="wordy"),
        pytest.param(unhealthy(answer()["checks"]), "unhealthy", "does not say why", id="unhealthy-without-a-reason"),
        pytest.param(unhealthy("none"), "unhealthy", "does not say why", id="checks-in-words"),
        pytest.param(unhealthy({"name": "disk"}), "unhealthy", "does not say why", id="checks-of-another-shape"),
        pytest.param(unhealthy(None), "unhealthy", "does not say why", id="checks-null"),
        pytest.param(counted(damaged=("a.html: empty",)), "wrongly-healthy", "a.html: empty", id="damaged"),
        pytest.param(counted(missing=("a.html",)), "wrongly-healthy", "a.html", id="missing"),
        pytest.param(
            counted(damaged=("a: empty",), missing=("b", "c", "d")),
            "wrongly-healthy",
            "a: empty, b, c and 1 more",
            id="damaged-and-missing",
        ),
    ],
)
def test_a_run_that_is_not_truly_healthy_is_red(evidence: Evidence, code: str, told: str) -> None:
    """Noise, no word of health, bad health, and health that was not seen from outside are red, and bounded."""
    finding = judge(evidence, "runs")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"health.{code}")
    assert finding.observed.endswith(told)


@pytest.mark.parametrize("absent", [*((name,) for name in METRICS), METRICS], ids=[*METRICS, "all"])
def test_a_missing_metric_is_red(absent: tuple[str, ...]) -> None:
    """All five metrics of the brief have to be there, and those that are not are named."""
    told = {name: value for name, value in answer()["metrics"].items() if name not in absent}
    finding = judge(ran(answer(metrics=told)), "metrics")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "health.metrics-missing")
    assert finding.observed.endswith(f" {', '.join(absent)}")


@pytest.mark.parametrize("told", [None, [1, 2, 3, 4, 5]], ids=["none", "list"])
def test_an_answer_without_metrics_is_red(told: object) -> None:
    """Metrics without names are none."""
    finding = judge(ran(answer(metrics=told)), "metrics")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "health.no-metrics")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("compiled_views", True, id="count-is-true"),
        pytest.param("compiled_views", "682", id="count-in-words"),
        pytest.param("compiled_views", 682.0, id="count-is-fraction"),
        pytest.param("compiled_views", -1, id="count-below-zero"),
        pytest.param("permissions", "", id="permissions-empty"),
        pytest.param("permissions", None, id="permissions-null"),
        pytest.param("disk_used_percent", 101, id="disk-above-100"),
        pytest.param("disk_used_percent", 100.1, id="disk-just-above-100"),
        pytest.param("disk_used_percent", float("nan"), id="disk-nan"),
        pytest.param("disk_used_percent", None, id="disk-null"),
        pytest.param("opcache_hit_rate", 98, id="rate-in-percent"),
        pytest.param("opcache_hit_rate", 1.1, id="rate-just-above-1"),
        pytest.param("opcache_hit_rate", -0.1, id="rate-below-zero"),
        pytest.param("recent_errors", 10**12 + 1, id="errors-beyond-belief"),
        pytest.param("recent_errors", 10**400, id="errors-beyond-floats"),
        pytest.param("recent_errors", -1, id="errors-below-zero"),
        pytest.param("recent_errors", 0.5, id="half-an-error"),
    ],
)
def test_metrics_that_cannot_be_true_are_red(name: str, value: object) -> None:
    """A metric of the wrong kind or out of range is red, and only that one is named."""
    finding = judge(ran(metrics(**{name: value})), "metrics")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "health.metrics-senseless")
    assert finding.observed.endswith(f" {name} = {value!r}")
    assert finding.observed.count(" = ") == 1


def test_every_metric_that_cannot_be_true_is_named() -> None:
    """One mistake does not hide another."""
    wrong = {
        "compiled_views": "682",
        "permissions": "",
        "disk_used_percent": 101,
        "opcache_hit_rate": 98,
        "recent_errors": -1,
    }
    finding = judge(ran(metrics(**wrong)), "metrics")
    assert finding.code == "health.metrics-senseless"
    assert finding.observed.endswith(", ".join(f"{name} = {value!r}" for name, value in wrong.items()))


def test_a_count_unlike_the_one_from_outside_is_red() -> None:
    """Both counts are told, and where the other one was made."""
    finding = judge(ran(metrics(compiled_views=681)), "metrics")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "health.count-differs")
    assert "681" in finding.observed
    assert "682" in finding.expected
    assert "/v/g" in finding.remedy


def test_metrics_with_nothing_to_hold_them_against_are_unknown() -> None:
    """The command's own word is what is being checked: without a count from outside it is not known to be true."""
    finding = judge(NOT_COUNTED, "metrics")
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, "health.count-not-held")
    assert "no manifest" in finding.observed


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(ran(answer(), code=1), "exit-code", "code 1 and says healthy", id="healthy-and-1"),
        pytest.param(ran(answer(), code=-9), "exit-code", "code -9 and says healthy", id="killed"),
        pytest.param(ran(SICK), "exit-code", "code 0 and says unhealthy", id="unhealthy-and-0"),
        pytest.param(ran(SICK | {"healthy": True}), "contradicts-itself", "True", id="healthy-against-its-checks"),
        pytest.param(unhealthy(answer()["checks"]), "contradicts-itself", "False", id="unhealthy-against-its-checks"),
        pytest.param(ran(answer(checks=["ok"])), "contradicts-itself", "True", id="checks-in-words"),
        pytest.param(ran(answer(checks=[{"name": "a"}])), "contradicts-itself", "True", id="check-without-ok"),
        pytest.param(ran(answer(checks=[{"ok": 1}])), "contradicts-itself", "True", id="check-with-1"),
        pytest.param(ran(answer(checks=[])), "no-checks", "", id="no-checks"),
        pytest.param(ran(answer(checks=None)), "no-checks", "", id="checks-null"),
    ],
)
def test_an_exit_code_that_disagrees_is_red(evidence: Evidence, code: str, told: str) -> None:
    """Exit code, word and checks have to say the same, since a schedule reads the first alone."""
    finding = judge(evidence, "exit-code")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"health.{code}")
    assert told in finding.observed


@pytest.mark.parametrize(
    ("place", "console"),
    [pytest.param(GATEWAY, "./artisan", id="gateway"), pytest.param(LARAVEL, "php artisan", id="laravel")],
)
@pytest.mark.parametrize(
    ("part", "evidence", "command"),
    [
        pytest.param("listed", replace(NOT_RUN, commands=HUNG), "list", id="console-not-asked"),
        pytest.param("runs", replace(NOT_RUN, commands=HUNG), "list", id="console-not-asked-by-a-run"),
        pytest.param("runs", NOT_RUN, f"{NAME} --json", id="did-not-run"),
        pytest.param("runs", ran(None), f"{NAME} --json", id="no-json"),
        pytest.param("runs", unhealthy([]), f"{NAME} --fix", id="unhealthy"),
        pytest.param("runs", counted(missing=("a",)), "view:cache", id="wrongly-healthy"),
    ],
)
def test_the_remedy_is_typed_as_this_console_is(
    part: str, evidence: Evidence, command: str, place: Places, console: str
) -> None:
    """A command of a remedy is the console's of this kind of application."""
    assert f"{console} {command}" in judge(replace(evidence, places=place), part).remedy
