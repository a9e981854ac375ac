"""Soundscapes end to end against the bare network, in windows per second of processor time.

    python benchmarks/soundscape.py [--models b0.yaml b3.yaml] [--recordings 20] [--workers 1]
    python benchmarks/soundscape.py --export DIR

One-minute OGG recordings of 32 kHz become a submission of 234 classes: decoding, log-mel (128 bands
of 2048 at a hop of 512, 20-16,000 Hz, top_db 80), network, blend and file. Beside the whole run
stand its parts by themselves, in this process: decoding, mel, and the network on what the mel made.

Figures are of processor time (all threads), so that programs beside this one distort them little;
``share`` is the whole run's windows per second over the bare network's, ``of parts`` over what
decoding, mel and network add up to. Loading is left out, and what the parent process takes (blend
and file) is counted. Times real time are of a second of one core.

Networks are EfficientNet-B0 and -B3 with fresh weights, exported here where timm is installed, or
by ``--export`` elsewhere; without either, the convolutional backbone of this package.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import datetime
import importlib.util
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import soundfile
import yaml

from antiphon.audio.reader import read_span
from antiphon.soundscape.ensemble.config import MemberConfig
from antiphon.soundscape.members.contexts import cut_contexts
from antiphon.soundscape.members.loading import load_member
from antiphon.soundscape.members.member import Member, Prepared
from antiphon.soundscape.run.running import run_soundscapes
from machine import processor

if TYPE_CHECKING:
    from torch import nn

RATE, WINDOW_S, WINDOWS, CLASSES = 32_000, 5.0, 12, 234
FRONT_END = {
    "kind": "log_mel",
    "n_fft": 2048,
    "hop": 512,
    "n_mels": 128,
    "fmin": 20.0,
    "fmax": 16_000.0,
    "scale": "htk",
    "log": "db",
    "top_db": 80.0,
    "normalise": "mean_std",
}
NETWORKS = ("tf_efficientnet_b0", "tf_efficientnet_b3")
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Parts:
    """Seconds of processor time for one window, part by part."""

    read: float
    mel: float
    network: float


def main() -> None:
    """Measure and print."""
    options = _options()
    if options.export is not None:
        for path in export(options.export):
            print(path)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        models = [Path(m).resolve() for m in options.models] or export(folder / "models")
        recordings = write_recordings(folder / "audio", options.recordings)
        print(heading(options, models))
        print(
            "| network | runtime | read ms | mel ms | network ms | alone /s | whole /s | "
            "share | of parts | x real time | wall x |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|---|")
        runtimes = [r for r in ("onnxruntime", "openvino") if importlib.util.find_spec(r)]
        groups = [[model] for model in models] + ([models] if len(models) > 1 else [])
        for group in groups:
            for runtime in runtimes:
                print(row(group, runtime, recordings, folder, options.workers), flush=True)
    print(f"Load at the end: {load()}")


def row(models: list[Path], runtime: str, recordings: Path, folder: Path, workers: int) -> str:
    """Measure networks, alone and as an ensemble, and return the row of the table."""
    configs = [
        MemberConfig(name=f"m{i}-{path.stem}", model=path, runtime=runtime)
        for i, path in enumerate(models)
    ]
    parts = measure(configs, sorted(recordings.iterdir())[:4])
    ensemble = folder / "ensemble.yaml"
    facts = {
        "name": "benchmark",
        "classes": [f"c{i}" for i in range(CLASSES)],
        "members": [{"name": c.name, "model": str(c.model), "runtime": runtime} for c in configs],
        "blend": {"kind": "rank", "of": {c.name: 1 for c in configs}},
    }
    ensemble.write_text(yaml.safe_dump(facts))
    parent = time.process_time()
    done = run_soundscapes(
        recordings, ensemble, folder / "submission.csv", workers=workers, fresh=True
    )
    parent = time.process_time() - parent
    assert done.exit_code == 0, done.report
    windows = done.report["rows"]["all"]
    whole = (done.report["speed"]["cpu_s"] + parent) / windows
    total = parts.read + parts.mel + parts.network
    cells = [
        " + ".join(path.stem for path in models),
        runtime,
        *(f"{1e3 * seconds:.2f}" for seconds in (parts.read, parts.mel, parts.network)),
        f"{1 / parts.network:.1f}",
        f"{1 / whole:.1f}",
        f"{parts.network / whole:.0%}",
        f"{total / whole:.0%}",
        f"{WINDOW_S / whole:.0f}",
        f"{done.report['speed']['times_real_time']:.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


def measure(configs: list[MemberConfig], paths: list[Path]) -> Parts:
    """Time reading, mel and networks by themselves; members share one front end."""
    members = [load_member(config) for config in configs]
    read = best(lambda: [read_span(path, sample_rate=RATE) for path in paths])
    starts = np.arange(WINDOWS, dtype=np.int64) * round(WINDOW_S * RATE)
    cut = [cut_contexts(read_span(p, sample_rate=RATE)[0], starts, 5 * RATE) for p in paths]
    first = members[0]
    mel = best(lambda: [first.prepare(*contexts) for contexts in cut])
    prepared = [first.prepare(*contexts) for contexts in cut]
    network = sum(best(lambda m=m: _scored(m, prepared)) for m in members)
    n = WINDOWS * len(paths)
    return Parts(read / n, mel / n, network / n)


def _scored(member: Member, prepared: list[Prepared]) -> None:
    for one in prepared:
        member.score(one)


def best(work: Callable[[], object], repeats: int = 4) -> float:
    """Return the least processor time of several rounds."""
    found = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def write_recordings(folder: Path, count: int) -> Path:
    """Write one-minute OGG recordings: noise that falls with frequency, and chirps in it."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    seconds = np.arange(60 * RATE) / RATE
    for i in range(count):
        noise = np.cumsum(rng.normal(0, 1, len(seconds)))
        noise -= np.convolve(noise, np.ones(64) / 64, "same")
        sound = 0.02 * noise / noise.std()
        for _ in range(30):
            at, low = rng.uniform(0, 58), rng.uniform(500, 9000)
            there = (seconds >= at) & (seconds < at + 0.4)
            t = seconds[there] - at
            sound[there] += 0.2 * np.hanning(len(t)) * np.sin(2 * np.pi * (low + 2000 * t) * t)
        path = folder / f"soundscape_{i:04d}.ogg"
        with soundfile.SoundFile(path, "w", RATE, 1, format="OGG", subtype="VORBIS") as file:
            # In one piece, libsndfile's Vorbis encoder overflows its stack.
            for block in np.array_split(sound.astype(np.float32), 60):
                file.write(block)
    return folder


def export(folder: Path) -> list[Path]:
    """Write networks with their manifests, and return the manifests."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    networks: dict[str, nn.Module] = {}
    if importlib.util.find_spec("timm"):
        import timm

        for name in NETWORKS:
            networks[name] = timm.create_model(name, in_chans=1, num_classes=CLASSES)
    else:
        networks["conv"] = _conv()
    frames = 1 + 5 * RATE // 512
    for name, network in networks.items():
        torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 1, 128, frames),),
            str(folder / f"{name}.onnx"),
            dynamo=False,
            opset_version=18,
            input_names=["mel"],
            output_names=["scores"],
            dynamic_axes={"mel": {0: "n"}, "scores": {0: "n"}},
        )
        manifest = {
            "name": name,
            "model": f"{name}.onnx",
            "runtime": "onnx",
            "sample_rate": RATE,
            "window_s": WINDOW_S,
            "front_end": FRONT_END,
            "input": {"layout": "NCFT"},
            "scores": {"tensor": "scores", "activation": "sigmoid"},
            "labels": [f"c{i}" for i in range(CLASSES)],
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(manifest))
    return [folder / f"{name}.yaml" for name in networks]


def _conv() -> nn.Module:
    """Return the backbone of this package with a linear head, for where timm is not installed."""
    import torch
    from torch import nn

    from antiphon.training.backbones.config import ConvConfig
    from antiphon.training.backbones.conv import ConvNet

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = ConvNet(ConvConfig(), 128)
            self.head = nn.Linear(self.backbone.dim, CLASSES)

        def forward(self, mel: torch.Tensor) -> torch.Tensor:
            features = mel[:, 0].transpose(1, 2)
            mask = torch.ones(features.shape[:2], dtype=torch.bool)
            return self.head(self.backbone(features, mask).tokens.mean(dim=1))

    return Network()


def heading(options: argparse.Namespace, models: list[Path]) -> str:
    """Return what was measured, on what, and how busy it was."""
    packages = ["numpy", "scipy", "onnxruntime"]
    packages += ["openvino"] if importlib.util.find_spec("openvino") else []
    machine = f"{processor()}, {os.cpu_count()} cores, {platform.system()}"
    workers = "1 worker" if options.workers == 1 else f"{options.workers} workers"
    lines = [
        f"{machine}, {datetime.date.today()}; load {load()}",
        ", ".join(f"{name} {version(name)}" for name in packages) + "; float32",
        f"{options.recordings} recordings of a minute, {CLASSES} classes, {workers}",
    ]
    if any(path.stem == "conv" for path in models):
        lines.append("timm is not installed: the backbone of this package, in its default size")
    return "\n".join(lines) + "\n"


def load() -> str:
    """Return the load of the last minute, where the system tells it."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="*", default=[], metavar="MANIFEST")
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--export", type=Path, metavar="DIR")
    return parser.parse_args()


if __name__ == "__main__":
    main()
