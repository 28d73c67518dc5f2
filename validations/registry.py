"""The eight validations in the brief's order, the objectives beside them, and the parts each is planned with.

This is the ledger's source: what is listed here has to come out of every run of the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from reports.records import Level
from validations.expectations import FIELDS, slug

if TYPE_CHECKING:
    from fixtures.environments.settings import Environment


@dataclass(frozen=True, slots=True)
class Needs:
    """What a check has to be told of a host before it can pass.

    `facts` are sections of the host's facts, which looking alone tells: a read-only environment passes on them, and
    says "effect not exercised". `effects` are verbs of a host that may be disturbed: there they have to have it.
    """

    facts: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()


DECLARED, RESOLVED, OBSERVED = Level


@dataclass(frozen=True, slots=True)
class Least:
    """The least evidence that parts of a check pass by.

    parts: their names, as a shell pattern. gateway, laravel: the level, by the kind of the environment. disturbed: the
    level where the host may be disturbed, if it is another. raises: what gives evidence of that level where there is
    less. root, user, container: by what it is had as root, as an unprivileged user over ssh, and by docker or kubectl.
    """

    parts: str
    gateway: Level
    laravel: Level
    root: str
    user: str = ""
    container: str = ""
    disturbed: Level | None = None
    raises: str = "run the gate where its probe may look, as root or as the runtime user"

    def level(self, kind: str, *, disturbed: bool) -> Level:
        """Return the level that a pass needs."""
        if disturbed and self.disturbed is not None:
            return self.disturbed
        return self.gateway if kind == "gateway" else self.laravel


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of the brief. `number` is its place among the eight, 0 for an objective; `id` its short name.

    `gateway` and `laravel` are what it needs to be told, by the kind of the environment.
    """

    number: int
    id: str
    title: str
    promise: str
    parts: Callable[[Environment], tuple[str, ...]]
    evidence: tuple[Least, ...]
    gateway: Needs = Needs()
    laravel: Needs = Needs()

    @property
    def file(self) -> str:
        """The test module, relative to the checkout."""
        return f"validations/gate/test_{f'{self.number}_{self.id}' if self.number else 'objectives'}.py"

    def least(self, part: str) -> Least:
        """Return the evidence that a part needs: of the first row that names it. Raises StopIteration without one."""
        return next(least for least in self.evidence if fnmatchcase(part, least.parts))


def _fixed(*parts: str) -> Callable[[Environment], tuple[str, ...]]:
    return lambda _environment: parts


def _same(parts: str, level: Level, root: str, *, user: str = "", container: str = "") -> Least:
    """Return evidence of one level for either kind of environment."""
    return Least(parts, level, level, root, user, container)


def _effect(parts: str, seen: str) -> Least:
    """Return evidence that is an effect, where one may be had; a read-only environment passes without, and says so."""
    told = f"with --intrusive {seen}; without it not exercised"
    return Least(
        parts,
        DECLARED,
        DECLARED,
        told,
        disturbed=OBSERVED,
        raises="mend what kept the effect from being seen, or run the gate without --intrusive",
    )


def _both(needs: Needs) -> tuple[Needs, Needs]:
    """Return what a check needs of either kind."""
    return needs, needs


MIDDLEWARE = Check(
    1,
    "middleware",
    "Middleware enabled",
    "The AutoFixViewCache middleware is registered in the booted application, and does its work.",
    _fixed("registered", "answers", "repairs"),
    (
        _same("registered", RESOLVED, "the booted application's own stack, as the runtime user"),
        _same("answers", OBSERVED, "the header of every answer, where answers are marked"),
        _effect("repairs", "a compiled view is damaged and requested"),
    ),
    *_both(Needs(facts=("middleware",), effects=("repair",))),
)
WRITABLE = Check(
    2,
    "writable",
    "View cache directory writable",
    "The compiled-view directory and the caches beside it can be written by the runtime user, and by no one else.",
    _fixed("compiled-views", "bootstrap-cache", "filament-cache", "logs"),
    (
        _same(
            "*",
            RESOLVED,
            "the kernel asked for access as the runtime user; with --intrusive a file written and removed",
            user="owner, groups and modes held against the ids of the runtime user",
            container="as root, or as the user of the container",
        ),
    ),
    *_both(Needs(facts=("directories",))),
)
DEPLOYMENT = Check(
    3,
    "deployment",
    "Deployment script exists",
    "The deployment script exists, can be run, and warms the new release before it is published.",
    _fixed("exists", "executable", "parses", "order"),
    (
        _same("order", DECLARED, "the script's text, and its dry run where deployment_dry_run allows it"),
        _same("parses", RESOLVED, "the script's own interpreter reads it"),
        _same("*", OBSERVED, "the file's own kind and mode"),
    ),
    *_both(Needs(facts=("script", "topology"))),
)
HEALTH = Check(
    4,
    "health",
    "Health command available",
    "The console lists view:health-check with --fix; it runs, tells the five metrics, and its exit code is true.",
    _fixed("listed", "fix-option", "runs", "metrics", "exit-code"),
    (
        _same("listed", RESOLVED, "the booted console's own list"),
        _same("fix-option", RESOLVED, "the booted console's own list"),
        _same("*", OBSERVED, "a run of view:health-check --json, and the probe's own count"),
    ),
    *_both(Needs(facts=("commands", "health", "compiled"))),
)
LOCKS = Check(
    5,
    "locks",
    "Service has Redis locks",
    "A rebuild takes a lock in Redis with an expiry and an owner, and gives back only what is its own.",
    _fixed("store", "reachable", "eviction", "taken", "expires", "owned"),
    (
        _same("store", RESOLVED, "the booted application"),
        _same("reachable", OBSERVED, "INFO of the store"),
        _same("eviction", OBSERVED, "INFO of the store"),
        _effect("*", "a rebuild is watched from Redis"),
    ),
    *_both(Needs(facts=("locks",), effects=("rebuilds",))),
)
FILAMENT = Check(
    6,
    "filament",
    "Filament caches exist",
    "Every panel's component cache and the icon manifest exist, load, list just what is there, and are fresh.",
    lambda environment: ("panels", *(f"panel-{panel}" for panel in environment.panels or ()), "icons"),
    (_same("*", DECLARED, "the files, held against the sources and classes they name"),),
    *_both(Needs(facts=("caches",))),
)
PAGE = Check(
    7,
    "page",
    "Enhanced call view accessible",
    "The enhanced call view answers every request with a complete page, to those who may see it.",
    lambda environment: ("complete", "guest", "release", *(f"page-{page.name}" for page in environment.pages)),
    (_same("*", OBSERVED, "the answers themselves"),),
    # A Laravel application need not say which release answers: see `marks` of its environment.
    gateway=Needs(facts=("application",)),
)
DISCLOSURE = Check(
    8,
    "disclosure",
    "Four-tier disclosure implemented",
    "The page shows exactly the 112 fields, each once, in its tier; the tiers are cumulative and closed at first.",
    lambda _environment: (
        "fields",
        *(f"tier-{tier}" for tier in (1, 2, 3, 4)),
        "closed",
        "named",
        "secret",
        *(f"seen-{tier}" for tier in (1, 2, 3, 4)),
        "announced",
        "collapses",
        *(f"field-{slug(field.path)}" for field in FIELDS),
    ),
    (_same("*", OBSERVED, "the document of an answer, and a browser's view of it"),),
)
EIGHT = (MIDDLEWARE, WRITABLE, DEPLOYMENT, HEALTH, LOCKS, FILAMENT, PAGE, DISCLOSURE)


def _objective(
    name: str, title: str, promise: str, evidence: Least, needs: Needs, *, laravel: Needs | None = None
) -> Check:
    return Check(0, name, title, promise, _fixed("objective"), (evidence,), needs, laravel or needs)


VIEWS = _objective(
    "compiled-views",
    "Compiled views",
    "At least as many views are compiled as the brief counted (682).",
    _same("*", OBSERVED, "the files, counted"),
    Needs(facts=("compiled",)),
)
COVERAGE = _objective(
    "coverage",
    "Every template compiled",
    "Every template source has an intact compiled view of its present content.",
    _same("*", DECLARED, "each file's times and trailer, held against its template"),
    Needs(facts=("compiled",)),
    laravel=Needs(facts=("compiled", "configuration", "recomputed")),
)
ERRORS = _objective(
    "view-errors",
    "No view errors in the last hour",
    "The application log has no filemtime() or other view error of the last hour.",
    _same("*", OBSERVED, "the log's entries of the last hour"),
    Needs(facts=("log",)),
)
SCHEDULED_HEALTH = _objective(
    "schedule-health",
    "Health check every 5 minutes",
    "The schedule has view:health-check --fix at */5 * * * *.",
    _same("*", RESOLVED, "the booted application's own schedule"),
    Needs(facts=("schedule",)),
)
SCHEDULED_REBUILD = _objective(
    "schedule-rebuild",
    "Full rebuild daily at 03:00",
    "The schedule has a full rebuild at 0 3 * * *.",
    _same("*", RESOLVED, "the booted application's own schedule"),
    Needs(facts=("schedule",)),
)
AVAILABILITY = _objective(
    "availability",
    "Availability",
    "Complete 200s over requests, in this run and the recorded ones, reach 99.9 %.",
    _same("*", OBSERVED, "the answers themselves, in this run and the recorded ones"),
    Needs(),
)
RECOVERY = _objective(
    "recovery",
    "Recovery within 5 minutes",
    "From a planted defect to a complete answer and an intact cache it takes at most 300 seconds.",
    _same("*", OBSERVED, "with --intrusive a compiled view is damaged and requested"),
    Needs(effects=("repair",)),
)
AGREEMENT = Check(
    0,
    "agreement",
    "Hosts agree",
    "Every host of the environment has the same release, the same versions and the same compiled views.",
    lambda environment: ("objective",) if len(environment.hosts) > 1 else (),
    (_same("*", RESOLVED, "each host's probe"),),
)
OBJECTIVES = (VIEWS, COVERAGE, ERRORS, SCHEDULED_HEALTH, SCHEDULED_REBUILD, AVAILABILITY, RECOVERY, AGREEMENT)
