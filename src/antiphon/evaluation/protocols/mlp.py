"""Probe with one hidden layer, stopped and sized on validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.protocols.inputs import (
    Pair,
    check_groups,
    check_sides,
    class_names,
    class_notes,
)
from antiphon.evaluation.protocols.result import ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import RESAMPLES, score_side, validation_score
from antiphon.heads.mlp import MLPHead, fit_mlp


def mlp_probe(
    train_x: npt.ArrayLike,
    train_y: npt.ArrayLike,
    test_x: npt.ArrayLike,
    test_y: npt.ArrayLike,
    *,
    validation: Pair | None = None,
    groups: npt.ArrayLike | None = None,
    test_groups: npt.ArrayLike | None = None,
    multilabel: bool | None = None,
    names: Sequence[str] | None = None,
    hidden: Sequence[int] = (128,),
    epochs: int = 100,
    patience: int = 10,
    learning_rate: float = 1e-3,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Fit :func:`antiphon.heads.mlp.fit_mlp` to the training side and score it on the test side.

    Every class is trained one against the rest by binary cross-entropy, unweighted, also where an
    item has one label; the largest score is then the prediction.

    Parameters
    ----------
    train_x, train_y, test_x, test_y, validation, groups, test_groups, multilabel, names, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`. Validation ends the
        training and chooses the size. Without it, whole groups with about a fifth of the training
        items are set aside for both.
    hidden
        Sizes of the hidden layer to choose from, by accuracy or mean average precision; the
        smaller of equals.
    epochs, patience, learning_rate
        Of the training.

    Returns
    -------
    ProtocolResult
        Family ``mlp``; measures as in the linear probe. Details: ``hidden``, ``epochs``,
        ``validation_curve``, ``per_class``, ``scores``.
    """
    sides = {"training": (train_x, train_y), "test": (test_x, test_y)}
    if validation is not None:
        sides["validation"] = validation
    checked = check_sides(sides, multilabel=multilabel, names=names)
    train, test = checked["training"], checked["test"]
    sizes = sorted({int(size) for size in hidden})
    if not sizes:
        raise UserError("Give at least one size of the hidden layer.")
    x, y = train.x, train.matrix
    if validation is not None:
        judge = checked["validation"]
        x, y = np.concatenate([x, judge.x]), np.concatenate([y, judge.matrix])
        held = np.arange(len(x)) >= len(train.x)
    else:
        by = check_groups(groups, len(x), "training")
        held = _set_aside(np.arange(len(x)) if by is None else by, seed)
        judge = train.rows(held)
    curve: dict[int, float] = {}
    heads: dict[int, MLPHead] = {}
    for size in sizes:
        heads[size] = fit_mlp(
            x,
            y,
            hidden=size,
            class_weight=None,
            validation=held,
            epochs=epochs,
            patience=patience,
            learning_rate=learning_rate,
            seed=seed,
        )
        curve[size] = validation_score(heads[size].logits(judge.x), judge)
    size = max(curve, key=lambda tried: (curve[tried], -tried))
    scores = heads[size].logits(test.x)
    measures, details = score_side(
        scores, test, check_groups(test_groups, len(test.x), "test"), seed, n_resamples
    )
    details |= {
        "hidden": size,
        "epochs": heads[size].epochs,
        "validation_curve": curve,
        "scores": scores,
    }
    notes = class_notes(train, test, class_names(names, train.n_classes))
    aside = "" if validation is not None else f"{int(held.sum())} training items were set aside."
    return ProtocolResult("mlp", measures, details, unique_notes(notes, [aside]))


def _set_aside(groups: npt.NDArray[np.generic], seed: int) -> npt.NDArray[np.bool_]:
    """Return about a fifth of the rows, in whole groups, at least one and not all."""
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise UserError(
            "The training side is one group, so nothing can be set aside to stop the training. "
            "Give a validation side."
        )
    order = np.random.default_rng(seed).permutation(len(names))
    size = np.bincount(group)[order]
    count = 1 + int(np.searchsorted(np.cumsum(size), 0.2 * len(groups)))
    held: npt.NDArray[np.bool_] = np.isin(group, order[: min(count, len(names) - 1)])
    return held
