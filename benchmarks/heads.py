"""A multi-label linear head against scikit-learn's one-vs-rest logistic regression.

    python benchmarks/heads.py [--windows 5000] [--dim 1024] [--labels 20]

The first row is what each costs as it is usually called: scikit-learn on raw embeddings with C = 1,
no class weights and up to 1,000 iterations; Antiphon standardised, with l2 = 100 and balanced
weights. These are two problems, and most of the ratio comes from that. The other rows solve the
same problem on the same standardised embeddings (L2, balanced class weights), each with its own
default stopping rule. Macro average precision is of 3,000 other windows. The embeddings are made
up: many correlated directions of falling strength, noise, a floor as rectifiers leave it, and
labels from common (30 % of windows) to rare (0.4 %). Times are CPU seconds of this process over
all threads, standardisation included; Antiphon's are the best of three runs, scikit-learn's of
one. BLAS runs on one thread unless OMP_NUM_THREADS says otherwise.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

import argparse
import datetime
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from antiphon.heads.linear import fit_linear
from machine import processor

Float32 = npt.NDArray[np.float32]
HELD_OUT = 3000


def embeddings(n: int, dim: int, labels: int, seed: int) -> tuple[Float32, Float32]:
    rng = np.random.default_rng(seed)
    rank = min(96, dim)
    cause = rng.standard_normal((n, rank), dtype=np.float32)
    mixing = rng.standard_normal((rank, dim), dtype=np.float32)
    mixing *= np.arange(1, rank + 1, dtype=np.float32)[:, None] ** -0.5
    x = cause @ mixing + np.float32(0.3) * rng.standard_normal((n, dim), dtype=np.float32)
    direction = rng.standard_normal((rank, labels))
    direction /= np.linalg.norm(direction, axis=0)
    score = cause @ direction + 0.5 * rng.standard_normal((n, labels))
    common = np.geomspace(0.3, 0.004, labels)
    cut = [np.quantile(score[:, i], 1 - share) for i, share in enumerate(common)]
    return np.maximum(x, np.float32(-0.3)), (score > cut).astype(np.float32)


def timed(work: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    best, result = float("inf"), None
    for _ in range(repeats):
        start = time.process_time()
        result = work()
        best = min(best, time.process_time() - start)
    return best, result


def compare(
    name: str, own: Callable[[], Any], peer: Callable[[], Any], x: Float32, y: Float32
) -> None:
    """Time both and print one row."""
    own_s, head = timed(own, repeats=3)
    peer_s, model = timed(peer, repeats=1)
    theirs = average_precision_score(y, model.decision_function(x), average="macro")
    ours = average_precision_score(y, head.logits(x), average="macro")
    print(
        f"| {name} | {peer_s:.2f} | {own_s:.2f} | {peer_s / own_s:.1f} | {theirs:.4f} | "
        f"{ours:.4f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--windows", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    n = options.windows
    x, y = embeddings(n + HELD_OUT, options.dim, options.labels, options.seed)
    train_x, train_y, test_x, test_y = x[:n], y[:n], x[n:], y[n:]
    # Once unmeasured, so that neither side pays for imports and first calls.
    fit_linear(train_x[:200], train_y[:200])
    positives = train_y.sum(axis=0).astype(int)
    print(
        f"{datetime.date.today()}, {processor()}, {os.environ['OMP_NUM_THREADS']} BLAS thread(s), "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, scikit-learn {version('scikit-learn')}, antiphon "
        f"{version('antiphon')}\n\n{n:,} windows x {options.dim:,} x {options.labels} labels, "
        f"{positives.min()} to {positives.max()} positives\n"
    )
    print("| problem | scikit-learn, CPU-s | Antiphon, CPU-s | ratio | mAP, scikit-learn | mAP |")
    print("|---|---:|---:|---:|---:|---:|")
    compare(
        "each by its defaults (not the same problem)",
        lambda: fit_linear(train_x, train_y),
        lambda: OneVsRestClassifier(LogisticRegression(max_iter=1000)).fit(train_x, train_y),
        test_x,
        test_y,
    )
    for l2 in (1.0, 10.0, 100.0, 1000.0):
        one = LogisticRegression(C=1.0 / l2, class_weight="balanced", max_iter=1000)
        model = make_pipeline(StandardScaler(), OneVsRestClassifier(one))
        compare(
            f"the same, l2 = 1 / C = {l2:g}",
            lambda l2=l2: fit_linear(train_x, train_y, l2=l2),
            lambda model=model: model.fit(train_x, train_y),
            test_x,
            test_y,
        )


if __name__ == "__main__":
    main()
