"""Decide whether a deployment's steps are safe: the rules of validation 3, over `reading.deployment`'s model.

Pure: steps in, one `Ruling` out. A rule that is broken outranks what is not understood, and that what is in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from fixtures.observation.reading.deployment import Deployment, Step

_STRICT = "begin the script with `set -euo pipefail`, without `|| true` behind this"
_IMAGE = "have the script that is named run view:cache where it can be read, or name the file that builds the image"
_WRITE_OUT = "write out what it does, or allow the dry run to tell it: deployment.dry_run = true"
_LOCK = (
    "hold a lock for the whole run (`exec 9>deploy.lock; flock -n 9 || exit 1`), or, where what starts it keeps two "
    "runs apart, say so: serialized = true below [environments.NAME.deployment]"
)


CODES = {
    "ok": ("safe-order",),
    "failed": (
        "not-its-kind", "clears-live", "rebuilds-live", "switch-not-atomic", "not-warmed", "warmed-too-late",
        "failure-goes-on", "stays-down", "deploys-nothing",
    ),
    "unknown": (
        "may-rebuild-live", "no-reload", "warmed-sometimes", "image-not-read", "not-understood", "runs-meet",
    ),
}  # fmt: skip
"""By verdict what a deployment may come to; in the catalogue `deployment.` stands before each."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one deployment comes to. `state`: what is live and what is being built at that point.

    Raises ValueError for a code that is none of its verdict.
    """

    verdict: Literal["ok", "failed", "unknown"]
    code: str
    observed: str
    line: str = ""
    command: str = ""
    state: str = ""
    expected: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        """Refuse a code that the catalogue would not know."""
        if self.code not in CODES[self.verdict]:
            raise ValueError(f"{self.code} is no code of what {self.verdict}")

    @property
    def told(self) -> str:
        """Line, command and what it does, with the state at that point."""
        where = f"{self.line}: `{self.command}` " if self.line else ""
        return f"{where}{self.observed}" + (f" ({self.state})" if self.state else "")


def ruled(deployment: Deployment, *, container: bool = False) -> Ruling:
    """Apply every rule. `container`: the application lies in an image, so that nothing is served while it is warmed."""
    if deployment.parse_error:
        return Ruling(
            "failed", "not-its-kind", deployment.parse_error, expected="a file of the kind that is set",
            remedy="correct kind below [environments.NAME.deployment], or mend the file",
        )  # fmt: skip
    found = list(_broken(deployment, container=container))
    found.sort(key=lambda ruling: ruling.verdict != "failed")
    if found:
        return found[0]
    published = deployment.of("publishes")
    return Ruling("ok", "safe-order", _summary(deployment, published[-1] if published else None))


def _summary(deployment: Deployment, published: Step | None) -> str:
    if published is not None and published.warmed:
        warm, switch = published.warmed[-1].where, published.effect.where
        return f"warms at {warm}, publishes at {switch}, and clears nothing that is served"
    if deployment.of("down"):
        return "changes and warms the application while it is down"
    return f"{len(deployment.steps)} steps, and none clears what is served"


def _broken(deployment: Deployment, *, container: bool) -> Iterator[Ruling]:
    """Yield each rule that is broken, or cannot be judged, the worst first."""
    steps = deployment.steps
    closed = _closed(steps)
    for step, down in zip(steps, closed, strict=True):
        if step.live and not down:
            yield from _emptied(step, container=container)
    yield from _switches(deployment)
    yield from _in_place(steps, closed)
    yield from _starts(deployment)
    yield from _nothing(steps)
    for step in deployment.of("unknown"):
        yield _told(step, "unknown", "not-understood", f"is not understood: {step.why}", remedy=_WRITE_OUT)
    yield from _at_once(deployment)


def _told(  # noqa: PLR0917 - a ruling's parts, in their order
    step: Step, verdict: Literal["failed", "unknown"], code: str, observed: str, expected: str = "", remedy: str = ""
) -> Ruling:
    live = f"{step.serving} is live"
    state = f"{live}, {step.building} is being built" if step.building and step.building != step.serving else live
    return Ruling(verdict, code, observed, step.effect.where, step.effect.text, state, expected, remedy)


def _trapped(step: Step) -> bool:
    return any(key.startswith(("trap ", "failed: ")) for key, _ in step.effect.guards)


def _closed(steps: Sequence[Step]) -> list[bool]:
    """Return for each step whether the application is down by then, and stays so until it is warmed."""
    found: list[bool] = []
    down: Step | None = None
    for step in steps:
        if step.deed == "up" and not _trapped(step):
            down = None
        certain = down is not None and down.effect.host == step.effect.host and down.effect.guards <= step.effect.guards
        found.append(certain)
        if step.deed == "down" and not step.may and not step.effect.background:
            down = step
    return found


def _emptied(step: Step, *, container: bool) -> Iterator[Ruling]:
    if step.deed == "clears":
        yield _told(
            step, "failed", "clears-live", "clears what is being served",
            "nothing that is being served is cleared before its successor stands",
            f"drop `{step.effect.text}`: warm a new release and publish it, with compiled views of its own",
        )  # fmt: skip
    elif step.deed == "rebuilds" and not container:
        yield _told(
            step, "unknown" if step.may else "failed", "may-rebuild-live" if step.may else "rebuilds-live",
            "may clear and compile anew what is being served: the framework's version is not known" if step.may
            else "clears what is being served before it compiles it anew",
            "a release of its own, warmed and then published by one rename",
            f"run `{step.effect.text}` in the release that is being built, before it is published, with compiled "
            "views of its own (VIEW_COMPILED_PATH below the release)",
        )  # fmt: skip


def _switches(deployment: Deployment) -> Iterator[Ruling]:
    steps = deployment.steps
    for at, step in enumerate(steps):
        if step.deed != "publishes":
            continue
        if not step.atomic:
            yield _told(
                step, "failed", "switch-not-atomic", f"is no atomic switch: {step.why}",
                "a switch by one rename", "ln -sfn NEW current.tmp && mv -T current.tmp current",
            )  # fmt: skip
        if not step.built or _trapped(step):
            continue
        yield from _warmed(step, steps[at + 1 :])
        if not any(_reloads(one) for one in steps[at + 1 :]) and deployment.kind != "deployer":
            yield _told(
                step, "unknown", "no-reload",
                "publishes, and nothing after it reloads the workers or asks which release they serve",
                remedy="reload php-fpm (or octane) behind the switch",
            )  # fmt: skip


def _reloads(step: Step) -> bool:
    return step.deed in ("reloads", "looks") and not _trapped(step)


def _warmed(step: Step, later: Sequence[Step]) -> Iterator[Ruling]:
    """Judge whether what is published was warmed before, for sure."""
    effect = step.effect
    if not step.warmed:
        after = next((one for one in later if one.deed in ("warms", "rebuilds")), None)
        observed = (
            f"publishes what is warmed only later, at {after.effect.where}" if after
            else "publishes a release whose views were not compiled"
        )  # fmt: skip
        yield _told(
            step, "failed", "warmed-too-late" if after else "not-warmed", observed,
            "the release that is published is warmed before",
            f"run `php artisan view:cache` in {step.tree} before {effect.where}",
        )  # fmt: skip
        return
    sure = [one for one in step.warmed if not one.may and not one.background]
    if any(one.prevents(effect) and one.guards <= effect.guards for one in sure):
        return
    warm = step.warmed[-1]
    if warm.background and not any(one.prevents(effect) for one in sure):
        why = "is not waited for, and so need not be done when it is published"
    elif any(one.prevents(effect) for one in step.warmed) or not sure:
        only = " and ".join(key if taken else f"not {key}" for key, taken in sorted(warm.guards - effect.guards))
        yield Ruling(
            "unknown", "warmed-sometimes",
            f"is what warms the release, only where {only or 'a value is not another one'}",
            warm.where, warm.text, remedy="warm each release that is published",
        )  # fmt: skip
        return
    else:
        why = f"may fail without keeping {effect.where} (`{effect.text}`) from publishing"
    yield Ruling(
        "failed", "failure-goes-on", why, warm.where, warm.text, f"{step.tree} is being built",
        "a failure stops the deployment before it publishes", _STRICT,
    )  # fmt: skip


def _in_place(steps: Sequence[Step], closed: Sequence[bool]) -> Iterator[Ruling]:
    """Judge a deployment that changes what is being served where it lies."""
    if any(step.deed in ("publishes", "starts") and step.built for step in steps):
        return
    changes = [at for at, step in enumerate(steps) if step.live and step.deed in ("changes", "clears")]
    changes = [at for at in changes if steps[at].effect.words[:1] != ("composer",)] or changes
    if not changes:
        return
    last = steps[changes[-1]]
    warms = [
        at for at, step in enumerate(steps) if step.live and step.deed in ("rebuilds", "warms") and at > changes[-1]
    ]
    if not warms:
        yield _told(
            last, "failed", "not-warmed", "changes what is being served, and nothing compiles its views behind it",
            "the views are compiled before they are served",
            "deploy into a release of its own, and warm that before it is published",
        )  # fmt: skip
        return
    warm = steps[warms[-1]]
    up = next((step for step in steps[warms[-1] :] if step.deed == "up" and not _trapped(step)), None)
    if closed[warms[-1]] and up is None:
        yield _told(
            warm, "failed", "stays-down", "is done while the application is down, and nothing brings it up again",
            "brought up once its views are compiled", "run `php artisan up` behind it",
        )  # fmt: skip
    elif closed[warms[-1]] and up is not None and not warm.effect.prevents(up.effect):
        yield _told(
            warm, "failed", "failure-goes-on",
            f"may fail without keeping {up.effect.where} (`{up.effect.text}`) from bringing it up",
            "a failure stops the deployment", _STRICT,
        )  # fmt: skip


def _starts(deployment: Deployment) -> Iterator[Ruling]:
    for step in deployment.of("starts"):
        if not step.built:
            continue
        if not step.warmed:
            yield _told(
                step,
                "unknown",
                "image-not-read",
                "starts the server; whether its image holds compiled views is not known",
                remedy=_IMAGE,
            )
        elif not any(one.prevents(step.effect) for one in step.warmed):
            warm = step.warmed[-1]
            yield Ruling(
                "failed", "failure-goes-on", f"may fail without keeping {step.effect.where} from starting the server",
                warm.where, warm.text, expected="a failure stops the start", remedy=_STRICT,
            )  # fmt: skip
    if deployment.of("image") and not deployment.of("publishes"):
        step = deployment.of("image")[-1]
        yield _told(
            step,
            "unknown",
            "image-not-read",
            "puts an image into service; whether it holds compiled views is not known",
            remedy=_IMAGE,
        )


def _nothing(steps: Sequence[Step]) -> Iterator[Ruling]:
    if not any(step.live or step.deed in ("publishes", "starts", "image", "unknown") for step in steps):
        yield Ruling(
            "failed", "deploys-nothing", "it deploys nothing", expected="a release that is warmed and published",
            remedy="name the script that deploys as path below [environments.NAME.deployment]",
        )  # fmt: skip


def _at_once(deployment: Deployment) -> Iterator[Ruling]:
    """Judge whether two runs at once would meet in one tree."""
    locks = [step for step in deployment.of("locks") if not step.may]
    if deployment.serialized or locks:
        return
    for step in deployment.steps:
        shared = step.deed == "publishes" and step.built and not step.unique
        if shared or (step.deed in ("changes", "rebuilds") and step.live):
            yield _told(
                step, "unknown", "runs-meet",
                "is done in the same tree by two runs at once, and nothing in it keeps them apart", remedy=_LOCK,
            )  # fmt: skip
            return
