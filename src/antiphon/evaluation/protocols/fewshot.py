"""Few-shot curves: 1, 2, 4, ... training examples a class, the same draws for every encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.metrics.scores import macro_average
from antiphon.evaluation.protocols.inputs import (
    Float32,
    Int64,
    Labelled,
    Pair,
    check_groups,
    check_labels,
    check_sides,
    class_names,
    class_notes,
)
from antiphon.evaluation.protocols.linear import L2_GRID, fit_linear_probe
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes
from antiphon.evaluation.protocols.scoring import group_note
from antiphon.evaluation.ranking import weighted_average_precision
from antiphon.evaluation.resampling import tails

SHOTS = (1, 2, 4, 8, 16, 32)
"""Examples a class."""

DRAWS = 10
"""Independent draws of each."""

# Without validation. With BirdNET embeddings of ESC-10, strengths of 30 to 1,000 differ by no more
# than 0.07 at 1 example and 0.03 at 2 to 16.
_L2 = 300.0
_RESAMPLES = 400


@dataclass(frozen=True, slots=True, eq=False)
class ShotDraws:
    """Which training rows each draw uses; make them once and give them to every encoder.

    Parameters
    ----------
    shots
        Examples a class, ascending.
    rows
        ``rows[draw][i]`` are the training rows of ``shots[i]``, those of fewer shots among them.
    short
        Class -> number of its examples, where that is below the most shots.
    """

    shots: tuple[int, ...]
    rows: tuple[tuple[Int64, ...], ...]
    short: dict[int, int]


def draw_shots(
    labels: npt.ArrayLike,
    shots: Sequence[int] = SHOTS,
    *,
    draws: int = DRAWS,
    groups: npt.ArrayLike | None = None,
    seed: int = 0,
) -> ShotDraws:
    """Draw training rows, ``shots`` for each class.

    Parameters
    ----------
    labels
        ``(n,)`` whole numbers, or ``(n, C)`` of 0 and 1. With several labels a row counts for
        each of its classes, and classes are filled from the rarest on.
    shots
        Examples a class. A class with fewer gives all that it has.
    draws
        Independent draws.
    groups
        ``(n,)``: examples of a class are then taken from as many groups as possible.
    seed
        Decides all draws; embeddings have no say.

    Raises
    ------
    UserError
        If a number is below 1 or there is no label.
    """
    raw = np.asarray(labels)
    y = check_labels(raw, len(raw), "training", None)
    wanted = sorted({int(s) for s in shots})
    if not wanted or wanted[0] < 1 or draws < 1:
        raise UserError("Shots and draws must be at least 1.")
    n_classes = y.shape[1] if y.ndim == 2 else int(y.astype(np.int64).max()) + 1
    side = Labelled(np.empty((len(y), 0), np.float32), y, n_classes)
    member, counts = side.matrix > 0, side.counts
    by = check_groups(groups, len(y), "training")
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(draws):
        order = rng.permutation(len(y))
        if by is not None:
            order = _spread(order, by)
        chosen = np.zeros(len(y), dtype=bool)
        nested = []
        for shot in wanted:
            for label in np.argsort(counts, kind="stable"):
                missing = shot - int((chosen & member[:, label]).sum())
                free = order[member[order, label] & ~chosen[order]]
                chosen[free[: max(0, missing)]] = True
            nested.append(np.flatnonzero(chosen))
        rows.append(tuple(nested))
    short = {int(i): int(c) for i, c in enumerate(counts) if c < wanted[-1]}
    return ShotDraws(tuple(wanted), tuple(rows), short)


def few_shot_curve(
    train_x: npt.ArrayLike,
    train_y: npt.ArrayLike,
    test_x: npt.ArrayLike,
    test_y: npt.ArrayLike,
    *,
    draws: ShotDraws | None = None,
    shots: Sequence[int] = SHOTS,
    validation: Pair | None = None,
    groups: npt.ArrayLike | None = None,
    test_groups: npt.ArrayLike | None = None,
    multilabel: bool | None = None,
    names: Sequence[str] | None = None,
    l2: float | None = None,
    seed: int = 0,
    n_resamples: int = _RESAMPLES,
) -> ProtocolResult:
    """Return the score of a linear probe against the number of training examples a class.

    Parameters
    ----------
    train_x, train_y, test_x, test_y, test_groups, multilabel, names, seed
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`.
    draws
        From :func:`draw_shots`; made from ``shots``, ``groups`` and ``seed`` when None, which
        gives the same draws for the same labels.
    validation
        Chooses the strength of L2 in every fit. It then lends its labels to the curve, so it is
        for comparing encoders with their L2 at its best; without it the strength is fixed.
    l2
        The fixed strength.

    Returns
    -------
    ProtocolResult
        Family ``few_shot``; one measure for each number of shots, ``accuracy@4`` or ``map@4``: the
        mean over draws, its interval from drawing test groups and draws anew together. Details:
        ``shots``, ``values`` ``(shots, draws)``, ``l2``.

    Raises
    ------
    UserError
        If labels or shapes do not fit, or draws name rows that are not there.
    """
    sides = {"training": (train_x, train_y), "test": (test_x, test_y)}
    if validation is not None:
        sides["validation"] = validation
    checked = check_sides(sides, multilabel=multilabel, names=names)
    train, test = checked["training"], checked["test"]
    if draws is None:
        draws = draw_shots(train.labels, shots, groups=groups, seed=seed)
    if max(int(r[-1].max()) for r in draws.rows) >= len(train.x):
        raise UserError("The draws are of a longer training side; make them from these labels.")
    by = check_groups(test_groups, len(test.x), "test")
    group = np.arange(len(test.x)) if by is None else np.unique(by, return_inverse=True)[1]
    rng = np.random.default_rng(seed)
    n_groups = int(group.max()) + 1
    share = np.full(n_groups, 1.0 / n_groups)
    weight = rng.multinomial(n_groups, share, size=n_resamples).astype(np.float32)[:, group]
    again = rng.integers(len(draws.rows), size=(n_resamples, len(draws.rows)))
    name = "map" if test.multilabel else "accuracy"
    measures, values = [], np.empty((len(draws.shots), len(draws.rows)))
    used: list[list[float]] = []
    for i, shot in enumerate(draws.shots):
        drawn = np.empty((len(draws.rows), n_resamples))
        used.append([])
        for j, rows in enumerate(draws.rows):
            fit = fit_linear_probe(
                train.rows(rows[i]),
                validation=checked.get("validation"),
                l2=None if validation is not None and l2 is None else (l2 or _L2),
                grid=L2_GRID,
            )
            used[-1].append(fit.l2)
            scores = fit.head.logits(test.x)
            values[i, j] = _score(scores, test, np.ones((1, len(test.x)), np.float32))[0]
            drawn[j] = _score(scores, test, weight)
        # The same resample of test groups for all draws, and draws drawn anew with it.
        both = np.take_along_axis(drawn.T, again, axis=1)
        means = macro_average(both)
        low = high = float("nan")
        if n_groups > 1 and not np.isnan(means).all():
            low, high = (float(end) for end in np.nanquantile(means, tails(0.95, n_groups)))
        note = f"mean of {len(draws.rows)} draws, drawn anew together with: {group_note(by)}"
        mean = float(values[i].mean())
        measures.append(Measure(f"{name}@{shot}", mean, low, high, len(test.x), note))
    labels = class_names(names, train.n_classes)
    short = ", ".join(f"{labels[c]} ({n})" for c, n in draws.short.items())
    notes = [f"Classes that give fewer examples than the most shots: {short}."] if short else []
    details = {"shots": draws.shots, "values": values, "l2": used}
    return ProtocolResult(
        "few_shot", tuple(measures), details, unique_notes(class_notes(train, test, labels), notes)
    )


def _score(scores: Float32, test: Labelled, weight: Float32) -> npt.NDArray[np.float64]:
    """Return accuracy or mean average precision under row weights ``(b, n)``, ``(b,)``."""
    if test.multilabel:
        return macro_average(weighted_average_precision(scores, test.matrix, weight))
    right = (scores.argmax(axis=1) == test.labels).astype(np.float64)
    share: npt.NDArray[np.float64] = (weight.astype(np.float64) @ right) / weight.sum(axis=1)
    return share


def _spread(order: Int64, groups: npt.NDArray[np.generic]) -> Int64:
    """Return the order with the first row of each group ahead of all second ones, and so on."""
    group = groups[order]
    turn = np.zeros(len(order), np.int64)
    seen: dict[object, int] = {}
    for i, one in enumerate(group.tolist()):
        turn[i] = seen.get(one, 0)
        seen[one] = turn[i] + 1
    return order[np.argsort(turn, kind="stable")]
