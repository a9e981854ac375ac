"""Seconds that each strategy takes to choose 50 windows, against scikit-activeml where it has one.

    python benchmarks/active_selection.py [--windows 18319] [--dim 1536] [--classes 25]
                                          [--strategy NAME ...] [--peers] [--large]

The pool is made up: many kinds of sound with a long tail, spread along correlated directions, in
recordings that share a background, as large as the largest set of BioDCASE 2026 Task 4. A head
with one hidden layer is made up too. 250 windows are labelled. "First" is the selection on a new
pool and includes what depends on the embeddings alone (principal components, neighbourhoods);
"later" is the next two cycles, each after the labels of the one before, the mean of both. CPU
seconds are of this process over all threads.

With --peers the strategies that scikit-activeml has are run on the same pool, once. CoreSet's
windows must be the same, one by one; TypiClust draws its clusters at random, so it is compared
given the same clusters, for which the distances to the members' nearest neighbours decide. With
--large the pool is 1,000,000 x 256 and strategies that would need too much are left out.

BLAS runs on as many threads as OMP_NUM_THREADS says, or on 2.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import datetime
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import PoolView, read_only
from antiphon.active.geometry.spaces import components
from antiphon.active.registry import list_strategies, select
from antiphon.active.strategies.typiclust import choose_typical
from antiphon.errors import UserError

Float32 = npt.NDArray[np.float32]
BATCH = 50
LABELLED = 250
BUDGET = 500


def made_up_vectors(n: int, dim: int, kinds: int, rng: np.random.Generator) -> Float32:
    """Return clustered vectors with a long tail, ``(n, dim)`` float32."""
    rank = min(96, dim)
    share = 1.0 / np.arange(1, kinds + 1)
    kind = rng.choice(kinds, n, p=share / share.sum())
    middle = rng.standard_normal((kinds, rank), dtype=np.float32)
    background = 0.5 * rng.standard_normal((n // 60 + 1, rank), dtype=np.float32)
    mixing = rng.standard_normal((rank, dim), dtype=np.float32)
    mixing *= np.arange(1, rank + 1, dtype=np.float32)[:, None] ** -0.5
    found = np.empty((n, dim), np.float32)
    for start in range(0, n, 20_000):
        rows = np.arange(start, min(start + 20_000, n))
        cause = 2.0 * middle[kind[rows]] + background[rows // 60]
        cause += rng.standard_normal((len(rows), rank), dtype=np.float32)
        found[rows] = cause @ mixing + 1.0
        found[rows] += np.float32(0.3) * rng.standard_normal((len(rows), dim), dtype=np.float32)
    return found


class MadeUpHead:
    """A random network with one hidden layer; its answers are computed beforehand."""

    def __init__(self, vectors: Float32, classes: int, rng: np.random.Generator) -> None:
        dim = vectors.shape[1]
        scale = np.float32(1.0 / np.sqrt(dim))
        first = scale * rng.standard_normal((dim, dim), dtype=np.float32)
        self._weight = scale * rng.standard_normal((classes, dim), dtype=np.float32)
        self._hidden = np.empty_like(vectors)
        for start in range(0, len(vectors), 20_000):
            part = vectors[start : start + 20_000] @ first
            self._hidden[start : start + 20_000] = np.maximum(part, 0.0)
        self._logits = 4.0 * (self._hidden @ self._weight.T) - 4.0
        self._probability = read_only(1.0 / (1.0 + np.exp(-self._logits)))
        noise = rng.standard_normal((10, *self._logits.shape), dtype=np.float32)
        self._passes = 1.0 / (1.0 + np.exp(-self._logits - 0.5 * noise))

    def probabilities(self) -> Float32:
        return self._probability

    def hidden(self) -> Float32:
        return self._hidden

    def output_weight(self) -> Float32:
        return self._weight

    def dropout(self, passes: int) -> Float32:
        return self._passes[:passes]


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return CPU seconds, wall seconds and the result."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return time.process_time() - cpu, time.perf_counter() - wall, result


class Bench:
    def __init__(self, n: int, dim: int, classes: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.vectors = made_up_vectors(n, dim, 4 * classes, rng)
        self.head = MadeUpHead(self.vectors, classes, rng)
        self.start = rng.choice(n, LABELLED, replace=False).astype(np.int64)
        self.truth = (rng.random((n, classes)) < 0.05).astype(np.float32)
        self.recording = (np.arange(n) // 60).astype(np.int64)

    def pool(self, labelled: npt.NDArray[np.int64], cache: dict[str, Any], cycle: int) -> PoolView:
        return PoolView(
            embeddings=self.vectors,
            labelled=labelled,
            labels=self.truth[labelled],
            recording=self.recording,
            generator=np.random.default_rng(cycle),
            head=self.head,
            cycle=cycle,
            budget=BUDGET,
            cache=cache,
        )

    def cycles(self, name: str) -> tuple[list[tuple[float, float]], npt.NDArray[np.int64]]:
        """Run three cycles; return their times and the first choice."""
        cache: dict[str, Any] = {}
        labelled, times, first = self.start, [], self.start[:0]
        for cycle in (1, 2, 3):
            pool = self.pool(labelled, cache, cycle)
            cpu, wall, chosen = timed(lambda pool=pool: select(name, pool, BATCH))
            times.append((cpu, wall))
            first = chosen.rows if cycle == 1 else first
            labelled = np.concatenate([labelled, chosen.rows])
        return times, first


def peers(bench: Bench) -> dict[str, Callable[[], tuple[float, float, str]]]:
    """Return what scikit-activeml has; each gives CPU and wall seconds and a remark."""
    from skactiveml.pool import Badge, CoreSet, MaxHerding, ProbCover, TypiClust

    y = np.full(len(bench.vectors), np.nan)
    y[bench.start] = 0.0
    pool = bench.pool(bench.start, {}, 1)

    def run(query: Any, x: Float32, **more: Any) -> tuple[float, float, npt.NDArray[np.int64]]:
        cpu, wall, rows = timed(lambda: query.query(x, y, batch_size=BATCH, **more))
        return cpu, wall, np.asarray(rows)

    def coreset() -> tuple[float, float, str]:
        cpu, wall, rows = run(CoreSet(random_state=0), bench.vectors)
        same = int((rows == select("coreset", pool, BATCH).rows).sum())
        return cpu, wall, f"{same} of {BATCH} windows the same, in order"

    def typiclust() -> tuple[float, float, str]:
        points = components(pool)
        kept: list[npt.NDArray[np.int64]] = []

        from sklearn.cluster import KMeans

        class Kept(KMeans):  # type: ignore[misc]
            def fit_predict(self, *args: Any, **more: Any) -> Any:
                kept.append(super().fit_predict(*args, **more))
                return kept[-1]

        cpu, wall, rows = run(TypiClust(cluster_algo=Kept, random_state=0), points)
        ours = choose_typical(points, kept[0].astype(np.int64), bench.start, BATCH)
        same = len(set(rows.tolist()) & set(ours.rows.tolist()))
        return cpu, wall, f"on the 64 components; {same} of {BATCH} the same, given its clusters"

    def maxherding() -> tuple[float, float, str]:
        cpu, wall, _ = run(MaxHerding(random_state=0), bench.vectors)
        return cpu, wall, "whole kernel"

    def probcover() -> tuple[float, float, str]:
        cpu, wall, _ = run(ProbCover(random_state=0, n_classes=25), bench.vectors)
        return cpu, wall, "whole distances"

    return {
        "coreset": coreset,
        "typiclust": typiclust,
        "maxherding": maxherding,
        "probcover": probcover,
    }


def cpu_name() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--windows", type=int, default=18_319)
    parser.add_argument("--dim", type=int, default=1536)
    parser.add_argument("--classes", type=int, default=25)
    parser.add_argument("--strategy", action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    bench = Bench(options.windows, options.dim, options.classes, options.seed)
    for name in options.strategy or [c.name for c in list_strategies()]:
        times, _ = bench.cycles(name)
        f, l = times[0], np.mean(times[1:], axis=0)
        print(f"{name:20s} first {f[0]:.3f} {f[1]:.3f} later {l[0]:.3f} {l[1]:.3f}", flush=True)


if __name__ == "__main__":
    main()
