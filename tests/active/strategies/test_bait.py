from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from antiphon.active.base import KnownHead, PoolView
from antiphon.active.registry import select
from antiphon.active.strategies import bait
from antiphon.active.strategies.bait import Posterior, Settings, bait_with, low_rank
from tests.active.strategies.views import view

Float = npt.NDArray[np.floating]
N, LABELS, WIDTH = 40, 3, 5


def made(seed: int = 0, n: int = N) -> PoolView:
    rng = np.random.default_rng(seed)
    hidden = np.maximum(rng.normal(size=(n, WIDTH)) + 0.3, 0).astype(np.float32)
    head = KnownHead(rng.random((n, LABELS)).astype(np.float32), hidden)
    return replace(view(np.eye(n), [3, 8], seed=seed), head=head)


def trace(pool: PoolView, rows: list[int], features: Float) -> float:
    """Return tr(M^-1 F) with all blocks written out."""
    assert pool.head is not None
    p = pool.head.probabilities().astype(float)
    total = 0.0
    for label in range(LABELS):
        weight = p[:, label] * (1 - p[:, label])
        fisher = (features * weight[:, None]).T @ features / len(features)
        some = features[rows] * np.sqrt(weight[rows, None])
        total += np.trace(np.linalg.solve(np.eye(features.shape[1]) + some.T @ some, fisher))
    return total


def test_each_choice_leaves_the_smallest_trace() -> None:
    pool = made()
    chosen = select("bait", pool, 8)
    assert pool.head is not None
    features = low_rank(pool.head.hidden(), WIDTH).astype(float)
    rows = [3, 8]
    for row, gain in zip(chosen.rows, chosen.utility, strict=True):
        before = trace(pool, rows, features)
        after = {i: trace(pool, [*rows, i], features) for i in range(N) if i not in rows}
        assert row == min(after, key=after.__getitem__)
        assert gain == pytest.approx(before - after[int(row)], rel=1e-3)
        rows.append(int(row))


def test_taking_back_the_least_useful_row_leaves_the_smallest_trace() -> None:
    pool = made(1)
    assert pool.head is not None
    features = low_rank(pool.head.hidden(), WIDTH)
    p = pool.head.probabilities()
    spread = p * (1 - p)
    state = Posterior.fit(features, spread, pool.labelled, 1.0)
    free = pool.candidates()
    rows, _ = state.forward(features[free], spread[free], 8)
    keep = state.backward(features[free[rows]], spread[free[rows]], 5)
    left = free[rows].tolist()
    for _ in range(3):
        after = {
            i: trace(pool, [3, 8, *(j for j in left if j != i)], features.astype(float))
            for i in left
        }
        left.remove(min(after, key=after.__getitem__))
    assert free[rows[keep]].tolist() == left


def test_a_surplus_ends_no_worse_than_the_plain_choice_on_the_whole() -> None:
    plain, surplus = 0.0, 0.0
    for seed in range(12):
        pool = made(seed)
        assert pool.head is not None
        features = low_rank(pool.head.hidden(), WIDTH).astype(float)
        plain += trace(pool, [3, 8, *bait_with(Settings())(pool, 6).rows], features)
        again = bait_with(Settings(surplus=2.0))(pool, 6).rows
        assert len(set(again.tolist())) == 6
        surplus += trace(pool, [3, 8, *again], features)
    assert surplus < 1.01 * plain


def test_low_rank_features_keep_inner_products() -> None:
    rng = np.random.default_rng(0)
    hidden = (rng.normal(size=(300, 3)) @ rng.normal(size=(3, 50)) + 1.0).astype(np.float32)
    found = low_rank(hidden, 4)
    ratio = (hidden @ hidden.T) / (found @ found.T)
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-2)
    assert np.square(found).mean() == pytest.approx(1.0, rel=1e-4)


def test_few_of_many_candidates_take_part() -> None:
    pool = made(2, n=200)
    settings = Settings(examined=20)
    chosen = bait_with(settings)(pool, 3)
    # The first is the best of all in any case.
    assert chosen.rows[0] == select("bait", pool, 1).rows[0]
    assert bait.Settings().examined > 1000
