from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from antiphon.active.strategies.mismatch_first import mismatch
from tests.active.strategies.views import view

NAN = float("nan")


def test_mismatch_of_many_labels_and_of_one() -> None:
    probability = np.array([[0.6, 0.1], [0.6, 0.1], [0.4, 0.3], [0.6, 0.1]], np.float32)
    around = np.array([[1, 0], [0, 0], [1, 0], [1, NAN]], np.float32)
    assert mismatch(probability, around, multilabel=True).tolist() == [False, True, True, False]
    # With one label the largest probability is the prediction, however small.
    assert mismatch(probability, around, multilabel=False).tolist() == [
        False,
        True,
        False,
        False,
    ]


def test_mismatched_windows_come_first_each_the_farthest_from_the_last() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 5))
    labelled = np.arange(12)
    labels = (rng.random((12, 2)) < 0.5).astype(float)
    probability = np.clip(rng.random((60, 2)), 0.01, 0.99)
    pool = view(x, labelled, labels, probability)
    chosen = select("mismatch-first", pool, 48)
    points = pool.cache["whiten:64"]
    distance = np.sqrt(np.maximum(0.0, 2.0 - 2.0 * points @ points.T))
    nearest = distance[:, :12].argmin(axis=1)
    differs = ((probability >= 0.5) != (labels[nearest] == 1.0)).any(axis=1)
    differs[:12] = False
    covered, expected = list(labelled), []
    for group in (
        np.flatnonzero(differs),
        np.setdiff1d(np.arange(12, 60), np.flatnonzero(differs)),
    ):
        left = list(group)
        while left:
            best = max(left, key=lambda row: distance[row, covered].min())
            expected.append(best)
            covered.append(best)
            left.remove(best)
    assert 0 < differs.sum() < 48
    assert chosen.rows.tolist() == expected
    # Whatever the distance, a mismatched window is worth more than a matched one.
    assert chosen.utility[: differs.sum()].min() >= 2.0
    assert chosen.utility[differs.sum() :].max() <= 2.0
