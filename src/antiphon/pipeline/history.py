"""Labels spent against quality: what was reached so far and what more labels would bring."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.active.forecast.estimate import Estimate
from antiphon.active.forecast.learning_curve import (
    PredictedCurve,
    Reach,
    StopAdvice,
    predict_curve,
    standard_error,
)
from antiphon.errors import UserError
from antiphon.pipeline.effort import spent as time_spent
from antiphon.pipeline.judging import LEVEL
from antiphon.pipeline.report.data import Learning, LearningCurve, Quality
from antiphon.pipeline.report.values import to_json
from antiphon.pipeline.windows import load_windows, targets
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

_EVENT = "evaluation"
_MEASURE = "macro average precision, cross-validated on the labels of the time"
_FEWEST = 3
# Points that agree in these are of one curve.
_SAME = ("table", "group_by", "labels")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What more labels are predicted to bring.

    Parameters
    ----------
    spent, reached
        Labels and macro average precision of each evaluation so far.
    curve
        The prediction.
    reach
        Labels that the wanted quality takes, None if none was asked for.
    effort
        Seconds that labelling up to there takes; None where it cannot be told.
    effort_note
        Where the seconds come from.
    advice
        Whether to stop, None if no gain was asked for.
    """

    spent: tuple[int, ...]
    reached: tuple[float, ...]
    curve: PredictedCurve
    reach: Reach | None
    effort: Estimate | None
    effort_note: str
    advice: StopAdvice | None


def remember(folder: ProjectFolder, table: VectorTable, quality: Quality) -> None:
    """Keep what a cross-validation on all labels of the time reached."""
    if quality.macro_average_precision is None:
        return
    folder.catalogue.add_event(
        _EVENT,
        {
            **_same(table, quality),
            "labels_spent": folder.catalogue.labels_spent(),
            "macro_average_precision": to_json(quality.macro_average_precision),
        },
    )


def learning(folder: ProjectFolder, table: VectorTable, quality: Quality) -> Learning | None:
    """Return the project's curve so far, or None before the second evaluation.

    Points of other embeddings, other groups or other labels are not of the same curve.
    """
    spent, value, low, high = _points(folder, _same(table, quality))
    if len(spent) < 2:
        return None
    curves = [LearningCurve(name="this project", labels=spent, value=value, low=low, high=high)]
    return Learning(tuple(curves), measure=_MEASURE)


def all_curves(folder: ProjectFolder, table: VectorTable) -> list[LearningCurve]:
    """Return the curves of a table, the current one last.

    A curve ends where the labels or the groups change, because the mean over other labels is
    another measure.
    """
    kinds: dict[str, dict[str, object]] = {}
    for event in folder.catalogue.events(_EVENT):
        if event.data.get("table") == table.name and "labels" in event.data:
            same = {name: event.data[name] for name in _SAME}
            key = repr(same)
            # Again at the end, if it is taken up again.
            kinds[key] = kinds.pop(key, same)
    found = []
    for same in kinds.values():
        labels = same["labels"]
        assert isinstance(labels, list)
        spent, value, low, high = _points(folder, same)
        name = f"{len(labels)} label{'s' * (len(labels) != 1)}, by {same['group_by']}"
        found.append(LearningCurve(name=name, labels=spent, value=value, low=low, high=high))
    return found


def forecast(
    folder: ProjectFolder,
    table: VectorTable,
    *,
    target: float | None = None,
    min_gain: float | None = None,
    per_labels: int = 50,
    seed: int = 0,
) -> Forecast:
    """Predict the learning curve from the evaluations so far.

    Parameters
    ----------
    target
        Macro average precision that is wanted.
    min_gain, per_labels
        Stop when the next so many labels are predicted to bring less, even at best.

    Raises
    ------
    UserError
        If there are fewer than three evaluations of the same embeddings, labels and groups after
        different numbers of labels, or a number is out of range.
    """
    events = [event.data for event in folder.catalogue.events(_EVENT)]
    mine = [row for row in events if row.get("table") == table.name and "labels" in row]
    spent = value = low = high = np.empty(0)
    if mine:
        same = {name: mine[-1][name] for name in _SAME}
        spent, value, low, high = _points(folder, same)
    if len(spent) < _FEWEST:
        raise UserError(
            f"A prediction needs {_FEWEST} evaluations after different numbers of labels, with the "
            f"same embeddings, labels and groups; there are {len(spent)}. Run antiphon evaluate "
            "after each round of labelling."
        )
    error = standard_error(low, high, LEVEL)
    known = np.isfinite(error) & (error > 0.0)
    if not known.all():
        error = np.where(known, error, np.median(error[known]) if known.any() else math.nan)
    curve = predict_curve(spent, value, error if known.any() else None, seed=seed)
    reach = None if target is None else curve.labels_to_reach(target)
    effort, note = None, ""
    if reach is not None and math.isfinite(reach.more.value):
        effort, note = _effort(folder, table, math.ceil(reach.more.value))
    return Forecast(
        spent=tuple(int(n) for n in spent),
        reached=tuple(float(v) for v in value),
        curve=curve,
        reach=reach,
        effort=effort,
        effort_note=note,
        advice=None if min_gain is None else curve.should_stop(min_gain, per_labels),
    )


def _effort(folder: ProjectFolder, table: VectorTable, clips: int) -> tuple[Estimate | None, str]:
    """Return the seconds that so many more clips take, by the answers given so far."""
    windows = load_windows(folder, table)
    names = folder.catalogue.label_names()
    said = targets(folder, windows, names)
    rows = ~np.isnan(said).all(axis=1)
    per_clip = float(np.nansum(said[rows] == 1.0, axis=1).mean()) if rows.any() else 1.0
    time = time_spent(folder).time
    if clips == 0:
        return None, ""
    return time.estimate(clips, per_clip), time.note


def _same(table: VectorTable, quality: Quality) -> dict[str, object]:
    return {
        "table": table.name,
        "group_by": quality.group_by,
        "labels": [c.label for c in quality.classes],
    }


def _points(folder: ProjectFolder, same: dict[str, object]) -> tuple[npt.NDArray[np.float64], ...]:
    """Return labels spent, value, low and high; of equal numbers of labels the last counts."""
    events = [event.data for event in folder.catalogue.events(_EVENT)]
    rows = [row for row in events if all(row.get(k) == v for k, v in same.items())]
    latest = {int(row["labels_spent"]): row["macro_average_precision"] for row in rows}
    spent = sorted(latest)
    parts = [
        np.array([latest[n][part] for n in spent], np.float64) for part in ("value", "low", "high")
    ]
    return np.array(spent, np.float64), *parts
