"""What is grown: exactly the views asked for, varied and always the same, in PHP that PHP can read."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from fixtures.gateway.scaffold.directories import ScaffoldError
from fixtures.laravel.scaffold import create_application_directory, grow, minimum_views, php
from validations.stages.gateway.served import SECONDS

VIEWS = 682
NAMES = (
    "app/Http/Middleware/AutoFixViewCache.php",
    "app/Services/ViewCacheService.php",
    "app/Console/Commands/ViewCacheHealthCheck.php",
    "app/Console/Kernel.php",
    "scripts/deploy-with-cache-management.sh",
    "scripts/fix-view-cache-emergency.sh",
)

PARSE = """
foreach (json_decode(stream_get_contents(STDIN)) as $path => $text) {
    try {
        token_get_all($text, TOKEN_PARSE);
    } catch (ParseError $error) {
        echo "$path: {$error->getMessage()} on line {$error->getLine()}\n";
    }
}
"""


def templates(views: int) -> dict[str, str]:
    """Return the templates of a release of so many views."""
    return {name: text for name, text in grow(views).items() if name.endswith(".blade.php")}


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(0, id="the-core"),
        pytest.param(1, id="a-report"),
        pytest.param(120, id="a-few-resources"),
        pytest.param(1500, id="a-further-site"),
    ],
)
def test_exactly_the_views_asked_for_are_grown(more: int) -> None:
    """Whatever number from the minimum on is asked for, the release has just so many templates."""
    assert len(templates(minimum_views() + more)) == minimum_views() + more


def test_too_few_are_refused(tmp_path: Path) -> None:
    """Below the core of every release nothing is written, and the message says how many there have to be."""
    with pytest.raises(ScaffoldError, match=f"ask for {minimum_views()} or more$"):
        create_application_directory(tmp_path / "app", views=5, env={})
    assert not (tmp_path / "app").exists()


def test_the_views_are_varied() -> None:
    """Of 682 templates nine in ten have a text of their own, and they use layouts, components, includes and loops."""
    grown = templates(VIEWS)
    assert len(set(grown.values())) > 0.9 * VIEWS
    for construct in ("@extends(", "<x-", "@include(", "@foreach", "@each(", "@php(", "@switch(", "@forelse"):
        assert any(construct in text for text in grown.values()), construct


def test_the_briefs_names_and_places_are_kept() -> None:
    """Who looks for the brief's files finds them where it says."""
    assert [name for name in NAMES if name not in grow(VIEWS)] == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("it's \\ one", "'it\\'s \\\\ one'", id="text"),
        pytest.param(True, "true", id="boolean"),
        pytest.param([1, 2.5, ["a"]], "[1, 2.5, ['a']]", id="list"),
        pytest.param({"<a>": "&"}, "['<a>' => '&']", id="map"),
    ],
)
def test_values_are_written_as_php(value: object, written: str) -> None:
    """Nothing of a value gets out of its literal, and nothing is escaped as HTML is."""
    assert str(php(value)) == written


def test_php_can_read_all_of_it(laravel_here: None) -> None:  # noqa: ARG001
    """Every PHP file of a release parses."""
    files = {
        name: text for name, text in grow(VIEWS).items() if name.endswith(".php") and not name.endswith(".blade.php")
    }
    assert len(files) > 80
    said = subprocess.run(
        ["php", "-r", PARSE], input=json.dumps(files), capture_output=True, text=True, timeout=SECONDS, check=True
    )
    assert said.stdout == ""
