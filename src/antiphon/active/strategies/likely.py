"""Likely positives: the best windows of each label in turn, to find examples of rare ones."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy


@strategy(
    "likely",
    "the most probable windows of each label in turn, the label with the fewest positives first",
    "certainty-based sampling; Attenberg and Provost (2010), doi:10.1145/1835804.1835859",
    needs_head=True,
)
def likely(pool: PoolView, n: int) -> Selection:
    """Choose round by round each label's most probable candidate that is not chosen yet."""
    assert pool.probabilities is not None
    free = pool.candidates()
    probability = pool.probabilities[free]
    positives = np.nansum(pool.labels == 1.0, axis=0)
    order = np.argsort(-probability, axis=0, kind="stable")
    taken = np.zeros(len(free), dtype=bool)
    position = np.zeros(probability.shape[1], dtype=np.int64)
    rows: list[int] = []
    utility: list[float] = []
    while len(rows) < n:
        for label in np.argsort(positives, kind="stable"):
            while position[label] < len(free) and taken[order[position[label], label]]:
                position[label] += 1
            if position[label] == len(free) or len(rows) == n:
                continue
            best = order[position[label], label]
            taken[best] = True
            rows.append(int(free[best]))
            utility.append(float(probability[best, label]))
    return Selection(np.array(rows, np.int64), np.array(utility, np.float32))
