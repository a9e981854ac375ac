"""Retrieval (mean per-query ROC-AUC and precision at 1) against a loop over queries.

    python benchmarks/retrieval.py [--items 10000] [--dim 768] [--labels 50] [--large 100000]

The loop is how retrieval is scored in public code: a pass for each metric; in each, one matrix
product of unit vectors for each batch of 2,048 queries, then for each query `roc_auc_score` without
itself, or whether its nearest neighbour is relevant. It is timed over all queries unless --queries
asks for fewer; its time is then scaled, and equality is that of these queries. Both sides compute
similarities in the same precision. The embeddings are made up: classes as directions in noise,
without copies, because the loop ranks copies by the rounding of the matrix product. Times are CPU
seconds over all threads, the loop's of one run, Antiphon's the best of three. Memory is the largest
resident set of a process that makes the embeddings (float32) and scores them. BLAS runs on one
thread unless OMP_NUM_THREADS says otherwise.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import datetime
import json
import platform
import resource
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from antiphon.evaluation.metrics.retrieval import retrieval_scores
from machine import processor

Float64 = npt.NDArray[np.float64]
BATCH = 2048


def made(n: int, dim: int, labels: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Embeddings and labels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, dim), dtype=np.float32)
    y = rng.integers(0, labels, n)
    centre = np.float32(0.2) * rng.standard_normal((labels, dim), dtype=np.float32)
    for begin in range(0, n, BATCH):
        x[begin : begin + BATCH] += centre[y[begin : begin + BATCH]]
    return x, y


def loop(
    x: npt.NDArray[np.floating], y: npt.NDArray[np.int64], queries: int
) -> tuple[Float64, float]:
    """Area of each query, and precision at 1."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    areas, hits = [], []
    for begin in range(0, queries, BATCH):
        block = unit[begin : min(begin + BATCH, queries)] @ unit.T
        for i, score in enumerate(block, begin):
            relevant = (y == y[i]).astype(int)
            if relevant.sum() > 1:
                kept = np.ones(len(y), dtype=bool)
                kept[i] = False
                areas.append(roc_auc_score(relevant[kept], score[kept]))
    for begin in range(0, queries, BATCH):
        block = unit[begin : min(begin + BATCH, queries)] @ unit.T
        for i, score in enumerate(block, begin):
            relevant = (y == y[i]).astype(int)
            if relevant.sum() > 1:
                score[i] = -np.inf
                hits.append(relevant[np.argmax(score)])
    return np.array(areas), float(np.mean(hits))


def compare(n: int, dim: int, labels: int, queries: int) -> None:
    """Print a row for each precision."""
    x, y = made(n, dim, labels)
    print(f"{n:,} items x {dim:,}, {labels} labels, loop over {queries:,} queries\n")
    print(
        "| similarities | loop, CPU-s | Antiphon, CPU-s | ratio | R-AUC | difference | "
        "largest of a query | P@1 | difference |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    for kind in (np.float64, np.float32):
        start = time.process_time()
        areas, hit = loop(x.astype(kind), y, queries)
        theirs = (time.process_time() - start) * n / queries
        ours = float("inf")
        for _ in range(3):
            start = time.process_time()
            found = retrieval_scores(x, y, dtype=kind)
            ours = min(ours, time.process_time() - start)
        mine = found.per_query_auc[:queries]
        mine = mine[~np.isnan(mine)]
        print(
            f"| {np.dtype(kind)} | {theirs:.1f} | {ours:.2f} | {theirs / ours:.1f} | "
            f"{mine.mean():.9f} | {abs(areas.mean() - mine.mean()):.1e} | "
            f"{np.abs(areas - mine).max():.1e} | {found.precision_at[1]:.4f} | "
            f"{abs(hit - found.precision_at[1]):.1e} |",
            flush=True,
        )


def alone(n: int, dim: int, labels: int, kind: str) -> None:
    """Score one set and print what it took, for the process that asked."""
    x, y = made(n, dim, labels)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    found = retrieval_scores(x, y, dtype=kind)
    facts = {
        "cpu": time.process_time() - start,
        "before": before / 1e6,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "auc": found.roc_auc,
        "first": found.precision_at[1],
    }
    print(json.dumps(facts))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--dim", type=int, default=768)
    parser.add_argument("--labels", type=int, default=50)
    parser.add_argument("--queries", type=int, help="queries of the loop; all by default")
    parser.add_argument("--large", type=int, default=100_000, help="0 leaves it out")
    parser.add_argument("--alone", nargs=2, metavar=("ITEMS", "DTYPE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        alone(int(options.alone[0]), options.dim, options.labels, options.alone[1])
        return
    print(
        f"{datetime.date.today()}, {processor()}, {os.environ['OMP_NUM_THREADS']} BLAS thread(s), "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, scikit-learn {version('scikit-learn')}, antiphon "
        f"{version('antiphon')}\n"
    )
    if options.items:
        queries = min(options.queries or options.items, options.items)
        compare(options.items, options.dim, options.labels, queries)
    if not options.large:
        return
    print("\n| items | similarities | CPU-s | R-AUC | P@1 | resident before, GB | at most, GB |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    for kind in ("float64", "float32"):
        own = [f"--dim={options.dim}", f"--labels={options.labels}"]
        done = subprocess.run(
            [sys.executable, __file__, *own, "--alone", str(options.large), kind],
            check=True,
            capture_output=True,
            text=True,
        )
        facts = json.loads(done.stdout)
        print(
            f"| {options.large:,} | {kind} | {facts['cpu']:.0f} | {facts['auc']:.6f} | "
            f"{facts['first']:.4f} | {facts['before']:.2f} | {facts['peak']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
