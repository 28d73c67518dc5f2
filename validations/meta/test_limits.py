"""How many hosts are looked at side by side: bounded by cores, by file descriptors, and by what was asked for."""

from __future__ import annotations

import resource

import pytest

from fixtures.environments import limits
from fixtures.environments.limits import TooFewDescriptors, hosts_at_once


@pytest.fixture(autouse=True, name="machine")
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cores, twenty open descriptors, and no limit of them."""
    monkeypatch.setattr(limits, "_cores", lambda: 2)
    monkeypatch.setattr(limits, "_opened", lambda: 20)
    allow(monkeypatch, resource.RLIM_INFINITY)


def allow(monkeypatch: pytest.MonkeyPatch, descriptors: int) -> None:
    """Let the soft limit of file descriptors be this one."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (descriptors, resource.RLIM_INFINITY))


@pytest.mark.parametrize(
    ("hosts", "workers", "wanted", "at_once"),
    [
        pytest.param(1, 1, None, 1, id="one"),
        pytest.param(20, 1, None, 20, id="all"),
        pytest.param(20, 4, None, 5, id="all-by-four-workers"),
        pytest.param(21, 4, None, 6, id="all-by-four-workers-unevenly"),
        pytest.param(300, 1, None, 32, id="by-cores"),
        pytest.param(300, 4, None, 8, id="by-cores-and-workers"),
        pytest.param(20, 1, 3, 3, id="as-asked"),
        pytest.param(20, 2, 3, 1, id="as-asked-by-two-workers"),
        pytest.param(20, 8, 3, 1, id="never-none"),
        pytest.param(20, 1, 300, 20, id="asked-for-more-than-there-are"),
    ],
)
def test_hosts_at_once_are_bounded(hosts: int, workers: int, wanted: int | None, at_once: int) -> None:
    """Cores, or what was asked for, bound what all workers together look at; none looks at more than its share."""
    assert hosts_at_once(hosts, workers=workers, wanted=wanted) == (at_once, "")


def test_descriptors_bound_hosts_and_say_what_to_raise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where descriptors allow fewer, one line says how many and the limit under which all fit."""
    allow(monkeypatch, 20 + limits.DESCRIPTORS_BESIDE + 3 * limits.DESCRIPTORS_A_HOST)
    at_once, note = hosts_at_once(20)
    assert at_once == 3
    assert "\n" not in note
    allow(monkeypatch, int(note.rpartition("ulimit -n ")[2]))
    assert hosts_at_once(20) == (20, "")


def test_too_few_descriptors_for_one_host_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even one host can be looked at, one line says what is allowed, what is open, and what to raise."""
    allow(monkeypatch, 20 + limits.DESCRIPTORS_BESIDE + limits.DESCRIPTORS_A_HOST - 1)
    with pytest.raises(TooFewDescriptors) as refused:
        hosts_at_once(1)
    assert "\n" not in str(refused.value)
    allow(monkeypatch, int(str(refused.value).rpartition("ulimit -n ")[2]))
    assert hosts_at_once(1) == (1, "")
