"""How fast clips of the synthesised repertoire are made, beside reading the same clips from disk.

    python benchmarks/repertoire.py [--clips 200]

Each row is a kind of clip. Times are CPU milliseconds of this process with BLAS held to one thread;
each clip is made three times and its best counts, so that another process beside this one tells
less. "decode" is reading the same clips as 16-bit FLAC, and the ratio says how many times dearer it
is to make a clip than to read one.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import datetime
import io
import platform
import time
from collections.abc import Callable, Sequence

import numpy as np
import soundfile

from antiphon.audio.synthesis.repertoire import Clip, Repertoire
from machine import processor

KINDS = (
    ("all", 32_000, 3.0, None),
    ("all", 16_000, 3.0, None),
    ("all", 32_000, 10.0, None),
    ("bio", 32_000, 3.0, "bio"),
    ("general", 32_000, 3.0, "general"),
)


def best_ms(work: Sequence[Callable[[], object]], repeats: int = 3) -> np.ndarray:
    best = np.full(len(work), np.inf)
    for _ in range(repeats):
        for number, one in enumerate(work):
            start = time.process_time()
            one()
            best[number] = min(best[number], time.process_time() - start)
    return 1e3 * best


def encoded(clip: Clip) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, clip.waveform, clip.sample_rate, subtype="PCM_16", format="FLAC")
    return file.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clips", type=int, default=200)
    count = parser.parse_args().clips
    repertoire = Repertoire(0, 1200, 800)
    start = time.process_time()
    for index in range(len(repertoire)):
        repertoire.recipe(index)
    drawn = time.process_time() - start
    where = f"{processor()}, Python {platform.python_version()}, NumPy {np.__version__}"
    print(f"{datetime.date.today()}, {where}")
    print(f"{len(repertoire):,} classes drawn in {drawn:.2f} s\n")
    titles = "classes|rate, Hz|clip, s|ms a clip|median|99 %|clips/s|decode, ms|ratio"
    print(f"| {titles.replace('|', ' | ')} |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, rate, seconds, domain in KINDS:
        pool = [c.index for c in repertoire.classes if domain in (None, c.domain)]

        def maker(number: int, rate: int, seconds: float, pool: list[int]) -> Callable[[], Clip]:
            return lambda: repertoire.clip_at(number, rate, seconds, classes=pool)

        work = [maker(k, rate, seconds, pool) for k in range(count)]
        made = best_ms(work)
        files = [encoded(one()) for one in work[:50]]
        read = best_ms([lambda f=f: soundfile.read(io.BytesIO(f), dtype="float32") for f in files])
        print(
            f"| {name} | {rate:,} | {seconds:g} | {made.mean():.1f} | {np.median(made):.1f} "
            f"| {np.percentile(made, 99):.1f} | {1e3 / made.mean():.0f} | {read.mean():.2f} "
            f"| {made.mean() / read.mean():.1f} |"
        )


if __name__ == "__main__":
    main()
