"""Checked embeddings and labels of one side of a split, and what classes lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

FEW = 5
"""Examples of a class below which a protocol names it."""

MOST_CLASSES = 100_000
"""Labels from here on are taken for identifiers, not for numbers of classes."""

Pair = tuple[npt.ArrayLike, npt.ArrayLike]
"""Embeddings and labels of a side."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Embeddings with labels.

    Parameters
    ----------
    x
        ``(n, dim)`` float32.
    labels
        ``(n,)`` int64 class of each item, or ``(n, C)`` float32 with 0 and 1.
    n_classes
        Number of classes, also of those that do not occur here.
    """

    x: Float32
    labels: npt.NDArray[np.generic]
    n_classes: int

    @property
    def multilabel(self) -> bool:
        """Whether an item may have several labels."""
        return self.labels.ndim == 2

    @property
    def matrix(self) -> Float32:
        """Labels as ``(n, C)`` float32 with 0 and 1."""
        if self.multilabel:
            return self.labels.astype(np.float32)
        return one_hot(self.labels.astype(np.int64), self.n_classes)

    @property
    def counts(self) -> Int64:
        """Items of each class, ``(C,)``."""
        if self.multilabel:
            return np.asarray(self.labels.astype(np.float64).sum(axis=0)).astype(np.int64)
        return np.bincount(self.labels.astype(np.int64), minlength=self.n_classes).astype(np.int64)

    def rows(self, chosen: npt.NDArray[np.generic]) -> Labelled:
        """Return some of the items."""
        return Labelled(self.x[chosen], self.labels[chosen], self.n_classes)


def one_hot(labels: Int64, n_classes: int) -> Float32:
    """Return ``(n, n_classes)`` float32 with a 1 in the column of each label."""
    out = np.zeros((len(labels), n_classes), np.float32)
    out[np.arange(len(labels)), labels] = 1.0
    return out


def check_embeddings(x: npt.ArrayLike, side: str) -> Float32:
    """Return ``(n, dim)`` float32.

    Raises
    ------
    UserError
        If the shape does not fit, there is no row, or a value is not finite; it names the row.
    """
    array: Float32 = np.ascontiguousarray(x, dtype=np.float32)
    if array.ndim != 2 or 0 in array.shape:
        raise UserError(
            f"The {side} embeddings must be (items, dim) with at least one of each, but their "
            f"shape is {array.shape}. Pool frames first, for instance by pooling.masked_mean."
        )
    bad = np.flatnonzero(~np.isfinite(array.sum(axis=1, dtype=np.float64)))
    if len(bad):
        raise UserError(
            f"{len(bad)} {side} embeddings hold NaN or infinity; the first is row {bad[0]}. Embed "
            "those recordings again."
        )
    return array


def check_labels(
    y: npt.ArrayLike, n: int, side: str, multilabel: bool | None
) -> npt.NDArray[np.generic]:
    """Return ``(n,)`` int64 or ``(n, C)`` float32 with 0 and 1.

    Raises
    ------
    UserError
        If the shape does not fit, a class is negative or no whole number, or an entry of a
        multi-label matrix is not 0 or 1 (NaN included); it names the row.
    """
    labels = np.asarray(y)
    several = labels.ndim == 2 if multilabel is None else multilabel
    wanted = f"({n}, classes) with 0 and 1" if several else f"({n},) whole numbers from 0"
    if labels.ndim != (2 if several else 1) or len(labels) != n or labels.dtype.kind not in "biuf":
        raise UserError(
            f"The {side} labels must be {wanted}, but they are {labels.dtype} of shape "
            f"{labels.shape}."
        )
    if several:
        odd = ~((labels == 0) | (labels == 1))
        if odd.any():
            row, column = np.argwhere(odd)[0]
            raise UserError(
                f"Label {column} of {side} row {row} is {labels[row, column]}; it must be 0 or 1. "
                "Leave out rows whose labels are not known."
            )
        return labels.astype(np.float32)
    odd = ~((labels >= 0) & (labels == np.floor(labels)))
    if odd.any():
        row = int(np.flatnonzero(odd)[0])
        raise UserError(f"The label of {side} row {row} is {labels[row]}; it must be {wanted}.")
    far = labels >= MOST_CLASSES
    if far.any():
        row = int(np.flatnonzero(far)[0])
        raise UserError(
            f"The label of {side} row {row} is {labels[row]}. Labels are numbers of classes: count "
            f"the classes from 0, at most {MOST_CLASSES:,} of them."
        )
    return labels.astype(np.int64)


def check_sides(
    sides: dict[str, Pair], *, multilabel: bool | None = None, names: Sequence[str] | None = None
) -> dict[str, Labelled]:
    """Return the sides of a split, with one length of embeddings and one set of classes.

    Parameters
    ----------
    sides
        Name (``training``, ``validation``, ``test``) -> embeddings and labels.
    multilabel
        What the labels must be; None reads it from their shape.
    names
        Class names, which then say how many classes there are.

    Raises
    ------
    UserError
        If a side is not as described, or sides do not fit each other.
    """
    found: dict[str, tuple[Float32, npt.NDArray[np.generic]]] = {}
    for side, (x, y) in sides.items():
        array = check_embeddings(x, side)
        found[side] = (array, check_labels(y, len(array), side, multilabel))
    first = next(iter(found))
    n_classes = len(names) if names is not None else 0
    for side, (x, y) in found.items():
        if x.shape[1] != found[first][0].shape[1]:
            raise UserError(
                f"The {side} embeddings have the length {x.shape[1]}, the {first} ones "
                f"{found[first][0].shape[1]}. Use one encoder for both."
            )
        if y.ndim != found[first][1].ndim or y.shape[1:] != found[first][1].shape[1:]:
            raise UserError(
                f"The {side} labels have the shape {y.shape}, the {first} ones "
                f"{found[first][1].shape}."
            )
        most = y.shape[1] if y.ndim == 2 else int(y.astype(np.int64).max()) + 1
        if names is not None and most > len(names):
            raise UserError(
                f"The {side} labels need {most} classes, but there are {len(names)} class names."
            )
        n_classes = max(n_classes, most)
    return {side: Labelled(x, y, n_classes) for side, (x, y) in found.items()}


def class_names(names: Sequence[str] | None, n_classes: int) -> tuple[str, ...]:
    """Return the names, or ``class 0``, ``class 1`` and so on."""
    return tuple(names) if names is not None else tuple(f"class {i}" for i in range(n_classes))


def class_notes(train: Labelled, test: Labelled, names: Sequence[str]) -> tuple[str, ...]:
    """Say which classes cannot be learnt or judged, or rest on few examples."""
    learnt, judged = train.counts, test.counts
    notes = []

    def listed(chosen: npt.NDArray[np.bool_], counts: Int64 | None = None) -> str:
        return ", ".join(
            names[i] + (f" ({counts[i]})" if counts is not None else "")
            for i in np.flatnonzero(chosen).tolist()
        )

    lost = (learnt == 0) & (judged > 0)
    if lost.any():
        rule = "they stay in the average" if train.multilabel else "their test items count as wrong"
        notes.append(f"Classes without a training example ({rule}): {listed(lost)}.")
    few = (learnt > 0) & (learnt < FEW)
    if few.any():
        notes.append(f"Classes with fewer than {FEW} training examples: {listed(few, learnt)}.")
    absent = judged == 0
    if absent.any():
        notes.append(f"Classes without a test example, so not judged: {listed(absent)}.")
    few = (judged > 0) & (judged < FEW)
    if few.any():
        notes.append(f"Classes with fewer than {FEW} test examples: {listed(few, judged)}.")
    if train.multilabel:
        everywhere = (learnt == len(train.x)) & (learnt > 0)
        if everywhere.any():
            notes.append(f"Classes without a negative training example: {listed(everywhere)}.")
    return tuple(notes)


def check_groups(groups: npt.ArrayLike | None, n: int, side: str) -> npt.NDArray[np.generic] | None:
    """Return ``(n,)`` groups, or None.

    Raises
    ------
    UserError
        If there is not one group for each item.
    """
    if groups is None:
        return None
    given = np.asarray(groups)
    if given.shape != (n,):
        raise UserError(
            f"There must be one group for each of the {n} {side} items, got {given.shape}."
        )
    return given
