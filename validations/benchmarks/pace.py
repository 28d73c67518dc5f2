"""The pace of the machine: how much of one fixed piece of work it does a second, to measure other figures against.

The work is of the kinds that the suite does: Python's own, hashing and JSON, and small files that are written, renamed
and read in memory. A figure divided by the pace says the same on a machine that is half as fast, or half as free.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, used through mkdtemp
UNITS = 5_000
SECONDS = 60.0


def pace(clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the thousands of units of work done a second, by this clock."""
    with tempfile.TemporaryDirectory(prefix="viewgate-pace-", dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder, known = Path(name), dict[str, int]()
        began = clock()
        for number in range(UNITS):
            text = json.dumps({"number": number, "view": ["page.html"] * 20, "known": len(known)}).encode()
            (folder / "new").write_bytes(text)
            (folder / "new").rename(folder / "current")
            digest = hashlib.sha256((folder / "current").read_bytes()).hexdigest()
            known[digest] = sum(len(word) for word in str(json.loads(text)).split())
        return UNITS / 1_000 / (clock() - began)


def pace_of(cores: Sequence[int]) -> float:
    """Return the pace of processes of their own, one pinned to each of these cores, together."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "validations.benchmarks.pace", str(core)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for core in cores
    ]
    return sum(float(process.communicate(timeout=SECONDS)[0]) for process in processes)


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[1])})
    sys.stdout.write(f"{pace()}\n")
