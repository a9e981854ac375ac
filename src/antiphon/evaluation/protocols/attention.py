"""Attention pooling probe over frames or tokens: what mean pooling throws away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.protocols.attention_model import (
    BLOCK,
    AttentionModel,
    Float64,
    Frames,
    fit_attention,
)
from antiphon.evaluation.protocols.inputs import (
    Float32,
    Labelled,
    Pair,
    check_groups,
    check_sides,
    class_names,
    class_notes,
)
from antiphon.evaluation.protocols.linear import fit_linear_probe, log_loss
from antiphon.evaluation.protocols.pooling import masked_mean
from antiphon.evaluation.protocols.result import ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import RESAMPLES, score_side
from antiphon.heads.base import standardisation
from antiphon.heads.linear import LinearHead
from antiphon.threads import few_threads

L2_GRID = (1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)
"""Strengths tried, strongest first."""

# Strengths in a row without a better validation loss that end the search.
_PATIENCE = 2


def attention_probe(
    train: tuple[npt.ArrayLike, npt.ArrayLike],
    train_y: npt.ArrayLike,
    test: tuple[npt.ArrayLike, npt.ArrayLike],
    test_y: npt.ArrayLike,
    *,
    validation: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike],
    test_groups: npt.ArrayLike | None = None,
    multilabel: bool | None = None,
    names: Sequence[str] | None = None,
    heads: int = 1,
    grid: Sequence[float] = L2_GRID,
    max_iter: int = 100,
    seed: int = 0,
    n_resamples: int = RESAMPLES,
) -> ProtocolResult:
    """Fit learned queries that weigh frames, with a linear classifier on what they pool.

    The fit starts at the linear probe on mean-pooled frames (queries near 0 weigh all valid frames
    alike), so it shows what attention adds to the mean. L2 is chosen on validation along a path
    from strong to weak, each fit from the one before; the mean-pooled probe is itself a candidate.

    Parameters
    ----------
    train, test
        Frames ``(n, T, dim)`` and their validity: a share ``(n,)`` or a mask ``(n, T)``.
    validation
        Frames, validity and labels that choose the strength.
    train_y, test_y, test_groups, multilabel, names, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`.
    heads
        Queries; their pooled vectors enter the classifier together.
    grid
        Strengths of L2.
    max_iter
        Iterations of each fit.

    Returns
    -------
    ProtocolResult
        Family ``attention``; measures as in the linear probe. Details: ``l2`` (None where the mean
        won), ``validation_curve``, ``per_class``, ``scores``, ``attention`` ``(n, H, T)`` of the
        test side.
    """
    if heads < 1:
        raise UserError(f"The attention probe needs at least 1 query, but got {heads}.")
    frames = {"training": Frames.of(*train), "test": Frames.of(*test)}
    frames["validation"] = Frames.of(validation[0], validation[1])
    labels = {"training": train_y, "test": test_y, "validation": validation[2]}
    pooled: dict[str, Pair] = {
        side: (masked_mean(f.values, f.mask), labels[side]) for side, f in frames.items()
    }
    sides = check_sides(pooled, multilabel=multilabel, names=names)
    learn, judge = sides["training"], sides["validation"]
    every = frames["training"].values[frames["training"].mask]
    mean, scale = standardisation(every)
    frames = {side: f.standardised(mean, scale) for side, f in frames.items()}
    linear = fit_linear_probe(learn, validation=judge, seed=seed)
    model = _start(linear.head, mean, scale, heads, seed)
    learnt = np.ones(learn.n_classes, dtype=bool)
    learnt[list(linear.head.untrained)] = False
    curve: dict[float, float] = {}
    best: tuple[float, float | None, AttentionModel] = (
        _loss(model, frames["validation"], judge, learnt),
        None,
        model,
    )
    since, mean_loss = 0, best[0]
    with few_threads(BLOCK):
        for strength in sorted({float(s) for s in grid}, reverse=True):
            model = fit_attention(
                frames["training"], learn, strength, start=model, max_iter=max_iter
            )
            curve[strength] = _loss(model, frames["validation"], judge, learnt)
            if curve[strength] < best[0]:
                best, since = (curve[strength], strength, model), 0
            else:
                since += 1
                if since == _PATIENCE and best[1] is not None:
                    break
        scores = best[2].logits(frames["test"])
    by = check_groups(test_groups, len(scores), "test")
    measures, details = score_side(scores, sides["test"], by, seed, n_resamples)
    details |= {
        "l2": best[1],
        "validation_curve": curve,
        "mean_pooled_validation_loss": mean_loss,
        "scores": scores,
        "attention": best[2].attention(frames["test"]),
    }
    notes = class_notes(learn, sides["test"], class_names(names, learn.n_classes))
    plain = "" if best[1] is not None else "On validation, attention was no better than the mean."
    return ProtocolResult("attention", measures, details, unique_notes(notes, [plain]))


def _start(
    linear: LinearHead, mean: Float32, scale: Float32, heads: int, seed: int
) -> AttentionModel:
    """Return a linear head of pooled frames as a model of frames ``(x - mean) / scale``."""
    raw: Float64 = linear.weight.astype(np.float64) / linear.scale
    bias = linear.bias + raw @ (mean.astype(np.float64) - linear.mean)
    weight = np.repeat((raw * scale)[None] / heads, heads, axis=0)
    # Queries of 0 would pool alike and stay alike; these are far too small to matter at the start.
    query = 0.01 * np.random.default_rng(seed).standard_normal((heads, len(mean)))
    return AttentionModel(query, weight, bias)


def _loss(
    model: AttentionModel, frames: Frames, side: Labelled, learnt: npt.NDArray[np.bool_]
) -> float:
    total, n = log_loss(model.logits(frames), side, learnt)
    return total / max(n, 1)
