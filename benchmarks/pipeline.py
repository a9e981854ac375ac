"""What the pipeline costs on top of the bare model, and the memory that a long file takes.

    python benchmarks/pipeline.py [--encoder spectral --encoder yamnet] [--minutes 30] [--hours 24]

Throughput: synthesised recordings are embedded into a fresh project (decoding, resampling,
windows, front end, inference, journal, vectors, all of it), and beside it, in the same process, the
bare model encodes as many windows whose front end is computed already, the front end runs alone,
and the recordings are decoded, resampled and cut alone. CPU seconds (all threads) and seconds on
the clock, alternating, medians of --runs. The encoder "cnn" is an ONNX network with random weights
and about the arithmetic of an EfficientNet-B3 (1 GMAC for 3 s): what today's bird models cost.

Memory: one recording of --hours at 16 kHz is embedded in a process of its own; its peak resident
memory less that of a process which embeds one minute with the same encoder.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile

from antiphon import Project
from antiphon.audio.synthesis.dataset import DatasetFacts, write_dataset
from antiphon.audio.windows import WindowSpec, stream_windows
from antiphon.encoders.registry import create_encoder

WORKER = """
import sys
from pathlib import Path
from antiphon import Project
report = Project(sys.argv[1]).embed(sys.argv[2])
assert report.complete, report
# Linux's high-water mark; that of getrusage begins with the parent's.
peak = next(l for l in Path("/proc/self/status").read_text().splitlines() if l[:5] == "VmHWM")
print(report.total_windows, int(peak.split()[1]) // 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--encoder", action="append", help="repeatable; spectral by default")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    encoders = chosen.encoder or ["spectral"]
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, NumPy "
        f"{version('numpy')}, {datetime.date.today()}; {chosen.minutes:g} minutes of audio, "
        f"{chosen.runs} runs.\n"
    )
    if chosen.minutes:
        with tempfile.TemporaryDirectory() as folder:
            throughput(Path(folder), encoders, chosen.minutes, chosen.runs)
    if chosen.hours:
        with tempfile.TemporaryDirectory() as folder:
            memory(Path(folder), encoders, chosen.hours)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def throughput(folder: Path, encoders: list[str], minutes: float, runs: int) -> None:
    made = write_dataset(
        folder / "data",
        seed=0,
        sites=2,
        days=1,
        recordings_per_site_day=max(1, round(minutes / 2)),
        duration_s=60.0,
        sample_rate=32_000,
        audio_format="flac",
    )
    print(
        "| encoder | windows | model, CPU-s | front end | decode, resample, cut | pipeline "
        "| above the model | above the three | clock: model, s | pipeline, s |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name in encoders:
        print(compare(folder, made, name, runs))
    print()


def compare(folder: Path, made: DatasetFacts, name: str, runs: int) -> str:
    """Time model, front end and pipeline in turn and return a row of the table."""
    encoder = create_encoder(str(convolutional(folder)) if name == "cnn" else name)
    spec = encoder.spec
    windows = WindowSpec(spec.window_s, spec.hop_s, spec.sample_rate)
    batches = [b for facts in made.recordings for b in stream_windows(facts.path, windows, 32)]
    features = [encoder.prepare(b.audio, b.valid) for b in batches]
    count = sum(len(b.start) for b in batches)

    def front_end() -> None:
        for b in batches:
            encoder.prepare(b.audio, b.valid)

    def model() -> None:
        for f in features:
            encoder.encode(f)

    def decode() -> None:
        for facts in made.recordings:
            for _ in stream_windows(facts.path, windows, 32):
                pass

    def pipeline(run: int) -> None:
        project, _ = Project.create(folder / f"{spec.name}-{run}", audio=[made.audio])
        assert project.embed(encoder).windows == count

    rows = [
        [*timed(model), *timed(front_end), *timed(decode), *timed(partial(pipeline, run))]
        for run in range(runs)
    ]
    m_cpu, m_wall, f_cpu, _, d_cpu, _, p_cpu, p_wall = map(
        statistics.median, zip(*rows, strict=True)
    )
    over = statistics.median(r[6] / r[0] - 1.0 for r in rows)
    own = statistics.median(r[6] / (r[0] + r[2] + r[4]) - 1.0 for r in rows)
    return (
        f"| {name} | {count:,} | {m_cpu:.2f} | {f_cpu:.2f} | {d_cpu:.2f} | {p_cpu:.2f} | "
        f"{over:+.0%} | {own:+.0%} | {m_wall:.2f} | {p_wall:.2f} |"
    )


def convolutional(folder: Path) -> Path:
    """Write an ONNX network of about 1 GMAC for 3 s, with its manifest."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    nodes, weights = [], []
    last, channels = "input", 1
    # (channels, stride): 300 x 128 frames and bands, halved four times.
    plan = [(32, 2), (64, 2), *[(64, 1)] * 5, (128, 2), *[(128, 1)] * 4, (256, 2), (256, 1)]
    for i, (out, stride) in enumerate(plan):
        weight = (rng.normal(size=(out, channels, 3, 3)) / (3 * channels**0.5)).astype(np.float32)
        weights.append(numpy_helper.from_array(weight, f"w{i}"))
        nodes.append(
            helper.make_node(
                "Conv", [last, f"w{i}"], [f"c{i}"], strides=[stride] * 2, pads=[1, 1, 1, 1]
            )
        )
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"]))
        last, channels = f"r{i}", out
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["embedding"]))
    graph = helper.make_graph(
        nodes,
        "cnn",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 1, 300, 128])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", channels])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.save(model, folder / "cnn.onnx")
    manifest = folder / "cnn.yaml"
    manifest.write_text(
        "name: cnn\nmodel: cnn.onnx\nruntime: onnx\nsample_rate: 32000\nwindow_s: 3.0\n"
        "front_end: {kind: log_mel, n_fft: 1024, hop: 320, n_mels: 128, frames: 300}\n"
        "input: {layout: NCTF}\noutput: {embedding: embedding}\n"
    )
    return manifest


def memory(folder: Path, encoders: list[str], hours: float) -> None:
    print("| encoder | hours in one file | windows | peak MB | of one minute | above it |")
    print("|---|---:|---:|---:|---:|---:|")
    rng = np.random.default_rng(0)
    minute = (rng.normal(size=60 * 16_000) * 2000).astype(np.int16)
    for kind, minutes in (("long", round(hours * 60)), ("short", 1)):
        (folder / kind).mkdir()
        with soundfile.SoundFile(
            folder / kind / "r.wav", "w", 16_000, 1, format="RF64", subtype="PCM_16"
        ) as file:
            for _ in range(minutes):
                file.write(minute)
    for name in encoders:
        peak = {}
        for kind in ("short", "long"):
            place = folder / f"{kind}-{Path(name).stem}"
            Project.create(place, audio=[folder / kind])
            done = subprocess.run(
                [sys.executable, "-c", WORKER, str(place), name],
                capture_output=True,
                text=True,
                check=True,
            )
            windows, peak[kind] = (int(word) for word in done.stdout.split()[-2:])
        print(
            f"| {name} | {hours:g} | {windows:,} | {peak['long']:,} | {peak['short']:,} | "
            f"{peak['long'] - peak['short']:,} |"
        )
    print()


if __name__ == "__main__":
    main()
