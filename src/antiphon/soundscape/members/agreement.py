"""Whether two runtimes say the same of the same windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Spread of a class below which its windows are not ranked: the largest difference covers it.
_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a runtime may disagree with ONNX Runtime in f32.

    Parameters
    ----------
    rank_correlation
        At least this, as in :class:`Agreement`.
    largest_difference
        At most this.
    """

    rank_correlation: float
    largest_difference: float


BOUNDS = {"f32": Bound(0.9995, 1e-3), "bf16": Bound(0.98, 0.05), "f16": Bound(0.98, 0.05)}
"""Bound for each precision. Blends rank windows within a class, hence the rank correlation."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two runtimes agree on some windows.

    Parameters
    ----------
    rank_correlation
        Mean over columns (classes) of Spearman's correlation over windows (and frames), of the
        columns that spread by at least 0.001; 1 where none does.
    ranked
        Number of those columns.
    largest_difference
        Of two probabilities; for embeddings, as a share of the largest number in the reference.
    """

    rank_correlation: float
    ranked: int
    largest_difference: float

    def within(self, bound: Bound) -> bool:
        """Return whether it is good enough; numbers that are not finite never are."""
        return bool(
            self.rank_correlation >= bound.rank_correlation
            and self.largest_difference <= bound.largest_difference
        )

    def __str__(self) -> str:
        return (
            f"rank correlation {self.rank_correlation:.4f} over {self.ranked} classes, largest "
            f"difference {self.largest_difference:.2g}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as JSON values."""
        return asdict(self)


def compare(
    reference: Sequence[Float32], found: Sequence[Float32], probabilities: Sequence[bool]
) -> Agreement:
    """Compare the outputs of two runtimes for the same windows.

    Parameters
    ----------
    reference, found
        For each output an array ``(n, ..., C)``: the last axis are columns, all others rows.
    probabilities
        For each output whether it is numbers between 0 and 1, else an embedding.
    """
    correlations: list[Float64] = []
    largest = 0.0
    for one, other, probability in zip(reference, found, probabilities, strict=True):
        a = one.reshape(-1, one.shape[-1]).astype(np.float64)
        b = other.reshape(-1, other.shape[-1]).astype(np.float64)
        scale = 1.0 if probability else float(np.abs(a).max(initial=0.0)) or 1.0
        # NaN, once met, stays the largest.
        largest = float(np.maximum(largest, np.abs(a - b).max(initial=0.0) / scale))
        spread = np.ptp(a, axis=0) >= _SPREAD * scale
        if spread.any():
            correlations.append(_spearman(a[:, spread], b[:, spread]))
    ranked = sum(map(len, correlations))
    mean = float(np.concatenate(correlations).mean()) if ranked else 1.0
    return Agreement(mean, ranked, largest)


def _spearman(a: Float64, b: Float64) -> Float64:
    """Return the correlation of ranks in each column, ties at their mean; 0 for a constant one."""
    from scipy.stats import rankdata

    first, second = (rankdata(x, axis=0) - (len(x) + 1) / 2 for x in (a, b))
    norm = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    products = (first * second).sum(axis=0)
    found: Float64 = np.divide(products, norm, out=np.zeros_like(norm), where=norm > 0)
    return found
