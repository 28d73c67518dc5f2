"""Look again until it is green, for the minutes after a deploy (`--wait`), without being fooled by luck.

One check on one host is looked at until all its parts are green, and then once more: a green that follows a red has
to be confirmed. A part that was good and then bad again comes and goes, as does one of whose answers some were bad
after good ones: that is what races look like, and no number of further looks makes it green.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reports.records import Verdict
from validations.contracts import Judgement, failed, unknown

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """One examination, judged in all its parts. `started` is seconds since the epoch."""

    judgements: Mapping[str, Judgement]
    started: float
    seconds: float

    def green(self, *, required: bool) -> bool:
        """Tell whether every part is green; an unknown one counts where it is required."""
        verdicts = {judgement.verdict for judgement in self.judgements.values()}
        return Verdict.FAIL not in verdicts and not (required and Verdict.UNKNOWN in verdicts)


def goes_on(looks: Sequence[Look], *, required: bool, time_left: bool) -> bool:
    """Tell whether to look again: until a green look, which a second one confirms where a red one came before."""
    if any(_sporadic(looks, part) for part in looks[-1].judgements):
        return False
    if looks[-1].green(required=required):
        return len(looks) > 1 and not looks[-2].green(required=required)
    return time_left


def settled(looks: Sequence[Look], part: str) -> Judgement:
    """Return what all looks together say of a part."""
    last = looks[-1].judgements[part]
    again = _sporadic(looks, part)
    if again:
        return replace(
            failed(
                again,
                "good from some look on",
                remedy="waiting mends nothing that comes and goes: find out what fails now and then, and why",
                seen_by=last.seen_by,
            ),
            figures=last.figures,
        )
    if len(looks) > 1 and _good(last) and not _good(looks[-2].judgements[part]):
        return unknown(f"good at look {len(looks)}, and there was no further one to confirm it: {last.observed}")
    return last


def pause(looks: int) -> float:
    """Return how long to wait before the next look: longer each time."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 1.5 ** (looks - 1)))


def _good(judgement: Judgement) -> bool:
    return judgement.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE)


def _sporadic(looks: Sequence[Look], part: str) -> str:
    """Say how a part was bad after it had been good, in one look or from one to another; "" where it was not."""
    if len(looks) == 1:
        return ""
    seen = [look.judgements[part] for look in looks if part in look.judgements]
    for number, judgement in enumerate(seen, 1):
        if judgement.sporadic:
            return f"it came and went at look {number} of {len(looks)}: {judgement.observed}"
    good = next((number for number, judgement in enumerate(seen) if _good(judgement)), len(seen))
    for number, judgement in enumerate(seen[good:], good + 1):
        if judgement.verdict is Verdict.FAIL:
            return f"good at look {good + 1} and bad at look {number}: {judgement.observed}"
    return ""
