"""What a recomputation shows is judged: each kind of difference has its code, and the root of several comes first."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.observation.facts import CacheFile, Configuration, Recomputed, RecomputedCache, RecomputedFile
from reports.records import Verdict
from validations.recomputation import of_cache, of_configuration, of_views, told

STATES = (
    "differs", "uncompiled", "expired", "inline-source", "error", "fatal", "writes", "varies", "unconfirmed", "moving",
)  # fmt: skip


def found(*states: str, equal: int = 9, **changes: Any) -> Recomputed:
    """Return what was recomputed: as many equal files, and one a state."""
    files = tuple(
        RecomputedFile.model_validate({"name": f"{number}.php", "state": state, "of": f"{state}.blade.php"})
        for number, state in enumerate(states)
    )
    counts = {"equal": equal} | {state: states.count(state) for state in states}
    whole = Recomputed(of=equal + len(states), whole=True, states=counts, files=files, changes=len(states))
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(
    ("recomputed", "code", "red"),
    [
        pytest.param(found("differs"), "coverage.content-differs", True, id="differs"),
        pytest.param(found("inline-source"), "coverage.content-differs", True, id="inline-source"),
        pytest.param(found("expired"), "coverage.expired", True, id="coverage.expired"),
        pytest.param(found("error"), "coverage.does-not-compile", True, id="error"),
        pytest.param(found("fatal"), "coverage.does-not-compile", True, id="fatal"),
        pytest.param(found("uncompiled", "uncompiled"), "coverage.compiled-otherwise", False, id="uncompiled-here"),
        pytest.param(found("uncompiled", "differs"), "coverage.content-differs", True, id="uncompiled-and-differs"),
        pytest.param(found(*["differs"] * 3, equal=0, changes=1), "coverage.compiled-otherwise", False, id="all-alike"),
        pytest.param(
            found(*["differs"] * 3, equal=0, changes=3), "coverage.content-differs", True, id="all-each-its-own-way"
        ),
        pytest.param(found(*["differs"] * 3, equal=1, changes=1), "coverage.content-differs", True, id="some-alike"),
        pytest.param(found(*["differs"] * 2, equal=0, changes=1), "coverage.content-differs", True, id="few-alike"),
        pytest.param(found("moving"), "coverage.not-confirmed", False, id="moving"),
        pytest.param(found("unconfirmed"), "coverage.not-confirmed", False, id="unconfirmed"),
        pytest.param(found(empty_below=("livewire/a.php",)), "coverage.empty-below", True, id="coverage.empty-below"),
        pytest.param(
            found("differs", absent_folders=("/p",)), "coverage.absent-folder", True, id="absent-folder-first"
        ),
    ],
)
def test_each_difference_has_its_code(recomputed: Recomputed, code: str, *, red: bool) -> None:
    """What differs is red or not known, by its code; what is red has a remedy."""
    wrong = of_views(recomputed)
    assert wrong is not None
    assert (wrong.code, wrong.verdict is Verdict.FAIL, bool(wrong.remedy)) == (code, red, True)


def test_what_cannot_be_recomputed_is_no_difference_and_is_told() -> None:
    """Views whose compilation writes or draws lots are judged by their files, and the report counts them."""
    recomputed = found("writes", "varies", inline=7, below={"livewire": 3}, whole=False, of=50)
    assert of_views(recomputed) is None
    text = told(recomputed)
    for figure in ("9 of 50", "39 were not compared", "2 are known", "7 are of inline", "livewire/ (3)"):
        assert figure in text


@pytest.mark.parametrize("state", STATES)
def test_no_state_is_taken_for_equal(state: str) -> None:
    """A file in whatever state but equal is told: as a finding, or among those that were not recomputed."""
    assert of_views(found(state)) is not None or "1 are known by their trailers alone" in told(found(state))


def test_a_configuration_of_another_tree_is_red_and_names_keys() -> None:
    """Keys that lead out of the release are one finding, whose remedy is to cache the configuration here."""
    cached = Configuration(cached=True, path="/r/bootstrap/cache/config.php", environment_file=True, compared=9)
    assert of_configuration(cached) is None
    assert of_configuration(Configuration(cached=False)) is None
    moved = cached.model_copy(update={"elsewhere": ("view.paths.0",), "elsewhere_count": 30})
    wrong = of_configuration(moved)
    assert wrong is not None
    assert (wrong.code, wrong.verdict is Verdict.FAIL) == ("coverage.configuration-elsewhere", True)
    assert "view.paths.0 (30 in all)" in wrong.observed
    assert "config:cache" in wrong.remedy
    bare = of_configuration(moved.model_copy(update={"environment_file": False}))
    assert bare is not None
    assert (bare.code, bare.verdict is Verdict.FAIL) == ("coverage.configuration-not-compared", False)


@pytest.mark.parametrize(
    ("lacks", "surplus", "red"),
    [
        pytest.param((), (), False, id="equal"),
        pytest.param(("resources: A",), (), True, id="lacks"),
        pytest.param((), ("resources: A",), True, id="listed-twice"),
    ],
)
def test_a_cache_that_is_not_what_is_computed_is_red(
    lacks: tuple[str, ...], surplus: tuple[str, ...], *, red: bool
) -> None:
    """One entry too few or too many in a component cache is a finding."""
    now = RecomputedCache(entries=3, lacks_count=len(lacks), lacks=lacks, surplus_count=len(surplus), surplus=surplus)
    cache = CacheFile(role="panel-admin", path="/c", exists=True, entries=3, recomputed=now)
    assert (of_cache(cache) is not None) is red
    assert of_cache(cache.model_copy(update={"recomputed": None})) is None
