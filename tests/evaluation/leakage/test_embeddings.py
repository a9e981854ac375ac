"""Nearest neighbours by blocks equal those of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from antiphon.errors import UserError
from antiphon.evaluation.leakage.embeddings import nearest


def test_blocks_equal_the_whole_matrix():
    rng = np.random.default_rng(0)
    test, train = rng.normal(size=(1500, 8)), rng.normal(size=(9000, 8)).astype(np.float16)
    known = cosine_similarity(test, train)
    best, which = nearest(test, train)
    np.testing.assert_allclose(best, known.max(axis=1), atol=1e-5)
    np.testing.assert_allclose(known[np.arange(1500), which], known.max(axis=1), atol=1e-5)


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_rows_without_a_direction_are_named(bad):
    train = np.ones((4, 3))
    train[2] = bad
    with pytest.raises(UserError, match="row 2 on the second side"):
        nearest(np.ones((1, 3)), train)


def test_different_encoders():
    with pytest.raises(UserError, match="different encoders"):
        nearest(np.ones((1, 3)), np.ones((1, 4)))
