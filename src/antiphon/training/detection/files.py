"""Scores of held-out windows on disk, as ``antiphon blend`` reads them.

::

    out_of_fold.parquet          row_id and a column of scores for each class
    out_of_fold_labels.parquet   the same rows: 1 present, 0 absent, -1 unknown
    out_of_fold_truth.csv        filename, start, end, primary_label: the classes present
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from antiphon.errors import FormatError
from antiphon.evaluation.blending.files.rows import split_row_id
from antiphon.evaluation.blending.files.submission import read_scores, write_scores
from antiphon.labels.formats.table import csv_text, write_text
from antiphon.training.detection.scoring import ScoredWindows

SCORES, LABELS, TRUTH = (
    "out_of_fold.parquet", "out_of_fold_labels.parquet", "out_of_fold_truth.csv",
)  # fmt: skip


def write_windows(folder: Path, windows: ScoredWindows) -> None:
    """Write scores, labels and truth of windows; the scores last, so that they vouch for all.

    Raises
    ------
    FileError
        They cannot be written.
    """
    labels = np.where(np.isnan(windows.labels), -1.0, windows.labels)
    rows = [
        (stem, f"{start:g}", f"{end:g}", ";".join(np.array(windows.classes)[row == 1].tolist()))
        for stem, start, end, row in zip(
            windows.stems,
            windows.start_s.tolist(),
            windows.end_s.tolist(),
            labels,
            strict=True,
        )
    ]
    header = ("filename", "start", "end", "primary_label")
    write_text(folder / TRUTH, csv_text(header, rows))
    write_scores(folder / LABELS, windows.rows, windows.classes, labels)
    write_scores(folder / SCORES, windows.rows, windows.classes, windows.scores)


def read_windows(folder: Path, window_s: float) -> ScoredWindows:
    """Read what :func:`write_windows` wrote.

    Parameters
    ----------
    folder
        That holds the files.
    window_s
        Seconds of a window.

    Raises
    ------
    FormatError
        They cannot be read, or are not of the same windows.
    """
    scores, labels = read_scores(folder / SCORES), read_scores(folder / LABELS)
    if scores.rows != labels.rows or scores.classes != labels.classes:
        raise FormatError(
            labels.path,
            f"has other rows or classes than {SCORES}",
            "Remove both; they are made anew",
        )
    places = [split_row_id(row) for row in scores.rows]
    end = np.array([place[1] for place in places if place is not None])
    return ScoredWindows(
        tuple(place[0] for place in places if place is not None),
        np.round(end - window_s, 6),
        end,
        scores.classes,
        scores.score.astype(np.float32),
        np.where(labels.score < 0, np.nan, labels.score).astype(np.float32),
    )


def joined(parts: Sequence[ScoredWindows]) -> ScoredWindows:
    """Return the windows of several folds in the order of their names."""
    stems = tuple(stem for part in parts for stem in part.stems)
    end = np.concatenate([part.end_s for part in parts])
    order = np.array(sorted(range(len(stems)), key=lambda i: (stems[i], end[i])), np.int64)
    return ScoredWindows(
        tuple(stems[i] for i in order),
        np.concatenate([part.start_s for part in parts])[order],
        end[order],
        parts[0].classes,
        np.concatenate([part.scores for part in parts])[order],
        np.concatenate([part.labels for part in parts])[order],
    )
