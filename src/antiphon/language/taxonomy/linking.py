"""Ids of a checklist to rows, synonyms to accepted names, taxa to those above them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.language.taxonomy.hashing import UInt64

Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]

MAX_CHAIN = 32
"""Synonyms of synonyms of ... are followed this far; real checklists have one or two steps."""
MAX_DEPTH = 128
"""Taxa lie at most so deep; the deepest classifications have some 40 levels."""


class HashIndex:
    """Rows by the hash of something that is unique to each.

    Parameters
    ----------
    hashes
        Shape ``(n,)``, of rows 0 to n - 1. Of rows that share one the first counts.
    """

    def __init__(self, hashes: UInt64) -> None:
        self._order = np.argsort(hashes, kind="stable").astype(np.int32)
        self._sorted = hashes[self._order]

    def find(self, wanted: UInt64) -> Int32:
        """Return the row of each hash, -1 where there is none; hash 0 has none."""
        place = np.searchsorted(self._sorted, wanted)
        place[place == len(self._sorted)] = 0
        if not len(self._sorted):
            return np.full(len(wanted), -1, np.int32)
        hit = (self._sorted[place] == wanted) & (wanted != 0)
        found: Int32 = np.where(hit, self._order[place], -1).astype(np.int32)
        return found

    def repeated(self) -> Bool:
        """Return which rows have the hash of an earlier row."""
        marked = np.zeros(len(self._order), bool)
        marked[self._order[1:]] = self._sorted[1:] == self._sorted[:-1]
        return marked


def follow(synonym: Bool, accepted: Int32) -> tuple[Int32, Bool]:
    """Follow chains of synonyms to the accepted name.

    Parameters
    ----------
    synonym
        Which rows are synonyms, shape ``(n,)``.
    accepted
        The row that a synonym points at (which may be one itself), -1 for none, shape ``(n,)``.

    Returns
    -------
    target
        The accepted row of each row (of an accepted one itself), -1 where the chain has no end in
        an accepted name.
    cyclic
        Which chains run in a circle.
    """
    rows = np.arange(len(synonym), dtype=np.int32)
    target = np.where(synonym, accepted, rows).astype(np.int32)
    for _ in range(MAX_CHAIN):
        open_ = np.flatnonzero((target >= 0) & synonym[target])
        if not len(open_):
            break
        target[open_] = accepted[target[open_]]
    cyclic = (target >= 0) & synonym[target]
    target[cyclic] = -1
    return target, cyclic


def cut_circles(parent: Int32) -> Bool:
    """Take the parent (in place) from taxa that lie above themselves; return which they were."""
    above = parent.copy()
    steps = 1
    while steps < MAX_DEPTH and (above >= 0).any():
        above = np.where(above >= 0, above[above], -1).astype(np.int32)
        steps *= 2
    cyclic: Bool = above >= 0
    parent[cyclic] = -1
    return cyclic


def topmost(parent: Int32, stop: Bool) -> Int32:
    """Return for each row the nearest row at or above it that is marked, else the highest."""
    rows = np.arange(len(parent), dtype=np.int32)
    up = np.where(stop | (parent < 0), rows, parent).astype(np.int32)
    for _ in range(MAX_DEPTH.bit_length() - 1):
        up = up[up]
    return up


def prefer_earlier(
    target: Int32,
    sort: UInt64,
    rank: npt.NDArray[np.uint8],
    kingdom: npt.NDArray[np.uint8],
    checklist: npt.NDArray[np.uint8],
    usable: Bool,
) -> Int32:
    """Point at the accepted taxon of the earliest checklist that has the same name.

    Two accepted taxa are the same if name (its sort key), rank and kingdom are.

    Parameters
    ----------
    target
        The accepted row of each row, -1 for none, shape ``(n,)``.
    sort, rank, kingdom, checklist
        Of each row, shape ``(n,)``; a lower number is an earlier checklist.
    usable
        Which rows may be pointed at.

    Returns
    -------
    numpy.ndarray
        The new targets.
    """
    rows = np.flatnonzero(usable).astype(np.int32)
    order = rows[np.lexsort((checklist[rows], kingdom[rows], rank[rows], sort[rows]))]
    if not len(order):
        return target
    a, b = order[:-1], order[1:]
    other = np.ones(len(order), bool)
    other[1:] = (sort[a] != sort[b]) | (rank[a] != rank[b]) | (kingdom[a] != kingdom[b])
    group = np.cumsum(other) - 1
    begin = np.flatnonzero(other)[group]
    part_begins = other.copy()
    part_begins[1:] |= checklist[a] != checklist[b]
    part = np.cumsum(part_begins) - 1
    # Homonyms within one checklist: nothing tells which of them the other checklist means.
    alone = np.bincount(part)[part] == 1
    moves = alone & alone[begin]
    moved = np.arange(len(target), dtype=np.int32)
    moved[order[moves]] = order[begin[moves]]
    found: Int32 = np.where(target >= 0, moved[target], -1).astype(np.int32)
    return found
