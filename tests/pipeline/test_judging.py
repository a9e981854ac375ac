from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from antiphon.evaluation.intervals import clopper_pearson
from antiphon.pipeline.judging import difference, judge
from antiphon.pipeline.report.values import quality_from_json, to_json


def example(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    target = (rng.random((n, 3)) < (0.3, 0.1, 0.2)).astype(np.float32)
    score = np.clip(0.5 * target + 0.6 * rng.random((n, 3)), 0, 1).astype(np.float32)
    return score, target, np.repeat(np.arange(n // 8), 8)


def test_values_are_those_of_scikit_learn_and_lie_in_their_intervals() -> None:
    score, target, groups = example()
    found = judge(
        score, target, groups, "abc", np.full(3, 0.6, np.float32), title="t", group_by="recording"
    )
    ap = [average_precision_score(target[:, i], score[:, i]) for i in range(3)]
    for i, c in enumerate(found.classes):
        assert c.average_precision is not None
        assert c.roc_auc is not None
        assert c.precision is not None
        assert c.recall is not None
        assert c.average_precision.value == pytest.approx(ap[i])
        assert c.roc_auc.value == pytest.approx(roc_auc_score(target[:, i], score[:, i]))
        over = score[:, i] >= np.float32(0.6)
        assert c.precision.value == pytest.approx(target[over, i].mean())
        assert c.recall.value == pytest.approx(over[target[:, i] == 1].mean())
        for e in (c.average_precision, c.roc_auc, c.precision, c.recall):
            assert e.low <= e.value <= e.high
            assert e.low < e.high
    assert found.macro_average_precision is not None
    assert found.macro_average_precision.value == pytest.approx(np.mean(ap))


def test_no_error_in_few_windows_is_no_certainty() -> None:
    score, target, groups = example()
    # The first label: two detections, both right, in one recording.
    score[:, 0], target[:, 0] = 0.1, 0.0
    score[:2, 0], target[:2, 0] = 0.9, 1.0
    found = judge(
        score, target, groups, "abc", np.full(3, 0.6, np.float32), title="t", group_by="recording"
    ).classes[0]
    assert found.precision is not None
    assert found.precision.value == 1.0
    # One recording is one observation.
    assert found.precision.low == pytest.approx(clopper_pearson([1], [1], 0.95)[0][0])
    assert found.average_precision is not None
    assert np.isnan(found.average_precision.low)
    assert "1 group only" in found.note


def test_a_label_without_positives_is_said_so_and_left_out_of_the_mean() -> None:
    score, target, groups = example()
    target[:, 1] = 0.0
    found = judge(
        score, target, groups, "abc", np.full(3, 0.6, np.float32), title="t", group_by="recording"
    )
    assert found.classes[1].average_precision is None
    assert found.classes[1].note == "No positive window."
    assert found.macro_average_precision is not None
    expected = np.mean([average_precision_score(target[:, i], score[:, i]) for i in (0, 2)])
    assert found.macro_average_precision.value == pytest.approx(expected)


def test_unknown_labels_and_missing_predictions_do_not_count() -> None:
    score, target, groups = example()
    hidden = target.copy()
    hidden[::3] = np.nan
    holes = score.copy()
    holes[1::3, 2] = np.nan
    limits = np.full(score.shape, 0.6, np.float32)
    found = judge(holes, hidden, groups, "abc", limits, title="t", group_by="recording")
    keep = np.arange(len(score)) % 3 != 0
    some = np.arange(len(score)) % 3 == 2
    for c, rows, i in ((found.classes[0], keep, 0), (found.classes[2], some, 2)):
        assert c.average_precision is not None
        assert c.average_precision.value == pytest.approx(
            average_precision_score(target[rows, i], score[rows, i])
        )
        assert c.positives + c.negatives == rows.sum()


def test_a_difference_is_paired() -> None:
    score, target, groups = example()
    worse = np.clip(score - 0.3 * target * (np.arange(400) % 2)[:, None], 0, 1).astype(np.float32)
    gain = difference(score, worse, target, groups)
    assert 0 < gain.low < gain.value < gain.high
    same = difference(score, score, target, groups)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_an_evaluation_survives_json() -> None:
    score, target, groups = example()
    found = judge(
        score, target, groups, "abc", np.full(3, 0.6, np.float32), title="t", group_by="recording"
    )
    again = quality_from_json(to_json(found))
    assert to_json(again) == to_json(found)
