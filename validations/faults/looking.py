"""One look at a stage for all its cells, and how what was seen compares with what a fault declares."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fixtures.environments.live import IntrusiveHost
from fixtures.environments.settings import LOCAL, Environment
from fixtures.faults.base import Fault
from fixtures.faults.stage import FaultyStage
from fixtures.observation.facts import Unobserved
from fixtures.observation.lock_store import LockObservation
from reports.records import Finding, Verdict
from validations.driver import findings
from validations.registry import EIGHT, OBJECTIVES, Check

# A stage is one host: what compares hosts has no part in it.
STAGE = Environment(kind="gateway", url="http://127.0.0.1:1", root="/nowhere", panels=("admin", "agent"))
CHECKS = tuple(check for check in (*EIGHT, *OBJECTIVES) if check.parts(STAGE))
# What only watched rebuilds tell; they take seconds, so they are watched where a fault may show in them.
WATCHED = {("locks", "taken"), ("locks", "expires"), ("locks", "owned")}
# Enough where every answer is alike; how sure many requests make is what `complete` is asked elsewhere.
FEW_REQUESTS = 24


class Unwatched(IntrusiveHost):
    """A host whose rebuilds are not watched."""

    def rebuilds(self) -> LockObservation:
        """Say so."""
        raise Unobserved("not watched for this fault")


@dataclass(frozen=True, slots=True)
class Cell:
    """One check as it came out: fail, unknown or pass, and the findings of the parts that were looked at."""

    verdict: Verdict
    parts: Mapping[str, Finding]

    def which(self, verdict: Verdict) -> frozenset[str]:
        """Return the parts that came out so."""
        return frozenset(part for part, finding in self.parts.items() if finding.verdict is verdict)

    def said(self) -> str:
        """Say what is not green, a line a part."""
        return "\n".join(
            f"  {part}: {finding.verdict.value}: {finding.reason}"
            for part, finding in self.parts.items()
            if not finding.green
        )


def look(stage: FaultyStage, checks: Iterable[Check] = CHECKS, *, watch: str = "") -> dict[str, Cell]:
    """Observe the stage once, and judge these checks by it. `watch` is what else to look at, as faults name it."""
    environment = stage.environment if "requests" in watch else asking_little(stage.environment)
    opened = IntrusiveHost if "rebuilds" in watch else Unwatched
    host = opened("stage", LOCAL, environment, browser="required" if "browser" in watch else "no")
    with contextlib.closing(host):
        # The facts first: what the page's answers log would be in them, or not, by chance.
        return {check.id: _cell(check, host, rebuilds="rebuilds" in watch) for check in checks}


def _cell(check: Check, host: IntrusiveHost, *, rebuilds: bool) -> Cell:
    parts = findings(check, host)
    parts = {part: found for part, found in parts.items() if rebuilds or (check.id, part) not in WATCHED}
    verdicts = {finding.verdict for finding in parts.values()}
    worst = next((one for one in (Verdict.FAIL, Verdict.UNKNOWN) if one in verdicts), Verdict.PASS)
    return Cell(worst if parts else Verdict.UNKNOWN, parts)


def asking_little(environment: Environment) -> Environment:
    """Return the environment with few requests to its page."""
    return environment.model_copy(update={"page": environment.page.model_copy(update={"requests": FEW_REQUESTS})})


def expected(faults: Iterable[Fault], check: str) -> Verdict:
    """Return what a check has to come to while these are planted."""
    declared = list(faults)
    if any(check in fault.red for fault in declared):
        return Verdict.FAIL
    return Verdict.UNKNOWN if any(check in fault.unknown for fault in declared) else Verdict.PASS


def red(seen: Mapping[str, Cell]) -> frozenset[str]:
    """Return the checks that keep the gate from passing: failed, or not known."""
    return frozenset(check for check, cell in seen.items() if cell.verdict is not Verdict.PASS)


def declared(fault: Fault) -> frozenset[str]:
    """Return the checks that a fault says will not be green."""
    return frozenset({*fault.red, *fault.unknown})
