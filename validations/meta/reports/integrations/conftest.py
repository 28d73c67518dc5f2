"""One stage, kept up for all adapters that are used on one: each heals what it breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from validations.meta.reports.integrations.kept import Kept, kept_stage


@pytest.fixture(scope="session", name="kept")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    with kept_stage(tmp_path_factory.mktemp("kept")) as kept:
        yield kept
