"""Hosts of one mind: who differs from most is named, and nobody agrees with what was not seen."""

from __future__ import annotations

import pytest

from fixtures.observation.facts import CompiledViews, HostFacts, Unobserved
from reports.records import Verdict
from validations.agreement import Told, judge, told_by

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


def test_what_a_probe_tells_is_compared() -> None:
    """Release, versions and the compiled set come from the facts; what was not seen is left out."""
    assert told_by(HostFacts(looked_by="probe", seconds=1.0)) == {}
    compiled = CompiledViews(path="/v", generation="/v/1", sources=3, intact=3, bytes=9, digest="aa")
    facts = HostFacts(looked_by="probe", seconds=1.0, compiled=compiled)
    assert told_by(facts) == {"templates": "3", "compiled views": "aa"}
