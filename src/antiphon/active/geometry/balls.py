"""Which points lie within a radius of each other, in bits, and greedy maximum coverage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64
from antiphon.active.geometry.distances import ENTRIES, squared_distances, squared_lengths
from antiphon.threads import few_threads

Bits = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

# Side of the square blocks that are compared at once; a multiple of 8.
SIDE = 512


def pure_radius(points: Float32, clusters: Int64, rows: Int64, purity: float = 0.95) -> float:
    """Return the largest radius at which a share of balls holds points of one cluster only.

    Parameters
    ----------
    points
        ``(n, d)``.
    clusters
        ``(n,)`` cluster of each.
    rows
        Centres of the balls that are looked at.
    purity
        Share of balls that must be pure.

    Returns
    -------
    float
        A radius just below the distance at which a ball too many would touch another cluster;
        infinite where that never happens.
    """
    foreign = np.full(len(rows), np.inf)
    step = max(1, ENTRIES // len(points))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        block = squared_distances(points[some], points)
        block[clusters[some][:, None] == clusters] = np.inf
        foreign[start : start + step] = np.sqrt(block.min(axis=1))
    # As many balls may be impure, those that touch another cluster first.
    allowed = int(np.floor((1.0 - purity) * len(rows) + 1e-9))
    # A little less, as distances are known in float32.
    return float(np.sort(foreign)[min(allowed, len(rows) - 1)]) * (1.0 - 1e-6)


def within(points: Float32, targets: Int64 | None, radius: float) -> Bits:
    """Return which targets lie within the radius of each point, as bits.

    Parameters
    ----------
    points
        ``(n, d)``.
    targets
        ``(r,)`` rows of ``points``, or None for all of them.
    radius
        Euclidean; a point at this distance is within.

    Returns
    -------
    Bits
        ``(n, ceil(r / 64))`` uint64; bit j in the order of ``numpy.packbits``, zeros at the end.
    """
    n = len(points)
    width = n if targets is None else len(targets)
    found = np.zeros((n, -(-width // 64) * 8), np.uint8)
    half = 0.5 * squared_lengths(points)
    limit = np.float32(0.5 * min(radius * radius, 1e30))
    one = np.ones(n, np.float32)
    # One product gives half of (radius^2 - distance^2).
    own = np.column_stack([points, limit - half, one])
    other = np.column_stack([points, one, -half])
    other = np.ascontiguousarray(other if targets is None else other[targets])
    with few_threads(0):
        for start in range(0, n, SIDE):
            block = own[start : start + SIDE]
            # A comparison of a block with a later one also serves the other way round.
            for at in range(start if targets is None else 0, width, SIDE):
                close = block @ other[at : at + SIDE].T >= 0.0
                _store(found, start, at, close)
                if targets is None and at > start:
                    _store(found, at, start, np.ascontiguousarray(close.T))
    if targets is None:
        _set_diagonal(found)
    else:
        found[targets, np.arange(width) // 8] |= _bit(np.arange(width))
    return found.view(np.uint64)


def count(bits: Bits) -> Int64:
    """Return how many bits are set in each row."""
    total: Int64 = np.bitwise_count(bits).sum(axis=-1, dtype=np.int64)
    return total


def cover_most(
    balls: Bits, candidates: Int64, covered: Int64, n: int, generator: np.random.Generator
) -> tuple[Int64, Int64]:
    """Choose greedily the ball with the most targets that no other covers yet.

    Parameters
    ----------
    balls
        ``(n_points, w)`` from :func:`within`.
    candidates, covered
        Rows that may be chosen, and rows whose balls count as chosen.
    n
        How many.
    generator
        Breaks ties, and chooses at random once nothing is left to be covered.

    Returns
    -------
    rows, gain
        ``(n,)`` in the order they were chosen, and how many targets each added.

    Notes
    -----
    Gains only shrink: one computed before the last choices is an upper bound (Minoux 1978).
    """
    done = np.zeros(balls.shape[1], np.uint64)
    if len(covered):
        done = np.bitwise_or.reduce(balls[covered], axis=0)
    # A fraction added to each count decides between equal ones.
    chance = 0.5 * generator.random(len(candidates))
    bound = np.concatenate(
        [count(balls[candidates[at : at + SIDE]] & ~done) for at in range(0, len(candidates), SIDE)]
    )
    bound = bound + chance
    rows = np.empty(n, np.int64)
    gain = np.empty(n, np.int64)
    for i in range(n):
        fresh = np.zeros(len(candidates), dtype=bool)
        amount = 64
        best = int(np.argmax(bound))
        while not fresh[best]:
            near = np.arange(len(candidates))
            if amount < len(candidates):
                near = np.argpartition(bound, len(bound) - amount)[-amount:]
            stale = near[~fresh[near] & (bound[near] >= 0.0)]
            bound[stale] = count(balls[candidates[stale]] & ~done) + chance[stale]
            fresh[stale] = True
            best = int(np.argmax(bound))
            amount *= 4
        rows[i], gain[i] = candidates[best], int(bound[best])
        done |= balls[candidates[best]]
        bound[best] = -1.0
    return rows, gain


def _store(found: npt.NDArray[np.uint8], row: int, column: int, close: Bool) -> None:
    packed = np.packbits(close, axis=1)
    found[row : row + len(close), column // 8 : column // 8 + packed.shape[1]] = packed


def _set_diagonal(found: npt.NDArray[np.uint8]) -> None:
    """Mark that each point lies within its own ball, whatever the rounding."""
    every = np.arange(len(found))
    found[every, every // 8] |= _bit(every)


def _bit(position: Int64) -> npt.NDArray[np.uint8]:
    return (128 >> (position % 8)).astype(np.uint8)
