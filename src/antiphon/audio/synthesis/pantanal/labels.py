"""Labels of windows and clips, as they follow from the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from antiphon.audio.synthesis.pantanal.scene import WorldEvent

LEAST_S = 0.2
"""A species is in a window that holds this much of one of its calls, or half of a shorter one."""


def window_labels(
    events: Iterable[WorldEvent], windows: int, window_s: float
) -> list[tuple[str, ...]]:
    """Return the species of each window, sorted.

    Parameters
    ----------
    events
        Of a recording.
    windows
        Their number.
    window_s
        Length of each, s; they lie side by side.
    """
    found: list[set[str]] = [set() for _ in range(windows)]
    for event in events:
        least = min(LEAST_S, 0.5 * (event.end_s - event.start_s))
        for k in range(int(event.start_s / window_s), windows):
            begin = k * window_s
            if begin >= event.end_s:
                break
            if min(event.end_s, begin + window_s) - max(event.start_s, begin) >= least:
                found[k].add(event.label)
    return [tuple(sorted(labels)) for labels in found]


def secondary_labels(events: Sequence[WorldEvent], primary: str) -> tuple[str, ...]:
    """Return the other species that are heard in a focal clip, sorted."""
    return tuple(sorted({event.label for event in events} - {primary}))


def rating(events: Sequence[WorldEvent], primary: str) -> float:
    """Return the quality of a focal clip, 1 to 5: half a point for every 5 dB of the animal."""
    best = max((event.snr_db for event in events if event.label == primary), default=0.0)
    return min(5.0, max(1.0, 1.0 + 0.5 * int(best / 5.0)))
