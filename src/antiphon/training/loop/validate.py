"""How good an encoder is so far, on held-out clips: its loss, retrieval, and a linear probe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from antiphon.errors import UserError
from antiphon.evaluation.crossval import grouped_folds
from antiphon.evaluation.metrics.retrieval import retrieval_scores
from antiphon.evaluation.protocols.probe import linear_probe
from antiphon.evaluation.protocols.result import Measure, ProtocolResult
from antiphon.evaluation.protocols.retrieval import retrieval
from antiphon.evaluation.protocols.scoring import mean_of_items
from antiphon.training.loop.config import ValidationConfig
from antiphon.training.modes import evaluating
from antiphon.training.task import Batch, Task

# A fixed strength, so that two validations differ by their embeddings alone.
_L2 = 10.0
_RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """Measures of one validation.

    Parameters
    ----------
    values
        Name -> number: ``loss`` and its parts (means over clips), what the task adds,
        ``r_auc`` and ``p_at_1`` of retrieval, ``probe_accuracy`` or ``probe_map``.
    intervals
        Ends of the 95 % intervals of retrieval and probe.
    clips, labelled
        Clips that were embedded, and those of them with a label.
    notes
        Why a measure is missing, and what limits one.
    """

    values: dict[str, float]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    clips: int = 0
    labelled: int = 0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "values": self.values,
            "intervals_95": {k: list(v) for k, v in self.intervals.items()},
            "clips": self.clips,
            "labelled": self.labelled,
            "notes": list(self.notes),
        }


def validate(
    task: Task, batches: Iterable[Batch], config: ValidationConfig, device: torch.device
) -> ValidationResult:
    """Judge a task's encoder in evaluation mode; the mode of every part is put back.

    Parameters
    ----------
    task
        On ``device``.
    batches
        Held-out clips, without augmentation; ``group``, where there is one, is never split by the
        probe, and clips of one ``recording`` do not look for each other. Read up to
        ``config.clips``.
    config
        What is measured.
    device
        Where the task is.
    """
    with evaluating(task):
        sums, seen, rows = _run(task, batches, config, device)
    values = {name: total / seen for name, total in sums.items()} if seen else {}
    values |= task.validation_metrics()
    notes: list[str] = []
    if not seen:
        return ValidationResult(values, notes=("No clip is held out.",))
    x = np.concatenate([row["x"] for row in rows])
    if not (config.retrieval or config.probe):
        return ValidationResult(values, clips=len(x))
    if any("labels" not in row for row in rows):
        note = "The held-out clips have no labels: no retrieval, no probe."
        return ValidationResult(values, clips=len(x), notes=(note,))
    y = np.concatenate([row["labels"] for row in rows])
    groups = np.concatenate([row["group"] for row in rows])
    recordings = np.concatenate([row["recording"] for row in rows])
    has = y.any(axis=1)
    x, y, groups, recordings = x[has], y[has], groups[has], recordings[has]
    intervals: dict[str, tuple[float, float]] = {}
    for wanted, prefix, judge in (
        (config.retrieval, "", partial(_retrieval, recordings=recordings)),
        (config.probe, "probe_", _probe),
    ):
        if not wanted:
            continue
        try:
            # Intervals of a handful of clips may have nothing to divide by.
            with np.errstate(invalid="ignore", divide="ignore"):
                result = judge(x, y, groups)
        except UserError as error:
            notes.append(str(error))
            continue
        for measure in result.measures:
            values[prefix + measure.name] = measure.value
            intervals[prefix + measure.name] = (measure.low, measure.high)
        notes += result.notes
    return ValidationResult(values, intervals, seen, len(x), tuple(dict.fromkeys(notes)))


def _run(
    task: Task, batches: Iterable[Batch], config: ValidationConfig, device: torch.device
) -> tuple[dict[str, float], int, list[dict[str, npt.NDArray[Any]]]]:
    """Return sums of the losses over clips, the number of clips, embeddings and labels."""
    encoder = task.encoder()
    encoder.eval()
    sums: dict[str, float] = {}
    seen, rows = 0, []
    for given in batches:
        left = config.clips - seen
        if left <= 0:
            break
        batch = {name: value[:left].to(device) for name, value in given.items()}
        size = len(batch["index"])
        for name, value in task.validation_loss(batch).items():
            sums[name] = sums.get(name, 0.0) + float(value) * size
        row = {"x": encoder.embed(batch["waveform"], batch["valid"]).float().cpu().numpy()}
        if "labels" in batch:
            known = batch.get("known", torch.ones_like(batch["labels"]))
            row["labels"] = ((batch["labels"] >= 0.5) & (known > 0)).cpu().numpy()
        # Without groups every clip is one of its own.
        own = -1 - torch.arange(seen, seen + size)
        row["group"] = batch.get("group", own).cpu().numpy()
        row["recording"] = batch.get("recording", own).cpu().numpy()
        rows.append(row)
        seen += size
    return sums, seen, rows


def _retrieval(
    x: npt.NDArray[Any],
    y: npt.NDArray[np.bool_],
    groups: npt.NDArray[Any],
    *,
    recordings: npt.NDArray[Any],
) -> ProtocolResult:
    """Search the other clips, but not those of the same recording.

    They share its noise and its recorder as well as its labels, so that an encoder which knows
    recordings and nothing else would be above chance.
    """
    labels = y.astype(np.int64)
    names, number, size = np.unique(recordings, return_inverse=True, return_counts=True)
    if size.max(initial=1) == 1:
        return retrieval(x, labels, groups=groups, n_resamples=_RESAMPLES)
    if len(names) == 1:
        raise UserError("No retrieval: the held-out clips with labels are of one recording.")
    found = retrieval_scores(x, labels)
    area, hit = found.per_query_auc.copy(), found.per_query_precision[1].copy()
    for several in np.flatnonzero(size > 1):
        mine = number == several
        found = retrieval_scores(
            x[mine], labels[mine], gallery=x[~mine], gallery_labels=labels[~mine]
        )
        area[mine], hit[mine] = found.per_query_auc, found.per_query_precision[1]
    rng = np.random.default_rng(0)
    measures = []
    for name, values in (("r_auc", area), ("p_at_1", hit)):
        given = ~np.isnan(values)
        if not given.any():
            raise UserError("No query shares a label with any item that is searched.")
        interval = mean_of_items(values[given], groups[given], rng, _RESAMPLES)
        measures.append(Measure.of(name, interval, int(given.sum())))
    return ProtocolResult("retrieval", tuple(measures))


def _probe(
    x: npt.NDArray[Any], y: npt.NDArray[np.bool_], groups: npt.NDArray[Any]
) -> ProtocolResult:
    """Fit to one half of the groups and judge on the other."""
    half = grouped_folds(groups, y.astype(np.float64), 2, 0) == 0
    both = y[half].any(axis=0) & y[~half].any(axis=0)
    if both.sum() < 2:
        raise UserError(
            "No probe: fewer than two classes are in both halves of the held-out clips."
        )
    y = y[:, both]
    left = y.any(axis=1)
    x, y, groups, half = x[left], y[left], groups[left], half[left]
    several = bool((y.sum(axis=1) > 1).any())
    labels = y.astype(np.int64) if several else y.argmax(axis=1)
    return linear_probe(
        x[half],
        labels[half],
        x[~half],
        labels[~half],
        test_groups=groups[~half],
        multilabel=several,
        l2=_L2,
        n_resamples=_RESAMPLES,
    )
