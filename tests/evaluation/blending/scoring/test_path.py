from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring import path
from antiphon.evaluation.blending.scoring.path import WeightInterval, rank_path, score_path
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks


def made_up(seed: int, n: int = 30, classes: int = 3) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    truth = rng.random((n, classes)) < 0.3
    truth[0], truth[1] = True, False
    a, b = np.rint(3 * (rng.standard_normal((2, n, classes)) + 0.7 * truth))
    return a, b, truth


def at(a: np.ndarray, b: np.ndarray, truth: np.ndarray, weight: Fraction) -> np.ndarray:
    """AUC of each class of the rank blend at a rational weight, in whole numbers."""
    p, q = weight.numerator, weight.denominator
    blend = (q - p) * doubled_mid_ranks(a).astype(np.int64) + p * doubled_mid_ranks(b)
    return np.array([roc_auc_score(truth[:, c], blend[:, c]) for c in range(truth.shape[1])])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block", [7, 1 << 20])
def test_path_is_the_blend_at_every_weight(
    seed: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(path, "_PAIRS", block)
    a, b, truth = made_up(seed)
    curves = rank_path(a, b, truth)
    grid = [Fraction(k, 37) for k in range(38)] + [Fraction(1, 1000), Fraction(999, 1000)]
    exact = curves.macro.exact_breaks(4 * len(a))
    assert (exact[0], exact[-1]) == (0, 1)
    assert [float(w) for w in exact] == curves.macro.breaks.tolist()
    middles = [(u + v) / 2 for u, v in pairwise(exact)]
    for weight in grid + exact[::5] + middles[::5]:
        want = at(a, b, truth, weight)
        assert float(curves.macro.value(float(weight))) == pytest.approx(want.mean(), abs=1e-12)
        for c, curve in enumerate(curves.by_class):
            assert curve is not None
            assert float(curve.value(float(weight))) == pytest.approx(want[c], abs=1e-12)


def test_one_pair_by_hand() -> None:
    # Ranks of a: 1 and 3, of b: 3 and 1 (and a row between): the pair swaps at a half.
    a, b = np.array([[0.0], [2.0], [1.0]]), np.array([[2.0], [0.0], [1.0]])
    truth = np.array([[True], [False], [False]])
    curve = rank_path(a, b, truth).macro
    assert curve.breaks.tolist() == [0.0, 0.5, 1.0]
    assert curve.at.tolist() == [0.0, 0.5, 1.0]
    assert curve.between.tolist() == [0.0, 1.0]
    assert curve.best_intervals() == [WeightInterval(0.5, 1.0, False, True)]
    assert curve.best_intervals(within=0.5) == [WeightInterval(0.5, 1.0, True, True)]


def test_ties_at_the_ends_count_half_there_only() -> None:
    # a ties the pair, b orders it.
    a, b = np.array([[1.0], [1.0]]), np.array([[2.0], [1.0]])
    truth = np.array([[True], [False]])
    curve = rank_path(a, b, truth).macro
    assert (curve.breaks.tolist(), curve.at.tolist()) == ([0.0, 1.0], [0.5, 1.0])
    assert curve.between.tolist() == [1.0]
    back = rank_path(b, a, truth).macro
    assert (back.at.tolist(), back.between.tolist()) == ([1.0, 0.5], [1.0])
    assert back.best_intervals() == [WeightInterval(0.0, 1.0, True, False)]


def test_equal_models_have_no_breakpoint() -> None:
    a, _, truth = made_up(3)
    curve = rank_path(a, a, truth).macro
    assert curve.breaks.tolist() == [0.0, 1.0]
    assert curve.best_intervals() == [WeightInterval(0.0, 1.0, True, True)]
    assert curve.best == pytest.approx(at(a, a, truth, Fraction(1, 2)).mean())


def test_the_best_is_no_worse_than_a_fine_grid() -> None:
    a, b, truth = made_up(4, n=80)
    curve = rank_path(a, b, truth).macro
    grid = curve.value(np.linspace(0, 1, 501))
    assert curve.best >= grid.max() - 1e-12
    for part in curve.best_intervals():
        inside = part.low if part.closed_low else (part.low + part.high) / 2
        assert float(curve.value(inside)) == pytest.approx(curve.best, abs=1e-12)


def test_scores_as_they_are() -> None:
    a, b, truth = made_up(5)
    a, b = 1 / (1 + np.exp(-a - 0.1)), 1 / (1 + np.exp(-2 * b))
    curves = score_path(a, b, truth)
    for weight in (0.0, 0.137, 0.5, 0.881, 1.0):
        want = roc_auc_score(truth, (1 - weight) * a + weight * b, average="macro")
        assert float(curves.macro.value(weight)) == pytest.approx(want, abs=1e-12)


def test_classes_that_are_not_scored_have_no_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, truth = made_up(6)
    truth[:, 1] = False
    assert rank_path(a, b, truth).by_class[1] is None
    with pytest.raises(UserError, match="between 0 and 1"):
        rank_path(a, b, truth).macro.value([1.5])
    monkeypatch.setattr(path, "MOST_BREAKPOINTS", 5)
    with pytest.raises(UserError, match="more than 5 breakpoints"):
        rank_path(a, b, truth)
