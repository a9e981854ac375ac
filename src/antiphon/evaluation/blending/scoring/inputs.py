"""Checks of scores and truth, with errors that say where."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Bool = npt.NDArray[np.bool_]


def finite(score: npt.ArrayLike) -> npt.NDArray[np.floating]:
    """Return scores as a floating array.

    Raises
    ------
    UserError
        If one is not a finite number; the first is named by its place (the last two axes are
        row and class), with their number.
    """
    values = np.asarray(score)
    if values.dtype.kind not in "fiub":
        raise UserError(f"Scores must be numbers, but are of type {values.dtype}.")
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    odd = ~np.isfinite(values)
    if odd.any():
        place = tuple(int(i) for i in np.argwhere(odd)[0])
        where = f"row {place[-2]}, class {place[-1]}" if len(place) > 1 else f"row {place[0]}"
        if len(place) > 2:
            where = f"matrix {', '.join(map(str, place[:-2]))}, {where}"
        raise UserError(
            f"The score at {where} is {values[place]}; {int(odd.sum())} such in all. "
            "Scores must be finite numbers."
        )
    return values


def checked_truth(truth: npt.ArrayLike) -> Bool:
    """Return truth as ``(n, C)`` bool.

    Raises
    ------
    UserError
        If it is not a matrix of 0 and 1.
    """
    given = np.asarray(truth)
    if given.ndim != 2:
        raise UserError(f"The truth must be (rows, classes), but has shape {given.shape}.")
    if given.dtype == np.bool_:
        return given
    odd = ~((given == 0) | (given == 1))
    if odd.any():
        row, column = np.argwhere(odd)[0]
        raise UserError(
            f"The truth at row {row}, class {column} is {given[row, column]}, not 0 or 1."
        )
    return given.astype(bool)


def scored_classes(truth: Bool) -> Bool:
    """Return which classes have both a positive and a negative row, ``(C,)``.

    Raises
    ------
    UserError
        If none has.
    """
    positive = truth.sum(axis=0)
    scored = np.asarray((positive > 0) & (positive < len(truth)))
    if not scored.any():
        raise UserError(
            f"None of the {truth.shape[1]} classes has both a positive and a negative row: "
            f"{int((positive == 0).sum())} have no positive, "
            f"{int((positive == len(truth)).sum())} no negative."
        )
    return scored
