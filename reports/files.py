"""Writes files as a whole: a reader sees the old one or the new one, never a part."""

from __future__ import annotations

import os
from pathlib import Path


def replace(path: Path, content: str | bytes) -> None:
    """Replace a file, or make it. Raises OSError where it cannot."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def point(link: Path, target: Path) -> None:
    """Let a link point at a directory, with no moment at which it points nowhere."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.symlink_to(os.path.relpath(target, link.parent))
    try:
        temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)
