from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from tests.active.strategies.views import view


def test_every_candidate_has_the_same_chance() -> None:
    count = np.zeros(12)
    for seed in range(1500):
        count[select("random", view(np.ones((12, 2)), [3, 8], seed=seed), 4).rows] += 1
    assert count[[3, 8]].tolist() == [0, 0]
    # 4 of 10, with a standard deviation of 0.013.
    np.testing.assert_allclose(np.delete(count, [3, 8]) / 1500, 0.4, atol=0.05)
