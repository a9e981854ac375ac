"""Areas under learning curves, by hand and as published."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.metrics.learning import aulc_mean, aulc_on_grid, aulc_trapezoid


def test_areas_of_the_published_example():
    # The task page's example file: ATBFL, margin_multilabel.
    n = list(range(50, 501, 50))
    score = [0.36654, 0.384691, 0.411882, 0.431502, 0.446552]
    score += [0.463594, 0.465332, 0.47003, 0.474832, 0.476957]
    for count, area in ((1, 0.18327), (2, 0.279443), (3, 0.319057), (10, 0.415343)):
        assert aulc_trapezoid(n[:count], score[:count]) == pytest.approx(area, abs=2e-6)
    assert aulc_trapezoid(n, score) == pytest.approx((sum(score) - score[-1] / 2) / 10)


def test_a_perfect_head_reaches_095_in_one_form_and_more_in_the_other():
    n = list(range(50, 501, 50))
    assert aulc_trapezoid(n, [1.0] * 10) == pytest.approx(0.95)
    # 1/50 + ... + 50/50 for the first batch, then 450 ones.
    assert aulc_mean(n, [1.0] * 10) == pytest.approx((25.5 + 450) / 500)
    assert aulc_mean([10], [1.0], budget=20) == pytest.approx((5.5 + 10) / 20)


def test_an_equal_grid_takes_the_schedules_part_away():
    fine, coarse = (np.arange(step, 501, step) for step in (25, 50))
    value = [0.2 + n / 1000 for n in (fine, coarse)]
    assert aulc_trapezoid(fine, value[0]) > aulc_trapezoid(coarse, value[1])
    same = [aulc_on_grid(n, v, coarse) for n, v in zip((fine, coarse), value, strict=True)]
    assert same[0] == pytest.approx(same[1])
    assert np.isnan(aulc_on_grid([10], [0.5], [50]))


@pytest.mark.parametrize("n", [[], [50, 50], [50, 40]])
def test_curves_that_are_none_are_refused(n):
    with pytest.raises(UserError, match="learning curve"):
        aulc_trapezoid(n, [0.5] * len(n))
