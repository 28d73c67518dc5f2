"""Whether the hosts of one environment are of one mind: the same release, the same versions, the same compiled views.

One deploy that reached all but one host shows on no host alone. Each host is held against what most of them have; where
no majority is, every host differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from fixtures.observation.facts import HostFacts, Unobserved
from validations.contracts import Judgement, counted, failed, listed, passed, unknown

Told = Mapping[str, str]


def told_by(facts: HostFacts) -> Told:
    """Return what has to be alike on every host, as far as it was seen, by its name."""
    told: dict[str, str] = {}
    if facts.application is not None:
        one = facts.application
        told = {
            "release": one.release,
            "environment": one.environment,
            "framework": one.framework_version,
            "Filament": one.filament_version or "",
            "PHP": one.php_version,
            "debug mode": str(one.debug),
        }
    if facts.compiled is not None:
        told |= {"templates": str(facts.compiled.sources), "compiled views": facts.compiled.digest}
    if facts.middleware is not None:
        told["middleware"] = " ".join(facts.middleware.stack)
    return {name: value for name, value in told.items() if value}


def judge(host: str, hosts: Mapping[str, Told | Unobserved]) -> Judgement:
    """Hold one host against the others."""
    mine = hosts[host]
    if isinstance(mine, Unobserved):
        return unknown(f"not measured: {mine}")
    seen = {name: told for name, told in hosts.items() if not isinstance(told, Unobserved)}
    if len(seen) < 2 or not mine:
        silent = [name for name in hosts if name not in seen]
        return unknown(f"not measured: nothing was seen of {listed(silent) or 'what could be'}")
    differs = []
    for name, value in mine.items():
        counts = Counter(told[name] for told in seen.values() if name in told)
        most = max(counts.values())
        usual = [one for one, count in counts.items() if count == most]
        if value not in usual or len(usual) > 1:
            others = [other for other, told in seen.items() if told.get(name, value) != value]
            differs.append(f"{name} {_short(value)}, unlike {listed(others)}")
    if differs:
        return failed(
            f"{host} has {'; '.join(differs)}",
            "the same on every host",
            remedy="deploy to that host again, then compare",
            seen_by=f"the probes of {counted(len(seen), 'host')}",
        )
    silent = [name for name in hosts if name not in seen]
    beside = f"; nothing was seen of {listed(silent)}" if silent else ""
    return passed(f"alike on {counted(len(seen), 'host')}: {listed(list(mine), most=8)}{beside}")


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:37]}…"
