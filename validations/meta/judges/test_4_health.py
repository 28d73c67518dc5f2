"""Validation 4 sees through a command that is hidden, noisy, silent, or whose exit code lies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import Command, CompiledViews, HealthCheck, Unobserved
from reports.records import Verdict
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
        pytest.param(metrics(opcache_hit_rate=98), "opcache_hit_rate = 98", id="rate-in-percent"),
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
