"""Checklists to one compiled file.

Text goes to the disk and is sorted there in 64 parts; in memory are at most some 130 bytes per
name, and the common names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa

from antiphon.errors import UserError
from antiphon.language.taxonomy import common
from antiphon.language.taxonomy.checklists.records import ChecklistReader, about
from antiphon.language.taxonomy.collect import Collector, Rows, UInt8, id_hashes
from antiphon.language.taxonomy.container import write_container
from antiphon.language.taxonomy.hashing import hash_text
from antiphon.language.taxonomy.higher import hang_orphans
from antiphon.language.taxonomy.linking import (
    Bool,
    HashIndex,
    Int32,
    cut_circles,
    follow,
    prefer_earlier,
    topmost,
)
from antiphon.language.taxonomy.ranks import RANK_CODE, STATUS_CODE, SYNONYMS
from antiphon.language.taxonomy.rejections import Rejections
from antiphon.language.taxonomy.report import Compiled, describe
from antiphon.language.taxonomy.spool import BUCKETS, AuthorshipFile, TextColumn, write_batch
from antiphon.replacing import replacing

NO_KINGDOM = 255
_DROPPED = {
    1: "another line has the same id",
    2: "its accepted name is not in the checklist",
    3: "it is a synonym of itself, by way of others",
}


def compile_taxonomy(
    readers: Sequence[ChecklistReader],
    out: Path,
    *,
    rejected: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Compiled, ...]:
    """Compile checklists to one file; it appears whole or not at all.

    Parameters
    ----------
    readers
        The checklists, the preferred one first: a taxon that several have is that of the first.
    out
        The file to write.
    rejected
        A CSV file to list all lines that were left out in.
    say
        Is told what is being done.

    Returns
    -------
    tuple of Compiled
        One per checklist.

    Raises
    ------
    UserError
        If there is no checklist, two have one name, or they are more than 250.
    FileError, FormatError
        If a file cannot be read or written.
    """
    names = [reader.name for reader in readers]
    if not names or len(set(names)) < len(names) or len(names) > 250:
        raise UserError(f"Give checklists of different names; these are: {', '.join(names)}.")
    out.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        listing: TextIO | None = None
        if rejected is not None:
            part = stack.enter_context(replacing(rejected, "it cannot be written"))
            listing = stack.enter_context(part.open("w", encoding="utf-8", newline=""))
            listing.write("checklist,reason,id,name\n")
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=".taxonomy-", dir=out.parent))
        )
        job = _Job(readers, folder, listing, say)
        report = job.run()
        with replacing(out, "it cannot be written", "Check free space and permissions") as part:
            write_container(part, job.members, describe(report, job.abouts, job.kingdoms))
    return report


class _Job:
    """One run of the compiler."""

    def __init__(
        self,
        readers: Sequence[ChecklistReader],
        folder: Path,
        listing: TextIO | None,
        say: Callable[[str], None],
    ) -> None:
        self._readers, self._folder, self._say = readers, folder, say
        self._rejections = [Rejections(reader.name, listing) for reader in readers]
        self.abouts = [about(reader) for reader in readers]
        self.kingdoms: list[str] = []
        self.members: dict[str, Path] = {}

    def run(self) -> tuple[Compiled, ...]:
        """Read, link, sort and write; returns the report."""
        collector = Collector(self._folder)
        lines = []
        for place, reader in enumerate(self._readers):
            self._say(f"reading {reader.name}")
            lines.append(collector.read(reader, place, self._rejections[place]))
        _release()
        self._say("linking names")
        read = collector.count
        rows, parent, target, reason = self._link(collector)
        kingdom = self._kingdom_codes(collector, parent)
        usable = (target == np.arange(len(rows))) & (rows.status != STATUS_CODE["implied"])
        target = prefer_earlier(target, rows.sort, rows.rank, kingdom, rows.checklist, usable)
        order = np.lexsort((rows.checklist, rows.sort)).astype(np.int32)
        order = order[reason[order] == 0]
        position = np.full(len(rows), -1, np.int32)
        position[order] = np.arange(len(order), dtype=np.int32)
        self._say("writing names")
        self._write(collector, rows, reason, order, position, parent, target, kingdom)
        counts = self._common(rows, position, target)
        return tuple(
            self._count(i, rows, read, lines[i], counts, parent, reason)
            for i in range(len(self._readers))
        )

    def _link(self, collector: Collector) -> tuple[Rows, Int32, Int32, UInt8]:
        """Return rows, the row above each, the accepted row of each, and why rows are dropped."""
        rows = collector.rows()
        index = HashIndex(rows.ids)
        synonym: Bool = np.isin(rows.status, list(SYNONYMS))
        parent = np.where(synonym, -1, index.find(rows.parents)).astype(np.int32)
        accepted = index.find(rows.accepted)
        repeated = index.repeated()
        implied = tuple(reader.implied for reader in self._readers)
        parent = hang_orphans(collector, rows, parent, synonym, implied)
        rows = collector.rows()
        more = len(rows) - len(synonym)
        synonym = np.concatenate([synonym, np.zeros(more, bool)])
        accepted = np.concatenate([accepted, np.full(more, -1, np.int32)])
        target, cyclic = follow(synonym, accepted)
        # A taxon may lie below a name that is a synonym by now.
        parent = np.where(parent >= 0, target[parent], -1).astype(np.int32)
        cut_circles(parent)
        reason = np.zeros(len(rows), np.uint8)
        reason[target < 0] = 2
        reason[cyclic] = 3
        reason[: len(repeated)][repeated] = 1
        # They are not needed any more, and are a third of the memory.
        collector.forget()
        rows.parents = rows.accepted = np.empty(0, np.uint64)
        return rows, parent, target, reason

    def _kingdom_codes(self, collector: Collector, parent: Int32) -> UInt8:
        """Return for each row the place of its kingdom's name in ``self.kingdoms``."""
        stop = np.zeros(len(parent), bool)
        stop[list(collector.kingdoms)] = True
        self.kingdoms = sorted(set(collector.kingdoms.values()))[:NO_KINGDOM]
        codes = np.full(len(parent), NO_KINGDOM, np.uint8)
        for row, name in collector.kingdoms.items():
            codes[row] = self.kingdoms.index(name) if name in self.kingdoms else NO_KINGDOM
        found: UInt8 = codes[topmost(parent, stop)]
        return found

    def _write(
        self,
        collector: Collector,
        rows: Rows,
        reason: UInt8,
        order: Int32,
        position: Int32,
        parent: Int32,
        target: Int32,
        kingdom: UInt8,
    ) -> None:
        names, ids = TextColumn(self._folder, "name"), TextColumn(self._folder, "id")
        hashes = np.empty(len(order), np.uint32)
        authors = self._folder / "authorship.arrow"
        with AuthorshipFile(authors) as authorship:
            for bucket in range(BUCKETS):
                table = collector.buckets.read(bucket)
                row = table.column("row").to_numpy()
                self._reject(table, row, rows, reason)
                place = position[row]
                kept = np.argsort(place, kind="stable")[np.count_nonzero(place < 0) :]
                table = table.take(pa.array(kept)).combine_chunks()
                columns = [_whole(table.column(name)) for name in ("name", "id", "authorship")]
                names.append(columns[0])
                ids.append(columns[1])
                authorship.append(columns[2])
                hashes[place[kept]] = _short_hash(columns[1])
        above = np.where(parent >= 0, position[parent], -1)[order].astype(np.int32)
        taxa = {
            "name": names.array(),
            "id": ids.array(),
            "sort": rows.sort[order],
            "accepted": position[target[order]],
            "parent": above,
            "rank": rows.rank[order],
            "status": rows.status[order],
            "checklist": rows.checklist[order],
            "kingdom": kingdom[target[order]],
        }
        by_id = np.argsort(hashes, kind="stable").astype(np.int32)
        paths = {name: self._folder / name for name in ("taxa.arrow", "ids.arrow")}
        write_batch(paths["taxa.arrow"], taxa)
        write_batch(paths["ids.arrow"], {"hash": hashes[by_id], "row": by_id})
        self.members |= {**paths, "authorship.arrow": authors}

    def _reject(self, table: pa.Table, row: Int32, rows: Rows, reason: UInt8) -> None:
        for code, words in _DROPPED.items():
            out = np.flatnonzero(reason[row] == code)
            for place, rejections in enumerate(self._rejections):
                part = table.take(pa.array(out[rows.checklist[row[out]] == place]))
                ids, names = part.column("id").to_pylist(), part.column("name").to_pylist()
                rejections.add(words, ids, names)

    def _common(self, rows: Rows, position: Int32, target: Int32) -> list[int]:
        """Write the common names; returns their number by checklist."""
        _release()
        self._say("writing common names")
        index = HashIndex(rows.ids)

        def row_of(hashes: object, place: int) -> Int32:
            found = index.find(hashes)  # type: ignore[arg-type]
            accepted = np.where(found >= 0, target[found], -1)
            return np.where(accepted >= 0, position[accepted], -1).astype(np.int32)

        pairs = list(zip(self._readers, self._rejections, strict=True))
        table = common.gather(pairs, row_of, id_hashes)
        self.members |= common.write(self._folder, table)
        checklist = np.empty(len(position), np.uint8)
        kept = position >= 0
        checklist[position[kept]] = rows.checklist[kept]
        taxon = table.column("taxon").to_numpy()
        return [int(n) for n in np.bincount(checklist[taxon], minlength=len(pairs))]

    def _count(
        self,
        place: int,
        rows: Rows,
        read: int,
        lines: int,
        common_names: list[int],
        parent: Int32,
        reason: UInt8,
    ) -> Compiled:
        mine = (rows.checklist == place) & (reason == 0)
        synonym = np.isin(rows.status, list(SYNONYMS))
        made = np.zeros(len(rows), bool)
        made[read:] = True
        low = rows.rank > RANK_CODE["kingdom"]
        return Compiled(
            self._readers[place].name,
            self._readers[place].version,
            lines,
            int(np.count_nonzero(mine & ~synonym & ~made)),
            int(np.count_nonzero(mine & synonym)),
            int(np.count_nonzero(mine & made)),
            common_names[place],
            int(np.count_nonzero(mine & ~synonym & low & (parent < 0))),
            self._rejections[place].to_json(),
        )


def _short_hash(ids: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return (hash_text(ids) >> np.uint64(32)).astype(np.uint32)


def _release() -> None:
    """Give back what Arrow keeps for later: the next stage needs it elsewhere."""
    pa.default_memory_pool().release_unused()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
