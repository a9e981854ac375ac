"""The names of a corpus table resolved: accepted name, ranks and common names filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from antiphon.language.schema import SCHEMA
from antiphon.language.taxonomy.lookup import Taxonomy
from antiphon.language.taxonomy.ranks import LINNEAN

_COLUMN = {rank: "class_" if rank == "class" else rank for rank in LINNEAN}


def resolve_batches(
    batches: Iterable[pa.RecordBatch],
    taxonomy: Taxonomy,
    *,
    kingdom: str | None = "Animalia",
    suggest: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Resolve ``scientific_name`` (else ``taxon_given``) of corpus rows, batch by batch.

    Rows whose name is resolved get the accepted name, its ranks and, where the source has none, its
    English common name. Others stay as they are. ``taxon_status`` is set for all that have a name.

    Parameters
    ----------
    batches
        With :data:`antiphon.language.schema.SCHEMA`.
    taxonomy
        The compiled taxonomy.
    kingdom
        Of rows that do not tell their kingdom, or tell one that the taxonomy does not have.
    suggest
        Whether near names are looked for, which sets ``taxon_status`` to "suggestion".

    Yields
    ------
    pyarrow.RecordBatch
        With the same schema and rows.

    Raises
    ------
    UserError
        If the taxonomy has no kingdom ``kingdom``.
    """
    for batch in batches:
        yield _resolved(batch, taxonomy, kingdom, suggest)


def _resolved(
    batch: pa.RecordBatch, taxonomy: Taxonomy, kingdom: str | None, suggest: bool
) -> pa.RecordBatch:
    import pyarrow.compute as pc

    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    given = pc.coalesce(columns["scientific_name"], columns["taxon_given"])
    known = {name.lower() for name in taxonomy.kingdoms}
    kingdoms = [
        word if word and word.lower() in known else kingdom
        for word in columns["kingdom"].to_pylist()
    ]
    found = taxonomy.resolve(given, kingdom=kingdoms, suggest=suggest).table().combine_chunks()
    answer = {name: found.column(name).combine_chunks() for name in found.column_names}
    hit = pc.is_valid(answer["name"])
    columns["scientific_name"] = pc.if_else(hit, answer["name"], columns["scientific_name"])
    for rank, column in _COLUMN.items():
        columns[column] = pc.if_else(hit, answer[rank], columns[column])
    columns["rank"] = pc.if_else(hit, answer["rank"], columns["rank"])
    named = pc.and_(pc.is_valid(given), pc.not_equal(given, ""))
    columns["taxon_status"] = pc.if_else(named, answer["status"], columns["taxon_status"])
    columns["common_names"] = _common_names(columns["common_names"], answer["common_name"])
    arrays = [columns[name] for name in SCHEMA.names]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _common_names(given: pa.Array, found: pa.Array) -> pa.Array:
    kind = SCHEMA.field("common_names").type
    merged = [
        old if old or new is None else [{"name": new, "lang": "en"}]
        for old, new in zip(given.to_pylist(), found.to_pylist(), strict=True)
    ]
    return pa.array(merged, kind)
