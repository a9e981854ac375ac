from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.geometry.salience import salient
from tests.active.strategies.views import unit


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_is_scikit_learns_pca_with_its_variances_partly_divided_out(power: float) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(300, 12)) * np.geomspace(10, 1, 12)).astype(np.float32)
    model = decomposition.PCA(6).fit(unit(x))
    expected = model.transform(unit(x)) * model.explained_variance_ ** (-0.5 * power)
    expected /= np.sqrt((expected**2).sum(axis=1).mean())
    got = salient(x, 6, power)
    np.testing.assert_allclose(got @ got.T, expected @ expected.T, atol=2e-3)
    assert (got**2).sum(axis=1).mean() == pytest.approx(1.0, abs=1e-3)


def test_windows_like_the_background_are_short() -> None:
    rng = np.random.default_rng(1)
    x = 5.0 * rng.normal(size=30) + 0.3 * rng.normal(size=(200, 30))
    x[:20] += 2.0 * rng.normal(size=30)
    length = np.linalg.norm(salient(x.astype(np.float32)), axis=1)
    assert length[:20].min() > length[20:].max()


def test_copies_have_no_length() -> None:
    assert (salient(np.ones((5, 3), np.float32)) == 0.0).all()
