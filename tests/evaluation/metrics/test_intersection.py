"""Events by intersection, by hand and against a grid of tenths of a second."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import events_of
from antiphon.evaluation.metrics.intersection import Criteria, intersection_scores, judge

EVENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(1, 12), st.sampled_from("xy")),
    max_size=7,
)


def made(rows):
    """Events on a grid of tenths of a second."""
    of = {}
    for recording, onset, length, label in rows:
        of.setdefault(recording, []).append((onset / 10, (onset + length) / 10, label))
    return events_of(of)


def test_intersection_by_hand():
    true = events_of({"r": [(0, 10, "x"), (20, 22, "x"), (0, 5, "y")]})
    found = events_of(
        {
            # Two short ones cover 6 of 10 s; one long one is 2 of 6 s inside; y is no match.
            "r": [(1, 4, "x"), (5, 8, "x"), (18, 24, "x"), (30, 31, "y")],
        }
    )
    half = intersection_scores(true, found)
    assert (half.right.tolist(), half.false.tolist()) == ([1, 0], [1, 1])
    assert half.missed.tolist() == [1, 1]
    strict = intersection_scores(true, found, Criteria(0.5, 0.7))
    assert strict.right.tolist() == [0, 0]
    loose = intersection_scores(true, found, Criteria(1 / 3, 0.6))
    assert (loose.right.tolist(), loose.false.tolist()) == ([2, 0], [0, 1])
    # An x in y's event is a cross-trigger only if it is no relevant x.
    wrong = events_of({"r": [(12, 16, "x"), (1, 4, "x"), (13, 14, "y")]})
    truth = events_of({"r": [(0, 10, "x"), (14, 20, "y"), (0, 10, "y")]})
    judged = judge(truth, wrong, Criteria(0.5, 0.5, 0.5), ["x", "y"])
    assert judged.relevant.tolist() == [False, True, False]
    assert judged.cross.tolist() == [[0, 1], [0, 0]]


@settings(max_examples=80, deadline=None)
@given(EVENTS, EVENTS)
def test_intersection_equals_a_grid(rows, other):
    true, found = made(rows), made(other)

    def cells(events, which):
        grid = np.zeros((2, 2, 50), bool)
        for i in np.flatnonzero(which):
            span = slice(round(events.onset[i] * 10), round(events.offset[i] * 10))
            grid["ab".index(events.recording[i]), "xy".index(events.label[i]), span] = True
        return grid

    def share(events, i, grid):
        span = slice(round(events.onset[i] * 10), round(events.offset[i] * 10))
        return grid["ab".index(events.recording[i]), "xy".index(events.label[i]), span].mean()

    judged = judge(true, found, Criteria(0.4, 0.7, 0.3), ["x", "y"])
    truth = cells(true, np.ones(len(true), bool))
    relevant = np.array([share(found, i, truth) >= 0.4 - 1e-9 for i in range(len(found))], bool)
    np.testing.assert_array_equal(judged.relevant, relevant)
    good = cells(found, relevant)
    detected = [share(true, i, good) >= 0.7 - 1e-9 for i in range(len(true))]
    assert judged.detected.tolist() == detected


def test_nothing_at_all():
    none, some = events_of({}), events_of({"r": [(0, 1, "x")]})
    assert np.isnan(intersection_scores(none, none).macro_f1)
    assert intersection_scores(some, none).missed.tolist() == [1]
    assert intersection_scores(none, some).false.tolist() == [1]


@pytest.mark.parametrize("share", [0.0, 1.1, np.nan])
def test_criteria_are_shares(share):
    with pytest.raises(UserError, match="cross criterion"):
        Criteria(cross=share)
