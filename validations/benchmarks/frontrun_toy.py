"""The toy race under frontrun's random strategy: `frontrun python -m …frontrun_toy RUNS SEED PLACE`."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import time

from fixtures.gateway.system.ports import OsFiles
from validations.benchmarks.toy import ACTORS, bring_back, clear, lay_out, render

ROOT = lay_out()


class State:
    """What one attempt came to."""

    def __init__(self) -> None:
        bring_back(ROOT)
        self.met: list[bool] = []


def main() -> None:
    """Explore at random until the race is met; print how many attempts, in how many seconds, and whether it was."""
    runs, seed, place = map(int, sys.argv[1:])
    files = OsFiles()
    began = time.perf_counter()
    found = importlib.import_module("frontrun").explore_random(
        State,
        [
            *(lambda state, name=name: state.met.append(render(files, ROOT, name, None)) for name in ACTORS[:2]),
            lambda _: clear(files, ROOT, place, ACTORS[2], None),
        ],
        lambda state: not any(state.met),
        max_attempts=runs,
        seed=seed,
        reproduce_on_failure=0,
        trace_packages=["fixtures.*", "validations.*"],
    )
    seconds = time.perf_counter() - began
    sys.stdout.write(json.dumps([found.num_explored, seconds, not found.property_holds]) + "\n")
    shutil.rmtree(ROOT)


if __name__ == "__main__":
    main()
