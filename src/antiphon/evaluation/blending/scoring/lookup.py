"""AUC of rank blends by a table of how many positives lie below each bin of the score.

The scores of a blend are cut into bins. One look at the table tells for each negative how many
positives lie in lower bins; the few negatives that share a bin with a positive are compared with
the positives of that bin one by one, so the result is exact. Nothing but the positives is sorted.
If positives are the more frequent, the two change places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.scoring.buffers import Buffers

Array = npt.NDArray[np.floating]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Entries of the tables of a block of blends: many calls' worth of work, but inside the cache.
_BLOCK = 1 << 17

# Fewest bins.
_BINS = 512

# Steps along the positives of one bin before the rest is searched.
_STEPS = 6


class Lookup:
    """One class: the fewer of its positives and negatives, and the many.

    Parameters
    ----------
    positive, negative
        ``(m, P)`` and ``(m, N)`` ranks.
    """

    def __init__(self, positive: Float32, negative: Float32) -> None:
        self._swap = positive.shape[1] > negative.shape[1]
        few, many = (negative, positive) if self._swap else (positive, negative)
        self.doubled_pairs = 2 * few.shape[1] * many.shape[1]
        # Rows below (or above) all of the few in every model are so in every blend.
        below = (many < few.min(axis=1, keepdims=True)).all(axis=0)
        above = (many > few.max(axis=1, keepdims=True)).all(axis=0)
        self._above = int(above.sum())
        self._few = few
        self._many = np.ascontiguousarray(many[:, ~(below | above)])
        # Nanoseconds for a blend, as measured; only the ratio to Pairs.cost counts.
        self.cost = 1.8 * self._many.shape[1] + 25.0 * few.shape[1] + 1500.0

    def doubled_wins(self, weights: Array, top: int, buffers: Buffers) -> Float64:
        """Return twice the wins of positives plus the ties for each blend, ``(k,)``.

        Parameters
        ----------
        weights
            ``(k, m)`` whole numbers in the type in which blends are exact.
        top
            Largest rank.
        buffers
            Memory to work in.
        """
        few = self._few.astype(weights.dtype, copy=False)
        many = self._many.astype(weights.dtype, copy=False)
        bins = max(_BINS, 1 << (many.shape[1] + many.shape[1] // 4).bit_length())
        # A power of two for each blend brings its scores below the number of bins, exactly.
        exponent = np.frexp(weights.sum(axis=1, dtype=np.float64) * (top / bins))[1]
        scaled = np.ldexp(weights, -exponent[:, None]).astype(weights.dtype)
        # Of the many over the few.
        wins = np.full(len(weights), 2.0 * self._above * few.shape[1])
        if many.shape[1]:
            step = min(len(weights), max(1, _BLOCK // bins))
            work = _Work(step, few, many, bins, buffers)
            for begin in range(0, len(weights), step):
                wins[begin : begin + step] += work.wins(scaled[begin : begin + step])
        return wins if self._swap else self.doubled_pairs - wins


class _Work:
    """Arrays for a block of blends, used again for each block.

    The few of each blend are kept in order, with an infinite one at the end, one blend after the
    other. A table entry is twice the place there of the first one in this bin or above, plus 1 if
    it lies in this bin.
    """

    def __init__(self, step: int, few: Array, many: Array, bins: int, buffers: Buffers) -> None:
        self.few, self.many, self.bins = few, many, bins
        n_few, shape = few.shape[1], (step, many.shape[1])
        ends = step * (n_few + 1)
        kind = np.uint16 if 2 * ends < 1 << 16 else np.uint32
        self.ordered = np.full((step, n_few + 1), np.inf, dtype=few.dtype)
        self.score = buffers.get("score", shape, many.dtype)
        self.bin = buffers.get("bin", shape, np.int32)
        self.index = buffers.get("index", shape, np.int64)
        self.found = buffers.get("found", shape, kind)
        self.odd = buffers.get("odd", shape, kind)
        self.width = np.empty((step, n_few + 1), dtype=np.int64)
        self.table_of = np.arange(step, dtype=np.int32)[:, None] * np.int32(bins)
        self.entry = np.arange(0, 2 * ends, 2, dtype=kind)
        # From the last to the first, so that the first of several in a bin is what remains.
        self.mark = (self.entry.reshape(step, -1)[:, -2::-1] + 1).astype(kind)
        self.offset = 2 * (n_few + 1) * shape[1] * np.arange(step)
        # Sums of entries in 32 bits where they fit, which is twice as quick.
        self.total = np.uint32 if 2 * ends * shape[1] < 1 << 32 else np.uint64

    def wins(self, weights: Array) -> Float64:
        """Return doubled wins of the many over the few, ``(blends,)``; weights are scaled."""
        blends = len(weights)
        ordered = self.ordered[:blends]
        np.matmul(weights, self.few, out=ordered[:, :-1])
        ordered[:, :-1].sort(axis=1)
        score = np.matmul(weights, self.many, out=self.score[:blends])
        index, found = self.index[:blends], self.found[:blends]
        # By way of int32, as float to int64 is slow.
        place = self.bin[:blends]
        np.copyto(place, score, casting="unsafe")
        place += self.table_of[:blends]
        np.copyto(index, place)
        self._table(ordered[:, :-1]).take(index, out=found, mode="clip")
        total = found.sum(axis=1, dtype=self.total).astype(np.int64)
        wins = (total - self.offset[:blends]).astype(np.float64)
        shared = np.bitwise_and(found, 1, out=self.odd[:blends]).astype(bool)
        where = shared.reshape(-1).nonzero()[0]
        if len(where):
            count = shared.sum(axis=1)
            first = (found.reshape(-1)[where] >> 1).astype(np.int64)
            # The mark in the table counted 1 for each of them.
            wins += self._same_bin(count, first, score.reshape(-1)[where]) - count
        return np.asarray(wins)

    def _table(self, ordered: Array) -> npt.NDArray[np.integer]:
        blends = len(ordered)
        place = ordered.astype(np.int64)
        width = self.width[:blends]
        width[:, 0] = place[:, 0] + 1
        np.subtract(place[:, 1:], place[:, :-1], out=width[:, 1:-1])
        np.subtract(self.bins - 1, place[:, -1], out=width[:, -1])
        table: npt.NDArray[np.integer] = np.repeat(self.entry[: width.size], width.reshape(-1))
        place += self.table_of[:blends]
        table[place[:, ::-1].reshape(-1)] = self.mark[:blends].reshape(-1)
        return table

    def _same_bin(self, count: Int64, first: Int64, score: Array) -> Float64:
        """Return doubled wins over the few from ``first`` on, for ``count`` rows of each blend."""
        blends = len(count)
        wins = np.zeros(blends)
        blend = np.repeat(np.arange(blends), count)
        flat = self.ordered.reshape(-1)
        start, gained = first, np.zeros(len(first), dtype=np.int64)
        for _ in range(_STEPS):
            other = flat[first]
            gain = (score > other).view(np.int8) + (score >= other).view(np.int8)
            wins += np.bincount(blend, weights=gain, minlength=blends)
            more = gain.nonzero()[0]
            if not len(more):
                return wins
            blend, score, start = blend[more], score[more], start[more]
            first, gained = first[more] + 1, gained[more] + gain[more]
        # Many ties: one search for each row, less what was counted so far.
        for b in np.unique(blend):
            mine = blend == b
            before = start[mine] - b * self.ordered.shape[1]
            places = np.searchsorted(self.ordered[b], score[mine], "left")
            places += np.searchsorted(self.ordered[b], score[mine], "right")
            wins[b] += (places - 2 * before - gained[mine]).sum()
        return wins
