"""Validation 2 sees through root's rights, mounts, full disks and things that are no directory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import CompiledViews, Directory
from reports.records import Verdict
from validations.contracts import Judgement, failed, not_applicable, passed, unknown
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


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("compiled-views", evidence(mode=0o75, owner="deploy", free_bytes=100_000_000),
            passed("/srv/compiled-views is writable for www-data (a file was written and removed)",
                seen_by="looking as www-data", free_bytes=100000000.0, mode="0075", owner="deploy"), id="written"),
        pytest.param("compiled-views", evidence(write_error=None),
            passed("/srv/compiled-views is writable for www-data (effect not exercised: nothing was written)",
                seen_by="looking as www-data", free_bytes=1073741824.0, mode="0755", owner="www-data"),
            id="not-written"),
        pytest.param("compiled-views", evidence(by_modes=True),
            passed("/srv/compiled-views is writable for www-data (a file was written and removed)",
                seen_by="the ids of www-data and the modes", free_bytes=1073741824.0, mode="0755", owner="www-data"),
            id="by-modes"),
        pytest.param("logs", evidence(), unknown("the probe did not look at the logs directory"), id="not-looked-at"),
        pytest.param("compiled-views", evidence(looked_as="nobody"),
            unknown("/srv/compiled-views was looked at as nobody, and not as www-data"), id="looked-at-by-another"),
        pytest.param("compiled-views", evidence(kind="unused"),
            not_applicable("the application has no use for /srv/compiled-views"), id="unused"),
        pytest.param("compiled-views", replace(evidence(looked_as="root"), user="root"),
            failed("the application's runtime user is root", "an unprivileged user",
                remedy="give storage to the web server's user and name it as runtime_user", seen_by="looking as root"),
            id="root"),
        pytest.param("compiled-views", evidence(kind="missing"),
            failed("/srv/compiled-views is not there", "a directory",
                remedy="create /srv/compiled-views for www-data with mode 0755, then run view:cache",
                seen_by="looking as www-data"), id="missing"),
        pytest.param("compiled-views", evidence(read_only_mount=True),
            failed("/srv/compiled-views lies on a read-only mount", "writable", remedy="mount it read-write",
                seen_by="looking as www-data"), id="read-only-mount"),
        pytest.param("compiled-views", evidence(writable=False, owner="root", mode=0o5),
            failed("www-data cannot write /srv/compiled-views (owned by root, mode 0005)", "writable for www-data",
                seen_by="looking as www-data"), id="not-writable"),
        pytest.param("compiled-views", evidence(world_writable_entries=(".", "a", "b", "c")),
            failed("anyone can write /srv/compiled-views: itself, a, b and 1 more", "writable for www-data alone",
                remedy="chmod -R o-w /srv/compiled-views: a compiled view is code that will be run",
                seen_by="looking as www-data"), id="anyone-can-write"),
        pytest.param("compiled-views", evidence(unwritable_entries=("a", "b", "c", "d")),
            failed("www-data cannot use a, b, c and 1 more in /srv/compiled-views", "all of it open to www-data",
                remedy="chown -R www-data /srv/compiled-views; something wrote there as another user",
                seen_by="looking as www-data"), id="entries-of-another"),
        pytest.param("compiled-views", evidence(free_bytes=16_777_215),
            failed("16,777,215 bytes are free for /srv/compiled-views",
                "at least 16,777,216, so that one more generation fits",
                remedy="free disk space or move the cache to a larger disk", seen_by="looking as www-data",
                free_bytes=16777215.0), id="no-room"),
        pytest.param("compiled-views", replace(evidence(free_bytes=40_000_001),
            compiled=COMPILED.model_copy(update={"bytes": 20_000_001})),
            failed("40,000,001 bytes are free for /srv/compiled-views",
                "at least 40,000,002, so that one more generation fits",
                remedy="free disk space or move the cache to a larger disk", seen_by="looking as www-data",
                free_bytes=40000001.0), id="no-room-for-one-more"),
        pytest.param("compiled-views", evidence(free_inodes=1023),
            failed("1,023 inodes are free for /srv/compiled-views", "at least 1,024",
                remedy="delete small files on that file system: it has room, but no names left",
                seen_by="looking as www-data"), id="no-names-left"),
        pytest.param("compiled-views", evidence(write_error="Disk quota exceeded"),
            failed("writing a file to /srv/compiled-views as www-data ended with: Disk quota exceeded", "written",
                remedy="permissions allow it and the system does not: look at quotas, security modules and the mount",
                seen_by="looking as www-data"), id="writing-failed"),
        pytest.param("compiled-views", evidence(resolved_by="convention"),
            unknown("the application does not tell where its compiled views are: /srv/compiled-views may not be"
                " it"), id="usual-place"),
        pytest.param("logs", Evidence("www-data", {"logs": directory("logs", write_error=None)}, None),
            passed("/srv/logs is writable for www-data (effect not exercised: nothing was written)",
                seen_by="looking as www-data", free_bytes=1073741824.0, mode="0755", owner="www-data"),
            id="usual-place-of-logs"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told
