from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from tests.active.strategies.views import view

LINE = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])


def test_the_chance_is_the_squared_distance_to_the_nearest_labelled_window() -> None:
    count = np.zeros(4)
    for seed in range(3000):
        chosen = select("d2", view(LINE, [0], seed=seed), 1)
        count[chosen.rows[0]] += 1
        assert np.isclose(chosen.utility[0], chosen.rows[0] ** 2 / 14)
    # Three standard deviations are 0.027 at most.
    np.testing.assert_allclose(count / 3000, np.array([0, 1, 4, 9]) / 14, atol=0.03)


def test_chosen_windows_lower_the_chance_of_their_neighbours() -> None:
    for seed in range(50):
        rows = select("d2", view(LINE, [0], seed=seed), 3)
        order = rows.rows.tolist()
        covered = [0]
        for row, share in zip(order, rows.utility, strict=True):
            gap = np.square(LINE[:, :1] - LINE[covered, 0]).min(axis=1)
            assert np.isclose(share, gap[row] / gap.sum(), atol=1e-5)
            covered.append(row)
