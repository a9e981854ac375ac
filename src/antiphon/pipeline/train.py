"""Train a detector: head, calibration and thresholds, grouped by recording or site."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from antiphon._version import __version__
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import UserError
from antiphon.evaluation.crossval import (
    Fit,
    Tune,
    choose_l2,
    grouped_folds,
    out_of_fold_logits,
)
from antiphon.heads.calibration import fit_calibration
from antiphon.heads.detector import Detector
from antiphon.heads.linear import fit_linear
from antiphon.heads.mlp import fit_mlp
from antiphon.heads.thresholds import choose_thresholds
from antiphon.pipeline.judging import LEVEL
from antiphon.pipeline.windows import WindowSet, judged, load_windows
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

_L2_GRID = (10.0, 100.0, 1000.0)

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Labelled windows, ready for a head.

    Parameters
    ----------
    rows
        ``(n,)`` rows of the table's windows.
    embeddings
        ``(n, dim)`` float32.
    targets
        ``(n, n_labels)`` float32: 1 present, 0 absent, NaN unknown.
    groups, group_names
        ``(n,)`` group of each window, and the groups' names; a fold never splits a group.
    labels
        Names, one for each column of ``targets``.
    windows
        The windows at ``rows``.
    group_by
        What the groups are: ``recording``, ``site``, ``date`` or a metadata column.
    disputed
        Windows of which a label is left out because people disagree about it.
    """

    rows: Int64
    embeddings: Float32
    targets: Float32
    groups: Int64
    group_names: list[str]
    labels: tuple[str, ...]
    windows: WindowSet
    group_by: str
    disputed: int = 0


@dataclass(frozen=True, slots=True)
class TrainReport:
    """What a training gave.

    Parameters
    ----------
    detector
        The detector, saved and made the project's current one.
    path
        Its file.
    windows, groups, group_by
        Labelled windows, and how many groups of what kind they come from.
    positives
        Windows with the label present, for each label.
    seconds
        Processor time of the fits.
    """

    detector: Detector
    path: str
    windows: int
    groups: int
    group_by: str
    positives: dict[str, int]
    seconds: float

    @property
    def untrained(self) -> dict[str, str]:
        """Labels that could not be learnt, each with the reason."""
        return dict(self.detector.facts.get("untrained", {}))


def training_set(
    folder: ProjectFolder, table: VectorTable, *, group_by: str | None = None
) -> TrainingSet:
    """Collect the labelled windows of a table.

    Raises
    ------
    UserError
        If there are no labels, no positive or no negative window, or the group is not known.
    """
    group_by = group_by or folder.config.train.group_by
    windows = load_windows(folder, table)
    names = folder.catalogue.label_names()
    if not names:
        raise UserError(
            f"There are no labels in {folder.root} to learn from. Import some with: "
            "antiphon import PROJECT TABLE, or choose windows to label with: antiphon next PROJECT"
        )
    told = judged(folder, windows, names)
    said = told.targets
    rows = np.flatnonzero(~np.isnan(said).all(axis=1))
    said = said[rows]
    positives = np.nansum(said == 1.0, axis=0)
    if len(rows) == 0 or positives.sum() == 0:
        raise UserError(
            "No window carries a present label, so there is nothing to detect yet. Annotations "
            f"are there for {len(rows)} windows of the table {table.name!r}; if they lie in "
            "recordings that are not embedded, run embed first."
        )
    # A label that no window of this table carries cannot be a column of its detector.
    columns = np.flatnonzero(~np.isnan(said).all(axis=0) & (positives > 0))
    if not (said[:, columns] == 0.0).any():
        raise UserError(
            "No window is known to lack a label, and a detector learns from both. Import the "
            "tables again with --complete if they name all that can be heard, or answer "
            "'nothing' or '-LABEL' for some windows."
        )
    some = windows.take(rows)
    groups, group_names = some.groups(group_by)
    unique, groups = np.unique(groups, return_inverse=True)
    return TrainingSet(
        rows=rows,
        embeddings=windows.vectors(rows),
        targets=said[:, columns],
        groups=groups.astype(np.int64),
        group_names=[group_names[i] for i in unique],
        labels=tuple(names[i] for i in columns),
        windows=some,
        group_by=group_by,
        disputed=int(told.disputed.any(axis=1).sum()),
    )


def tuner(kind: str, *, seed: int) -> Tune:
    """Return a function that chooses a head's parameters on some rows and gives the fit.

    For a linear head that is the strength of L2, by grouped cross-validation on those rows.

    Raises
    ------
    UserError
        If the kind is not ``linear`` or ``mlp``.
    """
    if kind not in ("linear", "mlp"):
        raise UserError(f"--head {kind!r} is not known. There are: linear, mlp.")

    def linear(x: Float32, y: Float32, groups: Int64) -> Fit:
        l2 = choose_l2(x, y, groups, grid=_L2_GRID, seed=seed)
        return lambda x, y, groups: fit_linear(x, y, l2=l2)

    def mlp(x: Float32, y: Float32, groups: Int64) -> Fit:
        return lambda x, y, groups: fit_mlp(x, y, groups=groups, seed=seed)

    return linear if kind == "linear" else mlp


def train(
    folder: ProjectFolder,
    table: VectorTable,
    *,
    head: str = "linear",
    group_by: str | None = None,
    precision: float | None = None,
    folds: int = 5,
    seed: int = 0,
    name: str | None = None,
    reporter: Reporter | None = None,
) -> TrainReport:
    """Train a detector on all labels of the project and make it the current one.

    Calibration and thresholds come from out-of-fold predictions: no window is judged by a head
    that saw its group.

    Parameters
    ----------
    head
        ``linear`` or ``mlp``.
    group_by
        ``recording``, ``site``, ``date`` or a metadata column; the project's setting when None.
    precision
        What the thresholds aim at; the project's setting when None.
    name
        Name of the detector; a date and a number when None.
    """
    reporter = reporter or Silent()
    if name is not None:
        _check_name(folder, name)
    precision = folder.config.train.precision if precision is None else precision
    data = training_set(folder, table, group_by=group_by)
    if data.disputed:
        reporter.note(
            f"People disagree on {data.disputed:,} windows; what they disagree about is left out "
            "until somebody settles it."
        )
    reporter.start("Training", None, "folds")
    began = _cpu()
    fold = grouped_folds(data.groups, data.targets, folds, seed)
    fit = tuner(head, seed=seed)(data.embeddings, data.targets, data.groups)
    logits = out_of_fold_logits(fit, data.embeddings, data.targets, data.groups, fold)
    calibration = fit_calibration(logits, data.targets)
    thresholds = choose_thresholds(
        calibration.probabilities(logits),
        data.targets,
        data.groups,
        precision=precision,
        level=LEVEL,
        rng=np.random.default_rng(seed),
    )
    final = fit(data.embeddings, data.targets, data.groups)
    seconds = _cpu() - began
    reporter.finish()
    positives = {
        label: int(np.nansum(data.targets[:, i] == 1.0)) for i, label in enumerate(data.labels)
    }
    created = datetime.now(UTC).replace(microsecond=0)
    name = _reserve(folder, name, created.date().isoformat())
    detector = Detector(
        head=final,
        calibration=calibration,
        labels=data.labels,
        thresholds=tuple(thresholds),
        encoder=dict(table.spec),
        encoder_fingerprint=table.fingerprint,
        facts={
            "name": name,
            "created": created.isoformat(),
            "antiphon": __version__,
            "machine": platform.platform(),
            "head": head,
            "windows": len(data.rows),
            "disputed": data.disputed,
            "labels_spent": folder.catalogue.labels_spent(),
            "groups": data.group_names,
            "group_by": data.group_by,
            "folds": int(fold.max()) + 1,
            "seed": seed,
            "precision": precision,
            "positives": positives,
            "untrained": dict(final.untrained_reasons(data.labels)),
            "table": table.name,
            "encoder_origin": table.origin,
        },
    )
    path = folder.models_dir / f"{name}.detector"
    try:
        detector.save(path)
        folder.catalogue.add_detector(
            name=name,
            file=path.name,
            table_id=table.id,
            labels_spent=detector.facts["labels_spent"],
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return TrainReport(
        detector=detector,
        path=str(path),
        windows=len(data.rows),
        groups=len(data.group_names),
        group_by=data.group_by,
        positives=positives,
        seconds=seconds,
    )


def _check_name(folder: ProjectFolder, name: str) -> None:
    """Refuse a name that cannot be a file's, or is another detector's."""
    if not re.fullmatch(r"[^\W_](?:[\w .+-]*[\w+-])?", name):
        raise UserError(
            f"--name {name!r} cannot be a file name; use letters, digits, spaces, '.', '-', '_'."
        )
    if any(row.name == name for row in folder.catalogue.detectors()):
        raise UserError(f"There is a detector {name!r} already; choose another --name.")


def _reserve(folder: ProjectFolder, name: str | None, prefix: str) -> str:
    """Take a name by making its file, so that two trainings at once never share one."""
    number = 1
    while True:
        wanted = name or f"{prefix}-{number}"
        try:
            (folder.models_dir / f"{wanted}.detector").touch(exist_ok=False)
        except FileExistsError:
            if name is not None:
                raise UserError(
                    f"There is a file models/{name}.detector already; choose another --name."
                ) from None
            number += 1
        else:
            return wanted


def _cpu() -> float:
    import time

    return time.process_time()
