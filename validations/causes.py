"""One root cause is one failure: what a host that is down, or an application that does not boot, keeps from being seen.

The failure stands where it shows: at the page, which answers nothing, or at the console, which does not start. Every
other part of that host is unknown because of it, in the same words, so that reports tell it once. Where a host cannot
be looked at and its page answers all the same, nothing has failed: then all that was not seen has that one cause.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reports.records import Finding, Verdict
from validations.contracts import unknown
from validations.registry import AVAILABILITY, DISCLOSURE, HEALTH, MIDDLEWARE, PAGE, RECOVERY

if TYPE_CHECKING:
    from fixtures.environments.base import Host
    from fixtures.observation.facts import HostFacts, Unobserved
    from fixtures.observation.pages import PageObservation

# What is judged by answers of the page, and what by answers of the console: (check, part), None for all its parts.
BY_PAGE = ((MIDDLEWARE.id, "answers"), (PAGE.id, None), (DISCLOSURE.id, None), (AVAILABILITY.id, None))
BY_CONSOLE = ((HEALTH.id, None), (MIDDLEWARE.id, "repairs"), (RECOVERY.id, None))


@dataclass(frozen=True, slots=True)
class Cause:
    """Why much of a host was not seen. `carrier` is the check that fails for it, "" where none does.

    `reason` is how what was not seen tells it; `page` and `console`: what gives no answer.
    """

    text: str
    carrier: str
    reason: str
    page: bool
    console: bool
    remedy: str

    def applied(self, check: str, part: str, finding: Finding) -> Finding:
        """Return the finding, or that it is unknown because of this."""
        if check == self.carrier and finding.verdict is Verdict.FAIL:
            return finding
        if finding.green or not self._explains(check, part, finding):
            return finding
        follows = unknown(f"{check}.follows", seen_by=finding.seen_by, cause=self.text, remedy=self.remedy)
        return replace(follows, cause=self.text, figures=finding.figures, samples=finding.samples)

    def _explains(self, check: str, part: str, finding: Finding) -> bool:
        if self.reason and self.reason in finding.observed:
            return True
        groups = (BY_PAGE if self.page else ()) + (BY_CONSOLE if self.console else ())
        if (check, part) in groups or (check, None) in groups:
            return True
        # What needs the console needs the application: what is unknown for want of it is told by many commands.
        return self.console and finding.verdict is Verdict.UNKNOWN


def root_cause(host: Host) -> Cause | None:
    """Return the one thing that keeps much of this host from being seen, if there is such."""
    from fixtures.environments.transports import Unreachable
    from fixtures.observation.facts import Unobserved

    facts: HostFacts | Unobserved
    page: PageObservation | None
    try:
        facts = host.facts()
    except Unobserved as reason:
        facts = reason
    try:
        page = host.page()
    except Unobserved:
        page = None
    dead = _dead(page)
    if isinstance(facts, Unreachable):
        text = f"{host.id} is down: {facts}; and its page: {dead}" if dead else str(facts)
        return Cause(text, PAGE.id if dead else "", str(facts), bool(dead), bool(dead), "bring the host up, or its way")
    if not isinstance(facts, Unobserved) and facts.application is None:
        said = facts.unobserved.get("application", "it does not say what it is")
        text = f"the application on {host.id} does not boot: {said}"
        carrier = PAGE.id if dead else HEALTH.id
        return Cause(text, carrier, said, bool(dead), True, "run its console by hand and read what it says")  # noqa: FBT003
    if dead:
        text = f"the page of {host.id} answers nothing whole: {dead}"
        return Cause(text, PAGE.id, "", True, False, "see check 7: bring the page back")  # noqa: FBT003
    return None


def _dead(page: PageObservation | None) -> str:
    """Return how a page fails that answers nobody, or nothing where it answers anything but errors."""
    if page is None or not page.answers:
        return ""
    if any(answer.status and answer.status < 500 for answer in page.answers):
        return ""
    kinds = Counter(answer.error or f"status {answer.status}" for answer in page.answers)
    ((kind, _),) = kinds.most_common(1)
    return f"{page.url}: {kind}"
