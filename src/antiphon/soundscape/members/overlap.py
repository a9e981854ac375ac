"""From the scores of contexts to the scores of windows."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.soundscape.members.contexts import ContextPlan, ShiftedContexts
from antiphon.soundscape.members.member import MemberScores

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Reduce = Literal["max", "mean"]
Use = Literal["auto", "clip", "frames", "both"]

# Seconds by which two times may differ and still be the same one.
_SAME = 1e-6


def windows_from_contexts(
    frames: Float32,
    starts: npt.ArrayLike,
    context_s: float,
    window_starts: npt.ArrayLike,
    window_s: float,
    reduce: Reduce = "max",
    end_s: float | None = None,
) -> Float32:
    """Average the frames of contexts that overlap, then take the largest (or mean) per window.

    A window is read at ``m = ceil(window_s * T / context_s)`` points, the middles of ``m`` equal
    parts, so that they are no further apart than frames. The value at a point is the mean of the
    frames that hold it, one for each context over it.

    Parameters
    ----------
    frames
        ``(m, T, C)`` probabilities; frame ``t`` of a context covers the seconds
        ``[t * context_s / T, (t + 1) * context_s / T)`` of it.
    starts
        ``(m,)`` seconds at which the contexts begin.
    context_s
        Seconds of a context.
    window_starts, window_s
        ``(n,)`` seconds, and the length of a window in seconds.
    reduce
        ``max`` or ``mean`` over the points of a window.
    end_s
        End of the recording in seconds: points after it, which lie in padding, are left out. A
        window with audio before its first point only is read in the middle of that.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32; NaN for a window that no context covers at any point.
    """
    begins, windows = np.asarray(starts, np.float64), np.asarray(window_starts, np.float64)
    n_frames, n_classes = frames.shape[1:]
    step = context_s / n_frames
    points = max(1, int(np.ceil(window_s / step - _SAME)))
    offsets = (np.arange(points) + 0.5) * (window_s / points)
    out = np.full((len(windows), n_classes), np.nan, np.float32)
    for row, window in enumerate(windows):
        times = window + offsets
        if end_s is not None and window < end_s <= times[0]:
            # Less audio than lies before the first point: the middle of it.
            times = np.array([(window + end_s) / 2])
        total, count = np.zeros((len(times), n_classes), np.float32), np.zeros(len(times), np.int64)
        near = (begins < window + window_s) & (begins + context_s > window)
        for context in np.flatnonzero(near):
            # A point on the border of two frames belongs to the later one, whatever the rounding.
            index = np.floor((times - begins[context] + _SAME) / step).astype(np.int64)
            inside = (index >= 0) & (index < n_frames)
            total[inside] += frames[context, index[inside]]
            count += inside
        heard = count > 0 if end_s is None else (count > 0) & (times < end_s)
        if heard.any():
            curve = np.divide(total[heard], count[heard, None], dtype=np.float32)
            out[row] = _reduced(curve, reduce)
    return out


def windows_from_clips(
    clips: Float32,
    starts: npt.ArrayLike,
    context_s: float,
    window_starts: npt.ArrayLike,
    window_s: float,
) -> Float32:
    """Average the scores of contexts, each weighted by its overlap with the window.

    Parameters
    ----------
    clips
        ``(m, C)`` probabilities.
    starts, context_s, window_starts, window_s
        As :func:`windows_from_contexts`.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32; NaN for a window that no context overlaps.
    """
    begins, windows = np.asarray(starts, np.float64), np.asarray(window_starts, np.float64)
    out = np.full((len(windows), clips.shape[1]), np.nan, np.float32)
    for row, window in enumerate(windows):
        ends = np.minimum(begins + context_s, window + window_s)
        overlap = ends - np.maximum(begins, window)
        near = np.flatnonzero(overlap > _SAME)
        if len(near):
            weights = overlap[near] / overlap[near].sum()
            out[row] = (clips[near].astype(np.float64) * weights[:, None]).sum(axis=0)
    return out


def window_scores(
    scores: MemberScores,
    plan: ContextPlan,
    reduce: Reduce = "max",
    use: Use = "auto",
) -> Float32:
    """Turn what a member said of the contexts of a plan into scores of its windows.

    Parameters
    ----------
    scores
        Of the contexts of ``plan``, in their order.
    plan
        From :func:`~antiphon.soundscape.members.contexts.plan_contexts`.
    reduce
        Of frames, as in :func:`windows_from_contexts`.
    use
        ``clip`` or ``frames``, the mean of ``both``, or ``auto``: frames where there are any.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32; NaN for a window that begins after the end of the recording.

    Raises
    ------
    UserError
        The scores that ``use`` names are not there.
    """
    if len(scores) != len(plan):
        raise ValueError(f"{len(scores)} scores for {len(plan)} contexts")
    share = clip_share(use, scores.clip is not None, scores.frames is not None)
    total: Float64 | None = None
    weights = np.zeros((len(plan.window_starts), 1))
    for group in plan.groups:
        found = _shift_scores(scores, plan, group, reduce, share).astype(np.float64)
        heard = ~np.isnan(found).any(axis=1)
        if total is None:
            total = np.zeros_like(found)
        total[heard] += group.weight * found[heard]
        weights[heard] += group.weight
    assert total is not None
    with np.errstate(invalid="ignore"):
        return np.asarray(total / weights, np.float32)


def clip_share(use: Use, clip: bool, frames: bool) -> float:
    """Return what the clip's score weighs beside that of frames.

    Parameters
    ----------
    use
        As in :func:`window_scores`.
    clip, frames
        Whether a member gives them.

    Raises
    ------
    UserError
        ``use`` asks for one that it does not give.
    """
    if (use in ("clip", "both") and not clip) or (use in ("frames", "both") and not frames):
        has = "of frames" if frames else "of clips"
        raise UserError(f"Scores {use!r} are asked for, but the network has only those {has}.")
    if not (clip and frames):
        return 1.0 if clip else 0.0
    return {"clip": 1.0, "both": 0.5}.get(use, 0.0)


def _shift_scores(
    scores: MemberScores, plan: ContextPlan, group: ShiftedContexts, reduce: Reduce, share: float
) -> Float32:
    parts: list[tuple[float, Float32]] = []
    moved = plan.window_starts + group.shift_s
    starts = plan.starts[group.rows] / plan.sample_rate
    if share > 0:
        assert scores.clip is not None
        if group.own is not None:
            found = scores.clip[group.own]
        else:
            clips = scores.clip[group.rows]
            found = windows_from_clips(clips, starts, plan.context_s, moved, plan.window_s)
        parts.append((share, found))
    if share < 1:
        assert scores.frames is not None
        if group.own is not None:
            found = _own_frames(scores.frames, plan, group.own, reduce)
        else:
            found = windows_from_contexts(
                scores.frames[group.rows],
                starts,
                plan.context_s,
                moved,
                plan.window_s,
                reduce,
                plan.duration_s,
            )
        parts.append((1 - share, found))
    total = np.zeros_like(parts[0][1])
    for weight, found in parts:
        total += np.float32(weight) * found
    return np.where(group.usable[:, None], total, np.float32(np.nan)).astype(np.float32)


def _own_frames(
    frames: Float32, plan: ContextPlan, own: npt.NDArray[np.int64], reduce: Reduce
) -> Float32:
    """Reduce the frames of each window's own context, those in padding left out."""
    n_frames = frames.shape[1]
    valid = np.minimum(plan.context_samples, plan.n_samples - plan.starts)
    out = np.full((len(own), frames.shape[2]), np.nan, np.float32)
    for row, context in enumerate(own):
        if context >= 0:
            # Frames whose middle is audio, and the first one in any case.
            heard = int(np.ceil(valid[context] / plan.context_samples * n_frames - 0.5))
            out[row] = _reduced(frames[context, : max(1, heard)], reduce)
    return out


def _reduced(values: Float32, reduce: Reduce) -> Float32:
    if reduce == "max":
        return np.asarray(values.max(axis=0), np.float32)
    return np.asarray(values.mean(axis=0, dtype=np.float64), np.float32)
