"""Real recordings through ``antiphon soundscape run``: a warbler survey and a tropical day.

    ANTIPHON_REAL_DATA=FOLDER python examples/soundscape/pantanal/real.py --work real

The recordings are not part of this repository. A linear head is fitted to one clip of each of two
warblers and scores the survey, in which every song is annotated. The tropical day has no labels: it
is scored by the same head, and with ``--pantanal FOLDER`` by the ensemble that run.py left there.
Its classes do not live in that forest; what is shown is that every window of files of other rates
and lengths has a score, and how quickly.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from antiphon.audio.recording import find_recordings, probe
from antiphon.audio.windows import WindowSpec, stream_windows
from antiphon.encoders.registry import create_encoder
from antiphon.evaluation.blending.files.rows import split_row_id
from antiphon.evaluation.blending.files.submission import read_scores
from antiphon.evaluation.metrics.scores import roc_auc
from antiphon.heads.calibration import no_calibration
from antiphon.heads.detector import Detector
from antiphon.heads.linear import fit_linear
from antiphon.heads.thresholds import Threshold

WARBLERS = ("BTNW", "OVEN")
WINDOW_S, HOP_S = 3.0, 0.5
# A window counts as one with a song that it holds so much of.
_LEAST_S = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="the folder of everything")
    parser.add_argument("--pantanal", type=Path, help="the folder of run.py, for its ensemble")
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("ANTIPHON_REAL_DATA"), help="the recordings"
    )
    chosen = parser.parse_args()
    if chosen.data is None or not Path(chosen.data).is_dir():
        sys.exit("Set ANTIPHON_REAL_DATA (or --data) to the folder of real recordings.")
    data, work = Path(chosen.data), chosen.work
    work.mkdir(parents=True, exist_ok=True)
    day = data / "tropical_day" / "audio"
    ensemble = two_warblers(data / "warbler_survey", day, work)
    lines = survey(data / "warbler_survey", work, ensemble)
    ensembles = {"warblers": ensemble}
    if chosen.pantanal is not None:
        ensembles["pantanal"] = chosen.pantanal / "final.yaml"
    lines += ["", "| tropical day by | recordings | rows | members | times real time | complete |"]
    lines += ["|---|---:|---:|---:|---:|---|"]
    lines += [tropical_day(day, work, name, file) for name, file in ensembles.items()]
    print("\n".join(["", *lines]))


def two_warblers(folder: Path, elsewhere: Path, work: Path) -> Path:
    """Fit a head to one clip of each warbler, against a day without any; write an ensemble."""
    encoder = create_encoder("spectral", window_s=WINDOW_S)
    sources = [(folder / f"{name.lower()}.flac", k, 0.25) for k, name in enumerate(WARBLERS)]
    sources += [(path, 2, 30.0) for path in find_recordings(elsewhere)]
    parts, owner = [], []
    for path, k, hop_s in sources:
        # No hop is longer than a window: of the day every tenth window is taken.
        spec = WindowSpec(WINDOW_S, min(hop_s, WINDOW_S), encoder.spec.sample_rate)
        windows = np.concatenate([b.audio for b in stream_windows(path, spec)])
        windows = windows[:: max(1, round(hop_s / WINDOW_S))]
        valid = np.full(len(windows), windows.shape[1])
        parts.append(encoder.encode(encoder.prepare(windows, valid)).embeddings)
        owner += [k] * len(windows)
    head = fit_linear(np.concatenate(parts), np.eye(3, 2, dtype=np.float32)[owner], l2=100.0)
    # Two clips say nothing of precision: a threshold of a half, and no calibration.
    unknown = float("nan")
    half = Threshold(0.5, *([unknown] * 6), n_positive=0, n_groups=0, more_clips_needed=None)
    spec_json = encoder.spec.to_json()
    Detector(
        head, no_calibration(2), WARBLERS, (half, half), spec_json, encoder.spec.fingerprint
    ).save(work / "warblers.safetensors")
    settings = {
        "name": "warblers",
        "classes": list(WARBLERS),
        "window": {"length_s": WINDOW_S, "hop_s": HOP_S},
        "members": [
            {
                "name": "probe",
                "encoder": "spectral",
                "head": "warblers.safetensors",
                "context_hop_s": HOP_S,
            }
        ],
    }
    path = work / "warblers.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    return path


def survey(folder: Path, work: Path, ensemble: Path) -> list[str]:
    """Score the survey and hold the windows against its annotations."""
    alone = work / "survey"
    alone.mkdir(exist_ok=True)
    shutil.copy(folder / "survey.flac", alone)
    soundscape(alone, ensemble, work / "survey.csv")
    scores = read_scores(work / "survey.csv")
    with (folder / "survey_annotations.csv").open(newline="", encoding="utf-8") as file:
        songs = list(csv.DictReader(file))
    truth = np.array([[_holds(row, songs, name) for name in scores.classes] for row in scores.rows])
    auc = roc_auc(np.asarray(scores.score), truth.astype(np.float64))
    return ["| warbler | windows with it | of | ROC-AUC |", "|---|---:|---:|---:|"] + [
        f"| {name} | {int(truth[:, k].sum())} | {len(truth)} | {auc[k]:.2f} |"
        for k, name in enumerate(scores.classes)
    ]


def _holds(row: str, songs: list[dict[str, str]], name: str) -> bool:
    parts = split_row_id(row)
    assert parts is not None
    end = parts[1]
    return any(
        song["name"] == name
        and min(end, float(song["end.time"])) - max(end - WINDOW_S, float(song["start.time"]))
        >= _LEAST_S
        for song in songs
    )


def tropical_day(audio: Path, work: Path, name: str, ensemble: Path) -> str:
    """Score a day without labels, and check that no window of it is missing."""
    out = work / f"tropical-{name}.csv"
    report = soundscape(audio, ensemble, out)
    settings = yaml.safe_load(ensemble.read_text(encoding="utf-8"))
    window = settings.get("window", {})
    scores = read_scores(out)
    paths = find_recordings(audio)
    seconds = sum(probe(path).duration_s for path in paths)
    expected = _rows(
        [probe(path).duration_s for path in paths],
        window.get("length_s", 5.0),
        window.get("hop_s", 5.0),
    )
    good = len(scores.rows) == expected and bool(np.isfinite(scores.score).all())
    return (
        f"| {name} | {len(paths)} | {len(scores.rows)} | {len(settings['members'])} | "
        f"{seconds / report['seconds']:.0f} | {'yes' if good else 'NO'} |"
    )


def _rows(durations: list[float], length_s: float, hop_s: float) -> int:
    """Return how many windows recordings have when the last one may reach past the end."""
    some: npt.NDArray[np.float64] = np.array(durations)
    return int(np.maximum(np.ceil((some - length_s) / hop_s - 1e-9), 0).sum() + len(some))


def soundscape(folder: Path, ensemble: Path, out: Path) -> dict[str, Any]:
    """Run the command, and return its report."""
    words = ["soundscape", "run", str(folder), "--ensemble", str(ensemble), "--out", str(out)]
    print("\n$ antiphon", *words, flush=True)
    subprocess.run([sys.executable, "-m", "antiphon", *words], check=True)
    report = json.loads(out.with_name(out.name + ".report.json").read_text(encoding="utf-8"))
    return dict(report)


if __name__ == "__main__":
    main()
