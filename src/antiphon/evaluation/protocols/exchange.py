"""Hartigan's exchange: rows of a clustering moved one by one while that lowers the inertia."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Scans of all rows, and rounds over the rows that a scan found promising.
_SCANS, _ROUNDS = 20, 20
# Rows whose best move would cost no more than this share of their distance are promising too:
# the moves of others may make it worth while.
_NEAR = 0.01
# A gain must be this share of the distance, above what rounding can make up.
_MARGIN = 1e-5


def exchange_rows(x: Float32, centres: Float32, labels: Int64) -> tuple[Float32, Int64]:
    """Return centres and labels after moves that each lower the inertia.

    Moving a row at distance ``d_a`` of its centre to cluster ``b`` changes the inertia by
    ``n_b / (n_b + 1) d_b^2 - n_a / (n_a - 1) d_a^2`` (Hartigan 1975, *Clustering Algorithms*,
    chapter 4, where the centres follow the row).

    Parameters
    ----------
    x
        ``(n, dim)``.
    centres
        ``(k, dim)``; only those of clusters without rows are used, others are the means.
    labels
        ``(n,)``.
    """
    state = _State(x, centres, labels)
    for _ in range(_SCANS):
        rows, gains = state.scan()
        if not gains:
            break
        for _ in range(_ROUNDS):
            if not sum([state.move(row) for row in rows]):
                break
    return state.mean.astype(np.float32), state.label


class _State:
    """Means in float64, and what the distances need in float32."""

    def __init__(self, x: Float32, centres: Float32, labels: Int64) -> None:
        self.x, self.label = x, labels.copy()
        self.mean: Float64 = centres.astype(np.float64)
        for cluster in np.unique(labels):
            self.mean[cluster] = x[labels == cluster].mean(axis=0, dtype=np.float64)
        self._size = np.bincount(labels, minlength=len(centres)).astype(np.float64)
        self._square = np.einsum("ij,ij->i", x, x)
        self._single = self.mean.astype(np.float32)
        self._length = np.einsum("ij,ij->i", self._single, self._single)

    def scan(self) -> tuple[list[int], bool]:
        """Return promising rows, the most gain first, and whether any move is a gain now."""
        share = np.empty(len(self.x), np.float32)
        rise = (self._size / (self._size + 1.0)).astype(np.float32)
        fall = (self._size / np.maximum(self._size - 1.0, 1.0)).astype(np.float32)
        for begin in range(0, len(self.x), 4096):
            part = slice(begin, begin + 4096)
            label = self.label[part]
            at = np.arange(len(label))
            price = self.x[part] @ (np.float32(-2.0) * self._single.T)
            price += self._length
            price += self._square[part, None]
            own = price[at, label] * fall[label]
            price *= rise
            price[at, label] = np.inf
            share[part] = 1.0 - price.min(axis=1) / np.maximum(own, np.float32(1e-30))
        share[self._size[self.label] < 2] = -np.inf
        rows = np.flatnonzero(share > -_NEAR)
        order = rows[np.argsort(-share[rows], kind="stable")]
        return order.tolist(), bool((share > _MARGIN).any())

    def move(self, row: int) -> bool:
        """Move a row to the cluster where it costs least; return whether that is another one."""
        a = int(self.label[row])
        if self._size[a] < 2:
            return False
        one = self.x[row]
        distance = self._length - np.float32(2.0) * (self._single @ one) + self._square[row]
        price = distance * (self._size / (self._size + 1.0))
        price[a] = distance[a] * self._size[a] / (self._size[a] - 1.0)
        b = int(price.argmin())
        if b == a or price[b] >= price[a] * (1.0 - _MARGIN):
            return False
        for cluster, sign in ((a, -1.0), (b, 1.0)):
            self._size[cluster] += sign
            self.mean[cluster] += sign * (one - self.mean[cluster]) / self._size[cluster]
            self._single[cluster] = self.mean[cluster]
            self._length[cluster] = self._single[cluster] @ self._single[cluster]
        self.label[row] = b
        return True
