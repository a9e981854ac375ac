"""Metrics of one predicted label for each item: accuracy, confusion table, F1, top-k accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Counts of true against predicted labels, and what follows from them.

    Parameters
    ----------
    classes
        ``(c,)`` labels in the order of the table.
    count
        ``(c, c)``: rows are true labels, columns predicted ones.
    """

    classes: npt.NDArray[np.generic]
    count: Int64

    @property
    def accuracy(self) -> float:
        """Share of items with the right label; NaN without items."""
        return _share(np.trace(self.count), self.count.sum())

    @property
    def precision(self) -> Float64:
        """Right predictions over all predictions of each class, NaN without predictions."""
        return _ratio(np.diag(self.count), self.count.sum(axis=0))

    @property
    def recall(self) -> Float64:
        """Right predictions over all items of each class, NaN for classes without items."""
        return _ratio(np.diag(self.count), self.count.sum(axis=1))

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over classes that have items (Brodersen et al. 2010)."""
        recall = self.recall
        there = ~np.isnan(recall)
        return float(recall[there].mean()) if there.any() else float("nan")

    @property
    def f1(self) -> Float64:
        """F1 of each class; NaN for a class that is neither true nor predicted anywhere."""
        return _ratio(2 * np.diag(self.count), self.count.sum(axis=0) + self.count.sum(axis=1))

    @property
    def macro_f1(self) -> float:
        """Mean F1 over classes that are true or predicted somewhere, as scikit-learn has it."""
        f1 = self.f1
        there = ~np.isnan(f1)
        return float(f1[there].mean()) if there.any() else float("nan")

    @property
    def micro_f1(self) -> float:
        """F1 of all items together, which equals the accuracy of single labels."""
        return self.accuracy


def confusion_table(
    true: npt.ArrayLike, predicted: npt.ArrayLike, classes: Sequence[object] | None = None
) -> Confusion:
    """Count how often each label was predicted for each true one.

    Parameters
    ----------
    true, predicted
        ``(n,)`` integers or names.
    classes
        Order of the table; the sorted labels of both when None.

    Raises
    ------
    UserError
        If lengths differ, a label is NaN, or an item has a label that is not in ``classes``.
    """
    t, p = _vector(true, "true"), _vector(predicted, "predicted")
    if len(t) != len(p):
        raise UserError(f"There are {len(t)} true labels, but {len(p)} predicted ones.")
    names = np.unique(np.concatenate([t, p])) if classes is None else np.asarray(classes)
    if len(np.unique(names)) != len(names):
        raise UserError("A class is given twice; each class is one row of the table.")
    rows, columns = _codes(t, names, "true"), _codes(p, names, "predicted")
    count = np.bincount(rows * len(names) + columns, minlength=len(names) ** 2)
    return Confusion(names, count.reshape(len(names), len(names)).astype(np.int64))


def accuracy(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of items with the right label, NaN without items."""
    return confusion_table(true, predicted).accuracy


def balanced_accuracy(true: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the mean recall over classes that have items."""
    return confusion_table(true, predicted).balanced_accuracy


def top_k_accuracy(true: npt.ArrayLike, score: npt.ArrayLike, k: int = 1) -> float:
    """Return the share of items whose true class is among the k highest scores.

    Parameters
    ----------
    true
        ``(n,)`` column of the true class.
    score
        ``(n, n_classes)``.
    k
        Classes that may be named.

    Notes
    -----
    Of classes tied at rank k as many are named as there is room, each order being as likely, so
    an item whose true class is among them counts by its chance. Constant scores reach
    ``k / n_classes``, whatever class comes first.

    Raises
    ------
    UserError
        If shapes do not fit, a score is NaN or infinite, a class is no column, or k is below 1.
    """
    t, s = np.asarray(_vector(true, "true")), np.asarray(score)
    if s.ndim != 2 or len(s) != len(t):
        raise UserError(
            f"Scores must be (n, n_classes) for {len(t)} true labels, but have the shape {s.shape}."
        )
    if k < 1:
        raise UserError(f"k must be at least 1, but is {k}.")
    if len(t) == 0:
        return float("nan")
    if t.dtype.kind not in "iu":
        raise UserError("Top-k accuracy takes the number of the true class's column.")
    t = t.astype(np.int64)
    if t.min() < 0 or t.max() >= s.shape[1]:
        row = int(np.flatnonzero((t < 0) | (t >= s.shape[1]))[0])
        raise UserError(f"Row {row} has class {t[row]}, but there are {s.shape[1]} columns.")
    if not np.isfinite(s).all():
        row, column = np.argwhere(~np.isfinite(s))[0]
        raise UserError(f"The score of row {row}, class {column} is {s[row, column]}.")
    own = s[np.arange(len(t)), t][:, None]
    over, tied = (s > own).sum(axis=1), (s == own).sum(axis=1)
    return float(np.clip((k - over) / tied, 0.0, 1.0).mean())


def _vector(labels: npt.ArrayLike, what: str) -> npt.NDArray[np.generic]:
    array = np.asarray(labels)
    if array.ndim != 1:
        raise UserError(f"The {what} labels must be (n,), but have the shape {array.shape}.")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise UserError(f"The {what} label of row {np.flatnonzero(np.isnan(array))[0]} is NaN.")
    return array


def _codes(
    labels: npt.NDArray[np.generic], classes: npt.NDArray[np.generic], what: str
) -> npt.NDArray[np.intp]:
    if len(labels) == 0:
        return np.zeros(0, np.intp)
    order = np.argsort(classes)
    place = np.minimum(np.searchsorted(classes, labels, sorter=order), len(classes) - 1)
    codes = order[place] if len(classes) else place
    unknown = np.flatnonzero(classes[codes] != labels) if len(classes) else np.arange(len(labels))
    if len(unknown):
        raise UserError(
            f"The {what} label {labels[unknown[0]]!s} of row {unknown[0]} is not among the classes."
        )
    return codes


def _ratio(part: Int64, whole: Int64) -> Float64:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part / np.where(whole, whole, np.nan), dtype=np.float64)


def _share(part: int, whole: int) -> float:
    return float(part) / float(whole) if whole else float("nan")
