"""What a Laravel version does with compiled views, and so which race it has, how that shows, and what shows it.

Versions are those of the first release that has it. Rates were measured by rendering from four processes while another
clears all the time: on a quiet machine they are far lower, but the mix of failures is the version's own.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

CONFIDENCE = 0.95

# Compiled views are written beside and renamed from here on, and in place before.
ATOMIC = (12, 52, 0)
# isExpired() catches a filemtime() that fails from here on.
GUARDED = (10, 24, 0)
# What a recompile would write is compared with what lies there, by an unguarded hash_file().
COMPARED = (12, 10, 0)
# An unchanged view is touched, by an unguarded filemtime() of the compiled file.
TOUCHED = (13, 15, 0)
# `optimize` compiles the views from here on, and so clears them first; `view:cache` has always done so.
OPTIMIZES_VIEWS = (11, 0, 0)
# The versions from which view:cache leaves out what is published in resources/views/vendor.
VENDOR_LEFT_OUT = {11: (11, 49, 0), 12: (12, 54, 0)}


@dataclass(frozen=True, slots=True)
class Race:
    """One version's race: its class, how it shows, and how many renders show it with 95 % confidence."""

    name: str
    told: str
    signatures: tuple[str, ...]
    requests: int


def version_of(text: str) -> tuple[int, int, int] | None:
    """Return the version in a text such as "8.83.26" or "v12.52.0"; None where there is none."""
    found = re.match(r"\D*?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3] or 0))


def race_of(text: str) -> Race | None:
    """Return the race of the Laravel that says it has this version; None where it says none."""
    version = version_of(text)
    if version is None:
        return None
    signatures = ["require(): Failed to open stream", "File does not exist at path"]
    if version < GUARDED:
        signatures.insert(0, "filemtime(): stat failed")
    if version >= COMPARED:
        signatures.append("hash_file(): Failed to open stream")
    if version >= TOUCHED:
        signatures.append("filemtime(): stat failed")
    if version < ATOMIC:
        signatures = ["a blank or cut 200", *signatures, "unexpected end of file"]
        return Race(
            "non-atomic-write",
            f"Laravel {text} writes compiled views in place (before 12.52), which mostly shows as a blank 200",
            tuple(signatures),
            _renders(0.01),
        )
    return Race(
        "clear-race",
        f"Laravel {text} writes compiled views atomically (12.52), and races with whatever clears them",
        (*signatures, "rename(): No such file"),
        _renders(0.00012),
    )


def vendor_left_out(text: str) -> bool:
    """Tell whether this version's view:cache leaves published package views (resources/views/vendor) uncompiled."""
    version = version_of(text)
    return version is not None and (version[0] >= 13 or version >= VENDOR_LEFT_OUT.get(version[0], (99, 0, 0)))


def optimize_clears_views(text: str) -> bool:
    """Tell whether this version's `optimize` rebuilds the compiled views, which clears them first."""
    version = version_of(text)
    return version is not None and version >= OPTIMIZES_VIEWS


def _renders(rate: float) -> int:
    """Return how many renders show a failure of this rate with the confidence."""
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - rate))
