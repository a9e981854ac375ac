"""Labels that follow from events, by hand."""

from __future__ import annotations

from antiphon.audio.synthesis.pantanal.labels import rating, secondary_labels, window_labels
from antiphon.audio.synthesis.pantanal.scene import WorldEvent


def event(label: str, start_s: float, end_s: float, snr_db: float = 12.0) -> WorldEvent:
    return WorldEvent(label, "trill", "S01-0", start_s, end_s, 1e3, 2e3, snr_db, 9.0, "soundscape")


def test_a_window_needs_a_fifth_of_a_second_or_half_of_a_shorter_call() -> None:
    events = [
        event("a", 4.5, 5.15),  # 0.15 s in the second window: too little
        event("b", 4.5, 5.25),
        event("c", 4.94, 5.06),  # half of it on either side
        event("d", 4.9, 5.05),  # two thirds before
        event("e", 1.0, 14.0),
        event("e", 2.0, 3.0),
    ]
    assert window_labels(events, 3, 5.0) == [("a", "b", "c", "d", "e"), ("b", "c", "e"), ("e",)]


def test_nothing_is_labelled_behind_the_last_window_or_in_silence() -> None:
    assert window_labels([event("a", 9.0, 12.0)], 2, 5.0) == [(), ("a",)]
    assert window_labels([], 2, 5.0) == [(), ()]


def test_clips() -> None:
    events = [event("a", 0, 1, 3.0), event("a", 2, 3, 26.0), event("c", 1, 2, 40.0)]
    assert secondary_labels(events, "a") == ("c",)
    assert rating(events, "a") == 3.5
    assert rating(events, "c") == 5.0
    assert rating(events, "z") == 1.0
