"""The project's detectors: find one, check that it fits, score windows with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.errors import ModelError, UserError
from antiphon.heads.detector import Detector
from antiphon.pipeline.windows import WindowSet
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

_BLOCK = 8192


def find_detector(
    folder: ProjectFolder, table: VectorTable | None = None, name: str | None = None
) -> Detector | None:
    """Return the newest detector of a table (of any, without one), or None if there is none.

    Raises
    ------
    UserError
        If a detector of that name is asked for and is not there.
    ModelError
        If the detector's file is missing or corrupt.
    """
    rows = folder.catalogue.detectors()
    if name is not None:
        named = [row for row in rows if row.name == name]
        if not named:
            raise UserError(
                f"There is no detector {name!r} in {folder.root}. There are: "
                f"{', '.join(row.name for row in rows) or 'none'}."
            )
        row = named[-1]
    else:
        fitting = [row for row in rows if table is None or row.table_id == table.id]
        if not fitting:
            return None
        row = fitting[-1]
    path = folder.models_dir / row.file
    if not path.exists():
        raise ModelError(path, f"the file of detector {row.name!r} is gone", "Train again")
    detector = Detector.load(path)
    if table is not None:
        detector.check_encoder(table.fingerprint, table.name)
    return detector


def current_detector(
    folder: ProjectFolder, table: VectorTable | None = None, name: str | None = None
) -> Detector:
    """Return the newest detector.

    Raises
    ------
    UserError
        If there is none.
    """
    detector = find_detector(folder, table, name)
    if detector is None:
        where = "" if table is None else f" for the embeddings {table.name!r}"
        raise UserError(f"There is no detector{where} yet. Make one with: antiphon train PROJECT")
    return detector


def score_windows(
    windows: WindowSet, detector: Detector, rows: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Return calibrated probabilities ``(n, n_labels)`` of the windows at ``rows``, by blocks."""
    found = np.empty((len(rows), len(detector.labels)), np.float32)
    for begin in range(0, len(rows), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        found[part] = detector.probabilities(windows.vectors(rows[part]))
    return found
