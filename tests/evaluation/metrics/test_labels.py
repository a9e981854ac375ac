"""Metrics of single labels against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from antiphon.errors import UserError
from antiphon.evaluation.metrics.labels import (
    accuracy,
    balanced_accuracy,
    confusion_table,
    top_k_accuracy,
)

CASES = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 7))


@settings(max_examples=100, deadline=None)
@given(CASES)
@pytest.mark.filterwarnings("ignore:y_pred contains classes:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
def test_equal_to_scikit_learn(case):
    seed, n, classes = case
    rng = np.random.default_rng(seed)
    true, said = rng.integers(0, classes, n), rng.integers(0, classes, n)
    table = confusion_table(true, said)
    np.testing.assert_array_equal(
        table.count, reference.confusion_matrix(true, said, labels=table.classes)
    )
    assert accuracy(true, said) == pytest.approx(reference.accuracy_score(true, said))
    assert table.micro_f1 == pytest.approx(reference.f1_score(true, said, average="micro"))
    assert balanced_accuracy(true, said) == pytest.approx(
        reference.balanced_accuracy_score(true, said)
    )
    options = {"labels": table.classes, "zero_division": 0}
    assert table.macro_f1 == pytest.approx(
        reference.f1_score(true, said, average="macro", **options)
    )
    expected = reference.precision_recall_fscore_support(true, said, **options)
    for own, theirs in zip((table.precision, table.recall, table.f1), expected[:3], strict=True):
        np.testing.assert_allclose(np.nan_to_num(own), theirs)
    np.testing.assert_array_equal(np.isnan(table.recall), expected[3] == 0)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_equals_scikit_learn_without_ties(k):
    rng = np.random.default_rng(k)
    true, score = rng.integers(0, 6, 200), rng.random((200, 6)).astype(np.float16)
    score = (score + np.arange(6) * np.float16(1e-2)).astype(np.float16)
    untied = np.array([len(set(row)) == 6 for row in score])
    expected = reference.top_k_accuracy_score(true[untied], score[untied], k=k, labels=range(6))
    assert top_k_accuracy(true[untied], score[untied], k) == pytest.approx(expected)


def test_ties_share_the_place():
    assert top_k_accuracy([0, 3], np.ones((2, 4)), 1) == 0.25
    assert top_k_accuracy([0, 3], np.ones((2, 4)), 3) == 0.75
    assert top_k_accuracy([0, 3], np.ones((2, 4)), 9) == 1.0
    # Class 0 is first; 1 and 2 share the second place.
    assert top_k_accuracy([0, 1], [[3, 2, 2], [3, 2, 2]], 2) == 0.75


def test_classes_keep_their_order_and_may_lack_items():
    table = confusion_table(["b", "a"], ["b", "b"], classes=["c", "b", "a"])
    assert table.count.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert np.isnan(table.f1[0])
    assert (table.balanced_accuracy, table.macro_f1) == (0.5, pytest.approx(1 / 3))


def test_nothing_has_no_score():
    table = confusion_table([], [])
    assert np.isnan([table.accuracy, table.balanced_accuracy, table.macro_f1]).all()
    assert np.isnan(top_k_accuracy(np.zeros(0, int), np.zeros((0, 3))))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: accuracy([0, 1], [0]), "2 true labels, but 1"),
        (lambda: accuracy([[0]], [0]), "shape"),
        (lambda: accuracy([0.0, np.nan], [0, 1]), "true label of row 1 is NaN"),
        (lambda: confusion_table([0, 1], [0, 2], classes=[0, 1]), "predicted label 2 of row 1"),
        (lambda: confusion_table([0], [0], classes=[0, 0]), "twice"),
        (lambda: confusion_table([0], [0], classes=[]), "true label 0 of row 0"),
        (lambda: top_k_accuracy([0, 2], np.ones((2, 2))), "Row 1 has class 2"),
        (lambda: top_k_accuracy([0, 1], [[0, 1], [0, np.nan]]), "row 1, class 1 is nan"),
        (lambda: top_k_accuracy([0, 1], [[0, 1], [-np.inf, 0]]), "row 1, class 0 is -inf"),
        (lambda: top_k_accuracy([0], np.ones((2, 2))), "shape"),
        (lambda: top_k_accuracy([0], np.ones((1, 2)), 0), "at least 1"),
        (lambda: top_k_accuracy(["a"], np.ones((1, 2))), "number"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(UserError, match=match):
        call()
