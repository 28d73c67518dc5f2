"""What the application's own code recomputes, held against its caches: right both ways, and nothing is written."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.environments.stage import runtime_user
from fixtures.observation.facts import Configuration, HostFacts, Recomputed
from fixtures.observation.gateway_probe import bare_environment
from validations.meta.observation.laravel_trees import compiled_path, described, laravel_8, php, probed, ran

ACCOUNT = pwd.getpwnam(runtime_user())
OWNER = (ACCOUNT.pw_uid, ACCOUNT.pw_gid) if os.geteuid() == 0 else None
COMMAND_SECONDS = 60.0
# Beside the page, a layout, and a published view of a package.
TEMPLATES = {
    "plain.blade.php": "<p>{{ $name }}</p>\n",
    "once.blade.php": "@once<script></script>@endonce\n",
    "open.blade.php": "@forelse($calls as $call) {{ $call }}\n",
    "loop.blade.php": "@forelse($calls as $call) {{ $call }} @empty none @endforelse\n",
}
_PROVIDER = """\
<?php
namespace App\\Providers;
use Illuminate\\Support\\Facades\\Blade;
class ViewCompilerProvider extends \\Illuminate\\Support\\ServiceProvider
{{
    public function boot() {{ {body} }}
}}
"""
# What packages' compilers do to the file system, or to PHP.
WRITERS = {
    "put": "file_put_contents(__DIR__.'/put', 'x'); file_put_contents($victim, 'other');",
    "append": "$file = fopen($victim, 'a'); if ($file) { fwrite($file, 'more'); fclose($file); }",
    "rename": "rename($victim, $victim.'.old');",
    "delete": "unlink($victim);",
    "folder": "mkdir(dirname($victim).'/made');",
    "remove-folder": "rmdir(dirname($victim).'/empty');",
    "touch": "touch($victim, 1000);",
    "mode": "chmod($victim, 0600);",
    "temporary": "tempnam(dirname($victim), 'x');",
    "link": "symlink($victim, $victim.'.link');",
    "command": "exec('rm -f '.escapeshellarg($victim)); shell_exec('rm -f '.escapeshellarg($victim));",
    "copy": "copy($victim, $victim.'.copy');",
    "truncate": "$file = fopen($victim, 'r+'); if ($file) { ftruncate($file, 0); }",
    "object": "(new \\SplFileObject($victim, 'w'))->fwrite('x');",
    "filter": "file_put_contents('php://filter/write=string.rot13/resource='.$victim, 'x');",
    "dies": "exit(3);",
    "fatal": "eval('class Twice {} class Twice {}');",
    "endless": "str_repeat('x', PHP_INT_MAX);",
}


@pytest.fixture(name="root")
def _root(open_folder: Path) -> Path:
    root = laravel_8(open_folder / "shop", owner=OWNER)
    for name, text in TEMPLATES.items():
        (root / "resources/views" / name).write_text(text, encoding="utf-8")
    return root


def compiling(root: Path, body: str) -> None:
    """Have the application run this when its providers boot, from now on."""
    provider = root / "app/Providers/ViewCompilerProvider.php"
    provider.write_text(_PROVIDER.format(body=body), encoding="utf-8")
    config = root / "config/app.php"
    text = config.read_text(encoding="utf-8")
    if "ViewCompilerProvider" not in text:
        config.write_text(
            text.replace("'providers' => [", "'providers' => [App\\Providers\\ViewCompilerProvider::class, ")
        )


def cached(root: Path) -> None:
    """Compile every view by the framework's own command, a while after it was written."""
    for source in (root / "resources/views").rglob("*.blade.php"):
        os.utime(source, (source.stat().st_atime, source.stat().st_mtime - 60))
    artisan(root, "view:cache")


def artisan(root: Path, *arguments: str) -> None:
    """Run a console command as the runtime user."""
    subprocess.run(
        [php(), root / "artisan", *arguments],
        env=bare_environment(),
        user=OWNER and OWNER[0],
        check=True,
        capture_output=True,
        timeout=COMMAND_SECONDS,
    )


def compiled(root: Path, name: str) -> Path:
    """Return the compiled file of a template."""
    return compiled_path(root, root / "resources/views" / name)


def seen(root: Path) -> HostFacts:
    """Return a host's facts."""
    return probed(described(root))


def recomputed(root: Path) -> Recomputed:
    """Return what was recomputed on a host."""
    found = seen(root).seen("recomputed")
    assert isinstance(found, Recomputed)
    return found


def states(found: Recomputed) -> dict[str, str]:
    """Return the states of what is not equal, by template."""
    return {file.of.removeprefix("resources/views/"): file.state for file in found.files}


def picture(root: Path) -> dict[str, tuple[object, ...]]:
    """Return everything below a folder: what it is, what it holds, its mode and its times."""
    found: dict[str, tuple[object, ...]] = {}
    for path in root.rglob("*"):
        stat = path.lstat()
        held = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (held, stat.st_mode, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    return found


def test_what_view_cache_wrote_is_what_is_recomputed(root: Path) -> None:
    """Every compiled view of a healthy application is equal, though one draws a UUID and one leaves a loop open."""
    cached(root)
    found = recomputed(root)
    assert (found.whole, found.states, found.files) == (True, {"equal": found.of}, ())
    assert found.of > len(TEMPLATES)


def test_a_template_that_changed_under_an_old_time_differs(root: Path) -> None:
    """Other text in the template, dated before its compiled view, is found: the page would stay old for good."""
    cached(root)
    source = root / "resources/views/plain.blade.php"
    before = source.stat()
    source.write_text("<p>Hello {{ $name }}</p>\n")
    os.utime(source, (before.st_atime, before.st_mtime - 86400))
    assert states(recomputed(root)) == {"plain.blade.php": "differs"}


def test_a_template_as_new_as_its_compiled_view_is_expired(root: Path) -> None:
    """Equal content that Laravel compiles again at each request is told apart, by the compiler's own judgement."""
    cached(root)
    newer = compiled(root, "plain.blade.php").stat().st_mtime + 60
    os.utime(root / "resources/views/plain.blade.php", (newer, newer))
    assert states(recomputed(root)) == {"plain.blade.php": "expired"}


def _to_trailer(root: Path) -> None:
    file = compiled(root, "plain.blade.php")
    text = file.read_text()
    file.write_text(text[text.index("<?php /**PATH") :])


def _swapped(root: Path) -> None:
    one, other = compiled(root, "plain.blade.php"), compiled(root, "loop.blade.php")
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def _cut(root: Path) -> None:
    file = compiled(root, "loop.blade.php")
    text = file.read_text()
    file.write_text(text[:20] + text[text.index("<?php /**PATH") :])


def _loads(root: Path) -> None:
    file = compiled(root, "plain.blade.php")
    file.write_text("<?php require '/nowhere/absent.php'; ?>" + file.read_text())


def _emptied(root: Path) -> None:
    compiled(root, "plain.blade.php").write_text("")


@pytest.mark.parametrize(
    ("damage", "which"),
    [
        pytest.param(_to_trailer, {"plain.blade.php"}, id="reduced-to-its-trailer"),
        pytest.param(_swapped, {"plain.blade.php", "loop.blade.php"}, id="two-swapped"),
        pytest.param(_cut, {"loop.blade.php"}, id="cut-with-its-trailer-kept"),
        pytest.param(_loads, {"plain.blade.php"}, id="loads-an-absent-file"),
        pytest.param(_emptied, {"plain.blade.php"}, id="emptied"),
    ],
)
def test_a_damaged_compiled_view_differs(root: Path, damage: Callable[[Path], None], which: set[str]) -> None:
    """A compiled view that holds anything but its template's code is named, whatever its trailer and its time say."""
    cached(root)
    damage(root)
    found = recomputed(root)
    assert states(found) == dict.fromkeys(which, "differs")
    assert found.states["equal"] == found.of - len(which)


def test_what_other_compilers_left_empty_below_is_named(root: Path) -> None:
    """An empty file in a folder below the compiled views is named, and the folder's files are counted."""
    cached(root)
    below = root / "storage/framework/views/livewire/views"
    below.mkdir(parents=True)
    (below / "whole.php").write_text("<p></p>")
    (below / "empty.php").write_text("")
    found = recomputed(root)
    assert (found.below, found.empty_below) == ({"livewire": 2}, ("livewire/views/empty.php",))


def test_a_directive_that_came_after_the_views_were_compiled_differs(root: Path) -> None:
    """A compiled view that has a directive as text, which the application knows by now, is not what it should be."""
    (root / "resources/views/icon.blade.php").write_text("<i>@svgicon('bell')</i>\n")
    cached(root)
    compiling(root, "Blade::directive('svgicon', function ($name) { return \"<?php echo 'svg'; ?>\"; });")
    assert states(recomputed(root)) == {"icon.blade.php": "differs"}


def test_a_directive_of_requests_alone_is_told_apart(root: Path) -> None:
    """Where the console has no such directive, what differs is known to be text that was left uncompiled here."""
    (root / "resources/views/icon.blade.php").write_text("<i>@svgicon('bell')</i>\n")
    directive = "Blade::directive('svgicon', function ($name) { return \"<?php echo 'svg'; ?>\"; });"
    compiling(root, directive)
    cached(root)
    compiling(root, f"if (! app()->runningInConsole()) {{ {directive} }}")
    assert states(recomputed(root)) == {"icon.blade.php": "uncompiled"}


def test_what_requests_alone_add_to_every_view_is_the_same_change(root: Path) -> None:
    """A compiler that adds the same line to each view where requests are served makes one difference, not many."""
    compiling(root, 'Blade::extend(function ($text) { return "<!-- served -->$text"; });')
    cached(root)
    compiling(root, "")
    found = recomputed(root)
    assert found.states == {"equal": 0, "differs": found.of}
    assert found.changes == 1


def test_two_compilations_that_disagree_prove_nothing(root: Path) -> None:
    """What a package draws anew at each compilation is no difference, and not known either."""
    (root / "resources/views/random.blade.php").write_text("@drawn\n")
    compiling(
        root, "Blade::directive('drawn', function () { return '<?php echo '.random_int(0, PHP_INT_MAX).'; ?>'; });"
    )
    cached(root)
    assert states(recomputed(root)) == {"random.blade.php": "varies"}


def test_a_counter_of_a_package_starts_as_it_did_when_the_views_were_compiled(root: Path) -> None:
    """A template that a process compiles differently at each turn is equal by the first compilation of one."""
    (root / "resources/views/counted.blade.php").write_text("@counted\n")
    counter = "static $count = 0; return '<?php echo '.(++$count).'; ?>';"
    compiling(root, f"Blade::directive('counted', function () {{ {counter} }});")
    cached(root)
    found = recomputed(root)
    assert found.states == {"equal": found.of}


def test_a_template_that_does_not_compile_is_named_with_its_error(root: Path) -> None:
    """A component whose class is gone keeps its template from compiling, and no other one."""
    (root / "resources/views/gone.blade.php").write_text("<p></p>\n")
    cached(root)
    (root / "resources/views/gone.blade.php").write_text("<x-gone-for-good />\n")
    found = recomputed(root)
    assert states(found) == {"gone.blade.php": "error"}
    assert "gone-for-good" in found.files[0].why
    assert found.states["equal"] == found.of - 1


def test_an_inline_view_is_named_by_the_hash_of_its_content(root: Path) -> None:
    """The compiled view of an inline one is compared, and a stored source that is not what its name says is told."""
    cached(root)
    folder = root / "storage/framework/views"
    text = "<b>{{ $slot }}</b>"
    source = folder / f"{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()}.blade.php"
    source.write_text(text)
    file = compiled_path(root, source)
    ending = f"<?php /**PATH {source} ENDPATH**/ ?>"
    file.write_text(f"<b><?php echo e($slot); ?></b>{ending}")
    os.utime(source, (source.stat().st_atime, source.stat().st_mtime - 60))
    found = recomputed(root)
    assert (found.inline, found.states) == (1, {"equal": found.of})
    source.write_text("<i>{{ $slot }}</i>")
    assert [file.state for file in recomputed(root).files] == ["inline-source"]


def test_a_registered_folder_that_is_not_there_is_named(root: Path) -> None:
    """view:cache ends with an error where a package's folder of views is registered and absent."""
    cached(root)
    compiling(root, "$this->app['view']->addNamespace('absent', base_path('packages/absent/views'));")
    assert recomputed(root).absent_folders == (str(root / "packages/absent/views"),)
    with pytest.raises(subprocess.CalledProcessError):
        artisan(root, "view:cache")


def test_a_compiler_that_never_ends_is_ended_and_named(root: Path) -> None:
    """A template whose compilation goes on for ever is ended at the deadline, and is not taken for compared."""
    (root / "resources/views/act.blade.php").write_text("@act\n")
    compiling(root, "Blade::directive('act', function () { return 'done'; });")
    cached(root)
    compiling(root, "Blade::directive('act', function () { for (;;) { usleep(1000); } });")
    found = probed(described(root, budget={"command_seconds": 4.0})).seen("recomputed")
    assert (found.whole, states(found)) == (False, {"act.blade.php": "unconfirmed"})


@pytest.mark.parametrize("act", [pytest.param(act, id=name) for name, act in WRITERS.items()])
def test_no_compiler_changes_anything_and_each_is_named(root: Path, act: str) -> None:
    """A compiler that writes, renames, deletes or ends PHP changes nothing: it is named, the others compared."""
    (root / "resources/views/act.blade.php").write_text("@act\n")
    compiling(root, "Blade::directive('act', function () { return 'done'; });")
    cached(root)
    (root / "storage/framework/views/empty").mkdir()
    if OWNER:
        # Whatever it may do by its rights: all of it is the runtime user's.
        for path in (root, *root.rglob("*")):
            os.chown(path, *OWNER)
    victim = compiled(root, "plain.blade.php")
    body = f"$victim = '{victim}'; {act} return 'other';"
    compiling(root, f"Blade::directive('act', function () {{ {body} }});")
    before = picture(root)
    found = recomputed(root)
    assert picture(root) == before
    expected = "fatal" if act in (WRITERS["dies"], WRITERS["fatal"], WRITERS["endless"]) else "writes"
    assert states(found) == {"act.blade.php": expected}
    assert (found.whole, found.states["equal"]) == (True, found.of - 1)


def configuration(root: Path) -> Configuration:
    """Return what was found of a host's cached configuration."""
    found = seen(root).seen("configuration")
    assert isinstance(found, Configuration)
    return found


def test_a_configuration_cached_here_agrees_with_one_that_is_loaded_afresh(root: Path) -> None:
    """A configuration that config:cache wrote in the release has nothing of another tree, and none is told without."""
    cached(root)
    assert not configuration(root).cached
    artisan(root, "config:cache")
    found = configuration(root)
    assert (found.cached, found.elsewhere, found.other) == (True, (), ())
    assert found.compared > 50


@pytest.mark.parametrize("gone", [pytest.param(True, id="gone"), pytest.param(False, id="still-there")])
def test_a_configuration_cached_in_another_tree_names_the_keys_that_lead_there(
    root: Path, open_folder: Path, *, gone: bool
) -> None:
    """Views and compiled views of a build folder are found by their keys, whether that folder is left or not."""
    build = open_folder / "build"
    shutil.copytree(root, build, symlinks=True)
    if OWNER:
        for path in (build, *build.rglob("*")):
            os.chown(path, *OWNER)
    artisan(build, "config:cache")
    shutil.copy2(build / "bootstrap/cache/config.php", root / "bootstrap/cache/config.php")
    if gone:
        shutil.rmtree(build)
    found = configuration(root)
    assert {"view.paths.0", "view.compiled", "logging.channels.single.path"} <= set(found.elsewhere)


def test_no_value_of_a_configuration_is_told(root: Path) -> None:
    """A value that changed since the configuration was cached is told by its key alone."""
    artisan(root, "config:cache")
    file = root / "config/app.php"
    file.write_text(file.read_text().replace("'shop'", "'s3cr3t-of-the-shop'"))
    environment = described(root)
    said = ran(environment).out
    assert b'"app.name"' in said
    assert b"s3cr3t-of-the-shop" not in said
