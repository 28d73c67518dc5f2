"""What is explored on Laravel: the scenarios, and what the unmodified framework does wrong in each."""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.concurrency.systems import Deed, Scenario


@dataclass(frozen=True)
class BladeCase:
    """A scenario, how many preemptions are worth their time, and the classes of failure that Laravel 8.83 has then.

    The classes are those of `blade.KNOWN`. The third preemption is for the guard of Laravel 10.24: a file that is back
    before the second look.
    """

    scenario: Scenario
    unmodified: tuple[str, ...]
    preemptions: int = 2


def cases(page: str = "page", card: str = "card") -> tuple[BladeCase, ...]:
    """Give the scenarios for a simple view and one that is made of several."""
    render: tuple[Deed, ...] = (("render", page),)
    clear: tuple[Deed, ...] = (("clear", ""),)
    cache: tuple[Deed, ...] = (("cache", ""),)
    visit: tuple[Deed, ...] = (("visit", page),)
    deploy: tuple[Deed, ...] = (("deploy", "r2"),)

    def case(name: str, *actors: tuple[str, tuple[Deed, ...]], fails: tuple[str, ...], warm: bool = False,
             views: tuple[str, ...] = (page,), preemptions: int = 2) -> BladeCase:  # fmt: skip
        begin = "warm" if warm else "open"
        scenario = Scenario(name, actors, begin=begin, watching=True, views=views)  # type: ignore[arg-type]
        return BladeCase(scenario, fails, preemptions)

    return (
        case("warm-render-against-clear", ("ann", render), ("clearer", clear), warm=True,
             fails=("filemtime", "require")),
        case("cold-render-against-clear", ("ann", render), ("clearer", clear), fails=("first-render-miss", "require")),
        case("two-cold-renders", ("ann", render), ("bob", render), fails=("blank",)),
        case("warm-render-against-cache", ("ann", render), ("cacher", cache), warm=True,
             fails=("filemtime", "require", "blank"), preemptions=3),
        case("two-renders-against-clear", ("ann", render), ("bob", render), ("clearer", clear), warm=True,
             fails=("filemtime", "require", "blank")),
        case("cold-render-against-edit", ("ann", render), ("editor", (("edit", page), ("tick", ""))),
             fails=("sticky-stale",)),
        case("cold-render-against-save", ("ann", render), ("editor", (("save", page), ("tick", ""))),
             fails=("sticky-blank", "sticky-stale")),
        case("resaved-render-against-clear", ("editor", (("resave", page),)), ("ann", render), ("clearer", clear),
             warm=True, fails=("filemtime", "require", "first-render-miss")),
        case("resaved-and-edited-in-a-second", ("editor", (("resave", page), ("edit", page))), ("ann", render),
             warm=True, fails=()),
        case("clear-against-clear", ("one", clear), ("other", clear), warm=True, fails=()),
        case("parts-against-clear", ("ann", (("render", card),)), ("clearer", clear), warm=True, views=(card,),
             fails=("filemtime", "require")),
        case("two-cold-renders-of-parts", ("ann", (("render", card),)), ("bob", (("render", card),)), views=(card,),
             fails=("blank", "cut"), preemptions=1),
        case("render-against-optimize", ("ann", render), ("deployer", (("optimize", ""),)), warm=True, fails=()),
        case("killed-render", ("ann", render), ("reaper", (("kill", "ann"),)), ("bob", render),
             fails=("blank", "sticky-blank"), preemptions=1),
        # A release with compiled views of its own, warmed before it is served, breaks nobody's page on any version.
        case("visit-against-deployment", ("ann", visit * 2), ("deployer", deploy), warm=True, fails=()),
        case("killed-deployment", ("deployer", deploy), ("reaper", (("kill", "deployer"),)), ("ann", visit * 2),
             warm=True, fails=(), preemptions=1),
    )  # fmt: skip


def service_cases(page: str = "page") -> tuple[BladeCase, ...]:
    """Give the scenarios for an application with a view cache service of its own: none of them may fail."""
    render: tuple[Deed, ...] = (("render", page),)
    rebuild: tuple[Deed, ...] = (("rebuild", ""),)
    fix: tuple[Deed, ...] = (("emergency-fix", ""),)
    request: tuple[Deed, ...] = (("request", page),)

    def case(name: str, *actors: tuple[str, tuple[Deed, ...]], warm: bool = True, preemptions: int = 2) -> BladeCase:
        begin = "warm" if warm else "open"
        scenario = Scenario(name, actors, begin=begin, watching=True, views=(page,))  # type: ignore[arg-type]
        return BladeCase(scenario, (), preemptions)

    return (
        case("warm-render-against-rebuild", ("ann", render), ("rebuilder", rebuild)),
        case("request-against-rebuild", ("ann", request), ("rebuilder", rebuild)),
        case("cold-render-against-rebuild", ("ann", render), ("rebuilder", rebuild), warm=False),
        case("two-rebuilds", ("one", rebuild), ("other", rebuild), preemptions=1),
        case("render-against-emergency-fix", ("ann", render), ("operator", fix)),
        case("clears-of-what-is-old", ("one", (("clear", ""), ("clear", ""))), ("clock", (("age", ""),)),
             ("other", (("clear", ""),)), preemptions=1),
        case("two-renders-against-rebuild", ("ann", render), ("bob", render), ("rebuilder", rebuild), preemptions=1),
        case("killed-rebuild", ("rebuilder", rebuild), ("reaper", (("kill", "rebuilder"),)), ("ann", render),
             preemptions=1),
    )  # fmt: skip


CASES = {case.scenario.name: case for case in cases()}
SERVICE_CASES = {case.scenario.name: case for case in service_cases()}
