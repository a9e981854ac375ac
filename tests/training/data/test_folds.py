"""Folds made of whole groups, and the table that keeps them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import FormatError, UserError
from antiphon.training.data.config import HoldoutConfig
from antiphon.training.data.fold_config import FoldsConfig
from antiphon.training.data.folds import assign_folds, read_folds, write_folds
from antiphon.training.data.splitting import split
from tests.training.data.making import config, folder_of_tones, table_of, write_csv

FIVE = FoldsConfig()


def tones(root, names, **source):
    folder_of_tones(root, names, seconds=1.0)
    return table_of(config({"kind": "folder", "path": root, "label_folders": True, **source}))


def by_name(table, folds):
    recordings = table.recordings
    return {
        recordings.path[n].as_py(): int(folds[recordings.group[n]]) for n in range(len(recordings))
    }


def test_every_class_is_in_every_fold(tmp_path):
    table = tones(tmp_path, [f"{kind}/{kind}{n}" for kind in "abc" for n in range(10)])
    found = by_name(table, assign_folds(table, FIVE))
    for kind in "abc":
        folds = [fold for name, fold in found.items() if name.startswith(kind)]
        assert sorted(folds) == sorted([*range(5)] * 2)


def test_a_site_is_in_one_fold_and_a_recording_without_a_site_is_a_group(tmp_path):
    names = [f"a/S{site:02d}_20250101_{n:02d}0000" for site in range(6) for n in range(4)]
    table = tones(tmp_path, [*names, "b/XC1", "b/XC2"], group="site")
    assert {"site S00", "site S05", "XC1.wav", "XC2.wav"} <= set(table.groups.to_pylist())
    found = by_name(table, assign_folds(table, FIVE))
    for site in range(6):
        assert len({fold for name, fold in found.items() if f"/S{site:02d}_" in name}) == 1
    assert set(found.values()) == set(range(5))


def test_each_group_is_held_out_by_one_fold(tmp_path):
    table = tones(tmp_path, [f"a/{n}" for n in range(11)])
    held = []
    for fold in range(5):
        sides = split(table, HoldoutConfig(), FoldsConfig(fold=fold))
        assert not set(sides.training.recording) & set(sides.validation.recording)
        assert len(sides.training) + len(sides.validation) == 11
        held += sides.validation.recording.tolist()
    assert sorted(held) == list(range(11))


def test_a_stated_side_is_in_no_fold(tmp_path):
    rows = [(f"a/{n}.wav", "train" if n < 2 else "valid" if n < 4 else "x") for n in range(10)]
    folder_of_tones(tmp_path, [f"a/{n}" for n in range(10)], seconds=1.0)
    write_csv(tmp_path / "meta.csv", ["filename", "split"], rows)
    always = {"kind": "folder", "path": tmp_path / "a", "side": "training", "name": "always"}
    folder_of_tones(tmp_path / "b", [f"other{n}" for n in range(6)], seconds=1.0)
    table = table_of(config(always, {"kind": "folder", "path": tmp_path / "b"}))
    found = by_name(table, assign_folds(table, FoldsConfig(count=2)))
    assert {found[f"{n}.wav"] for n in range(10)} == {-1}
    assert {found[f"other{n}.wav"] for n in range(6)} == {0, 1}
    sides = split(table, HoldoutConfig(), FoldsConfig(count=2, fold=0))
    assert len(sides.validation) == 3


def test_the_table_reads_back_and_later_groups_change_nothing(tmp_path):
    table = tones(tmp_path / "one", [f"a/{n}" for n in range(10)])
    folds = assign_folds(table, FIVE)
    write_folds(tmp_path / "folds.csv", table, folds)
    kept = read_folds(tmp_path / "folds.csv", 5)
    assert kept == {f"{n}.wav": fold for n, fold in zip(range(10), folds, strict=True)}
    names = [*(f"a/{n}" for n in range(10)), *(f"b/new{n}" for n in range(40))]
    more = tones(tmp_path / "one", names)
    again = by_name(more, assign_folds(more, FoldsConfig(file=tmp_path / "folds.csv")))
    assert {n: again[f"a/{n}"] for n in kept} == kept
    new = {name: fold for name, fold in again.items() if name.startswith("b/")}
    assert set(new.values()) == set(range(5))
    # The fold of a group follows from its name.
    fewer = tones(tmp_path / "two", [f"b/new{n}" for n in range(0, 40, 3)])
    found = by_name(fewer, assign_folds(fewer, FoldsConfig(file=tmp_path / "folds.csv")))
    assert found.items() <= new.items()


def test_a_table_that_cannot_be_used_is_refused(tmp_path):
    path = write_csv(tmp_path / "f.csv", ["filename", "fold", "group"], [("a", "5", "a")])
    with pytest.raises(FormatError, match="row 2: the fold '5' is none of 0 to 4"):
        read_folds(path, 5)
    rows = [("a", "1", "g"), ("b", "2", "g")]
    with pytest.raises(FormatError, match="row 3: the group 'g' is in fold 1 as well"):
        read_folds(write_csv(tmp_path / "f.csv", ["filename", "fold", "group"], rows), 5)
    with pytest.raises(FormatError, match="fold"):
        read_folds(write_csv(tmp_path / "f.csv", ["filename", "group"], [("a", "g")]), 5)


def test_too_few_groups_make_no_folds(tmp_path):
    table = tones(tmp_path, ["a/1", "a/2", "a/3"])
    with pytest.raises(UserError, match="3 groups of recordings"):
        assign_folds(table, FIVE)


def test_settings_that_exclude_each_other(tmp_path):
    folder_of_tones(tmp_path, ["a"], seconds=1.0)
    source = {"kind": "folder", "path": tmp_path}
    with pytest.raises(ValueError, match=r"take out holdout\.share"):
        config(source, folds={"fold": 0}, holdout={"share": 0.2})
    with pytest.raises(ValueError, match="fold 5 is none of 5"):
        config(source, folds={"fold": 5})
    assert config(source, folds={}).folds == FIVE
    assert np.isclose(FIVE.count, 5)


def test_one_file_under_two_names_is_in_one_fold(tmp_path):
    names = [f"a/{n}" for n in range(8)]
    folder_of_tones(tmp_path, names, seconds=1.0)
    for number in range(8):
        (tmp_path / f"a/copy{number}.wav").write_bytes((tmp_path / f"a/{number}.wav").read_bytes())
    table = tones(tmp_path, names)
    found = by_name(table, assign_folds(table, FoldsConfig(count=3)))
    assert set(found.values()) == {0, 1, 2}
    assert all(found[f"a/copy{n}.wav"] == found[f"a/{n}.wav"] for n in range(8))
    with pytest.raises(UserError, match="8 groups"):
        assign_folds(table, FoldsConfig(count=9))
    # A copy that comes later follows what the table names.
    kept = [row for row in found.items() if "copy" not in row[0]]
    rows = [(name.removeprefix("a/"), fold) for name, fold in kept]
    path = write_csv(tmp_path / "folds.csv", ["group", "fold"], rows)
    assert by_name(table, assign_folds(table, FoldsConfig(count=3, file=path))) == found
