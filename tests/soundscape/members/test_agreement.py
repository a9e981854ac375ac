import numpy as np
import pytest
from scipy.stats import spearmanr

from antiphon.soundscape.members.agreement import BOUNDS, Bound, compare


def test_rank_correlation_is_the_mean_of_spearmans_over_classes() -> None:
    rng = np.random.default_rng(0)
    a = rng.uniform(size=(9, 4, 3)).astype(np.float32)
    b = np.clip(a + 0.2 * rng.standard_normal(a.shape), 0, 1).astype(np.float32)
    found = compare([a], [b], [True])
    rows_a, rows_b = a.reshape(-1, 3), b.reshape(-1, 3)
    expected = [spearmanr(rows_a[:, c], rows_b[:, c]).statistic for c in range(3)]
    assert found.rank_correlation == pytest.approx(np.mean(expected))
    assert found.ranked == 3
    assert found.largest_difference == pytest.approx(float(np.abs(a - b).max()))


def test_classes_that_hardly_spread_are_not_ranked() -> None:
    a = np.array([[0.1, 0.5], [0.1001, 0.6], [0.1002, 0.9]], np.float32)
    b = a.copy()
    b[:, 0] = a[::-1, 0]
    found = compare([a], [b], [True])
    assert (found.ranked, found.rank_correlation) == (1, 1.0)
    assert found.largest_difference == pytest.approx(0.0002, rel=1e-3)
    assert compare([a[:, :1]], [b[:, :1]], [True]).rank_correlation == 1.0


def test_embeddings_differ_as_a_share_of_the_largest_number() -> None:
    a = np.array([[200.0, -50.0], [100.0, 20.0]], np.float32)
    b = a + np.array([[0.0, 1.0], [0.0, 0.0]], np.float32)
    assert compare([a], [b], [False]).largest_difference == pytest.approx(1 / 200)


def test_bounds() -> None:
    a = np.linspace(0, 1, 20, dtype=np.float32)[:, None]
    assert compare([a], [a], [True]).within(BOUNDS["f32"])
    assert not compare([a], [a[::-1]], [True]).within(Bound(0.0, 1.0))
    assert not compare([a], [a + np.float32(0.1)], [True]).within(Bound(0.9, 0.05))
    with np.errstate(invalid="ignore"):
        broken = np.full_like(a, np.nan)
        assert not compare([a], [broken], [True]).within(Bound(-1.0, 1e9))
        # NaN in the first output is not hidden by the second.
        assert not compare([a, a], [broken, a], [True, True]).within(Bound(-1.0, 1e9))


def test_a_constant_where_the_reference_varies_has_no_correlation() -> None:
    a = np.linspace(0, 1, 5, dtype=np.float32)[:, None]
    assert compare([a], [np.full_like(a, 0.5)], [True]).rank_correlation == 0.0
