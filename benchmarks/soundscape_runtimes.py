"""Members of an ensemble in torch, ONNX Runtime and OpenVINO, side by side, as a table.

    python benchmarks/soundscape_runtimes.py [--only b0 b3] [--rounds 20]

EfficientNet-B0 and -B3 (timm's, one channel, fresh weights) under a head that detects 234
classes, exported as a member is: log-mel outside, 128 x 313 for 5 s at 32 kHz. Without timm the
project's own convolutions of such a size stand in, and the table says so.

Windows go through one by one on one thread, as members run them. The runtimes take turns, and of
each the quickest window counts, in seconds of the thread, which other programs do not lengthen.
The precision is read back from the runtime. Agreement is with ONNX Runtime in f32 over made-up
sounds, beside the bound that a member has to keep. Times real time are those of a core that
also computes the log-mel, for this one member.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

# One thread everywhere: the figures are per core.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn

from antiphon.encoders.front_end import NetworkFrontEnd
from antiphon.encoders.manifest import Manifest
from antiphon.encoders.network import activate
from antiphon.errors import MissingExtraError
from antiphon.soundscape.members.agreement import BOUNDS, compare
from antiphon.soundscape.members.choosing import PROBES
from antiphon.soundscape.members.probes import probe_sounds
from antiphon.soundscape.members.runtimes.onnx import OnnxSession
from antiphon.soundscape.members.runtimes.openvino import OpenvinoSession
from antiphon.soundscape.members.runtimes.session import Session
from machine import processor

RATE, WINDOW_S, CLASSES = 32_000, 5.0, 234
OUTPUTS = ["clip", "frames"]
NETWORKS = {"b0": "tf_efficientnet_b0", "b3": "tf_efficientnet_b3"}
# Of about as many weights as each, where timm is not installed.
STAND_INS: dict[str, dict[str, Any]] = {
    "b0": {"width": 32, "depths": (1, 2, 3, 4), "expansion": 6, "dim": 1280},
    "b3": {"width": 40, "depths": (2, 3, 5, 6), "expansion": 6, "dim": 1536},
}
MANIFEST = Manifest.model_validate(
    {
        "name": "member",
        "model": "member.onnx",
        "runtime": "onnx",
        "sample_rate": RATE,
        "window_s": WINDOW_S,
        "front_end": {
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
        },
        "input": {"layout": "NCFT"},
        "scores": {"tensor": "clip", "activation": "sigmoid"},
        "frames": {"tensor": "frames", "activation": "sigmoid"},
        "labels": [f"class{number}" for number in range(CLASSES)],
    }
)


class Detecting(nn.Module):
    """Maps of a backbone, the mean over bands, attention over time; logits of clip and frames."""

    def __init__(self, backbone: nn.Module, features: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.attention = nn.Conv1d(features, CLASSES, 1)
        self.scores = nn.Conv1d(features, CLASSES, 1)

    def forward(self, mel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        steps = self.backbone(mel).mean(2)
        weights = torch.softmax(torch.tanh(self.attention(steps)), dim=-1)
        frames = self.scores(steps)
        return (weights * frames).sum(-1), frames.transpose(1, 2)


class OwnMaps(nn.Module):
    """The project's own convolutions, as maps of one band."""

    def __init__(self, size: str) -> None:
        super().__init__()
        from antiphon.training.backbones.config import ConvConfig
        from antiphon.training.backbones.conv import ConvNet

        self.network = ConvNet(ConvConfig(**STAND_INS[size]), bands=128)
        self.dim = self.network.dim

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        features = mel[:, 0].transpose(1, 2)
        mask = torch.ones(features.shape[:2], dtype=torch.bool)
        return self.network(features, mask).tokens.transpose(1, 2)[:, :, None]


@dataclass
class Row:
    """One runtime of one network."""

    name: str
    run: Callable[[slice], list[np.ndarray]]
    precision: str
    asked: str
    best: float = float("inf")


def timm_or_own(size: str) -> tuple[str, nn.Module, int]:
    """Return name, backbone and number of its maps."""
    try:
        import timm
    except ImportError:
        own = OwnMaps(size)
        return f"own conv for {size} (no timm)", own, own.dim
    maps: Any = timm.create_model(NETWORKS[size], in_chans=1, num_classes=0, global_pool="")
    return NETWORKS[size], maps, maps.num_features


def fresh(size: str, mel: torch.Tensor) -> tuple[str, Detecting]:
    """Return a network whose batch statistics are those of sounds."""
    torch.manual_seed(0)
    name, maps, features = timm_or_own(size)
    model = Detecting(maps, features).train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
    with torch.no_grad():
        model(mel)
    return name, model.eval()


def export(model: Detecting, mel: torch.Tensor, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (mel[:2],),
            str(path),
            dynamo=False,
            opset_version=18,
            input_names=["mel"],
            output_names=OUTPUTS,
            dynamic_axes={name: {0: "batch"} for name in ("mel", *OUTPUTS)},
        )


def torch_row(model: Detecting, mel: np.ndarray) -> Row:
    def run(rows: slice) -> list[np.ndarray]:
        with torch.inference_mode():
            found = [model(torch.from_numpy(x[None])) for x in mel[rows]]
        return [np.concatenate([one[i].numpy() for one in found]) for i in range(len(OUTPUTS))]

    return Row(f"torch {version('torch')}", run, "f32", "f32")


def session_row(session: Session, mel: np.ndarray) -> Row:
    facts = session.facts
    name = f"{facts.runtime} {facts.version}"
    return Row(name, lambda rows: session.run(mel[rows]), facts.precision, facts.precision_asked)


def rows_of(model: Detecting, path: Path, mel: np.ndarray) -> list[Row]:
    """Return ONNX Runtime, the reference, first."""
    rows = [session_row(OnnxSession(path, None, OUTPUTS), mel), torch_row(model, mel)]
    for precision in ("f32", "bf16"):
        try:
            session = OpenvinoSession(path, None, OUTPUTS, mel.shape[1:], precision=precision)
        except MissingExtraError as error:
            print(f"OpenVINO is left out: {error}")
            break
        rows.append(session_row(session, mel))
    return rows


def take_turns(runs: list[Callable[[slice], object]], windows: int, rounds: int) -> list[float]:
    """Return the least seconds of the thread that each takes for one window."""
    best = [float("inf")] * len(runs)
    for turn in range(rounds + 1):
        row = slice(turn % windows, turn % windows + 1)
        for at, run in enumerate(runs):
            begin = time.thread_time()
            run(row)
            # The first turn warms up.
            if turn:
                best[at] = min(best[at], time.thread_time() - begin)
    return best


def verdict(row: Row, reference: list[np.ndarray], found: list[np.ndarray]) -> str:
    a, b = ([activate(x, "sigmoid") for x in outputs] for outputs in (reference, found))
    agreement, bound = compare(a, b, [True, True]), BOUNDS[row.asked]
    kept = "kept" if agreement.within(bound) else "not kept"
    return (
        f"{agreement.rank_correlation:.4f} | {agreement.largest_difference:.1e} | "
        f"{bound.rank_correlation}, {bound.largest_difference}: {kept}"
    )


def measure(size: str, rounds: int) -> None:
    front_end = NetworkFrontEnd(MANIFEST)
    sounds = probe_sounds(PROBES, round(RATE * WINDOW_S), RATE)
    valid = np.full(PROBES, sounds.shape[1])
    mel = front_end(sounds, valid).tensor
    name, model = fresh(size, torch.from_numpy(mel))
    millions = sum(weight.numel() for weight in model.parameters()) / 1e6
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "member.onnx"
        export(model, torch.from_numpy(mel), path)
        rows = rows_of(model, path, mel)
        runs: list[Callable[[slice], object]] = [row.run for row in rows]
        runs.append(lambda rows: front_end(sounds[rows], valid[rows]))
        *seconds, mel_s = take_turns(runs, PROBES, rounds)
        said = [row.run(slice(None)) for row in rows]
    for row, window_s, found in zip(rows, seconds, said, strict=True):
        asked = "" if row.asked == row.precision else f" ({row.asked} asked)"
        print(
            f"| {name}, {millions:.1f} M | {row.name} | {row.precision}{asked} | "
            f"{1 / window_s:.1f} | {seconds[0] / window_s:.2f} | "
            f"{WINDOW_S / (window_s + mel_s):.0f} | {mel_s / (window_s + mel_s):.1%} | "
            f"{verdict(row, said[0], found)} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{datetime.date.today()}, {processor()}, one thread, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, antiphon {version('antiphon')}\n"
    )
    print(
        "| network | runtime | precision | windows per core-second | to ONNX Runtime | "
        "x real time with mel | share of mel | rank correlation | largest difference | bound |"
    )
    print("|---|---|---|---:|---:|---:|---:|---:|---:|---|", flush=True)
    for size in options.only:
        measure(size, options.rounds)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
