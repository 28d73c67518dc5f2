"""The eight validations in the brief's order, the objectives beside them, and the parts each is planned with.

This is the ledger's source: what is listed here has to come out of every run of the gate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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


@dataclass(frozen=True, slots=True)
class Check:
    """One promise of the brief. `number` is its place among the eight, 0 for an objective; `id` its short name.

    `gateway` and `laravel` are what it needs to be told, by the kind of the environment.
    """

    number: int
    id: str
    title: str
    promise: str
    remedy: str
    parts: Callable[[Environment], tuple[str, ...]]
    gateway: Needs = Needs()
    laravel: Needs = Needs()

    @property
    def file(self) -> str:
        """The test module, relative to the checkout."""
        return f"validations/gate/test_{f'{self.number}_{self.id}' if self.number else 'objectives'}.py"


def _fixed(*parts: str) -> Callable[[Environment], tuple[str, ...]]:
    return lambda _environment: parts


def _both(needs: Needs) -> tuple[Needs, Needs]:
    """Return what a check needs of either kind."""
    return needs, needs


MIDDLEWARE = Check(
    1,
    "middleware",
    "Middleware enabled",
    "The AutoFixViewCache middleware is registered in the booted application, and does its work.",
    "register AutoFixViewCache in bootstrap/app.py (it was commented out in the incident) and reload the workers",
    _fixed("registered", "answers", "repairs"),
    *_both(Needs(facts=("middleware",), effects=("repair",))),
)
WRITABLE = Check(
    2,
    "writable",
    "View cache directory writable",
    "The compiled-view directory and the caches beside it can be written by the runtime user, and by no one else.",
    "give it to the runtime user with mode 0755 (scripts/fix-view-cache-emergency.sh does), on a disk with room",
    _fixed("compiled-views", "bootstrap-cache", "filament-cache", "logs"),
    *_both(Needs(facts=("directories",))),
)
DEPLOYMENT = Check(
    3,
    "deployment",
    "Deployment script exists",
    "The deployment script exists, can be run, and warms the new release before it is published.",
    "restore scripts/deploy-with-cache-management.sh from the repository, with mode 0755",
    _fixed("exists", "executable", "parses", "order"),
    *_both(Needs(facts=("script", "topology"))),
)
HEALTH = Check(
    4,
    "health",
    "Health command available",
    "The console lists view:health-check with --fix; it runs, tells the five metrics, and its exit code is true.",
    "register view:health-check in the console, and act on what it says: view:health-check --fix",
    _fixed("listed", "fix-option", "runs", "metrics", "exit-code"),
    *_both(Needs(facts=("commands", "health", "compiled"))),
)
LOCKS = Check(
    5,
    "locks",
    "Service has Redis locks",
    "A rebuild takes a lock in Redis with an expiry and an owner, and gives back only what is its own.",
    "keep the locks in a reachable Redis with maxmemory-policy noeviction; no array or file store",
    _fixed("store", "reachable", "eviction", "taken", "expires", "owned"),
    *_both(Needs(facts=("locks",), effects=("rebuilds",))),
)
FILAMENT = Check(
    6,
    "filament",
    "Filament caches exist",
    "Every panel's component cache and the icon manifest exist, load, list just what is there, and are fresh.",
    "run filament:optimize in the release that is being served",
    lambda environment: ("panels", *(f"panel-{panel}" for panel in environment.panels or ()), "icons"),
    *_both(Needs(facts=("caches",))),
)
PAGE = Check(
    7,
    "page",
    "Enhanced call view accessible",
    "The enhanced call view answers every request with a complete page, to those who may see it.",
    "run view:health-check --fix, read storage/logs/laravel.log, then view:cache",
    lambda environment: ("complete", "guest", "release", *(f"page-{page.name}" for page in environment.pages)),
    # A Laravel application need not say which release answers: see `marks` of its environment.
    gateway=Needs(facts=("application",)),
)
DISCLOSURE = Check(
    8,
    "disclosure",
    "Four-tier disclosure implemented",
    "The page shows exactly the 112 fields, each once, in its tier; the tiers are cumulative and closed at first.",
    "restore the enhanced call view's template and rebuild the compiled views with view:cache",
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
)
EIGHT = (MIDDLEWARE, WRITABLE, DEPLOYMENT, HEALTH, LOCKS, FILAMENT, PAGE, DISCLOSURE)


def _objective(name: str, title: str, promise: str, remedy: str, needs: Needs) -> Check:
    return Check(0, name, title, promise, remedy, _fixed("objective"), needs, needs)


VIEWS = _objective(
    "compiled-views",
    "Compiled views",
    "At least as many views are compiled as the brief counted (682).",
    "run view:cache",
    Needs(facts=("compiled",)),
)
COVERAGE = _objective(
    "coverage",
    "Every template compiled",
    "Every template source has an intact compiled view of its present content.",
    "run view:cache, or view:health-check --fix",
    Needs(facts=("compiled",)),
)
ERRORS = _objective(
    "view-errors",
    "No view errors in the last hour",
    "The application log has no filemtime() or other view error of the last hour.",
    "read the latest entry in storage/logs/laravel.log, then view:health-check --fix",
    Needs(facts=("log",)),
)
SCHEDULED_HEALTH = _objective(
    "schedule-health",
    "Health check every 5 minutes",
    "The schedule has view:health-check --fix at */5 * * * *.",
    "schedule view:health-check --fix every five minutes",
    Needs(facts=("schedule",)),
)
SCHEDULED_REBUILD = _objective(
    "schedule-rebuild",
    "Full rebuild daily at 03:00",
    "The schedule has a full rebuild at 0 3 * * *.",
    "schedule view:cache daily at 03:00",
    Needs(facts=("schedule",)),
)
AVAILABILITY = _objective(
    "availability",
    "Availability",
    "Complete 200s over requests, in this run and the recorded ones, reach 99.9 %.",
    "find what answered badly in the reports of the runs before",
    Needs(),
)
RECOVERY = _objective(
    "recovery",
    "Recovery within 5 minutes",
    "From a planted defect to a complete answer and an intact cache it takes at most 300 seconds.",
    "enable the middleware (check 1) and the schedule",
    Needs(effects=("repair",)),
)
AGREEMENT = Check(
    0,
    "agreement",
    "Hosts agree",
    "Every host of the environment has the same release, the same versions and the same compiled views.",
    "deploy to the host that differs again",
    lambda environment: ("objective",) if len(environment.hosts) > 1 else (),
)
OBJECTIVES = (VIEWS, COVERAGE, ERRORS, SCHEDULED_HEALTH, SCHEDULED_REBUILD, AVAILABILITY, RECOVERY, AGREEMENT)
