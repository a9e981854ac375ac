"""Events by collars and by segments: hand-worked, and optimal by exhaustion."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import (
    Events,
    event_scores,
    events_of,
    segment_scores,
)

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


def fits(true, found, i, j, onset, offset, rate):
    """Whether two events may be matched, in whole tenths of a second."""
    tenth = [np.rint(10 * np.array([e.onset, e.offset])) for e in (true, found)]
    length = tenth[0][1, i] - tenth[0][0, i]
    return (
        true.recording[i] == found.recording[j]
        and true.label[i] == found.label[j]
        and abs(tenth[0][0, i] - tenth[1][0, j]) <= 10 * onset + 1e-9
        and abs(tenth[0][1, i] - tenth[1][1, j]) <= max(10 * offset, rate * length) + 1e-9
    )


def most_pairs(allowed):
    """Largest number of one-to-one pairs, by trying every assignment."""
    if not allowed.size:
        return 0
    if allowed.shape[0] > allowed.shape[1]:
        allowed = allowed.T
    rows = np.arange(allowed.shape[0])
    columns = permutations(range(allowed.shape[1]), allowed.shape[0])
    return max(allowed[rows, list(c)].sum() for c in columns)


@settings(max_examples=80, deadline=None)
@given(EVENTS, st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=6))
def test_matching_is_optimal(rows, other):
    true = made(rows)
    found = made([("ab"[r % 2], 3 * a, b + 1, "xy"[c % 2]) for r, a, b, c in other])
    scores = event_scores(true, found, 0.2, 0.3, 0.5, classes=["x", "y"])
    allowed = np.array(
        [
            [fits(true, found, i, j, 0.2, 0.3, 0.5) for j in range(len(found))]
            for i in range(len(true))
        ],
        dtype=int,
    ).reshape(len(true), len(found))
    for c, name in enumerate("xy"):
        mine = allowed[true.label == name][:, found.label == name]
        assert scores.right[c] == most_pairs(mine)
        assert scores.right[c] + scores.missed[c] == (true.label == name).sum()
        assert scores.right[c] + scores.false[c] == (found.label == name).sum()
    assert allowed[scores.true_index, scores.found_index].all()
    assert len(set(scores.found_index.tolist())) == len(scores.found_index)


def test_first_come_first_served_would_lose_a_pair():
    true = events_of({"r": [(1.0, 2.0, "x"), (1.2, 2.2, "x")]})
    found = events_of({"r": [(1.2, 2.2, "x"), (1.35, 2.35, "x")]})
    # The first fits both true events, the second only the later one.
    assert event_scores(true, found).right.tolist() == [2]


def test_collars_by_hand():
    true = events_of({"r": [(1.0, 5.0, "x")]})
    on_the_edge = events_of({"r": [(1.2, 5.0, "x")]})
    too_late = events_of({"r": [(1.201, 5.0, "x")]})
    assert event_scores(true, on_the_edge).macro_f1 == 1.0
    assert event_scores(true, too_late).macro_f1 == 0.0
    # A fifth of four seconds is more than the collar of 0.2 s.
    ends = events_of({"r": [(1.0, 5.8, "x")]})
    assert event_scores(true, ends).macro_f1 == 1.0
    assert event_scores(true, ends, offset_rate=0.1).macro_f1 == 0.0
    assert event_scores(true, ends, offset_collar=None).macro_f1 == 1.0
    # 0.3 - 0.1 is less than 0.2 in binary, 0.9 - 0.7 more; both are on the collar.
    for onset in (0.1, 0.7):
        one, two = (events_of({"r": [(t, 2.0, "x")]}) for t in (onset, onset + 0.2))
        assert event_scores(one, two, 0.2).micro_f1 == 1.0


def test_counts_and_means_by_hand():
    true = events_of({"a": [(0, 1, "x"), (2, 3, "x"), (4, 5, "y")], "b": [(0, 1, "z")]})
    found = events_of({"a": [(0, 1, "x"), (9, 9.5, "x"), (8, 9, "w")], "b": [(0, 1, "y")]})
    scores = event_scores(true, found)
    assert scores.classes.tolist() == ["w", "x", "y", "z"]
    assert scores.right.tolist() == [0, 1, 0, 0]
    assert scores.false.tolist() == [1, 1, 1, 0]
    assert scores.missed.tolist() == [0, 1, 1, 1]
    np.testing.assert_array_equal(scores.precision, [0, 0.5, 0, np.nan])
    np.testing.assert_array_equal(scores.recall, [np.nan, 0.5, 0, 0])
    np.testing.assert_array_equal(scores.f1, [0, 0.5, 0, 0])
    assert scores.macro_f1 == 0.125
    assert (scores.micro_precision, scores.micro_recall) == (0.25, 0.25)
    assert scores.micro_f1 == 0.25


def test_nothing_at_all():
    none = events_of({})
    some = events_of({"r": [(0, 1, "x")]})
    for of in (event_scores, segment_scores):
        assert np.isnan(of(none, none).macro_f1)
        assert np.isnan(of(none, none).micro_f1)
        assert of(some, none).missed.tolist() == [1]
        assert of(none, some).false.tolist() == [1]
        assert np.isnan(of(some, none, classes=["x", "y"]).f1[1])


def test_segments_by_hand():
    # True in segments 0, 1, 2 and 5; found in 1, 2, 3 of x, and in 0 of y.
    true = events_of({"r": [(0.5, 2.5, "x"), (5.0, 6.0, "x"), (5.2, 5.4, "x")]})
    found = events_of({"r": [(1.0, 4.0, "x"), (0.0, 0.1, "y")]})
    scores = segment_scores(true, found, 1.0)
    assert scores.right.tolist() == [2, 0]
    assert scores.false.tolist() == [1, 1]
    assert scores.missed.tolist() == [2, 0]
    # 0.3 / 0.1 is below 3 in binary; the event still begins with segment 3.
    edge = events_of({"r": [(0.3, 0.6, "x")]})
    assert segment_scores(edge, edge, 0.1).right.tolist() == [3]


@settings(max_examples=50, deadline=None)
@given(EVENTS, EVENTS)
def test_segments_equal_a_grid(rows, other):
    true, found = made(rows), made(other)
    scores = segment_scores(true, found, 0.5, classes=["x", "y"])
    grids = []
    for events in (true, found):
        grid = np.zeros((2, 2, 500), bool)
        for r, a, b, c in zip(
            events.recording, events.onset, events.offset, events.label, strict=True
        ):
            tenths = np.arange(round(a * 10), round(b * 10))
            grid["ab".index(r), "xy".index(c), tenths // 5] = True
        grids.append(grid)
    for c in range(2):
        t, f = grids[0][:, c], grids[1][:, c]
        assert scores.right[c] == (t & f).sum()
        assert scores.false[c] == (f & ~t).sum()
        assert scores.missed[c] == (t & ~f).sum()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: events_of({"r": [(1, 1, "x")]}), "Event 0 .x in r. runs from 1 to 1 s"),
        (lambda: events_of({"r": [(0, 1, "x"), (np.nan, 1, "y")]}), "Event 1 .y in r."),
        (lambda: events_of({"r": [(0, np.inf, "x")]}), "Event 0"),
        (lambda: Events(["r"], [0.0], [1.0, 2.0], ["x"]), "one recording"),
        (lambda: event_scores(events_of({}), events_of({}), -1.0), "onset collar"),
        (lambda: event_scores(events_of({}), events_of({}), offset_rate=np.nan), "offset share"),
        (lambda: segment_scores(events_of({}), events_of({}), 0.0), "above 0 s"),
        (
            lambda: event_scores(events_of({"r": [(0, 1, "x")]}), events_of({}), classes=["y"]),
            "class x of the truth",
        ),
    ],
)
def test_bad_input(call, match):
    with pytest.raises(UserError, match=match):
        call()
