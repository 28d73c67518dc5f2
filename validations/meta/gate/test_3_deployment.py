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
from validations.contracts import DECLARED, RESOLVED
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
        pytest.param({"exists": False, "is_file": False, "bytes": 0}, "absent", id="missing"),
        pytest.param({"is_file": False, "bytes": 0}, "no-file", id="directory"),
        pytest.param({"bytes": 0}, "empty", id="empty"),
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_no_part_passes_where_there_is_no_script(changes: dict[str, object], said: str, part: str) -> None:
    """A missing, empty or unreadable script is red in every part, also where an empty file would parse and run."""
    finding = judge(script(**changes), part)
    assert finding.verdict is Verdict.FAIL
    assert finding.code == f"deployment.{said if part == 'exists' else 'nothing-to-read'}"


@pytest.mark.parametrize(
    ("part", "changes", "code", "said"),
    [
        pytest.param(
            "executable", {"executable": False}, "not-executable", "/srv/scripts/deploy.sh", id="not-executable"
        ),
        pytest.param(
            "parses", {"parse_error": "line 3: unexpected EOF"}, "unparsable", "line 3: unexpected EOF", id="broken"
        ),
        pytest.param(
            "executable",
            {"interpreter": "/bin/bsh", "interpreter_found": False},
            "no-interpreter",
            "/bin/bsh",
            id="no-shell",
        ),
        pytest.param(
            "executable",
            {"interpreter": "bash\r", "interpreter_found": False},
            "no-interpreter",
            "bash\\r",
            id="crlf-shell",
        ),
        pytest.param(
            "executable", {"mode": "0777", "owner": "deploy"}, "open-to-all", "mode 0777, of deploy", id="open-to-all"
        ),
        pytest.param("parses", {"text": TEXT.replace("9\n", "9\r\n")}, "carriage-return", "line 4", id="crlf"),
        pytest.param("order", {"text": CLEARING}, "clears-live", "line 3: `php artisan view:clear`", id="clears"),
        pytest.param("order", {"dry_run_removed": 3}, "dry-run-removed", "3 compiled views", id="dry-run-that-clears"),
        pytest.param(
            "order",
            {"dry_run_code": 2, "dry_run_error": "no such option"},
            "dry-run-failed",
            "no such option",
            id="code-2",
        ),
        pytest.param("order", {"dry_run_code": 2}, "dry-run-failed", "2", id="silent-failure"),
        pytest.param(
            "order",
            {"dry_run_code": None, "dry_run_lines": (), "dry_run_error": "it could not be started: Permission denied"},
            "dry-run-broke",
            "Permission denied",
            id="not-started",
        ),
        pytest.param("order", {"dry_run_lines": ()}, "no-steps", "", id="says-nothing"),
        pytest.param("order", {"dry_run_lines": ("warm-views", "publish")}, "no-steps", "", id="words-alone"),
    ],
)
def test_a_script_that_cannot_deploy_is_red(part: str, changes: dict[str, object], code: str, said: str) -> None:
    """What keeps the script from deploying safely is told in its own part."""
    finding = judge(script(**changes), part)
    assert finding.verdict is Verdict.FAIL
    assert finding.code == f"deployment.{code}"
    assert said in finding.observed


@pytest.mark.parametrize("absent", sorted({name for pair in ORDER for name in pair}))
def test_a_dry_run_without_one_of_the_steps_is_red(absent: str) -> None:
    """No step of the warming sequence may be left out."""
    finding = judge(dry_run([step for step in STEPS if step != absent]), "order")
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "deployment.steps-missing"
    assert absent in finding.observed


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
    finding = judge(dry_run([*STEPS[:5], step, *STEPS[5:]]), "order")
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "deployment.clears-before-publishing"


@pytest.mark.parametrize("place", ["reload", "gate", "unlock"])
def test_clearing_what_was_published_is_red(place: str) -> None:
    """Clearing after publishing clears a live cache, too."""
    at = STEPS.index(place)
    finding = judge(dry_run([*STEPS[:at], "tidy: ./artisan view:clear", *STEPS[at:]]), "order")
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "deployment.clears-published"


@pytest.mark.parametrize(("first", "second"), ORDER, ids=[f"{first}-{second}" for first, second in ORDER])
def test_two_steps_in_the_wrong_order_are_red(first: str, second: str) -> None:
    """Each pair of the safe order is held, whatever else is right."""
    steps = [step for step in STEPS if step != second]
    steps.insert(steps.index(first), second)
    finding = judge(dry_run(steps), "order")
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "deployment.out-of-order"
    assert f"{first} before {second}" in finding.expected


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
    finding = judge(script(dry_run_code=None, dry_run_lines=()), "order")
    assert finding.verdict is Verdict.PASS
    assert finding.code == "deployment.safe-order"
    assert "deployment.dry_run" in finding.observed


def test_the_order_has_no_cycle() -> None:
    """The brief's sequence keeps every pair, so that it can be kept at all."""
    assert all((second, first) not in ORDER for first, second in permutations(STEPS, 2) if (first, second) in ORDER)
    assert all(STEPS.index(first) < STEPS.index(second) for first, second in ORDER)


def test_views_that_all_releases_share_are_red_where_a_deploy_warms_them() -> None:
    """A dry run that warms the views rewrites what is being served where all releases share them, and only there."""
    told = {"root": "/srv/releases/7", "released": True, "compiled": "/srv/shared/views", "resolved_by": "application"}
    own, common = (Topology.model_validate({**told, "shared": shared}) for shared in (False, True))
    assert judge(replace(script(), topology=own), "order").verdict is Verdict.PASS
    finding = judge(replace(script(), topology=common), "order")
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "deployment.shared-views-rebuilt"
    assert "/srv/shared/views" in finding.observed


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
    assert (judge(evidence, "order").code == "deployment.shared-views-rebuilt") is red


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
    finding = judge(script(dry_run_lines=told), "order")
    assert finding.verdict is verdict, finding
    assert finding.seen_by == "--dry-run"
    assert said in finding.reason


def test_a_dry_run_that_differs_from_the_text_is_red() -> None:
    """Where both are safe and not alike, one of them is not what is done."""
    text = "set -e; flock -n 9; cd /srv/current; php artisan down\ngit pull\nphp artisan view:cache\nphp artisan up\n"
    finding = judge(script(text=text), "order")
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "deployment.dry-run-differs"
    assert "warm-views < publish < reload" in finding.observed


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
        finding = judge(replace(script(), setting=setting), part)
        assert finding.verdict is Verdict.NOT_APPLICABLE
        assert kind in finding.observed


def served(version: str = "12.60.0", dry_run: tuple[str, ...] = (), text: str = TEXT, **lies: object) -> Evidence:
    """Return the evidence of a good script on a host where releases lie like this."""
    topology = RELEASED.model_copy(update={"compiled": "/srv/views"} | lies)
    return replace(script(dry_run_lines=dry_run, text=text), topology=topology, version=version)


@pytest.mark.parametrize(
    ("evidence", "verdict", "code"),
    [
        pytest.param(script(), Verdict.PASS, "in-order", id="in-order"),
        pytest.param(script(dry_run_code=None, dry_run_lines=()), Verdict.PASS, "safe-order", id="by-its-text"),
        pytest.param(
            served(shared=True, dry_run=lines(STEPS)), Verdict.FAIL, "shared-views-rebuilt", id="shared-by-a-dry-run"
        ),
        pytest.param(served(shared=True), Verdict.FAIL, "shared-views-rebuilt", id="shared-by-lines"),
        pytest.param(
            served(shared=True, deployer=("/srv/.dep",)), Verdict.FAIL, "shared-views-rebuilt", id="shared-by-deployer"
        ),
        pytest.param(served(text=PULLED), Verdict.FAIL, "rebuilds-live", id="in-place"),
        pytest.param(
            served(text=PULLED, container=True, dry_run=lines(STEPS)),
            Verdict.FAIL,
            "dry-run-differs",
            id="in-place-of-an-image-and-listed-otherwise",
        ),
        pytest.param(
            replace(script(dry_run_code=None), version="", topology=RELEASED.model_copy(update={"deployer": ("/d",)})),
            Verdict.PASS,
            "safe-order",
            id="deployer-with-views-of-the-release",
        ),
        pytest.param(
            replace(script(), topology=Unobserved("no console")),
            Verdict.UNKNOWN,
            "releases-not-known",
            id="no-topology",
        ),
        pytest.param(
            replace(script(), topology=RELEASED.model_copy(update={"resolved_by": "convention"})),
            Verdict.UNKNOWN,
            "place-not-told",
            id="by-convention",
        ),
        pytest.param(script(cut=True), Verdict.UNKNOWN, "too-long", id="cut"),
    ],
)
def test_an_order_comes_to_its_code(evidence: Evidence, verdict: Verdict, code: str) -> None:
    """What lies on the host, what the text does and what the dry run lists are judged together, by their codes."""
    finding = judge(evidence, "order")
    assert (finding.verdict, finding.code) == (verdict, f"deployment.{code}")
    assert finding.level in {DECLARED, RESOLVED, None}
