"""What the pipeline costs on top of the bare model, and the memory that a long file takes.

    python benchmarks/pipeline.py [--encoder spectral --encoder yamnet] [--minutes 30] [--hours 24]

Throughput: synthesised recordings are embedded into a fresh project (decoding, resampling,
windows, front end, inference, journal, vectors, all of it), and beside it, in the same process, the
bare model encodes as many windows whose front end is computed already. Both report CPU seconds
(all threads) and seconds on the clock, alternating, medians of --runs.

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
import resource, sys
from antiphon import Project
report = Project(sys.argv[1]).embed(sys.argv[2])
assert report.complete, report
print(report.total_windows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
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
        "| encoder | windows | bare model, CPU-s | with front end | pipeline | on top of the model "
        "with its front end | model, s | pipeline, s | clock, pipeline : model |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for name in encoders:
        print(compare(folder, made, name, runs))
    print()


def compare(folder: Path, made: DatasetFacts, name: str, runs: int) -> str:
    """Time model, front end and pipeline in turn and return a row of the table."""
    encoder = create_encoder(name)
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

    def pipeline(run: int) -> None:
        project, _ = Project.create(folder / f"{spec.name}-{run}", audio=[made.audio])
        assert project.embed(encoder).windows == count

    rows = [
        [*timed(model), *timed(front_end), *timed(partial(pipeline, run))] for run in range(runs)
    ]
    m_cpu, m_wall, f_cpu, _, p_cpu, p_wall = map(statistics.median, zip(*rows, strict=True))
    over = statistics.median(r[4] / (r[0] + r[2]) - 1.0 for r in rows)
    clock = statistics.median(r[5] / r[1] for r in rows)
    return (
        f"| {name} | {count:,} | {m_cpu:.2f} | {m_cpu + f_cpu:.2f} | {p_cpu:.2f} | "
        f"{over:+.0%} | {m_wall:.2f} | {p_wall:.2f} | {clock:.2f} |"
    )


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
