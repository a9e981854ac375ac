"""Search by similarity: exact, through the index, and the mean it is measured from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from antiphon.errors import StoreError
from antiphon.store import blocks, search
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable
from tests.store.making import WINDOWS, entry, ids_of, make_project, make_table

Float32 = npt.NDArray[np.float32]


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    return make_project(tmp_path)


def add(table: VectorTable, recording_id: int, rows: npt.NDArray[np.float32]) -> None:
    with table.session() as session:
        assert session.claim([recording_id], 1) == [recording_id]
        start = np.arange(len(rows)) * 3.0
        session.append(recording_id, np.full(len(rows), -1), start, start + 3.0, rows)
        session.finish(recording_id)


def centred_cosine(every: Float32, query: Float32) -> npt.NDArray[np.float64]:
    """Return the similarity of all rows of a table, computed as its definition reads.

    Of several queries ``(q, dim)`` each has a row of the result.
    """
    n = len(every)
    x = every.astype(np.float64)
    middle = x.mean(axis=0) * n / (n + 50)
    x, q = x - middle, query.astype(np.float64) - middle
    return (q @ x.T) / (np.linalg.norm(q, axis=-1, keepdims=True) * np.linalg.norm(x, axis=1))


def off_centre(rng: np.random.Generator, n: int, dim: int) -> Float32:
    """Return what networks put out: a large common part, 40 kinds, lengths that vary."""
    fixed = np.random.default_rng(99)
    kinds, common = fixed.standard_normal((40, dim)), 4 * fixed.standard_normal(dim)
    own = kinds[rng.integers(0, 40, n)] + 0.5 * rng.standard_normal((n, dim))
    return (common + own * np.exp(0.3 * rng.standard_normal((n, 1)))).astype(np.float32)


def order(similarity: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    return np.argsort(-similarity, kind="stable")


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_exact_search_is_brute_force(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch, dtype: str
) -> None:
    monkeypatch.setattr("antiphon.store.view._BLOCK", 64)
    monkeypatch.setattr("antiphon.store.blocks._CACHED_VALUES", 100)
    folder.config.vectors.dtype = dtype  # type: ignore[assignment]
    rng = np.random.default_rng(1)
    table = make_table(folder)
    for i in ids_of(folder):
        add(table, i, (rng.standard_normal((40, 8)) + 3 * np.arange(8)).astype(np.float32))
    table.windows()
    every = table.all_vectors()
    query = every[17] + rng.standard_normal(8).astype(np.float32)
    truth = centred_cosine(every, query)
    rows, score = table.nearest(query, 25, exact=True)
    np.testing.assert_array_equal(rows, order(truth)[:25])
    np.testing.assert_allclose(score, truth[rows], atol=1e-5)
    for share in (0.5, 0.02):
        mask = rng.random(len(every)) < share
        rows, score = table.nearest(query, 25, mask=mask)
        chosen = np.flatnonzero(mask)
        # The mean is the table's, whatever the mask lets through.
        np.testing.assert_array_equal(rows, chosen[order(truth[chosen])[:25]])
        np.testing.assert_allclose(score, truth[rows], atol=1e-5)
    for several in (every[3:6] + 1, every[:20] + 1):
        best = np.max([centred_cosine(every, q) for q in several], axis=0)
        rows, score = table.nearest(several, 10)
        np.testing.assert_array_equal(rows, order(best)[:10])
        np.testing.assert_allclose(score, best[rows], atol=1e-5)
    rows, score = table.nearest(query, 10_000)
    assert sorted(rows.tolist()) == list(range(len(every)))
    assert score.min() >= -1
    assert score.max() <= 1
    rows, _ = table.nearest(query, 5, mask=np.zeros(len(every), bool))
    assert len(rows) == 0


def test_equal_scores_come_in_row_order(folder: ProjectFolder) -> None:
    table = make_table(folder)
    add(table, 1, np.ones((50, 8), np.float32))
    add(table, 2, np.zeros((5, 8), np.float32))
    table.windows()
    rows, score = table.nearest(np.ones(8), 52)
    assert rows.tolist() == list(range(52))
    np.testing.assert_allclose(score, [1.0] * 50 + [-1.0] * 2, atol=1e-6)


def test_the_mean_fades_in(folder: ProjectFolder) -> None:
    """One window is its own mean; what is subtracted grows with the number of windows."""
    table = make_table(folder)
    one = np.arange(1, 9, dtype=np.float32)
    add(table, 1, one[None])
    np.testing.assert_allclose(table.view().centre(), one / 51, rtol=1e-6)
    rows, score = table.nearest(one, 3)
    assert rows.tolist() == [0]
    np.testing.assert_allclose(score, 1.0, atol=1e-6)
    # Raw cosine is not far in a table of one window.
    _, score = table.nearest(one[::-1].copy(), 1)
    raw = float(one @ one[::-1] / (one @ one))
    assert abs(float(score[0]) - raw) < 0.02
    add(table, 2, np.repeat(one[None], 49, axis=0))
    np.testing.assert_allclose(table.view().centre(), one / 2, rtol=1e-6)
    # A query at the centre is similar to nothing, nor is a window there.
    table.windows()
    _, score = table.nearest(table.view().centre(), 3)
    np.testing.assert_array_equal(score, 0.0)


def test_the_kept_mean_follows_the_table(folder: ProjectFolder) -> None:
    rng = np.random.default_rng(5)
    table = make_table(folder)

    def check(table: VectorTable) -> None:
        table.windows()
        every = table.all_vectors()
        expected = every.sum(axis=0, dtype=np.float64) / (len(every) + 50)
        np.testing.assert_array_equal(table.view().centre(), expected.astype(np.float32))
        query = rng.standard_normal(8).astype(np.float32)
        rows, score = table.nearest(query, 5)
        truth = centred_cosine(every, query)
        np.testing.assert_array_equal(rows, order(truth)[:5])
        np.testing.assert_allclose(score, truth[rows], atol=1e-5)

    for i in (1, 2, 3):
        add(table, i, (rng.standard_normal((30, 8)) + i).astype(np.float32))
        check(table)
    # Another process finds what was kept, and reads only what came after.
    again = make_table(ProjectFolder.open(folder.root))
    check(again)
    add(again, 4, np.full((200, 8), 7, np.float32))
    check(table)
    entries = [entry(i) for i in range(10)]
    entries[1] = replace(entries[1], content_key="other")
    (fresh,) = folder.catalogue.sync_recordings(entries).changed
    check(table)
    add(table, fresh, np.full((20, 8), -9, np.float32))
    check(table)
    # It can be lost, damaged, or impossible to keep.
    kept = table.search_dir / "sum.npz"
    for damage in (kept.unlink, lambda: kept.write_bytes(b"garbage"), kept.unlink):
        damage()
        check(make_table(ProjectFolder.open(folder.root)))
    kept.unlink()
    table.search_dir.rmdir()
    table.search_dir.write_bytes(b"in the way")
    check(make_table(ProjectFolder.open(folder.root)))


def test_only_new_recordings_are_read_for_the_mean(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(folder)
    add(table, 1, np.ones((30, 8), np.float32))
    table.view().centre()
    read: list[int] = []
    scan = type(table.view()).scan

    def watched(view, mask=None):  # type: ignore[no-untyped-def]
        for rows, block in scan(view, mask):
            read.extend(view.recording_of_rows()[rows].tolist())
            yield rows, block

    monkeypatch.setattr(type(table.view()), "scan", watched)
    add(table, 2, np.ones((3, 8), np.float32))
    table.view().centre()
    assert read == [2, 2, 2]
    make_table(ProjectFolder.open(folder.root)).view().centre()
    assert read == [2, 2, 2]


def test_queries_that_do_not_fit(folder: ProjectFolder) -> None:
    table = make_table(folder)
    add(table, 1, np.ones((5, 8), np.float32))
    table.windows()
    with pytest.raises(StoreError, match="8 values"):
        table.nearest(np.ones(9), 3)
    with pytest.raises(StoreError, match="not finite"):
        table.nearest(np.full(8, np.nan), 3)
    with pytest.raises(ValueError, match="k is 0"):
        table.nearest(np.ones(8), 0)
    with pytest.raises(ValueError, match="mask"):
        table.nearest(np.ones(8), 3, mask=np.ones(4, bool))


@pytest.mark.parametrize("dim", [64, 1100])
def test_index_finds_what_exact_search_finds(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch, dim: int
) -> None:
    # So that 3,000 windows are many.
    monkeypatch.setattr(search, "_CANDIDATES", 120)
    k = 10
    rng = np.random.default_rng(3)
    table = folder.open_vectors("toy", "ab" * 32, {}, WINDOWS, dim)
    for i in (1, 2, 3):
        add(table, i, off_centre(rng, 1000, dim))
    table.build_index()

    def recall(mask: npt.NDArray[np.bool_] | None = None) -> float:
        table.windows()
        found = 0
        every = table.all_vectors()
        queries = off_centre(rng, 15, dim)
        for query, similarity in zip(queries, centred_cosine(every, queries), strict=True):
            if mask is not None:
                similarity[~mask] = -2
            rows, score = table.nearest(query, k, exact=False, mask=mask)
            assert len(rows) == k
            assert (np.diff(score) <= 0).all()
            np.testing.assert_allclose(score, similarity[rows], atol=1e-5)
            found += len(set(order(similarity)[:k].tolist()) & set(rows.tolist()))
        return found / (15 * k)

    assert search.has_index(table.view())
    assert recall() >= 0.95
    # Rows that came after the index are found as well.
    for i in (4, 5):
        add(table, i, off_centre(rng, 500, dim))
    assert recall() >= 0.95
    recording = table.windows().column("recording_id").to_numpy()
    for mask in (recording >= 4, recording == 2, recording <= 3, rng.random(4000) < 0.4):
        assert recall(mask) >= 0.95
    assert recall(rng.random(4000) < 0.01) == 1.0
    # Replaced recordings are not among the answers.
    entries = [entry(i) for i in range(10)]
    entries[0] = replace(entries[0], content_key="other")
    folder.catalogue.sync_recordings(entries)
    assert recall() >= 0.95
    table.tidy()
    table.build_index()
    assert recall() >= 0.95
    # What cannot be read is as good as none.
    table.index_path.write_bytes(b"garbage")
    assert not search.has_index(table.view())
    assert recall() == 1.0
    table.build_index()
    assert search.has_index(table.view())
    table.drop_index()
    table.drop_index()
    assert not search.has_index(table.view())
    assert recall() == 1.0


def test_index_with_several_queries_and_many_equal_windows(
    folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_CANDIDATES", 50)
    rng = np.random.default_rng(3)
    table = folder.open_vectors("toy", "ab" * 32, {}, WINDOWS, 32)
    vectors = off_centre(rng, 600, 32)
    vectors[100:500] = vectors[100]
    add(table, 1, vectors)
    table.build_index()
    table.windows()
    queries = vectors[[100, 7]]
    rows, score = table.nearest(queries, 5, exact=False)
    np.testing.assert_allclose(score, 1.0, atol=1e-5)
    assert set(rows.tolist()) <= {7, *range(100, 500)}
    rows, _ = table.nearest(vectors[7], 1, exact=False)
    assert rows.tolist() == [7]


def test_index_of_a_dataset_that_is_gone(folder: ProjectFolder) -> None:
    import shutil

    rng = np.random.default_rng(3)
    table = make_table(folder)
    add(table, 1, rng.standard_normal((300, 8)).astype(np.float32))
    table.build_index()
    table.view().centre()
    shutil.rmtree(table.path)
    again = make_table(folder)
    assert not search.has_index(again.view())
    add(again, 1, np.ones((5, 8), np.float32))
    np.testing.assert_allclose(again.view().centre(), 5 / 55, rtol=1e-6)


def test_float16_is_widened_exactly() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    every = every[np.isfinite(every)].reshape(-1, 8)
    found = np.concatenate([part.copy() for _, part in blocks.widened(every)])
    np.testing.assert_array_equal(found.view(np.uint32), every.astype(np.float32).view(np.uint32))


def test_work_in_threads_keeps_its_order_and_its_errors() -> None:
    taken: list[int] = []

    def items() -> object:
        for i in range(50):
            taken.append(i)
            yield i

    assert list(blocks.map_ahead(lambda i: i * i, items())) == [i * i for i in range(50)]  # type: ignore[arg-type]
    taken.clear()
    results = blocks.map_ahead(lambda i: 1 / (3 - i), items())  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        list(results)
    assert len(taken) < 20
