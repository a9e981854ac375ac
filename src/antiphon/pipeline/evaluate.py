"""Honest numbers: nested, grouped cross-validation, and labels the detector never saw."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.engine.progress import Reporter, Silent
from antiphon.evaluation.crossval import nested_cross_validation
from antiphon.heads.detector import Detector
from antiphon.pipeline.detectors import find_detector
from antiphon.pipeline.files import replace_file
from antiphon.pipeline.judging import judge
from antiphon.pipeline.report.data import Estimate, Quality
from antiphon.pipeline.train import TrainingSet, training_set, tuner
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


def evaluate(
    folder: ProjectFolder,
    table: VectorTable,
    *,
    head: str = "linear",
    group_by: str | None = None,
    precision: float | None = None,
    folds: int = 5,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> list[Quality]:
    """Measure how good a detector trained on the project's labels is on other recordings.

    Twice, where both can be done: by nested cross-validation, in which each fold's L2,
    calibration and thresholds come from the other folds alone; and for the current detector on
    labelled windows of groups that it was not trained on.

    Returns
    -------
    list of Quality
        One or two evaluations; also written to ``reports/evaluation.json``.

    Raises
    ------
    UserError
        If there are no labels, or labels of one group only.
    """
    reporter = reporter or Silent()
    group_by = group_by or folder.config.train.group_by
    precision = folder.config.train.precision if precision is None else precision
    data = training_set(folder, table, group_by=group_by)
    reporter.start("Nested cross-validation", None, "folds")
    result = nested_cross_validation(
        data.embeddings,
        data.targets,
        data.groups,
        tune=tuner(head, seed=seed),
        n_folds=folds,
        precision=precision,
        seed=seed,
    )
    reporter.finish()
    detector = find_detector(folder, table)
    found = [
        judge(
            result.prob,
            data.targets,
            data.groups,
            data.labels,
            result.threshold,
            title=f"Cross-validation by {group_by}",
            group_by=group_by,
            folds=int(result.fold.max()) + 1,
            seed=seed,
            how="L2, calibration and thresholds were chosen inside each fold",
            thresholds=(
                {}
                if detector is None
                else dict(zip(detector.labels, detector.thresholds, strict=True))
            ),
            notes={data.labels[i]: why for i, why in result.not_evaluable.items()},
        )
    ]
    unseen = None if detector is None else _unseen(detector, data, seed)
    if unseen is not None:
        found.append(unseen)
    path = folder.reports_dir / "evaluation.json"
    text = json.dumps([to_json(quality) for quality in found], indent=1, allow_nan=False)
    replace_file(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))
    return found


def _unseen(detector: Detector, data: TrainingSet, seed: int) -> Quality | None:
    """Judge the current detector on labelled groups it was not trained on, if there are any."""
    if detector.facts.get("group_by") != data.group_by:
        return None
    seen = set(detector.facts["groups"])
    new = np.array([name not in seen for name in data.group_names], dtype=bool)
    rows = np.flatnonzero(new[data.groups])
    columns = [i for i, name in enumerate(data.labels) if name in detector.labels]
    if len(rows) == 0 or len(np.unique(data.groups[rows])) < 2 or not columns:
        return None
    names = tuple(data.labels[i] for i in columns)
    order = [detector.labels.index(name) for name in names]
    return judge(
        detector.probabilities(data.embeddings[rows])[:, order],
        data.targets[rows][:, columns],
        data.groups[rows],
        names,
        detector.threshold_values[order],
        title=f"Detector {detector.facts['name']} on labels it was not trained on",
        group_by=data.group_by,
        seed=seed,
        verdicts=False,
    )


def to_json(value: Any) -> Any:
    """Return report data as plain JSON values; NaN becomes null, arrays become lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, np.ndarray):
        return to_json(value.tolist())
    if isinstance(value, list | tuple):
        return [to_json(v) for v in value]
    if isinstance(value, dict):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return value


def text(estimate: Estimate | None) -> str:
    """Return ``0.91 [0.84, 0.96]``, ``0.91`` without an interval, or ``-`` without a value."""
    if estimate is None or math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
