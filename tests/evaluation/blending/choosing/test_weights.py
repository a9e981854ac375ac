"""Weights: learned ones must win where they were not chosen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.choosing.candidates import best_of, greedy, weight_grid
from antiphon.evaluation.blending.choosing.weights import search_weights
from antiphon.evaluation.blending.scoring.auc import macro_auc
from antiphon.evaluation.blending.scoring.many import RankBlends
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks
from antiphon.evaluation.blending.simulation.files import problem_of
from antiphon.evaluation.blending.simulation.worlds import ModelRecipe, simulate

SMALL = {"n_unlabelled": 0, "n_classes": 15, "n_sites": 4, "n_files": 40}


def _problem(*strengths, seed=0, **more):
    models = tuple(ModelRecipe(f"m{k}", s) for k, s in enumerate(strengths))
    return problem_of(simulate(models, seed=seed, **{**SMALL, **more}))


def _searched(problem, **more):
    return search_weights(problem, rng=np.random.default_rng(0), replicates=300, **more)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_grid_has_every_way_to_share_its_sum_once(n):
    grid = weight_grid(n, np.random.default_rng(0))
    total = int(grid[0].sum())
    assert (grid[0] == total // n).all()
    wanted = {w for w in product(range(total + 1), repeat=n) if sum(w) == total}
    assert {tuple(w) for w in grid.tolist()} == wanted
    assert len(grid) == len(wanted) <= 500


def test_with_many_models_weights_are_drawn():
    grid = weight_grid(9, np.random.default_rng(0))
    assert 400 < len(grid) <= 500
    assert (grid.sum(axis=1) == 36).all()
    assert (grid[0] == 4).all()
    singles = {tuple(w) for w in (36 * np.eye(9, dtype=int)).tolist()}
    assert singles <= {tuple(w) for w in grid.tolist()}
    with pytest.raises(UserError, match="too few"):
        weight_grid(9, np.random.default_rng(0), most=9)


def test_the_best_candidate_is_the_best_by_brute_force():
    problem = _problem(1.0, 2.0, 1.5)
    ranks = doubled_mid_ranks(problem.scores)
    grid = weight_grid(3, np.random.default_rng(0), most=30)
    best, score = best_of(RankBlends(ranks, problem.truth), grid)
    wanted = [
        float(macro_auc(np.tensordot(w, ranks.astype(float), axes=1), problem.truth)) for w in grid
    ]
    assert np.allclose(score, wanted, atol=1e-12)
    assert tuple(best) == tuple(grid[int(np.argmax(wanted))])


def test_greedy_selection_begins_with_the_best_model():
    problem = _problem(0.3, 3.0, 0.2)
    ranks = doubled_mid_ranks(problem.scores)
    blends = RankBlends(ranks, problem.truth)
    assert greedy(blends, 3, steps=1).tolist() == [0, 1, 0]
    chosen = greedy(blends, 3)
    alone = blends.macro_auc(np.eye(3, dtype=np.int64))
    assert blends.macro_auc(chosen[None])[0] >= alone.max()


@pytest.mark.parametrize("method", ["grid", "greedy"])
def test_useless_models_lose_their_weight(method):
    found = _searched(_problem(2.2, 0.1, 2.0, 0.1), method=method)
    assert not found.keep_equal
    weights = np.array(found.recommended) / sum(found.recommended)
    assert weights[[1, 3]].sum() < 0.1
    assert [one.grouping for one in found.nested] == ["file", "site"]
    assert found.nested[0].low > 0
    assert found.nested[1].folds == 4
    assert "Learned weights are used" in found.reason


def test_equal_models_keep_equal_weights():
    kept = [_searched(_problem(2.0, 2.0, 2.0, seed=s)) for s in range(4)]
    assert sum(one.keep_equal for one in kept) >= 3
    assert all(one.recommended == (1, 1, 1) for one in kept if one.keep_equal)
    assert all("Equal weights are kept" in one.reason for one in kept if one.keep_equal)
    # What the choice seems to bring is more than what it brings.
    assert np.mean([one.optimism for one in kept]) > 0


def test_identical_models_change_nothing():
    problem = _problem(2.0, 2.0)
    same = replace(problem, scores=np.stack([problem.scores[0]] * 2))
    found = _searched(same)
    assert found.best == (1, 1)
    assert found.keep_equal
    assert found.apparent == found.nested[0].gain == 0
    assert "no candidate led" in found.reason


def test_without_sites_there_is_one_grouping_and_json_is_plain():
    import json

    found = _searched(replace(_problem(2.0, 0.5), site=None))
    assert [one.grouping for one in found.nested] == ["file"]
    again = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert again["recommended"] == list(found.recommended)
    assert len(again["nested"][0]["weights"]) == 10


def test_equal_seeds_give_equal_results():
    problem = _problem(2.0, 1.0, 1.5)
    assert _searched(problem) == _searched(problem)


def test_searches_that_cannot_be():
    problem = _problem(2.0, 1.0)
    with pytest.raises(UserError, match="two models"):
        _searched(problem.with_models(["m0"]))
    with pytest.raises(UserError, match="four recordings"):
        _searched(problem.with_files([0, 1, 2]))
    with pytest.raises(UserError, match="no search"):
        _searched(problem, method="magic")
