"""Sides from lists, tables and folders."""

from __future__ import annotations

import csv

import pytest

from antiphon.errors import FileError
from antiphon.evaluation.leakage.tables import read_side, with_fingerprints


def test_a_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("﻿Filename,Source,Site,label\na.wav,1,North,x\n\nb.wav,,South,y\n")
    side = read_side(path)
    assert side.recordings == ["a.wav", "b.wav"]
    assert side.ids == side.recordings
    assert side.sources == ["1", None]
    assert side.sites == ["North", "South"]
    assert side.days is None
    assert side.files is None


def test_windows_of_one_recording_have_no_names_of_their_own(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("recording\tstart\na.wav\t0\na.wav\t5\n")
    assert read_side(path).ids is None


def test_site_and_day_from_names(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("S4A03895_20190522_004500.wav\nnoise.wav\n")
    side = read_side(path)
    assert side.sites == ["S4A03895", None]
    assert side.days == ["2019-05-22", None]


def test_a_folder_and_its_sound(tmp_path, recordings):
    folder = recordings("a.wav", "b/c.wav")
    side = read_side(folder)
    assert [str(name) for name in side.recordings] == [
        str(folder / "a.wav"),
        str(folder / "b" / "c.wav"),
    ]
    heard, problems = with_fingerprints(side)
    assert problems == []
    assert all(len(one) > 0 for one in heard.fingerprints)


def test_files_that_are_not_there(tmp_path, recordings):
    folder = recordings("a.wav")
    path = tmp_path / "t.csv"
    path.write_text("file\na.wav\nz.wav\n")
    assert read_side(path, folder).files == [folder / "a.wav", None]
    (tmp_path / "other").mkdir()
    with pytest.raises(FileError, match="holds none of the recordings"):
        read_side(path, tmp_path / "other")
    with pytest.raises(FileError, match="there is no such folder"):
        read_side(path, tmp_path / "elsewhere")


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    heard, problems = with_fingerprints(read_side(tmp_path))
    assert heard.fingerprints == [None]
    assert "a.wav" in problems[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "lists no recordings"),
        ("t.csv", b"a,b\n1,2\n", "no column of recordings"),
        ("t.csv", b"file,site\na.wav\n", "row 2 has 1 cells"),
        ("t.txt", b"\xff\xfe\x00", "not text"),
        ("t.csv", b"file,site,Site\na.wav,x,y\n", "two columns 'site'"),
        ("t.txt", b"\n \n", "lists no recordings"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=said):
        read_side(tmp_path / name)


def test_a_list_that_is_not_there(tmp_path):
    with pytest.raises(FileError, match="no such file or folder"):
        read_side(tmp_path / "none.csv")


def test_a_cell_that_is_too_long_for_a_table(tmp_path):
    (tmp_path / "t.csv").write_text("file\n" + "a" * 2000 + "\n")
    before = csv.field_size_limit(1000)
    try:
        with pytest.raises(FileError, match="is no table"):
            read_side(tmp_path / "t.csv")
    finally:
        csv.field_size_limit(before)


def test_names_that_no_file_can_have(tmp_path):
    (tmp_path / "t.txt").write_text("a" * 5000 + "\n")
    assert read_side(tmp_path / "t.txt").files is None
