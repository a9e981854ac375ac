"""What a member hears of a piece when it hears all of it, or only every so many contexts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.soundscape.members.contexts import ContextPlan, plan_contexts
from antiphon.soundscape.members.member import Member, MemberScores
from antiphon.soundscape.members.overlap import window_scores
from antiphon.soundscape.members.scoring import joined_scores
from antiphon.soundscape.run.job import MemberSpec

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

# Numbers of float32 arithmetic that may lie this far outside 0 to 1 are set to the nearer end.
_SLACK = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Hearing:
    """The contexts of one member for the windows of a piece.

    Parameters
    ----------
    plan
        Contexts, and the windows that are put together out of them.
    heard
        ``(n,)`` which windows of the piece those are; the others are filled in.
    start_s
        ``(n,)`` first seconds of all windows of the piece.
    """

    plan: ContextPlan
    heard: Bool
    start_s: Float64


def hearing(
    member: Member,
    spec: MemberSpec,
    start_s: Float64,
    window_s: float,
    n_samples: int,
    thinning: int = 1,
) -> Hearing:
    """Lay a member's contexts over some windows of a recording.

    A member that hears each window by itself leaves out windows. One whose contexts overlap moves
    them apart first, which leaves out nothing, and then leaves out whole contexts.

    Parameters
    ----------
    member, spec
        The member, and its settings.
    start_s
        ``(n,)`` first seconds of the windows, ascending.
    window_s
        Seconds of a window.
    n_samples
        Samples of the recording at the member's rate.
    thinning
        Hear only every so many contexts, on top of the stride in ``spec``.
    """
    every = spec.stride * thinning
    hop, heard = spec.hop_s, np.ones(len(start_s), bool)
    if every > 1 and hop is None and math.isclose(member.context_s, window_s):
        heard = np.arange(len(start_s)) % every == 0
    elif every > 1:
        base = hop or (member.context_s / (2 if member.context_s > window_s else 1))
        apart = min(every, max(1, math.floor(member.context_s / base + 1e-6)))
        hop = min(member.context_s, base * apart)
        block = np.floor(start_s / member.context_s + 1e-9)
        heard = (block - block[0]) % math.ceil(every / apart) == 0
    plan = plan_contexts(
        n_samples,
        member.sample_rate,
        member.context_s,
        start_s[heard],
        window_s,
        hop,
        spec.shifts,
    )
    return Hearing(plan, heard, start_s)


def piece_scores(
    found: Sequence[MemberScores], order: Sequence[int], this: Hearing, spec: MemberSpec
) -> Float32:
    """Return the scores of all windows of a piece.

    Windows that were left out lie on the straight line, in time, between the nearest ones that
    were heard.

    Parameters
    ----------
    found
        What the member said, chunk by chunk.
    order
        Place of each context of the chunks, one after the other, in the hearing's plan.
    this, spec
        The hearing, and the member's settings.

    Returns
    -------
    numpy.ndarray
        ``(n, C)`` float32; NaN for a window without audio.

    Raises
    ------
    ValueError
        A score is no number from 0 to 1.
    """
    whole = joined_scores(found)
    place = np.argsort(np.asarray(order))
    if len(found) > 1:
        whole = MemberScores(*(_ordered(one, place) for one in (whole.clip, whole.frames)))
    windows = window_scores(whole, this.plan, spec.reduce, spec.use)
    usable = np.any([group.usable for group in this.plan.groups], axis=0)
    _check(windows[usable])
    windows[usable] = np.clip(windows[usable], 0.0, 1.0)
    windows[~usable] = np.nan
    return windows if this.heard.all() else _filled(windows, this)


def _ordered(scores: Float32 | None, place: npt.NDArray[np.intp]) -> Float32 | None:
    return None if scores is None else scores[place]


def _check(scores: Float32) -> None:
    if not np.isfinite(scores).all():
        raise ValueError("it gave a score that is NaN or infinite")
    if scores.size and (scores.min() < -_SLACK or scores.max() > 1 + _SLACK):
        raise ValueError(
            f"it gave scores from {scores.min():.4g} to {scores.max():.4g}, not from 0 to 1: "
            "set the activation in its manifest"
        )


def _filled(windows: Float32, this: Hearing) -> Float32:
    known = ~np.isnan(windows).any(axis=1)
    out = np.full((len(this.heard), windows.shape[1]), np.nan, np.float32)
    if not known.any():
        return out
    times, values = this.start_s[this.heard][known], windows[known]
    at = np.interp(this.start_s, times, np.arange(len(times)))
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(times) - 1)
    share = (at - low)[:, None].astype(np.float32)
    out[:] = (1 - share) * values[low] + share * values[high]
    return out
