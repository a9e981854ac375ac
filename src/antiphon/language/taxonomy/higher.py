"""Higher taxa that a checklist names in columns only: eBird's families, an archive's part.

A taxon whose parent is not in the file is hung below the taxa that its line names (kingdom to
genus). These are looked for among the rows of the checklist; one that is not there is made.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from antiphon.language.taxonomy.checklists.records import PATH_RANKS
from antiphon.language.taxonomy.collect import Collector, Rows
from antiphon.language.taxonomy.hashing import sort_keys
from antiphon.language.taxonomy.linking import Bool, Int32
from antiphon.language.taxonomy.names import name_keys
from antiphon.language.taxonomy.ranks import RANK_CODE, STATUS_CODE

_ABOVE = np.array([RANK_CODE[rank] for rank in PATH_RANKS])


def hang_orphans(
    collector: Collector,
    rows: Rows,
    parent: Int32,
    synonym: Bool,
    implied: tuple[frozenset[str], ...],
) -> Int32:
    """Give a parent to accepted taxa that have none but whose line names higher taxa.

    Parameters
    ----------
    collector
        Gets the taxa that have to be made, behind ``rows``.
    rows
        The rows so far.
    parent
        The row above each, -1 for none, shape ``(n,)``.
    synonym
        Which rows are synonyms, shape ``(n,)``.
    implied
        For each checklist the names that only its reader gives.

    Returns
    -------
    numpy.ndarray
        Parents of all rows, the new ones behind the others.
    """
    orphans = np.flatnonzero((parent < 0) & ~synonym & (rows.path >= 0))
    if not len(orphans):
        return parent
    depth = np.searchsorted(_ABOVE, rows.rank[orphans], side="left")
    both, which = np.unique(rows.path[orphans] * 8 + depth, return_inverse=True)
    tree = _Tree(collector, rows, synonym, implied)
    nodes = []
    for code in both.tolist():
        place, path = collector.paths[code // 8]
        taxa = zip(PATH_RANKS, path.split("\t")[: code % 8], strict=False)
        nodes.append(tree.node(place, tuple((r, n.strip()) for r, n in taxa if n.strip())))
    parent = parent.copy()
    parent[orphans] = np.array(nodes, np.int32)[which]
    # A row found as its own higher taxon, as of a genus that is its own path, stays without.
    itself = parent[orphans] == orphans
    parent[orphans[itself]] = -1
    tree.flush()
    return np.concatenate([parent, np.array(tree.parents, np.int32)])


class _Tree:
    """Finds or makes the taxa of paths."""

    def __init__(
        self,
        collector: Collector,
        rows: Rows,
        synonym: Bool,
        implied: tuple[frozenset[str], ...],
    ) -> None:
        self._collector, self._rows, self._synonym = collector, rows, synonym
        self._implied = implied
        self._order = np.argsort(rows.sort, kind="stable").astype(np.int32)
        self._sorted = rows.sort[self._order]
        self._known: dict[tuple[int, tuple[tuple[str, str], ...]], int] = {}
        self._made: list[tuple[int, str, str]] = []
        self.parents: list[int] = []

    def node(self, place: int, path: tuple[tuple[str, str], ...]) -> int:
        """Return the row of the lowest taxon of a path, -1 for an empty path."""
        if not path:
            return -1
        key = (place, path)
        if key not in self._known:
            rank, name = path[-1]
            found = self._existing(place, rank, name, path[0])
            if found < 0:
                above = self.node(place, path[:-1])
                found = len(self._rows) + len(self._made)
                self._made.append((place, rank, name))
                self.parents.append(above)
            self._known[key] = found
        return self._known[key]

    def flush(self) -> None:
        """Hand the taxa that were made to the collector."""
        begin = 0
        while begin < len(self._made):
            place = self._made[begin][0]
            end = begin
            while end < len(self._made) and self._made[end][0] == place:
                end += 1
            part = self._made[begin:end]
            statuses = ["implied" if n in self._implied[place] else "accepted" for _, _, n in part]
            self._collector.add(
                place,
                [name for _, _, name in part],
                [f"{rank}:{name}" for _, rank, name in part],
                [RANK_CODE[rank] for _, rank, _ in part],
                [STATUS_CODE[status] for status in statuses],
            )
            begin = end

    def _existing(self, place: int, rank: str, name: str, top: tuple[str, str]) -> int:
        key = sort_keys(name_keys(pa.array([name])))[0]
        begin = int(np.searchsorted(self._sorted, key, "left"))
        end = int(np.searchsorted(self._sorted, key, "right"))
        for row in self._order[begin:end].tolist():
            fits = self._rows.checklist[row] == place and self._rows.rank[row] == RANK_CODE[rank]
            if fits and not self._synonym[row] and self._same_kingdom(row, top):
                return int(row)
        return -1

    def _same_kingdom(self, row: int, top: tuple[str, str]) -> bool:
        code = int(self._rows.path[row])
        if code < 0 or top[0] != "kingdom":
            return True
        return self._collector.paths[code][1].split("\t")[0].strip() in ("", top[1])
