"""Search: windows that sound like a clip, carry a label or score high, within site and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.encoders.base import Encoder
from antiphon.errors import UserError
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.examples import embed_query
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.windows import WindowSet, label_mask, load_windows, time_mask
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hit:
    """One window found.

    Parameters
    ----------
    path
        The recording, relative to its audio folder; led by the folder's name where several hold
        the same path.
    start_s, end_s
        Seconds within the recording.
    channel
        Zero-based, or -1 for the mix.
    score
        Cosine similarity to the query after the table's mean was subtracted from both, -1 to 1; or
        a label's calibrated probability without a query.
    site, time
        Where and when, None where unknown.
    """

    recording_id: int
    path: str
    start_s: float
    end_s: float
    channel: int
    score: float
    site: str | None
    time: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a search.

    Parameters
    ----------
    hits
        The windows, best first.
    rows
        Their rows in the set of windows.
    total
        How many windows match in all, those beyond the limit for a recording left out.
    by
        What they are ranked by: ``similarity``, ``probability``, or ``order`` (none; they come
        as they lie in the recordings).
    untimed
        Recordings that a condition on hour or date leaves out because nobody knows when they
        begin.
    """

    hits: list[Hit]
    rows: Int64
    total: int
    by: str
    untimed: int


def search(
    folder: ProjectFolder,
    table: VectorTable,
    *,
    encoder: Encoder | None = None,
    like: Path | None = None,
    at: tuple[float, float] | None = None,
    where: WindowFilter | None = None,
    k: int = 50,
    exact: bool | None = None,
    per_recording: int | None = None,
) -> list[Hit]:
    """Return the ``k`` best windows, best first.

    Parameters
    ----------
    encoder
        The table's encoder; needed with ``like``.
    like
        An audio file; windows are ranked by the largest cosine similarity to any of its windows.
    at
        The span of ``like`` that counts, in seconds; the whole file when None.
    where
        Conditions on site, hour, date, label and score.
    exact
        True compares all windows, False asks the index, None uses the index where there is one.
    per_recording
        At most so many hits of one recording.

    Raises
    ------
    UserError
        If there is nothing to rank by, ``k`` is below 1, or a name is unknown.
    """
    if at is not None and like is None:
        raise UserError("--at is a span of the clip to look for; it goes with --like CLIP.")
    query = None
    if like is not None:
        if encoder is None:
            raise UserError("A search by example needs the encoder of the table.")
        query = embed_query(encoder, like, at)
    elif where is None or where == WindowFilter():
        raise UserError(
            "Nothing to search for: give --like CLIP, --detected LABEL, or a condition such as "
            "--label or --site."
        )
    windows = load_windows(folder, table)
    return find(
        folder, windows, query=query, where=where, k=k, exact=exact, per_recording=per_recording
    ).hits


def find(
    folder: ProjectFolder,
    windows: WindowSet,
    *,
    query: Float32 | None = None,
    where: WindowFilter | None = None,
    k: int = 50,
    skip: int = 0,
    exact: bool | None = None,
    per_recording: int | None = None,
) -> Found:
    """Return ``k`` windows after the ``skip`` best, and how many there are.

    Without a query and without a condition on the score they come as they lie in the recordings.

    Parameters
    ----------
    windows
        The windows of a table.
    query
        ``(q, dim)`` embeddings of the same encoder; windows are ranked by the largest centred
        cosine similarity to any of them.
    where, exact, per_recording
        As in :func:`search`.

    Raises
    ------
    UserError
        If ``k`` is below 1, ``skip`` below 0, or a name is unknown.
    """
    if k < 1:
        raise UserError(f"-k is {k}; it must be at least 1.")
    if skip < 0:
        raise UserError(f"The first hits to leave out are {skip}; that cannot be less than 0.")
    where = where or WindowFilter()
    mask = time_mask(windows, where) & label_mask(folder, windows, where)
    score: Float32 | None = None
    if where.detected or where.min_score is not None or where.max_score is not None:
        score = _detected(folder, windows.view.table, windows, where, mask)
    rows: Int64
    if query is not None:
        by, wide = "similarity", skip + k
        while True:
            rows, value = windows.view.nearest(query, wide, mask=mask, exact=exact)
            enough = per_recording is None or len(rows) < wide
            if enough or len(at_most(windows.recording_id[rows], per_recording)) >= skip + k:
                break
            wide *= 4
    elif score is not None:
        by, rows = "probability", np.flatnonzero(mask)
        rows = rows[np.argsort(-score[rows], kind="stable")]
        value = score[rows]
    else:
        by, rows = "order", np.flatnonzero(mask)
        value = np.ones(len(rows), np.float32)
    total = int(mask.sum())
    if per_recording is not None:
        total = int(np.minimum(np.bincount(windows.row[mask]), per_recording).sum())
        keep = at_most(windows.recording_id[rows], per_recording)
        rows, value = rows[keep], value[keep]
    page = slice(skip, skip + k)
    hits = describe(windows, rows[page], value[page])
    return Found(hits, rows[page], total, by, _untimed(windows, where) if where.by_time else 0)


def _untimed(windows: WindowSet, where: WindowFilter) -> int:
    """Count recordings of the wanted sites whose start nobody knows."""
    start = windows.recordings.column("start_time").to_pylist()
    site = windows.recordings.column("site").to_pylist()
    return sum(
        time is None and (not where.sites or name in where.sites)
        for time, name in zip(start, site, strict=True)
    )


def _detected(
    folder: ProjectFolder,
    table: VectorTable,
    windows: WindowSet,
    where: WindowFilter,
    mask: npt.NDArray[np.bool_],
) -> Float32:
    """Score the windows under ``mask`` for the wanted labels and narrow the mask in place."""
    detector = current_detector(folder, table)
    names = list(where.detected) or list(detector.labels)
    for name in names:
        if name not in detector.labels:
            raise UserError(
                f"The detector does not know the label {name!r}. It knows: "
                f"{', '.join(detector.labels)}."
            )
    columns = [detector.labels.index(name) for name in names]
    rows = np.flatnonzero(mask)
    probability = score_windows(windows, detector, rows)[:, columns]
    if where.min_score is None and where.max_score is None:
        inside = (probability >= detector.threshold_values[columns]).any(axis=1)
    else:
        low = -1.0 if where.min_score is None else where.min_score
        high = 2.0 if where.max_score is None else where.max_score
        inside = ((probability >= low) & (probability <= high)).any(axis=1)
    score = np.zeros(len(windows), np.float32)
    score[rows] = probability.max(axis=1)
    mask[rows[~inside]] = False
    return score


def at_most(recording: npt.NDArray[np.int64], limit: int | None) -> list[int]:
    """Return positions that keep at most ``limit`` of each recording, in order."""
    seen: dict[int, int] = {}
    keep = []
    for position, i in enumerate(recording.tolist()):
        seen[i] = seen.get(i, 0) + 1
        if limit is None or seen[i] <= limit:
            keep.append(position)
    return keep


def describe(
    windows: WindowSet, rows: npt.NDArray[np.int64], value: npt.NDArray[np.floating]
) -> list[Hit]:
    """Return windows as hits, in the given order."""
    some = windows.take(rows)
    times = some.time.astype("datetime64[us]").astype(object)
    return [
        Hit(
            recording_id=int(some.recording_id[i]),
            path=str(path),
            start_s=float(some.start_s[i]),
            end_s=float(some.end_s[i]),
            channel=int(some.channel[i]),
            score=float(value[i]),
            site=site,
            time=times[i],
        )
        for i, (path, site) in enumerate(zip(some.texts("name"), some.texts("site"), strict=True))
    ]


def hits_table(hits: list[Hit]) -> pa.Table:
    """Return hits as an Arrow table, one column for each field."""
    return pa.table(
        {
            name: [getattr(hit, name) for hit in hits]
            for name in ("path", "start_s", "end_s", "channel", "score", "site", "time")
        }
    )
