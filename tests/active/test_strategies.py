from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.active.base import KnownHead, PoolView
from antiphon.active.ranking import farthest_first, whiten
from antiphon.active.registry import get_strategy, list_strategies, select
from antiphon.errors import UserError

NAMES = [card.name for card in list_strategies()]


def make_pool(seed: int = 0, n: int = 60, dim: int = 12, labelled: int = 10) -> PoolView:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (labelled, 3)).astype(np.float32)
    labels[rng.random(labels.shape) < 0.2] = np.nan
    return PoolView(
        embeddings=rng.normal(size=(n, dim)).astype(np.float32),
        labelled=rng.choice(n, labelled, replace=False).astype(np.int64),
        labels=labels,
        head=KnownHead(rng.random((n, 3)).astype(np.float32)),
        recording=(np.arange(n) // 5).astype(np.int64),
        generator=np.random.default_rng(seed + 1),
    )


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 1000), n=st.integers(1, 70))
@settings(max_examples=15, deadline=None)
def test_every_strategy_returns_new_different_candidates(name: str, seed: int, n: int) -> None:
    pool = make_pool(seed)
    chosen = select(name, pool, n)
    assert len(chosen.rows) == len(chosen.utility) == min(n, 50)
    assert len(set(chosen.rows.tolist())) == len(chosen.rows)
    assert not set(chosen.rows.tolist()) & set(pool.labelled.tolist())
    assert np.isfinite(chosen.utility).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_repeats_itself_from_the_same_seed(name: str) -> None:
    first, second = select(name, make_pool(3), 7), select(name, make_pool(3), 7)
    np.testing.assert_array_equal(first.rows, second.rows)


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_starts_from_nothing(name: str) -> None:
    full = make_pool(4)
    pool = PoolView(
        full.embeddings,
        np.empty(0, np.int64),
        np.empty((0, 3), np.float32),
        full.recording,
        np.random.default_rng(0),
    )
    assert len(select(name, pool, 5).rows) == 5


@pytest.mark.parametrize("name", NAMES)
def test_every_strategy_survives_identical_windows(name: str) -> None:
    pool = make_pool(5)
    same = PoolView(
        np.ones_like(pool.embeddings),
        pool.labelled,
        pool.labels,
        pool.recording,
        pool.generator,
        KnownHead(np.full_like(pool.probabilities, 0.5)),
    )
    assert len(set(select(name, same, 20).rows.tolist())) == 20


def test_a_view_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        make_pool().embeddings[0, 0] = 1.0


def test_margin_takes_the_probabilities_nearest_one_half() -> None:
    pool = make_pool()
    probability = np.full((60, 3), 0.99, np.float32)
    free = pool.candidates()
    probability[free[7]] = (0.5, 0.5, 0.5)
    probability[free[2]] = (0.5, 0.4, 0.9)
    view = PoolView(
        pool.embeddings,
        pool.labelled,
        pool.labels,
        pool.recording,
        pool.generator,
        KnownHead(probability),
    )
    assert select("margin", view, 2).rows.tolist() == [free[7], free[2]]
    assert select("entropy", view, 2).rows.tolist() == [free[7], free[2]]


def test_likely_serves_the_label_with_the_fewest_positives_first() -> None:
    pool = make_pool()
    labels = np.zeros((10, 3), np.float32)
    labels[:5, 0] = 1.0
    labels[:2, 1] = 1.0
    view = PoolView(
        pool.embeddings, pool.labelled, labels, pool.recording, pool.generator, pool.head
    )
    free = pool.candidates()
    rows = select("likely", view, 3).rows
    assert pool.probabilities is not None
    p = pool.probabilities[free]
    assert rows[0] == free[np.argmax(p[:, 2])]
    assert rows[1] == free[np.argmax(np.where(free == rows[0], -1, p[:, 1]))]


def test_farthest_first_on_a_line_worked_by_hand() -> None:
    angle = np.deg2rad([0.0, 10.0, 45.0, 90.0, 180.0])
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    chosen = farthest_first(
        points,
        np.array([1, 2, 3, 4]),
        np.array([0]),
        np.ones(5, np.float32),
        3,
        np.random.default_rng(0),
    )
    # 180 is the farthest from 0, then 90 from both, then 45.
    assert chosen.rows.tolist() == [4, 3, 2]
    np.testing.assert_allclose(chosen.utility[:2], [2.0, np.sqrt(2.0)], rtol=1e-6)


def test_a_weight_of_zero_is_chosen_last() -> None:
    points = whiten(np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32))
    weight = np.ones(20, np.float32)
    weight[:5] = 0.0
    chosen = farthest_first(
        points, np.arange(1, 20), np.array([0]), weight, 19, np.random.default_rng(0)
    )
    assert set(chosen.rows[-4:].tolist()) == {1, 2, 3, 4}


def test_whitened_vectors_have_unit_length_and_flatter_spectrum() -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(500, 20)) * np.geomspace(100, 1, 20)).astype(np.float32)
    white = whiten(x, dims=10)
    assert white.shape == (500, 10)
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), 1.0, rtol=1e-5)
    before = np.linalg.eigvalsh(np.cov(x.T))[-10:]
    after = np.linalg.eigvalsh(np.cov(white.T))
    assert after[-1] / after[0] < before[-1] / before[0] / 10


def test_unknown_names_and_numbers_are_refused_with_help() -> None:
    with pytest.raises(UserError, match=r"'margn' is not known. Did you mean 'margin'"):
        get_strategy("margn")
    with pytest.raises(UserError, match="at least 1"):
        select("random", make_pool(), 0)
