"""Rare-class mining: more examples of labels that have few, and a search for those with none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy
from antiphon.active.doubt import positives, rank_share
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.spaces import whitened


@strategy(
    "rare-class",
    "windows that resemble the examples of labels with few of them; for labels without any, "
    "windows unlike everything labelled",
    "nearest neighbours of rare examples: Coleman et al. (2022), arXiv:2007.00077; discovery "
    "beside exploitation: Hospedales et al. (2013), doi:10.1109/TKDE.2011.231",
)
def rare_class(pool: PoolView, n: int) -> Selection:
    """Share the batch among labels by ``1 / (1 + positives)`` and serve each in its way.

    A label with examples gets the candidates of largest evidence: the mean of two ranks, by the
    cosine similarity to its nearest example and by the detector's probability if there is one.
    The part of labels without examples goes to farthest-first traversal, as they may be anywhere.
    Utility is the evidence, or the distance (0 to 2) of traversed windows.
    """
    points = whitened(pool)
    free = pool.candidates()
    count = positives(pool.labels)
    parts = shares(1.0 / (1.0 + count.astype(np.float64)), n)
    found = count > 0
    taken = np.zeros(len(free), dtype=bool)
    rows: list[Int64] = []
    utility: list[Float32] = []
    for label in np.flatnonzero(found)[np.argsort(count[found], kind="stable")]:
        if parts[label] == 0:
            continue
        examples = pool.labelled[pool.labels[:, label] == 1.0]
        evidence = _evidence(pool, points, free, examples, int(label))
        evidence[taken] = -1.0
        best = np.argsort(-evidence, kind="stable")[: parts[label]]
        best = best[~taken[best]]
        taken[best] = True
        rows.append(free[best])
        utility.append(evidence[best])
    rest = n - sum(map(len, rows))
    if rest:
        covered = np.concatenate([pool.labelled, *rows])
        weight = np.ones(pool.size, np.float32)
        far = farthest_first(points, free[~taken], covered, weight, rest, pool.generator)
        rows.append(far.rows)
        utility.append(far.utility)
    return Selection(np.concatenate(rows), np.concatenate(utility))


def shares(weight: npt.NDArray[np.float64], n: int) -> Int64:
    """Return how many of ``n`` each weight gets, ``(len(weight),)``, by largest remainders."""
    exact = weight / weight.sum() * n
    part: Int64 = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - part), kind="stable")
    part[order[: n - int(part.sum())]] += 1
    return part


def _evidence(pool: PoolView, points: Float32, free: Int64, examples: Int64, label: int) -> Float32:
    """Return evidence from 0 to 1 that each candidate carries the label."""
    nearest = (points @ points[examples].T).max(axis=1)[free]
    rank = rank_share(nearest)
    if pool.probabilities is None:
        return rank
    both: Float32 = 0.5 * (rank + rank_share(pool.probabilities[free, label]))
    return both
