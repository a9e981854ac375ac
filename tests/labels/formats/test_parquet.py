from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from antiphon.errors import FormatError
from antiphon.labels.annotation import ANNOTATION_SCHEMA
from antiphon.labels.formats.registry import read_annotations, write_annotations
from tests.labels.formats.examples import tables


@given(tables())
@settings(max_examples=30, deadline=None)
def test_round_trip_is_exact(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (file,) = write_annotations(table, Path(folder) / "out.parquet", "parquet")
        assert read_annotations(file).table.equals(table)


def test_missing_columns_are_filled_and_faults_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"recording": ["a"], "label": ["wren"]}), path)
    assert read_annotations(path).table.schema == ANNOTATION_SCHEMA
    pq.write_table(pa.table({"recording": ["a"], "species": ["wren"]}), path)
    with pytest.raises(FormatError, match="species"):
        read_annotations(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FormatError, match="Parquet"):
        read_annotations(path)
