"""Positions of scores among those of a reference set, exact or from a part of its quantiles.

The position of a score is its mid-rank among the n scores of the reference, divided by n + 1
(Weibull 1939, *A statistical theory of the strength of materials*): it lies inside 0 and 1, and the
middle one is at a half. The evaluator's mid-rank / n is the same but for one factor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import finite

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Index = npt.NDArray[np.intp]
Bool = npt.NDArray[np.bool_]

# Grid of positions where members have different numbers of rows: far finer than any of theirs, and
# with weights of up to 2**40 still within 64 bits.
_GRID = 2**21


@dataclass(frozen=True, slots=True, eq=False)
class RankMap:
    """Ordered scores of a reference set, or some of them, for each member and class.

    Parameters
    ----------
    values
        ``(K,)`` distinct scores of all members and classes, ascending in each.
    below, upto
        ``(K,)`` scores of the reference lower than this one, and not above it.
    start, stop
        ``(m, C)`` where those of a member and class begin and end in ``values``.
    counts
        ``(m, C)`` rows of the reference; 0 where a member was not heard on a class.
    rows
        Half of what doubled ranks are a share of: n + 1 where all counts are n, else of a fine
        grid.
    """

    values: Float64
    below: Int64
    upto: Int64
    start: Int64
    stop: Int64
    counts: Int64
    rows: int

    @classmethod
    def fit(cls, scores: npt.ArrayLike, there: Bool, most: int | None = None) -> RankMap:
        """Keep the scores of a reference set.

        Parameters
        ----------
        scores
            ``(m, n, C)``; what is not ``there`` is ignored.
        there
            ``(m, n, C)``.
        most
            Scores kept of each member and class, at equal steps of rank, at least 2; None keeps
            all distinct ones.

        Raises
        ------
        UserError
            If a score that is there is not finite, or ``most`` is too small.
        """
        if most is not None and most < 2:
            raise UserError(f"At least 2 scores of each class must be kept, not {most}.")
        values = finite(np.where(there, np.asarray(scores, np.float64), 0.0))
        members, _, classes = values.shape
        parts: list[tuple[Float64, Int64, Int64]] = []
        for i in range(members):
            for c in range(classes):
                heard = there[i, :, c]
                ordered = np.sort(values[i, heard, c] if not heard.all() else values[i, :, c])
                parts.append(_knots(np.asarray(ordered, np.float64), most))
        edges = np.cumsum([0, *(len(part[0]) for part in parts)])
        counts = np.asarray(there.sum(axis=1), dtype=np.int64)
        return cls(
            values=np.concatenate([part[0] for part in parts]),
            below=np.concatenate([part[1] for part in parts]),
            upto=np.concatenate([part[2] for part in parts]),
            start=edges[:-1].reshape(members, classes),
            stop=edges[1:].reshape(members, classes),
            counts=counts,
            rows=common_rows(counts),
        )

    @property
    def bound(self) -> float:
        """Largest error of a position that the scores left out can cause; 0 if none is.

        A score between two kept ones gets a rank between theirs by linear interpolation, where its
        true one lies as well: the error is at most the reference rows between them / (n + 1).
        """
        if len(self.values) < 2:
            return 0.0
        hidden = self.below[1:] - self.upto[:-1]
        # The last score of a class is followed by the first of the next, which is no gap.
        inside = np.ones(len(hidden), dtype=bool)
        inside[self.stop[self.stop < len(self.values)] - 1] = False
        owner = np.repeat(self.counts.ravel(), (self.stop - self.start).ravel())[:-1]
        return float((hidden * inside / (owner + 1)).max(initial=0.0))

    def part(self, members: Index | slice, classes: Index | slice) -> RankMap:
        """Return the map of some members and classes; it shares the scores of this one."""
        return replace(
            self,
            start=self.start[members][:, classes],
            stop=self.stop[members][:, classes],
            counts=self.counts[members][:, classes],
        )

    def doubled_ranks(self, scores: npt.ArrayLike) -> Int64:
        """Return doubled mid-ranks among the reference, as a share of 2 ``rows``.

        Parameters
        ----------
        scores
            ``(m, r, C)``, any number of rows.

        Returns
        -------
        ndarray
            ``(m, r, C)``; with n rows of reference from 1 to 2 n + 1.

        Raises
        ------
        UserError
            If the shape does not fit, a score is not finite, or a member has no reference for a
            class.
        """
        asked = np.asarray(finite(scores), dtype=np.float64)
        if asked.ndim != 3 or (asked.shape[0], asked.shape[2]) != self.counts.shape:
            raise UserError(
                f"The map is of {self.counts.shape[0]} members and {self.counts.shape[1]} classes, "
                f"but scores have shape {asked.shape}."
            )
        if not self.counts.all():
            raise UserError("A member has no reference scores of some class.")
        first, last = self.start[:, None], self.stop[:, None]
        place = _bisect(self.values, asked, first, last)
        here = np.minimum(place, len(self.values) - 1)
        hit = (place < last) & (self.values[here] == asked)
        before = np.maximum(place - 1, 0)
        low = np.where(place > first, self.upto[before], 0)
        high = np.where(place < last, self.below[here], self.counts[:, None])
        ranks = low + high + 1
        inner = ~hit & (high > low)
        if inner.any():
            left, right = self.values[before[inner]], self.values[here[inner]]
            share = (asked[inner] - left) / (right - left)
            ranks[inner] = 1 + np.rint(2 * (low[inner] + share * (high - low)[inner]))
        if hit.any():
            ranks[hit] = (self.below[here] + self.upto[here])[hit] + 1
        return self._on_grid(ranks)

    def _on_grid(self, ranks: Int64) -> Int64:
        if (self.counts == self.rows - 1).all():
            return ranks
        return np.asarray(np.rint(ranks * (self.rows / (self.counts[:, None] + 1.0))), np.int64)


def common_rows(counts: Int64) -> int:
    """Return n + 1 where all counts that are not 0 are n, else half of a fine grid."""
    given = np.unique(counts[counts > 0])
    if len(given) == 1:
        return int(given[0]) + 1
    return max(_GRID, 4 * int(counts.max(initial=0)))


def _knots(ordered: Float64, most: int | None) -> tuple[Float64, Int64, Int64]:
    """Return distinct scores with the numbers below and not above, thinned to ``most``."""
    new = np.ones(len(ordered), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    below = np.flatnonzero(new)
    upto = np.append(below[1:], len(ordered))[: len(below)]
    if most is not None and len(below) > most:
        rank = np.rint(np.linspace(0, len(ordered) - 1, most)).astype(np.int64)
        keep = np.unique(np.searchsorted(below, rank, "right") - 1)
        below, upto = below[keep], upto[keep]
    return ordered[below], below, upto


def _bisect(values: Float64, asked: Float64, first: Int64, last: Int64) -> Int64:
    """Return the first place in each span whose value is not below what is asked."""
    low = np.broadcast_to(first, asked.shape).copy()
    high = np.broadcast_to(last, asked.shape).copy()
    for _ in range(int((last - first).max(initial=0)).bit_length()):
        middle = (low + high) // 2
        less = (middle < high) & (values[np.minimum(middle, len(values) - 1)] < asked)
        low = np.where(less, middle + 1, low)
        high = np.where(less, high, middle)
    return low
