from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies.margin import top_two
from tests.active.strategies.views import view


def test_the_two_best_labels_decide() -> None:
    probability = np.array(
        [[0.9, 0.1, 0.0], [0.5, 0.45, 0.05], [0.4, 0.1, 0.35], [0.34, 0.33, 0.33]]
    )
    pool = view(np.eye(4), probability=probability, multilabel=False)
    chosen = select("margin", pool, 4)
    # Margins are 0.8, 0.05, 0.05 and 0.01.
    assert chosen.rows[0] == 3
    assert set(chosen.rows[1:3].tolist()) == {1, 2}
    np.testing.assert_allclose(chosen.utility, [0.99, 0.95, 0.95, 0.2], atol=1e-6)


def test_scores_are_those_of_scikit_activeml() -> None:
    pool = pytest.importorskip("skactiveml.pool")
    p = np.random.default_rng(0).dirichlet(np.ones(6), 100)
    wanted = pool.uncertainty_scores(p, method="margin_sampling")
    np.testing.assert_allclose(1.0 - top_two(p.astype(np.float32)), wanted, atol=1e-6)


def test_a_single_label_is_compared_with_its_absence() -> None:
    pool = view(np.eye(3), probability=[[0.9], [0.45], [0.02]], n_labels=1)
    assert select("margin", pool, 3).rows.tolist() == [1, 0, 2]
