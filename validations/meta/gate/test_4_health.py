"""Validation 4 sees through a command that is hidden, noisy, silent, or whose exit code lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import Command, CompiledViews, HealthCheck, Unobserved
from reports.records import Verdict
from validations.contracts import Judgement, failed, passed, unknown
from validations.expectations import METRICS
from validations.gate.test_4_health import NAME, Evidence, judge

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


@pytest.mark.parametrize("part", PARTS)
def test_a_listed_and_true_command_passes(part: str) -> None:
    """A command that is listed with --fix, runs, and tells the truth is green."""
    assert judge(ran(answer()), part).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        pytest.param((), "none of the console's 0 commands", id="empty-list"),
        pytest.param((OTHER,), "none of the console's 1 commands", id="not-registered"),
        pytest.param((COMMAND.model_copy(update={"hidden": True}),), "is hidden", id="hidden"),
        pytest.param((COMMAND.model_copy(update={"name": "view:health-checks"}),), "none of", id="another-name"),
    ],
)
@pytest.mark.parametrize("part", ["listed", "fix-option"])
def test_a_command_that_is_not_listed_is_red(commands: tuple[Command, ...], said: str, part: str) -> None:
    """A command that is absent, hidden or another's namesake is red."""
    judgement = judge(replace(ran(answer()), commands=commands), part)
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


@pytest.mark.parametrize("options", [(), ("json",), ("prefix", "fixed", "no-fix")], ids=["none", "another", "alike"])
def test_a_command_without_fix_is_red(options: tuple[str, ...]) -> None:
    """Another command's --fix, or an option that sounds like it, does not count."""
    commands = (OTHER, COMMAND.model_copy(update={"options": options}))
    judgement = judge(replace(ran(answer()), commands=commands), "fix-option")
    assert judgement.verdict is Verdict.FAIL
    assert "should be --fix" in judgement.reason


@pytest.mark.parametrize("part", ["listed", "fix-option", "runs", "metrics", "exit-code"])
def test_an_unlisted_console_is_unknown(part: str) -> None:
    """Where the console could not be asked, it is not known what it has, nor what that would have said."""
    silent = Unobserved("hung")
    judgement = judge(replace(ran(answer()), commands=silent, run=silent), part)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "hung" in judgement.reason


@pytest.mark.parametrize("part", ["runs", "metrics", "exit-code"])
def test_a_command_that_gave_no_answer_is_red(part: str) -> None:
    """A command that did not run, or printed no JSON, is red with its last words."""
    judgement = judge(replace(ran(None), run=Unobserved("it did not end within 20 s")), part)
    assert judgement.verdict is Verdict.FAIL
    assert "did not end within 20 s" in judgement.reason
    judgement = judge(ran(None, code=255, error="Class not found"), part)
    assert judgement.verdict is Verdict.FAIL
    assert "ended with 255 and said: Class not found" in judgement.reason


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        pytest.param(ran(answer(), noise="PHP Deprecated: x"), "PHP Deprecated", id="noise"),
        pytest.param(ran({}), "healthy: None", id="empty-object"),
        pytest.param(ran(answer(healthy="yes")), "healthy: 'yes'", id="healthy-in-words"),
        pytest.param(ran(answer(healthy=1)), "healthy: 1", id="healthy-as-number"),
        pytest.param(ran(answer(healthy=False)), "not healthy: and does not say why", id="unhealthy"),
        pytest.param(
            ran(answer(healthy=False, checks=[{"name": "disk", "ok": False, "observed": "99 %"}])),
            "disk: 99 %",
            id="unhealthy-with-a-reason",
        ),
        pytest.param(ran(answer(healthy=False, checks="none")), "does not say why", id="checks-of-another-shape"),
    ],
)
def test_a_run_that_does_not_say_healthy_is_red(evidence: Evidence, said: str) -> None:
    """Noise around the JSON, no word of health, and bad health are red."""
    judgement = judge(evidence, "runs")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


def test_what_was_not_judged_is_named() -> None:
    """A healthy run with a check that had too little to judge by passes, and the report names that check."""
    few = {"name": "opcache", "ok": True, "judged": False, "observed": "not judged: 3 of 7 lookups"}
    judgement = judge(ran(answer(checks=[*answer()["checks"], few])), "runs")
    assert judgement == passed("it ran and says healthy; opcache: not judged: 3 of 7 lookups", seen_by=JSON)


@pytest.mark.parametrize("name", METRICS)
def test_a_missing_metric_is_red(name: str) -> None:
    """All five metrics of the brief have to be there."""
    told = answer()
    del told["metrics"][name]
    judgement = judge(ran(told), "metrics")
    assert judgement.verdict is Verdict.FAIL
    assert f"lack {name}" in judgement.reason


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param(answer(metrics=None), "has no metrics", id="none"),
        pytest.param(answer(metrics=[1, 2, 3, 4, 5]), "has no metrics", id="list"),
        pytest.param(metrics(compiled_views=681), "counts 681 compiled views", id="another-count"),
        pytest.param(metrics(compiled_views=True), "compiled_views = True", id="count-is-true"),
        pytest.param(metrics(compiled_views="682"), "compiled_views = '682'", id="count-in-words"),
        pytest.param(metrics(compiled_views=682.0), "compiled_views = 682.0", id="count-is-fraction"),
        pytest.param(metrics(compiled_views=-1), "compiled_views = -1", id="count-below-zero"),
        pytest.param(metrics(permissions=""), "permissions = ''", id="permissions-empty"),
        pytest.param(metrics(permissions=None), "permissions = None", id="permissions-null"),
        pytest.param(metrics(disk_used_percent=101), "disk_used_percent = 101", id="disk-above-100"),
        pytest.param(metrics(disk_used_percent=float("nan")), "disk_used_percent = nan", id="disk-nan"),
        pytest.param(metrics(disk_used_percent=None), "disk_used_percent = None", id="disk-null"),
        pytest.param(metrics(disk_used_percent=100.1), "disk_used_percent = 100.1", id="disk-just-above-100"),
        pytest.param(metrics(opcache_hit_rate=98), "opcache_hit_rate = 98", id="rate-in-percent"),
        pytest.param(metrics(opcache_hit_rate=1.1), "opcache_hit_rate = 1.1", id="rate-just-above-1"),
        pytest.param(metrics(recent_errors=10**12 + 1), "recent_errors = 1000000000001", id="errors-beyond-belief"),
        pytest.param(metrics(opcache_hit_rate=-0.1), "opcache_hit_rate = -0.1", id="rate-below-zero"),
        pytest.param(metrics(recent_errors=10**400), "recent_errors = 1000", id="errors-beyond-floats"),
        pytest.param(metrics(recent_errors=0.5), "recent_errors = 0.5", id="half-an-error"),
    ],
)
def test_metrics_that_cannot_be_true_are_red(told: dict[str, Any], said: str) -> None:
    """A metric of the wrong kind, out of range, or unlike what was counted from outside is red."""
    judgement = judge(ran(told), "metrics")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


@pytest.mark.parametrize(
    ("name", "value"),
    [("disk_used_percent", 100), ("disk_used_percent", 0), ("opcache_hit_rate", 1), ("recent_errors", 10**12)],
    ids=["disk-full", "disk-empty", "every-hit", "errors-without-end"],
)
def test_a_metric_at_its_bound_can_be_true(name: str, value: int) -> None:
    """What is just possible is not called impossible."""
    assert judge(ran(metrics(**{name: value})), "metrics").verdict is Verdict.PASS


def test_a_hit_rate_of_nothing_may_be_absent() -> None:
    """Before any view was asked for there is no rate, and none may be made up."""
    assert judge(ran(metrics(opcache_hit_rate=None)), "metrics").verdict is Verdict.PASS


def test_metrics_with_nothing_to_hold_them_against_are_unknown() -> None:
    """The command's own word is what is being checked: without a count from outside it is not known to be true."""
    judgement = judge(replace(ran(answer()), compiled=Unobserved("no manifest")), "metrics")
    assert judgement.verdict is Verdict.UNKNOWN
    assert "no manifest" in judgement.reason


SICK = answer(healthy=False, checks=[{"name": "disk", "ok": False}, {"name": "views", "ok": True}])


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        pytest.param(ran(answer(), code=1), "exit code 1 and says healthy", id="healthy-and-1"),
        pytest.param(ran(SICK, code=0), "exit code 0 and says unhealthy", id="unhealthy-and-0"),
        pytest.param(ran(SICK | {"healthy": True}, code=0), "says healthy: True", id="healthy-against-its-checks"),
        pytest.param(ran(answer(healthy=False), code=1), "says healthy: False", id="unhealthy-against-its-checks"),
        pytest.param(ran(answer(checks=[])), "lists no checks", id="no-checks"),
        pytest.param(ran(answer(checks=None)), "lists no checks", id="checks-null"),
        pytest.param(ran(answer(checks=["ok"])), "says healthy: True", id="checks-in-words"),
        pytest.param(ran(answer(checks=[{"name": "a"}])), "says healthy: True", id="check-without-ok"),
        pytest.param(ran(answer(checks=[{"ok": 1}])), "says healthy: True", id="check-with-1"),
        pytest.param(ran(answer(), code=-9), "exit code -9", id="killed"),
    ],
)
def test_an_exit_code_that_disagrees_is_red(evidence: Evidence, said: str) -> None:
    """Exit code, word and checks have to say the same, since a schedule reads the first alone."""
    judgement = judge(evidence, "exit-code")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


def test_a_truthful_exit_code_passes_in_sickness() -> None:
    """A command that says unhealthy and ends with 1 is true, though its cell is red by another part."""
    evidence = ran(SICK, code=1)
    assert judge(evidence, "exit-code").verdict is Verdict.PASS
    assert judge(evidence, "runs").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "changes", [{"damaged": ("a.html: empty",)}, {"missing": ("a.html",)}], ids=["damaged", "missing"]
)
def test_a_command_that_calls_a_damaged_cache_healthy_is_red(changes: dict[str, Any]) -> None:
    """What it says is held against what was seen from outside, however well its numbers agree."""
    evidence = replace(ran(answer()), compiled=COMPILED.model_copy(update=changes))
    judgement = judge(evidence, "runs")
    assert judgement.verdict is Verdict.FAIL
    assert "a.html" in judgement.reason


def test_checks_that_are_no_list_complain_of_nothing() -> None:
    """An answer of another shape is red for what it says, and no fault of the check."""
    judgement = judge(ran(answer(healthy=False, checks=None)), "runs")
    assert judgement.verdict is Verdict.FAIL
    assert "does not say why" in judgement.reason


def listed_as(*commands: Command) -> Evidence:
    """Return good evidence of another console."""
    return replace(ran(answer()), commands=commands)


NAMED = [
    {"name": "disk", "ok": False, "observed": "99 %"},
    {"name": "views", "ok": True, "observed": "682"},
    "odd",
    {"name": "log"},
]
JSON = "view:health-check --json"
LIST = "list --format=json"


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("listed", ran(answer()),
            passed("view:health-check is one of 2 commands", seen_by=LIST, commands=2), id="listed"),
        pytest.param("fix-option", ran(answer()), passed("view:health-check has --fix", seen_by=LIST), id="fix-option"),
        pytest.param("fix-option", listed_as(OTHER, COMMAND.model_copy(update={"options": ("fix",)})),
            passed("view:health-check has --fix", seen_by=LIST), id="fix-option-without-dashes"),
        pytest.param("runs", ran(answer()), passed("it ran and says healthy", seen_by=JSON), id="runs"),
        pytest.param("metrics", ran(answer()),
            passed("compiled_views 682, permissions ok, disk_used_percent 23.4, opcache_hit_rate 0.98,"
                " recent_errors 0", seen_by=JSON, compiled_views=682.0, permissions="ok", disk_used_percent=23.4,
                opcache_hit_rate=0.98, recent_errors=0.0), id="metrics"),
        pytest.param("metrics", ran(metrics(opcache_hit_rate=None, more=7)),
            passed("compiled_views 682, permissions ok, disk_used_percent 23.4, recent_errors 0", seen_by=JSON,
                compiled_views=682.0, permissions="ok", disk_used_percent=23.4, recent_errors=0.0),
            id="metrics-without-a-rate"),
        pytest.param("exit-code", ran(answer()),
            passed("exit code 0 agrees with its 2 checks", seen_by=JSON, checks=2), id="exit-code"),
        pytest.param("exit-code", ran(SICK, code=3),
            passed("exit code 3 agrees with its 2 checks", seen_by=JSON, checks=2), id="exit-code-in-sickness"),
        pytest.param("listed", replace(ran(answer()), commands=Unobserved("it hung")),
            unknown("the console could not be asked for its commands: it hung", seen_by=LIST), id="console-not-asked"),
        pytest.param("listed", listed_as(OTHER),
            failed("none of the console's 1 commands is view:health-check", "view:health-check among them",
                seen_by=LIST), id="not-registered"),
        pytest.param("listed", listed_as(OTHER, COMMAND.model_copy(update={"hidden": True})),
            failed("view:health-check is hidden", "listed, so that people find it", seen_by=LIST), id="hidden"),
        pytest.param("fix-option", listed_as(COMMAND.model_copy(update={"options": ()})),
            failed("view:health-check has no option", "--fix", seen_by=LIST), id="no-option"),
        pytest.param("fix-option", listed_as(COMMAND.model_copy(update={"options": tuple("abcdefg")})),
            failed("view:health-check has a, b, c, d, e, f and 1 more", "--fix", seen_by=LIST), id="other-options"),
        pytest.param("runs", replace(ran(None), run=Unobserved("it did not end within 20 s")),
            failed("view:health-check did not run: it did not end within 20 s", "an answer in JSON", seen_by=JSON),
            id="did-not-run"),
        pytest.param("runs", replace(ran(None), run=Unobserved("it hung"), commands=Unobserved("it does not boot")),
            unknown("the console could not be asked: it does not boot", seen_by=JSON), id="console-did-not-run"),
        pytest.param("metrics", ran(None, code=255, error="Class not found", noise="PHP Fatal"),
            failed("view:health-check --json ended with 255 and said: Class not found", "an answer in JSON",
                seen_by=JSON), id="no-json"),
        pytest.param("metrics", ran(None, code=255, noise="PHP Fatal"),
            failed("view:health-check --json ended with 255 and said: PHP Fatal", "an answer in JSON", seen_by=JSON),
            id="noise-alone"),
        pytest.param("exit-code", ran(None, code=1),
            failed("view:health-check --json ended with 1 and said: nothing", "an answer in JSON", seen_by=JSON),
            id="silence"),
        pytest.param("runs", ran(answer(), noise="x" * 121),
            failed(f"around its JSON it printed: {'x' * 120}",
                "JSON alone on standard output",
                remedy="find what prints while the application boots: it breaks every machine that reads the console",
                seen_by=JSON), id="noise"),
        pytest.param("runs", ran({}),
            failed("its JSON has healthy: None", "true or false", seen_by=JSON), id="no-word-of-health"),
        pytest.param("runs", ran(answer(healthy=False, checks=NAMED), code=1),
            failed("it says the cache is not healthy: disk: 99 %; log: None", "healthy",
                remedy="view:health-check --fix", seen_by=JSON), id="unhealthy"),
        pytest.param("runs", ran(answer(healthy=False, checks=[{"name": "a", "observed": "b" * 400}]), code=1),
            failed(f"it says the cache is not healthy: a: {'b' * 297}",
                "healthy", remedy="view:health-check --fix", seen_by=JSON), id="unhealthy-and-wordy"),
        pytest.param("runs", ran(answer(healthy=False, checks={"name": "disk"}), code=1),
            failed("it says the cache is not healthy: and does not say why", "healthy",
                remedy="view:health-check --fix", seen_by=JSON), id="unhealthy-without-a-word"),
        pytest.param("runs", replace(ran(answer()), compiled=COMPILED.model_copy(update={"damaged": ("a: empty",),
            "missing": ("b", "c", "d")})),
            failed("it says healthy, and seen from outside it is not: a: empty, b, c and 1 more",
                "unhealthy, as long as a compiled view is damaged or missing",
                remedy="view:cache; and have view:health-check look at every compiled view, as the gate does",
                seen_by=JSON), id="healthy-and-damaged"),
        pytest.param("runs", replace(ran(answer()), compiled=Unobserved("no manifest")),
            passed("it ran and says healthy", seen_by=JSON), id="nothing-to-compare-its-word-with"),
        pytest.param("metrics", ran(answer(metrics=None)),
            failed("its JSON has no metrics",
                "metrics: compiled_views, permissions, disk_used_percent, opcache_hit_rate, recent_errors",
                seen_by=JSON), id="no-metrics"),
        pytest.param("metrics", ran(answer(metrics={})),
            failed("its metrics lack compiled_views, permissions, disk_used_percent, opcache_hit_rate,"
                " recent_errors",
                "all of compiled_views, permissions, disk_used_percent, opcache_hit_rate, recent_errors", seen_by=JSON),
            id="no-metric-of-five"),
        pytest.param("metrics", ran(metrics(compiled_views="682", permissions="", disk_used_percent=101,
            opcache_hit_rate=98, recent_errors=-1)),
            failed("its metrics say compiled_views = '682', permissions = '', disk_used_percent = 101,"
                " opcache_hit_rate = 98, recent_errors = -1", "a count, ok, a percentage, a rate from 0 to 1, a count",
                seen_by=JSON), id="metrics-of-another-kind"),
        pytest.param("metrics", replace(ran(answer()), compiled=Unobserved("no manifest")),
            unknown("there is no count from outside to hold its metrics against: no manifest", seen_by=JSON),
            id="no-count-from-outside"),
        pytest.param("metrics", ran(metrics(compiled_views=681)),
            failed("it counts 681 compiled views", "682, as counted from outside",
                remedy="count what is intact in /v/g: the command counts something else", seen_by=JSON),
            id="another-count"),
        pytest.param("exit-code", ran(answer(checks=[])),
            failed("its JSON lists no checks", "what it checked, one by one", seen_by=JSON), id="no-checks"),
        pytest.param("exit-code", ran(SICK | {"healthy": True}),
            failed("it says healthy: True", "False, as its own checks say", seen_by=JSON),
            id="healthy-against-its-checks"),
        pytest.param("exit-code", ran(answer(), code=1),
            failed("it ended with exit code 1 and says healthy", "0 if and only if healthy",
                remedy="have view:health-check return what it found: a schedule sees nothing but the exit code",
                seen_by=JSON), id="code-against-its-checks"),
        pytest.param("exit-code", ran(SICK),
            failed("it ended with exit code 0 and says unhealthy", "0 if and only if healthy",
                remedy="have view:health-check return what it found: a schedule sees nothing but the exit code",
                seen_by=JSON), id="code-of-the-sick"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told


def test_metrics_go_to_the_reports_as_measures() -> None:
    """A whole number would be summed over runs as a count; what the command tells is a state, so it is a float."""
    figures = judge(ran(answer()), "metrics").figures
    assert {type(value) for name, value in figures.items() if name != "permissions"} == {float}
