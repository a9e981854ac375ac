"""Ranking statistics of group weights equal those of rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.evaluation.grouped import (
    average_precision_of_groups,
    of_groups,
    roc_auc_of_groups,
)
from antiphon.evaluation.intervals import (
    average_precision_by_label,
    mean_average_precision,
    mean_roc_auc,
    roc_auc_by_label,
)

PAIRS = [
    (roc_auc_of_groups, roc_auc_by_label, mean_roc_auc),
    (average_precision_of_groups, average_precision_by_label, mean_average_precision),
]


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.2, 0.6, 1.0]),
    st.sampled_from([2, 5, 1000]),
)
@pytest.mark.parametrize(("quick", "by_label", "mean"), PAIRS)
def test_equal_to_rows(quick, by_label, mean, seed, n, n_groups, share, levels):
    """With ties, unknown scores and labels, empty groups, and labels of one kind."""
    rng = np.random.default_rng(seed)
    score = rng.integers(0, levels, (n, 3)).astype(float)
    target = (rng.random((n, 3)) < share).astype(np.float32)
    score[rng.random((n, 3)) < 0.1] = np.nan
    target[rng.random((n, 3)) < 0.1] = np.nan
    group = rng.integers(0, n_groups, n)
    weight = rng.integers(0, 4, (7, n_groups)).astype(np.float32)
    for statistic, average in ((by_label, False), (mean, True)):
        found = quick(score, target, group, n_groups, mean=average)
        known = of_groups(statistic, score, target, group, n_groups)
        if found is None:
            continue
        np.testing.assert_allclose(found(weight), known(weight), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("quick", [pair[0] for pair in PAIRS])
def test_rows_are_left_where_groups_are_too_many(quick):
    score, target = np.random.default_rng(0).random((500, 1)), np.ones((500, 1))
    assert quick(score, target, np.arange(500), 500, mean=False) is None
    assert quick(score, target, np.arange(500) % 9, 9, mean=False) is not None
