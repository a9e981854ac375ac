"""Agreement of annotators against published examples, scikit-learn and hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from antiphon.errors import UserError
from antiphon.evaluation.agreement import agreement, cohen_kappa, krippendorff_alpha

_ = np.nan
# Krippendorff (2011), example of section C: four observers, twelve units, gaps.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T


@pytest.mark.parametrize(
    ("level", "value"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_alpha_is_the_published_one(level, value):
    assert krippendorff_alpha(PUBLISHED, level) == pytest.approx(value, abs=5e-4)


@pytest.mark.parametrize("weights", [None, "linear", "quadratic"])
def test_kappa_is_scikit_learns(weights):
    rng = np.random.default_rng(3)
    for levels in (2, 4):
        a = rng.integers(0, levels, 60).astype(float)
        b = np.where(rng.random(60) < 0.6, a, rng.integers(0, levels, 60))
        expected = cohen_kappa_score(a, b, weights=weights)
        assert cohen_kappa(a, b, weights=weights) == pytest.approx(expected, abs=1e-12)


def test_units_that_one_rater_left_out_do_not_count():
    a, b = np.array([1, 0, 1, np.nan, 0]), np.array([1, 0, 0, 1, np.nan])
    assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score([1, 0, 1], [1, 0, 0]))


def test_what_is_not_defined_is_nan():
    assert np.isnan(cohen_kappa([1, 1, 1], [1, 1, 1]))
    assert np.isnan(cohen_kappa([np.nan, 1], [1, np.nan]))
    assert np.isnan(krippendorff_alpha([[1, 1], [1, 1]]))
    assert np.isnan(krippendorff_alpha([[1, np.nan], [np.nan, 0]]))


def test_two_raters_on_one_label_by_hand():
    # 20 units: both present 6, both absent 10, one alone 3, the other alone 1.
    one = np.array([1] * 6 + [0] * 10 + [1] * 3 + [0], float)
    other = np.array([1] * 6 + [0] * 10 + [0] * 3 + [1], float)
    ratings = np.stack([one, other], axis=1)[:, :, None]
    (found,) = agreement(ratings, ["wren"], np.arange(20), rng=np.random.default_rng(0))
    assert (found.units, found.groups) == (20, 20)
    assert found.positive == pytest.approx(12 / 16)
    assert found.present == pytest.approx(16 / 40)
    assert found.pairs[0].observed == pytest.approx(0.8)
    assert found.pairs[0].kappa == pytest.approx(cohen_kappa_score(one, other))
    assert found.pairs[0].low < found.pairs[0].kappa < found.pairs[0].high
    # Coincidences: 4 disagreements of 40 ratings with 16 present and 24 absent.
    assert found.alpha == pytest.approx(1 - 39 * 8 / (2 * 16 * 24))
    assert found.alpha == pytest.approx(krippendorff_alpha(ratings[:, :, 0]))
    assert found.low < found.alpha < found.high


def test_the_interval_resamples_groups():
    rng = np.random.default_rng(1)
    site = np.repeat(np.arange(12), 10)
    # A site is rated alike or not at all alike, so windows of it are not independent.
    careful = rng.random(12) < 0.6
    one = rng.integers(0, 2, 120).astype(float)
    other = np.where(careful[site], one, rng.integers(0, 2, 120))
    ratings = np.stack([one, other], axis=1)[:, :, None]
    (by_site,) = agreement(ratings, ["x"], site, rng=np.random.default_rng(0))
    (by_unit,) = agreement(ratings, ["x"], np.arange(120), rng=np.random.default_rng(0))
    wide, narrow = by_site.pairs[0], by_unit.pairs[0]
    assert wide.kappa == pytest.approx(narrow.kappa)
    assert wide.high - wide.low > narrow.high - narrow.low
    assert by_site.alpha == by_unit.alpha
    assert by_site.high - by_site.low > 1.3 * (by_unit.high - by_unit.low)


def test_three_raters_with_gaps_and_a_label_nobody_shares():
    rng = np.random.default_rng(5)
    ratings = rng.integers(0, 2, (50, 3, 2)).astype(float)
    ratings[rng.random(ratings.shape) < 0.3] = np.nan
    ratings[:, 1:, 1] = np.nan
    one, other = agreement(ratings, ["a", "b"], np.arange(50), rng=np.random.default_rng(0))
    assert one.alpha == pytest.approx(krippendorff_alpha(ratings[:, :, 0]))
    assert len(one.pairs) == 3
    assert other.units == 0
    assert np.isnan(other.alpha)
    assert np.isnan(other.positive)
    assert other.pairs == ()


def test_wrong_input_is_an_error():
    with pytest.raises(UserError, match="0, 1 or NaN"):
        agreement(np.full((2, 2, 1), 2.0), ["a"], [0, 1], rng=np.random.default_rng(0))
    with pytest.raises(UserError, match=r"2 labels"):
        agreement(np.zeros((2, 2, 1)), ["a", "b"], [0, 1], rng=np.random.default_rng(0))
    with pytest.raises(UserError, match="one rating each"):
        cohen_kappa([1, 0], [1])
    with pytest.raises(UserError, match="nominal, ordinal"):
        krippendorff_alpha([[1, 2], [2, 1]], "cardinal")
