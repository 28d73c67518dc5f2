"""Small Laravel applications to probe: on Debian's real Laravels, and on stand-ins for the versions between them.

The stand-ins are what a probe asks of a framework and no more: its classes with the methods of their version, the
names that version gives to compiled files, and the bootstrap file in that version's style. They prove that the probe
reads those shapes, and nothing about the frameworks themselves.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fixtures.environments import laravel_probing as laravel
from fixtures.environments.settings import Environment
from fixtures.environments.transports import Ran
from fixtures.observation.facts import HostFacts
from fixtures.observation.gateway_probe import bare_environment

_ARTISAN = """\
#!/usr/bin/env php
<?php
define('LARAVEL_START', microtime(true));
require __DIR__.'/bootstrap/autoload.php';
$app = require __DIR__.'/bootstrap/app.php';
$kernel = $app->make(Illuminate\\Contracts\\Console\\Kernel::class);
$input = new Symfony\\Component\\Console\\Input\\ArgvInput;
exit($kernel->handle($input, new Symfony\\Component\\Console\\Output\\ConsoleOutput));
"""
_AUTOLOAD = """\
<?php
require_once 'Illuminate/autoload.php';
spl_autoload_register(function ($class) {
    $path = dirname(__DIR__).'/app/'.str_replace('\\\\', '/', substr($class, 4)).'.php';
    if (strpos($class, 'App\\\\') === 0 && is_file($path)) { require $path; }
});
"""
_BOOTSTRAP_8 = """\
<?php
$app = new Illuminate\\Foundation\\Application(dirname(__DIR__));
$app->singleton(Illuminate\\Contracts\\Http\\Kernel::class, App\\Http\\Kernel::class);
$app->singleton(Illuminate\\Contracts\\Console\\Kernel::class, App\\Console\\Kernel::class);
$handler = Illuminate\\Foundation\\Exceptions\\Handler::class;
$app->singleton(Illuminate\\Contracts\\Debug\\ExceptionHandler::class, $handler);
return $app;
"""
_BOOTSTRAP_11 = """\
<?php
return Illuminate\\Foundation\\Application::configure(basePath: dirname(__DIR__))
    ->withMiddleware(function ($middleware) {
        $middleware->append(App\\Http\\Middleware\\AutoFixViewCache::class);
        $middleware->alias(['operator' => App\\Http\\Middleware\\RequireOperator::class]);
    })
    ->withCommands([App\\Console\\HealthCheck::class])
    ->withSchedule(function ($schedule) {
        $schedule->command('view:health-check --fix')->everyFiveMinutes();
        $schedule->command('view:cache')->dailyAt('03:00');
        $schedule->command('cache:prune')->daily()->environments(['staging']);
    })
    ->withExceptions()
    ->create();
"""
_KERNEL = """\
<?php
namespace App\\Http;
class Kernel extends \\Illuminate\\Foundation\\Http\\Kernel
{
    protected $middleware = [\\App\\Http\\Middleware\\AutoFixViewCache::class];
    protected $middlewareGroups = ['web' => [\\Illuminate\\Routing\\Middleware\\SubstituteBindings::class]];
    protected $routeMiddleware = ['operator' => \\App\\Http\\Middleware\\RequireOperator::class];
}
"""
_CONSOLE = """\
<?php
namespace App\\Console;
class Kernel extends \\Illuminate\\Foundation\\Console\\Kernel
{
    protected $commands = [\\App\\Console\\HealthCheck::class];
    protected function schedule(\\Illuminate\\Console\\Scheduling\\Schedule $schedule)
    {
        $schedule->command('view:health-check --fix')->everyFiveMinutes();
        $schedule->command('view:cache')->dailyAt('03:00');
        $schedule->command('cache:prune')->daily()->environments(['staging']);
    }
}
"""
_HEALTH = """\
<?php
namespace App\\Console;
class HealthCheck extends \\Illuminate\\Console\\Command
{
    protected $signature = 'view:health-check {--fix} {--json} {--no-log}';
    public function handle()
    {
        $views = count(glob(config('view.compiled').'/*.php'));
        $this->line(json_encode([
            'healthy' => true,
            'arguments' => array_filter($this->options()),
            'metrics' => [
                'compiled_views' => $views, 'permissions' => 'ok', 'disk_used_percent' => 20.5,
                'opcache_hit_rate' => null, 'recent_errors' => 0,
            ],
            'checks' => [['name' => 'views', 'ok' => true, 'observed' => "$views"]],
        ]));
        return 0;
    }
}
"""
_ROUTES = """\
<?php
namespace App\\Providers;
use Illuminate\\Support\\Facades\\Route;
class RouteServiceProvider extends \\Illuminate\\Foundation\\Support\\Providers\\RouteServiceProvider
{
    public function boot()
    {
        $this->routes(function () {
            Route::middleware(['web', 'operator'])->get('/calls/{call}/enhanced', function ($call) {
                return view('calls.enhanced', ['call' => $call]);
            });
        });
    }
}
"""
_MIDDLEWARE = """\
<?php
namespace App\\Http\\Middleware;
class NAME { public function handle($request, $next) { return $next($request); } }
"""
_PROVIDERS = (
    "Bus", "Cache", "Cookie", "Database", "Encryption", "Filesystem", "Hashing", "Pagination", "Pipeline", "Queue",
    "Redis", "Session", "Translation", "Validation", "View",
)  # fmt: skip
_VIEWS = {
    "calls/enhanced.blade.php": '<html data-sentinel="enhanced-call-view">{{ $call }}</html>\n',
    "layouts/app.blade.php": "@yield('content')\n",
    "vendor/pagination/default.blade.php": "<a>more</a>\n",
    "vendor/gone/button.blade.php": "<a>of a package that is not there</a>\n",
}
FIX = r"App\Http\Middleware\AutoFixViewCache"
STAND_IN = Path(__file__).with_name("laravel_stand_in.php")
COMPONENTS = (r"App\Filament\Resources\CallResource", r"App\Filament\Resources\AgentResource")
_COMPONENTS = {
    "Resources/CallResource.php": "<?php\nnamespace App\\Filament\\Resources;\n"
    "class CallResource extends \\Filament\\Resources\\Resource\n{\n}\n",
    "Resources/AgentResource.php": "<?php\nnamespace App\\Filament\\Resources;\n\n"
    "use Filament\\Resources\\Resource;\n\nfinal class AgentResource extends Resource {}\n",
    "Resources/CallResource/Pages/ListCalls.php": "<?php\nnamespace App\\Filament\\Resources\\CallResource\\Pages;\n"
    "class ListCalls extends \\Filament\\Resources\\Pages\\ListRecords {}\n",
    "Resources/BaseResource.php": "<?php\nnamespace App\\Filament\\Resources;\n"
    "abstract class BaseResource extends \\Filament\\Resources\\Resource {}\n",
}
SCRIPT = """\
#!/usr/bin/env bash
set -euo pipefail
# view:clear would be a mistake here
app=$(cd -P -- "$(dirname -- "$0")/../.." && pwd)
release=$app/releases/$(date +%s)
git clone -q git@example.org:shop.git "$release"
"$release/artisan" view:cache
ln -sfn "$release" "$app/current"
sudo systemctl reload php-fpm
"""


def php() -> str:
    """Return the path of PHP, and skip the test where there is none: looked for now, since it may just be installed."""
    return shutil.which("php") or pytest.skip("not applicable: there is no PHP")


def laravel_8(root: Path, *, owner: tuple[int, int] | None = None, redis_port: int = 1) -> Path:
    """Write an application for Debian's Laravel 8.83, with its compiled views, and return its root."""
    providers = [f"Illuminate\\{name}\\{name}ServiceProvider::class" for name in _PROVIDERS]
    providers = [name.replace("\\Hashing\\Hashing", "\\Hashing\\Hash") for name in providers]
    providers += [
        "Illuminate\\Foundation\\Providers\\ConsoleSupportServiceProvider::class",
        "Illuminate\\Foundation\\Providers\\FoundationServiceProvider::class",
        "App\\Providers\\RouteServiceProvider::class",
    ]
    config = {
        "app": f"""['name' => 'shop', 'env' => 'production', 'debug' => false, 'url' => 'http://shop.example',
            'timezone' => 'Europe/Berlin', 'locale' => 'en', 'fallback_locale' => 'en', 'key' => '{"k" * 32}',
            'cipher' => 'AES-256-CBC', 'providers' => [{", ".join(providers)}], 'aliases' => []]""",
        "view": "['paths' => [resource_path('views')], 'compiled' => realpath(storage_path('framework/views'))]",
        "cache": """['default' => 'redis', 'prefix' => 'shop', 'stores' => ['array' => ['driver' => 'array'],
            'redis' => ['driver' => 'redis', 'connection' => 'cache', 'lock_connection' => 'default']]]""",
        "database": f"""['default' => 'none', 'connections' => [], 'redis' => ['client' => 'phpredis',
            'options' => ['prefix' => 'shop_'],
            'default' => ['host' => '127.0.0.1', 'port' => {redis_port}, 'password' => null, 'database' => 2],
            'cache' => ['host' => '127.0.0.1', 'port' => {redis_port}, 'password' => null, 'database' => 3]]]""",
        "logging": """['default' => 'stack', 'channels' => ['stack' => ['driver' => 'stack', 'channels' => ['single']],
            'single' => ['driver' => 'single', 'path' => storage_path('logs/laravel.log')]]]""",
        "queue": "['default' => 'sync', 'connections' => ['sync' => ['driver' => 'sync']]]",
        "session": "['driver' => 'array', 'domain' => null]",
    }
    files = {
        "artisan": _ARTISAN,
        "composer.json": '{"autoload": {"psr-4": {"App\\\\": "app/"}}}',
        "bootstrap/app.php": _BOOTSTRAP_8,
        "bootstrap/autoload.php": _AUTOLOAD,
        "app/Http/Kernel.php": _KERNEL,
        "app/Console/Kernel.php": _CONSOLE,
        "app/Console/HealthCheck.php": _HEALTH,
        "app/Providers/RouteServiceProvider.php": _ROUTES,
        "app/Http/Middleware/AutoFixViewCache.php": _MIDDLEWARE.replace("NAME", "AutoFixViewCache"),
        "app/Http/Middleware/RequireOperator.php": _MIDDLEWARE.replace("NAME", "RequireOperator"),
        "scripts/deploy-with-cache-management.sh": SCRIPT,
        "storage/logs/laravel.log": "",
        **{f"config/{name}.php": f"<?php return {text};\n" for name, text in config.items()},
        **{f"resources/views/{name}": text for name, text in _VIEWS.items()},
    }
    return _written(root, files, owner)


def in_the_style_of_11(root: Path) -> None:
    """Have bootstrap/app.php say what the kernels say, as applications begun with Laravel 11 or later do."""
    (root / "bootstrap/app.php").write_text(_BOOTSTRAP_11, encoding="utf-8")
    (root / "bootstrap/providers.php").write_text("<?php return [];\n", encoding="utf-8")
    for name in ("app/Http/Kernel.php", "app/Console/Kernel.php"):
        (root / name).unlink()


def stand_in(root: Path, version: str, *, owner: tuple[int, int] | None = None, **changes: Any) -> Path:
    """Write an application on a stand-in for a Laravel of this version, and return its root.

    Up to 10 there is a kernel of the application's own; from 11 on bootstrap/app.php says which middleware there is.
    """
    told = {
        "version": version, "packages": {"filament/filament": "v3.2.121", "blade-ui-kit/blade-icons": "1.8.0"},
        "getters": int(version.split(".", maxsplit=1)[0]) >= 11, "hidden": False, "config": {},
        "web": [], "route": ["web", "auth"], "without": [],
        "hints": {"pagination": [f"{root}/resources/views/vendor/pagination"]},
        "relative": False, "hash": "xxh128", "panels": ["admin"],
    } | changes  # fmt: skip
    kernel = "$app->make('Illuminate\\Contracts\\Http\\Kernel')"
    old = f"<?php\n$app = new Illuminate\\Foundation\\Application(dirname(__DIR__));\n{kernel}->append('{FIX}');"
    old += "\nreturn $app;\n"
    new = f"""<?php
return Illuminate\\Foundation\\Application::configure(basePath: dirname(__DIR__))
    ->withMiddleware(function ($middleware) {{
        $middleware->append('{FIX}');
    }})->create();
"""
    files = {
        "artisan": "<?php echo json_encode(['healthy' => true]);\n",
        "composer.json": '{"autoload": {"psr-4": {"App\\\\": "app/"}}}',
        "bootstrap/app.php": new if told["getters"] else old,
        "vendor/autoload.php": "<?php\n"
        "define('STAND_IN', json_decode(file_get_contents(__DIR__.'/stand-in.json'), true));\n"
        "require __DIR__.'/laravel.php';\n",
        "vendor/stand-in.json": json.dumps(told),
        "vendor/laravel.php": STAND_IN.read_text(encoding="utf-8"),
        "scripts/deploy-with-cache-management.sh": SCRIPT,
        "storage/logs/laravel.log": "",
        **{f"resources/views/{name}": text for name, text in _VIEWS.items()},
        **{f"app/Filament/{path}": text for path, text in _COMPONENTS.items()},
    }
    return _written(root, files, owner)


def retell(root: Path, **changes: Any) -> None:
    """Change what a stand-in says."""
    file = root / "vendor/stand-in.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def cache_components(root: Path, *classes: str, folder: str = "bootstrap/cache/filament", panel: str = "admin") -> Path:
    """Write a panel's component cache as Filament does, listing these classes as resources; return its path."""
    listed = ", ".join(f"'{root}/{index}' => '{name}'" for index, name in enumerate(classes or COMPONENTS))
    directories = f"'resourceDirectories' => ['{root}/app/Filament/Resources'], 'pageDirectories' => [], "
    path = root / folder / "panels" / f"{panel}.php"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<?php return ['livewireComponents' => [], {directories}'resources' => [{listed}]];\n")
    return path


def cache_icons(root: Path) -> Path:
    """Write two icons and the manifest as blade-icons does; return its path."""
    icons = root / "resources/svg"
    (icons / "solid").mkdir(parents=True, exist_ok=True)
    for name in ("phone", "solid/bell"):
        (icons / f"{name}.svg").write_text("<svg/>")
    path = root / "bootstrap/cache/blade-icons.php"
    path.write_text(f"<?php return ['default' => ['{icons}' => ['phone', 'solid.bell']]];\n")
    return path


def _written(root: Path, files: dict[str, str], owner: tuple[int, int] | None) -> Path:
    for name in ("storage/framework/views", "storage/logs", "bootstrap/cache"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for name in ("artisan", "scripts/deploy-with-cache-management.sh"):
        if (root / name).exists():
            (root / name).chmod(0o755)
    if owner is not None:
        for path in (root / "storage", root / "bootstrap/cache"):
            for entry in (path, *path.rglob("*")):
                os.chown(entry, *owner)
    return root


def compile_views(root: Path, *, algorithm: str = "sha1", relative: bool = False) -> list[Path]:
    """Write a compiled file for every template, named as the framework would, and newer than its source."""
    made = []
    for source in sorted((root / "resources/views").rglob("*.blade.php")):
        made.append(compiled_path(root, source, algorithm=algorithm, relative=relative))
        made[-1].write_text(f"compiled\n<?php /**PATH {source} ENDPATH**/ ?>", encoding="utf-8")
        stat = source.stat()
        os.utime(source, (stat.st_atime, stat.st_mtime - 60))
        os.chown(made[-1], (root / "storage").stat().st_uid, (root / "storage").stat().st_gid)
    return made


def compiled_path(root: Path, source: Path, *, algorithm: str = "sha1", relative: bool = False) -> Path:
    """Return where a template's compiled view lies: named by sha1 up to Laravel 9, by xxh128 after."""
    name = f"v2/{source.relative_to(root)}" if relative else f"v2{source}"
    if algorithm == "sha1":
        digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    else:
        told = [php(), "-r", "echo hash($argv[1], $argv[2]);", algorithm, name]
        digest = subprocess.run(told, capture_output=True, text=True, check=True, timeout=30).stdout
    return root / "storage/framework/views" / f"{digest}.php"


def described(root: Path, **changes: Any) -> Environment:
    """Return the environment that describes the application."""
    told = {"kind": "laravel", "url": "http://127.0.0.1:9", "root": str(root)} | changes
    return Environment.model_validate(told, strict=False)


def probed(environment: Environment, *, write: bool = False, interpreter: str | None = None) -> HostFacts:
    """Run the probe on this machine and return its facts."""
    return laravel.facts(ran(environment, write=write, interpreter=interpreter))


def ran(environment: Environment, *, write: bool = False, interpreter: str | None = None) -> Ran:
    """Run the probe on this machine and return what came back."""
    command = laravel.command(environment, write=write)
    done = subprocess.run(
        [interpreter or php(), *command[1:]],
        input=laravel.script(),
        env=bare_environment(),
        capture_output=True,
        timeout=environment.budget.command_seconds + laravel.BESIDE_SECONDS,
        check=False,
    )
    return Ran(command, done.returncode, done.stdout, done.stderr, 1.0)
