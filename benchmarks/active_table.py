"""Markdown tables of finished benchmarks of active learning.

    python benchmarks/active_table.py RUN [RUN ...] [--score aulc] [--against antiphon]

One row for each strategy and schedule, one column for each set, with 95 % t intervals over repeats
(differently initialised heads) and their number; then differences to one strategy, paired by set
and repeat. Several RUN folders stand beside each other; their sets must have different names.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.evaluation.paired import mean_interval, paired_difference

Cells = dict[tuple[str, str], dict[int, float]]


def read(run: Path, score: str) -> Cells:
    """Return the score of each strategy and set by repeat."""
    command = [sys.executable, "-m", "antiphon", "bench", "al", "report", str(run), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    figures: dict[str, Any] = json.loads(done.stdout)
    return {
        (result["system"], result["set"]): dict(
            zip(result["seeds"], result["by_seed"][score], strict=True)
        )
        for result in figures["results"]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, nargs="+")
    parser.add_argument(
        "--score", default="aulc", choices=["aulc", "aulc_mean", "aulc_grid", "final"]
    )
    parser.add_argument("--against", default="antiphon")
    chosen = parser.parse_args()
    cells: Cells = {}
    for run in chosen.run:
        cells |= read(run, chosen.score)
    sets = list(dict.fromkeys(name for _, name in cells))
    systems = list(dict.fromkeys(name for name, _ in cells))

    def mean(system: str) -> float:
        found = [np.mean(list(cells[system, s].values())) for s in sets if (system, s) in cells]
        return float(np.mean(found)) if len(found) == len(sets) else float("nan")

    systems.sort(key=lambda system: -np.nan_to_num(mean(system), nan=-1.0))
    print("| strategy | " + " | ".join(sets) + " | mean |")
    print("|---|" + "---|" * len(sets) + "---:|")
    for system in systems:
        row = [cell(cells.get((system, name))) for name in sets]
        whole = mean(system)
        print(f"| {system} | {' | '.join(row)} | {'' if np.isnan(whole) else f'{whole:.3f}'} |")
    print(f"\n`{chosen.against}` less the others, paired by set and repeat:\n")
    print("| strategy | " + " | ".join(sets) + " | all sets | pairs |")
    print("|---|" + "---|" * (len(sets) + 1) + "---:|")
    for system in systems:
        if system == chosen.against:
            continue
        pairs = {
            name: [
                (cells[chosen.against, name][seed], cells[system, name][seed])
                for seed in cells.get((chosen.against, name), {})
                if seed in cells.get((system, name), {})
            ]
            for name in sets
        }
        row = [difference({name: pairs[name]}) for name in sets]
        n = sum(map(len, pairs.values()))
        print(f"| {system} | {' | '.join(row)} | {difference(pairs)} | {n} |")


def cell(values: dict[int, float] | None) -> str:
    if not values:
        return ""
    found = mean_interval(list(values.values()))
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}] ({len(values)})"


def difference(pairs: dict[str, list[tuple[float, float]]]) -> str:
    """Return mean and interval; each set has one weight, whatever its number of repeats."""
    gaps = [np.array([a - b for a, b in found]) for found in pairs.values() if found]
    if not gaps:
        return ""
    if len(gaps) == 1 and len(gaps[0]) > 1:
        found = mean_interval(gaps[0])
        return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    both = [pair for found in pairs.values() for pair in found]
    groups = [name for name, found in pairs.items() for _ in found]
    a, b = np.array(both).T
    result = paired_difference(a, b, np.array(groups), rng=np.random.default_rng(0))
    return f"{result.value:+.3f} [{result.low:+.3f}, {result.high:+.3f}]"


if __name__ == "__main__":
    main()
