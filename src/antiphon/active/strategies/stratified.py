"""Stratified by score: windows from all over each label's scores, to set its threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView, Selection, strategy

Float64 = npt.NDArray[np.float64]

STRATA = 10


@strategy(
    "stratified",
    "windows spread over the range of each label's scores, more where answers vary: "
    "for thresholds and for estimates of precision and recall",
    "Neyman (1934), doi:10.2307/2342192; strata as in OASIS, Marchant and Rubinstein (2017), "
    "arXiv:1703.00617",
    needs_head=True,
)
def stratified(pool: PoolView, n: int) -> Selection:
    """Choose, label by label in turn, a random window of the stratum that lacks the most.

    Each label's scores are cut into strata by the cumulative square root of their frequencies.
    What a stratum should hold grows with its size times the deviation of a yes-or-no answer
    there (Neyman's allocation), and is at least one; windows labelled before count. One window
    counts for all labels.

    Notes
    -----
    Within a stratum the choice is uniform. A window drawn for one label is not a random one for
    another, so estimates use each label's own windows.
    """
    assert pool.probabilities is not None
    probability = pool.probabilities
    free = pool.candidates()
    n_labels = probability.shape[1]
    stratum = np.stack([strata(probability[:, j]) for j in range(n_labels)], axis=1)
    goal = np.stack(
        [
            allocation(probability[:, j], stratum[:, j], n + len(pool.labelled))
            for j in range(n_labels)
        ]
    )
    have = np.zeros_like(goal)
    for row in range(len(pool.labelled)):
        known = np.flatnonzero(~np.isnan(pool.labels[row]))
        have[known, stratum[pool.labelled[row], known]] += 1.0
    queues = _queues(stratum, free, pool.generator)
    left = np.array([[len(queue) for queue in row] for row in queues])
    taken = np.zeros(pool.size, dtype=bool)
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    for i in range(n):
        label = i % n_labels
        lack = np.where(left[label] > 0, goal[label] - have[label], -np.inf)
        wanted = int(np.argmax(lack))
        queue = queues[label][wanted]
        while taken[queue[-1]]:
            queue.pop()
        row = queue.pop()
        taken[row] = True
        rows[i], utility[i] = row, max(0.0, float(lack[wanted]))
        every = np.arange(n_labels)
        have[every, stratum[row]] += 1.0
        left[every, stratum[row]] -= 1
    return Selection(rows, utility)


def strata(score: Float32, count: int = STRATA, bins: int = 200) -> Int64:
    """Return the stratum of each score, ``(n,)``, from 0 (lowest scores) to at most ``count - 1``.

    Bounds are equally far apart in the cumulative square root of the histogram of scores.

    Notes
    -----
    Dalenius and Hodges (1959), doi:10.1080/01621459.1959.10501501.
    """
    place = np.minimum((np.clip(score, 0.0, 1.0) * bins).astype(np.int64), bins - 1)
    root = np.cumsum(np.sqrt(np.bincount(place, minlength=bins)))
    index = np.minimum((root - root[0] * 0.5) / root[-1] * count, count - 1).astype(np.int64)
    found: Int64 = index[place]
    return found


def allocation(score: Float32, stratum: Int64, total: int, count: int = STRATA) -> Float64:
    """Return how many of ``total`` answers each stratum should get, ``(count,)``.

    Proportional to size times ``sqrt(m (1 - m))``, where m is the mean score of the stratum; at
    least one for each that is not empty, and no more than it holds.
    """
    size = np.bincount(stratum, minlength=count).astype(np.float64)
    mean = np.bincount(stratum, weights=score, minlength=count) / np.maximum(size, 1.0)
    spread = size * np.sqrt(np.clip(mean * (1.0 - mean), 1e-6, None))
    share = spread / max(spread.sum(), 1e-12) * total
    return np.where(size > 0, np.minimum(np.maximum(share, 1.0), size), 0.0)


def _queues(stratum: Int64, free: Int64, generator: np.random.Generator) -> list[list[list[int]]]:
    """Return for each label and stratum its candidates in random order."""
    shuffled = generator.permutation(free)
    queues = []
    for label in range(stratum.shape[1]):
        of = stratum[shuffled, label]
        order = np.argsort(of, kind="stable")
        parts = np.split(shuffled[order], np.searchsorted(of[order], np.arange(1, STRATA)))
        queues.append([part.tolist() for part in parts])
    return queues
