"""Retrieval against a loop over queries with scikit-learn, with ties, one positive and none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from antiphon.errors import UserError
from antiphon.evaluation.metrics import _similarity
from antiphon.evaluation.metrics.retrieval import retrieval_scores


def shares(mine, theirs):
    """Relevance ``(n, m)`` of labels in either form."""
    if mine.ndim == 1:
        return mine[:, None] == theirs[None]
    return (mine[:, None, :] * theirs[None]).any(axis=2)


def cosines(query, gallery):
    """Similarities from sums in one fixed order, so that equal embeddings tie exactly."""
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (query, gallery)]
    return (unit[0][:, None, :] * unit[1][None]).sum(axis=2)


def loop(similarity, relevant, itself):
    """Per-query areas, and precision at 1 where the first place is not tied."""
    areas, first = [], []
    for i, (s, r) in enumerate(zip(similarity, relevant, strict=True)):
        kept = np.arange(len(s)) != i if itself else np.ones(len(s), bool)
        s, r = s[kept], r[kept]
        areas.append(roc_auc_score(r, s) if 0 < r.sum() < len(r) else np.nan)
        first.append(r[s == s.max()].mean() if r.any() else np.nan)
    return np.array(areas), np.array(first)


CASES = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(1, 8), st.booleans(), st.booleans()
)


@settings(max_examples=60, deadline=None)
@given(CASES)
def test_equals_a_loop_over_queries(case):
    seed, n, classes, sets, repeats = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 5))
    if repeats:
        x = x[rng.integers(0, n, n)]
    y = rng.integers(0, classes, n)
    if sets:
        y = (rng.random((n, classes)) < 0.3).astype(int)
    found = retrieval_scores(x, y, block=None if seed % 2 else 7)
    areas, first = loop(cosines(x, x), shares(y, y), itself=True)
    np.testing.assert_allclose(found.per_query_auc, areas, atol=1e-12)
    none = np.isnan(first)
    assert (found.queries, found.skipped) == ((~none).sum(), none.sum())
    assert found.all_relevant == np.isnan(areas).sum() - none.sum()
    if (~none).any():
        assert found.precision_at[1] == pytest.approx(first[~none].mean(), abs=1e-12)
    else:
        assert np.isnan(found.precision_at[1])
    if (~np.isnan(areas)).any():
        assert found.roc_auc == pytest.approx(np.nanmean(areas), abs=1e-12)
    else:
        assert np.isnan(found.roc_auc)


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_a_gallery_is_searched_whole(case):
    seed, n, classes, sets, repeats = case
    rng = np.random.default_rng(seed)
    x, z = rng.standard_normal((9, 4)), rng.standard_normal((n, 4))
    if repeats:
        z = z[rng.integers(0, n, n)]
        x[:3] = z[:1]
    y, v = rng.integers(0, classes, 9), rng.integers(0, classes, n)
    if sets:
        y, v = ((rng.random((len(a), classes)) < 0.3).astype(int) for a in (y, v))
    found = retrieval_scores(x, y, gallery=z, gallery_labels=v, block=4)
    areas, first = loop(cosines(x, z), shares(y, v), itself=False)
    np.testing.assert_allclose(found.per_query_auc, areas, atol=1e-12)
    assert found.queries == (~np.isnan(first)).sum()
    if found.queries:
        assert found.precision_at[1] == pytest.approx(np.nanmean(first), abs=1e-12)


@pytest.mark.parametrize("classes", [2, 5, 150])
def test_larger_sets_take_the_table_of_bins(classes, monkeypatch):
    rng = np.random.default_rng(classes)
    n = 600
    y = rng.integers(0, classes, n)
    x = rng.standard_normal((n, 32)) + rng.standard_normal((classes, 32))[y]
    x[100:130] = x[50]
    x[200:230] = -x[50]
    similarity = cosines(x, x)
    areas, first = loop(similarity, shares(y, y), itself=True)
    np.testing.assert_allclose(retrieval_scores(x, y).per_query_auc, areas, atol=1e-12)
    monkeypatch.setattr(_similarity, "_PANEL", 64)
    found = retrieval_scores(x, y)
    np.testing.assert_allclose(found.per_query_auc, areas, atol=1e-12)
    assert found.precision_at[1] == pytest.approx(np.nanmean(first), abs=1e-12)
    near = retrieval_scores(x.astype(np.float16), y, dtype=np.float32)
    assert near.roc_auc == pytest.approx(found.roc_auc, abs=1e-4)


def test_precision_at_k_by_hand():
    # On a line through the angles, the nearest to 0 degrees are 10, 20, 30 and 40.
    angle = np.deg2rad([0.0, 10.0, 20.0, 30.0, 40.0])
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = retrieval_scores(x[:1], [0], gallery=x[1:], gallery_labels=[1, 0, 0, 1], k=(1, 2, 3, 4))
    assert found.precision_at == pytest.approx({1: 0.0, 2: 0.5, 3: 2 / 3, 4: 0.5})
    assert found.roc_auc == 0.5
    # Four copies: every order is as likely.
    same = retrieval_scores(
        x[:1], [0], gallery=x[[1, 1, 1, 1]], gallery_labels=[0, 1, 1, 1], k=(1, 3)
    )
    assert same.precision_at == pytest.approx({1: 0.25, 3: 0.25})
    assert same.roc_auc == 0.5


def test_duplicates_tie_whatever_place_they_have_in_the_matrix_product():
    rng = np.random.default_rng(0)
    base = rng.standard_normal((40, 311)).astype(np.float32)
    x = np.concatenate([base, base, base])
    # Each copy has a label of its own: an item's copies are first, one of them is relevant.
    y = np.repeat([0, 1, 1], 40)
    found = retrieval_scores(x[:40], np.ones(40), gallery=x, gallery_labels=y)
    assert found.precision_at[1] == pytest.approx(2 / 3, abs=1e-12)
    itself = retrieval_scores(x, np.concatenate([np.arange(80), np.arange(40)]), k=(1,))
    assert itself.queries == 80
    assert itself.precision_at[1] == pytest.approx(0.5, abs=1e-12)


def test_scale_of_embeddings_does_not_matter():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((50, 6)), rng.integers(0, 4, 50)
    scale = np.exp2(rng.integers(-400, 400, (50, 1)).astype(float))
    once, again = retrieval_scores(x, y), retrieval_scores(x * scale, y)
    np.testing.assert_array_equal(once.per_query_auc, again.per_query_auc)


def test_names_and_numbers_of_labels_are_the_same():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((30, 4)), rng.integers(0, 3, 30)
    names = np.array(["wren", "robin", "tit"])[y]
    one_hot = np.eye(3, dtype=int)[y]
    expected = retrieval_scores(x, y).per_query_auc
    for labels in (names, one_hot):
        np.testing.assert_allclose(retrieval_scores(x, labels).per_query_auc, expected)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"embeddings": [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]}, "Row 1 of the embeddings is all"),
        ({"embeddings": [[1.0, 0.0], [1.0, 2.0], [np.nan, 1.0]]}, "Row 2 of the embeddings holds"),
        ({"embeddings": np.zeros((3, 0))}, "shape"),
        ({"embeddings": np.ones((2, 2))}, "shape .2, 2., but there are 3 labels"),
        ({"labels": [0.0, np.nan, 1.0]}, "label of row 1 is NaN"),
        ({"labels": [[0, 1], [2, 0], [1, 1]]}, "Label 0 of row 1 is 2"),
        ({"embeddings": np.ones((1, 2)), "labels": [0]}, "at least one other"),
        ({"embeddings": np.ones((0, 2)), "labels": []}, "at least one other"),
        ({"k": (3,)}, "Precision at 3 needs 3 items"),
        ({"k": (0,)}, "Precision at 0"),
        ({"gallery": np.ones((2, 2))}, "together"),
        ({"gallery": np.ones((2, 3)), "gallery_labels": [0, 1]}, "2 dimensions"),
        ({"gallery": np.ones((2, 2)), "gallery_labels": [[0, 1], [1, 0]]}, "Labels must be"),
        ({"gallery": [[1, 1], [0, 0]], "gallery_labels": [0, 1]}, "Row 1 of the gallery"),
    ],
)
def test_bad_input(change, match):
    given = {"embeddings": np.eye(3)[:, :2] + 1.0, "labels": [0, 1, 0], **change}
    with pytest.raises(UserError, match=match):
        retrieval_scores(given.pop("embeddings"), given.pop("labels"), **given)


def test_row_of_an_error_is_that_of_the_input():
    x = np.ones((4, 2))
    x[1] = 0.0
    with pytest.raises(UserError, match="Row 1 "):
        retrieval_scores(x, [3, 2, 1, 0])


def test_precision_of_each_query():
    x = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9], [0.5, 0.5]])
    found = retrieval_scores(x, [0, 0, 1, 0, 2], k=(1, 2))
    assert found.per_query_precision[1].tolist()[:2] == [1.0, 1.0]
    assert found.per_query_precision[1][3] == 0.0
    # The third and the last have nothing relevant to find.
    assert np.isnan(found.per_query_precision[1][[2, 4]]).all()
    for k, mean in found.precision_at.items():
        assert np.nanmean(found.per_query_precision[k]) == pytest.approx(mean)
