"""What things are called where a remedy is followed to the letter: by kind of application, and by its version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from validations.versions import version_of

if TYPE_CHECKING:
    from fixtures.environments.base import Host


@dataclass(frozen=True, slots=True)
class Places:
    """Names of one application's places.

    console: how a command of its console is typed. middleware: the file that registers middleware for every request.
    lock_expiry: what sets the expiry of a rebuild's lock. log: what it writes errors to.
    """

    console: str
    middleware: str
    lock_expiry: str
    log: str = "storage/logs/laravel.log"


_CACHE_LOCK = "the seconds of Cache::lock()"
GATEWAY = Places("./artisan", "bootstrap/app.py", "VIEW_LOCK_TTL_SECONDS")
LARAVEL = Places("php artisan", "bootstrap/app.php", _CACHE_LOCK)
# Before 11.0 the kernel's property `$middleware` is the list.
LARAVEL_10 = Places("php artisan", "app/Http/Kernel.php", _CACHE_LOCK)


def places(kind: str, framework_version: str = "") -> Places:
    """Return the names for a kind of application. Where its version is not known, both places are named."""
    if kind == "gateway":
        return GATEWAY
    version = version_of(framework_version)
    if version is None:
        return Places("php artisan", "bootstrap/app.php (Laravel 11 on) or app/Http/Kernel.php (before)", _CACHE_LOCK)
    return LARAVEL if version >= (11, 0, 0) else LARAVEL_10


def places_of(host: Host) -> Places:
    """Return the names for a host's application, as far as it told its version."""
    from fixtures.observation.facts import Unobserved

    try:
        application = host.facts().application
    except Unobserved:
        application = None
    return places(host.environment.kind, application.framework_version if application else "")
