"""The one merge of verdicts and the one exit code: fail closed, whatever comes and in whatever order."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.records import Outcome, Plan, Planned, Verdict
from reports.verdict import Part, State, affected, exit_code, judge, worst
from validations.meta.reports.samples import STARTED, outcome, plan, planned, verdicts, waiver

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
WAIVED, NOT_RUN = State.WAIVED, State.NOT_RUN
SEVERITY = {PASS: 0, UNKNOWN: 1, FAIL: 2}
"""Of a gate's verdicts, and of what an observed part may say."""

BOOTED = planned("middleware/web-1/booted", number=1)
EFFECT = planned("middleware/web-1/effect", number=1)
PAGE = planned("page/web-1/page", number=7)
OTHER_PAGE = planned("page/web-2/page", number=7)
UPTIME = planned("availability/web-1/share", number=0, required=False)
RECOVERY = planned("recovery/web-1/seconds", number=0, required=True)
LATER = STARTED + 60


@pytest.mark.parametrize("states", list(product(State, repeat=2)), ids="-".join)
def test_the_worse_of_two_states_wins(states: tuple[State, State]) -> None:
    """Fail outranks what did not run, unknown, waived and pass, and not-applicable is only what nothing outranks."""
    order = "fail unplanned interrupted missing unknown waived pass not-applicable"
    assert worst(states) == next(state for state in order.split() if state in states)


def test_nothing_observed_is_unknown() -> None:
    """Nothing is never pass."""
    assert worst([]) is State.UNKNOWN


@pytest.mark.parametrize(
    ("first", "second", "cell", "gate"),
    [
        pytest.param(PASS, PASS, PASS, PASS, id="all-pass"),
        pytest.param(PASS, FAIL, FAIL, FAIL, id="one-fails"),
        pytest.param(PASS, UNKNOWN, UNKNOWN, UNKNOWN, id="one-unknown"),
        pytest.param(FAIL, UNKNOWN, FAIL, FAIL, id="fail-outranks-unknown"),
        pytest.param(PASS, NOT_APPLICABLE, PASS, PASS, id="one-not-applicable"),
        pytest.param(NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, UNKNOWN, id="nothing-applies"),
        pytest.param(PASS, None, NOT_RUN, FAIL, id="one-not-run"),
        pytest.param(NOT_APPLICABLE, None, NOT_RUN, FAIL, id="not-applicable-and-not-run"),
        pytest.param(UNKNOWN, None, NOT_RUN, FAIL, id="unknown-and-not-run"),
        pytest.param(None, None, NOT_RUN, FAIL, id="none-run"),
    ],
)
def test_a_cell_has_the_worst_of_its_parts(
    first: Verdict | None, second: Verdict | None, cell: State | Verdict, gate: Verdict
) -> None:
    """A cell passes only if every planned part was observed; a part that did not run fails the gate."""
    said = [("booted", first), ("effect", second)]
    came = [outcome(f"middleware/web-1/{part}", verdict) for part, verdict in said if verdict is not None]
    judged = judge(plan(BOOTED, EFFECT), came)
    assert [one.state.value for one in judged.validations] == [cell.value]
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
    assert (stray.finding.verdict, stray.finding.code) == (FAIL, "gate.unplanned")
    assert "/".join(stray.planned.key) == name


def test_a_part_that_was_running_when_its_process_ended_fails_the_gate() -> None:
    """An earlier attempt that passed does not stand for the one that never came to an end."""
    judged = judge(plan(PAGE), [outcome("page/web-1/page")], interrupted={PAGE.key: "worker crashed"})
    assert judged.verdict is FAIL
    assert (judged.parts[0].state, judged.parts[0].finding.reason) == (State.INTERRUPTED, "worker crashed")
    assert judged.validations[0].state is NOT_RUN


def test_a_troubled_run_does_not_pass() -> None:
    """A run that was interrupted proves nothing, even if everything planned came out before."""
    judged = judge(plan(PAGE), [outcome("page/web-1/page")], trouble="interrupted: SIGTERM")
    assert judged.verdict is FAIL
    assert judged.reason == "interrupted: SIGTERM"


def test_the_worst_attempt_of_a_part_counts() -> None:
    """Trying again until it passes is no way to pass."""
    attempts = [outcome("page/web-1/page", FAIL, reason="blank"), outcome("page/web-1/page", started=LATER)]
    judged = judge(plan(PAGE), attempts)
    assert judged.verdict is FAIL
    assert judged.parts[0].finding.reason == "blank"


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


PLAN = plan(BOOTED, EFFECT, PAGE, OTHER_PAGE, UPTIME, RECOVERY)
_said = st.sampled_from([PASS, FAIL, UNKNOWN])


@st.composite
def _runs(draw: st.DrawFn) -> list[Outcome]:
    """Draw what may come out of the plan: parts left out, attempts, and strays."""
    came = []
    for part in PLAN.parts:
        said = draw(st.lists(verdicts, max_size=2))
        came += [outcome("/".join(part.key), verdict, started=float(n)) for n, verdict in enumerate(said, 1)]
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
    more = outcome("/".join(PLAN.parts[index].key), verdict, started=LATER)
    before, after = judge(PLAN, came), judge(PLAN, [*came, more])
    assert SEVERITY[after.verdict] >= SEVERITY[before.verdict]
    for old, new in zip(before.cells, after.cells, strict=True):
        assert new.state.rank >= old.state.rank


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
    some = any(cell.state is State.PASS for cell in judge(validations, came).validations)
    assert (judge(PLAN, came).verdict is PASS) == (fine and known and not strays and some)


@pytest.mark.parametrize(
    ("name", "said", "cell", "gate"),
    [
        pytest.param("middleware/web-1/", FAIL, WAIVED, PASS, id="failure-of-the-cell"),
        pytest.param("middleware/web-1/effect", FAIL, WAIVED, PASS, id="failure-of-the-part"),
        pytest.param("middleware/web-1/", UNKNOWN, WAIVED, PASS, id="unknown"),
        pytest.param("middleware/web-1/booted", FAIL, FAIL, FAIL, id="another-part"),
        pytest.param("middleware/web-1/", PASS, PASS, PASS, id="nothing-to-waive"),
        pytest.param("middleware/web-1/", None, NOT_RUN, FAIL, id="what-did-not-run"),
    ],
)
def test_a_waived_part_counts_as_neither(name: str, said: Verdict | None, cell: State | Verdict, gate: Verdict) -> None:
    """A waiver takes what came out red or unknown off the gate, shows it as its own state, and nothing else."""
    came = [outcome("middleware/web-1/booted"), outcome("page/web-1/page")]
    came += [outcome("middleware/web-1/effect", said, reason="blank")] if said else []
    judged = judge(plan(BOOTED, EFFECT, PAGE, waivers=(waiver(name),)), came)
    assert judged.validations[0].state.value == cell.value
    assert judged.verdict is gate
    if cell is WAIVED:
        part = next(part for part in judged.parts if part.state is WAIVED)
        assert "blank" in part.finding.reason
        assert "2026-12-31" in part.finding.reason
        assert "https://issues.test/7" in part.finding.reason
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
    assert all(cell.state is not WAIVED for cell in judged.cells)


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
    last = outcome("page/web-1/page", PASS, started=LATER)
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


def test_a_part_holds_the_finding_of_its_deciding_attempt() -> None:
    """Nothing that a test observed is lost on its way to the reports; pictures are kept of every attempt, once each."""
    first = outcome("page/web-1/page", attachments=("attachments/a.png", "attachments/b.png"))
    worse = outcome("page/web-1/page", FAIL, reason="blank", started=LATER, attachments=("attachments/b.png",))
    (part,) = judge(plan(PAGE), [worse, first]).parts
    assert part == Part(PAGE, State.FAIL, worse.finding, (first, worse), 2)
    assert (part.attachments, part.seconds) == (("attachments/a.png", "attachments/b.png"), 0.5)


@pytest.mark.parametrize(
    ("came", "interrupted", "state", "observed"),
    [
        pytest.param((), None, State.NOT_RUN, "not run", id="not-run"),
        pytest.param((), "worker crashed", State.INTERRUPTED, "worker crashed", id="first-attempt"),
        pytest.param((PASS,), "worker crashed", State.INTERRUPTED, "worker crashed", id="after-a-pass"),
        pytest.param((FAIL,), "worker crashed", State.INTERRUPTED, "worker crashed", id="after-a-failure"),
    ],
)
def test_a_part_that_did_not_come_out_says_so(
    came: tuple[Verdict, ...], interrupted: str | None, state: State, observed: str
) -> None:
    """What did not run says why and what to do, has no figures, and keeps the attempts that came before."""
    outcomes = tuple(outcome("page/web-1/page", one) for one in came)
    (part,) = judge(plan(PAGE), outcomes, interrupted={PAGE.key: interrupted} if interrupted else None).parts
    assert (part.state, part.outcomes, part.attempt) == (state, outcomes, 0)
    assert (part.finding.verdict, part.finding.observed) == (UNKNOWN, observed)
    assert "-k" in part.finding.remedy
    assert part.state.missing


@pytest.mark.parametrize(
    ("name", "reason", "like", "said"),
    [
        pytest.param("page/web-9/page", "", PAGE, "pass", id="another-host"),
        pytest.param("page/web-1/other", "whole", PAGE, "pass: whole", id="another-part"),
        pytest.param("recovery/web-9/seconds", "", RECOVERY, "pass", id="another-host-of-an-objective"),
    ],
)
def test_an_outcome_nobody_planned_is_told_with_its_kin(name: str, reason: str, like: Planned, said: str) -> None:
    """A stray of a planned check stands beside it, and says what came out and how to make it planned."""
    came = [outcome("page/web-1/page"), outcome("recovery/web-1/seconds"), outcome(name, reason=reason)]
    judged = judge(plan(BOOTED, PAGE, RECOVERY), came)
    (stray,) = [part for part in judged.parts if part.state is State.UNPLANNED]
    check, host, part = name.split("/")
    assert stray.planned == replace(like, host=host, part=part, required=True)
    assert said in stray.finding.observed
    assert all(repr(word) in stray.finding.remedy for word in (part, check, host))


def test_an_outcome_of_a_check_nobody_planned_stands_last() -> None:
    """A stray without kin counts among the eight, after them, and is placed by its test's file."""
    stray = replace(outcome("a/web-1/b"), nodeid="gate/test_a.py::TestA::test_b")
    judged = judge(plan(PAGE), [outcome("page/web-1/page"), stray])
    assert [cell.check for cell in judged.validations] == ["page", "a"]
    assert judged.parts[1].planned == Planned("a", "web-1", "b", "validation", 0, "a", True, "gate/test_a.py", 0)  # noqa: FBT003
    assert judged.reason == "failed: a"


def test_attempts_of_one_moment_stand_in_one_order() -> None:
    """Two attempts with the same number and time are told in the same order, whichever arrived first."""
    twins = [outcome("page/web-1/page", FAIL, reason="blank"), outcome("page/web-1/page", FAIL, reason="a page")]
    assert judge(plan(PAGE), twins) == judge(plan(PAGE), twins[::-1])


@pytest.mark.parametrize(
    ("booted", "effect", "reason", "remedy"),
    [
        pytest.param((FAIL, "off"), (FAIL, "idle"), "booted: off (and 1 more)", "fix booted", id="two-fail"),
        pytest.param((FAIL, "off"), (PASS, "fine"), "booted: off", "fix booted", id="the-first-fails"),
        pytest.param((PASS, "fine"), (FAIL, "idle"), "effect: idle", "fix effect", id="the-second-fails"),
        pytest.param((UNKNOWN, "dark"), (FAIL, "idle"), "effect: idle", "fix effect", id="one-fails-one-unknown"),
        pytest.param((UNKNOWN, "dark"), (PASS, "fine"), "booted: dark", "fix booted", id="one-unknown"),
        pytest.param((PASS, "on"), (PASS, "fine"), "on", "fix booted", id="both-pass"),
        pytest.param((NOT_APPLICABLE, "none"), (PASS, "fine"), "fine", "fix effect", id="one-applies"),
        pytest.param((FAIL, "off"), None, "booted: off", "fix booted", id="one-part-of-two-ran"),
    ],
)
def test_a_cell_tells_its_first_worst_part(
    booted: tuple[Verdict, str], effect: tuple[Verdict, str] | None, reason: str, remedy: str
) -> None:
    """The cell's reason and remedy are those of the part that decides, named where it is not green."""
    said = {"booted": booted} | ({"effect": effect} if effect else {})
    came = [
        outcome(f"middleware/web-1/{part}", verdict, reason=told, remedy=f"fix {part}")
        for part, (verdict, told) in said.items()
    ]
    (cell,) = judge(plan(BOOTED, EFFECT), came).validations
    assert (cell.reason, cell.remedy, cell.title) == (reason, remedy, "a promise")


def test_a_cell_of_three_parts_counts_those_that_say_the_same() -> None:
    """How many more parts are like the one that is told is the number of the others."""
    third = planned("middleware/web-1/third")
    came = [outcome("/".join(part.key), FAIL, reason="off") for part in (BOOTED, EFFECT, third)]
    assert judge(plan(BOOTED, EFFECT, third), came).validations[0].reason == "booted: off (and 2 more)"


def test_a_cell_of_one_part_does_not_name_it() -> None:
    """Where a check has one part, the cell says what the part says."""
    judged = judge(plan(PAGE), [outcome("page/web-1/page", FAIL, reason="blank")])
    assert judged.validations[0].reason == "blank"


@pytest.mark.parametrize(
    ("said", "waived", "trouble", "verdict", "reason"),
    [
        pytest.param(
            [PASS, PASS, PASS, PASS],
            (),
            "",
            PASS,
            "3 of 3 cells passed, none failed and none required is unknown",
            id="all-pass",
        ),
        pytest.param(
            [PASS, NOT_APPLICABLE, PASS, UNKNOWN],
            (),
            "",
            PASS,
            "2 of 3 cells passed, none failed and none required is unknown",
            id="one-does-not-apply",
        ),
        pytest.param(
            [FAIL, PASS, PASS, PASS],
            ("middleware/web-1/",),
            "",
            PASS,
            "2 of 3 cells passed, none failed and none required is unknown; waived: 1 middleware",
            id="one-waived",
        ),
        pytest.param([FAIL, PASS, FAIL, FAIL], (), "", FAIL, "failed: 1 middleware, 7 page, availability", id="fail"),
        pytest.param([PASS, FAIL, FAIL, PASS], (), "", FAIL, "failed: 7 page", id="fail-on-two-hosts"),
        pytest.param(
            [FAIL, PASS, None, None],
            (),
            "worker gw0 crashed",
            FAIL,
            "worker gw0 crashed; failed: 1 middleware; 2 of 4 planned parts did not run",
            id="trouble-failed-and-missing",
        ),
        pytest.param([PASS, UNKNOWN, UNKNOWN, PASS], (), "", UNKNOWN, "unknown: 7 page", id="unknown"),
        pytest.param(
            [NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE, PASS],
            (),
            "",
            UNKNOWN,
            "no cell passed: every one is unknown or not applicable",
            id="nothing-applies",
        ),
        pytest.param(
            [FAIL, NOT_APPLICABLE, NOT_APPLICABLE, PASS],
            ("middleware/web-1/",),
            "",
            FAIL,
            "waivers stand for every cell that applies: a whole gate cannot be waived",
            id="all-that-applies-is-waived",
        ),
        pytest.param(
            [FAIL, UNKNOWN, NOT_APPLICABLE, PASS],
            ("middleware/web-1/",),
            "",
            UNKNOWN,
            "unknown: 7 page",
            id="one-waived-one-unknown",
        ),
    ],
)
def test_the_gate_says_what_decided(
    said: list[Verdict | None], waived: tuple[str, ...], trouble: str, verdict: Verdict, reason: str
) -> None:
    """The verdict of a run comes with the checks that decide it, each named once, and all that kept it from passing."""
    parts = (BOOTED, PAGE, OTHER_PAGE, UPTIME)
    came = [outcome("/".join(part.key), one) for part, one in zip(parts, said, strict=True) if one]
    judged = judge(plan(*parts, waivers=tuple(map(waiver, waived))), came, trouble=trouble)
    assert (judged.verdict, judged.reason) == (verdict, reason)


def test_a_gate_of_nothing_says_so() -> None:
    """A run without any cell of the eight fails for that."""
    assert judge(plan(), []).reason == "no cell was planned"


def test_a_waived_part_names_its_waiver() -> None:
    """Reports find who answers for a part at the part."""
    known = waiver("page/web-1/")
    (part, _) = judge(plan(PAGE, OTHER_PAGE, waivers=(known,)), [outcome("page/web-1/page", FAIL)]).parts
    assert part.waiver == known


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param((PAGE,), "page on web-1 (1 part)", id="one"),
        pytest.param((BOOTED, EFFECT), "middleware on web-1 (2 parts)", id="two-of-one-check"),
        pytest.param(
            (BOOTED, PAGE, OTHER_PAGE), "middleware, page on web-1; page on web-2 (3 parts)", id="checks-and-hosts"
        ),
    ],
)
def test_what_a_cause_keeps_from_being_known_is_named(parts: tuple[Planned, ...], told: str) -> None:
    """The checks behind one root cause are named once a host, and their parts counted."""
    assert affected(judge(plan(*parts), []).parts) == told
