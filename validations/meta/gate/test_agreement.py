"""Hosts of one mind: who differs from most is named, and nobody agrees with what was not seen."""

from __future__ import annotations

import pytest

from fixtures.observation.facts import Application, CompiledViews, HostFacts, Middleware, Unobserved
from reports.records import Verdict
from validations.agreement import Told, judge, told_by
from validations.contracts import Judgement, failed, passed, unknown

NEW = {"release": "r2", "framework": "12.52.0", "compiled views": "aaaa"}
OLD = {"release": "r1", "framework": "12.52.0", "compiled views": "bbbb"}
SILENT = Unobserved("ssh: connection refused")


@pytest.mark.parametrize(
    ("hosts", "verdicts"),
    [
        pytest.param({"a": NEW, "b": NEW}, "PP", id="alike"),
        pytest.param({"a": NEW, "b": OLD, "c": NEW}, "PFP", id="one-differs"),
        pytest.param({"a": NEW, "b": OLD}, "FF", id="no-majority"),
        pytest.param({"a": NEW, "b": SILENT, "c": NEW}, "PUP", id="one-not-seen"),
        pytest.param({"a": NEW, "b": SILENT}, "UU", id="nobody-to-compare"),
        pytest.param({"a": {}, "b": {}}, "UU", id="nothing-seen"),
        pytest.param({"a": NEW, "b": {"release": "r2"}}, "PP", id="less-seen"),
        pytest.param({"a": NEW, "b": NEW | {"compiled views": "cccc"}, "c": NEW}, "PFP", id="only-views-differ"),
    ],
)
def test_each_host_is_held_against_most(hosts: dict[str, Told | Unobserved], verdicts: str) -> None:
    """Whoever differs from the majority fails, all where there is none; what was not seen is unknown."""
    words = {"P": Verdict.PASS, "F": Verdict.FAIL, "U": Verdict.UNKNOWN}
    assert [judge(host, hosts).verdict for host in hosts] == [words[letter] for letter in verdicts]


def test_a_difference_is_named() -> None:
    """The failure says what differs, from what it is, and from whom."""
    judgement = judge("b", {"a": NEW, "b": OLD, "c": NEW})
    assert judgement.observed == "b has release r1, unlike a, c; compiled views bbbb, unlike a, c"


DEPLOY = "deploy to that host again, then compare"
LONG = "x" * 41


@pytest.mark.parametrize(
    ("hosts", "told"),
    [
        pytest.param(
            {"a": NEW, "b": NEW}, passed("alike on 2 hosts: release, framework, compiled views"), id="two-alike"
        ),
        pytest.param(
            {"a": NEW, "b": NEW, "c": SILENT, "d": SILENT},
            passed("alike on 2 hosts: release, framework, compiled views; nothing was seen of c, d"),
            id="two-alike-and-two-not-seen",
        ),
        pytest.param(
            {"a": {str(n): "1" for n in range(9)}, "b": {"0": "1"}},
            passed("alike on 2 hosts: 0, 1, 2, 3, 4, 5, 6, 7 and 1 more"),
            id="nine-alike",
        ),
        pytest.param({"a": SILENT, "b": NEW}, unknown("not measured: ssh: connection refused"), id="not-seen-itself"),
        pytest.param({"a": NEW, "b": SILENT}, unknown("not measured: nothing was seen of b"), id="others-not-seen"),
        pytest.param(
            {"a": {}, "b": NEW}, unknown("not measured: nothing was seen of what could be"), id="nothing-told"
        ),
        pytest.param(
            {"a": {"release": "r1", "PHP": "8"}, "b": {"release": "r2", "PHP": "8"}, "c": {"release": "r2"}},
            failed(
                "a has release r1, unlike b, c",
                "the same on every host",
                remedy=DEPLOY,
                seen_by="the probes of 3 hosts",
            ),
            id="one-differs",
        ),
        pytest.param(
            {"a": {"v": LONG, "w": LONG[1:]}, "b": {"v": "y", "w": "z"}, "c": {"u": "1"}},
            failed(
                f"a has v {'x' * 37}…, unlike b; w {'x' * 40}, unlike b",
                "the same on every host",
                remedy=DEPLOY,
                seen_by="the probes of 3 hosts",
            ),
            id="no-majority",
        ),
    ],
)
def test_what_an_operator_reads(hosts: dict[str, Told | Unobserved], told: Judgement) -> None:
    """What differs is told with whom it differs from, how many were looked at, and what to do."""
    assert judge("a", hosts) == told


def test_everything_that_was_seen_is_compared() -> None:
    """Each fact that has to be alike on every host goes by its own name."""
    facts = HostFacts(
        looked_by="probe",
        seconds=1.0,
        application=Application(
            name="shop",
            environment="production",
            root="/srv",
            release="r1",
            runtime_user="www-data",
            debug=True,
            framework_version="12.60.0",
            filament_version="4.0.1",
            php_version="8.4.1",
        ),
        compiled=CompiledViews(path="/v", generation="/v/1", sources=3, intact=3, bytes=9, digest="aa"),
        middleware=Middleware(stack=("A", "B")),
    )
    assert told_by(facts) == {
        "release": "r1",
        "environment": "production",
        "framework": "12.60.0",
        "Filament": "4.0.1",
        "PHP": "8.4.1",
        "debug mode": "True",
        "templates": "3",
        "compiled views": "aa",
        "middleware": "A B",
    }


def test_an_application_without_filament_is_not_compared_by_it() -> None:
    """What an application does not have is left out."""
    one = Application(name="shop", environment="local", root="/srv", release="", runtime_user="u")
    told = told_by(HostFacts(looked_by="probe", seconds=1.0, application=one))
    assert told == {"environment": "local", "debug mode": "False"}


def test_what_a_probe_tells_is_compared() -> None:
    """Release, versions and the compiled set come from the facts; what was not seen is left out."""
    assert told_by(HostFacts(looked_by="probe", seconds=1.0)) == {}
    compiled = CompiledViews(path="/v", generation="/v/1", sources=3, intact=3, bytes=9, digest="aa")
    facts = HostFacts(looked_by="probe", seconds=1.0, compiled=compiled)
    assert told_by(facts) == {"templates": "3", "compiled views": "aa"}
