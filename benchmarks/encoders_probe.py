"""How good and how fast encoders are on real recordings, as a Markdown table.

    python benchmarks/encoders_probe.py --data DIR --models DIR spectral yamnet birdnet-stm32

``DIR`` holds ``esc10/labels.csv`` (filename, label, fold, source) with its clips, and
``european_birds/`` with the English name of the bird in each file name.

- ESC-10: five official folds; logistic regression (C = 0.01) on standardised clip vectors, the mean
  of the windows' embeddings weighted by their audio; 95 % interval from resampling sources.
  ``log-mel mean, std`` is the baseline in the same run: both per mel band.
- European birds: clips whose highest score is the right species, for encoders with scores.
- Times real time: seconds of audio per CPU-second, front end and network, one thread, no decoding.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from dataclasses import dataclass
from pathlib import Path

# One thread everywhere: the figures are per core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from antiphon.audio.features.logmel import LogMel
from antiphon.audio.reader import read_span
from antiphon.audio.windows import window_starts
from antiphon.encoders.base import Encoder
from antiphon.encoders.registry import create_encoder
from antiphon.errors import AntiphonError

Float32 = npt.NDArray[np.float32]
SEED = 0


@dataclass
class Clips:
    """Clips of ESC-10 with label, fold and source of each."""

    paths: list[Path]
    label: npt.NDArray[np.str_]
    fold: npt.NDArray[np.str_]
    source: npt.NDArray[np.str_]


def read_clips(data: Path) -> Clips:
    with (data / "esc10" / "labels.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    where = {path.name: path for path in (data / "esc10").rglob("*.*")}
    columns = (np.array([row[key] for row in rows]) for key in ("label", "fold", "source"))
    return Clips([where[row["filename"]] for row in rows], *columns)


class Timed:
    """An encoder that counts the seconds of audio and of CPU."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.audio_s, self.cpu_s = encoder, 0.0, 0.0

    def __call__(self, path: Path) -> tuple[Float32, Float32 | None]:
        """Return a clip's vector and its highest scores."""
        spec = self.encoder.spec
        samples = read_span(path, sample_rate=spec.sample_rate)[0]
        size, hop = spec.window_samples, round(spec.hop_s * spec.sample_rate)
        starts = window_starts(len(samples), size, hop)
        valid = np.minimum(size, len(samples) - starts)
        audio = np.zeros((len(starts), size), np.float32)
        for row, (start, count) in enumerate(zip(starts, valid, strict=True)):
            audio[row, :count] = samples[start : start + count]
        began = time.process_time()
        encoded = self.encoder.encode(self.encoder.prepare(audio, valid))
        self.cpu_s += time.process_time() - began
        self.audio_s += float(valid.sum()) / spec.sample_rate
        vector = (valid @ encoded.embeddings.astype(np.float64) / valid.sum()).astype(np.float32)
        return vector, None if encoded.scores is None else encoded.scores.max(axis=0)


def baseline(path: Path) -> Float32:
    """Mean and deviation of a log-mel spectrogram."""
    rate = 32_000
    log_mel = LogMel(rate, n_fft=1024, hop=320, n_mels=64, fmin=50)
    values = log_mel(read_span(path, sample_rate=rate))[0]
    return np.concatenate([values.mean(axis=0), values.std(axis=0)])


def correct(vectors: Float32, clips: Clips) -> npt.NDArray[np.bool_]:
    right = np.zeros(len(vectors), bool)
    for fold in np.unique(clips.fold):
        test = clips.fold == fold
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=5000))
        model.fit(vectors[~test], clips.label[~test])
        right[test] = model.predict(vectors[test]) == clips.label[test]
    return right


def accuracy(right: npt.NDArray[np.bool_], source: npt.NDArray[np.str_]) -> str:
    """Return the accuracy in % with its interval; whole sources are resampled."""
    rng = np.random.default_rng(SEED)
    groups = [right[source == name] for name in np.unique(source)]
    hits = np.array([group.sum() for group in groups])
    sizes = np.array([len(group) for group in groups])
    draws = rng.integers(0, len(groups), (2000, len(groups)))
    low, high = np.quantile(hits[draws].sum(1) / sizes[draws].sum(1), [0.025, 0.975])
    return f"{100 * right.mean():.1f} ({100 * low:.1f} to {100 * high:.1f})"


def top_one(encode: Timed, folder: Path) -> str:
    labels = encode.encoder.spec.labels
    paths = sorted(folder.glob("*.wav"))
    if not labels or not paths:
        return "no scores" if paths else "no clips"
    right = 0
    for path in paths:
        scores = encode(path)[1]
        assert scores is not None
        common = labels[int(scores.argmax())].split("_")[-1].replace(" ", "_")
        right += path.stem.endswith(common)
    return f"{right} of {len(paths)}"


def row(name: str, clips: Clips, data: Path) -> str:
    try:
        parameters = {} if name.startswith(("spectral", "avex:")) else {"threads": 1}
        encode = Timed(create_encoder(name, **parameters))
    except AntiphonError as error:
        return f"| {name} | | not run: {error} | | |"
    vectors = np.array([encode(path)[0] for path in clips.paths])
    speed = f"{encode.audio_s / encode.cpu_s:,.0f}"
    found = accuracy(correct(vectors, clips), clips.source)
    birds = top_one(encode, data / "european_birds")
    return f"| {name} | {vectors.shape[1]} | {found} | {birds} | {speed} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoders", nargs="*", default=["spectral", "yamnet", "birdnet-stm32"])
    beside = Path(__file__).resolve().parents[2] / "shared"
    data = Path(os.environ.get("ANTIPHON_REAL_DATA", beside / "data"))
    models = Path(os.environ.get("ANTIPHON_MODELS", beside / "models"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--models", type=Path, default=models)
    options = parser.parse_args()
    os.environ["ANTIPHON_MODELS"] = str(options.models)
    clips = read_clips(options.data)
    print("| encoder | length | ESC-10 probe, % (95 %) | European birds, top 1 | times real time |")
    print("|---|---|---|---|---|")
    vectors = np.array([baseline(path) for path in clips.paths])
    found = accuracy(correct(vectors, clips), clips.source)
    print(f"| log-mel mean, std | {vectors.shape[1]} | {found} | no scores | |")
    for name in options.encoders:
        print(row(name, clips, options.data), flush=True)


if __name__ == "__main__":
    main()
