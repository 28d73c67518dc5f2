"""The order in which faults are planted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from fixtures.faults.base import Fault
from validations.faults.looking import declared

# So many in a row break different cells, as far as that goes: two processes may take turns at them.
APART = 3


def spread(faults: Iterable[Fault]) -> list[Fault]:
    """Order faults so that those that follow each other break different cells, as far as that goes.

    What one breaks is then seen to be green again while the next one is planted, without a look of its own.
    """
    left, ordered = list(faults), list[Fault]()
    breaks = {fault.name: declared(fault) for fault in left}
    crowds = Counter(check for broken in breaks.values() for check in broken)

    def cost(fault: Fault) -> tuple[int, ...]:
        """Sharing with the last one weighs most; of equals, what breaks a cell that many others break goes first."""
        broken = breaks[fault.name]
        shares = (bool(broken & breaks[before.name]) for before in ordered[: -APART - 1 : -1])
        return (*shares, -max((crowds[check] for check in broken), default=0))

    while left:
        ordered.append(min(left, key=cost))
        left.remove(ordered[-1])
        crowds.subtract(breaks[ordered[-1].name])
    return ordered
