"""Small made-up embeddings for the protocol tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


def classes(
    n: int, dim: int, k: int, seed: int, spread: float = 1.0, centre: float = 1.0
) -> tuple[Float32, Int64]:
    """Return ``n`` items of ``k`` overlapping Gaussian classes, whose centres depend on ``k``."""
    middle = centre * np.random.default_rng(1000 + k).standard_normal((k, dim))
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k, n)
    labels[:k] = np.arange(k)
    x = middle[labels] + spread * rng.standard_normal((n, dim))
    return x.astype(np.float32), labels.astype(np.int64)


def several(n: int, dim: int, k: int, seed: int) -> tuple[Float32, Float32]:
    """Return items with several labels: noisy half-spaces."""
    normal = np.random.default_rng(2000 + k).standard_normal((dim, k))
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, dim))
    y = (x @ normal / np.sqrt(dim) + 0.5 * rng.standard_normal((n, k))) > 0.8
    return x.astype(np.float32), y.astype(np.float32)
