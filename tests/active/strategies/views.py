"""Small pools for tests of strategies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.active.base import KnownHead, PoolView


def view(
    embeddings: npt.ArrayLike,
    labelled: npt.ArrayLike = (),
    labels: npt.ArrayLike | None = None,
    probability: npt.ArrayLike | None = None,
    *,
    recording: npt.ArrayLike | None = None,
    seed: int = 0,
    budget: int | None = 500,
    multilabel: bool = True,
    n_labels: int = 3,
) -> PoolView:
    """Return a pool; what is not given is empty, unknown or zero."""
    x = np.asarray(embeddings, np.float32)
    rows = np.asarray(labelled, np.int64)
    given = np.zeros((len(rows), n_labels)) if labels is None else np.asarray(labels)
    return PoolView(
        embeddings=x,
        labelled=rows,
        labels=given.astype(np.float32),
        recording=np.full(len(x), -1) if recording is None else np.asarray(recording, np.int64),
        generator=np.random.default_rng(seed),
        head=None if probability is None else KnownHead(np.asarray(probability, np.float32)),
        budget=budget,
        multilabel=multilabel,
    )


def unit(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """Return rows of length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def circle(degrees: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return points on the unit circle at these angles."""
    angle = np.deg2rad(np.asarray(degrees, np.float64))
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
