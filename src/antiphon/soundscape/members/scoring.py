"""Score one recording with one member, from audio to windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.soundscape.members.contexts import (
    NO_SHIFT,
    ContextPlan,
    Shifts,
    cut_contexts,
    plan_contexts,
)
from antiphon.soundscape.members.member import Float32, Member, MemberScores
from antiphon.soundscape.members.overlap import Reduce, Use, window_scores


def score_recording(
    member: Member,
    audio: Float32,
    window_starts: npt.ArrayLike,
    window_s: float,
    *,
    hop_s: float | None = None,
    shifts: Shifts = NO_SHIFT,
    reduce: Reduce = "max",
    use: Use = "auto",
    batch: int = 16,
) -> Float32:
    """Score windows of a recording.

    Parameters
    ----------
    member
        The scorer.
    audio
        ``(n_samples,)`` float32 at ``member.sample_rate``.
    window_starts, window_s
        ``(n,)`` seconds, and the length of a window in seconds.
    hop_s, shifts
        As :func:`antiphon.soundscape.members.contexts.plan_contexts`.
    reduce, use
        As :func:`antiphon.soundscape.members.overlap.window_scores`.
    batch
        Contexts in memory at once; it changes no score.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32; NaN for a window that begins after the end.

    Raises
    ------
    UserError
        ``batch`` is below 1, or as the functions above.
    """
    plan = plan_contexts(
        len(audio), member.sample_rate, member.context_s, window_starts, window_s, hop_s, shifts
    )
    return window_scores(score_plan(member, audio, plan, batch), plan, reduce, use)


def score_plan(member: Member, audio: Float32, plan: ContextPlan, batch: int = 16) -> MemberScores:
    """Score the contexts of a plan, ``batch`` at a time.

    Raises
    ------
    UserError
        ``batch`` is below 1, or no window asked for lies in the recording.
    """
    if batch < 1:
        raise UserError(f"A batch of {batch} contexts: use at least 1.")
    if len(plan) == 0:
        raise UserError("None of the windows asked for lies in the recording.")
    parts = []
    for begin in range(0, len(plan), batch):
        starts = plan.starts[begin : begin + batch]
        contexts, valid = cut_contexts(audio, starts, plan.context_samples)
        parts.append(member.score(member.prepare(contexts, valid)))
    return joined_scores(parts)


def joined_scores(parts: Sequence[MemberScores]) -> MemberScores:
    """Return the scores of several batches of contexts as one."""
    clips = [part.clip for part in parts if part.clip is not None]
    frames = [part.frames for part in parts if part.frames is not None]
    return MemberScores(
        np.concatenate(clips) if clips else None, np.concatenate(frames) if frames else None
    )
