"""The Laravel probe on real Laravels: `.ci/versions` lays them out. Without `--laravels` this file is not collected."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from fixtures.environments.stage import runtime_user
from fixtures.observation.gateway_probe import bare_environment
from validations.meta.observation.laravel_trees import FIX, described, in_the_style_of_11, laravel_8, probed
from validations.versions import vendor_left_out, version_of

ACCOUNT = pwd.getpwnam(runtime_user())
OWNER = (ACCOUNT.pw_uid, ACCOUNT.pw_gid) if os.geteuid() == 0 else None
COMMAND_SECONDS = 60.0
VIEWS = 3
PUBLISHED = "resources/views/vendor/pagination/default.blade.php"


def said_version(real_php: str) -> str:
    """Return the version that the framework says it has."""
    asking = 'require "Illuminate/autoload.php"; echo Illuminate\\Foundation\\Application::VERSION;'
    told = subprocess.run([real_php, "-r", asking], capture_output=True, text=True, check=True, timeout=COMMAND_SECONDS)
    return told.stdout


def cache_views(real_php: str, root: Path) -> None:
    """Compile every view with the framework's own command, a while after it was written."""
    for source in (root / "resources/views").rglob("*.blade.php"):
        os.utime(source, (source.stat().st_atime, source.stat().st_mtime - 60))
    subprocess.run(
        [real_php, root / "artisan", "view:cache"],
        env=bare_environment(),
        user=OWNER and OWNER[0],
        check=True,
        capture_output=True,
        timeout=COMMAND_SECONDS,
    )


@pytest.mark.parametrize("style", ["kernels", "configured"])
def test_a_real_version_is_read(real_php: str, style: str, open_folder: Path) -> None:
    """Every section is told of a real application: its middleware, its schedule, and what view:cache really wrote."""
    version = said_version(real_php)
    root = laravel_8(open_folder / "shop", owner=OWNER)
    if style == "configured":
        if (version_of(version) or (0,)) < (11,):
            pytest.skip(f"not applicable: Laravel {version} has kernels")
        in_the_style_of_11(root)
    cache_views(real_php, root)
    facts = probed(described(root), interpreter=real_php)
    assert facts.unobserved == {}
    assert facts.seen("application").framework_version == version
    middleware = facts.seen("middleware")
    assert FIX in middleware.stack
    assert middleware.route_uri == "calls/{call}/enhanced"
    assert middleware.route[-1] == r"App\Http\Middleware\RequireOperator"
    compiled = facts.seen("compiled")
    left_out = (PUBLISHED,) if vendor_left_out(version) else ()
    assert (compiled.sources, compiled.intact) == (VIEWS, VIEWS - len(left_out))
    assert (compiled.missing, compiled.damaged) == (left_out, ())
    assert Path(compiled.page_file).is_file()
    assert {(entry.expression, entry.runs_here) for entry in facts.seen("schedule").entries} == {
        ("*/5 * * * *", True),
        ("0 3 * * *", True),
        ("0 0 * * *", False),
    }
    health = facts.seen("health")
    assert (health.exit_code, health.answer["healthy"]) == (0, True)
    assert facts.seen("locks").store == "redis"
    assert "refused" in facts.seen("locks").server_error


def test_a_defect_of_a_real_version_is_named(real_php: str, open_folder: Path) -> None:
    """A compiled view that was emptied, and one that was never compiled, are told by name."""
    root = laravel_8(open_folder / "shop", owner=OWNER)
    cache_views(real_php, root)
    page = Path(probed(described(root), interpreter=real_php).seen("compiled").page_file)
    page.write_bytes(b"")
    (root / "resources/views/new.blade.php").write_text("new\n", encoding="utf-8")
    compiled = probed(described(root), interpreter=real_php).seen("compiled")
    assert set(compiled.missing) - {PUBLISHED} == {"resources/views/new.blade.php"}
    assert compiled.damaged == ("resources/views/calls/enhanced.blade.php: empty",)


def test_old_text_under_a_new_template_of_a_real_version_is_told(real_php: str, open_folder: Path) -> None:
    """What view:cache wrote is what is recomputed; other text in a template under an old time is not."""
    root = laravel_8(open_folder / "shop", owner=OWNER)
    cache_views(real_php, root)
    found = probed(described(root), interpreter=real_php).seen("recomputed")
    assert (found.whole, found.states) == (True, {"equal": found.of})
    source = root / "resources/views/calls/enhanced.blade.php"
    before = source.stat()
    source.write_text("<p>{{ $call }}</p>\n")
    os.utime(source, (before.st_atime, before.st_mtime - 86400))
    found = probed(described(root), interpreter=real_php).seen("recomputed")
    assert {file.of: file.state for file in found.files} == {"resources/views/calls/enhanced.blade.php": "differs"}
