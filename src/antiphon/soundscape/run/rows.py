"""All rows of a run, known before anything is scored: from durations, or from a sample."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.evaluation.blending.files.rows import row_id, split_row_id
from antiphon.soundscape.run.recordings import Recording

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

RowSource = Literal["sample", "recordings"]

REMAINDER = 0.1
"""Share of a hop below which the audio after the last whole window makes no row of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of the output, in its order.

    Parameters
    ----------
    names
        Of the rows.
    stem
        ``(n,)`` recording of each row.
    start_s
        ``(n,)`` first second of each window.
    window_s
        Length of a window in seconds.
    recordings
        Those that have rows, by stem; a stem without a file is not in it.
    unreachable
        Rows (by index) that no audio speaks about, with the reason.
    source
        Whether the sample or the recordings decided which rows there are.
    unused
        Recordings that have no row in the sample, by path.
    """

    names: tuple[str, ...]
    stem: tuple[str, ...]
    start_s: Float64
    window_s: float
    recordings: Mapping[str, Recording]
    unreachable: Mapping[int, str]
    source: RowSource = "recordings"
    unused: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A stretch of a recording that is prepared and scored at once.

    Parameters
    ----------
    recording
        The recording.
    rows
        ``(n,)`` indices of its rows in the output, by time.
    start_s
        ``(n,)`` first second of each window, ascending.
    """

    recording: Recording
    rows: Int64
    start_s: Float64

    def __len__(self) -> int:
        return len(self.rows)


def windows_of(duration_s: float, window_s: float, hop_s: float) -> Float64:
    """Return the first seconds of the windows of a recording.

    One window at 0 where the recording is no longer than a window. A remainder after the last
    window of less than :data:`REMAINDER` hops makes no further one: encoders round the length of
    a minute up by some milliseconds, and a challenge counts twelve windows all the same.
    """
    if duration_s <= 0:
        return np.empty(0)
    beyond = max(0.0, duration_s - window_s) / hop_s
    whole = math.floor(beyond + 1e-9)
    # Where windows lie apart, the end may be in the gap before the next one.
    more = 1 if beyond - whole >= REMAINDER and (whole + 1) * hop_s < duration_s else 0
    # Rounded, so that a hop of 0.1 s does not give a row named ..._5.300000000000001.
    return np.round(np.arange(whole + more + 1) * hop_s, 6)


def rows_from_recordings(
    recordings: Mapping[str, Recording], window_s: float, hop_s: float
) -> Rows:
    """Return the rows that the durations of the recordings give.

    A recording that cannot be read, or is cut short, gets as many rows as most of the others
    have: recordings of a set are usually of one length, and a row too few makes a submission
    invalid. Those without audio are unreachable.
    """
    starts = {s: windows_of(r.duration_s, window_s, hop_s) for s, r in recordings.items()}
    usual = _most_common([len(w) for s, w in starts.items() if not recordings[s].problem])
    names: list[str] = []
    stems: list[str] = []
    seconds: list[float] = []
    unreachable: dict[int, str] = {}
    for stem, one in recordings.items():
        held = len(starts[stem])
        count = max(held, usual) if one.problem else held
        for k in range(count):
            start = round(k * hop_s, 6)
            if k >= held:
                unreachable[len(names)] = one.problem
            names.append(row_id(stem, round(start + window_s, 6)))
            stems.append(stem)
            seconds.append(start)
    return Rows(
        tuple(names), tuple(stems), np.array(seconds), window_s, dict(recordings), unreachable
    )


def rows_from_sample(
    names: Sequence[str], recordings: Mapping[str, Recording], window_s: float, hop_s: float
) -> Rows:
    """Return the rows of a sample file, and where their audio is.

    The rows are the sample's, in its order, if it names one of the recordings or there are no
    recordings at all. A sample that names other recordings only (as the public part of a
    code competition does) decides nothing: the rows are those of the recordings then.

    Parameters
    ----------
    names
        ``row_id`` values of the sample, in the form ``<stem>_<end second>``.
    """
    parts = [_parts(name) for name in names]
    known = {stem for stem, _ in parts}
    if recordings and not known & set(recordings):
        return rows_from_recordings(recordings, window_s, hop_s)
    start = np.array([end - window_s for _, end in parts])
    unreachable: dict[int, str] = {}
    for i, (stem, _) in enumerate(parts):
        reason = _unreachable(stem, float(start[i]), recordings.get(stem), window_s)
        if reason:
            unreachable[i] = reason
    return Rows(
        tuple(names),
        tuple(stem for stem, _ in parts),
        start,
        window_s,
        {stem: one for stem, one in recordings.items() if stem in known},
        unreachable,
        "sample",
        tuple(str(one.path) for stem, one in recordings.items() if stem not in known),
    )


def pieces_of(rows: Rows, most: int = 60, longest_s: float = 300.0) -> list[Piece]:
    """Cut the rows that have audio into pieces, so that memory does not grow with a recording.

    Parameters
    ----------
    rows
        All rows.
    most
        Windows of a piece at most.
    longest_s
        Seconds that a piece spans at most (a single window may be longer).

    Returns
    -------
    list of Piece
        By recording in the order of the rows, and by time.
    """
    by_stem: dict[str, list[int]] = {}
    for i, stem in enumerate(rows.stem):
        if i not in rows.unreachable:
            by_stem.setdefault(stem, []).append(i)
    pieces = []
    for stem, some in by_stem.items():
        index = np.array(some, np.int64)
        index = index[np.argsort(rows.start_s[index], kind="stable")]
        start = rows.start_s[index]
        first = 0
        for i in range(1, len(index) + 1):
            ends = i == len(index)
            if ends or i - first >= most or start[i] + rows.window_s - start[first] > longest_s:
                pieces.append(Piece(rows.recordings[stem], index[first:i], start[first:i]))
                first = i
    return pieces


def _parts(name: str) -> tuple[str, float]:
    parts = split_row_id(name)
    if parts is None:
        raise ValueError(f"{name!r} is not <file stem>_<end second>")
    return parts


def _unreachable(stem: str, start: float, one: Recording | None, window_s: float) -> str:
    if one is None:
        return f"{stem}: there is no such recording in the folder."
    if one.duration_s <= 0:
        return one.problem
    if start < -1e-6:
        return f"{stem}: a window of {window_s:g} s would begin before the recording does."
    if start >= one.duration_s:
        return one.problem or f"{one.path}: ends after {one.duration_s:.1f} s, before this window."
    return ""


def _most_common(counts: Sequence[int]) -> int:
    """Return the most common count, the larger of two as common; 1 where there is none."""
    if not counts:
        return 1
    return max(Counter(counts).items(), key=lambda item: (item[1], item[0]))[0]
