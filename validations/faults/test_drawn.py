"""Faults beyond the listed ones: several at once, and every parameter of a kind, drawn by Hypothesis."""

from __future__ import annotations

import contextlib
import math
import stat
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fixtures.environments.live import IntrusiveHost
from fixtures.environments.settings import LOCAL
from fixtures.faults.base import Fault
from fixtures.faults.catalogue import AREAS, FAULTS, area_of
from fixtures.faults.compiled_views import VIEW
from fixtures.faults.directory import GENERATIONS, LOGS, PANELS
from fixtures.faults.stage import FaultyStage
from fixtures.profiles import Profile
from reports.records import Verdict
from validations.faults.conftest import require_for
from validations.faults.looking import declared, look, red
from validations.gate.test_7_page import Evidence, judge, upper_bound
from validations.registry import COVERAGE, PAGE, WRITABLE

# Faults that go together: what compiles or reloads comes first, since that heals what was planted before it.
ORDER = (
    "disclosure",
    "middleware",
    "page",
    "objectives",
    "deployment",
    "filament",
    "health",
    "locks",
    "compiled-views",
)
# What hides others from view, takes long to look at, or undoes what was planted before.
APART = {
    "command-hangs",
    "dry-run-hangs",
    "middleware-loops",
    "page-slow",
    "manifest-unparsable",
    "manifest-lacks-a-view",
    "manifest-spells-a-view-twice",
    "no-generation-served",
    "cleared-and-not-rebuilt",
    "a-view-less-than-agreed",
    "release-published-and-not-reloaded",
    "content-says-healthy",
    "exit-code-says-healthy",
    "application-log-missing",
    "application-log-empty",
}
TOGETHER = [fault for fault in FAULTS if area_of(fault) in ORDER and not fault.watch and fault.name not in APART]
# Places in a file, as shares of it: its first byte, and its last.
FIRST, LAST = 0.0, math.nextafter(1.0, 0.0)
anywhere = st.floats(min_value=FIRST, max_value=LAST)
Drawn = TypeVar("Drawn")
together = st.lists(st.sampled_from(TOGETHER), min_size=2, max_size=3, unique_by=area_of)


def drawn(profile: Profile, *, gate: int, ci: int) -> settings:
    """Return how many examples are drawn; each plants something in a live stage, so it takes as long as it takes."""
    return settings(
        max_examples=profile.choose(gate=gate, ci=ci, soak=20 * ci),
        deadline=None,
        database=None,
        # The stage outlives the examples on purpose: each takes back what it planted, and the next would show it.
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.mark.profile("ci")
def test_faults_add_up(stage: FaultyStage, pytestconfig: pytest.Config, profile: Profile) -> None:
    """Two or three faults of different areas at once turn just those cells red that they would one by one."""
    require_for(pytestconfig, *TOGETHER)

    @drawn(profile, gate=1, ci=12)
    @given(together)
    def plant(faults: list[Fault]) -> None:
        faults.sort(key=lambda fault: ORDER.index(area_of(fault)))
        with stage.planted(*faults):
            seen = look(stage)
        assert red(seen) == frozenset().union(*(declared(fault) for fault in faults)), {
            check: cell.said() for check, cell in seen.items() if cell.said()
        }

    plant()


def test_views_cut_anywhere_are_seen(stage: FaultyStage, profile: Profile) -> None:
    """Compiled views that end at any byte but their last are not covered, each of them, the first byte and the last."""

    @drawn(profile, gate=3, ci=15)
    @given(damages(stage, anywhere))
    @example({VIEW: FIRST, "layouts/app.html": LAST})
    def cut(places: dict[str, float]) -> None:
        with stage.planted():
            for view, place in places.items():
                whole = stage.compiled(view).read_bytes()
                stage.overwrite(stage.compiled(view), whole[: int(place * len(whole))])
            assert uncovered(stage) == len(places)

    cut()


def test_bytes_changed_anywhere_are_seen(stage: FaultyStage, profile: Profile) -> None:
    """Compiled views in which any one byte is another are not covered, each of them."""

    @drawn(profile, gate=3, ci=15)
    @given(damages(stage, st.tuples(anywhere, st.integers(min_value=1, max_value=255))))
    def change(places: dict[str, tuple[float, int]]) -> None:
        with stage.planted():
            for view, (place, difference) in places.items():
                data = bytearray(stage.compiled(view).read_bytes())
                data[int(place * len(data))] ^= difference
                stage.overwrite(stage.compiled(view), bytes(data))
            assert uncovered(stage) == len(places)

    change()


def damages(stage: FaultyStage, how: st.SearchStrategy[Drawn]) -> st.SearchStrategy[dict[str, Drawn]]:
    """Draw which of a stage's compiled views to damage, and how."""
    return st.dictionaries(st.sampled_from(sorted(stage.manifest["views"])), how, min_size=1, max_size=20)


def uncovered(stage: FaultyStage) -> int:
    """Return how many templates are said to have no intact compiled view; none where the cell does not fail."""
    cell = look(stage, [COVERAGE])[COVERAGE.id]
    assert cell.verdict is Verdict.FAIL, cell.said()
    (judgement,) = cell.parts.values()
    return round((1.0 - float(judgement.figures["value"])) * len(stage.manifest["views"]))


def test_any_modes_are_judged_by_what_they_allow(stage: FaultyStage, profile: Profile) -> None:
    """A directory is writable for the runtime user alone, or its part is red, whatever modes the three have at once."""
    places = {"compiled-views": GENERATIONS, "filament-cache": PANELS, "logs": LOGS}

    @drawn(profile, gate=3, ci=15)
    @given(st.fixed_dictionaries(dict.fromkeys(places, st.integers(min_value=0, max_value=0o777))))
    @example({"compiled-views": 0o777, "filament-cache": 0o700, "logs": 0o400})
    @example({"compiled-views": 0o700, "filament-cache": 0o400, "logs": 0o777})
    def with_modes(modes: dict[str, int]) -> None:
        with stage.planted():
            for part, mode in modes.items():
                stage.chmod(stage.at(places[part]).resolve(), mode)
            cell = look(stage, [WRITABLE])[WRITABLE.id]
        for part, mode in modes.items():
            allowed = mode & stat.S_IRWXU == stat.S_IRWXU and not mode & stat.S_IWOTH
            assert cell.parts[part].verdict is (Verdict.PASS if allowed else Verdict.FAIL), f"{mode:04o} {cell.said()}"

    with_modes()


@pytest.mark.profile("ci")
@pytest.mark.parametrize("requests", [pytest.param(10, id="10"), pytest.param(30, id="30")])
def test_a_sporadic_fault_is_found_as_often_as_the_check_claims(stage: FaultyStage, requests: int) -> None:
    """A rate that n good answers exclude with 95 % confidence, as the check says, is found 95 times in 100.

    Of 120 gates at just that rate at least 96 are red: fewer would come by chance once in ten million times.
    """
    trials, least = 120, 96
    with stage.planted():
        stage.misanswer("blank-200", rate=upper_bound(requests))
        page = stage.environment.page.model_copy(update={"requests": requests})
        environment = stage.environment.model_copy(update={"page": page})
        found = sum(_is_red(IntrusiveHost("stage", LOCAL, environment)) for _ in range(trials))
    assert found >= least


def _is_red(host: IntrusiveHost) -> bool:
    with contextlib.closing(host):
        return judge(Evidence(host.environment.page, host.page(), "r"), "complete").verdict is Verdict.FAIL


def test_every_area_is_drawn_from() -> None:
    """The combinations reach every area but the one whose faults hide the others."""
    assert {area_of(fault) for fault in TOGETHER} == set(AREAS) - {"directory", "laravel"}
    assert {fault.name for fault in FAULTS} >= APART
    assert PAGE.id in {check for fault in TOGETHER for check in fault.red}
