"""The four baselines on simulated sets against the published development baselines.

    python benchmarks/active_calibration.py [--quick] [--sets hsn pow uhh atbfl] [--variants 0 1]
        [--strategies random coreset] [--seeds 3] [--out FILE]

For each recipe (set and variant) it prints the AULC of Random, Margin, CoreSet and TypiClust in
BaseAL's form (trapezoid from (0, 0), ten batches of 50, ten epochs of each, weights carried over),
the mAP at the end in brackets; below the recipes of a set stand their mean and the published
figure. Each seed is another simulated world and another head. With --quick: variant 0 and one
seed. Runs are appended to FILE as they finish and are not repeated, so a run that was stopped goes
on. A run takes about 10 CPU-s: an hour for all, three minutes for --quick.

Published: AULC at 500 labels of Random and CoreSet for each set, and means over the four sets for
Margin and TypiClust (development sets of May 2026).
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import datetime
import json
import platform
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.loop import run_loop
from antiphon.active.simulate.generate import generate, set_key
from antiphon.active.simulate.presets import VARIANTS, preset

SETS = ("hsn", "pow", "uhh", "atbfl")
STRATEGIES = ("random", "margin-multilabel", "coreset", "typiclust")
# Development baselines of May 2026: AULC at 500 labels.
PUBLISHED = {
    "random": {"hsn": 0.347, "pow": 0.428, "uhh": 0.333, "atbfl": 0.456},
    "coreset": {"hsn": 0.527, "pow": 0.456, "uhh": 0.406, "atbfl": 0.450},
}
MEANS = {"random": 0.391, "margin-multilabel": 0.399, "coreset": 0.460, "typiclust": 0.423}

# BaseAL's CoreSet has no centres before the first batch and takes that one at random.
CONFIG = {"coreset": LoopConfig(warmup="random")}

# Digest of recipe and seed, strategy.
Key = tuple[str, str]


def main() -> None:
    options = parse()
    done = read(options.out)
    wanted = [
        (preset(name, variant), seed)
        for name in options.sets
        for variant in options.variants
        for seed in range(options.seeds)
    ]
    for recipe, seed in wanted:
        key = set_key(recipe, seed)
        missing = [s for s in options.strategies if (key, s) not in done]
        if not missing:
            continue
        data = generate(recipe, seed)
        for strategy in missing:
            start = time.process_time()
            run = run_loop(data, strategy, CONFIG.get(strategy), seed)
            curve = [cycle.mAP for cycle in run.cycles]
            done[key, strategy] = curve
            fact = {"key": key, "strategy": strategy, "set": recipe.name, "seed": seed}
            spent = time.process_time() - start
            with options.out.open("a") as file:
                file.write(json.dumps({**fact, "mAP": curve, "cpu_s": round(spent, 2)}) + "\n")
            print(f"{recipe.name}, {strategy}, seed {seed}: {aulc(curve):.3f}, {spent:.1f} CPU-s")
    report(options, done)


def aulc(curve: list[float]) -> float:
    """Return BaseAL's area: trapezoids over equal batches from (0, 0)."""
    return float(sum(curve) - curve[-1] / 2) / len(curve)


def report(options: argparse.Namespace, done: dict[Key, list[float]]) -> None:
    names = options.strategies
    print(f"{platform.machine()}, Python {platform.python_version()}, {datetime.date.today()}")
    print(f"{options.seeds} worlds and heads a recipe; AULC (mAP at 500 labels)\n")
    print("| recipe | " + " | ".join(names) + " |")
    print("|---|" + "---:|" * len(names))
    overall: dict[str, list[float]] = defaultdict(list)
    for name in options.sets:
        areas: dict[str, list[float]] = defaultdict(list)
        for variant in options.variants:
            cells = []
            keys = [set_key(preset(name, variant), seed) for seed in range(options.seeds)]
            for strategy in names:
                found = [done[key, strategy] for key in keys]
                area = float(np.mean([aulc(curve) for curve in found]))
                areas[strategy].append(area)
                cells.append(f"{area:.3f} ({np.mean([curve[-1] for curve in found]):.2f})")
            row(f"{name}.{variant}", cells)
        row(f"{name}, all", [f"{np.mean(areas[s]):.3f} ± {np.std(areas[s]):.3f}" for s in names])
        known = [PUBLISHED.get(strategy, {}).get(name) for strategy in names]
        row(f"{name}, published", ["" if value is None else f"{value:.3f}" for value in known])
        for strategy in names:
            overall[strategy].append(float(np.mean(areas[strategy])))
    if tuple(options.sets) == SETS:
        row("mean of the sets", [f"{np.mean(overall[s]):.3f}" for s in names])
        row("published", [f"{MEANS[s]:.3f}" for s in names])


def row(title: str, cells: list[str]) -> None:
    print(f"| {title} | " + " | ".join(cells) + " |")


def read(path: Path) -> dict[Key, list[float]]:
    if not path.is_file():
        return {}
    facts = [json.loads(line) for line in path.read_text().splitlines()]
    return {(fact["key"], fact["strategy"]): fact["mAP"] for fact in facts}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--variants", nargs="+", type=int, default=list(range(VARIANTS)))
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("active_calibration.jsonl"))
    options = parser.parse_args()
    if options.quick:
        options.variants, options.seeds = [0], 1
    return options


if __name__ == "__main__":
    main()
