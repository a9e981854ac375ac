"""One pass over many windows: how new and how doubtful each is, and the best of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.geometry.distances import nearest_squared
from antiphon.active.large.best_of_groups import BestOfGroups
from antiphon.active.large.stream import (
    Block,
    Projection,
    VectorSource,
    as_float32,
    check_finite,
    scan_ahead,
)
from antiphon.active.ranking import binary_entropy
from antiphon.errors import UserError

Bool = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# Centres compared at once: with a chunk of rows, a product of at most 8 MB.
_CENTRES = 256
# A cell may fill so many times its equal share of the new and of the doubtful windows.
_CROWDING = 4


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What windows are compared with, in the projected space.

    Parameters
    ----------
    projection
        Into that space.
    covered
        ``(c, d)`` unit vectors that stand for the labelled windows; none before the first label.
    cells
        ``(g, d)``, at least one; a window belongs to the nearest one.
    balance
        ``(n_labels,)`` weights of the labels' entropies, of sum 1.
    floor
        Added to the doubt, so that novelty counts where the detector is sure.
    """

    projection: Projection
    covered: Float32
    cells: Float32
    balance: Float32
    floor: float


@dataclass(frozen=True, slots=True)
class Found:
    """The best rows of a pass, ascending.

    Parameters
    ----------
    novel
        Farthest from the labelled ones.
    doubtful
        Of largest novelty times doubt.
    likely
        Of largest probability for a label.
    """

    novel: Int64
    doubtful: Int64
    likely: Int64


def scan(
    source: VectorSource,
    mask: Bool,
    marks: Landmarks,
    scores: Callable[[Int64, Float32], Float32] | None,
    *,
    novel: int,
    doubtful: int,
    likely: int,
    salt: int,
) -> Found:
    """Look at every wanted row once and keep the best, in memory that does not grow with them.

    Parameters
    ----------
    mask
        ``(n,)`` rows that are wanted.
    scores
        From rows and float32 vectors to probabilities ``(m, n_labels)``; called from several
        threads. None before the first training.
    novel, doubtful
        Rows of largest novelty, and of largest novelty times doubt, to keep; no cell gives more
        than four times its equal share of either.
    likely
        Rows of largest probability to keep, the same number for each label.
    salt
        Orders rows of equal value.

    Raises
    ------
    UserError
        If a vector or a probability is not finite.

    Notes
    -----
    Novelty is the Euclidean distance (0 to 2) to the nearest labelled unit vector; before the
    first label it is the same for all, and rows are spread over the cells. It is multiplied by
    ``floor + doubt``, where doubt is the class-balanced binary entropy in bits (0 to 1).
    """
    cells, labels = len(marks.cells), len(marks.balance)
    new = BestOfGroups(cells, min(-(-_CROWDING * novel // cells), novel), salt)
    unsure = BestOfGroups(cells, min(-(-_CROWDING * doubtful // cells), doubtful), salt)
    positives = BestOfGroups(labels, likely // labels if labels else 0, salt)

    def look(block: Block) -> tuple[Int64, Float32, Float32 | None]:
        return _look(block, marks, scores)

    for rows, (cell, novelty, probability) in scan_ahead(source, mask, look):
        new.offer(cell, rows, novelty)
        if probability is not None:
            doubt = binary_entropy(probability) @ marks.balance
            unsure.offer(cell, rows, novelty * (np.float32(marks.floor) + doubt))
            positives.offer_table(rows, probability)
    return Found(new.rows(novel), unsure.rows(doubtful), positives.rows(likely))


def _look(
    block: Block, marks: Landmarks, scores: Callable[[Int64, Float32], Float32] | None
) -> tuple[Int64, Float32, Float32 | None]:
    """Return cell, novelty and probabilities of a chunk."""
    rows, vectors = block[0], as_float32(block[1])
    points = marks.projection(vectors)
    check_finite(rows, points)
    _, cell = nearest_squared(points, marks.cells)
    novelty = np.ones(len(rows), np.float32)
    if len(marks.covered):
        novelty = np.sqrt(np.maximum(2.0 - 2.0 * _nearest(points, marks.covered), 0.0))
    if scores is None:
        return cell, novelty, None
    return cell, novelty, check_probability(scores(rows, vectors), rows, len(marks.balance))


def _nearest(points: Float32, centres: Float32) -> Float32:
    """Return each point's largest cosine with a centre, ``(n,)``."""
    found = np.full(len(points), -1.0, np.float32)
    for begin in range(0, len(centres), _CENTRES):
        product = points @ centres[begin : begin + _CENTRES].T
        np.maximum(found, product.max(axis=1), out=found)
    return found


def check_probability(probability: npt.NDArray[Any], rows: Int64, labels: int) -> Float32:
    """Return probabilities as float32, ``(len(rows), labels)``.

    Raises
    ------
    UserError
        If they have another shape, are not finite, or lie outside 0 to 1.
    """
    if probability.shape != (len(rows), labels):
        raise UserError(
            f"Probabilities have the shape {probability.shape}; {len(rows)} windows and {labels} "
            "labels need one for each."
        )
    found = np.asarray(probability, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        good = ((found >= 0.0) & (found <= 1.0)).all(axis=1)
    if not good.all():
        raise UserError(
            f"The probabilities of {int((~good).sum())} windows are not within 0 to 1; the first "
            f"is row {rows[~good].min()}."
        )
    return found
