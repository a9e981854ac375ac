from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats.registry import read_annotations, write_annotations
from tests.labels.formats.examples import by_recording, labels, table_of, tables

TRACK = (
    "0.000000\t1.250000\tété NA\n"
    "\\\t1000.000000\t2000.500000\n"
    "3.500000\t3.500000\tclick\n"
    "4.000000\t5.000000\tlow only\n"
    "\\\t250.000000\t-1.000000\n"
    "6.000000\t9.000000\tTurdus merula_Eurasian Blackbird\t0.8312\n"
)


def test_a_track_with_bands_points_and_confidences(tmp_path: Path) -> None:
    path = tmp_path / "rec.txt"
    path.write_text(TRACK, encoding="utf-8")
    result = read_annotations(path)
    rows = result.table.to_pylist()
    assert [row["label"] for row in rows] == [
        *("été NA", "click", "low only", "Turdus merula_Eurasian Blackbird")
    ]
    assert [(row["low_hz"], row["high_hz"]) for row in rows] == [
        *((1000.0, 2000.5), (None, None), (250.0, None), (None, None))
    ]
    assert (rows[1]["start_s"], rows[1]["end_s"]) == (3.5, 3.5)
    assert rows[3]["confidence"] == 0.8312
    assert result.reviewed == ("rec",)
    assert read_annotations(path, recording="x.wav").reviewed == ("x.wav",)


def test_a_track_without_labels_is_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "rec.txt"
    path.write_bytes(b"")
    result = read_annotations(path, "audacity")
    assert (result.table.num_rows, result.reviewed) == (0, ("rec",))
    # Left to itself a file of 0 bytes may as well be a broken one.
    with pytest.raises(FormatError, match="empty"):
        read_annotations(path)


def test_labels_without_text(tmp_path: Path) -> None:
    path = tmp_path / "rec.txt"
    path.write_text("0.5\t1.5\n2.5\t3.5\t\n4\t5\twren\n")
    result = read_annotations(path)
    assert (result.table.num_rows, result.skipped) == (1, 2)
    assert "rows 1, 2 have no label" in result.problems[0].problem
    named = read_annotations(path, label="call").table
    assert named.column("label").to_pylist() == ["call", "call", "wren"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.5\t1.5\tx\nrubbish\n", "row 2: expected start, end and text"),
        ("0.5\t1.5\tx\none\t2\ty\n", "row 2, column start: expected a number, found 'one'"),
        ("\\\t100\t200\n", "row 1: expected a low and a high frequency"),
        ("0.5\t1.5\tx\n\\\t100\n", "row 2: expected a low and a high"),
        ("0.5\t1.5\tx\n\\\t1\t2\n\\\t1\t2\n", "row 3: expected a low and a high"),
        ("0.5\t1.5\tx\n2\t1\ty\n", "row 2, column end_s"),
        ("0.5\t1.5\tx\thigh\n", "row 1, column confidence"),
        ("0.5\t1.5\tx\n-1\t1\ty\n", "row 2, column start_s"),
    ],
)
def test_faults_are_named_by_row(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "rec.txt"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        read_annotations(path, "audacity")


@given(tables(labels(), full=False))
@settings(max_examples=60, deadline=None)
def test_round_trip(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = write_annotations(table, Path(folder) / "out", "audacity")
        found = [read_annotations(file, "audacity").table.to_pylist() for file in files]
    names = list(dict.fromkeys(table.column("recording").to_pylist()))
    again = []
    for name, rows in zip(names, found, strict=True):
        again += [row | {"recording": name} for row in rows]
    wanted = [row | {"channel": None} for row in by_recording(table)]
    assert sorted(again, key=lambda row: row["recording"]) == wanted


def test_one_file_holds_one_recording(tmp_path: Path) -> None:
    times = {"start_s": 0.0, "end_s": 1.0}
    write_annotations(table_of(times), tmp_path / "one.txt", "audacity")
    assert (tmp_path / "one.txt").read_text() == "0.0\t1.0\twren\n"
    two = table_of(times, times | {"recording": "b.wav"})
    with pytest.raises(UserError, match="one recording, and these are 2"):
        write_annotations(two, tmp_path / "two.txt", "audacity")
    with pytest.raises(FormatError, match="TAB or a line end"):
        write_annotations(table_of(times | {"label": "a\nb"}), tmp_path / "x.txt", "audacity")
