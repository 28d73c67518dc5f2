"""Hosts that agree: each is compared with most of them, and what was not seen of one agrees with nothing."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.observation.facts import Application, CompiledViews, HostFacts, Middleware, Unobserved
from reports.records import Verdict
from validations.agreement import HOST, MISSING, Digest, digest_of, judge
from validations.contracts import RESOLVED

VALUES = {"release": "r2", "framework": "12.52.0", "compiled views": "aaaa"}
NEW = Digest(VALUES)
OLD = Digest(VALUES | {"release": "r1", "compiled views": "bbbb"})
SILENT = Digest(unseen={HOST: "ssh: connection refused"})
PARTLY = Digest({"release": "r2", "framework": "12.52.0"}, {"compiled": "no console"})
TEN = Digest(dict.fromkeys("0123456789", "1"))
LONG = "x" * 41


def one(**values: str) -> Digest:
    """Return a digest of these values."""
    return Digest(values)


@pytest.mark.parametrize(
    ("hosts", "verdicts"),
    [
        pytest.param({"a": NEW, "b": NEW}, "PP", id="alike"),
        pytest.param({"a": NEW, "b": OLD, "c": NEW}, "PFP", id="one-differs"),
        pytest.param({"a": NEW, "b": OLD}, "FF", id="no-majority"),
        pytest.param({"a": NEW, "b": NEW, "c": OLD, "d": OLD}, "FFFF", id="two-and-two"),
        pytest.param({"a": NEW, "b": SILENT, "c": NEW}, "UUU", id="one-not-seen"),
        pytest.param({"a": NEW, "b": MISSING, "c": NEW}, "UUU", id="one-missing"),
        pytest.param({"a": NEW, "b": SILENT, "c": NEW, "d": OLD}, "UUUF", id="one-not-seen-and-one-differs"),
        pytest.param({"a": NEW, "b": SILENT}, "UU", id="no-host-to-compare"),
        pytest.param({"a": NEW, "b": PARTLY, "c": NEW}, "UUU", id="a-section-of-one-not-seen"),
        pytest.param({"a": OLD, "b": PARTLY, "c": NEW}, "FUF", id="a-section-not-seen-and-one-differs"),
        pytest.param({"a": Digest(), "b": Digest()}, "UU", id="nothing-seen"),
        pytest.param({"a": NEW}, "U", id="one-host"),
        pytest.param({"a": NEW, "b": Digest(VALUES | {"compiled views": "cccc"}), "c": NEW}, "PFP", id="only-views"),
        pytest.param(
            {"a": one(Filament=""), "b": one(Filament="4.0.1"), "c": one(Filament="")}, "PFP", id="one-has-it"
        ),
    ],
)
def test_each_host_is_compared_with_most(hosts: dict[str, Digest], verdicts: str) -> None:
    """Hosts that differ from the majority fail, all where there is none; no host agrees with what was not seen."""
    words = {"P": Verdict.PASS, "F": Verdict.FAIL, "U": Verdict.UNKNOWN}
    assert [judge(host, hosts).verdict for host in hosts] == [words[letter] for letter in verdicts]


@pytest.mark.parametrize(
    ("hosts", "code", "told"),
    [
        pytest.param({"a": NEW, "b": NEW}, "alike", "2 hosts: release, framework, compiled views", id="two-alike"),
        pytest.param({"a": TEN, "b": TEN}, "alike", "7, 8 and 1 more", id="ten-alike"),
        pytest.param(
            {"a": NEW, "b": NEW, "c": SILENT, "d": PARTLY},
            "not-all-compared",
            "c (ssh: connection refused); of d not compiled (no console)",
            id="not-all-seen",
        ),
        pytest.param({"a": SILENT, "b": NEW}, "not-seen", "ssh: connection refused", id="not-seen-itself"),
        pytest.param({"a": Digest(), "b": NEW}, "not-seen", "nothing of it", id="nothing-seen"),
        pytest.param({"a": NEW}, "alone", "", id="one-host"),
        pytest.param(
            {"a": one(release="r1", PHP="8"), "b": one(release="r2", PHP="8"), "c": one(release="r2")},
            "differs",
            "a has release r1, unlike b, c",
            id="one-differs",
        ),
        pytest.param(
            {"a": one(v=LONG, w=LONG[1:], x=""), "b": one(v="y", w="z", x="1"), "c": one(u="1")},
            "differs",
            f"v {'x' * 37}…, unlike b; w {'x' * 40}, unlike b; x none, unlike b",
            id="no-majority",
        ),
    ],
)
def test_what_was_compared_is_told(hosts: dict[str, Digest], code: str, told: str) -> None:
    """What differs is named with the hosts it differs from; what agrees, and what was not seen, by name, too."""
    finding = judge("a", hosts)
    assert finding.code == f"agreement.{code}"
    assert told in finding.observed


def test_hosts_of_which_nothing_was_seen_are_not_counted() -> None:
    """How many hosts were looked at is told, and the level of what their applications said of themselves."""
    differs = judge("b", {"a": NEW, "b": OLD, "c": SILENT, "d": PARTLY})
    assert (differs.level, differs.seen_by) == (RESOLVED, "the probes of 3 hosts")
    assert judge("a", {"a": NEW, "b": NEW}).level is RESOLVED


def facts(**sections: Any) -> HostFacts:
    """Return the facts of a host with these sections, and a reason for no other."""
    return HostFacts(looked_by="probe", seconds=1.0, **sections)


COMPILED = CompiledViews(path="/v", generation="/v/1", sources=3, intact=3, bytes=9, digest="aa")
APPLICATION = Application(
    name="shop",
    environment="production",
    root="/srv",
    release="r1",
    runtime_user="www-data",
    debug=True,
    framework_version="12.60.0",
    filament_version="4.0.1",
    php_version="8.4.1",
)


def test_everything_that_was_seen_is_compared() -> None:
    """Each fact that has to be alike on every host goes by its own name."""
    seen = facts(application=APPLICATION, compiled=COMPILED, middleware=Middleware(stack=("A", "B")))
    assert digest_of(seen) == Digest(
        {
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
    )


def test_an_application_without_filament_is_compared_as_one_without() -> None:
    """What an application positively does not have is a value of its own: a host that has it differs."""
    bare = APPLICATION.model_copy(update={"filament_version": None, "release": ""})
    digest = digest_of(facts(application=bare, compiled=COMPILED, middleware=Middleware(stack=())))
    assert (digest.seen["Filament"], digest.seen["release"], digest.seen["middleware"]) == ("", "", "")
    assert not digest.unseen


@pytest.mark.parametrize(
    ("seen", "unseen"),
    [
        pytest.param(Unobserved("no probe"), {HOST: "no probe"}, id="nothing"),
        pytest.param(
            facts(compiled=COMPILED, unobserved={"application": "no console"}),
            {"application": "no console", "middleware": "the probe said nothing of middleware"},
            id="no-console",
        ),
        pytest.param(
            facts(
                application=APPLICATION,
                compiled=COMPILED.model_copy(update={"digest": ""}),
                middleware=Middleware(stack=("A",)),
            ),
            {"compiled": "the probe's answer lacks their digest"},
            id="no-digest-of-the-views",
        ),
    ],
)
def test_what_was_not_seen_is_in_the_digest_with_its_reason(
    seen: HostFacts | Unobserved, unseen: dict[str, str]
) -> None:
    """A host that could not be looked at, and each section that could not, keep the reason for the comparison."""
    assert digest_of(seen).unseen == unseen
