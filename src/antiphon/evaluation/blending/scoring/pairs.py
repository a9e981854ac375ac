"""AUC of rank blends from the pairs whose order depends on the weights.

If a positive has a higher rank than a negative in every model, it wins in every blend. Only the
other pairs are blended: their differences of ranks times the weights, cut off at -1 and 1, sum to
wins minus losses.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.scoring.buffers import Buffers

Array = npt.NDArray[np.floating]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

# Entries of a block of (blends, pairs), so that it stays in the cache.
_BLOCK = 1 << 16


class Pairs:
    """The undecided pairs of one class.

    Parameters
    ----------
    difference
        ``(m, u)`` rank of the positive minus rank of the negative.
    decided
        Doubled wins of positives in the pairs that are decided.
    doubled_pairs
        Twice the number of all pairs.
    """

    def __init__(self, difference: Float32, decided: int, doubled_pairs: int) -> None:
        self._difference = difference
        self._decided = decided
        self.doubled_pairs = doubled_pairs
        # Nanoseconds for a blend, as measured; only the ratio to Lookup.cost counts.
        self.cost = 0.32 * difference.shape[1] + 50.0

    def doubled_wins(self, weights: Array, top: int, buffers: Buffers) -> Float64:
        """Return twice the wins plus the ties for each blend, ``(k,)``.

        Parameters
        ----------
        weights
            ``(k, m)`` whole numbers in the type in which blends are exact.
        top
            Largest rank; not needed here.
        buffers
            Memory to work in.
        """
        count = self._difference.shape[1]
        out = np.full(len(weights), float(self._decided + count))
        if not count:
            return out
        difference = self._difference.astype(weights.dtype, copy=False)
        ones = np.ones(count, dtype=weights.dtype)
        step = min(len(weights), max(1, _BLOCK // count))
        buffer = buffers.get("blended", (step, count), weights.dtype)
        for begin in range(0, len(weights), step):
            some = weights[begin : begin + step]
            blended = np.matmul(some, difference, out=buffer[: len(some)])
            # All values are whole numbers, so this is the sign.
            np.clip(blended, -1.0, 1.0, out=blended)
            out[begin : begin + step] += blended @ ones
        return out


def undecided(positive: Float32, negative: Float32) -> Pairs:
    """Find the pairs whose order depends on the weights.

    Parameters
    ----------
    positive, negative
        ``(m, P)`` and ``(m, N)`` ranks.
    """
    difference = (positive[:, :, None] - negative[:, None, :]).reshape(len(positive), -1)
    low, high = difference.min(axis=0), difference.max(axis=0)
    wins, ties = low > 0, (low == 0) & (high == 0)
    # A tie in one model may be a tie of the blend, if the others have weight 0.
    open_pairs = ~(wins | ties | (high < 0))
    return Pairs(
        np.ascontiguousarray(difference[:, open_pairs]),
        2 * int(wins.sum()) + int(ties.sum()),
        2 * difference.shape[1],
    )
