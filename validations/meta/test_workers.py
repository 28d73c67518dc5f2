"""pytest-xdist's workers: hosts are divided among them, and each looks at its own as one process alone would."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]

from fixtures.environments.settings import Environment
from fixtures.hosts import TARGET, Target, handed, received
from validations.cells import required
from validations.registry import EIGHT, OBJECTIVES, VIEWS
from validations.workers import pytest_xdist_make_scheduler, shares_of

HOSTS = ("web", "web-1", "web-panel", "db-1", "db-2")


def several(workers: int) -> Target:
    """Return a target of hosts whose names begin alike."""
    hosts = tuple(f"ssh://{name}" for name in HOSTS)
    environment = Environment(kind="gateway", url="http://127.0.0.1:9", root="/srv", hosts=hosts, panels=("1",))
    return Target("shop", environment, kind="gateway", intrusive=False, workers=workers)


@pytest.fixture(name="config")
def _config(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.Config]:
    """This run's configuration as one with two workers would have it, and whatever it validates put back."""
    monkeypatch.setattr(pytestconfig.option, "dist", "loadfile")
    monkeypatch.setattr(pytestconfig.option, "tx", ["popen"] * 2)
    before = pytestconfig.stash.get(TARGET, None)
    yield pytestconfig
    if before is None:
        del pytestconfig.stash[TARGET]
    else:
        pytestconfig.stash[TARGET] = before


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        pytest.param(
            "validations/gate/test_1_middleware.py::test_middleware[web-1-answers]", "hosts web-1", id="one-cell"
        ),
        pytest.param("validations/gate/test_5_locks.py::test_locks[db-1-taken]", "hosts web-1", id="of-its-share"),
        pytest.param("validations/gate/test_5_locks.py::test_locks[web-taken]", "hosts web", id="of-another-share"),
        pytest.param(
            "validations/gate/test_objectives.py::test_objectives[db-2-agreement]", "hosts web", id="an-objective"
        ),
        pytest.param(
            "validations/gate/test_6_filament.py::test_filament[web-panel-1]", "hosts web", id="a-name-in-a-name"
        ),
        pytest.param("validations/meta/test_plan.py::test_x[web-1]", "validations/meta/test_plan.py", id="not-a-cell"),
        pytest.param(
            "validations/faults/test_matrix.py::test_fault[gateway-no-lock]",
            "validations/faults/test_matrix.py gateway-no-lock",
            id="a-fault",
        ),
        pytest.param(
            "validations/races/test_portfolio.py::test_x[a]",
            "validations/races/test_portfolio.py::test_x[a]",
            id="a-search",
        ),
    ],
)
def test_cells_are_grouped_by_their_hosts_share(config: pytest.Config, nodeid: str, scope: str) -> None:
    """The cells of one worker's hosts stay together in whatever file; a search is alone, other tests go by file."""
    config.stash[TARGET] = several(2)
    scheduler = pytest_xdist_make_scheduler(config, Producer("scheduler"))
    assert scheduler._split_scope(nodeid) == scope  # noqa: SLF001 - what pytest-xdist asks it


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 9])
def test_every_host_is_in_exactly_one_share(workers: int) -> None:
    """Whatever the number of workers, shares have every host once, and differ in size by one at most."""
    target = several(workers)
    shares = {target.share(host) for host in HOSTS}
    assert sorted(host for share in shares for host in share) == sorted(HOSTS)
    assert len(shares) == min(workers, len(HOSTS))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    assert set(shares_of(target).values()) == {f"hosts {share[0]}" for share in shares}


@pytest.mark.parametrize("kind", ["staged", "gateway", "laravel"])
def test_a_worker_receives_what_the_controller_knows(kind: str) -> None:
    """The kind above all: which parts are required, and whether there is a past, is the same on both sides."""
    environment = Environment(kind="laravel", url="http://127.0.0.1:9", root="/srv", hosts=("local", "ssh://web-2"))
    target = Target(
        "shop",
        environment,
        kind=kind,  # type: ignore[arg-type]
        intrusive=True,
        browser="required",
        workers=2,
        at_once=3,
        wait=4.5,
    )
    worker = received(handed(target))
    names = ("name", "kind", "intrusive", "browser", "workers", "at_once", "wait", "lacks", "host_ids")
    assert {name: getattr(worker, name) for name in names} == {name: getattr(target, name) for name in names}
    assert worker.environment() == environment
    assert required(VIEWS, worker) is (kind == "staged")
    assert all(required(check, worker) == required(check, target) for check in (*EIGHT, *OBJECTIVES))


def test_a_stage_that_this_machine_lacks_is_lacked_on_workers() -> None:
    """Workers receive why there is no stage, and no environment."""
    worker = received(handed(Target("laravel", None, kind="staged", intrusive=True, lacks="no php: apt-get it")))
    assert (worker.lacks, worker.kind, worker.host_ids) == ("no php: apt-get it", "staged", ("laravel",))
    with pytest.raises(pytest.UsageError, match="no php"):
        worker.environment()
