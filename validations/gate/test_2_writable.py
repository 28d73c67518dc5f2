"""Validation 2: the view cache directory is writable.

By the runtime user and not by root, who may write anywhere; where the application resolves it to, with everything
that lies in it; on a disk that has room for one more generation. Not fooled by a read-only mount, a full disk, a
directory that is a file or a dangling link. Writable by anyone is a failure, too: a compiled view is code.
"""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.environments.base import Host
from fixtures.observation.facts import CompiledViews, Directory
from validations.cells import Cell, validates
from validations.contracts import Judgement, failed, listed, not_applicable, passed, unknown
from validations.registry import WRITABLE

# One more generation has to fit beside the one that is served, and some logs.
LEAST_FREE_BYTES = 16 << 20
LEAST_FREE_INODES = 1024
COMPILED = "compiled-views"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The directories by role, as the runtime user finds them; what is compiled now, for the room it takes."""

    user: str | None
    directories: dict[str, Directory]
    compiled: CompiledViews | None


pytest_generate_tests = validates(WRITABLE)


def test_writable(cell: Cell) -> None:
    """The compiled-view directory and the caches beside it can be written by the runtime user, and by no one else."""
    cell.judge(examine, judge)


def examine(host: Host) -> Evidence:
    """Take the directories of the host's facts."""
    facts = host.facts()
    directories = {directory.role: directory for directory in facts.seen("directories")}
    return Evidence(host.environment.runtime_user, directories, facts.compiled)


def judge(evidence: Evidence, part: str) -> Judgement:  # noqa: PLR0911 - one a defect
    """Judge one directory, named by its role."""
    directory = evidence.directories.get(part)
    if directory is None:
        return unknown(f"the probe did not look at the {part} directory")
    path, who = directory.path, directory.looked_as
    seen_by = f"the ids of {who} and the modes" if directory.by_modes else f"looking as {who}"
    if evidence.user is not None and directory.looked_as != evidence.user:
        return unknown(f"{path} was looked at as {directory.looked_as}, and not as {evidence.user}")
    if directory.kind == "unused":
        return not_applicable(f"the application has no use for {path}")
    if directory.looked_as == "root":
        return failed(
            "the application's runtime user is root",
            "an unprivileged user",
            remedy="give storage to the web server's user and name it as runtime_user",
            seen_by=seen_by,
        )
    if directory.kind != "directory":
        return failed(
            f"{path} is {_KINDS[directory.kind]}",
            "a directory",
            remedy=f"create {path} for {directory.looked_as} with mode 0755, then run view:cache",
            seen_by=seen_by,
        )
    if directory.read_only_mount:
        return failed(f"{path} lies on a read-only mount", "writable", remedy="mount it read-write", seen_by=seen_by)
    return (
        _permissions(directory, seen_by) or _room(directory, evidence.compiled, seen_by) or _written(directory, seen_by)
    )


def _permissions(directory: Directory, seen_by: str) -> Judgement | None:
    path, who = directory.path, directory.looked_as
    whose = f"owned by {directory.owner}, mode {directory.mode:04o}"
    if not directory.writable:
        return failed(f"{who} cannot write {path} ({whose})", f"writable for {who}", seen_by=seen_by)
    if directory.world_writable_entries:
        which = listed(["itself" if name == "." else name for name in directory.world_writable_entries])
        return failed(
            f"anyone can write {path}: {which}",
            f"writable for {who} alone",
            remedy=f"chmod -R o-w {path}: a compiled view is code that will be run",
            seen_by=seen_by,
        )
    if directory.unwritable_entries:
        return failed(
            f"{who} cannot use {listed(directory.unwritable_entries)} in {path}",
            f"all of it open to {who}",
            remedy=f"chown -R {who} {path}; something wrote there as another user",
            seen_by=seen_by,
        )
    return None


def _room(directory: Directory, compiled: CompiledViews | None, seen_by: str) -> Judgement | None:
    least = max(LEAST_FREE_BYTES, 2 * compiled.bytes) if compiled else LEAST_FREE_BYTES
    if directory.free_bytes < least:
        return failed(
            f"{directory.free_bytes:,} bytes are free for {directory.path}",
            f"at least {least:,}, so that one more generation fits",
            remedy="free disk space or move the cache to a larger disk",
            seen_by=seen_by,
            free_bytes=float(directory.free_bytes),
        )
    if directory.free_inodes is not None and directory.free_inodes < LEAST_FREE_INODES:
        return failed(
            f"{directory.free_inodes:,} inodes are free for {directory.path}",
            f"at least {LEAST_FREE_INODES:,}",
            remedy="delete small files on that file system: it has room, but no names left",
            seen_by=seen_by,
        )
    return None


def _written(directory: Directory, seen_by: str) -> Judgement:
    if directory.write_error:
        return failed(
            f"writing a file to {directory.path} as {directory.looked_as} ended with: {directory.write_error}",
            "written",
            remedy="permissions allow it and the system does not: look at quotas, security modules and the mount",
            seen_by=seen_by,
        )
    if directory.role == COMPILED and directory.resolved_by != "application":
        # Whatever holds of the usual place: the application may have been told of another one.
        return unknown(f"the application does not tell where its compiled views are: {directory.path} may not be it")
    how = (
        "effect not exercised: nothing was written"
        if directory.write_error is None
        else "a file was written and removed"
    )
    return passed(
        f"{directory.path} is writable for {directory.looked_as} ({how})",
        seen_by=seen_by,
        free_bytes=float(directory.free_bytes),
        mode=f"{directory.mode:04o}",
        owner=directory.owner,
    )


_KINDS = {
    "file": "a file",
    "dangling-link": "a dangling link",
    "missing": "not there",
    "other": "neither a file nor a directory",
    "unreachable": "out of the runtime user's reach",
}
