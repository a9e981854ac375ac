from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

from antiphon.errors import UserError
from antiphon.evaluation.protocols.retrieval import retrieval
from tests.evaluation.protocols.sets import classes, several


def looped(x, y, gallery=None, gallery_y=None):
    """Return areas and hits query by query, as published."""
    gallery, gallery_y = (x, y) if gallery is None else (gallery, gallery_y)
    itself = gallery is x
    areas, hits = [], []
    for i, row in enumerate(cosine_similarity(x, gallery)):
        relevant = (gallery_y @ y[i]) > 0
        kept = np.arange(len(gallery)) != i if itself else np.ones(len(gallery), dtype=bool)
        if not relevant[kept].any():
            continue
        areas.append(roc_auc_score(relevant[kept], row[kept]))
        hits.append(relevant[kept][row[kept].argmax()])
    return np.mean(areas), np.mean(hits)


def test_one_label_each_test_against_test() -> None:
    x, y = classes(150, 8, 5, seed=0, spread=2.0)
    found = retrieval(x, y)
    area, hits = looped(x, np.eye(5)[y])
    assert found["r_auc"].value == pytest.approx(area, abs=1e-6)
    assert found["p_at_1"].value == pytest.approx(hits, abs=1e-9)
    assert found["r_auc"].low < area < found["r_auc"].high
    assert found["p_at_1"].low < hits < found["p_at_1"].high
    assert found.details["mode"] == "test-test"


def test_several_labels_test_against_training() -> None:
    (x, y), (tx, ty) = several(120, 6, 4, 0), several(80, 6, 4, 1)
    found = retrieval(tx, ty, gallery=(x, y))
    area, hits = looped(tx, ty, x, y)
    assert found["r_auc"].value == pytest.approx(area, abs=1e-6)
    assert found["p_at_1"].value == pytest.approx(hits, abs=1e-9)
    assert found.details["mode"] == "train-test"
    assert found["r_auc"].n + found.details["skipped"] == 80
    assert f"{found.details['skipped']} queries" in found.notes[0]


def test_groups_are_what_is_drawn() -> None:
    x, y = classes(100, 8, 4, seed=0, spread=2.0)
    found = retrieval(x, y, groups=np.arange(100) // 10)
    assert "10 groups drawn" in found["r_auc"].note


def test_queries_that_share_nothing_are_an_error() -> None:
    with pytest.raises(UserError, match="No query shares"):
        retrieval(np.eye(3) + 0.1, [0, 1, 2])


def test_tied_first_places_are_shared_in_the_value_and_in_its_interval() -> None:
    # Four copies of one vector: which of them comes first is chance.
    x, y = np.ones((4, 3)), np.array([0, 0, 1, 1])
    found = retrieval(x, y, n_resamples=50)
    first = found.measures[1]
    assert first.value == first.low == first.high == pytest.approx(1 / 3)
    assert found.details["per_query_hit"] == pytest.approx(np.full(4, 1 / 3))
