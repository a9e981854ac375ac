"""Similarity of raw, unpooled sequences of frames; padded frames are never looked at."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.protocols.attention_model import Frames
from antiphon.evaluation.protocols.knn import unit

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

Kind = Literal["best_frames", "dtw"]

# Entries of a block of frame-to-frame similarities.
_BLOCK = 16_000_000


def sequence_similarity(frames: Frames, kind: Kind = "best_frames") -> Float32:
    """Return the similarity of every pair of sequences, ``(n, n)`` float32, symmetric.

    Parameters
    ----------
    frames
        The sequences; each frame is scaled to length 1.
    kind
        ``best_frames``: each frame of one sequence takes its most similar frame of the other by
        cosine; the mean over frames, averaged over both directions. Order in time does not count.
        ``dtw``: 1 minus the cost of the best warping of one onto the other, of cosine distances,
        symmetric steps with the diagonal counted twice, divided by the sum of both lengths (Sakoe
        and Chiba 1978, *IEEE Trans. ASSP* 26: 43-49, P = 0).

    Raises
    ------
    UserError
        If the kind is not known.
    """
    if kind == "best_frames":
        return _best_frames(frames)
    if kind == "dtw":
        return _warped(frames)
    raise UserError(f"Similarity {kind!r} is not known. There are: best_frames, dtw.")


def _best_frames(frames: Frames) -> Float32:
    flat = unit(frames.values[frames.mask])
    length = frames.mask.sum(axis=1)
    start = np.concatenate([[0], np.cumsum(length)])
    n = len(length)
    toward = np.empty((n, n), np.float32)
    rows = max(1, _BLOCK // len(flat))
    first = 0
    while first < n:
        # As many whole sequences as fit into a block.
        last = int(np.searchsorted(start, start[first] + rows, side="right")) - 1
        last = min(n, max(first + 1, last))
        similar = flat[start[first] : start[last]] @ flat.T
        best = np.maximum.reduceat(similar, start[:-1], axis=1)
        sums = np.add.reduceat(best, start[first:last] - start[first], axis=0)
        toward[first:last] = sums / length[first:last, None]
        first = last
    both: Float32 = np.float32(0.5) * (toward + toward.T)
    return both


def _warped(frames: Frames) -> Float32:
    length = frames.mask.sum(axis=1)
    n, longest = len(length), int(length.max())
    dim = frames.values.shape[2]
    # Valid frames moved to the front, in case a mask has holes.
    packed = np.zeros((n, longest, dim), np.float32)
    for row, (item, kept) in enumerate(zip(frames.values, frames.mask, strict=True)):
        packed[row, : length[row]] = unit(item[kept])
    out = np.ones((n, n), np.float32)
    for i in range(n - 1):
        others = packed[i + 1 :]
        cosine = others @ packed[i, : length[i]].T
        cost = warping_cost(np.float32(1.0) - cosine.transpose(0, 2, 1), length[i + 1 :])
        similar = 1.0 - cost / (length[i] + length[i + 1 :])
        out[i, i + 1 :] = out[i + 1 :, i] = similar
    return out


def warping_cost(distance: npt.NDArray[np.floating], columns: Int64) -> npt.NDArray[np.float64]:
    """Return the cost of the best warping path of each matrix, ``(b,)``.

    Parameters
    ----------
    distance
        ``(b, m, T)`` frame-to-frame distances.
    columns
        ``(b,)`` columns of each matrix that count, 1 to T.

    Notes
    -----
    One diagonal of all matrices at a time: its cells depend on the two diagonals before alone.
    """
    b, m, longest = distance.shape
    # Indexed by row; entry 0 stands for the row before the first.
    before = np.full((b, m + 1), np.inf)
    last = np.full((b, m + 1), np.inf)
    out = np.empty(b)
    for diagonal in range(m + longest - 1):
        rows = np.arange(max(0, diagonal - longest + 1), min(m, diagonal + 1))
        cell = distance[:, rows, diagonal - rows].astype(np.float64)
        now = np.full((b, m + 1), np.inf)
        if diagonal == 0:
            now[:, 1] = 2.0 * cell[:, 0]
        else:
            straight = np.minimum(last[:, rows + 1], last[:, rows]) + cell
            now[:, rows + 1] = np.minimum(straight, before[:, rows] + 2.0 * cell)
        ends = np.flatnonzero(columns - 1 + m - 1 == diagonal)
        out[ends] = now[ends, m]
        before, last = last, now
    return out
