"""Windows on which people disagree, to be settled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.labels.disputes import votes
from antiphon.pipeline.annotate.said import Span
from antiphon.pipeline.windows import WindowSet, annotations_of, channels_of, judged
from antiphon.store.project import ProjectFolder


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A label of a window that one person hears and another does not, and nobody has settled.

    Parameters
    ----------
    span
        The window.
    label
        What they disagree about.
    present, absent
        Who says what; people who are unsure are in neither.
    """

    span: Span
    label: str
    present: tuple[str, ...]
    absent: tuple[str, ...]


def find_disagreements(folder: ProjectFolder, windows: WindowSet) -> list[Disagreement]:
    """Return what people disagree about, in the order of the windows.

    See :func:`antiphon.labels.disputes.judge_windows` for what counts. Training leaves these
    labels of these windows out until somebody settles them.
    """
    names = folder.catalogue.label_names()
    disputed = judged(folder, windows, names).disputed
    rows, columns = np.nonzero(disputed)
    if not len(rows):
        return []
    some = windows.take(np.unique(rows))
    place = {int(row): i for i, row in enumerate(np.unique(rows))}
    told = votes(
        some.recording_id,
        some.start_s,
        some.end_s,
        some.channel,
        _of(annotations_of(folder, windows), some),
        names,
        min_overlap=folder.config.labels.min_overlap,
        channels=channels_of(some),
    )
    found = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        at = place[row]
        found.append(
            Disagreement(
                span_of(some, at),
                names[column],
                tuple(name for name, vote in told.items() if vote[at, column] == 1.0),
                tuple(name for name, vote in told.items() if vote[at, column] == 0.0),
            )
        )
    return found


def count_disputed(folder: ProjectFolder, windows: WindowSet) -> tuple[int, int]:
    """Return on how many windows, and on how many labels of windows, people disagree."""
    disputed = judged(folder, windows, folder.catalogue.label_names()).disputed
    return int(disputed.any(axis=1).sum()), int(disputed.sum())


def disputed_rows(
    folder: ProjectFolder, windows: WindowSet
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return the windows in dispute and how many labels of each are, the most first."""
    disputed = judged(folder, windows, folder.catalogue.label_names()).disputed
    count = disputed.sum(axis=1)
    rows = np.flatnonzero(count)
    rows = rows[np.argsort(-count[rows], kind="stable")]
    return rows.astype(np.int64), count[rows].astype(np.float32)


def span_of(windows: WindowSet, row: int) -> Span:
    """Return one of the windows as a span."""
    return Span(
        int(windows.recording_id[row]),
        int(windows.channel[row]),
        float(windows.start_s[row]),
        float(windows.end_s[row]),
    )


def _of(annotations: pa.Table, windows: WindowSet) -> pa.Table:
    ids = annotations.column("recording_id").to_numpy()
    return annotations.filter(pa.array(np.isin(ids, np.unique(windows.recording_id))))
