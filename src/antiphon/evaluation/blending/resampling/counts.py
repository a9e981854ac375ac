"""Wins of positives over negatives, counted for each class and pair of files.

With ``W[c, f, g]`` the number of pairs (positive of class c in file f, negative in file g) in which
the positive scores higher, ties counted half, every question about files is a quadratic form: if
file f is taken ``w[f]`` times,

    AUC_c(w) = sum_fg w[f] W[c, f, g] w[g] / (sum_f w[f] P[c, f]  sum_g w[g] N[c, g])

with P and N the positives and negatives of each file. Resamples, folds, splits and files left out
are weights. Only files with positives of a class have a row, so the array stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import checked_truth, finite
from antiphon.threads import few_threads

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

# Pairs of rows compared at once, and entries of (win rows, weightings) held at once.
_PAIRS = 1 << 20
_ENTRIES = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Wins:
    """Doubled wins of one model.

    Parameters
    ----------
    count
        ``(K, F)`` int32, doubled (2 a win, 1 a tie): row k is of the positives of one class in one
        file, column g of the negatives of that class in file g.
    row_class, row_file
        ``(K,)`` class and file of each row; rows are ordered by class, then file.
    positives, negatives
        ``(C, F)`` rows with and without each class in each file.
    """

    count: Int32
    row_class: Int64
    row_file: Int64
    positives: Int64
    negatives: Int64

    @property
    def n_files(self) -> int:
        """Number of files, F."""
        return int(self.positives.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes, C."""
        return int(self.positives.shape[0])

    def dense(self, class_index: int) -> Float64:
        """Return ``W[class_index]``, ``(F, F)``, ties counted half."""
        out = np.zeros((self.n_files, self.n_files))
        rows = self.row_class == class_index
        out[self.row_file[rows]] = self.count[rows] / 2.0
        return out

    def by_class(self) -> Iterator[tuple[int, slice]]:
        """Yield each class that has positives with its rows of ``count``."""
        starts = np.flatnonzero(np.diff(self.row_class, prepend=-1))
        for begin, end in zip(starts, [*starts[1:], len(self.row_class)], strict=True):
            yield int(self.row_class[begin]), slice(int(begin), int(end))


def win_counts(
    score: npt.ArrayLike, truth: npt.ArrayLike, file: npt.ArrayLike, n_files: int | None = None
) -> Wins:
    """Count the wins of one score matrix.

    Parameters
    ----------
    score
        ``(n, C)``, finite; whole numbers (rank blends) are compared as such.
    truth
        ``(n, C)`` bool.
    file
        ``(n,)`` file of each row, whole numbers from 0.
    n_files
        F; None for the largest file number plus 1.

    Raises
    ------
    UserError
        If shapes differ, a score is not finite, or a file is not a number below ``n_files``.
    """
    present = checked_truth(truth)
    values = np.asarray(score)
    if values.dtype.kind not in "iu":
        values = finite(values)
    if values.shape != present.shape:
        raise UserError(
            f"Scores and truth must have one shape (rows, classes), but have {values.shape} and "
            f"{present.shape}."
        )
    of_row = np.asarray(file)
    if of_row.shape != (len(values),) or of_row.dtype.kind not in "iu":
        raise UserError(f"There must be one file number for each of the {len(values)} rows.")
    files = (int(of_row.max()) + 1 if len(of_row) else 0) if n_files is None else n_files
    if len(of_row) and not 0 <= of_row.min() <= of_row.max() < files:
        raise UserError(f"File numbers must be from 0 to {files - 1}.")
    order = np.argsort(of_row, kind="stable")
    of_row, values, present = of_row[order], values[order].T, present[order].T
    counts, row_class, row_file = [], [], []
    for c, (one, is_positive) in enumerate(zip(values, present, strict=True)):
        if is_positive.any():
            count, of_files = _one_class(one, is_positive, of_row, files)
            counts.append(count)
            row_class.append(np.full(len(of_files), c, dtype=np.int64))
            row_file.append(of_files)
    positives = np.stack([np.bincount(of_row[p], minlength=files) for p in present])
    return Wins(
        count=np.concatenate([np.empty((0, files), np.int32), *counts]),
        row_class=np.concatenate([np.empty(0, np.int64), *row_class]),
        row_file=np.concatenate([np.empty(0, np.int64), *row_file]),
        positives=positives,
        negatives=np.bincount(of_row, minlength=files) - positives,
    )


def _one_class(
    score: npt.NDArray[Any], is_positive: Bool, of_row: Int64, files: int
) -> tuple[Int32, Int64]:
    """Return doubled wins ``(files with positives, F)`` and those files; rows ordered by file."""
    positive, negative = score[is_positive], score[~is_positive]
    file_p, start_p = np.unique(of_row[is_positive], return_index=True)
    file_n, start_n = np.unique(of_row[~is_positive], return_index=True)
    out = np.zeros((len(file_p), files), dtype=np.int32)
    if not len(negative):
        return out, file_p.astype(np.int64)
    by_row = np.empty((len(positive), len(file_n)), dtype=np.int32)
    step = max(1, _PAIRS // len(negative))
    for begin in range(0, len(positive), step):
        some = positive[begin : begin + step, None]
        doubled = (some > negative).view(np.int8) + (some >= negative).view(np.int8)
        by_row[begin : begin + step] = np.add.reduceat(doubled, start_n, axis=1, dtype=np.int32)
    out[:, file_n] = np.add.reduceat(by_row, start_p, axis=0)
    return out, file_p.astype(np.int64)


def class_auc(wins: Wins, weights: npt.ArrayLike | None = None) -> Float64:
    """Return the AUC of each class when files count ``weights`` times.

    Parameters
    ----------
    weights
        ``(F,)`` or ``(r, F)``, finite and not negative; None counts each file once.

    Returns
    -------
    ndarray
        ``(C,)`` or ``(r, C)``; NaN where no positive or no negative is left. Exact up to the last
        division while the weights are whole and the weighted pairs fewer than 2^52.

    Raises
    ------
    UserError
        If the weights have another shape, are negative or not finite.
    """
    w = _weights(wins, weights)
    out = np.empty((wins.n_classes, len(w)))
    step = max(1, _ENTRIES // max(1, len(wins.count)))
    count = wins.count.astype(np.float64)
    for begin in range(0, len(w), step):
        out[:, begin : begin + step] = _weighted(wins, count, w[begin : begin + step])
    result = np.ascontiguousarray(out.T)
    return result[0] if weights is None or np.ndim(weights) == 1 else result


def macro_auc(wins: Wins, weights: npt.ArrayLike | None = None) -> Float64:
    """Return the mean over the classes that have an AUC, ``()`` or ``(r,)``.

    Each weighting averages over the classes that it leaves with positives and negatives; NaN if
    there is none. Weights as for :func:`class_auc`.
    """
    return mean_of_classes(class_auc(wins, weights))


def margins(wins: Wins) -> tuple[Int64, Int64, Int64]:
    """Return doubled wins of each class by file, ``(C, F)`` each.

    Returns
    -------
    by_positive, by_negative, inside
        Those of the positives of the file, those over the negatives of the file, and those of
        pairs that lie in the file.
    """
    by_positive, by_negative, inside = (np.zeros(wins.positives.shape, np.int64) for _ in range(3))
    for c, rows in wins.by_class():
        count, files = wins.count[rows], wins.row_file[rows]
        by_positive[c, files] = count.sum(axis=1, dtype=np.int64)
        by_negative[c] = count.sum(axis=0, dtype=np.int64)
        inside[c, files] = count[np.arange(len(count)), files]
    return by_positive, by_negative, inside


def leave_one_out(wins: Wins) -> Float64:
    """Return the AUC of each class without each file, ``(F, C)``; NaN where there is none."""
    by_positive, by_negative, inside = margins(wins)
    won = by_positive.sum(axis=1, keepdims=True) - by_positive - by_negative + inside
    positives = wins.positives.sum(axis=1, keepdims=True) - wins.positives
    negatives = wins.negatives.sum(axis=1, keepdims=True) - wins.negatives
    pairs = positives * negatives
    out = np.full(won.shape, np.nan)
    np.divide(won, 2.0 * pairs, out=out, where=pairs > 0)
    return out.T


def mean_of_classes(values: Float64) -> Float64:
    """Return the mean over the last axis of what is not NaN; NaN if there is none."""
    there = ~np.isnan(values)
    count = there.sum(axis=-1)
    total = np.where(there, values, 0.0).sum(axis=-1)
    return np.asarray(total / np.where(count, count, np.nan))


def _weights(wins: Wins, weights: npt.ArrayLike | None) -> Float64:
    if weights is None:
        return np.ones((1, wins.n_files))
    w = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if w.ndim != 2 or w.shape[1] != wins.n_files:
        raise UserError(f"There must be a weight for each of the {wins.n_files} files.")
    if not np.isfinite(w).all() or (w < 0).any():
        raise UserError("Weights of files must be finite and not negative.")
    return w


def _weighted(wins: Wins, count: Float64, w: Float64) -> Float64:
    """Return ``(C, r)`` AUCs for ``(r, F)`` weights."""
    of_file = np.ascontiguousarray(w.T)
    with few_threads(count.size):
        beaten = count @ of_file
        pairs = (wins.positives @ of_file) * (wins.negatives @ of_file)
    beaten *= of_file[wins.row_file]
    won = np.zeros((wins.n_classes, len(w)))
    starts = np.flatnonzero(np.diff(wins.row_class, prepend=-1))
    if len(starts):
        won[wins.row_class[starts]] = np.add.reduceat(beaten, starts, axis=0)
    out = np.full(won.shape, np.nan)
    np.divide(won, 2.0 * pairs, out=out, where=pairs > 0)
    return out
