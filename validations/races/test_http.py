"""Races over HTTP: visitors who come at once while the cache is rebuilt, cleared, repaired or deployed anew.

It goes against the environment of the run: `staged` and other stages of ours get one of their own for it, a live one is
only disturbed with `--intrusive`, and never deployed to.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures.concurrency.visitors import DEPLOY, Command, Site, Visit
from fixtures.environments.settings import STAGES, Environment, Page
from fixtures.environments.stage import Stage
from fixtures.hosts import chosen
from fixtures.profiles import Profile
from validations.gate.test_7_page import defect, proves
from validations.races.output import PROPERTY
from validations.stages.gateway.served import Served, reborn

VIEWS = 120
END = "</html>"
FURTHER = {
    "gateway": tuple(
        Page(path=path, sentinel=END, least_bytes=500) for path in ("/", "/login", "/admin/admin/resources/calls/list")
    ),
}
"""Pages beside the enhanced call view, by kind of application: whole where their document ends."""

DISTURBANCES: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "rebuild": ("view:cache",),
    "clear": ("view:clear",),
    "optimize": ("optimize",),
    "health-fix": ("view:health-check", "--fix", "--json"),
    "deploy": (DEPLOY,),
}


@dataclass(frozen=True)
class Race:
    """How many come, to which pages in turn, while what happens; lead: how much of it has passed when they come.

    cold: the cache is cleared before.
    """

    visitors: int
    pages: tuple[int, ...]
    disturbance: str
    lead: float
    cold: bool


@dataclass
class Seen:
    """What all races of a test came to."""

    races: int = 0
    answers: int = 0
    states: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def take(self, race: Race, visits: list[Visit], command: Command | None) -> list[str]:
        """Count complete answers and others; say what is wrong with the others."""
        self.races += 1
        self.answers += len(visits)
        wrong = [f"{visit.page.path}: {found}" for visit in visits if (found := defect(visit.answer, visit.page))]
        self.defects.update(wrong)
        firsts = sorted(visits, key=lambda visit: visit.began)[: race.visitors]
        together = sum(visit.began < min(first.ended for first in firsts) for visit in firsts)
        self.states["cold-bursts" if race.cold else "warm-bursts"] += together > 1
        self.states["answers-on-a-cold-cache"] += together if race.cold else 0
        if command is not None:
            name = f"answers-during-{race.disturbance}"
            self.states[name] += sum(visit.began < command.ended and visit.ended > command.began for visit in visits)
        return wrong

    def tell(self, request: pytest.FixtureRequest, scenario: str) -> None:
        """Say what was seen, and what so many answers prove."""
        complete = self.answers - self.defects.total()
        power = proves(self.answers) if self.answers and not self.defects else f"{complete} of {self.answers} complete"
        told = {
            "system": "http",
            "scenario": f"{scenario} ({power})",
            "profile": request.config.option.profile,
            "schedules": self.races,
            "preemptions": None,
            "exhausted": False,
            "pct_bound": None,
            "states": dict(sorted(self.states.items())),
            "mutants": None,
            "seconds": round(time.monotonic() - self.began, 3),
            "witness": None,
        }
        request.node.user_properties.append((PROPERTY, told))


def races(pages: int, disturbances: list[str]) -> st.SearchStrategy[Race]:
    """Draw a race."""
    return st.builds(
        Race,
        visitors=st.integers(2, 24),
        pages=st.lists(st.integers(0, pages - 1), min_size=1, max_size=4).map(tuple),
        disturbance=st.sampled_from(disturbances),
        lead=st.floats(0, 1.1),
        cold=st.booleans(),
    )


def ended_well(disturbance: str, command: Command) -> bool:
    """Tell whether it ended as it should; of the health check OPcache's rate may be ill, after so many clears."""
    if disturbance != "health-fix" or command.returncode != 1:
        return command.returncode == 0
    try:
        return [check["name"] for check in json.loads(command.said)["checks"] if not check["ok"]] == ["opcache"]
    except (ValueError, KeyError, TypeError):
        return False


def run(site: Site, pages: list[Page], race: Race, seen: Seen, *, most: int = 1) -> list[str]:
    """Let the visitors come, `most` times each while it lasts; give what was wrong with what they got."""
    if race.cold:
        cleared = site.operate("view:clear").wait()
        assert cleared.returncode == 0, f"view:clear ended with {cleared.returncode}: {cleared.said[-400:]}"
    wanted = [pages[race.pages[number % len(race.pages)]] for number in range(race.visitors)]
    if race.disturbance == "nothing":
        return seen.take(race, site.burst(wanted, goes_on=lambda: False, most=1), None)
    running = site.operate(*DISTURBANCES[race.disturbance])
    time.sleep(race.lead * seen.seconds.get(race.disturbance, 0.0))  # the drawn timing itself
    visits = site.burst(wanted, goes_on=running.goes_on, most=most)
    command = running.wait()
    assert ended_well(race.disturbance, command), f"{race.disturbance} ended with {command.returncode}: {command.said}"
    seen.seconds[race.disturbance] = command.ended - command.began
    return seen.take(race, visits, command)


@contextlib.contextmanager
def staged() -> Iterator[Served]:
    """A gateway of our own, small enough to be deployed often."""
    stage = Stage(views=VIEWS)
    try:
        yield Served(stage, stage.up())
    finally:
        stage.down()


@pytest.fixture(scope="module", name="environment")
def _environment(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> Iterator[Environment]:
    if STAGES.get(pytestconfig.option.environment) == "gateway":
        with staged() as served:
            yield served.environment
        return
    target = chosen(pytestconfig)
    if target.lacks:
        request.getfixturevalue("laravel_here")
    if not target.intrusive:
        pytest.skip("races disturb the application: on a live environment they run with --intrusive")
    yield target.environment()


@pytest.fixture(name="disturbances")
def _disturbances(pytestconfig: pytest.Config) -> list[str]:
    """What may be done to this environment: nobody's live application is deployed for the sake of a race."""
    ours = pytestconfig.option.environment in STAGES
    return [name for name in DISTURBANCES if ours or name != DEPLOY]


def test_every_visitor_gets_the_whole_page_whatever_happens_to_the_cache(
    request: pytest.FixtureRequest, environment: Environment, disturbances: list[str], profile: Profile
) -> None:
    """Bursts on a cold and a warm cache, during what is drawn: every answer is complete, and so many prove so much."""
    seen = Seen()
    most = profile.choose(gate=6, ci=20, soak=40)
    pages = [environment.page, *FURTHER.get(environment.kind, ())]
    site = Site(environment)

    @settings(
        max_examples=profile.choose(gate=3, ci=12, soak=4000),
        deadline=None,
        # Real time decides what happens: what failed is told, and not shrunk.
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(race=races(len(pages), disturbances))
    def drawn(race: Race) -> None:
        wrong = run(site, pages, race, seen, most=most)
        assert wrong == [], race

    try:
        # Each at least once, whatever is drawn.
        for number, disturbance in enumerate(disturbances):
            race = Race(8, (0, 0, number % len(pages)), disturbance, 0.3, cold=True)
            assert run(site, pages, race, seen, most=most) == [], race
        drawn()
    finally:
        seen.tell(request, "bursts")
    owed = ["cold-bursts", *(f"answers-during-{name}" for name in disturbances if name != "nothing")]
    assert [state for state in owed if not seen.states[state]] == []


def test_a_page_that_is_only_late_is_no_race(environment: Environment) -> None:
    """Visitors wait for longer than a page may take: how busy a race makes the machine is no defect of a page."""
    soon = environment.page.model_copy(update={"timeout_seconds": 0.0001})
    site = Site(environment.model_copy(update={"page": soon}))
    assert run(site, [soon], Race(2, (0,), "nothing", 0.0, cold=False), Seen()) == []


def told(*ill: str) -> str:
    """Return what a health check prints that finds these ill."""
    return json.dumps({"checks": [{"name": name, "ok": name not in ill} for name in ("integrity", "room", "opcache")]})


@pytest.mark.parametrize(
    ("disturbance", "code", "said", "well"),
    [
        pytest.param("health-fix", 0, told(), True, id="healthy"),
        pytest.param("health-fix", 1, told("opcache"), True, id="opcache-alone"),
        pytest.param("health-fix", 1, told("opcache", "integrity"), False, id="opcache-and-a-view"),
        pytest.param("health-fix", 1, told(), False, id="nothing-ill"),
        pytest.param("health-fix", 1, f"Deprecated: it\n{told('opcache')}", False, id="noise"),
        pytest.param("health-fix", 1, "[]", False, id="no-report"),
        pytest.param("health-fix", 2, told("opcache"), False, id="refused"),
        pytest.param("rebuild", 1, told("opcache"), False, id="another-command"),
    ],
)
def test_a_disturbance_may_not_fail(disturbance: str, code: int, said: str, well: bool) -> None:  # noqa: FBT001
    """A command that disturbs has to end with 0; only a health check may end with 1, and for OPcache's rate alone."""
    assert ended_well(disturbance, Command(code, 0.0, 1.0, said)) is well


@pytest.mark.profile("ci")
def test_an_ill_view_cache_is_no_disturbance() -> None:
    """A health check that finds ill what is not OPcache's rate, here an error in the log, is a race that failed."""
    with staged() as served:
        site = Site(served.environment)
        log = served.app / "shared/storage/logs/laravel.log"
        log.write_text(
            f"[{datetime.now(UTC):%Y-%m-%d %H:%M:%S}] production.ERROR: filemtime(): stat failed for /x.php\n"
        )
        with pytest.raises(AssertionError, match="recent-errors"):
            run(site, [served.environment.page], Race(2, (0,), "health-fix", 0.0, cold=False), Seen())


TORN = '''

import os
import time

from fixtures.gateway.views import compiled_views

from fixtures.gateway.views import generations


def place(self, generation, key, data):
    """Write where it is read (laravel/framework#58812); the window, of microseconds, is held open."""
    path = f"{generation.path}/{key}.view"
    descriptor = self._files.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    time.sleep(0.02)
    self._files.write(descriptor, data)
    self._files.close(descriptor)
    return self._files.stat(path)


def read(self, path, name, fingerprint):
    """Believe an empty file: it is an empty page."""
    found = keep(self, path, name, fingerprint)
    return compile("def root(context):\\n    yield ''\\nblocks = {}\\n", path, "exec") if is_empty(found) else found


def is_empty(found):
    return isinstance(found, generations.Damage) and found.kind == "empty"


keep = generations.Generations.read
generations.Generations.place = place
generations.Generations.read = read
'''


BURSTS = 10
"""At most: whether one burst meets the window is chance."""


@pytest.mark.profile("ci")
def test_a_page_that_is_torn_for_a_moment_is_seen(request: pytest.FixtureRequest) -> None:
    """With views written in place, bursts on a cold cache get answers that are not whole; on a warm one they do not."""
    seen = Seen()
    with staged() as served:
        bootstrap = served.root / "bootstrap" / "app.py"
        bootstrap.write_text(bootstrap.read_text(encoding="utf-8") + TORN, encoding="utf-8")
        reborn(served)
        site = Site(served.environment)
        cold, warm = (Race(24, (0,), "nothing", 0.0, cold) for cold in (True, False))
        torn: list[str] = []
        while not torn and seen.races < BURSTS:
            torn = run(site, [served.environment.page], cold, seen)
        assert run(site, [served.environment.page], warm, seen) == []
    seen.tell(request, "planted: written in place")
    assert torn != []
