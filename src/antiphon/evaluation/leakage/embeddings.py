"""Nearest neighbours between two sides, by blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.threads import few_threads

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_ROWS, _COLUMNS = 1_024, 8_192


def nearest(
    test: npt.NDArray[np.floating], train: npt.NDArray[np.floating]
) -> tuple[Float32, Int64]:
    """Return the largest cosine similarity of each test item to a training item, and which.

    Parameters
    ----------
    test, train
        ``(m, d)`` and ``(n, d)``, n at least 1; memory grows with neither.

    Raises
    ------
    UserError
        If widths differ, or a row is all zero or not finite.
    """
    if test.shape[1] != train.shape[1]:
        raise UserError(
            f"Embeddings of the two sides have {test.shape[1]} and {train.shape[1]} values: they "
            "are from different encoders."
        )
    best = np.full(len(test), -np.inf, np.float32)
    which = np.zeros(len(test), np.int64)
    with few_threads(min(len(test), _ROWS) * min(len(train), _COLUMNS)):
        for column in range(0, len(train), _COLUMNS):
            right = _unit(train[column : column + _COLUMNS], column, "second").T
            for row in range(0, len(test), _ROWS):
                part = slice(row, row + _ROWS)
                near = _unit(test[part], row, "first") @ right
                at = near.argmax(axis=1)
                value = near[np.arange(len(at)), at]
                better = value > best[part]
                best[part] = np.where(better, value, best[part])
                which[part] = np.where(better, at + column, which[part])
    return best, which


def _unit(rows: npt.NDArray[np.floating], begin: int, side: str) -> Float32:
    x = np.asarray(rows, np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    bad = np.flatnonzero(~np.isfinite(length) | (length == 0))
    if len(bad):
        raise UserError(
            f"The embedding of row {begin + bad[0]} on the {side} side is all zero or not a "
            "number: compute it again or leave the row out."
        )
    unit: Float32 = x / length[:, None].astype(np.float32)
    return unit
