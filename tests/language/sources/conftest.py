"""Small sounds, and sources read in one go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from antiphon.language.schema import CorpusRow
from antiphon.language.sources.base import Source, sort_items
from antiphon.language.sources.registry import recipe

Read = tuple[list[CorpusRow], list[tuple[str, str]], list[tuple[str, str]]]


@pytest.fixture
def sound() -> Callable[..., Path]:
    """Write noise of a seed; the same seed is the same sound."""

    def write(path: Path, seconds: float = 1.0, rate: int = 16_000, seed: int = 0) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).standard_normal(int(seconds * rate))
        sf.write(path, 0.1 * noise, rate)
        return path

    return write


@pytest.fixture
def read() -> Callable[..., Read]:
    """Return rows, (reason, place or id) of the rejected and (id, reason) of the remarks."""

    def run(name: str, path: Path, **settings: object) -> Read:
        source = Source(recipe(name), path, **settings)  # type: ignore[arg-type]
        items = list(source.items())
        rows, rejected, remarks = sort_items(items, source.reject)
        assert len(rows) + len(rejected) == len(items)
        return (
            rows,
            [(finding.reason, finding.detail) for _, finding in rejected],
            [(item.row.id if item.row else "", finding.reason) for item, finding in remarks],
        )

    return run
