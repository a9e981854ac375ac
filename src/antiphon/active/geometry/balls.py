"""Which points lie within a radius of each other, in bits, and greedy maximum coverage."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64
from antiphon.active.geometry.distances import ENTRIES, squared_distances, squared_lengths

Bits = npt.NDArray[np.uint64]
Bool = npt.NDArray[np.bool_]

# Side of the square blocks of a symmetric comparison.
SIDE = 2048


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
    return float(np.nextafter(np.sort(foreign)[min(allowed, len(rows) - 1)], 0.0))


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
    limit = np.float32(min(radius * radius, 1e30))
    half = 0.5 * squared_lengths(points)
    others, offset = (points, half) if targets is None else (points[targets], half[targets])
    for start in range(0, n, SIDE):
        block, own = points[start : start + SIDE], half[start : start + SIDE, None]
        # A comparison of a block with a later one also serves the other way round.
        for at in range(start if targets is None else 0, width, SIDE):
            near = block @ others[at : at + SIDE].T
            near -= own
            close = near >= offset[at : at + SIDE] - 0.5 * limit
            _store(found, start, at, close)
            if targets is None and at > start:
                _store(found, at, start, close.T)
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
    order = generator.permutation(candidates)
    done = np.zeros(balls.shape[1], np.uint64)
    if len(covered):
        done = np.bitwise_or.reduce(balls[covered], axis=0)
    bound = np.concatenate(
        [count(balls[order[at : at + SIDE]] & ~done) for at in range(0, len(order), SIDE)]
    )
    rows = np.empty(n, np.int64)
    gain = np.empty(n, np.int64)
    for i in range(n):
        fresh = np.zeros(len(order), dtype=bool)
        amount = 64
        best = int(np.argmax(bound))
        while not fresh[best]:
            near = np.arange(len(order))
            if amount < len(order):
                near = np.argpartition(bound, len(order) - amount)[-amount:]
            stale = near[~fresh[near] & (bound[near] >= 0)]
            bound[stale] = count(balls[order[stale]] & ~done)
            fresh[stale] = True
            best = int(np.argmax(bound))
            amount *= 4
        rows[i], gain[i] = order[best], bound[best]
        done |= balls[order[best]]
        bound[best] = -1
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
