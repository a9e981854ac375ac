"""The mean vector of a table, from which similarity is measured.

Vectors of a network share a large common part; two windows are alike only in what is left when
it is taken away (Mu and Viswanath 2018, "All-but-the-Top", ICLR, step 1).
"""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from antiphon.replacing import replacing
from antiphon.store.blocks import map_ahead, widened

if TYPE_CHECKING:
    from antiphon.store.view import View

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# With so many windows the mean counts half.
_HALF = 50


def centre(view: View) -> Float32:
    """Return what is subtracted from vectors before their cosine is taken.

    That is ``mean * n / (n + 50)`` over the view's ``n`` windows: the mean of a few windows says
    little about the encoder and much about them, so it fades in. The sum is kept beside the
    dataset with the recordings it is of; only new recordings are read again.

    Returns
    -------
    ndarray
        ``(dim,)`` float32.
    """
    size = len(view)
    total = _total(view)
    mean: Float32 = (total / (size + _HALF)).astype(np.float32)
    return mean


def _total(view: View) -> Float64:
    path = view.table.search_dir / "sum.npz"
    ids = view.recordings()
    kept = _load(path, view.table.dim)
    total = np.zeros(view.table.dim)
    mask: npt.NDArray[np.bool_] | None = None
    if kept is not None and np.isin(kept[0], ids).all():
        if len(kept[0]) == len(ids):
            return kept[1]
        total = kept[1]
        mask = ~np.isin(view.recording_of_rows(), kept[0])
    for part in map_ahead(_sum, (block for _, block in view.scan(mask))):
        total += part
    _save(path, ids, total)
    return total


def _sum(block: npt.NDArray[Any]) -> Float64:
    """Return the sum of a block's rows in float64, which is exact for float16 of usual size.

    So the mean does not depend on the order in which recordings came.
    """
    total = np.zeros(block.shape[1])
    for _, vectors in widened(block):
        total += vectors.sum(axis=0, dtype=np.float64)
    return total


def _load(path: Path, dim: int) -> tuple[Int64, Float64] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            ids, total = file["recording_id"], file["sum"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    fits = total.shape == (dim,) and total.dtype == np.float64 and ids.dtype == np.int64
    return (ids, total) if fits and np.isfinite(total).all() else None


def _save(path: Path, ids: Int64, total: Float64) -> None:
    """Keep the sum; where nothing can be written it is made again each time."""
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        with replacing(path, make_folder=False) as part, part.open("wb") as stream:
            np.savez(stream, recording_id=ids, sum=total)
