"""Models on disk: safetensors with strict YAML, and state dicts of other projects.

``save_model``, ``load_model`` and ``load_state`` are imported on first use, because they need
torch and reading settings does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.training.checkpoints.loading import LoadReport, load_state
    from antiphon.training.checkpoints.models import load_model, save_model

_HOMES = {
    "load_model": "models",
    "save_model": "models",
    "load_state": "loading",
    "LoadReport": "loading",
}

__all__ = ["LoadReport", "load_model", "load_state", "save_model"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
