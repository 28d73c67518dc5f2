"""A system small enough to count by hand: actors that each raise a number, and lose an update where they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fixtures.concurrency.history import History
from fixtures.concurrency.scheduler import Actor, Run, Scheduler
from fixtures.concurrency.systems import Outcome, Scenario
from validations.races.invariants import Broken


class Counters:
    """Each actor reads a total and writes it back one higher. noise: what an unannounced influence adds to a run."""

    def __init__(self, noise: Iterator[int] | None = None) -> None:
        self._noise = noise
        self._scenario = Scenario("none", ())
        self._total = 0

    def prepare(self, scenario: Scenario) -> None:
        """Remember who there is."""
        self._scenario = scenario

    def begin(self, scheduler: Scheduler) -> Sequence[tuple[str, Callable[[Actor], None]]]:  # noqa: ARG002
        """Begin at none."""
        self._total = 0
        return [(name, self._raise) for name, _ in self._scenario.actors]

    def conclude(self, run: Run) -> History:
        """Tell the total."""
        return History(tuple(run.events), facts={"total": self._total, "of": len(self._scenario.actors)})

    def _raise(self, actor: Actor) -> None:
        for _ in range(next(self._noise) if self._noise else 0):
            actor.announce("look", "elsewhere")
        actor.announce("read", "total")
        seen = self._total
        actor.announce("write", "total")
        self._total = seen + 1


def counting(actors: int) -> Scenario:
    """Give a scenario of so many counters."""
    return Scenario("counters", tuple((f"counter-{number}", ()) for number in range(actors)))


def lost_updates(history: History) -> list[Broken]:
    """Judge: every actor's update counts."""
    total, of = history.facts["total"], history.facts["of"]
    return [Broken("I4", f"{total} of {of} updates count", 0)] if total < of else []


def both_have_read(outcome: Outcome) -> bool:
    """Two reads came before the first write."""
    ops = [step.op for step in outcome.run.steps]
    return ops[: ops.index("write")].count("read") > 1
