from __future__ import annotations

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.data.config import DataConfig  # noqa: E402
from antiphon.training.data.loader import training_loader, validation_loader  # noqa: E402
from antiphon.training.data.sources import read_sources  # noqa: E402
from antiphon.training.data.splitting import split  # noqa: E402
from tests.real import real_data  # noqa: E402
from tests.training.data.making import EVERY_STEP  # noqa: E402

pytestmark = pytest.mark.real


def test_clips_by_their_original_recordings():
    folder = real_data("esc10")
    source = {
        "kind": "folder",
        "path": folder,
        "labels": "labels.csv",
        "metadata": "labels.csv",
        "group_column": "source",
    }
    data = DataConfig.model_validate(
        {"sources": [source], "holdout": {"share": 0.1}, "clip_s": 3.0, "batch": 16}
    )
    table, notes = read_sources(data)
    assert notes == []
    assert table.class_counts().tolist() == [40] * 10
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["filename"]: row for row in csv.DictReader(file)}
    sides = split(table, data.holdout)
    origins = []
    for side in (sides.training, sides.validation):
        files = [side.name(int(r)).rsplit("/", 1)[-1] for r in side.recording]
        origins.append({rows[file]["source"] for file in files})
        for clip, file in enumerate(files):
            (found,) = side.classes_of(clip)
            assert side.classes.names[found] == rows[file]["label"]
    assert not origins[0] & origins[1]
    assert 10 < len(sides.validation) < 90

    batch = next(iter(training_loader(data, EVERY_STEP, seed=0, steps=1, table=sides.training)))
    assert batch["waveform"].shape == (16, 48_000)
    assert (batch["waveform"].abs() <= 1).all()
    assert (batch["labels"].sum(1) == 1 + batch["mixed"]).float().mean() > 0.8
    held_out = list(validation_loader(data, table=sides.validation))
    assert sum(len(b["index"]) for b in held_out) == len(sides.validation)


def test_boxes_of_a_survey(tmp_path):
    folder = real_data("warbler_survey")
    # The table names no recording: it is about the one that it is named for.
    (tmp_path / "survey.flac").symlink_to(folder / "survey.flac")
    (tmp_path / "survey.csv").write_bytes((folder / "survey_annotations.csv").read_bytes())
    source = {
        "kind": "folder",
        "path": tmp_path,
        "labels": "survey.csv",
        "label_column": "name",
    }
    data = DataConfig.model_validate({"sources": [source], "clip_s": 3.0, "sample_rate": 24_000})
    with (folder / "survey_annotations.csv").open(newline="", encoding="utf-8") as file:
        boxes = [
            (float(row["start.time"]), float(row["end.time"]), row["name"])
            for row in csv.DictReader(file)
        ]
    table, _ = read_sources(data)
    assert table.classes.names == ("BTNW", "OVEN")
    windows = np.flatnonzero(table.fixed)
    assert len(windows) == 8
    for clip in windows:
        low, high = table.start_s[clip], table.end_s[clip]
        expected = {
            name
            for begin, end, name in boxes
            if min(end, high) - max(begin, low) >= 0.5 * min(end - begin, high - low)
        }
        assert {table.classes.names[c] for c in table.classes_of(clip)} == expected
