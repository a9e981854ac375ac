"""Multi-label metrics of one score matrix or many at once, of the same truth and all classes.

All functions take ``score`` (n, n_labels) or (k, n, n_labels) and ``target`` (n, n_labels) of 0 and
1. Results have the leading shape of the scores: a number or ``(k,)``, and with classes
``(n_labels,)`` or ``(k, n_labels)``. Unlike :mod:`antiphon.evaluation.metrics.scores`, which leaves
out unknown entries, every entry counts here: NaN in scores or labels is an error that names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import macro_average

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Array = npt.NDArray[np.floating]
Absent = Literal["skip", "zero"]

# Entries that are sorted at a time: small enough for the processor's cache.
_BLOCK = 20_000


def checked_many(score: npt.ArrayLike, target: npt.ArrayLike) -> tuple[Array, Bool]:
    """Return scores as ``(k, n, n_labels)`` of float32 or float64, and labels as bool.

    Raises
    ------
    UserError
        If shapes do not fit, a score is NaN or infinite, or a label is not 0 or 1.
    """
    s, t = np.asarray(score), np.asarray(target)
    if s.dtype == np.float16:
        s = s.astype(np.float32)
    elif not np.issubdtype(s.dtype, np.floating):
        s = s.astype(np.float64)
    if t.ndim != 2 or s.ndim not in (2, 3) or s.shape[-2:] != t.shape:
        raise UserError(
            "Scores must be (n, n_labels) or (k, n, n_labels) and labels (n, n_labels), but they "
            f"are {s.shape} and {t.shape}."
        )
    odd = ~((t == 0) | (t == 1))
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise UserError(f"The label of row {row}, class {column} is {t[row, column]}, not 0 or 1.")
    if not np.isfinite(s).all():
        *matrix, row, column = np.argwhere(~np.isfinite(s))[0]
        which = f"matrix {matrix[0]}, " if matrix else ""
        raise UserError(
            f"The score of {which}row {row}, class {column} is {s[(*matrix, row, column)]}; "
            "every entry needs a number."
        )
    return s if s.ndim == 3 else s[None], t == 1


def average_precision_many(score: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return average precision of each class, ``(..., n_labels)``; NaN without positives.

    The step-wise sum of ``sklearn.metrics.average_precision_score``, tied rows entering together.
    """
    s, t = checked_many(score, target)
    out = np.empty((len(s), t.shape[1]))
    total = t.sum(axis=0)
    for matrix, labels, ordered, positive in _descending(s, t):
        end = _tie_ends(ordered)
        right = np.cumsum(positive, axis=1)
        precision = np.take_along_axis(right, end, axis=1) / (end + 1.0)
        summed = np.einsum("ln,ln->l", positive.astype(np.float64), precision)
        out[matrix, labels] = _over(summed, total[labels])
    return out.reshape(*np.shape(score)[:-2], t.shape[1])


def roc_auc_many(score: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return the area under the ROC curve of each class, ``(..., n_labels)``, ties counted half.

    NaN for classes without positives or without negatives.
    """
    s, t = checked_many(score, target)
    out = np.empty((len(s), t.shape[1]))
    total = t.sum(axis=0).astype(np.float64)
    for matrix, labels, ordered, positive in _descending(s, t):
        n = ordered.shape[1]
        # Doubled ranks from the end, ties at their mean: whole numbers, so that nothing is rounded.
        end = _tie_ends(ordered)
        first = n - 1 - _tie_ends(ordered[:, ::-1])[:, ::-1]
        doubled = (2 * n - first - end).astype(np.float64)
        p = total[labels]
        wins = np.einsum("ln,ln->l", doubled, positive.astype(np.float64)) - p * (p + 1)
        out[matrix, labels] = _over(wins, 2.0 * p * (n - p))
    return out.reshape(*np.shape(score)[:-2], t.shape[1])


def mean_average_precision(
    score: npt.ArrayLike, target: npt.ArrayLike, absent: Absent = "skip"
) -> Float64:
    """Return macro average precision; ``absent`` as for :func:`~.scores.macro_average`.

    With ``"skip"`` it is cmAP, the mean over classes with positives; with ``"zero"`` a class
    without positives counts as 0, as in the detection tables of BEANS.
    """
    return macro_average(average_precision_many(score, target), absent)


def macro_roc_auc(score: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return the mean ROC-AUC over classes with positives, as BirdCLEF scores since 2024.

    A class without negatives has no area and is left out as well. NaN if no class has one.
    """
    return macro_average(roc_auc_many(score, target))


def padded_cmap(score: npt.ArrayLike, target: npt.ArrayLike, rows: int = 5) -> Float64:
    """Return padded cmAP of BirdCLEF 2023: mean average precision after adding right answers.

    Parameters
    ----------
    score
        Probabilities.
    target
        Labels.
    rows
        Rows of probability 1 that are added as positives of every class, so that classes without
        positives have a value and rare ones weigh less.

    Raises
    ------
    UserError
        As for :func:`checked_many`, or if a score lies outside [0, 1].
    """
    s, t = checked_many(score, target)
    if s.size and (s.min() < 0 or s.max() > 1):
        raise UserError("Padded cmAP needs probabilities between 0 and 1.")
    added = np.ones((len(s), rows, s.shape[2]), s.dtype)
    padded = np.concatenate([s, added], axis=1)
    truth = np.concatenate([t, np.ones((rows, t.shape[1]), bool)])
    return mean_average_precision(padded, truth).reshape(np.shape(score)[:-2])


def top_one_accuracy(score: npt.ArrayLike, target: npt.ArrayLike) -> Float64:
    """Return the share of rows whose highest score belongs to one of the row's labels.

    Rows without labels are left out; classes tied for the first place share it. NaN if no row has
    a label.
    """
    s, t = checked_many(score, target)
    s, t = s[:, t.any(axis=1)], t[t.any(axis=1)]
    if not len(t):
        return np.full(np.shape(score)[:-2], np.nan)
    first = s == s.max(axis=2, keepdims=True)
    share = (first & t).sum(axis=2) / first.sum(axis=2)
    return np.asarray(share.mean(axis=1).reshape(np.shape(score)[:-2]))


@dataclass(frozen=True, slots=True, eq=False)
class F1Scores:
    """F1 of each class and of all together.

    Parameters
    ----------
    per_class
        ``(..., n_labels)``; NaN without positives and without detections.
    macro
        ``(...)`` mean over classes with a value.
    micro
        ``(...)`` of all entries together; NaN if nothing is there and nothing detected.
    threshold
        ``(..., n_labels)`` of each class.
    micro_threshold
        ``(...)`` of ``micro``; NaN where each class has its own.
    """

    per_class: Float64
    macro: Float64
    micro: Float64
    threshold: Float64
    micro_threshold: Float64


def f1_many(
    score: npt.ArrayLike,
    target: npt.ArrayLike,
    threshold: npt.ArrayLike = 0.5,
    absent: Absent = "skip",
) -> F1Scores:
    """Return F1 at a threshold: an entry is detected at ``score >= threshold``.

    Parameters
    ----------
    score, target
        As everywhere in this module.
    threshold
        One, or ``(n_labels,)``.
    absent
        Whether classes with neither positives nor detections are left out of the macro mean, or
        count as 0 (``zero_division=0`` of scikit-learn).

    Raises
    ------
    UserError
        As for :func:`checked_many`, or if thresholds are neither one nor one for each class, or
        NaN.
    """
    s, t = checked_many(score, target)
    limit = np.asarray(threshold, np.float64)
    if limit.shape not in ((), (t.shape[1],)) or np.isnan(limit).any():
        raise UserError(
            f"Give one threshold, or one for each of {t.shape[1]} classes, and none NaN; got "
            f"{limit.tolist()}."
        )
    over = s >= np.asarray(threshold, s.dtype)
    right = (over & t).sum(axis=1)
    both = over.sum(axis=1) + t.sum(axis=0)
    f1 = _over(2.0 * right, both)
    shape = np.shape(score)[:-2]
    given = np.asarray(threshold, np.float64)
    return F1Scores(
        per_class=f1.reshape(*shape, t.shape[1]),
        macro=macro_average(f1, absent).reshape(shape),
        micro=_over(2.0 * right.sum(axis=1), both.sum(axis=1)).reshape(shape),
        threshold=np.broadcast_to(given, f1.shape).reshape(*shape, t.shape[1]),
        micro_threshold=np.full(shape, given if given.ndim == 0 else np.nan),
    )


def best_f1_many(score: npt.ArrayLike, target: npt.ArrayLike, absent: Absent = "skip") -> F1Scores:
    """Return the largest F1 over all thresholds: one of each class, and a common one for micro.

    The highest threshold is given where several do as well. They are chosen on the rows they are
    measured on, so the values are upper bounds. Classes without positives have none.
    """
    s, t = checked_many(score, target)
    shape = np.shape(score)[:-2]
    f1, threshold = (np.full((len(s), t.shape[1]), np.nan) for _ in range(2))
    micro, micro_threshold = np.full(len(s), np.nan), np.full(len(s), np.nan)
    total = t.sum(axis=0)
    if len(t):
        for matrix, labels, ordered, positive in _descending(s, t):
            value, at = _best(ordered, positive, total[labels])
            f1[matrix, labels], threshold[matrix, labels] = value, at
        together = _descending(s.reshape(len(s), t.size, 1), t.reshape(t.size, 1))
        for matrix, _, ordered, positive in together:
            value, at = _best(ordered, positive, total.sum(keepdims=True))
            micro[matrix], micro_threshold[matrix] = value[0], at[0]
    return F1Scores(
        per_class=f1.reshape(*shape, t.shape[1]),
        macro=macro_average(f1, absent).reshape(shape),
        micro=micro.reshape(shape),
        threshold=threshold.reshape(*shape, t.shape[1]),
        micro_threshold=micro_threshold.reshape(shape),
    )


def _best(ordered: Array, positive: Bool, total: npt.NDArray[np.int64]) -> tuple[Float64, Float64]:
    last = np.ones(ordered.shape, bool)
    last[:, :-1] = ordered[:, 1:] != ordered[:, :-1]
    detected = np.arange(1, ordered.shape[1] + 1)
    f1 = 2.0 * np.cumsum(positive, axis=1) / (detected + np.maximum(total, 1)[:, None])
    f1[~last] = -1.0
    place = f1.argmax(axis=1)
    rows = np.arange(len(f1))
    there = total > 0
    return (
        np.where(there, f1[rows, place], np.nan),
        np.where(there, ordered[rows, place].astype(np.float64), np.nan),
    )


def _descending(score: Array, target: Bool) -> Iterator[tuple[int, slice, Array, Bool]]:
    """Yield matrix, classes, their scores ``(labels, n)`` from the highest down, and the truth."""
    n, n_labels = target.shape
    size = max(1, _BLOCK // max(1, n))
    truth = np.ascontiguousarray(target.T)
    for matrix, scores in enumerate(score):
        for begin in range(0, n_labels, size):
            labels = slice(begin, begin + size)
            negated = -scores[:, labels].T
            order = np.argsort(negated, axis=1)
            ordered = -np.take_along_axis(negated, order, axis=1)
            yield matrix, labels, ordered, np.take_along_axis(truth[labels], order, axis=1)


def _tie_ends(ordered: Array) -> npt.NDArray[np.intp]:
    """Return for each place of each row the last place with the same score."""
    n = ordered.shape[1]
    end = np.broadcast_to(np.arange(n), ordered.shape).copy()
    same = ordered[:, 1:] == ordered[:, :-1]
    if same.any():
        end[:, :-1][same] = n
        np.minimum.accumulate(end[:, ::-1], axis=1, out=end[:, ::-1])
    return end


def _over(part: npt.ArrayLike, whole: npt.ArrayLike) -> Float64:
    whole = np.asarray(whole, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part, np.float64) / np.where(whole > 0, whole, np.nan)
