"""Applications that are built once and copied: a copy is what a build in its place would have made."""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixtures.environments.built import BUILT, built_once
from fixtures.environments.settings import Environment
from fixtures.environments.stage import Stage

VIEWS = 66
SECONDS = 60.0


@pytest.fixture(name="kept")
def _kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is built in a folder of its own."""
    folder = tmp_path / "kept"
    folder.mkdir()
    monkeypatch.setenv(BUILT, str(folder))
    return folder


def compiled(environment: Environment) -> dict[str, bytes]:
    """Return the bytes of each compiled view by its view's name."""
    generation = Path(environment.root, "storage/framework/views/current").resolve()
    views = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))["views"]
    return {name: (generation / f"{entry['key']}.view").read_bytes() for name, entry in views.items()}


def test_a_copied_stage_is_what_a_build_makes(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that is copied has the compiled views, owners and modes of one that is built, and settings of its own."""
    with contextlib.ExitStack() as closing:

        def up() -> Environment:
            stage = Stage(views=VIEWS, workers=1)
            closing.callback(stage.down)
            return stage.up()

        first, copied = up(), up()
        assert [path.name for path in kept.iterdir() if path.is_dir()] == [f"gateway-of-{VIEWS}-views"]
        monkeypatch.delenv(BUILT)
        built = up()
        assert len(compiled(built)) == VIEWS
        assert compiled(first) == compiled(copied) == compiled(built)
        assert access(copied) == access(built)
        settings = {Path(one.root, ".env").read_text(encoding="utf-8") for one in (first, copied, built)}
        assert len(settings) == 3


def access(environment: Environment) -> dict[str, tuple[int, int, int]]:
    """Return owner, group and mode of all that has the same name in every release."""
    root = Path(environment.root).resolve()
    found = {path: path.lstat() for path in root.rglob("*") if "generations" not in path.parts}
    return {str(path.relative_to(root)): (seen.st_uid, seen.st_gid, seen.st_mode) for path, seen in found.items()}


def test_of_two_at_once_one_builds(kept: Path, tmp_path: Path) -> None:
    """Two that want the same application at the same time have it built once, and both have the whole of it."""
    builds, both = list[Path](), threading.Barrier(2, timeout=SECONDS)

    def want(app: Path) -> bool:
        def build() -> None:
            builds.append(app)
            app.mkdir()
            for number in range(VIEWS):
                (app / str(number)).write_text("compiled")

        both.wait()
        return built_once(app, "two", build)

    apps = [tmp_path / "one", tmp_path / "other"]
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(want, apps)) == [False, True]
    assert len(builds) == 1
    for app in (*apps, kept / "two"):
        assert len(list(app.iterdir())) == VIEWS


def test_a_build_that_fails_leaves_nothing_to_copy(kept: Path, tmp_path: Path) -> None:
    """After a build that failed the next one is built, and not copied from half of one."""

    def fails() -> None:
        (tmp_path / "half").mkdir()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        built_once(tmp_path / "half", "app", fails)
    assert not (kept / "app").exists()
    assert not built_once(tmp_path / "whole", "app", (tmp_path / "whole").mkdir)
    assert (kept / "app").is_dir()
