"""Exported encoders against the models they came from: speed, size and distance, as a table.

    python benchmarks/encoder_export.py --audio DIR [--efficientat mn04_as.pt] [--only vit conv]

Each network (fresh weights, but for EfficientAT's) is exported in every precision. Windows per
second of one thread's time, front end included, no decoding: ``alone`` one window at a time as the
encoder runs them, ``by 8`` in batches, which only torch and a bare session do. The runtimes take
turns, and of several rounds the quickest counts. The distance is the mean and largest cosine
distance of embeddings to those of torch.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

# One thread everywhere: the figures are per core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch

from antiphon.encoders.manifest import KaldiFrontEnd
from antiphon.training.backbones.config import BackboneConfig, ConvConfig, TimmConfig, ViTConfig
from antiphon.training.checkpoints import save_model
from antiphon.training.checkpoints.models import read_model_config
from antiphon.training.export.config import PRECISIONS, Bounds, ExportConfig
from antiphon.training.export.exporting import export_model
from antiphon.training.export.facts import read_facts
from antiphon.training.export.graph import open_session
from antiphon.training.export.windows import AudioWindows, gather_windows
from antiphon.training.model import EncoderModel
from machine import processor

RATE, WINDOW_S = 16_000, 5.0
FRONT_END = KaldiFrontEnd(kind="kaldi_fbank", n_mels=128, normalise="fixed", mean=-4.3, std=4.6)
BACKBONES: dict[str, BackboneConfig] = {
    "vit tiny": ViTConfig(size="tiny"),
    "vit small": ViTConfig(size="small"),
    "conv": ConvConfig(),
    "efficientnet_b0": TimmConfig(name="efficientnet_b0"),
    "convnext_atto": TimmConfig(name="convnext_atto"),
}
BATCH = 8


def fresh(config: BackboneConfig, audio: torch.Tensor) -> EncoderModel:
    """Return a network whose batch statistics are those of audio."""
    torch.manual_seed(0)
    model = EncoderModel(FRONT_END, RATE, WINDOW_S, config).train()
    with torch.no_grad():
        for _ in range(5):
            model(audio)
    return model.eval()


def quickest(runs: dict[str, Callable[[], object]], windows: int, rounds: int) -> dict[str, float]:
    """Return windows per second of each, in the quickest of rounds that take turns."""
    best = dict.fromkeys(runs, 0.0)
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.process_time()
            run()
            best[name] = max(best[name], windows / (time.process_time() - begin))
    return best


def torch_runs(model: EncoderModel, windows: AudioWindows) -> list[Callable[[], object]]:
    audio, valid = torch.from_numpy(windows.audio), torch.from_numpy(windows.valid)

    def by(size: int) -> Callable[[], object]:
        def run() -> None:
            with torch.inference_mode():
                for i in range(0, len(windows), size):
                    model(audio[i : i + size], valid[i : i + size])

        return run

    return [by(1), by(BATCH)]


def onnx_runs(path: Path, windows: AudioWindows) -> list[Callable[[], object]]:
    session = open_session(str(path))

    def by(size: int) -> Callable[[], object]:
        def run() -> None:
            for i in range(0, len(windows), size):
                rows = slice(i, i + size)
                session.run(None, {"waveform": windows.audio[rows], "valid": windows.valid[rows]})

        return run

    return [by(1), by(BATCH)]


def measure(label: str, model: EncoderModel, options: argparse.Namespace) -> None:
    material = gather_windows(
        options.audio,
        model.sample_rate,
        model.window_samples,
        parity=options.windows,
        calibration=32,
    )
    chosen = material.parity
    timed = AudioWindows(chosen.audio[:BATCH], chosen.valid[:BATCH], chosen.names[:BATCH])
    alone, together = {}, {}
    sizes, distance = {"torch fp32": "-"}, {"torch fp32": "-"}
    alone["torch fp32"], together["torch fp32"] = torch_runs(model, timed)
    with tempfile.TemporaryDirectory() as place:
        folder = save_model(model, Path(place) / "model")
        facts = read_facts(folder, read_model_config(folder))
        for precision in PRECISIONS:
            # The benchmark shows distances, it does not judge them.
            config = ExportConfig(
                precision=precision,
                windows=options.windows,
                bounds=Bounds(max=2.0, mean=2.0),
                quantisation=options.quantisation if precision == "int8" else "auto",
                name="encoder",
            )
            report = export_model(
                model, facts, Path(place) / precision, config, audio=options.audio, seconds=0.01
            )
            path = report.folder / "encoder.onnx"
            name = f"onnx {precision}"
            name += f" ({report.quantisation})" if report.quantisation else ""
            found = report.parity[precision]
            sizes[name] = f"{path.stat().st_size / 1e6:.2f}"
            distance[name] = f"{found.mean:.1e}, {found.max:.1e}"
            alone[name], together[name] = onnx_runs(path, timed)
        one = quickest(alone, BATCH, options.rounds)
        many = quickest(together, BATCH, options.rounds)
    for name in alone:
        print(
            f"| {label} | {name} | {one[name]:.1f} | {one[name] * model.window_s:.0f} | "
            f"{one[name] / one['torch fp32']:.2f} | {many[name]:.1f} | {sizes[name]} | "
            f"{distance[name]} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--audio", type=Path, help="Recordings; synthesised where not given.")
    parser.add_argument("--efficientat", type=Path, help="Weights of EfficientAT, mn04 or other.")
    parser.add_argument("--only", nargs="+", choices=[*BACKBONES, "efficientat"])
    parser.add_argument("--quantisation", default="auto", help="auto, weights, dynamic or static")
    parser.add_argument("--windows", type=int, default=32, help="of the distance")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{datetime.date.today()}, {processor()}, one thread, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, torch {version('torch')}, onnxruntime "
        f"{version('onnxruntime')}, antiphon {version('antiphon')}\n"
    )
    print(
        "| network | runtime | windows/s alone | x real time | to torch | windows/s by 8 | MB | "
        "distance, mean and max |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---|", flush=True)
    samples = round(RATE * WINDOW_S)
    audio = gather_windows(options.audio, RATE, samples, parity=16, calibration=1).parity.audio
    for label, config in BACKBONES.items():
        if not options.only or label in options.only:
            measure(label, fresh(config, torch.from_numpy(np.ascontiguousarray(audio))), options)
    if options.efficientat is not None and (not options.only or "efficientat" in options.only):
        from antiphon.training.checkpoints.external import load_external

        model = load_external("efficientat", options.efficientat, quiet=True)
        measure("efficientat (trained)", model, options)


if __name__ == "__main__":
    main()
