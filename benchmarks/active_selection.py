"""Seconds that each strategy takes to choose 50 windows, against scikit-activeml where it has one.

    python benchmarks/active_selection.py [--windows 18319] [--dim 1536] [--classes 25]
                                          [--strategy NAME ...] [--no-peers] [--large]

The pool is made up: kinds of sound with a long tail, spread along correlated directions, in
recordings that share a background, as large as the largest set of BioDCASE 2026 Task 4. So is a
head with one hidden layer as wide as the embeddings. 250 windows of a budget of 500 are labelled.
"First" is the selection on a new pool and includes what depends on the embeddings alone
(principal components, neighbourhoods); "later" is the mean of the next two, each after the labels
of the one before. CPU seconds are of this process over all threads.

The second table is scikit-activeml on the same pool and the same labels, once: its query for the
first of these selections. CoreSet is also run from one labelled window to 501, ten batches: all
windows must be the same, in order. TypiClust draws its clusters at random; its choice is compared
given its own clusters, and of clusters of the same size either may take the last. Its MaxHerding
and ProbCover hold all pairs of windows, up to 12 GiB. Where it is missing, that is said.

With --large the pool is 1,000,000 x 256, the head linear, and scikit-activeml is left out. That
takes some minutes and 5 GiB of memory. BLAS runs on as many threads as OMP_NUM_THREADS says, or on
one.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import datetime
import platform
import resource
import time
from collections.abc import Callable, Collection, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import PoolView, Selection, read_only
from antiphon.active.geometry.spaces import components
from antiphon.active.registry import get_strategy, list_strategies, select
from antiphon.active.strategies.typiclust import choose_typical
from machine import processor

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
# CPU and wall seconds.
Times = tuple[float, float]
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
    """A random head; its answers are computed beforehand."""

    def __init__(
        self, vectors: Float32, classes: int, rng: np.random.Generator, *, linear: bool
    ) -> None:
        dim = vectors.shape[1]
        scale = np.float32(1.0 / np.sqrt(dim))
        self._weight = scale * rng.standard_normal((classes, dim), dtype=np.float32)
        self._hidden = vectors
        if not linear:
            first = scale * rng.standard_normal((dim, dim), dtype=np.float32)
            self._hidden = np.empty_like(vectors)
            for start in range(0, len(vectors), 20_000):
                part = vectors[start : start + 20_000] @ first
                self._hidden[start : start + 20_000] = np.maximum(part, 0.0)
        logits = self._hidden @ self._weight.T
        logits *= 2.0 / logits.std()
        logits -= 3.0
        self._probability = read_only(1.0 / (1.0 + np.exp(-logits)))
        self._passes = np.empty((10, *logits.shape), np.float32)
        for one in self._passes:
            noisy = logits + 0.5 * rng.standard_normal(logits.shape, dtype=np.float32)
            one[:] = 1.0 / (1.0 + np.exp(-noisy))

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
    """A pool, its labels and a head."""

    def __init__(self, n: int, dim: int, classes: int, seed: int, *, linear: bool = False) -> None:
        rng = np.random.default_rng(seed)
        self.classes = classes
        self.vectors = made_up_vectors(n, dim, 4 * classes, rng)
        self.head = MadeUpHead(self.vectors, classes, rng, linear=linear)
        self.start = rng.choice(n, min(LABELLED, n // 2), replace=False).astype(np.int64)
        self.truth = (rng.random((n, classes), dtype=np.float32) < 0.05).astype(np.float32)
        self.recording = (np.arange(n) // 60).astype(np.int64)

    def pool(self, labelled: Int64, cache: dict[str, Any], cycle: int = 1) -> PoolView:
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

    def cycles(self, name: str) -> tuple[Times, Times]:
        """Return the times of the first selection and the mean of two later ones."""
        cache: dict[str, Any] = {}
        labelled, times = self.start, []
        for cycle in (1, 2, 3):
            pool = self.pool(labelled, cache, cycle)
            cpu, wall, chosen = timed(lambda pool=pool: select(name, pool, BATCH))
            times.append((cpu, wall))
            labelled = np.concatenate([labelled, chosen.rows])
        later = ((times[1][0] + times[2][0]) / 2, (times[1][1] + times[2][1]) / 2)
        return times[0], later

    def targets(self, labelled: Int64) -> npt.NDArray[np.float64]:
        """Return labels as scikit-activeml wants them: NaN where there is none."""
        y = np.full(len(self.vectors), np.nan)
        y[labelled] = np.arange(len(labelled)) % self.classes
        return y


def peers(bench: Bench, wanted: Collection[str]) -> Iterator[tuple[str, str, Times, str]]:
    """Run scikit-activeml for the wanted strategies; give its class, ours, times and a remark."""
    from skactiveml.pool import CoreSet, MaxHerding, ProbCover, TypiClust
    from sklearn.cluster import KMeans

    first = bench.pool(bench.start, {})
    y = bench.targets(bench.start)

    def run(query: Any, x: Float32) -> tuple[Times, Int64]:
        cpu, wall, rows = timed(lambda: query.query(x, y, batch_size=BATCH))
        return (cpu, wall), np.asarray(rows, np.int64)

    if "coreset" in wanted:
        times, rows = run(CoreSet(random_state=0), bench.vectors)
        same = int((rows == select("coreset", first, BATCH).rows).sum())
        yield "CoreSet", "coreset", times, f"{same} of {BATCH} windows the same, in order"

    class Kept(KMeans):  # type: ignore[misc]
        def fit_predict(self, *args: Any, **more: Any) -> Any:
            kept.append(super().fit_predict(*args, **more))
            return kept[-1]

    if "typiclust" in wanted:
        for x, what in ((bench.vectors, "embeddings"), (components(first), "64 components")):
            kept: list[Any] = []
            times, rows = run(TypiClust(cluster_algo=Kept, random_state=0), x)
            cluster = kept[0].astype(np.int64)
            ours = choose_typical(x, cluster, bench.start, BATCH)
            same = same_typical(cluster, rows, ours)
            yield "TypiClust", "typiclust", times, f"on {what}; {same} of {BATCH} the same"
    if "maxherding" in wanted:
        times, _ = run(MaxHerding(random_state=0), bench.vectors)
        yield "MaxHerding", "maxherding", times, "kernel of all pairs"
    if "probcover" in wanted:
        times, _ = run(ProbCover(random_state=0, n_classes=bench.classes), bench.vectors)
        yield "ProbCover", "probcover", times, "distances of all pairs, ten radii"


def same_typical(cluster: Int64, theirs: Int64, ours: Selection) -> int:
    """Count the windows that are the same or lie in a cluster as large as one of the other's.

    Clusters of the same size come in any order, so either may take the last of them.
    """
    both = set(theirs.tolist()) & set(ours.rows.tolist())
    size = np.bincount(cluster)
    left = sorted(int(size[cluster[row]]) for row in theirs if int(row) not in both)
    others = sorted(int(size[cluster[row]]) for row in ours.rows if int(row) not in both)
    return len(both) + sum(a == b for a, b in zip(left, others, strict=True))


def whole_run(bench: Bench) -> tuple[Times, Times, int]:
    """Choose ten batches by k-centre from one labelled window, both ways.

    Returns
    -------
    ours, theirs
        CPU and wall seconds of all ten.
    same
        How many of the 500 windows are the same, in order.
    """
    from skactiveml.pool import CoreSet

    cache: dict[str, Any] = {}
    labelled, sums = bench.start[:1], np.zeros(4)
    same = 0
    for cycle in range(BUDGET // BATCH):
        pool = bench.pool(labelled, cache, cycle)
        cpu, wall, chosen = timed(lambda pool=pool: select("coreset", pool, BATCH))
        y = bench.targets(labelled)
        query = CoreSet(random_state=0)
        other = timed(lambda y=y, query=query: query.query(bench.vectors, y, batch_size=BATCH))
        sums += (cpu, wall, *other[:2])
        same += int((np.asarray(other[2]) == chosen.rows).sum())
        labelled = np.concatenate([labelled, chosen.rows])
    return (sums[0], sums[1]), (sums[2], sums[3]), same


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--windows", type=int, default=18_319)
    parser.add_argument("--dim", type=int, default=1536)
    parser.add_argument("--classes", type=int, default=25)
    parser.add_argument("--strategy", action="append", help="only these, by name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-peers", action="store_true", help="leave scikit-activeml out")
    parser.add_argument("--large", action="store_true", help="1,000,000 x 256")
    options = parser.parse_args()
    if options.large:
        options.windows, options.dim = 1_000_000, 256
    names = options.strategy or [card.name for card in list_strategies()]
    for name in names:
        get_strategy(name)
    bench = Bench(options.windows, options.dim, options.classes, options.seed, linear=options.large)
    print(
        f"{datetime.date.today()}, {processor()}, {os.environ['OMP_NUM_THREADS']} BLAS thread(s), "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, antiphon {version('antiphon')}\n\n{options.windows:,} windows x "
        f"{options.dim:,} x {options.classes} labels, {len(bench.start)} labelled, {BATCH} wanted\n"
    )
    print("| strategy | first, CPU-s | wall | later, CPU-s | wall |\n|---|---:|---:|---:|---:|")
    found: dict[str, tuple[Times, Times]] = {}
    for name in names:
        first, later = found[name] = bench.cycles(name)
        print(
            f"| {name} | {first[0]:.3f} | {first[1]:.3f} | {later[0]:.3f} | {later[1]:.3f} |",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    peak = peak / 2**30 if platform.system() == "Darwin" else peak / 2**20
    print(f"\nLargest memory of the process: {peak:.1f} GiB.")
    if not options.large and not options.no_peers:
        against(bench, found)


def against(bench: Bench, found: dict[str, tuple[Times, Times]]) -> None:
    """Print what scikit-activeml takes, or that it is missing."""
    try:
        print(f"\nscikit-activeml {version('scikit-activeml')}\n")
    except PackageNotFoundError:
        print("\nscikit-activeml is not installed: nothing to compare with.")
        return
    print("| class | CPU-s | wall | times first | times later | remark |")
    print("|---|---:|---:|---:|---:|---|")
    for peer, name, times, remark in peers(bench, found):
        first, later = found[name]
        print(
            f"| {peer} | {times[0]:.2f} | {times[1]:.2f} | {times[0] / first[0]:.1f} | "
            f"{times[0] / later[0]:.1f} | {remark} |",
            flush=True,
        )
    if "coreset" in found:
        ours, theirs, same = whole_run(bench)
        print(
            f"\nTen batches by k-centre from one window: {ours[0]:.2f} CPU-s against "
            f"{theirs[0]:.2f} ({theirs[0] / ours[0]:.1f} times), {ours[1]:.2f} s against "
            f"{theirs[1]:.2f} s; {same} of {BUDGET} windows the same, in order."
        )


if __name__ == "__main__":
    main()
