"""Small sets to run the loop on."""

from __future__ import annotations

import numpy as np

from antiphon.active.dataset import LabelledSet


def make_set(
    seed: int = 0, n: int = 400, dim: int = 24, labels: int = 5, multilabel: bool = True
) -> LabelledSet:
    rng = np.random.default_rng(seed)
    if multilabel:
        targets = (rng.random((n, labels)) < np.linspace(0.3, 0.05, labels)).astype(np.float32)
    else:
        targets = np.eye(labels, dtype=np.float32)[rng.integers(0, labels, n)]
    centres = rng.normal(size=(labels, dim))
    x = (targets @ centres + rng.normal(size=(n, dim))).astype(np.float32)
    validation = np.zeros(n, bool)
    validation[rng.choice(n, n // 4, replace=False)] = True
    return LabelledSet(
        name="made",
        embeddings=x,
        targets=targets,
        labels=tuple("abcdefghijklmnopqrstuvwxyz"[:labels]),
        validation=validation,
        recording=(np.arange(n) // 10).astype(np.int64),
        filenames=tuple(f"{i}.npy" for i in range(n)),
        multilabel=multilabel,
        key=f"made-{seed}",
    )
