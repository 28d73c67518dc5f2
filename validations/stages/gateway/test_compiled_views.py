"""CompiledViews is correct without any lock: complete or absent, fresh, healed, and never raising for the cache."""

from __future__ import annotations

import os
import resource
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jinja2 import TemplateNotFound, TemplateSyntaxError

from fixtures.gateway.locks.redis_locks import Fenced
from fixtures.gateway.system.ports import OsFiles, SystemClock
from fixtures.gateway.views.compiled_views import FINGERPRINT, CompiledViews, collecting_defects
from fixtures.gateway.views.generations import Damage, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from validations.stages.gateway.conftest import Place

PAGE = "<html>Hello you<footer>v1</footer></html>"


class LaterClock(SystemClock):
    """The machine's clock, set forward."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def wall_ns(self) -> int:
        """Nanoseconds since the epoch, that much later."""
        return SystemClock.wall_ns() + self._seconds * 1_000_000_000


@contextmanager
def refusing_disk() -> Iterator[None]:
    """Let the kernel refuse every write to a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


def _flip_last_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: path.unlink(), "missing"),
    "empty": (lambda path: path.write_bytes(b""), "empty"),
    "first-line-cut": (lambda path: os.truncate(path, 20), "truncated"),
    "body-cut": (lambda path: os.truncate(path, path.stat().st_size - 1), "truncated"),
    "bit-flipped": (_flip_last_bit, "corrupt"),
    "appended-to": (_append, "corrupt"),
    "foreign": (lambda path: path.write_text("<?php echo 1;"), "foreign"),
    "directory": (_replace_by_directory, "unreadable"),
    "pipe": (_replace_by_pipe, "empty"),
    "dangling-link": (_replace_by_link, "missing"),
}


@pytest.mark.parametrize(("damage", "kind"), DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("in_memory", [True, False], ids=["held-in-memory", "first-met"])
def test_a_damaged_file_is_served_reported_and_healed_by_a_repair_only(
    place: Place, damage: Callable[[Path], object], kind: str, *, in_memory: bool
) -> None:
    """Whatever became of a pinned view's file, pages are complete, the damage is told and stays until the repair."""
    place.service().rebuild()
    views = place.views()
    if in_memory:
        views.render("page.html", {"name": "you"})
    path = place.compiled("layout.html")
    damage(path)
    for _ in range(2):
        with collecting_defects() as defects:
            assert views.render("page.html", {"name": "you"}) == PAGE
        assert [(defect.view, defect.kind, defect.path) for defect in defects] == [("layout.html", kind, str(path))]
    assert [view.state for view in views.inventory().defects] == [kind]
    report = views.repair(["layout.html", "page.html"])
    assert (report.repaired, report.failed) == (("layout.html",), {})
    assert views.inventory().defects == ()
    with collecting_defects() as defects:
        assert views.render("page.html", {"name": "you"}) == PAGE
    assert defects == []


def test_a_file_cut_at_any_byte_is_told_and_never_raised(place: Place) -> None:
    """Jinja2's own bytecode cache raises for 50 lengths of a truncated file; ours for none."""
    place.service().rebuild()
    data = place.compiled("page.html").read_bytes()
    assert not isinstance(decode(data, "page.html", FINGERPRINT), Damage)
    kinds = {
        found.kind if isinstance(found := decode(data[:length], "page.html", FINGERPRINT), Damage) else "intact"
        for length in range(len(data))
    }
    assert kinds == {"empty", "truncated"}


def test_another_views_file_is_not_executed(place: Place) -> None:
    """A file that proves itself is still foreign under another view's name."""
    place.service().rebuild()
    shutil.copy(place.compiled("footer.html"), place.compiled("layout.html"))
    views = place.views()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert [(view.name, view.state) for view in views.inventory().defects] == [("layout.html", "foreign")]


@pytest.mark.parametrize("check_sources", [True, False], ids=["sources-checked", "open-generation"])
def test_edits_that_no_stat_can_tell_apart_are_seen_at_the_next_render(place: Place, *, check_sources: bool) -> None:
    """Content decides identity: same size, same second, same modification time, and still never stale (I4)."""
    if check_sources:
        place.service().rebuild()
    views = place.views(check_sources=check_sources)
    footer = place.sources / "footer.html"
    for number in range(10):
        footer.write_text(f"<footer>v{number}</footer>")
        os.utime(footer, (1_700_000_000, 1_700_000_000))
        assert f"v{number}</footer>" in views.render("page.html")


def test_a_pinned_view_is_what_was_rebuilt_until_the_next_flip(place: Place) -> None:
    """In production an edit shows with the rebuild or the clear that follows it, in every process at once."""
    service = place.service()
    service.rebuild()
    views = place.views()
    views.render("page.html")
    (place.sources / "footer.html").write_text("<footer>v2</footer>")
    assert "v1" in views.render("page.html")
    assert [(view.name, view.state) for view in views.inventory().views if view.state != "intact"] == [
        ("footer.html", "stale")
    ]
    service.clear()
    assert "v2" in views.render("page.html")


def test_a_removed_directory_grows_again_under_the_readers(place: Place) -> None:
    """With the whole directory gone, pages go on and are published anew."""
    place.service().rebuild()
    views = place.views()
    views.render("page.html")
    shutil.rmtree(place.directory)
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert views.inventory().compiled == 3


def test_a_generation_removed_under_its_pointer_grows_again(place: Place) -> None:
    """With the generations gone and the pointer left dangling, pages go on and are published anew."""
    place.service().clear()
    shutil.rmtree(place.directory / "generations")
    views = place.views()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert views.inventory().compiled == 3


@pytest.mark.parametrize("gone", [False, True], ids=["generation-there", "nothing-there"])
def test_a_disk_that_refuses_costs_time_only(place: Place, *, gone: bool) -> None:
    """Pages are compiled once, in memory, complete and reported; once the disk takes writes they are published."""
    if not gone:
        place.service().clear()
    views = place.views()
    with refusing_disk():
        for _ in range(3):
            with collecting_defects() as defects:
                page = views.render("page.html", {"name": "you"})
            assert page == PAGE
            assert {defect.kind for defect in defects} == {"unwritable"}
    assert views.statistics.compiles == 3
    assert views.inventory().residue == ()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert views.inventory().compiled == 3


@pytest.mark.parametrize("kind", ["file", "dangling-link"])
def test_what_lies_in_the_directorys_place_costs_time_only(place: Place, kind: str) -> None:
    """A views directory that is a file or a dangling link is worked around and reported, and left alone."""
    if kind == "file":
        place.directory.write_text("not a directory")
    else:
        place.directory.symlink_to(place.root / "nowhere")
    views = place.views()
    with collecting_defects() as defects:
        assert views.render("page.html", {"name": "you"}) == PAGE
    assert (None, "unwritable") in [(defect.view, defect.kind) for defect in defects]
    assert views.inventory().problems


def test_a_damaged_manifest_costs_nothing_but_its_pins(place: Place) -> None:
    """With the manifest cut, views are found by their sources' content, and the inventory tells."""
    place.service().rebuild()
    manifest = place.directory / "current" / "manifest.json"
    os.truncate(manifest, manifest.stat().st_size // 2)
    views = place.views()
    assert views.render("page.html", {"name": "you"}) == PAGE
    assert views.statistics.compiles == 0
    assert "manifest.json cannot be used" in views.inventory().problems[0]


def test_a_broken_source_is_the_templates_error_and_leaves_nothing(place: Place) -> None:
    """A source that does not compile raises Jinja2's own error and publishes nothing."""
    (place.sources / "page.html").write_text("{% block %}")
    views = place.views()
    with pytest.raises(TemplateSyntaxError):
        views.render("page.html")
    assert views.inventory().residue == ()


@pytest.mark.parametrize("name", ["nope.html", "../views/current", "/etc/passwd", "layout.html/x"], ids=str)
def test_a_name_that_is_no_source_is_not_found(place: Place, name: str) -> None:
    """No name leads out of the sources."""
    with pytest.raises(TemplateNotFound):
        place.views().render(name)


def test_the_inventory_changes_nothing_and_tells_strangers(place: Place) -> None:
    """Looking is read-only, on a directory that is not there too; what nobody of us writes is told."""
    assert place.views().inventory().problems
    assert not place.directory.exists()
    place.service().rebuild()
    stranger = place.directory / "current" / "shell.php"
    stranger.write_text("<?php")
    before = sorted(path for path in place.directory.rglob("*"))
    inventory = place.views().inventory()
    assert [Path(path).name for path in inventory.foreign] == ["shell.php"]
    assert sorted(path for path in place.directory.rglob("*")) == before


def test_an_older_token_is_refused_once_a_newer_one_has_published(place: Place) -> None:
    """A holder that was paused past its lock publishes nothing (I9), also after a clear and a damaged manifest."""
    generations = place.views().generations
    generations.publish(generations.stage(), {}, token=7)
    generations.clear()
    (place.directory / "current" / "manifest.json").write_text("")
    live = generations.target()
    for token in (6, 7):
        with pytest.raises(Fenced):
            generations.publish(generations.stage(), {}, token=token)
    assert generations.target() == live
    assert generations.highest_token() == 7


class Meeting(OsFiles):
    """Files of a clear that meets a collection right after it has staged, and goes on once that is over or waits."""

    def __init__(self, collection: Callable[[Callable[[], None]], object]) -> None:
        self._collection = collection
        self.met: threading.Thread | None = None

    def mkdir(self, path: str, mode: int = 0o755) -> None:  # type: ignore[override]  # OsFiles' is static
        """Make the directory; where it is a staging, let a collection begin."""
        super().mkdir(path, mode)
        if ".staging-" in path:
            moved = threading.Event()

            def collect() -> None:
                self._collection(moved.set)
                moved.set()

            self.met = threading.Thread(target=collect)
            self.met.start()
            assert moved.wait(30)


class TellingWhenItWaits(SystemClock):
    """The machine's clock, which tells when somebody waits."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def sleep(self, seconds: float) -> None:  # type: ignore[override]  # SystemClock's is static
        """Tell, and wait."""
        self._tell()
        SystemClock.sleep(seconds)


def test_a_rebuilds_collection_takes_nothing_that_a_clear_has_staged(place: Place) -> None:
    """A clear beside a rebuild, which takes what is staged for a dead rebuild's, flips all the same (I8)."""
    place.service().rebuild()

    def collection(waits: Callable[[], None]) -> object:
        beside = CompiledViews(place.sources, place.directory, clock=TellingWhenItWaits(waits))
        return beside.generations.collect(exclusive=True)

    files = Meeting(collection)
    cleared = CompiledViews(place.sources, place.directory, files=files).generations.clear()
    assert files.met is not None
    files.met.join(30)
    assert not cleared.pinned
    assert place.views().generations.target() == cleared.target
    assert place.views().inventory().residue == ()


def test_old_generations_outlive_their_time_by_the_grace_period(place: Place) -> None:
    """What is not current any more is removed a grace period after it was found so, never earlier."""
    service = place.service()
    service.rebuild()
    first = Path(service.views.generation.path)
    service.rebuild()
    assert first.is_dir()
    later = CompiledViews(place.sources, place.directory, clock=LaterClock(299)).generations
    later.collect(exclusive=True)
    assert first.is_dir()
    later = CompiledViews(place.sources, place.directory, clock=LaterClock(301)).generations
    later.collect(exclusive=True)
    assert not first.exists()
    assert place.views().inventory().compiled == 3


def test_what_the_killed_leave_is_collected_and_what_the_living_stage_is_not(place: Place) -> None:
    """Temporaries and trash of dead processes go; somebody's staging stays, unless the rebuild lock is ours."""
    service = place.service()
    service.rebuild()
    generations = service.views.generations
    staging = generations.stage()
    (place.directory / ".current-1-1").symlink_to("generations/x")
    (place.directory / "generations" / ".trash-1-1").mkdir()
    (place.directory / "current" / ".tmp-1-1").write_text("half")
    generations.collect(exclusive=False)
    assert generations.residue(service.views.generation) == sorted(
        [staging, str(place.directory / "generations" / service.views.generation.name / ".tmp-1-1")]
    )
    CompiledViews(place.sources, place.directory, clock=LaterClock(301)).generations.collect(exclusive=True)
    assert generations.residue(service.views.generation) == []


def test_a_release_that_was_removed_is_not_brought_back(tmp_path: Path) -> None:
    """What is left of a rebuild makes `storage` again at most: never the directories of a release that is gone."""
    gone = tmp_path / "releases" / "pruned"
    views = CompiledViews(gone / "resources/views", gone / "storage/framework/views")
    with pytest.raises(FileNotFoundError):
        views.generations.begin()
    assert not (tmp_path / "releases").exists()
    gone.mkdir(parents=True)
    assert views.generations.begin().target
