"""What every threshold would detect, and a detector with other thresholds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.heads.detector import Detector
from antiphon.heads.thresholds import Threshold
from antiphon.pipeline.browse.precision import Precision
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_BLOCK = 65_536
_STEPS = 100
# How versions with other thresholds are called.
_VERSION = re.compile(r" thresholds \d+$")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What a label's thresholds would detect in all embedded windows.

    Parameters
    ----------
    label
        The label.
    threshold
        The detector's own.
    thresholds
        ``(n,)`` float32 ascending: hundredths from 0 to 1, and the detector's own.
    windows, recordings, sites
        ``(n,)`` windows at or above each, and how many recordings and sites they lie in.
    expected
        ``(n,)`` mean calibrated probability of those windows: the precision if the probabilities
        are to be taken at their word; NaN where there is none.
    """

    label: str
    threshold: float
    thresholds: Float32
    windows: Int64
    recordings: Int64
    sites: Int64
    expected: Float64


def count_thresholds(windows: WindowSet, detector: Detector) -> dict[str, Counts]:
    """Score all windows and count, for each label, what thresholds would detect."""
    own = detector.threshold_values
    grids = [_grid(float(value)) for value in own]
    number = len(detector.labels)
    cells = [np.zeros(len(grid) + 1, np.int64) for grid in grids]
    sums = [np.zeros(len(grid) + 1) for grid in grids]
    best = np.full((windows.recordings.num_rows, number), -np.inf, np.float32)
    for begin in range(0, len(windows), _BLOCK):
        rows = np.arange(begin, min(begin + _BLOCK, len(windows)), dtype=np.int64)
        found = score_windows(windows, detector, rows)
        np.maximum.at(best, windows.row[rows], found)
        for j, grid in enumerate(grids):
            passed = np.searchsorted(grid, found[:, j], side="right")
            cells[j] += np.bincount(passed, minlength=len(grid) + 1)
            sums[j] += np.bincount(passed, weights=found[:, j], minlength=len(grid) + 1)
    sites = windows.recordings.column("site").to_pylist()
    counts = {}
    for j, (label, grid) in enumerate(zip(detector.labels, grids, strict=True)):
        n = _from_top(cells[j])
        with np.errstate(invalid="ignore"):
            expected = np.where(n > 0, _from_top(sums[j]) / n, np.nan)
        of_site: dict[str, float] = {}
        for site, top in zip(sites, best[:, j].tolist(), strict=True):
            if site is not None:
                of_site[site] = max(of_site.get(site, -math.inf), top)
        counts[label] = Counts(
            label,
            float(own[j]),
            grid,
            n.astype(np.int64),
            _reaching(best[:, j], grid),
            _reaching(np.array(list(of_site.values()), np.float32), grid),
            expected,
        )
    return counts


def with_thresholds(
    folder: ProjectFolder,
    table: VectorTable,
    values: Mapping[str, float],
    *,
    base: str,
    by: str,
    judged: Mapping[str, tuple[Float32, Precision]] | None = None,
) -> Detector:
    """Write the current detector with other thresholds as a new one, which becomes current.

    The old one stays as it is.

    Parameters
    ----------
    values
        New thresholds by label; those of other labels stay.
    base
        Name of the detector that they were chosen for.
    by
        Who chose them.
    judged
        Thresholds and what labelled windows say of each, by label, to be kept with the new ones.

    Raises
    ------
    UserError
        If the current detector is another one than ``base``, a label is not its, or a value does
        not lie between 0 and 1.
    """
    detector = current_detector(folder, table)
    if detector.facts["name"] != base:
        raise UserError(
            f"The detector is {detector.facts['name']!r} now, not {base!r} as when these "
            "thresholds were chosen. Look at its numbers first."
        )
    for label, value in values.items():
        if label not in detector.labels:
            raise UserError(f"The detector {base!r} has no label {label!r}.")
        if not 0.0 <= value <= 1.0:
            raise UserError(f"The threshold of {label!r} is {value:g}; it must lie in 0 to 1.")
    if not values:
        raise UserError("No threshold was given.")
    thresholds = [
        _chosen(old, values[label], by, (judged or {}).get(label)) if label in values else old
        for label, old in zip(detector.labels, detector.thresholds, strict=True)
    ]
    rows = [row for row in folder.catalogue.detectors() if row.name == base]
    name = _free_name(folder, base)
    # When it was trained stays: it decides which labels it can have learnt from.
    facts = {
        **detector.facts,
        "name": name,
        "thresholds_of": base,
        "thresholds_by": by,
        "thresholds_set": datetime.now(UTC).replace(microsecond=0).isoformat(),
        "thresholds_chosen": sorted({*detector.facts.get("thresholds_chosen", ()), *values}),
    }
    made = replace(detector, thresholds=tuple(thresholds), facts=facts)
    path = folder.models_dir / f"{name}.detector"
    try:
        made.save(path)
        folder.catalogue.add_detector(
            name=name,
            file=path.name,
            table_id=table.id,
            labels_spent=rows[-1].labels_spent,
            metrics=rows[-1].metrics,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return made


def set_before(folder: ProjectFolder, table: VectorTable, detector: Detector) -> dict[str, float]:
    """Return thresholds that people had set before a training chose them anew, by label.

    They are of the newest earlier detector with such thresholds, for labels of this one whose
    threshold nobody has set since.
    """
    rows = [row for row in folder.catalogue.detectors() if row.table_id == table.id]
    names = [row.name for row in rows]
    name = str(detector.facts["name"])
    since = set(detector.facts.get("thresholds_chosen", ()))
    for row in reversed(rows[: names.index(name) if name in names else 0]):
        path = folder.models_dir / row.file
        # Another version of the same training has handed its thresholds on.
        same = _VERSION.sub("", row.name) == _VERSION.sub("", name)
        if same or not _VERSION.search(row.name) or not path.exists():
            continue
        earlier = Detector.load(path)
        chosen = set(earlier.facts.get("thresholds_chosen", ())) - since
        values = dict(zip(earlier.labels, earlier.thresholds, strict=True))
        return {label: values[label].value for label in detector.labels if label in chosen}
    return {}


def _grid(own: float) -> Float32:
    steps = np.round(np.linspace(0.0, 1.0, _STEPS + 1), 2).astype(np.float32)
    return np.unique(np.append(steps, np.float32(own)))


def _from_top(cells: npt.NDArray[np.number]) -> Float64:
    """Turn counts by thresholds passed (0 to n) into counts at or above each of the n."""
    return np.cumsum(cells[::-1])[::-1][1:].astype(np.float64)


def _reaching(best: Float32, grid: Float32) -> Int64:
    ordered = np.sort(best)
    return (len(ordered) - np.searchsorted(ordered, grid, side="left")).astype(np.int64)


def _chosen(
    old: Threshold, value: float, by: str, judged: tuple[Float32, Precision] | None
) -> Threshold:
    """Return a threshold set by hand, with what is known at that place."""
    nan = math.nan
    note = f"Set by {by}."
    precision = low = high = recall = nan
    positives, groups = old.n_positive, old.n_groups
    if judged is not None:
        thresholds, said = judged
        at = int(np.argmin(np.abs(thresholds - np.float32(value))))
        precision, low, high = (float(v[at]) for v in (said.value, said.low, said.high))
        recall = float(said.recall[at])
        positives, groups = said.positives, said.groups
        if said.weighted:
            note += " Precision and recall are those of the archive, by a sample of known chances."
    return Threshold(
        value=float(np.float32(value)),
        precision=precision,
        precision_low=low,
        precision_high=high,
        recall=recall,
        recall_low=nan,
        recall_high=nan,
        n_positive=positives,
        n_groups=groups,
        more_clips_needed=None,
        reached=True,
        note=note,
    )


def _free_name(folder: ProjectFolder, base: str) -> str:
    """Take the next name of a row of versions by making its file, so that no two share one."""
    stem = _VERSION.sub("", base)
    number = 1
    while True:
        name = f"{stem} thresholds {number}"
        try:
            (folder.models_dir / f"{name}.detector").touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return name
