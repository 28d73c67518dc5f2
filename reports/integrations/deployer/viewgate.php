<?php

/*
 * viewgate as a task of Deployer 7.5 and 8: the gate runs after the release is published, and where it is not green,
 * every selected host goes back to the release that it served before. In deploy.php, below the recipe:
 *
 *     require '/opt/viewgate/reports/integrations/deployer/viewgate.php';
 *     set('viewgate_environment', 'production');
 *     after('deploy:failed', 'deploy:unlock');
 *
 * One run of the gate, on the machine that runs Deployer, judges the environment and therefore the release. If it is
 * red on one host, all selected hosts go back: hosts behind one balancer have to serve one release. `dep` then runs the
 * hooks of `deploy:failed` and exits with 255. The same happens where the gate is inconclusive (6), cannot start (4),
 * is interrupted, exceeds its time, or leaves no report of its own. A host without a release before keeps the one it
 * has, and the last message names it.
 *
 * The tasks and hooks of `rollback` run in the deployment's own configuration: what it has already resolved, such as
 * {{release_or_current_path}}, still names the release that failed. Do not set `fail('deploy', 'rollback')` as well: it
 * would roll back a second time. `--no-hooks` leaves the gate out. `dep viewgate:gate` validates what is published and
 * rolls nothing back.
 *
 * Hooks on `deploy:symlink` run in the order in which they are registered: put those that reload workers (php-fpm,
 * `artisan:reload`) above the `require`, or the gate sees the workers of the release before.
 *
 * Deployer's own Laravel recipe shares storage between releases and compiles views before it publishes: the views that
 * are being served are deleted then. Share storage without framework/views, and warm the new release's own
 * (`VIEW_COMPILED_PATH`); the gate names it where that is not so.
 */

namespace Deployer;

use Deployer\Exception\RunException;
use Deployer\Selector\Selector;

set('viewgate_suite', '/opt/viewgate');
set('viewgate_environment', 'production');
set('viewgate_environments', '{{viewgate_suite}}/environments.toml');
// More options of the gate: a list, or a string that is split at blanks.
set('viewgate_arguments', '--wait 120');
// Each run leaves its reports in a new folder here; the runs before are in history.jsonl.
set('viewgate_reports', '{{viewgate_suite}}/reports/runs');
set('viewgate_seconds', 900);
// The gate's exit codes that let a release stay: 0 passed. 6 is inconclusive; [0, 6] lets it pass as well.
set('viewgate_stay', [0]);

/**
 * Return foreign text as one line that Deployer ({{name}}), its console (<tag>) and CI runners (##[command]) print as
 * it is.
 */
function viewgate_line(string $text): string
{
    $line = trim(preg_replace('/[\x00-\x20\x7f]+/', ' ', $text));
    return strtr(preg_replace('/\{(?=\{)|\}(?=\})|#(?=#)/', '$0 ', $line), ['<' => '‹', '>' => '›']);
}

/**
 * Run the gate with its reports in a folder; return its exit code, null where it did not end by itself in time.
 */
function viewgate_run(string $folder): ?int
{
    $arguments = get('viewgate_arguments');
    $command = [
        ...['uv', 'run', '--directory', get('viewgate_suite'), 'python', '-m', 'reports.integrations.gate'],
        ...['--environment', get('viewgate_environment'), '--environments', get('viewgate_environments')],
        ...['--reports', $folder],
        ...(is_array($arguments) ? $arguments : preg_split('/\s+/', $arguments, -1, PREG_SPLIT_NO_EMPTY)),
    ];
    $log = ['file', "$folder/gate.log", 'a'];
    $streams = [['file', '/dev/null', 'r'], $log, $log];
    $process = proc_open($command, $streams, $pipes, null, ['NO_COLOR' => '1'] + getenv());
    if ($process === false) {
        throw new \RuntimeException('uv cannot be started');
    }
    // SIGTERM lets the gate write its last reports; SIGKILL comes a minute later.
    $signals = [15, 9];
    $deadline = microtime(true) + (float) get('viewgate_seconds');
    while (($status = proc_get_status($process))['running']) {
        usleep(100000);
        if ($signals && microtime(true) > $deadline) {
            proc_terminate($process, array_shift($signals));
            $deadline += 60;
        }
    }
    return count($signals) === 2 && !$status['signaled'] ? $status['exitcode'] : null;
}

/**
 * Return the history's line of the run whose reports are in a folder, by the run's id; null where there is none.
 */
function viewgate_report(string $folder): ?array
{
    $events = @file("$folder/events.jsonl") ?: ['null'];
    $id = json_decode($events[0], true)['run'] ?? null;
    foreach (array_reverse(@file("$folder/history.jsonl") ?: []) as $line) {
        $run = json_decode($line, true);
        if ($id !== null && ($run['run'] ?? null) === $id) {
            return $run;
        }
    }
    return null;
}

/**
 * Return what is not green, by check: "6-filament: fail on web-1, web-2".
 */
function viewgate_not_green(array $cells): array
{
    $hosts = [];
    foreach ($cells as $cell => $verdict) {
        [$check, $host] = explode('@', $cell, 2);
        // An objective that a read-only environment cannot measure stops nothing.
        $measured = $verdict !== 'unknown' || !str_starts_with($check, '0-');
        if ($measured && !in_array($verdict, ['pass', 'not-applicable', 'waived'], true)) {
            $hosts["$check: $verdict on "][] = $host;
        }
    }
    ksort($hosts);
    return array_map(fn ($what, $where) => $what . implode(', ', $where), array_keys($hosts), $hosts);
}

/**
 * Validate the environment; return whether its release may stay, and what came out in words.
 */
function viewgate_validate(): array
{
    $folder = get('viewgate_reports') . gmdate('/Ymd\THis\Z') . '-deployer-' . bin2hex(random_bytes(3));
    if (!@mkdir($folder, 0755, true) || !@symlink('../history.jsonl', "$folder/history.jsonl")) {
        throw new \RuntimeException("the folder $folder cannot be created");
    }
    $code = viewgate_run($folder);
    $run = viewgate_report($folder);
    if ($code === null || $run === null || $run['exit'] !== $code) {
        foreach (array_slice(@file("$folder/gate.log") ?: [], -15) as $line) {
            writeln('| ' . viewgate_line($line));
        }
        $why = match ($code) {
            null => 'killed, or not done after ' . get('viewgate_seconds') . ' s',
            127 => 'uv is not on PATH',
            default => "exit code $code",
        };
        $report = $run === null ? 'no report of its own' : "its report says exit code {$run['exit']}";
        return [false, "the gate could not run ($why; $report); see $folder/gate.log"];
    }
    $verdict = [0 => 'passed', 1 => 'failed', 6 => 'was inconclusive'][$code] ?? 'could not run to its end';
    $checks = implode('; ', viewgate_not_green($run['cells']));
    $told = "the gate $verdict (exit code $code)" . ($checks ? ": $checks" : '');
    return [
        in_array($code, (array) get('viewgate_stay')),
        "$told; run {$run['run']}, $folder/report.html",
    ];
}

/**
 * Return the name of the release that the current host serves, empty where there is none.
 */
function viewgate_current(): string
{
    return run('if [ -h {{current_path}} ]; then basename "$(readlink {{current_path}})"; fi');
}

/**
 * Roll the current host back to the release that it served before; return what came of it in words.
 */
function viewgate_roll_back(): string
{
    $red = viewgate_current();
    $before = get('viewgate_before', null);
    if ($before === '') {
        return "still at release $red, its first: there is no release before";
    }
    if ($before === $red) {
        return "still at release $red: nothing new was published there";
    }
    if ($before !== null) {
        // Deployer's own candidate is the last release made, which may never have been published.
        set('rollback_candidate', $before);
    }
    $trouble = '';
    try {
        foreach (Deployer::get()->scriptManager->getTasks('rollback') as $task) {
            $elsewhere = $task->isOnce() && currentHost()->getAlias() !== get('selected_hosts')[0];
            if (!$elsewhere && Selector::apply($task->getSelector(), currentHost())) {
                invoke($task->getName());
            }
        }
    } catch (\Throwable $reason) {
        $output = $reason instanceof RunException ? ' ' . $reason->getErrorOutput() : '';
        $trouble = "; its rollback failed: {$reason->getMessage()}$output";
    }
    // Not what the rollback says that it did, but what is served now.
    $now = viewgate_current();
    return ($now === $red || $now === '' ? "still at release $red: not rolled back" : "back at release $now") . $trouble;
}

task('viewgate:before', function () {
    set('viewgate_before', viewgate_current());
})->hidden();

task('viewgate:run', function () {
    writeln('viewgate: validating {{viewgate_environment}}');
    try {
        [$stays, $told] = viewgate_validate();
    } catch (\Throwable $reason) {
        [$stays, $told] = [false, "the gate could not run: {$reason->getMessage()}"];
    }
    $told = viewgate_line($told);
    writeln("viewgate: $told");
    on(selectedHosts(), fn () => set('viewgate_result', ['stays' => $stays, 'told' => $told]));
})->once()->hidden();

task('viewgate:rollback', function () {
    if (!get('viewgate_result')['stays']) {
        try {
            $outcome = viewgate_roll_back();
        } catch (\Throwable $reason) {
            $outcome = "perhaps not rolled back: {$reason->getMessage()}";
        }
        set('viewgate_outcome', viewgate_line($outcome));
    }
})->hidden();

task('viewgate:stop', function () {
    $result = get('viewgate_result');
    if (!$result['stays']) {
        $lines = ["viewgate: {$result['told']}"];
        on(selectedHosts(), function ($host) use (&$lines) {
            $lines[] = $host->getAlias() . ': ' . get('viewgate_outcome', 'nothing is rolled back');
        });
        throw new \RuntimeException(implode("\n", $lines));
    }
})->once()->hidden();

desc('Validates what is published');
task('viewgate:gate', ['viewgate:run', 'viewgate:stop']);

task('viewgate:published', ['viewgate:run', 'viewgate:rollback', 'viewgate:stop'])->hidden();

before('deploy:symlink', 'viewgate:before');
// Before deploy:cleanup, which may take the release away that a rollback goes back to.
after('deploy:symlink', 'viewgate:published');
