"""Drives a check: examine a host once, judge each part, and hold what came out to the evidence that a pass needs.

The one driver of the gate's cells, of the fault matrix and of the tests. A gate module holds `examine` and `judge`;
what could not be observed is unknown in every part, and so is what the suite's own code broke at: its fault says
nothing of the host.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.records import Finding, Verdict
from validations.causes import Cause
from validations.contracts import unknown
from validations.registry import Check

if TYPE_CHECKING:
    from fixtures.environments.base import Host


@dataclass(slots=True)
class Broken:
    """An error of the suite's own. Its traceback is kept once, with the first part that asks."""

    error: str
    traceback: bytes

    @classmethod
    def of(cls, error: BaseException) -> Broken:
        """Return what is kept of an error: its message, cut, and its traceback."""
        from fixtures.observation.facts import worded

        return cls(worded(error)[:500], "".join(traceback.format_exception(error)).encode(errors="replace"))

    def finding(self, check: str) -> Finding:
        """Return that nothing is known for it."""
        pictures, self.traceback = {"traceback.txt": self.traceback} if self.traceback else {}, b""
        return replace(unknown(f"{check}.broke", error=self.error), pictures=pictures)


def examine(check: Check, host: Host, history: Sequence[Mapping[str, Any]] = ()) -> object:
    """Return a check's evidence of a host, or why there is none: an `Unobserved` or a `Broken`.

    `history` is what earlier runs recorded of it; the objectives are judged by it, too.
    """
    from fixtures.observation.facts import Unobserved

    module = _module(check)
    try:
        return module.examine(host) if check.number else module.examine(host, history)
    except Unobserved as reason:
        # Without its traceback: it is kept for all parts.
        return type(reason)(str(reason))
    except Exception as error:  # noqa: BLE001 - an error of the suite's own is unknown, and never green
        return Broken.of(error)


def judge(check: Check, host: Host, evidence: object, part: str, cause: Callable[[], Cause | None]) -> Finding:
    """Judge one part. What is not green is attributed to the host's one root cause, asked for then, if it has one."""
    from fixtures.observation.facts import Unobserved

    if isinstance(evidence, Broken):
        return evidence.finding(check.id)
    if isinstance(evidence, Unobserved):
        finding = unknown(f"{check.id}.not-observed", reason=str(evidence))
    else:
        try:
            finding = _module(check).judge(evidence, part if check.number else check)
        except Exception as error:  # noqa: BLE001 - a judge that breaks does not keep the other parts from being judged
            return Broken.of(error).finding(check.id)
    finding = _held_to_its_evidence(check, host, part, finding)
    if not finding.green and (found := cause()) is not None:
        return found.applied(check.id, part, finding)
    return finding


def findings(check: Check, host: Host, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Finding]:
    """Examine a host and judge every part of a check, as a run of the gate does."""
    evidence = examine(check, host, history)
    return {part: judge(check, host, evidence, part, lambda: None) for part in check.parts(host.environment)}


def _held_to_its_evidence(check: Check, host: Host, part: str, finding: Finding) -> Finding:
    """Return a pass as unknown where its evidence is of a lower level than the registry says a pass needs."""
    least = check.least(part)
    needed = least.level(host.environment.kind, disturbed=host.disturbance is not None)
    if finding.verdict is not Verdict.PASS or (finding.level is not None and finding.level.rank >= needed.rank):
        return finding
    weak = unknown(
        f"{check.id}.evidence-too-weak",
        level=finding.level,
        seen_by=finding.seen_by,
        seen=finding.level,
        observed=finding.observed,
        raises=least.raises,
    )
    return replace(weak, figures=finding.figures, samples=finding.samples, pictures=finding.pictures)


def _module(check: Check) -> Any:
    return importlib.import_module(check.file.removesuffix(".py").replace("/", "."))
