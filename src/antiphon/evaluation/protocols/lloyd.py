"""Lloyd's k-means to its exact end, most distances never computed in full.

A thin orthonormal basis Q of the directions in which the data vary most splits every product:
``x . c = x . c0 + (Qx) . Q(c - c0) + rest``, with ``|rest| <= |x - QQ'x| |(c - c0) - QQ'(c - c0)|``
by Cauchy and Schwarz. ``x . c0`` is kept from the last full product. Centres move little and mostly
inside Q, so the rest is small, and only rows whose two nearest centres lie within it of each other
are computed in full. The result is that of plain Lloyd in float32.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Directions of the basis, and rows that it is found on.
_BASIS, _BASIS_ROWS = 128, 2048
# Share of unsure rows from which on the reference is made anew.
_UNSURE = 0.2


class LloydData:
    """What all starts share: squared lengths, the basis, and rows in it."""

    def __init__(self, x: Float32) -> None:
        self.x = x
        self.squares = np.einsum("ij,ij->i", x, x)
        self.total = float(self.squares.sum(dtype=np.float64))
        self.basis = _basis(x)
        inside = x @ self.basis
        outside = self.squares - np.einsum("ij,ij->i", inside, inside)
        self.outside = np.sqrt(np.maximum(outside, np.float32(0.0)))
        # A row of ones takes the lengths of the centres along in the product.
        self.inside = np.ones((inside.shape[1] + 1, len(x)), np.float32)
        self.inside[:-1] = inside.T
        # What float32 products may be wrong by.
        self.rounding = np.float32(4e-6) * (self.squares.max() if len(x) else np.float32(0.0))


class Lloyd:
    """One start: centres, labels, and bounds on squared distances less ``|x|^2``."""

    def __init__(self, data: LloydData, centres: Float32, label: Int64) -> None:
        self._data, self.centres, self.label = data, centres, label
        self._k, self._n = len(centres), len(label)
        self._at = np.arange(self._n)
        self._size = np.bincount(label, minlength=self._k)
        self._sums = self._all_sums()
        # The first reference is the mean of all rows, whose products are 0.
        self._reference = np.zeros_like(centres)
        self._products: Float32 | None = None
        self._found = np.empty((self._k, self._n), np.float32)
        self._slack = np.zeros(self._k, np.float32)
        self._fresh = self._begun = False

    def run(self, max_iter: int, limit: float, to_beat: float, hope: float) -> tuple[int, bool]:
        """Iterate; return the number of iterations, and whether the end was reached."""
        before, gain = np.inf, np.inf
        for iteration in range(1, max_iter + 1):
            moved, square = self._move()
            changed = self._assign(moved)
            if not changed or square <= limit:
                break
            now = self.inertia
            last, gain = gain, before - now
            if now - hope * max(last, gain) > to_beat:
                return iteration, False
            before = now
        return iteration, True

    @property
    def inertia(self) -> float:
        """Sum of squared distances to the mean of the own cluster, from the sums alone."""
        lengths = np.einsum("ij,ij->i", self._sums, self._sums)
        return self._data.total - float((lengths / np.maximum(self._size, 1)).sum())

    def _all_sums(self) -> Float64:
        member = scipy.sparse.csc_array(
            (np.ones(self._n, np.float32), self.label, np.arange(self._n + 1)),
            shape=(self._k, self._n),
        )
        sums: Float64 = (member @ self._data.x).astype(np.float64)
        return sums

    def _move(self) -> tuple[Int64, float]:
        """Move centres to their means; return those that moved and the sum of squared moves."""
        if (self._size == 0).any():
            self._fill_empty()
        filled = self._size > 0
        after = self.centres.copy()
        after[filled] = self._sums[filled] / self._size[filled, None]
        step = after - self.centres
        square = np.einsum("ij,ij->i", step, step)
        self.centres = after
        return np.flatnonzero(square > 0), float(square.sum())

    def _fill_empty(self) -> None:
        """Give each empty cluster the row farthest from its own centre."""
        x = self._data.x
        apart = x - self.centres[self.label]
        distance = np.einsum("ij,ij->i", apart, apart)
        for cluster in np.flatnonzero(self._size == 0):
            row = int(distance.argmax())
            if distance[row] <= 0:
                # There are fewer different rows than clusters: this one stays empty.
                return
            old = self.label[row]
            if self._size[old] == 1:
                distance[row] = 0.0
                continue
            self._sums[old] -= x[row]
            self._sums[cluster] = x[row]
            self._size[old] -= 1
            self._size[cluster] = 1
            self.label[row], distance[row] = cluster, 0.0

    def _assign(self, moved: Int64) -> int:
        """Give rows to their nearest centre; return how many changed."""
        data, at = self._data, self._at
        lengths = np.einsum("ij,ij->i", self.centres, self.centres)
        self._bound(moved, lengths)
        found = self._found.reshape(-1)
        place = self.label * self._n + at
        own = found.take(place)
        # The second best of each row: the own entry is out of the way for a moment.
        found[place] = np.inf
        others = self._found.min(axis=0)
        found[place] = own
        most = self._slack.max()
        error = np.float32(2.0) * data.outside * (most + self._slack[self.label]) + data.rounding
        unsure = np.flatnonzero(others - error < own)
        if len(unsure) > _UNSURE * self._n and most > 0:
            self._fresh = True
        if not len(unsure):
            return 0
        x = data.x[unsure]
        exact = x @ (np.float32(-2.0) * self.centres.T)
        exact += lengths
        new, old = exact.argmin(axis=1), self.label[unsure]
        rows = np.arange(len(unsure))
        changed = np.flatnonzero(exact[rows, new] < exact[rows, old])
        if len(changed):
            self._update(x[changed], unsure[changed], old[changed], new[changed])
        return len(changed)

    def _bound(self, moved: Int64, lengths: Float32) -> None:
        """Bring ``|c|^2 - 2 x.c`` up to date, about; the error is at most ``2 outside slack``."""
        data = self._data
        if self._fresh:
            self._reference = self.centres.copy()
            scaled = np.float32(-2.0) * self.centres
            products: Float32 = np.matmul(scaled, data.x.T)
            self._products, self._found = products, products + lengths[:, None]
            self._slack = np.zeros(self._k, np.float32)
            self._fresh = False
            return
        if not self._begun:
            moved, self._begun = np.arange(self._k), True
        step = self.centres[moved] - self._reference[moved]
        inside = step @ data.basis
        outside = np.einsum("ij,ij->i", step, step) - np.einsum("ij,ij->i", inside, inside)
        self._slack[moved] = np.sqrt(np.maximum(outside, np.float32(0.0)))
        factors = np.column_stack([np.float32(-2.0) * inside, lengths[moved]])
        every = len(moved) == self._k
        found = np.matmul(factors, data.inside, out=self._found if every else None)
        if self._products is not None:
            found += self._products if every else self._products[moved]
        if not every:
            self._found[moved] = found

    def _update(
        self,
        x: Float32,
        rows: Int64,
        old: npt.NDArray[np.integer],
        new: npt.NDArray[np.integer],
    ) -> None:
        self.label[rows] = new
        self._size = np.bincount(self.label, minlength=self._k)
        m = len(rows)
        if 2 * m > self._n:
            self._sums = self._all_sums()
            return
        sign = np.concatenate([np.ones(m, np.float32), np.full(m, -1.0, np.float32)])
        place = np.tile(np.arange(m), 2)
        change = scipy.sparse.csr_array(
            (sign, (np.concatenate([new, old]), place)), shape=(self._k, m)
        )
        self._sums += change @ x


def _basis(x: Float32) -> Float32:
    """Return ``(dim, p)`` orthonormal directions, about the leading ones of a part of the rows.

    Subspace iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4). The bound holds for any
    orthonormal basis; a good one only makes it tight.
    """
    n, dim = x.shape
    p = min(_BASIS, dim)
    if p == dim:
        return np.eye(dim, dtype=np.float32)
    generator = np.random.default_rng(0)
    part = x if n <= _BASIS_ROWS else x[np.sort(generator.permutation(n)[:_BASIS_ROWS])]
    q: Float32 = part.T @ generator.standard_normal((len(part), p), np.float32)
    for _ in range(2):
        q = part.T @ (part @ np.linalg.qr(q)[0])
    basis: Float32 = np.linalg.qr(q)[0]
    return basis
