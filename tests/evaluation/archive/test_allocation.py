"""How many to label, and drawing them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.archive.allocation import allocate, draw_sequential, draw_stratified
from antiphon.evaluation.archive.designs import Stratified
from antiphon.evaluation.archive.quality import archive_quality

SIZES, POSITIVE, DETECTED = [900, 300, 60], [0.02, 0.3, 0.9], [0.0, 0.2, 1.0]


def test_prevalence_by_neymans_rule():
    found = allocate(SIZES, POSITIVE, DETECTED, measure="prevalence", total=120)
    weight = np.array(SIZES) * np.sqrt(np.array(POSITIVE) * (1 - np.array(POSITIVE)))
    np.testing.assert_allclose(found.counts, 120 * weight / weight.sum(), atol=1)
    assert found.total == 120
    assert found.value == pytest.approx((18 + 90 + 54) / 1260)


@pytest.mark.parametrize("measure", ["precision", "recall", "prevalence"])
def test_no_other_allocation_is_better(measure):
    sizes = [20, 12, 8]
    found = allocate(sizes, POSITIVE, DETECTED, measure=measure, total=14, at_least=1)
    best = min(
        _expected(sizes, counts, measure)
        for counts in product(range(1, 13), range(1, 13), range(1, 9))
        if sum(counts) == 14
    )
    # Whole numbers are rounded from the best fractions, so nearly the best is reached.
    assert _expected(sizes, found.counts, measure) <= 1.02 * best


def _expected(sizes, counts, measure):
    """Standard error of a ratio by the moments of each stratum, written out window by window."""
    n, p, d = np.array(sizes, float), np.array(POSITIVE), np.array(DETECTED)
    below = {"precision": d, "recall": p, "prevalence": np.ones(3)}[measure]
    above = p if measure == "prevalence" else p * d
    value = (n @ above) / (n @ below)
    variance = 0.0
    for h in range(3):
        cells = [
            (y, x, (p[h] if y else 1 - p[h]) * (d[h] if x else 1 - d[h]))
            for y in (0, 1)
            for x in (0, 1)
        ]
        top = [y if measure == "prevalence" else y * x for y, x, _ in cells]
        low = [{"precision": x, "recall": y, "prevalence": 1}[measure] for y, x, _ in cells]
        chance = np.array([c for _, _, c in cells])
        z = (np.array(top) - value * np.array(low)) / (n @ below)
        spread = chance @ z**2 - (chance @ z) ** 2
        variance += n[h] ** 2 * spread * (1 / counts[h] - 1 / n[h])
    return np.sqrt(variance)


def test_enough_for_a_half_width_and_no_more():
    found = allocate(SIZES, POSITIVE, DETECTED, half_width=0.1)
    fewer = allocate(SIZES, POSITIVE, DETECTED, total=found.total - 1)
    assert found.half_width <= 0.1 < fewer.half_width


def test_the_half_width_is_reached_in_samples():
    rng = np.random.default_rng(0)
    sizes = np.array([9000, 3000, 600])
    plan = allocate(sizes, POSITIVE, DETECTED, measure="precision", half_width=0.08)
    stratum = np.repeat([0, 1, 2], sizes)
    label = rng.random(len(stratum)) < np.array(POSITIVE)[stratum]
    detected = rng.random(len(stratum)) < np.array(DETECTED)[stratum]
    found = []
    for _ in range(200):
        rows = draw_stratified(stratum, plan.counts, rng)
        design = Stratified(stratum[rows], dict(enumerate(sizes.tolist())))
        found.append(archive_quality(design, label[rows], detected[rows]).precision.value)
    assert 1.96 * np.std(found) == pytest.approx(0.08, rel=0.15)


def test_a_small_stratum_is_labelled_in_full():
    found = allocate([5, 100_000], [0.5, 0.5], [1.0, 0.0], measure="precision", total=200)
    assert found.counts[0] == 5
    assert found.total == 200
    assert found.half_width == pytest.approx(0.0, abs=1e-9)
    every = allocate([5, 7], [0.5, 0.5], [1.0, 0.0], total=50)
    assert every.counts.tolist() == [5, 7]


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (([5], [0.5, 0.1], [0.0]), {"total": 5}, "one length"),
        (([5], [1.5], [0.0]), {"total": 5}, "between 0 and 1"),
        (([5], [0.5], [0.5]), {}, "either"),
        (([5], [0.5], [0.5]), {"total": 3, "half_width": 0.1}, "either"),
        (([5, 5], [0.5, 0.5], [0.5, 0.5]), {"total": 3}, "too few"),
        (([5], [0.0], [0.5]), {"total": 3}, "expected to be positive"),
        (([5], [0.5], [0.0]), {"total": 3, "measure": "precision"}, "expected to be detected"),
        (([5], [0.5], [0.5]), {"total": 3, "measure": "auc"}, "not known"),
        (([5], [0.5], [0.5]), {"half_width": 0.0}, "cannot be reached"),
    ],
)
def test_bad_allocations(arguments, options, said):
    with pytest.raises(UserError, match=said):
        allocate(*arguments, **options)


def test_stratified_draws():
    stratum = np.array([0, 1, 0, 1, 1, 2])
    rows = draw_stratified(stratum, [1, 3, 0], np.random.default_rng(0))
    assert np.bincount(stratum[rows], minlength=3).tolist() == [1, 3, 0]
    assert len(set(rows.tolist())) == 4
    with pytest.raises(UserError, match="Stratum 2 has 1"):
        draw_stratified(stratum, [1, 1, 2], np.random.default_rng(0))


def test_sequential_draws_have_the_chances_they_say():
    rng = np.random.default_rng(0)
    utility = np.array([5.0, 1.0, 0.0, 2.0])
    rate = 0.2 / 4 + 0.8 * utility / 8
    pairs = np.zeros((4, 4))
    for _ in range(20_000):
        rows, q = draw_sequential(utility, 2, rng, uniform=0.2)
        pairs[rows[0], rows[1]] += 1
        assert q[0] == pytest.approx(rate[rows[0]])
        assert q[1] == pytest.approx(rate[rows[1]] / (1 - rate[rows[0]]))
    wanted = rate[:, None] * rate[None] / (1 - rate[:, None])
    np.fill_diagonal(wanted, 0.0)
    np.testing.assert_allclose(pairs / 20_000, wanted, atol=0.012)


def test_no_utility_draws_evenly():
    rows, q = draw_sequential(np.zeros(4), 4, np.random.default_rng(0))
    assert sorted(rows.tolist()) == [0, 1, 2, 3]
    np.testing.assert_allclose(q, [1 / 4, 1 / 3, 1 / 2, 1.0])


@pytest.mark.parametrize(
    ("utility", "n", "uniform", "said"),
    [
        ([1.0, -1.0], 1, 0.1, "none below 0"),
        ([1.0], 2, 0.1, "cannot be drawn"),
        ([1.0], 1, 0.0, "even share"),
    ],
)
def test_bad_draws(utility, n, uniform, said):
    with pytest.raises(UserError, match=said):
        draw_sequential(utility, n, np.random.default_rng(0), uniform=uniform)
