"""Weights to try: whole-number grids, and greedy selection."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.many import RankBlends

Int64 = npt.NDArray[np.int64]

MOST = 500
"""Candidates in a grid; with more models than fit, they are drawn."""

GREEDY_STEPS = 20
"""Models added, with repeats, by greedy selection."""


def weight_grid(n_models: int, rng: np.random.Generator, most: int = MOST) -> Int64:
    """Return candidate weights, equal ones first.

    Parameters
    ----------
    n_models
        m.
    rng
        Used where all weights of a sum of m are more than ``most``.
    most
        At least m + 1.

    Returns
    -------
    ndarray
        ``(k, m)``, all rows with the same sum, a multiple of m: every way to share the largest
        sum that leaves at most ``most`` of them; or, where a sum of m leaves more already, equal
        weights, each model alone, and random ways to share 4 m.

    Raises
    ------
    UserError
        If there is no model, or ``most`` is too small.
    """
    if n_models < 1 or most <= n_models:
        raise UserError(f"{most} candidates are too few for {n_models} models.")
    if n_models == 1:
        return np.ones((1, 1), np.int64)
    total = 0
    while total < 20 and _count(total + n_models, n_models) <= most:
        total += n_models
    if total:
        grid = _compositions(total, n_models)
    else:
        total = 4 * n_models
        drawn = rng.multinomial(total, rng.dirichlet(np.ones(n_models), size=most - n_models - 1))
        grid = np.vstack([total * np.eye(n_models, dtype=np.int64), drawn])
    equal = np.full(n_models, total // n_models)
    others = grid[(grid != equal).any(axis=1)]
    return np.vstack([equal, np.unique(others, axis=0)])


def best_of(blends: RankBlends, grid: Int64) -> tuple[Int64, npt.NDArray[np.float64]]:
    """Return the weights with the highest macro AUC, and the score of each candidate.

    Of equal ones, those nearest to equal weights win.
    """
    score = blends.macro_auc(grid)
    share = grid / grid.sum(axis=1, keepdims=True)
    far = ((share - 1.0 / grid.shape[1]) ** 2).sum(axis=1)
    return grid[np.lexsort((far, -score))[0]], score


def greedy(blends: RankBlends, n_models: int, steps: int = GREEDY_STEPS) -> Int64:
    """Return the weights of greedy forward selection with replacement, ``(m,)``.

    Begins with nothing and adds, again and again, the model that lifts the macro AUC most or
    lowers it least; the best sum on the way is returned, of equal ones the first (Caruana et al.
    2004, *Ensemble selection from libraries of models*, ICML).
    """
    now = np.zeros(n_models, np.int64)
    best, best_score = now, -np.inf
    for _ in range(steps):
        tries = now + np.eye(n_models, dtype=np.int64)
        score = blends.macro_auc(tries)
        now = tries[int(np.argmax(score))]
        if score.max() > best_score:
            best, best_score = now, float(score.max())
    return best


def _count(total: int, n: int) -> int:
    from math import comb

    return comb(total + n - 1, n - 1)


def _compositions(total: int, n: int) -> Int64:
    """Return every way to share ``total`` among ``n``, ``(k, n)``."""
    bars = np.array(list(combinations(range(total + n - 1), n - 1)), dtype=np.int64)
    edges = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + n - 1)])
    return np.asarray(np.diff(edges, axis=1) - 1)
