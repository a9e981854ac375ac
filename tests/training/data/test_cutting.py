"""Where recordings are cut, and what becomes of a rest too short to be a window."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.training.data.clips import ClipReader
from antiphon.training.data.sources import read_sources
from tests.training.data.making import RATE, config, table_of, tone, write, write_csv

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.data.loader import validation_loader  # noqa: E402


def folder_with(tmp_path, seconds, rows):
    write(tmp_path / "a.wav", tone(100, seconds))
    write_csv(tmp_path / "labels.csv", ["file", "start", "end", "label"], rows)
    return {"kind": "folder", "path": tmp_path, "labels": "labels.csv"}


def test_a_sliver_belongs_to_the_window_before_it(tmp_path):
    source = folder_with(tmp_path, 6.01, [["a.wav", 1, 2, "x"], ["a.wav", 6.002, 6.01, "late"]])
    data = config(source, clip_s=3.0)
    table, notes = read_sources(data)
    assert table.start_s.tolist() == [0.0, 3.0]
    assert table.end_s.tolist() == [3.0, pytest.approx(6.01)]
    # What is annotated in the rest is not lost.
    names = table.classes.names
    assert [[names[c] for c in table.classes_of(clip)] for clip in range(2)] == [["x"], ["late"]]
    assert [note for note in notes if note.startswith("1 recordings end in less than 10%")]
    batches = list(validation_loader(data, table=table))
    assert np.concatenate([batch["valid"] for batch in batches]).tolist() == [3 * RATE, 3 * RATE]
    random = ClipReader(table, RATE, 3 * RATE)
    ends = [random.random(1, np.random.default_rng(seed)).end_s for seed in range(50)]
    assert max(ends) > 5.9


@pytest.mark.parametrize(("seconds", "expected"), [(6.0, 2), (6.0005, 2), (6.6, 3), (0.01, 1)])
def test_rounding_is_not_told_and_a_rest_that_can_be_heard_is_a_window(tmp_path, seconds, expected):
    source = folder_with(tmp_path, seconds, [["a.wav", 0, 0.005, "x"]])
    table, notes = read_sources(config(source, clip_s=3.0))
    assert len(table) == expected
    assert notes == []


def test_windows_side_by_side_leave_slivers_out_and_count_them(tmp_path):
    for number, seconds in enumerate((6.01, 6.2, 6.5, 6.0)):
        write(tmp_path / f"{number}.wav", tone(100, seconds))
    data = config(
        {"kind": "folder", "path": tmp_path}, clip_s=3.0, holdout={"windows": "all"}, batch=16
    )
    told: list[str] = []
    (batch,) = validation_loader(data, table=table_of(data), note=told.append)
    assert batch["clip"].tolist() == [0, 0, 1, 1, 2, 2, 2, 3, 3]
    assert batch["valid"].min() == RATE // 2
    (note,) = told
    assert note.startswith("2 held-out clips end in less than 10% of a window")
    assert note.endswith("0.21 s in all.")
