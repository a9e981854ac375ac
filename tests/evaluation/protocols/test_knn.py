from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from antiphon.errors import UserError
from antiphon.evaluation.protocols import knn as module
from antiphon.evaluation.protocols.knn import knn_probe, nearest_neighbours, unit
from tests.evaluation.protocols.sets import classes, several


@pytest.mark.parametrize("itself", [False, True])
def test_neighbours_are_those_of_scikit_learn(
    itself: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 700)
    x, _ = classes(90, 7, 3, seed=0)
    queries = x if itself else classes(40, 7, 3, seed=1)[0]
    rows, similarity = nearest_neighbours(unit(queries), unit(x), 5, itself=itself)
    peer = NearestNeighbors(n_neighbors=5, metric="cosine", algorithm="brute").fit(x)
    distance, found = peer.kneighbors(None if itself else queries)
    np.testing.assert_array_equal(rows, found)
    np.testing.assert_allclose(1.0 - similarity, distance, atol=1e-6)


def test_predictions_are_those_of_scikit_learn() -> None:
    (x, y), (tx, ty) = classes(200, 9, 4, seed=0, spread=2.0), classes(150, 9, 4, seed=1, spread=2)
    found = knn_probe(x, y, tx, ty, grid=[7])
    peer = KNeighborsClassifier(7, metric="cosine").fit(x, y)
    share = peer.predict_proba(tx)
    np.testing.assert_allclose(found.details["scores"], share, atol=2e-3)
    clear = np.sort(share, axis=1)[:, -1] > np.sort(share, axis=1)[:, -2]
    assert (found.details["predicted"] == peer.predict(tx))[clear].all()


def test_equal_votes_go_to_the_closer_neighbours() -> None:
    x = np.array([[1.0, 0.1], [1.0, 0.9]], np.float32)
    found = knn_probe(x, [0, 1], [[1.0, 0.0]], [0], validation=(x, [0, 1]), grid=[2])
    assert found.details["predicted"].tolist() == [0]


def test_k_is_chosen_on_validation_the_smaller_of_equals() -> None:
    x, y = classes(150, 6, 3, seed=0, spread=2.0)
    vx, vy = classes(80, 6, 3, seed=1, spread=2.0)
    found = knn_probe(x, y, vx, vy, validation=(vx, vy), grid=[1, 5, 15])
    curve = found.details["validation_curve"]
    for k, value in curve.items():
        peer = KNeighborsClassifier(k, metric="cosine").fit(x, y)
        assert value == pytest.approx(peer.score(vx, vy), abs=0.03)
    best = max(curve.values())
    assert found.details["k"] == min(k for k in curve if curve[k] == best)


def test_folds_keep_copies_of_a_group_together() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.standard_normal((40, 10)), 4, axis=0)
    y, group = np.repeat(rng.integers(0, 2, 40), 4), np.repeat(np.arange(40), 4)
    split = knn_probe(x, y, x, y, grid=[1])
    grouped = knn_probe(x, y, x, y, grid=[1], groups=group)
    assert split.details["validation_curve"][1] > 0.95
    assert grouped.details["validation_curve"][1] < 0.7


def test_several_labels_are_scored_by_average_precision() -> None:
    (x, y), (tx, ty) = several(200, 8, 3, 0), several(100, 8, 3, 1)
    found = knn_probe(x, y, tx, ty, validation=(tx, ty))
    assert found["map"].value == pytest.approx(max(found.details["validation_curve"].values()))


def test_a_k_above_the_items_is_left_out_and_said() -> None:
    x, y = classes(20, 4, 2, seed=0)
    found = knn_probe(x, y, x, y, validation=(x, y), grid=[3, 50])
    assert list(found.details["validation_curve"]) == [3]
    assert any("50" in note for note in found.notes)
    with pytest.raises(UserError, match="smallest k is 30"):
        knn_probe(x, y, x, y, validation=(x, y), grid=[30])
