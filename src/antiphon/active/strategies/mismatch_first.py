"""Mismatch-first farthest-traversal: where the detector contradicts the nearest label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.neighbours import neighbour_labels
from antiphon.active.geometry.spaces import whitened


@strategy(
    "mismatch-first",
    "windows where the detector contradicts the nearest labelled window, each far from the last",
    "Zhao et al. (2018), doi:10.1109/IWAENC.2018.8521336, and (2020), arXiv:2002.05033",
)
def mismatch_first(pool: PoolView, n: int) -> Selection:
    """Choose mismatched candidates by farthest traversal, then, when none is left, the others.

    The committee has two members: the detector, and the label of the nearest labelled window.
    They mismatch where the predicted labels differ. Before the first training all candidates
    are traversed. Utilities of mismatched windows are 2 (the largest distance) plus theirs.
    """
    points = whitened(pool)
    free = pool.candidates()
    weight = np.ones(pool.size, np.float32)
    differs = np.zeros(len(free), dtype=bool)
    if pool.probabilities is not None and len(pool.labelled):
        around = neighbour_labels(points, free, pool.labelled, pool.labels, 1)
        differs = mismatch(pool.probabilities[free], around, multilabel=pool.multilabel)
    rows: list[npt.NDArray[np.int64]] = []
    utility: list[Float32] = []
    covered = pool.labelled
    for group, bonus in ((free[differs], 2.0), (free[~differs], 0.0)):
        wanted = min(n - sum(map(len, rows)), len(group))
        if wanted == 0:
            continue
        found = farthest_first(points, group, covered, weight, wanted, pool.generator)
        rows.append(found.rows)
        utility.append(found.utility + np.float32(bonus))
        covered = np.concatenate([covered, found.rows])
    return Selection(np.concatenate(rows), np.concatenate(utility))


def mismatch(probability: Float32, around: Float32, *, multilabel: bool) -> npt.NDArray[np.bool_]:
    """Return whether the predicted labels differ from the nearest window's, ``(n,)``.

    Parameters
    ----------
    probability
        ``(n, n_labels)``.
    around
        ``(n, n_labels)``: 1, 0 or NaN; what is unknown cannot differ.
    multilabel
        Whether every label with a probability of 0.5 or more is predicted, or only the largest.
    """
    if multilabel:
        predicted = probability >= 0.5
    else:
        predicted = np.arange(probability.shape[1]) == probability.argmax(axis=1)[:, None]
    differs: npt.NDArray[np.bool_] = ((predicted != around) & ~np.isnan(around)).any(axis=1)
    return differs
