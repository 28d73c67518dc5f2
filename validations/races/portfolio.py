"""What is explored: the scenarios, and the states that each must reach for its pass to mean anything."""

from __future__ import annotations

from dataclasses import dataclass

from fixtures.concurrency.systems import Deed, Scenario

PAGE = "page.html"

_RENDER: tuple[Deed, ...] = (("render", PAGE),)
_REQUEST: tuple[Deed, ...] = (("request", PAGE),)
_REBUILD: tuple[Deed, ...] = (("rebuild", ""),)


@dataclass(frozen=True)
class Case:
    """A scenario, and the states (of `states.STATES`) that some schedule must reach."""

    scenario: Scenario
    must_reach: tuple[str, ...]


def _does(*words: str) -> tuple[Deed, ...]:
    return ((words[0], words[1] if len(words) > 1 else ""),)


CASES = (
    Case(
        Scenario("two-cold-renders", (("ann", _RENDER), ("bob", _RENDER))),
        ("contended", "rechecked"),
    ),
    Case(
        Scenario("two-first-renders", (("ann", _RENDER), ("bob", _RENDER)), begin="absent"),
        ("contended", "rechecked", "waited-to-publish"),
    ),
    Case(
        Scenario("three-cold-renders", (("ann", _RENDER), ("bob", _RENDER), ("cid", _RENDER))),
        ("contended", "rechecked"),
    ),
    Case(
        Scenario("render-against-clear", (("ann", _RENDER), ("clearer", _does("clear"))), begin="warm"),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario(
            "warm-worker-against-clear", (("ann", _RENDER * 2), ("clearer", _does("clear"))), begin="warm", held=True
        ),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario("cold-render-against-clear", (("ann", _RENDER), ("clearer", _does("clear")))),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario("render-against-rebuild", (("ann", _RENDER), ("rebuilder", _REBUILD)), begin="warm"),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario(
            "render-against-emergency-fix", (("ann", _RENDER), ("operator", _does("emergency-fix"))), begin="warm"
        ),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario(
            "render-against-edit", (("ann", _RENDER * 2), ("editor", _does("edit", PAGE))), begin="warm", watching=True
        ),
        ("edited-during-a-render",),
    ),
    Case(
        Scenario(
            "warm-worker-against-save",
            (("ann", _RENDER * 2), ("editor", _does("save", PAGE))),
            begin="warm",
            held=True,
            watching=True,
        ),
        ("edited-during-a-render", "emptied-source-met"),
    ),
    Case(
        Scenario(
            "visit-against-deployment",
            (("ann", _does("visit", PAGE) * 2), ("deployer", _does("deploy", "r2"))),
            begin="warm",
        ),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario("two-rebuilds", (("ann", _REBUILD), ("bob", _REBUILD))),
        ("contended", "taken-over"),
    ),
    Case(
        Scenario("rebuild-against-clear", (("rebuilder", _REBUILD), ("clearer", _does("clear"))), begin="warm"),
        ("flipped-during-care", "waited-to-publish"),
    ),
    Case(
        Scenario(
            "rebuild-against-edit-and-clear",
            (("rebuilder", _REBUILD), ("editor", (("edit", PAGE), ("clear", "")))),
            begin="warm",
        ),
        ("flipped-during-care", "edited-during-care"),
    ),
    Case(
        Scenario(
            "rebuild-between-edits",
            (("rebuilder", _REBUILD), ("editor", (("edit", PAGE), ("rebuild", ""), ("edit", PAGE)))),
            begin="warm",
        ),
        ("contended", "edited-during-care"),
    ),
    Case(
        Scenario("first-render-against-rebuild", (("ann", _RENDER), ("rebuilder", _REBUILD)), begin="absent"),
        ("flipped-during-a-render", "flipped-during-care"),
    ),
    Case(
        Scenario("two-first-clears", (("ann", _does("clear")), ("bob", _does("clear"))), begin="absent"),
        ("waited-to-publish",),
    ),
    Case(
        Scenario(
            "two-collections",
            (("ann", (("clear", ""), ("age", ""), ("clear", ""))), ("bob", (("clear", ""),))),
            begin="warm",
        ),
        ("collected-together",),
    ),
    Case(
        Scenario(
            "warm-worker-against-edit-and-rebuild",
            (("ann", _RENDER * 2), ("editor", (("edit", PAGE), ("rebuild", "")))),
            begin="warm",
            held=True,
        ),
        ("flipped-during-a-render", "edited-during-a-render"),
    ),
    Case(
        Scenario(
            "warm-worker-against-two-saves",
            (("ann", _RENDER * 2), ("editor", (("save", PAGE), ("save", PAGE)))),
            begin="warm",
            held=True,
            watching=True,
        ),
        ("edited-during-a-render", "emptied-source-met"),
    ),
    Case(
        Scenario(
            "warm-worker-against-wipe", (("ann", _RENDER * 2), ("nemesis", _does("wipe"))), begin="warm", held=True
        ),
        ("wiped-during-a-render",),
    ),
    Case(
        Scenario("render-against-wipe", (("ann", _RENDER), ("bob", _RENDER), ("nemesis", _does("wipe")))),
        ("wiped-during-a-render",),
    ),
    Case(
        Scenario("health-fix-when-warm", (("ann", _RENDER), ("doctor", _does("health-fix"))), begin="warm"),
        ("checked-during-a-render",),
    ),
    Case(
        Scenario("renderer-killed", (("ann", _RENDER), ("bob", _RENDER), ("nemesis", _does("kill", "ann")))),
        ("killed-inside", "killed-before-publishing", "contended"),
    ),
    Case(
        Scenario(
            "rebuilder-killed",
            (("ann", _REBUILD), ("bob", _REBUILD), ("nemesis", _does("kill", "ann"))),
            ttl_seconds=2.0,
        ),
        ("killed-inside", "killed-before-publishing", "killed-at-the-kernel-lock", "contended"),
    ),
    Case(
        Scenario(
            "clearer-killed",
            (("ann", _does("clear")), ("bob", _RENDER), ("nemesis", _does("kill", "ann"))),
            begin="warm",
        ),
        ("killed-before-publishing", "killed-at-the-kernel-lock", "flipped-during-a-render"),
    ),
    Case(
        Scenario("view-lock-expires", (("ann", _RENDER), ("bob", _RENDER), ("nemesis", _does("expire")))),
        ("lost-inside", "second-holder"),
    ),
    Case(
        Scenario("rebuild-lock-expires", (("ann", _REBUILD), ("bob", _REBUILD), ("nemesis", _does("expire")))),
        ("lost-inside", "second-holder", "loss-told"),
    ),
    Case(
        Scenario("health-fix-against-render", (("ann", _RENDER), ("doctor", _does("health-fix")))),
        ("flipped-during-a-render",),
    ),
    Case(
        Scenario(
            "repair-of-a-truncated-view",
            (("ann", _REQUEST), ("bob", _REQUEST), ("nemesis", _does("truncate", PAGE))),
            begin="warm",
        ),
        ("damaged-view-met",),
    ),
    Case(
        Scenario("reply-lost", (("ann", _RENDER), ("bob", _RENDER), ("nemesis", _does("lose-reply", "ann")))),
        ("reply-lost",),
    ),
    Case(
        Scenario("rebuild-reply-lost", (("ann", _REBUILD), ("nemesis", _does("lose-reply", "ann"))), begin="warm"),
        ("reply-lost",),
    ),
    Case(
        Scenario("locks-flushed", (("ann", _REBUILD), ("bob", _REBUILD), ("nemesis", _does("flush"))), begin="warm"),
        ("lost-inside", "second-holder", "loss-told"),
    ),
    Case(
        Scenario("store-goes-down", (("ann", _RENDER), ("rebuilder", _REBUILD), ("nemesis", _does("store-down")))),
        ("store-out-of-reach",),
    ),
)
