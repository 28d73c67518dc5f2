"""Validation 3 sees through empty files, broken scripts, and dry runs in an order that makes the race."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.observation.facts import Script, Topology, Unobserved
from reports.records import Scalar, Verdict
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
        "dry_run_code": 0,
        "dry_run_lines": lines(STEPS),
    }
    return Evidence(Script.model_validate(told | changes), RELEASED)


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
def test_a_script_that_clears_is_red_whosever_views_those_are(topology: Topology | Unobserved) -> None:
    """A clearing command is seen in the script's text, also where nobody knows whose compiled views it clears."""
    finding = judge(replace(script(clears=("view:clear",)), topology=topology), "order")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "deployment.clears")


def dry_run(steps: list[str]) -> Evidence:
    """Return the evidence of a script whose dry run lists these steps."""
    return script(dry_run_lines=lines(steps))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"exists": False, "is_file": False, "bytes": 0}, "absent", id="missing"),
        pytest.param({"is_file": False}, "no-file", id="directory"),
        pytest.param({"bytes": 0}, "empty", id="empty"),
    ],
)
@pytest.mark.parametrize("part", PARTS)
def test_no_part_passes_where_there_is_no_script(changes: dict[str, object], code: str, part: str) -> None:
    """A missing, empty or unreadable script is red in every part, also where an empty file would parse and run."""
    finding = judge(script(**changes), part)
    assert finding.verdict is Verdict.FAIL
    assert finding.code == f"deployment.{code if part == 'exists' else 'nothing-to-read'}"
    assert "/srv/scripts/deploy.sh" in finding.observed


@pytest.mark.parametrize("absent", sorted({name for pair in ORDER for name in pair}))
def test_a_dry_run_without_one_of_the_steps_is_red(absent: str) -> None:
    """No step of the warming sequence may be left out."""
    finding = judge(dry_run([step for step in STEPS if step != absent]), "order")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "deployment.steps-missing")
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
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "deployment.clears-before-publishing")


@pytest.mark.parametrize("place", ["reload", "gate", "unlock"])
def test_clearing_what_was_published_is_red(place: str) -> None:
    """Clearing after publishing clears a live cache, too."""
    at = STEPS.index(place)
    finding = judge(dry_run([*STEPS[:at], "tidy: ./artisan view:clear", *STEPS[at:]]), "order")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "deployment.clears-published")


@pytest.mark.parametrize(("first", "second"), ORDER, ids=[f"{first}-{second}" for first, second in ORDER])
def test_two_steps_in_the_wrong_order_are_red(first: str, second: str) -> None:
    """Each pair of the safe order is held, whatever else is right."""
    steps = [step for step in STEPS if step != second]
    steps.insert(steps.index(first), second)
    finding = judge(dry_run(steps), "order")
    assert (finding.verdict, finding.code) == (Verdict.FAIL, "deployment.out-of-order")
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


def test_the_order_has_no_cycle() -> None:
    """The brief's sequence keeps every pair, so that it can be kept at all."""
    assert all((second, first) not in ORDER for first, second in permutations(STEPS, 2) if (first, second) in ORDER)
    assert all(STEPS.index(first) < STEPS.index(second) for first, second in ORDER)


@pytest.mark.parametrize(
    ("line", "version", "red"),
    [
        pytest.param("artisan view:cache", "9.52.0", True, id="view-cache-of-old"),
        pytest.param("artisan optimize", "10.50.0", False, id="optimize-of-old"),
        pytest.param("artisan optimize", "11.0.0", True, id="optimize"),
        pytest.param("artisan optimize && artisan view:cache", "10.50.0", True, id="both"),
    ],
)
def test_a_line_that_rebuilds_counts_by_what_its_version_does(line: str, version: str, *, red: bool) -> None:
    """view:cache has always cleared first; optimize compiles the views, and so clears them, from Laravel 11 on."""
    told = {"root": "/srv/releases/7", "released": True, "compiled": "/srv/shared/views", "resolved_by": "application"}
    topology = Topology.model_validate({**told, "shared": True})
    evidence = replace(script(rebuilds=(line,), dry_run_lines=()), topology=topology, version=version)
    assert (judge(evidence, "order").code == "deployment.shared-views-rebuilt") is red


def served(
    version: str = "12.60.0", dry_run: tuple[str, ...] = (), rebuilds: tuple[str, ...] = (), **lies: object
) -> Evidence:
    """Return the evidence of a good script on a host where releases lie like this."""
    topology = RELEASED.model_copy(update={"compiled": "/srv/views"} | lies)
    return replace(script(dry_run_lines=dry_run, rebuilds=rebuilds), topology=topology, version=version)


def without_dry_run(**changes: object) -> Evidence:
    """Return the evidence of a script that was asked for no dry run, with changes."""
    return script(**{"dry_run_code": None, "dry_run_lines": ()} | changes)


@pytest.mark.parametrize(
    ("part", "evidence", "code", "figures"),
    [
        pytest.param("exists", script(), "there", {"bytes": 4000.0}, id="exists"),
        pytest.param("executable", script(), "executable", {}, id="executable"),
        pytest.param("parses", script(parser="php -l"), "parses", {}, id="parses"),
        pytest.param("order", script(), "in-order", {"steps": 13}, id="order"),
        pytest.param("order", without_dry_run(), "clears-nothing", {}, id="not-asked"),
        pytest.param(
            "order",
            served(released=False, container=True, rebuilds=("artisan view:cache",), dry_run=lines(STEPS)),
            "in-order",
            {"steps": 13},
            id="in-place-of-an-image",
        ),
        pytest.param(
            "order",
            replace(without_dry_run(), topology=RELEASED.model_copy(update={"deployer": ("/d",)})),
            "clears-nothing",
            {},
            id="deployer-with-views-of-the-release",
        ),
    ],
)
def test_a_script_in_a_safe_order_passes(part: str, evidence: Evidence, code: str, figures: dict[str, Scalar]) -> None:
    """The brief's sequence, warmed before it is published, is green; without a dry run the script's text is."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.PASS, f"deployment.{code}")
    assert finding.figures == figures


@pytest.mark.parametrize(
    ("part", "evidence", "code", "told"),
    [
        pytest.param("executable", script(executable=False), "not-executable", "/deploy.sh", id="not-executable"),
        pytest.param("parses", script(parse_error="line 3: EOF"), "unparsable", "line 3: EOF", id="broken"),
        pytest.param("order", script(clears=("artisan view:clear",)), "clears", "artisan view:clear", id="clears"),
        pytest.param("order", without_dry_run(dry_run_error="denied"), "dry-run-broke", "denied", id="not-started"),
        pytest.param("order", script(dry_run_code=2, dry_run_error="why"), "dry-run-failed", "2: why", id="code-2"),
        pytest.param("order", script(dry_run_code=2), "dry-run-failed", "2: no word", id="silent-failure"),
        pytest.param("order", script(dry_run_lines=()), "no-steps", "", id="says-nothing"),
        pytest.param("order", script(dry_run_lines=("warm-views", "publish")), "no-steps", "", id="words-alone"),
        pytest.param(
            "order",
            dry_run([step for step in STEPS if step not in ("gate", "lock", "prune", "build")]),
            "steps-missing",
            "build, gate, lock and 1 more",
            id="steps-missing",
        ),
        pytest.param(
            "order",
            dry_run([*STEPS[:8], "publish: flip, then artisan optimize:clear", *STEPS[9:]]),
            "clears-published",
            "flip, then artisan optimize:clear",
            id="cleared-while-publishing",
        ),
        pytest.param(
            "order",
            dry_run([*STEPS[:9], "tidy: artisan cache:clear", *STEPS[9:]]),
            "clears-published",
            "tidy clears what was published: artisan cache:clear",
            id="cache-cleared-after-publishing",
        ),
        pytest.param(
            "order",
            served(shared=True, dry_run=lines(STEPS)),
            "shared-views-rebuilt",
            "/srv/views, and a deploy compiles the views in it anew: step 06 warm-views",
            id="shared-by-a-dry-run",
        ),
        pytest.param(
            "order",
            served(shared=True, rebuilds=("artisan view:cache", "artisan optimize")),
            "shared-views-rebuilt",
            "`artisan view:cache`, `artisan optimize`",
            id="shared-by-lines",
        ),
        pytest.param(
            "order",
            served(shared=True, deployer=("/srv/.dep", "/srv/.dep/log")),
            "shared-views-rebuilt",
            "(/srv/.dep)",
            id="shared-by-deployer",
        ),
        pytest.param(
            "order",
            served("10.48.0", shared=True, deployer=("/srv/.dep",), dry_run=lines(STEPS[:5])),
            "steps-missing",
            "filament-optimize, gate, prune and 5 more",
            id="shared-by-deployer-of-an-old-version",
        ),
        pytest.param(
            "order",
            served("", shared=True, rebuilds=("artisan optimize",)),
            "no-steps",
            "",
            id="shared-and-optimized-by-no-known-version",
        ),
        pytest.param(
            "order",
            served(released=False, rebuilds=("artisan view:cache",)),
            "rebuilt-in-place",
            "/srv/views, which is being served: `artisan view:cache`",
            id="in-place",
        ),
    ],
)
def test_a_script_that_cannot_deploy_is_red(part: str, evidence: Evidence, code: str, told: str) -> None:
    """What keeps the script from deploying safely is told in its own part, with the line or the place."""
    finding = judge(evidence, part)
    assert (finding.verdict, finding.code) == (Verdict.FAIL, f"deployment.{code}")
    assert told in finding.observed


@pytest.mark.parametrize(
    ("evidence", "code", "told"),
    [
        pytest.param(
            replace(
                without_dry_run(), topology=RELEASED.model_copy(update={"shared": True, "deployer": ("/srv/.dep",)})
            ),
            "version-not-known",
            "",
            id="shared-by-deployer-of-no-known-version",
        ),
        pytest.param(
            replace(script(), topology=Unobserved("no console")), "releases-not-known", "no console", id="mute"
        ),
        pytest.param(
            served(resolved_by="convention", dry_run=lines(STEPS)), "place-not-told", "/srv/views", id="usual"
        ),
    ],
)
def test_whose_views_are_warmed_may_be_unknown(evidence: Evidence, code: str, told: str) -> None:
    """An order that looks safe is not known to be where nobody knows whose compiled views it warms."""
    finding = judge(evidence, "order")
    assert (finding.verdict, finding.code) == (Verdict.UNKNOWN, f"deployment.{code}")
    assert told in finding.observed
