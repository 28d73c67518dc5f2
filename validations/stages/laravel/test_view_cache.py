"""The compiled views: a rebuild is a new generation that is flipped to, damage is met and mended, a lock is held."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from fixtures.environments.settings import secret
from fixtures.processes import wait_until
from validations.stages.gateway.served import Served, is_complete

SECONDS = 60.0
# Seconds each: the gate's own run does without.
CI = pytest.mark.profile("ci")
LOCK = "api-gateway:cache:view-cache:rebuild"


@pytest.fixture(autouse=True)
def _whole(served: Served) -> Iterator[None]:
    """Begin with all views compiled, and leave them so."""
    done = served.artisan("view:cache")
    assert done.returncode == 0, done.stdout
    yield
    (served.app / "shared/storage/logs/laravel.log").write_bytes(b"")


def generation(served: Served) -> Path:
    """Return the directory of compiled views that is served."""
    return (served.compiled / "current").resolve()


def compiled(served: Served, view: str) -> Path:
    """Return the compiled file of a view."""
    trailer = f"{served.root.resolve()}/resources/views/{view.replace('.', '/')}.blade.php ENDPATH"
    return next(path for path in generation(served).glob("*.php") if trailer in path.read_text())


def log(served: Served) -> str:
    """Return the application's log."""
    return (served.app / "shared/storage/logs/laravel.log").read_text()


@pytest.mark.parametrize("command", ["view:cache", "view:clear"])
def test_nothing_live_is_ever_cleared(served: Served, command: str) -> None:
    """A rebuild and a clear flip to a new generation: the one before stays to the last byte, for who still reads it."""
    before = generation(served)
    content = {path.name: path.read_bytes() for path in before.glob("*.php")}
    assert len(content) >= served.stage.views
    done = served.artisan(command)
    assert done.returncode == 0, done.stdout
    after = generation(served)
    assert after != before
    assert {path.name: path.read_bytes() for path in before.glob("*.php")} == content
    assert len(list(after.glob("*.php"))) == (len(content) if command == "view:cache" else 0)
    assert is_complete(served.page())
    assert served.page().headers["x-auto-fix-view-cache"] == "untouched"


def empty(path: Path) -> None:
    """Leave nothing in it, as a write does that has not come further."""
    path.write_bytes(b"")


def halve(path: Path) -> None:
    """Cut it in half."""
    os.truncate(path, path.stat().st_size // 2)


def corrupt(path: Path) -> None:
    """Change it where its length and its times stay."""
    whole, before = path.read_bytes(), path.stat()
    path.write_bytes(whole.replace(b"data-sentinel", b"data-nothings"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_foreign(path: Path) -> None:
    """Put a file in its place that nobody certified."""
    path.write_text("<?php echo 'somebody else was here';")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(empty, id="empty"),
        pytest.param(halve, id="half"),
        pytest.param(corrupt, id="corrupt"),
        pytest.param(replace_by_foreign, id="foreign"),
        pytest.param(Path.unlink, id="missing"),
    ],
)
def test_damage_is_mended_during_the_request(served: Served, damage: Callable[[Path], None]) -> None:
    """Whatever is wrong with a compiled view, the next request gets the whole page and leaves the file as it was."""
    file = compiled(served, "calls.enhanced")
    whole = file.read_bytes()
    assert is_complete(served.page())
    damage(file)
    answer = served.page()
    assert is_complete(answer)
    assert answer.headers["x-auto-fix-view-cache"] == "repaired"
    assert file.read_bytes() == whole
    assert served.page().headers["x-auto-fix-view-cache"] == "untouched"
    assert "view cache repaired: " in log(served)


def test_an_edit_within_the_second_is_seen(served: Served) -> None:
    """A source that changes while its time and length stay is compiled anew: content decides, not whole seconds."""
    source = served.root.resolve() / "resources/views/calls/partials/glance.blade.php"
    text, before = source.read_text(), source.stat()
    try:
        for word in ("AT A GLANCE", "At A Glance"):
            source.write_text(text.replace("At a glance", word))
            os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert word in served.page().text
    finally:
        source.write_text(text)
    assert "At a glance" in served.page().text


@CI
def test_a_cache_that_cannot_be_written_is_done_without(served: Served) -> None:
    """Where the disk refuses, views are compiled in memory: a whole page, the header says failed, the log says why."""
    current = generation(served)
    file = compiled(served, "calls.enhanced")
    file.unlink()
    current.chmod(0o555)
    try:
        answer = served.page()
    finally:
        current.chmod(0o755)
    assert is_complete(answer)
    assert answer.headers["x-auto-fix-view-cache"] == "failed"
    assert "view cache defect not repaired" in log(served)
    assert served.page().headers["x-auto-fix-view-cache"] == "repaired"


@CI
def test_a_cache_that_is_gone_is_done_without(served: Served) -> None:
    """With all generations deleted under the workers, every page is still whole, and a rebuild brings them back."""
    shutil.rmtree(served.compiled / "generations")
    assert is_complete(served.page())
    assert served.artisan("view:cache").returncode == 0
    assert served.page().headers["x-auto-fix-view-cache"] == "untouched"


FAILS_SO_OFTEN = """
@php
$left = (int) @file_get_contents('{counter}');
if ($left > 0) {{
    file_put_contents('{counter}', $left - 1);
    filemtime(dirname(config('view.compiled')).'/generations/nowhere.php');
}}
@endphp
"""


@pytest.mark.parametrize(
    ("failures", "status", "outcome"),
    [
        pytest.param(1, 200, "retried", id="once"),
        pytest.param(2, 200, "aggressive", id="twice"),
        pytest.param(3, 503, "failed", id="always"),
    ],
)
def test_an_exception_of_the_view_cache_is_tried_again(
    served: Served, failures: int, status: int, outcome: str
) -> None:
    """filemtime(): stat failed is followed by a repair and a retry, then by the emergency fix, then by 503 and when."""
    counter = served.stage.folder / "served" / "failures"
    view = served.root.resolve() / "resources/views/dashboard.blade.php"
    text = view.read_text()
    counter.write_text(str(failures))
    counter.chmod(0o666)
    view.write_text(text + FAILS_SO_OFTEN.format(counter=counter))
    try:
        answer = served.get("/")
    finally:
        view.write_text(text)
    assert answer.status_code == status
    assert answer.headers["x-auto-fix-view-cache"] == outcome
    assert counter.read_text() == "0"
    assert "filemtime(): stat failed" in log(served)
    if status == 503:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["status"] == 503
    else:
        assert answer.text.rstrip().endswith("</html>")


@CI
def test_a_template_that_does_not_compile_changes_nothing(served: Served) -> None:
    """A rebuild that meets a broken template fails, names it, and leaves the generation before served."""
    before = generation(served)
    broken = served.root.resolve() / "resources/views/broken.blade.php"
    broken.write_text("@if (true) @foreach")
    try:
        done = served.artisan("view:cache")
    finally:
        broken.unlink()
    assert done.returncode == 1
    assert "broken.blade.php does not compile" in done.stdout
    assert generation(served) == before
    assert staged(served) == []


def staged(served: Served) -> list[Path]:
    """List the generations that somebody began and has not published."""
    generations = served.compiled / "generations"
    return [*generations.glob("*.staging"), *generations.glob(".new-*")]


@CI
def test_a_rebuild_waits_for_its_turn(served: Served) -> None:
    """Where another holds the lock a rebuild waits, fails when its deadline passes, and leaves that lock alone."""
    assert served.environment.redis_url is not None
    before = generation(served)
    with redis.Redis.from_url(secret(served.environment.redis_url), decode_responses=True) as client:
        client.set(LOCK, "somebody-else", px=60_000)
        try:
            done = served.artisan("view:cache", VIEW_REBUILD_DEADLINE_SECONDS="1")
            assert client.get(LOCK) == "somebody-else"
        finally:
            client.delete(LOCK)
    assert done.returncode == 1
    assert "another rebuild holds view-cache:rebuild" in done.stdout
    assert generation(served) == before


@CI
def test_who_waited_finds_the_work_done(served: Served) -> None:
    """Of rebuilds that begin together one compiles; the others wait, and find that all was done after they began."""
    assert served.environment.redis_url is not None
    with redis.Redis.from_url(secret(served.environment.redis_url), decode_responses=True) as client:
        client.set(LOCK, "somebody-else", px=60_000)
        running = [served.start("view:cache") for _ in range(3)]
        wait_until(
            lambda: sum(other["cmd"] == "set" for other in client.client_list()) == len(running),
            awaited="three rebuilds that have asked for the lock",
            seconds=SECONDS,
        )
        client.delete(LOCK)
    assert [process.wait(SECONDS) for process in running] == [0, 0, 0]
    said = (served.app / "shared/storage/logs/view-cache-monitor.log").read_text().splitlines()[-3:]
    assert sorted('"rebuilt":true' in line for line in said) == [False, False, True]


@CI
def test_without_redis_a_rebuild_goes_on_and_says_so(served: Served) -> None:
    """The lock buys single flight, not correctness: with the store out of reach the views are rebuilt all the same."""
    before = generation(served)
    done = served.artisan("view:cache", REDIS_PORT="1")
    assert done.returncode == 0, done.stdout
    assert "without a lock: Redis is out of reach" in done.stdout
    assert generation(served) != before


def test_what_a_killed_rebuild_left_goes_with_the_next(served: Served) -> None:
    """A rebuild that is killed leaves the old generation served; its lock expires, and its residue is collected."""
    before = generation(served)
    running = served.start("view:cache", VIEW_LOCK_TTL_SECONDS="2")
    wait_until(
        lambda: any(any(path.glob("*.php")) for path in staged(served)),
        awaited="a generation being compiled",
        seconds=SECONDS,
        every=0.001,
    )
    os.killpg(running.pid, signal.SIGKILL)
    running.wait(SECONDS)
    assert staged(served) != []
    assert generation(served) == before
    began = time.monotonic()
    assert served.artisan("view:cache").returncode == 0
    assert time.monotonic() - began < SECONDS
    assert staged(served) == []
    assert generation(served) != before
