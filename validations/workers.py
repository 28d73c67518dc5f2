"""How pytest-xdist's workers share the tests out (`-n N`): each host, each stage with faults, each file to one worker.

A host's cells share one look at it, and two workers would disturb a stage at the same time. So hosts are divided
among the workers before the run, as `Target.share` says, and a worker looks at all of its own at once.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from fixtures.hosts import TARGET, Target, worker_count
from fixtures.options import gate_asked
from validations.cells import cells_of
from validations.registry import EIGHT, OBJECTIVES

SEARCHES = tuple(f"validations/races/test_{name}.py" for name in ("portfolio", "ablation"))
"""Each of their tests is a search of its own: a file of them would be more than a worker's fair share."""

# What a test that plants faults names last: the kind of its stage, and the fault if it is about just one.
PLANTED = re.compile(r"(?:gateway|laravel)[a-z0-9-]*")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to spread the cells of one host over several workers. Raises UsageError."""
    dist = config.getoption("dist", default="no")
    if worker_count(config) > 1 and dist != "loadfile" and gate_asked(config):
        raise pytest.UsageError(
            f"--dist {dist} spreads the cells of one host over workers, and each of them would look at it again:"
            " leave --dist (and -d) out, then every host is one worker's"
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the cells of a worker's hosts together, and the tests of one fault's stage, and else those of one file.

    A search for races is a unit of its own: the next free worker takes it.

    pytest-xdist's own `loadgroup` marks node ids in a way that pytest 9.2 no longer looks at, and spreads them.
    """
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    shares = shares_of(config.stash.get(TARGET, None))

    class ByHost(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file, _, test = nodeid.partition("::")
            parameters = test.partition("[")[2]
            if file.startswith("validations/gate/"):
                return shares.get((file, parameters.removesuffix("]")), file)
            if file.startswith("validations/faults/") and (planted := PLANTED.search(parameters)):
                return f"{file} {planted[0]}"
            return nodeid if file in SEARCHES else file

    return ByHost(config, log)


def shares_of(target: Target | None) -> dict[tuple[str, str], str]:
    """Return which share of the hosts each cell belongs to, by the file and the parameters of its test."""
    if target is None:
        return {}
    return {
        (cell.check.file, cell.id): f"hosts {target.share(cell.host_id)[0]}"
        for cell in cells_of(target, (*EIGHT, *OBJECTIVES))
    }
