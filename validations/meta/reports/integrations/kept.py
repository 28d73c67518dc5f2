"""A stage kept up for an adapter to work on, described in an environments.toml as a user would describe his own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures.environments.__main__ import as_toml
from fixtures.environments.stage import Stage

CHECKOUT = Path(__file__).resolve().parents[4]
INTEGRATIONS = CHECKOUT / "reports" / "integrations"
RUN_SECONDS = 120.0
"""How long any adapter may take over one run of the gate."""


@dataclass(frozen=True, slots=True)
class Kept:
    """name: of the environment. file: what describes it. root: of its release."""

    name: str
    file: Path
    root: Path

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Have the icon manifest empty for a while: check 6 is red then, and nothing else."""
        icons = self.root / "bootstrap" / "cache" / "blade-icons.json"
        whole = icons.read_bytes()
        icons.write_bytes(b"")
        try:
            yield
        finally:
            icons.write_bytes(whole)


@contextmanager
def kept_stage(folder: Path, name: str = "adapted") -> Iterator[Kept]:
    """Keep a stage up; its environments.toml lies in the folder."""
    stage = Stage()
    try:
        environment = stage.up()
        file = folder / "environments.toml"
        file.write_text(as_toml(name, environment), encoding="utf-8")
        yield Kept(name, file, Path(environment.root))
    finally:
        stage.down()
