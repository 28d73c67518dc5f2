"""The one merge of verdicts and the one exit code: fail closed, whatever comes and in whatever order."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.records import Outcome, Plan, Verdict
from reports.verdict import State, exit_code, judge, worst
from validations.meta.reports_samples import outcome, plan, planned, verdicts, waiver

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
WAIVED = Verdict.WAIVED
SEVERITY = {PASS: 0, UNKNOWN: 1, FAIL: 2}
"""Of a gate's verdicts, and of what an observed part may say."""

BOOTED = planned("middleware/web-1/booted", number=1)
EFFECT = planned("middleware/web-1/effect", number=1)
PAGE = planned("page/web-1/page", number=7)
UPTIME = planned("availability/web-1/share", number=0, required=False)
RECOVERY = planned("recovery/web-1/seconds", number=0, required=True)


@pytest.mark.parametrize("verdicts", list(product(Verdict, repeat=2)), ids="-".join)
def test_the_worse_of_two_verdicts_wins(verdicts: tuple[Verdict, Verdict]) -> None:
    """Fail outranks unknown, waived and pass, in this order, and not-applicable is only what nothing outranks."""
    for expected in (FAIL, UNKNOWN, WAIVED, PASS, NOT_APPLICABLE):
        if expected in verdicts:
            assert worst(verdicts) is expected
            return


def test_nothing_observed_is_unknown() -> None:
    """Nothing is never pass."""
    assert worst([]) is UNKNOWN


@pytest.mark.parametrize(
    ("first", "second", "cell", "gate"),
    [
        pytest.param(PASS, PASS, PASS, PASS, id="all-pass"),
        pytest.param(PASS, FAIL, FAIL, FAIL, id="one-fails"),
        pytest.param(PASS, UNKNOWN, UNKNOWN, UNKNOWN, id="one-unknown"),
        pytest.param(FAIL, UNKNOWN, FAIL, FAIL, id="fail-outranks-unknown"),
        pytest.param(PASS, NOT_APPLICABLE, PASS, PASS, id="one-not-applicable"),
        pytest.param(NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, UNKNOWN, id="nothing-applies"),
        pytest.param(PASS, None, UNKNOWN, FAIL, id="one-not-run"),
        pytest.param(NOT_APPLICABLE, None, UNKNOWN, FAIL, id="not-applicable-and-not-run"),
        pytest.param(UNKNOWN, None, UNKNOWN, FAIL, id="unknown-and-not-run"),
        pytest.param(None, None, UNKNOWN, FAIL, id="none-run"),
    ],
)
def test_a_cell_has_the_worst_of_its_parts(
    first: Verdict, second: Verdict | None, cell: Verdict, gate: Verdict
) -> None:
    """A cell passes only if every planned part was observed; a part that did not run fails the gate."""
    said = [("booted", first), ("effect", second)]
    came = [outcome(f"middleware/web-1/{part}", verdict) for part, verdict in said if verdict is not None]
    judged = judge(plan(BOOTED, EFFECT), came)
    assert [one.verdict for one in judged.validations] == [cell]
    assert judged.verdict is gate


@pytest.mark.parametrize(
    ("share", "seconds", "gate"),
    [
        pytest.param(PASS, PASS, PASS, id="both-met"),
        pytest.param(FAIL, PASS, FAIL, id="one-missed"),
        pytest.param(UNKNOWN, PASS, PASS, id="unknown-where-not-required"),
        pytest.param(PASS, UNKNOWN, UNKNOWN, id="unknown-where-required"),
        pytest.param(None, PASS, FAIL, id="one-not-run"),
        pytest.param(NOT_APPLICABLE, NOT_APPLICABLE, PASS, id="none-applies"),
    ],
)
def test_objectives_count_beside_the_eight(share: Verdict | None, seconds: Verdict, gate: Verdict) -> None:
    """A missed objective fails the gate; one that could not be measured counts only where it is required."""
    said = [("page/web-1/page", PASS), ("availability/web-1/share", share), ("recovery/web-1/seconds", seconds)]
    judged = judge(plan(PAGE, UPTIME, RECOVERY), [outcome(name, verdict) for name, verdict in said if verdict])
    assert judged.verdict is gate
    assert [cell.check for cell in judged.validations] == ["page"]
    assert [cell.check for cell in judged.objectives] == ["availability", "recovery"]


def test_a_gate_without_cells_does_not_pass() -> None:
    """No host, no cell, no pass."""
    assert judge(plan(), []).verdict is FAIL
    assert judge(plan(UPTIME), [outcome("availability/web-1/share")]).verdict is FAIL


@pytest.mark.parametrize("name", ["page/web-1/other", "page/web-9/page", "stray/web-1/page"])
def test_an_outcome_nobody_planned_fails_the_gate(name: str) -> None:
    """A pass that is not in the ledger is a mistake of the suite and is told as one."""
    judged = judge(plan(PAGE), [outcome("page/web-1/page"), outcome(name)])
    assert judged.verdict is FAIL
    (stray,) = [part for part in judged.parts if part.state is State.UNPLANNED]
    assert (stray.verdict, "/".join(stray.planned.key)) == (FAIL, name)
    assert "nobody planned" in stray.reason


def test_a_part_that_was_running_when_its_process_ended_fails_the_gate() -> None:
    """An earlier attempt that passed does not stand for the one that never came to an end."""
    judged = judge(plan(PAGE), [outcome("page/web-1/page")], interrupted={PAGE.key: "worker crashed"})
    assert judged.verdict is FAIL
    assert (judged.parts[0].state, judged.parts[0].reason) == (State.INTERRUPTED, "worker crashed")
    assert judged.validations[0].verdict is UNKNOWN


def test_a_troubled_run_does_not_pass() -> None:
    """A run that was interrupted proves nothing, even if everything planned came out before."""
    judged = judge(plan(PAGE), [outcome("page/web-1/page")], trouble="interrupted: SIGTERM")
    assert judged.verdict is FAIL
    assert judged.reason == "interrupted: SIGTERM"


def test_the_worst_attempt_of_a_part_counts() -> None:
    """Trying again until it passes is no way to pass."""
    attempts = [outcome("page/web-1/page", FAIL, reason="blank"), outcome("page/web-1/page", attempt=2)]
    judged = judge(plan(PAGE), attempts)
    assert judged.verdict is FAIL
    assert judged.parts[0].reason == "blank"


def test_checks_stand_in_the_order_of_the_brief() -> None:
    """Whatever the order of the plan, the table starts with the first of the eight; hosts keep theirs."""
    second = planned("writable/web-2/views", number=2), planned("writable/web-1/views", number=2)
    judged = judge(plan(PAGE, *second, BOOTED), [])
    told = [(cell.number, cell.host) for cell in judged.validations]
    assert told == [(1, "web-1"), (2, "web-2"), (2, "web-1"), (7, "web-1")]


@pytest.mark.parametrize("others_failed", [False, True], ids=["others-fine", "others-failed"])
@pytest.mark.parametrize("gate", list(Verdict), ids=str)
@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5, 6, 99], ids=str)
def test_the_exit_code_is_zero_only_for_a_gate_that_passed(status: int, gate: Verdict, *, others_failed: bool) -> None:
    """0 passed, 1 failed, 6 inconclusive; what pytest or a plugin ended otherwise stays as it was."""
    code = exit_code(status, gate, others_failed=others_failed)
    if status >= 2:
        assert code == status
    elif gate is FAIL or others_failed:
        assert code == 1
    else:
        assert code == (0 if gate is PASS else 6)


PLAN = plan(BOOTED, EFFECT, PAGE, planned("page/web-2/page", number=7), UPTIME, RECOVERY)
_said = st.sampled_from([PASS, FAIL, UNKNOWN])


@st.composite
def _runs(draw: st.DrawFn) -> list[Outcome]:
    """Draw what may come out of the plan: parts left out, attempts, and strays."""
    came = []
    for part in PLAN.parts:
        said = draw(st.lists(verdicts, max_size=2))
        came += [outcome("/".join(part.key), verdict, attempt=n) for n, verdict in enumerate(said, 1)]
    if draw(st.booleans()):
        came.append(outcome("stray/web-1/stray"))
    return came


@st.composite
def _runs_of_once(draw: st.DrawFn) -> list[Outcome]:
    """Draw a run in which every planned part says something once."""
    return [outcome("/".join(part.key), draw(_said)) for part in PLAN.parts]


@given(came=_runs(), order=st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(came: list[Outcome], order: object) -> None:
    """Under pytest-xdist outcomes arrive in any order, and every report says the same."""
    shuffled = list(came)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert judge(PLAN, shuffled) == judge(PLAN, came)


@given(came=_runs_of_once(), index=st.integers(0, len(PLAN.parts) - 1), verdict=_said)
def test_a_worse_outcome_never_improves_a_verdict(came: list[Outcome], index: int, verdict: Verdict) -> None:
    """Whatever else is said of a part, it can only get worse by it, and so can the gate."""
    more = outcome("/".join(PLAN.parts[index].key), verdict, attempt=2)
    before, after = judge(PLAN, came), judge(PLAN, [*came, more])
    assert SEVERITY[after.verdict] >= SEVERITY[before.verdict]
    for old, new in zip(before.cells, after.cells, strict=True):
        assert SEVERITY[new.verdict] >= SEVERITY[old.verdict]


@given(came=_runs_of_once(), gone=st.sets(st.integers(0, len(PLAN.parts) - 1), min_size=1))
def test_leaving_parts_out_never_turns_a_gate_green(came: list[Outcome], gone: set[int]) -> None:
    """`-k`, a crash or a skip can take parts away, and what is left never passes."""
    left = [one for index, one in enumerate(came) if index not in gone]
    assert judge(PLAN, left).verdict is FAIL


@given(came=_runs())
def test_a_gate_passes_only_if_every_planned_part_is_green(came: list[Outcome]) -> None:
    """The whole rule once more, said another way."""
    said = {part.key: {one.verdict for one in came if one.key == part.key} for part in PLAN.parts}
    fine = all(verdicts and FAIL not in verdicts for verdicts in said.values())
    known = all(UNKNOWN not in said[part.key] or not part.required for part in PLAN.parts)
    strays = any(one.key not in said for one in came)
    validations: Plan = plan(*[part for part in PLAN.parts if part.kind == "validation"])
    some = any(cell.verdict is PASS for cell in judge(validations, came).validations)
    assert (judge(PLAN, came).verdict is PASS) == (fine and known and not strays and some)


@pytest.mark.parametrize(
    ("name", "said", "cell", "gate"),
    [
        pytest.param("middleware/web-1/", FAIL, WAIVED, PASS, id="failure-of-the-cell"),
        pytest.param("middleware/web-1/effect", FAIL, WAIVED, PASS, id="failure-of-the-part"),
        pytest.param("middleware/web-1/", UNKNOWN, WAIVED, PASS, id="unknown"),
        pytest.param("middleware/web-1/booted", FAIL, FAIL, FAIL, id="another-part"),
        pytest.param("middleware/web-1/", PASS, PASS, PASS, id="nothing-to-waive"),
        pytest.param("middleware/web-1/", None, UNKNOWN, FAIL, id="what-did-not-run"),
    ],
)
def test_a_waived_part_counts_as_neither(name: str, said: Verdict | None, cell: Verdict, gate: Verdict) -> None:
    """A waiver takes what came out red or unknown off the gate, shows it as its own state, and nothing else."""
    came = [outcome("middleware/web-1/booted"), outcome("page/web-1/page")]
    came += [outcome("middleware/web-1/effect", said, reason="blank")] if said else []
    judged = judge(plan(BOOTED, EFFECT, PAGE, waivers=(waiver(name),)), came)
    assert judged.validations[0].verdict is cell
    assert judged.verdict is gate
    if cell is WAIVED:
        part = next(part for part in judged.parts if part.verdict is WAIVED)
        assert "blank" in part.reason
        assert "2026-12-31" in part.reason
        assert "https://issues.test/7" in part.reason
        assert "waived: 1 middleware" in judged.reason


@pytest.mark.parametrize(
    ("name", "expired", "said", "reason"),
    [
        pytest.param("middleware/web-1/", True, FAIL, "expired on 2026-12-31", id="expired-and-needed"),
        pytest.param("middleware/web-1/", True, PASS, "expired on 2026-12-31", id="expired-and-not-needed"),
        pytest.param("middleware/web-2/", False, PASS, "matches nothing", id="another-host"),
        pytest.param("middlewares/web-1/", False, PASS, "matches nothing", id="another-check"),
        pytest.param("middleware/web-1/boot", False, PASS, "matches nothing", id="another-part"),
    ],
)
def test_a_waiver_that_does_not_hold_fails_the_gate(name: str, expired: bool, said: Verdict, reason: str) -> None:  # noqa: FBT001 - a column
    """An expired waiver and one that matches nothing fail the gate, whatever its cells say."""
    waivers = (waiver(name, expired=expired),)
    came = [outcome("middleware/web-1/booted", said), outcome("page/web-1/page")]
    judged = judge(plan(BOOTED, PAGE, waivers=waivers), came)
    assert judged.verdict is FAIL
    assert reason in judged.reason
    assert all(cell.verdict is not WAIVED for cell in judged.cells)


def test_a_whole_gate_cannot_be_waived() -> None:
    """Waivers that leave no cell to pass fail the gate."""
    waivers = (waiver("middleware/web-1/"), waiver("page/web-1/"))
    judged = judge(
        plan(BOOTED, PAGE, waivers=waivers),
        [outcome("middleware/web-1/booted", FAIL), outcome("page/web-1/page", UNKNOWN)],
    )
    assert judged.verdict is FAIL
    assert "a whole gate cannot be waived" in judged.reason


def test_superseded_attempts_are_told_and_do_not_decide() -> None:
    """The attempt that no other followed decides; where every one was superseded, the worst does."""
    early = outcome("page/web-1/page", FAIL, reason="blank", superseded=True)
    last = outcome("page/web-1/page", PASS, attempt=2)
    judged = judge(plan(PAGE), [early, last])
    assert judged.verdict is PASS
    assert len(judged.parts[0].outcomes) == 2
    assert judge(plan(PAGE), [early]).verdict is FAIL


def test_parts_that_are_unknown_because_of_one_thing_stand_together() -> None:
    """The gate groups what is unknown by its root cause, in the cause's own words."""
    came = [
        outcome("middleware/web-1/booted", UNKNOWN, cause="web-1 is down"),
        outcome("middleware/web-1/effect", UNKNOWN, cause="web-1 is down"),
        outcome("page/web-1/page", FAIL),
    ]
    judged = judge(plan(BOOTED, EFFECT, PAGE), came)
    assert {cause: len(parts) for cause, parts in judged.causes.items()} == {"web-1 is down": 2}
