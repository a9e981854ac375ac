"""What examples for training cost: crops, labels and augmentation, beside decoding alone.

    python benchmarks/training_data.py [--clips 64] [--recordings 24] [--seconds 60] [--workers 2]

Recordings are synthesised soundscapes, written as FLAC and as Ogg Vorbis at 44.1 and 32 kHz. An
example is a random crop of 10 s. "decode alone" opens the file with soundfile, seeks, reads the
same 10 s and resamples them with soxr: what any pipeline has to do at least. Times are CPU seconds
of one process with one thread; the last table is what worker processes deliver per second of the
clock, measured after the first batch.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import datetime
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import soundfile
import soxr

from antiphon.audio.augmentation.config import AugmentConfig
from antiphon.audio.synthesis.environment import Weather, make_background
from antiphon.audio.synthesis.sites import make_site
from antiphon.training.data.config import DataConfig
from antiphon.training.data.loader import training_loader
from antiphon.training.data.sources import read_sources
from antiphon.training.data.stream import ClipStream
from antiphon.training.data.table import ClipTable
from machine import processor

CLIP_S = 10.0
KINDS = (("flac", 44_100), ("flac", 32_000), ("ogg", 44_100), ("ogg", 32_000))
TARGETS = (16_000, 32_000)
STEPS: dict[str, dict[str, object]] = {
    "nothing": {},
    "noise (p 0.5, synthesised)": {"noise": {}},
    "mixup (p 0.5)": {"mixup": {}},
    "low-pass (p 0.2)": {"low_pass": {}},
    "shift (p 0.5)": {"shift": {}},
    "gain (p 0.5)": {"gain": {}},
    "polarity (p 0.5)": {"polarity": 0.5},
}
ALL = AugmentConfig.model_validate({k: v for step in STEPS.values() for k, v in step.items()})


def write_recordings(folder: Path, suffix: str, rate: int, count: int, seconds: int) -> None:
    """Wind and rain with sweeps, as FLAC or Ogg Vorbis, one folder for each of four classes."""
    for number in range(count):
        rng = np.random.default_rng([rate, number])
        site = make_site(1, number, "forest")
        audio = make_background(site, Weather(2.0, 0.0), seconds * rate, rate, rng)
        audio *= 0.02 / audio.std()
        time_s = np.arange(rate) / rate
        for at in rng.integers(0, seconds - 1, seconds // 5):
            low, high = np.sort(rng.uniform(1000, 7000, 2))
            phase = 2 * np.pi * (low * time_s + (high - low) * time_s**2 / 2)
            audio[at * rate : (at + 1) * rate] += (0.2 * np.hanning(rate) * np.sin(phase)).astype(
                np.float32
            )
        place = folder / f"class{number % 4}" / f"{number:03d}.{suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(place, "w", rate, 1) as file:
            # Vorbis overflows its stack when it is given minutes at once.
            for first in range(0, len(audio), 8_000):
                file.write(np.clip(audio[first : first + 8_000], -1, 1))


def cpu_per_clip(work: Callable[[int], object], clips: int, repeats: int = 3) -> float:
    """Return CPU seconds per example, the best of some runs over different examples."""
    best = float("inf")
    for run in range(repeats):
        first = 8 * (1 + run * clips)
        start = time.process_time()
        for index in range(first, first + clips):
            work(index)
        best = min(best, (time.process_time() - start) / clips)
    return best


def decode_alone(table: ClipTable, target: int) -> Callable[[int], object]:
    """Return the least work for a crop: open, seek, read, resample."""
    paths = [table.name(int(recording)) for recording in table.recording]

    def work(index: int) -> object:
        rng = np.random.default_rng([3, index])
        with soundfile.SoundFile(paths[index % len(paths)]) as file:
            rate = file.samplerate
            count = round(CLIP_S * rate)
            file.seek(int(rng.integers(file.frames - count)))
            audio = file.read(count, dtype="float32")
        return audio if rate == target else soxr.resample(audio, rate, target, quality="HQ")

    return work


def configured(folder: Path, target: int, **more: object) -> DataConfig:
    return DataConfig.model_validate(
        {
            "sources": [{"kind": "folder", "path": folder, "label_folders": True}],
            "sample_rate": target,
            "clip_s": CLIP_S,
            "batch": 16,
            "long_tail": 0.5,
            **more,
        }
    )


def augmented(steps: dict[str, object]) -> AugmentConfig:
    return AugmentConfig.model_validate(steps)


def clips_per_second(data: DataConfig, augment: AugmentConfig, table: ClipTable) -> float:
    """Return examples per second of the clock, after the first batch of each worker."""
    warm, steps = max(1, 2 * data.workers), 12
    loader = training_loader(data, augment, seed=0, steps=warm + steps, table=table)
    start = 0.0
    for step, _ in enumerate(loader):
        if step == warm - 1:
            start = time.perf_counter()
    return steps * data.batch / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=64, help="examples per measurement")
    parser.add_argument("--recordings", type=int, default=24)
    parser.add_argument("--seconds", type=int, default=60, help="of each recording")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    print(
        f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, NumPy {np.__version__}, soxr {version('soxr')}, "
        f"{datetime.date.today():%d %B %Y}\n"
    )
    with tempfile.TemporaryDirectory() as temporary:
        for suffix, rate in KINDS:
            folder = Path(temporary) / f"{suffix}{rate}"
            write_recordings(folder, suffix, rate, options.recordings, options.seconds)
        measure_sources(Path(temporary), options.clips)
        measure_steps(Path(temporary) / "flac44100", options.clips)
        measure_workers(Path(temporary) / "flac44100", options.workers)


def measure_sources(root: Path, clips: int) -> None:
    print(
        "| file | to kHz | decode alone, ms | crop and labels, ms | all augmentation, ms "
        "| decode's share of all |"
    )
    print("|---|---|---|---|---|---|")
    for suffix, rate in KINDS:
        for target in TARGETS:
            data = configured(root / f"{suffix}{rate}", target)
            table, _ = read_sources(data)
            least = cpu_per_clip(decode_alone(table, target), clips)
            plain = ClipStream(table, data, AugmentConfig(), seed=0)
            full = ClipStream(table, data, ALL, seed=0)
            crop = cpu_per_clip(plain.example, clips)
            whole = cpu_per_clip(full.example, clips)
            print(
                f"| {suffix} {rate / 1000:g} kHz | {target // 1000} | {1000 * least:.1f} | "
                f"{1000 * crop:.1f} | {1000 * whole:.1f} | {least / whole:.0%} |"
            )
    print()


def measure_steps(folder: Path, clips: int) -> None:
    print("| step, FLAC 44.1 kHz | to 16 kHz, ms | to 32 kHz, ms |")
    print("|---|---|---|")
    columns: list[list[float]] = []
    for target in TARGETS:
        data = configured(folder, target)
        table, _ = read_sources(data)
        columns.append(
            [
                cpu_per_clip(ClipStream(table, data, augmented(steps), seed=0).example, clips)
                for steps in STEPS.values()
            ]
        )
        with tempfile.TemporaryDirectory() as cache:
            cached = configured(folder, target, cache={"path": cache})
            stream = ClipStream(table, cached, AugmentConfig(), seed=0)
            for clip in range(8 * clips):
                stream.example(clip)
            columns[-1].append(cpu_per_clip(stream.example, clips))
    for name, first, second in zip([*STEPS, "nothing, from the cache"], *columns, strict=True):
        print(f"| {name} | {1000 * first:.1f} | {1000 * second:.1f} |")
    print()


def measure_workers(folder: Path, most: int) -> None:
    print("| workers, FLAC 44.1 to 16 kHz | clips/s without augmentation | clips/s with all |")
    print("|---|---|---|")
    for workers in range(most + 1):
        data = configured(folder, 16_000, workers=workers)
        table, _ = read_sources(data)
        plain = clips_per_second(data, AugmentConfig(), table)
        full = clips_per_second(data, ALL, table)
        print(f"| {workers} | {plain:.0f} | {full:.0f} |")


if __name__ == "__main__":
    main()
