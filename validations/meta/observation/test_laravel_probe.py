"""The Laravel probe sees what is there, on Debian's real Laravel 8; and tells what it can where that will not boot."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import pwd
import time
import zoneinfo
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.environments import laravel_probing as laravel
from fixtures.environments.stage import runtime_user
from fixtures.environments.transports import Ran
from fixtures.observation.facts import Directory, HostFacts, Unobserved, parse
from validations.meta.observation.laravel_trees import (
    compile_views,
    compiled_path,
    described,
    laravel_8,
    php,
    probed,
    ran,
)

pytestmark = pytest.mark.usefixtures("laravel_here")
ROOT = os.geteuid() == 0
USER = runtime_user()
ACCOUNT = pwd.getpwnam(USER)
OWNER = (ACCOUNT.pw_uid, ACCOUNT.pw_gid) if ROOT else None
as_root = pytest.mark.skipif(not ROOT, reason="not applicable: only root may give files to another user")


@pytest.fixture(name="root")
def _root(open_folder: Path) -> Path:
    """An application as it should be, compiled."""
    root = laravel_8(open_folder / "shop", owner=OWNER)
    compile_views(root)
    return root


def rewrite(path: Path, before: str, after: str) -> None:
    """Change a file's text; what was to be changed has to be there."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def directory(facts: HostFacts, role: str) -> Directory:
    """Return the directory of that role."""
    assert facts.directories is not None
    return next(directory for directory in facts.directories if directory.role == role)


def test_an_application_as_it_should_be(root: Path) -> None:
    """Every section is told, by the booted application where it knows, and as the runtime user."""
    facts = probed(described(root))
    assert set(facts.unobserved) == set()
    application = facts.seen("application")
    assert (application.framework_version, application.runtime_user) == ("8.83.26", USER)
    assert application.timezone == "Europe/Berlin"
    middleware = facts.seen("middleware")
    assert middleware.stack == (r"App\Http\Middleware\AutoFixViewCache",)
    assert middleware.route[-1] == r"App\Http\Middleware\RequireOperator"
    assert middleware.route_uri == "calls/{call}/enhanced"
    compiled = facts.seen("compiled")
    assert (compiled.sources, compiled.intact, compiled.counted) == (3, 3, 3 + 1)
    assert (compiled.missing, compiled.damaged) == ((), ())
    page = compiled_path(root, root / "resources/views/calls/enhanced.blade.php")
    assert compiled.page_file == str(page)
    assert laravel.view_state(page) == "intact"
    assert facts.seen("locks").url == "redis://127.0.0.1:1/2"
    assert "refused" in facts.seen("locks").server_error
    assert {(entry.expression, entry.runs_here) for entry in facts.seen("schedule").entries} == {
        ("*/5 * * * *", True),
        ("0 3 * * *", True),
        ("0 0 * * *", False),
    }
    command = next(command for command in facts.seen("commands") if command.name == "view:health-check")
    assert (command.hidden, command.options) == (False, ("fix", "json", "no-log"))
    assert (facts.seen("caches").panels, facts.seen("caches").absent) == ((), ("panels", "icons"))


def test_the_health_command_is_run_without_fix(root: Path) -> None:
    """It is asked for JSON and for nothing else, and its exit code and answer are told."""
    health = probed(described(root)).seen("health")
    assert health.exit_code == 0
    assert health.answer["healthy"] is True
    assert set(health.answer["arguments"]) == {"json", "no-log", "no-interaction"}


def test_a_command_of_a_longer_name_is_not_run_in_its_place(root: Path) -> None:
    """The console completes a name; where there is no view:health-check, nothing is run."""
    rewrite(root / "app/Console/HealthCheck.php", "view:health-check {--fix}", "view:health-check-and-fix {--fix}")
    rewrite(root / "app/Console/HealthCheck.php", "return 0;", f"touch('{root}/storage/ran'); return 0;")
    facts = probed(described(root))
    with pytest.raises(Unobserved, match="the console has no command view:health-check"):
        facts.seen("health")
    assert not (root / "storage/ran").exists()


def test_nothing_is_written_by_looking(root: Path) -> None:
    """The tree is the same after a look as before it, but for what Laravel itself writes when it first boots."""
    probed(described(root))

    def tree() -> dict[str, tuple[str, int]]:
        return {
            str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in root.rglob("*")
            if path.is_file()
        }

    before = tree()
    probed(described(root))
    assert tree() == before
    assert {path.name for path in (root / "bootstrap/cache").iterdir()} == {"packages.php", "services.php"}


def test_a_commented_out_registration_is_not_in_the_booted_kernel(root: Path) -> None:
    """Its name in a comment is no middleware."""
    rewrite(root / "app/Http/Kernel.php", "= [\\App\\Http\\Middleware\\Auto", "= [ // \\App\\Http\\Middleware\\Auto")
    rewrite(root / "app/Http/Kernel.php", "AutoFixViewCache::class];", "AutoFixViewCache::class\n];")
    assert probed(described(root)).seen("middleware").stack == ()


def test_what_a_provider_adds_to_a_group_is_seen(root: Path) -> None:
    """A provider's push into a group counts for the page's route, as it does for a request."""
    rewrite(
        root / "app/Providers/RouteServiceProvider.php",
        "{\n        $this->routes",
        "{\n        $this->app['router']->pushMiddlewareToGroup('web', 'App\\Late');\n        $this->routes",
    )
    middleware = probed(described(root)).seen("middleware")
    assert "App\\Late" in middleware.groups["web"]
    assert "App\\Late" in middleware.route


def test_a_page_without_a_route_has_its_reason(root: Path) -> None:
    """Where no route answers the page's path, that is told, and no middleware of it is made up."""
    middleware = probed(described(root, page={"path": "/nowhere"})).seen("middleware")
    assert middleware.route is None
    assert "NotFoundHttpException" in middleware.route_error


def test_a_store_of_locks_that_is_no_redis_is_told(root: Path) -> None:
    """The named cache store is looked at, and where it is no Redis none is asked."""
    facts = probed(described(root, laravel={"lock": "rebuild", "lock_store": "array"}))
    assert (facts.seen("locks").store, facts.seen("locks").url) == ("array", "")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda file: file.write_bytes(b""), "empty", id="zero-byte"),
        pytest.param(lambda file: os.truncate(file, file.stat().st_size // 2), "cut off: it has no trailer", id="cut"),
        pytest.param(lambda file: file.write_text("<?php // torn"), "cut off: it has no trailer", id="torn"),
        pytest.param(lambda file: os.utime(file, (1, 1)), "expired: its source is as new or newer", id="expired"),
    ],
)
def test_a_damaged_compiled_view_is_named(root: Path, spoil: Callable[[Path], object], said: str) -> None:
    """A compiled view that a request would stumble over is named with what is wrong."""
    spoil(compiled_path(root, root / "resources/views/layouts/app.blade.php"))
    compiled = probed(described(root)).seen("compiled")
    assert (compiled.intact, len(compiled.damaged)) == (2, 1)
    assert compiled.damaged[0].startswith(f"resources/views/layouts/app.blade.php: {said}")


def test_a_source_as_old_as_its_compiled_view_is_expired(root: Path) -> None:
    """Laravel compares whole seconds with >=: written in the same second, it is compiled again at every request."""
    source = root / "resources/views/layouts/app.blade.php"
    now = int(time.time())
    os.utime(source, (now, now + 0.2))
    os.utime(compiled_path(root, source), (now, now + 0.8))
    assert "expired" in probed(described(root)).seen("compiled").damaged[0]


def test_a_template_without_a_compiled_view_is_missing(root: Path) -> None:
    """What was never compiled is named by its template."""
    compiled_path(root, root / "resources/views/vendor/pagination/default.blade.php").unlink()
    compiled = probed(described(root)).seen("compiled")
    assert compiled.missing == ("resources/views/vendor/pagination/default.blade.php",)


def test_what_else_lies_in_the_compiled_directory_is_told(root: Path) -> None:
    """Trailers tell sources that are gone, and sources compiled under two spellings."""
    views = root / "storage/framework/views"
    other = root / "resources/views/../views/layouts/app.blade.php"
    (views / f"{'1' * 40}.php").write_text("x<?php /**PATH /srv/old/a.blade.php ENDPATH**/ ?>")
    (views / f"{'2' * 40}.php").write_text(f"x<?php /**PATH {other} ENDPATH**/ ?>")
    (views / f"{'3' * 40}.php").write_text("")
    (views / f"{'4' * 40}.blade.php").write_text("a component's inline template")
    (views / "livewire").mkdir()
    files = probed(described(root)).seen("compiled").files
    assert (files.count, files.intact) == (7, 6)
    assert files.dead == ("/srv/old/a.blade.php",)
    assert files.empty == (f"{'3' * 40}.php",)
    assert (files.duplicates_count, files.cut_count) == (1, 0)
    assert "/../views/" in files.duplicates[0]


BOOT = "public function boot()\n    {"
PROVIDER = "app/Providers/RouteServiceProvider.php"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("throw new \\RuntimeException('no database');", "RuntimeException: no database at", id="throws"),
        pytest.param("exit(3);", "the application ended PHP by itself", id="exits"),
        pytest.param("undefined_function();", "Call to undefined function", id="error"),
        pytest.param(
            "ini_set('memory_limit', '24M'); $x = str_repeat('x', 1 << 26);", "PHP ended: Allowed memory", id="fatal"
        ),
        pytest.param("class_alias(self::class, 'T'); eval('class T {}');", "PHP ended: Cannot", id="compile-error"),
    ],
)
def test_an_application_that_does_not_boot_is_told_in_parts(root: Path, code: str, said: str) -> None:
    """What needs the application has the reason why it does not boot; what lies on the disk is told all the same."""
    rewrite(root / PROVIDER, BOOT, f"{BOOT} {code}")
    answered = ran(described(root))
    facts = laravel.facts(answered)
    for section in set(laravel.SECTIONS) - {"directories", "script", "topology"}:
        assert facts.unobserved[section].startswith("the application does not boot: ")
        assert said in facts.unobserved[section]
    assert directory(facts, "compiled-views").resolved_by == "convention"
    assert directory(facts, "compiled-views").writable
    assert facts.seen("script").parse_error is None
    assert b"#0 " not in answered.out + answered.err
    assert (root / "storage/logs/laravel.log").read_text() == ""


def test_a_console_that_does_not_boot_takes_nothing_else_along(root: Path) -> None:
    """One command that cannot be made keeps the console's sections from being told, and no other."""
    broken = "public function __construct() { throw new \\RuntimeException('no such store'); }"
    rewrite(root / "app/Console/HealthCheck.php", "public function handle()", f"{broken}\n    public function handle()")
    facts = probed(described(root))
    assert set(facts.unobserved) == {"commands", "schedule", "health"}
    assert "RuntimeException: no such store" in facts.unobserved["commands"]
    assert facts.unobserved["health"].startswith("the console does not boot: RuntimeException: no such store")


def test_noise_of_a_booting_application_changes_nothing(root: Path) -> None:
    """What a provider prints, by whatever way, is no part of the answer; in the health command it is noise."""
    rewrite(
        root / PROVIDER, BOOT, f"{BOOT} echo '{{\"looked_by\": 1}}'; fwrite(STDOUT, 'hello'); ob_end_flush(); echo 'x';"
    )
    facts = probed(described(root))
    assert set(facts.unobserved) == set()
    assert "hello" in facts.seen("health").noise


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        pytest.param("bootstrap/app.php", "<?php return 7;", "returns no application", id="no-application"),
        pytest.param("bootstrap/app.php", "<?php $app = ;", "ParseError: syntax error", id="parse-error"),
        pytest.param("config/view.php", "<?php return [", "ParseError: ", id="broken-config"),
    ],
)
def test_an_application_that_is_broken_in_its_files_is_told(root: Path, file: str, text: str, said: str) -> None:
    """A file of the application that PHP cannot read is the reason."""
    (root / file).write_text(text, encoding="utf-8")
    assert said in probed(described(root)).unobserved["application"]


def test_a_root_that_is_not_there_is_told(root: Path) -> None:
    """A wrong root has its one reason, and no directory is made up."""
    facts = probed(described(root / "nowhere", runtime_user=USER))
    assert "there is no directory" in facts.unobserved["application"]
    assert directory(facts, "compiled-views").kind == "missing"
    assert facts.seen("script").exists is False


def test_php_without_extensions_answers_in_parts(root: Path, tmp_path: Path) -> None:
    """Without any extension (posix and mbstring among them) the application does not boot, or root must not boot it."""
    bare = tmp_path / "php"
    bare.write_text(f'#!/bin/sh\nexec {php()} -n "$@"\n')
    bare.chmod(0o755)
    facts = probed(described(root), interpreter=str(bare))
    assert "could not become" in facts.unobserved["application"] if ROOT else "boot" in facts.unobserved["application"]
    assert directory(facts, "compiled-views").by_modes is ROOT
    assert directory(facts, "compiled-views").writable


@as_root
def test_root_looks_as_the_runtime_user(root: Path) -> None:
    """A directory that only root can write is not writable, and the application is booted as its own user."""
    os.chown(root / "storage/framework/views", 0, 0)
    facts = probed(described(root, runtime_user=USER))
    assert facts.looked_by.endswith(f"as {USER}")
    found = directory(facts, "compiled-views")
    assert (found.writable, found.owner, found.looked_as, found.by_modes) == (False, "root", USER, False)


def test_a_user_that_is_not_there_is_told(root: Path) -> None:
    """A runtime user that the host does not have is a reason, and nobody else looks in their stead."""
    facts = probed(described(root, runtime_user="nobody-of-that-name"))
    for section in ("application", "directories"):
        assert "there is no user 'nobody-of-that-name'" in facts.unobserved[section]


def test_what_anyone_can_write_and_what_the_user_cannot_is_named(root: Path) -> None:
    """Modes are looked at file by file."""
    file = compiled_path(root, root / "resources/views/layouts/app.blade.php")
    file.chmod(0o666)
    (root / "storage/logs").chmod(0o777)
    facts = probed(described(root))
    assert directory(facts, "compiled-views").world_writable_entries == (file.name,)
    assert directory(facts, "logs").world_writable_entries == (".",)
    file.chmod(0o000)
    assert directory(probed(described(root)), "compiled-views").unwritable_entries == (file.name,)


def test_a_file_is_written_only_where_that_was_asked(root: Path) -> None:
    """With leave a file is written and gone again; without, none is."""
    assert directory(probed(described(root)), "compiled-views").write_error is None
    before = sorted(path.name for path in (root / "storage/framework/views").iterdir())
    assert directory(probed(described(root), write=True), "compiled-views").write_error == ""
    assert sorted(path.name for path in (root / "storage/framework/views").iterdir()) == before


def test_a_log_that_is_no_file_is_told(root: Path) -> None:
    """An application that logs to standard error has no file to read, and says so."""
    rewrite(root / "config/logging.php", "'channels' => ['single']", "'channels' => ['stderr']")
    assert "writes to no file" in probed(described(root)).unobserved["log"]


def test_a_daily_log_is_todays(root: Path) -> None:
    """The daily channel's file carries the date."""
    rewrite(root / "config/logging.php", "'driver' => 'single'", "'driver' => 'daily'")
    today = dt.datetime.now(zoneinfo.ZoneInfo("Europe/Berlin")).date()
    assert f"laravel-{today}.log" in probed(described(root)).unobserved["log"]


@pytest.mark.parametrize(
    ("out", "said"),
    [
        pytest.param(b"", "ended with 1 and told nothing", id="nothing"),
        pytest.param(b"PHP Parse error:  syntax error", "is too old to read the probe", id="too-old"),
        pytest.param(b"viewgate-0 {}\n", "told nothing", id="another-mark"),
    ],
)
def test_an_answer_without_the_mark_is_none(out: bytes, said: str) -> None:
    """Only lines that bear the command's own mark count, and where there are none that is one line."""
    command = laravel.command(described(Path("/srv/shop")))
    with pytest.raises(Unobserved, match=said):
        laravel.facts(Ran(command, 1, out, b"", 1.0))


def test_what_was_told_before_the_deadline_counts(root: Path) -> None:
    """A probe that was cut off leaves what it told until then, and a reason for the rest."""
    whole = ran(described(root))
    told = whole.out.split(b'{"compiled"')[0]
    facts = laravel.facts(Ran(whole.command, None, told, b"", 35.0))
    assert facts.seen("application").name == "shop"
    assert facts.unobserved["compiled"] == "the probe did not end in time"
    assert parse(facts.model_dump_json()) == facts
