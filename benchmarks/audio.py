"""How fast recordings become log-mel features, in times real time per core.

    python benchmarks/audio.py [--seconds 600]

Each row is a mono recording of noise at 48 kHz in one format: decoding alone (soundfile), decoding
and resampling to 32 kHz (Antiphon's stream), and all the way to log-mel windows of 5 s. Beside them
stand the log-mel alone, the same with plain SciPy, PCEN and the Kaldi filterbank, on audio in
memory. Times are CPU seconds of this process (all threads, with BLAS held to one), best of three.
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
import numpy.typing as npt
import scipy.signal
import soundfile

from antiphon.audio.features.fbank import KaldiFbank
from antiphon.audio.features.logmel import LogMel
from antiphon.audio.features.mel import mel_filterbank
from antiphon.audio.features.pcen import pcen
from antiphon.audio.reader import stream
from antiphon.audio.windows import WindowSpec, stream_windows
from machine import processor

SOURCE_RATE = 48_000
RATE = 32_000
WINDOW_S = 5.0
LOG_MEL = LogMel(RATE)
Float32 = npt.NDArray[np.float32]


def cpu_seconds(work: Callable[[], object], repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def scipy_log_mel(windows: Float32) -> Float32:
    """The same features by the plain way: one STFT call and a dense product."""
    window = scipy.signal.get_window("hann", LOG_MEL.n_fft).astype(np.float32)
    filters = mel_filterbank(RATE, LOG_MEL.n_fft, LOG_MEL.n_mels)
    out = []
    for samples in windows:
        padded = np.pad(samples, LOG_MEL.n_fft // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, LOG_MEL.n_fft)[:: LOG_MEL.hop]
        spectrum = np.abs(scipy.fft.rfft(frames * window, axis=1)) ** 2
        out.append(np.log(spectrum @ filters.T + np.float32(1e-6)))
    return np.stack(out)


def write(path: Path, seconds: int) -> None:
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", SOURCE_RATE, 1) as file:
        for _ in range(seconds):
            block = rng.standard_normal(SOURCE_RATE).astype(np.float32) * np.float32(0.05)
            for first in range(0, len(block), 8_000):
                file.write(block[first : first + 8_000])


def decode(path: Path) -> None:
    with soundfile.SoundFile(path) as file:
        while len(file.read(30 * SOURCE_RATE, dtype="float32")):
            pass


def resample(path: Path) -> None:
    for _ in stream(path, sample_rate=RATE):
        pass


def to_log_mel(path: Path) -> None:
    for batch in stream_windows(path, WindowSpec(WINDOW_S, WINDOW_S, RATE), 8):
        LOG_MEL(batch.audio)


def files_table(seconds: int) -> None:
    print("| format | decode (soundfile) | decode + resample | decode + resample + log-mel |")
    print("|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("wav", "flac", "ogg", "mp3"):
            path = Path(folder, f"noise.{suffix}")
            write(path, seconds)
            steps: tuple[Callable[[Path], None], ...] = (decode, resample, to_log_mel)
            speeds = [
                seconds / cpu_seconds(lambda step=step, path=path: step(path)) for step in steps
            ]
            print(
                f"| {suffix.upper()} | " + " | ".join(f"{speed:,.0f}x" for speed in speeds) + " |"
            )


def memory_table() -> None:
    windows = np.random.default_rng(0).standard_normal((24, int(WINDOW_S * RATE))) * 0.05
    audio = windows.astype(np.float32)
    seconds = len(audio) * WINDOW_S
    mel = LOG_MEL.mel(audio)
    fbank = KaldiFbank(RATE, n_mels=128)
    rows: list[tuple[str, Callable[[], object]]] = [
        ("log-mel, n_fft 2048, hop 512, 128 bands", lambda: LOG_MEL(audio)),
        ("the same in plain SciPy", lambda: scipy_log_mel(audio)),
        ("PCEN of those mel energies", lambda: pcen(mel, sample_rate=RATE, hop=LOG_MEL.hop)),
        ("Kaldi filterbank, 128 bands, 10 ms", lambda: fbank(audio)),
    ]
    difference = np.abs(LOG_MEL(audio) - scipy_log_mel(audio)).max()
    print(f"| on {WINDOW_S:g}-s windows at 32 kHz in memory | times real time |")
    print("|---|---:|")
    for name, work in rows:
        print(f"| {name} | {seconds / cpu_seconds(work):,.0f}x |")
    print(f"\nLargest difference between the two log-mels: {difference:.1e}.")


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed of decoding and features.")
    parser.add_argument("--seconds", type=int, default=600, help="length of each recording")
    seconds = parser.parse_args().seconds
    packages = ("numpy", "scipy", "soundfile", "soxr")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{processor()}, {os.cpu_count()} cores, {platform.system()}, load {load:.1f}")
    print(f"{datetime.date.today()}, Python {platform.python_version()}, ", end="")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    print(f"\nTimes real time per core; mono, {seconds} s at 48 kHz.\n")
    files_table(seconds)
    print()
    memory_table()


if __name__ == "__main__":
    main()
