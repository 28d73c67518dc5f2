"""Validation 2: the view cache directory is writable.

By the runtime user and not by root, who may write anywhere; where the application resolves it to, with everything
that lies in it; on a disk that has room for one more generation. Not fooled by a read-only mount, a full disk, a
directory that is a file or a dangling link. Writable by anyone is a failure, too: a compiled view is code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from fixtures.environments.base import Host
from fixtures.observation.facts import CompiledViews, Directory
from reports.records import Finding, Scalar
from validations.cells import Cell, validates
from validations.contracts import OBSERVED, RESOLVED, failed, listed, not_applicable, passed, unknown
from validations.messages import does_not_apply, fails, is_unknown, passes, says
from validations.places import GATEWAY, Places, places_of
from validations.registry import WRITABLE

says(
    {
        "writable.not-looked-at": is_unknown("the probe did not look at the {role} directory"),
        "writable.looked-as-another": is_unknown(
            "{path} was looked at as {looked_as}, and not as {user}",
            "run the probe as {user}, or as root, which can become {user}",
        ),
        "writable.unused": does_not_apply("the application has no use for {path}"),
        "writable.root": fails(
            "the application's runtime user is root",
            "an unprivileged user",
            "run the workers as an unprivileged user, give that user storage, and name it as runtime_user",
        ),
        "writable.no-directory": fails(
            "{path} is {what}", "a directory", "create {path} for {owner} with mode 0755{then}"
        ),
        "writable.in-another-release": fails(
            "{path} is {what}, and is no part of {root}",
            "a directory of this release, or one that its releases share",
            "run {console} config:cache in {root}, whose cached configuration names that folder; where it is meant to"
            " be there, create it for {owner}",
        ),
        "writable.read-only-mount": fails("{path} lies on a read-only mount", "writable", "mount it read-write"),
        "writable.closed": fails(
            "{who} cannot write {path} ({whose})",
            "writable for {who}",
            "give {path} to {owner} with mode 0755",
        ),
        "writable.open-to-all": fails(
            "anyone can write {path}: {which}",
            "writable for {who} alone",
            "chmod -R o-w {path}: a compiled view is code that will be run",
        ),
        "writable.closed-within": fails(
            "{who} cannot use {which} in {path}",
            "all of it open to {who}",
            "chown -R {who} {path}; something wrote there as another user",
        ),
        "writable.closed-to-the-probe": fails(
            "{who} cannot use {which} in {path}",
            "all of it open to the user that the workers run as",
            "name the workers' user as runtime_user, and give {path} to that user: {who} owns storage, and need not be"
            " it",
        ),
        "writable.disk-full": fails(
            "{free:,} bytes are free for {path}",
            "at least {least:,}, so that one more generation fits",
            "free disk space or move the cache to a larger disk",
        ),
        "writable.no-inodes": fails(
            "{free:,} inodes are free for {path}",
            "at least {least:,}",
            "delete small files on that file system: it has room, but no names left",
        ),
        "writable.write-failed": fails(
            "writing a file to {path} as {who} ended with: {error}",
            "written",
            "permissions allow it and the system does not: look at quotas, security modules and the mount",
        ),
        # Whatever holds of the usual place: the application may have been told of another one.
        "writable.place-not-told": is_unknown(
            "the application does not tell where its compiled views are: {path} may not be it"
        ),
        "writable.written": passes("{path} is writable for {who} (a file was written and removed)"),
        "writable.allowed": passes("{path} is writable for {who} (effect not exercised: nothing was written)"),
    }
)

# One more generation has to fit beside the one that is served, and some logs.
LEAST_FREE_BYTES = 16 << 20
LEAST_FREE_INODES = 1024
COMPILED = "compiled-views"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The directories by role, as the runtime user finds them; what is compiled now, for the room it takes.

    `user` is the runtime user where the environment names one, `cached_in` the release whose configuration is cached.
    """

    user: str | None
    directories: dict[str, Directory]
    compiled: CompiledViews | None
    cached_in: str = ""
    places: Places = GATEWAY


pytest_generate_tests = validates(WRITABLE)


def test_writable(cell: Cell) -> None:
    """The compiled-view directory and the caches beside it can be written by the runtime user, and by no one else."""
    cell.judge()


def examine(host: Host) -> Evidence:
    """Take the directories of the host's facts."""
    facts = host.facts()
    directories = {directory.role: directory for directory in facts.seen("directories")}
    one = facts.application
    cached_in = one.root if one and one.configuration_cached else ""
    return Evidence(host.environment.runtime_user, directories, facts.compiled, cached_in, places_of(host))


def judge(evidence: Evidence, part: str) -> Finding:
    """Judge one directory, named by its role."""
    directory = evidence.directories.get(part)
    if directory is None:
        return unknown("writable.not-looked-at", role=part)
    path, who = directory.path, directory.looked_as
    seen_by = f"the ids of {who} and the modes" if directory.by_modes else f"looking as {who}"
    if evidence.user is not None and who != evidence.user:
        return unknown("writable.looked-as-another", path=path, looked_as=who, user=evidence.user)
    if directory.kind == "unused":
        return not_applicable("writable.unused", path=path)
    if who == "root":
        return failed("writable.root", seen_by=seen_by)
    return (
        _directory(evidence, directory, seen_by)
        or _permissions(evidence, directory, seen_by)
        or _room(directory, evidence.compiled, seen_by)
        or _written(directory, seen_by)
    )


def _directory(evidence: Evidence, directory: Directory, seen_by: str) -> Finding | None:
    path, owner, console = directory.path, _owner(evidence), evidence.places.console
    if directory.kind != "directory":
        foreign = directory.kind == "missing" and evidence.cached_in and not _within(path, evidence.cached_in)
        code = "writable.in-another-release" if foreign else "writable.no-directory"
        what, root = _KINDS[directory.kind], evidence.cached_in
        then = f", then run {console} view:cache" if directory.role == COMPILED else ""
        return failed(code, seen_by=seen_by, path=path, what=what, root=root, owner=owner, console=console, then=then)
    if directory.read_only_mount:
        return failed("writable.read-only-mount", seen_by=seen_by, path=path)
    return None


def _owner(evidence: Evidence) -> str:
    """Return whom a directory is to be given to: who looked owns storage, and need not be whom the workers run as."""
    return evidence.user or "the user that the workers run as, named as runtime_user,"


def _within(path: str, release: str) -> bool:
    """Tell whether a path lies in the release, or in what it shares: beside it, or beside the folder of releases."""
    root = PurePosixPath(release)
    shared = (root.parent / "shared", root.parent.parent / "shared")
    return any(PurePosixPath(path).is_relative_to(folder) for folder in (root, *shared))


def _permissions(evidence: Evidence, directory: Directory, seen_by: str) -> Finding | None:
    path, who = directory.path, directory.looked_as
    if not directory.writable:
        whose = f"owned by {directory.owner}, mode {directory.mode:04o}"
        return failed("writable.closed", seen_by=seen_by, path=path, who=who, whose=whose, owner=_owner(evidence))
    if directory.world_writable_entries:
        which = listed(["itself" if name == "." else name for name in directory.world_writable_entries])
        return failed("writable.open-to-all", seen_by=seen_by, path=path, who=who, which=which)
    if directory.unwritable_entries:
        code = "writable.closed-within" if evidence.user else "writable.closed-to-the-probe"
        return failed(code, seen_by=seen_by, path=path, who=who, which=listed(directory.unwritable_entries))
    return None


def _room(directory: Directory, compiled: CompiledViews | None, seen_by: str) -> Finding | None:
    path, free = directory.path, directory.free_bytes
    least = max(LEAST_FREE_BYTES, 2 * compiled.bytes) if compiled else LEAST_FREE_BYTES
    if free < least:
        figures = {"free_bytes": float(free)}
        return failed("writable.disk-full", seen_by=seen_by, figures=figures, path=path, free=free, least=least)
    if directory.free_inodes is not None and directory.free_inodes < LEAST_FREE_INODES:
        inodes, least = directory.free_inodes, LEAST_FREE_INODES
        return failed("writable.no-inodes", seen_by=seen_by, path=path, free=inodes, least=least)
    return None


def _written(directory: Directory, seen_by: str) -> Finding:
    path, who = directory.path, directory.looked_as
    if directory.write_error:
        return failed("writable.write-failed", seen_by=seen_by, path=path, who=who, error=directory.write_error)
    if directory.role == COMPILED and directory.resolved_by != "application":
        return unknown("writable.place-not-told", path=path)
    code = "writable.allowed" if directory.write_error is None else "writable.written"
    level = RESOLVED if directory.write_error is None else OBSERVED
    figures: dict[str, Scalar] = {"free_bytes": float(directory.free_bytes), "owner": directory.owner}
    figures["mode"] = f"{directory.mode:04o}"
    return passed(code, level, seen_by=seen_by, figures=figures, path=path, who=who)


_KINDS = {
    "file": "a file",
    "dangling-link": "a dangling link",
    "missing": "not there",
    "other": "neither a file nor a directory",
    "unreachable": "out of the runtime user's reach",
}
