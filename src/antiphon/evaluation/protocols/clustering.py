"""Clustering with a known number of clusters: k-means, and agreement with the labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.intervals import Interval, bootstrap, from_rows
from antiphon.evaluation.metrics.clustering import (
    adjusted_rand_index,
    normalized_mutual_information,
    v_measure,
)
from antiphon.evaluation.protocols.inputs import (
    Float32,
    Int64,
    check_embeddings,
    check_groups,
    check_labels,
    class_names,
)
from antiphon.evaluation.protocols.kmeans import kmeans
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import group_note

Array = npt.NDArray[np.floating]

RESAMPLES = 400
_FIXED = "clusters held fixed"
# Groups up to which the bias of resampling is corrected. Doubled items agree with themselves, so
# NMI of a resample is too high, the more the fewer items there are; the jackknife costs one more
# evaluation a group.
_CORRECTED = 400


def agreement(
    labels: Int64,
    clusters: Int64,
    groups: npt.NDArray[np.generic] | None,
    seed: int,
    n_resamples: int = RESAMPLES,
) -> tuple[Measure, ...]:
    """Return ``nmi``, ``ari`` and ``v_measure`` of clusters against labels, with intervals.

    Groups are resampled while the clusters stay as they are, so the intervals are about the items
    that are judged, not about another run of the clustering.
    """

    def values(score: Array, target: Array) -> tuple[float, float]:
        true, found = score[:, 0].astype(np.int64), score[:, 1].astype(np.int64)
        return normalized_mutual_information(true, found), adjusted_rand_index(true, found)

    pairs = np.column_stack([labels, clusters]).astype(np.float64)
    drawn = np.arange(len(labels)) if groups is None else groups
    few = len(np.unique(drawn)) <= _CORRECTED
    nmi, ari = bootstrap(
        from_rows(values),
        pairs,
        np.zeros_like(pairs),
        drawn,
        rng=np.random.default_rng(seed),
        n_resamples=n_resamples,
        method="bca" if few else "percentile",
    )
    n, note = len(labels), f"{_FIXED}; {group_note(groups)}"
    both = v_measure(labels, clusters)
    v = Interval(both.v, nmi.low, nmi.high, nmi.level, nmi.method, nmi.n_groups, nmi.n_resamples)
    return (
        Measure.of("nmi", nmi, n, note),
        Measure.of("ari", ari, n, note),
        Measure.of("v_measure", v, n, f"equals NMI with the arithmetic mean; {note}"),
    )


def single_labels(
    x: npt.ArrayLike, labels: npt.ArrayLike, groups: npt.ArrayLike | None
) -> tuple[Float32, Int64, npt.NDArray[np.generic] | None, tuple[str, ...]]:
    """Return embeddings, one label each, groups, and a note on the items left out.

    Clusters can be compared with one label per item only, so of a matrix ``(n, C)`` the items with
    exactly one label are kept.
    """
    rows = check_embeddings(x, "given")
    raw = check_labels(labels, len(rows), "given", None)
    by = check_groups(groups, len(rows), "given")
    if raw.ndim == 1:
        return rows, raw.astype(np.int64), by, ()
    number = raw.astype(np.int64).sum(axis=1)
    kept = number == 1
    if not kept.any():
        raise UserError("No item has exactly one label, so clusters cannot be judged by labels.")
    note = (
        f"{int((~kept).sum())} of {len(rows)} items have no label or several and are left out of "
        "the clustering."
    )
    single = raw[kept].argmax(axis=1).astype(np.int64)
    left = () if kept.all() else (note,)
    return rows[kept], single, None if by is None else by[kept], left


def clustering(
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    k: int | None = None,
    groups: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    starts: int = 10,
    exchange: bool = False,
    seed: int = 42,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Cluster embeddings by k-means and compare the clusters with the labels.

    The published protocol: k-means++ from 10 starts, at most 300 iterations, seed 42, embeddings
    not normalised.

    Parameters
    ----------
    x, labels
        ``(n, dim)`` and ``(n,)``, or ``(n, C)`` of which items with one label are used.
    k
        Clusters; the number of labels that occur when None.
    groups
        ``(n,)`` recording, site or day of each item, for the intervals.
    names
        Class names for the notes.
    starts, seed, exchange
        Of :func:`antiphon.evaluation.protocols.kmeans.kmeans`.

    Returns
    -------
    ProtocolResult
        Family ``clustering``: ``nmi`` (arithmetic mean), ``ari``, ``v_measure``. Details: ``k``,
        ``clusters`` ``(n,)``, ``inertia``, ``inertias``, ``iterations``.

    Raises
    ------
    UserError
        If fewer than 2 labels occur, or there are fewer items than clusters.
    """
    rows, single, by, notes = single_labels(x, labels, groups)
    counts = np.bincount(single)
    present = int((counts > 0).sum())
    if present < 2:
        raise UserError("Fewer than 2 labels occur, so there is nothing to compare clusters with.")
    found = kmeans(rows, k or present, starts=starts, seed=seed, exchange=exchange)
    given = class_names(names, len(counts))
    single_item = [given[int(i)] for i in np.flatnonzero(counts == 1)]
    if single_item:
        notes += (f"Classes with one item: {', '.join(single_item)}.",)
    return ProtocolResult(
        "clustering",
        agreement(single, found.labels, by, seed, n_resamples),
        {
            "k": k or present,
            "clusters": found.labels,
            "inertia": found.inertia,
            "inertias": found.inertias,
            "iterations": found.iterations,
        },
        unique_notes(notes),
    )
