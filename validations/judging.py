"""Judge a host outside of a gate run: every part of a check, as the gate itself would come to it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from fixtures.environments.base import Host
from fixtures.observation.facts import Unobserved
from validations.contracts import Judgement, unknown
from validations.registry import Check


def judgements(check: Check, host: Host, history: Sequence[dict[str, Any]] = ()) -> dict[str, Judgement]:
    """Return what a check's module judges of each part, as `Cell.judge` drives it."""
    module = importlib.import_module(check.file.removesuffix(".py").replace("/", "."))
    parts = check.parts(host.environment)
    try:
        evidence = module.examine(host) if check.number else module.examine(host, history)
    except Unobserved as reason:
        return dict.fromkeys(parts, unknown(f"not observed: {reason}"))
    return {part: module.judge(evidence, part if check.number else check) for part in parts}
