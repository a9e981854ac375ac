"""Retrieval protocol: each test item asks for its nearest, among the test or training items."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.retrieval import retrieval_scores
from antiphon.evaluation.protocols.inputs import Pair, check_groups, check_sides
from antiphon.evaluation.protocols.result import Measure, ProtocolResult
from antiphon.evaluation.protocols.scoring import RESAMPLES, group_note, mean_of_items


def retrieval(
    x: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    gallery: Pair | None = None,
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Rank items by cosine to each query; relevant is what shares any label with it.

    Parameters
    ----------
    x, labels
        ``(n, dim)`` queries and their labels, ``(n,)`` or ``(n, C)``. Each searches the others.
    gallery
        Embeddings and labels to search instead, as those of the training side.
    groups
        ``(n,)`` recording, site or day of each query, for the intervals. The items that are
        searched stay as they are.

    Returns
    -------
    ProtocolResult
        Family ``retrieval``: ``r_auc``, the mean over queries of the ROC area; ``p_at_1``, the
        share of queries whose nearest item is relevant. Details: ``mode`` (``test-test`` or
        ``train-test``), ``per_query_auc`` and ``per_query_hit`` ``(n,)``, ``queries``, ``skipped``.

    Raises
    ------
    UserError
        If shapes do not fit, or no query has anything relevant.
    """
    sides = {"query": (x, labels)}
    if gallery is not None:
        sides["gallery"] = gallery
    checked = check_sides(sides)
    query = checked["query"]
    searched = checked.get("gallery", query)
    by = check_groups(groups, len(query.x), "query")
    found = retrieval_scores(
        query.x,
        query.labels,
        gallery=None if gallery is None else searched.x,
        gallery_labels=None if gallery is None else searched.labels,
    )
    if not found.queries:
        raise UserError("No query shares a label with any item that is searched.")
    ranked = ~np.isnan(found.per_query_auc)
    rng = np.random.default_rng(seed)
    note = f"queries drawn, searched items fixed; {group_note(by)}"
    area = mean_of_items(
        found.per_query_auc[ranked], None if by is None else by[ranked], rng, n_resamples
    )
    hits = found.per_query_precision[1]
    asked = ~np.isnan(hits)
    first = mean_of_items(hits[asked], None if by is None else by[asked], rng, n_resamples)
    measures = (
        Measure.of("r_auc", area, int(ranked.sum()), note),
        Measure.of("p_at_1", first, found.queries, note),
    )
    notes = []
    if found.skipped:
        notes.append(f"{found.skipped} queries have nothing relevant to find and are skipped.")
    if found.all_relevant:
        notes.append(f"For {found.all_relevant} queries everything is relevant: no area.")
    details = {
        "mode": "test-test" if gallery is None else "train-test",
        "per_query_auc": found.per_query_auc,
        "per_query_hit": hits,
        "queries": found.queries,
        "skipped": found.skipped,
    }
    return ProtocolResult("retrieval", measures, details, tuple(notes))
