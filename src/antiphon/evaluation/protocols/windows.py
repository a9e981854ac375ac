"""Windows of recordings and their labels from events, by the rule of BEANS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.events import Events
from antiphon.evaluation.protocols.inputs import Float32

Float64 = npt.NDArray[np.float64]

BEANS_WINDOWS: dict[str, tuple[float, float]] = {
    "dcase": (2.0, 1.0),
    "enabirds": (2.0, 1.0),
    "hiceas": (10.0, 5.0),
    "rfcx": (10.0, 5.0),
    "gibbons": (4.0, 2.0),
}
"""Length and step of the windows of each detection set, in s (Hagiwara et al. 2022, BEANS)."""

OVERLAP = 0.2
"""Share of the shorter of window and event that must be exceeded."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Windows of several recordings, with their labels.

    Parameters
    ----------
    recording
        ``(n,)`` names.
    start, end
        ``(n,)`` in s; an end may lie behind that of the recording, the rest is padding then.
    targets
        ``(n, C)`` float32 with 0 and 1.
    classes
        Names of the columns.
    """

    recording: npt.NDArray[np.str_]
    start: Float64
    end: Float64
    targets: Float32
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.start)


def window_starts(duration: float, length: float, step: float) -> Float64:
    """Return the starts of the windows of a recording, in s.

    ``int((duration - length) / step) + 1`` windows, as BEANS counts them: what is left at the end
    gets none, and a recording that is shorter than a window gets one if less than a step is
    missing, else none.
    """
    count = max(0, int((duration - length) / step) + 1)
    return np.arange(count, dtype=np.float64) * step


def beans_windows(
    durations: Mapping[str, float],
    events: Events,
    length: float,
    step: float,
    *,
    classes: Sequence[str] | None = None,
    overlap: float = OVERLAP,
) -> Windows:
    """Cut recordings into windows and label them.

    A window has a class if an event of it either begins or ends in the window (borders included)
    and their overlap is more than ``overlap`` times the shorter of the two, or covers the window.
    An event without length labels nothing.

    Parameters
    ----------
    durations
        Recording -> its length in s, also of recordings without events.
    events
        What is annotated.
    length, step
        Of the windows, in s; see :data:`BEANS_WINDOWS`.
    classes
        Names of the columns; the sorted labels of the events when None.
    overlap
        The share.

    Raises
    ------
    UserError
        If an event names a recording or class that is not given, or a number is not above 0.
    """
    if length <= 0 or step <= 0:
        raise UserError(f"Windows of {length:g} s every {step:g} s: both must be above 0 s.")
    names = tuple(classes) if classes is not None else tuple(np.unique(events.label).tolist())
    column = {name: i for i, name in enumerate(names)}
    for i, (recording, label) in enumerate(zip(events.recording, events.label, strict=True)):
        if str(recording) not in durations:
            raise UserError(f"Event {i} is in {recording}, whose duration is not given.")
        if str(label) not in column:
            raise UserError(f"The class {label} of event {i} is not among the classes.")
    recordings, starts, targets = [], [], []
    for recording, duration in durations.items():
        start = window_starts(duration, length, step)
        end = start + length
        target = np.zeros((len(start), len(names)), np.float32)
        for i in np.flatnonzero(events.recording == recording).tolist():
            on, off = float(events.onset[i]), float(events.offset[i])
            shorter = min(length, off - on)
            if shorter <= 0:
                continue
            edge = ((start <= on) & (on <= end)) | ((start <= off) & (off <= end))
            share = (np.minimum(end, off) - np.maximum(start, on)) / shorter
            covered = (on <= start) & (end <= off)
            target[(edge & (share > overlap)) | covered, column[str(events.label[i])]] = 1.0
        recordings += [recording] * len(start)
        starts.append(start)
        targets.append(target)
    start = np.concatenate(starts) if starts else np.zeros(0)
    return Windows(
        np.array(recordings, dtype=np.str_),
        start,
        start + length,
        np.concatenate(targets) if targets else np.zeros((0, len(names)), np.float32),
        names,
    )
