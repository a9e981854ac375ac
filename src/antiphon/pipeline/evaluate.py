"""Honest numbers: nested, grouped cross-validation, and labels the detector never saw."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from antiphon._version import __version__
from antiphon.engine.progress import Reporter, Silent
from antiphon.evaluation.crossval import nested_cross_validation
from antiphon.heads.detector import Detector
from antiphon.pipeline.detectors import find_detector
from antiphon.pipeline.files import replace_file
from antiphon.pipeline.history import remember
from antiphon.pipeline.judging import judge
from antiphon.pipeline.report.data import Estimate, Quality
from antiphon.pipeline.report.values import quality_from_json, to_json
from antiphon.pipeline.sampling import how_chosen
from antiphon.pipeline.separation import between_folds, from_training
from antiphon.pipeline.train import TrainingSet, training_set, tuner
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

# Inner folds only choose calibration and thresholds; three are enough and keep the cost down.
_INNER_FOLDS = 3
_NESTED = (
    "L2, calibration and thresholds were chosen inside each fold; the thresholds shown are the "
    "detector's"
)


def evaluate(
    folder: ProjectFolder,
    table: VectorTable,
    *,
    head: str | None = None,
    group_by: str | None = None,
    precision: float | None = None,
    folds: int | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> list[Quality]:
    """Measure how good a detector trained on the project's labels is on other recordings.

    Twice, where both can be done: by nested cross-validation, in which each fold's L2,
    calibration and thresholds come from the other folds alone; and for the current detector on
    labelled windows of groups that it was not trained on.

    Parameters
    ----------
    head, group_by, precision
        As for training; those of the current detector when None.
    folds
        Five when None.

    Returns
    -------
    list of Quality
        One or two evaluations; also written to ``reports/evaluation.json``, and read from there
        when nothing that they depend on has changed.

    Raises
    ------
    UserError
        If there are no labels, or labels of one group only.
    """
    reporter = reporter or Silent()
    detector = find_detector(folder, table)
    trained = {} if detector is None else detector.facts
    head = head or trained.get("head", "linear")
    group_by = group_by or trained.get("group_by", folder.config.train.group_by)
    if precision is None:
        precision = trained.get("precision", folder.config.train.precision)
    folds = folds or 5
    data = training_set(folder, table, group_by=group_by)
    asked = {"head": head, "group_by": group_by, "precision": precision, "folds": folds}
    # What was drawn at random and what was sought out is part of what is said.
    queues = len(folder.catalogue.events("queue"))
    key = _key(data, table, detector, asked | {"seed": seed, "queues": queues})
    path = folder.reports_dir / "evaluation.json"
    if (before := _read(path, key)) is not None:
        return before
    reporter.start("Nested cross-validation", None, "folds")
    result = nested_cross_validation(
        data.embeddings,
        data.targets,
        data.groups,
        tune=tuner(head, seed=seed),
        n_folds=folds,
        inner_folds=_INNER_FOLDS,
        precision=precision,
        seed=seed,
    )
    reporter.finish()
    judged = judge(
        result.prob,
        data.targets,
        data.groups,
        data.labels,
        result.threshold,
        title=f"Cross-validation by {group_by}",
        group_by=group_by,
        folds=int(result.fold.max()) + 1,
        seed=seed,
        how=". ".join(filter(None, [_NESTED, how_chosen(folder, data.windows)])),
        thresholds=(
            {} if detector is None else dict(zip(detector.labels, detector.thresholds, strict=True))
        ),
        notes={data.labels[i]: why for i, why in result.not_evaluable.items()},
    )
    found = [replace(judged, leakage=between_folds(data, result.fold))]
    remember(folder, table, found[0])
    unseen = None if detector is None else _unseen(folder, detector, data, seed)
    if unseen is not None:
        found.append(unseen)
    kept = {"key": key, "asked": asked | {"seed": seed}, "evaluations": to_json(found)}
    text = json.dumps(kept, indent=1, allow_nan=False)
    replace_file(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))
    return found


def last_evaluation(folder: ProjectFolder) -> list[Quality]:
    """Return the newest evaluation, whatever was labelled since; empty before the first."""
    return _read(folder.reports_dir / "evaluation.json", None) or []


def _key(
    data: TrainingSet, table: VectorTable, detector: Detector | None, asked: dict[str, Any]
) -> str:
    """Return a digest of all that an evaluation depends on."""
    facts = [__version__, table.name, None if detector is None else detector.facts["name"], asked]
    digest = hashlib.sha256(json.dumps([facts, data.labels, data.group_names]).encode())
    for array in (data.rows, data.targets, data.groups, data.embeddings):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _read(path: Path, key: str | None) -> list[Quality] | None:
    """Return the evaluations of a file that was made of the same labels and settings, or None.

    Without a key whatever they were made of.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if key is not None and kept["key"] != key:
            return None
        return [quality_from_json(entry) for entry in kept["evaluations"]]
    except (OSError, ValueError, KeyError, TypeError):
        # A report is derived: one that cannot be read is made again.
        return None


def _unseen(
    folder: ProjectFolder, detector: Detector, data: TrainingSet, seed: int
) -> Quality | None:
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
    judged = judge(
        detector.probabilities(data.embeddings[rows])[:, order],
        data.targets[rows][:, columns],
        data.groups[rows],
        names,
        detector.threshold_values[order],
        title=f"Detector {detector.facts['name']} on labels it was not trained on",
        group_by=data.group_by,
        seed=seed,
        how=how_chosen(folder, data.windows.take(rows)),
        verdicts=False,
    )
    return replace(judged, leakage=from_training(data, rows))


def text(estimate: Estimate | None) -> str:
    """Return ``0.91 [0.84, 0.96]``, ``0.91`` without an interval, or ``-`` without a value."""
    if estimate is None or math.isnan(estimate.value):
        return "-"
    if math.isnan(estimate.low) or math.isnan(estimate.high):
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
