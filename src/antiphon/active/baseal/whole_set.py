"""What a participant's code sees of a set besides the head."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.active.base import Float32, Int64, PoolView
from antiphon.active.baseal.model_view import predict


@dataclass(frozen=True, slots=True)
class WholeSet:
    """The rows that a participant sees, and where the pool is among them.

    Parameters
    ----------
    embeddings
        ``(N, dim)``.
    pool
        ``(n,)`` their rows that are in the pool, ascending; None if all are.
    metadata
        ``N`` rows, or None.
    """

    embeddings: Float32
    pool: Int64 | None
    metadata: pa.Table | None

    def rows(self, pool_rows: Int64) -> Int64:
        """Return the rows of the set for rows of the pool."""
        return pool_rows if self.pool is None else self.pool[pool_rows]

    def back(self, rows: Int64) -> Int64:
        """Return the rows of the pool for rows of the set; -1 for those that are not in it."""
        if self.pool is None or not len(rows):
            return rows
        place = np.minimum(np.searchsorted(self.pool, rows), len(self.pool) - 1)
        return np.where(self.pool[place] == rows, place, -1)

    def spread(self, values: Float32, pool: PoolView) -> Float32:
        """Return predictions, ``(..., n, n_labels)`` for the pool, for all ``N`` rows.

        Those of the other rows are computed from the head's weights, without dropout.
        """
        if self.pool is None:
            # A copy, since participants' code may write into it.
            return np.array(values, np.float32)
        others = np.setdiff1d(np.arange(len(self.embeddings)), self.pool)
        found = np.empty((*values.shape[:-2], len(self.embeddings), values.shape[-1]), np.float32)
        found[..., self.pool, :] = values
        found[..., others, :] = predict(pool.head, self.embeddings[others], pool.multilabel)
        return found


class Frame:
    """A stand-in for a pandas table where pandas is not installed.

    It has ``columns`` and ``len``, and gives a column as an array: ``table["site"]``.
    """

    def __init__(self, columns: dict[str, npt.NDArray[Any]], rows: int) -> None:
        self._columns = columns
        self._rows = rows
        self.columns = list(columns)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, title: str) -> npt.NDArray[Any]:
        return self._columns[title]

    def __contains__(self, title: str) -> bool:
        return title in self._columns


def data_frame(table: pa.Table | None, rows: int) -> Any:
    """Return metadata as a pandas table if pandas is installed, else as a :class:`Frame`.

    A column ``filename`` that was left out, because it tells the labels, is replaced by one of
    row numbers: participants' code expects it.
    """
    if table is None:
        return None
    if "filename" not in table.column_names:
        table = table.append_column("filename", pa.array([f"row_{i:06d}" for i in range(rows)]))
    if importlib.util.find_spec("pandas") is not None:
        return table.to_pandas()
    return Frame({t: np.array(table[t].to_pylist(), object) for t in table.column_names}, rows)
