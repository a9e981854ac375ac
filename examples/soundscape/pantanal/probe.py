"""Probes on embeddings: linear heads on 5-s windows of focal clips and of labelled soundscapes.

Four score files of the training soundscapes come out of it:

- ``probe_focal.csv``: the head has heard focal clips alone;
- ``probe.csv``: focal clips and labelled soundscapes, each of which is scored by a head that was
  fitted without its site; ``probe-folds.csv`` says which;
- ``probe_leak.csv``: the planted leak. One head for everything, which then scores the recordings
  that it was fitted to;

and ``probe.safetensors``, a head on everything for recordings that are new, as for the test.
"""

from __future__ import annotations

import ast
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.audio.windows import WindowSpec, stream_windows
from antiphon.encoders.base import Encoder
from antiphon.encoders.registry import create_encoder
from antiphon.evaluation.blending.files.rows import row_id
from antiphon.evaluation.blending.files.sites import site_and_hour
from antiphon.evaluation.blending.files.submission import write_scores
from antiphon.evaluation.blending.files.truth import read_truth
from antiphon.evaluation.crossval import grouped_folds
from antiphon.heads.calibration import fit_calibration
from antiphon.heads.detector import Detector
from antiphon.heads.linear import LinearHead, fit_linear
from antiphon.heads.thresholds import choose_thresholds

Float32 = npt.NDArray[np.float32]
WINDOW_S = 5.0


@dataclass(frozen=True)
class Windows:
    """Embedded windows: recording (stem) and end in s of each, (n,) and (n, dim)."""

    stem: list[str]
    end_s: list[float]
    embedding: Float32

    @property
    def rows(self) -> list[str]:
        """Names as in a submission."""
        return [row_id(stem, end) for stem, end in zip(self.stem, self.end_s, strict=True)]


def make_probes(world: Path, out: Path, *, folds: int, l2: float) -> None:
    """Embed, fit and score; see the module for what is written to ``out``."""
    classes = [row["primary_label"] for row in _table(world / "taxonomy.csv")]
    encoder = create_encoder("spectral", window_s=WINDOW_S)
    focal = _embed(encoder, sorted((world / "train_audio").rglob("*.ogg")), out / "focal.npz")
    paths = sorted((world / "train_soundscapes").glob("*.ogg"))
    scapes = _embed(encoder, paths, out / "scapes.npz")
    y_focal = _focal_targets(world, focal, classes)
    y_scapes = _scape_targets(world, scapes, classes)
    labelled = ~np.isnan(y_scapes).all(axis=1)
    site = np.array([site_and_hour(stem)[0] for stem in scapes.stem])

    def fitted(rows: npt.NDArray[np.bool_] | None) -> LinearHead:
        x, y = focal.embedding, y_focal
        if rows is not None:
            x = np.concatenate([x, scapes.embedding[rows]])
            y = np.concatenate([y, y_scapes[rows]])
        return fit_linear(x, y, l2=l2)

    def write(name: str, logits: Float32) -> None:
        write_scores(out / f"{name}.csv", scapes.rows, classes, 1.0 / (1.0 + np.exp(-logits)))

    write("probe_focal", fitted(None).logits(scapes.embedding))
    whole = fitted(labelled)
    write("probe_leak", whole.logits(scapes.embedding))
    fold = grouped_folds(site[labelled], y_scapes[labelled], folds, 0)
    honest = np.zeros_like(y_scapes)
    for k in range(fold.max() + 1):
        head = fitted(labelled & ~np.isin(site, site[labelled][fold == k]))
        mine = np.flatnonzero(labelled)[fold == k]
        honest[mine] = head.logits(scapes.embedding[mine])
        # No head has heard the recordings without labels: the mean of all scores them.
        honest[~labelled] += head.logits(scapes.embedding[~labelled]) / (fold.max() + 1)
    write("probe", honest)
    stems = np.array(scapes.stem)[labelled]
    folds_of = dict(zip(stems.tolist(), fold.tolist(), strict=True))
    _write_table(out / "probe-folds.csv", ("filename", "fold"), sorted(folds_of.items()))
    _write_table(out / "labelled.csv", ("filename",), [(stem,) for stem in sorted(folds_of)])
    calibration = fit_calibration(honest[labelled], y_scapes[labelled])
    thresholds = choose_thresholds(
        calibration.probabilities(honest[labelled]), y_scapes[labelled], stems
    )
    Detector(
        whole, calibration, tuple(classes), tuple(thresholds),
        encoder.spec.to_json(), encoder.spec.fingerprint,
        {"from": "focal clips and labelled soundscapes"},
    ).save(out / "probe.safetensors")  # fmt: skip


def _embed(encoder: Encoder, paths: list[Path], store: Path) -> Windows:
    """Embed recordings in windows side by side, once: they are kept in a file."""
    if store.is_file():
        with np.load(store) as kept:
            return Windows(kept["stem"].tolist(), kept["end_s"].tolist(), kept["embedding"])
    spec = WindowSpec(WINDOW_S, WINDOW_S, encoder.spec.sample_rate)
    stems, ends, parts = [], [], []
    for path in paths:
        for batch in stream_windows(path, spec):
            vectors = encoder.encode(encoder.prepare(batch.audio, batch.valid)).embeddings
            # A rest shorter than a second says little, unless it is all there is.
            kept_rows = (batch.valid >= encoder.spec.sample_rate) | (batch.start == 0)
            parts.append(vectors[kept_rows])
            stems += [path.stem] * int(kept_rows.sum())
            ends += (batch.start[kept_rows] / encoder.spec.sample_rate + WINDOW_S).tolist()
    windows = Windows(stems, ends, np.concatenate(parts))
    store.parent.mkdir(parents=True, exist_ok=True)
    with store.with_suffix(".part").open("wb") as file:
        np.savez(file, stem=stems, end_s=ends, embedding=windows.embedding)
    store.with_suffix(".part").replace(store)
    return windows


def _focal_targets(world: Path, windows: Windows, classes: list[str]) -> Float32:
    """Return (n, C): the clip's species present, secondary ones unknown, others absent."""
    y: dict[str, Float32] = {}
    for row in _table(world / "train.csv"):
        one = np.zeros(len(classes), np.float32)
        for name in ast.literal_eval(row["secondary_labels"]):
            one[classes.index(name)] = np.nan
        one[classes.index(row["primary_label"])] = 1.0
        y[Path(row["filename"]).stem] = one
    return np.stack([y[stem] for stem in windows.stem])


def _scape_targets(world: Path, windows: Windows, classes: list[str]) -> Float32:
    """Return (n, C): 1 and 0 in labelled windows, NaN in others."""
    truth = read_truth(world / "train_soundscapes_labels.csv")
    known = dict(zip(truth.rows, truth.labels, strict=True))
    y = np.full((len(windows.stem), len(classes)), np.nan, np.float32)
    for k, row in enumerate(windows.rows):
        if row in known:
            y[k] = [name in known[row] for name in classes]
    return y


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write_table(path: Path, columns: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
