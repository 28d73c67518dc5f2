"""The driver: one examination a check, a judgement a part, and no pass by less evidence than the registry asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fixtures.environments.base import Host
from fixtures.environments.settings import Environment
from fixtures.observation.facts import Unobserved
from reports.records import Finding, Level, Verdict
from validations import driver
from validations.causes import Cause
from validations.contracts import DECLARED, OBSERVED, RESOLVED, failed, passed
from validations.gate import test_1_middleware  # noqa: F401 - its messages
from validations.registry import Check, Least

CHECK = Check(
    1,
    "middleware",
    "A check",
    "It holds.",
    lambda _environment: ("registered", "repairs"),
    (
        Least("registered", DECLARED, RESOLVED, "asked", raises="set url"),
        Least("*", DECLARED, DECLARED, "tried", disturbed=OBSERVED, raises="mend it"),
    ),
)
CAUSE = Cause("the host is down", "", "", page=False, console=True, remedy="bring it up")
Judge = Callable[[object, str], Finding]


def host(kind: str = "laravel", *, disturbed: bool = False) -> Host:
    """Return a host of this kind, of which the driver asks nothing but what it is."""
    environment = Environment(kind=cast("Any", kind), url="http://127.0.0.1:1", root="/srv")
    return cast("Host", SimpleNamespace(environment=environment, disturbance=object() if disturbed else None))


@pytest.fixture(name="module")
def _module(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A gate module in place of the check's own."""
    module = SimpleNamespace(examine=lambda _host: "seen", judge=lambda _evidence, _part: told(OBSERVED))
    monkeypatch.setattr(driver, "_module", lambda _check: module)
    return module


def told(level: Level) -> Finding:
    """Return a pass by evidence of a level."""
    return replace(passed("middleware.passed", level, answers=3, seen_by="a look"), figures={"marked": 3})


@pytest.mark.parametrize(
    ("part", "of", "level", "verdict"),
    [
        pytest.param("registered", host(), RESOLVED, Verdict.PASS, id="just-enough"),
        pytest.param("registered", host(), OBSERVED, Verdict.PASS, id="more"),
        pytest.param("registered", host(), DECLARED, Verdict.UNKNOWN, id="less"),
        pytest.param("registered", host("gateway"), DECLARED, Verdict.PASS, id="enough-for-the-other-kind"),
        pytest.param("registered", host(disturbed=True), DECLARED, Verdict.UNKNOWN, id="less-where-disturbed"),
        pytest.param("repairs", host(), DECLARED, Verdict.PASS, id="not-exercised"),
        pytest.param("repairs", host(disturbed=True), RESOLVED, Verdict.UNKNOWN, id="not-exercised-where-it-could-be"),
        pytest.param("repairs", host(disturbed=True), OBSERVED, Verdict.PASS, id="exercised"),
    ],
)
def test_a_pass_needs_its_least_evidence(
    module: SimpleNamespace, part: str, of: Host, level: Level, verdict: Verdict
) -> None:
    """A pass by less than the registry asks for is unknown, with its figures and the line that would raise it."""
    module.judge = lambda _evidence, _part: told(level)
    finding = driver.judge(CHECK, of, "seen", part, lambda: None)
    assert (finding.verdict, finding.level, dict(finding.figures)) == (verdict, level, {"marked": 3})
    if verdict is Verdict.UNKNOWN:
        assert finding.code == "middleware.evidence-too-weak"
        assert finding.remedy == CHECK.least(part).raises
        assert finding.seen_by == "a look"


def test_a_failure_needs_no_level(module: SimpleNamespace) -> None:
    """What fails by a declaration alone fails: the level is that of a pass."""
    failure = failed("middleware.not-passed", level=DECLARED, unmarked=1, answers=2, file="a")
    module.judge = lambda _evidence, _part: failure
    assert driver.judge(CHECK, host(), "seen", "registered", lambda: None) == failure


def test_what_was_not_observed_is_unknown_in_every_part(module: SimpleNamespace) -> None:
    """The reason of an examination that could not look is told by each part, and looked for once."""
    looks: list[Host] = []

    def examine(of: Host) -> object:
        looks.append(of)
        raise Unobserved("no way there")

    module.examine = examine
    found = driver.findings(CHECK, host())
    assert {part: (finding.verdict, finding.code) for part, finding in found.items()} == dict.fromkeys(
        ("registered", "repairs"), (Verdict.UNKNOWN, "middleware.not-observed")
    )
    assert all("no way there" in finding.observed for finding in found.values())
    assert len(looks) == 1


def test_an_examination_that_breaks_keeps_one_traceback(module: SimpleNamespace) -> None:
    """An error of the suite's own is unknown in every part, names its line, and keeps one traceback."""

    def examine(_host: Host) -> object:
        raise KeyError("tier")

    module.examine = examine
    evidence = driver.examine(CHECK, host())
    found = [driver.judge(CHECK, host(), evidence, part, lambda: CAUSE) for part in ("registered", "repairs")]
    assert {(finding.verdict, finding.code) for finding in found} == {(Verdict.UNKNOWN, "middleware.broke")}
    assert all("KeyError: 'tier' (test_driver.py:" in finding.observed for finding in found)
    assert [list(finding.pictures) for finding in found] == [["traceback.txt"], []]


def test_a_judge_that_breaks_is_unknown_for_its_part_alone(module: SimpleNamespace) -> None:
    """One part whose judge breaks does not keep the others from being judged."""

    def judge(_evidence: object, part: str) -> Finding:
        if part == "repairs":
            raise ZeroDivisionError("by nothing")
        return told(OBSERVED)

    module.judge = judge
    found = driver.findings(CHECK, host())
    assert {part: finding.code for part, finding in found.items()} == {
        "registered": "middleware.passed",
        "repairs": "middleware.broke",
    }


@pytest.mark.parametrize(
    ("level", "code"),
    [
        pytest.param(OBSERVED, "middleware.passed", id="green"),
        pytest.param(DECLARED, "middleware.follows", id="too-little-evidence"),
    ],
)
def test_what_is_not_green_follows_from_the_root_cause(module: SimpleNamespace, level: Level, code: str) -> None:
    """A cause is asked for where a part is not green, and only there."""
    asked: list[bool] = []

    def cause() -> Cause:
        asked.append(True)
        return CAUSE

    module.judge = lambda _evidence, _part: told(level)
    finding = driver.judge(CHECK, host(), "seen", "registered", cause)
    assert finding.code == code
    assert bool(asked) is (code != "middleware.passed")
