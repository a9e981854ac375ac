"""A set of embeddings with all its labels, on which selection is rehearsed and measured."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Embeddings, the labels that a rehearsal reveals on demand, and which rows judge it.

    Parameters
    ----------
    name
        Of the set, as ``HSN``.
    embeddings
        ``(n, dim)`` float32, finite; may be a memory map.
    targets
        ``(n, n_labels)`` float32 of 0 and 1.
    labels
        The classes, in the order of the columns of ``targets``.
    validation
        ``(n,)`` bool, rows that judge the head and are never selected.
    recording
        ``(n,)`` int64, the recording or source of each row; -1 where it is not known.
    filenames
        ``n`` names, unique; those of the vectors.
    multilabel
        Whether a row may carry several labels; decides the loss.
    domain
        The larger set this one is a part of, as ``BirdSet`` or ``ATBFL``; empty if none.
    metadata
        One row for each row of ``embeddings``, without any column that tells labels; or None.
    key
        Digest of what the set holds, for resuming and for caches.
    """

    name: str
    embeddings: Float32
    targets: Float32
    labels: tuple[str, ...]
    validation: Bool
    recording: Int64
    filenames: tuple[str, ...]
    multilabel: bool
    domain: str = ""
    metadata: pa.Table | None = None
    key: str = ""
    notes: tuple[str, ...] = field(default=())

    def pool(self) -> Int64:
        """Return the rows that may be selected, ascending."""
        return np.flatnonzero(~self.validation).astype(np.int64)

    def judges(self) -> Int64:
        """Return the rows that judge the head: the validation rows, or all if there are none."""
        if not self.validation.any():
            return np.arange(len(self.embeddings), dtype=np.int64)
        return np.flatnonzero(self.validation).astype(np.int64)
