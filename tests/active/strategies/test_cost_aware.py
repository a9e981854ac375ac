from __future__ import annotations

import numpy as np

from antiphon.active.registry import select
from antiphon.active.strategies.cost_aware import Cost, cost_aware_with, seconds_to_label
from tests.active.strategies.views import view


def test_seconds_are_a_fixed_part_and_one_for_each_expected_event() -> None:
    probability = np.array([[0, 0, 0], [1, 1, 0], [0.5, 0.25, 0.25]], np.float32)
    np.testing.assert_allclose(seconds_to_label(probability, Cost(4.0, 2.0)), [4, 8, 6])


def test_of_equally_doubtful_and_distant_windows_the_quicker_is_chosen() -> None:
    # 0.3 and 0.7 have the same entropy; windows 1 to 6 are corners as far from 0 as each other.
    probability = np.full((7, 3), 0.7)
    probability[5] = 0.3
    pool = view(np.eye(7), [0], [[1, 1, 1]], probability)
    assert select("cost-aware", pool, 1).rows.tolist() == [5]
    # Where events cost nothing, it has no advantage.
    same = cost_aware_with(Cost(6.0, 0.0))(pool, 6)
    np.testing.assert_allclose(same.utility, same.utility[0], rtol=1e-4)


def test_dear_events_turn_the_order_round() -> None:
    probability = np.zeros((7, 3))
    probability[1] = 0.5
    probability[2] = [0.2, 0.0, 0.0]
    pool = view(np.eye(7), [0], [[1, 1, 1]], probability)
    assert cost_aware_with(Cost(6.0, 3.0))(pool, 1).rows.tolist() == [1]
    assert cost_aware_with(Cost(0.01, 30.0))(pool, 1).rows.tolist() != [1]
