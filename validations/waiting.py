"""Look again until it is green, for the minutes after a deploy (`--wait`), without being fooled by luck.

One check on one host is looked at until all its parts are green, and then once more: a green that follows a red has
to be confirmed. A part that was good and then bad again comes and goes, as does one of whose answers some were bad
after good ones: that is what races look like, and no number of further looks makes it green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.records import Finding, Verdict
from validations.contracts import failed, unknown

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """One examination, judged in all its parts. `started` is seconds since the epoch."""

    findings: Mapping[str, Finding]
    started: float
    seconds: float

    def green(self, *, required: bool) -> bool:
        """Tell whether every part is green; an unknown one counts where it is required."""
        verdicts = {finding.verdict for finding in self.findings.values()}
        return Verdict.FAIL not in verdicts and not (required and Verdict.UNKNOWN in verdicts)


def goes_on(looks: Sequence[Look], *, required: bool, time_left: bool) -> bool:
    """Tell whether to look again: until a green look, which a second one confirms where a red one came before."""
    if any(_sporadic(looks, part) for part in looks[-1].findings):
        return False
    if looks[-1].green(required=required):
        return len(looks) > 1 and not looks[-2].green(required=required)
    return time_left


def settled(looks: Sequence[Look], part: str) -> Finding:
    """Return what all looks together say of a part."""
    last = looks[-1].findings[part]
    again = _sporadic(looks, part)
    if again:
        check = last.code.partition(".")[0]
        return failed(f"{check}.sporadic", seen_by=last.seen_by, figures=last.figures, again=again)
    if len(looks) > 1 and last.green and not looks[-2].findings[part].green:
        code = f"{last.code.partition('.')[0]}.unconfirmed"
        return unknown(code, level=last.level, look=len(looks), observed=last.observed)
    return last


def pause(looks: int) -> float:
    """Return how long to wait before the next look: longer each time."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 1.5 ** (looks - 1)))


def _sporadic(looks: Sequence[Look], part: str) -> str:
    """Say how a part was bad after it had been good, in one look or from one to another; "" where it was not."""
    if len(looks) == 1:
        return ""
    seen = [look.findings[part] for look in looks if part in look.findings]
    for number, finding in enumerate(seen, 1):
        if finding.sporadic:
            return f"it came and went at look {number} of {len(looks)}: {finding.observed}"
    good = next((number for number, finding in enumerate(seen) if finding.green), len(seen))
    for number, finding in enumerate(seen[good:], good + 1):
        if finding.verdict is Verdict.FAIL:
            return f"good at look {good + 1} and bad at look {number}: {finding.observed}"
    return ""
