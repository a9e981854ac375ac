"""BAIT: windows that leave the least error in what the last layer would predict of the pool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView, Selection, Strategy, strategy
from antiphon.active.geometry.whitening import principal_axes, project
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of BAIT.

    Parameters
    ----------
    rank
        Directions of the hidden features that are kept.
    ridge
        Precision of the weights before any label, where features have unit mean square.
    surplus
        So many times the batch is chosen before the least useful are taken back; 1 for none.
    examined
        Candidates that take part: those that would lower the trace most if chosen first.
    """

    rank: int = 32
    ridge: float = 1.0
    surplus: float = 1.0
    examined: int = 4096


def bait_with(settings: Settings) -> Strategy:
    """Return the strategy with other numbers."""

    def choose(pool: PoolView, n: int) -> Selection:
        assert pool.head is not None
        probability = pool.head.probabilities()
        features = low_rank(pool.head.hidden(), settings.rank)
        spread = probability * (1.0 - probability)
        free = pool.candidates()
        more = min(len(free), max(n, round(settings.surplus * n)))
        with few_threads(0):
            state = Posterior.fit(features, spread, pool.labelled, settings.ridge)
            if len(free) > max(settings.examined, more):
                worth = state.gains(features[free], spread[free])
                kept = max(settings.examined, more)
                free = np.sort(free[np.argpartition(-worth, kept)[:kept]])
            rows, gain = state.forward(features[free], spread[free], more)
            if more > n:
                keep = state.backward(features[free[rows]], spread[free[rows]], n)
                rows, gain = rows[keep], gain[keep]
        return Selection(free[rows], gain.astype(np.float32))

    return choose


@strategy(
    "bait",
    "windows that lower the expected error of the last layer on the whole pool most, by its "
    "Fisher information",
    "Ash et al. (2021), arXiv:2106.09675, equation 4 and algorithm 1",
    needs_head=True,
)
def bait(pool: PoolView, n: int) -> Selection:
    """Choose greedily the smallest trace of ``M^-1 F``.

    F is the Fisher information of the last layer over the pool, M that of the labelled and chosen
    windows plus a ridge. With several labels in a window both fall apart into one block for each
    label, ``p (1 - p) h h^T``, and the trace is the sum over labels. With labels that exclude
    each other the blocks between labels are left out. Hidden features are reduced to 32
    directions, and the 4,096 candidates that would help most on their own take part. Unlike the
    paper nothing is taken back by default (see :class:`Settings`).
    """
    return bait_with(Settings())(pool, n)


def low_rank(hidden: Float32, rank: int) -> Float32:
    """Return the features on their main directions, scaled to a mean square of 1, ``(n, r)``.

    The mean is not taken off, as the last layer sees it too.
    """
    mean, axes, _ = principal_axes(hidden, rank, centred=False, fitted=2048)
    found = project(hidden, mean, axes)
    scale = np.sqrt(np.square(found, dtype=np.float64).mean())
    return found / np.float32(max(float(scale), 1e-12))


@dataclass(slots=True)
class Posterior:
    """Fisher information of the pool and its ratio to that of the labelled windows, by label.

    Parameters
    ----------
    inverse
        ``(n_labels, r, r)`` float64, the inverse of M.
    target
        ``(n_labels, r, r)`` float64, F.
    """

    inverse: Float64
    target: Float64

    @classmethod
    def fit(cls, features: Float32, spread: Float32, labelled: Int64, ridge: float) -> Posterior:
        """Compute both from the features ``(n, r)`` and ``p (1 - p)``, ``(n, n_labels)``."""
        r, labels = features.shape[1], spread.shape[1]
        target = np.empty((labels, r, r))
        inverse = np.empty((labels, r, r))
        known = features[labelled].astype(np.float64)
        for label in range(labels):
            target[label] = (features * spread[:, label, None]).T @ features / len(features)
            weight = spread[labelled, label, None].astype(np.float64)
            inverse[label] = np.linalg.inv(ridge * np.eye(r) + (known * weight).T @ known)
        return cls(inverse, target)

    def gains(self, features: Float32, spread: Float32) -> Float32:
        """Return by how much each row would lower the trace, ``(k,)``."""
        fit, pull = self._forms(features)
        worth: Float32 = (spread * pull / (1.0 + spread * fit)).sum(axis=1)
        return worth

    def forward(self, features: Float32, spread: Float32, n: int) -> tuple[Int64, Float64]:
        """Add ``n`` rows, each time the one that lowers the trace most.

        Returns
        -------
        rows, gain
            ``(n,)`` each; by how much each lowered the trace.

        Notes
        -----
        With ``M' = M + w h h^T`` the trace falls by ``w h B h / (1 + w h M^-1 h)``, where
        ``B = M^-1 F M^-1`` (Sherman and Morrison 1950). Both forms are kept for all rows and
        labels and brought up to date by two inner products.
        """
        middle = self.inverse @ self.target @ self.inverse
        fit, pull = self._forms(features)
        rows = np.empty(n, np.int64)
        gain = np.empty(n)
        open_ = np.ones(len(features), dtype=bool)
        for i in range(n):
            worth = (spread * pull / (1.0 + spread * fit)).sum(axis=1)
            worth[~open_] = -np.inf
            best = int(np.argmax(worth))
            rows[i], gain[i] = best, worth[best]
            open_[best] = False
            if i == n - 1:
                break
            h, w = features[best].astype(np.float64), spread[best].astype(np.float64)
            along = self.inverse @ h
            pulled = middle @ h
            factor = w / (1.0 + w * (along @ h))
            own = pulled @ h
            near = features @ along.T.astype(np.float32)
            drawn = features @ pulled.T.astype(np.float32)
            step = factor.astype(np.float32)
            fit -= step * near * near
            pull += step * near * (step * own.astype(np.float32) * near - 2.0 * drawn)
            self._update(along, pulled, own, factor, middle)
        return rows, gain

    def backward(self, features: Float32, spread: Float32, n: int) -> Int64:
        """Take rows that were added back, the least useful first, until ``n`` are left.

        Returns
        -------
        Int64
            ``(n,)`` positions that stay, in their order.
        """
        x, weight = features.astype(np.float64), spread.astype(np.float64)
        stay = np.ones(len(x), dtype=bool)
        for label in range(len(self.inverse)):
            m = np.linalg.inv(self.inverse[label])
            last = x[-1:]
            # The last row was chosen but not added.
            self.inverse[label] = np.linalg.inv(m + weight[-1, label] * last.T @ last)
        for _ in range(len(x) - n):
            loss = np.zeros(len(x))
            for label, inverse in enumerate(self.inverse):
                along = x @ inverse
                w = weight[:, label]
                left = np.maximum(1.0 - w * np.einsum("ij,ij->i", along, x), 1e-9)
                loss += w * np.einsum("ij,ij->i", along @ self.target[label], along) / left
            loss[~stay] = np.inf
            out = int(np.argmin(loss))
            stay[out] = False
            for label, inverse in enumerate(self.inverse):
                along = inverse @ x[out]
                w = weight[out, label]
                factor = w / max(1.0 - w * float(along @ x[out]), 1e-9)
                self.inverse[label] = inverse + factor * np.outer(along, along)
        return np.flatnonzero(stay).astype(np.int64)

    def _forms(self, features: Float32) -> tuple[Float32, Float32]:
        """Return ``h M^-1 h`` and ``h M^-1 F M^-1 h`` for each row and label, ``(k, n_labels)``."""
        fit = np.empty((len(features), len(self.inverse)), np.float32)
        pull = np.empty_like(fit)
        for label, inverse in enumerate(self.inverse):
            narrow = inverse.astype(np.float32)
            middle = (inverse @ self.target[label] @ inverse).astype(np.float32)
            fit[:, label] = np.einsum("ij,ij->i", features @ narrow, features)
            pull[:, label] = np.einsum("ij,ij->i", features @ middle, features)
        return fit, pull

    def _update(
        self, along: Float64, pulled: Float64, own: Float64, factor: Float64, middle: Float64
    ) -> None:
        """Add a row to M: its inverse and the middle are changed in place."""
        outer = along[:, :, None] * along[:, None, :]
        cross = along[:, :, None] * pulled[:, None, :]
        self.inverse -= factor[:, None, None] * outer
        middle -= factor[:, None, None] * (cross + cross.transpose(0, 2, 1))
        middle += (factor * factor * own)[:, None, None] * outer
