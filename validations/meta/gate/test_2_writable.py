"""Validation 2 sees through root's rights, mounts, full disks and things that are no directory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fixtures.observation.facts import CompiledViews, Directory
from reports.records import Level, Verdict
from validations.contracts import OBSERVED, RESOLVED
from validations.gate.test_2_writable import LEAST_FREE_BYTES, LEAST_FREE_INODES, Evidence, judge
from validations.places import GATEWAY, LARAVEL, Places

ROLES = ("compiled-views", "bootstrap-cache", "filament-cache", "logs")
COMPILED = CompiledViews(path="/v", generation="/v/g", sources=2, intact=2, bytes=3_000_000)
LARGE = COMPILED.model_copy(update={"bytes": 20_000_001})
PATH = "/srv/compiled-views"


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


def evidence(role: str = "compiled-views", **changes: Any) -> Evidence:
    """Return the evidence of one good directory, with changes to that."""
    return Evidence("www-data", {role: directory(role, **changes)}, COMPILED)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("changes", "code", "level", "seen_by"),
    [
        pytest.param({}, "written", OBSERVED, "looking as www-data", id="written"),
        pytest.param({"write_error": None}, "allowed", RESOLVED, "looking as www-data", id="not-written"),
        pytest.param(
            {"write_error": None, "by_modes": True},
            "allowed",
            RESOLVED,
            "the ids of www-data and the modes",
            id="modes",
        ),
    ],
)
def test_a_directory_of_the_runtime_user_passes(
    role: str, changes: dict[str, Any], code: str, level: Level, seen_by: str
) -> None:
    """Each directory is green where its user alone can write it, and it is told whether a file was written to see."""
    finding = judge(evidence(role, mode=0o75, owner="deploy", free_bytes=100_000_000, **changes), role)
    assert (finding.verdict, finding.code, finding.level) == (Verdict.PASS, f"writable.{code}", level)
    assert finding.figures == {"free_bytes": 100_000_000.0, "mode": "0075", "owner": "deploy"}
    assert finding.seen_by == seen_by
    assert f"/srv/{role}" in finding.observed


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(evidence(free_bytes=LEAST_FREE_BYTES), id="bytes"),
        pytest.param(replace(evidence(free_bytes=LEAST_FREE_BYTES), compiled=None), id="nothing-compiled"),
        pytest.param(replace(evidence(free_bytes=40_000_002), compiled=LARGE), id="one-more-generation"),
        pytest.param(evidence(free_inodes=LEAST_FREE_INODES), id="inodes"),
        pytest.param(evidence(free_inodes=None), id="inodes-that-nothing-tells"),
    ],
)
def test_just_enough_room_is_enough(evidence: Evidence) -> None:
    """The least that is asked for passes."""
    assert judge(evidence, "compiled-views").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        pytest.param({"kind": "missing"}, "no-directory", "not there", id="missing"),
        pytest.param({"kind": "missing", "resolved_by": "convention"}, "no-directory", "not there", id="usual-place"),
        pytest.param({"kind": "file"}, "no-directory", "a file", id="file"),
        pytest.param({"kind": "dangling-link"}, "no-directory", "a dangling link", id="dangling-link"),
        pytest.param({"kind": "other"}, "no-directory", "neither a file nor a directory", id="device"),
        pytest.param({"kind": "unreachable"}, "no-directory", "out of the runtime user's reach", id="unreachable"),
        pytest.param({"read_only_mount": True}, "read-only-mount", "", id="read-only-mount"),
        pytest.param({"writable": False}, "closed", "www-data", id="not-writable"),
        pytest.param({"writable": False, "owner": "root", "mode": 0o5}, "closed", "by root, mode 0005", id="roots"),
        pytest.param({"world_writable_entries": (".", *"abc")}, "open-to-all", "itself, a, b and 1 more", id="to-all"),
        pytest.param({"world_writable_entries": ("a",)}, "open-to-all", "a", id="to-all-below"),
        pytest.param({"unwritable_entries": ("a", "b", "c", "d")}, "closed-within", "a, b, c and 1 more", id="within"),
        pytest.param({"free_inodes": LEAST_FREE_INODES - 1}, "no-inodes", "1,023", id="no-inodes"),
        pytest.param({"write_error": "Disk quota exceeded"}, "write-failed", "Disk quota exceeded", id="write-failed"),
    ],
)
def test_a_directory_that_cannot_be_used_is_red(changes: dict[str, Any], code: str, told: str) -> None:
    """Whatever keeps the runtime user from writing, or lets others, is red, and it is told where."""
    finding = judge(evidence(**changes), "compiled-views")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"writable.{code}")
    assert PATH in finding.observed
    assert told in finding.observed


@pytest.mark.parametrize(
    ("free", "compiled", "least"),
    [
        pytest.param(LEAST_FREE_BYTES - 1, COMPILED, "16,777,216", id="small"),
        pytest.param(LEAST_FREE_BYTES - 1, None, "16,777,216", id="nothing-compiled"),
        pytest.param(40_000_001, LARGE, "40,000,002", id="no-room-for-one-more-generation"),
    ],
)
def test_a_disk_without_room_for_one_more_generation_is_red(
    free: int, compiled: CompiledViews | None, least: str
) -> None:
    """A disk with less room than twice the compiled views cannot hold the next rebuild; it is told what it needs."""
    finding = judge(replace(evidence(free_bytes=free), compiled=compiled), "compiled-views")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "writable.disk-full")
    assert finding.figures == {"free_bytes": float(free)}
    assert PATH in finding.observed
    assert least in finding.expected


@pytest.mark.parametrize("user", [None, "root"], ids=["not-named", "named"])
def test_root_as_the_runtime_user_is_red(user: str | None) -> None:
    """What root may write says nothing, and an application that runs as root is a defect of its own."""
    finding = judge(replace(evidence(looked_as="root"), user=user), "compiled-views")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "writable.root")


@pytest.mark.parametrize(
    ("part", "evidence", "code", "told"),
    [
        *(pytest.param(role, Evidence("www-data", {}, COMPILED), "not-looked-at", role, id=role) for role in ROLES),
        pytest.param("compiled-views", evidence(looked_as="root"), "looked-as-another", "as root", id="as-root"),
        pytest.param("compiled-views", evidence(looked_as="nobody"), "looked-as-another", "as nobody", id="as-another"),
        pytest.param("compiled-views", evidence(resolved_by="convention"), "place-not-told", PATH, id="usual-place"),
    ],
)
def test_what_was_not_looked_at_is_unknown(part: str, evidence: Evidence, code: str, told: str) -> None:
    """Silence, another user's rights, and a place that the application did not name do not answer for the real one."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, f"writable.{code}")
    assert told in finding.observed


def test_a_directory_without_a_use_does_not_count() -> None:
    """What the application positively does not use need not be writable."""
    finding = judge(evidence(kind="unused", writable=False), "compiled-views")
    assert (finding.verdict, finding.code) == (Verdict.NOT_APPLICABLE, "writable.unused")
    assert PATH in finding.observed


@pytest.mark.parametrize(
    ("path", "code", "remedy"),
    [
        pytest.param(
            "/srv/build1/views", "in-another-release", "config:cache in /srv/releases/7,", id="another-folder"
        ),
        pytest.param("/srv/releases/6/views", "in-another-release", "config:cache in /srv/releases/7,", id="last-one"),
        pytest.param(
            "/srv/releases/77/v", "in-another-release", "config:cache in /srv/releases/7,", id="alike-by-name"
        ),
        pytest.param(
            "/srv/releases/7/views", "no-directory", "create /srv/releases/7/views for www-data", id="its-own"
        ),
        pytest.param("/srv/shared/views", "no-directory", "create /srv/shared/views for www-data", id="shared"),
        pytest.param("/srv/releases/shared/v", "no-directory", "create /srv/releases/shared/v for", id="shared-beside"),
    ],
)
def test_a_folder_of_another_release_is_not_to_be_created(path: str, code: str, remedy: str) -> None:
    """Where the configuration was cached in another folder, it has to be cached in this release instead."""
    finding = judge(replace(evidence(kind="missing", path=path), cached_in="/srv/releases/7"), "compiled-views")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"writable.{code}")
    assert path in finding.observed
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("place", "cached_in", "command"),
    [
        pytest.param(GATEWAY, "", "./artisan view:cache", id="gateway"),
        pytest.param(LARAVEL, "", "php artisan view:cache", id="laravel"),
        pytest.param(LARAVEL, "/srv/releases/7", "php artisan config:cache", id="laravel-cached-elsewhere"),
    ],
)
def test_the_remedy_is_typed_as_this_console_is(place: Places, cached_in: str, command: str) -> None:
    """A command of a remedy is the console's of this kind of application."""
    missing = replace(evidence(kind="missing"), places=place, cached_in=cached_in)
    assert command in judge(missing, "compiled-views").remedy


def test_only_what_is_missing_is_put_down_to_another_release() -> None:
    """A file where a folder of another release should be is told as what it is."""
    finding = judge(
        replace(evidence(kind="file", path="/srv/build1/views"), cached_in="/srv/releases/7"), "compiled-views"
    )
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "writable.no-directory")


def test_storage_is_not_given_to_whoever_happened_to_look() -> None:
    """Only a user that the environment names as the workers' is given what another wrote; else it has to be named."""
    closed = evidence(unwritable_entries=("a",), looked_as="deploy")
    assert f"chown -R deploy {PATH}" in judge(replace(closed, user="deploy"), "compiled-views").remedy
    finding = judge(replace(closed, user=None), "compiled-views")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "writable.closed-to-the-probe")
    assert "chown" not in finding.remedy
    assert "runtime_user" in finding.remedy
