"""Tables of embeddings: identity, reading, search, index, compaction."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import lance
import numpy as np
import pytest
from sqlalchemy import text

from antiphon.errors import StoreError
from antiphon.store import dataset
from antiphon.store.project import ProjectFolder
from tests.store.making import (
    WINDOWS,
    check_complete,
    embed,
    entry,
    ids_of,
    make_project,
    make_table,
)
from tests.store.test_search import add


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return make_project(tmp_path)


def test_same_facts_same_table(folder: ProjectFolder) -> None:
    one = make_table(folder)
    two = make_table(ProjectFolder.open(folder.root))
    assert (one.id, one.name, one.path) == (two.id, two.name, two.path)
    assert folder.table().name == folder.table("toy").name == folder.table(one.name).name


def test_other_facts_other_table(folder: ProjectFolder) -> None:
    first = make_table(folder)
    embed(first, ids_of(folder))
    others = [
        folder.open_vectors("toy", "cd" * 32, {"name": "toy"}, WINDOWS, 8),
        folder.open_vectors("toy", "ab" * 32, {"name": "toy"}, {**WINDOWS, "hop_s": 1.5}, 8),
        folder.open_vectors("toy", "ab" * 32, {"name": "toy"}, {**WINDOWS, "channel": "each"}, 8),
        folder.open_vectors("toy", "ab" * 32, {"name": "toy"}, {**WINDOWS, "channel": 0}, 8),
    ]
    folder.config.vectors.dtype = "float32"
    others.append(make_table(folder))
    names = [table.name for table in [first, *others]]
    assert len(set(names)) == len(names)
    assert all(table.count() == 0 for table in others)
    assert [table.name for table in folder.tables()] == names
    assert folder.table("toy").name == names[-1]


def test_float32_is_kept_exactly(folder: ProjectFolder) -> None:
    folder.config.vectors.dtype = "float32"
    table = make_table(folder)
    rows = np.random.default_rng(0).standard_normal((5, 8)).astype(np.float32) * 1e6
    add(table, 1, rows)
    table.windows()
    np.testing.assert_array_equal(table.all_vectors(), rows)


def test_edited_entry_is_noticed(folder: ProjectFolder) -> None:
    make_table(folder)
    with folder.catalogue.database.write() as connection:
        spec = json.dumps({"name": "toy", "edited": True})
        connection.execute(text("UPDATE embedding_tables SET spec = :s"), {"s": spec})
    with pytest.raises(StoreError, match="another spec"):
        make_table(folder)


def test_dataset_of_another_table_is_noticed(folder: ProjectFolder) -> None:
    one = make_table(folder)
    two = make_table(folder, fingerprint="cd" * 32)
    shutil.rmtree(one.path)
    shutil.copytree(two.path, one.path)
    with pytest.raises(StoreError, match="another encoder"):
        folder.table(one.name)


def test_dataset_of_another_catalogue_is_noticed(folder: ProjectFolder, tmp_path: Path) -> None:
    """With a new catalogue, the numbers of recordings mean other recordings."""
    table = make_table(folder)
    embed(table, ids_of(folder))
    folder.close()
    for path in folder.root.glob("catalogue.db*"):
        path.unlink()
    folder.catalogue.sync_recordings([entry(i) for i in range(5, 15)])
    with pytest.raises(StoreError, match="another catalogue"):
        make_table(folder)


def test_damaged_dataset(folder: ProjectFolder) -> None:
    table = make_table(folder)
    embed(table, ids_of(folder))
    for path in (table.path / "_versions").glob("*.manifest"):
        path.write_bytes(b"garbage")
    with pytest.raises(StoreError, match="cannot be read"):
        folder.table("toy")


def test_dataset_that_is_gone_is_made_anew(folder: ProjectFolder) -> None:
    table = make_table(folder)
    embed(table, ids_of(folder))
    shutil.rmtree(table.path)
    again = make_table(folder)
    assert again.count() == 0
    embed(again, ids_of(folder))
    check_complete(again, ids_of(folder))


def test_unfinished_creation(folder: ProjectFolder) -> None:
    """A process killed while it made the table leaves folders without a version."""
    table = make_table(folder)
    shutil.rmtree(table.path)
    (table.path / "data").mkdir(parents=True)
    (table.path / "_versions").mkdir()
    embed(make_table(folder), ids_of(folder))
    check_complete(make_table(folder), ids_of(folder))


def test_windows_are_in_a_stable_order(folder: ProjectFolder) -> None:
    table = folder.open_vectors("toy", "ab" * 32, {}, {**WINDOWS, "channel": "each"}, 2)
    with table.session() as session:
        for recording in (3, 1, 2):
            session.claim([recording], 1)
            # Window by window, both channels of each.
            session.append(
                recording,
                [0, 1, 0, 1],
                [0.0, 0.0, 3.0, 3.0],
                [3.0, 3.0, 4.5, 4.5],
                [[recording, 0], [recording, 10], [recording, 3], [recording, 13]],
            )
            session.finish(recording)
    windows = table.windows().to_pylist()
    assert [(w["recording_id"], w["channel"], w["start_s"]) for w in windows] == [
        (r, c, s) for r in (1, 2, 3) for c in (0, 1) for s in (0.0, 3.0)
    ]
    assert windows[1]["end_s"] == 4.5
    expected = [[r, 10 * c + s] for r in (1, 2, 3) for c in (0, 1) for s in (0, 3)]
    np.testing.assert_array_equal(table.all_vectors(), expected)
    np.testing.assert_array_equal(table.vectors([11, 0, 0]), np.array(expected)[[11, 0, 0]])
    mask = np.zeros(12, bool)
    mask[[2, 7]] = True
    np.testing.assert_array_equal(table.vectors(mask), np.array(expected)[[2, 7]])
    with pytest.raises(IndexError):
        table.vectors([12])
    assert table.vectors([]).shape == (0, 2)
    assert table.recording_ids() == [1, 2, 3]


def test_replaced_recordings_are_not_shown(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    embed(table, ids)
    entries = [entry(i) for i in range(10)]
    entries[3] = replace(entries[3], content_key="other")
    (fresh,) = folder.catalogue.sync_recordings(entries).changed
    left = [i for i in ids if i != 4]
    check_complete(table, left)
    rows, _ = table.nearest(np.ones(8), 1000, exact=True)
    assert len(rows) == table.count()
    embed(table, ids_of(folder))
    check_complete(table, [*left, fresh])


def test_a_view_stays_as_it_was(folder: ProjectFolder) -> None:
    table = make_table(folder)
    ids = ids_of(folder)
    embed(table, ids[5:])
    view = table.view()
    windows, before = view.windows(), view.all_vectors()
    embed(make_table(folder), ids)
    assert view.windows().equals(windows)
    np.testing.assert_array_equal(view.all_vectors(), before)
    # Rows handed out by windows() stay valid until the next call of it.
    np.testing.assert_array_equal(table.vectors(np.arange(len(before))), before)
    assert len(table.view()) > len(view)


def test_big_reads_equal_small_ones(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.store.view._BLOCK", 8)
    table = make_table(folder)
    embed(table, ids_of(folder))
    every = table.view().all_vectors()
    rng = np.random.default_rng(0)
    for rows in (
        rng.permutation(len(every)),
        rng.integers(0, len(every), 3 * len(every)),
        rng.permutation(len(every))[:5],
    ):
        np.testing.assert_array_equal(table.vectors(rows), every[rows])


def test_empty_table(folder: ProjectFolder) -> None:
    table = make_table(folder)
    assert table.windows().num_rows == 0
    assert table.all_vectors().shape == (0, 8)
    rows, score = table.nearest(np.ones(8), 5)
    assert len(rows) == len(score) == 0
    table.build_index()
    table.tidy()
    assert table.count() == 0


def test_compaction_keeps_everything(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "_MAX_FRAGMENTS", 4)
    table = make_table(folder)
    ids = ids_of(folder)
    for i in ids[:8]:
        embed(table, [i])
    old = table.view()
    before = old.all_vectors()
    assert len(lance.dataset(table.path).get_fragments()) == 8
    table.tidy()
    assert len(lance.dataset(table.path).get_fragments()) == 1
    check_complete(table, ids[:8])
    # A reader that began before goes on undisturbed.
    np.testing.assert_array_equal(old.all_vectors(), before)
    embed(table, ids)
    check_complete(table, ids)


def test_tidying_deletes_what_nobody_reads(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "_MAX_FRAGMENTS", 4)
    monkeypatch.setattr(dataset, "_KEEP_VERSIONS", timedelta(0))
    table = make_table(folder)
    ids = ids_of(folder)
    for i in ids:
        embed(table, [i])
    (table.path / "data" / "0101.lance").write_bytes(b"left by a killed process")
    table.tidy()
    assert len(list((table.path / "data").iterdir())) == 1
    check_complete(table, ids)


def test_tidying_waits_for_no_index(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    from antiphon.store.locks import hold

    monkeypatch.setattr(dataset, "_MAX_FRAGMENTS", 1)
    table = make_table(folder)
    for i in ids_of(folder)[:3]:
        embed(table, [i])
    with hold(table.maintenance_lock, 1.0, "test"):
        table.tidy()
    assert len(lance.dataset(table.path).get_fragments()) == 3
