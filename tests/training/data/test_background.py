"""Classes in the background of recordings, and recordings that hold none."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.data.background import split_list
from antiphon.training.data.config import DataConfig
from antiphon.training.data.crops import Crops
from antiphon.training.data.sources import read_sources
from antiphon.training.data.stream import ClipStream
from tests.training.data.making import NOTHING, config, folder_of_tones, write_csv

ROWS = [
    ("x1.wav", "wren", "['robin', 'jay']"),
    ("x2.wav", "robin", "[]"),
    ("x3.wav", "jay", "wren; robin"),
    ("x4.wav", "wren", "['wren', 'dodo']"),
]


@pytest.fixture
def source(tmp_path):
    folder_of_tones(tmp_path, ["x1", "x2", "x3", "x4", "rain"], seconds=1.0)
    write_csv(tmp_path / "train.csv", ["filename", "primary_label", "secondary_labels"], ROWS)
    return {
        "kind": "folder",
        "path": tmp_path,
        "labels": "train.csv",
        "label_column": "primary_label",
        "metadata": "train.csv",
        "secondary_column": "secondary_labels",
        "exhaustive": "all",
    }


def targets(data: DataConfig) -> dict[str, dict[str, float | None]]:
    """Of each recording the target of each class, None where it is not known."""
    table, _ = read_sources(data)
    crops = Crops(table, data)
    found = {}
    for clip in range(len(table)):
        raw = crops.take(clip)
        values = np.where(raw.known > 0, raw.labels, np.nan)
        name = table.recordings.path[int(table.recording[clip])].as_py()
        found[name] = {
            label: None if np.isnan(value) else round(float(value), 6)
            for label, value in zip(table.classes.names, values, strict=True)
        }
    return found


def test_classes_in_the_background_are_left_out_of_the_loss(source):
    found = targets(config(source))
    assert found["x1.wav"] == {"jay": None, "robin": None, "wren": 1.0}
    assert found["x2.wav"] == {"jay": 0.0, "robin": 1.0, "wren": 0.0}
    assert found["x3.wav"] == {"jay": 1.0, "robin": None, "wren": None}


def test_or_they_get_a_small_target(source):
    found = targets(config(source, secondary=0.01))
    assert found["x1.wav"] == {"jay": 0.01, "robin": 0.01, "wren": 1.0}
    # What is present is present, also where it is named twice.
    assert found["x4.wav"] == {"jay": 0.0, "robin": 0.0, "wren": 1.0}


def test_names_that_are_no_class_are_told(source):
    notes = read_sources(config(source))[1]
    assert [note for note in notes if "dodo" in note and "1 names" in note]


def test_mixing_takes_the_larger_target_where_both_are_known(source):
    data = config(source, secondary=0.01, batch=8)
    table, _ = read_sources(data)
    mixed = NOTHING.model_copy(update={"mixup": NOTHING.__class__(mixup={"p": 1.0}).mixup})
    stream = ClipStream(table, data, mixed, seed=0)
    for index in range(8):
        example = stream.example(index)
        pair = stream.raw(index), stream.raw(example.partner)
        known = (pair[0].known * pair[1].known > 0) | (example.labels >= 0.5)
        np.testing.assert_array_equal(example.known > 0, known)
        wanted = np.maximum(*(raw.labels * raw.known for raw in pair))
        np.testing.assert_array_equal(example.labels, np.where(known, wanted, 0))


def test_recordings_without_a_label_are_unknown_or_hold_nothing(source):
    nothing = {"jay": None, "robin": None, "wren": None}
    assert targets(config(source))["rain.wav"] == nothing
    silent = targets(config({**source, "unlabelled": "absent"}))
    assert silent["rain.wav"] == dict.fromkeys(nothing, 0.0)
    assert silent["x1.wav"]["wren"] == 1.0


def test_a_folder_of_noise_is_a_source_of_negatives(tmp_path, source):
    folder_of_tones(tmp_path / "noise", ["engine"], seconds=1.0)
    noise = {"kind": "folder", "path": tmp_path / "noise", "unlabelled": "absent"}
    data = config(source, noise, labelled_only=True)
    assert targets(data)["engine.wav"] == {"jay": 0.0, "robin": 0.0, "wren": 0.0}


def test_what_the_column_needs(tmp_path):
    with pytest.raises(ValueError, match="secondary column needs metadata"):
        config({"kind": "folder", "path": tmp_path, "labels": "a", "secondary_column": "b"})
    with pytest.raises(ValueError, match="goes with labels or label_folders"):
        config({"kind": "folder", "path": tmp_path, "metadata": "a", "secondary_column": "b"})


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("['a', 'b c']", ["a", "b c"]),
        ('["a"]', ["a"]),
        ("[]", []),
        ("['']", []),
        ("", []),
        ("a; b", ["a", "b"]),
        ("a b", ["a b"]),
        ("['a', 'a']", ["a"]),
    ],
)
def test_lists_in_a_cell(cell, wanted):
    assert split_list(cell) == wanted


def test_what_only_another_source_labels_is_not_absent_either(source, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    folder_of_tones(other / "dodo", ["d"], seconds=1.0)
    birds = {"kind": "folder", "path": other, "name": "other", "label_folders": True}
    data = config(source, {**birds, "exhaustive": "all"})
    found = targets(data)
    assert found["x4.wav"] == {"dodo": None, "jay": 0.0, "robin": 0.0, "wren": 1.0}
    assert found["x3.wav"]["dodo"] == 0.0
    assert found["dodo/d.wav"] == {"dodo": 1.0, "jay": 0.0, "robin": 0.0, "wren": 0.0}
    assert not any("no class" in note for note in read_sources(data)[1])
