from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats.registry import ReadResult, read_annotations, write_annotations
from tests.labels.formats.examples import by_recording, labels, table_of, tables

HEADER = "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)"
TWO_VIEWS = f"""{HEADER}\tAnnotation
1\tWaveform 1\t1\t4.209\t7.407\t0.0\t12000.0\tOVEN
1\tSpectrogram 1\t1\t4.209\t7.407\t2583.9\t9544.7\tOVEN
2\tSpectrogram 1\t2\t1.059\t2.586\t3610.5\t6352.6\tNA
2\tWaveform 1\t2\t1.059\t2.586\t0.0\t12000.0\tNA
3\tWaveform 1\t1\t8.0\t9.0\t0.0\t12000.0\t"half quoted
"""
# Two files opened together, the first of 60 s; the second holds the last two selections.
MULTI_FILE = f"""{HEADER}\tBegin Path\tFile Offset (s)\tBegin File\tSpecies
1\tSpectrogram 1\t1\t10.0\t11.5\t500\t900\tC:\\rec\\day1.wav\t10.0\tday1.wav\twren
2\tSpectrogram 1\t1\t65.25\t66.0\t500\t900\tC:\\rec\\day2.wav\t5.25\tday2.wav\twren
3\tSpectrogram 1\t1\t119.0\t121.0\t500\t900\tC:\\rec\\day2.wav\t59.0\tday2.wav\trobin
"""


def read(tmp_path: Path, text: str | bytes, name: str = "rec.Table.1.selections.txt",
         **options: str) -> ReadResult:  # fmt: skip
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_annotations(path, "raven", **options)


def test_views_names_channels_and_text(tmp_path: Path) -> None:
    rows = read(tmp_path, TWO_VIEWS).table.to_pylist()
    assert [row["label"] for row in rows] == ["OVEN", "NA", '"half quoted']
    assert [row["channel"] for row in rows] == [0, 1, 0]
    assert [row["low_hz"] for row in rows] == [2583.9, 3610.5, 0.0]
    assert {row["recording"] for row in rows} == {"rec"}


def test_several_files_use_the_offset(tmp_path: Path) -> None:
    result = read(tmp_path, MULTI_FILE)
    rows = result.table.to_pylist()
    assert [(row["start_s"], row["end_s"]) for row in rows] == [(10, 11.5), (5.25, 6), (59, 61)]
    assert result.reviewed == ("C:\\rec\\day1.wav", "C:\\rec\\day2.wav")


def test_offsets_after_weeks_keep_their_precision(tmp_path: Path) -> None:
    begin = 50 * 86_400 + 0.123456
    text = f"{HEADER}\tBegin File\tFile Offset (s)\tSpecies\n1\tSpectrogram 1\t1\t{begin:.6f}\t"
    text += f"{begin + 0.25:.6f}\t1\t2\tz.wav\t3599.987654\twren\n"
    row = read(tmp_path, text).table.to_pylist()[0]
    assert row["start_s"] == 3599.987654
    assert row["end_s"] - row["start_s"] == pytest.approx(0.25, abs=1e-8)


def test_several_files_without_offset_need_a_word(tmp_path: Path) -> None:
    text = f"{HEADER}\tBegin File\tSpecies\n"
    text += "1\tSpectrogram 1\t1\t1\t2\t1\t2\ta.wav\tx\n2\tSpectrogram 1\t1\t3\t4\t1\t2\tb.wav\tx\n"
    with pytest.raises(FormatError, match=r"File Offset \(s\)"):
        read(tmp_path, text)
    rows = read(tmp_path, text, begin_times="file").table.to_pylist()
    assert [(row["recording"], row["start_s"]) for row in rows] == [("a.wav", 1), ("b.wav", 3)]
    with pytest.raises(UserError, match="begin_times"):
        read(tmp_path, text, begin_times="both")


def test_a_column_of_file_names_added_by_a_script(tmp_path: Path) -> None:
    text = f"{HEADER}\tSpecies\tfile_name\n1\tSpectrogram 1\t1\t1\t2\t1\t2\twren\ta.wav\n"
    text += "1\tSpectrogram 1\t1\t1\t2\t1\t2\twren\tb.wav\n"
    result = read(tmp_path, text, begin_times="file")
    assert result.table.column("recording").to_pylist() == ["a.wav", "b.wav"]


def test_a_table_without_rows_still_names_its_recording(tmp_path: Path) -> None:
    result = read(tmp_path, HEADER + "\n")
    assert result.table.num_rows == 0
    assert result.reviewed == ("rec",)
    combined = read(tmp_path, f"{HEADER}\tBegin File\n", "BirdNET_SelectionTable.txt")
    assert combined.reviewed == ()


@pytest.mark.parametrize(
    ("columns", "cells", "label"),
    [
        ("Species", "wren", "wren"),
        ("  sPeCiEs ", "wren", "wren"),
        ("Call Type", "song", "song"),
        ("Common Name\tScientific Name", "Wren\tT. troglodytes", "Wren"),
        ("Annotation\tSpecies", "song\twren", "wren"),
        ("Species\tAnnotation", "\twren", "wren"),
        ("Quality\tWhatever", "3\twren", "wren"),
    ],
)
def test_the_label_column_is_found(tmp_path: Path, columns: str, cells: str, label: str) -> None:
    text = f"{HEADER}\t{columns}\n1\tSpectrogram 1\t1\t1\t2\t1\t2\t{cells}\n"
    assert read(tmp_path, text).table.column("label").to_pylist() == [label]


def test_a_label_column_can_be_named(tmp_path: Path) -> None:
    text = f"{HEADER}\tSpecies\tWho called\n1\tSpectrogram 1\t1\t1\t2\t1\t2\twren\tBob\n"
    result = read(tmp_path, text, label_column="who  CALLED")
    assert result.table.column("label").to_pylist() == ["Bob"]
    with pytest.raises(FormatError, match=r"no column 'Kind'; the columns are .*'Who called'"):
        read(tmp_path, text, label_column="Kind")


def test_an_unclear_label_column_is_not_guessed(tmp_path: Path) -> None:
    text = f"{HEADER}\tThis\tThat\n1\tSpectrogram 1\t1\t1\t2\t1\t2\tx\ty\n"
    with pytest.raises(FormatError, match="'This', 'That'"):
        read(tmp_path, text)
    bare = f"{HEADER}\n1\tSpectrogram 1\t1\t1\t2\t1\t2\n"
    with pytest.raises(FormatError, match="--label-column"):
        read(tmp_path, bare)
    assert read(tmp_path, bare, label="usv").table.column("label").to_pylist() == ["usv"]


def test_a_box_without_a_label_is_counted_and_named(tmp_path: Path) -> None:
    text = f"{HEADER}\tSpecies\n1\tSpectrogram 1\t1\t1\t2\t1\t2\twren\n"
    text += "2\tSpectrogram 1\t1\t3\t4\t1\t2\t\n"
    result = read(tmp_path, text)
    assert (result.table.num_rows, result.skipped) == (1, 1)
    assert "row 3 has no label" in result.problems[0].problem
    assert read(tmp_path, text, label="bird").table.column("label").to_pylist() == ["wren", "bird"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("4.209\t7.407\t2583.9", "4.209\tlate\t2583.9"), r"row 3, column End Time \(s\).*'late'"),
        (("4.209\t7.407\t2583.9", "4.209\t7,407\t2583.9"), "decimal sign"),
        (("4.209\t7.407\t2583.9", "\t7.407\t2583.9"), r"row 3, column Begin Time"),
        (("4.209\t7.407\t2583.9", "nan\t7.407\t2583.9"), r"row 3, column Begin Time"),
        (("4.209\t7.407\t2583.9", "4.209\t1.407\t2583.9"), "row 3, column end_s"),
        (("9544.7", "44.7"), "row 3, column low_hz"),
        (("Spectrogram 1\t2", "Spectrogram 1\t0"), "row 4, column Channel"),
        (("9544.7\tOVEN", "9544.7\tOVEN\tmore"), "row 3 has 9 cells"),
    ],
)
def test_faults_are_named_by_row(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read(tmp_path, TWO_VIEWS.replace(*change))


def test_marks_line_ends_and_encodings(tmp_path: Path) -> None:
    text = TWO_VIEWS.replace("OVEN", "Gärtner").replace("\n", "\r\n") + "\r\n\t\t\r\n\r\n"
    for raw in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode()):
        result = read(tmp_path, raw)
        assert result.table.column("label").to_pylist()[0] == "Gärtner"
        assert not result.problems
    result = read(tmp_path, text.encode("latin-1"))
    assert result.table.column("label").to_pylist()[0] == "Gärtner"
    assert "Latin-1" in result.problems[0].problem
    assert not result.problems[0].unread


def test_scores_on_another_scale_are_no_confidence(tmp_path: Path) -> None:
    text = f"{HEADER}\tSpecies\tScore\n1\tSpectrogram 1\t1\t1\t2\t1\t2\twren\t0.75\n"
    assert read(tmp_path, text).table.column("confidence").to_pylist() == [0.75]
    result = read(tmp_path, text.replace("0.75", "12.5"))
    assert result.table.column("confidence").to_pylist() == [None]
    assert "'Score'" in result.problems[0].problem


@given(tables(labels()))
@settings(max_examples=60, deadline=None)
def test_one_table_per_recording_round_trip(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        durations = dict.fromkeys(table.column("recording").to_pylist(), 6e6)
        files = write_annotations(table, Path(folder) / "out", "raven", durations=durations)
        if not files:
            assert table.num_rows == 0
            return
        result = read_annotations(Path(folder) / "out")
    assert by_recording(result.table) == by_recording(table)
    assert set(result.reviewed) == set(table.column("recording").to_pylist())


@given(tables(labels(), full=False), st.permutations(["a.wav", "silent.wav", "b.WAV", "0.wav",
       "site 1/b.wav", "site 2/b.wav", "NA.flac"]))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_one_table_for_all_round_trip(table: pa.Table, order: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "all.txt"
        write_annotations(table, target, "raven", durations=dict.fromkeys(order, 5e6))
        found = read_annotations(target).table.to_pylist()
    for row, wanted in zip(found, table.to_pylist(), strict=True):
        assert row.pop("end_s") == pytest.approx(wanted.pop("end_s"), abs=1e-6)
        assert row == wanted


def test_cumulative_times_count_files_without_a_selection(tmp_path: Path) -> None:
    table = table_of({"recording": "c.wav", "start_s": 1.0, "end_s": 2.0})
    durations = {"a.wav": 60.0, "b.wav": 30.5, "c.wav": 10.0}
    write_annotations(table, tmp_path / "all.txt", "raven", durations=durations)
    header, line = (tmp_path / "all.txt").read_text().splitlines()
    cells = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    assert cells["Selection"] == "1"
    assert cells["View"] == "Spectrogram 1"
    assert cells["Begin Time (s)"] == "91.5"
    assert cells["End Time (s)"] == "92.5"
    assert cells["File Offset (s)"] == "1.0"
    assert cells["Begin File"] == "c.wav"
    with pytest.raises(UserError, match=r"c\.wav has none"):
        write_annotations(table, tmp_path / "all.txt", "raven", durations={"a.wav": 60.0})


def test_empty_tables_for_reviewed_recordings(tmp_path: Path) -> None:
    table = table_of({"start_s": 0.0, "end_s": 1.0})
    files = write_annotations(table, tmp_path, "raven", recordings=["a.wav", "b.wav"])
    assert [f.name for f in files] == ["a.Table.1.selections.txt", "b.Table.1.selections.txt"]
    assert read_annotations(tmp_path).reviewed == ("a.wav", "b")


def test_a_box_drawn_after_the_export_is_kept(tmp_path: Path) -> None:
    (file,) = write_annotations(table_of({"start_s": 0.0, "end_s": 1.0}), tmp_path, "raven")
    file.write_text(file.read_text().replace("\t0.0\t12000.0\t", "\t1500.0\t12000.000\t"))
    row = read_annotations(file).table.to_pylist()[0]
    assert (row["low_hz"], row["high_hz"], row["channel"]) == (1500.0, None, None)


def test_a_label_that_would_break_the_table_is_refused(tmp_path: Path) -> None:
    table = table_of({"start_s": 0.0, "end_s": 1.0, "label": "two\tparts"})
    with pytest.raises(FormatError, match="TAB or a line end"):
        write_annotations(table, tmp_path, "raven")
