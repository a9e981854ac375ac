"""What names were resolved to: one row per different name, spread to the names as given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.ranks import LINNEAN, RANKS, STATUSES
from antiphon.language.taxonomy.table import NameTable

STATES = ("exact", "synonym", "homonym", "suggestion", "unknown")
"""How a name was resolved: it is an accepted name; it is a synonym of one; it stands for several
taxa; it is not known but others are near; it is not known. Only the first two have an accepted
name: nothing is chosen or corrected silently."""


@dataclass(slots=True)
class Found:
    """What was found for different names, while it is being found; lists of length m.

    Parameters
    ----------
    given
        The names.
    matched
        Row of the name itself, -1 for none, shape ``(m,)``.
    alternatives, suggestions
        Rows that a name may mean, by the name's place.
    notes
        What else is to be said, by the name's place.
    """

    given: pa.Array
    matched: Int32
    alternatives: dict[int, list[int]] = field(default_factory=dict)
    suggestions: dict[int, list[int]] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)


class Resolution:
    """Names and what they were resolved to.

    Parameters
    ----------
    unique
        One row per different name (and kingdom), see :meth:`table`.
    places
        The row of ``unique`` of each name as given, shape ``(n,)``.
    """

    def __init__(self, unique: pa.Table, places: Int32) -> None:
        self.unique = unique
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    @property
    def rows(self) -> Int32:
        """The accepted taxon of each name, as a row of the taxonomy; -1 for none."""
        rows: Int32 = self.unique.column("row").to_numpy()[self.places]
        return rows

    def table(self) -> pa.Table:
        """Return one row per name, in the order given.

        Columns: ``given``; ``status`` (:data:`STATES`); ``name`` (accepted) and its ``rank``;
        ``kingdom`` to ``genus``, ``species`` and ``subspecies`` (whole names); ``taxon_id`` and
        ``checklist`` of the accepted taxon; ``matched_name``, ``matched_status`` and
        ``matched_checklist`` of the name itself; ``common_name``; ``alternatives`` (what a homonym
        may mean) and ``suggestions`` (lists of text); ``note``; ``row``.
        """
        if np.array_equal(self.places, np.arange(self.unique.num_rows)):
            return self.unique
        return self.unique.take(pa.array(self.places))

    def batches(self, size: int = 8192) -> Iterator[pa.RecordBatch]:
        """Yield :meth:`table` in batches, so that any number of names fits into memory."""
        for begin in range(0, len(self), size):
            part = self.unique.take(pa.array(self.places[begin : begin + size]))
            yield from part.combine_chunks().to_batches()

    def counts(self) -> dict[str, int]:
        """Return how many of the names as given have each status."""
        status = self.unique.column("status").to_pylist()
        per = np.bincount(self.places, minlength=len(status))
        found: Counter[str] = Counter()
        for state, count in zip(status, per.tolist(), strict=True):
            found[state] += count
        return {state: found[state] for state in STATES}


def unique_table(
    names: NameTable, checklists: list[str], kingdoms: list[str], found: Found, common: pa.Array
) -> pa.Table:
    """Put what was found into a table, see :meth:`Resolution.table`.

    Parameters
    ----------
    names
        The compiled names.
    checklists, kingdoms
        Their names, by code.
    found
        What was found.
    common
        Common names of the accepted taxa, null for none, length m.
    """
    matched = found.matched
    count = len(matched)
    row = np.where(matched >= 0, names.accepted[matched], -1).astype(np.int32)
    lists, statuses = pa.array(checklists, pa.string()), pa.array(STATUSES)

    def checklist_of(rows: Int32) -> pa.Array:
        return lists.take(pa.array(names.checklist[rows], mask=rows < 0))

    def described(rows: dict[int, list[int]]) -> pa.Array:
        texts = {i: _texts(names, kingdoms, several) for i, several in rows.items()}
        return _scattered(texts, count, pa.list_(pa.string()))

    columns = {
        "given": pc.if_else(pc.equal(found.given, ""), pa.scalar(None, pa.string()), found.given),
        "status": _states(names, found, row),
        "name": names.texts(names.name, row),
        "rank": names.rank_names(row),
        **_classification(names, row),
        "taxon_id": names.texts(names.id, row),
        "checklist": checklist_of(row),
        "matched_name": names.texts(names.name, matched),
        "matched_status": statuses.take(pa.array(names.status[matched], mask=matched < 0)),
        "matched_checklist": checklist_of(matched),
        "common_name": common,
        "alternatives": described(found.alternatives),
        "suggestions": described(found.suggestions),
        "note": _scattered(found.notes, count, pa.string()),
        "row": pa.array(row),
    }
    return pa.table(columns)


def _states(names: NameTable, found: Found, row: Int32) -> pa.Array:
    codes = np.full(len(row), STATES.index("unknown"), np.int8)
    codes[list(found.suggestions)] = STATES.index("suggestion")
    codes[[i for i, rows in found.alternatives.items() if len(rows) > 1]] = STATES.index("homonym")
    # The same name in a checklist that is preferred is no synonym.
    known = row >= 0
    same = known & (names.sort[found.matched] == names.sort[row])
    codes[known] = STATES.index("synonym")
    codes[same] = STATES.index("exact")
    return pa.array(STATES).take(pa.array(codes))


def _classification(names: NameTable, row: Int32) -> dict[str, pa.Array]:
    """Return the names by rank; genus and species from the name itself where no row tells them."""
    known = np.flatnonzero(row >= 0)
    lineage = np.full((len(LINNEAN), len(row)), -1, np.int32)
    if len(known):
        lineage[:, known] = names.lineages(row[known])
    columns = {rank: names.texts(names.name, lineage[i]) for i, rank in enumerate(LINNEAN)}
    for rank, below, words in (("species", "subspecies", 2), ("genus", "species", 1)):
        lacking = pc.and_(pc.is_null(columns[rank]), pc.is_valid(columns[below]))
        if pc.any(lacking).as_py():
            long = columns[below].filter(lacking).to_pylist()
            short = [" ".join(name.split()[:words]) for name in long]
            columns[rank] = pc.replace_with_mask(
                columns[rank], lacking, pa.array(short, pa.string())
            )
    return columns


def _scattered(values: Mapping[int, object], count: int, kind: pa.DataType) -> pa.Array:
    """Return a column of values by place, null elsewhere."""
    places = np.full(count, -1, np.int32)
    places[list(values)] = np.arange(len(values))
    if not values:
        return pa.nulls(count, kind)
    return pa.array(list(values.values()), kind).take(pa.array(places, mask=places < 0))


def _texts(names: NameTable, kingdoms: list[str], rows: list[int]) -> list[str]:
    """Describe taxa: name, and in brackets kingdom, rank, and the accepted name of a synonym."""
    texts = []
    for row in rows:
        code = int(names.kingdom[row])
        parts = [kingdoms[code]] if code < len(kingdoms) else []
        parts.append(RANKS[names.rank[row]])
        accepted = int(names.accepted[row])
        if names.sort[accepted] != names.sort[row]:
            parts.append(f"accepted: {names.name[accepted]}")
        texts.append(f"{names.name[row]} ({', '.join(parts)})")
    return texts
