"""PSDS by hand, and over all thresholds against each threshold by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.metrics._runs import runs
from antiphon.evaluation.metrics.events import events_of
from antiphon.evaluation.metrics.intersection import Criteria
from antiphon.evaluation.metrics.psds import (
    QUICK,
    TELL_APART,
    Scenario,
    psds,
    psds_of_detections,
)

HALF = Scenario(Criteria(0.5, 0.5), spread_weight=0.0, most=1000.0)


def detected(score, edges, classes, threshold):
    """Detections at one threshold, frame by frame."""
    out = {}
    for name, values in score.items():
        for c, label in enumerate(classes):
            on = np.append(values[:, c] >= threshold, False)
            start = None
            for t, now in enumerate(on):
                if now and start is None:
                    start = t
                elif not now and start is not None:
                    out.setdefault(name, []).append((edges[name][start], edges[name][t], label))
                    start = None
    return events_of(out)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 12))
def test_runs_are_those_of_every_threshold(seed, t, values):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, values, (t, 3)).astype(float)
    found = runs(score)
    for threshold in [*np.unique(score), values, -1.0]:
        there = (found.enters >= threshold) & (found.leaves < threshold)
        expected = set()
        for c in range(3):
            edge = np.flatnonzero(np.diff(np.pad(score[:, c] >= threshold, 1).astype(int)))
            expected |= {(c, b, e) for b, e in edge.reshape(-1, 2).tolist()}
        mine = list(
            zip(
                found.curve[there].tolist(),
                found.begin[there].tolist(),
                found.end[there].tolist(),
                strict=True,
            )
        )
        assert len(mine) == len(expected)
        assert set(mine) == expected


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 25),
    st.integers(2, 9),
    st.sampled_from([QUICK, TELL_APART, HALF, Scenario(Criteria(0.3, 0.6, 0.2), 0.8, 0.5, 900.0)]),
)
def test_all_thresholds_equal_each_threshold(seed, t, values, scenario):
    rng = np.random.default_rng(seed)
    classes = ["x", "y", "z"]
    score, edges, truth = {}, {}, {}
    for name in ("a", "b"):
        frames = t if name == "a" else t + 3
        score[name] = rng.integers(0, values, (frames, 3)) / values
        edges[name] = np.cumsum(rng.integers(1, 5, frames + 1)) / 10
        for _ in range(rng.integers(0, 5)):
            begin = rng.integers(0, 40) / 10
            event = (begin, begin + rng.integers(1, 30) / 10, classes[rng.integers(0, 2)])
            truth.setdefault(name, []).append(event)
    true = events_of(truth)
    found = psds(true, score, edges, classes, scenario)
    thresholds = np.unique(np.concatenate([s.ravel() for s in score.values()]))
    points = [detected(score, edges, classes, level) for level in thresholds]
    durations = {name: edge[-1] - edge[0] for name, edge in edges.items()}
    expected = psds_of_detections(true, points, durations, classes, scenario)
    assert found.value == pytest.approx(expected.value, abs=1e-12, nan_ok=True)
    assert found.per_class == pytest.approx(expected.per_class, abs=1e-12)
    assert found.without_events == expected.without_events
    np.testing.assert_allclose(found.rate, expected.rate)
    np.testing.assert_allclose(found.ratio, expected.ratio)


def test_one_class_by_hand():
    # An hour in frames of 10 s; events in frames 0 and 10, three false peaks.
    score = np.zeros((360, 1))
    score[[0, 10, 20, 30, 40], 0] = [0.9, 0.5, 0.7, 0.6, 0.4]
    true = events_of({"r": [(0, 10, "x"), (100, 110, "x")]})
    found = psds(true, {"r": score}, 10.0, ["x"], Scenario(Criteria(0.5, 0.5), most=4.0))
    # Half of the events without a false alarm, all with two an hour.
    assert found.rate.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert found.ratio.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert found.value == pytest.approx((0.5 * 2 + 1.0 * 2) / 4)
    # In twice the time, false alarms are half as frequent.
    longer = psds(
        true,
        {"r": score},
        10.0,
        ["x"],
        Scenario(Criteria(0.5, 0.5), most=4.0),
        durations={"r": 7200.0},
    )
    assert longer.value == pytest.approx((0.5 * 1 + 1.0 * 3) / 4)


def test_classes_are_averaged_less_their_spread():
    # x is found without a false alarm, y never.
    score = np.zeros((10, 2))
    score[2, 0] = 1.0
    score[7, 1] = 0.5
    true = events_of({"r": [(2, 3, "x"), (4, 5, "y")]})
    both = Scenario(Criteria(0.9, 0.9), spread_weight=0.0)
    assert psds(true, {"r": score}, 1.0, ["x", "y"], both).value == pytest.approx(0.5)
    spread = Scenario(Criteria(0.9, 0.9), spread_weight=0.6)
    found = psds(true, {"r": score}, 1.0, ["x", "y"], spread)
    assert found.value == pytest.approx(0.5 - 0.6 * 0.5)
    assert found.per_class == {"x": 1.0, "y": 0.0}
    assert psds(true, {"r": score}, 1.0, ["x", "y"], Scenario()).value == 0.0


def test_cross_triggers_count_beside_false_alarms():
    # y's score rises in x's event first, which is a false alarm and a cross-trigger.
    score = np.zeros((100, 2))
    score[10, 1], score[50, 1], score[10, 0] = 0.9, 0.8, 0.9
    true = events_of({"r": [(10, 11, "x"), (50, 51, "y")]})
    criteria = Criteria(0.5, 0.5, 0.5)
    plain = psds(true, {"r": score}, 1.0, ["x", "y"], Scenario(criteria, 0.0, 0.0, 1.0, 1.0))
    # One false alarm in 100 s.
    assert plain.rate.tolist() == [0.0, 0.01]
    weighted = psds(true, {"r": score}, 1.0, ["x", "y"], Scenario(criteria, 0.5, 0.0, 1.0, 1.0))
    # And one cross-trigger in the one second of x, weighing half. The step at 0.01 is that of x,
    # whose only detection at a threshold of 0 is the whole recording.
    np.testing.assert_allclose(weighted.rate, [0.0, 0.01, 0.51])
    assert weighted.per_class["y"] == pytest.approx(0.49)
    assert weighted.per_class["x"] == pytest.approx(1.0)


def test_recall_may_fall_as_the_threshold_falls():
    # Below 0.5 both events are one run over 8 s of silence, which is no detection of either.
    score = np.array([[0.9], [0.9], *[[0.5]] * 8, [0.9], [0.9]])
    true = events_of({"r": [(0, 2, "x"), (10, 12, "x")]})
    found = psds(true, {"r": score}, 1.0, ["x"], HALF)
    assert found.value == 1.0
    low = psds_of_detections(true, [events_of({"r": [(0, 12, "x")]})], {"r": 12.0}, None, HALF)
    assert low.value == 0.0


def test_float16_and_constant_scores():
    true = events_of({"r": [(0, 3, "x")]})
    constant = psds(true, {"r": np.full((4, 1), 0.5, np.float16)}, 1.0, ["x"], HALF)
    # One detection of 4 s, of which 3 are the event.
    assert constant.value == 1.0
    strict = Scenario(Criteria(0.8, 0.5), most=1000.0)
    assert psds(true, {"r": np.full((4, 1), 0.5)}, 1.0, ["x"], strict).value == 0.0


def test_without_events_there_is_no_score():
    found = psds(events_of({}), {"r": np.ones((4, 2))}, 1.0, ["x", "y"])
    assert np.isnan(found.value)
    assert found.without_events == ("x", "y")
    assert np.isnan(psds_of_detections(events_of({}), [], {"r": 1.0}, ["x"]).value)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"scores": {"r": [[0.1, np.nan]]}}, "r, frame 0, y is nan"),
        ({"scores": {"r": [[0.1]]}}, "frames, 2"),
        ({"scores": {"r": np.zeros((0, 2))}}, "frames, 2"),
        ({"scores": {"q": [[0.1, 0.2]]}}, "events in r, but no scores"),
        ({"scores": {}}, "no scores|at least one recording"),
        ({"edges": {"r": [0.0, 0.0]}}, "2 ascending times"),
        ({"edges": {"q": [0.0, 1.0]}}, "edges of the frames of r are missing"),
        ({"edges": -1.0}, "ascending"),
        ({"classes": ["x", "x"]}, "twice"),
        ({"classes": ["y", "z"]}, "events of x, which is no column"),
        ({"durations": {}}, "duration of r is missing"),
    ],
)
def test_bad_input(change, match):
    given = {"scores": {"r": [[0.1, 0.2]]}, "edges": 1.0, "classes": ["x", "y"], **change}
    with pytest.raises(UserError, match=match):
        psds(events_of({"r": [(0, 1, "x")]}), **given)


def test_bad_scenarios_and_detections():
    with pytest.raises(UserError, match="weights"):
        Scenario(spread_weight=-1.0)
    with pytest.raises(UserError, match="above 0"):
        Scenario(most=0.0)
    with pytest.raises(UserError, match="events in r, but its duration"):
        psds_of_detections(events_of({"r": [(0, 1, "x")]}), [], {})
