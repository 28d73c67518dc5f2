"""Validation 3 sees through empty files, broken scripts, and dry runs in an order that makes the race."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.environments.settings import Deployment
from fixtures.observation.facts import Script, Topology, Unobserved
from reports.records import Verdict
from validations.contracts import Judgement, failed, passed, unknown
from validations.gate.test_3_deployment import ORDER, Evidence, judge

STEPS = [
    "lock",
    "preflight",
    "release",
    "link-shared",
    "build",
    "warm-views",
    "filament-optimize",
    "verify",
    "publish",
    "reload",
    "gate",
    "prune",
    "unlock",
]
PARTS = ("exists", "executable", "parses", "order")
TEXT = """#!/usr/bin/env bash
set -euo pipefail
exec 9>/srv/lock
flock -n 9
new=/srv/releases/$(date +%s)
git clone -q git@example.org:shop.git "$new"
php "$new/artisan" view:cache
ln -s "$new" /srv/current.new
mv -T /srv/current.new /srv/current
systemctl reload php-fpm
"""


PULLED = "cd /srv/current; set -e; flock -n 9\ngit pull\n\nphp artisan view:cache\n"
CLEARING = TEXT.replace("exec 9", "php artisan view:clear\nexec 9")


def lines(steps: list[str]) -> tuple[str, ...]:
    """Return the lines of a dry run with these steps, each `name` or `name: what`."""
    named = (step if ":" in step else f"{step}: what it does" for step in steps)
    return tuple(f"step {number:02} {step}" for number, step in enumerate(named, 1))


def script(**changes: object) -> Evidence:
    """Return the evidence of a good script, with changes."""
    told: dict[str, object] = {
        "path": "/srv/scripts/deploy.sh",
        "exists": True,
        "is_file": True,
        "bytes": 4_000,
        "executable": True,
        "text": TEXT,
        "dry_run_code": 0,
        "dry_run_lines": lines(STEPS),
    }
    return Evidence(Script.model_validate(told | changes), RELEASED, "12.60.0", root="/srv/current")


RELEASED = Topology(
    root="/srv/releases/7",
    released=True,
    compiled="/srv/releases/7/storage/framework/views",
    resolved_by="application",
    shared=False,
)


@pytest.mark.parametrize(
    "topology",
    [Unobserved("no console"), RELEASED.model_copy(update={"resolved_by": "convention"})],
    ids=["not-told", "by-convention"],
)
def test_a_script_whose_views_may_be_served_is_unknown(topology: Topology | Unobserved) -> None:
    """Where nobody knows whether compiled views belong to one release, an order that looks safe is not known to be."""
    assert judge(replace(script(), topology=topology), "order").verdict is Verdict.UNKNOWN
    assert judge(replace(script(text=CLEARING), topology=topology), "order").verdict is Verdict.FAIL


def dry_run(steps: list[str]) -> Evidence:
    """Return the evidence of a script whose dry run lists these steps."""
    return script(dry_run_lines=lines(steps))


@pytest.mark.parametrize("part", PARTS)
def test_a_script_in_a_safe_order_passes(part: str) -> None:
    """The brief's sequence, warmed before it is published, is green."""
    assert judge(script(), part).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"exists": False, "is_file": False, "bytes": 0}, "is not there", id="missing"),
        pytest.param({"is_file": False, "bytes": 0}, "not a file", id="directory"),
        pytest.param({"bytes": 0}, "is empty", id="empty"),
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_no_part_passes_where_there_is_no_script(changes: dict[str, object], said: str, part: str) -> None:
    """A missing, empty or unreadable script is red in every part, also where an empty file would parse and run."""
    judgement = judge(script(**changes), part)
    assert judgement.verdict is Verdict.FAIL
    assert (said if part == "exists" else "no script at") in judgement.reason


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        pytest.param("executable", {"executable": False}, "may not run", id="not-executable"),
        pytest.param("parses", {"parse_error": "line 3: unexpected EOF"}, "line 3: unexpected EOF", id="broken"),
        pytest.param("executable", {"interpreter": "/bin/bsh", "interpreter_found": False}, "/bin/bsh", id="no-shell"),
        pytest.param("executable", {"interpreter": "bash\r", "interpreter_found": False}, "bash\\r", id="crlf-shell"),
        pytest.param("executable", {"mode": "0777", "owner": "deploy"}, "mode 0777, of deploy", id="open-to-all"),
        pytest.param("parses", {"text": TEXT.replace("9\n", "9\r\n")}, "line 4 ends in a carriage", id="crlf"),
        pytest.param("order", {"text": CLEARING}, "line 3: `php artisan view:clear`", id="clears"),
        pytest.param("order", {"dry_run_removed": 3}, "3 compiled views", id="dry-run-that-clears"),
        pytest.param("order", {"dry_run_code": 2, "dry_run_error": "no such option"}, "no such option", id="code-2"),
        pytest.param("order", {"dry_run_code": 2}, "ended with 2: no word", id="silent-failure"),
        pytest.param(
            "order",
            {"dry_run_code": None, "dry_run_lines": (), "dry_run_error": "it could not be started: Permission denied"},
            "Permission denied",
            id="not-started",
        ),
        pytest.param("order", {"dry_run_lines": ()}, "lists no steps", id="says-nothing"),
        pytest.param("order", {"dry_run_lines": ("warm-views", "publish")}, "lists no steps", id="words-alone"),
    ],
)
def test_a_script_that_cannot_deploy_is_red(part: str, changes: dict[str, object], said: str) -> None:
    """What keeps the script from deploying safely is told in its own part."""
    judgement = judge(script(**changes), part)
    assert judgement.verdict is Verdict.FAIL
    assert said in judgement.reason


@pytest.mark.parametrize("absent", sorted({name for pair in ORDER for name in pair}))
def test_a_dry_run_without_one_of_the_steps_is_red(absent: str) -> None:
    """No step of the warming sequence may be left out."""
    judgement = judge(dry_run([step for step in STEPS if step != absent]), "order")
    assert judgement.verdict is Verdict.FAIL
    assert f"lists no {absent}" in judgement.reason


@pytest.mark.parametrize(
    "step",
    [
        "clear-views: empty the directory",
        "prepare: php artisan view:clear",
        "prepare: php artisan optimize:clear",
        "prepare: rm -rf storage/framework/views",
        "prepare: rm -fr storage/framework/views",
    ],
    ids=["named-clear", "view-clear", "optimize-clear", "rm-rf", "rm-fr"],
)
def test_clearing_before_publishing_is_red(step: str) -> None:
    """A live cache that is cleared before its successor is served is the race itself."""
    judgement = judge(dry_run([*STEPS[:5], step, *STEPS[5:]]), "order")
    assert judgement.verdict is Verdict.FAIL
    assert "clears before publishing" in judgement.reason


@pytest.mark.parametrize("place", ["reload", "gate", "unlock"])
def test_clearing_what_was_published_is_red(place: str) -> None:
    """Clearing after publishing clears a live cache, too."""
    at = STEPS.index(place)
    judgement = judge(dry_run([*STEPS[:at], "tidy: ./artisan view:clear", *STEPS[at:]]), "order")
    assert judgement.verdict is Verdict.FAIL
    assert "clears what was published" in judgement.reason


@pytest.mark.parametrize(("first", "second"), ORDER, ids=[f"{first}-{second}" for first, second in ORDER])
def test_two_steps_in_the_wrong_order_are_red(first: str, second: str) -> None:
    """Each pair of the safe order is held, whatever else is right."""
    steps = [step for step in STEPS if step != second]
    steps.insert(steps.index(first), second)
    judgement = judge(dry_run(steps), "order")
    assert judgement.verdict is Verdict.FAIL
    assert f"but should be {first} before {second}" in judgement.reason


@given(st.permutations(STEPS))
def test_only_orders_that_keep_every_pair_pass(steps: list[str]) -> None:
    """An order is green if and only if each step stands behind those it needs."""
    safe = all(steps.index(first) < steps.index(second) for first, second in ORDER)
    assert (judge(dry_run(steps), "order").verdict is Verdict.PASS) is safe


@pytest.mark.parametrize("step", ["warm-views", "verify", "build"])
def test_a_step_that_is_done_again_after_publishing_is_red(step: str) -> None:
    """A step listed a second time, behind the one it has to precede, is not in order."""
    assert judge(dry_run([*STEPS, step]), "order").verdict is Verdict.FAIL


def test_a_dry_run_that_was_not_asked_for_says_so() -> None:
    """Where nobody allowed a dry run, the part passes on the script's text, and says so."""
    judgement = judge(script(dry_run_code=None, dry_run_lines=()), "order")
    assert judgement.verdict is Verdict.PASS
    assert "deployment.dry_run" in judgement.reason


def test_the_order_has_no_cycle() -> None:
    """The brief's sequence keeps every pair, so that it can be kept at all."""
    assert all((second, first) not in ORDER for first, second in permutations(STEPS, 2) if (first, second) in ORDER)
    assert all(STEPS.index(first) < STEPS.index(second) for first, second in ORDER)


def test_views_that_all_releases_share_are_red_where_a_deploy_warms_them() -> None:
    """A dry run that warms the views rewrites what is being served where all releases share them, and only there."""
    told = {"root": "/srv/releases/7", "released": True, "compiled": "/srv/shared/views", "resolved_by": "application"}
    own, common = (Topology.model_validate({**told, "shared": shared}) for shared in (False, True))
    assert judge(replace(script(), topology=own), "order").verdict is Verdict.PASS
    judgement = judge(replace(script(), topology=common), "order")
    assert judgement.verdict is Verdict.FAIL
    assert "warm-views" in judgement.reason
    assert "/srv/shared/views" in judgement.reason


@pytest.mark.parametrize(
    ("line", "version", "red"),
    [
        pytest.param("view:cache", "9.52.0", True, id="view-cache-of-old"),
        pytest.param("optimize", "10.50.0", False, id="optimize-of-old"),
        pytest.param("optimize", "11.0.0", True, id="optimize"),
    ],
)
def test_a_line_that_rebuilds_counts_by_what_its_version_does(line: str, version: str, *, red: bool) -> None:
    """view:cache has always cleared first; optimize compiles the views, and so clears them, from Laravel 11 on."""
    told = {"root": "/srv/releases/7", "released": True, "compiled": "/srv/shared/views", "resolved_by": "application"}
    topology = Topology.model_validate({**told, "shared": True})
    text = TEXT.replace("view:cache", line)
    evidence = replace(script(text=text, dry_run_code=None, dry_run_lines=()), topology=topology, version=version)
    assert ("all releases share" in judge(evidence, "order").reason) is red


TRACE = ("+ git clone -q url /srv/releases/8", "+ php /srv/releases/8/artisan view:cache",
    "++ date", "+ ln -sfn /srv/releases/8 /srv/current", "+ systemctl reload php-fpm")  # fmt: skip


@pytest.mark.parametrize(
    ("told", "verdict", "said"),
    [
        pytest.param(TRACE, Verdict.PASS, "line 2", id="as-it-is"),
        pytest.param((*TRACE, "+ php artisan view:clear"), Verdict.FAIL, "clears what is being served", id="clears"),
        pytest.param((TRACE[0], TRACE[3], TRACE[1], TRACE[4]), Verdict.FAIL, "line 3", id="published-first"),
        pytest.param(
            (TRACE[0], TRACE[4], TRACE[1], TRACE[3], "+ curl -fsS https://a/opcache"), Verdict.PASS, "", id="twice"
        ),
        pytest.param((*TRACE, "+ $HOOK"), Verdict.UNKNOWN, "$HOOK", id="not-known"),
    ],
)
def test_what_set_x_prints_is_read_as_a_dry_run(told: tuple[str, ...], verdict: Verdict, said: str) -> None:
    """The commands of `set -x` are judged by the same rules as the text, beside it."""
    judgement = judge(script(dry_run_lines=told), "order")
    assert judgement.verdict is verdict, judgement
    assert judgement.seen_by == "--dry-run"
    assert said in judgement.reason


def test_a_dry_run_that_differs_from_the_text_is_red() -> None:
    """Where both are safe and not alike, one of them is not what is done."""
    text = "set -e; flock -n 9; cd /srv/current; php artisan down\ngit pull\nphp artisan view:cache\nphp artisan up\n"
    judgement = judge(script(text=text), "order")
    assert judgement.verdict is Verdict.FAIL
    assert "another order than its text: warm-views < publish < reload, and not warm-views" in judgement.reason


def test_a_command_of_the_applications_own_is_what_its_dry_run_lists() -> None:
    """A script that leaves all to `artisan deploy` is unknown by its text, and known by the steps that it lists."""
    text = '#!/bin/sh\nexec ./artisan deploy "$@"\n'
    assert judge(script(text=text, dry_run_code=None, dry_run_lines=()), "order").verdict is Verdict.UNKNOWN
    assert judge(script(text=text), "order").verdict is Verdict.PASS
    assert judge(script(text=text.replace("./artisan deploy", "./deploy")), "order").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("kind", ["capistrano", "kamal", "dockerfile"])
def test_a_deployment_in_a_language_that_is_not_read_does_not_apply(kind: str) -> None:
    """What nobody reads here is not applicable, with its reason, and never green."""
    setting = Deployment.model_validate({"kind": kind, "path": "config/deploy.rb"})
    for part in ("parses", "order"):
        judgement = judge(replace(script(), setting=setting), part)
        assert judgement.verdict is Verdict.NOT_APPLICABLE
        assert kind in judgement.observed


def served(version: str = "12.60.0", dry_run: tuple[str, ...] = (), text: str = TEXT, **lies: object) -> Evidence:
    """Return the evidence of a good script on a host where releases lie like this."""
    topology = RELEASED.model_copy(update={"compiled": "/srv/views"} | lies)
    return replace(script(dry_run_lines=dry_run, text=text), topology=topology, version=version)


PLACE = "the compiled path's real place"
OWN = "compiled views that belong to one release, warmed before it is published"
SHARE = (
    "set VIEW_COMPILED_PATH to a directory of the release (bootstrap/cache/views, say), and share only what has to be:"
    " storage/app and storage/logs"
)


@pytest.mark.parametrize(
    ("part", "evidence", "told"),
    [
        pytest.param("exists", script(), passed("/srv/scripts/deploy.sh, 4,000 bytes", bytes=4000.0), id="exists"),
        pytest.param("executable", script(), passed("the runtime user may run it"), id="executable"),
        pytest.param("parses", script(parser="php -l"), passed("php -l can read it"), id="parses"),
        pytest.param("order", script(),
            passed("13 steps, warm-views before publish", seen_by="--dry-run", steps=13), id="order"),
        pytest.param("exists", script(exists=False),
            failed("/srv/scripts/deploy.sh is not there", "the deployment script"), id="missing"),
        pytest.param("exists", script(is_file=False),
            failed("/srv/scripts/deploy.sh is not a file, or a link to nowhere", "the deployment script"),
            id="no-file"),
        pytest.param("exists", script(bytes=0),
            failed("/srv/scripts/deploy.sh is empty", "the deployment script"), id="empty"),
        pytest.param("executable", script(exists=False),
            failed("there is no script at /srv/scripts/deploy.sh to look into", "the deployment script"),
            id="nothing-to-look-into"),
        pytest.param("executable", script(executable=False),
            failed("the runtime user may not run /srv/scripts/deploy.sh", "executable",
                remedy="chmod 0755 /srv/scripts/deploy.sh"), id="not-executable"),
        pytest.param("parses", script(parse_error="line 3: unexpected EOF"),
            failed("bash -n cannot read it: line 3: unexpected EOF", "a script that parses"), id="broken"),
        pytest.param("order", script(text=CLEARING),
            failed("line 3: `php artisan view:clear` clears what is being served (/srv/current is live)",
                "nothing that is being served is cleared before its successor stands",
                remedy="drop `php artisan view:clear`: warm a new release and publish it, with compiled views of"
                " its own",
                seen_by="the script's text"), id="clears"),
        pytest.param("order", script(dry_run_code=None, dry_run_error="Permission denied"),
            failed("its dry run came to nothing: Permission denied", "the list of steps", seen_by="--dry-run"),
            id="not-started"),
        pytest.param("order", script(dry_run_code=None),
            passed("warms at line 7, publishes at line 9, and clears nothing that is served; effect not exercised:"
                " deployment.dry_run is not set for this environment", seen_by="the script's text"),
            id="not-asked"),
        pytest.param("order", script(dry_run_code=2),
            failed("its dry run ended with 2: no word", "0, and the list of steps",
                remedy="run /srv/scripts/deploy.sh --dry-run by hand, and mend what it complains of",
                seen_by="--dry-run"), id="ended-with-2"),
        pytest.param("order", script(dry_run_code=2, dry_run_error="no such option"),
            failed("its dry run ended with 2: no such option", "0, and the list of steps",
                remedy="run /srv/scripts/deploy.sh --dry-run by hand, and mend what it complains of",
                seen_by="--dry-run"), id="ended-with-2-and-said"),
        pytest.param("order", script(dry_run_lines=()),
            failed("its dry run lists no steps", "lines such as `step 01 lock: …`", seen_by="--dry-run"),
            id="no-steps"),
        pytest.param("order", dry_run([step for step in STEPS if step not in ("gate", "lock", "prune", "build")]),
            failed("its dry run lists no build, gate, lock and 1 more", "every step of the warming sequence",
                seen_by="--dry-run"), id="steps-missing"),
        pytest.param("order", dry_run([*STEPS[:5], "prepare: artisan view:clear", *STEPS[5:]]),
            failed("step prepare clears before publishing: artisan view:clear",
                "nothing cleared before its successor is served",
                remedy="drop the step: warm-views compiles into the new release, beside the one being served",
                seen_by="--dry-run"), id="cleared-before"),
        pytest.param("order", dry_run([*STEPS[:9], "tidy: artisan cache:clear", *STEPS[9:]]),
            failed("step tidy clears what was published: artisan cache:clear", "nothing cleared that is being served",
                remedy="drop the step: visitors would have to wait for every view to be compiled again",
                seen_by="--dry-run"), id="cleared-after"),
        pytest.param("order", dry_run([*STEPS[:8], "publish: flip, then artisan optimize:clear", *STEPS[9:]]),
            failed("step publish clears what was published: flip, then artisan optimize:clear",
                "nothing cleared that is being served",
                remedy="drop the step: visitors would have to wait for every view to be compiled again",
                seen_by="--dry-run"), id="cleared-while-publishing"),
        pytest.param("order", dry_run([*STEPS[:8], "reload", "publish", *STEPS[10:]]),
            failed("reload comes before publish",
                "publish before reload: lock < release < build < warm-views < verify < publish < reload <"
                " gate < prune", seen_by="--dry-run"), id="not-in-order"),
        pytest.param("order", dry_run([*STEPS, "verify"]),
            failed("publish comes before verify",
                "verify before publish: lock < release < build < warm-views < verify < publish < reload <"
                " gate < prune", seen_by="--dry-run"), id="done-again-too-late"),
        pytest.param("order", served(shared=True, dry_run=lines(STEPS)),
            failed("all releases share /srv/views, and a deploy compiles the views in it anew: step 06"
                " warm-views: what it does", OWN, remedy=SHARE, seen_by=PLACE), id="shared-by-a-dry-run"),
        pytest.param("order", served(shared=True),
            failed("all releases share /srv/views, and a deploy compiles the views in it anew: line 7: `php"
                ' "$new/artisan" view:cache` clears what is being served before it compiles it anew (/srv/current is'
                " live, /srv/releases/$(date +%s) is being built)", OWN, remedy=SHARE, seen_by=PLACE),
            id="shared-by-lines"),
        pytest.param("order", served(shared=True, deployer=("/srv/.dep", "/srv/.dep/log")),
            failed("all releases share /srv/views, and a deploy compiles the views in it anew: Deployer's"
                " artisan:optimize (/srv/.dep)", OWN, remedy=SHARE, seen_by=PLACE), id="shared-by-deployer"),
        pytest.param("order", served(text=PULLED),
            failed("line 4: `php artisan view:cache` clears what is being served before it compiles it anew"
                " (/srv/current is live)", "a release of its own, warmed and then published by one rename",
                remedy="run `php artisan view:cache` in the release that is being built, before it is published, with"
                " compiled views of its own (VIEW_COMPILED_PATH below the release)", seen_by="the script's text"),
            id="in-place"),
        pytest.param("order", served(text=PULLED, container=True, dry_run=lines(STEPS)),
            failed("its dry run lists another order than its text: warm-views < publish < reload, and not warm-views",
                "a dry run that lists what is done",
                remedy="let the dry run and the deployment go through the same list of steps", seen_by="--dry-run"),
            id="in-place-of-an-image-and-listed-otherwise"),
        pytest.param("order",
            replace(script(dry_run_code=None), version="", topology=RELEASED.model_copy(update={"deployer": ("/d",)})),
            passed("warms at line 7, publishes at line 9, and clears nothing that is served; effect not exercised:"
                " deployment.dry_run is not set for this environment", seen_by="the script's text"),
            id="deployer-with-views-of-the-release"),
        pytest.param("order", replace(script(), topology=Unobserved("no console")),
            unknown("how releases lie on this host is not known: no console"), id="topology-not-told"),
        pytest.param("order", replace(script(), topology=RELEASED.model_copy(update={"resolved_by": "convention"})),
            unknown("the application does not tell where its compiled views are:"
                " /srv/releases/7/storage/framework/views may not be it"), id="topology-by-convention"),
    ],
)  # fmt: skip
def test_what_an_operator_reads(part: str, evidence: Evidence, told: Judgement) -> None:
    """An operator reads what was seen, what it should be, how it was looked at and what to do, in these words."""
    assert judge(evidence, part) == told
