"""Clustering with an unknown number of clusters: HDBSCAN, and how stable its clusters are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.clustering import (
    adjusted_rand_index,
    normalized_mutual_information,
)
from antiphon.evaluation.protocols.clustering import RESAMPLES, agreement, single_labels
from antiphon.evaluation.protocols.hdbscan import LARGEST, Hdbscan, euclidean_distances, hdbscan
from antiphon.evaluation.protocols.inputs import Float32
from antiphon.evaluation.protocols.knn import unit
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes

SIZES = (5, 10, 20, 40)
"""Smallest cluster sizes tried where the number of clusters is unknown."""

COMPONENTS = 20
"""Leading components in which densities are compared: in hundreds of dimensions all distances are
alike, and nearly everything is noise."""


def clustering_unknown_k(
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    sizes: Sequence[int] = SIZES,
    min_samples: int | None = 1,
    metric: str = "cosine",
    components: int | None = COMPONENTS,
    subsamples: int = 10,
    share: float = 0.8,
    most: int = LARGEST,
    seed: int = 42,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Cluster embeddings by HDBSCAN with the number of clusters unknown, and say how stable it is.

    The smallest cluster size is the one whose clusters come back best on random parts of the
    items: labels have no say. Stability is the adjusted Rand index of the clusters of a part and
    those of all items, over the items of the part, noise as a cluster of its own.

    Parameters
    ----------
    x, labels, groups
        As in :func:`antiphon.evaluation.protocols.clustering.clustering`.
    sizes
        Smallest cluster sizes to choose from.
    min_samples
        Of :func:`antiphon.evaluation.protocols.hdbscan.hdbscan`; None follows the size. More
        samples give more noise.
    metric
        ``euclidean``, or ``cosine``: distances of rows scaled to length 1.
    components
        Leading principal components kept; None keeps all dimensions.
    subsamples, share
        Random parts, and the share of the items in each.
    most
        With more items a random part of this size is clustered, and the notes say so.
    seed
        Of parts and bootstrap.

    Returns
    -------
    ProtocolResult
        Family ``clustering_unknown_k``: ``nmi``, ``ari``, ``v_measure`` with noise as one more
        cluster; ``stability`` with the range over parts; ``clusters``; ``noise``; and
        ``nmi_clustered`` over the items in clusters. Details: ``min_cluster_size``, ``sizes``
        (stability, clusters and noise of each), ``clusters`` ``(n,)`` with -1 for noise, ``rows``.

    Raises
    ------
    UserError
        If a parameter is out of range.
    """
    if metric not in ("euclidean", "cosine"):
        raise UserError(f"Metric {metric!r} is not known. There are: euclidean, cosine.")
    if not 0.0 < share < 1.0 or subsamples < 1 or not sizes:
        raise UserError("Give a share between 0 and 1, subsamples of at least 1, and sizes.")
    rows, single, by, notes = single_labels(x, labels, groups)
    rng = np.random.default_rng(seed)
    used = np.arange(len(rows))
    if len(rows) > min(most, LARGEST):
        used = np.sort(rng.permutation(len(rows))[: min(most, LARGEST)])
        notes += (f"{len(used):,} of {len(rows):,} items, drawn at random, were clustered.",)
    single, by = single[used], None if by is None else by[used]
    scaled = unit(rows[used]) if metric == "cosine" else rows[used]
    distances = euclidean_distances(_leading(scaled, components))
    parts = [
        np.sort(rng.permutation(len(used))[: round(share * len(used))]) for _ in range(subsamples)
    ]
    found: dict[int, Hdbscan] = {}
    stable: dict[int, list[float]] = {}
    for size in sorted({int(s) for s in sizes}):
        if (min_samples or size) > round(share * len(used)) or 2 * size > len(used):
            notes += (f"A smallest cluster of {size} is too large for {len(used)} items.",)
            continue
        found[size] = hdbscan(distances, size, min_samples)
        stable[size] = [
            adjusted_rand_index(
                found[size].labels[part],
                hdbscan(distances[np.ix_(part, part)], size, min_samples).labels,
            )
            for part in parts
        ]
    if not found:
        raise UserError("There are too few items for any of the smallest cluster sizes.")
    # Noise alone always comes back, and says nothing.
    real = [size for size in found if found[size].n_clusters >= 2] or list(found)
    chosen = max(real, key=lambda size: (float(np.mean(stable[size])), size))
    best = found[chosen]
    if best.n_clusters < 2:
        notes += ("HDBSCAN found no two clusters at any smallest size.",)
    inside = best.labels >= 0
    measures = list(agreement(single, best.labels, by, seed, n_resamples))
    low, high = (float(v) for v in np.quantile(stable[chosen], (0.025, 0.975)))
    measures += [
        Measure(
            "stability",
            float(np.mean(stable[chosen])),
            low,
            high,
            subsamples,
            f"adjusted Rand index with clusters of {share:.0%} of the items; range over parts",
        ),
        Measure.bare("clusters", best.n_clusters, len(single), "found"),
        Measure.bare("noise", best.noise, len(single), "share of items in no cluster"),
        Measure.bare(
            "nmi_clustered",
            normalized_mutual_information(single[inside], best.labels[inside])
            if inside.any()
            else np.nan,
            int(inside.sum()),
            "over items in clusters, so noise costs nothing",
        ),
    ]
    tried = {
        size: {
            "stability": float(np.mean(stable[size])),
            "clusters": found[size].n_clusters,
            "noise": found[size].noise,
        }
        for size in found
    }
    details = {
        "min_cluster_size": chosen,
        "sizes": tried,
        "clusters": best.labels,
        "rows": used,
        "labels_present": len(np.unique(single)),
    }
    return ProtocolResult("clustering_unknown_k", tuple(measures), details, unique_notes(notes))


def _leading(x: Float32, components: int | None) -> npt.NDArray[np.floating]:
    """Return the centred rows in their leading principal components, ``(n, components)``."""
    if components is None or components >= min(x.shape):
        return x
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return np.asarray(centred @ axes[:, -components:])
