"""Simulated worlds: what they promise is so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.submission import align, read_scores, read_truth
from antiphon.evaluation.blending.scoring.auc import macro_auc
from antiphon.evaluation.blending.simulation.files import problem_of, write_world
from antiphon.evaluation.blending.simulation.worlds import DEFAULT_MODELS, ModelRecipe, simulate


def test_equal_seeds_give_equal_worlds():
    first, again, other = simulate(seed=3), simulate(seed=3), simulate(seed=4)
    assert np.array_equal(first.scores, again.scores)
    assert not np.array_equal(first.truth, other.truth)


def test_each_class_is_heard_and_most_are_rare():
    problem = problem_of(simulate(seed=1))
    assert problem.scored.all()
    files = np.sort(problem.positive_files)
    assert files[0] == 1
    assert np.median(files) <= 6
    assert files[-1] >= 10


def test_strength_orders_models_and_errors_are_correlated():
    models = (
        ModelRecipe("weak", 0.8),
        ModelRecipe("middle", 1.5),
        ModelRecipe("strong", 3.0),
        ModelRecipe("alone", 1.5, shared=0.0),
    )
    world = simulate(models, seed=2)
    scores = dict(zip(world.models, world.scores, strict=True))
    areas = [float(macro_auc(scores[name], world.truth)) for name in ("weak", "middle", "strong")]
    assert areas == sorted(areas)
    nothing = ~world.truth
    with_shared, without = (
        np.corrcoef(*(np.log(scores[n][nothing] / (1 - scores[n][nothing])) for n in pair))[0, 1]
        for pair in (("middle", "strong"), ("middle", "alone"))
    )
    assert with_shared > without + 0.1


def test_a_leak_lifts_present_classes_of_labelled_recordings_only():
    plain = simulate(DEFAULT_MODELS[:2], seed=5)
    leaky = simulate((replace(DEFAULT_MODELS[0], leak=2.0), DEFAULT_MODELS[1]), seed=5)
    logit = [np.log(w.scores[0] / (1 - w.scores[0])) for w in (plain, leaky)]
    moved = ~np.isclose(logit[0], logit[1])
    assert np.array_equal(moved, plain.truth & plain.judged[:, None])
    assert np.allclose((logit[1] - logit[0])[moved], 2.0)
    assert leaky.trained_on == {DEFAULT_MODELS[0].name: leaky.files[: leaky.labelled.sum()]}


def test_honest_models_are_at_chance_on_canary_classes():
    world = simulate(seed=6, n_canaries=20)
    canary = [world.classes.index(name) for name in world.canaries]
    for score in world.scores:
        assert abs(float(macro_auc(score[:, canary], world.truth[:, canary])) - 0.5) < 0.06


def test_files_say_what_the_world_says(tmp_path):
    world = simulate(DEFAULT_MODELS[:2], seed=7, n_files=6, n_unlabelled=0, n_classes=9)
    files = write_world(world, tmp_path)
    read = align([read_scores(p) for p in files.scores], read_truth(files.truth))
    made = problem_of(world)
    order = [read.rows.index(row) for row in made.rows]
    assert np.array_equal(read.truth[order], made.truth)
    assert np.array_equal(read.scores[:, order], made.scores)
    assert read.classes == made.classes
    of_file = dict(zip(read.files, read.site, strict=True))
    assert tuple(of_file[f] for f in made.files) == made.site


@pytest.mark.parametrize("odd", [{"n_files": 0}, {"n_canaries": 80}, {"windows": 0}])
def test_impossible_worlds_are_refused(odd):
    with pytest.raises(UserError):
        simulate(**odd)
    with pytest.raises(UserError, match="names"):
        simulate((DEFAULT_MODELS[0], DEFAULT_MODELS[0]))
