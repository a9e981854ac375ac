"""Public and private parts, and the smallest difference beside a difference."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.resampling.deltas import paired_delta
from antiphon.evaluation.blending.resampling.splits import simulate_splits
from antiphon.evaluation.blending.resampling.wins import win_counts
from antiphon.evaluation.blending.simulation.files import problem_of
from antiphon.evaluation.blending.simulation.worlds import DEFAULT_MODELS, ModelRecipe, simulate
from antiphon.evaluation.intervals import bootstrap_difference, mean_roc_auc


def _wins(problem):
    return [win_counts(s, problem.truth, problem.file) for s in problem.scores]


def _far_apart():
    models = (ModelRecipe("weak", 0.2), ModelRecipe("strong", 3.0))
    return problem_of(simulate(models, seed=1, n_unlabelled=0, n_classes=30))


def test_a_far_better_system_always_leads():
    problem = _far_apart()
    found = simulate_splits(problem.models, _wins(problem), rng=np.random.default_rng(0))
    assert found.leader_changes == 0
    assert found.regret_mean == found.regret_90 == 0
    assert found.public_leads.tolist() == found.private_leads.tolist() == [0.0, 1.0]
    assert (found.n_public, found.n_private, found.n_splits) == (22, 44, 1000)


def test_equal_systems_share_the_lead():
    problem = _far_apart()
    one = _wins(problem)[0]
    found = simulate_splits(["a", "b"], [one, one], rng=np.random.default_rng(0), n_splits=50)
    assert found.public_leads.tolist() == [0.5, 0.5]
    assert found.regret_mean == 0
    assert found.delta_sd.tolist() == [0.0, 0.0]


def test_the_gap_is_that_of_scikit_learn_on_each_split():
    from sklearn.metrics import roc_auc_score

    problem = problem_of(simulate(DEFAULT_MODELS[:2], seed=2, n_files=8, n_classes=4))
    found = simulate_splits(
        problem.models, _wins(problem), rng=np.random.default_rng(5), n_splits=20, public_share=0.4
    )
    order = np.random.default_rng(5).permuted(np.tile(np.arange(8), (20, 1)), axis=1)[:, :3]
    gaps = []
    for files in order:
        public = np.isin(problem.file, files)
        sides = []
        for rows in (public, ~public):
            truth, score = problem.truth[rows], problem.scores[0][rows]
            there = truth.any(axis=0) & ~truth.all(axis=0)
            area = [roc_auc_score(truth[:, c], score[:, c]) for c in np.flatnonzero(there)]
            sides.append(np.mean(area) if area else np.nan)
        gaps.append(sides[0] - sides[1])
    assert found.n_splits == np.isfinite(gaps).sum()
    assert found.gap_sd[0] == pytest.approx(np.nanstd(gaps, ddof=1), abs=1e-12)


def test_splits_that_cannot_be():
    one = _wins(_far_apart())[:1]
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match="share"):
        simulate_splits(["a"], one, rng=rng, public_share=1.0)
    with pytest.raises(UserError, match="name for each"):
        simulate_splits(["a", "b"], one, rng=rng)


def test_a_delta_agrees_with_the_general_bootstrap():
    problem = problem_of(simulate(DEFAULT_MODELS[:2], seed=3, n_unlabelled=0, n_classes=25))
    a, b = _wins(problem)
    delta = paired_delta("a", a, "b", b, rng=np.random.default_rng(0))
    (other,) = bootstrap_difference(
        mean_roc_auc,
        problem.scores[0],
        problem.scores[1],
        problem.truth.astype(float),
        problem.file,
        rng=np.random.default_rng(1),
        n_resamples=2000,
    )
    width = other.high - other.low
    assert delta.value == pytest.approx(other.value, abs=1e-6)
    assert delta.low == pytest.approx(other.low, abs=0.12 * width)
    assert delta.high == pytest.approx(other.high, abs=0.12 * width)
    # A difference seen with power 0.8 lies 2.8 to 2.9 standard errors from 0 with 66 groups.
    assert delta.detectable == pytest.approx(2.85 * delta.standard_error, rel=0.02)
    assert delta.n_files == 66
    assert delta.excludes_zero == (delta.low > 0 or delta.high < 0)


def test_a_system_against_itself():
    one = _wins(_far_apart())[0]
    delta = paired_delta("a", one, "a", one, rng=np.random.default_rng(0), replicates=50)
    assert (delta.value, delta.low, delta.high, delta.p) == (0.0, 0.0, 0.0, 1.0)
    assert not delta.excludes_zero
