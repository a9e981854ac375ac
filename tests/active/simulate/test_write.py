"""A set written for BaseAL comes back as it was."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from antiphon.active.simulate.generate import generate
from antiphon.active.simulate.write import write_baseal
from antiphon.errors import FileError, UserError
from tests.active.simulate.test_generate import SMALL

DATA = generate(replace(SMALL, n_pool=60, n_validation=30, dimension=8), 0)


def test_files_hold_names_labels_validation_and_vectors(tmp_path: Path) -> None:
    folder = write_baseal(DATA, tmp_path / "SMALL", "perch_v2")
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["filename"] for row in rows] == [f"{name}.wav" for name in DATA.filenames]
    assert [row["validation"] == "True" for row in rows] == DATA.validation.tolist()
    for row, target, vector in zip(rows, DATA.targets, DATA.embeddings, strict=True):
        heard = {label for label, there in zip(DATA.labels, target, strict=True) if there}
        assert set(row["label"].split(";")) - {""} == heard
        stored = np.load(folder / "embeddings" / "perch_v2" / f"{Path(row['filename']).stem}.npy")
        assert stored.shape == (8,)
        assert np.array_equal(stored, vector)
    header = (folder / "metadata.csv").read_text().splitlines()[0]
    assert header == "filename,site,recording,start_s"


def test_our_reader_gives_the_set_back(tmp_path: Path) -> None:
    data = pytest.importorskip("antiphon.active.baseal.data")
    back = data.read_subset(write_baseal(DATA, tmp_path / "SMALL"))
    assert back.labels == DATA.labels
    assert np.array_equal(back.targets, DATA.targets)
    assert np.array_equal(back.embeddings, DATA.embeddings)
    assert np.array_equal(back.validation, DATA.validation)
    pairs = set(zip(back.recording.tolist(), DATA.recording.tolist(), strict=True))
    assert len(pairs) == len(np.unique(DATA.recording))


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(FileError, match="not empty"):
        write_baseal(DATA, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_names_that_would_share_a_vector_are_refused(tmp_path: Path) -> None:
    names = ("a.wav", "a.flac", *DATA.filenames[2:])
    with pytest.raises(UserError, match=r"a\.npy"):
        write_baseal(replace(DATA, filenames=names), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_class_name_with_the_separator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="x;y"):
        write_baseal(replace(DATA, labels=("x;y", *DATA.labels[1:])), tmp_path / "new")
