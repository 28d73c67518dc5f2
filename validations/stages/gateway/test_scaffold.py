"""Growing applications and releases."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures.gateway.release import Release
from fixtures.gateway.scaffold import application_tree as scaffold
from fixtures.gateway.scaffold import resources as catalogue
from fixtures.gateway.scaffold.application_tree import (
    create_application_directory,
    create_release,
    grow,
    minimum_views,
)
from fixtures.gateway.scaffold.directories import ScaffoldError

ENV = {"APP_NAME": "api gateway", "APP_TOKEN": 'se"cret # no comment', "APP_ENV": "production"}


@pytest.fixture(name="app")
def _app(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    create_application_directory(app, env=ENV, views=minimum_views() + 120)
    return app


def _views(release: Path) -> list[Path]:
    return list((release / "resources/views").rglob("*.html"))


@pytest.mark.parametrize("views", [pytest.param(n, id=f"{n}-views") for n in (66, 67, 120, 682, 683, 2_000)])
def test_a_release_has_exactly_the_views_asked_for(tmp_path: Path, views: int) -> None:
    """Whatever the number, it is met: with resources as long as one fits, then with saved reports."""
    release = create_application_directory(tmp_path / "app", views=views, env={})
    assert len(_views(release)) == views


def test_ten_thousand_views_have_ten_thousand_names() -> None:
    """Further sites of the call centre give as many resources as are asked for, each in the panels' indexes."""
    tree = grow(10_000)
    assert len(tree.views) == 10_000
    assert "calls-site-2" in tree.views["filament/admin/resources/index.html"]


def test_fewer_views_than_the_core_are_refused(tmp_path: Path) -> None:
    """The error says the minimum, and nothing is written."""
    with pytest.raises(ScaffoldError, match=f"^5 views are fewer .* ask for {minimum_views()} or more$"):
        create_application_directory(tmp_path / "app", views=5, env={})
    assert not (tmp_path / "app").exists()


def test_a_used_directory_is_refused(app: Path) -> None:
    """An application is never grown over another, nor over a file."""
    with pytest.raises(ScaffoldError, match="exists and is not an empty directory"):
        create_application_directory(app, env={})
    with pytest.raises(ScaffoldError, match="exists and is not an empty directory"):
        create_application_directory(app / "shared/.env", env={})


@pytest.mark.parametrize(
    ("env", "message"),
    [
        pytest.param({"APP_NAME": "a\nREDIS_URL=x"}, "APP_NAME has more than one line", id="second-line"),
        pytest.param({"APP_NAME": "a\x0b"}, "APP_NAME has more than one line", id="odd-line-end"),
        pytest.param({"app name": "a"}, "'app name' is not a setting's name", id="no-name"),
    ],
)
def test_settings_that_do_not_fit_a_line_are_refused(tmp_path: Path, env: dict[str, str], message: str) -> None:
    """What would be read back as something else is not written."""
    with pytest.raises(ScaffoldError, match=message):
        create_application_directory(tmp_path / "app", env=env)
    assert not (tmp_path / "app").exists()


def test_settings_are_read_back_as_given(app: Path) -> None:
    """Blanks, quotes and hashes survive; the file is the owner's alone."""
    settings = Release.at(app).settings
    assert (settings.app_name, settings.app_token) == (ENV["APP_NAME"], ENV["APP_TOKEN"])
    assert stat.S_IMODE((app / "shared/.env").stat().st_mode) == 0o600


def test_links_are_relative_and_lead_somewhere(app: Path) -> None:
    """The application may be moved: current, the settings and the logs are found all the same."""
    moved = app.rename(app.with_name("moved"))
    release = Release.at(moved)
    links = [path for path in (moved / "current", release.dotenv, release.logs) if path.is_symlink()]
    assert len(links) == 3
    assert [link for link in links if link.readlink().is_absolute() or not link.exists()] == []
    assert release.logs.resolve() == moved / "shared/storage/logs"


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    """Directories can be entered, files read, scripts executed, and nothing is writable for others."""
    before = os.umask(0o077)
    try:
        create_application_directory(tmp_path / "app", env=ENV)
    finally:
        os.umask(before)
    release = Release.at(tmp_path / "app")
    modes: dict[str, set[int]] = {"directory": set(), "file": set()}
    for path in [release.app, *release.app.rglob("*")]:
        if not path.is_symlink() and path != release.app / "shared/.env":
            kind = "directory" if path.is_dir() else "file"
            modes[kind].add(stat.S_IMODE(path.stat().st_mode))
    assert modes == {"directory": {0o755, 0o750}, "file": {0o644, 0o755}}
    executable = {path.name for path in release.root.rglob("*") if path.is_file() and os.access(path, os.X_OK)}
    assert executable == {"artisan", "deploy-with-cache-management.sh", "fix-view-cache-emergency.sh"}


def test_the_console_runs_from_the_release(app: Path) -> None:
    """The console knows its interpreter and its checkout, from whatever directory it is called."""
    ran = subprocess.run(
        [app / "current/artisan", "list"], cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, "view:health-check" in ran.stdout) == (0, True), ran.stderr


def test_a_second_release_leaves_current_alone(app: Path) -> None:
    """A release appears complete and beside the others; who switches to it is the deployment."""
    first = (app / "current").readlink()
    release = create_release(app, views=minimum_views())
    assert (app / "current").readlink() == first
    assert sorted(path.name for path in (app / "releases").iterdir()) == sorted({first.name, release.name})
    assert Release.at(release).settings.app_name == ENV["APP_NAME"]


def test_a_release_needs_an_application(tmp_path: Path) -> None:
    """Where there is none, the error says so."""
    with pytest.raises(ScaffoldError, match="is not an application"):
        create_release(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_gives_everything_to_the_owner(tmp_path: Path) -> None:
    """Files, directories and links belong to the runtime user, also those of a release that root grows later."""
    owner = pwd.getpwnam("nobody")
    app = tmp_path / "app"
    create_application_directory(app, env=ENV, views=minimum_views(), owner="nobody")
    create_release(app, views=minimum_views())
    owners = {(path.lstat().st_uid, path.lstat().st_gid) for path in [app, *app.rglob("*")]}
    assert owners == {(owner.pw_uid, owner.pw_gid)}


def test_an_unknown_owner_is_refused(tmp_path: Path) -> None:
    """The error names the user, and nothing is written."""
    with pytest.raises(ScaffoldError, match="no user 'nobody-of-this-name'"):
        create_application_directory(tmp_path / "app", env={}, owner="nobody-of-this-name")
    assert not (tmp_path / "app").exists()


def test_components_name_views_that_exist(app: Path) -> None:
    """Every resource, page and widget of both panels lists real views, and every icon that it names is drawn."""
    release = Release.at(app)
    components: dict[Path, dict[str, Any]] = {
        path: tomllib.loads(path.read_text()) for path in release.filament_sources.rglob("*.toml")
    }
    assert {path.relative_to(release.filament_sources).parts[0] for path in components} == {"admin", "agent"}
    assert {path.parent.name for path in components} == {"resources", "pages", "widgets"}
    for path, component in components.items():
        assert component["name"] == path.stem
        assert component["label"]
        assert component["views"]
        assert [view for view in component["views"] if not (release.views_source / view).is_file()] == []
        assert (release.icons_source / f"{component['icon']}.svg").is_file()


def test_rows_are_always_the_same() -> None:
    """Two releases grown from one checkout have the same views, so that their digests can be compared."""
    grow.cache_clear()
    first = grow(400)
    grow.cache_clear()
    assert grow(400) == first


def test_the_catalogue_relates_resources_that_exist() -> None:
    """Each resource's related ones, its panels and its icon exist, and its fields can be drawn."""
    resources = {resource.name: resource for resource in catalogue.catalogued_resources()}
    for resource in resources.values():
        assert set(resource.related) <= set(resources)
        assert set(resource.panels) <= set(scaffold.PANELS)
        assert (scaffold.SKELETON / f"resources/icons/{resource.icon}.svg").is_file()
        assert len(resource.records) == catalogue.ROWS
