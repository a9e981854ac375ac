"""A head with known weights, a pool and a set."""

from __future__ import annotations

import numpy as np

from antiphon.active.base import Float32, PoolView
from antiphon.active.dataset import LabelledSet


class FixedHead:
    """Linear, ReLU, linear, sigmoid or softmax; dropout masks from a fixed seed."""

    def __init__(self, points: Float32, n_labels: int, seed: int = 0, multilabel: bool = True):
        rng = np.random.default_rng(seed)
        dim = points.shape[1]
        self.points = points
        self.multilabel = multilabel
        shapes = ((2 * dim, dim), (2 * dim,), (n_labels, 2 * dim), (n_labels,))
        first, *rest = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
        self._weights = (first / np.float32(np.sqrt(dim)), *rest)

    def weights(self) -> tuple[Float32, Float32, Float32, Float32]:
        return self._weights

    def hidden(self) -> Float32:
        first, bias, _, _ = self._weights
        return np.maximum(self.points @ first.T + bias, 0.0)

    def output_weight(self) -> Float32:
        return self._weights[2]

    def probabilities(self) -> Float32:
        return self._squash(self.hidden() @ self._weights[2].T + self._weights[3])

    def dropout(self, passes: int) -> Float32:
        rng = np.random.default_rng(1)
        hidden = self.hidden()
        masks = [rng.random(hidden.shape) >= 0.3 for _ in range(passes)]
        logits = [(hidden * m / 0.7).astype(np.float32) @ self._weights[2].T for m in masks]
        return np.stack([self._squash(one + self._weights[3]) for one in logits])

    def _squash(self, logits: Float32) -> Float32:
        if self.multilabel:
            return 1.0 / (1.0 + np.exp(-logits))
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)


def example_pool(
    seed: int = 0,
    n: int = 80,
    dim: int = 12,
    labelled: int = 20,
    n_labels: int = 4,
    *,
    multilabel: bool = True,
    cache: dict | None = None,
) -> PoolView:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, dim)).astype(np.float32)
    known = np.sort(rng.choice(n, labelled, replace=False)).astype(np.int64)
    if multilabel:
        labels = rng.integers(0, 2, (labelled, n_labels)).astype(np.float32)
    else:
        labels = np.eye(n_labels, dtype=np.float32)[rng.integers(0, n_labels, labelled)]
    return PoolView(
        embeddings=points,
        labelled=known,
        labels=labels,
        recording=np.full(n, -1, np.int64),
        generator=np.random.default_rng(seed + 1),
        head=FixedHead(points, n_labels, seed, multilabel),
        cycle=1,
        budget=500,
        multilabel=multilabel,
        cache={} if cache is None else cache,
    )


def small_set(multilabel: bool) -> LabelledSet:
    rng = np.random.default_rng(7)
    kind = rng.integers(0, 5, 140)
    centres = rng.normal(size=(5, 10))
    points = (centres[kind] + 0.7 * rng.normal(size=(140, 10))).astype(np.float32)
    targets = np.eye(5, dtype=np.float32)[kind]
    if multilabel:
        targets = np.maximum(targets, np.eye(5, dtype=np.float32)[rng.integers(0, 5, 140)])
        targets[kind == 4] = 0.0
    return LabelledSet(
        name="small",
        embeddings=points,
        targets=targets,
        labels=tuple("abcde"),
        validation=np.arange(140) % 4 == 0,
        recording=np.full(140, -1, np.int64),
        filenames=tuple(f"{i}.wav" for i in range(140)),
        multilabel=multilabel,
    )
