"""Doubled mid-ranks: whole numbers, so that blends of them keep true ties as ties.

The mean of two ranks such as 3.5 and 4 cannot be told from that of 4 and 3.5 in exact arithmetic,
but float sums with weights such as 0.1 can differ in the last bit and break the tie. Twice the
mid-rank is a whole number, and so is any sum with whole weights.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import finite

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


def doubled_mid_ranks(score: npt.ArrayLike) -> Int32:
    """Return twice the mid-rank of each score among the rows, 2 for a lowest single score.

    Parameters
    ----------
    score
        ``(..., n, C)``; rows are ranked inside each class (and model).

    Returns
    -------
    ndarray
        int32 of the same shape: smallest plus largest rank of the ties, from 2 to 2 n.

    Raises
    ------
    UserError
        If a score is not finite.
    """
    values = finite(score)
    if values.ndim < 2:
        raise UserError(f"Scores must be (..., rows, classes), but have shape {values.shape}.")
    n = values.shape[-2]
    out = np.empty(values.shape, dtype=np.int32)
    flat = values.reshape(-1, n, values.shape[-1])
    target = out.reshape(flat.shape)
    number = np.arange(n, dtype=np.int32)[:, None]
    for one, ranks in zip(flat, target, strict=True):
        order = np.argsort(one, axis=0)
        ordered = np.take_along_axis(one, order, axis=0)
        edge = np.ones((1, one.shape[1]), dtype=bool)
        change = ordered[1:] != ordered[:-1]
        new, end = np.concatenate([edge, change]), np.concatenate([change, edge])
        # First rank of the ties: the last start at or before; last rank: the first end from here.
        low = np.maximum.accumulate(np.where(new, number, 0), axis=0)
        high = np.minimum.accumulate(np.where(end, number, n)[::-1], axis=0)[::-1]
        np.put_along_axis(ranks, order, low + high + 2, axis=0)
    return out


def whole_weights(weights: npt.ArrayLike, *, max_denominator: int = 10_000) -> Int64:
    """Return the smallest whole numbers in the same ratios as the weights.

    Parameters
    ----------
    weights
        Non-negative, ``(m,)`` or ``(m, ...)``; whole numbers are only reduced, others are first
        taken as the nearest fraction of at most ``max_denominator`` (0.1 is 1/10).

    Raises
    ------
    UserError
        If a weight is negative or not finite, all are zero, or a weight that is not zero is below
        what the denominator can tell.
    """
    given = np.asarray(weights)
    if given.dtype.kind not in "fiu" or not np.isfinite(given.astype(np.float64)).all():
        raise UserError("Weights must be finite numbers.")
    if (given < 0).any() or not (given > 0).any():
        raise UserError("Weights must not be negative, and one must be above 0.")
    parts = [
        Fraction(int(w))
        if float(w).is_integer()
        else Fraction(float(w)).limit_denominator(max_denominator)
        for w in given.ravel()
    ]
    if any(part == 0 and w > 0 for part, w in zip(parts, given.ravel(), strict=True)):
        raise UserError(
            f"A weight of {given[given > 0].min():g} is too small to be a fraction of at most "
            f"{max_denominator}; scale the weights up."
        )
    scale = lcm(*(part.denominator for part in parts))
    whole = [int(part * scale) for part in parts]
    common = gcd(*whole)
    largest = max(whole) // common
    if largest > 2**40:
        raise UserError(
            "The weights have no small common denominator; round them, to hundredths for example."
        )
    return np.array([w // common for w in whole], dtype=np.int64).reshape(given.shape)


def _fraction(value: float, max_denominator: int) -> Fraction:
    exact = Fraction(value)
    return exact if exact.denominator == 1 else exact.limit_denominator(max_denominator)
