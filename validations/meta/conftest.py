"""Folders that anyone may enter, as a stage's runtime user has to."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Collect the tests of real versions of Laravel where such are named."""
    return True if collection_path.name == "test_laravel_real.py" and config.option.laravels is None else None


def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="meta-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(name="open_folder")
def _open_folder() -> Iterator[Path]:
    yield from _folder()


@pytest.fixture(scope="module", name="open_module_folder")
def _open_module_folder() -> Iterator[Path]:
    yield from _folder()
