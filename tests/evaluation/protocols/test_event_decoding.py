from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import events_of
from antiphon.evaluation.protocols.event_decoding import (
    Collars,
    EventRule,
    Steps,
    choose_event_rule,
    decode_events,
)


def frames(score: list[list[float]], step: float = 0.1, recording: str = "r") -> Steps:
    values = np.array(score, np.float32)
    start = np.arange(len(values)) * step
    names = tuple("ab"[: values.shape[1]])
    return Steps(np.array([recording] * len(values)), start, start + step, values, names)


def spans(events) -> list[tuple[str, str, float, float]]:
    return [
        (str(r), str(label), round(float(a), 6), round(float(b), 6))
        for r, a, b, label in zip(
            events.recording, events.onset, events.offset, events.label, strict=True
        )
    ]


def test_active_frames_become_events() -> None:
    steps = frames([[0.1], [0.9], [0.8], [0.2], [0.9], [0.1]])
    found = decode_events(steps, EventRule((0.5,), 0.0, 0.0))
    assert spans(found) == [("r", "a", 0.1, 0.3), ("r", "a", 0.4, 0.5)]


def test_gaps_are_bridged_and_short_events_dropped_in_that_order() -> None:
    steps = frames([[0.9], [0.1], [0.9], [0.1], [0.1], [0.1], [0.9]])
    found = decode_events(steps, EventRule((0.5,), 0.1, 0.2))
    assert spans(found) == [("r", "a", 0.0, 0.3)]


def test_overlapping_windows_are_united_within_a_recording() -> None:
    steps = Steps(
        np.array(["s", "r", "r", "r"]),
        np.array([0.0, 1.0, 0.0, 5.0]),
        np.array([2.0, 3.0, 4.0, 7.0]),
        np.full((4, 1), 0.9),
        ("a",),
    )
    found = decode_events(steps, EventRule((0.5,), 0.0, 0.0))
    # The window from 1 to 3 s lies inside that from 0 to 4 s.
    assert spans(found) == [("r", "a", 0, 4), ("r", "a", 5, 7), ("s", "a", 0, 2)]


def test_classes_have_thresholds_of_their_own_and_a_score_at_it_counts() -> None:
    steps = frames([[0.5, 0.5], [0.1, 0.5]])
    found = decode_events(steps, EventRule((0.5, 0.6), 0.0, 0.0))
    assert spans(found) == [("r", "a", 0.0, 0.1)]
    assert len(decode_events(steps, EventRule((0.9, 0.9), 0.0, 0.0))) == 0


def test_the_rule_is_found_that_restores_the_events() -> None:
    rng = np.random.default_rng(0)
    truth, score = [], 0.3 * rng.random((400, 2))
    for onset in range(10, 390, 40):
        score[onset : onset + 12, 0] = 0.6 + 0.3 * rng.random(12)
        # A hole of 3 frames, to be bridged, and a click of one, to be dropped.
        score[onset + 5 : onset + 8, 0] = 0.1
        score[onset + 25, 0] = 0.95
        truth.append((onset / 10, (onset + 12) / 10, "a"))
    steps, true = frames(score.tolist()), events_of({"r": truth})
    rule = choose_event_rule(steps, true, collars=Collars(0.1, 0.1, 0.0))
    assert rule.merge_gap == 0.5
    assert rule.min_duration == 0.5
    found = Collars(0.1, 0.1, 0.0).scores(true, decode_events(steps, rule), ("a", "b"))
    assert found.f1[0] == 1.0
    # Class b has no event: it is never reported.
    assert rule.threshold[1] > score[:, 1].max()


def test_nothing_to_choose_on_is_an_error() -> None:
    with pytest.raises(UserError, match="no event"):
        choose_event_rule(frames([[0.5]]), events_of({}))


def test_scores_that_are_not_finite_are_named() -> None:
    with pytest.raises(UserError, match="step 1, class b"):
        frames([[0.1, 0.2], [0.3, float("nan")]])
    with pytest.raises(UserError, match=r"scores \(1, 1\)"):
        Steps(np.array(["r"]), np.zeros(1), np.ones(1), np.zeros((2, 1)), ("a",))
