"""The best rows of many groups, kept while a stream of values goes by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
UInt64 = npt.NDArray[np.uint64]


class BestOfGroups:
    """The ``k`` rows of largest value in each group, of a stream of values.

    Equal values are ordered by a pseudo-random number of the row, so that the first recordings of
    an archive are not preferred, and the outcome does not depend on the order of the stream.

    Parameters
    ----------
    groups
        How many groups there are.
    k
        Rows kept in each.
    salt
        Chooses the pseudo-random numbers.
    """

    def __init__(self, groups: int, k: int, salt: int) -> None:
        self._k = k
        self._salt = np.uint64(salt)
        self._limit = max(4 * groups * k, 2**16)
        self._floor = np.zeros(groups, np.uint64)
        self._group: list[Int64] = [np.empty(0, np.int64)]
        self._row: list[Int64] = [np.empty(0, np.int64)]
        self._rank: list[UInt64] = [np.empty(0, np.uint64)]
        self._held = 0

    def offer(self, group: Int64, row: Int64, value: Float32) -> None:
        """Take part in the contest.

        Parameters
        ----------
        group, row, value
            ``(m,)``; values are not negative and not NaN.
        """
        if self._k < 1:
            return
        rank = self._ranks(row, value)
        keep = rank > self._floor[group]
        self._group.append(group[keep])
        self._row.append(row[keep])
        self._rank.append(rank[keep])
        self._held += int(keep.sum())
        if self._held > self._limit:
            self._compact()

    def offer_table(self, row: Int64, value: Float32) -> None:
        """Offer each row to all groups.

        Parameters
        ----------
        row
            ``(m,)``.
        value
            ``(m, n_groups)``, not negative and not NaN.
        """
        if self._k < 1:
            return
        width = max(1, 2**18 // max(1, len(row)))
        for begin in range(0, value.shape[1], width):
            part = np.ascontiguousarray(value[:, begin : begin + width])
            floor = (self._floor[begin : begin + width] >> np.uint64(32)).astype(np.uint32)
            at, group = np.nonzero(part >= floor.view(np.float32))
            self.offer(group + begin, row[at], part[at, group])

    def rows(self, limit: int | None = None) -> Int64:
        """Return the distinct rows that are kept, ascending.

        Parameters
        ----------
        limit
            At most so many: those of largest value.
        """
        self._compact()
        row, rank = self._row[0], self._rank[0]
        unique, first = np.unique(row[np.argsort(rank)[::-1]], return_index=True)
        if limit is not None and len(unique) > limit:
            unique = unique[np.sort(np.argsort(first)[:limit])]
        return unique

    def _ranks(self, row: Int64, value: Float32) -> UInt64:
        """Return integers ordered as the values are, then as the rows' random numbers."""
        # The bits of floats that are not negative have the order of the floats; adding zero
        # turns minus zero into zero.
        bits = (value.astype(np.float32, copy=False) + np.float32(0.0)).view(np.uint32)
        # SplitMix64 (Steele, Lea and Flood 2014, doi:10.1145/2714064.2660195).
        mixed = row.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + self._salt
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        # The floor of a group that is not full is 0, which every row must pass.
        low = (mixed >> np.uint64(32)) | np.uint64(1)
        return (bits.astype(np.uint64) << np.uint64(32)) | low

    def _compact(self) -> None:
        group, row = np.concatenate(self._group), np.concatenate(self._row)
        rank = np.concatenate(self._rank)
        order = np.lexsort((row, ~rank, group))
        group, row, rank = group[order], row[order], rank[order]
        begin = np.searchsorted(group, group, side="left")
        place = np.arange(len(group)) - begin
        last = place == self._k - 1
        self._floor[group[last]] = rank[last]
        keep = place < self._k
        self._group, self._row, self._rank = [group[keep]], [row[keep]], [rank[keep]]
        self._held = int(keep.sum())
