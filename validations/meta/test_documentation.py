"""The README says what is there, and all of it: options, checks, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reports.verdict import INCONCLUSIVE
from validations.registry import EIGHT

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_option_is_documented_and_every_documented_option_is_there(pytestconfig: pytest.Config) -> None:
    """The options of the README's table are the options that the suite adds, and pytest-xdist's `-n`."""
    table = README.partition("## Options")[2].partition("\n## ")[0]
    documented = set(re.findall(r"^\| `(--?[a-z]+)", table, re.MULTILINE))
    groups = [group for group in pytestconfig._parser._groups if group.name.startswith("viewgate")]  # noqa: SLF001
    added = {name for group in groups for option in group.options for name in option.names()}
    assert documented == added | {"-n"}


@pytest.mark.parametrize("check", EIGHT, ids=lambda check: check.id)
def test_every_check_is_documented(check: object) -> None:
    """Each of the eight has its row in the README, under its number and id."""
    number, name = getattr(check, "number", 0), getattr(check, "id", "")
    assert f"| {number} | `{name}` |" in README


@pytest.mark.parametrize("code", [0, 1, INCONCLUSIVE])
def test_every_exit_code_is_documented(code: int) -> None:
    """Each exit code of the gate has its row in the README."""
    assert re.search(rf"^\| {code} \|", README, re.MULTILINE)
