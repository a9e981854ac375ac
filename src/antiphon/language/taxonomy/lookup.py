"""A compiled taxonomy, opened: names resolved, taxa described and compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from antiphon.errors import UserError
from antiphon.language.taxonomy import common
from antiphon.language.taxonomy.container import Container
from antiphon.language.taxonomy.distance import distances
from antiphon.language.taxonomy.fuzzy import Suggester
from antiphon.language.taxonomy.linking import Int32
from antiphon.language.taxonomy.matching import ANY_KINGDOM
from antiphon.language.taxonomy.ranks import LINNEAN, RANKS
from antiphon.language.taxonomy.resolution import Resolution, unique_table
from antiphon.language.taxonomy.search import by_common_name, by_id, by_scientific_name
from antiphon.language.taxonomy.table import NameTable, UInt8

By = Literal["scientific", "common", "id"]
_KINGDOM_WORDS = {"metazoa": "animalia", "viridiplantae": "plantae"}


@dataclass(frozen=True, slots=True)
class Taxon:
    """An accepted taxon.

    Parameters
    ----------
    row
        Its row in the compiled file.
    id, checklist
        The checklist and its id there.
    name, authorship, rank
        Its name, without and with whom it is by.
    classification
        Names by rank, from kingdom down to its own, as far as they are known.
    common_names
        Pairs of name and language.
    """

    row: int
    id: str
    checklist: str
    name: str
    authorship: str
    rank: str
    classification: dict[str, str]
    common_names: tuple[tuple[str, str], ...]


class Taxonomy:
    """A compiled taxonomy. Opening it reads nothing but a short description.

    Parameters
    ----------
    path
        The file that ``antiphon taxonomy compile`` made.

    Raises
    ------
    FileError
        If it cannot be read.
    FormatError
        If it is no compiled taxonomy.

    Examples
    --------
    >>> with Taxonomy.open("taxonomy.zip") as taxonomy:  # doctest: +SKIP
    ...     found = taxonomy.resolve(["Parus caeruleus", "Turdus merula"], kingdom="Animalia")
    ...     found.table().column("name")
    """

    def __init__(self, path: Path | str) -> None:
        self._container = Container(Path(path))
        self.path = Path(path)
        self.meta: dict[str, Any] = self._container.meta
        self.names = NameTable(self._container)
        self.kingdoms: list[str] = list(self.meta["kingdoms"])
        self.checklists: list[str] = [c["name"] for c in self.meta["checklists"]]

    @classmethod
    def open(cls, path: Path | str) -> Taxonomy:
        """Open a compiled taxonomy."""
        return cls(path)

    def __enter__(self) -> Taxonomy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the checklists, by their names; the preferred checklist first."""
        return {c["name"]: c["version"] for c in self.meta["checklists"]}

    def resolve(
        self,
        names: Sequence[str | None] | pa.Array | pa.ChunkedArray,
        *,
        kingdom: str | Sequence[str | None] | None = None,
        by: By = "scientific",
        language: str = "en",
        checklist: str | None = None,
        suggest: bool = False,
    ) -> Resolution:
        """Look names up.

        Parameters
        ----------
        names
            As they are written: any case, with or without authors, diacritics, hybrid signs, rank
            markers and subgenera; None is unknown.
        kingdom
            Of all of them, or of each; without it a name that two kingdoms have stays open.
        by
            What the names are: scientific names, common names, or ids of a checklist.
        language
            Of the common names in the answer, and of those looked up.
        checklist
            Of the ids; any by default.
        suggest
            Look for near names for those that are not known: some milliseconds for each.

        Returns
        -------
        Resolution
            One answer per name.

        Raises
        ------
        UserError
            If a kingdom or checklist is not in the file.
        """
        given, which, places = self._unique(names, kingdom)
        if by == "common":
            found = by_common_name(self.names, self._common, given, which, language)
        elif by == "id":
            found = by_id(self.names, given, which, self._checklist_code(checklist))
        else:
            suggester = self._suggester if suggest else None
            found = by_scientific_name(self.names, self.kingdoms, given, which, suggester)
        row = np.where(found.matched >= 0, self.names.accepted[found.matched], -1)
        named = self._common.preferred(row.astype(np.int32), language)
        table = unique_table(self.names, self.checklists, self.kingdoms, found, named)
        return Resolution(table, places)

    def taxon(self, row: int) -> Taxon:
        """Describe an accepted taxon, given by its row (``Resolution.rows``)."""
        names = self.names
        above = {RANKS[names.rank[r]]: str(names.name[r]) for r in names.chain(row)}
        return Taxon(
            row,
            str(names.id[row]),
            self.checklists[names.checklist[row]],
            str(names.name[row]),
            names.authorship(row),
            RANKS[names.rank[row]],
            {rank: above[rank] for rank in LINNEAN if rank in above},
            tuple(self._common.of(row)),
        )

    def common_names(self, row: int, language: str | None = None) -> list[str]:
        """Return the common names of an accepted taxon, the preferred first.

        Parameters
        ----------
        row
            Of the taxon.
        language
            Only these (BCP 47, such as "en"); all by default.
        """
        wanted = None if language is None else common.language_tag(language)
        return [name for name, tag in self._common.of(row) if wanted in (None, tag)]

    def distance(self, a: str, b: str, *, kingdom: str | None = None) -> int:
        """Return the taxonomic distance of two names, see :func:`~..distance.distances`.

        Raises
        ------
        UserError
            If one of them is not known, or stands for several taxa.
        """
        found = self.resolve([a, b], kingdom=kingdom)
        for name, row, state in zip(
            (a, b), found.rows, found.table().column("status").to_pylist(), strict=True
        ):
            if row < 0:
                why = (
                    "stands for several taxa; give a kingdom"
                    if state == "homonym"
                    else "is unknown"
                )
                raise UserError(f"The name {name!r} {why}.")
        return int(self.distances(found.rows[:1], found.rows[1:])[0])

    def distances(self, a: Int32, b: Int32) -> npt.NDArray[np.int64]:
        """Return the taxonomic distances of pairs of rows, see :func:`~..distance.distances`."""
        return distances(self.names, np.asarray(a, np.int32), np.asarray(b, np.int32))

    @cached_property
    def _common(self) -> common.CommonNames:
        return common.CommonNames(self._container)

    @cached_property
    def _suggester(self) -> Suggester:
        return Suggester(self.names)

    def _unique(
        self,
        names: Sequence[str | None] | pa.Array | pa.ChunkedArray,
        kingdom: str | Sequence[str | None] | None,
    ) -> tuple[pa.Array, UInt8, Int32]:
        """Return the different names, the code of the kingdom of each, and where each name is."""
        arrow = isinstance(names, pa.Array | pa.ChunkedArray)
        column: Any = names if arrow else pa.array(list(names), pa.string())
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        column = column.cast(pa.string()).fill_null("")
        if kingdom is None or isinstance(kingdom, str):
            encoded = column.dictionary_encode()
            code = ANY_KINGDOM if kingdom is None else self._kingdom_code(kingdom)
            which = np.full(len(encoded.dictionary), code, np.uint8)
            return encoded.dictionary, which, encoded.indices.to_numpy()
        if len(kingdom) != len(column):
            raise UserError(f"There are {len(column)} names, but {len(kingdom)} kingdoms.")
        words = pa.array(list(kingdom), pa.string()).fill_null("").dictionary_encode()
        codes = [self._kingdom_code(w) if w else ANY_KINGDOM for w in words.dictionary.to_pylist()]
        each = np.array(codes, np.uint8)[words.indices.to_numpy()]
        both = pc.binary_join_element_wise(pa.array(each).cast(pa.string()), column, "\t")
        encoded = both.dictionary_encode()
        places = encoded.indices.to_numpy()
        first = np.full(len(encoded.dictionary), -1, np.int64)
        first[places[::-1]] = np.arange(len(places))[::-1]
        return column.take(pa.array(first)), each[first], places

    def _kingdom_code(self, word: str) -> int:
        folded = word.strip().lower()
        folded = _KINGDOM_WORDS.get(folded, folded)
        for code, name in enumerate(self.kingdoms):
            if name.lower() == folded:
                return code
        raise UserError(
            f"No kingdom {word!r} in {self.path}. There are: {', '.join(self.kingdoms)}."
        )

    def _checklist_code(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self.checklists:
            known = ", ".join(self.checklists)
            raise UserError(f"No checklist {name!r} in {self.path}. There are: {known}.")
        return self.checklists.index(name)
