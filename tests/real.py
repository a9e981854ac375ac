"""Where the real recordings and models for development are, if they are anywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared"


def _find(variable: str, folder: str, name: str) -> Path:
    root = Path(os.environ.get(variable) or _BESIDE / folder)
    path = root / name
    if not path.exists():
        pytest.skip(f"{name} is not in {root}; set {variable} to the folder that holds it")
    return path


def real_data(name: str) -> Path:
    """Return the folder or file ``name`` of the development recordings, or skip the test."""
    return _find("ANTIPHON_REAL_DATA", "data", name)


def real_model(name: str) -> Path:
    """Return the file ``name`` of the development models, or skip the test."""
    return _find("ANTIPHON_REAL_MODELS", "models", name)
