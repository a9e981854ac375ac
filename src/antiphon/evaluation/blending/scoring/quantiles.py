"""Ranks against a frozen reference, so that a single file can be ranked as the whole set was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import finite

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class Ranking(Protocol):
    """What turns the scores of each model and class into ranks."""

    @property
    def rows(self) -> int:
        """Half of what the doubled ranks are a share of."""
        ...

    def doubled_ranks(self, scores: npt.ArrayLike) -> Int64:
        """Return whole numbers for ``(m, rows, C)`` scores, of the same shape."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class QuantileMap:
    """Scores of a reference set, in order, for each model and class.

    Parameters
    ----------
    ordered
        ``(m, C, n)``, ascending along the last axis.
    """

    ordered: Float64

    @classmethod
    def fit(cls, scores: npt.ArrayLike) -> QuantileMap:
        """Keep the scores of a reference set, ``(m, n, C)``.

        Raises
        ------
        UserError
            If there are no rows, the shape is another, or a score is not finite.
        """
        values = np.asarray(finite(scores), dtype=np.float64)
        if values.ndim != 3 or not values.shape[1]:
            raise UserError(f"Scores must be (models, rows, classes), but have {values.shape}.")
        return cls(np.sort(values.transpose(0, 2, 1), axis=-1))

    @property
    def rows(self) -> int:
        """Rows of the reference set, n."""
        return int(self.ordered.shape[-1])

    def doubled_ranks(self, scores: npt.ArrayLike) -> Int64:
        """Return doubled mid-ranks among the reference, ``(m, rows, C)`` from 1 to 2 n + 1.

        Reference rows below plus reference rows not above, plus 1: for a score of the reference
        this is its doubled mid-rank there; one between two reference scores lies between theirs.

        Parameters
        ----------
        scores
            ``(m, rows, C)``, any number of rows.

        Raises
        ------
        UserError
            If models or classes differ in number from the reference, or a score is not finite.
        """
        values = np.asarray(finite(scores), dtype=np.float64)
        models, classes, _ = self.ordered.shape
        if values.ndim != 3 or (values.shape[0], values.shape[2]) != (models, classes):
            raise UserError(
                f"The map is of {models} models and {classes} classes; scores must be "
                f"({models}, rows, {classes}), but have shape {values.shape}."
            )
        out = np.empty(values.shape, dtype=np.int64)
        for i in range(models):
            for c in range(classes):
                reference, some = self.ordered[i, c], values[i, :, c]
                out[i, :, c] = np.searchsorted(reference, some, "left") + 1
                out[i, :, c] += np.searchsorted(reference, some, "right")
        return out
