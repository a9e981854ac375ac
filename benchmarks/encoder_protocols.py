"""Linear probe against the published training recipe, and k-means against scikit-learn.

    python benchmarks/encoder_protocols.py [--quick] [--only probe|kmeans] [--seeds 3]

Probe: `linear_probe` (L2 chosen on the validation side) against `adamw_probe`, the
published recipe in torch: Linear(D, C), AdamW 1e-3, weight decay 0.01, batches of 32, 900 epochs,
5 of them warm-up, cosine to 1 %, best validation epoch. The recipe indexes tensors in memory and
has no DataLoader, which would only slow it down. Both get the same training, validation and test
sides. The intervals are computed outside the times, by the same code for both.

k-means: `kmeans` against `sklearn.cluster.KMeans(n_clusters=K, init="k-means++", n_init=10,
max_iter=300, random_state=42)` on the same float32 array, both followed by NMI against the labels.
The second ratio is with Hartigan's exchanges after the best start. "Inertia" is Antiphon's divided
by scikit-learn's, less 1.

The embeddings are made up: classes with random centres in 96 correlated directions of falling
strength, and noise in all dimensions. Times are CPU seconds of this process over all threads. BLAS
and torch run on one thread unless OMP_NUM_THREADS says otherwise.
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
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import normalized_mutual_info_score

from antiphon.evaluation.metrics.clustering import normalized_mutual_information
from antiphon.evaluation.protocols.inputs import Labelled
from antiphon.evaluation.protocols.kmeans import kmeans
from antiphon.evaluation.protocols.probe import linear_probe
from antiphon.evaluation.protocols.result import Measure
from antiphon.evaluation.protocols.scoring import score_side
from antiphon.training.probe_recipe import ProbeRecipe, adamw_probe
from machine import processor

Float32 = npt.NDArray[np.float32]


def embeddings(
    n: int, dim: int, classes: int, apart: float, seed: int
) -> tuple[Float32, npt.NDArray[np.int64]]:
    """Return ``n`` items of overlapping classes."""
    rng = np.random.default_rng(seed)
    rank = min(96, dim)
    mixing = rng.standard_normal((rank, dim)) * np.arange(1, rank + 1)[:, None] ** -0.5
    labels = rng.integers(0, classes, n)
    centre = apart * rng.standard_normal((classes, rank))
    x = (centre[labels] + rng.standard_normal((n, rank))) @ mixing
    x += 0.3 * rng.standard_normal((n, dim))
    return x.astype(np.float32), labels


def several(n: int, dim: int, classes: int, seed: int) -> tuple[Float32, npt.NDArray[np.float32]]:
    """Return items with several labels, common (20 %) to rare (1 %)."""
    rng = np.random.default_rng(seed)
    x, _ = embeddings(n, dim, 1, 0.0, seed)
    direction = rng.standard_normal((dim, classes)) / np.sqrt(dim)
    score = x @ direction
    score += 0.3 * score.std(axis=0) * rng.standard_normal(score.shape)
    common = np.geomspace(0.2, 0.01, classes)
    cut = [np.quantile(score[:, i], 1 - share) for i, share in enumerate(common)]
    return x, (score > cut).astype(np.float32)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def shown(measure: Measure) -> str:
    return f"{measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f})"


def compare_probes(seeds: int, epochs: int) -> None:
    print(
        f"Probe, {epochs} epochs\n\n"
        "| train x dim x classes | AdamW, CPU-s | direct, CPU-s | ratio | measure | AdamW (95 %) | "
        "direct (95 %) | best epoch | L2 |\n|---|---:|---:|---:|---|---:|---:|---:|---:|"
    )
    recipe = ProbeRecipe(epochs=epochs, warmup_epochs=min(5, epochs))
    cases: list[tuple[str, int, int, int, float]] = [
        ("one label", 1000, 768, 31, 0.35),
        ("one label", 2000, 768, 50, 0.35),
        ("one label", 2000, 1536, 50, 0.35),
        ("several labels", 2000, 768, 30, 0.0),
    ]
    ratios = []
    for kind, n, dim, classes, apart in cases:
        for seed in range(seeds):
            if kind == "one label":
                x, y = embeddings(n + 1500, dim, classes, apart, seed)
            else:
                x, y = several(n + 1500, dim, classes, seed)
            sides = (x[:n], y[:n], x[n + 500 :], y[n + 500 :])
            judge = (x[n : n + 500], y[n : n + 500])
            own_s, own = timed(
                lambda s=sides, j=judge: linear_probe(*s, validation=j, n_resamples=1)
            )
            peer_s, peer = timed(
                lambda s=sides, j=judge: adamw_probe(*s, validation=j, recipe=recipe, n_resamples=1)
            )
            test = Labelled(*sides[2:], classes)
            ours, theirs = (
                score_side(found.details["scores"], test, None, 0)[0][0] for found in (own, peer)
            )
            ratios.append(peer_s / own_s)
            print(
                f"| {n:,} x {dim:,} x {classes}, {kind} | {peer_s:.1f} | {own_s:.2f} | "
                f"{peer_s / own_s:.0f} | {ours.name} | {shown(theirs)} | "
                f"{shown(ours)} | {peer.details['best_epoch']} | "
                f"{own.details['l2']:g} |",
                flush=True,
            )
    print(f"\nGeometric mean of the ratios: {np.exp(np.log(ratios).mean()):.0f}\n")


def compare_kmeans(seeds: int, quick: bool) -> None:
    print(
        "k-means with NMI\n\n"
        "| items x dim, K | scikit-learn, CPU-s | Antiphon, CPU-s | ratio | inertia | NMI, "
        "scikit-learn | NMI | with exchanges: ratio | inertia |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    cases = [(2000, 768, 31, 0.5), (4000, 1024, 40, 0.4), (10_000, 768, 50, 0.7)]
    for n, dim, k, apart in cases[: 1 if quick else None]:
        for seed in range(seeds):
            x, y = embeddings(n, dim, k, apart, seed)

            def peer(x: Float32 = x, y: Any = y, k: int = k) -> tuple[float, float]:
                model = KMeans(
                    n_clusters=k, init="k-means++", n_init=10, max_iter=300, random_state=42
                ).fit(x)
                return model.inertia_, normalized_mutual_info_score(y, model.labels_)

            def own(exchange: bool, x: Float32 = x, y: Any = y, k: int = k) -> tuple[float, float]:
                found = kmeans(x, k, exchange=exchange)
                return found.inertia, normalized_mutual_information(y, found.labels)

            peer_s, (inertia, nmi) = timed(peer)
            plain_s, (plain, plain_nmi) = timed(lambda own=own: own(False))
            better_s, (better, _) = timed(lambda own=own: own(True))
            print(
                f"| {n:,} x {dim:,}, {k} | {peer_s:.2f} | {plain_s:.2f} | {peer_s / plain_s:.1f} | "
                f"{plain / inertia - 1:+.3%} | {nmi:.3f} | {plain_nmi:.3f} | "
                f"{peer_s / better_s:.1f} | {better / inertia - 1:+.3%} |",
                flush=True,
            )
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=["probe", "kmeans"])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=900)
    parser.add_argument("--quick", action="store_true", help="20 epochs, the smallest k-means")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    print(
        f"{datetime.date.today()}, {processor()}, {os.environ['OMP_NUM_THREADS']} thread(s), load "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, NumPy {np.__version__}, "
        f"torch {version('torch')}, scikit-learn {version('scikit-learn')}, antiphon "
        f"{version('antiphon')}\n"
    )
    # Once unmeasured, so that neither side pays for imports and first calls.
    x, y = embeddings(300, 16, 3, 1.0, 0)
    linear_probe(x[:200], y[:200], x[200:], y[200:], validation=(x[200:], y[200:]))
    adamw_probe(
        x[:200],
        y[:200],
        x[200:],
        y[200:],
        validation=(x[200:], y[200:]),
        recipe=ProbeRecipe(epochs=1, warmup_epochs=1),
    )
    kmeans(x, 3)
    KMeans(n_clusters=3, n_init=1).fit(x)
    if options.only != "kmeans":
        compare_probes(options.seeds, 20 if options.quick else options.epochs)
    if options.only != "probe":
        compare_kmeans(options.seeds, options.quick)


if __name__ == "__main__":
    main()
