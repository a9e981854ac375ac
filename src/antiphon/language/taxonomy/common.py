"""Common names: by taxon and language, and the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.language.taxonomy.checklists.records import COMMON, ChecklistReader
from antiphon.language.taxonomy.container import Container
from antiphon.language.taxonomy.hashing import Int64, UInt64, hash_text
from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.names import fold
from antiphon.language.taxonomy.rejections import Rejections
from antiphon.language.taxonomy.spool import write_batch
from antiphon.language.taxonomy.table import equal_text, expand

_THREE = (
    "afr ara ben bul cat ces cze cym wel dan deu ger ell gre eng est eus baq fas per fin fra "
    "fre gle glg heb hin hrv hun hye arm ind isl ice ita jpn kat geo kor lat lav lit mkd mac "
    "mon msa may nld dut nor nob nno pol por ron rum rus slk slo slv spa sqi alb srp swa swe "
    "tam tha tur ukr vie zho chi"
)
_TWO = (
    "af ar bn bg ca cs cs cy cy da de de el el en et eu eu fa fa fi fr "
    "fr ga gl he hi hr hu hy hy id is is it ja ka ka ko la lv lt mk mk "
    "mn ms ms nl nl no nb nn pl pt ro ro ru sk sk sl es sq sq sr sw sv "
    "ta th tr uk vi zh zh"
)
_TWO_LETTERS = dict(zip(_THREE.split(), _TWO.split(), strict=True))

NAMES, INDEX = "common.arrow", "common_index.arrow"
NO_NAME = "a common name is empty"
NO_TAXON = "the id of a common name is not in the checklist"


def language_tag(word: str | None) -> str:
    """Return a language as a tag of BCP 47: ``eng`` is ``en``, ``pt_br`` is ``pt-BR``."""
    parts = (word or "").strip().replace("_", "-").split("-")
    first = _TWO_LETTERS.get(parts[0].lower(), parts[0].lower())
    return "-".join([first, *(p.upper() if len(p) == 2 else p for p in parts[1:])])


def common_keys(names: pa.Array) -> pa.Array:
    """Return common names as they are compared, see :func:`~..names.fold`; hyphens are spaces."""
    keys = pc.replace_substring(pc.utf8_lower(names), "-", " ")
    plain = pc.fill_null(pc.match_substring_regex(keys, r"^[a-z']+( [a-z']+)*$"), True)
    odd = pc.invert(plain)
    if not pc.any(odd).as_py():
        return keys
    texts = names.filter(odd).to_pylist()
    slow = [fold(text.replace("-", " ").replace("’", "'")) for text in texts]
    return pc.replace_with_mask(keys, odd, pa.array(slow, pa.string()))


def gather(
    readers: Iterable[tuple[ChecklistReader, Rejections]],
    row_of: Callable[[UInt64, int], Int32],
    id_hashes: Callable[[pa.Array, int], UInt64],
) -> pa.Table:
    """Read all common names.

    Parameters
    ----------
    readers
        In the order of preference.
    row_of
        Gives the rows of ids (their hashes) of a checklist (its place), -1 where there is none.
    id_hashes
        Hashes ids of a checklist.

    Returns
    -------
    pyarrow.Table
        Columns ``taxon`` (row), ``name``, ``language`` and ``hash`` (of the name as it is
        compared), sorted by taxon; of a taxon the preferred checklist's first, none twice.
    """
    parts = [_part(pa.RecordBatch.from_pylist([], schema=COMMON), np.empty(0, np.int32))]
    for place, (reader, rejections) in enumerate(readers):
        for batch in reader.common(rejections):
            rows = row_of(id_hashes(batch.column("id"), place), place)
            empty = pc.fill_null(pc.equal(batch.column("name"), ""), True)
            without = empty.to_numpy(zero_copy_only=False)
            for reason, fault in ((NO_TAXON, (rows < 0) & ~without), (NO_NAME, without)):
                out = batch.filter(pa.array(fault))
                ids, names = out.column("id").to_pylist(), out.column("name").to_pylist()
                rejections.add(reason, ids, names)
            keep = (rows >= 0) & ~without
            parts.append(_part(batch.filter(pa.array(keep)), rows[keep]))
    table = pa.concat_tables(parts)
    parts.clear()
    return table.take(pa.array(_order(table))).combine_chunks()


def write(folder: Path, table: pa.Table) -> dict[str, Path]:
    """Write the names and the index from name to taxon; returns the files by member name."""
    paths = {NAMES: folder / NAMES, INDEX: folder / INDEX}
    columns = {name: _whole(table.column(name)) for name in table.column_names}
    hashes = columns.pop("hash").to_numpy()
    order = np.argsort(hashes, kind="stable").astype(np.int32)
    write_batch(paths[NAMES], columns)
    write_batch(paths[INDEX], {"hash": hashes[order], "entry": order})
    return paths


def _part(batch: pa.RecordBatch, rows: Int32) -> pa.Table:
    names = batch.column("name")
    encoded = batch.column("language").fill_null("").dictionary_encode()
    tags = pa.array([language_tag(w) for w in encoded.dictionary.to_pylist()], pa.string())
    columns = [pa.array(rows), names, tags.take(encoded.indices)]
    columns.append(pa.array(hash_text(common_keys(names))))
    return pa.table(columns, names=["taxon", "name", "language", "hash"])


def _order(table: pa.Table) -> Int64:
    """Return the places of the names by taxon, without the second of equal ones."""
    taxon = table.column("taxon").to_numpy()
    language = hash_text(_whole(table.column("language")), 1)
    with np.errstate(over="ignore"):
        spread = taxon.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        one = table.column("hash").to_numpy() ^ language ^ spread
    _, first = np.unique(one, return_index=True)
    first.sort()
    places: Int64 = first[np.argsort(taxon[first], kind="stable")].astype(np.int64)
    return places


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


class CommonNames:
    """Common names of a compiled file.

    Parameters
    ----------
    container
        The file.
    """

    def __init__(self, container: Container) -> None:
        batch = container.batch(NAMES)
        self._taxon: Int32 = batch.column("taxon").to_numpy()
        self._name, self._language = batch.column("name"), batch.column("language")
        index = container.batch(INDEX)
        self._hash: UInt64 = index.column("hash").to_numpy()
        self._entry: Int32 = index.column("entry").to_numpy()
        self._first: dict[str, tuple[Int32, Int64]] = {}

    def of(self, row: int) -> list[tuple[str, str]]:
        """Return names and languages of a taxon, the preferred first."""
        begin, end = np.searchsorted(self._taxon, [row, row + 1]).tolist()
        names = self._name.slice(begin, end - begin).to_pylist()
        return list(zip(names, self._language.slice(begin, end - begin).to_pylist(), strict=True))

    def preferred(self, rows: Int32, language: str) -> pa.Array:
        """Return the first name of taxa in a language; null for none.

        Parameters
        ----------
        rows
            Of the taxa, -1 for none, shape ``(m,)``.
        language
            Tag of BCP 47.
        """
        tag = language_tag(language)
        if tag not in self._first:
            wanted = pc.equal(self._language, tag).to_numpy(zero_copy_only=False)
            entries = np.flatnonzero(wanted)
            self._first[tag] = self._taxon[entries], entries
        taxa, entries = self._first[tag]
        if not len(taxa):
            return pa.nulls(len(rows), pa.string())
        place = np.minimum(np.searchsorted(taxa, rows), len(taxa) - 1)
        missing = (rows < 0) | (taxa[place] != rows)
        return self._name.take(pa.array(entries[place], mask=missing))

    def taxa(self, given: pa.Array, language: str) -> tuple[Int64, Int32]:
        """Return pairs of a place in ``given`` and the row of a taxon that has that name."""
        keys = common_keys(given)
        hashes = hash_text(keys)
        begin = np.searchsorted(self._hash, hashes, "left")
        which, place = expand(begin, np.searchsorted(self._hash, hashes, "right") - begin)
        entries = pa.array(self._entry[place])
        same = equal_text(common_keys(self._name.take(entries)), keys.take(pa.array(which)))
        tag = pa.array([language_tag(language)]).take(pa.array(np.zeros(len(which), np.int8)))
        same &= equal_text(self._language.take(entries), tag)
        rows: Int32 = self._taxon[self._entry[place]][same]
        return which[same], rows
