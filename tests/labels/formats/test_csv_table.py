from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import FormatError, UserError
from antiphon.labels.formats.registry import ReadResult, read_annotations, write_annotations
from tests.labels.formats.examples import labels, tables


def read(tmp_path: Path, text: str, name: str = "rec.csv", **options: str) -> ReadResult:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return read_annotations(path, **options)


@given(tables(st.one_of(labels(), st.sampled_from([" outer ", "two\nlines", "a\rb"]))),
       st.sampled_from(["out.csv", "out.TSV", "folder"]))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_round_trip_is_exact(table: pa.Table, target: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (file,) = write_annotations(table, Path(folder) / target, "csv")
        result = read_annotations(file)
    assert result.table.to_pylist() == table.to_pylist()
    assert set(result.reviewed) == set(table.column("recording").to_pylist())


@pytest.mark.parametrize(
    "header",
    [
        "filename,start,end,primary_label",
        "FilePath,Start (s),End (s),Species",
        "audiofilename,start_s,end_s,label:species",
        "recording,start_offset_s,end_offset_s,label",
        "file,onset,offset,name",
        "wav_file,begin_time,end_time,Annotation",
        "path,start.time,end.time,name",
        " recording , Start_Time , End-Time , Tag ",
    ],
)
def test_titles_in_use(tmp_path: Path, header: str) -> None:
    for mark in (",", ";", "\t"):
        text = (header + "\na.wav,0.5,1.5,wren\n").replace(",", mark)
        row = read(tmp_path, text).table.to_pylist()[0]
        found = (row["recording"], row["start_s"], row["end_s"], row["label"])
        assert found == ("a.wav", 0.5, 1.5, "wren")


def test_clip_labels_speak_of_whole_recordings(tmp_path: Path) -> None:
    text = "filename,label,fold,source,take\n1-100032-A.ogg,dog,1,100032,A\nb.ogg,NA,2,7,B\n"
    result = read(tmp_path, text)
    rows = result.table.to_pylist()
    assert [row["label"] for row in rows] == ["dog", "NA"]
    assert all(row["start_s"] is None and row["end_s"] is None for row in rows)
    assert result.reviewed == ("1-100032-A.ogg", "b.ogg")


def test_joined_labels_make_rows(tmp_path: Path) -> None:
    text = 'filename,start,end,primary_label\na.ogg,0,5,wren; robin\nb.ogg,5,10,"""x; y"";z"\n'
    rows = read(tmp_path, text).table.to_pylist()
    assert [(row["recording"], row["start_s"], row["label"]) for row in rows] == [
        *(("a.ogg", 0, "wren"), ("a.ogg", 0, "robin"), ("b.ogg", 5, "x; y"), ("b.ogg", 5, "z"))
    ]


def test_presence_confidence_and_channel(tmp_path: Path) -> None:
    text = (
        "recording,start_offset_s,end_offset_s,label,label_type,conf,channel\n"
        "a,0,5,wren,positive,0.9,0\na,5,10,wren,negative,,1\na,5,10,robin,uncertain,,\n"
    )
    rows = read(tmp_path, text).table.to_pylist()
    assert [row["presence"] for row in rows] == ["present", "absent", "unsure"]
    assert [row["confidence"] for row in rows] == [0.9, None, None]
    assert [row["channel"] for row in rows] == [0, 1, None]


def test_durations_and_milliseconds(tmp_path: Path) -> None:
    row = read(tmp_path, "file,start,duration,label\na,1.5,0.25,x\n").table.to_pylist()[0]
    assert (row["start_s"], row["end_s"]) == (1.5, 1.75)
    row = read(tmp_path, "file,start (ms),end (ms),label\na,1500,1750,x\n").table.to_pylist()[0]
    assert (row["start_s"], row["end_s"]) == (1.5, 1.75)


def test_monitor_survey_in_kilohertz_without_a_recording(tmp_path: Path) -> None:
    text = "start.time,end.time,min.frq,max.frq,name\n1.059,2.586,3.6105,6.3526,BTNW\n"
    result = read(tmp_path, text, "survey.csv")
    row = result.table.to_pylist()[0]
    assert (row["recording"], row["low_hz"], row["high_hz"]) == ("survey", 3610.5, 6352.6)
    assert read(tmp_path, text, recording="s.flac").reviewed == ("s.flac",)


@pytest.mark.parametrize(
    ("titles", "unit", "figures", "expected"),
    [
        ("low,high", "auto", "1000,2000", (1000.0, 2000.0)),
        ("low,high", "auto", "1,2", (None, None)),
        ("low,high", "kHz", "1,2", (1000.0, 2000.0)),
        ("low,high", "Hz", "15,90", (15.0, 90.0)),
        ("low_hz,high_hz", "auto", "15,90", (15.0, 90.0)),
        ("Low Freq (kHz),High Freq (kHz)", "auto", "1,2", (1000.0, 2000.0)),
        ("Low Freq (Hz),High Freq (Hz)", "auto", "15,90", (15.0, 90.0)),
        ("min_freq_khz,max_freq_khz", "auto", "1,2", (1000.0, 2000.0)),
        ("low,high", "auto", "NA,", (None, None)),
    ],
)
def test_the_unit_of_frequencies(
    tmp_path: Path, titles: str, unit: str, figures: str, expected: tuple[float | None, ...]
) -> None:
    text = f"file,start,end,label,{titles}\na,0,1,x,{figures}\n"
    result = read(tmp_path, text, frequency_unit=unit)
    row = result.table.to_pylist()[0]
    assert (row["low_hz"], row["high_hz"]) == expected
    guessed = (figures, unit, titles) == ("1,2", "auto", "low,high")
    assert bool(result.problems) == guessed


def test_tables_without_titles(tmp_path: Path) -> None:
    text = "0.057999999999993,0.065999999999974\n0.156,0.19\n"
    result = read(tmp_path, text, "gt_1.csv", label="usv")
    rows = result.table.to_pylist()
    assert [row["start_s"] for row in rows] == [0.057999999999993, 0.156]
    assert result.reviewed == ("gt_1",)
    with pytest.raises(FormatError, match="option label"):
        read(tmp_path, text)
    rows = read(tmp_path, "1;2;wren\n3;4;robin\n").table.to_pylist()
    assert [row["label"] for row in rows] == ["wren", "robin"]


def test_marks_line_ends_and_empty_lines(tmp_path: Path) -> None:
    text = "\ufefffilename,label\r\n\r\na.wav,Mönch\r\n,\r\n\r\n"
    result = read(tmp_path, text)
    assert result.table.column("label").to_pylist() == ["Mönch"]
    (tmp_path / "latin.csv").write_bytes(text.strip("\ufeff").encode("latin-1"))
    result = read_annotations(tmp_path / "latin.csv")
    assert result.table.column("label").to_pylist() == ["Mönch"]
    assert "line 3" in result.problems[0].problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,start,end,label\na,0,1,x\na,zero,1,x\n", "row 3, column start: .*'zero'"),
        ("file,start,end,label\n\na,0,,x\n", "row 3, column end_s"),
        ("file,start,end,label\na,NA,1,x\n", "row 2, column start"),
        ("file,start,end,label\na,0,1,x,y\n", "row 2 has 5 cells, expected 4"),
        ('file,start,end,label\na,0,1,"x\n', "row 2: the quotes"),
        ("file,start,end,label,presence\na,0,1,x,perhaps\n", "row 2, column presence"),
        ("file,start,end,label,channel\na,0,1,x,left\n", "row 2, column channel"),
        ("file,start,end,label,channel\na,0,1,x,0.5\n", "row 2, column channel"),
        ("file,start,end,label\n,0,1,x\n", "row 2, column recording"),
        ("file;start;end;label\na;0,5;1,5;x\n", "decimal sign"),
    ],
)
def test_faults_are_named_by_row(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read(tmp_path, text)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="option recording"):
        read(tmp_path, "label,colour\nx,red\n", format="csv")
    with pytest.raises(FormatError, match="the columns are 'file', 'start', 'end', 'colour'"):
        read(tmp_path, "file,start,end,colour\na,0,1,red\n")
    rows = read(tmp_path, "file,start,end,colour\na,0,1,red\n", label_column="Colour").table
    assert rows.column("label").to_pylist() == ["red"]
    with pytest.raises(UserError, match="MHz"):
        read(tmp_path, "file,label\na,x\n", frequency_unit="MHz")
    result = read(tmp_path, "file,label\na,x\nb,\n")
    assert result.skipped == 1
    assert "row 3 has no label" in result.problems[0].problem
