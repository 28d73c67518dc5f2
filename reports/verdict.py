"""The only merge of verdicts and the only exit-code function.

Worst wins: fail outranks unknown, unknown outranks pass; a cell is not applicable only if all its parts are.
The ledger is closed: a planned part that did not come out fails the gate, and so does an outcome nobody
planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from reports.records import Key, Kind, Outcome, Plan, Planned, Scalar, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INCONCLUSIVE = 6
"""Exit code: nothing failed, everything planned ran, and a required cell is unknown."""

_RANK = {Verdict.NOT_APPLICABLE: 0, Verdict.PASS: 1, Verdict.UNKNOWN: 2, Verdict.FAIL: 3}
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
    """A part with its merged verdict. `outcomes` holds every attempt; the worst one decides."""

    planned: Planned
    state: State
    verdict: Verdict
    reason: str
    remedy: str
    figures: Mapping[str, Scalar]
    outcomes: tuple[Outcome, ...]

    @property
    def seconds(self) -> float:
        """Time of all attempts."""
        return sum(outcome.seconds for outcome in self.outcomes)

    @property
    def missing(self) -> bool:
        """Whether it was planned and did not come out."""
        return self.state in (State.NOT_RUN, State.INTERRUPTED)


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
        return sum(part.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) for part in self.parts)

    @property
    def red(self) -> bool:
        """Whether it fails the gate."""
        return self.verdict is Verdict.FAIL or self.missing > 0


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


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Merge verdicts: fail > unknown > pass > not-applicable. Of nothing, nothing is known."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.UNKNOWN)


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
    parts = [_part(part, came_out.get(part.key, ()), (interrupted or {}).get(part.key)) for part in plan.parts]
    parts += [_unplanned(plan, came_out[key]) for key in sorted(came_out.keys() - planned.keys())]

    cells: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        cells.setdefault((part.planned.check, part.planned.host), []).append(part)
    # A stable sort: within a check the hosts stay in the plan's order. Unplanned checks (number 0) come last.
    judged = sorted((_cell(group) for group in cells.values()), key=lambda cell: cell.number or 9)
    validations = tuple(cell for cell in judged if cell.kind == "validation")
    objectives = tuple(cell for cell in judged if cell.kind == "objective")
    verdict, reason = _gate(validations, objectives, trouble)
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
        return Part(planned, State.INTERRUPTED, failed, interrupted, _RUN_EVERYTHING, {}, attempts)
    if not attempts:
        return Part(planned, State.NOT_RUN, Verdict.UNKNOWN, "not run", _RUN_EVERYTHING, {}, ())
    verdict = worst(outcome.verdict for outcome in attempts)
    decisive = next(outcome for outcome in attempts if outcome.verdict is verdict)
    return Part(planned, State.RAN, verdict, decisive.reason, decisive.remedy, decisive.figures, attempts)


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
    reason = f"an outcome nobody planned ({said}), but every outcome should be in the plan"
    remedy = f"plan part {first.part!r} of check {first.check!r} on host {first.host!r}, or drop its test"
    return Part(planned, State.UNPLANNED, Verdict.FAIL, reason, remedy, first.figures, attempts)


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
    if verdict in (Verdict.FAIL, Verdict.UNKNOWN):
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


def _gate(validations: Sequence[Cell], objectives: Sequence[Cell], trouble: str) -> tuple[Verdict, str]:
    cells = [*validations, *objectives]
    failed = [cell for cell in cells if cell.verdict is Verdict.FAIL]
    missing = sum(cell.missing for cell in cells)
    reasons = [trouble] if trouble else []
    if not validations:
        reasons.append("no cell was planned")
    if failed:
        reasons.append(f"failed: {_named(failed)}")
    if missing:
        parts = sum(len(cell.parts) for cell in cells)
        reasons.append(f"{missing} of {parts} planned parts did not run")
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
    return (
        Verdict.PASS,
        f"{passed} of {len(validations)} cells passed, none failed and none required is unknown",
    )


def _named(cells: Sequence[Cell]) -> str:
    names = [f"{cell.number} {cell.check}" if cell.number else cell.check for cell in cells]
    return ", ".join(dict.fromkeys(names))
