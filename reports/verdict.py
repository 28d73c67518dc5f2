"""The only merge of verdicts and the only exit-code function.

Worst wins: fail outranks a part that did not run, that outranks unknown, unknown outranks waived, waived outranks
pass; a cell is not applicable only if all its parts are. The ledger is closed: a planned part that did not come out
fails the gate, and so does an outcome that was not planned. A waiver that has expired, or that matches nothing, fails
it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from reports.records import Finding, Key, Kind, Level, Outcome, Plan, Planned, Verdict, Waiver

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INCONCLUSIVE = 6
"""Exit code: nothing failed, everything planned ran, and a required cell is unknown."""

_RUN_EVERYTHING = (
    "let the whole gate run to its end: no -k, -m, --deselect, -x or --maxfail, no skips, no error in collection"
)


class State(StrEnum):
    """What a part or a cell is against the ledger, from best to worst. Decided here, worded by each report."""

    NOT_APPLICABLE = "not-applicable"
    PASS = "pass"  # noqa: S105 - a verdict
    WAIVED = "waived"
    UNKNOWN = "unknown"
    NOT_RUN = "missing"
    INTERRUPTED = "interrupted"
    UNPLANNED = "unplanned"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return list(State).index(self)

    @property
    def green(self) -> bool:
        """Whether it passes or is not applicable."""
        return self in (State.PASS, State.NOT_APPLICABLE)

    @property
    def missing(self) -> bool:
        """Whether it was planned and did not come out."""
        return self in (State.NOT_RUN, State.INTERRUPTED)

    @property
    def failed(self) -> bool:
        """Whether what came out fails the gate."""
        return self in (State.FAIL, State.UNPLANNED)


@dataclass(frozen=True, slots=True)
class Part:
    """A planned part, the finding that decides it, and every attempt, the first first.

    The worst finding that no other superseded decides. `attempt` is its number, 0 where none came out; `waiver` says
    who answers for it, where it is waived.
    """

    planned: Planned
    state: State
    finding: Finding
    outcomes: tuple[Outcome, ...] = ()
    attempt: int = 0
    waiver: Waiver | None = None

    @property
    def stops(self) -> bool:
        """Whether it keeps the gate from passing."""
        return self.state.missing or self.state.failed or (self.state is State.UNKNOWN and self.planned.required)

    @property
    def seconds(self) -> float:
        """Time of all attempts."""
        return sum(outcome.seconds for outcome in self.outcomes)

    @property
    def attachments(self) -> tuple[str, ...]:
        """The files of all attempts: a picture of any of them is evidence."""
        return tuple(dict.fromkeys(path for outcome in self.outcomes for path in outcome.attachments))


@dataclass(frozen=True, slots=True)
class Cell:
    """One check on one host. `reason` and `remedy` are those of its first worst part."""

    check: str
    host: str
    kind: Kind
    number: int
    title: str
    state: State
    reason: str
    remedy: str
    parts: tuple[Part, ...]

    @property
    def seconds(self) -> float:
        """Time of all parts."""
        return sum(part.seconds for part in self.parts)

    @property
    def stops(self) -> bool:
        """Whether it keeps the gate from passing."""
        return any(part.stops for part in self.parts)

    @property
    def level(self) -> Level | None:
        """The lowest level of evidence behind its parts; None where there is none."""
        levels = [part.finding.level for part in self.parts if part.finding.level is not None]
        return min(levels, key=lambda level: level.rank, default=None)

    @property
    def missing(self) -> int:
        """Number of parts that were planned and did not come out."""
        return sum(part.state.missing for part in self.parts)

    @property
    def green(self) -> int:
        """Number of parts that pass or are not applicable."""
        return sum(part.state.green for part in self.parts)

    @property
    def bad(self) -> tuple[Part, ...]:
        """Parts that are not green by themselves: what is unknown because of a root cause is shown there, once."""
        return tuple(part for part in self.parts if not part.state.green and not part.finding.cause)

    @property
    def absent(self) -> bool:
        """Whether nothing of it ran."""
        return all(part.state is State.NOT_RUN for part in self.parts)


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
            if part.finding.cause:
                found.setdefault(part.finding.cause, []).append(part)
        return {cause: tuple(parts) for cause, parts in found.items()}


def worst(states: Iterable[State]) -> State:
    """Merge states: the worst of them. Of nothing, nothing is known."""
    return max(states, key=lambda state: state.rank, default=State.UNKNOWN)


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
        return Part(planned, State.INTERRUPTED, _missing("gate.interrupted", interrupted), attempts)
    if not attempts:
        return Part(planned, State.NOT_RUN, _missing("gate.not-run", "not run"))
    deciding = [outcome for outcome in attempts if not outcome.superseded] or attempts
    decisive = max(deciding, key=lambda outcome: State(outcome.verdict).rank)
    return Part(planned, State(decisive.verdict), decisive.finding, attempts, attempts.index(decisive) + 1)


def _missing(code: str, observed: str) -> Finding:
    return Finding(Verdict.UNKNOWN, code, observed, remedy=_RUN_EVERYTHING)


def _waived(part: Part, waivers: Sequence[Waiver]) -> Part:
    """Return the part as waived where it came out, is not green, and somebody answers for it."""
    if part.state not in (State.FAIL, State.UNKNOWN):
        return part
    waiver = next((waiver for waiver in waivers if not waiver.expired and waiver.covers(part.planned)), None)
    if waiver is None:
        return part
    observed = f"waived until {waiver.expires} ({waiver.reason}; {waiver.link}): {part.finding.observed}"
    return replace(part, state=State.WAIVED, finding=replace(part.finding, observed=observed), waiver=waiver)


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
    finding = first.finding
    stray = replace(
        finding,
        verdict=Verdict.FAIL,
        code="gate.unplanned",
        observed=f"an outcome that was not planned ({finding.verdict}: {finding.reason})",
        expected="in the plan, as every outcome",
        remedy=f"plan part {first.part!r} of check {first.check!r} on host {first.host!r}, or drop its test",
    )
    return Part(planned, State.UNPLANNED, stray, attempts, 1)


def _ordered(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Order attempts by when they began and not by when they arrived, which differs under pytest-xdist."""
    if len(outcomes) < 2:
        return tuple(outcomes)
    return tuple(sorted(outcomes, key=lambda one: (one.started, repr(one))))


def _cell(parts: Sequence[Part]) -> Cell:
    state = worst(part.state for part in parts)
    alike = [part for part in parts if part.state is state]
    planned, finding = alike[0].planned, alike[0].finding
    reason = finding.reason
    if len(parts) > 1 and not state.green:
        more = f" (and {len(alike) - 1} more)" if len(alike) > 1 else ""
        reason = f"{planned.part}: {reason}{more}"
    return Cell(
        check=planned.check,
        host=planned.host,
        kind=planned.kind,
        number=planned.number,
        title=planned.title,
        state=_of_cell(state),
        reason=reason,
        remedy=finding.remedy,
        parts=tuple(parts),
    )


def _of_cell(worst_part: State) -> State:
    """Return the state of a cell with such a worst part: it failed, did not run, or is what the part is."""
    if worst_part.failed:
        return State.FAIL
    return State.NOT_RUN if worst_part.missing else worst_part


def _gate(validations: Sequence[Cell], objectives: Sequence[Cell], reasons: list[str]) -> tuple[Verdict, str]:
    cells = [*validations, *objectives]
    failed = [cell for cell in cells if cell.state is State.FAIL]
    missing = sum(cell.missing for cell in cells)
    waived = [cell for cell in cells if cell.state is State.WAIVED]
    if not validations:
        reasons.append("no cell was planned")
    if failed:
        reasons.append(f"failed: {_named(failed)}")
    if missing:
        parts = sum(len(cell.parts) for cell in cells)
        reasons.append(f"{missing} of {parts} planned parts did not run")
    if waived and not any(cell.state in (State.PASS, State.UNKNOWN) for cell in validations):
        reasons.append("waivers stand for every cell that applies: a whole gate cannot be waived")
    if reasons:
        return Verdict.FAIL, "; ".join(reasons)
    unknown = [
        cell for cell in cells if any(part.state is State.UNKNOWN and part.planned.required for part in cell.parts)
    ]
    if unknown:
        return Verdict.UNKNOWN, f"unknown: {_named(unknown)}"
    if not any(cell.state is State.PASS for cell in validations):
        return Verdict.UNKNOWN, "no cell passed: every one is unknown or not applicable"
    passed = sum(cell.state is State.PASS for cell in validations)
    beside = f"; waived: {_named(waived)}" if waived else ""
    return (
        Verdict.PASS,
        f"{passed} of {len(validations)} cells passed, none failed and none required is unknown{beside}",
    )


def _named(cells: Sequence[Cell]) -> str:
    names = [f"{cell.number} {cell.check}" if cell.number else cell.check for cell in cells]
    return ", ".join(dict.fromkeys(names))
