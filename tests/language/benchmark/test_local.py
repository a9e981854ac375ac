from __future__ import annotations

import numpy as np
import pytest
import soundfile

from antiphon.language.benchmark.local import is_labelled_folder, read_labelled_folder
from antiphon.language.benchmark.run import run_benchmark
from antiphon.language.benchmark.settings import Settings
from tests.language.benchmark.made import model


@pytest.fixture
def folder(tmp_path):
    for name in ("frog/a.wav", "frog/b.wav", "owl/c.wav", "owl/d.wav"):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.zeros(800, np.float32), 8000)
    return tmp_path / "sounds"


def test_a_folder_for_each_class_is_a_component(folder):
    assert is_labelled_folder(folder)
    (component,) = read_labelled_folder(folder).components.values()
    assert (component.name, component.task) == ("sounds", "classification")
    assert component.labels == ("frog", "owl")
    assert sorted(row.truth for row in component.rows) == [("frog",)] * 2 + [("owl",)] * 2


def test_its_clips_are_answered_by_their_file_names(folder):
    said = {"a.wav": "frog", "b": "frog", "x/c.wav": "frog", "owl/d.wav": "owl"}
    truths = read_labelled_folder(folder)
    (found,) = run_benchmark(truths, [model("m", said, "")], Settings(resamples=20)).results
    assert (found.leading.value, found.missing) == (0.75, 0)


def test_a_folder_with_tables_is_no_labelled_folder(folder):
    (folder / "labels.csv").write_text("filename,label\na.wav,frog\n")
    assert not is_labelled_folder(folder)
    assert not is_labelled_folder(folder / "labels.csv")
