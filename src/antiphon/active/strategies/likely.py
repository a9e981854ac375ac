"""Likely positives: the best windows of each label in turn, to find examples of rare ones."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import PoolView, Selection, strategy
from antiphon.active.doubt import positives


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
    # A label is asked at most n times, and at most n - 1 of its best are gone by then.
    depth = min(n, len(free))
    best = np.argpartition(-probability, depth - 1, axis=0)[:depth]
    order = np.take_along_axis(
        best, np.argsort(-np.take_along_axis(probability, best, axis=0), axis=0, kind="stable"), 0
    )
    turns = np.argsort(positives(pool.labels), kind="stable")
    taken = np.zeros(len(free), dtype=bool)
    position = np.zeros(len(turns), dtype=np.int64)
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    for i in range(n):
        label = turns[i % len(turns)]
        while taken[order[position[label], label]]:
            position[label] += 1
        row = order[position[label], label]
        taken[row] = True
        rows[i], utility[i] = free[row], probability[row, label]
    return Selection(rows, utility)
