"""Exact ROC-AUC of score matrices, ties counted half (Mann-Whitney)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import checked_truth, finite, scored_classes
from antiphon.evaluation.blending.scoring.many import RankBlends

__all__ = ["RankBlends", "checked_truth", "class_auc", "macro_auc", "scored_classes"]

Float64 = npt.NDArray[np.float64]


def class_auc(score: npt.ArrayLike, truth: npt.ArrayLike) -> Float64:
    """Return the area under the ROC curve of each class.

    Parameters
    ----------
    score
        ``(n, C)`` or ``(k, n, C)``, finite, of any floating or whole type.
    truth
        ``(n, C)`` bool or 0/1.

    Returns
    -------
    ndarray
        ``(C,)`` or ``(k, C)``; NaN for classes without positives or without negatives.

    Raises
    ------
    UserError
        If the shapes do not fit, a score is not finite or the truth is not 0 or 1.
    """
    present = checked_truth(truth)
    values = np.asarray(score)
    if values.dtype.kind not in "iu":
        values = finite(values)
    if values.shape[-2:] != present.shape or values.ndim not in (2, 3):
        raise UserError(
            f"Scores must be (rows, classes) = {present.shape} or (matrices, rows, classes), but "
            f"have shape {values.shape}."
        )
    stack = values[None] if values.ndim == 2 else values
    out = np.full((len(stack), present.shape[1]), np.nan)
    for c, is_positive in enumerate(present.T):
        positive, negative = stack[:, is_positive, c], stack[:, ~is_positive, c]
        pairs = positive.shape[1] * negative.shape[1]
        if not pairs:
            continue
        # The fewer are looked up among the many, so that the search is short.
        swap = positive.shape[1] > negative.shape[1]
        few, many = (negative, positive) if swap else (positive, negative)
        for k, (some, ordered) in enumerate(zip(few, np.sort(many, axis=1), strict=True)):
            below = np.searchsorted(ordered, some, "left").sum()
            doubled = int(below) + int(np.searchsorted(ordered, some, "right").sum())
            out[k, c] = (2 * pairs - doubled if swap else doubled) / (2 * pairs)
    return out[0] if values.ndim == 2 else out


def macro_auc(score: npt.ArrayLike, truth: npt.ArrayLike) -> float | Float64:
    """Return the mean ROC-AUC over the classes that have positives and negatives.

    As :func:`class_auc`; a float for one matrix, ``(k,)`` for several. Which classes count is told
    by :func:`scored_classes`. For very many rank blends of the same models, see
    :class:`RankBlends`.

    Raises
    ------
    UserError
        If no class has both.
    """
    present = checked_truth(truth)
    scored = scored_classes(present)
    values = class_auc(score, present)[..., scored].mean(axis=-1)
    return float(values) if values.ndim == 0 else np.asarray(values)
