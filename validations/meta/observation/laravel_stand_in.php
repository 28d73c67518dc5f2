<?php

/*
 * A stand-in for a framework of Laravel 10 to 13, and for Filament 3 to 5: the classes and methods that a probe asks
 * for, with the shapes of their versions, and nothing behind them. It is a test's, and proves that the probe reads
 * these shapes. What varies, STAND_IN, is written by the test.
 */

namespace Composer {
    class InstalledVersions
    {
        public static function isInstalled($package)
        {
            return isset(\STAND_IN['packages'][$package]);
        }

        public static function getPrettyVersion($package)
        {
            return \STAND_IN['packages'][$package];
        }
    }
}

namespace Illuminate\Http {
    class Request
    {
        public static function create($url, $method)
        {
            return parse_url($url, PHP_URL_PATH);
        }
    }
}

namespace Illuminate\Routing {
    class MiddlewareNameResolver
    {
        public static function resolve($name, $map, $groups)
        {
            return isset($groups[$name]) ? $groups[$name] : ($map[$name] ?? $name);
        }
    }
}

namespace Illuminate\Foundation {
    class Application implements \ArrayAccess
    {
        public $made = [];
        private $base;

        public function __construct($base)
        {
            $this->base = $base;
        }

        /** Laravel 11 and later: bootstrap/app.php configures, and a callback says which middleware there is. */
        public static function configure($basePath)
        {
            return new ApplicationBuilder(new static($basePath));
        }

        public function version()
        {
            return \STAND_IN['version'];
        }

        public function make($name)
        {
            return $this->made[$name] ?? ($this->made[$name] = $this->built($name));
        }

        private function built($name)
        {
            switch ($name) {
                case 'Illuminate\Contracts\Http\Kernel':
                    return \STAND_IN['getters'] ? new \HttpKernelWithGetters() : new \HttpKernel();
                case 'Illuminate\Contracts\Console\Kernel':
                    return new \ConsoleKernel();
                case 'Illuminate\Console\Scheduling\Schedule':
                    return new \Schedule();
                case 'config':
                    return new \Config($this->base);
                case 'router':
                    return new \Router();
                case 'view':
                    return new \ViewFactory($this->base);
                default:
                    throw new \RuntimeException("Target class [$name] does not exist.");
            }
        }

        public function offsetExists($name): bool
        {
            return true;
        }

        #[\ReturnTypeWillChange]
        public function offsetGet($name)
        {
            return $this->make($name);
        }

        public function offsetSet($name, $value): void
        {
        }

        public function offsetUnset($name): void
        {
        }

        public function basePath($path = '')
        {
            return rtrim("$this->base/$path", '/');
        }

        public function bootstrapPath($path = '')
        {
            return rtrim("$this->base/bootstrap/$path", '/');
        }

        public function storagePath()
        {
            return "$this->base/storage";
        }

        public function environment()
        {
            return 'production';
        }

        public function isDownForMaintenance()
        {
            return false;
        }
    }

    class ApplicationBuilder
    {
        private $app;

        public function __construct($app)
        {
            $this->app = $app;
        }

        public function withMiddleware($callback)
        {
            $callback($this->app->make('Illuminate\Contracts\Http\Kernel'));

            return $this;
        }

        public function create()
        {
            return $this->app;
        }
    }
}

namespace {
    class HttpKernel
    {
        protected $middleware = [];

        public function append($class)
        {
            $this->middleware[] = $class;
        }

        public function remove($class)
        {
            $this->middleware = array_values(array_diff($this->middleware, [$class]));
        }
    }

    class HttpKernelWithGetters extends HttpKernel
    {
        public function getGlobalMiddleware()
        {
            return $this->middleware;
        }
    }

    class ConsoleKernel
    {
        public function bootstrap()
        {
        }

        public function all()
        {
            \Schedule::$started = true;

            return ['about' => new Command([]), 'view:health-check' => new Command(['fix', 'json'], STAND_IN['hidden'])];
        }
    }

    class Command
    {
        private $options;
        private $hidden;

        public function __construct($options, $hidden = false)
        {
            $this->options = $options;
            $this->hidden = $hidden;
        }

        public function getDefinition()
        {
            return $this;
        }

        public function getOptions()
        {
            return array_flip($this->options);
        }

        public function hasOption($name)
        {
            return in_array($name, $this->options, true);
        }

        public function isHidden()
        {
            return $this->hidden;
        }
    }

    class Schedule
    {
        // Since Laravel 11 the entries come with the console's start.
        public static $started = false;

        public function events()
        {
            return self::$started ? [new Event('*/5 * * * *', "'/usr/bin/php' 'artisan' view:health-check --fix")] : [];
        }
    }

    class Event
    {
        public $expression;
        public $command;
        public $description;
        public $timezone = 'Asia/Tokyo';

        public function __construct($expression, $command)
        {
            $this->expression = $expression;
            $this->command = $command;
        }

        public function runsInEnvironment($environment)
        {
            return true;
        }
    }

    class Config
    {
        private $values;

        public function __construct($base)
        {
            $this->values = STAND_IN['config'] + [
                'view.compiled' => "$base/storage/framework/views",
                'app.name' => 'shop',
                'cache.default' => 'redis',
                'cache.stores.redis' => ['driver' => 'redis', 'connection' => 'cache'],
                'database.redis.cache' => ['url' => 'tls://user:s3cr3t@redis.example:6380', 'database' => 4],
                'logging.default' => 'single',
                'logging.channels.single' => ['driver' => 'single', 'path' => "$base/storage/logs/laravel.log"],
            ];
        }

        public function get($key, $default = null)
        {
            return $this->values[$key] ?? $default;
        }

        public function has($key)
        {
            return isset($this->values[$key]);
        }
    }

    class Router
    {
        public function getMiddlewareGroups()
        {
            return ['web' => STAND_IN['web']];
        }

        public function getMiddleware()
        {
            return ['auth' => 'App\Auth'];
        }

        public function getRoutes()
        {
            return $this;
        }

        public function match($path)
        {
            return $this;
        }

        public function middleware()
        {
            return STAND_IN['route'];
        }

        public function excludedMiddleware()
        {
            return STAND_IN['without'];
        }

        public function uri()
        {
            return 'calls/{call}/enhanced';
        }
    }

    class ViewFactory
    {
        private $base;

        public function __construct($base)
        {
            $this->base = $base;
        }

        public function getFinder()
        {
            return $this;
        }

        public function getPaths()
        {
            return ["$this->base/resources/views"];
        }

        public function getHints()
        {
            return STAND_IN['hints'];
        }

        public function find($name)
        {
            return $this->getPaths()[0].'/'.str_replace('.', '/', $name).'.blade.php';
        }

        public function getExtensions()
        {
            return ['blade.php' => 'blade', 'php' => 'php', 'html' => 'file'];
        }

        public function getEngineResolver()
        {
            return $this;
        }

        public function resolve($engine)
        {
            return $this;
        }

        public function getCompiler()
        {
            return $this;
        }

        public function getCompiledPath($path)
        {
            $name = STAND_IN['relative'] ? substr($path, strlen($this->base)) : $path;

            return "$this->base/storage/framework/views/".hash(STAND_IN['hash'], "v2$name").'.php';
        }
    }
}

namespace Filament\Facades {
    if (\STAND_IN['panels'] !== []) {
        class_alias('Filament\Facades\FilamentStandIn', 'Filament\Facades\Filament');
    }

    class FilamentStandIn
    {
        public static function getPanels()
        {
            $panels = array_flip(\STAND_IN['panels']);
            foreach (\STAND_IN['discovers'] ?? [] as $panel => $found) {
                $panels[$panel] = new PanelStandIn($found);
            }

            return $panels;
        }
    }

    /** A panel in the console: what it holds is what it discovered, unless it says that it took that from its cache. */
    class PanelStandIn
    {
        protected $livewireComponents = [];
        protected $pageDirectories = [];
        protected $resourceDirectories = [];
        protected $resources = [];
        private $cached;

        public function __construct($found)
        {
            $this->cached = $found['cached'] ?? false;
            $this->resourceDirectories = $found['resourceDirectories'];
            $this->resources = $found['resources'];
        }

        public function hasCachedComponents()
        {
            return $this->cached;
        }
    }
}
