"""Linear probe on frozen embeddings, solved directly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt

from antiphon.evaluation.protocols.inputs import (
    Pair,
    check_groups,
    check_sides,
    class_names,
    class_notes,
)
from antiphon.evaluation.protocols.linear import L2_GRID, fit_linear_probe
from antiphon.evaluation.protocols.result import ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import RESAMPLES, score_side


def linear_probe(
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
    l2: float | None = None,
    grid: Sequence[float] = L2_GRID,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Fit a linear classifier to the training side and score it on the test side.

    It has the parameters of the published probe, Linear(dim, classes) under cross-entropy, but
    their optimum under an L2 chosen on validation, in place of the best of 900 epochs of AdamW
    (:func:`antiphon.training.probe_recipe.adamw_probe`).

    Parameters
    ----------
    train_x, test_x
        ``(n, dim)`` embeddings.
    train_y, test_y
        ``(n,)`` whole numbers from 0 (one label per item: softmax), or ``(n, C)`` of 0 and 1
        (several: one-vs-rest).
    validation
        Embeddings and labels that choose the strength of L2. Without it, folds of the training
        side choose. The test side never does.
    groups
        ``(n,)`` recording, site or day of each training item, for those folds.
    test_groups
        ``(n,)`` of the test items, for the intervals.
    multilabel
        What the labels must be; None reads it from their shape.
    names
        Class names for the notes.
    l2, grid
        A fixed strength, or those to choose from.
    seed
        Of folds and bootstrap.

    Returns
    -------
    ProtocolResult
        Family ``probe``: ``accuracy`` and ``balanced_accuracy``, or ``map`` and ``map_all``
        (:func:`antiphon.evaluation.protocols.scoring.score_side`). Details: ``l2``,
        ``validation_curve``, ``chosen_on``, ``per_class``, ``scores`` ``(n, C)``.

    Raises
    ------
    UserError
        If shapes do not fit or a label or embedding is not valid; the message names the row.
    """
    sides = {"training": (train_x, train_y), "test": (test_x, test_y)}
    if validation is not None:
        sides["validation"] = validation
    checked = check_sides(sides, multilabel=multilabel, names=names)
    train, test = checked["training"], checked["test"]
    fit = fit_linear_probe(
        train,
        validation=checked.get("validation"),
        groups=check_groups(groups, len(train.x), "training"),
        l2=l2,
        grid=grid,
        seed=seed,
    )
    scores = fit.head.logits(test.x)
    by = check_groups(test_groups, len(test.x), "test")
    measures, details = score_side(scores, test, by, seed, n_resamples)
    details |= {
        "l2": fit.l2,
        "chosen_on": fit.chosen_on,
        "validation_curve": fit.curve,
        "scores": scores,
    }
    notes = class_notes(train, test, class_names(names, train.n_classes))
    return ProtocolResult("probe", measures, details, unique_notes(notes, fit.notes))
