"""Exact AUC of very many rank blends of the same models.

The score of a blend is a sum of doubled mid-ranks with whole weights, so float32 matrix products
form it exactly below 2^24 (float64 below 2^53), many blends at once. Only the order of positives
against negatives counts, and there are two ways to get it without sorting all rows:
:mod:`~antiphon.evaluation.blending.scoring.pairs` for classes with few undecided pairs, and
:mod:`~antiphon.evaluation.blending.scoring.lookup` for the others.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.buffers import Buffers
from antiphon.evaluation.blending.scoring.inputs import Bool, checked_truth, scored_classes
from antiphon.evaluation.blending.scoring.lookup import Lookup
from antiphon.evaluation.blending.scoring.pairs import Pairs, undecided
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Pairs of one class that are looked at to find the undecided ones.
_MOST_PAIRS = 1 << 18

# A product of whole numbers below these is exact.
_EXACT32 = 1 << 24
_EXACT64 = 1 << 53


class RankBlends:
    """Rank blends of m models on n rows, ready to be scored for any weights.

    Parameters
    ----------
    ranks
        ``(m, n, C)`` whole numbers of 0 or more, as of
        :func:`antiphon.evaluation.blending.scoring.ranks.doubled_mid_ranks`.
    truth
        ``(n, C)`` bool.

    Attributes
    ----------
    scored
        ``(C,)`` classes with a positive and a negative row.

    Raises
    ------
    UserError
        If the ranks are not whole numbers below 2^24, the shapes do not fit, or no class is
        scored.
    """

    def __init__(self, ranks: npt.ArrayLike, truth: npt.ArrayLike) -> None:
        present, given = checked_truth(truth), np.asarray(ranks)
        if given.ndim != 3 or given.shape[1:] != present.shape or not len(given):
            raise UserError(
                f"Ranks must be (models, rows, classes) = (m, {present.shape[0]}, "
                f"{present.shape[1]}), but have shape {given.shape}."
            )
        if given.dtype.kind not in "iu":
            raise UserError(f"Ranks must be whole numbers, but are of type {given.dtype}.")
        if given.min() < 0 or given.max() >= _EXACT32:
            raise UserError("Ranks must be from 0 to 2^24 - 1.")
        self.scored: Bool = scored_classes(present)
        self._models = len(given)
        self._top = int(given.max())
        self._parts = [
            _prepared(np.ascontiguousarray(given[:, :, c], dtype=np.float32), present[:, c])
            for c in np.flatnonzero(self.scored)
        ]

    def class_auc(self, weights: npt.ArrayLike, threads: int = 1) -> Float64:
        """Return the AUC of each class for each blend.

        Parameters
        ----------
        weights
            Whole numbers of 0 or more, not all 0: ``(k, m)``, or ``(k, m, C)`` for weights of
            each class.
        threads
            Threads to use; 0 for one on each processor.

        Returns
        -------
        ndarray
            ``(k, C)``, NaN for classes that are not scored.

        Raises
        ------
        UserError
            If the weights are not such numbers, or so large that a score exceeds 2^53.
        """
        w = self._weights(weights)
        out = np.full((len(w), len(self.scored)), np.nan)
        columns, buffers = np.flatnonzero(self.scored), Buffers()
        exact = np.float32 if self._top * int(w.sum(axis=1).max()) < _EXACT32 else np.float64

        def one(place: int) -> None:
            c = columns[place]
            of_class = w if w.ndim == 2 else w[:, :, c]
            part = self._parts[place]
            doubled = part.doubled_wins(of_class.astype(exact), self._top, buffers)
            out[:, c] = doubled / part.doubled_pairs

        # The longest first, so that no thread is left with one at the end.
        order = sorted(range(len(columns)), key=lambda place: -self._parts[place].cost)
        count = (os.cpu_count() or 1) if threads == 0 else threads
        with few_threads(0):
            if count == 1:
                for place in order:
                    one(place)
            else:
                with ThreadPoolExecutor(count) as pool:
                    list(pool.map(one, order))
        return out

    def macro_auc(self, weights: npt.ArrayLike, threads: int = 1) -> Float64:
        """Return the mean over scored classes for each blend, ``(k,)``; see :meth:`class_auc`."""
        return np.asarray(self.class_auc(weights, threads)[:, self.scored].mean(axis=1))

    def _weights(self, weights: npt.ArrayLike) -> Int64:
        w = np.asarray(weights)
        wanted = (self._models, len(self.scored))
        if w.ndim not in (2, 3) or w.shape[1:] != wanted[: w.ndim - 1] or not len(w):
            raise UserError(
                f"Weights must be (blends, {wanted[0]}) or (blends, {wanted[0]}, {wanted[1]}), "
                f"but have shape {w.shape}."
            )
        if w.dtype.kind not in "iu":
            raise UserError(
                f"Weights must be whole numbers, but are of type {w.dtype}; see whole_weights."
            )
        total = w.sum(axis=1, dtype=np.float64)
        if (w < 0).any() or (total == 0).any():
            raise UserError("Weights must not be negative, and one of each blend must be above 0.")
        if self._top * total.max() >= _EXACT64:
            raise UserError("Weights are so large that scores exceed 2^53; divide them.")
        return w.astype(np.int64)


def _prepared(ranks: npt.NDArray[np.float32], is_positive: Bool) -> Pairs | Lookup:
    """Choose the quicker way for one class, ``(m, n)`` ranks."""
    positive, negative = ranks[:, is_positive], ranks[:, ~is_positive]
    lookup = Lookup(positive, negative)
    if positive.shape[1] * negative.shape[1] > _MOST_PAIRS:
        return lookup
    pairs = undecided(positive, negative)
    return pairs if pairs.cost < lookup.cost else lookup
