"""Folders of clips: what is written, resumed, refused, and read back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from antiphon.audio.synthesis.repertoire.folder import write_repertoire
from antiphon.audio.synthesis.repertoire.folder_tables import FolderSettings
from antiphon.errors import FileError, UserError
from antiphon.labels.formats.registry import read_annotations

SMALL = FolderSettings(seed=1, n_bio=30, n_general=20, sample_rate=16_000, seconds=0.5)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(folder.rglob("*"))
    return {str(f.relative_to(folder)): f.read_bytes() for f in files if f.is_file()}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repertoire") / "set"
    facts = write_repertoire(folder, clips=150, validation=0.2, settings=SMALL, workers=1)
    assert (facts.count, facts.made) == (150, 150)
    return folder


def test_audio_and_tables_agree_with_the_generator(written: Path) -> None:
    repertoire = SMALL.repertoire()
    listed = rows(written / "clips.csv")
    assert len(listed) == 150
    assert sum(row["split"] == "validation" for row in listed) == 30
    for number in (0, 101):
        clip = repertoire.clip_at(number, 16_000, 0.5)
        row = listed[number]
        audio, rate = soundfile.read(written / row["filename"], dtype="float32")
        assert rate == 16_000
        np.testing.assert_allclose(audio, clip.waveform, atol=2.0 / 32_767)
        assert row["classes"] == ";".join(repertoire.classes[k].id for k in clip.labels)
    assert len(rows(written / "classes.csv")) == 50


def test_the_labels_are_read_as_annotations(written: Path) -> None:
    read = read_annotations(written / "labels.csv")
    assert not read.problems
    table = read.table.to_pylist()
    assert {row["recording"] for row in table} == {
        row["filename"] for row in rows(written / "clips.csv")
    }
    known = {row["id"] for row in rows(written / "classes.csv")}
    for row in table:
        if row["presence"] == "absent":
            assert row["label"] is None
        else:
            assert row["label"] in known
            assert 0.0 <= row["start_s"] < row["end_s"] <= 0.5


def test_several_processes_write_the_same_bytes(written: Path, tmp_path: Path) -> None:
    write_repertoire(tmp_path / "set", clips=150, validation=0.2, settings=SMALL, workers=2)
    assert contents(tmp_path / "set") == contents(written)


def test_a_run_goes_on_where_it_stopped(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_repertoire(folder, clips=100, validation=0.0, settings=SMALL, workers=1)
    lost = folder / "audio/train/0000/train_0000003.flac"
    kept = (folder / "audio/train/0000/train_0000004.flac").stat().st_mtime_ns
    facts = write_repertoire(folder, clips=120, validation=0.0, settings=SMALL, workers=1)
    assert facts.made == 20
    assert (folder / "audio/train/0000/train_0000004.flac").stat().st_mtime_ns == kept
    lost.unlink()
    facts = write_repertoire(folder, clips=120, validation=0.0, settings=SMALL, workers=1)
    assert facts.made == 100
    assert lost.read_bytes() == (written / "audio/train/0000/train_0000003.flac").read_bytes()


def test_another_repertoire_is_refused(written: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="made with seed 1, not 2"):
        write_repertoire(written, clips=10, settings=FolderSettings(**{**SMALL.facts(), "seed": 2}))
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileError, match="not empty"):
        write_repertoire(tmp_path, clips=10, settings=SMALL)
    assert json.loads((written / "repertoire.json").read_text())["seed"] == 1


def test_fewer_clips_than_are_there_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_repertoire(folder, clips=12, validation=0.25, settings=SMALL, workers=1)
    before = contents(folder)
    with pytest.raises(FileError, match=r"holds 9 clips .* and 3 .*but 6 and 2 are asked for"):
        write_repertoire(folder, clips=8, validation=0.25, settings=SMALL, workers=1)
    # More in all, but fewer for validation.
    with pytest.raises(FileError, match="but 20 and 0 are asked for"):
        write_repertoire(folder, clips=20, validation=0.0, settings=SMALL, workers=1)
    assert contents(folder) == before
    write_repertoire(folder, clips=16, validation=0.25, settings=SMALL, workers=1)
    listed = {row["filename"] for row in rows(folder / "clips.csv")}
    assert listed == {f.relative_to(folder).as_posix() for f in folder.glob("audio/*/*/*.flac")}


def test_labels_of_several_levels(tmp_path: Path) -> None:
    settings = FolderSettings(
        seed=1, n_bio=30, n_general=20, sample_rate=16_000, seconds=0.5, levels=("class", "domain")
    )
    facts = write_repertoire(tmp_path / "set", clips=5, settings=settings, workers=1)
    labels = [row["label"] for row in rows(facts.labels) if row["presence"] == "present"]
    assert all(label.split(";")[1] in ("bio", "general") for label in labels)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"clips": 0}, "number of clips"),
        ({"clips": 5, "validation": 1.5}, "share for validation"),
        ({"clips": 5, "settings": FolderSettings(seconds=0.01)}, "cannot be made"),
        ({"clips": 5, "settings": FolderSettings(sample_rate=100)}, "sample rate"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, options: dict[str, object], problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        write_repertoire(tmp_path / "set", **options)  # type: ignore[arg-type]


def test_settings_that_are_refused_leave_the_folder_free(tmp_path):
    folder = tmp_path / "f"
    with pytest.raises(UserError, match=r"held out is 1\.5"):
        write_repertoire(folder, clips=1, settings=FolderSettings(held_out=1.5), workers=1)
    assert not folder.exists()
