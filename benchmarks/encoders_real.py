"""Encoders on small real data sets: the four families, and detectors that others published.

    ANTIPHON_REAL_DATA=... ANTIPHON_MODELS=... python benchmarks/encoders_real.py [RUN]

Classification: ESC-10 by its five folds, groups by source. Repertoire: the syllables of two
Bengalese finches, each bird by itself. Individual ID: the same syllables, folds over songs. The two
birds come from two deposits with other microphones and rooms, so that number says how well
recordings are told apart, not how well birds are. Detection: boxes of a warbler survey found with
one template call of each species (nothing is trained), and mouse ultrasound, leaving one recording
out, beside the published output of DeepSqueak and MUPET on the same four files.

Embeddings are kept in RUN (a temporary folder when not given), so a second run is quick. Folders
that are not there are skipped with a reason. Times are wall-clock seconds.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import csv
import datetime
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from antiphon.errors import AntiphonError
from antiphon.evaluation.benchmarks.embedding.cache import AudioHashes, FeatureCache
from antiphon.evaluation.benchmarks.embedding.encoder_refs import EncoderRef, parse_encoders
from antiphon.evaluation.benchmarks.embedding.features import Features, cache_folder, extract
from antiphon.evaluation.benchmarks.embedding.windowing import WindowRule
from antiphon.evaluation.benchmarks.folder import ResultFolder
from antiphon.evaluation.benchmarks.judging.differences import differences
from antiphon.evaluation.benchmarks.judging.families import Settings, judge
from antiphon.evaluation.benchmarks.judging.results import Value
from antiphon.evaluation.benchmarks.output.exports import markdown, write_exports
from antiphon.evaluation.benchmarks.output.report import report_page
from antiphon.evaluation.benchmarks.output.table import make_table
from antiphon.evaluation.benchmarks.runner import Asked, run_suite
from antiphon.evaluation.benchmarks.sets.items import Event, Item, Labelled
from antiphon.evaluation.benchmarks.sets.judged_sets import JudgedSet, local_sources
from antiphon.evaluation.metrics.boxes import Boxes, box_average_precision
from antiphon.evaluation.metrics.events import Events, events_of
from antiphon.evaluation.metrics.scores import average_precision
from antiphon.evaluation.protocols.detection import event_detection
from antiphon.evaluation.protocols.event_decoding import Collars, EventRule, Steps
from antiphon.evaluation.protocols.knn import unit
from antiphon.evaluation.protocols.windows import beans_windows
from machine import processor

ENCODERS = ("spectral", "yamnet", "birdnet-stm32")
MOUSE = "spectral-ultrasound,window_s=0.04,frame_ms=1,fmin=25000"
MOUSE_WINDOW, MOUSE_SHIFT = 0.04, 0.02
SURVEY_WINDOW, SURVEY_SHIFT = 2.0, 0.5
SURVEY_IOU = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", nargs="?", type=Path)
    run = parser.parse_args().run or Path(tempfile.mkdtemp(prefix="encoders-real-"))
    given = os.environ.get("ANTIPHON_REAL_DATA")
    if not given or not Path(given).is_dir():
        print("Skipped: set ANTIPHON_REAL_DATA to the folder of the development recordings.")
        return
    data = Path(given)
    if "ANTIPHON_REAL_MODELS" in os.environ:
        os.environ.setdefault("ANTIPHON_MODELS", os.environ["ANTIPHON_REAL_MODELS"])
    today = datetime.date.today().isoformat()
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    print(f"{processor()}, {os.cpu_count()} cores, load {load}, Python "
          f"{platform.python_version()}, {today}\n")  # fmt: skip
    own_sets(data, run)
    survey(data / "warbler_survey", run)
    mouse(data / "mouse_usv", run)


def own_sets(data: Path, run: Path) -> None:
    """Classification, repertoire and individual ID through the command's own machinery."""
    sources = []
    for name, families in (
        ("esc10", ["classification"]),
        ("bengalese_finch", ["repertoire", "individual"]),
    ):
        if not (data / name).is_dir():
            print(f"Skipped: {data / name} is not there.\n")
            continue
        found, _ = local_sources([data / name], families=families, each_individual=True)
        sources += found
    if not sources:
        return
    began = time.perf_counter()
    asked = Asked(tuple(sources), parse_encoders(ENCODERS), run)
    report = run_suite(asked)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    run_suite(asked)
    again = time.perf_counter() - began
    for failure in report.failed:
        print(f"Not judged: {failure.what}: {failure.reason}\n")
    results, _ = ResultFolder(run).results()
    table = make_table(results)
    write_exports(run, table, results)
    (run / "report.html").write_text(report_page(results), encoding="utf-8")
    print(f"## Own labelled folders ({seconds:.0f} s; again with the cache {again:.2f} s)\n")
    print(markdown(table))
    print("| set | family | items | encoder | measure | value [95 %] | leakage |")
    print("|---" * 7 + "|")
    for result in sorted(results, key=lambda r: (r.family, r.name, r.encoder.label)):
        for v in result.values:
            if v.measure == "v_measure":
                continue  # equals NMI
            leaks = f"{result.leaks[0]} errors, {result.leaks[1]} warnings"
            about = f"{result.name} | {result.family} | {result.counts['all']}"
            what = f"{result.encoder.label} | {v.protocol} {v.measure}"
            print(f"| {about} | {what} | {v.text()} | {leaks} |")
    print("\n| set | family | best | against | accuracy gained [95 %] | verdict |")
    print("|---" * 6 + "|")
    for d in differences(results):
        print(f"| {d.name} | {d.family} | {d.best} | {d.other} | {d.value:+.3f} "
              f"[{d.low:+.3f}, {d.high:+.3f}] | {d.verdict} |")  # fmt: skip
    print()


def embed(data: JudgedSet | list[Item], rule: WindowRule, text: str, run: Path) -> Features:
    items = data if isinstance(data, list) else data.labelled.items
    encoder = EncoderRef.parse(text).create()
    cache = FeatureCache(cache_folder(run / "cache", encoder))
    hashes = AudioHashes(run / "cache" / "audio-hashes.jsonl")
    found = extract(items, encoder, rule, cache, hashes)
    for failure in found.failed:
        print(f"No embedding: {failure.item}: {failure.reason}")
    return found


def survey(folder: Path, run: Path) -> None:
    """Windows and boxes of the survey, scored by their cosine to one template of each species."""
    if not folder.is_dir():
        print(f"Skipped: {folder} is not there.\n")
        return
    rows = list(csv.DictReader((folder / "survey_annotations.csv").open()))
    spans = [(float(r["start.time"]), float(r["end.time"]), r["name"]) for r in rows]
    classes = ("BTNW", "OVEN")
    events = events_of({"survey": spans})
    rule = WindowRule(SURVEY_WINDOW, SURVEY_SHIFT)
    print("## Warbler survey: 7 boxes of 2 species in 23.5 s, one template call of each species\n")
    print(
        f"Windows of {SURVEY_WINDOW:g} s every {SURVEY_SHIFT:g} s, score: cosine to the template "
        "minus cosine to the other template. One recording, so there is no interval.\n"
    )
    print(f"| encoder | windows | AP BTNW | AP OVEN | mAP | box AP (time, IoU {SURVEY_IOU:g}) |")
    print("|---" * 6 + "|")
    for text in ENCODERS:
        try:
            windows = embed([Item(folder / "survey.flac")], rule, text, run)
            templates = [Item(folder / "btnw.flac"), Item(folder / "oven.flac")]
            found = embed(templates, WindowRule(), text, run)
        except AntiphonError as error:
            print(f"| {text} | not judged: {error} | | | | |")
            continue
        cosine = unit(windows.vectors) @ unit(found.vectors).T
        score = cosine - cosine[:, ::-1]
        labelled = beans_windows(
            {"survey": 23.5}, events, SURVEY_WINDOW, SURVEY_SHIFT, classes=classes
        )
        rows_of = np.round(windows.start_s / SURVEY_SHIFT).astype(int)
        ap = average_precision(score, labelled.targets[rows_of])
        boxes = box_average_precision(
            as_boxes(events), windows_as_boxes(windows, score, classes), SURVEY_IOU, classes=classes
        )
        print(f"| {text} | {len(score)} | {ap[0]:.3f} | {ap[1]:.3f} | {np.mean(ap):.3f} | "
              f"{boxes.mean:.3f} |")  # fmt: skip
    share = labelled.targets.mean(axis=0)
    print(f"| chance (share of windows) | {len(labelled)} | {share[0]:.3f} | {share[1]:.3f} | "
          f"{share.mean():.3f} | |\n")  # fmt: skip


def as_boxes(events: Events, score: np.ndarray | None = None) -> Boxes:
    """Give all boxes one band, so that overlap is that of time."""
    low, high = np.zeros(len(events)), np.ones(len(events))
    return Boxes(events.recording, events.onset, events.offset, events.label, low, high, score)


def windows_as_boxes(windows: Features, score: np.ndarray, classes: tuple[str, ...]) -> Boxes:
    """Take each class's windows that score higher than both neighbours, where it leads."""
    spans, scores = [], []
    for c, name in enumerate(classes):
        padded = np.concatenate([[-np.inf], score[:, c], [-np.inf]])
        peak = (padded[1:-1] >= padded[:-2]) & (padded[1:-1] >= padded[2:])
        for i in np.flatnonzero(peak):
            spans.append((windows.start_s[i], windows.end_s[i], name))
            scores.append(float(score[i, c]))
    return as_boxes(events_of({"survey": spans}), np.array(scores))


def spans_of(path: Path) -> list[tuple[float, float, str]]:
    with path.open() as file:
        return [(float(start), float(end), "usv") for start, end in csv.reader(file)]


def mouse(folder: Path, run: Path) -> None:
    """Mouse ultrasound: leave one recording out, and two published detectors on the same files."""
    if not folder.is_dir():
        print(f"Skipped: {folder} is not there.\n")
        return
    numbers = [1, 2, 3, 4]
    truth = {f"rec_{n}": spans_of(folder / f"gt_{n}.csv") for n in numbers}
    items = tuple(
        Item(
            folder / f"rec_{n}.flac",
            ("usv",),
            fold=n,
            recording=f"rec_{n}",
            events=tuple(Event(*span) for span in truth[f"rec_{n}"]),
        )
        for n in numbers
    )
    rule = WindowRule(MOUSE_WINDOW, MOUSE_SHIFT)
    data = JudgedSet(
        "mouse_usv", "mouse ultrasound", "local", "detection", Labelled(items, ("usv",)), True, rule
    )
    collars = Collars(onset=MOUSE_SHIFT, offset=MOUSE_SHIFT, rate=0.2)
    true = sum(len(spans) for spans in truth.values())
    print(f"## Mouse ultrasound: {true} calls in 4 recordings (21 s)\n")
    print(f"Windows of {MOUSE_WINDOW:g} s every {MOUSE_SHIFT:g} s, leaving one recording out; an "
          f"event is right when both ends lie within {MOUSE_SHIFT:g} s (or 20 % of its length at "
          "the end). Intervals draw the 4 recordings and are too narrow for so few. DeepSqueak and "
          "MUPET were trained and set by their authors, not here.\n")  # fmt: skip
    print("| system | window mAP | event F1 | precision | recall |")
    print("|---" * 5 + "|")
    for text in (MOUSE, *ENCODERS):
        try:
            judged = judge(data, embed(data, rule, text, run), Settings())
        except AntiphonError as error:
            print(f"| {text} | not judged: {error} | | | |")
            continue
        probe = judged.results.get("probe")
        if probe is None:
            print(f"| {text} | not judged: {'; '.join(judged.notes)} | | | |")
            continue
        names = ("map", "event_f1_micro", "event_precision", "event_recall")
        cells = [shown(probe, name) for name in names]
        print(f"| {text} | {' | '.join(cells)} |")
    for name in ("deepsqueak", "mupet"):
        found = {f"rec_{n}": spans_of(folder / f"{name}_{n}.csv") for n in numbers}
        events = events_of(found)
        steps = Steps(
            events.recording, events.onset, events.offset, np.ones((len(events), 1)), ("usv",)
        )
        rule_of_all = EventRule((0.5,), 0.0, 0.0)
        scored = event_detection(steps, events_of(truth), rule=rule_of_all, collars=collars)
        cells = [shown(scored, n) for n in ("event_f1_micro", "event_precision", "event_recall")]
        print(f"| {name} (published output) | – | {' | '.join(cells)} |")
    print()


def shown(result, name: str) -> str:
    try:
        m = result[name]
    except KeyError:
        return "–"
    return Value("", name, m.value, m.low, m.high, m.n).text()


if __name__ == "__main__":
    main()
