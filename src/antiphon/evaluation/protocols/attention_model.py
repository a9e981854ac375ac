"""Attention pooling over frames with a linear classifier: loss, exact gradient, fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.protocols.inputs import Float32, Labelled
from antiphon.evaluation.protocols.pooling import Bool, valid_frames

Float64 = npt.NDArray[np.float64]

# Entries of the block of frames that is worked on at a time.
BLOCK = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames of items.

    Parameters
    ----------
    values
        ``(n, T, dim)`` float32; padded frames hold 0.
    mask
        ``(n, T)`` bool, which frames hold audio.
    """

    values: Float32
    mask: Bool

    @classmethod
    def of(cls, frames: npt.ArrayLike, valid: npt.ArrayLike) -> Frames:
        """Check frames and validity (:func:`antiphon.evaluation.protocols.pooling.valid_frames`).

        Raises
        ------
        UserError
            If shapes do not fit, an item has no valid frame, or one holds NaN or infinity.
        """
        x: Float32 = np.asarray(frames, dtype=np.float32)
        if x.ndim != 3:
            raise UserError(f"Frames must be (items, frames, dim), but their shape is {x.shape}.")
        mask = valid_frames(valid, len(x), x.shape[1])
        x = np.where(mask[:, :, None], x, np.float32(0.0))
        bad = np.flatnonzero(~np.isfinite(x.sum(axis=(1, 2), dtype=np.float64)))
        if len(bad):
            raise UserError(f"A valid frame of row {bad[0]} holds NaN or infinity.")
        return cls(x, mask)

    def standardised(self, mean: Float32, scale: Float32) -> Frames:
        """Return frames with ``mean`` taken off and divided by ``scale``; padding stays 0."""
        x = (self.values - mean) / scale
        x *= self.mask[:, :, None]
        return Frames(x, self.mask)


@dataclass(frozen=True, slots=True, eq=False)
class AttentionModel:
    """``logits = sum_h W_h sum_t a_ht x_t + b``, ``a_h = softmax_t(q_h . x_t / sqrt(dim))``.

    The softmax runs over valid frames.

    Parameters
    ----------
    query
        ``(H, dim)``.
    weight, bias
        ``(H, C, dim)`` and ``(C,)``.
    """

    query: Float64
    weight: Float64
    bias: Float64

    @property
    def vector(self) -> Float64:
        """All parameters in one row."""
        return np.concatenate([self.query.ravel(), self.weight.ravel(), self.bias])

    def like(self, vector: Float64) -> AttentionModel:
        """Return the model of the same shape with other parameters."""
        a, b = self.query.size, self.query.size + self.weight.size
        return AttentionModel(
            vector[:a].reshape(self.query.shape),
            vector[a:b].reshape(self.weight.shape),
            vector[b:],
        )

    def attention(self, frames: Frames) -> Float32:
        """Return ``(n, H, T)`` weights of the frames, 0 where padded; each row sums to 1."""
        root = np.sqrt(self.query.shape[1])
        score = (frames.values @ (self.query / root).astype(np.float32).T).transpose(0, 2, 1)
        score = np.where(frames.mask[:, None], score, np.float32(-np.inf))
        score -= score.max(axis=2, keepdims=True)
        out: Float32 = np.exp(score)
        out /= out.sum(axis=2, keepdims=True)
        return out

    def logits(self, frames: Frames) -> Float32:
        """Return ``(n, C)``."""
        parts = [self.forward(frames, rows)[2] for rows in _blocks(frames)]
        return np.concatenate(parts).astype(np.float32)

    def forward(self, frames: Frames, rows: slice) -> tuple[Float32, Float32, Float64]:
        """Return attention ``(n, H, T)``, pooled frames ``(n, H, dim)`` and logits ``(n, C)``."""
        part = Frames(frames.values[rows], frames.mask[rows])
        share = self.attention(part)
        pooled = share @ part.values
        logits = np.einsum("nhd,hcd->nc", pooled, self.weight.astype(np.float32), optimize=True)
        return share, pooled, logits + self.bias


def loss_and_gradient(
    model: AttentionModel, frames: Frames, side: Labelled, l2: float
) -> tuple[float, Float64]:
    """Return the summed cross-entropy plus L2, and its gradient by ``model.vector``.

    L2 is ``l2 / 2`` times the squared weights and queries; biases are free. Softmax for one label
    per item, one sigmoid per class for several.
    """
    target = side.matrix
    root = np.sqrt(model.query.shape[1])
    total = 0.5 * l2 * float(np.vdot(model.weight, model.weight))
    total += 0.5 * l2 * float(np.vdot(model.query, model.query))
    query = l2 * model.query
    weight, bias = l2 * model.weight, np.zeros_like(model.bias)
    for rows in _blocks(frames):
        share, pooled, logits = model.forward(frames, rows)
        loss, residual = _cross_entropy(logits, target[rows], side.multilabel)
        total += loss
        bias += residual.sum(axis=0)
        back = residual.astype(np.float32)
        weight += np.einsum("nc,nhd->hcd", back, pooled, optimize=True)
        # Through the pooling: d logit / d a_t = W x_t, then the softmax over frames.
        towards = np.einsum("nc,hcd->nhd", back, model.weight.astype(np.float32), optimize=True)
        by_frame = towards @ frames.values[rows].transpose(0, 2, 1)
        by_frame = share * (by_frame - (share * by_frame).sum(axis=2, keepdims=True))
        query += (by_frame @ frames.values[rows]).sum(axis=0, dtype=np.float64) / root
    return total, np.concatenate([query.ravel(), weight.ravel(), bias])


def _cross_entropy(logits: Float64, target: Float32, several: bool) -> tuple[float, Float64]:
    if several:
        loss = float((np.logaddexp(0.0, logits) - target * logits).sum())
        return loss, 0.5 * (1.0 + np.tanh(0.5 * logits)) - target
    z = logits - logits.max(axis=1, keepdims=True)
    power = np.exp(z)
    whole = power.sum(axis=1, keepdims=True)
    return float((np.log(whole[:, 0]) - (z * target).sum(axis=1)).sum()), power / whole - target


def fit_attention(
    frames: Frames, side: Labelled, l2: float, *, start: AttentionModel, max_iter: int = 100
) -> AttentionModel:
    """Minimise :func:`loss_and_gradient` by L-BFGS from ``start``."""
    from scipy.optimize import minimize

    def objective(vector: Float64) -> tuple[float, Float64]:
        return loss_and_gradient(start.like(vector), frames, side, l2)

    found = minimize(
        objective,
        start.vector,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iter, "gtol": 1e-4 * len(side.x), "ftol": 1e-7},
    )
    return start.like(np.asarray(found.x, np.float64))


def _blocks(frames: Frames) -> Iterator[slice]:
    n, length, dim = frames.values.shape
    size = max(1, BLOCK // (length * dim))
    for begin in range(0, n, size):
        yield slice(begin, min(begin + size, n))
