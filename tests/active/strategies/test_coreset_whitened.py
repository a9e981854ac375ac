from __future__ import annotations

import numpy as np

from antiphon.active.geometry.whitening import whiten
from antiphon.active.registry import select
from tests.active.strategies.views import circle, view


def test_each_choice_is_the_farthest_in_the_whitened_space() -> None:
    x = np.random.default_rng(0).normal(size=(60, 10)).astype(np.float32)
    points = whiten(x)
    labelled = [4, 9, 30]
    covered = list(labelled)
    for row in select("coreset-whitened", view(x, labelled), 10).rows:
        gap = np.linalg.norm(points[:, None] - points[covered], axis=2).min(axis=1)
        assert row == int(np.argmax(gap))
        covered.append(int(row))


def test_loudness_does_not_matter() -> None:
    x = circle([0, 20, 100, 200, 300]) * np.array([[1], [500], [1], [2], [0.1]], np.float32)
    quiet = circle([0, 20, 100, 200, 300])
    rows = [select("coreset-whitened", view(one, [0]), 4).rows.tolist() for one in (x, quiet)]
    assert rows[0] == rows[1]
