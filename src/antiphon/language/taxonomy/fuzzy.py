"""Suggestions for names that are not known: what is one or two letters away.

The distance is that of optimal string alignment: letters inserted, left out, replaced, or two
neighbours exchanged (Damerau 1964, "A technique for computer detection and correction of spelling
errors"; each stretch is changed once). Genus and rest may together be off by two, short ones by
one.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.language.taxonomy.hashing import Int64, sort_keys, text_spans
from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.matching import ANY_KINGDOM
from antiphon.language.taxonomy.names import name_keys
from antiphon.language.taxonomy.ranks import STATUS_CODE
from antiphon.language.taxonomy.table import NameTable, expand

MOST = 2
SHORT = 4
"""Genera and epithets of at most so many letters may be off by one only."""

UInt8 = npt.NDArray[np.uint8]


class Suggester:
    """Finds names that are nearly the same.

    Parameters
    ----------
    names
        The compiled names.
    """

    def __init__(self, names: NameTable) -> None:
        self._names = names
        self._near: dict[str, tuple[Int64, UInt8]] = {}

    def suggest(self, key: str, kingdom: int = ANY_KINGDOM, count: int = 3) -> list[int]:
        """Return rows of known names near an unknown one, the nearest first.

        Parameters
        ----------
        key
            The name as :func:`~antiphon.language.taxonomy.names.name_key` makes it.
        kingdom
            Code of the kingdom that they must be of; 255 for any.
        count
            At most so many, of different accepted taxa.
        """
        genus, _, rest = key.partition(" ")
        if not genus:
            return []
        groups, off = self._genera_near(genus)
        rows, distance = self._in_groups(groups, off, rest)
        shorter = self._shorter(key)
        rows = np.concatenate([rows, shorter])
        distance = np.concatenate([distance, np.full(len(shorter), MOST + 1, np.uint8)])
        if kingdom != ANY_KINGDOM:
            fits = self._names.kingdom[rows] == kingdom
            rows, distance = rows[fits], distance[fits]
        order = np.lexsort((rows, self._names.checklist[rows], self._names.status[rows], distance))
        found: dict[int, int] = {}
        for row in rows[order].tolist():
            if self._names.status[row] != STATUS_CODE["misapplied"]:
                found.setdefault(int(self._names.accepted[row]), row)
        return list(found.values())[:count]

    @cached_property
    def _genera(self) -> tuple[Int64, Int64, UInt8, Int64, npt.NDArray[np.uint32]]:
        """First row and number of rows of each genus; its letters, their number and their set."""
        upper = self._names.sort >> np.uint64(32)
        begins = np.ones(len(upper), bool)
        begins[1:] = upper[1:] != upper[:-1]
        begin = np.flatnonzero(begins)
        count = np.diff(np.append(begin, len(upper)))
        keys = name_keys(self._names.name.take(pa.array(begin)))
        letters, length = _matrix([key.partition(" ")[0] for key in keys.to_pylist()])
        return begin, count, letters, length, _letter_sets(letters)

    def _genera_near(self, genus: str) -> tuple[Int64, UInt8]:
        """Return the genera at most two letters away, and how far each is."""
        if genus not in self._near:
            _, _, letters, length, sets = self._genera
            one, size = _matrix([genus])
            limit = _limit(len(genus))
            near = np.abs(length - size[0]) <= limit
            # Each change takes at most one letter out of the set and puts one in.
            near &= np.bitwise_count(sets ^ _letter_sets(one)[0]) <= 2 * limit
            places = np.flatnonzero(near)
            distance = aligned_distance(one[0, : size[0]], letters[places], length[places])
            keep = distance <= limit
            self._near[genus] = places[keep], distance[keep]
        return self._near[genus]

    def _in_groups(self, groups: Int64, off: UInt8, rest: str) -> tuple[Int32, UInt8]:
        """Return the names of genera whose rest is near, with the distance of the whole name."""
        begin, count, _, length, _ = self._genera
        which, place = expand(begin[groups], count[groups])
        rows = place.astype(np.int32)
        if not rest:
            alone = (self._names.sort[rows] & np.uint64(0xFFFFFFFF)) == 0
            return rows[alone], off[which][alone]
        limit = np.minimum(MOST - off[which].astype(np.int64), _limit(len(rest)))
        wanted = length[groups][which] + 1 + len(rest)
        near = np.abs(self._lengths[rows] - wanted) <= limit + 3
        which, rows, limit = which[near], rows[near], limit[near]
        if not len(rows):
            return rows, np.empty(0, np.uint8)
        keys = name_keys(self._names.name.take(pa.array(rows))).to_pylist()
        letters, size = _matrix([key.partition(" ")[2] for key in keys])
        query, _ = _matrix([rest])
        distance = aligned_distance(query[0], letters, size)
        keep = (distance <= limit) & (size > 0)
        found: UInt8 = distance[keep] + off[which[keep]]
        return rows[keep], found

    def _shorter(self, key: str) -> Int32:
        """Return the species of a subspecies that is not known."""
        words = key.split()
        if len(words) != 3:
            return np.empty(0, np.int32)
        short = " ".join(words[:2])
        begin, count = self._names.ranges(sort_keys(pa.array([short])))
        _, rows = expand(begin, count)
        known = name_keys(self._names.name.take(pa.array(rows))).to_pylist()
        return rows[[name == short for name in known]].astype(np.int32)

    @cached_property
    def _lengths(self) -> Int64:
        return self._names.lengths()


def aligned_distance(query: UInt8, letters: UInt8, length: Int64) -> UInt8:
    """Return the optimal string alignment distance of one word to many.

    Parameters
    ----------
    query
        Bytes of the word, shape ``(m,)``.
    letters
        Bytes of the others, padded, shape ``(n, width)``.
    length
        Of the others, bytes, shape ``(n,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``; distances above 250 are 250.
    """
    width = int(length.max(initial=0))
    columns = np.ascontiguousarray(letters[:, :width].T)
    shape = (width + 1, len(letters))
    before = np.zeros(shape, np.int16)
    last = np.repeat(np.arange(width + 1, dtype=np.int16)[:, None], len(letters), axis=1)
    for i in range(len(query)):
        now = np.empty(shape, np.int16)
        now[0] = i + 1
        differs = (columns != query[i]).astype(np.int16)
        now[1:] = np.minimum(last[:-1] + differs, last[1:] + 1)
        if i and width > 1:
            swapped = (columns[1:] == query[i - 1]) & (columns[:-1] == query[i])
            now[2:] = np.where(swapped, np.minimum(now[2:], before[:-2] + 1), now[2:])
        for j in range(1, width + 1):
            np.minimum(now[j], now[j - 1] + 1, out=now[j])
        before, last = last, now
    found = last[length, np.arange(len(letters))]
    return np.minimum(found, 250).astype(np.uint8)


def _limit(size: int) -> int:
    return 1 if size <= SHORT else MOST


def _matrix(words: list[str]) -> tuple[UInt8, Int64]:
    """Return the bytes of words as rows of one array, padded with 0, and their lengths."""
    data, start, length = text_spans(pa.array(words, pa.string()))
    found = np.zeros((len(words), int(length.max(initial=0))), np.uint8)
    for column in range(found.shape[1]):
        longer = np.flatnonzero(length > column)
        found[longer, column] = data[start[longer] + column]
    return found, length


def _letter_sets(letters: UInt8) -> npt.NDArray[np.uint32]:
    """Return which of 32 groups of bytes occur in each word, as bits."""
    sets = np.zeros(len(letters), np.uint32)
    for column in letters.T:
        bit = np.uint32(1) << (column & np.uint8(31)).astype(np.uint32)
        sets |= np.where(column > 0, bit, np.uint32(0))
    return sets
