from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring import lookup, many, pairs
from antiphon.evaluation.blending.scoring.auc import RankBlends, class_auc, macro_auc
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks


def reference(score: np.ndarray, truth: np.ndarray) -> float:
    """Macro AUC of scikit-learn over the classes for which it has one."""
    keep = (truth.sum(axis=0) > 0) & (truth.sum(axis=0) < len(truth))
    return float(np.mean([roc_auc_score(truth[:, c], score[:, c]) for c in np.flatnonzero(keep)]))


@st.composite
def problems(draw: st.DrawFn, levels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Scores of some models with many ties, and truth with a scored first class."""
    m, n, c = draw(st.integers(1, 3)), draw(st.integers(2, 40)), draw(st.integers(1, 4))
    score = draw(
        hnp.arrays(np.float64, (m, n, c), elements=st.integers(0, levels).map(lambda v: v / 8))
    )
    truth = draw(hnp.arrays(np.bool_, (n, c)))
    truth[:2, 0] = True, False
    return score, truth


@settings(deadline=None, max_examples=80)
@given(problems())
def test_macro_auc_is_that_of_scikit_learn(problem: tuple[np.ndarray, np.ndarray]) -> None:
    score, truth = problem
    got = macro_auc(score, truth)
    for k, one in enumerate(score):
        assert got[k] == pytest.approx(reference(one, truth), abs=1e-12)
        assert macro_auc(one, truth) == got[k]


@settings(deadline=None, max_examples=80)
@given(problems(), st.data())
def test_rank_blends_are_those_of_scikit_learn(
    problem: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    score, truth = problem
    m = len(score)
    weights = data.draw(hnp.arrays(np.int64, (4, m), elements=st.integers(0, 7)))
    weights[:, 0] += 1
    ranks = doubled_mid_ranks(score)
    got = RankBlends(ranks, truth).macro_auc(weights)
    for k, w in enumerate(weights):
        want = reference(np.einsum("m,mnc->nc", w, ranks), truth)
        assert got[k] == pytest.approx(want, abs=1e-12)


@pytest.fixture(params=["pairs", "lookup"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Send every class one way."""
    way = pairs.undecided if request.param == "pairs" else lookup.Lookup
    monkeypatch.setattr(many, "_prepared", lambda ranks, y: way(ranks[:, y], ranks[:, ~y]))
    return str(request.param)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.8])
@pytest.mark.parametrize("levels", [3, 20, 10_000])
@pytest.mark.parametrize("largest", [3, 100, 40_000])
def test_both_ways_are_exact(way: str, share: float, levels: int, largest: int) -> None:
    rng = np.random.default_rng([levels, largest])
    truth = rng.random((300, 3)) < share
    truth[0], truth[1] = True, False
    noise = rng.standard_normal((4, 300, 3))
    ranks = doubled_mid_ranks(np.rint((noise + truth) * levels / 6))
    weights = rng.integers(0, largest + 1, (70, 4))
    weights[:, 1] += 1
    weights[0] = 0, 1, 0, 0
    blends = RankBlends(ranks, truth)
    got = blends.class_auc(weights)
    for k in (0, 1, 37, 69):
        sums = np.einsum("m,mnc->nc", weights[k], ranks.astype(np.int64))
        want = [roc_auc_score(truth[:, c], sums[:, c]) for c in range(3)]
        np.testing.assert_allclose(got[k], want, rtol=0, atol=1e-12)


def test_constant_scores_are_half(way: str) -> None:
    truth = np.zeros((200, 1), dtype=bool)
    truth[:60] = True
    ranks = doubled_mid_ranks(np.zeros((2, 200, 1)))
    assert RankBlends(ranks, truth).macro_auc([[1, 0], [2, 3]]).tolist() == [0.5, 0.5]


def test_float64_is_taken_where_float32_is_not_exact() -> None:
    # Sums of 2^24 and 2^24 + 1 are one number in float32.
    ranks = np.array([[[1 << 12], [1 << 12]], [[1], [0]]])
    truth = np.array([[True], [False]])
    assert RankBlends(ranks, truth).macro_auc([[1 << 12, 1]]).tolist() == [1.0]
    assert RankBlends(ranks, truth).macro_auc([[1 << 12, 0]]).tolist() == [0.5]


def test_weights_of_each_class_and_threads_change_nothing_else() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random((120, 6)) < 0.2
    truth[0], truth[1] = True, False
    ranks = doubled_mid_ranks(rng.random((3, 120, 6)))
    weights = rng.integers(1, 50, (9, 3))
    blends = RankBlends(ranks, truth)
    plain = blends.class_auc(weights)
    np.testing.assert_array_equal(blends.class_auc(weights, threads=2), plain)
    each = np.repeat(weights[:, :, None], 6, axis=2)
    np.testing.assert_array_equal(blends.class_auc(each), plain)
    each[:, :, 2] = weights[::-1]
    mixed = blends.class_auc(each)
    np.testing.assert_array_equal(mixed[:, 2], plain[::-1, 2])
    np.testing.assert_array_equal(np.delete(mixed, 2, 1), np.delete(plain, 2, 1))


def test_long_runs_of_ties_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "_STEPS", 1)
    rng = np.random.default_rng(0)
    score = np.concatenate([np.zeros(500), np.full(300, 0.5), rng.random(200)])[:, None]
    truth = (rng.random(1000) < 0.4)[:, None]
    ranks = doubled_mid_ranks(np.stack([score, score]))
    got = RankBlends(ranks, truth).macro_auc([[1, 1], [3, 1], [1, 0]])
    assert got == pytest.approx(roc_auc_score(truth[:, 0], score[:, 0]), abs=1e-12)


def test_classes_without_positives_or_negatives_do_not_count() -> None:
    score = np.array([[0.1, 0.2, 0.9], [0.7, 0.3, 0.8], [0.4, 0.4, 0.7]])
    truth = np.array([[0, 0, 1], [1, 0, 1], [0, 0, 1]])
    np.testing.assert_array_equal(class_auc(score, truth), [1.0, np.nan, np.nan])
    assert macro_auc(score, truth) == 1.0
    with pytest.raises(UserError, match="1 have no positive, 1 no negative"):
        macro_auc(score[:, 1:], truth[:, 1:])


def test_one_positive_by_hand() -> None:
    # The positive beats two of four negatives and ties with one.
    score = np.array([[5.0], [1.0], [2.0], [5.0], [9.0]])
    truth = np.array([[1], [0], [0], [0], [0]])
    assert macro_auc(score, truth) == 0.625


def test_float16_scores_are_compared_as_they_are() -> None:
    rng = np.random.default_rng(2)
    score = rng.standard_normal((400, 3)).astype(np.float16)
    truth = rng.random((400, 3)) < 0.1
    want = roc_auc_score(truth, score.astype(np.float64), average="macro")
    assert macro_auc(score, truth) == pytest.approx(want, abs=1e-12)


def test_bad_input_is_named() -> None:
    truth = np.array([[True], [False]])
    with pytest.raises(UserError, match="row 1, class 0 is nan"):
        macro_auc(np.array([[1.0], [np.nan]]), truth)
    with pytest.raises(UserError, match="is 2, not 0 or 1"):
        macro_auc(np.ones((2, 1)), np.array([[2], [0]]))
    ranks = np.array([[[1], [2]]])
    with pytest.raises(UserError, match="whole numbers"):
        RankBlends(ranks, truth).macro_auc([[0.5]])
    with pytest.raises(UserError, match="above 0"):
        RankBlends(ranks, truth).macro_auc([[0]])
    with pytest.raises(UserError, match="2\\^53"):
        RankBlends(ranks, truth).macro_auc([[1 << 53]])
    with pytest.raises(UserError, match="Ranks must be whole numbers"):
        RankBlends(ranks / 2, truth)
