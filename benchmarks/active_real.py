"""Strategies on real calls mixed into real backgrounds, embedded by real encoders.

    ANTIPHON_REAL_DATA=... ANTIPHON_MODELS=... python benchmarks/active_real.py RUN [--repeats 5]

Two recipes (sparse: half of the segments empty; dense: 2.5 calls in a segment) and three encoders
give six sets, written as BaseAL folders to RUN/sets; `antiphon bench al` runs on them and keeps its
runs in RUN/bench, so the same command goes on where it was stopped. No source lies on both sides.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from antiphon.active.simulate.mixing import mix
from antiphon.active.simulate.recipe import Recipe
from antiphon.active.simulate.sources import find_sources
from antiphon.active.simulate.write import write_baseal
from antiphon.encoders.registry import create_encoder

STRATEGIES = (
    "antiphon",
    "random",
    "coreset",
    "care-dpp",
    "adu-mmr",
    "safe-rarity",
    "typiclust",
    "margin-multilabel",
)
ENCODERS = ("spectral", "yamnet", "birdnet-stm32")
POOL, JUDGES, CLASSES = 2400, 900, 31


def recipes() -> list[Recipe]:
    """Return what is laid over the backgrounds: few calls, and many."""
    same = {"missed": 0.0, "spurious": 0.0, "segments_per_recording": 20.0}
    return [
        Recipe("sparse", POOL, JUDGES, CLASSES, 0.7, empty_share=0.5, long_tail=1.2, **same),
        Recipe("dense", POOL, JUDGES, CLASSES, 2.5, empty_share=0.1, long_tail=0.8, **same),
    ]


def make_sets(data: Path, folder: Path) -> list[Path]:
    """Mix and write the sets that are missing; return all their folders."""
    sources = find_sources(data)
    print(
        f"{len(sources.calls)} calls of {len(sources.labels())} classes; {' '.join(sources.notes)}"
    )
    made = []
    for name in ENCODERS:
        encoder = create_encoder(name)
        for recipe in recipes():
            target = folder / f"{recipe.name}-{name}"
            made.append(target)
            if not (target / "labels.csv").exists():
                write_baseal(mix(sources, encoder, recipe, 0), target, name)
                print(f"mixed {target.name}", flush=True)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    data = os.environ.get("ANTIPHON_REAL_DATA")
    if not data:
        raise SystemExit("Set ANTIPHON_REAL_DATA to the folder of real recordings.")
    sets = make_sets(Path(data), chosen.run / "sets")
    command = [sys.executable, "-m", "antiphon", "bench", "al", "--out", str(chosen.run / "bench")]
    command += ["--repeats", str(chosen.repeats), "-j", str(chosen.jobs)]
    for strategy in STRATEGIES:
        command += ["--strategy", strategy]
    for folder in sets:
        command += ["--data", str(folder)]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
