"""The table that the room shares: one row is one sound with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from antiphon.errors import FormatError

Domain = Literal["bio", "general", "speech", "music"]
DOMAINS: tuple[str, ...] = ("bio", "general", "speech", "music")
"""What a sound is of: animals, everyday sounds, speech, music."""

RANKS = ("kingdom", "phylum", "class_", "order", "family", "genus", "species", "subspecies")
"""Columns of the taxon's ranks, the highest first. ``species`` and ``subspecies`` hold the whole
binomial and trinomial ("Turdus merula", "Turdus merula merula"), not the epithet alone."""

BATCH_ROWS = 8192
"""Rows of a record batch, so that any number of rows passes through bounded memory."""


@dataclass(frozen=True, slots=True)
class CommonName:
    """A name in everyday language.

    Parameters
    ----------
    name
        Such as "Common Blackbird".
    lang
        Language tag (BCP 47) such as "en" or "pt-BR"; None where the source gives none.
    """

    name: str
    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What was heard in a part of the sound.

    Parameters
    ----------
    start_s, end_s
        Seconds from the start of the row's sound, which is ``CorpusRow.start_s`` of its file.
    low_hz, high_hz
        Hz; None where the source gives no band.
    label
        The source's own name for it: a species, its code, a call type.
    kind
        What the label tells: "species" (or another taxon), "call_type", "individual", "other".
    scientific_name
        Of the taxon, if the label is tied to one.
    """

    start_s: float
    end_s: float
    low_hz: float | None = None
    high_hz: float | None = None
    label: str | None = None
    kind: str | None = None
    scientific_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusRow:
    """One sound with all that is known of it; None and empty say that nothing is known.

    Parameters
    ----------
    id
        Unique in a corpus: ``<source>:<source_id>``.
    source
        The source's short name, such as "xeno_canto".
    source_id
        How the source itself calls the sound, such as "XC12345" without the "XC".
    url
        Page of the sound at its source.
    audio_url
        Where the file itself can be downloaded.
    audio_path, audio_bytes
        The file, or its content; either or none (when it is still to be downloaded).
    sample_rate
        Hz, the file's own.
    duration_s
        Seconds of the row's sound: ``end_s - start_s`` when both are given.
    start_s, end_s
        The part of the file that is meant, seconds; None for the whole of it.
    taxon_given
        The focal taxon as the source wrote it.
    scientific_name
        Accepted name of the focal taxon, without authors: the source's own until
        ``language.taxonomy`` has resolved it (``taxon_status``).
    kingdom, phylum, class_, order, family, genus, species, subspecies
        Its ranks, see :data:`RANKS`.
    rank
        Rank of ``scientific_name``, such as "species" or "genus".
    taxon_status
        None while the source's name stands as it is; else how it was resolved, such as "exact".
    common_names
        Of the focal taxon.
    call_types
        Such as "song" and "alarm call".
    life_stage, sex, individual, behaviour
        Of the caller.
    count
        Number of callers.
    background_species
        Other species heard, scientific names where the source gives them.
    exhaustive
        True if every species that can be heard is named (by the focal taxon,
        ``background_species`` and ``events``), so that absence of others is known; None: unknown.
    latitude, longitude
        Decimal degrees, WGS 84.
    country, locality, site
        Country as the source writes it; free text of the place; the recorder's own place name.
    date, time
        Local, as ``YYYY-MM-DD`` (or ``YYYY-MM``, ``YYYY``) and ``HH:MM``.
    recordist
        Who is to be credited.
    licence, licence_url
        Canonical name such as "CC-BY-NC-4.0" (``sources.licences``), and its address.
    quality
        As the source rates it.
    text
        Free text of the source: remarks, a title.
    captions
        Descriptions of the sound written by people.
    tags
        Labels of a general vocabulary (such as AudioSet's), everyday sounds, music.
    domain
        See :data:`DOMAINS`.
    events
        What was heard when.
    sha256
        Of the file's bytes, 64 hexadecimal digits.
    audio_fingerprint
        Of the decoded sound (``sources.dedup``), which survives another encoding of it.
    extra
        Whatever else the source says, text by name.
    """

    id: str
    source: str
    source_id: str | None = None
    url: str | None = None
    audio_url: str | None = None
    audio_path: str | None = None
    audio_bytes: bytes | None = None
    sample_rate: int | None = None
    duration_s: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    taxon_given: str | None = None
    scientific_name: str | None = None
    kingdom: str | None = None
    phylum: str | None = None
    class_: str | None = None
    order: str | None = None
    family: str | None = None
    genus: str | None = None
    species: str | None = None
    subspecies: str | None = None
    rank: str | None = None
    taxon_status: str | None = None
    common_names: tuple[CommonName, ...] = ()
    call_types: tuple[str, ...] = ()
    life_stage: str | None = None
    sex: str | None = None
    individual: str | None = None
    behaviour: str | None = None
    count: int | None = None
    background_species: tuple[str, ...] = ()
    exhaustive: bool | None = None
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    locality: str | None = None
    site: str | None = None
    date: str | None = None
    time: str | None = None
    recordist: str | None = None
    licence: str | None = None
    licence_url: str | None = None
    quality: str | None = None
    text: str | None = None
    captions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    domain: str = "bio"
    events: tuple[Event, ...] = ()
    sha256: str | None = None
    audio_fingerprint: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


_EVENT = pa.struct(
    [
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("low_hz", pa.float64()),
        ("high_hz", pa.float64()),
        ("label", pa.string()),
        ("kind", pa.string()),
        ("scientific_name", pa.string()),
    ]
)
_COMMON_NAME = pa.struct([("name", pa.string()), ("lang", pa.string())])
_TEXTS = pa.list_(pa.string())
_TYPES: dict[str, pa.DataType] = {
    "audio_bytes": pa.large_binary(),
    "sample_rate": pa.int32(),
    "count": pa.int32(),
    "exhaustive": pa.bool_(),
    "common_names": pa.list_(_COMMON_NAME),
    "events": pa.list_(_EVENT),
    "extra": pa.map_(pa.string(), pa.string()),
    **dict.fromkeys(("call_types", "background_species", "captions", "tags"), _TEXTS),
    **dict.fromkeys(("duration_s", "start_s", "end_s", "latitude", "longitude"), pa.float64()),
}
_REQUIRED = frozenset({"id", "source", "domain"})

COLUMNS: tuple[str, ...] = tuple(f.name for f in fields(CorpusRow))
"""Names of the columns, those of :class:`CorpusRow` in its order."""

SCHEMA = pa.schema(
    [
        pa.field(name, _TYPES.get(name, pa.string()), nullable=name not in _REQUIRED)
        for name in COLUMNS
    ]
)
"""The table's columns. A list that says nothing is written empty and may be read as null."""

_LISTS = frozenset(name for name in COLUMNS if pa.types.is_list(SCHEMA.field(name).type))


def to_batch(rows: Sequence[CorpusRow]) -> pa.RecordBatch:
    """Put rows into one record batch with :data:`SCHEMA`.

    Raises
    ------
    TypeError
        If a value does not have the column's type; names the column.
    """
    arrays = []
    for name in COLUMNS:
        values: list[Any] = [getattr(row, name) for row in rows]
        if name == "events" or name == "common_names":
            values = [[_as_dict(item) for item in items] for items in values]
        elif name == "extra":
            values = [list(items.items()) for items in values]
        kind = SCHEMA.field(name).type
        try:
            arrays.append(pa.array(values, type=kind))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise TypeError(f"column {name!r} is not {kind}: {error}") from error
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def batches(rows: Iterable[CorpusRow], size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Put any number of rows into record batches of ``size`` rows."""
    held: list[CorpusRow] = []
    for row in rows:
        held.append(row)
        if len(held) >= size:
            yield to_batch(held)
            held = []
    if held:
        yield to_batch(held)


def to_rows(table: pa.RecordBatch | pa.Table) -> Iterator[CorpusRow]:
    """Return the rows of a batch or table; columns that it lacks hold their default.

    Raises
    ------
    ValueError
        If ``id`` or ``source`` is not among the columns.
    """
    names = set(table.schema.names)
    if not {"id", "source"} <= names:
        raise ValueError("a corpus table needs the columns 'id' and 'source'")
    known = [name for name in COLUMNS if name in names]
    columns = [_values(name, table.column(name)) for name in known]
    for values in zip(*columns, strict=True):
        yield CorpusRow(**dict(zip(known, values, strict=True)))


def read_batches(
    path: Path, columns: Sequence[str] | None = None, size: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Read a corpus table (Parquet) in batches of at most ``size`` rows.

    Parameters
    ----------
    path
        The file.
    columns
        Only these; all by default. ``id`` and ``source`` are needed by :func:`to_rows`.
    size
        Rows of a batch.

    Raises
    ------
    FormatError
        If it is no Parquet file, lacks a column that was asked for, or has one of another type.
    """
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise FormatError(path, f"is not a Parquet file that can be read ({error})") from error
    with file:
        check_schema(file.schema_arrow, path, columns)
        wanted = [n for n in file.schema_arrow.names if columns is None or n in columns]
        yield from file.iter_batches(batch_size=size, columns=wanted)


def check_schema(schema: pa.Schema, path: Path, columns: Sequence[str] | None = None) -> None:
    """Check that a file's columns are those of :data:`SCHEMA`; others are let be.

    Raises
    ------
    FormatError
        Naming the column that is missing or of another type.
    """
    for name in columns or sorted(_REQUIRED):
        if name not in schema.names:
            raise FormatError(path, f"has no column {name!r}", "Write it with 'antiphon corpus'")
    for name in set(schema.names) & set(COLUMNS):
        found, wanted = schema.field(name).type, SCHEMA.field(name).type
        if found != wanted:
            raise FormatError(path, f"column {name!r} is {found}, not {wanted}")


def write_batches(path: Path, found: Iterable[pa.RecordBatch]) -> int:
    """Write a corpus table (Parquet, Zstandard); it appears whole or not at all.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    import pyarrow.parquet as pq

    from antiphon.replacing import replacing

    n = 0
    words = ("it cannot be written", "Check free space and permissions")
    with (
        replacing(path, *words) as part,
        pq.ParquetWriter(part, SCHEMA, compression="zstd") as writer,
    ):
        for batch in found:
            writer.write_batch(batch)
            n += batch.num_rows
    return n


def _as_dict(item: CommonName | Event) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__slots__}


def _values(name: str, column: pa.Array | pa.ChunkedArray) -> list[Any]:
    if column.null_count == len(column) and name not in _LISTS and name != "extra":
        return [None] * len(column)
    values: list[Any] = column.to_pylist()
    if name == "extra":
        return [dict(value or ()) for value in values]
    if name == "events":
        return [tuple(Event(**item) for item in value or ()) for value in values]
    if name == "common_names":
        return [tuple(CommonName(**item) for item in value or ()) for value in values]
    if name in _LISTS:
        return [tuple(value or ()) for value in values]
    return values
