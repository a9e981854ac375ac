"""Mean over time that leaves padding out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]


def valid_frames(valid: npt.ArrayLike, n: int, frames: int) -> Bool:
    """Return which frames hold audio, ``(n, frames)`` bool.

    Parameters
    ----------
    valid
        ``(n,)`` share of each item that is audio, above 0 and at most 1 (the rest is padding at
        the end), or a mask ``(n, frames)`` of booleans.

    Raises
    ------
    UserError
        If shapes do not fit, a share is out of range, or an item has no valid frame; the
        message names the first such row.

    Notes
    -----
    A share keeps ``round(share * frames)`` frames, at least one: the frame on the border counts
    if more than half of it is audio. This is what :mod:`antiphon.encoders.network` does.
    """
    given = np.asarray(valid)
    if given.shape == (n, frames):
        mask: Bool = given.astype(bool)
    elif given.shape == (n,):
        share = given.astype(np.float64)
        bad = np.flatnonzero(~((share > 0) & (share <= 1)))
        if len(bad):
            raise UserError(
                f"The valid share of row {bad[0]} is {share[bad[0]]:g}; it must be above 0 and at "
                "most 1."
            )
        kept = np.maximum(1, np.rint(share * frames)).astype(np.int64)
        mask = np.arange(frames) < kept[:, None]
    else:
        raise UserError(
            f"Valid must be a share of each of the {n} items or a mask ({n}, {frames}), but its "
            f"shape is {given.shape}."
        )
    empty = np.flatnonzero(~mask.any(axis=1))
    if len(empty):
        raise UserError(f"Row {empty[0]} has no valid frame, so it has no embedding.")
    return mask


def masked_mean(frames: npt.ArrayLike, valid: npt.ArrayLike) -> Float32:
    """Return the mean of each item's valid frames, ``(n, dim)`` float32.

    Parameters
    ----------
    frames
        ``(n, T, dim)``; what stands in padded frames does not matter, NaN included.
    valid
        As in :func:`valid_frames`.

    Raises
    ------
    UserError
        If shapes do not fit or an item has no valid frame.
    """
    x = np.asarray(frames)
    if x.ndim != 3:
        raise UserError(f"Frames must be (items, frames, dim), but their shape is {x.shape}.")
    mask = valid_frames(valid, len(x), x.shape[1])
    out = np.empty((len(x), x.shape[2]), np.float32)
    # Row by row over the valid frames alone, so that not even the order of summing depends on
    # how long the padding is.
    for row, (item, kept) in enumerate(zip(x, mask, strict=True)):
        out[row] = item[kept].mean(axis=0, dtype=np.float64)
    return out
