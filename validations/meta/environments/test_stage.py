"""A stage takes away what it made, and touches nothing beside it."""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from fixtures.environments.stage import Stage
from fixtures.gateway.scaffold.application_tree import minimum_views


def test_a_stage_whose_folder_is_gone_leaves_the_one_it_lay_in(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever removed a stage's folder before it went down finds the temporary folder as open to others as it was."""
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
    stage = Stage(views=minimum_views(), workers=1)
    try:
        stage.up()
        shutil.rmtree(stage.folder)
    finally:
        stage.down()
    assert list(open_folder.iterdir()) == []
    assert stat.S_IMODE(open_folder.stat().st_mode) & 0o055 == 0o055
