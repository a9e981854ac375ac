from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import FormatError, UserError
from antiphon.training.data.config import HoldoutConfig
from antiphon.training.data.splitting import counts, split
from tests.training.data.making import config, folder_of_tones, table_of, write_csv


def names(table):
    return {table.name(int(r)).rsplit("/", 1)[-1] for r in table.recording}


def test_share_is_kept_and_the_choice_does_not_depend_on_the_others(tmp_path):
    folder_of_tones(tmp_path / "one", [f"r{n}" for n in range(300)], seconds=0.01)
    table = table_of(config({"kind": "folder", "path": tmp_path / "one"}))
    sides = split(table, HoldoutConfig(share=0.2))
    assert len(sides.validation) / 300 == pytest.approx(0.2, abs=0.07)
    assert not names(sides.training) & names(sides.validation)
    for n in range(100, 300):
        (tmp_path / "one" / f"r{n}.wav").unlink()
    fewer = split(
        table_of(config({"kind": "folder", "path": tmp_path / "one"})), HoldoutConfig(share=0.2)
    )
    assert names(fewer.validation) < names(sides.validation)
    larger = split(table, HoldoutConfig(share=0.4))
    assert names(sides.validation) < names(larger.validation)
    salted = split(table, HoldoutConfig(share=0.2, salt="other"))
    assert names(salted.validation) != names(sides.validation)


def test_a_recording_in_two_sources_is_one_group(tmp_path):
    for source in ("one", "two"):
        folder_of_tones(tmp_path / source, [f"{source}/XC{n}" for n in range(40)], seconds=0.01)
    data = config(*({"kind": "folder", "path": tmp_path / s} for s in ("one", "two")))
    sides = split(table_of(data), HoldoutConfig(share=0.3))
    assert 0 < len(sides.validation) == 2 * len(names(sides.validation))
    assert not names(sides.training) & names(sides.validation)


def test_equal_names_in_one_source_are_told_apart_by_their_paths(tmp_path):
    folder_of_tones(tmp_path, [f"class{n}/audio" for n in range(60)], seconds=0.01)
    sides = split(table_of(config({"kind": "folder", "path": tmp_path})), HoldoutConfig(share=0.3))
    assert 5 < len(sides.validation) < 35


def test_windows_of_one_recording_stay_together(tmp_path):
    folder_of_tones(tmp_path, [f"r{n}" for n in range(20)], seconds=5.0)
    rows = [[f"r{n}.wav", 1.0, 2.0, "a"] for n in range(20)]
    write_csv(tmp_path / "l.csv", ["filename", "start_s", "end_s", "label"], rows)
    source = {"kind": "folder", "path": tmp_path, "labels": "l.csv"}
    sides = split(table_of(config(source)), HoldoutConfig(share=0.3))
    assert len(sides.training) + len(sides.validation) == 100
    assert not set(sides.training.recording) & set(sides.validation.recording)


def test_group_column_and_split_column(tmp_path):
    folder_of_tones(tmp_path, ["a", "b", "c", "d"], seconds=0.1)
    rows = [
        ["a.wav", "S1", "train"],
        ["b.wav", "S1", "train"],
        ["c", "S2", "valid"],
        ["d", "S3", "test"],
    ]
    write_csv(tmp_path / "meta.csv", ["filename", "site", "split"], rows)
    source = {
        "kind": "folder",
        "path": tmp_path,
        "metadata": "meta.csv",
        "group_column": "site",
        "split_column": "split",
    }
    sides = split(table_of(config(source)), HoldoutConfig(share=0.9))
    assert names(sides.training) == {"a.wav", "b.wav"}
    assert names(sides.validation) == {"c.wav"}
    rows[1][2] = "valid"
    write_csv(tmp_path / "meta.csv", ["filename", "site", "split"], rows)
    with pytest.raises(UserError, match="1 groups would be on both sides, such as 'S1'"):
        split(table_of(config(source)), HoldoutConfig())
    rows[3][1] = ""
    write_csv(tmp_path / "meta.csv", ["filename", "site", "split"], rows)
    with pytest.raises(FormatError, match=r"'site' gives no group for 'd\.wav'"):
        table_of(config(source))


def test_sides_of_whole_sources(tmp_path):
    for source in ("one", "two", "three"):
        folder_of_tones(tmp_path / source, [f"{source}{n}" for n in range(30)], seconds=0.01)
    folder_of_tones(tmp_path / "three", ["one0", "two0"], seconds=0.01)
    sources = [{"kind": "folder", "path": tmp_path / s} for s in ("one", "two", "three")]
    sources[0]["side"], sources[1]["side"] = "training", "validation"
    sides = split(table_of(config(*sources)), HoldoutConfig(share=0.5))
    assert np.bincount(sides.training.source_of_clips)[:2].tolist() == [30, 0]
    assert np.bincount(sides.validation.source_of_clips)[:2].tolist() == [0, 30]
    # A recording that is in the third source as well goes where the stating source has it.
    assert "one0.wav" not in names(sides.validation)
    assert "two0.wav" not in names(sides.training)
    assert 3 < np.bincount(sides.validation.source_of_clips)[2] < 29


def test_nothing_left_to_train_on_is_an_error(tmp_path):
    folder_of_tones(tmp_path, ["a"], seconds=0.1)
    table = table_of(config({"kind": "folder", "path": tmp_path, "group": "source"}))
    with pytest.raises(UserError, match="Nothing is left to train on"):
        split(table, HoldoutConfig(share=0.999999))


def test_counts_and_report(tmp_path):
    folder_of_tones(tmp_path / "one", ["a/x", "a/y", "b/z", "q"], seconds=0.1)
    folder_of_tones(tmp_path / "two", ["u"], seconds=0.1)
    table = table_of(
        config(
            {"kind": "folder", "path": tmp_path / "one", "label_folders": True},
            {"kind": "folder", "path": tmp_path / "two"},
        )
    )
    first, second = counts(table)
    assert (first.clips, first.recordings, first.groups) == (4, 4, 4)
    assert (first.labelled, first.classes, first.hours) == (3, 2, None)
    assert (second.clips, second.labelled, second.classes) == (1, 0, 0)
    chosen = table.select(np.array([True, False, False, False, False]))
    assert [row.clips for row in counts(chosen)] == [1, 0]
    lines = split(table, HoldoutConfig()).report().splitlines()
    assert "one, training: 4, 4, 4, 3, 2, unknown" in lines
    assert "two, validation: 0, 0, 0, 0, 0, unknown" in lines
