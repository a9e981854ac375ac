"""Search: windows that sound like a clip, carry a label or score high, within site and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.audio.reader import read_span
from antiphon.audio.recording import probe
from antiphon.encoders.base import Encoder
from antiphon.errors import AudioError, UserError
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.filters import WindowFilter
from antiphon.pipeline.windows import WindowSet, label_mask, load_windows, time_mask
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Float32 = npt.NDArray[np.float32]


# Power of a query's window, relative to its loudest, below which it is background.
_QUIET = 1e-3


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
    if k < 1:
        raise UserError(f"-k is {k}; it must be at least 1.")
    if at is not None and like is None:
        raise UserError("--at is a span of the clip to look for; it goes with --like CLIP.")
    where = where or WindowFilter()
    windows = load_windows(folder, table)
    mask = time_mask(windows, where) & label_mask(folder, windows, where)
    score: Float32 | None = None
    if where.detected or where.min_score is not None or where.max_score is not None:
        score = _detected(folder, table, windows, where, mask)
    rows: npt.NDArray[np.int64]
    if like is not None:
        if encoder is None:
            raise UserError("A search by example needs the encoder of the table.")
        query = embed_query(encoder, like, at)
        wide = k
        while True:
            rows, value = windows.view.nearest(query, wide, mask=mask, exact=exact)
            enough = per_recording is None or len(rows) < wide
            if enough or len(at_most(windows.recording_id[rows], per_recording)) >= k:
                break
            wide *= 4
    elif score is not None:
        order = np.flatnonzero(mask)
        order = order[np.argsort(-score[order], kind="stable")]
        rows, value = order, score[order]
    elif where != WindowFilter():
        rows = np.flatnonzero(mask)
        value = np.ones(len(rows), np.float32)
    else:
        raise UserError(
            "Nothing to search for: give --like CLIP, --detected LABEL, or a condition such as "
            "--label or --site."
        )
    return _hits(windows, rows, value, k, per_recording)


def embed_query(encoder: Encoder, path: Path, at: tuple[float, float] | None) -> Float32:
    """Embed a query clip: ``(n_windows, dim)``, near-silent windows left out.

    A clip shorter than a window is one padded window. A longer one is cut into windows, of which
    those less than half full and those 30 dB below the loudest are no example of the sound.
    """
    info = probe(path)
    first, last = at if at is not None else (0.0, info.duration_s)
    if not 0 <= first < last:
        raise UserError(f"--at {first:g}-{last:g} is not a span of seconds.")
    if first >= info.duration_s:
        raise AudioError(
            path, f"--at begins at {first:g} s, the file ends at {info.duration_s:g} s"
        )
    spec = encoder.spec
    audio = read_span(path, first, min(last, info.duration_s), sample_rate=spec.sample_rate)[0]
    size = spec.window_samples
    count = max(1, -(-len(audio) // size))
    padded = np.zeros((count, size), np.float32)
    padded.reshape(-1)[: len(audio)] = audio
    valid = np.minimum(size, len(audio) - size * np.arange(count, dtype=np.int64))
    power = (padded.astype(np.float64) ** 2).sum(axis=1) / valid
    keep = (valid >= size // 2) & (power > _QUIET * power.max())
    if not keep.any():
        keep[np.argmax(power)] = True
    padded, valid = padded[keep], valid[keep]
    return encoder.encode(encoder.prepare(padded, valid)).embeddings


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


def _hits(
    windows: WindowSet,
    rows: npt.NDArray[np.int64],
    value: Float32,
    k: int,
    per_recording: int | None,
) -> list[Hit]:
    if per_recording is not None:
        keep = at_most(windows.recording_id[rows], per_recording)
        rows, value = rows[keep], value[keep]
    return describe(windows, rows[:k], value[:k])


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
