"""One-to-one matching of predictions with the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def largest_matching(row: Int64, column: Int64, shape: tuple[int, int]) -> tuple[Int64, Int64]:
    """Return as many of the allowed pairs as can hold at once, each row and column used once.

    The algorithm of Hopcroft and Karp (1973).

    Parameters
    ----------
    row, column
        ``(p,)`` allowed pairs.
    shape
        Rows and columns there are.
    """
    if len(row) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    graph = csr_array((np.ones(len(row), np.int8), (row, column)), shape=shape)
    partner = np.asarray(maximum_bipartite_matching(graph, perm_type="column"), dtype=np.int64)
    rows = np.flatnonzero(partner >= 0)
    return rows.astype(np.int64), partner[rows]


def best_matching(
    row: Int64, column: Int64, weight: Float64, shape: tuple[int, int]
) -> tuple[Int64, Int64]:
    """Return the matching of greatest total weight among those with the most pairs.

    Parameters
    ----------
    row, column, weight
        ``(p,)`` allowed pairs and their weights in [0, 1].
    shape
        Rows and columns there are.
    """
    if len(row) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n, m = shape
    graph = csr_array((np.ones(len(row), np.int8), (row, column + n)), shape=(n + m, n + m))
    _, part = connected_components(graph, directed=False)
    order = np.argsort(part[row], kind="stable")
    row, column, weight = row[order], column[order], weight[order]
    cuts = np.flatnonzero(np.diff(part[row])) + 1
    rows, columns = [], []
    # Each knot of boxes that overlap is solved by itself; most hold a pair.
    for r, c, w in zip(
        np.split(row, cuts), np.split(column, cuts), np.split(weight, cuts), strict=True
    ):
        left, i = np.unique(r, return_inverse=True)
        right, j = np.unique(c, return_inverse=True)
        # A pair more outweighs every gain in weight.
        gain = np.zeros((len(left), len(right)))
        gain[i, j] = min(gain.shape) + 1.0 + w
        a, b = linear_sum_assignment(gain, maximize=True)
        there = gain[a, b] > 0
        rows.append(left[a[there]])
        columns.append(right[b[there]])
    found = np.concatenate(rows).astype(np.int64)
    order = np.argsort(found)
    return found[order], np.concatenate(columns).astype(np.int64)[order]
