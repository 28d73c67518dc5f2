"""The same systems as the races explore."""

from __future__ import annotations

from validations.races.explored_systems import _bare, _core, _on_own_core, _redis_url, _shim_here, _system, _world

__all__ = ["_bare", "_core", "_on_own_core", "_redis_url", "_shim_here", "_system", "_world"]
