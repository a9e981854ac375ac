"""All detections that a score curve gives at any threshold.

At a threshold, a detection is a longest run of frames whose scores reach it. Lowered from the top,
runs appear, grow and merge. A run of n frames is there from the least score in it down to just
above the higher of its two neighbours, so a curve of T frames has at most T different runs at all
thresholds together (the nodes of its Cartesian tree), and each need be judged only once. That is
what makes a score over all thresholds exact at the cost of a sort (Ebbers, Serizel and Haeb-Umbach,
"Threshold-Independent Evaluation of Sound Event Detection Scores", ICASSP 2022, sum the same
changes, found by another way).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs of score curves.

    Parameters
    ----------
    curve
        ``(r,)`` column of the curve.
    begin, end
        ``(r,)`` first frame, and the frame after the last.
    enters
        ``(r,)`` highest threshold at which the run is detected (``score >= threshold``).
    leaves
        ``(r,)`` highest threshold at which it is part of a longer run, minus infinity if it is the
        whole curve.
    """

    curve: Int64
    begin: Int64
    end: Int64
    enters: Float64
    leaves: Float64


def runs(score: Float64) -> Runs:
    """Return the runs of ``(t, curves)`` scores."""
    t, n = score.shape
    if t == 0 or n == 0:
        none = np.zeros(0, np.int64)
        return Runs(none, none, none, none.astype(np.float64), none.astype(np.float64))
    end = _next_smaller(score)
    begin = t - _next_smaller(score[::-1])[::-1]
    curve = np.broadcast_to(np.arange(n), score.shape)
    # Frames that share their run's least score stand for the same run.
    code = (curve * t + begin) * (t + 1) + end
    _, first = np.unique(code, return_index=True)
    curve, begin, end = (a.ravel()[first] for a in (curve, begin, end))
    border = np.concatenate([np.full((1, n), -np.inf), score, np.full((1, n), -np.inf)])
    return Runs(
        curve=curve.astype(np.int64),
        begin=begin.astype(np.int64),
        end=end.astype(np.int64),
        enters=score.ravel()[first],
        leaves=np.maximum(border[begin, curve], border[end + 1, curve]),
    )


def _next_smaller(score: Float64) -> Int64:
    """Return for each frame the next frame with a lower score, ``t`` if there is none."""
    t, n = score.shape
    # Least of 1, 2, 4, ... frames from each on; beyond the end nothing is lower.
    table = [np.concatenate([score, np.full((1, n), np.inf)])]
    width = 1
    while 2 * width <= t:
        last = table[-1]
        wider = last.copy()
        wider[: t - width] = np.minimum(last[: t - width], last[width:t])
        table.append(wider)
        width *= 2
    place = np.broadcast_to(np.arange(1, t + 1)[:, None], score.shape).copy()
    column = np.broadcast_to(np.arange(n), score.shape)
    for level in reversed(table):
        step = place + width <= t
        at = np.where(step, place, t)
        step &= level[at, column] >= score
        place[step] += width
        width //= 2
    return place
