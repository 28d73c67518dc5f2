<?php

/*
 * viewgate as a task of Deployer 7 and 8: the gate runs after the release was published, and where it is not green the
 * release before is published again. In deploy.php:
 *
 *     require '/opt/viewgate/reports/integrations/deployer/viewgate.php';
 *     set('viewgate_environment', 'production');
 *
 * Deployer's own Laravel recipe shares storage between releases and runs artisan:optimize before it publishes: the
 * views that are being served are deleted then. Share storage without framework/views, and warm the new release's own
 * (`VIEW_COMPILED_PATH`); the gate names it where that is not so.
 */

namespace Deployer;

set('viewgate_suite', '/opt/viewgate');
set('viewgate_environment', 'production');
set('viewgate_environments', '{{viewgate_suite}}/environments.toml');
set('viewgate_arguments', '--wait 120');
// The gate's exit codes that let a release stay: 0 passed. 6 is inconclusive; [0, 6] lets it pass as well.
set('viewgate_stay', [0]);

desc('Validates the release that was published');
task('viewgate:gate', function () {
    $said = runLocally(
        'cd "{{viewgate_suite}}" && uv run pytest validations/gate --environment {{viewgate_environment}}'
        . ' --environments "{{viewgate_environments}}" {{viewgate_arguments}} || echo "viewgate-exit-code=$?"',
        timeout: 900,
    );
    $code = preg_match('/viewgate-exit-code=(\d+)\s*$/', $said, $found) ? (int) $found[1] : 0;
    if (!in_array($code, get('viewgate_stay'), true)) {
        $verdict = [1 => 'failed', 6 => 'was inconclusive'][$code] ?? 'could not run';
        throw new \RuntimeException("viewgate: the gate $verdict (exit code $code); the release before comes back");
    }
})->once();

// Before deploy:cleanup, which takes the release away that a rollback goes back to.
after('deploy:symlink', 'viewgate:gate');
fail('viewgate:gate', 'rollback');
