"""Where the contexts of a member lie over a recording, and the audio in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from antiphon.audio.windows import window_starts as grid_starts
from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

Shifts = Mapping[float, float] | Iterable[tuple[float, float]]
"""Weight of each shift in seconds, as a table or as pairs."""

NO_SHIFT: Shifts = MappingProxyType({0.0: 1.0})
"""Shifts of a member without test-time augmentation."""


@dataclass(frozen=True, slots=True)
class ShiftedContexts:
    """The contexts that score the windows moved by one shift.

    Parameters
    ----------
    shift_s, weight
        Seconds by which windows are moved, and what their scores weigh.
    rows
        ``(k,)`` rows of :attr:`ContextPlan.starts`.
    own
        ``(n,)`` row of the context that is the window itself, -1 for none; None where windows
        are put together out of contexts that overlap them.
    usable
        ``(n,)`` windows that this shift may score.
    """

    shift_s: float
    weight: float
    rows: Int64
    own: Int64 | None
    usable: Bool


@dataclass(frozen=True, slots=True)
class ContextPlan:
    """What a member has to hear of a recording to score some of its windows.

    Parameters
    ----------
    starts
        ``(m,)`` int64, first sample of each context, ascending, each once.
    sample_rate, context_samples
        Hz, and samples per context.
    n_samples
        Length of the recording at that rate.
    window_starts, window_s
        ``(n,)`` float64 seconds, and seconds.
    groups
        One for each shift.
    """

    starts: Int64
    sample_rate: int
    context_samples: int
    n_samples: int
    window_starts: Float64
    window_s: float
    groups: tuple[ShiftedContexts, ...]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def context_s(self) -> float:
        """Seconds of a context."""
        return self.context_samples / self.sample_rate

    @property
    def duration_s(self) -> float:
        """Seconds of the recording."""
        return self.n_samples / self.sample_rate


def plan_contexts(
    n_samples: int,
    sample_rate: int,
    context_s: float,
    window_starts: npt.ArrayLike,
    window_s: float,
    hop_s: float | None = None,
    shifts: Shifts = NO_SHIFT,
) -> ContextPlan:
    """Lay contexts over a recording.

    Without ``hop_s``, a member whose context is as long as a window hears the windows themselves,
    each once. Otherwise contexts begin every ``hop_s`` seconds from the start of the recording
    (when not given: a context, or half of one that is longer than a window), and windows are put
    together out of all that overlap them.
    Contexts do not depend on which windows are asked for, so that a long recording can be scored
    piece by piece.

    At the edges: a context no longer than a window that reaches past the end is padded. A longer
    one is moved until it lies inside, and padded only where the recording is shorter than it.

    A shift moves windows and contexts by some seconds (test-time augmentation; 0.25, 0.5 and 0.25
    at -2.5, 0 and 2.5 s are usual). It scores the windows that still lie inside the recording when
    moved; the weights of the others are shared out among the shifts that are left.

    Parameters
    ----------
    n_samples
        Length of the recording at ``sample_rate``, at least 1.
    sample_rate
        Hz that the member takes.
    context_s
        Seconds that it hears at once.
    window_starts
        ``(n,)`` seconds.
    window_s
        Length of a window in seconds.
    hop_s
        Seconds between contexts, at most ``context_s``.
    shifts
        Weight of each shift in seconds; weights are above 0, one shift is 0.

    Raises
    ------
    UserError
        A length is not positive, the hop is longer than a context, or shifts are not as above.
    """
    context = round(context_s * sample_rate)
    window = round(window_s * sample_rate)
    hop = context if context <= window else context // 2
    if hop_s is not None:
        hop = round(hop_s * sample_rate)
    if n_samples < 1 or context < 1 or window < 1:
        raise UserError(
            f"A recording of {n_samples} samples, contexts of {context_s} s and windows of "
            f"{window_s} s at {sample_rate} Hz: each must be at least one sample."
        )
    if not 1 <= hop <= context:
        raise UserError(
            f"Contexts of {context_s} s every {hop_s} s leave out audio: use a hop above 0 and of "
            "at most the context."
        )
    weights = check_shifts(shifts)
    begins = np.asarray(window_starts, np.float64)
    lengths = _Lengths(n_samples, sample_rate, context, window)
    step = None if hop_s is None and context == window else hop
    parts = [_shifted(lengths, begins, step, seconds) for seconds in weights]
    starts = np.unique(np.concatenate([part.starts for part in parts]))
    groups = tuple(
        _grouped(part, starts, *shift) for part, shift in zip(parts, weights.items(), strict=True)
    )
    return ContextPlan(starts, sample_rate, context, n_samples, begins, window_s, groups)


def check_shifts(shifts: Shifts) -> dict[float, float]:
    """Return the shifts of a member as a table, checked.

    Raises
    ------
    UserError
        There is none of 0 s, or a weight is not above 0.
    """
    weights = dict(shifts)
    if 0.0 not in weights:
        raise UserError(f"Shifts {list(weights)}: one must be 0 s, the windows themselves.")
    if not all(weight > 0 for weight in weights.values()):
        raise UserError(f"Weights of shifts {list(weights.values())}: each must be above 0.")
    return weights


def cut_contexts(audio: Float32, starts: Int64, samples: int) -> tuple[Float32, Int64]:
    """Copy contexts out of a recording.

    Parameters
    ----------
    audio
        ``(n_samples,)`` float32.
    starts
        ``(m,)`` first samples, each inside the recording.
    samples
        Length of a context.

    Returns
    -------
    audio
        ``(m, samples)`` float32, zero after the end of the recording.
    valid
        ``(m,)`` int64 samples that are audio.
    """
    out = np.zeros((len(starts), samples), np.float32)
    valid = np.minimum(samples, len(audio) - np.asarray(starts, np.int64))
    for row, (start, count) in enumerate(zip(starts.tolist(), valid.tolist(), strict=True)):
        out[row, :count] = audio[start : start + count]
    return out, valid


@dataclass(frozen=True, slots=True)
class _Part:
    starts: Int64  # of the contexts needed, ascending
    own: Int64 | None  # (n,) first sample of each window's own context, -1 for none
    usable: Bool


@dataclass(frozen=True, slots=True)
class _Lengths:
    n_samples: int
    rate: int
    context: int
    window: int


def _shifted(lengths: _Lengths, begins: Float64, hop: int | None, shift_s: float) -> _Part:
    n_samples, context, window = lengths.n_samples, lengths.context, lengths.window
    moved = np.rint((begins + shift_s) * lengths.rate).astype(np.int64)
    usable: Bool = (moved >= 0) & (moved < n_samples)
    if shift_s:
        usable &= moved + window <= n_samples
    if hop is None:
        return _Part(np.unique(moved[usable]), np.where(usable, moved, -1), usable)
    starts = grid_starts(n_samples, context, hop) + round(shift_s * lengths.rate)
    if context > window:
        starts = np.unique(np.clip(starts, 0, max(0, n_samples - context)))
    elif shift_s:
        starts = starts[(starts >= 0) & (starts + context <= n_samples)]
    overlaps = (starts[:, None] < moved + window) & (starts[:, None] + context > moved) & usable
    return _Part(starts[overlaps.any(axis=1)], None, np.asarray(overlaps.any(axis=0)))


def _grouped(part: _Part, starts: Int64, shift_s: float, weight: float) -> ShiftedContexts:
    own = None
    if part.own is not None:
        own = np.where(part.usable, np.searchsorted(starts, part.own), -1)
    rows = np.searchsorted(starts, part.starts)
    return ShiftedContexts(shift_s, weight, rows, own, part.usable)
