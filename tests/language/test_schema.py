"""The corpus table: rows go in and come back as they were, in batches."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from antiphon.errors import FormatError
from antiphon.language.schema import (
    COLUMNS,
    SCHEMA,
    CommonName,
    CorpusRow,
    Event,
    batches,
    read_batches,
    to_batch,
    to_rows,
    write_batches,
)

FULL = CorpusRow(
    id="xeno_canto:1",
    source="xeno_canto",
    audio_bytes=b"RIFF",
    sample_rate=48_000,
    start_s=1.5,
    end_s=4.0,
    class_="Aves",
    common_names=(CommonName("Wren", "en"), CommonName("Zaunkönig", "de")),
    call_types=("song", "alarm call"),
    count=2,
    exhaustive=False,
    events=(Event(0.0, 0.5, 2000.0, None, "trowre1", "species", "Troglodytes troglodytes"),),
    extra={"method": "field recording"},
)


def test_rows_come_back_as_they_were():
    bare = CorpusRow(id="a:1", source="a")
    assert list(to_rows(to_batch([FULL, bare]))) == [FULL, bare]


def test_columns_are_the_row_s_fields():
    assert tuple(SCHEMA.names) == COLUMNS
    assert to_batch([]).schema == SCHEMA


def test_a_wrong_value_names_its_column():
    with pytest.raises(TypeError, match="sample_rate"):
        to_batch([CorpusRow(id="a", source="a", sample_rate="fast")])  # type: ignore[arg-type]


def test_batches_hold_every_row_once():
    rows = [CorpusRow(id=str(n), source="a") for n in range(7)]
    parts = list(batches(iter(rows), size=3))
    assert [part.num_rows for part in parts] == [3, 3, 1]
    assert [row.id for part in parts for row in to_rows(part)] == list("0123456")


def test_a_file_is_read_in_batches_and_by_column(tmp_path):
    path = tmp_path / "rows.parquet"
    rows = [CorpusRow(id=str(n), source="a", date="2020") for n in range(5)]
    assert write_batches(path, batches(rows, size=2)) == 5
    parts = list(read_batches(path, ["id", "source"], size=2))
    assert [part.num_rows for part in parts] == [2, 2, 1]
    assert parts[0].schema.names == ["id", "source"]
    # Columns that were not asked for hold their default.
    assert next(to_rows(parts[0])) == CorpusRow(id="0", source="a")


def test_null_lists_are_empty_ones():
    table = pa.table({"id": ["a"], "source": ["s"], "tags": pa.nulls(1, pa.list_(pa.string()))})
    assert next(to_rows(table)).tags == ()


def test_a_table_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.parquet"
    pq.write_table(
        pa.table({"id": ["a"], "source": ["s"], "domain": ["bio"], "count": ["2"]}), path
    )
    with pytest.raises(FormatError, match="'count' is string, not int32"):
        list(read_batches(path))
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(FormatError, match="no column 'domain'"):
        list(read_batches(path))
    path.write_text("id\n")
    with pytest.raises(FormatError, match="not a Parquet file"):
        list(read_batches(path))
    with pytest.raises(ValueError, match="'id' and 'source'"):
        list(to_rows(pa.table({"id": ["a"]})))
