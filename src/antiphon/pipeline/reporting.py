"""Collect the facts of a project's report and write it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon._version import __version__
from antiphon.audio.reader import read_span
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import AntiphonError, FileError, UserError
from antiphon.heads.detector import Detector
from antiphon.pipeline import history
from antiphon.pipeline.detectors import find_detector, score_windows
from antiphon.pipeline.evaluate import evaluate
from antiphon.pipeline.report.data import (
    ClipView,
    Detections,
    Effort,
    Learning,
    Provenance,
    Quality,
    ReportData,
    Summary,
    Uncovered,
)
from antiphon.pipeline.report.render import write_report
from antiphon.pipeline.windows import WindowSet, load_windows, targets
from antiphon.store.project import ProjectFolder
from antiphon.store.vectors import VectorTable

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_CLIPS = 3
_CLASSES_WITH_CLIPS = 12
_CONTEXT_S = 0.5
_LONGEST_CLIP_S = 6.0


def write_project_report(
    folder: ProjectFolder,
    table: VectorTable,
    path: Path | None = None,
    *,
    seed: int = 0,
    more_quality: Sequence[Quality] = (),
    learning: Learning | None = None,
    notes: Sequence[str] = (),
    reporter: Reporter | None = None,
) -> Path:
    """Write a project's report as one HTML file.

    Parameters
    ----------
    path
        Where; ``reports/report.html`` of the project when None.
    seed
        Of folds and bootstraps.
    more_quality
        Evaluations to show before the project's own, such as one against a known truth.
    learning
        Labels against quality; from the project's history of trainings when None.
    notes
        Sentences for the top.
    """
    reporter = reporter or Silent()
    if path is not None and path.is_dir():
        raise FileError(path, "is a folder", "Give the name of a file in it")
    windows = load_windows(folder, table)
    detector = find_detector(folder, table)
    quality: list[Quality] = list(more_quality)
    leakage: list[str] = []
    try:
        quality += evaluate(folder, table, seed=seed, reporter=reporter)
    except UserError as error:
        leakage.append(f"Quality was not measured: {error}")
    probability = None
    if detector is not None:
        reporter.start("Scoring windows", None, "windows")
        probability = score_windows(windows, detector, np.arange(len(windows), dtype=np.int64))
        reporter.finish()
    judged = next((q for q in quality if q.folds), None)
    if judged is not None and learning is None:
        learning = history.learning(folder, table, judged)
    data = ReportData(
        summary=_summary(folder, table, windows, detector, notes),
        provenance=_provenance(folder, table, detector, seed),
        effort=_effort(folder),
        quality=tuple(quality),
        detections=_detections(windows, detector, probability),
        clips=_clips(folder, windows, detector, probability, reporter),
        learning=learning,
        uncovered=_uncovered(folder, table, windows, detector, leakage),
    )
    return write_report(data, path or folder.reports_dir / "report.html")


def _summary(
    folder: ProjectFolder,
    table: VectorTable,
    windows: WindowSet,
    detector: Detector | None,
    notes: Sequence[str],
) -> Summary:
    recordings = folder.catalogue.recordings()
    durations = [d or 0.0 for d in recordings.column("duration_s").to_pylist()]
    sites = {s for s in recordings.column("site").to_pylist() if s}
    return Summary(
        project=folder.root.name,
        encoder=str(table.spec["name"]),
        encoder_fingerprint=table.fingerprint,
        detector=None if detector is None else str(detector.facts["name"]),
        recordings=recordings.num_rows,
        hours=sum(durations) / 3600.0,
        windows=len(windows),
        sites=len(sites),
        labels_spent=folder.catalogue.labels_spent(),
        annotations=int(folder.catalogue.annotations().num_rows),
        notes=tuple(notes),
    )


def _effort(folder: ProjectFolder) -> Effort:
    rows = folder.catalogue.recordings()
    return Effort(
        path=tuple(rows.column("path").to_pylist()),
        start=rows.column("start_time").to_numpy(zero_copy_only=False).astype("datetime64[us]"),
        duration_s=np.array([d or 0.0 for d in rows.column("duration_s").to_pylist()], np.float64),
        site=tuple(s or "" for s in rows.column("site").to_pylist()),
    )


def _detections(
    windows: WindowSet, detector: Detector | None, probability: Float32 | None
) -> Detections | None:
    if detector is None or probability is None:
        return None
    row, label = np.nonzero(probability >= detector.threshold_values)
    sites = windows.texts("site")[row]
    return Detections(
        labels=detector.labels,
        label=label.astype(np.int64),
        time=windows.time[row],
        site=tuple(s or "" for s in sites),
    )


def _clips(
    folder: ProjectFolder,
    windows: WindowSet,
    detector: Detector | None,
    probability: Float32 | None,
    reporter: Reporter,
) -> tuple[ClipView, ...]:
    """Return the best and the most doubtful windows of each class, of different recordings."""
    if detector is None or probability is None or len(windows) == 0:
        return ()
    said = targets(folder, windows, list(detector.labels))
    counts = (probability >= detector.threshold_values).sum(axis=0)
    shown = np.sort(np.argsort(-counts, kind="stable")[:_CLASSES_WITH_CLIPS])
    clips: list[ClipView] = []
    reporter.start("Cutting clips", float(len(shown)), "classes")
    for label in shown:
        score = probability[:, label]
        limit = detector.threshold_values[label]
        doubt = np.abs(score - limit) if limit <= 1.0 else -score
        taken: set[int] = set()
        for kind, order in (("best", np.argsort(-score)), ("doubtful", np.argsort(doubt))):
            for row in _different(windows, order, taken):
                clip = _clip(folder, windows, row, reporter)
                if clip is None:
                    continue
                audio, rate, start, end = clip
                value = said[row, label]
                time = windows.time[row]
                clips.append(
                    ClipView(
                        label=detector.labels[label],
                        kind="best" if kind == "best" else "doubtful",
                        audio=audio,
                        sample_rate=rate,
                        path=str(windows.texts("path")[row]),
                        start_s=start,
                        end_s=end,
                        probability=float(score[row]),
                        site=str(windows.texts("site")[row] or ""),
                        time=None
                        if np.isnat(time)
                        else time.astype("datetime64[us]").astype(datetime),
                        said={1.0: "present", 0.0: "absent"}.get(float(value)),
                        box=(
                            float(windows.start_s[row]) - start,
                            float(windows.end_s[row]) - start,
                            0.0,
                            rate / 2.0,
                        ),
                    )
                )
        reporter.advance(1)
    reporter.finish()
    return tuple(clips)


def _different(windows: WindowSet, order: Int64, taken: set[int]) -> list[int]:
    """Return the first few rows of an order that come from recordings not taken yet."""
    found: list[int] = []
    for row in order[:2000].tolist():
        recording = int(windows.recording_id[row])
        if recording not in taken:
            taken.add(recording)
            found.append(row)
        if len(found) == _CLIPS:
            break
    return found


def _clip(
    folder: ProjectFolder, windows: WindowSet, row: int, reporter: Reporter
) -> tuple[Float32, int, float, float] | None:
    """Read a window with some context at the recording's own rate."""
    at = int(windows.row[row])
    facts = {
        name: windows.recordings.column(name)[at].as_py()
        for name in ("root", "path", "sample_rate", "duration_s")
    }
    start = max(0.0, float(windows.start_s[row]) - _CONTEXT_S)
    end = min(float(facts["duration_s"]), float(windows.end_s[row]) + _CONTEXT_S)
    end = min(end, start + _LONGEST_CLIP_S)
    channel = int(windows.channel[row])
    try:
        audio = read_span(
            folder.recording_path(facts["root"], facts["path"]),
            start,
            end,
            channel="mix" if channel < 0 else channel,
        )
    except (AntiphonError, OSError) as error:
        reporter.note(f"{facts['path']}: no clip in the report: {error}")
        return None
    return audio[0], int(facts["sample_rate"]), start, end


def _uncovered(
    folder: ProjectFolder,
    table: VectorTable,
    windows: WindowSet,
    detector: Detector | None,
    leakage: Sequence[str],
) -> Uncovered:
    rows = folder.catalogue.recordings(all_states=True)
    column = {n: rows.column(n).to_pylist() for n in ("id", "path", "status", "problem")}
    embedded = set(np.unique(windows.recording_id).tolist())
    failures = folder.catalogue.failures(table.id)
    problems = []
    for i, path, state, why in zip(*column.values(), strict=True):
        if state in ("partial", "unreadable", "missing"):
            problems.append((path, state, why or ""))
        elif state == "ok" and i in failures and i not in embedded:
            problems.append((path, "not embedded", failures[i].reason))
        elif state == "ok" and i not in embedded:
            problems.append((path, "not embedded", "run: antiphon embed"))
    present = set(folder.catalogue.annotations(presence=["present"]).column("label").to_pylist())
    names = folder.catalogue.label_names()
    untrained = {}
    if detector is not None:
        # A label that came after the training, or lies in recordings without embeddings.
        late = {n for n in names if n in present and n not in detector.labels}
        untrained = dict.fromkeys(late, "no embedded window carried it when it was trained")
        untrained |= detector.facts.get("untrained", {})
    return Uncovered(
        problems=tuple(problems),
        without_positives=tuple(n for n in names if n not in present),
        untrained=tuple(sorted(untrained.items())),
        leakage=tuple(leakage),
    )


def _provenance(
    folder: ProjectFolder, table: VectorTable, detector: Detector | None, seed: int
) -> Provenance:
    import pyarrow
    import scipy

    commands = [f"antiphon embed {folder.root.name} --encoder {table.spec['name']}"]
    settings = {
        "windows": f"{table.windows_spec['window_s']:g} s every {table.windows_spec['hop_s']:g} s",
        "channel": table.windows_spec["channel"],
        "min_overlap": folder.config.labels.min_overlap,
        "encoder fingerprint": table.fingerprint,
    }
    seeds: dict[str, int] = {"folds and bootstrap": seed}
    if detector is not None:
        facts = detector.facts
        commands.append(
            f"antiphon train {folder.root.name} --head {facts['head']} "
            f"--group-by {facts['group_by']} --precision {facts['precision']} "
            f"--folds {facts['folds']} --seed {facts['seed']}"
        )
        settings |= {"head": facts["head"], "group by": facts["group_by"]}
        seeds["training"] = int(facts["seed"])
        commands.append(f"antiphon detect {folder.root.name}")
    commands.append(f"antiphon report {folder.root.name}")
    return Provenance(
        created=datetime.now().astimezone().replace(microsecond=0),
        versions={
            "antiphon": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "pyarrow": pyarrow.__version__,
        },
        settings=settings,
        seeds=seeds,
        machine={
            "system": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count() or 0,
        },
        commands=tuple(commands),
    )
