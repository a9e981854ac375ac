"""The draws of BEANS, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.evaluation.benchmarks.sets.splits import draw


@pytest.mark.parametrize("seed", [0, 42])
@pytest.mark.parametrize("n", [20, 137, 1000])
@pytest.mark.parametrize("share", [0.2, 0.4, 0.5])
def test_stratified_draws_are_those_of_scikit_learn(n, share, seed):
    model_selection = pytest.importorskip("sklearn.model_selection")
    rng = np.random.default_rng(n)
    labels = np.array(["b", "a", "c"])[np.minimum(rng.geometric(0.5, n) - 1, 2)].tolist()
    labels[:6] = ["a", "a", "b", "b", "c", "c"]
    first, second = model_selection.train_test_split(
        np.arange(n), test_size=share, random_state=seed, shuffle=True, stratify=labels
    )
    mine = draw(n, share, labels, seed)
    np.testing.assert_array_equal(mine[0], first)
    np.testing.assert_array_equal(mine[1], second)


@pytest.mark.parametrize("n", [5, 4727])
def test_plain_draws_are_those_of_scikit_learn(n):
    model_selection = pytest.importorskip("sklearn.model_selection")
    first, second = model_selection.train_test_split(
        np.arange(n), test_size=0.4, random_state=42, shuffle=True
    )
    mine = draw(n, 0.4, None)
    np.testing.assert_array_equal(mine[0], first)
    np.testing.assert_array_equal(mine[1], second)
