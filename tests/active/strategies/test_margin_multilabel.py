from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from tests.active.strategies.views import view


def test_the_mean_distance_from_one_half_decides() -> None:
    probability = np.full((8, 3), 0.99)
    probability[5] = (0.5, 0.5, 0.5)
    probability[2] = (0.5, 0.4, 0.9)
    probability[0] = (0.5, 0.5, 0.5)
    chosen = select("margin-multilabel", view(np.eye(8), [0], probability=probability), 2)
    assert chosen.rows.tolist() == [5, 2]
    # The second has distances 0, 0.1 and 0.4.
    np.testing.assert_allclose(chosen.utility, [1.0, 1 - 2 * 0.5 / 3], atol=1e-6)


def test_equal_windows_are_chosen_at_random() -> None:
    probability = np.full((20, 2), 0.5)
    first = {
        int(
            select("margin-multilabel", view(np.eye(20), probability=probability, seed=s), 1).rows[
                0
            ]
        )
        for s in range(30)
    }
    assert len(first) > 5


def test_scores_are_those_of_scikit_activeml_label_by_label() -> None:
    pool = pytest.importorskip("skactiveml.pool")
    p = np.random.default_rng(0).random((50, 4))
    each = [
        pool.uncertainty_scores(np.stack([1 - p[:, j], p[:, j]], 1), method="margin_sampling")
        for j in range(4)
    ]
    chosen = select("margin-multilabel", view(np.eye(50), probability=p, n_labels=4), 50)
    np.testing.assert_allclose(chosen.utility, np.mean(each, axis=0)[chosen.rows], atol=1e-5)
