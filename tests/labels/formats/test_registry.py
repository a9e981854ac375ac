from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.errors import FileError, FormatError, UserError
from antiphon.labels.annotation import ANNOTATION_SCHEMA
from antiphon.labels.formats.registry import (
    format_names,
    get_format,
    list_formats,
    read_annotations,
    write_annotations,
)
from tests.labels.formats.examples import table_of
from tests.real import real_data

RAVEN = (
    "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\t"
    "Species\n"
    "1\tSpectrogram 1\t1\t0.5\t1.5\t1000\t2000\twren\n"
)


def test_the_formats() -> None:
    assert format_names() == [
        *("audacity", "birdnet", "csv", "kaleidoscope", "parquet", "queue", "raven")
    ]
    assert get_format("Raven").name == "raven"
    with pytest.raises(UserError, match="Did you mean 'raven'"):
        get_format("ravn")


@pytest.mark.parametrize("form", [form.name for form in list_formats()])
def test_each_format_knows_its_own_files_and_no_others(form: str, tmp_path: Path) -> None:
    table = table_of({"start_s": 1.0, "end_s": 2.0, "low_hz": 800.0, "high_hz": 900.0})
    (file,) = write_annotations(table, tmp_path / "out", form)
    head = file.read_bytes().decode("utf-8", errors="replace")
    found = next(one for one in list_formats() if one.sniff(file, head))
    assert found.name == form
    for other in {"audacity", "kaleidoscope", "parquet", "raven"} - {form}:
        if (form, other) == ("queue", "raven"):
            continue
        with pytest.raises(FormatError, match=f"try --format {form}"):
            read_annotations(file, other)


@pytest.mark.parametrize("form", [form.name for form in list_formats()])
def test_an_empty_table_can_be_written_and_read(form: str, tmp_path: Path) -> None:
    target = tmp_path / ("out.txt" if form in {"raven", "audacity"} else "out")
    options = {"recordings": ["a.wav"]} if form == "birdnet" else {}
    (file,) = write_annotations(ANNOTATION_SCHEMA.empty_table(), target, form, **options)
    result = read_annotations(file, form)
    assert result.table.num_rows == 0
    assert result.table.schema == ANNOTATION_SCHEMA


def test_a_folder_is_read_and_what_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "b.Table.1.selections.TXT").write_text(RAVEN)
    (tmp_path / "a.csv").write_text("filename,label\na.wav,dog\n")
    (tmp_path / "empty.Table.1.selections.txt").write_text(RAVEN.split("\n")[0] + "\n")
    (tmp_path / "broken.csv").write_text("filename,start,end,label\na.wav,1,x,dog\n")
    (tmp_path / "notes.txt").write_text("Dear diary\n")
    (tmp_path / "zero.txt").write_bytes(b"")
    (tmp_path / ".hidden.csv").write_text("x")
    (tmp_path / "._a.csv").write_text("x")
    (tmp_path / "sound.wav").write_text("x")
    result = read_annotations(tmp_path)
    assert [file.name for file in result.files] == [
        *("a.csv", "b.Table.1.selections.TXT", "empty.Table.1.selections.txt")
    ]
    assert result.table.column("label").to_pylist() == ["dog", "wren"]
    assert result.reviewed == ("a.wav", "deep/er/b", "empty")
    assert {p.path.name for p in result.unread} == {"broken.csv", "notes.txt", "zero.txt"}
    assert "row 2, column end" in result.problems[0].problem


def test_in_a_folder_each_format_takes_the_options_it_knows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(RAVEN)
    (tmp_path / "b.csv").write_text("0.1,0.2\n0.3,0.4\n")
    (tmp_path / "c.txt").write_text("0.1\t0.2\tdog\n")
    result = read_annotations(tmp_path, label="usv", begin_times=None, label_column=None)
    assert result.table.column("label").to_pylist() == ["wren", "usv", "usv", "dog"]
    assert not result.problems


def test_wrong_calls_say_what_to_do(tmp_path: Path) -> None:
    table = tmp_path / "a.txt"
    table.write_text(RAVEN)
    with pytest.raises(FileError, match="no such file"):
        read_annotations(tmp_path / "nope.txt")
    with pytest.raises(UserError, match="takes no option 'colour'"):
        read_annotations(table, colour="red")
    with pytest.raises(UserError, match="Reading raven takes no option 'frequency_unit'"):
        read_annotations(table, frequency_unit="kHz")
    with pytest.raises(UserError, match="takes no option 'kind'"):
        write_annotations(table_of(), tmp_path / "x.csv", "csv", kind="csv")
    (tmp_path / "b.txt").write_text("Dear diary\n")
    (tmp_path / "c.csv").write_text("\r\n\r\n")
    with pytest.raises(FormatError, match="no known format"):
        read_annotations(tmp_path / "b.txt")
    with pytest.raises(FormatError, match="empty"):
        read_annotations(tmp_path / "c.csv")
    (tmp_path / "none").mkdir()
    with pytest.raises(FileError, match="no label table"):
        read_annotations(tmp_path / "none")
    with pytest.raises(FormatError, match="end_s"):
        write_annotations(table_of({"start_s": 2.0, "end_s": 1.0}), tmp_path / "x.csv", "csv")
    assert not (tmp_path / "x.csv").exists()


def test_a_target_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for form in format_names():
        with pytest.raises(FileError, match="cannot be written"):
            write_annotations(
                table_of({"start_s": 1.0, "end_s": 2.0}), tmp_path / "file" / "sub", form
            )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_formats_that_only_know_presence_refuse_the_rest(tmp_path: Path) -> None:
    table = table_of({"presence": "absent"}, {"presence": "unsure"}, {})
    for form in ("audacity", "birdnet", "kaleidoscope"):
        with pytest.raises(UserError, match="2 of 3 annotations"):
            write_annotations(table, tmp_path / "out", form)


@pytest.mark.parametrize("form", ["audacity", "birdnet", "kaleidoscope", "raven"])
def test_a_whole_recording_gets_its_duration(form: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.wav"):
        write_annotations(table_of({}), tmp_path / "out", form)
    files = write_annotations(table_of({}), tmp_path / "out", form, durations={"a.wav": 12.5})
    row = read_annotations(files[0], form).table.to_pylist()[0]
    # Raven's table can say that the end was only filled in.
    expected = (None, None) if form == "raven" else (0.0, 12.5)
    assert (row["start_s"], row["end_s"]) == expected


@pytest.mark.real
def test_real_tables() -> None:
    folder = real_data("esc10").parent
    esc = read_annotations(folder / "esc10" / "labels.csv").table
    assert esc.num_rows == 400
    assert len(set(esc.column("label").to_pylist())) == 10
    assert esc.column("start_s").null_count == 400
    finch = read_annotations(folder / "bengalese_finch" / "syllables.csv")
    assert (finch.table.num_rows, len(finch.reviewed)) == (1618, 33)
    survey = read_annotations(
        folder / "warbler_survey" / "survey_annotations.csv", recording="survey.flac"
    )
    assert survey.table.num_rows == 7
    assert survey.reviewed == ("survey.flac",)
    first = survey.table.to_pylist()[0]
    assert (first["label"], first["low_hz"], first["high_hz"]) == ("BTNW", 3610.5, 6352.6)
    mouse = folder / "mouse_usv"
    assert read_annotations(mouse / "gt_1.csv", label="usv").table.num_rows == 16
    everything = read_annotations(mouse, label="usv")
    assert len(everything.files) == 12
    assert not everything.problems
    baseal = read_annotations(folder / "baseal_esc10" / "ESC10_BASEAL" / "labels.csv")
    assert baseal.table.num_rows == 800
    with pytest.raises(FormatError, match="no known format"):
        read_annotations(folder / "inaturalist_api" / "get_observations.csv")


def test_tables_in_sub_folders_lead_their_recordings_by_the_folder(tmp_path):
    def write(place, text):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    raven = "Selection\tBegin Time (s)\tEnd Time (s)\tBegin File\tSpecies\n1\t0\t1\tb.wav\twren\n"
    whole = raven.replace("b.wav", "C:\\data\\b.wav").replace("Begin File", "Begin Path")
    write(tmp_path / "a.txt", "0\t1\twren\n")
    write(tmp_path / "siteA" / "a.txt", "0\t1\twren\n")
    header = raven.splitlines()[0] + "\n"
    write(tmp_path / "siteB" / "day 1" / "a.Table.1.selections.txt", header)
    write(tmp_path / "siteB" / "b.Table.1.selections.txt", raven)
    write(tmp_path / "siteC" / "b.Table.1.selections.txt", whole)
    read = read_annotations(tmp_path)
    named = {"a", "siteA/a", "siteB/b.wav", "C:\\data\\b.wav"}
    assert set(read.table.column("recording").to_pylist()) == named
    assert set(read.reviewed) == named | {"siteB/day 1/a"}
    assert read.placed == {"siteA/a", "siteB/day 1/a", "siteB/b.wav"}
    assert read.table.schema == ANNOTATION_SCHEMA
    # A name that is given holds for all tables as it is, and one table has no sub-folder.
    assert read_annotations(tmp_path, "audacity", recording="x.wav").placed == set()
    assert read_annotations(tmp_path / "siteA" / "a.txt").placed == set()
