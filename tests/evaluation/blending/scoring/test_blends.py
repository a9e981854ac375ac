from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gmean, pmean, rankdata

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.auc import RankBlends, macro_auc
from antiphon.evaluation.blending.scoring.blends import KINDS, Blend, blend_scores, weights_by_group
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks


@pytest.fixture
def scores() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.round(rng.random((3, 40, 4)), 2).clip(0.01, 0.99)


WEIGHTS = np.array([0.5, 0.2, 0.3])


def test_each_kind_against_its_formula(scores: np.ndarray) -> None:
    w = WEIGHTS[:, None, None]
    odds = np.log(scores / (1 - scores))
    z = (odds - odds.mean(axis=1, keepdims=True)) / odds.std(axis=1, keepdims=True)
    want = {
        "rank": (w * rankdata(scores, axis=1)).sum(axis=0) / 40,
        "probability": np.average(scores, axis=0, weights=WEIGHTS),
        "logit": 1 / (1 + np.exp(-(w * odds).sum(axis=0))),
        "zlogit": 1 / (1 + np.exp(-(w * z).sum(axis=0))),
        "geometric": gmean(scores, axis=0, weights=np.broadcast_to(w, scores.shape)),
        "power": pmean(scores, 3.0, axis=0, weights=np.broadcast_to(w, scores.shape)),
    }
    assert set(want) == set(KINDS)
    for kind in KINDS:
        got = blend_scores(scores, kind, WEIGHTS, exponent=3.0)
        np.testing.assert_allclose(got, want[kind], rtol=0, atol=1e-12, err_msg=kind)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_mean_and_weights_of_each_class(scores: np.ndarray, kind: str) -> None:
    equal = blend_scores(scores, kind)
    np.testing.assert_allclose(equal, blend_scores(scores, kind, [2.0, 2.0, 2.0]), atol=1e-15)
    each = np.ones((3, 4))
    each[:, 2] = [0.0, 1.0, 0.0]
    got = blend_scores(scores, kind, each)
    np.testing.assert_allclose(got[:, [0, 1, 3]], equal[:, [0, 1, 3]], atol=1e-15)
    alone = blend_scores(scores[1:2], kind)
    np.testing.assert_allclose(got[:, 2], alone[:, 2], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_blend_is_the_same_for_a_single_file(scores: np.ndarray, kind: str) -> None:
    fitted = Blend(kind, WEIGHTS).fit(scores)
    whole = fitted.apply(scores)
    np.testing.assert_array_equal(fitted.apply(scores[:, 5:9]), whole[5:9])


def test_new_scores_are_ranked_between_those_of_the_reference() -> None:
    fitted = Blend("rank").fit(np.array([[[1.0], [2.0], [2.0], [4.0]]]))
    assert fitted.quantiles is not None
    new = np.array([[[0.0], [1.0], [1.5], [2.0], [3.0], [4.0], [9.0]]])
    assert fitted.quantiles.doubled_ranks(new)[0, :, 0].tolist() == [1, 2, 3, 5, 7, 8, 9]


def test_a_rank_blend_is_scored_as_the_many_are(scores: np.ndarray) -> None:
    truth = np.random.default_rng(1).random((40, 4)) < 0.3
    truth[0], truth[1] = True, False
    many = RankBlends(doubled_mid_ranks(scores), truth).macro_auc([[5, 2, 3]])
    assert macro_auc(blend_scores(scores, "rank", WEIGHTS), truth) == pytest.approx(
        many[0], abs=1e-15
    )


def test_scores_of_0_and_1_are_cut_off() -> None:
    sure = np.array([[[0.0], [1.0]], [[0.5], [0.5]]])
    got = blend_scores(sure, "logit", clip=0.01)
    np.testing.assert_allclose(got[:, 0], [1 / (1 + 99**0.5), 1 / (1 + 99**-0.5)])
    np.testing.assert_allclose(blend_scores(sure, "geometric", clip=0.02)[:, 0], [0.1, 0.5**0.5])


def test_constant_scores_say_nothing_in_a_z_scored_blend(scores: np.ndarray) -> None:
    scores[0] = 0.3
    rest = np.argsort(blend_scores(scores[1:], "zlogit"), axis=0)
    np.testing.assert_array_equal(np.argsort(blend_scores(scores, "zlogit"), axis=0), rest)


def test_weights_of_taxon_groups() -> None:
    groups = ["Aves", "Amphibia", "Aves"]
    got = weights_by_group(groups, {"Aves": [0.9, 0.1], "Amphibia": [0.2, 0.8]})
    assert got.tolist() == [[0.9, 0.2, 0.9], [0.1, 0.8, 0.1]]
    assert weights_by_group(groups, {"Aves": [1, 0]}, default=[1, 1])[:, 1].tolist() == [1, 1]
    with pytest.raises(UserError, match="no weights for Amphibia"):
        weights_by_group(groups, {"Aves": [1, 0]})


def test_what_cannot_be_blended_is_named(scores: np.ndarray) -> None:
    with pytest.raises(UserError, match="not known"):
        Blend("mean")
    scores[1, 3, 2] = 1.5
    with pytest.raises(UserError, match=r"model 1, row 3, class 2 is 1\.5"):
        blend_scores(scores, "logit")
    assert blend_scores(scores, "rank").shape == (40, 4)
    scores[1, 3, 2] = np.nan
    with pytest.raises(UserError, match="row 3, class 2 is nan"):
        blend_scores(scores, "rank")
    with pytest.raises(UserError, match="Weights must be"):
        blend_scores(np.ones((3, 2, 4)), "rank", [1.0, 2.0])
    with pytest.raises(UserError, match="one of each class above 0"):
        blend_scores(np.ones((3, 2, 4)), "probability", np.zeros(3))
