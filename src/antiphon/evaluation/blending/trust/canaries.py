"""Canary classes: without training audio, a model has no way to know them but from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.rows import first_few
from antiphon.evaluation.blending.scoring.inputs import checked_truth
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks
from antiphon.evaluation.blending.trust.membership import LIMIT
from antiphon.evaluation.paired import holm

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Canary:
    """The finding for one model.

    Parameters
    ----------
    model
        Its name.
    auc
        Mean ROC-AUC over the canary classes.
    expected
        The same when the truth of recordings of one stratum is exchanged: about 0.5, or what site
        and time of day alone tell.
    p, p_holm
        One-sided, and corrected for the models.
    suspected
        Whether ``p_holm`` is below the limit of the membership test.
    n_classes
        Canary classes with positives, which are those that were looked at.
    note
        Why nothing can be said; empty when something can.
    """

    model: str
    auc: float
    expected: float
    p: float
    p_holm: float
    suspected: bool
    n_classes: int
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


def canary_test(
    models: Sequence[str],
    scores: npt.ArrayLike,
    truth: npt.ArrayLike,
    file: npt.ArrayLike,
    strata: npt.ArrayLike,
    classes: Sequence[str],
    canaries: Sequence[str],
    *,
    rng: np.random.Generator,
    n_permutations: int = 4999,
) -> tuple[Canary, ...]:
    """Test whether models know classes that they cannot have learnt.

    Parameters
    ----------
    models
        Names of the m models.
    scores
        ``(m, n, C)``, finite.
    truth
        ``(n, C)``.
    file
        ``(n,)`` recording of each window; those of one recording in order of time.
    strata
        ``(n_files,)``; the truth is exchanged between recordings of one stratum that have equally
        many windows.
    classes, canaries
        Names of the C classes, and of those without training audio.
    rng
        The only source of randomness.

    Returns
    -------
    tuple of Canary
        One for each model; all with a note if no canary class has positives or nothing can be
        exchanged.

    Raises
    ------
    UserError
        If a canary is not a class.
    """
    unknown = [name for name in canaries if name not in classes]
    if unknown:
        raise UserError(f"These canary classes are no columns of the scores: {first_few(unknown)}.")
    present = checked_truth(truth)
    column = [
        c
        for c, name in enumerate(classes)
        if name in set(canaries) and 0 < present[:, c].sum() < len(present)
    ]
    which = np.asarray(file, np.intp)
    groups = _exchangeable(which, np.asarray(strata))
    note = ""
    if not column:
        note = "no canary class has positives"
    elif not groups:
        note = "no two recordings of a stratum have equally many windows"
    if note:
        nan = float("nan")
        return tuple(Canary(m, nan, nan, nan, nan, False, len(column), note) for m in models)
    heard = present[:, column]
    partner = _partners(groups, len(np.asarray(strata)), n_permutations, rng)
    areas = np.stack(
        [_areas(np.asarray(one)[:, column], heard, which, partner) for one in np.asarray(scores)],
        axis=1,
    )
    p = (areas >= areas[0] - 1e-12).mean(axis=0)
    corrected = holm(p)
    return tuple(
        Canary(
            model,
            float(areas[0, k]),
            float(areas[1:, k].mean()),
            float(p[k]),
            float(corrected[k]),
            bool(corrected[k] < LIMIT),
            len(column),
        )
        for k, model in enumerate(models)
    )


def _exchangeable(file: Index, strata: npt.NDArray[np.generic]) -> list[Index]:
    """Return groups of recordings of one stratum with equally many windows, two or more."""
    windows = np.bincount(file, minlength=len(strata))
    kind = np.unique(strata, return_inverse=True)[1] * (windows.max() + 1) + windows
    groups = [np.flatnonzero(kind == k) for k in np.unique(kind)]
    return [g for g in groups if len(g) > 1 and windows[g[0]] > 0]


def _partners(groups: list[Index], n_files: int, count: int, rng: np.random.Generator) -> Index:
    """Return whose truth each recording gets, ``(1 + count, n_files)``; its own in the first."""
    out = np.tile(np.arange(n_files), (count + 1, 1))
    for group in groups:
        out[1:, group] = rng.permuted(np.tile(group, (count, 1)), axis=1)
    return out


def _areas(score: Float64, truth: npt.NDArray[np.bool_], file: Index, partner: Index) -> Float64:
    """Return the mean AUC under each exchange, ``(b,)``."""
    ranks = doubled_mid_ranks(score)
    order = np.argsort(file, kind="stable")
    size = np.bincount(file, minlength=partner.shape[1])
    start = np.concatenate([[0], np.cumsum(size)])
    rows = [order[a:b] for a, b in pairwise(start)]
    n_files, n_classes = len(rows), truth.shape[1]
    # Sum of the ranks of recording f at the windows where recording g has the class.
    gain = np.zeros((n_files, n_files, n_classes))
    for w in np.unique(size[size > 0]):
        same = np.flatnonzero(size == w)
        index = np.stack([rows[f] for f in same])
        gain[np.ix_(same, same)] = np.einsum(
            "fwc,gwc->fgc", ranks[index].astype(np.float64), truth[index].astype(np.float64)
        )
    positive = truth.sum(axis=0)
    total = np.zeros((len(partner), n_classes))
    for f in range(n_files):
        total += gain[f, partner[:, f]]
    pairs = 2.0 * positive * (len(truth) - positive)
    area: Float64 = (total - positive * (positive + 1)) / pairs
    return np.asarray(area.mean(axis=1))
