"""Steps after the blend, against hand-worked cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve1d

from antiphon.errors import UserError
from antiphon.evaluation.blending.choosing.postprocess import (
    Step,
    apply_step,
    parse_step,
    run_steps,
    to_unit,
)
from antiphon.evaluation.blending.scoring.auc import macro_auc
from antiphon.evaluation.blending.simulation.files import problem_of
from antiphon.evaluation.blending.simulation.worlds import simulate

ROWS = ("a_5", "a_10", "a_15", "b_5", "b_10", "b_20")
FILE = (0, 0, 0, 1, 1, 1)
SCORE = np.array([[1.0, 0.0, 4.0, 2.0, 3.0, 8.0]]).T


def _apply(text, score=SCORE, taxa=None):
    return apply_step(score, parse_step(text), ROWS, FILE, taxa)[:, 0]


def test_smoothing_gives_the_weight_of_missing_windows_to_the_others():
    wanted = [
        (0.8 * 1 + 0.1 * 0) / 0.9,
        0.1 * 1 + 0.8 * 0 + 0.1 * 4,
        (0.1 * 0 + 0.8 * 4) / 0.9,
        (0.8 * 2 + 0.1 * 3) / 0.9,
        # b_15 was not scored, so b_10 and b_20 are no neighbours.
        (0.1 * 2 + 0.8 * 3) / 0.9,
        8.0,
    ]
    assert np.allclose(_apply("smooth:0.1,0.8,0.1"), wanted, rtol=1e-12)


def test_smoothing_is_a_convolution_inside_a_recording():
    rng = np.random.default_rng(0)
    score = rng.random((12, 3))
    rows = [f"x_{5 * k}" for k in range(1, 13)]
    found = apply_step(score, parse_step("smooth:1,2,4,2,1"), rows, np.zeros(12, int))
    wanted = convolve1d(score, np.array([1, 2, 4, 2, 1]) / 10, axis=0, mode="constant")
    assert np.allclose(found[2:-2], wanted[2:-2])


def test_a_given_hop_tells_that_windows_are_missing():
    rows, score = ("a_5", "a_15", "a_25"), np.array([[1.0], [2.0], [6.0]])
    step = parse_step("smooth:1,2,1")
    by_gap = apply_step(score, step, rows, (0, 0, 0))[:, 0]
    assert np.allclose(by_gap, [4 / 3, 11 / 4, 14 / 3])
    assert np.allclose(apply_step(score, step, rows, (0, 0, 0), hop_s=5.0), score)


def test_order_of_rows_does_not_matter():
    shuffled = [4, 0, 5, 2, 1, 3]
    for text in ("smooth", "max:0.3", "mean", "prior:2"):
        found = apply_step(
            SCORE[shuffled],
            parse_step(text),
            [ROWS[i] for i in shuffled],
            np.array(FILE)[shuffled],
        )[:, 0]
        assert np.allclose(found, _apply(text)[shuffled])


def test_neighbours_and_recordings():
    assert _apply("max:1").tolist() == [1, 4, 4, 3, 3, 8]
    assert np.allclose(_apply("max:0.5"), [1, 2, 4, 2.5, 3, 8])
    assert np.allclose(_apply("mean:1"), [5 / 3] * 3 + [13 / 3] * 3)
    assert np.allclose(_apply("prior:1"), [4, 0, 16, 16, 24, 64])
    assert np.allclose(_apply("prior:0.5"), SCORE[:, 0] * np.sqrt([4, 4, 4, 8, 8, 8]))


def test_steps_for_some_taxa_leave_the_others_alone():
    both = np.hstack([SCORE, SCORE])
    step = parse_step("max:1@Insecta")
    found = apply_step(both, step, ROWS, FILE, ("Aves", "Insecta"))
    assert np.array_equal(found[:, 0], SCORE[:, 0])
    assert found[:, 1].tolist() == [1, 4, 4, 3, 3, 8]
    with pytest.raises(UserError, match="taxonomy"):
        apply_step(both, step, ROWS, FILE)
    with pytest.raises(UserError, match="Insecta, but the taxa are Aves"):
        apply_step(both, step, ROWS, FILE, ("Aves", "Aves"))


def test_steps_are_read_and_written():
    step = parse_step(" smooth:0.25,0.5,0.25@Aves, Amphibia ")
    assert step == Step("smooth", (0.25, 0.5, 0.25), ("Aves", "Amphibia"))
    assert str(step) == "smooth:0.25,0.5,0.25@Aves,Amphibia"
    assert parse_step(str(step)) == step
    assert parse_step("prior") == Step("prior", (1.0,))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blur", "is no step"),
        ("smooth:a", "cannot be read"),
        ("smooth:1,2", "odd number"),
        ("smooth:1,0,1", "above 0"),
        ("max:2", "between 0 and 1"),
        ("mean:0.1,0.2", "one number"),
        ("prior:-1", "not negative"),
        ("prior:nan", "finite"),
    ],
)
def test_steps_that_are_none(text, said):
    with pytest.raises(UserError, match=said):
        parse_step(text)


def test_a_prior_of_negative_scores_is_refused():
    with pytest.raises(UserError, match="negative"):
        _apply("prior", SCORE - 3)


def test_unit_scores_keep_the_order():
    for score in (np.array([0.1, 0.9]), np.array([3.0, 12.0]), np.array([-4.0, 2.0])):
        unit = to_unit(score)
        assert (np.diff(unit) > 0).all()
        assert unit.min() >= 0
        assert unit.max() <= 1
    assert to_unit([0.2, 0.7]).tolist() == [0.2, 0.7]


def test_each_stage_is_tested_against_the_one_before():
    problem = problem_of(simulate(seed=5, n_unlabelled=0, n_classes=25))
    steps = [parse_step("smooth"), parse_step("smooth:0,1,0")]
    score, stages = run_steps(
        problem.scores[0], steps, problem, rng=np.random.default_rng(0), replicates=300
    )
    start = float(macro_auc(problem.scores[0], problem.truth))
    assert stages[0].auc == pytest.approx(start + stages[0].delta.value, abs=1e-12)
    assert stages[-1].auc == pytest.approx(float(macro_auc(score, problem.truth)), abs=1e-12)
    # Calls go on over several windows here, so smoothing helps; the second step does nothing.
    assert stages[0].delta.low > 0
    assert stages[1].delta.value == 0
    assert (stages[1].delta.name, stages[1].delta.reference) == (
        "smooth:0,1,0",
        "smooth:0.1,0.8,0.1",
    )
