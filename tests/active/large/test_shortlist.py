from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.base import KnownHead, PoolView, Selection
from antiphon.active.geometry.whitening import whiten
from antiphon.active.large.best_of_groups import BestOfGroups
from antiphon.active.large.landmarks import project_rows
from antiphon.active.large.settings import ShortlistSettings
from antiphon.active.large.shortlist import select_streamed, shortlist
from antiphon.active.large.stream import ArraySource, chunks, fit_projection
from antiphon.active.registry import list_strategies, select
from antiphon.errors import UserError

NAMES = [card.name for card in list_strategies()]
LABELS = 3


class Archive:
    """Windows of some kinds with labels, probabilities and recordings."""

    def __init__(self, n: int, dim: int = 16, labelled: int = 20, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        kinds = rng.integers(0, 12, n)
        self.vectors = (
            rng.normal(size=(12, dim))[kinds] + 0.4 * rng.normal(size=(n, dim)) + 2.0
        ).astype(np.float32)
        self.labelled = rng.choice(n, labelled, replace=False).astype(np.int64)
        self.labels = (kinds[self.labelled, None] == np.arange(LABELS)).astype(np.float32)
        self.weight = rng.normal(size=(dim, LABELS)).astype(np.float32)
        self.probability = self.score(self.vectors)
        self.recording = (np.arange(n) // 10).astype(np.int64)

    def score(self, vectors: np.ndarray) -> np.ndarray:
        return (1.0 / (1.0 + np.exp(-0.3 * (vectors @ self.weight)))).astype(np.float32)

    def known(self, **changes: Any) -> dict[str, Any]:
        return {
            "labelled": self.labelled,
            "labels": self.labels,
            "generator": np.random.default_rng(7),
            "probabilities": self.probability,
            "recording": self.recording,
            **changes,
        }

    def pool(self, **changes: Any) -> PoolView:
        given: dict[str, Any] = {
            "embeddings": self.vectors,
            "labelled": self.labelled,
            "labels": self.labels,
            "recording": self.recording,
            "generator": np.random.default_rng(7),
            "head": KnownHead(self.probability),
            **changes,
        }
        return PoolView(**given)


class Shuffled:
    """A source whose blocks come in another order and in uneven sizes."""

    def __init__(self, array: np.ndarray, sizes: list[int]) -> None:
        self.array, self.sizes = array, sizes

    def __len__(self) -> int:
        return len(self.array)

    def scan(self, mask: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        order = np.random.default_rng(0).permutation(len(self.array))
        order = order if mask is None else order[mask[order]]
        begin, turn = 0, 0
        while begin < len(order):
            rows = order[begin : begin + self.sizes[turn % len(self.sizes)]]
            yield rows, self.array[rows]
            begin, turn = begin + len(rows), turn + 1

    def vectors(self, rows: np.ndarray) -> np.ndarray:
        return self.array[rows].astype(np.float32)


SMALL = ShortlistSettings(total=300, sample=500, cells=16, cover=8, labelled=10, dims=8)


@pytest.mark.parametrize("name", NAMES)
def test_a_pool_that_fits_is_the_strategys_own_pool(name: str) -> None:
    archive = Archive(200)
    direct = select(name, archive.pool(), 15)
    streamed = select_streamed(ArraySource(archive.vectors), name, 15, **archive.known())
    np.testing.assert_array_equal(streamed.rows, direct.rows)
    np.testing.assert_array_equal(streamed.utility, direct.utility)


def test_a_pool_that_fits_leaves_excluded_rows_out_and_keeps_labelled_ones() -> None:
    archive = Archive(200)
    out = np.zeros(200, bool)
    out[:120] = True
    keep = np.sort(np.union1d(np.arange(120, 200), archive.labelled))
    direct = select(
        "coreset",
        archive.pool(
            embeddings=archive.vectors[keep],
            labelled=np.searchsorted(keep, archive.labelled),
            recording=archive.recording[keep],
            head=None,
        ),
        10,
    )
    for excluded in (out, np.flatnonzero(out)):
        known = archive.known(excluded=excluded)
        streamed = select_streamed(ArraySource(archive.vectors), "coreset", 10, **known)
        np.testing.assert_array_equal(streamed.rows, keep[direct.rows])


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_a_large_pool_are_new_and_free(name: str) -> None:
    archive = Archive(3_000, labelled=60)
    out = np.arange(0, 3_000, 3)
    known = archive.known(excluded=out, settings=SMALL)
    chosen = select_streamed(ArraySource(archive.vectors), name, 40, **known)
    assert len(set(chosen.rows.tolist())) == 40 == len(chosen.utility)
    assert not np.isin(chosen.rows, archive.labelled).any()
    assert not np.isin(chosen.rows, out).any()


def pick(source: Any, archive: Archive, **changes: Any) -> Selection:
    known = archive.known(settings=SMALL, **changes)
    return select_streamed(source, "weighted-coreset", 20, **known)


@pytest.mark.parametrize("block_rows", [1, 37, 256, 100_000])
def test_blocks_do_not_change_the_choice(block_rows: int) -> None:
    archive = Archive(2_000)
    first = pick(ArraySource(archive.vectors), archive)
    again = pick(ArraySource(archive.vectors, block_rows), archive)
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.utility, again.utility)


def test_the_order_of_uneven_blocks_is_fixed_by_the_source_alone() -> None:
    archive = Archive(2_000)
    first = pick(Shuffled(archive.vectors, [5, 400, 1]), archive)
    again = pick(Shuffled(archive.vectors, [999]), archive)
    np.testing.assert_array_equal(first.rows, again.rows)


def test_a_detector_asked_block_by_block_gives_the_choice_of_stored_probabilities() -> None:
    archive = Archive(2_000)
    source = ArraySource(archive.vectors)
    stored = shortlist(source, 20, **archive.known(settings=SMALL))
    asked = shortlist(
        source,
        20,
        **archive.known(settings=SMALL, probabilities=None, score_block=archive.score),
    )
    headed = shortlist(
        source,
        20,
        **archive.known(
            settings=SMALL, probabilities=None, head=lambda x: KnownHead(archive.score(x))
        ),
    )
    for other in (asked, headed):
        # The last bits of a product depend on the shape of the matrices.
        assert len(np.setxor1d(stored.rows, other.rows)) <= 6
        assert other.pool.probabilities is not None
        np.testing.assert_allclose(
            other.pool.probabilities, archive.probability[other.rows], atol=1e-6
        )


def test_a_shortlist_is_an_ordinary_pool_of_the_rows_it_names() -> None:
    archive = Archive(2_000, labelled=40)
    table = pa.table({"number": np.arange(2_000)})
    listed = shortlist(
        ArraySource(archive.vectors), 20, **archive.known(settings=SMALL, metadata=table)
    )
    pool, rows = listed.pool, listed.rows
    assert not listed.complete
    assert listed.candidates == 1_960
    np.testing.assert_array_equal(pool.embeddings, archive.vectors[rows])
    np.testing.assert_array_equal(pool.recording, archive.recording[rows])
    np.testing.assert_array_equal(pool.probabilities, archive.probability[rows])
    assert pool.metadata is not None
    np.testing.assert_array_equal(pool.metadata.column("number").to_numpy(), rows)
    shown = rows[pool.labelled]
    assert len(shown) == SMALL.labelled
    place = [archive.labelled.tolist().index(row) for row in shown]
    assert place == sorted(place)
    np.testing.assert_array_equal(pool.labels, archive.labels[place])
    parts = (listed.novel, listed.doubtful, listed.likely, listed.random)
    assert sum(parts) == len(pool.candidates()) == 300
    assert min(parts[:3]) > 0
    assert listed.random >= 75
    assert any("300 of 1,960 windows" in note for note in listed.notes)


def test_a_few_of_very_many_labelled_windows_stand_for_all() -> None:
    archive = Archive(400, labelled=320)
    listing = ShortlistSettings(total=100, labelled=50, cover=20)
    listed = shortlist(ArraySource(archive.vectors), 20, **archive.known(settings=listing))
    assert listed.complete
    assert len(listed.pool.labelled) == 50
    assert "50 of 320 labelled windows" in listed.notes[0]
    assert len(listed.select("coreset", 20).rows) == 20


def test_likely_positives_are_the_largest_probabilities_of_each_label() -> None:
    archive = Archive(2_000)
    listed = shortlist(ArraySource(archive.vectors), 20, **archive.known(settings=SMALL))
    free = np.setdiff1d(np.arange(2_000), archive.labelled)
    for label in range(LABELS):
        best = free[np.argsort(-archive.probability[free, label])[: 75 // LABELS]]
        assert np.isin(best, listed.rows).all()


@pytest.mark.parametrize("part", ["novel", "doubtful"])
def test_new_and_doubtful_rows_are_those_of_the_whole_archive(part: str) -> None:
    archive = Archive(1_000, labelled=12)
    shares = {"novel": 0.0, "doubtful": 0.0, "likely": 0.0, part: 1.0}
    listing = ShortlistSettings(total=200, sample=1_000, cells=1, dims=8, floor=0.1, **shares)
    listed = shortlist(ArraySource(archive.vectors), 20, **archive.known(settings=listing))
    free = np.setdiff1d(np.arange(1_000), archive.labelled)
    # The sample is all candidates, so the projection is whitening fitted on them.
    unit = archive.vectors / np.linalg.norm(archive.vectors, axis=1, keepdims=True)
    mean = unit[free].mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(unit[free].T.astype(np.float64)))
    points = (unit - mean) @ (axes[:, -8:] * values[-8:] ** -0.25)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    gaps = points[free, None] - points[archive.labelled][None]
    novelty = np.linalg.norm(gaps, axis=2).min(axis=1)
    balance = (1.0 + archive.labels.sum(axis=0)) ** -0.5
    p = archive.probability[free].astype(np.float64)
    entropy = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    doubt = 0.1 + entropy @ (balance / balance.sum())
    quality = novelty * doubt if part == "doubtful" else novelty
    wanted = free[np.argsort(-quality)[:200]]
    assert np.isin(wanted, listed.rows).mean() >= 0.99
    assert getattr(listed, part) == 200


def test_no_kind_of_sound_fills_the_shortlist_alone() -> None:
    # A thousand new sounds of one kind, and a few of many others.
    rng = np.random.default_rng(0)
    same = rng.normal(size=16) * 5.0 + 0.1 * rng.normal(size=(1_000, 16))
    other = rng.normal(size=(1_000, 16))
    vectors = np.concatenate([same, other]).astype(np.float32)
    listing = ShortlistSettings(total=200, novel=1.0, doubtful=0.0, likely=0.0, cells=32)
    listed = shortlist(
        ArraySource(vectors),
        10,
        labelled=np.arange(1_000, 1_020),
        labels=np.ones((20, 1), np.float32),
        generator=rng,
        settings=listing,
    )
    assert np.sum(listed.rows[listed.rows >= 1_020] >= 0) > 80


@pytest.mark.parametrize("labelled", [0, 20])
def test_before_the_first_training_random_rows_take_the_place_of_likely_ones(labelled: int) -> None:
    archive = Archive(2_000, labelled=20)
    known = archive.known(settings=SMALL, probabilities=None)
    known["labelled"], known["labels"] = archive.labelled[:labelled], archive.labels[:labelled]
    listed = shortlist(ArraySource(archive.vectors), 20, **known)
    assert (listed.novel, listed.doubtful, listed.likely, listed.random) == (150, 0, 0, 150)
    assert listed.pool.head is None
    chosen = listed.select("weighted-coreset", 20)
    assert len(set(chosen.rows.tolist())) == 20


def test_a_project_without_a_single_label_name_has_a_shortlist() -> None:
    archive = Archive(2_000)
    known = archive.known(settings=SMALL, probabilities=None)
    known["labelled"], known["labels"] = archive.labelled[:0], np.empty((0, 0), np.float32)
    listed = shortlist(ArraySource(archive.vectors), 20, **known)
    assert len(listed.rows) == 300


def test_random_rows_are_drawn_from_the_whole_archive() -> None:
    archive = Archive(4_000, labelled=10)
    known = archive.known(settings=SMALL, excluded=np.arange(2_000))
    source = ArraySource(archive.vectors)
    chosen = select_streamed(source, "random", 1_000, **known)
    listed = shortlist(source, 10, **known).select("random", 1_000)
    assert not np.isin(listed.rows, archive.labelled).any()
    assert len(np.unique(listed.rows)) == 1_000
    assert len(np.unique(chosen.rows)) == 1_000
    assert chosen.rows.min() >= 2_000
    # Of 1,990 rows in four equal parts; a deviation of 60 is six standard errors.
    assert np.all(np.abs(np.histogram(chosen.rows, 4, (2_000, 4_000))[0] - 250) < 60)


def test_more_than_there_are_gives_all_there_are() -> None:
    archive = Archive(120)
    chosen = select_streamed(ArraySource(archive.vectors), "coreset", 500, **archive.known())
    assert sorted(chosen.rows.tolist()) == sorted(set(range(120)) - set(archive.labelled.tolist()))


def test_float16_vectors_are_read_as_they_are() -> None:
    archive = Archive(2_000)
    half = archive.vectors.astype(np.float16)
    first = pick(ArraySource(half), archive)
    again = pick(ArraySource(half.astype(np.float32)), archive)
    np.testing.assert_array_equal(first.rows, again.rows)


# Memory


def test_memory_stays_bounded_while_the_archive_grows(tmp_path: Any) -> None:
    peaks = []
    for n in (20_000, 80_000):
        path = tmp_path / f"{n}.npy"
        rng = np.random.default_rng(0)
        array = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(n, 256))
        for begin in range(0, n, 10_000):
            array[begin : begin + 10_000] = rng.standard_normal((10_000, 256), dtype=np.float32)
        array.flush()
        source = ArraySource(np.load(path, mmap_mode="r"))
        tracemalloc.start()
        shortlist(
            source,
            50,
            labelled=np.arange(100),
            labels=np.ones((100, 2), np.float32),
            generator=rng,
            settings=ShortlistSettings(total=2_000, sample=2_000, cells=16),
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 60,000 more windows are 31 MB in the file and 61 MB as float32.
    assert peaks[1] - peaks[0] < 15e6
    assert peaks[1] < 120e6


def test_too_little_memory_is_refused_and_scarce_memory_makes_a_short_list() -> None:
    archive = Archive(6_000, dim=256)
    source = ArraySource(archive.vectors)
    with pytest.raises(UserError, match="MB will do"):
        shortlist(source, 50, **archive.known(memory_mb=20))
    listed = shortlist(source, 50, **archive.known(memory_mb=190))
    assert 220 <= len(listed.rows) < 5_000
    assert "190 MB hold a shortlist of" in listed.notes[0]


# Parts


@given(
    seed=st.integers(0, 1_000),
    k=st.integers(1, 7),
    pieces=st.integers(1, 9),
)
@settings(max_examples=40, deadline=None)
def test_the_best_of_groups_are_those_of_a_full_sort(seed: int, k: int, pieces: int) -> None:
    rng = np.random.default_rng(seed)
    row = rng.permutation(400)
    group = rng.integers(0, 5, 400)
    value = rng.permutation(400).astype(np.float32) / 7
    kept = BestOfGroups(5, k, salt=3)
    for part in np.array_split(np.arange(400), pieces):
        kept.offer(group[part], row[part], value[part])
    wanted = [
        row[group == g][np.argsort(-value[group == g])[:k]].tolist() for g in np.unique(group)
    ]
    every = np.concatenate(wanted)
    assert kept.rows().tolist() == sorted(every.tolist())
    strongest = every[np.argsort(-value[np.argsort(row)][every])[:6]]
    assert kept.rows(6).tolist() == sorted(strongest.tolist())


@pytest.mark.parametrize("order", [1, -1])
def test_equal_values_are_kept_at_random_whatever_their_order(order: int) -> None:
    kept = BestOfGroups(1, 200, salt=5)
    for part in np.array_split(np.arange(20_000)[::order], 10):
        kept.offer_table(part, np.zeros((2_000, 1), np.float32))
    rows = kept.rows()
    assert len(rows) == 200
    # Of 20,000 equal ones the mean row is 10,000, its standard error 408.
    assert abs(rows.mean() - 10_000) < 2_000
    same = BestOfGroups(1, 200, salt=5)
    same.offer_table(np.arange(20_000), np.zeros((20_000, 1), np.float32))
    np.testing.assert_array_equal(rows, same.rows())


def test_a_projection_fitted_on_all_rows_is_whitening() -> None:
    vectors = Archive(500, dim=24).vectors
    found = project_rows(ArraySource(vectors), np.arange(500), fit_projection(vectors, 10))
    np.testing.assert_allclose(found, whiten(vectors, 10), atol=2e-4)


def test_chunks_hold_every_wanted_row_once() -> None:
    vectors = np.arange(60_000, dtype=np.float32).reshape(20_000, 3)
    mask = np.arange(20_000) % 7 != 0
    parts = list(chunks(ArraySource(vectors, 333), mask))
    rows = np.concatenate([rows for rows, _ in parts])
    assert sorted(rows.tolist()) == np.flatnonzero(mask).tolist()
    np.testing.assert_array_equal(np.concatenate([block for _, block in parts]), vectors[rows])
    assert {len(rows) for rows, _ in parts[:-1]} == {8_192}


# Faults


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labelled": np.array([1, 1])}, "given twice"),
        ({"labelled": np.array([1, 500])}, "from 0 to 199"),
        ({"labelled": np.array([0.5, 1.5])}, "whole numbers"),
        ({"labels": np.ones((3, LABELS), np.float32)}, "labels of the shape"),
        ({"probabilities": np.ones((10, LABELS), np.float32)}, "10 rows, the vectors 200"),
        ({"probabilities": np.ones((200, 5), np.float32)}, "2 labels|3 labels"),
        ({"probabilities": np.full((200, LABELS), np.nan, np.float32)}, "within 0 to 1"),
        ({"recording": np.ones(3, np.int64)}, "Recordings have 3 rows"),
        ({"excluded": np.ones(7, bool)}, "marks for 200 windows"),
        ({"excluded": np.ones(200, bool)}, "No window is left"),
        ({"excluded": np.array([200])}, "from 0 to 199"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    archive = Archive(200, labelled=2)
    with pytest.raises(UserError, match=message):
        select_streamed(ArraySource(archive.vectors), "coreset", 5, **archive.known(**change))


@pytest.mark.parametrize("name", ["random", "coreset"])
def test_a_batch_of_nothing_is_refused(name: str) -> None:
    archive = Archive(50, labelled=2)
    with pytest.raises(UserError, match="at least 1"):
        select_streamed(ArraySource(archive.vectors), name, 0, **archive.known())


def test_a_vector_that_is_not_finite_is_named() -> None:
    archive = Archive(2_000)
    archive.vectors[1_234, 3] = np.nan
    listing = ShortlistSettings(total=300, sample=10)
    known = archive.known(settings=listing)
    with pytest.raises(UserError, match="row 1234"):
        select_streamed(ArraySource(archive.vectors), "coreset", 5, **known)


@pytest.mark.parametrize(
    "change", [{"total": 0}, {"novel": 0.9, "likely": 0.2}, {"doubtful": -0.1}]
)
def test_impossible_settings_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="shortlist's"):
        ShortlistSettings(**change)


@pytest.mark.slow
def test_the_benchmark_runs() -> None:
    command = [sys.executable, "benchmarks/active_large.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| antiphon | all windows | 100% |" in done.stdout
