"""Who may label what."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from antiphon.errors import FormatError, UserError
from antiphon.training.pseudo.config import PlacesConfig
from antiphon.training.pseudo.out_of_fold import (
    Soundscape,
    TrainedOn,
    assign,
    list_soundscapes,
    read_trained_on,
    trained_on_clips,
    write_trained_on,
)
from tests.training.data.making import config, folder_of_tones, table_of, tone, write

NAMES = ("fold0", "fold1", "fold2")


def heard(name: str, site: str | None = None) -> Soundscape:
    return Soundscape(Path(name), name, site)


def on(*files: str, sites: tuple[str, ...] = ()) -> TrainedOn:
    return TrainedOn(frozenset(files), frozenset(sites))


def test_each_recording_is_scored_by_the_folds_that_saw_neither_it_nor_its_site() -> None:
    recordings = [heard("x/a.ogg", "S1"), heard("x/b.ogg", "S2"), heard("x/c.ogg"), heard("d.ogg")]
    seen = [on("a", "c"), on("b", sites=("S1",)), on("z", sites=("S2", "S3"))]
    found = assign(recordings, NAMES, seen)
    # a: fold0 has the file and fold1 its site. b: fold1 the file, fold2 the site. d: nobody.
    assert found.teachers == ((2,), (0,), (1, 2), (0, 1, 2))
    assert found.refused == {
        "fold0": ["x/a.ogg (the file)", "x/c.ogg (the file)"],
        "fold1": ["x/a.ogg (its site S1)", "x/b.ogg (the file)"],
        "fold2": ["x/b.ogg (its site S2)"],
    }


def test_a_teacher_that_saw_a_recording_is_named_where_all_are_to_score() -> None:
    with pytest.raises(UserError, match=r"Teacher 'fold1' was trained on 1 recording .* b\.ogg"):
        assign([heard("a.ogg"), heard("b.ogg")], NAMES, [on("x"), on("b"), on("y")], everyone=True)


def test_a_recording_that_all_saw_is_an_error_or_left_out_by_name() -> None:
    recordings, seen = [heard("a.ogg", "S1"), heard("b.ogg", "S9")], [on("a"), on(sites=("S1",))]
    with pytest.raises(UserError, match=r"a\.ogg: fold0 saw the file, fold1 saw its site S1"):
        assign(recordings, NAMES[:2], seen)
    found = assign(recordings, NAMES[:2], seen, leave_out=True)
    assert found.left_out == ("a.ogg",)
    assert found.teachers == ((), (0, 1))


def test_a_copy_under_another_name_is_the_same_recording(tmp_path: Path) -> None:
    write(tmp_path / "train/a.wav", tone(200, 1.0))
    (tmp_path / "new").mkdir()
    shutil.copy(tmp_path / "train/a.wav", tmp_path / "new/other.wav")
    write(tmp_path / "new/mine.wav", tone(210, 1.0))
    source = {"kind": "folder", "path": str(tmp_path / "train")}
    rows = trained_on_clips(table_of(config(source)), PlacesConfig())
    file = write_trained_on(tmp_path / "trained_on.csv", rows)
    recordings = list_soundscapes(tmp_path / "new", PlacesConfig())
    found = assign(recordings, ["t"], [read_trained_on(file)], leave_out=True)
    assert found.left_out == ("other.wav",)
    assert found.refused == {"t": ["other.wav (the same content under another name)"]}


def test_sites_come_from_names_a_pattern_or_a_table(tmp_path: Path) -> None:
    name = "BC2026_Test_0001_S05_20250227_010002"
    folder_of_tones(tmp_path, [name], seconds=0.2)
    assert list_soundscapes(tmp_path, PlacesConfig())[0].site == "S05"
    pattern = PlacesConfig(site_pattern=r"(?P<site>BC\d+)_.*")
    assert list_soundscapes(tmp_path, pattern)[0].site == "BC2026"
    (tmp_path / "sites.csv").write_text(f"recording,site\n{name}.ogg,pond\n")
    table = PlacesConfig(sites=tmp_path / "sites.csv")
    assert list_soundscapes(tmp_path, table)[0].site == "pond"


def test_two_recordings_of_one_name_cannot_be_told_apart(tmp_path: Path) -> None:
    folder_of_tones(tmp_path / "x", ["a"], seconds=0.2)
    folder_of_tones(tmp_path / "y", ["a"], seconds=0.2)
    with pytest.raises(UserError, match=r"x/a\.wav and y/a\.wav have one name"):
        list_soundscapes(tmp_path, PlacesConfig())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("recording\na.ogg\n", "no column 'site'"),
        ("site\nS1\n", "no column 'recording'"),
        ("recording,site\n,\n", "names no recording"),
    ],
)
def test_a_list_that_says_too_little_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "trained_on.csv"
    file.write_text(text)
    with pytest.raises(FormatError, match=problem):
        read_trained_on(file)


def test_a_missing_list_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="trained_on: null"):
        read_trained_on(tmp_path / "none.csv")
    assert read_trained_on(None) == TrainedOn()


def test_sites_of_what_was_trained_on_are_found_as_those_to_label(tmp_path: Path) -> None:
    # Written by the usual names, which tell no site here.
    file = write_trained_on(tmp_path / "trained_on.csv", [("reef-north_1", "", "")])
    other = heard("reef-north_2", "north")
    assert read_trained_on(file, PlacesConfig()).saw(other) == ""
    places = PlacesConfig(site_pattern=r"reef-(?P<site>[a-z]+)_\d+")
    assert read_trained_on(file, places).saw(other) == "its site north"
