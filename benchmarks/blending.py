"""Rank blends scored by macro ROC-AUC, and bootstrap of files, against scikit-learn.

    python benchmarks/blending.py [--quick]

Five models are blended by doubled mid-ranks with random whole weights from 0 to 100. scikit-learn
scores a few of the same blends with ``roc_auc_score(truth, blend, average="macro")``, the time to
form the blend (one matrix product) not counted against it; all blends of Antiphon are formed and
scored. The largest difference is over the blends that both scored. Preparing (ranks, and what
depends on the truth) is done once for a set of models and is shown apart.

The truth is made up like that of soundscapes: about three classes in a window, few of them common
and most of them rare, each with a positive. The five models share a signal of the truth and a
common error, and add one of their own. Rows and classes are those of 66 files of twelve windows
(75 labelled classes, or all 234), and of 1,320 files. What the ratio is depends on how many
positives there are, so it is also shown for a truth with five times as many.

Rates are by wall clock, the best of three runs, next to the ratio of CPU seconds of one thread to
that of scikit-learn, which a busy machine disturbs less. BLAS runs on one thread.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import datetime
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from antiphon.evaluation.blending.resampling.wins import bootstrap, win_counts
from antiphon.evaluation.blending.scoring.auc import RankBlends
from antiphon.evaluation.blending.scoring.ranks import doubled_mid_ranks
from machine import processor

MODELS = 5
WINDOWS = 12


def made_up(
    n: int, classes: int, per_window: float, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return scores (models, n, classes) and truth."""
    rng = np.random.default_rng(seed)
    share = np.geomspace(1.0, 0.003, classes)
    share = np.clip(share * per_window / share.sum(), 1.0 / n, 0.5)
    hidden = rng.standard_normal((n, classes))
    count = np.maximum(1, np.rint(share * n).astype(int))
    order = np.argsort(np.argsort(-hidden, axis=0), axis=0)
    common = 1.5 * hidden + rng.standard_normal((n, classes))
    own = 1.5 * rng.standard_normal((MODELS, n, classes))
    return common + own, order < count


def best(work: Callable[[], Any], repeats: int) -> tuple[float, float, Any]:
    """Return the best wall and CPU seconds, and the last result."""
    wall = cpu = float("inf")
    result = None
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        result = work()
        wall = min(wall, time.perf_counter() - start)
        cpu = min(cpu, time.process_time() - used)
    return wall, cpu, result


def compare(n: int, classes: int, per_window: float, blends: int, peers: int) -> None:
    score, truth = made_up(n, classes, per_window, seed=n + classes)
    prepare, _, (ranks, ready) = best(
        lambda: (r := doubled_mid_ranks(score), RankBlends(r, truth)), 1
    )
    weights = np.random.default_rng(0).integers(0, 101, (blends, MODELS))
    weights[:, 0] += 1
    ready.macro_auc(weights[:1])
    formed = [np.einsum("m,mnc->nc", w, ranks) for w in weights[:peers]]

    def theirs() -> list[float]:
        return [roc_auc_score(truth, blend, average="macro") for blend in formed]

    wall_t, cpu_t, want = best(theirs, 3)
    wall_1, cpu_1, got = best(lambda: ready.macro_auc(weights), 3)
    wall_2, _, also = best(lambda: ready.macro_auc(weights, threads=2), 3)
    apart = float(np.abs(got[:peers] - want).max())
    assert np.array_equal(got, also)
    wall_t, cpu_t = wall_t / peers, cpu_t / peers
    wall_1, cpu_1, wall_2 = wall_1 / blends, cpu_1 / blends, wall_2 / blends
    print(
        f"| {n:,} x {classes} | {truth.sum(axis=0).mean():.0f} | {prepare:.2f} | {1 / wall_t:.3g} "
        f"| {1 / wall_1:,.0f} | {wall_t / wall_1:.0f} | {cpu_t / cpu_1:.0f} | {1 / wall_2:,.0f} | "
        f"{wall_t / wall_2:.0f} | {apart:.0e} |",
        flush=True,
    )


def resample(replicates: int, peers: int) -> None:
    """Time paired bootstrap replicates by files against scikit-learn on resampled rows."""
    score, truth = made_up(66 * WINDOWS, 75, 3.0, seed=1)
    file = np.repeat(np.arange(66), WINDOWS)
    count, _, wins = best(lambda: [win_counts(s, truth, file) for s in score[:2]], 3)
    wall, cpu, drawn = best(lambda: bootstrap(*wins, replicates, np.random.default_rng(0)), 5)
    weights = np.random.default_rng(0).multinomial(66, np.full(66, 1 / 66), size=replicates)

    def theirs() -> list[float]:
        out = []
        for one in weights[:peers]:
            rows = np.repeat(np.arange(len(file)), one[file])
            keep = truth[rows].any(axis=0)
            a, b = (roc_auc_score(truth[rows][:, keep], s[rows][:, keep]) for s in score[:2])
            out.append(a - b)
        return out

    wall_t, _, want = best(theirs, 1)
    apart = float(np.abs(drawn.difference[:peers] - want).max())
    peer = wall_t / peers * replicates
    print(
        f"\n{replicates:,} paired bootstrap replicates, 66 files x 75 classes: counting wins of "
        f"two models {count * 1e3:.0f} ms, replicates and jackknife {wall * 1e3:.0f} ms "
        f"({cpu * 1e3:.0f} ms CPU); scikit-learn on resampled rows {peer:.0f} s (from {peers} "
        f"replicates), largest difference {apart:.0e}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer blends, without the largest")
    options = parser.parse_args()
    print(
        f"{datetime.date.today()}, {processor()}, {os.cpu_count()} processors, load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"scikit-learn {version('scikit-learn')}, antiphon {version('antiphon')}\n"
    )
    print(
        "| rows x classes | mean positives | prepare, s | scikit-learn, blends/s | 1 thread, "
        "blends/s | ratio | ratio, CPU-s | 2 threads, blends/s | ratio | largest difference |"
    )
    print("|---|" + "---:|" * 9)
    few = 0.1 if options.quick else 1.0
    for per_window in (3.0, 15.0):
        compare(792, 75, per_window, int(4000 * few), 4)
        compare(792, 234, per_window, int(2000 * few), 2)
        if not options.quick:
            compare(15_840, 234, per_window, 48, 1)
    resample(2000, 5)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
