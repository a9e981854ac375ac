"""The whole loop on real recordings: ESC-10, a warbler survey, mouse ultrasound, a tropical day.

The recordings are not part of this repository. The script looks for them in ANTIPHON_REAL_DATA and
for the two TFLite networks in ANTIPHON_MODELS, and says which part it leaves out where they are
missing. It prints Markdown, as kept in docs/results.md.

Run it with: python examples/real_recordings.py [--work FOLDER]
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from antiphon import Project
from antiphon.encoders.registry import list_encoders
from antiphon.pipeline.detect import load_detections, merged
from antiphon.pipeline.evaluate import text

ENCODERS = ("spectral", "yamnet", "birdnet-stm32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, help="where projects are kept; a temporary folder")
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("ANTIPHON_REAL_DATA"), help="the recordings"
    )
    chosen = parser.parse_args()
    if chosen.data is None or not Path(chosen.data).is_dir():
        sys.exit("Set ANTIPHON_REAL_DATA (or --data) to the folder of real recordings.")
    ready = {card.name: card for card in list_encoders()}
    encoders = [name for name in ENCODERS if ready[name].available]
    for name in sorted(set(ENCODERS) - set(encoders)):
        print(f"{name} is left out: {ready[name].why_not}\n")
    with _place(chosen.work) as work:
        for part in (esc10, warblers, mice, tropical_day):
            part(Path(chosen.data), work, encoders)


@contextmanager
def _place(work: Path | None) -> Iterator[Path]:
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
        yield work
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def esc10(data: Path, work: Path, encoders: list[str]) -> None:
    """Ten classes of sounds, grouped by the source recording; every clip has one class."""
    folder = data / "esc10"
    print("## ESC-10: 400 clips of 10 classes, folds by source recording\n")
    print("| encoder | windows | embed, times real time | macro AP | precision | recall |")
    print("|---|---:|---:|---|---|---|")
    for name in encoders:
        project = _project(work / f"esc10-{name}", folder / "audio", folder / "labels.csv")
        done = project.embed(name)
        project.import_labels(folder / "labels.csv", complete=True)
        project.train(group_by="source")
        project.detect()
        quality = project.evaluate(group_by="source")[0]
        project.report()
        rate = done.audio_s / max(done.run.wall_s, 1e-9)
        print(
            f"| {name} | {done.total_windows} | {rate:,.0f} | "
            f"{text(quality.macro_average_precision)} | {_mean(quality.classes, 'precision')} | "
            f"{_mean(quality.classes, 'recall')} |"
        )
    print()


def warblers(data: Path, work: Path, encoders: list[str]) -> None:
    """One survey with overlapping boxes of two species: too small to train on, so: search."""
    folder = data / "warbler_survey"
    audio = work / "warbler-audio"
    audio.mkdir(exist_ok=True)
    if not (audio / "survey.flac").exists():
        (audio / "survey.flac").symlink_to((folder / "survey.flac").resolve())
    print("## Warbler survey: search by a template call, one survey of 23.5 s with 7 boxes\n")
    print("| encoder | species | windows with it | of the first as many hits | ROC-AUC |")
    print("|---|---|---:|---:|---:|")
    for name in encoders:
        project = _project(work / f"warblers-{name}", audio)
        project.embed(name, hop_s=0.5)
        project.import_labels(
            folder / "survey_annotations.csv",
            recording="survey.flac",
            frequency_unit="kHz",
            complete=True,
        )
        for label, clip in (("BTNW", "btnw.flac"), ("OVEN", "oven.flac")):
            hits = project.search(like=folder / clip, k=10_000)
            positive = {(h.recording_id, h.start_s) for h in project.search(labels=[label], k=9999)}
            is_hit = np.array([(h.recording_id, h.start_s) in positive for h in hits])
            n = int(is_hit.sum())
            print(f"| {name} | {label} | {n} | {int(is_hit[:n].sum())} | {_auc(is_hit):.2f} |")
    print()


def mice(data: Path, work: Path, encoders: list[str]) -> None:
    """Ultrasound at 250 kHz: train on three recordings, judge on the fourth, each in turn."""
    folder = data / "mouse_usv"
    tables = work / "mouse-tables"
    tables.mkdir(exist_ok=True)
    for source in sorted(folder.glob("gt_*.csv")):
        number = source.stem.removeprefix("gt_")
        with source.open(newline="") as stream:
            rows = [row for row in csv.reader(stream) if row]
        with (tables / f"rec_{number}.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["recording", "start_s", "end_s", "label"])
            writer.writerows([f"rec_{number}.flac", row[0], row[1], "syllable"] for row in rows)
    project = _project(work / "mice", folder)
    # Syllables last some 50 ms and follow each other closely: short windows tell them apart.
    done = project.embed("spectral-ultrasound", window_s=0.1, hop_s=0.05)
    labels = project.import_labels(tables, complete=True)
    project.train(group_by="recording", folds=4)
    quality = project.evaluate(group_by="recording", folds=4)[0]
    found = project.detect()
    spans = merged(load_detections(project.folder)).num_rows
    project.report()
    syllable = quality.classes[0]
    print("## Mouse ultrasound at 250 kHz: 4 recordings, leave one out\n")
    print("| windows | syllables | AP | ROC-AUC | precision | recall | windows found | spans |")
    print("|---:|---:|---|---|---|---|---:|---:|")
    print(
        f"| {done.total_windows} | {labels.labels['syllable']} | "
        f"{text(syllable.average_precision)} | {text(syllable.roc_auc)} | "
        f"{text(syllable.precision)} | {text(syllable.recall)} | "
        f"{found.counts['syllable']} | {spans} |\n"
    )


def tropical_day(data: Path, work: Path, encoders: list[str]) -> None:
    """A day without labels: effort, a queue that covers it, and search within hours."""
    print("## Tropical day: 24 unlabelled recordings of one day\n")
    project = _project(work / "tropical", data / "tropical_day" / "audio")
    done = project.embed("spectral")
    status = project.status()
    queue = project.next(20, strategy="coreset", per_recording=2)
    hours = sorted({item.window.time.hour for item in queue if item.window.time})
    night = project.search(
        like=data / "tropical_day" / "audio" / Path(queue[0].window.path).name,
        at=(queue[0].window.start_s, queue[0].window.end_s),
        hour="18-6",
        k=5,
    )
    project.report()
    print(
        f"{status.hours * 60:.0f} minutes from {status.first} to {status.last}, "
        f"{done.total_windows} windows; the first 20 windows to label come from "
        f"{len({i.window.path for i in queue})} recordings and {len(hours)} hours of the day; "
        f"the 5 windows of the night nearest to the first of them have similarities "
        f"{', '.join(f'{h.score:.2f}' for h in night)}.\n"
    )


def _project(folder: Path, audio: Path, metadata: Path | None = None) -> Project:
    if (folder / "antiphon.toml").exists():
        return Project(folder)
    return Project.create(folder, audio=[audio], metadata=[metadata] if metadata else [])[0]


def _mean(classes: tuple[object, ...], name: str) -> str:
    values = [getattr(c, name) for c in classes]
    some = [v.value for v in values if v is not None and not np.isnan(v.value)]
    return f"{np.mean(some):.2f} (mean of {len(some)})" if some else "-"


def _auc(ranked: np.ndarray) -> float:
    """Return the area under the ROC curve of hits in order, the best first."""
    rank = np.arange(len(ranked), 0, -1)
    n, m = int(ranked.sum()), int((~ranked).sum())
    return float((rank[ranked].sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")


if __name__ == "__main__":
    began = time.process_time()
    main()
    print(f"{time.process_time() - began:.0f} CPU-s in all.")
