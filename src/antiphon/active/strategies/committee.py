"""Query by committee: windows on which heads fitted to resampled labels do not agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, PoolView, Selection, strategy
from antiphon.active.geometry.farthest import farthest_first
from antiphon.active.geometry.spaces import whitened
from antiphon.active.ranking import binary_entropy, top

MEMBERS = 8
RIDGE = 1.0

Float64 = npt.NDArray[np.float64]


@strategy(
    "committee",
    "windows on which a committee of simple heads, fitted to resampled labels, votes differently",
    "query by committee: Seung et al. (1992), doi:10.1145/130385.130417, with bagging (Abe and "
    "Mamitsuka 1998) and vote entropy (Dagan and Engelson 1995)",
)
def committee(pool: PoolView, n: int) -> Selection:
    """Choose the candidates with the largest vote entropy, which needs no trained head.

    Each of eight members is a ridge regression on the whitened embeddings of a bootstrap sample
    of the labelled windows. With several labels to a window each label is a vote of its own and
    the entropies are summed; else each member votes for one label. Windows with the same votes
    are ordered by the spread of the members' scores. Without labels the choice is a k-centre one.
    """
    points = whitened(pool)
    free = pool.candidates()
    if len(pool.labelled) == 0:
        weight = np.ones(pool.size, np.float32)
        return farthest_first(points, free, pool.labelled, weight, n, pool.generator)
    score = member_scores(points[pool.labelled], pool.labels, points[free], pool.generator)
    entropy = vote_entropy(score, multilabel=pool.multilabel)
    spread = score.std(axis=0).mean(axis=1)
    # Vote entropies take few values, farther apart than this.
    tie = 1e-3 * spread / max(float(spread.max()), 1e-12)
    return top(free, (entropy + tie).astype(np.float32), n, pool.generator)


def member_scores(
    known: Float32,
    labels: Float32,
    points: Float32,
    generator: np.random.Generator,
    members: int = MEMBERS,
) -> Float32:
    """Return scores of each member, ``(members, n, n_labels)``, above 0 for "present".

    Parameters
    ----------
    known
        ``(m, d)`` points with labels.
    labels
        ``(m, n_labels)``: 1 present, 0 absent, NaN unknown; unknown ones are left out label by
        label.
    points
        ``(n, d)`` to be voted on.
    generator
        Draws the bootstrap samples.
    """
    x = np.column_stack([known, np.ones(len(known), np.float32)]).astype(np.float64)
    weights = np.empty((members, x.shape[1], labels.shape[1]))
    for member in range(members):
        drawn = generator.integers(0, len(x), len(x))
        weights[member] = _ridge(x[drawn], labels[drawn])
    flat = weights.transpose(1, 0, 2).reshape(x.shape[1], -1).astype(np.float32)
    score = (points @ flat[:-1] + flat[-1]).reshape(len(points), members, labels.shape[1])
    moved: Float32 = np.ascontiguousarray(score.transpose(1, 0, 2))
    return moved


def vote_entropy(score: Float32, *, multilabel: bool) -> Float32:
    """Return how much the members' votes differ for each window, ``(n,)``, in bits.

    Parameters
    ----------
    score
        ``(members, n, n_labels)``.
    multilabel
        Whether each label is voted on alone (above 0 or not; entropies are summed), or one vote
        goes to the label with the largest score.
    """
    if multilabel:
        share = (score > 0.0).mean(axis=0, dtype=np.float32)
        summed: Float32 = (binary_entropy(share) * ((share > 0) & (share < 1))).sum(axis=1)
        return summed
    vote = score.argmax(axis=2)
    share = np.stack([(vote == label).mean(axis=0) for label in range(score.shape[2])], axis=1)
    entropy: Float32 = -(share * np.log2(np.where(share > 0, share, 1.0))).sum(axis=1)
    return entropy.astype(np.float32)


def _ridge(x: Float64, labels: Float32) -> Float64:
    """Return ``(d, n_labels)`` weights for targets of 1 and -1; the last input is the constant."""
    penalty = np.full(x.shape[1], RIDGE)
    penalty[-1] = 1e-6
    target = 2.0 * labels.astype(np.float64) - 1.0
    known = ~np.isnan(labels)
    weights = np.zeros((x.shape[1], labels.shape[1]))
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    for index in range(patterns.shape[1]):
        rows, columns = patterns[:, index], np.flatnonzero(which.reshape(-1) == index)
        if rows.any():
            gram = x[rows].T @ x[rows] + np.diag(penalty)
            weights[:, columns] = np.linalg.solve(gram, x[rows].T @ target[np.ix_(rows, columns)])
    return weights
