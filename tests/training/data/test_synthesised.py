from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.audio.synthesis.repertoire.folder import write_repertoire  # noqa: E402
from antiphon.audio.synthesis.repertoire.folder_tables import FolderSettings  # noqa: E402
from antiphon.errors import UserError  # noqa: E402
from antiphon.training.data.loader import training_loader, validation_loader  # noqa: E402
from antiphon.training.data.splitting import split  # noqa: E402
from tests.training.data.making import NOTHING, config, folder_of_tones, table_of  # noqa: E402


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


REPERTOIRE = {
    "kind": "repertoire",
    "clips": 12,
    "settings": {"seed": 1, "n_bio": 6, "n_general": 2},
}


def test_clips_are_made_and_labelled(tmp_path):
    folder_of_tones(tmp_path, ["a/x"], seconds=1.0)
    data = config(
        REPERTOIRE,
        {"kind": "folder", "path": tmp_path, "label_folders": True},
        sample_rate=16_000,
        batch=8,
    )
    table = table_of(data)
    assert table.n_classes == 9
    assert table.classes.names[:2] == ("b00000", "b00001")
    batches = list(training_loader(data, NOTHING, seed=0, steps=3, table=table))
    waveforms = torch.cat([b["waveform"] for b in batches])
    made = torch.cat([b["folder"] for b in batches]) == 0
    assert made.sum() > 12
    assert len(torch.unique(waveforms[made], dim=0)) == made.sum()
    labels = torch.cat([b["labels"] for b in batches])[made]
    known = torch.cat([b["known"] for b in batches])[made]
    assert labels[:, :8].sum() > 0
    assert not labels[:, 8].any()
    assert (known[:, :8] == 1).all()
    assert (known[:, 8] == 0).all()
    again = next(iter(training_loader(data, NOTHING, seed=0, first_step=2, steps=1, table=table)))
    assert torch.equal(again["waveform"], batches[2]["waveform"])


def test_validation_is_the_same_each_time():
    data = config(REPERTOIRE, sample_rate=8000, holdout={"share": 0.5, "windows": "all"})
    sides = split(table_of(data), data.holdout)
    assert 0 < len(sides.validation) < 12
    loader = validation_loader(data, table=sides.validation)
    first, second = list(loader), list(loader)
    assert sum(len(b["index"]) for b in first) == len(sides.validation)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one["waveform"], other["waveform"])


def test_a_written_repertoire_is_a_folder_with_spans(tmp_path):
    settings = FolderSettings(seed=1, n_bio=4, n_general=2, sample_rate=8000, seconds=2.0)
    write_repertoire(tmp_path / "r", clips=12, validation=0.25, settings=settings, workers=1)
    source = {
        "kind": "folder",
        "path": tmp_path / "r",
        "labels": "labels.csv",
        "metadata": "clips.csv",
        "split_column": "split",
    }
    data = config(source, sample_rate=8000, clip_s=2.0)
    table = table_of(data)
    assert len(table) == 12
    assert (table.recordings.duration_s == 2.0).all()
    assert 0 < table.n_classes <= 6
    sides = split(table, data.holdout)
    assert (len(sides.training), len(sides.validation)) == (9, 3)
    truth = {row["filename"]: row["classes"] for row in rows_of(tmp_path / "r" / "clips.csv")}
    for batch in validation_loader(data, table=table):
        assert (batch["valid"] == 16_000).all()
        assert (batch["known"] == 1).all()
        for clip, labels in zip(batch["clip"].tolist(), batch["labels"], strict=True):
            heard = [table.classes.names[int(c)] for c in torch.nonzero(labels)[:, 0]]
            name = table.recordings.path[int(table.recording[clip])].as_py()
            assert sorted(heard) == sorted(filter(None, truth[name].split(";")))


def test_settings_that_do_not_fit():
    with pytest.raises(UserError, match=r"'repertoire': its settings do not fit .*'sed'"):
        table_of(config({**REPERTOIRE, "settings": {"sed": 1}}))
    with pytest.raises(UserError, match="different seeds"):
        table_of(config(REPERTOIRE, {**REPERTOIRE, "name": "two", "settings": {"seed": 2}}))
