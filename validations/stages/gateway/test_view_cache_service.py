"""ViewCacheService rebuilds one at a time, publishes all or nothing, and recovers from whatever happens to it."""

from __future__ import annotations

import os
import shutil
import signal
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from fixtures.environments import redis_server
from fixtures.gateway.locks.redis_locks import LockLost, Locks, LockTimeout, connect
from fixtures.gateway.release import Settings
from fixtures.gateway.system.forking import fork, wait_for
from fixtures.gateway.system.ports import SystemClock
from fixtures.gateway.views.compilation import CompileFailed
from fixtures.gateway.views.compiled_views import CompiledViews
from fixtures.gateway.views.view_cache_service import RebuildReport, ViewCacheService
from fixtures.processes import end, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    import redis

    from validations.stages.gateway.conftest import Place

PAGE = "<html>Hello you<footer>v1</footer></html>"


class Interrupted(CompiledViews):
    """Views between whose compilations something happens, once."""

    happens: Callable[[], object] | None = None

    def compile(self, name: str, data: bytes) -> CodeType:
        """Let it happen, then compile."""
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return super().compile(name, data)


def interrupted(place: Place, happens: Callable[[], object], *, ttl_seconds: float = 30.0) -> ViewCacheService:
    """Give a service in whose next rebuild, after the first sources were read, this happens."""
    locks = place.locks(ttl_seconds)
    views = Interrupted(place.sources, place.directory, locks=locks)
    views.happens = happens
    return ViewCacheService(views, locks, processes=1, deadline_seconds=20)


def edit(place: Place) -> None:
    """Change the footer."""
    (place.sources / "footer.html").write_text("<footer>v2</footer>")


@pytest.mark.parametrize("processes", [1, 3])
def test_a_rebuild_compiles_every_source_into_a_new_generation(place: Place, processes: int) -> None:
    """Alone or with forked helpers, every source gets an intact file that the manifest names, nothing else."""
    for number in range(100):
        (place.sources / f"view-{number}.html").write_text(f"{{% extends 'layout.html' %}}{number}")
    service = place.service(processes=processes)
    reports = [service.rebuild() for _ in range(2)]
    assert [(report.views, report.token, report.locked, report.rebuilt) for report in reports] == [
        (103, 1, True, True),
        (103, 2, True, True),
    ]
    assert reports[0].generation != reports[1].generation
    assert service.is_healthy().problems == ()
    assert service.views.inventory().residue == ()
    views = place.views()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert views.statistics.compiles == 0


def test_a_source_that_does_not_compile_publishes_nothing(place: Place) -> None:
    """The error names the source, the old generation serves on, and nothing is left behind."""
    service = place.service(processes=2)
    service.rebuild()
    live = service.views.generation.target
    for number in range(20):
        (place.sources / f"broken-{number}.html").write_text("{% if %}")
    with pytest.raises(CompileFailed, match=r"broken-0.html does not compile: .*and 19 more.*nothing was published"):
        service.rebuild()
    assert service.views.generation.target == live
    assert service.views.inventory().residue == ()


def test_a_lock_lost_during_a_rebuild_publishes_nothing(place: Place, store: redis.Redis) -> None:
    """Another's lock, taken meanwhile, is left alone, and the old generation serves on."""
    place.service().rebuild()
    key = place.locks().key("view-cache:rebuild")
    service = interrupted(place, lambda: store.set(key, "another"))
    live = service.views.generation.target
    with pytest.raises(LockLost):
        service.rebuild()
    assert service.views.generation.target == live
    assert store.get(key) == b"another"
    assert service.views.inventory().residue == ()


def test_a_rebuild_overtaken_by_a_newer_one_publishes_nothing(place: Place, store: redis.Redis) -> None:
    """A holder whose lock expired while it was paused is told so, though the newer one cleared its staging away."""
    key = place.locks().key("view-cache:rebuild")

    def overtake() -> None:
        store.delete(key)
        place.service().rebuild()

    with pytest.raises(LockLost):
        interrupted(place, overtake).rebuild()
    assert place.views().generation.token == 2


def test_a_slow_rebuild_does_not_undo_a_later_clear(place: Place) -> None:
    """What was edited and cleared while a rebuild ran is what the rebuild then publishes (I4)."""
    service = interrupted(place, lambda: None)
    service.rebuild()

    def edit_and_clear() -> None:
        edit(place)
        (place.sources / "new.html").write_text("new")
        (place.sources / "layout.html").write_text("<html lang='en'>{% block body %}{% endblock %}</html>")
        place.service().clear()

    service = interrupted(place, edit_and_clear)
    assert service.rebuild().views == 4
    assert place.views().render("page.html", {"name": "you"}) == ("<html lang='en'>Hello you<footer>v2</footer></html>")
    assert service.is_healthy().healthy


def test_who_waited_for_a_rebuild_does_not_do_it_again(place: Place) -> None:
    """After acquiring the lock the work is looked at again: single flight (I5)."""
    reports: list[RebuildReport] = []
    waiting = place.service()
    waiter = Thread(target=lambda: reports.append(waiting.rebuild()))
    started: list[Thread] = []

    def let_another_wait() -> None:
        waiter.start()
        started.append(waiter)
        wait_until(lambda: bool(waiting.locks.redis.connection_pool), awaited="the other's client", seconds=10)

    working = interrupted(place, let_another_wait)
    before = waiting.views.generations.target()
    report = working.rebuild()
    waiter.join(30)
    assert before == ""
    assert report.rebuilt
    assert [other.generation for other in reports] == [report.generation]
    assert not reports[0].rebuilt
    assert waiting.views.statistics.compiles == 0


def test_a_held_lock_ends_the_wait_at_the_deadline(place: Place, store: redis.Redis) -> None:
    """A rebuild does not wait for ever for another's lock."""
    store.set(place.locks().key("view-cache:rebuild"), "another", px=60_000)
    locks = place.locks()
    with pytest.raises(LockTimeout):
        ViewCacheService(place.views(locks), locks, deadline_seconds=0.05).rebuild()


def test_without_redis_everything_works_and_says_so(place: Place) -> None:
    """Redis stopped in the middle of a rebuild or before it costs the lock only; a new, empty one is taken up again."""
    server = redis_server.start(place.root / "redis")
    settings = Settings.read(place.root / ".env", {"APP_TOKEN": "t", "REDIS_URL": server.url})
    locks = Locks(connect(settings), "x", ttl_seconds=30, clock=SystemClock())
    views = Interrupted(place.sources, place.directory, locks=locks)
    service = ViewCacheService(views, locks, processes=1)
    service.rebuild()
    views.happens = lambda: end(server.process)
    report = service.rebuild()
    assert (report.token, report.rebuilt) == (2, True)
    assert "may not be released" in str(report.reason)
    report = service.rebuild()
    assert (report.locked, report.token, report.rebuilt) == (False, None, True)
    assert "did not answer" in str(report.reason)
    assert server.password not in str(report)
    service.clear()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert place.service().rebuild().token == 3


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_rebuild_leaves_the_old_generation_and_its_residue_goes(place: Place, processes: int) -> None:
    """SIGKILL in the middle of a rebuild: pages go on, the next rebuild waits for the TTL at most, and tidies up."""
    for number in range(20):
        (place.sources / f"view-{number}.html").write_text("x")
    place.service().rebuild()

    def rebuild_and_die() -> None:
        dying = interrupted(place, lambda: os.kill(os.getpid(), signal.SIGKILL), ttl_seconds=0.5)
        dying._processes = processes  # noqa: SLF001 - the helpers inherit what happens
        dying.rebuild()

    assert wait_for(fork(rebuild_and_die)) == -signal.SIGKILL
    views = place.views()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert views.inventory().residue
    service = place.service()
    assert service.rebuild().rebuilt
    assert service.views.inventory().residue == ()
    assert service.is_healthy().healthy


def test_a_killed_helper_is_made_up_for(place: Place) -> None:
    """A compiling process that is killed costs one more attempt."""
    for number in range(40):
        (place.sources / f"view-{number}.html").write_text("x")
    parent = os.getpid()
    once = place.root / "killed"

    def die_in_the_helper() -> None:
        if os.getpid() != parent and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        wait_until(once.exists, awaited="the helper's end", seconds=20)

    service = interrupted(place, die_in_the_helper)
    service._processes = 2  # noqa: SLF001 - two, on a machine with one core too
    assert service.rebuild().attempts == 2
    assert service.is_healthy().healthy
    assert service.views.inventory().residue == ()


@pytest.mark.parametrize(
    "damage",
    [
        lambda place: shutil.rmtree(place.directory),
        lambda place: (shutil.rmtree(place.directory), place.directory.write_text("a file")),  # type: ignore[func-returns-value]
        lambda place: (shutil.rmtree(place.directory), place.directory.symlink_to("nowhere")),  # type: ignore[func-returns-value]
        lambda place: [os.truncate(path, 0) for path in place.directory.rglob("*") if path.is_file()],  # type: ignore[func-returns-value]
        lambda place: (place.directory / "current").unlink(),
        lambda place: ((place.directory / "current").unlink(), (place.directory / "current").mkdir()),
        lambda place: shutil.rmtree(place.directory / "generations"),
    ],
    ids=["removed", "a-file", "dangling-link", "all-truncated", "no-pointer", "pointer-a-directory", "no-generations"],
)
def test_the_emergency_fix_rebuilds_from_nothing(place: Place, damage: Callable[[Place], object]) -> None:
    """Whatever became of the directory, afterwards every view is intact and named."""
    place.service().rebuild()
    damage(place)
    service = place.service()
    assert not service.is_healthy().healthy
    service.emergency_fix()
    assert service.is_healthy().problems == ()


@pytest.mark.parametrize(
    ("damage", "rebuilt"),
    [
        (lambda place: place.compiled("page.html").write_bytes(b""), False),
        (lambda place: os.truncate(place.directory / "current" / "manifest.json", 9), True),
        (edit, True),
    ],
    ids=["one-file", "manifest", "edited-source"],
)
def test_a_repair_does_as_much_as_is_needed(place: Place, damage: Callable[[Place], object], *, rebuilt: bool) -> None:
    """Single files are written again; what they cannot mend is rebuilt."""
    service = place.service()
    service.rebuild()
    damage(place)
    report = place.service().repair()
    assert (report.rebuild is not None) == rebuilt
    assert service.is_healthy().problems == ()


def test_a_boot_heals_damage_and_respects_a_clear(place: Place) -> None:
    """A worker that starts on a damaged cache fixes it by itself; one that was cleared on purpose stays cleared."""
    service = place.service()
    assert service.heal_on_boot() is not None
    assert service.heal_on_boot() is None
    for path in (place.directory / "current").glob("*.view"):
        os.truncate(path, 10)
    healed = place.service().heal_on_boot()
    assert healed is not None
    assert healed.repair is not None
    assert len(healed.repair.repaired) == 3
    assert service.is_healthy().healthy
    service.clear()
    assert place.service().heal_on_boot() is None
    assert place.views().inventory().compiled == 0
