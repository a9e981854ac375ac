"""Area under the learning curve, in both forms that are in use."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]


def aulc_trapezoid(n_labelled: Sequence[float], value: Sequence[float]) -> float:
    """Return BaseAL's area under the learning curve: trapezoids from (0, 0), over the labels spent.

    A head that were perfect from the first of ten batches on would reach 0.95: the first triangle
    is part of it.

    Parameters
    ----------
    n_labelled, value
        One entry for each cycle, ``n_labelled`` ascending.

    Raises
    ------
    UserError
        If there is no cycle or the labels do not ascend.
    """
    spent, score = _curve(n_labelled, value)
    return float(np.trapezoid(score, spent) / spent[-1])


def aulc_mean(
    n_labelled: Sequence[float], value: Sequence[float], budget: int | None = None
) -> float:
    """Return the task page's area: the mean of the curve at n = 1, ..., N labels.

    Between cycles the curve is a straight line, from (0, 0) to the first; after the last one it
    stays level up to the budget.

    Parameters
    ----------
    n_labelled, value
        As for :func:`aulc_trapezoid`.
    budget
        N; the labels spent when None.
    """
    spent, score = _curve(n_labelled, value)
    n = np.arange(1, int(spent[-1] if budget is None else budget) + 1)
    return float(np.interp(n, spent, score).mean())


def aulc_on_grid(
    n_labelled: Sequence[float], value: Sequence[float], grid: Sequence[float]
) -> float:
    """Return the trapezoid area as if the curve had been measured at ``grid`` only.

    More and smaller batches raise :func:`aulc_trapezoid` by the triangle at the start alone. On an
    equal grid that part of the gain is gone.
    """
    spent, score = _curve(n_labelled, value)
    at = np.asarray([g for g in grid if g <= spent[-1]], np.float64)
    if len(at) == 0:
        return math.nan
    return aulc_trapezoid(at.tolist(), np.interp(at, spent, score).tolist())


def _curve(n_labelled: Sequence[float], value: Sequence[float]) -> tuple[Float64, Float64]:
    spent = np.concatenate([[0.0], np.asarray(n_labelled, np.float64)])
    score = np.concatenate([[0.0], np.asarray(value, np.float64)])
    if len(spent) < 2 or len(spent) != len(score) or (np.diff(spent) <= 0).any():
        raise UserError(
            "A learning curve needs one score for each cycle, and more labels in each cycle."
        )
    return spent, score
