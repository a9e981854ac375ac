"""Greedy k-centre: the next point is the one farthest from all that is covered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, Selection
from antiphon.active.geometry.distances import nearest_squared, squared_lengths
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]

# Rows that are compared at once, at first, with the centres chosen last, and with more than
# BEHIND of them.
REFRESH = 16
REFRESH_MANY = 256
BEHIND = 16
# Centres that all rows are compared with before the farthest rows meet the others.
FEW = 32
# New centres above which all distances are brought up to date at once.
MANY = 128
# The part of the rows, those that lie farthest, that does so at once.
PART = 2
# Entries of the rows that are centred at once.
BLOCK = 400_000


def farthest_first(
    points: Float32,
    candidates: Int64,
    labelled: Int64,
    weight: Float32,
    n: int,
    generator: np.random.Generator,
) -> Selection:
    """Choose greedily the largest ``weight * distance`` to the labelled and chosen points.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors; the distance is Euclidean between them.
    candidates, labelled
        Rows that may be chosen, and rows that are covered already.
    weight
        ``(n_points,)`` non-negative.
    n
        How many to choose, at most the number of candidates.
    generator
        Chooses the first row when nothing is labelled: the candidate nearest to the mean of
        256 random ones, so that the start is a common sound and not an odd one.

    Notes
    -----
    Sener and Savarese (2018), algorithm 1, with one matrix-vector product for each choice.
    """
    free = points[candidates]
    nearest = np.full(len(free), 4.0, np.float32)
    gain = weight[candidates]
    taken = np.zeros(len(free), dtype=bool)
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    with few_threads(free.size):
        for start in range(0, len(labelled), 1024):
            block = points[labelled[start : start + 1024]]
            np.minimum(nearest, 2.0 - 2.0 * (free @ block.T).max(axis=1), out=nearest)
        for i in range(n):
            if i == 0 and len(labelled) == 0:
                some = generator.choice(len(free), size=min(256, len(free)), replace=False)
                best = int(some[np.argmax(free[some] @ free[some].mean(axis=0))])
                value = 1.0
            else:
                score = gain * np.sqrt(np.maximum(nearest, 0.0))
                score[taken] = -1.0
                best = int(np.argmax(score))
                value = float(score[best])
            rows[i], utility[i] = candidates[best], value
            np.minimum(nearest, 2.0 - 2.0 * (free @ free[best]), out=nearest)
            taken[best] = True
    return Selection(rows, utility)


@dataclass(slots=True)
class Reach:
    """Upper bounds of each row's squared distance to the covered rows.

    Parameters
    ----------
    centres
        Covered rows in the order they came.
    bound
        ``(n,)`` float64, never below the squared distance to the nearest of the first
        ``compared`` centres, and equal to it where that is above 0.
    compared
        ``(n,)`` int64; 0 where only float32 distances went into the bound.
    """

    centres: Int64
    bound: Float64
    compared: Int64


def k_centre(
    vectors: Float32,
    candidates: Int64,
    labelled: Int64,
    n: int,
    generator: np.random.Generator,
    memory: dict[str, Any] | None = None,
    space: str = "raw",
) -> Selection:
    """Choose greedily the largest Euclidean distance to the labelled and chosen vectors.

    Parameters
    ----------
    vectors
        ``(n_rows, d)`` float32 of any scale.
    candidates, labelled
        Rows that may be chosen, and rows that are covered already.
    n
        How many to choose, at most the number of candidates.
    generator
        Chooses the first row when nothing is labelled: the candidate nearest to the mean of
        256 random ones.
    memory
        Keeps the distances found for the next call. They are used again when all rows covered
        then are labelled now; what is chosen does not depend on it.
    space
        Names the vectors in the memory.

    Returns
    -------
    Selection
        Of equally distant candidates the first; utility is the distance.

    Notes
    -----
    Sener and Savarese (2018), arXiv:1708.00489, algorithm 1. One pass in float32 gives an upper
    bound of each distance, its rounding error (Higham 2002, equation 3.5) added. Distances only
    shrink as rows are chosen, so none but the candidates with the largest bounds need be
    compared with the rows chosen last (Minoux 1978), and this is done in float64: the rows are
    those that float64 would give throughout.
    """
    name = f"k-centre:{space}"
    mean = vectors[:: max(1, len(vectors) // 4096)].mean(axis=0)
    first = np.empty(0, np.int64)
    if len(labelled) == 0:
        first = _central(vectors, candidates, generator)
    covered = np.concatenate([labelled, first])
    reach = None if memory is None else memory.get(name)
    if reach is None or not np.isin(reach.centres, covered).all():
        reach = Reach(
            np.empty(0, np.int64), np.full(len(vectors), np.inf), np.zeros(len(vectors), np.int64)
        )
    fresh = covered[~np.isin(covered, reach.centres)]
    if len(reach.centres) == 0 or len(fresh) > MANY:
        _tighten(vectors, mean, fresh, reach.bound)
    centres = np.concatenate([reach.centres, fresh])
    reach = Reach(centres, reach.bound.copy(), reach.compared.copy())
    with few_threads(0):
        found = _lazily(vectors, mean, candidates, reach, n, first)
    if memory is not None:
        memory[name] = reach
    return found


def _central(vectors: Float32, candidates: Int64, generator: np.random.Generator) -> Int64:
    """Return the candidate nearest to the mean of 256 random ones, as an array of one."""
    some = generator.choice(candidates, size=min(256, len(candidates)), replace=False)
    away = vectors[some] - vectors[some].mean(axis=0)
    best = int(np.argmin(np.einsum("ij,ij->i", away, away)))
    return np.array([some[best]], np.int64)


def _tighten(vectors: Float32, mean: Float32, fresh: Int64, bound: Float64) -> None:
    """Lower the bounds by float32 distances to new centres, rounding error included.

    All rows are compared with a few centres, the part of them that lies farthest then with all:
    the others are hardly ever looked at, and any centre gives a bound.
    """
    anchors = vectors[fresh] - mean
    every = np.arange(len(vectors))
    few = len(anchors) if len(anchors) <= 4 * FEW else FEW
    _lower(vectors, mean, anchors[:few], every, bound)
    if few < len(anchors):
        _lower(vectors, mean, anchors[few:], np.sort(_largest(bound, len(vectors) // PART)), bound)


def _lower(vectors: Float32, mean: Float32, anchors: Float32, rows: Int64, bound: Float64) -> None:
    """Lower the bounds of some ascending rows by their distances to the anchors."""
    gamma = (vectors.shape[1] + 8) * float(np.finfo(np.float32).eps)
    length = np.sqrt(squared_lengths(anchors))
    # Blocks that stay in the cache between centring and multiplying.
    step = max(64, BLOCK // vectors.shape[1])
    whole = len(rows) == len(vectors)
    centred = np.empty((min(step, len(rows)), vectors.shape[1]), np.float32)
    for start in range(0, len(rows), step):
        at = slice(start, start + step) if whole else rows[start : start + step]
        block = centred[: len(bound[at])]
        np.subtract(vectors[at], mean, out=block)
        near, which = nearest_squared(block, anchors)
        reach = np.sqrt(squared_lengths(block)) + length[which]
        bound[at] = np.minimum(bound[at], near + gamma * np.square(reach, dtype=np.float64))


def _lazily(
    vectors: Float32, mean: Float32, candidates: Int64, reach: Reach, n: int, first: Int64
) -> Selection:
    """Choose, comparing only candidates that may be the farthest; the reach is brought up."""
    count = len(reach.centres)
    anchors = np.empty((count + n, vectors.shape[1]))
    anchors[:count] = vectors[reach.centres]
    anchors[:count] -= mean
    length = np.empty(count + n)
    length[:count] = np.einsum("ij,ij->i", anchors[:count], anchors[:count])
    rows = np.empty(n, np.int64)
    utility = np.empty(n, np.float32)
    begin = len(first)
    rows[:begin], utility[:begin] = first, 1.0
    open_ = reach.bound[candidates]
    open_[np.isin(candidates, first)] = -np.inf
    for i in range(begin, n):
        at = count + i - begin
        amount = REFRESH
        best = int(np.argmax(open_))
        while reach.compared[candidates[best]] < at:
            near = _largest(open_, amount)
            done = reach.compared[candidates[near]]
            parts = [near[(done >= at - BEHIND) & (done > 0) & (done < at)]]
            if (done < at - BEHIND).any() or (done == 0).any():
                # Comparing with many centres costs much the same for a few rows and for more.
                many = _largest(open_, max(amount, REFRESH_MANY))
                since = reach.compared[candidates[many]]
                parts += [many[since == 0], many[(since > 0) & (since < at - BEHIND)]]
            for part in parts:
                if len(part):
                    _compare(vectors, mean, candidates[part], reach, anchors[:at], length[:at])
                    open_[part] = reach.bound[candidates[part]]
            best = int(np.argmax(open_))
            amount *= 2
        rows[i], utility[i] = candidates[best], np.sqrt(open_[best])
        anchors[at] = vectors[rows[i]]
        anchors[at] -= mean
        length[at] = anchors[at] @ anchors[at]
        open_[best] = -np.inf
    reach.centres = np.concatenate([reach.centres, rows[begin:]])
    return Selection(rows, utility)


def _largest(values: Float64, amount: int) -> Int64:
    """Return where the largest values stand, in no order; minus infinity is left out."""
    near = np.arange(len(values))
    if amount < len(values):
        near = np.argpartition(values, len(values) - amount)[-amount:]
    return near[values[near] > -np.inf]


def _compare(
    vectors: Float32, mean: Float32, rows: Int64, reach: Reach, anchors: Float64, length: Float64
) -> None:
    """Make the bounds of some rows exact; those compared with none are compared with all."""
    begin = int(reach.compared[rows].min())
    some = vectors[rows].astype(np.float64) - mean
    block = some @ anchors[begin:].T
    block *= -2.0
    block += length[begin:]
    exact = np.maximum(block.min(axis=1) + np.einsum("ij,ij->i", some, some), 0.0)
    if begin == 0:
        reach.bound[rows] = exact
    else:
        reach.bound[rows] = np.minimum(reach.bound[rows], exact)
    reach.compared[rows] = len(anchors)
