"""Validation 2 sees through root's rights, mounts, full disks and things that are no directory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import CompiledViews, Directory
from reports.records import Verdict
from validations.gate.test_2_writable import LEAST_FREE_BYTES, LEAST_FREE_INODES, Evidence, judge

ROLES = ("compiled-views", "bootstrap-cache", "filament-cache", "logs")
COMPILED = CompiledViews(path="/v", generation="/v/g", sources=2, intact=2, bytes=3_000_000)


def directory(role: str = "compiled-views", **changes: Any) -> Directory:
    """Return a directory as it should be, with changes."""
    told = {
        "role": role,
        "path": f"/srv/{role}",
        "resolved_by": "application" if role == "compiled-views" else "convention",
        "kind": "directory",
        "mode": 0o755,
        "owner": "www-data",
        "writable": True,
        "looked_as": "www-data",
        "free_bytes": 1 << 30,
        "free_inodes": 1 << 20,
        "write_error": "",
    }
    return Directory.model_validate(told | changes)


def evidence(**changes: Any) -> Evidence:
    """Return the evidence of a good compiled-view directory, with changes to that."""
    return Evidence("www-data", {"compiled-views": directory(**changes)}, COMPILED)


@pytest.mark.parametrize("role", ROLES)
def test_a_directory_of_the_runtime_user_passes(role: str) -> None:
    """Each of the four directories is green where its user alone can write it."""
    assert judge(Evidence("www-data", {role: directory(role)}, COMPILED), role).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"kind": "missing"}, "is not there", id="missing"),
        pytest.param({"kind": "file"}, "is a file", id="file"),
        pytest.param({"kind": "dangling-link"}, "is a dangling link", id="dangling-link"),
        pytest.param({"kind": "other"}, "is neither a file nor a directory", id="device"),
        pytest.param({"kind": "unreachable"}, "out of the runtime user's reach", id="unreachable"),
        pytest.param({"writable": False}, "www-data cannot write", id="not-writable"),
        pytest.param({"writable": False, "owner": "root", "mode": 0o555}, "owned by root, mode 0555", id="roots"),
        pytest.param({"read_only_mount": True}, "read-only mount", id="read-only-mount"),
        pytest.param({"free_bytes": LEAST_FREE_BYTES - 1}, "bytes are free", id="full-disk"),
        pytest.param({"free_inodes": LEAST_FREE_INODES - 1}, "inodes are free", id="no-inodes"),
        pytest.param({"write_error": "No space left on device"}, "No space left on device", id="writing-failed"),
        pytest.param({"world_writable_entries": (".",)}, "itself", id="world-writable"),
        pytest.param({"world_writable_entries": ("a", "b", "c", "d")}, "a, b, c and 1 more", id="world-writable-below"),
        pytest.param({"unwritable_entries": ("generations",)}, "cannot use generations", id="roots-below"),
    ],
)
def test_a_directory_that_cannot_be_used_is_red(changes: dict[str, object], said: str) -> None:
    """Whatever keeps the runtime user from writing, or lets others, is red and named."""
    judgement = judge(evidence(**changes), "compiled-views")
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason
    assert "/srv/compiled-views" in judgement.reason + judgement.remedy


def test_one_more_generation_has_to_fit() -> None:
    """A disk with less room than twice the compiled views cannot hold the next rebuild."""
    large = COMPILED.model_copy(update={"bytes": 1 << 30})
    judgement = judge(replace(evidence(), compiled=large), "compiled-views")
    assert judgement.verdict is Verdict.FAIL
    assert "at least 2,147,483,648" in judgement.reason


def test_root_as_the_runtime_user_is_red() -> None:
    """What root may write says nothing, and an application that runs as root is a defect of its own."""
    judgement = judge(replace(evidence(looked_as="root"), user=None), "compiled-views")
    assert judgement.verdict is Verdict.FAIL
    assert "runtime user is root" in judgement.reason


@pytest.mark.parametrize("looked_as", ["root", "nobody"])
def test_a_look_as_somebody_else_is_unknown(looked_as: str) -> None:
    """Another user's rights do not answer for the runtime user."""
    judgement = judge(evidence(looked_as=looked_as), "compiled-views")
    assert judgement.verdict is Verdict.UNKNOWN
    assert looked_as in judgement.reason


@pytest.mark.parametrize("role", ROLES)
def test_a_directory_nobody_looked_at_is_unknown(role: str) -> None:
    """Silence about a directory is not a pass."""
    assert judge(Evidence("www-data", {}, COMPILED), role).verdict is Verdict.UNKNOWN


def test_the_usual_place_does_not_stand_for_the_one_the_application_uses() -> None:
    """A compiled-view directory that the application did not name may not be the one it writes to."""
    judgement = judge(evidence(resolved_by="convention"), "compiled-views")
    assert judgement.verdict is Verdict.UNKNOWN
    assert "does not tell" in judgement.reason


def test_the_usual_place_is_red_where_it_is_broken() -> None:
    """A broken directory at the usual place is red, whoever named it."""
    assert judge(evidence(resolved_by="convention", kind="missing"), "compiled-views").verdict is Verdict.FAIL


def test_a_directory_that_was_not_written_to_says_so() -> None:
    """On a read-only environment the pass says that the effect was not exercised."""
    judgement = judge(evidence(write_error=None), "compiled-views")
    assert judgement.verdict is Verdict.PASS
    assert "effect not exercised" in judgement.reason


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"free_bytes": LEAST_FREE_BYTES}, id="bytes"),
        pytest.param({"free_inodes": LEAST_FREE_INODES}, id="inodes"),
    ],
)
def test_just_enough_room_is_enough(changes: dict[str, Any]) -> None:
    """The least that is asked for passes."""
    assert judge(evidence(**changes), "compiled-views").verdict is Verdict.PASS


def test_it_says_whether_a_file_was_written() -> None:
    """A pass tells an effect that was seen from one that was not exercised."""
    assert "a file was written and removed" in judge(evidence(write_error=""), "compiled-views").reason
    assert "effect not exercised" in judge(evidence(write_error=None), "compiled-views").reason
