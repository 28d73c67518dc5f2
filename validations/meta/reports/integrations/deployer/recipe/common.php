<?php

/* What Deployer's own recipe/common.php does with folders and links, for the stand-in beside it. */

namespace Deployer;

set('current_path', '{{deploy_path}}/current');
set('release_path', '{{deploy_path}}/releases/{{release_name}}');
set('release_name', fn () => (string) (1 + (int) run('cat {{deploy_path}}/.dep/latest_release || echo 0')));
set('releases_list', function () {
    $names = run('ls {{deploy_path}}/releases || true');
    $names = $names === '' ? [] : explode("\n", $names);
    rsort($names, SORT_NUMERIC);
    return $names;
});
set('keep_releases', 10);
set('rollback_candidate', function () {
    $made = get('releases_list');
    $older = array_slice($made, array_search(basename(run('readlink {{current_path}}')), $made, true) + 1);
    foreach ($older as $name) {
        if (!test("[ -f {{deploy_path}}/releases/$name/BAD_RELEASE ]")) {
            return $name;
        }
    }
    throw new \Exception('No more releases you can revert to.');
});

task('deploy:lock', fn () => run('mkdir -p {{deploy_path}}/.dep && touch {{deploy_path}}/.dep/deploy.lock'));
task('deploy:release', function () {
    $made = get('releases_list');
    run('mkdir -p {{release_path}} && ln -nfs releases/{{release_name}} {{deploy_path}}/release');
    run('echo {{release_name}} > {{deploy_path}}/.dep/latest_release');
    set('releases_list', [get('release_name'), ...$made]);
});
task('deploy:update_code', fn () => null);
task('deploy:prepare', ['deploy:lock', 'deploy:release', 'deploy:update_code']);
task('deploy:symlink', fn () => run('mv -T {{deploy_path}}/release {{current_path}}'));
task('deploy:unlock', fn () => run('rm -f {{deploy_path}}/.dep/deploy.lock'));
task('deploy:cleanup', function () {
    foreach (array_slice(get('releases_list'), (int) get('keep_releases')) as $name) {
        run("rm -rf {{deploy_path}}/releases/$name");
    }
});
task('deploy:success', fn () => writeln('successfully deployed!'));
task('deploy:publish', ['deploy:symlink', 'deploy:unlock', 'deploy:cleanup', 'deploy:success']);
task('deploy', ['deploy:prepare', 'deploy:publish']);
task('deploy:failed', fn () => null);
fail('deploy', 'deploy:failed');

task('rollback', function () {
    $now = basename(run('readlink {{current_path}}'));
    $candidate = get('rollback_candidate');
    writeln("Current release is <fg=red>$now</>.");
    if (!test("[ -d {{deploy_path}}/releases/$candidate ]")) {
        throw new \RuntimeException(parse("Release \"$candidate\" not found in \"{{deploy_path}}/releases\"."));
    }
    if (test("[ -f {{deploy_path}}/releases/$candidate/BAD_RELEASE ]")) {
        // Deployer asks; without a terminal the answer is no.
        writeln('Rollback aborted.');
        return;
    }
    run("ln -nfs releases/$candidate {{current_path}} && touch {{deploy_path}}/releases/$now/BAD_RELEASE");
    writeln("<info>rollback</info> to release <info>$candidate</info> was successful");
});
