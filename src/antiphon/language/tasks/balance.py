"""How often each task is asked, and how many pairs a row gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from antiphon.language.tasks.config import TasksConfig
from antiphon.language.tasks.entries import Task

Float64 = npt.NDArray[np.float64]

_ROUNDS = 400
_TINY = 1e-12


def task_weights(
    patterns: Mapping[int, int], tasks: Sequence[Task], config: TasksConfig
) -> Float64:
    """Return how likely each task is drawn among those that a row can be asked.

    A row draws a task with probabilities that go with the weights of those it can be asked.
    The weights are fitted, by proportional steps over the patterns of what can be asked together,
    until every task is expected as often as it is wanted: equally (``balance`` 1), or as often as
    there are rows for it (0), never more often than there are rows.

    Parameters
    ----------
    patterns
        Rows by what they can be asked, bit ``n`` for task ``n``.
    tasks, config
        The tasks, and what is wanted of them.

    Returns
    -------
    numpy.ndarray
        ``(tasks,)`` float64, 0 for tasks that no row can be asked; the largest is 1.
    """
    n_tasks = len(tasks)
    codes = np.array([p for p in patterns if p], dtype=np.uint64)
    rows = np.array([patterns[int(p)] for p in codes], dtype=np.float64)
    can = ((codes[:, None] >> np.arange(n_tasks, dtype=np.uint64)) & np.uint64(1)).astype(float)
    there = rows @ can if len(rows) else np.zeros(n_tasks)
    asked = np.array([config.weights.get(task.id, 1.0) for task in tasks])
    share = np.where(there > 0, np.maximum(there, 1.0) ** (1.0 - config.balance) * asked, 0.0)
    target = _fill(share, there, float(rows.sum()))
    weights = (target > 0).astype(float)
    for _ in range(_ROUNDS):
        each = can * weights
        total = each.sum(axis=1, keepdims=True)
        expected = rows @ np.divide(each, total, out=np.zeros_like(each), where=total > 0)
        wanted = np.divide(target, expected, out=np.ones(n_tasks), where=expected > 0)
        if np.abs(wanted - 1).max(initial=0.0) < 1e-3:
            break
        weights *= wanted
        weights = np.where(target > 0, np.maximum(weights / max(weights.max(), _TINY), _TINY), 0.0)
    return weights


def _fill(share: Float64, most: Float64, total: float) -> Float64:
    """Divide ``total`` by ``share``, nothing above ``most``: what is cut goes to the others."""
    target = np.zeros_like(share)
    free = share > 0
    left = min(total, float(most[free].sum()))
    while free.any() and left > 0:
        part = share * free
        part = part * (left / part.sum())
        full = free & (part >= most)
        if not full.any():
            target[free] = part[free]
            break
        target[full] = most[full]
        left -= float(most[full].sum())
        free &= ~full
    return target


def pairs_per_row(counts: Mapping[str, int], rows: int, config: TasksConfig) -> dict[str, float]:
    """Return how many pairs a row of each taxon gets, on average.

    ``c * N ** -long_tail``, at most ``most_per_row``, with ``c`` such that the mean over all
    rows is ``pairs_per_row``. A row without a taxon (the key "") gets what the median row with one
    gets.

    Parameters
    ----------
    counts
        Rows by taxon.
    rows
        Rows in all, those without a taxon included.
    """
    sizes = np.array(list(counts.values()), dtype=np.float64)
    without = rows - sizes.sum()
    in_order = np.sort(sizes)
    half = np.searchsorted(np.cumsum(in_order), in_order.sum() / 2)
    median = float(in_order[half]) if len(sizes) else 1.0
    sizes, names = np.append(sizes, without), [*counts, ""]
    rarity = np.append(sizes[:-1], median) ** -config.long_tail
    low, high = 0.0, float(config.most_per_row / max(rarity.min(), _TINY))
    for _ in range(60):
        middle = (low + high) / 2
        mean = (np.minimum(middle * rarity, config.most_per_row) * sizes).sum() / max(rows, 1)
        low, high = (middle, high) if mean < config.pairs_per_row else (low, middle)
    each = np.minimum(high * rarity, config.most_per_row)
    return dict(zip(names, each.tolist(), strict=True))
