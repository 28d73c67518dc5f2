"""Scenarios and schedules that are drawn: who does what, what befalls whom, who goes when. They shrink to witnesses."""

from __future__ import annotations

from hypothesis import strategies as st

from fixtures.concurrency.schedules import Schedule
from fixtures.concurrency.systems import Deed, Scenario

VIEWS = ("page.html", "part.html")
NAMES = ("ann", "bob", "cid")
ACTIONS = ("render", "request", "rebuild", "clear", "emergency-fix", "health-fix", "edit", "save")
FAULTS = ("kill", "expire", "flush", "age", "lose-reply", "store-down", "truncate", "wipe")
OF_A_VIEW = ("render", "request", "edit", "save")
LONGEST = 60
"""Steps among which a switch is drawn: most runs are over by then, and later switches find nobody."""


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Draw a scenario. Swarm: first which actions and faults there are at all, then who does which of them.

    What belongs together is drawn as one element of a list: it can be left out when a witness shrinks.
    """
    actions = draw(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3, unique=True), label="actions")
    faults = draw(
        st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 2)), max_size=2, unique_by=lambda one: one[0]),
        label="faults",
    )
    kills = any(fault == "kill" for fault, _ in faults)
    if kills:
        # An editor who is killed in the middle of a save leaves half a source, and no cache can know better.
        actions = [action for action in actions if action != "save"] or ["render"]
    views = VIEWS[: draw(st.integers(1, 2), label="views")]
    deeds = st.tuples(st.sampled_from(actions), st.sampled_from(views)).map(
        lambda deed: deed if deed[0] in OF_A_VIEW else (deed[0], "")
    )
    does = draw(
        st.lists(st.lists(deeds, min_size=1, max_size=2).map(tuple), min_size=2, max_size=len(NAMES)), label="actors"
    )
    actors: list[tuple[str, tuple[Deed, ...]]] = list(zip(NAMES, does, strict=False))
    if faults:
        struck = tuple((fault, _whom(fault, number, len(does), views)) for fault, number in faults)
        actors.append(("nemesis", struck))
    return Scenario(
        "drawn",
        tuple(actors),
        begin=draw(st.sampled_from(("open", "warm", "absent")), label="begin"),
        held=draw(st.booleans(), label="held"),
        watching=draw(st.booleans(), label="watching"),
        views=views,
        ttl_seconds=2.0 if kills else 30.0,
    )


def _whom(fault: str, number: int, actors: int, views: tuple[str, ...]) -> str:
    if fault in {"kill", "lose-reply"}:
        return NAMES[number % actors]
    return views[number % len(views)] if fault == "truncate" else ""


def plan_of(scenario: Scenario, switches: list[tuple[int, int]]) -> tuple[Scenario, Schedule]:
    """Give the plan of these switches, to actors counted round."""
    return scenario, tuple(sorted((step, actor % len(scenario.actors)) for step, actor in switches))


switches = st.lists(
    st.tuples(st.integers(0, LONGEST), st.integers(0, len(NAMES))), max_size=3, unique_by=lambda one: one[0]
)
"""Up to three switches: a sparse list, whose shrunk value is the minimal interleaving."""
plans = st.builds(plan_of, scenarios(), switches)
