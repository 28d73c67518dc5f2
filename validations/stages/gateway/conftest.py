"""What the gateway's tests share: a private Redis, and a small directory of views with its caretaker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from fixtures.environments import redis_server
from fixtures.gateway.locks.redis_locks import Locks, connect
from fixtures.gateway.release import Release, Settings
from fixtures.gateway.scaffold.application_tree import create_application_directory, minimum_views
from fixtures.gateway.system.ports import SystemClock
from fixtures.gateway.views.compiled_views import CompiledViews
from fixtures.gateway.views.view_cache_service import ViewCacheService
from fixtures.processes import end

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis

SOURCES = {
    "page.html": "{% extends 'layout.html' %}{% block body %}Hello {{ name }}{% include 'footer.html' %}{% endblock %}",
    "layout.html": "<html>{% block body %}{% endblock %}</html>",
    "footer.html": "<footer>v1</footer>",
}


@dataclass(frozen=True)
class Place:
    """A directory of views, and how to open it as another process would."""

    root: Path
    settings: Settings
    prefix: str

    @property
    def sources(self) -> Path:
        """Where the template sources are."""
        return self.root / "sources"

    @property
    def directory(self) -> Path:
        """Where the compiled views are."""
        return self.root / "views"

    def locks(self, ttl_seconds: float = 30.0) -> Locks:
        """Give locks of their own."""
        return Locks(connect(self.settings), self.prefix, ttl_seconds=ttl_seconds, clock=SystemClock())

    def views(self, locks: Locks | None = None, *, check_sources: bool = False) -> CompiledViews:
        """Open the views anew, with nothing in memory."""
        return CompiledViews(self.sources, self.directory, locks=locks, check_sources=check_sources)

    def service(self, *, ttl_seconds: float = 30.0, processes: int = 1) -> ViewCacheService:
        """Open the views' caretaker anew."""
        locks = self.locks(ttl_seconds)
        return ViewCacheService(self.views(locks), locks, processes=processes, deadline_seconds=20)

    def compiled(self, name: str) -> Path:
        """Tell where the compiled file of a view is."""
        (state,) = [view for view in self.views().inventory().views if view.name == name]
        return type(self.root)(state.path)


@pytest.fixture(scope="session", name="redis_url")
def _redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = redis_server.start(tmp_path_factory.mktemp("redis"))
    yield server.url
    end(server.process)


@pytest.fixture(name="place")
def _place(tmp_path: Path, redis_url: str) -> Place:
    place = Place(tmp_path, Settings.read(tmp_path / ".env", {"APP_TOKEN": "t", "REDIS_URL": redis_url}), tmp_path.name)
    place.sources.mkdir()
    for name, text in SOURCES.items():
        (place.sources / name).write_text(text)
    return place


@pytest.fixture(name="store")
def _store(place: Place) -> redis.Redis:
    return connect(place.settings)


@pytest.fixture(name="release")
def _release(tmp_path: Path, redis_url: str) -> Release:
    """A small release of its own, whose clock is Berlin's."""
    env = {"APP_TOKEN": "secret-token", "REDIS_URL": redis_url, "APP_TIMEZONE": "Europe/Berlin"}
    return Release.at(create_application_directory(tmp_path / "app", views=minimum_views(), env=env))
