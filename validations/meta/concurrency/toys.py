"""A system small enough to count by hand: actors that each raise a number, and lose an update where they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from fixtures.concurrency.history import History
from fixtures.concurrency.scheduler import Actor, Run, Scheduler
from fixtures.concurrency.systems import Deed, Outcome, Scenario
from validations.races.invariants import Broken

RAISE: Deed = ("raise", "total")
IDLE: Deed = ("look", "elsewhere")


class Counters:
    """Each actor raises a total as often as it has deeds of that kind: reads it, and writes it back one higher.

    noise: what an unannounced influence adds to a run. A deed of another kind is a step that touches nothing.
    """

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
        return [(name, self._body(deeds)) for name, deeds in self._scenario.actors]

    def conclude(self, run: Run) -> History:
        """Tell the total."""
        raises = sum(deeds.count(RAISE) for _, deeds in self._scenario.actors)
        return History(tuple(run.events), facts={"total": self._total, "of": raises})

    def _body(self, deeds: tuple[Deed, ...]) -> Callable[[Actor], None]:
        def body(actor: Actor) -> None:
            for deed in deeds:
                if deed == RAISE:
                    self._raise(actor)
                else:
                    actor.announce(*deed)

        return body

    def _raise(self, actor: Actor) -> None:
        for _ in range(next(self._noise) if self._noise else 0):
            actor.announce("look", "elsewhere")
        actor.announce("read", "total")
        seen = self._total
        actor.announce("write", "total")
        self._total = seen + 1


def counting(*actors: tuple[Deed, ...]) -> Scenario:
    """Give a scenario of actors with these deeds."""
    return Scenario("counters", tuple((f"counter-{number}", deeds) for number, deeds in enumerate(actors)))


def counters(number: int) -> Scenario:
    """Give a scenario of so many that each raise the total once."""
    return counting(*[(RAISE,)] * number)


def lost_updates(history: History) -> list[Broken]:
    """Judge: every actor's update counts."""
    total, of = history.facts["total"], history.facts["of"]
    return [Broken("I4", f"{total} of {of} updates count", 0)] if total < of else []


def both_have_read(outcome: Outcome) -> bool:
    """Two reads came before the first write."""
    ops = [step.op for step in outcome.run.steps]
    return ops[: ops.index("write")].count("read") > 1
