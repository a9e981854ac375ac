"""Test of two systems on the same items: their outputs exchanged in whole groups."""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import checked
from antiphon.evaluation.resampling import Groups, index_groups
from antiphon.evaluation.statistics import (
    Statistic,
    average_precision_by_label,
    evaluator,
    mean_average_precision,
    mean_roc_auc,
    roc_auc_by_label,
)
from antiphon.threads import few_threads

Float64 = npt.NDArray[np.float64]
Array = npt.NDArray[np.floating]
Scale = Literal["rank", "raw"]

_BLOCK = 128
_BY_RANK = (
    average_precision_by_label,
    roc_auc_by_label,
    mean_average_precision,
    mean_roc_auc,
)


def exchange_test(
    score_a: npt.ArrayLike,
    score_b: npt.ArrayLike,
    truth: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    statistic: Statistic,
    rng: np.random.Generator,
    n_exchanges: int = 1000,
    scale: Scale | None = None,
) -> Float64:
    """Return the two-sided p of "A and B are interchangeable", ``(k,)``.

    The outputs of the two systems are exchanged in whole groups, and the difference of the
    statistic is computed again. All ``2^(G - 1)`` patterns are tried where these are at most
    ``n_exchanges``; otherwise random ones, with the observed one among them.

    Parameters
    ----------
    scale
        ``rank``: scores are first replaced by their mid-ranks inside each system and label, so that
        two systems with different scales can be mixed; a statistic that depends on order alone
        stays as it is. ``raw``: scores are mixed as they are, right for a shared scale such as
        probabilities and for statistics with a threshold. None chooses ``rank`` for the ranking
        statistics of this project.

    Returns
    -------
    ndarray
        NaN where the statistic has no value on all rows.

    Notes
    -----
    Bandos, Rockette and Gur (2005), *Stat. Med.* 24: 2873-2893, for areas under ROC curves;
    Phipson and Smyth (2010), *Stat. Appl. Genet. Mol. Biol.* 9: 39, for random exchanges.
    """
    if n_exchanges < 1:
        raise UserError(f"The exchanges ({n_exchanges}) must be at least 1.")
    a, b, t, group, n_groups = same_items(score_a, score_b, truth, groups)
    if scale is None:
        scale = "rank" if statistic in _BY_RANK else "raw"
    if scale == "rank":
        a, b = _mid_ranks(a, t), _mid_ranks(b, t)
    elif scale != "raw":
        raise UserError(f"Scale {scale!r} is not known. There are: rank, raw.")
    # The rows of A and of B are groups of their own, of which a pattern takes one or the other.
    evaluate = evaluator(
        statistic,
        np.concatenate([a, b]),
        np.concatenate([t, t]),
        np.concatenate([group, group + n_groups]),
        2 * n_groups,
    )

    def apart(swap: npt.NDArray[np.bool_]) -> Float64:
        swapped = swap.astype(np.float32)
        kept = np.float32(1.0) - swapped
        first = evaluate(np.hstack([kept, swapped]))
        return first - evaluate(np.hstack([swapped, kept]))

    observed = apart(np.zeros((1, n_groups), bool))[0]
    nearly = np.abs(observed) - 1e-12
    exact = n_groups - 1 < 60 and 2 ** (n_groups - 1) <= n_exchanges
    reached, tried = np.zeros(len(observed)), np.zeros(len(observed))
    with few_threads(_BLOCK * 2 * n_groups):
        for swap in _patterns(n_groups) if exact else _random_patterns(n_groups, n_exchanges, rng):
            values = apart(swap)
            known = ~np.isnan(values)
            reached += (known & (np.abs(values) >= nearly)).sum(axis=0)
            tried += known.sum(axis=0)
    more = 0.0 if exact else 1.0
    with np.errstate(invalid="ignore"):
        p = (reached + more) / (tried + more)
    p[np.isnan(observed)] = np.nan
    return np.asarray(p, np.float64)


def same_items(
    score_a: npt.ArrayLike, score_b: npt.ArrayLike, truth: npt.ArrayLike, groups: npt.ArrayLike
) -> tuple[Array, Array, Array, Groups, int]:
    """Return both scores, the labels, each row's group as a number, and the number of groups.

    Raises
    ------
    UserError
        If shapes do not fit or the systems cover different rows.
    """
    a, t = checked(score_a, truth)
    b, _ = checked(score_b, truth)
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        raise UserError("The two sets of scores must cover the same rows and labels.")
    group, n_groups = index_groups(groups, len(a))
    return a, b, t, group, n_groups


def _mid_ranks(score: Array, target: Array) -> Array:
    """Return mid-ranks inside each label over its known rows, NaN elsewhere."""
    from scipy.stats import rankdata

    ranks = np.full(score.shape, np.nan)
    for label in range(score.shape[1]):
        known = ~np.isnan(score[:, label]) & ~np.isnan(target[:, label])
        ranks[known, label] = rankdata(score[known, label])
    return ranks


def _patterns(n_groups: int) -> list[npt.NDArray[np.bool_]]:
    # The opposite pattern has the opposite difference, so half of the patterns are enough.
    rest = np.array(list(product((False, True), repeat=max(0, n_groups - 1))), bool)
    every = np.hstack([np.zeros((len(rest), 1), bool), rest.reshape(len(rest), -1)])
    return np.array_split(every, max(1, len(every) // _BLOCK))


def _random_patterns(
    n_groups: int, count: int, rng: np.random.Generator
) -> list[npt.NDArray[np.bool_]]:
    return [
        rng.random((min(_BLOCK, count - begin), n_groups)) < 0.5
        for begin in range(0, count, _BLOCK)
    ]
