"""Membership without labels: honest models are seldom suspected, leaks are found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.blending.simulation.worlds import DEFAULT_MODELS, simulate
from antiphon.evaluation.blending.trust.canaries import canary_test
from antiphon.evaluation.blending.trust.membership import membership_test
from antiphon.evaluation.blending.trust.strata import match_strata


def _tested(world, seed=0):
    strata, _ = match_strata(world.sites, world.hours, world.labelled)
    return membership_test(
        world.models,
        world.scores,
        world.file,
        world.labelled,
        strata,
        rng=np.random.default_rng(seed),
        n_permutations=499,
    )


def _leaking(which, logits):
    return tuple(replace(m, leak=logits) if k == which else m for k, m in enumerate(DEFAULT_MODELS))


def test_honest_models_are_seldom_suspected_also_where_labelled_recordings_are_richer():
    suspected = [
        found.suspected
        for seed in range(6)
        for found in _tested(simulate(seed=200 + seed, richer=0.8 * (seed % 2), n_classes=50))
    ]
    assert len(suspected) == 24
    assert sum(suspected) <= 1


def test_a_leak_of_one_logit_is_found_and_nobody_else_is_blamed():
    for seed in range(6):
        world = simulate(_leaking(seed % 4, 1.0), seed=300 + seed, n_classes=50)
        found = _tested(world)
        assert [f.suspected for f in found] == [k == seed % 4 for k in range(4)]
        assert found[seed % 4].effect == max(f.effect for f in found)


def test_the_scale_of_the_scores_does_not_matter():
    world = simulate(_leaking(1, 1.0), seed=11, n_classes=30)
    logits = np.log(world.scores / (1 - world.scores))
    moved = replace(world, scores=3.0 * logits - 7.0)
    a, b = _tested(world), _tested(moved)
    assert [x.p for x in a] == [x.p for x in b]
    assert np.allclose([x.effect for x in a], [x.effect for x in b])


def test_constant_and_saturated_scores_do_no_harm():
    world = simulate(seed=12, n_classes=20)
    scores = world.scores.copy()
    scores[0] = (scores[0] > 0.5).astype(float)
    scores[1, :, 3] = 0.25
    found = _tested(replace(world, scores=scores))
    assert all(0 < f.p <= 1 for f in found)


def test_too_little_to_say_something():
    lonely = simulate(DEFAULT_MODELS[:1], seed=0, n_classes=10)
    assert "no other model" in _tested(lonely)[0].note
    bare = simulate(seed=0, n_classes=10, n_unlabelled=3)
    found = _tested(bare)
    assert all("without truth" in f.note and not f.suspected for f in found)
    assert found[0].to_json()["p"] is None


def test_strata_are_the_finest_in_which_most_have_a_match():
    judged = np.array([True, True, False, False])
    both, words = match_strata(["A", "B", "A", "B"], [1, 13, 2, 14], judged)
    assert words == "site and quarter of the day"
    assert both[0] == both[2] != both[1]
    assert match_strata(["A", "B", "A", "B"], [1, 1, 13, 13], judged)[1] == "site"
    assert match_strata(["A", "B", "C", "D"], [1, 13, 2, 14], judged)[1] == "quarter of the day"
    assert match_strata(None, None, judged)[1] == "nothing"


def test_shapes_must_fit():
    with pytest.raises(UserError, match="stratum"):
        membership_test(
            ["a", "b"],
            np.zeros((2, 4, 3)),
            [0, 0, 1, 1],
            [True, False],
            [0],
            rng=np.random.default_rng(0),
        )


def _canaries(world):
    judged = world.judged
    n = int(world.labelled.sum())
    strata, _ = match_strata(world.sites[:n], world.hours[:n])
    return canary_test(
        world.models,
        world.scores[:, judged],
        world.truth[judged],
        world.file[judged],
        strata,
        world.classes,
        world.canaries,
        rng=np.random.default_rng(0),
        n_permutations=499,
    )


def test_canary_classes_tell_a_leak_from_honest_models():
    blamed = 0
    for seed in range(5):
        found = _canaries(simulate(_leaking(0, 2.0), seed=400 + seed, n_canaries=15))
        assert found[0].suspected
        blamed += sum(f.suspected for f in found[1:])
    assert blamed <= 1


def test_the_canary_score_is_the_mean_auc():
    from sklearn.metrics import roc_auc_score

    world = simulate(seed=1, n_files=20, n_unlabelled=0, n_classes=12, n_canaries=4)
    column = [world.classes.index(c) for c in world.canaries]
    for found, score in zip(_canaries(world), world.scores, strict=True):
        wanted = np.mean([roc_auc_score(world.truth[:, c], score[:, c]) for c in column])
        assert found.auc == pytest.approx(wanted, abs=1e-12)
        assert 0.35 < found.expected < 0.65


def test_canaries_without_positives_or_unknown():
    world = simulate(seed=1, n_files=8, n_unlabelled=0, n_classes=5)
    given = (world.models, world.scores, np.zeros_like(world.truth), world.file, np.zeros(8))
    rng = np.random.default_rng(0)
    found = canary_test(*given, world.classes, world.classes[:2], rng=rng)
    assert found[0].note == "no canary class has positives"
    with pytest.raises(UserError, match="unicorn"):
        canary_test(*given, world.classes, ["unicorn"], rng=rng)
