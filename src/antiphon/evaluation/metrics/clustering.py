"""Agreement of clusters with classes: NMI, adjusted Rand index, V-measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Contingency:
    """How many items of each class lie in each cluster.

    Parameters
    ----------
    row, column, count
        ``(k,)`` the pairs that occur, and how often.
    rows, columns
        ``(c,)`` items of each class, ``(g,)`` of each cluster.
    """

    row: Int64
    column: Int64
    count: Int64
    rows: Int64
    columns: Int64

    @property
    def mutual_information(self) -> float:
        """Mutual information in nats."""
        n = int(self.rows.sum())
        if n == 0:
            return 0.0
        share = self.count / n
        expected = self.rows[self.row] * (self.columns[self.column] / n)
        return max(0.0, float((share * np.log(self.count / expected)).sum()))

    def table(self) -> Int64:
        """Return the ``(c, g)`` table."""
        out = np.zeros((len(self.rows), len(self.columns)), np.int64)
        out[self.row, self.column] = self.count
        return out


@dataclass(frozen=True, slots=True)
class VMeasure:
    """Rosenberg and Hirschberg (2007).

    Parameters
    ----------
    homogeneity
        1 when each cluster holds one class only: mutual information over the entropy of classes.
    completeness
        1 when each class lies in one cluster: mutual information over the entropy of clusters.
    v
        Their weighted harmonic mean.
    """

    homogeneity: float
    completeness: float
    v: float


def contingency(true: npt.ArrayLike, found: npt.ArrayLike) -> Contingency:
    """Count the items of each class in each cluster.

    Parameters
    ----------
    true, found
        ``(n,)`` integers or names. Every value is a cluster of its own, -1 too; leave out what
        an algorithm calls noise, or say that it counts as a cluster.

    Raises
    ------
    UserError
        If the shapes differ or a label is NaN.
    """
    t, f = np.asarray(true), np.asarray(found)
    if t.ndim != 1 or t.shape != f.shape:
        raise UserError(
            f"Classes and clusters must have one shape (n,), but have {t.shape} and {f.shape}."
        )
    for name, array in (("class", t), ("cluster", f)):
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise UserError(f"The {name} of row {np.flatnonzero(np.isnan(array))[0]} is NaN.")
    rows, i = np.unique(t, return_inverse=True)
    columns, j = np.unique(f, return_inverse=True)
    pairs, count = np.unique(i.astype(np.int64) * max(1, len(columns)) + j, return_counts=True)
    return Contingency(
        row=pairs // max(1, len(columns)),
        column=pairs % max(1, len(columns)),
        count=count.astype(np.int64),
        rows=np.bincount(i, minlength=len(rows)).astype(np.int64),
        columns=np.bincount(j, minlength=len(columns)).astype(np.int64),
    )


def normalized_mutual_information(true: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Return mutual information over the mean of both entropies (the arithmetic mean).

    1 when both have one group only (or no item), as in scikit-learn.
    """
    table = contingency(true, found)
    if len(table.rows) == len(table.columns) <= 1:
        return 1.0
    both = 0.5 * (_entropy(table.rows) + _entropy(table.columns))
    return table.mutual_information / both if table.mutual_information > 0 else 0.0


def adjusted_rand_index(true: npt.ArrayLike, found: npt.ArrayLike) -> float:
    """Return the share of pairs both agree on, corrected for chance (Hubert and Arabie 1985).

    0 in the mean of random clusters, 1 for equal ones, below 0 for worse than chance.
    """
    table = contingency(true, found)
    n = int(table.rows.sum())
    # Ordered pairs; Python's integers do not overflow.
    same = sum(int(c) ** 2 for c in table.count)
    by_class, by_cluster = (sum(int(c) ** 2 for c in m) for m in (table.rows, table.columns))
    together, apart_class = same - n, by_cluster - same
    apart_cluster = by_class - same
    apart = n * n - together - apart_class - apart_cluster - n
    if apart_class == 0 and apart_cluster == 0:
        return 1.0
    return (
        2.0
        * (together * apart - apart_class * apart_cluster)
        / (
            (together + apart_cluster) * (apart_cluster + apart)
            + (together + apart_class) * (apart_class + apart)
        )
    )


def v_measure(true: npt.ArrayLike, found: npt.ArrayLike, beta: float = 1.0) -> VMeasure:
    """Return homogeneity, completeness and their mean.

    Parameters
    ----------
    true, found
        As for :func:`contingency`.
    beta
        Weight of homogeneity over completeness: above 1 favours completeness.
    """
    table = contingency(true, found)
    of_class, of_cluster = _entropy(table.rows), _entropy(table.columns)
    shared = table.mutual_information
    homogeneity = shared / of_class if of_class else 1.0
    completeness = shared / of_cluster if of_cluster else 1.0
    both = beta * homogeneity + completeness
    return VMeasure(
        homogeneity,
        completeness,
        (1.0 + beta) * homogeneity * completeness / both if both else 0.0,
    )


def _entropy(sizes: Int64) -> float:
    if len(sizes) <= 1:
        return 0.0
    share = sizes / sizes.sum()
    return float(-(share * np.log(share)).sum())
