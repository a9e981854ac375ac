from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import events_of
from antiphon.evaluation.protocols.windows import BEANS_WINDOWS, beans_windows, window_starts


def positive(start: float, end: float, on: float, off: float) -> bool:
    """One window and one event, step by step as BEANS decides."""
    if start <= on <= end or start <= off <= end:
        overlap = (min(end, off) - max(start, on)) / min(end - start, off - on)
        if overlap > 0.2:
            return True
    return on <= start and end <= off


def test_the_windows_of_the_five_sets() -> None:
    assert BEANS_WINDOWS["dcase"] == BEANS_WINDOWS["enabirds"] == (2.0, 1.0)
    assert BEANS_WINDOWS["hiceas"] == BEANS_WINDOWS["rfcx"] == (10.0, 5.0)
    assert BEANS_WINDOWS["gibbons"] == (4.0, 2.0)


@pytest.mark.parametrize(
    ("duration", "count"), [(60.0, 59), (2.0, 1), (1.5, 1), (1.0, 0), (3.9, 2), (0.4, 0)]
)
def test_windows_are_counted_as_published(duration: float, count: int) -> None:
    assert len(window_starts(duration, 2.0, 1.0)) == count


def test_hand_worked_labels() -> None:
    events = events_of(
        {
            "one": [
                (0.0, 0.1, "short"),  # begins on the border of the first window
                (1.9, 5.0, "long"),  # a twentieth of the first window, covers three others
                (2.5, 3.5, "half"),
            ]
        }
    )
    found = beans_windows({"one": 6.0, "empty": 2.0}, events, 2.0, 1.0)
    assert found.classes == ("half", "long", "short")
    assert found.recording.tolist() == ["one"] * 5 + ["empty"]
    assert found.start.tolist() == [0, 1, 2, 3, 4, 0]
    assert found.targets[:, 2].tolist() == [1, 0, 0, 0, 0, 0]
    assert found.targets[:, 1].tolist() == [0, 1, 1, 1, 1, 0]
    assert found.targets[:, 0].tolist() == [0, 1, 1, 1, 0, 0]


def test_exactly_a_fifth_is_not_enough() -> None:
    events = events_of({"a": [(0.0, 0.5, "x")]})
    shifted = beans_windows({"a": 4.4}, events, 2.0, 0.4)
    # Window 1 begins at 0.4 s: 0.1 of 0.5 s.
    assert shifted.targets[:3, 0].tolist() == [1, 0, 0]


@given(
    st.lists(
        st.tuples(st.integers(0, 120), st.integers(1, 60), st.sampled_from(["a", "b"])), max_size=6
    ),
    st.sampled_from([(2.0, 1.0), (10.0, 5.0), (4.0, 2.0), (1.5, 0.5)]),
)
def test_vectorised_labels_are_those_of_the_loop(
    spans: list[tuple[int, int, str]], size: tuple[float, float]
) -> None:
    events = events_of({"r": [(on / 4, (on + long) / 4, label) for on, long, label in spans]})
    found = beans_windows({"r": 30.0}, events, *size, classes=["a", "b"])
    for row, (start, end) in enumerate(zip(found.start, found.end, strict=True)):
        for column, name in enumerate("ab"):
            want = any(
                positive(start, end, on / 4, (on + long) / 4)
                for on, long, label in spans
                if label == name
            )
            assert found.targets[row, column] == want


def test_faults_are_named() -> None:
    events = events_of({"a": [(0.0, 1.0, "x")]})
    with pytest.raises(UserError, match="is in a, whose duration"):
        beans_windows({"b": 2.0}, events, 2.0, 1.0)
    with pytest.raises(UserError, match="class x of event 0"):
        beans_windows({"a": 2.0}, events, 2.0, 1.0, classes=["y"])
    with pytest.raises(UserError, match="above 0 s"):
        beans_windows({"a": 2.0}, events, 2.0, 0.0)


def test_no_recording_gives_no_window() -> None:
    found = beans_windows({}, events_of({}), 2.0, 1.0, classes=["x"])
    assert len(found) == 0
    assert found.targets.shape == (0, 1)
    assert found.targets.dtype == np.float32
