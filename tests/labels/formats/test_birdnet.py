from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats.registry import read_annotations, write_annotations
from tests.labels.formats.examples import by_recording, table_of, tables

CSV = (
    "Start (s),End (s),Scientific name,Common name,Confidence,File,lat,lon,week\n"
    "0.0,3.0,Turdus merula,Eurasian Blackbird,0.8312,/rec/a.wav,-1,-1,-1\n"
    "3.0,6.0,Engine,Engine,0.4,/rec/a.wav,-1,-1,-1\n"
)
RAVEN = (
    "Selection\tBegin Time (s)\tEnd Time (s)\tCommon Name\tScientific Name\tSpecies Code\t"
    "Confidence\tView\tChannel\tFile Offset (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tBegin Path\n"
    "1\t60.0\t63.0\tEurasian Blackbird\tTurdus merula\teurbla\t0.8312\tSpectrogram 1\t1\t0.0\t0\t"
    "15000\t/rec/b.wav\n"
)


def test_csv_results(tmp_path: Path) -> None:
    path = tmp_path / "a.BirdNET.results.csv"
    path.write_text(CSV)
    rows = read_annotations(path).table.to_pylist()
    assert [row["label"] for row in rows] == ["Turdus merula_Eurasian Blackbird", "Engine"]
    assert [row["confidence"] for row in rows] == [0.8312, 0.4]
    assert {row["recording"] for row in rows} == {"/rec/a.wav"}
    common = read_annotations(path, names="common").table.column("label").to_pylist()
    assert common == ["Eurasian Blackbird", "Engine"]
    scientific = read_annotations(path, names="scientific").table.column("label").to_pylist()
    assert scientific == ["Turdus merula", "Engine"]
    with pytest.raises(UserError, match="names"):
        read_annotations(path, names="latin")


def test_older_csv_without_file_and_with_other_titles(tmp_path: Path) -> None:
    path = tmp_path / "a.BirdNET.results.csv"
    path.write_text("Start (s),End (s),Scientific name,Common name,Confidence\n0,3,A b,C,0.5\n")
    assert read_annotations(path).reviewed == ("a",)
    path.write_text(
        "filepath,start,end,scientific_name,common_name,confidence\nx.wav,0,3,A b,C,1\n"
    )
    assert read_annotations(path).reviewed == ("x.wav",)


def test_raven_table_uses_the_offset_and_keeps_the_confidence(tmp_path: Path) -> None:
    path = tmp_path / "BirdNET_SelectionTable.txt"
    path.write_text(RAVEN)
    row = read_annotations(path).table.to_pylist()[0]
    assert (row["recording"], row["start_s"], row["end_s"]) == ("/rec/b.wav", 0.0, 3.0)
    assert (row["confidence"], row["low_hz"], row["high_hz"]) == (0.8312, 0.0, 15000.0)
    assert (row["label"], row["channel"]) == ("Turdus merula_Eurasian Blackbird", 0)


def test_no_detection_is_no_row_but_a_reviewed_recording(tmp_path: Path) -> None:
    path = tmp_path / "x.BirdNET.selection.table.txt"
    header = RAVEN.split("\n")[0] + "\n"
    path.write_text(header)
    assert read_annotations(path).reviewed == ("x",)
    path.write_text(
        header + "1\t0\t3\tnocall\tnocall\tnocall\t1.0\tSpectrogram 1\t1\t0\t0\t15000\t/rec/x.wav\n"
    )
    result = read_annotations(path)
    assert (result.table.num_rows, result.reviewed) == (0, ("/rec/x.wav",))
    combined = tmp_path / "BirdNET_CombinedTable.csv"
    combined.write_text(CSV.split("\n")[0] + "\n")
    assert read_annotations(combined).reviewed == ()


def test_faults_are_named_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CSV.replace("0.4", "high"))
    with pytest.raises(FormatError, match="row 3, column Confidence"):
        read_annotations(path)
    path.write_text(CSV.replace("3.0,6.0", "6.0,3.0"))
    with pytest.raises(FormatError, match="row 3, column end_s"):
        read_annotations(path)


NAMES = st.sampled_from(["Turdus merula_Eurasian Blackbird", "Engine", "NA", "A b_C, d_e"])


@given(tables(NAMES, full=False), st.sampled_from(["all.csv", "folder"]))
@settings(max_examples=40, deadline=None)
def test_round_trip(table: pa.Table, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / target
        if not write_annotations(table, path, "birdnet"):
            return
        found = by_recording(read_annotations(path).table)
    gone = {"channel": None, "low_hz": None, "high_hz": None}
    assert found == [row | gone for row in by_recording(table)]


def test_a_file_per_recording(tmp_path: Path) -> None:
    table = table_of({"start_s": 0.0, "end_s": 3.0})
    files = write_annotations(table, tmp_path, "birdnet", recordings=["b.wav"])
    assert [file.name for file in files] == ["a.BirdNET.results.csv", "b.BirdNET.results.csv"]
