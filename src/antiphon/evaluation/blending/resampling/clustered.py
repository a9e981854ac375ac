"""Standard errors of AUCs when windows of a file are alike (clustered data)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.resampling.counts import Wins, class_auc, margins

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StandardError:
    """Standard errors with files as clusters.

    Parameters
    ----------
    by_class
        ``(C,)`` of each class's AUC, or of its difference; NaN ("not estimable") where the
        positives, or the negatives, lie in fewer than two files.
    macro
        Of the mean over classes with an AUC; NaN below two files. Classes in a single file take
        part with what that file tells, which understates their share.
    """

    by_class: Float64
    macro: float


def standard_error(wins: Wins, other: Wins | None = None) -> StandardError:
    """Return the clustered standard error of the AUCs, or of their differences.

    Obuchowski (1997), *Nonparametric analysis of clustered ROC curve data*, Biometrics 53,
    equations 3 to 5: with X the share of negatives that a positive beats and Y the share of
    positives that beat a negative, summed inside each file,

        var = S10 / m + S01 / n + 2 S11 / (m n)

    over m positives and n negatives. The difference of two models on the same rows has the
    variance var(a) + var(b) - 2 cov(a, b), which is the same formula on the differences of X and
    Y. For the mean over classes, the contributions of a file to all classes are averaged first and
    the correction is F / (F - 1) with F files; that step is not in the paper.

    Parameters
    ----------
    other
        Wins of a second model on the same rows, for the error of ``wins - other``.

    Raises
    ------
    UserError
        If the two are not of the same rows.
    """
    x, y = contributions(wins)
    if other is not None:
        check_same_rows(wins, other)
        x_other, y_other = contributions(other)
        x, y = x - x_other, y - y_other
    with_positives = (wins.positives > 0).sum(axis=1)
    with_negatives = (wins.negatives > 0).sum(axis=1)
    files = int(((wins.positives[0] + wins.negatives[0]) > 0).sum()) if wins.n_classes else 0
    variance = (
        _correction(with_positives) * (x**2).sum(axis=1)
        + _correction(with_negatives) * (y**2).sum(axis=1)
        + 2.0 * _correction(np.array(files)) * (x * y).sum(axis=1)
    )
    scored = ~np.isnan(x[:, 0]) if wins.n_files else np.zeros(wins.n_classes, dtype=bool)
    macro = float("nan")
    if scored.any() and files > 1:
        mean = (x + y)[scored].mean(axis=0)
        macro = float(np.sqrt(files / (files - 1) * (mean**2).sum()))
    # The three terms need not sum to a positive number for few files.
    return StandardError(np.sqrt(np.maximum(variance, 0.0)), macro)


def contributions(wins: Wins) -> tuple[Float64, Float64]:
    """Return each file's share in the error of each AUC, by its positives and by its negatives.

    Returns
    -------
    x, y
        ``(C, F)`` each: (sum of X in the file - positives there x AUC) / m, and likewise for Y;
        NaN for classes without an AUC. Both sum to 0 over files.
    """
    area = class_auc(wins)
    m, n = wins.positives.sum(axis=1), wins.negatives.sum(axis=1)
    by_positive, by_negative, _ = margins(wins)
    pairs = np.where(np.isnan(area), np.nan, 2.0 * m * n)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        x = by_positive / pairs - area[:, None] * wins.positives / m[:, None]
        y = by_negative / pairs - area[:, None] * wins.negatives / n[:, None]
    return x, y


def check_same_rows(a: Wins, b: Wins) -> None:
    """Raise :class:`~antiphon.errors.UserError` unless both are of the same rows and truth."""
    if not (np.array_equal(a.positives, b.positives) and np.array_equal(a.negatives, b.negatives)):
        raise UserError("The wins of the two models are not of the same rows, files and truth.")


def _correction(clusters: npt.NDArray[np.integer]) -> Float64:
    """Return I / (I - 1), NaN below two clusters."""
    count = clusters.astype(np.float64)
    return np.asarray(np.where(count > 1, count / np.maximum(count - 1.0, 1.0), np.nan))
