"""Whether the hosts of one environment agree: the same release, versions, middleware and compiled views.

One deploy that reached all but one host shows on no host alone. Each host's digest is compared with what most hosts
have; where there is no majority, every host differs. A host passes only if every host was seen in everything compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reports.records import Finding
from validations.contracts import RESOLVED, counted, failed, listed, passed, unknown
from validations.messages import fails, is_unknown, passes, says

if TYPE_CHECKING:
    from fixtures.observation.facts import HostFacts, Unobserved

says(
    {
        "agreement.not-seen": is_unknown("not measured: {reason}"),
        "agreement.differs": fails(
            "{host} has {differences}", "the same on every host", "deploy to that host again, then compare"
        ),
        "agreement.not-all-compared": is_unknown("no difference was seen, but not all could be compared: {unseen}"),
        "agreement.alone": is_unknown("not measured: there is no other host to compare with"),
        "agreement.alike": passes("alike on {hosts}: {compared}"),
    }
)

HOST = "host"
SECTIONS = ("application", "compiled", "middleware")


@dataclass(frozen=True, slots=True)
class Digest:
    """What of one host is compared: values by name, and by section why the rest was not seen.

    A value is "" where the application positively has none (no Filament). `unseen` names sections of the facts, or
    the whole `HOST`.
    """

    seen: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)


MISSING = Digest(unseen={HOST: "its digest did not come: the test that takes it did not run to its end"})


def digest_of(facts: HostFacts | Unobserved) -> Digest:
    """Return what of a host is compared, or why its facts could not be had."""
    from fixtures.observation.facts import Unobserved

    if isinstance(facts, Unobserved):
        return Digest(unseen={HOST: str(facts)})
    seen: dict[str, str] = {}
    unseen: dict[str, str] = {}
    for section in SECTIONS:
        try:
            facts.seen(section)
        except Unobserved as reason:
            unseen[section] = str(reason)
    if (one := facts.application) is not None:
        seen |= {
            "release": one.release,
            "environment": one.environment,
            "framework": one.framework_version,
            "Filament": one.filament_version or "",
            "PHP": one.php_version,
            "debug mode": str(one.debug),
        }
    if (compiled := facts.compiled) is not None:
        seen["templates"] = str(compiled.sources)
        if compiled.digest:
            seen["compiled views"] = compiled.digest
        else:
            unseen["compiled"] = "the probe's answer lacks their digest"
    if facts.middleware is not None:
        seen["middleware"] = " ".join(facts.middleware.stack)
    return Digest(seen, unseen)


def judge(host: str, digests: Mapping[str, Digest]) -> Finding:
    """Compare one host with all hosts of the environment."""
    mine = digests[host]
    seen_by = f"the probes of {counted(sum(bool(one.seen) for one in digests.values()), 'host')}"
    if not mine.seen:
        return unknown("agreement.not-seen", reason=listed(list(mine.unseen.values())) or "nothing of it was seen")
    if differs := [text for name in mine.seen if (text := _difference(host, name, digests))]:
        return failed("agreement.differs", level=RESOLVED, seen_by=seen_by, host=host, differences="; ".join(differs))
    if unseen := [text for name, digest in digests.items() if (text := _unseen(name, digest))]:
        return unknown("agreement.not-all-compared", seen_by=seen_by, unseen="; ".join(unseen))
    if len(digests) < 2:
        return unknown("agreement.alone")
    compared = listed([name for name, value in mine.seen.items() if value], most=9)
    return passed("agreement.alike", RESOLVED, seen_by=seen_by, hosts=counted(len(digests), "host"), compared=compared)


def _difference(host: str, name: str, digests: Mapping[str, Digest]) -> str:
    """Say how the host's value differs from what most hosts have; "" where most have the same."""
    values = {other: digest.seen[name] for other, digest in digests.items() if name in digest.seen}
    mine = values[host]
    counts = Counter(values.values())
    most = max(counts.values())
    usual = [value for value, count in counts.items() if count == most]
    if usual == [mine]:
        return ""
    return f"{name} {_short(mine)}, unlike {listed([other for other, value in values.items() if value != mine])}"


def _unseen(host: str, digest: Digest) -> str:
    """Say what of a host could not be compared, and why; "" where all could."""
    if HOST in digest.unseen or not digest.seen:
        return f"nothing was seen of {host} ({digest.unseen.get(HOST, 'no reason was given')})"
    reasons = [f"{section} ({reason})" for section, reason in digest.unseen.items()]
    return f"of {host} not {listed(reasons)}" if reasons else ""


def _short(value: str) -> str:
    return "none" if not value else value if len(value) <= 40 else f"{value[:37]}…"
