"""A file of pseudo-labels as targets of a folder's recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.errors import FormatError
from antiphon.training.data.matching import listing, match_recordings
from antiphon.training.data.soft_targets import SoftTargets
from antiphon.training.pseudo.store import PseudoLabels, read_labels

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FolderTargets:
    """What a file says of a folder.

    Parameters
    ----------
    paths
        Arrow strings: the recordings that it speaks of, relative to the folder.
    classes
        Names.
    targets
        Of these recordings and classes.
    duration_s
        ``(m,)`` of the recordings.
    notes
        Sentences for the report.
    """

    paths: Any
    classes: tuple[str, ...]
    targets: SoftTargets
    duration_s: Float64
    notes: list[str]


def read_targets(
    file: Path, root: Path, paths: Any, missing: Literal["error", "report"]
) -> FolderTargets:
    """Read pseudo-labels for the recordings of a folder.

    Parameters
    ----------
    file
        As :func:`antiphon.training.pseudo.store.write_labels` writes it.
    root
        The folder, for messages.
    paths
        Arrow strings: all recordings of the folder.
    missing
        What becomes of recordings of the file that are not there.

    Raises
    ------
    FormatError
        The file is damaged or of another kind, or names recordings that are not there.
    """
    labels = read_labels(file)
    names = list(dict.fromkeys(labels.recording))
    found = match_recordings(pa.array(names, pa.large_string()), paths, file)
    lost = [name for name, at in zip(names, found.tolist(), strict=True) if at < 0]
    notes: list[str] = []
    if lost:
        problem = f"names {len(lost)} recordings that are not in {root}: {listing(lost)}"
        if missing == "error" or len(lost) == len(names):
            raise FormatError(
                file,
                problem,
                f"They were in {labels.provenance.audio}; correct the source's path, or set "
                "missing: report if some are gone on purpose",
            )
        notes.append(f"{file}: {problem}.")
    order = {int(at): name for name, at in zip(names, found.tolist(), strict=True) if at >= 0}
    chosen = np.array(sorted(order), np.int64)
    others = len(paths) - len(chosen)
    if others:
        notes.append(f"{others} recordings of {root} are not in {file}, and are left out.")
    rows = _rows_of(labels, [order[int(at)] for at in chosen])
    lengths = np.array([len(part) for part in rows], np.int64)
    duration = np.array([labels.duration_s[part[0]] for part in rows], np.float64)
    targets = _targets(labels, np.concatenate(rows), lengths)
    return FolderTargets(
        paths.take(pa.array(chosen)), labels.provenance.classes, targets, duration, notes
    )


def _rows_of(labels: PseudoLabels, names: list[str]) -> list[Int64]:
    where: dict[str, list[int]] = {}
    for row, name in enumerate(labels.recording):
        where.setdefault(name, []).append(row)
    return [np.array(where[name], np.int64) for name in names]


def _targets(labels: PseudoLabels, rows: Int64, lengths: Int64) -> SoftTargets:
    w = len(labels)
    given = labels.targets
    first, entry = _taken(given.window, w, rows)
    unknown_first, unsure = _taken(labels.unknown[:, 0], w, rows)
    return SoftTargets(
        base=0,
        first=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        start_s=labels.start_s[rows],
        end_s=labels.end_s[rows],
        class_first=first,
        class_of=given.label[entry],
        target=given.target[entry],
        frames=None if given.frames is None else given.frames[entry],
        step_s=labels.provenance.frame_s,
        unknown_first=unknown_first,
        unknown_of=labels.unknown[unsure, 1].astype(np.int32),
        known=np.ones(len(labels.provenance.classes), bool),
    )


def _taken(window: Int64, n: int, rows: Int64) -> tuple[Int64, Int64]:
    """Return where the lists of chosen windows begin, and which entries are in them."""
    first = np.concatenate([[0], np.cumsum(np.bincount(window, minlength=n))])
    begin, length = first[rows], np.diff(first)[rows]
    out = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    entry = np.arange(out[-1]) + np.repeat(begin - out[:-1], length)
    return out, entry.astype(np.int64)
