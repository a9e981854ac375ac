"""The whole loop on synthesised soundscapes with known truth, through the verbs a user has.

Two projects start from the same embeddings and spend the same number of labels: one asks an
active strategy which windows to label, the other labels random ones. The person who answers is
the truth. Both are judged on sites that neither has labelled.
"""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.api import Project
from antiphon.audio.synthesis.dataset import DatasetFacts, write_dataset
from antiphon.engine.progress import Reporter, Silent
from antiphon.errors import UserError
from antiphon.labels.annotation import ABSENT, make_annotations
from antiphon.labels.formats.registry import read_annotations
from antiphon.labels.targets import window_targets
from antiphon.pipeline.detectors import current_detector, score_windows
from antiphon.pipeline.evaluate import text
from antiphon.pipeline.judging import difference, judge, pooled
from antiphon.pipeline.names import RecordingNames
from antiphon.pipeline.report.data import Estimate, Learning, LearningCurve, Quality
from antiphon.pipeline.reporting import write_project_report
from antiphon.pipeline.windows import WindowSet, load_windows

Float32 = npt.NDArray[np.float32]

SITES = 6
HELD_OUT = 2
SAMPLE_RATE = 24_000
ROUNDS = (40, 40, 40, 40, 40, 40)
STRATEGY = "antiphon"
_MARKER = ".antiphon-demo"
_NOTE = (
    "A demonstration on synthesised soundscapes: species, sites and labels are invented; the "
    "numbers are computed from this run."
)


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demo found, ready to print.

    Parameters
    ----------
    title, header, rows
        The table of both ways to choose, by labels spent.
    closing
        Sentences that sum it up.
    report
        The report of the active project.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    closing: tuple[str, ...]
    report: Path


@dataclass(frozen=True, slots=True)
class _Truth:
    """What is really in every window: 1, 0, or NaN where a call only grazes it."""

    labels: tuple[str, ...]
    targets: Float32
    windows: WindowSet
    held_out: npt.NDArray[np.bool_]


@dataclass(slots=True)
class _Arm:
    """One way to choose, its project and what it reached after each round."""

    name: str
    strategy: str
    project: Project
    spent: list[int]
    reached: list[Quality]
    probability: Float32 | None = None
    limits: Float32 | None = None


def run_demo(
    folder: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    reporter: Reporter | None = None,
    say: Callable[[str], None] = print,
) -> DemoResult:
    """Synthesise, embed, label, train, detect and report.

    Raises
    ------
    UserError
        If the folder is there already and ``overwrite`` is not set, or is no demo's.
    """
    reporter = reporter or Silent()
    begin = time.perf_counter()
    _clear(folder, overwrite)
    data = folder / "soundscapes"
    say(f"1. Synthesising soundscapes of {SITES} sites with exact truth")
    made = write_dataset(
        data,
        seed=seed,
        sites=SITES,
        days=2,
        recordings_per_site_day=12,
        duration_s=30.0,
        sample_rate=SAMPLE_RATE,
        reporter=reporter,
    )
    sites = tuple(dict.fromkeys(facts.planned.site.name for facts in made.recordings))
    say(
        f"   {len(made.recordings)} recordings, {made.duration_s / 60:.0f} minutes, "
        f"{sum(made.calls.values())} calls of {sum(n > 0 for n in made.calls.values())} species"
    )
    say("2. antiphon init, antiphon embed --encoder spectral")
    project, _ = Project.create(
        folder / "project", audio=[data / "audio"], metadata=[data / "metadata.csv"]
    )
    embedded = project.embed("spectral", reporter=reporter)
    speed = embedded.audio_s / max(embedded.run.wall_s, 1e-9)
    say(f"   {embedded.windows} windows, {speed:,.0f}x real time")
    truth = _truth(project, data / "truth", sites[-HELD_OUT:])
    say("3. antiphon search --like CLIP")
    for line in _search(project, truth, made):
        say(f"   {line}")
    project.folder.close()
    shutil.copytree(folder / "project", folder / "random")
    arms = [
        _Arm("active", STRATEGY, Project(folder / "project"), [], []),
        _Arm("random", "random", Project(folder / "random"), [], []),
    ]
    say(f"4. antiphon next, import, train: {len(ROUNDS)} rounds, {sum(ROUNDS)} windows each")
    rows = []
    for number, size in enumerate(ROUNDS):
        for arm in arms:
            _label_round(arm, truth, sites[:-HELD_OUT], size, folder / "queues", number, seed)
        row = [arms[0].spent[-1], *(text(arm.reached[-1].macro_average_precision) for arm in arms)]
        rows.append(tuple(row))
        say(f"   {row[0]} labels: active {row[1]}, random {row[2]} macro AP on held-out sites")
    active, random = arms
    say("5. antiphon detect, antiphon evaluate, antiphon report")
    active.project.detect()
    gain = _gain(active, random, truth, seed)
    report = _report(active, random, gain, seed, reporter)
    took = time.perf_counter() - begin
    return DemoResult(
        title="Macro average precision on sites without labels (95 % interval by recording)",
        header=("labels", f"active ({STRATEGY})", "random"),
        rows=tuple(rows),
        closing=(*_closing(active, truth, gain), f"The demo took {took:.0f} s."),
        report=report,
    )


def _clear(folder: Path, overwrite: bool) -> None:
    """Make an empty folder, replacing an earlier demo only."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; give a folder for the demo.")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARKER).exists():
            raise UserError(f"{folder} holds other files; give a new folder for the demo.")
        if not overwrite:
            raise UserError(
                f"{folder} holds a demo already; add --overwrite, or give a new folder."
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).touch()


def _truth(project: Project, tables: Path, held_out: tuple[str, ...]) -> _Truth:
    """Read the exact truth and lay it over the project's windows."""
    read = read_annotations(tables, "raven", label_column="Species")
    names = RecordingNames(project.folder)
    whole = make_annotations(
        {
            "recording": list(read.reviewed),
            "presence": [ABSENT] * len(read.reviewed),
        }
    )
    table = pa.concat_tables([read.table, whole])
    ids = [names.find(name) for name in table.column("recording").to_pylist()]
    table = table.append_column("recording_id", pa.array(ids, pa.int64()))
    labels = tuple(sorted({n for n in read.table.column("label").to_pylist() if n}))
    windows = load_windows(project.folder, project.table())
    targets = window_targets(
        windows.recording_id, windows.start_s, windows.end_s, windows.channel, table, labels
    )
    return _Truth(labels, targets, windows, np.isin(windows.texts("site").astype(str), held_out))


def _search(project: Project, truth: _Truth, made: DatasetFacts) -> list[str]:
    """Search by the clearest call in the field of a common and of a rare species."""
    counts = np.nansum(truth.targets == 1.0, axis=0)
    order = np.argsort(-counts)
    row_of = _rows(truth.windows)
    lines = []
    for kind, label in (("common", order[0]), ("rare", order[-3])):
        name = truth.labels[label]
        facts, call = max(
            ((f, e) for f in made.recordings for e in f.events if e.species == name),
            key=lambda found: found[1].snr_db,
        )
        middle = (call.start_s + call.end_s) / 2
        first = max(0.0, min(middle - 1.5, made.config.duration_s - 3.0))
        hits = project.search(like=facts.path, at=(first, first + 3.0), k=100)
        rows = [
            row_of[hit.recording_id, round(hit.start_s, 3)]
            for hit in hits
            if not hit.path.endswith(facts.path.name)
        ][:10]
        right = int(np.nansum(truth.targets[rows, label] == 1.0))
        share = counts[label] / len(truth.windows)
        lines.append(
            f"{name} ({kind}, in {share:.1%} of windows): {right} of the first {len(rows)} hits in "
            "other recordings hold it"
        )
    return lines


def _rows(windows: WindowSet) -> dict[tuple[int, float], int]:
    """Return each window's row by its recording and start."""
    return {
        (int(i), round(float(s), 3)): row
        for row, (i, s) in enumerate(zip(windows.recording_id, windows.start_s, strict=True))
    }


def _label_round(
    arm: _Arm,
    truth: _Truth,
    sites: tuple[str, ...],
    size: int,
    queues: Path,
    number: int,
    seed: int,
) -> None:
    """Choose windows, answer them from the truth, import the answers, train, and judge."""
    items = arm.project.next(size, strategy=arm.strategy, sites=sites, seed=seed + number)
    path = queues / f"{arm.name}-{number + 1}.csv"
    path.parent.mkdir(exist_ok=True)
    arm.project.write_queue(items, path)
    _answer(path, truth, arm.project)
    arm.project.import_labels(path, complete=True, annotator="truth")
    arm.project.train(seed=seed)
    table = arm.project.table()
    detector = current_detector(arm.project.folder, table)
    rows = np.flatnonzero(truth.held_out)
    probability = np.zeros((len(rows), len(truth.labels)), np.float32)
    limits = np.ones(len(truth.labels), np.float32)
    known = [truth.labels.index(name) for name in detector.labels]
    probability[:, known] = score_windows(load_windows(arm.project.folder, table), detector, rows)
    limits[known] = detector.threshold_values
    windows = truth.windows.take(rows)
    groups, _ = windows.groups("recording")
    arm.spent.append(sum(ROUNDS[: number + 1]))
    arm.probability, arm.limits = probability, limits
    arm.reached.append(
        judge(
            probability,
            truth.targets[rows],
            groups,
            truth.labels,
            limits,
            title="Against the exact truth, on sites without labels",
            group_by="recording",
            seed=seed,
        )
    )


def _answer(path: Path, truth: _Truth, project: Project) -> None:
    """Fill in a queue as a person would who hears everything."""
    names = RecordingNames(project.folder)
    row_of = _rows(truth.windows)
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        rows = list(reader)
        columns = list(reader.fieldnames or [])
    for line in rows:
        where = (names.find(line["recording"]) or -1, round(float(line["start_s"]), 3))
        said = truth.targets[row_of[where]]
        heard = [
            name + ("" if value == 1.0 else "?")
            for name, value in zip(truth.labels, said, strict=True)
            if value != 0.0
        ]
        line["labels"] = "; ".join(heard) or "nothing"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)


def _gain(active: _Arm, random: _Arm, truth: _Truth, seed: int) -> Estimate:
    """Return what the active choice gained in macro average precision, paired by recording."""
    rows = np.flatnonzero(truth.held_out)
    groups, _ = truth.windows.take(rows).groups("recording")
    assert active.probability is not None
    assert random.probability is not None
    return difference(
        active.probability, random.probability, truth.targets[rows], groups, seed=seed
    )


def _report(active: _Arm, random: _Arm, gain: Estimate, seed: int, reporter: Reporter) -> Path:
    curves = []
    for arm in (active, random):
        reached = [q.macro_average_precision for q in arm.reached]
        curves.append(
            LearningCurve(
                name=f"{arm.name} ({arm.strategy})",
                labels=np.array(arm.spent, np.float64),
                value=np.array([e.value for e in reached if e], np.float64),
                low=np.array([e.low for e in reached if e], np.float64),
                high=np.array([e.high for e in reached if e], np.float64),
            )
        )
    return write_project_report(
        active.project.folder,
        active.project.table(),
        None,
        seed=seed,
        more_quality=(active.reached[-1],),
        learning=Learning(
            tuple(curves),
            measure="macro average precision on sites without labels",
            band="95 % interval, bootstrap by recording; one run of each",
        ),
        notes=(_NOTE, _gain_sentence(active, gain)),
        reporter=reporter,
    )


def _closing(active: _Arm, truth: _Truth, gain: Estimate) -> tuple[str, ...]:
    """Sum up what was gained, and precision and recall over all detections together."""
    assert active.probability is not None
    assert active.limits is not None
    target = truth.targets[truth.held_out]
    found = (active.probability >= active.limits) & ~np.isnan(target)
    right = int((found & (target == 1.0)).sum())
    there = int((target == 1.0).sum())
    groups, _ = truth.windows.take(np.flatnonzero(truth.held_out)).groups("recording")
    precision, recall = pooled(active.probability, target, groups, active.limits)
    quality = (
        f"At the thresholds of the active detector, against the exact truth of {HELD_OUT} sites "
        f"without labels: {right} of {int(found.sum())} detections are right (precision "
        f"{text(precision)}) and {right} of {there} calls in windows are found (recall "
        f"{text(recall)}; 95 % intervals, bootstrap by recording)."
    )
    return _gain_sentence(active, gain), quality


def _gain_sentence(active: _Arm, gain: Estimate) -> str:
    return (
        f"Active less random labels, {active.spent[-1]} of each: {text(gain)} in macro average "
        "precision (95 % interval, paired by recording, one run)."
    )
