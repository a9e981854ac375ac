from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.protocols.unknown_k import clustering_unknown_k
from tests.evaluation.protocols.sets import classes


def test_an_unknown_number_of_clear_clusters_is_found_and_stable() -> None:
    x, y = classes(200, 6, 5, seed=0, spread=0.15)
    found = clustering_unknown_k(x, y, subsamples=4)
    assert found["clusters"].value == 5
    assert found["nmi_clustered"].value == pytest.approx(1.0)
    assert found["stability"].value > 0.95
    assert found["noise"].value < 0.1
    assert found["stability"].low <= found["stability"].value <= found["stability"].high


def test_labels_have_no_say_in_the_choice_of_the_size() -> None:
    x, y = classes(150, 4, 4, seed=0, spread=0.5)
    one = clustering_unknown_k(x, y, subsamples=3)
    other = clustering_unknown_k(x, np.random.default_rng(0).permutation(y), subsamples=3)
    assert one.details["min_cluster_size"] == other.details["min_cluster_size"]
    np.testing.assert_array_equal(one.details["clusters"], other.details["clusters"])


def test_structureless_items_are_said_to_have_none() -> None:
    x = np.random.default_rng(0).uniform(size=(80, 2))
    found = clustering_unknown_k(x, np.arange(80) % 2, sizes=(30,), subsamples=2)
    assert found["noise"].value == 1.0
    assert np.isnan(found["nmi_clustered"].value)
    assert any("no two clusters" in note for note in found.notes)


def test_a_random_part_stands_for_many_items() -> None:
    x, y = classes(200, 4, 3, seed=0, spread=0.1)
    found = clustering_unknown_k(x, y, most=90, subsamples=2, sizes=(5,))
    assert len(found.details["rows"]) == 90
    assert any("90 of 200 items" in note for note in found.notes)


def test_cosine_sees_directions_only() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 50)
    way = np.array([[1.0, 0.0], [0.0, 1.0]])[y] + 0.02 * rng.standard_normal((100, 2))
    x = way * rng.uniform(0.1, 10.0, (100, 1))
    found = clustering_unknown_k(x, y, metric="cosine", sizes=(20,), subsamples=2)
    assert found["clusters"].value == 2
    with pytest.raises(UserError, match="euclidean, cosine"):
        clustering_unknown_k(x, y, metric="manhattan")


def test_sizes_too_large_are_an_error_or_said() -> None:
    x, y = classes(40, 4, 3, seed=0, spread=0.1)
    found = clustering_unknown_k(x, y, sizes=(5, 30), subsamples=2)
    assert any("cluster of 30 is too large" in note for note in found.notes)
    with pytest.raises(UserError, match="too few items"):
        clustering_unknown_k(x, y, sizes=(30,))
