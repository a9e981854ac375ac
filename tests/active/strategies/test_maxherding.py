from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.registry import select
from antiphon.active.strategies import maxherding
from tests.active.strategies.views import unit, view


@pytest.mark.parametrize("labelled", [[], [4, 70, 71]])
def test_picks_are_those_of_scikit_activeml(labelled: list[int]) -> None:
    pool = pytest.importorskip("skactiveml.pool")
    x = unit(np.random.default_rng(0).normal(size=(120, 6)))
    made = view(x, labelled)
    chosen = select("maxherding", made, 15)
    y = np.full(120, np.nan)
    y[labelled] = 0.0
    query = pool.MaxHerding(metric_dict={"gamma": 1.0}, random_state=0)
    points = made.cache["unit components:64"]
    wanted, utility = query.query(points, y, batch_size=15, return_utilities=True)
    np.testing.assert_array_equal(chosen.rows, wanted)
    np.testing.assert_allclose(chosen.utility, utility[np.arange(15), wanted], rtol=1e-4)


def test_of_many_candidates_a_part_is_to_be_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maxherding, "COVERED", 50)
    free = np.arange(10, 300)
    some = maxherding.to_cover(free, np.random.default_rng(0))
    assert len(set(some.tolist())) == 50
    assert set(some.tolist()) <= set(free.tolist())
    np.testing.assert_array_equal(
        maxherding.to_cover(free[:50], np.random.default_rng(0)), free[:50]
    )
