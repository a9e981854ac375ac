from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from antiphon.evaluation.noncentral import noncentral_t_share


@pytest.mark.parametrize("df", [1, 2, 5, 30, 300, 4000])
def test_it_is_scipys_where_scipy_has_a_value(df):
    shift, t = np.meshgrid(np.linspace(-6, 6, 13), np.linspace(-8, 8, 17))
    reference = stats.nct.cdf(t, df, shift)
    known = np.isfinite(reference)
    assert known.mean() > 0.5
    found = noncentral_t_share(df, shift, t)
    np.testing.assert_allclose(found[known], reference[known], atol=2e-6)
    # Everywhere a share that grows with t.
    assert ((found >= -1e-12) & (found <= 1.0 + 1e-12)).all()
    assert (np.diff(found, axis=0) >= -1e-9).all()


def test_one_degree_of_freedom_by_simulation():
    rng = np.random.default_rng(0)
    draws = (rng.normal(size=400_000) + 28.0) / np.abs(rng.normal(size=400_000))
    np.testing.assert_allclose(
        noncentral_t_share(1, 28.0, [12.7, 28.0, 90.0]),
        [(draws <= t).mean() for t in (12.7, 28.0, 90.0)],
        atol=0.004,
    )
