"""The explorer itself, on a toy: what it counts, finds, shrinks and refuses."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from fixtures.concurrency.explorer import Exploration, Explorer, UncontrolledNondeterminism
from fixtures.concurrency.history import History
from validations.meta.concurrency.toys import Counters, both_have_read, counters, lost_updates
from validations.races.invariants import Broken

STATES = {"both-have-read": both_have_read, "never": lambda _: False}


def explored(explore: Callable[[Explorer], Exploration], system: Counters | None = None) -> Exploration:
    """Explore the counters."""
    with Explorer(system or Counters(), lost_updates, STATES) as explorer:
        return explore(explorer)


def test_an_exhausted_space_is_counted_with_its_states() -> None:
    """Of the 6 schedules of two counters with at most 2 preemptions 4 reach the danger, and each of them is seen."""
    exploration = explored(lambda explorer: explorer.exhaust(counters(2), 2, until=()))
    assert (exploration.schedules, exploration.exhausted, exploration.failure) == (6, True, None)
    assert (exploration.states, exploration.broken) == ({"both-have-read": 4}, {"I4": 4})


def test_a_state_that_was_not_reached_is_told() -> None:
    """Without preemptions the danger does not come up: it is not among the states, and nothing breaks."""
    exploration = explored(lambda explorer: explorer.exhaust(counters(2), 0))
    assert (exploration.schedules, exploration.failure, dict(exploration.states)) == (2, None, {})


def test_a_cut_search_is_not_an_exhausted_one() -> None:
    """A search that stops at a number of schedules does not claim the space."""
    exploration = explored(lambda explorer: explorer.exhaust(counters(3), 1, until=(), most=5))
    assert (exploration.schedules, exploration.exhausted) == (5, False)


def test_the_first_failure_has_the_fewest_preemptions() -> None:
    """Fewest first: the witness of the lost update is one switch, at the step between read and write."""
    failure = explored(lambda explorer: explorer.exhaust(counters(2), 3)).failure
    assert failure is not None
    assert failure.witness.schedule == ((1, 1),)
    assert failure.witness.seen == "1 of 2 updates count"


def test_a_drawn_failure_is_shrunk_to_what_it_needs() -> None:
    """PCT finds it with whatever switches it drew; the witness keeps one preemption, as no other is needed."""
    failure = explored(lambda explorer: explorer.draw(counters(4), 200, depth=3, seed=1)).failure
    assert failure is not None
    preempted = [
        decision
        for decision in failure.outcome.run.decisions
        if decision.current is not None and decision.chosen != decision.current
    ]
    assert len(preempted) == 1
    assert len(failure.witness.schedule) <= 2


def test_drawn_schedules_state_their_bound() -> None:
    """PCT's bound is that of the runs it made: 1 - (1 - 1/(2 * 4))^100 for two actors, four steps and depth 2."""
    exploration = explored(lambda explorer: explorer.draw(counters(2), 100, depth=2, seed=3, until=()))
    assert exploration.schedules == 100
    assert exploration.pct_bound == pytest.approx(1 - (1 - 1 / 8) ** 100)
    assert exploration.broken["I4"] > 0


def test_a_witness_replays_as_it_was_found() -> None:
    """The schedule of a witness gives the same steps and breaks the same promise, twenty times out of twenty."""
    with Explorer(Counters(), lost_updates) as explorer:
        failure = explorer.exhaust(counters(3), 2).failure
        assert failure is not None
        for _ in range(20):
            outcome, broken = explorer.once(counters(3), failure.witness.schedule)
            assert [found.seen for found in broken] == [failure.witness.seen]
            assert outcome.run.steps == failure.outcome.run.steps


def test_a_failing_schedule_that_gives_two_histories_is_a_fault_of_the_harness() -> None:
    """A failure is run again; where the second history differs, it is neither a pass nor a fail, but an error."""
    totals = itertools.count()

    def judge(history: History) -> list[Broken]:
        history.facts["influence"] = next(totals)
        return lost_updates(history)

    with Explorer(Counters(), judge) as explorer, pytest.raises(UncontrolledNondeterminism, match="two histories"):
        explorer.exhaust(counters(2), 1)


def test_a_passing_schedule_that_wanders_is_a_fault_of_the_harness() -> None:
    """A schedule whose beginning is not its parent's is an error: else the exhausted space would be another one."""
    system = Counters(noise=itertools.chain([0, 0, 0, 0], itertools.repeat(1)))
    with pytest.raises(UncontrolledNondeterminism, match="began otherwise"):
        explored(lambda explorer: explorer.exhaust(counters(2), 2, until=()), system)
