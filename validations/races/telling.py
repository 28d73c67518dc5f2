"""How a race test says what it explored, for the terminal and for reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.concurrency.explorer import Exploration, Failure
from fixtures.concurrency.schedules import WHOLE
from fixtures.concurrency.witness import table
from validations.races.output import PROPERTY


def tell(
    request: pytest.FixtureRequest,
    explorations: list[Exploration],
    *,
    system: str = "gateway",
    scenario: str = "",
    mutants: dict[str, Any] | None = None,
) -> None:
    """Record what was explored; one exploration, or several of one subject as their sum."""
    first = explorations[0]
    share = "" if first.shard == WHOLE else f" (shard {first.shard.number}/{first.shard.of})"
    states = sum((exploration.states for exploration in explorations), start=first.states.__class__())
    failure = None if mutants else next((one.failure for one in explorations if one.failure), None)
    told = {
        "system": system,
        "scenario": (scenario or first.scenario.name) + share,
        "profile": request.config.option.profile,
        "schedules": sum(exploration.schedules for exploration in explorations),
        "preemptions": first.preemptions,
        "reduced": any(exploration.reduced for exploration in explorations),
        "exhausted": all(exploration.exhausted for exploration in explorations),
        "pct_bound": min((e.pct_bound for e in explorations if e.pct_bound is not None), default=None),
        "states": dict(sorted(states.items())),
        "mutants": mutants,
        "seconds": round(sum(exploration.seconds for exploration in explorations), 3),
        "witness": None if failure is None else failure.as_json(),
    }
    request.node.user_properties.append((PROPERTY, told))


def insist(exploration: Exploration, request: pytest.FixtureRequest) -> None:
    """Fail where a promise broke, with the interleaving and the file that replays it."""
    if exploration.failure is not None:
        failure = exploration.failure
        kept = keep(failure, request.config)
        shown = table(failure.witness, failure.outcome)
        pytest.fail(f"{shown}\nrun exactly this again: uv run pytest --replay={kept}", pytrace=False)


def keep(failure: Failure, config: pytest.Config) -> Path:
    """Save a witness with the run, or below reports/runs where there is none that writes reports; give its path."""
    witness = failure.witness
    words = ("witness", witness.system, witness.variant, witness.scenario.name, witness.promise)
    name = "-".join(word for word in words if word) + ".json"
    text = json.dumps(failure.as_json(), indent=1, ensure_ascii=False) + "\n"
    kept = config.hook.pytest_viewgate_attach(config=config, name=name, content=text.encode())
    if kept is not None:
        return config.rootpath / "reports" / "latest" / str(kept)
    path = config.rootpath / "reports" / "runs" / "witnesses" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
