"""Agreement of clusters, equal to scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from antiphon.errors import UserError
from antiphon.evaluation.metrics.clustering import (
    adjusted_rand_index,
    contingency,
    normalized_mutual_information,
    v_measure,
)

LABELS = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 80), st.integers(1, 9), st.integers(1, 9)
)


@settings(max_examples=200, deadline=None)
@given(LABELS)
def test_equal_to_scikit_learn(case):
    seed, n, classes, clusters = case
    rng = np.random.default_rng(seed)
    true, found = rng.integers(0, classes, n), rng.integers(0, clusters, n) - 1
    assert adjusted_rand_index(true, found) == reference.adjusted_rand_score(true, found)
    assert normalized_mutual_information(true, found) == pytest.approx(
        reference.normalized_mutual_info_score(true, found), abs=1e-14
    )
    for beta in (1.0, 0.3):
        expected = reference.homogeneity_completeness_v_measure(true, found, beta=beta)
        v = v_measure(true, found, beta=beta)
        assert (v.homogeneity, v.completeness, v.v) == pytest.approx(expected, abs=1e-14)
    if n:
        table = reference.cluster.contingency_matrix(true, found)
        np.testing.assert_array_equal(contingency(true, found).table(), table)


def test_equal_clusters_by_other_names_agree_wholly():
    true, found = ["a", "a", "b", "c", "c"], [7, 7, -1, 0, 0]
    assert adjusted_rand_index(true, found) == 1.0
    assert normalized_mutual_information(true, found) == pytest.approx(1.0)
    assert v_measure(true, found).v == pytest.approx(1.0)


def test_one_cluster_for_all_tells_nothing():
    true, found = [0, 0, 1, 1], [0, 0, 0, 0]
    v = v_measure(true, found)
    assert (v.homogeneity, v.completeness, v.v) == (0.0, 1.0, 0.0)
    assert adjusted_rand_index(true, found) == 0.0
    assert normalized_mutual_information(true, found) == 0.0


def test_counts_of_a_large_set_do_not_overflow():
    # n squared squared exceeds 64 bits.
    true = np.repeat([0, 1], 100_000)
    found = true.copy()
    found[:1000] = 1
    expected = reference.adjusted_rand_score(true, found)
    assert adjusted_rand_index(true, found) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    ("true", "found", "match"),
    [([0, 1], [0], "one shape"), ([[0]], [[0]], "one shape"), ([0.0, np.nan], [0, 1], "row 1")],
)
def test_bad_input(true, found, match):
    with pytest.raises(UserError, match=match):
        normalized_mutual_information(true, found)
