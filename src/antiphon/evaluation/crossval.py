"""Grouped cross-validation: folds that never split a recording, and honest nested predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.heads.base import ClassWeight, Head, check_training_data, entry_weights
from antiphon.heads.calibration import Method, fit_calibration
from antiphon.heads.linear import DEFAULT_L2, fit_linear_path
from antiphon.heads.thresholds import Threshold, choose_thresholds

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

Fit = Callable[[Float32, Float32, Int64], Head]
"""``fit(X, Y, groups)`` gives a head; whatever it tunes, it tunes on these rows alone."""

Tune = Callable[[Float32, Float32, Int64], Fit]
"""``tune(X, Y, groups)`` chooses parameters on these rows and gives the fit that uses them."""

L2_GRID = (1.0, 10.0, 100.0, 1000.0, 10000.0)


def grouped_folds(groups: npt.ArrayLike, Y: npt.ArrayLike, n_folds: int, seed: int) -> Int64:
    """Assign rows to folds so that no group is split and labels are spread evenly.

    Parameters
    ----------
    groups
        ``(n,)`` recording, site or day of each row.
    Y
        ``(n, n_labels)``: 1, 0 or NaN; only the positives count here.
    n_folds
        Wanted, at least 2; with fewer groups there are as many folds as groups.
    seed
        Breaks ties.

    Returns
    -------
    ndarray
        ``(n,)`` int64, 0 to the number of folds minus 1, each fold with at least one group.

    Raises
    ------
    UserError
        If there are fewer than 2 groups or folds, or shapes do not fit.

    Notes
    -----
    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011) with groups in place of
    rows: the label with the fewest unassigned groups goes first, its largest group to the fold
    that lacks most of its positives, ties to the fold that lacks most rows.
    """
    given, labels = np.asarray(groups), np.asarray(Y)
    if given.ndim != 1 or labels.ndim != 2 or len(given) != len(labels):
        raise UserError(
            f"Folds need n groups and (n, labels) labels, but got {given.shape} and {labels.shape}."
        )
    names, group = np.unique(given, return_inverse=True)
    if n_folds < 2:
        raise UserError(f"The number of folds is {n_folds}; it must be at least 2.")
    if len(names) < 2:
        raise UserError(
            f"The labelled windows come from {len(names)} group{'s' if len(names) != 1 else ''} "
            "(recording, site or day), so nothing can be judged on windows that the detector has "
            "not seen. Label windows of at least 2, better 5, or group by something finer."
        )
    folds = min(n_folds, len(names))
    rng = np.random.default_rng(seed)
    sizes = np.bincount(group).astype(np.float64)
    positives = np.zeros((len(names), labels.shape[1]))
    np.add.at(positives, group, labels == 1.0)
    chosen = _stratify(positives, sizes, folds, rng)
    return chosen[group]


def _stratify(positives: Float64, sizes: Float64, folds: int, rng: np.random.Generator) -> Int64:
    n = len(sizes)
    chosen = np.full(n, -1, np.int64)
    lacking = np.tile(positives.sum(axis=0) / folds, (folds, 1))
    lacking_rows = np.full(folds, sizes.sum() / folds)
    held = np.zeros(folds, np.int64)
    tie = rng.permutation(n)

    def assign(one: int, want: Float64) -> None:
        free = n - int((chosen >= 0).sum())
        # Every fold gets a group: the last groups go where none is.
        allowed = held == 0 if free <= int((held == 0).sum()) else np.ones(folds, dtype=bool)
        order = np.lexsort((rng.random(folds), -lacking_rows, -want, ~allowed))
        fold = int(order[0])
        chosen[one] = fold
        held[fold] += 1
        lacking[fold] -= positives[one]
        lacking_rows[fold] -= sizes[one]

    while True:
        remaining = (positives[chosen < 0] > 0).sum(axis=0)
        if not remaining.any():
            break
        label = int(np.argmin(np.where(remaining > 0, remaining, n + 1)))
        mine = np.flatnonzero((chosen < 0) & (positives[:, label] > 0))
        for one in mine[np.lexsort((tie[mine], -positives[mine, label]))]:
            assign(int(one), lacking[:, label])
    rest = np.flatnonzero(chosen < 0)
    for one in rest[np.lexsort((tie[rest], -sizes[rest]))]:
        assign(int(one), lacking_rows)
    return chosen


def out_of_fold_logits(
    fit: Fit, X: npt.ArrayLike, Y: npt.ArrayLike, groups: npt.ArrayLike, fold: npt.ArrayLike
) -> Float32:
    """Predict each fold by a head that is fitted to the others.

    Parameters
    ----------
    fit
        Makes the heads.
    X, Y, groups
        ``(n, dim)``, ``(n, n_labels)`` and ``(n,)``.
    fold
        ``(n,)`` from :func:`grouped_folds`.

    Returns
    -------
    ndarray
        ``(n, n_labels)`` float32 logits. NaN where the head of the other folds could not learn
        the label (all its positives lie in the fold): no prediction is worth judging there.
    """
    x, y = check_training_data(X, Y)
    group, part = np.asarray(groups), np.asarray(fold)
    out = np.full(y.shape, np.nan, np.float32)
    for number in np.unique(part):
        held = part == number
        head = fit(x[~held], y[~held], group[~held])
        out[held] = _predicted(head, x[held])
    return out


def choose_l2(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    grid: Sequence[float] = L2_GRID,
    n_folds: int = 3,
    class_weight: ClassWeight = "balanced",
    seed: int = 0,
) -> float:
    """Choose the strength of L2 for :func:`antiphon.heads.linear.fit_linear` by held-out loss.

    The loss is the weighted log-loss that the fit minimises, averaged within each label and then
    over labels, so that common labels do not decide alone. The fits of one fold share their
    factorisation and start from one another.

    Parameters
    ----------
    X, Y, groups
        ``(n, dim)``, ``(n, n_labels)`` and ``(n,)``.
    grid
        Strengths to try.
    n_folds
        Folds, grouped.

    Returns
    -------
    float
        The best of the grid, the stronger of equals; :data:`antiphon.heads.linear.DEFAULT_L2`
        when it cannot be judged: one group only, or no label with positives in two groups.

    Raises
    ------
    UserError
        If the grid is empty or a strength is not above 0.
    """
    x, y = check_training_data(X, Y)
    group = np.asarray(groups)
    strengths = np.sort(np.asarray(grid, dtype=np.float64))[::-1]
    if len(strengths) == 0 or not (strengths > 0).all():
        raise UserError("The grid for l2 must hold numbers above 0.")
    if len(strengths) == 1:
        return float(strengths[0])
    if len(np.unique(group)) < 2:
        return DEFAULT_L2
    cost = entry_weights(y, class_weight).T.astype(np.float64)
    fold = grouped_folds(group, y, n_folds, seed)
    loss = np.zeros((len(strengths), y.shape[1]))
    total = np.zeros(y.shape[1])
    for number in range(int(fold.max()) + 1):
        held = fold == number
        heads = fit_linear_path(
            x[~held], y[~held], strengths.tolist(), class_weight=class_weight, tol=1e-3
        )
        weight = cost[held].copy()
        weight[:, list(heads[0].untrained)] = 0.0
        target = np.nan_to_num(y[held], nan=0.0)
        total += weight.sum(axis=0)
        for i, head in enumerate(heads):
            logit = head.logits(x[held]).astype(np.float64)
            loss[i] += (weight * (np.logaddexp(0.0, logit) - target * logit)).sum(axis=0)
    judged = total > 0
    if not judged.any():
        return DEFAULT_L2
    return float(strengths[np.argmin((loss[:, judged] / total[judged]).mean(axis=1))])


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """Predictions of windows by detectors that saw nothing of their groups.

    Parameters
    ----------
    prob
        ``(n, n_labels)`` float32 calibrated probabilities; NaN where the outer fold's detector
        could not learn the label.
    fold
        ``(n,)`` int64 outer fold of each row.
    threshold
        ``(n, n_labels)`` float32, the threshold that the row's outer fold chose.
    thresholds
        For each outer fold, one for each label.
    not_evaluable
        Column -> why nothing can be said of the label.
    """

    prob: Float32
    fold: Int64
    threshold: Float32
    thresholds: tuple[tuple[Threshold, ...], ...]
    not_evaluable: dict[int, str]


def nested_cross_validation(
    X: npt.ArrayLike,
    Y: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    fit: Fit | None = None,
    tune: Tune | None = None,
    n_folds: int = 5,
    inner_folds: int = 5,
    precision: float = 0.9,
    calibration: Method = "platt",
    seed: int = 0,
) -> CrossValidation:
    """Train, calibrate and choose thresholds inside each outer fold, and predict what was left out.

    Parameters
    ----------
    X, Y, groups
        ``(n, dim)``, ``(n, n_labels)`` and ``(n,)``.
    fit
        Fits a head to rows. Give it or ``tune``.
    tune
        Chooses parameters once on the training part of each outer fold; the fit that it gives
        is used for the inner folds and the final head, which saves tuning in every inner fold.
    n_folds, inner_folds
        Outer folds, and folds of each training part for calibration and thresholds.
    precision
        What the thresholds aim at.
    calibration
        Method of :func:`antiphon.heads.calibration.fit_calibration`.
    seed
        Decides the folds.

    Raises
    ------
    UserError
        If there are fewer than 3 groups (2 for the inner folds and 1 held out), or not exactly
        one of ``fit`` and ``tune`` is given.
    """
    if (fit is None) == (tune is None):
        raise UserError("Give nested_cross_validation either fit or tune.")
    x, y = check_training_data(X, Y)
    group = np.asarray(groups)
    count = len(np.unique(group))
    if count < 3:
        raise UserError(
            f"The labelled windows come from {count} group{'s' if count != 1 else ''} "
            "(recording, site or day); an honest evaluation needs at least 3: one to judge, two "
            "to calibrate. Label windows of more of them, or group by something finer."
        )
    fold = grouped_folds(group, y, n_folds, seed)
    prob = np.full(y.shape, np.nan, np.float32)
    threshold = np.full(y.shape, np.nan, np.float32)
    thresholds = []
    for number in range(int(fold.max()) + 1):
        held = fold == number
        some_x, some_y, some_group = x[~held], y[~held], group[~held]
        fold_fit = tune(some_x, some_y, some_group) if tune is not None else fit
        assert fold_fit is not None
        logits = np.full(some_y.shape, np.nan, np.float32)
        if len(np.unique(some_group)) > 1:
            inner = grouped_folds(some_group, some_y, inner_folds, seed + 1 + number)
            logits = out_of_fold_logits(fold_fit, some_x, some_y, some_group, inner)
        fitted = fit_calibration(logits, some_y, calibration)
        chosen = choose_thresholds(
            fitted.probabilities(logits),
            some_y,
            some_group,
            precision=precision,
            # Only the values are used here, so the intervals need not be good.
            n_resamples=1,
            rng=np.random.default_rng(seed),
        )
        head = fold_fit(some_x, some_y, some_group)
        prob[held] = fitted.probabilities(_predicted(head, x[held]))
        threshold[held] = [t.value for t in chosen]
        thresholds.append(tuple(chosen))
    return CrossValidation(prob, fold, threshold, tuple(thresholds), _unjudged(y, group, prob))


def _predicted(head: Head, x: Float32) -> Float32:
    """Return logits, NaN for labels that the head could not learn."""
    logits = head.logits(x)
    logits[:, list(head.untrained)] = np.nan
    return logits


def _unjudged(y: Float32, group: npt.NDArray[np.generic], prob: Float32) -> dict[int, str]:
    reasons = {}
    for column in range(y.shape[1]):
        positive = y[:, column] == 1.0
        groups = len(np.unique(group[positive]))
        if groups == 0:
            reasons[column] = "there is no positive window"
        elif groups == 1:
            n = int(positive.sum())
            reasons[column] = (
                f"{f'all {n} positive windows lie' if n > 1 else 'the only positive window lies'} "
                "in one group, so a detector cannot be trained on some and judged on others"
            )
        elif not (positive & ~np.isnan(prob[:, column])).any():
            reasons[column] = "all positive windows fell into one fold"
        elif not ((y[:, column] == 0.0) & ~np.isnan(prob[:, column])).any():
            reasons[column] = "no negative window was predicted"
    return reasons
