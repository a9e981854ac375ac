"""Run a detector over all embedded windows, or over new recordings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from antiphon.audio.recording import find_recordings
from antiphon.encoders.base import Encoder
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import FileError, FormatError, UserError
from antiphon.labels.merge import merge_windows
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.embed import EmbedReport, embed
from antiphon.pipeline.files import replace_file
from antiphon.pipeline.windows import load_windows
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

DETECTION_SCHEMA = pa.schema(
    [
        pa.field("recording_id", pa.int64(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("site", pa.string()),
        # Local time at which the span begins; null where the recording's start is unknown.
        pa.field("time", pa.timestamp("us")),
        pa.field("channel", pa.int16(), nullable=False),
        pa.field("start_s", pa.float64(), nullable=False),
        pa.field("end_s", pa.float64(), nullable=False),
        pa.field("label", pa.string(), nullable=False),
        # Calibrated, 0 to 1.
        pa.field("probability", pa.float32(), nullable=False),
        pa.field("threshold", pa.float32(), nullable=False),
    ]
)
_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class DetectReport:
    """What a detector found.

    Parameters
    ----------
    detector
        Its name.
    path
        The Parquet file of detections, one row for each window and label over the threshold.
    windows
        Windows that were scored.
    counts
        Windows over the threshold, for each label.
    thresholds
        The threshold of each label.
    embedded
        What embedding the new recordings did, None when there were none.
    """

    detector: str
    path: Path
    windows: int
    counts: dict[str, int]
    thresholds: dict[str, float]
    embedded: EmbedReport | None


def detect(
    folder: ProjectFolder,
    table: VectorTable,
    *,
    audio: Path | None = None,
    encoder: Encoder | None = None,
    detector: str | None = None,
    threshold: float | None = None,
    reporter: Reporter | None = None,
) -> DetectReport:
    """Score windows, keep those over each label's threshold, and write them as one table.

    Parameters
    ----------
    audio
        A folder of new recordings; it is added to the project and embedded, and only its
        recordings are looked at. All of the project's when None.
    encoder
        The table's encoder; needed with ``audio``.
    detector
        Name of a detector; the newest of the table when None.
    threshold
        One threshold for all labels in place of the detector's own.

    Raises
    ------
    UserError
        If there is no detector, it belongs to another encoder, or there is nothing to score.
    KeyboardInterrupt
        If embedding the new recordings was stopped; nothing is scored then.
    """
    reporter = reporter or Silent()
    if threshold is not None and not 0.0 <= threshold <= 1.0:
        raise UserError(f"--threshold is {threshold:g}; it must lie between 0 and 1.")
    chosen = current_detector(folder, table, detector)
    report = None
    root = None
    if audio is not None:
        if encoder is None:
            raise UserError("Detecting in new recordings needs the encoder of the detector.")
        if not find_recordings(audio):
            raise FileError(audio, "there is no recording in this folder", "Give another --audio")
        root = folder.add_root(audio)
        report = embed(
            folder,
            encoder,
            table=table,
            roots=[root],
            reporter=reporter,
        )
        if report.run.interrupted:
            raise KeyboardInterrupt
    windows = load_windows(folder, table)
    rows = np.arange(len(windows), dtype=np.int64)
    if root is not None:
        rows = rows[windows.texts("root") == root]
    if len(rows) == 0:
        raise UserError("There are no embedded windows to look at. Run: antiphon embed PROJECT")
    limits = (
        chosen.threshold_values
        if threshold is None
        else np.full(len(chosen.labels), threshold, np.float32)
    )
    reporter.start("Detecting", float(len(rows)), "windows")
    found_row, found_label, found_score = [], [], []
    for begin in range(0, len(rows), _BLOCK):
        part = rows[begin : begin + _BLOCK]
        probability = score_windows(windows, chosen, part)
        over = probability >= limits
        i, j = np.nonzero(over)
        found_row.append(part[i])
        found_label.append(j)
        found_score.append(probability[i, j])
        reporter.advance(len(part))
    reporter.finish()
    row = np.concatenate(found_row)
    label = np.concatenate(found_label)
    score = np.concatenate(found_score)
    some = windows.take(row)
    names = np.array(chosen.labels, dtype=object)
    detections = pa.Table.from_arrays(
        [
            pa.array(some.recording_id),
            pa.array(some.texts("name"), pa.string()),
            pa.array(some.texts("site"), pa.string()),
            pa.array(some.time, pa.timestamp("us")),
            pa.array(some.channel),
            pa.array(some.start_s),
            pa.array(some.end_s),
            pa.array(names[label], pa.string()),
            pa.array(score, pa.float32()),
            pa.array(limits[label], pa.float32()),
        ],
        schema=DETECTION_SCHEMA.with_metadata(
            {
                "detector": str(chosen.facts["name"]),
                "labels": "\n".join(chosen.labels),
                "windows": str(len(rows)),
            }
        ),
    )
    name = str(chosen.facts["name"]) + ("" if root is None else f"-{root}")
    path = folder.detections_dir / f"{name}.parquet"
    replace_file(path, lambda temporary: pq.write_table(detections, temporary))
    return DetectReport(
        detector=str(chosen.facts["name"]),
        path=path,
        windows=len(rows),
        counts={str(names[j]): int((label == j).sum()) for j in range(len(chosen.labels))},
        thresholds={str(n): float(v) for n, v in zip(names, limits, strict=True)},
        embedded=report,
    )


def detection_runs(folder: ProjectFolder) -> list[str]:
    """Return the names of the runs whose detections are there, the newest last."""
    files = folder.detections_dir.glob("*.parquet")
    return [path.stem for path in sorted(files, key=lambda p: p.stat().st_mtime_ns)]


def load_detections(folder: ProjectFolder, name: str | None = None) -> pa.Table:
    """Return a run's detections, the newest run's when no name is given.

    Raises
    ------
    UserError
        If there is none, or none of that name.
    FormatError
        If their file is damaged.
    """
    runs = detection_runs(folder)
    if name is not None:
        runs = [run for run in runs if run == name]
    if not runs:
        wanted = "" if name is None else f" called {name!r}"
        raise UserError(f"There are no detections{wanted} yet. Run: antiphon detect PROJECT")
    path = folder.detections_dir / f"{runs[-1]}.parquet"
    try:
        return pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(
            path, f"these detections cannot be read ({error})", "Run antiphon detect again"
        ) from error


def merged(detections: pa.Table, gap_s: float = 0.0) -> pa.Table:
    """Join windows that touch or overlap into spans, for each recording, channel and label.

    Returns
    -------
    pyarrow.Table
        The same columns; a span's probability is the largest of its windows.
    """
    if detections.num_rows == 0:
        return detections
    columns = {
        name: detections.column(name).to_numpy(zero_copy_only=False)
        for name in ("recording_id", "start_s", "end_s", "channel", "label", "probability")
    }
    spans = merge_windows(
        columns["recording_id"],
        columns["start_s"],
        columns["end_s"],
        columns["channel"],
        columns["label"].astype(str),
        columns["probability"],
        gap_s=gap_s,
    )
    best = detections.take(pa.array(spans.best))
    # The best window gives all but the span's bounds; its clock time is moved to the span's start.
    back = np.round((columns["start_s"][spans.best] - spans.start_s) * 1e6)
    time = best.column("time").to_numpy(zero_copy_only=False).astype("datetime64[us]")
    news = {
        "start_s": spans.start_s,
        "end_s": spans.end_s,
        "time": time - back.astype("timedelta64[us]"),
    }
    arrays = [
        pa.array(news[field.name], field.type) if field.name in news else best.column(field.name)
        for field in DETECTION_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=detections.schema)
