from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings

from antiphon.errors import FormatError
from antiphon.labels.formats.registry import read_annotations, write_annotations
from tests.labels.formats.examples import labels, tables

CLUSTER = (
    "INDIR,FOLDER,IN FILE,CHANNEL,OFFSET,DURATION,Fmin,Fmean,Fmax,DATE,TIME,HOUR,"
    "TOP1MATCH*,TOP1DIST*,MANUAL ID*\n"
    r"D:\rec,site 1\day,a.wav,1,12.5,0.75,1012.5,2000,4050,2024-05-01,05:00:00,5,c1.00,0.31,wren"
    "\n"
    r"D:\rec,,b.wav,0,0,2,900,1000,1100,2024-05-01,05:00:00,5,c2.00,0.99,"
    "\n"
)


def test_cluster_table(tmp_path: Path) -> None:
    path = tmp_path / "cluster.csv"
    path.write_text(CLUSTER)
    result = read_annotations(path)
    (row,) = result.table.to_pylist()
    assert (row["recording"], row["channel"]) == ("site 1\\day\\a.wav", 1)
    assert (row["start_s"], row["end_s"], row["label"]) == (12.5, 13.25, "wren")
    assert (row["low_hz"], row["high_hz"]) == (1012.5, 4050.0)
    assert row["confidence"] is None
    assert result.skipped == 1
    assert "row 3 has no label" in result.problems[0].problem
    assert result.reviewed == ("site 1\\day\\a.wav", "b.wav")


def test_the_program_s_own_match_on_request_and_never_its_distance(tmp_path: Path) -> None:
    path = tmp_path / "cluster.csv"
    path.write_text(CLUSTER)
    table = read_annotations(path, label_column="top1match").table
    assert table.column("label").to_pylist() == ["c1.00", "c2.00"]
    assert table.column("confidence").null_count == 2


def test_faults_are_named(tmp_path: Path) -> None:
    path = tmp_path / "id.csv"
    path.write_text(CLUSTER.replace("0.75", "long"))
    with pytest.raises(FormatError, match="row 2, column DURATION"):
        read_annotations(path)
    path.write_text("INDIR,FOLDER,IN FILE,OFFSET,DURATION\nx,,a.wav,0,1\n")
    with pytest.raises(FormatError, match="no column 'MANUAL ID'"):
        read_annotations(path)


@given(tables(labels(), full=False))
@settings(max_examples=40, deadline=None)
def test_round_trip(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (file,) = write_annotations(table, Path(folder), "kaleidoscope")
        found = read_annotations(file, frequency_unit="Hz").table.to_pylist()
    for row, wanted in zip(found, table.to_pylist(), strict=True):
        assert row.pop("end_s") == pytest.approx(wanted.pop("end_s"), abs=1e-6)
        assert row == wanted | {"confidence": None}
