from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, v_measure_score

from antiphon.errors import UserError
from antiphon.evaluation.protocols.clustering import clustering
from tests.evaluation.protocols.sets import classes


def test_the_published_protocol_gives_the_published_numbers() -> None:
    x, y = classes(300, 20, 6, seed=0, spread=2.5)
    found = clustering(x, y)
    peer = KMeans(n_clusters=6, n_init=10, max_iter=300, random_state=42).fit_predict(x)
    assert found["nmi"].value == pytest.approx(normalized_mutual_info_score(y, peer), abs=0.01)
    own = found.details["clusters"]
    assert found["nmi"].value == pytest.approx(normalized_mutual_info_score(y, own), abs=1e-9)
    assert found["ari"].value == pytest.approx(adjusted_rand_score(y, own), abs=1e-9)
    assert found["v_measure"].value == pytest.approx(v_measure_score(y, own), abs=1e-9)
    assert found.details["k"] == 6
    assert found["ari"].low < found["ari"].value < found["ari"].high


def test_embeddings_are_not_normalised() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    x = (1.0 + 9.0 * y)[:, None] * np.array([[1.0, 1.0]]) + 0.05 * rng.standard_normal((120, 2))
    assert clustering(x, y)["nmi"].value == pytest.approx(1.0)


def test_items_with_several_labels_are_left_out_and_counted() -> None:
    x, y = classes(90, 6, 3, seed=0, spread=0.2)
    labels = np.eye(3)[y]
    labels[:10] = 1.0
    labels[10:15] = 0.0
    found = clustering(x, labels)
    assert found["nmi"].n == 75
    assert "15 of 90 items" in found.notes[0]
    assert found["nmi"].value > 0.9


def test_one_label_is_nothing_to_compare_with() -> None:
    with pytest.raises(UserError, match="Fewer than 2 labels"):
        clustering(np.eye(5), np.zeros(5, int))


def test_lonely_classes_are_named() -> None:
    x, y = classes(60, 5, 3, seed=0)
    keep = (y != 1) | (np.cumsum(y == 1) == 1)
    found = clustering(x[keep], y[keep], names=["a", "b", "c"])
    assert "Classes with one item: b." in found.notes
