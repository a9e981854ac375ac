"""Weights and variances of designs: by hand, by enumerating all samples, and by simulation."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.archive.designs import (
    ByInclusion,
    Sequential,
    Stratified,
    WithReplacement,
)

VALUES = np.array([3.0, 1.0, 4.0, 1.5, 9.0])


def test_all_stratified_samples():
    """Five windows in strata of 2 and 3, labels 1 and 2: exact mean, exact mean variance."""
    first, second = VALUES[:2], VALUES[2:]
    totals, variances = [], []
    for pair in combinations(range(3), 2):
        for one in range(2):
            design = Stratified(["a", "b", "b"], {"a": 2, "b": 3})
            z = np.array([first[one], *second[list(pair)]])
            totals.append(design.weight @ z)
    assert np.mean(totals) == pytest.approx(VALUES.sum())
    # Without a stratum of one label the variance is unbiased too.
    totals = []
    for pair in combinations(range(3), 2):
        design = Stratified(["a", "a", "b", "b"], {"a": 2, "b": 3})
        z = np.array([*first, *second[list(pair)]])
        totals.append(design.weight @ z)
        variances.append(design.variance(z)[0])
    assert np.mean(totals) == pytest.approx(VALUES.sum())
    assert np.mean(variances) == pytest.approx(np.var(totals))


def test_all_sequential_samples():
    """Every order of drawing three of five, chances in proportion to a weight: both unbiased."""
    rate = np.array([0.1, 0.3, 0.2, 0.15, 0.25])
    mean = variance = square = 0.0
    for order in permutations(range(5), 3):
        left, q = 1.0, []
        for row in order:
            q.append(rate[row] / left)
            left -= rate[row]
        design = Sequential(q, 5)
        z = VALUES[list(order)]
        chance = float(np.prod(q))
        total = float(design.weight @ z)
        mean += chance * total
        square += chance * total**2
        variance += chance * design.variance(z)[0]
    assert mean == pytest.approx(VALUES.sum())
    # Weights of steps differ, so the variance is unbiased only to first order.
    assert variance == pytest.approx(square - mean**2, rel=0.15)


def test_sequential_with_even_chances_is_a_simple_sample():
    size, n = 1000, 200
    rng = np.random.default_rng(0)
    z = rng.random(n)
    design = Sequential(1.0 / (size - np.arange(n)), size)
    np.testing.assert_allclose(design.weight, size / n)
    simple = size**2 * (1 - n / size) * z.var(ddof=1) / n
    assert design.variance(z)[0] == pytest.approx(simple, rel=0.05)


def test_a_labelled_archive_has_no_variance():
    every = Sequential(1.0 / np.arange(5, 0, -1), 5)
    assert every.variance(VALUES) == (0.0, 4.0)
    assert every.weight @ VALUES == VALUES.sum()
    assert Stratified([0, 0, 0], {0: 3}).variance(VALUES[:3])[0] == 0.0
    assert ByInclusion([1.0, 1.0], 2).variance(VALUES[:2])[0] == 0.0


def test_poisson_and_fixed_samples_by_simulation():
    rng = np.random.default_rng(1)
    size, n = 2000, 100
    y = rng.gamma(2.0, size=size)
    p = n * (y + 0.5) / (y + 0.5).sum()
    totals, variances = {True: [], False: []}, {True: [], False: []}
    order = np.empty(0, int)
    for _ in range(1500):
        poisson = np.flatnonzero(rng.random(size) < p)
        order = rng.permutation(size)
        # Systematic sampling of a shuffled list has exactly these chances.
        steps = np.searchsorted(np.cumsum(p[order]), rng.random() + np.arange(n))
        for fixed, rows in ((False, poisson), (True, order[np.minimum(steps, size - 1)])):
            design = ByInclusion(p[rows], size, fixed_size=fixed)
            totals[fixed].append(design.weight @ y[rows])
            variances[fixed].append(design.variance(y[rows])[0])
    for fixed in (True, False):
        found = np.array(totals[fixed])
        assert found.mean() == pytest.approx(y.sum(), abs=4 * found.std() / np.sqrt(1500))
        assert np.mean(variances[fixed]) == pytest.approx(found.var(), rel=0.12)


def test_with_replacement_as_hansen_and_hurwitz():
    design = WithReplacement([0.5, 0.25, 0.25], 4)
    np.testing.assert_allclose(design.weight, [2 / 3, 4 / 3, 4 / 3])
    z = np.array([1.0, 1.0, 0.0])
    estimates = z / [0.5, 0.25, 0.25]
    assert design.variance(z)[0] == pytest.approx(estimates.var(ddof=1) / 3)


def test_rao_wu_weights_have_the_variance():
    rng = np.random.default_rng(2)
    stratum = np.repeat([0, 1], [30, 50])
    design = Stratified(stratum, {0: 40, 1: 5000})
    z = rng.random(80)
    drawn = design.resampled(20_000, rng) @ z
    assert drawn.mean() == pytest.approx(design.weight @ z, rel=0.01)
    assert drawn.var() == pytest.approx(design.variance(z)[0], rel=0.05)


def test_a_stratum_with_one_label_is_joined():
    design = Stratified([0, 1, 1, 2], {0: 10, 1: 10, 2: 10})
    assert "2 strata" in design.note
    z = np.array([1.0, 0.0, 0.0, 0.0])
    # All three become one stratum of 30 windows and 4 labels.
    assert design.variance(z)[0] == pytest.approx(900 * (1 - 4 / 30) * z.var(ddof=1) / 4)
    drawn = design.resampled(10, np.random.default_rng(0))
    assert drawn.shape == (10, 4)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Stratified([0, 0], {0: 9, 1: 5}), "no label"),
        (lambda: Stratified([0, 7], {0: 9}), "without a size: 7"),
        (lambda: Stratified([0, 1], {0: 9, 1: 0}), "size 0: 1"),
        (lambda: Stratified([0, 0, 0], {0: 2}), "only 2"),
        (lambda: ByInclusion([0.5, np.nan], 9), "not known"),
        (lambda: ByInclusion([0.5, 0.0], 9), "Row 1"),
        (lambda: ByInclusion([0.5, 1.5], 9), "at most 1"),
        (lambda: ByInclusion([], 9), "one chance"),
        (lambda: ByInclusion([0.5, 0.5], 1), "only 1"),
        (lambda: Sequential([0.1, 1.0], 9), "Draw 1 was certain"),
        (lambda: Sequential([0.1, 0.2], 9, least=[0.1, 0.0]), "no chance"),
        (lambda: Sequential([0.1, -0.2], 9), "above 0"),
        (lambda: WithReplacement([0.1], 0), "nothing to draw"),
    ],
)
def test_what_cannot_be_corrected_is_an_error(make, said):
    with pytest.raises(UserError, match=said):
        make()
