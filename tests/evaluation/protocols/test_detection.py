from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import Events, events_of
from antiphon.evaluation.protocols.detection import detection, event_detection
from antiphon.evaluation.protocols.event_decoding import Collars, EventRule, Steps
from antiphon.evaluation.protocols.windows import Windows, beans_windows

NAMES = ("bat", "cat", "dog")


def side(prefix: str, seed: int, recordings: int = 6, absent: str = "") -> tuple:
    """Return embeddings, windows and events of 30-s recordings; events shift the embeddings."""
    rng = np.random.default_rng(seed)
    durations = {f"{prefix}{i}": 30.0 for i in range(recordings)}
    events = {
        name: [
            (float(on), float(on + rng.uniform(1.0, 4.0)), str(rng.choice(NAMES)))
            for on in rng.uniform(0, 25, 4)
        ]
        for name in durations
    }
    events = {r: [e for e in those if e[2] != absent] for r, those in events.items()}
    truth = events_of(events)
    windows = beans_windows(durations, truth, 1.0, 0.5, classes=NAMES)
    way = np.random.default_rng(5).standard_normal((3, 16))
    x = windows.targets @ way * 2 + rng.standard_normal((len(windows), 16))
    return x.astype(np.float32), windows, truth


def test_windows_and_events_are_scored() -> None:
    (x, w, _), (vx, vw, ve), (tx, tw, te) = side("t", 0), side("v", 1), side("e", 2)
    found = detection(
        x,
        w,
        tx,
        tw,
        validation=(vx, vw),
        validation_events=ve,
        test_events=te,
        collars=Collars(0.6, None),
    )
    want = average_precision_score(tw.targets, found.details["scores"], average="macro")
    assert found["map"].value == pytest.approx(want, abs=1e-6)
    assert found["map"].value == found["map_all"].value
    assert "6 groups drawn" in found["map"].note
    assert found["event_f1"].value > 0.5
    assert found["event_f1"].low <= found["event_f1"].value <= found["event_f1"].high
    assert found.details["true"] == len(te)


def test_both_rules_for_an_absent_class_are_reported() -> None:
    (x, w, _), (tx, tw, _) = side("t", 0), side("e", 2, absent="cat")
    found = detection(x, w, tx, tw)
    assert found["map_all"].value == pytest.approx(found["map"].value * 2 / 3)
    assert "AP 0 where" in found["map_all"].note
    assert any("not judged: cat" in note for note in found.notes)
    assert any("No event scores" in note for note in found.notes)


def test_event_scores_are_counted_by_hand() -> None:
    start = np.arange(6.0)
    steps = Steps(
        np.array(["r"] * 3 + ["s"] * 3),
        np.tile(start[:3], 2),
        np.tile(start[:3] + 1, 2),
        np.array([[1.0, 0], [0, 0], [0, 1], [1, 0], [0, 0], [0, 0]]),
        ("a", "b"),
    )
    true = events_of({"r": [(0.0, 1.0, "a"), (2.0, 3.0, "a")], "s": [(2.0, 3.0, "b")]})
    found = event_detection(steps, true, rule=EventRule((0.5, 0.5), 0.0, 0.0))
    # Class a: one right, one false, one missed; class b: one false, one missed.
    np.testing.assert_allclose(found.details["event_f1_per_class"], [0.5, 0.0])
    assert found["event_f1"].value == pytest.approx(0.25)
    assert found["event_f1_micro"].value == pytest.approx(2 / 6)
    assert found["event_precision"].value == pytest.approx(1 / 3)
    assert found["event_recall"].value == pytest.approx(1 / 3)


def test_faults_are_named() -> None:
    (x, w, _), (tx, tw, te) = side("t", 0), side("e", 2)
    other = Windows(tw.recording, tw.start, tw.end, tw.targets, ("x", "y", "z"))
    with pytest.raises(UserError, match="test windows have other classes"):
        detection(x, w, tx, other)
    steps = Steps(tw.recording, tw.start, tw.end, np.zeros(tw.targets.shape), NAMES)
    with pytest.raises(UserError, match="Give a rule"):
        event_detection(steps, te)
    with pytest.raises(UserError, match="validation and the test side"):
        event_detection(steps, te, validation=(steps, te))
    lost = Events(te.recording.astype("U9"), te.onset, te.offset, te.label)
    lost.recording[0] = "gone"
    with pytest.raises(UserError, match="events in gone"):
        event_detection(steps, lost, rule=EventRule((0.5,) * 3, 0.0, 0.0))
