"""The arithmetic that strategies share."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, Int64, Selection


def top(rows: Int64, utility: Float32, n: int, generator: np.random.Generator) -> Selection:
    """Return the ``n`` rows of largest utility, ties broken at random.

    Parameters
    ----------
    rows, utility
        ``(k,)`` candidates and what each is worth.
    """
    shuffle = generator.permutation(len(rows))
    order = shuffle[np.argsort(-utility[shuffle], kind="stable")[:n]]
    return Selection(rows[order], utility[order].astype(np.float32))


def binary_entropy(probability: Float32) -> Float32:
    """Return ``-p log2 p - (1 - p) log2 (1 - p)`` in bits, element by element."""
    p = np.clip(probability, 1e-7, 1.0 - 1e-7)
    entropy: Float32 = -(p * np.log2(p) + (1.0 - p) * np.log2(1.0 - p))
    return entropy
