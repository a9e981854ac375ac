"""Targets in [0, 1] for windows of recordings and for frames in them, and what crops have of them.

A crop takes a window's target in proportion to how much of the window's strongest frame it holds:
all of it where that frame lies in the crop, and less where only weaker ones do. Without frames it
takes the target of a window that it shares enough with, and knows nothing of one that it barely
touches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antiphon.labels.spans import TOUCH_S

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]

Piece = tuple[float, float, float]
"""Where a stretch of audio lies in an example, and where it begins and ends in its origin (s)."""

PRESENT_FROM = 0.5
"""Target from which on a class counts as one of a clip's, for choosing clips by their classes."""

# Windows cover a crop if they cover this share of it: what is left at the end of a recording, less
# than a tenth of a window, has no targets of its own, and no frames.
_MIN_COVER = 0.9
_FRAME_COVER = 0.99


@dataclass(frozen=True, slots=True)
class SoftTargets:
    """Targets of the windows of a source's recordings, those above 0 alone.

    Parameters
    ----------
    base
        Number of the source's first recording among all recordings.
    first
        ``(m + 1,)``: windows of the source's recording r are ``first[r]`` to ``first[r + 1]``.
    start_s, end_s
        ``(w,)`` of each window, ascending within a recording.
    class_first
        ``(w + 1,)``: entries of window i are ``class_first[i]`` to ``class_first[i + 1]``.
    class_of, target
        ``(k,)`` class and target of each entry.
    frames
        ``(k, T)`` targets of the frames of an entry's window, zeros after its end; None for none.
    step_s
        Seconds of a frame; 0 without frames.
    unknown_first, unknown_of
        ``(w + 1,)`` and ``(u,)``: classes that nothing is said of in a window.
    known
        ``(C,)`` classes that the targets speak of at all.
    """

    base: int
    first: Int64
    start_s: Float64
    end_s: Float64
    class_first: Int64
    class_of: Int32
    target: Float32
    frames: Float32 | None
    step_s: float
    unknown_first: Int64
    unknown_of: Int32
    known: Bool

    def in_table(self, base: int, columns: Int32, n_classes: int) -> SoftTargets:
        """Return the same with the recordings and classes of a table.

        Parameters
        ----------
        base
            Number of the source's first recording there.
        columns
            ``(own classes,)`` class of each of its own, -1 for none.
        n_classes
            Of the table.
        """
        known = np.zeros(n_classes, bool)
        known[columns[self.known & (columns >= 0)]] = True
        keep = columns[self.class_of] >= 0
        unsure = columns[self.unknown_of] >= 0
        return replace(
            self,
            base=base,
            class_first=_recount(self.class_first, keep),
            class_of=columns[self.class_of[keep]],
            target=self.target[keep],
            frames=None if self.frames is None else self.frames[keep],
            unknown_first=_recount(self.unknown_first, unsure),
            unknown_of=columns[self.unknown_of[unsure]],
            known=known,
        )

    def add_to(self, code: hashlib.blake2b) -> None:
        """Add all of it to a hash."""
        for name in ("first", "start_s", "end_s", "class_first", "class_of", "target", "frames"):
            values = getattr(self, name)
            if values is not None:
                code.update(np.ascontiguousarray(values).tobytes())
        code.update(np.ascontiguousarray(self.unknown_first).tobytes())
        code.update(np.ascontiguousarray(self.unknown_of).tobytes())

    def touched(self, recording: int, start_s: float, end_s: float) -> range:
        """Return the windows of a recording that share time with a span."""
        row = recording - self.base
        low, high = int(self.first[row]), int(self.first[row + 1])
        inside = np.flatnonzero(
            (self.end_s[low:high] - start_s > TOUCH_S) & (end_s - self.start_s[low:high] > TOUCH_S)
        )
        return range(low + int(inside[0]), low + int(inside[-1]) + 1) if len(inside) else range(0)

    def entries(self, window: int) -> slice:
        """Return where the entries of a window are."""
        return slice(int(self.class_first[window]), int(self.class_first[window + 1]))

    def unknown(self, window: int) -> Int32:
        """Return the classes that nothing is said of in a window."""
        return self.unknown_of[self.unknown_first[window] : self.unknown_first[window + 1]]


def _recount(first: Int64, keep: Bool) -> Int64:
    """Return where lists begin after some of their values were taken out."""
    before = np.concatenate([[0], np.cumsum(keep)])
    out: Int64 = before[first]
    return out


def soft_labels(
    soft: SoftTargets, recording: int, start_s: float, end_s: float, min_overlap: float
) -> tuple[Float32, Float32]:
    """Return the targets of a crop and whether each is known.

    Parameters
    ----------
    soft
        With the recordings and classes of the table.
    recording
        Number of the recording.
    start_s, end_s
        The crop.
    min_overlap
        Without frames: share of the shorter of crop and window that they must have in common.

    Returns
    -------
    labels, known
        ``(C,)`` float32 in [0, 1], and 0 or 1; labels are 0 where they are not known.
    """
    labels = np.zeros(len(soft.known), np.float32)
    most = np.zeros_like(labels)
    known = soft.known.copy()
    covered = 0.0
    for window in soft.touched(recording, start_s, end_s):
        low, high = float(soft.start_s[window]), float(soft.end_s[window])
        overlap = min(high, end_s) - max(low, start_s)
        covered += overlap
        known[soft.unknown(window)] = False
        at = soft.entries(window)
        enough = overlap >= min_overlap * min(end_s - start_s, high - low) - 1e-9
        share = np.full(at.stop - at.start, np.float32(enough))
        doubtful = np.full(len(share), not enough)
        if soft.frames is not None:
            held, heard = _held(soft.frames[at], low, soft.step_s, start_s, end_s)
            share = np.where(heard, held, share)
            doubtful &= ~heard
        np.maximum.at(labels, soft.class_of[at], soft.target[at] * share)
        np.maximum.at(most, soft.class_of[at], soft.target[at] * doubtful)
    # A window that is barely touched may hold its call outside the crop, or inside.
    known &= most <= labels
    if covered < _MIN_COVER * (end_s - start_s):
        known &= labels >= PRESENT_FROM
    return np.where(known, labels, np.float32(0.0)), known.astype(np.float32)


def _held(
    frames: Float32, window_s: float, step_s: float, start_s: float, end_s: float
) -> tuple[Float32, Bool]:
    """Return ``(k,)``: the strongest frame in the crop over the strongest of the window.

    A frame is in the crop if its middle is. The second array says which entries have a frame above
    0 at all.
    """
    centre = window_s + (np.arange(frames.shape[1]) + 0.5) * step_s
    inside = (centre >= start_s) & (centre < end_s)
    peak = frames.max(axis=1, initial=0.0)
    held = frames[:, inside].max(axis=1, initial=0.0)
    return held / np.where(peak > 0, peak, np.float32(1.0)), peak > 0


def soft_frames(
    soft: SoftTargets, recording: int, pieces: Sequence[Piece], length_s: float, n: int
) -> tuple[Float32, Float32]:
    """Return the targets of the frames of an example, and which of them are known.

    A frame's target is the mean over the audio in it, 0 where it is padding.

    Parameters
    ----------
    soft
        With frames.
    recording
        Number of the recording.
    pieces
        Where its audio lies in the example.
    length_s, n
        Length of the example and its number of frames.

    Returns
    -------
    frames
        ``(n, C)`` float32 in [0, 1], 0 for classes that are not known.
    known
        ``(C,)`` float32: 1 for classes that are known in all of the audio.
    """
    assert soft.frames is not None
    classes = len(soft.known)
    touched = soft.touched(recording, min(p[1] for p in pieces), max(p[2] for p in pieces))
    if not len(touched):
        return np.zeros((n, classes), np.float32), np.zeros(classes, np.float32)
    origin, width = float(soft.start_s[touched[0]]), soft.frames.shape[1]
    size = round((float(soft.start_s[touched[-1]]) - origin) / soft.step_s) + width
    values, told = np.zeros((size, classes)), np.zeros((size, classes))
    for window in touched:
        low, high = float(soft.start_s[window]), float(soft.end_s[window])
        begin = round((low - origin) / soft.step_s)
        rows = slice(begin, begin + min(width, int(np.ceil((high - low) / soft.step_s - 1e-6))))
        told[rows] = soft.known
        told[rows, soft.unknown(window)] = 0.0
        at = soft.entries(window)
        for label, frames in zip(soft.class_of[at], soft.frames[at], strict=True):
            column = values[rows, label]
            np.maximum(column, frames[: len(column)], out=column)
    moved = [(at_s, low - origin, high - origin) for at_s, low, high in pieces]
    found = mean_over(values, soft.step_s, moved, length_s, n)
    low_s, high_s = min(p[1] for p in moved), max(p[2] for p in moved)
    share = mean_over(told, soft.step_s, [(0.0, low_s, high_s)], high_s - low_s, 1)[0]
    known = share >= _FRAME_COVER
    return np.where(known, found, np.float32(0.0)), known.astype(np.float32)


def mean_over(
    values: npt.NDArray[np.floating],
    step_s: float,
    pieces: Sequence[Piece],
    length_s: float,
    n: int,
) -> Float32:
    """Return frames of equal length as means of a function that is constant within steps.

    Parameters
    ----------
    values
        ``(m, C)``: step i covers ``[i * step_s, (i + 1) * step_s)``.
    pieces
        Stretches of the function and where they come to lie.
    length_s, n
        Length of the result and its number of frames.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32: the mean over what lies in each frame, 0 where nothing does.
    """
    integral = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)]) * step_s
    edges = np.linspace(0.0, length_s, n + 1)
    total = np.zeros((n, values.shape[1]))
    length = np.zeros(n)
    for at, low, high in pieces:
        time = np.clip(edges - at + low, low, high)
        length += np.diff(time)
        place = np.clip(time / step_s, 0.0, len(values))
        index = np.minimum(place.astype(np.int64), len(values) - 1)
        part = (place - index)[:, None] * (integral[index + 1] - integral[index])
        total += np.diff(integral[index] + part, axis=0)
    there = length > 1e-9
    out: Float32 = (total / np.where(there, length, 1.0)[:, None] * there[:, None]).astype(
        np.float32
    )
    return out


def rolled(frames: Float32, shift_s: float, valid_s: float, length_s: float) -> Float32:
    """Return frames of an example whose audio was moved around its end by a shift.

    Parameters
    ----------
    frames
        ``(n, C)`` over ``length_s``, of which the first ``valid_s`` are audio.
    shift_s
        Seconds to later; what leaves at the end of the audio comes in at its start.
    """
    shift_s %= valid_s
    if shift_s < 1e-9:
        return frames
    pieces = [(shift_s, 0.0, valid_s - shift_s), (0.0, valid_s - shift_s, valid_s)]
    return mean_over(frames, length_s / len(frames), pieces, length_s, len(frames))
