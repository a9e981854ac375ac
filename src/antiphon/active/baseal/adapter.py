"""BaseAL's interface around one of the strategies: what an exported ``sampling.py`` holds.

Everything here ends up in the exported file, so it may use NumPy and this package only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView, Strategy, read_only
from antiphon.active.baseal.metadata import RECORDING_TITLES
from antiphon.active.strategies.random import random

# The exporter puts other values here.
NAME: str = random.name
CHOOSE: Strategy = random.strategy
# Chooses the first batch, when nothing is labelled yet.
WARM_UP: Strategy | None = None
# Labels to ask for in each cycle.
SCHEDULE: tuple[int, ...] = (50,) * 10
BUDGET: int = sum(SCHEDULE)

_SEGMENT = re.compile(r"[_-]\d+(\.\d+)?[_-]\d+(\.\d+)?(\.[a-zA-Z][a-zA-Z0-9]{1,4})?$")


def batch_size(n_labelled: int) -> int:
    """Return how many labels to ask for next, by ``SCHEDULE``; 0 when the budget is spent.

    In BaseAL's loop: ``learner.sample(n_samples=batch_size(len(learner.labeled_indices)))``.
    """
    spent = 0
    for size in SCHEDULE:
        spent += size
        if n_labelled < spent:
            return spent - n_labelled
    return 0


class SamplingStrategy:
    """Chooses the next clips to label, as BaseAL calls it.

    Parameters
    ----------
    method
        ``"custom"`` or the strategy's own name.
    n_samples
        How many to choose; BaseAL sets it before each call.
    random_state
        Seed of ``rng``.
    """

    def __init__(
        self, method: str = "custom", n_samples: int = 50, random_state: int | None = None
    ) -> None:
        if method not in ("custom", NAME):
            raise ValueError(f"This file holds {NAME!r} only; {method!r} is not known")
        self.method = method
        self.n_samples = n_samples
        self.rng = np.random.default_rng(random_state)
        self._cycle = 0
        self._chosen: list[int] = []
        self._rows: Int64 = np.empty(0, np.int64)
        self._points: Float32 = np.empty((0, 0), np.float32)
        self._cache: dict[str, Any] = {}

    def select(
        self,
        unlabeled_indices: Sequence[int],
        predictions: Float32 | None = None,
        embeddings: Float32 | None = None,
        model: Any = None,
        metadata: Any = None,
        labeled_indices: Sequence[int] | None = None,
        labels: npt.NDArray[Any] | None = None,
        mc_predictions: Float32 | None = None,
    ) -> tuple[list[int], Float32]:
        """Choose ``n_samples`` of ``unlabeled_indices``.

        Parameters
        ----------
        unlabeled_indices, labeled_indices
            Rows of ``embeddings`` without and with labels; all others judge and are not used.
        predictions
            ``(N, n_labels)`` probabilities.
        embeddings
            ``(N, dim)``.
        model
            BaseAL's ``EmbeddingClassifier``.
        metadata
            A table with a column ``filename`` or one that names the recording, or None.
        labels
            ``(m, n_labels)``, or ``(m,)`` of class numbers, in the order of ``labeled_indices``.
        mc_predictions
            ``(passes, N, n_labels)`` probabilities under dropout, or None.

        Returns
        -------
        chosen
            Rows, the most wanted first.
        utility
            ``(n,)`` float32 for the unlabelled rows, in [0, 1] and falling in the order of choice;
            0 for those not chosen.
        """
        if len(unlabeled_indices) == 0:
            return [], np.empty(0, np.float32)
        if embeddings is None:
            raise ValueError("embeddings are needed")
        self._cycle += 1
        known = [] if labeled_indices is None else [int(i) for i in labeled_indices]
        rows = np.union1d(np.asarray(unlabeled_indices, np.int64), np.array(known, np.int64))
        if not np.array_equal(rows, self._rows):
            self._rows, self._cache = rows, {}
            self._points = np.ascontiguousarray(embeddings[rows], np.float32)
        labelled = self._order(known)
        multilabel = labels is None or np.ndim(labels) == 2
        if predictions is not None and labels is None:
            # Probabilities of exclusive classes sum to one, those of independent ones need not.
            multilabel = not np.allclose(predictions[rows].sum(axis=1), 1.0, atol=1e-4)
        n_labels = 0 if predictions is None else predictions.shape[1]
        pool = PoolView(
            embeddings=self._points,
            labelled=np.searchsorted(rows, labelled).astype(np.int64),
            labels=_label_matrix(known, labels, labelled, n_labels),
            recording=_recordings(metadata, rows),
            generator=self.rng,
            head=_head(rows, predictions, self._points, model, mc_predictions, self.rng),
            cycle=self._cycle,
            budget=BUDGET,
            multilabel=multilabel,
            cache=self._cache,
        )
        choose = CHOOSE if len(known) or WARM_UP is None else WARM_UP
        chosen = choose(pool, min(self.n_samples, len(unlabeled_indices)))
        picked = [int(row) for row in rows[chosen.rows]]
        self._chosen += picked
        place = {int(row): i for i, row in enumerate(unlabeled_indices)}
        utility = np.zeros(len(unlabeled_indices), np.float32)
        for rank, row in enumerate(picked):
            utility[place[row]] = 1.0 - 0.5 * rank / len(picked)
        return picked, utility

    def _order(self, known: Sequence[int]) -> Int64:
        """Return the labelled rows in the order they were chosen, those chosen elsewhere first."""
        mine = dict.fromkeys(self._chosen)
        there = set(known)
        order = [row for row in known if row not in mine] + [row for row in mine if row in there]
        return np.array(order, np.int64)


class _BaseALHead:
    """BaseAL's head as strategies see it; no torch is imported."""

    def __init__(
        self,
        rows: Int64,
        predictions: Float32,
        points: Float32,
        model: Any,
        mc_predictions: Float32 | None,
        generator: np.random.Generator,
    ) -> None:
        self._rows = rows
        self._predictions = predictions
        self._points = points
        self._model = model
        self._mc = mc_predictions
        self._generator = generator

    def probabilities(self) -> Float32:
        """Return ``(n, n_labels)`` probabilities."""
        return read_only(np.asarray(self._predictions, np.float32)[self._rows])

    def hidden(self) -> Float32:
        """Return ``(n, n_hidden)`` inputs of the last layer."""
        if self._model is None:
            return self.probabilities()
        layer = self._model.projection
        hidden = self._points @ _array(layer.weight).T + _array(layer.bias)
        return read_only(np.maximum(hidden, 0.0))

    def output_weight(self) -> Float32:
        """Return ``(n_labels, n_hidden)`` weights of the last layer."""
        if self._model is None:
            return read_only(np.eye(self._predictions.shape[1], dtype=np.float32))
        return read_only(_array(self._model.classifier.weight))

    def dropout(self, passes: int) -> Float32:
        """Return ``(passes, n, n_labels)``: those of BaseAL if there are enough, else new ones."""
        if self._mc is not None and len(self._mc) >= passes:
            return read_only(np.asarray(self._mc, np.float32)[:passes, self._rows])
        share = 0.0 if self._model is None else float(getattr(self._model.dropout, "p", 0.0))
        if share == 0.0:
            once = self.probabilities()
            return np.broadcast_to(once, (passes, *once.shape))
        hidden, layer = self.hidden(), self._model.classifier
        found = []
        for _ in range(passes):
            keep = self._generator.random(hidden.shape, np.float32) >= share
            found.append((hidden * keep / (1.0 - share)) @ _array(layer.weight).T)
        logits = np.stack(found) + _array(layer.bias)
        if np.allclose(self.probabilities().sum(axis=1), 1.0, atol=1e-4):
            raised = np.exp(logits - logits.max(axis=2, keepdims=True))
            return read_only((raised / raised.sum(axis=2, keepdims=True)).astype(np.float32))
        return read_only((1.0 / (1.0 + np.exp(-logits))).astype(np.float32))


def _head(
    rows: Int64,
    predictions: Float32 | None,
    points: Float32,
    model: Any,
    mc_predictions: Float32 | None,
    generator: np.random.Generator,
) -> _BaseALHead | None:
    if predictions is None:
        return None
    return _BaseALHead(rows, predictions, points, model, mc_predictions, generator)


def _array(parameter: Any) -> Float32:
    """Return a tensor of torch, or an array, as an array."""
    if hasattr(parameter, "detach"):
        parameter = parameter.detach().cpu().numpy()
    return np.asarray(parameter, np.float32)


def _label_matrix(
    known: Sequence[int], labels: npt.NDArray[Any] | None, labelled: Int64, n_labels: int
) -> Float32:
    """Return ``(m, n_labels)`` 0 and 1 in the order of ``labelled``."""
    if labels is None or not len(known):
        return np.zeros((0, n_labels), np.float32)
    given = np.asarray(labels)
    if given.ndim == 1:
        one_hot = np.zeros((len(given), max(n_labels, int(given.max()) + 1)), np.float32)
        one_hot[np.arange(len(given)), given.astype(np.int64)] = 1.0
        given = one_hot
    place = {row: i for i, row in enumerate(known)}
    return given[[place[int(row)] for row in labelled]].astype(np.float32)


def _recordings(metadata: Any, rows: Int64) -> Int64:
    """Number the recordings: by their column, or by file names less the segment's span."""
    columns = [] if metadata is None else list(metadata.columns)
    title = next((name for name in RECORDING_TITLES if name in columns), None)
    if title is None and "filename" not in columns:
        return np.full(len(rows), -1, np.int64)
    texts = [str(text) for text in metadata[title or "filename"]]
    numbers: dict[str, int] = {}
    found = []
    for row in rows:
        name = texts[row] if title else _SEGMENT.sub("", texts[row])
        alone = title is None and name == texts[row]
        found.append(-1 if alone else numbers.setdefault(name, len(numbers)))
    return np.array(found, np.int64)


def densityEstimation(  # noqa: N802 (BaseAL imports it by this name for its own warm-up)
    embeddings: Float32, method: str = "knn", beta: float = 1.0, k: int = 20
) -> Float32:
    """Return a score for each row, largest in the densest places; BaseAL labels the largest first.

    The score is the inverse of the mean distance to the ``k`` nearest rows.
    """
    points = np.asarray(embeddings, np.float32)
    square = (points**2).sum(axis=1)
    score = np.empty(len(points), np.float32)
    near = min(k, len(points))
    for start in range(0, len(points), 1024):
        block = points[start : start + 1024]
        away = square[start : start + 1024, None] + square - 2.0 * (block @ points.T)
        nearest = np.partition(np.maximum(away, 0.0), near - 1, axis=1)[:, :near]
        score[start : start + 1024] = 1.0 / (1e-12 + np.sqrt(nearest).mean(axis=1))
    density: Float32 = np.power(score / score.max(), np.float32(beta))
    return density
