"""BaseAL folders written for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np


def write_subset(
    folder: Path,
    rows: Sequence[tuple[str, str, str]],
    *,
    model: str = "perch_v2",
    dim: int = 6,
    seed: int = 0,
    files: Mapping[str, np.ndarray] | None = None,
    header: str = "filename,label,validation",
) -> Path:
    """Write labels.csv from ``(filename, label, validation)``, and a random vector for each row."""
    vectors = folder / "embeddings" / model
    vectors.mkdir(parents=True)
    lines = [",".join(row[: header.count(",") + 1]) for row in rows]
    (folder / "labels.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    if files is None:
        rng = np.random.default_rng(seed)
        files = {Path(row[0]).stem: rng.normal(size=dim).astype(np.float32) for row in rows}
    for name, vector in files.items():
        (vectors / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(vectors / f"{name}.npy", vector)
    return folder


def many(n: int = 30, labels: Sequence[str] = ("a", "b;c", "")) -> list[tuple[str, str, str]]:
    """Return rows with the given labels in turn; every third row of each label judges."""
    return [
        (f"r{i:03d}_000_005.wav", labels[i % len(labels)], str(i // len(labels) % 3 == 0))
        for i in range(n)
    ]
