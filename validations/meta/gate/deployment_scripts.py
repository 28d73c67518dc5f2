"""Deployments as people write them, by what they come to: text, and how it is read.

`/srv/app` holds `releases/`, `shared/` and the link `current`, or is the application itself where it is changed in
place. All of them are our own words; the styles are those of public scripts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ROOT = "/srv/app"


@dataclass(frozen=True, slots=True)
class Case:
    """A deployment. code: the ruling's, where it is not ok. files: further texts, by their path from `/`."""

    slug: str
    text: str
    code: str = ""
    kind: str = "shell"
    files: Mapping[str, str] = field(default_factory=dict)
    path: str = f"{ROOT}/deploy.sh"
    line: str = ""
    root: str = ROOT


def _released(
    before: str = "", warm: str = "php artisan view:cache", after: str = "", *, head: str = "set -euo pipefail"
) -> str:
    """Return a release-folder deployment with one part changed."""
    return f"""#!/usr/bin/env bash
{head}
cd {ROOT}
exec 9>deploy.lock
flock -n 9 || exit 1
release={ROOT}/releases/$(date +%Y%m%d%H%M%S)
git clone --depth 1 git@example.org:shop.git "$release"
ln -s {ROOT}/shared/.env "$release/.env"
{before}
cd "$release"
composer install --no-dev --no-scripts
{warm}
ln -sfn "$release" {ROOT}/current.new
mv -T {ROOT}/current.new {ROOT}/current
sudo systemctl reload php8.3-fpm
{after}
"""


def _in_place(body: str, *, head: str = "set -e") -> str:
    """Return a deployment in place, under a lock and in maintenance mode."""
    return f"#!/bin/bash\n{head}\nexec 9>/run/lock/deploy; flock -n 9 || exit 1\ncd {ROOT}\n{body}\n"


_LINES = "git pull\ncomposer install --no-dev --no-scripts\n"

# What the word list of before took for safe, and its neighbours.
UNSAFE = (
    # the issue's own
    Case("find-delete", _released("find storage/framework/views -type f -delete"), "clears-live"),
    Case("braces", _released("rm -rf storage/framework/{cache,views,sessions}/*"), "clears-live"),
    Case("cd-then-rm", _released("(cd storage/framework && rm -rf views/*)"), "clears-live"),
    Case("path-in-a-variable", _released(f'views={ROOT}/storage/framework/views\nrm -rf "${{views:?}}"/*'), "clears-live"),
    Case("moved-away", _released("mv storage/framework/views /tmp/views.old"), "clears-live"),
    Case("xargs-rm", _released("find storage/framework/views -name '*.php' -print0 | xargs -0 rm -f"), "clears-live"),
    Case("git-clean", _released("git clean -fdx storage"), "clears-live"),
    Case("loop-over-commands", _released("for c in view config; do php artisan $c:clear; done"), "clears-live"),
    Case("sourced", _released("source ./tools.sh"), "clears-live", files={f"{ROOT}/tools.sh": "php artisan view:clear\n"}),
    Case("here-document", _released("bash <<'EOF'\nphp artisan view:clear\nEOF"), "clears-live", line="line 10"),
    Case(
        "composer-script", _released("composer run post-deploy"), "clears-live",
        files={f"{ROOT}/composer.json": '{"scripts": {"post-deploy": ["@php artisan optimize:clear"]}}'},
    ),
    Case("hollow-warm-function", _released("warm() { :; }", "warm"), "not-warmed"),
    Case("warms-what-is-live", _released(warm=f"php {ROOT}/current/artisan view:cache"), "rebuilds-live"),
    Case("no-warming", _released(warm="true"), "not-warmed"),
    Case("switch-then-warm", _released(warm="true", after="php artisan view:cache"), "rebuilds-live"),
    Case(
        "every-failure-swallowed",
        _released(warm="php artisan view:cache || true", head="set +e").replace("install --no-dev --no-scripts", "install || true"),
        "failure-goes-on",
    ),
    Case("one-line", "#!/bin/bash\n", "deploys-nothing"),
    # our own
    Case("dry-run-excepted", _released('[ "${1:-}" = --dry-run ] || php artisan view:clear'), "clears-live"),
    Case("alias", _released("shopt -s expand_aliases\nalias art='php artisan'\nart view:clear"), "clears-live"),
    Case("function-with-argument", _released('art() { php artisan "$@"; }\nart view:clear'), "clears-live"),
    Case("eval", _released('cmd="php artisan view:clear"\neval "$cmd"'), "clears-live"),
    Case("command-in-a-variable", _released('clear="php artisan view:clear"\n$clear'), "clears-live"),
    Case("array", _released("cmd=(php artisan optimize:clear)\n\"${cmd[@]}\""), "clears-live"),
    Case("exit-trap", _released("trap 'php artisan view:clear' EXIT"), "clears-live"),
    Case("piped-to-a-shell", _released("echo 'rm -rf storage/framework/views' | sh"), "clears-live"),
    Case("su", _released("su -s /bin/bash -c 'php artisan view:clear' www-data"), "clears-live"),
    Case("sudo", _released("sudo -u www-data php artisan view:clear"), "clears-live"),
    Case("backticks", _released("out=`php artisan view:clear`"), "clears-live"),
    Case("in-the-background", _released("php artisan view:clear & wait"), "clears-live"),
    Case("on-another-host", _released(f"ssh web2 'cd {ROOT}/current && php artisan view:clear'"), "clears-live"),
    Case("rsync-delete", _released(f"rsync -a --delete /empty/ {ROOT}/current/storage/framework/views/"), "clears-live"),
    Case("perl-unlink", _released("perl -e 'unlink glob \"storage/framework/views/*.php\"'"), "not-understood"),
    Case("php-unlink", _released("php -r 'array_map(\"unlink\", glob(\"storage/framework/views/*.php\"));'"), "clears-live"),
    Case("find-exec", _released("find storage -path '*views*' -name '*.php' -exec rm {} +"), "clears-live"),
    Case("truncated", _released("find storage/framework/views -type f -exec truncate -s 0 {} +"), "clears-live"),
    Case(
        "makefile", _released("make caches"), "clears-live",
        files={f"{ROOT}/Makefile": "caches: clean\n\tphp artisan config:cache\nclean:\n\tphp artisan view:clear\n"},
    ),
    Case(
        "npm-script", _released("npm run deploy"), "clears-live",
        files={f"{ROOT}/package.json": '{"scripts": {"predeploy": "php artisan view:clear", "deploy": "vite build"}}'},
    ),
    Case(
        "own-command", _released("php artisan app:refresh"), "clears-live",
        files={
            f"{ROOT}/app/Console/Commands/Refresh.php": "<?php\nclass Refresh extends Command {\n"
            "  protected $signature = 'app:refresh {--now}';\n"
            "  public function handle() { $this->call('view:clear'); }\n}\n"
        },
    ),
    Case("old-release-shared", _released(f'rm -rf "$release/storage"\nln -s {ROOT}/shared/storage "$release/storage"'), "rebuilds-live"),
    Case("link-removed-first", _released().replace("ln -sfn", f"rm -f {ROOT}/current\nln -s").replace(".new\nmv -T /srv/app/current.new /srv/app/current", "")
         , "switch-not-atomic"),
    Case("folders-swapped", _released().replace(f'ln -sfn "$release" {ROOT}/current.new\nmv -T {ROOT}/current.new {ROOT}/current',
         f'mv {ROOT}/current {ROOT}/old\nmv "$release" {ROOT}/current'), "switch-not-atomic"),
    Case("not-strict", _released(head=":"), "failure-goes-on"),
    Case("warmed-in-the-background", _released(warm="php artisan view:cache &"), "failure-goes-on"),
    Case("warmed-in-a-pipe", _released(warm="php artisan view:cache | tee warm.log", head="set -e"), "failure-goes-on"),
    Case("switched-off-strictness", _released("set +e"), "failure-goes-on"),
    Case("no-reload", _released().replace("sudo systemctl reload php8.3-fpm", ""), "no-reload"),
    Case("fixed-folder-no-lock", _released().replace("flock -n 9 || exit 1", "").replace("exec 9>deploy.lock", "")
         .replace("$(date +%Y%m%d%H%M%S)", "next"), "runs-meet"),
    Case("in-place-pull", _in_place(_LINES + "php artisan view:cache"), "rebuilds-live"),
    Case("in-place-unwarmed", _in_place(_LINES + "php artisan queue:restart"), "not-warmed"),
    Case("in-place-cleared", _in_place("php artisan down\n" + _LINES + "php artisan view:clear\nphp artisan up"), "not-warmed"),
    Case("up-then-warm", _in_place("php artisan down\n" + _LINES + "php artisan up\nphp artisan view:cache"), "rebuilds-live"),
    Case("down-not-strict", _in_place("php artisan down\n" + _LINES + "php artisan view:cache\nphp artisan up", head=":"), "failure-goes-on"),
    Case("down-for-ever", _in_place("php artisan down\n" + _LINES + "php artisan view:cache"), "stays-down"),
    Case("pulled-after-warming", _in_place("php artisan down\nphp artisan view:cache\ngit pull\nphp artisan up"), "not-warmed"),
    Case(
        "filament-upgrade-by-composer", _in_place("git pull\ncomposer install --no-dev\n"), "clears-live",
        files={f"{ROOT}/composer.json": '{"scripts": {"post-autoload-dump": ["@php artisan filament:upgrade"]}}'},
    ),
    Case("unknown-command", _released("$HOOK"), "not-understood", line="line 9"),
    Case("unread-file", _released("source ./hooks.sh"), "not-understood", line="line 9"),
    Case("downloaded", _released("curl -fsS https://example.org/hook.sh | bash"), "not-understood"),
    Case("forge-in-place", "cd $FORGE_SITE_PATH\ngit pull origin $FORGE_SITE_BRANCH\n$FORGE_COMPOSER install --no-dev\n"
         "$FORGE_PHP artisan migrate --force\n$FORGE_PHP artisan optimize:clear\n", "clears-live", "forge"),
    Case("deployer-stock", "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nhost('web')->set('deploy_path', '/srv/app');\n",
         "rebuilds-live", "deployer", path=f"{ROOT}/deploy.php"),
    Case("deployer-hooked", "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nset('shared_dirs', ['storage/app']);\n"
         "after('deploy:symlink', 'artisan:view:clear');\n", "clears-live", "deployer", path=f"{ROOT}/deploy.php"),
    Case("deployer-closure", "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nset('shared_dirs', ['storage/app']);\n"
         "before('deploy', function () { run('cd {{current_path}} && php artisan view:clear'); });\n", "clears-live", "deployer",
         path=f"{ROOT}/deploy.php"),
    Case("envoy-in-place", "@servers(['web' => 'deploy@web'])\n@story('deploy')\n  code\n  caches\n@endstory\n@task('code')\n"
         "  cd /srv/app\n  git pull\n@endtask\n@task('caches')\n  cd /srv/app\n  php artisan view:clear\n@endtask\n",
         "clears-live", "envoy", path=f"{ROOT}/Envoy.blade.php"),
    Case("github-ssh", "on: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: appleboy/ssh-action@v1\n"
         "        with:\n          host: ${{ secrets.HOST }}\n          script: |\n            cd /srv/app\n            git pull\n"
         "            php artisan optimize:clear\n", "clears-live", "github", path=f"{ROOT}/.github/workflows/deploy.yml", line="line 12"),
    Case("gitlab-ssh", "stages: [deploy]\nproduction:\n  stage: deploy\n  script:\n    - ssh web 'cd /srv/app && git pull'\n"
         "    - ssh web 'cd /srv/app && php artisan view:clear'\n", "clears-live", "gitlab", path=f"{ROOT}/.gitlab-ci.yml", line="line 6"),
    Case("compose-clear", "set -e\ndocker compose pull\ndocker compose up -d\ndocker compose exec -T app php artisan view:clear\n", "clears-live"),
    Case("in-place-down-without-a-lock", r"""#!/bin/sh
set -e
echo "Deploying application ..."
(php artisan down --message 'The app is being (quickly!) updated. Please try again in a minute.') || true
    git fetch origin deploy
    git reset --hard origin/deploy
    composer install --no-interaction --prefer-dist --optimize-autoloader
    php artisan migrate --force
    php artisan optimize
    echo "" | sudo -S service php7.4-fpm reload
php artisan up
echo "Application deployed!"
""", "runs-meet"),
    Case("containers-warmed-while-they-serve", r"""#!/bin/bash
set -e
git pull
docker compose build app
docker compose up -d app
docker compose exec -T app php artisan migrate --force
docker compose exec -T app php artisan optimize
""", "rebuilds-live"),
    Case("folders-swapped-in-place", r"""set -e
if [ -d "/home/forge/deploy" ]; then
rm -R /home/forge/deploy
fi
cp -R /home/forge/site.com /home/forge/deploy
cd /home/forge/deploy
git pull origin master
composer install --no-interaction
php artisan view:cache
mv /home/forge/site.com /home/forge/backup
mv /home/forge/deploy /home/forge/site.com
""", "switch-not-atomic"),
    Case("rsync-in-place", r"""#!/bin/bash
composer i --no-dev && rsync -av --delete --exclude ".env" --exclude "/storage" ./ user@1.2.3.4:backend/ && ssh $1@$2 "cd backend && php artisan migrate && php artisan optimize && php artisan cache:clear"
""", "rebuilds-live"),
    Case("inside-a-container", r"""cd /var/www/app && git pull && docker exec -i php-fpm bash -c "cd /var/www/app && composer install && php artisan view:clear"
""", "clears-live"),
    Case("semicolons", r"""cd /srv/app; R=releases/$(date +%s); git clone -q url $R; cd $R; composer install; php artisan view:cache; ln -sfn /srv/app/$R /srv/app/current; systemctl reload php-fpm""", "failure-goes-on"),
    Case("deployer-task-that-clears", r"""<?php
namespace Deployer;
require 'recipe/laravel.php';
set('shared_dirs', ['storage/app']);
task('artisan:reset', function () { run('{{bin/php}} {{current_path}}/artisan optimize:clear'); });
after('deploy:publish', 'artisan:reset');
""", "clears-live", "deployer", path=f"{ROOT}/deploy.php"),
    Case("deployer-shares-all-of-storage", r"""<?php
namespace Deployer;
require 'recipe/laravel.php';
add('shared_dirs', ['public/uploads']);
host('x')->set('deploy_path','/srv/app');
""", "rebuilds-live", "deployer", path=f"{ROOT}/deploy.php"),
    Case("github-without-the-recipe", r"""on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: deployphp/action@v1
        with: {dep: deploy}
""", "not-understood", "github", path=f"{ROOT}/.github/workflows/x.yml"),
)  # fmt: skip

SAFE = (
    Case("releases", _released()),
    Case("locked-by-a-folder", _released("mkdir /srv/app/deploying || exit 1", after="rmdir /srv/app/deploying")),
    Case("echo-mentions", _released('echo "do not run php artisan view:clear here"')),
    Case("comment-mentions", _released("# php artisan view:clear\n: 'rm -rf storage/framework/views'")),
    Case("here-document-of-text", _released("cat <<'EOF'\nNever run php artisan view:clear.\nEOF")),
    Case("dead-branch", _released("if false; then php artisan view:clear; fi")),
    Case("clears-what-it-builds", _released(warm="php artisan view:clear\nphp artisan view:cache")),
    Case("optimize", _released(warm="php artisan optimize")),
    Case("warm-function", _released('warm() { php artisan config:cache; php artisan view:cache; }', "warm")),
    Case("warmed-by-path", _released(warm='php "$release/artisan" view:cache')),
    Case("rolls-back-in-a-trap", _released('previous=$(readlink /srv/app/current)\ntrap \'ln -sfn "$previous" /srv/app/current\' ERR')),
    Case("prunes-old-releases", _released(after=f"ls -1dt {ROOT}/releases/* | tail -n +6 | xargs -r rm -rf")),
    Case("prunes-with-find", _released(after=f"cd {ROOT}/releases && ls -t | tail -n +4 | while read -r old; do rm -rf -- \"$old\"; done")),
    Case("checked-by-hand", _released(warm="php artisan view:cache || { echo failed >&2; exit 1; }", head=":").replace(
        "--no-scripts", "--no-scripts || exit 1")),
    Case("chained", f"""#!/bin/sh
release={ROOT}/releases/$(date +%s)
flock -n /run/lock/deploy true || exit 1
git clone git@example.org:shop.git "$release" && cd "$release" && composer install --no-scripts \\
  && php artisan view:cache && ln -sfn "$release" {ROOT}/current && systemctl reload php-fpm
"""),
    Case("shared-but-for-views", _released(f'ln -s {ROOT}/shared/storage/logs "$release/storage/logs"\n'
         f'rm -rf "$release/storage/app" && ln -s {ROOT}/shared/storage/app "$release/storage/app"')),
    Case("tar-upload", f"""#!/bin/bash
set -euo pipefail
release={ROOT}/releases/$GITHUB_SHA
mkdir -p "$release"
tar -xzf /tmp/release.tar.gz -C "$release"
"$release"/artisan view:cache
ln -sfn "$release" {ROOT}/current
sudo systemctl reload php8.2-fpm
"""),
    Case("rsync-release", f"""#!/usr/bin/env bash
set -e
stamp=$(date +%F-%H%M%S)
composer install --no-dev --no-scripts
rsync -az --exclude storage --exclude .env ./ deploy@web1:{ROOT}/releases/$stamp/
ssh deploy@web1 "set -e; cd {ROOT}/releases/$stamp; ln -s {ROOT}/shared/.env .env; php artisan view:cache; ln -sfn {ROOT}/releases/$stamp {ROOT}/current; sudo systemctl reload php-fpm"
""", path="/home/ci/shop/deploy.sh", root="/home/ci/shop"),
    Case("functions-and-main", f"""#!/usr/bin/env bash
set -Eeuo pipefail
readonly APP={ROOT}
readonly RELEASE="$APP/releases/$(date -u +%Y%m%dT%H%M%SZ)"
log() {{ printf '[%s] %s\\n' "$(date +%T)" "$*"; }}
fetch() {{ git clone -q --depth=1 --branch "${{BRANCH:-main}}" git@example.org:shop.git "$RELEASE"; }}
build() {{ ( cd "$RELEASE" && composer install -q --no-dev --no-scripts && npm ci && npm run build ); }}
warm() {{ ( cd "$RELEASE" && php artisan config:cache && php artisan route:cache && php artisan view:cache ); }}
publish() {{ ln -s "$RELEASE" "$APP/current.tmp"; mv -Tf "$APP/current.tmp" "$APP/current"; }}
reload() {{ sudo systemctl reload php8.3-fpm; }}
main() {{
  log fetch; fetch
  log build; build
  log warm; warm
  log publish; publish
  log reload; reload
}}
main "$@"
"""),
    Case("dispatch-by-name", f"""#!/usr/bin/env bash
set -euo pipefail
new={ROOT}/releases/$(date +%s)
do_lock() {{ exec 9>{ROOT}/lock; flock -n 9; }}
do_build() {{ git clone -q git@example.org:shop.git "$new"; }}
do_warm_views() {{ "$new/artisan" view:cache; }}
do_publish() {{ ln -s "$new" {ROOT}/.next && mv -T {ROOT}/.next {ROOT}/current; }}
do_reload() {{ systemctl reload php-fpm; }}
for step in lock build warm-views publish reload; do do_${{step//-/_}}; done
"""),
    Case("in-place-down", _in_place("php artisan down\n" + _LINES + "php artisan migrate --force\nphp artisan view:cache\nphp artisan up")),
    Case("in-place-down-tolerant", _in_place("(php artisan down --retry=15) || true\n" + _LINES + "php artisan optimize\nphp artisan up")),
    Case("in-place-down-cleared", _in_place("php artisan down\n" + _LINES + "php artisan view:clear\nphp artisan view:cache\nphp artisan up")),
    Case("in-place-rsync-down", _in_place("php artisan down\nrsync -a --delete --exclude storage --exclude .env /build/ /srv/app/\n"
         "php artisan view:cache\nphp artisan up")),
    Case("forge-zero-downtime", "$CREATE_RELEASE()\ncd $FORGE_RELEASE_DIRECTORY\n$FORGE_COMPOSER install --no-dev --no-scripts\n"
         "$FORGE_PHP artisan view:cache\n$ACTIVATE_RELEASE()\n$RESTART_FPM()\n", kind="forge"),
    Case("forge-down", "cd /home/forge/shop\n$FORGE_PHP artisan down\ngit pull origin $FORGE_SITE_BRANCH\n$FORGE_COMPOSER install --no-scripts\n"
         "( flock -w 10 9 || exit 1; sudo -S service $FORGE_PHP_FPM reload ) 9>/tmp/fpmlock\n"
         "$FORGE_PHP artisan view:cache\n$FORGE_PHP artisan up\n", kind="forge"),
    Case("ploi", "set -e\ncd /home/ploi/shop\nphp artisan down\ngit pull origin main\ncomposer install --no-scripts\n"
         "php artisan optimize\nphp artisan up\n", kind="ploi"),
    Case("deployer-own-views", "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nset('shared_dirs', ['storage/app', 'storage/logs']);\n"
         "host('web')->set('deploy_path', '/srv/app');\nafter('deploy:symlink', 'php-fpm:reload');\nafter('deploy:failed', 'deploy:unlock');\n",
         kind="deployer", path=f"{ROOT}/deploy.php"),
    Case("deployer-listed", "<?php\nnamespace Deployer;\nrequire 'recipe/laravel.php';\nset('shared_dirs', ['storage/app']);\ntask('deploy', [\n"
         "  'deploy:prepare', 'deploy:vendors', 'artisan:storage:link', 'artisan:config:cache', 'artisan:view:cache',\n"
         "  'artisan:migrate', 'deploy:publish', 'artisan:queue:restart',\n]);\n", kind="deployer", path=f"{ROOT}/deploy.php"),
    Case("deployer-yaml", "import:\n  - recipe/laravel.php\nconfig:\n  shared_dirs: ['storage/app']\nhosts:\n  web:\n    deploy_path: /srv/app\n"
         "tasks:\n  reload:\n    - run: sudo systemctl reload php-fpm\nafter:\n  deploy:symlink: reload\n", kind="deployer",
         path=f"{ROOT}/deploy.yaml"),
    Case("envoy-releases", "@setup\n$app = '/srv/app';\n$release = $app.'/releases/'.date('YmdHis');\n@endsetup\n@servers(['web' => 'web'])\n"
         "@story('deploy')\n  code\n  warm\n  switch\n@endstory\n@task('code')\n  git clone git@example.org:shop.git {{ $release }}\n"
         "  cd {{ $release }} && composer install --no-scripts\n@endtask\n@task('warm')\n  cd {{ $release }}\n  php artisan view:cache\n@endtask\n"
         "@task('switch')\n  ln -sfn {{ $release }} {{ $app }}/current\n  sudo systemctl reload php-fpm\n@endtask\n", kind="envoy",
         path=f"{ROOT}/Envoy.blade.php"),
    Case("github-releases", "on: push\nconcurrency: production\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n"
         "      - uses: actions/checkout@v4\n      - run: composer install --no-dev --no-scripts\n"
         "      - run: rsync -a ./ web:/srv/app/releases/${{ github.sha }}/\n"
         "      - run: |\n          ssh web \"cd /srv/app/releases/${{ github.sha }} && php artisan view:cache && \\\n"
         "            ln -sfn /srv/app/releases/${{ github.sha }} /srv/app/current && sudo systemctl reload php-fpm\"\n",
         kind="github", path=f"{ROOT}/.github/workflows/deploy.yml"),
    Case("gitlab-releases", "stages: [deploy]\nproduction:\n  stage: deploy\n  resource_group: production\n  environment: production\n  script:\n"
         "    - ssh web \"git clone git@example.org:shop.git /srv/app/releases/$CI_COMMIT_SHA\"\n"
         "    - ssh web \"cd /srv/app/releases/$CI_COMMIT_SHA && composer install --no-scripts && php artisan view:cache\"\n"
         "    - ssh web \"ln -sfn /srv/app/releases/$CI_COMMIT_SHA /srv/app/current && sudo systemctl reload php-fpm\"\n",
         kind="gitlab", path=f"{ROOT}/.gitlab-ci.yml"),
    Case("container-start", "#!/bin/sh\nset -e\ncd /var/www/html\nphp artisan migrate --force\nphp artisan config:cache\n"
         "php artisan view:cache\nexec php-fpm\n", path="/entrypoint.sh"),
    Case("container-clears-first", "#!/bin/sh\nset -e\nphp artisan view:clear\nphp artisan view:cache\nexec supervisord -n\n", path="/start.sh"),
    Case("blue-green", f"""#!/usr/bin/env bash
set -euo pipefail
exec 8>{ROOT}/lock; flock -n 8
new={ROOT}/releases/$(uuidgen)
git worktree add "$new" origin/main
cd "$new"; composer install --no-scripts; php artisan view:cache
ln -sfn "$new" {ROOT}/live.next; mv -fT {ROOT}/live.next {ROOT}/live
php artisan octane:reload
"""),
    Case("composer-script-that-warms", _released(warm="composer run warm"), files={
        f"{ROOT}/composer.json": '{"scripts": {"warm": ["@php artisan config:cache", "@php artisan view:cache"]}}'}),
    Case("makefile-that-warms", _released(warm="make warm"), files={
        f"{ROOT}/Makefile": "warm:\n\tphp artisan view:cache\n"}),
    Case("sourced-helpers", _released("source ./lib.sh", "warm_views"), files={
        f"{ROOT}/lib.sh": "warm_views() { php artisan view:cache; }\n"}),
    Case("node-modules-removed", _released(after="rm -rf node_modules storage/logs/*.log")),
    Case("set-x-and-time", _released("set -x; time true; mkdir -p /srv/app/shared/storage/{app,logs}")),
    Case("rolls-back-at-an-error", r"""#!/bin/bash
set -Eeuo pipefail
umask 022
APP_BASE="/var/www/html/app"
RELEASES_DIR="${APP_BASE}/releases"
SHARED_DIR="${APP_BASE}/shared"
CURRENT_LINK="${APP_BASE}/current"
BRANCH="main"
DATE="$(date +%Y%m%d_%H%M%S)"
NEW_RELEASE="${RELEASES_DIR}/${DATE}"
HEALTH_URL="https://app.example/"
rollback() { if [[ -n "${PREV:-}" ]]; then ln -sfn "$PREV" "$CURRENT_LINK"; sudo systemctl reload php8.2-fpm || true; fi; }
trap 'echo "failed at $LINENO"; rollback' ERR
mkdir -p "$RELEASES_DIR" "$SHARED_DIR/storage/app" "$SHARED_DIR/storage/logs"
PREV="$(readlink -f "$CURRENT_LINK" || true)"
git clone --depth=1 --branch "$BRANCH" git@github.com:x/y.git "$NEW_RELEASE"
ln -sfn "$SHARED_DIR/.env" "$NEW_RELEASE/.env"
rm -rf "$NEW_RELEASE/storage/app" && ln -sfn "$SHARED_DIR/storage/app" "$NEW_RELEASE/storage/app"
cd "$NEW_RELEASE"
COMPOSER_ALLOW_SUPERUSER=1 composer install --no-dev --prefer-dist --no-interaction --optimize-autoloader
if [[ -f package.json ]]; then npm ci && npm run build; fi
php artisan config:cache
php artisan route:cache
php artisan view:cache
php artisan migrate --force
chown -R www-data:www-data "$NEW_RELEASE"
ln -sfn "$NEW_RELEASE" "$CURRENT_LINK"
sudo systemctl reload php8.2-fpm
curl -fsS "$HEALTH_URL" >/dev/null
cd "$RELEASES_DIR" && ls -1dt */ | tail -n +6 | xargs -r rm -rf
"""),
    Case("rolls-back-when-unhealthy", r"""#!/usr/bin/env bash
set -euo pipefail
APP_DIR="$1"; SHA="$2"
REL="$APP_DIR/releases/$SHA"
mkdir -p "$REL"
tar xzf "/tmp/$SHA.tgz" -C "$REL"
cd "$REL"
ln -sfn "$APP_DIR/shared/.env" .env
php artisan view:cache
switch() { ln -sfn "$1" "$APP_DIR/current.next"; mv -Tf "$APP_DIR/current.next" "$APP_DIR/current"; }
prev="$(readlink -f "$APP_DIR/current" 2>/dev/null || true)"
switch "$REL"
sudo systemctl reload php-fpm
healthy() { for _ in $(seq 1 20); do curl -fsS http://localhost/up >/dev/null && return 0; sleep 1; done; return 1; }
if ! healthy; then
  switch "$prev"; sudo systemctl reload php-fpm
  exit 1
fi
"""),
    Case("two-folders-in-turn", r"""#!/bin/bash
set -euo pipefail
exec 200>/var/lock/deploy.lock
flock -n 200 || { echo busy; exit 1; }
BASE=/srv/shop
ACTIVE=$(readlink -f $BASE/live)
if [ "$ACTIVE" = "$BASE/blue" ]; then TARGET=$BASE/green; else TARGET=$BASE/blue; fi
cd "$TARGET"
git fetch origin && git reset --hard origin/main
composer install --no-dev --no-scripts
php artisan view:clear
php artisan view:cache
ln -sfn "$TARGET" $BASE/live.tmp && mv -T $BASE/live.tmp $BASE/live
systemctl reload php8.3-fpm
"""),
    Case("capistrano-like", r"""set -e
ts=$(date -u +%Y%m%d%H%M%S)
d=/var/www/app
git --git-dir=$d/repo fetch origin
mkdir $d/releases/$ts
git --git-dir=$d/repo archive origin/main | tar -x -C $d/releases/$ts
pushd $d/releases/$ts
composer install -q --no-dev
php artisan optimize
popd
ln -s $d/releases/$ts $d/releases/current
mv $d/releases/current $d
sudo service php8.1-fpm reload
"""),
    Case("ssh-here-document", r"""#!/usr/bin/env bash
set -euo pipefail
REL=$(git rev-parse --short HEAD)
scp build.tgz web:/tmp/$REL.tgz
ssh web bash -s -- "$REL" <<'REMOTE'
set -euo pipefail
rel=/srv/app/releases/$1
mkdir -p "$rel"
tar -xzf /tmp/$1.tgz -C "$rel"
ln -s /srv/app/shared/.env "$rel/.env"
cd "$rel" && php artisan view:cache
ln -sfn "$rel" /srv/app/current
sudo systemctl reload php-fpm
REMOTE
"""),
    Case("opcache-reset", r"""#!/bin/bash
set -e
R=/srv/app/releases/$(date +%s)
git clone -q url $R
cd $R
composer install --no-scripts
php artisan view:cache
ln -nfs $R /srv/app/current
cachetool opcache:reset --fcgi=/run/php/php.sock
"""),
    Case("runner-function", r"""#!/bin/bash
set -e
run() { echo "+ $*"; "$@"; }
info() { printf '\033[1m%s\033[0m\n' "$*"; }
R=/srv/app/releases/$(date +%s)
info "Cloning"; run git clone -q url "$R"
info "php artisan view:clear is not needed"
run composer --working-dir="$R" install --no-scripts
run php "$R/artisan" view:cache
run ln -sfn "$R" /srv/app/current
run sudo systemctl reload php-fpm
"""),
    Case("options", r"""#!/bin/bash
set -euo pipefail
SKIP_BUILD=0
while [[ $# -gt 0 ]]; do case "$1" in --skip-build) SKIP_BUILD=1; shift;; --branch) BRANCH="$2"; shift 2;; *) echo "unknown $1"; exit 2;; esac; done
R=/srv/app/releases/$(date +%Y%m%d)-$RANDOM
git clone -q -b "${BRANCH:-main}" url "$R"
cd "$R"
composer install --no-scripts
if [[ $SKIP_BUILD -eq 0 ]]; then npm ci; npm run build; fi
php artisan view:cache
ln -sfn "$R" /srv/app/current
sudo systemctl reload php-fpm
"""),
    Case("unpacked-artifact", r"""set -e
R=/srv/app/releases/$BUILD_NUMBER
mkdir $R && unzip -q /tmp/app.zip -d $R
cd $R
/usr/bin/php8.3 artisan view:cache --no-interaction
ln -sfn $R /srv/app/current && sudo /usr/sbin/service php8.3-fpm reload
"""),
    Case("octane", r"""set -e
R=/srv/app/releases/$(date +%s)
git clone -q url $R && cd $R && composer install --no-scripts && php artisan view:cache && ln -sfn $R /srv/app/current
php /srv/app/current/artisan octane:reload
"""),
    Case("github-tests-then-ssh", r"""name: deploy
on: {push: {branches: [main]}}
concurrency: {group: deploy}
jobs:
  test:
    runs-on: ubuntu-latest
    steps: [{uses: actions/checkout@v4}, {run: composer install && php artisan view:clear && php artisan test}]
  deploy:
    needs: test
    environment: production
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: shivammathur/setup-php@v2
      - run: composer install --no-dev --no-scripts
      - run: npm ci && npm run build
      - uses: appleboy/scp-action@v1
        with: {host: "${{ secrets.H }}", source: ".", target: "/srv/app/releases/${{ github.sha }}"}
      - uses: appleboy/ssh-action@v1
        with:
          host: ${{ secrets.H }}
          script_stop: true
          script: |
            set -e
            cd /srv/app/releases/${{ github.sha }}
            ln -s /srv/app/shared/.env .env
            php artisan view:cache
            ln -sfn /srv/app/releases/${{ github.sha }} /srv/app/current
            sudo systemctl reload php8.3-fpm
""", kind="github", path=f"{ROOT}/.github/workflows/x.yml"),
    Case("gitlab-in-place-down", r"""deploy:
  stage: deploy
  resource_group: production
  environment: production
  script:
    - ssh web "cd /srv/app && php artisan down"
    - ssh web "cd /srv/app && git pull && composer install --no-scripts && php artisan view:cache"
    - ssh web "cd /srv/app && php artisan up"
""", kind="gitlab", path=f"{ROOT}/.gitlab-ci.yml"),
    Case("envoy-one-task", r"""@servers(['web' => 'deploy@web'])
@setup
    $path = '/srv/app';
    $date = ( new DateTime )->format('YmdHis');
    $env = isset($env) ? $env : "production";
    $branch = isset($branch) ? $branch : "master";
    $release = $path.'/releases/'.$date;
@endsetup
@task('deploy', ['on' => 'web'])
    git clone --depth=1 --branch={{ $branch }} git@x:y.git {{ $release }}
    ln -s {{ $path }}/shared/.env {{ $release }}/.env
    cd {{ $release }}
    composer install --no-interaction --no-dev --no-scripts
    php artisan view:cache --quiet
    ln -nfs {{ $release }} {{ $path }}/current
    sudo service php8.2-fpm reload
    cd {{ $path }}/releases
    ls -1t | tail -n +5 | xargs rm -rf
@endtask
""", kind="envoy", path=f"{ROOT}/Envoy.blade.php"),
    Case("deployer-own-tasks", r"""<?php
namespace Deployer;
require 'recipe/laravel.php';
set('application', 'shop');
set('repository', 'git@x:y.git');
set('shared_dirs', ['storage/app', 'storage/logs']);
host('prod')->setHostname('1.2.3.4')->set('deploy_path', '~/shop');
task('build', function () { cd('{{release_path}}'); run('npm ci && npm run build'); });
after('deploy:vendors', 'build');
task('reload', function () { run('sudo systemctl reload php8.3-fpm'); });
after('deploy:symlink', 'reload');
after('deploy:failed', 'deploy:unlock');
""", kind="deployer", path=f"{ROOT}/deploy.php"),
)  # fmt: skip

# What empties, or rebuilds, what is being served, or may: none of these makes a safe deployment less than red or unknown.
CLEARING = {
    "artisan": "php /srv/app/artisan view:clear",
    "of-current": "php /srv/app/current/artisan view:clear",
    "with-environment-and-options": "APP_ENV=production /usr/bin/php8.3 -d memory_limit=-1 /srv/app/current/artisan view:clear -q",
    "rm": "rm -rf /srv/app/current/storage/framework/views/*",
    "removed-and-made-again": "rm -rf /srv/app/current/storage/framework/views && mkdir /srv/app/current/storage/framework/views",
    "find": "find /srv/app/current/storage/framework -name '*.php' -delete",
    "find-xargs": "find /srv/app/current/storage/framework/views -mindepth 1 -print0 | xargs -0 -r rm -rf --",
    "for-over-find": 'for f in $(find /srv/app/current/storage/framework/views -type f); do rm "$f"; done',
    "ls-xargs": "ls -d /srv/app/current/storage/framework/views/* | xargs rm -f",
    "for-over-glob": 'for f in /srv/app/current/storage/framework/views/*.php; do rm -f "$f"; done',
    "while-read": 'find /srv/app/current/storage/framework/views -type f | while read -r f; do unlink "$f"; done',
    "cd-then-rm": "( cd /srv/app/current/storage/framework/views && rm -rf ./* )",
    "pushd": "pushd /srv/app/current >/dev/null; php artisan optimize:clear; popd >/dev/null",
    "sudo": "sudo -u www-data -- sh -c 'cd /srv/app/current && php artisan view:clear'",
    "su": "su - www-data -c 'php /srv/app/current/artisan view:clear'",
    "command-in-a-variable": 'A="php /srv/app/current/artisan"; $A view:clear',
    "array": 'C=(view:clear cache:clear); for c in "${C[@]}"; do php /srv/app/current/artisan "$c"; done',
    "eval": "eval 'php /srv/app/current/artisan '\"view:clear\"",
    "function": 'zz(){ php /srv/app/current/artisan "$1:clear"; }; zz view',
    "here-document": "sh <<X\nphp /srv/app/current/artisan view:clear\nX",
    "timeout": "timeout 30 nice php /srv/app/current/artisan view:clear",
    "or": "false || php /srv/app/current/artisan view:clear",
    "if-there": "if [ -f /srv/app/current/artisan ]; then php /srv/app/current/artisan view:clear; fi",
    "case": 'case "$1" in --fast) ;; *) php /srv/app/current/artisan view:clear ;; esac',
    "background": "php /srv/app/current/artisan view:clear &",
    "substitution": 'echo "$(php /srv/app/current/artisan view:clear)"',
    "exit-trap": "trap 'php /srv/app/current/artisan view:clear' EXIT",
    "moved-away": "mv /srv/app/current/storage/framework/views /tmp/old-views",
    "rsync": "rsync -a --delete /var/empty/ /srv/app/current/storage/framework/views",
    "truncate": "truncate -s 0 /srv/app/current/storage/framework/views/*.php",
    "redirected": ": > /srv/app/current/storage/framework/views/index.php",
    "git-clean": "git -C /srv/app/current clean -ffdx",
    "all-of-storage": "rm -rf /srv/app/current/storage",
    "all-of-framework": "rm -rf /srv/app/current/storage/framework/*",
    "bootstrap-cache": "rm -f /srv/app/current/bootstrap/cache/*.php",
    "all": "rm -rf /srv/app/current/*",
    "optimize-clear": "php /srv/app/current/artisan optimize:clear",
    "cache-clear": "php /srv/app/current/artisan cache:clear",
    "view-cache": "php /srv/app/current/artisan view:cache",
    "optimize": "php /srv/app/current/artisan optimize",
    "flushall": "redis-cli flushall",
    "php": "php -r 'foreach (glob(\"/srv/app/current/storage/framework/views/*\") as \\$f) unlink(\\$f);'",
    "python": "python3 -c 'import shutil; shutil.rmtree(\"/srv/app/current/storage/framework/views\")'",
    "perl": "perl -e 'unlink glob \"/srv/app/current/storage/framework/views/*\"'",
    "filament": "php /srv/app/current/artisan filament:optimize-clear",
    "tinker": "php /srv/app/current/artisan tinker --execute='Artisan::call(\"view:clear\");'",
    "decoded": "echo cGhwIGFydGlzYW4= | base64 -d | sh",
    "ssh": "ssh web@web2 'php /srv/app/current/artisan view:clear'",
    "docker": "docker exec app php artisan view:clear",
    "compose": "docker compose exec -T app php artisan optimize:clear",
    "flock": "flock /tmp/l -c 'php /srv/app/current/artisan view:clear'",
    "find-exec": "find /srv/app/current -path '*/framework/views/*' -exec rm -f {} \\;",
    "appended": "cmd=view; cmd+=:clear; php /srv/app/current/artisan $cmd",
    "replaced": "x=config:clear; php /srv/app/current/artisan ${x/config/view}",
    "indirection": "n=c; c=view:clear; php /srv/app/current/artisan ${!n}",
    "printf": "php /srv/app/current/artisan $(printf %s view:clear)",
    "awk": "awk 'BEGIN { system(\"php /srv/app/current/artisan view:clear\") }'",
    "tee": "tee /srv/app/current/storage/framework/views/a.php </dev/null",
    "dd": "dd if=/dev/null of=/srv/app/current/storage/framework/views/a.php",
    "shred": "shred -u /srv/app/current/storage/framework/views/*.php",
    "sed": "sed -i d /srv/app/current/storage/framework/views/*.php",
    "watch": "watch -g -n1 php /srv/app/current/artisan view:clear",
    "parallel": "parallel php /srv/app/current/artisan ::: view:clear cache:clear",
    "at": "echo 'php /srv/app/current/artisan view:clear' | at now",
    "cron": "systemd-run --wait php /srv/app/current/artisan view:clear",
    "make-without-its-file": "make -C /srv/app/current clear",
    "composer": "composer --working-dir=/srv/app/current clear-all",
    "nohup": "nohup php /srv/app/current/artisan view:clear >/dev/null 2>&1 &",
    "xargs": "echo view:clear config:clear | xargs -n1 php /srv/app/current/artisan",
    "read-from-a-string": "while read -r c; do php /srv/app/current/artisan $c; done <<< 'view:clear'",
    "mapfile": "mapfile -t cs < <(printf '%s\\n' view:clear); php /srv/app/current/artisan \"${cs[0]}\"",
}
