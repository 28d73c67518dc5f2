"""The only merge of verdicts and the only exit-code function.

Worst wins: fail outranks unknown, unknown outranks waived, waived outranks pass; a cell is not applicable only if all
its parts are. The ledger is closed: a planned part that did not come out fails the gate, and so does an outcome nobody
planned. A waiver that has expired, or that matches nothing, fails it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reports.records import Key, Kind, Outcome, Plan, Planned, Scalar, Verdict, Waiver, worded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INCONCLUSIVE = 6
"""Exit code: nothing failed, everything planned ran, and a required cell is unknown."""

_RANK = {Verdict.NOT_APPLICABLE: 0, Verdict.PASS: 1, Verdict.WAIVED: 2, Verdict.UNKNOWN: 3, Verdict.FAIL: 4}
_RUN_EVERYTHING = (
    "let the whole gate run to its end: no -k, -m, --deselect, -x or --maxfail, no skips, no error in collection"
)


class State(StrEnum):
    """How a part stands against the ledger."""

    RAN = "ran"
    NOT_RUN = "not run"
    INTERRUPTED = "interrupted"
    UNPLANNED = "unplanned"


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its merged verdict. `outcomes` holds every attempt; the worst that no other superseded decides.

    `cause` words the root cause it is unknown because of, and `waiver` who answers for it, where there is one;
    `attempt` is the number of the attempt that decides, 0 where none came out.
    """

    planned: Planned
    state: State
    verdict: Verdict
    observed: str
    expected: str
    seen_by: str
    remedy: str
    figures: Mapping[str, Scalar]
    samples: Mapping[str, tuple[float, ...]]
    attachments: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    cause: str = ""
    waiver: Waiver | None = None
    attempt: int = 0

    @property
    def reason(self) -> str:
        """What was observed, and what it should be."""
        return worded(self.observed, self.expected)

    @property
    def seconds(self) -> float:
        """Time of all attempts."""
        return sum(outcome.seconds for outcome in self.outcomes)

    @property
    def missing(self) -> bool:
        """Whether it was planned and did not come out."""
        return self.state in (State.NOT_RUN, State.INTERRUPTED)

    @property
    def green(self) -> bool:
        """Whether it passes or is not applicable."""
        return self.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One check on one host. `reason` and `remedy` are those of its first worst part."""

    check: str
    host: str
    kind: Kind
    number: int
    title: str
    verdict: Verdict
    reason: str
    remedy: str
    parts: tuple[Part, ...]

    @property
    def seconds(self) -> float:
        """Time of all parts."""
        return sum(part.seconds for part in self.parts)

    @property
    def missing(self) -> int:
        """Number of parts that were planned and did not come out."""
        return sum(part.missing for part in self.parts)

    @property
    def green(self) -> int:
        """Number of parts that pass or are not applicable."""
        return sum(part.green for part in self.parts)

    @property
    def failed(self) -> bool:
        """Whether what came out of it failed."""
        return self.verdict is Verdict.FAIL

    @property
    def red(self) -> bool:
        """Whether it fails the gate."""
        return self.failed or self.missing > 0


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict of a run, with the cells of the eight and the objectives beside them."""

    verdict: Verdict
    reason: str
    validations: tuple[Cell, ...]
    objectives: tuple[Cell, ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The eight's cells, then the objectives."""
        return self.validations + self.objectives

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order of the cells."""
        return tuple(part for cell in self.cells for part in cell.parts)

    @property
    def causes(self) -> dict[str, tuple[Part, ...]]:
        """The parts that are unknown because of something else, by that root cause."""
        found: dict[str, list[Part]] = {}
        for part in self.parts:
            if part.cause:
                found.setdefault(part.cause, []).append(part)
        return {cause: tuple(parts) for cause, parts in found.items()}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Merge verdicts: fail > unknown > waived > pass > not-applicable. Of nothing, nothing is known."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.UNKNOWN)


def affected(parts: Iterable[Part]) -> str:
    """Name the checks that parts with one root cause belong to, host by host, and count the parts."""
    by_host: dict[str, list[str]] = {}
    count = 0
    for part in parts:
        by_host.setdefault(part.planned.host, []).append(part.planned.check)
        count += 1
    named = "; ".join(f"{', '.join(dict.fromkeys(checks))} on {host}" for host, checks in by_host.items())
    return f"{named} ({count} {'part' if count == 1 else 'parts'})"


def judge(
    plan: Plan,
    outcomes: Iterable[Outcome],
    *,
    interrupted: Mapping[Key, str] | None = None,
    trouble: str = "",
) -> Gate:
    """Hold what came out against what was planned.

    `interrupted` names parts that were running when their process ended, with the reason. `trouble` says why
    the run as a whole cannot be trusted (interrupted, an internal error, not ended yet); with it no gate
    passes.
    """
    came_out: dict[Key, list[Outcome]] = {}
    for outcome in outcomes:
        came_out.setdefault(outcome.key, []).append(outcome)
    planned = {part.key: part for part in plan.parts}
    parts = [
        _waived(_part(part, came_out.get(part.key, ()), (interrupted or {}).get(part.key)), plan.waivers)
        for part in plan.parts
    ]
    parts += [_unplanned(plan, came_out[key]) for key in sorted(came_out.keys() - planned.keys())]

    cells: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        cells.setdefault((part.planned.check, part.planned.host), []).append(part)
    # A stable sort: within a check the hosts stay in the plan's order. Unplanned checks (number 0) come last.
    judged = sorted((_cell(group) for group in cells.values()), key=lambda cell: (cell.number == 0, cell.number))
    validations = tuple(cell for cell in judged if cell.kind == "validation")
    objectives = tuple(cell for cell in judged if cell.kind == "objective")
    verdict, reason = _gate(validations, objectives, [*([trouble] if trouble else []), *_void(plan)])
    return Gate(verdict, reason, validations, objectives)


def exit_code(pytest_status: int, gate: Verdict, *, others_failed: bool) -> int:
    """Return the exit code of a gate run: 0 only if the gate passed and nothing else failed.

    1 is failed or a cell missing, 6 inconclusive. Interrupted (2), internal error (3), usage (4), nothing
    collected (5) and whatever another plugin ended the session with stay what they are. `others_failed` is
    true where anything but a cell failed: pytest's own 1 stands for cells too, also for an unknown one that
    counts nowhere.
    """
    if pytest_status not in (0, 1):
        return pytest_status
    if gate is Verdict.FAIL or others_failed:
        return 1
    return 0 if gate is Verdict.PASS else INCONCLUSIVE


def _part(planned: Planned, outcomes: Sequence[Outcome], interrupted: str | None) -> Part:
    attempts = _ordered(outcomes)
    if interrupted is not None:
        # Whatever an earlier attempt said, the last one never came to an end.
        failed = worst([Verdict.UNKNOWN, *(outcome.verdict for outcome in attempts)])
        return _made(planned, State.INTERRUPTED, failed, interrupted, attempts=attempts)
    if not attempts:
        return _made(planned, State.NOT_RUN, Verdict.UNKNOWN, "not run")
    deciding = [outcome for outcome in attempts if not outcome.superseded] or attempts
    verdict = worst(outcome.verdict for outcome in deciding)
    return _said(planned, State.RAN, next(outcome for outcome in deciding if outcome.verdict is verdict), attempts)


def _waived(part: Part, waivers: Sequence[Waiver]) -> Part:
    """Return the part as waived where it came out, is not green, and somebody answers for it."""
    if part.state is not State.RAN or part.verdict not in (Verdict.FAIL, Verdict.UNKNOWN):
        return part
    waiver = next((waiver for waiver in waivers if not waiver.expired and waiver.covers(part.planned)), None)
    if waiver is None:
        return part
    observed = f"waived until {waiver.expires} ({waiver.reason}; {waiver.link}): {part.observed}"
    return replace(part, verdict=Verdict.WAIVED, observed=observed, waiver=waiver)


def _void(plan: Plan) -> Iterable[str]:
    """Word each waiver that does not hold: it fails the gate, or nobody would ever take it away."""
    for waiver in plan.waivers:
        if waiver.expired:
            yield f"the waiver of {waiver.name} expired on {waiver.expires}"
        if not any(waiver.covers(part) for part in plan.parts):
            yield f"the waiver of {waiver.name} matches nothing that is planned"


def _unplanned(plan: Plan, outcomes: Sequence[Outcome]) -> Part:
    attempts = _ordered(outcomes)
    first = attempts[0]
    kin = next((part for part in plan.parts if part.check == first.check), None)
    planned = Planned(
        check=first.check,
        host=first.host,
        part=first.part,
        kind=kin.kind if kin else "validation",
        number=kin.number if kin else 0,
        title=kin.title if kin else first.check,
        required=True,
        file=first.nodeid.partition("::")[0],
        line=kin.line if kin else 0,
    )
    said = f"{first.verdict}: {first.reason}" if first.reason else str(first.verdict)
    stray = replace(
        first,
        verdict=Verdict.FAIL,
        observed=f"an outcome nobody planned ({said})",
        expected="in the plan, as every outcome",
        remedy=f"plan part {first.part!r} of check {first.check!r} on host {first.host!r}, or drop its test",
    )
    return _said(planned, State.UNPLANNED, stray, attempts)


def _made(planned: Planned, state: State, verdict: Verdict, reason: str, *, attempts: tuple[Outcome, ...] = ()) -> Part:
    return Part(planned, state, verdict, reason, "", "", _RUN_EVERYTHING, {}, {}, (), attempts)


def _said(planned: Planned, state: State, decisive: Outcome, attempts: tuple[Outcome, ...]) -> Part:
    return Part(
        planned=planned,
        state=state,
        verdict=decisive.verdict,
        observed=decisive.observed,
        expected=decisive.expected,
        seen_by=decisive.seen_by,
        remedy=decisive.remedy,
        figures=decisive.figures,
        samples=decisive.samples,
        # A picture of any attempt is evidence.
        attachments=tuple(dict.fromkeys(path for outcome in attempts for path in outcome.attachments)),
        outcomes=attempts,
        cause=decisive.cause,
        attempt=decisive.attempt,
    )


def _ordered(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Order attempts by what they say and not by when they arrived, which differs under pytest-xdist."""
    if len(outcomes) < 2:
        return tuple(outcomes)
    return tuple(sorted(outcomes, key=lambda one: (one.attempt, one.started, repr(one))))


def _cell(parts: Sequence[Part]) -> Cell:
    verdict = worst(part.verdict for part in parts)
    decisive = next(part for part in parts if part.verdict is verdict)
    planned = decisive.planned
    reason = decisive.reason
    alike = sum(part.verdict is verdict for part in parts) - 1
    if verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED):
        more = f" (and {alike} more)" if alike else ""
        reason = f"{planned.part}: {reason}{more}" if len(parts) > 1 else reason
    return Cell(
        check=planned.check,
        host=planned.host,
        kind=planned.kind,
        number=planned.number,
        title=planned.title,
        verdict=verdict,
        reason=reason,
        remedy=decisive.remedy,
        parts=tuple(parts),
    )


def _gate(validations: Sequence[Cell], objectives: Sequence[Cell], reasons: list[str]) -> tuple[Verdict, str]:
    cells = [*validations, *objectives]
    failed = [cell for cell in cells if cell.verdict is Verdict.FAIL]
    missing = sum(cell.missing for cell in cells)
    waived = [cell for cell in cells if cell.verdict is Verdict.WAIVED]
    if not validations:
        reasons.append("no cell was planned")
    if failed:
        reasons.append(f"failed: {_named(failed)}")
    if missing:
        parts = sum(len(cell.parts) for cell in cells)
        reasons.append(f"{missing} of {parts} planned parts did not run")
    if waived and not any(cell.verdict in (Verdict.PASS, Verdict.UNKNOWN) for cell in validations):
        reasons.append("waivers stand for every cell that applies: a whole gate cannot be waived")
    if reasons:
        return Verdict.FAIL, "; ".join(reasons)
    unknown = [
        cell for cell in cells if any(part.verdict is Verdict.UNKNOWN and part.planned.required for part in cell.parts)
    ]
    if unknown:
        return Verdict.UNKNOWN, f"unknown: {_named(unknown)}"
    if not any(cell.verdict is Verdict.PASS for cell in validations):
        return Verdict.UNKNOWN, "no cell passed: every one is unknown or not applicable"
    passed = sum(cell.verdict is Verdict.PASS for cell in validations)
    beside = f"; waived: {_named(waived)}" if waived else ""
    return (
        Verdict.PASS,
        f"{passed} of {len(validations)} cells passed, none failed and none required is unknown{beside}",
    )


def _named(cells: Sequence[Cell]) -> str:
    names = [f"{cell.number} {cell.check}" if cell.number else cell.check for cell in cells]
    return ", ".join(dict.fromkeys(names))
