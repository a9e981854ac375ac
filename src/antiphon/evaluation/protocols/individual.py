"""Individual identification across days or years: trained on some, judged on others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.protocols.inputs import check_groups, class_names
from antiphon.evaluation.protocols.probe import linear_probe
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes


def individual_id(
    train_x: npt.ArrayLike,
    train_y: npt.ArrayLike,
    train_days: npt.ArrayLike,
    test_x: npt.ArrayLike,
    test_y: npt.ArrayLike,
    test_days: npt.ArrayLike,
    *,
    validation: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    l2: float | None = None,
    seed: int = 0,
    **options: Any,
) -> ProtocolResult:
    """Tell individuals apart on days (or years) that the classifier has not seen.

    Calls of one day share weather, microphone and background, by which individuals could be told
    apart without being known. So no day may be on two sides: the protocol refuses such a split.

    Parameters
    ----------
    train_x, train_y, test_x, test_y
        As in :func:`antiphon.evaluation.protocols.probe.linear_probe`, one individual per item.
    train_days, test_days
        ``(n,)`` day or year of each item. They also are the groups of folds and intervals.
    validation
        Embeddings, individuals and days, of further days.
    names
        Individuals.
    l2
        A fixed strength; chosen otherwise, by days.
    **options
        Further ones of the linear probe.

    Returns
    -------
    ProtocolResult
        Family ``individual``: ``accuracy``, ``balanced_accuracy``, and ``largest_class``, the
        accuracy of always naming the individual with the most training items.

    Raises
    ------
    UserError
        If a day is on two sides; the message names the days.
    """
    sides = {"training": train_days, "test": test_days}
    if validation is not None:
        sides["validation"] = validation[2]
    given = {"training": train_x, "test": test_x}
    if validation is not None:
        given["validation"] = validation[0]
    days: dict[str, npt.NDArray[np.generic]] = {}
    for side, values in sides.items():
        found = check_groups(values, len(np.asarray(given[side])), side)
        assert found is not None
        days[side] = found
    refuse_shared_days(days)
    result = linear_probe(
        train_x,
        train_y,
        test_x,
        test_y,
        validation=None if validation is None else validation[:2],
        groups=days["training"],
        test_groups=days["test"],
        multilabel=False,
        names=names,
        l2=l2,
        seed=seed,
        **options,
    )
    learnt, judged = np.asarray(train_y, np.int64), np.asarray(test_y, np.int64)
    counts = np.bincount(learnt)
    common = int(counts.argmax())
    label = class_names(names, len(counts))[common]
    chance = Measure.bare(
        "largest_class", float((judged == common).mean()), len(judged), f"always {label}"
    )
    learnt_days, judged_days = (len(np.unique(days[side])) for side in ("training", "test"))
    notes = [f"{learnt_days} training days, {judged_days} test days, none shared."]
    return ProtocolResult(
        "individual",
        (*result.measures, chance),
        result.details,
        unique_notes(notes, result.notes),
    )


def refuse_shared_days(days: dict[str, npt.NDArray[np.generic]]) -> None:
    """Raise :class:`~antiphon.errors.UserError` if a day is on two sides.

    Parameters
    ----------
    days
        Side -> ``(n,)`` days of its items.
    """
    sides = list(days)
    for i, first in enumerate(sides):
        for second in sides[i + 1 :]:
            shared = sorted({str(d) for d in days[first]} & {str(d) for d in days[second]})
            if shared:
                listed = ", ".join(shared[:5]) + (", ..." if len(shared) > 5 else "")
                raise UserError(
                    f"{len(shared)} day{'s are' if len(shared) > 1 else ' is'} on the {first} and "
                    f"the {second} side: {listed}. Individuals could then be told apart by the "
                    "day. Split by day or year."
                )
