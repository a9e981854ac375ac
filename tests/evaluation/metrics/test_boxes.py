"""Boxes: overlap on a grid, optimal matching, average precision by hand and by definition."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.metrics.boxes import (
    Boxes,
    box_average_precision,
    box_f1,
    boxes_of,
    match_boxes,
)

ROWS = st.lists(
    st.tuples(
        st.sampled_from("ab"), *[st.integers(0, 6), st.integers(1, 6)] * 2, st.sampled_from("xy")
    ),
    max_size=6,
)


def made(rows, scores=None):
    """Boxes on a grid of 1 s and 1 kHz."""
    columns = list(zip(*rows, strict=True)) or [[]] * 6
    recording, onset, length, low, height, label = (np.array(c) for c in columns)
    return Boxes(
        recording,
        onset.astype(float),
        (onset + length).astype(float),
        label,
        1000.0 * low,
        1000.0 * (low + height),
        scores,
    )


def overlap(true, found, i, j):
    """Intersection over union by counting cells."""
    if true.recording[i] != found.recording[j] or true.label[i] != found.label[j]:
        return 0.0
    grids = []
    for boxes, k in ((true, i), (found, j)):
        grid = np.zeros((20, 20), bool)
        band = slice(int(boxes.low[k] / 1000), int(boxes.high[k] / 1000))
        grid[int(boxes.onset[k]) : int(boxes.offset[k]), band] = True
        grids.append(grid)
    return (grids[0] & grids[1]).sum() / (grids[0] | grids[1]).sum()


@settings(max_examples=120, deadline=None)
@given(ROWS, ROWS, st.sampled_from([0.1, 0.25, 0.5, 1.0]))
def test_matching_is_optimal(rows, other, iou):
    true, found = made(rows), made(other)
    table = np.array(
        [[overlap(true, found, i, j) for j in range(len(found))] for i in range(len(true))]
    ).reshape(len(true), len(found))
    i, j, share = match_boxes(true, found, iou)
    np.testing.assert_allclose(share, table[i, j])
    assert len(set(i.tolist())) == len(set(j.tolist())) == len(i)
    assert (share >= iou - 1e-9).all()
    wide = table if len(true) <= len(found) else table.T
    best = (0, 0.0)
    for columns in permutations(range(wide.shape[1]), wide.shape[0]):
        values = wide[np.arange(wide.shape[0]), list(columns)]
        values = values[values >= iou - 1e-9]
        best = max(best, (len(values), values.sum()))
    assert len(i) == best[0]
    assert share.sum() == pytest.approx(best[1])


def test_f1_by_hand():
    true = boxes_of(
        {"r": [(0, 2, 1000, 2000, "x"), (4, 6, 1000, 2000, "x"), (0, 2, 5000, 6000, "y")]}
    )
    found = boxes_of(
        {
            # Two thirds of a box, half its band, and the right place under a wrong name.
            "r": [(0, 3, 1000, 2000, "x"), (4, 6, 1000, 3000, "x"), (0, 2, 5000, 6000, "x")],
            "s": [(0, 2, 5000, 6000, "y")],
        }
    )
    scores = box_f1(true, found, 0.5)
    assert scores.classes.tolist() == ["x", "y"]
    assert (scores.right.tolist(), scores.false.tolist()) == ([2, 0], [1, 1])
    assert scores.missed.tolist() == [0, 1]
    assert scores.macro_f1 == pytest.approx(0.8 / 2)
    assert (scores.true_index.tolist(), scores.found_index.tolist()) == ([0, 1], [0, 1])
    assert box_f1(true, found, 0.6).right.tolist() == [1, 0]


def reference_precision(true, found, iou):
    """All-point average precision of one class, box by box, for distinct scores."""
    taken, hits = set(), []
    for j in np.argsort(-found.score):
        shares = [(overlap(true, found, i, j), i) for i in range(len(true)) if i not in taken]
        share, i = max(shares, default=(0.0, -1))
        hits.append(share >= iou - 1e-9)
        if hits[-1]:
            taken.add(i)
    area, right = 0.0, np.cumsum(hits)
    for k in range(len(hits)):
        if hits[k]:
            area += max(right[m] / (m + 1) for m in range(k, len(hits))) / len(true)
    return area


@settings(max_examples=120, deadline=None)
@given(ROWS, ROWS, st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5]))
def test_average_precision_equals_its_definition(rows, other, seed, iou):
    rng = np.random.default_rng(seed)
    # Sizes differ a little, so that no two overlaps are equal.
    true, found = made(rows), made(other, rng.permutation(len(other)).astype(float))
    result = box_average_precision(true, found, iou, classes=["x", "y"])
    for c, name in enumerate("xy"):
        mine, theirs = (
            Boxes(*(getattr(b, f)[b.label == name] for f in FIELDS)) for b in (true, found)
        )
        if len(mine) == 0:
            assert np.isnan(result.per_class[c])
            assert name in result.without_boxes
            continue
        theirs = Boxes(
            *(getattr(theirs, f) for f in FIELDS), score=found.score[found.label == name]
        )
        shares = [overlap(mine, theirs, i, j) for i in range(len(mine)) for j in range(len(theirs))]
        distinct = [s for s in shares if s >= iou - 1e-9]
        if len(set(distinct)) == len(distinct):
            expected = reference_precision(mine, theirs, iou)
            assert result.per_class[c] == pytest.approx(expected)
    order = rng.permutation(len(other))
    again = made([other[k] for k in order], found.score[order])
    other_order = box_average_precision(true, again, iou, classes=["x", "y"])
    np.testing.assert_allclose(other_order.per_class, result.per_class)


FIELDS = ("recording", "onset", "offset", "label", "low", "high")


def test_average_precision_by_hand():
    true = boxes_of({"r": [(0, 1, 0, 1000, "x"), (2, 3, 0, 1000, "x")]})
    found = boxes_of(
        {
            "r": [
                (0, 1, 0, 1000, "x", 0.9),
                (0, 1, 0, 1000, "x", 0.8),
                (2, 3, 0, 1000, "x", 0.7),
                (5, 6, 0, 1000, "y", 0.6),
            ]
        }
    )
    # Right, a second box on a taken one, right: precision 1 to half the recall, then 2 / 3.
    result = box_average_precision(true, found)
    assert result.per_class[0] == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert np.isnan(result.per_class[1])
    assert result.mean == pytest.approx(5 / 6)
    assert result.without_boxes == ("y",)
    # All of one score enter together, whatever their order.
    tied = Boxes(*(getattr(found, f) for f in FIELDS), score=np.ones(4))
    assert box_average_precision(true, tied).per_class[0] == pytest.approx(2 / 3)
    none = boxes_of({})
    assert box_average_precision(true, Boxes(*([[]] * 6), score=[])).mean == 0.0
    assert np.isnan(box_average_precision(none, found).mean)


def test_without_a_band_overlap_is_that_of_time():
    true = boxes_of({"r": [(0, 2, 0, 1, "x")]})
    found = boxes_of({"r": [(1, 3, 0, 1, "x")]})
    assert match_boxes(true, found, 0.3)[2].tolist() == pytest.approx([1 / 3])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: boxes_of({"r": [(0, 1, 5, 5, "x")]}), "Box 0 .x in r. spans 5 to 5 Hz"),
        (lambda: boxes_of({"r": [(1, 0, 5, 6, "x")]}), "Event 0 .x in r."),
        (lambda: boxes_of({"r": [(0, 1, 5, 6, "x", np.nan)]}), "score"),
        (lambda: boxes_of({"r": [(0, 1, 5, 6, "x", 0.5), (0, 1, 5, 6, "x")]}), "score"),
        (lambda: Boxes(["r"], [0.0], [1.0], ["x"], [1.0, 2.0], [3.0]), "values of low"),
        (lambda: match_boxes(boxes_of({}), boxes_of({}), 0.0), "overlap must be"),
        (lambda: box_average_precision(boxes_of({}), boxes_of({"r": [(0, 1, 2, 3, "x")]})), "need"),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(UserError, match=match):
        call()
