"""Call repertoire: how well embeddings keep its units apart, pooled and unpooled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import roc_auc
from antiphon.evaluation.protocols.attention_model import Frames
from antiphon.evaluation.protocols.clustering import agreement, clustering
from antiphon.evaluation.protocols.inputs import (
    Float32,
    Int64,
    check_groups,
    check_labels,
    class_names,
)
from antiphon.evaluation.protocols.pooling import masked_mean
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes
from antiphon.evaluation.protocols.retrieval import retrieval
from antiphon.evaluation.protocols.scoring import RESAMPLES, group_note, mean_of_items
from antiphon.evaluation.protocols.sequences import Kind, sequence_similarity

MOST = 5000
"""Sequences whose similarities are still held as one matrix."""


def repertoire(
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    seed: int = 42,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Return retrieval and clustering of pooled embeddings of units (syllables, calls).

    Parameters
    ----------
    x, labels
        ``(n, dim)`` and ``(n,)``, one item a unit.
    groups
        ``(n,)`` song, recording or individual of each unit, for the intervals.

    Returns
    -------
    ProtocolResult
        Family ``repertoire``: ``r_auc`` and ``nmi``, the published pair, and ``p_at_1``.
    """
    found = retrieval(x, labels, groups=groups, seed=seed, n_resamples=n_resamples)
    clusters = clustering(x, labels, groups=groups, names=names, seed=seed)
    return ProtocolResult(
        "repertoire",
        (found["r_auc"], clusters["nmi"], found["p_at_1"]),
        {"retrieval": found.details, "clustering": clusters.details},
        unique_notes(found.notes, clusters.notes),
    )


def repertoire_frames(
    frames: npt.ArrayLike,
    valid: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    kind: Kind = "best_frames",
    groups: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
    seed: int = 42,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Return retrieval and clustering of units by their raw, unpooled frames.

    Units are compared frame by frame (:mod:`antiphon.evaluation.protocols.sequences`), so a rising
    and a falling call, whose means are alike, can be told apart. Clusters are those of average
    linkage on 1 minus the similarity, cut at the number of labels, because k-means needs vectors.

    Parameters
    ----------
    frames, valid
        ``(n, T, dim)`` and a share ``(n,)`` or mask ``(n, T)`` of valid frames.
    labels
        ``(n,)`` whole numbers.
    kind
        ``best_frames`` or ``dtw``.
    groups
        ``(n,)``, for the intervals.

    Returns
    -------
    ProtocolResult
        Family ``repertoire_frames``: ``r_auc``, ``nmi``, ``p_at_1``, and ``r_auc_pooled``, that of
        the masked means of the same frames. Details: ``similarity`` (the kind),
        ``per_query_auc``, ``clusters``.

    Raises
    ------
    UserError
        If shapes do not fit, labels are not single, or there are more than :data:`MOST` units.
    """
    sequences = Frames.of(frames, valid)
    n = len(sequences.values)
    if n > MOST:
        raise UserError(
            f"All pairs of sequences are compared, so there can be {MOST:,} at most, not {n:,}. "
            "Give a random part of them."
        )
    single = check_labels(labels, n, "given", multilabel=False).astype(np.int64)
    by = check_groups(groups, n, "given")
    similarity = sequence_similarity(sequences, kind)
    area, hits = _retrieval(similarity, single)
    ranked = ~np.isnan(area)
    if not ranked.any():
        raise UserError("No unit shares its label with another one.")
    clusters = _average_linkage(similarity, len(np.unique(single)))
    rng = np.random.default_rng(seed)
    drawn = None if by is None else by[ranked]
    note = f"{kind} similarity of raw frames; {group_note(by)}"
    asked = int(ranked.sum())
    nmi = agreement(single, clusters, by, seed)[0]
    mean = retrieval(
        masked_mean(sequences.values, sequences.mask),
        single,
        groups=by,
        seed=seed,
        n_resamples=n_resamples,
    )["r_auc"]
    measures = (
        Measure.of("r_auc", mean_of_items(area[ranked], drawn, rng, n_resamples), asked, note),
        Measure(
            "nmi", nmi.value, nmi.low, nmi.high, nmi.n, f"average linkage of {note}; {nmi.note}"
        ),
        Measure.of("p_at_1", mean_of_items(hits[ranked], drawn, rng, n_resamples), asked, note),
        Measure("r_auc_pooled", mean.value, mean.low, mean.high, mean.n, mean.note),
    )
    notes = []
    if asked < n:
        lonely = np.unique(single[~ranked])
        given = class_names(names, int(single.max()) + 1)
        listed = ", ".join(given[int(i)] for i in lonely)
        notes.append(f"Units alone in their class are no queries: {listed}.")
    details = {"similarity": kind, "per_query_auc": area, "clusters": clusters}
    return ProtocolResult("repertoire_frames", measures, details, tuple(notes))


def _retrieval(
    similarity: Float32, labels: Int64
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return each item's ROC area over the others, and whether its nearest shares its label."""
    score = similarity.copy()
    np.fill_diagonal(score, np.nan)
    relevant = (labels[:, None] == labels[None, :]).astype(np.float32)
    area = roc_auc(score, relevant)
    np.fill_diagonal(score, -np.inf)
    hits = labels[score.argmax(axis=0)] == labels
    return area, hits.astype(np.float64)


def _average_linkage(similarity: Float32, k: int) -> Int64:
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    distance = np.maximum(1.0 - similarity.astype(np.float64), 0.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), "average")
    return cut_tree(tree, n_clusters=[k])[:, 0].astype(np.int64)
