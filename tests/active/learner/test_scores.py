from __future__ import annotations

import warnings

import numpy as np
import pytest

from antiphon.active.learner.schedule import Schedule
from antiphon.active.learner.scores import judge, relative_cost
from antiphon.errors import UserError

sklearn = pytest.importorskip("sklearn.metrics")


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_multilabel_sets_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    y = (rng.random((80, 6)) < 0.2).astype(np.float32)
    y[:, 4] = 0.0
    p = np.round(rng.random((80, 6)), 1).astype(np.float32)
    found = judge(p, y, multilabel=True)
    said = (p > 0.5).astype(int)
    known = [i for i in range(6) if y[:, i].any()]
    expected = np.mean([sklearn.average_precision_score(y[:, i], p[:, i]) for i in known])
    assert found.mAP == pytest.approx(expected, abs=1e-9)
    assert found.accuracy == pytest.approx(sklearn.accuracy_score(y, said))
    f1 = sklearn.f1_score(y, said, average="macro", zero_division=0)
    assert found.f1 == pytest.approx(f1)
    assert found.without_positives == 6 - len(known)


@pytest.mark.parametrize("labels", [2, 5])
def test_scores_of_single_label_sets_are_scikit_learns(labels):
    rng = np.random.default_rng(labels)
    truth = rng.integers(0, labels, 60)
    p = rng.dirichlet(np.ones(labels), 60).astype(np.float32)
    found = judge(p, np.eye(labels, dtype=np.float32)[truth], multilabel=False)
    average = "binary" if labels == 2 else "macro"
    assert found.f1 == pytest.approx(sklearn.f1_score(truth, p.argmax(axis=1), average=average))
    assert found.accuracy == pytest.approx((truth == p.argmax(axis=1)).mean())


def test_calibration_error_by_hand():
    p = np.array([[0.95, 0.05], [0.85, 0.15], [0.35, 0.65], [0.55, 0.45]], np.float32)
    y = np.array([[1, 0], [0, 1], [0, 1], [1, 0]], np.float32)
    found = judge(p, y, multilabel=False)
    # Each confidence lies in a bin of its own; all are right but 0.85.
    assert found.calibration_error == pytest.approx((0.05 + 0.85 + 0.35 + 0.45) / 4, abs=1e-6)


def test_without_any_positive_the_mean_is_zero():
    assert judge(np.full((4, 2), 0.2, np.float32), np.zeros((4, 2)), multilabel=True).mAP == 0.0


def test_cost_is_relative_to_ten_batches_of_fifty():
    assert relative_cost(1000, 10, 10, 1000, 500) == 1.0
    assert relative_cost(1000, 10, 20, 1000, 500) == 2.0
    assert relative_cost(500, 5, 10, 1000, 500) == 0.25


@pytest.mark.parametrize(
    ("text", "sizes", "again"),
    [
        ("50", (50,), "50"),
        ("25x4, 50x5,75x2", (25,) * 4 + (50,) * 5 + (75,) * 2, "25x4,50x5,75x2"),
        ("10,20", (10, 20), "10x1,20x1"),
    ],
)
def test_schedules_are_read_and_written(text, sizes, again):
    schedule = Schedule.parse(text)
    assert schedule.sizes == sizes
    assert str(schedule) == again
    assert Schedule.parse(again) == schedule


def test_a_schedule_spends_what_there_is():
    assert Schedule((25, 25, 50)).batches(170) == (25, 25, 50, 50, 20)
    assert Schedule((50,)).batches(10) == (10,)


@pytest.mark.parametrize("text", ["", "0", "x", "25x", "25x0", "-5", "25;50"])
def test_odd_schedules_are_refused(text):
    with warnings.catch_warnings(), pytest.raises(UserError, match="schedule"):
        Schedule.parse(text)
