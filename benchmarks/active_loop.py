"""The whole active-learning benchmark against the same loop in torch: CPU seconds and wall time.

    python benchmarks/active_loop.py [--quick] [--repeats 5] [--reference-repeats 5] [--cpus N]
                                     [--strategy random --strategy coreset]

A simulated set of the size of UHH (18,319 + 7,327 x 1,536, 25 classes), ten cycles of 50 labels,
as many repeats as asked for; both loops run them in N processes with one thread each. Ours is the
fast mode. The reference is the loop as BioDCASE 2026 Task 4's framework has it, written in torch
from its description: torch's default Adam, scores by scikit-learn, CoreSet by scikit-activeml,
and the head asked for all rows before each selection and after each training. No strategy here
needs most of that, so a second pair of ratios leaves out what the reference spends on predictions
that nobody uses. Both read the same vectors from the same files; starting the processes counts.

The bound is what the arithmetic needs if nothing else took time: products of matrices at the rate
of a large product, plus reading and writing the first layer's weights and both moments once a
step at the rate at which arrays of that size are read and written; both rates are measured in the
same run, on one thread. Prints Markdown.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import json
import math
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.loop import run_loop
from antiphon.active.learner.record import Run
from antiphon.active.simulate.generate import generate
from antiphon.active.simulate.presets import preset
from antiphon.threads import few_threads

BATCH, EPOCHS, MINI_BATCH = 50, 10, 32
STRATEGIES = ("random", "coreset")


def prepare(folder: Path, quick: bool) -> tuple[int, int, int, int]:
    """Write the set's arrays; return rows of the pool, judging rows, dimensions and classes."""
    data = generate(preset("uhh"), 0)
    rows = np.arange(len(data.embeddings))
    if quick:
        rows = np.sort(np.random.default_rng(0).choice(rows, 4000, replace=False))
    arrays = {
        "embeddings": data.embeddings[rows],
        "targets": data.targets[rows],
        "validation": data.validation[rows],
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    judges = int(arrays["validation"].sum())
    return len(rows) - judges, judges, data.embeddings.shape[1], data.targets.shape[1]


def load(folder: Path) -> LabelledSet:
    """Return the set, its vectors as a memory map."""
    x = np.load(folder / "embeddings.npy", mmap_mode="r")
    targets = np.load(folder / "targets.npy")
    return LabelledSet(
        name="UHH-sized",
        embeddings=x,
        targets=targets,
        labels=tuple(str(i) for i in range(targets.shape[1])),
        validation=np.load(folder / "validation.npy"),
        recording=np.full(len(x), -1, np.int64),
        filenames=tuple(str(i) for i in range(len(x))),
        multilabel=True,
    )


def cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def _all_cpu_s() -> float:
    return cpu_s(resource.RUSAGE_SELF) + cpu_s(resource.RUSAGE_CHILDREN)


# Ours


def one_run(folder: Path, strategy: str, config: LoopConfig, seed: int) -> Run:
    return run_loop(load(folder), strategy, config, seed)


def ours(folder: Path, strategy: str, repeats: int, cycles: int, cpus: int) -> dict[str, Any]:
    """Run our loop in processes; return seconds, the parts they went to, and the mean area."""
    config = LoopConfig(budget=cycles * BATCH, epochs=EPOCHS, batch=MINI_BATCH)
    begin, used = time.perf_counter(), _all_cpu_s()
    # Children inherit one thread each for linear algebra.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    with ProcessPoolExecutor(min(cpus, repeats), multiprocessing.get_context("spawn")) as pool:
        done = list(pool.map(partial(one_run, folder, strategy, config), range(repeats)))
    wall = time.perf_counter() - begin
    parts = {
        part: sum(getattr(c, f"{part}_s") for run in done for c in run.cycles) / len(done)
        for part in ("select", "predict", "train", "judge")
    }
    spent = _all_cpu_s() - used
    return {
        "wall": wall,
        "cpu": spent,
        "repeats": repeats,
        "parts": parts,
        "aulc": float(np.mean([run.aulc() for run in done])),
    }


# The reference


def reference(folder: Path, strategy: str, seeds: range, cycles: int) -> None:
    """Run the loop in torch and print its figures as JSON; this is the whole of a process."""
    import torch

    torch.set_num_threads(1)
    x = np.load(folder / "embeddings.npy")
    y = np.load(folder / "targets.npy")
    validation = np.load(folder / "validation.npy")
    spent = dict.fromkeys(("select", "predict_unused", "predict_judges", "train", "judge"), 0.0)
    areas = [_reference_run(torch, x, y, validation, strategy, i, cycles, spent) for i in seeds]
    print(json.dumps({"cpu": cpu_s(resource.RUSAGE_SELF), "spent": spent, "areas": areas}))


def _reference_run(
    torch: Any,
    x: np.ndarray,
    y: np.ndarray,
    validation: np.ndarray,
    strategy: str,
    seed: int,
    cycles: int,
    spent: dict[str, float],
) -> float:
    from sklearn.metrics import average_precision_score, f1_score

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    dim, labels = x.shape[1], y.shape[1]
    net = torch.nn.Sequential(
        torch.nn.Linear(dim, dim), torch.nn.ReLU(), torch.nn.Linear(dim, labels)
    )
    for layer in (net[0], net[2]):
        torch.nn.init.xavier_uniform_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    adam = torch.optim.Adam(net.parameters(), lr=1e-3)
    criterion = torch.nn.BCEWithLogitsLoss()
    pool, judges = np.flatnonzero(~validation), np.flatnonzero(validation)
    pool_x, judges_x = torch.from_numpy(x[pool]), torch.from_numpy(x[judges])

    def predict(rows: Any) -> np.ndarray:
        with torch.no_grad():
            parts = [torch.sigmoid(net(part)).numpy() for part in rows.split(4096)]
        return np.concatenate(parts)

    clock = [0.0]

    def start() -> None:
        clock[0] = time.thread_time()

    def stop(part: str) -> None:
        spent[part] += time.thread_time() - clock[0]

    labelled: list[int] = []
    curve = [0.0]
    for _ in range(cycles):
        free = np.setdiff1d(pool, labelled)
        start()
        predict(pool_x)
        predict(judges_x)
        stop("predict_unused")
        start()
        labelled = sorted({*labelled, *_reference_choice(strategy, x, free, labelled, rng)})
        stop("select")
        start()
        rows_x, rows_y = torch.from_numpy(x[labelled]), torch.from_numpy(y[labelled])
        for _ in range(EPOCHS):
            order = torch.randperm(len(rows_x))
            for begin in range(0, len(order), MINI_BATCH):
                some = order[begin : begin + MINI_BATCH]
                adam.zero_grad()
                criterion(net(rows_x[some]), rows_y[some]).backward()
                adam.step()
        stop("train")
        start()
        predict(pool_x)
        stop("predict_unused")
        start()
        p = predict(judges_x)
        stop("predict_judges")
        start()
        truth = y[judges]
        f1_score(truth, p > 0.5, average="macro", zero_division=0)
        known = np.flatnonzero(truth.any(axis=0))
        curve.append(float(np.mean([average_precision_score(truth[:, i], p[:, i]) for i in known])))
        stop("judge")
    return float(np.trapezoid(curve) / cycles)


def _reference_choice(
    strategy: str, x: np.ndarray, free: np.ndarray, labelled: list[int], rng: np.random.Generator
) -> list[int]:
    if strategy == "random" or not labelled:
        return [int(row) for row in free[np.argsort(rng.random(len(free)))[-BATCH:]]]
    from skactiveml.pool import CoreSet

    known = np.full(len(x), np.nan)
    known[labelled] = 0.0
    chosen = CoreSet(random_state=0).query(X=x, y=known, candidates=free, batch_size=BATCH)
    return [int(row) for row in chosen]


def run_reference(
    folder: Path, strategy: str, repeats: int, cycles: int, cpus: int
) -> dict[str, Any] | str:
    """Run the reference in a process of its own; return its figures, or why there are none."""
    for module in ("torch", "sklearn", *(("skactiveml",) if strategy == "coreset" else ())):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed"
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-W", "ignore", __file__, "--reference", str(folder)]
    command += ["--strategy", strategy, "--cycles", str(cycles), "--seeds"]
    begin = time.perf_counter()
    processes = [
        subprocess.Popen(
            [*command, str(i), str(repeats), str(cpus)],
            env=os.environ | threads,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(min(cpus, repeats))
    ]
    printed = [process.communicate()[0] for process in processes]
    wall = time.perf_counter() - begin
    if any(process.returncode for process in processes):
        return "it failed, see above"
    found = [json.loads(text) for text in printed]
    return {
        "wall": wall,
        "cpu": sum(part["cpu"] for part in found),
        "repeats": repeats,
        "spent": {key: sum(part["spent"][key] for part in found) for key in found[0]["spent"]},
        "aulc": float(np.mean([area for part in found for area in part["areas"]])),
    }


# The bound


def rates(dim: int) -> tuple[float, float]:
    """Return multiply-adds x 2 per second of a large product, and bytes per second of arrays
    as large as a weight matrix and its moments, read and written; the best of some tries.
    """
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4096, dim), dtype=np.float32)
    w = rng.standard_normal((dim, dim), dtype=np.float32)
    products, sweeps = [], []
    arrays = [w, w.copy(), w.copy()]
    for _ in range(6):
        begin = time.thread_time()
        x @ w.T
        products.append(time.thread_time() - begin)
    for _ in range(20):
        begin = time.thread_time()
        for array in arrays:
            np.add(array, np.float32(1.0), out=array)
        sweeps.append(time.thread_time() - begin)
    return 2.0 * 4096 * dim * dim / min(products), 6.0 * w.nbytes / min(sweeps)


def steps(cycles: int) -> int:
    return sum(EPOCHS * math.ceil(BATCH * (i + 1) / MINI_BATCH) for i in range(cycles))


def bound_s(
    judges: int, dim: int, labels: int, cycles: int, gemm: float, memory: float
) -> tuple[float, float, float]:
    """Return seconds of one run: products of training, of judging, and Adam's traffic."""
    rows = sum(EPOCHS * BATCH * (i + 1) for i in range(cycles))
    # Forward and gradient of each layer, and the gradient at the hidden units.
    training = rows * (4.0 * dim * dim + 6.0 * dim * labels) / gemm
    judging = cycles * judges * (2.0 * dim * dim + 2.0 * dim * labels) / gemm
    traffic = steps(cycles) * 6.0 * 4.0 * dim * dim / memory
    return training, judging, traffic


def report(
    shape: tuple[int, int, int, int],
    cycles: int,
    cpus: int,
    results: dict[str, tuple[dict[str, Any], dict[str, Any] | str]],
) -> None:
    pool, judges, dim, labels = shape
    today = datetime.datetime.now(datetime.UTC).date()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, {cpus} used,")
    print(f"Python {platform.python_version()}, NumPy {version('numpy')}, {today}.")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan
    print(f"Load when this was printed: {load:.1f}.")
    print(f"\n{pool:,} + {judges:,} x {dim:,}, {labels} classes, {cycles} cycles of {BATCH}.\n")
    print(
        "| strategy | loop | repeats | CPU s per repeat | wall s per repeat | mean AULC "
        "| CPU ratio | wall ratio | CPU ratio, used work | wall ratio, used work |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for strategy, (mine, theirs) in results.items():
        cpu, wall = (mine[key] / mine["repeats"] for key in ("cpu", "wall"))
        line = f"| {strategy} | ours | {mine['repeats']} | {cpu:.1f} | {wall:.1f} "
        print(line + f"| {mine['aulc']:.3f} | | | | |")
        if isinstance(theirs, str):
            print(f"| {strategy} | torch | left out: {theirs} | | | | | | | |")
            continue
        n = theirs["repeats"]
        spent = theirs["spent"]
        # Unused predictions take a thread of one process, so their share of wall time is the same.
        used = 1.0 - spent["predict_unused"] / theirs["cpu"]
        ratios = theirs["cpu"] / n / cpu, theirs["wall"] / n / wall
        print(
            f"| {strategy} | torch | {n} | {theirs['cpu'] / n:.1f} | {theirs['wall'] / n:.1f} "
            f"| {theirs['aulc']:.3f} | {ratios[0]:.1f} | {ratios[1]:.1f} "
            f"| {used * ratios[0]:.1f} | {used * ratios[1]:.1f} |"
        )
    _report_parts(results)
    with few_threads(0):
        gemm, memory = rates(dim)
    training, judging, traffic = bound_s(judges, dim, labels, cycles, gemm, memory)
    least = training + judging + traffic
    print(
        f"\nOne thread: products {gemm / 1e9:.0f} GFLOP/s, Adam's arrays {memory / 1e9:.0f} GB/s."
    )
    print(f"Bound of one run without selection, {steps(cycles)} steps: {least:.1f} s = ", end="")
    print(f"{training:.1f} (training) + {judging:.1f} (judging) + {traffic:.1f} (Adam's traffic).")
    for strategy, (mine, _) in results.items():
        cpu = mine["cpu"] / mine["repeats"]
        print(f"{strategy}: {cpu:.1f} CPU s, {least / cpu:.0%} of which the bound explains.")


def _report_parts(results: dict[str, tuple[dict[str, Any], dict[str, Any] | str]]) -> None:
    print("\n| seconds per repeat | select | predict for selection | train | predict and judge |")
    print("|---|---|---|---|---|")
    for strategy, (mine, theirs) in results.items():
        parts = mine["parts"]
        row = " | ".join(f"{parts[k]:.1f}" for k in ("select", "predict", "train", "judge"))
        print(f"| {strategy}, ours, wall | {row} |")
        if isinstance(theirs, dict):
            s, n = theirs["spent"], theirs["repeats"]
            judge = s["predict_judges"] + s["judge"]
            found = (s["select"], s["predict_unused"], s["train"], judge)
            row = " | ".join(f"{value / n:.1f}" for value in found)
            print(f"| {strategy}, torch, CPU | {row} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="4,000 rows, 3 cycles, 1 repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--reference-repeats", type=int, default=None, help="as --repeats")
    parser.add_argument("--cycles", type=int, default=10)
    parser.add_argument("--cpus", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--strategy", action="append", choices=STRATEGIES)
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    strategies = tuple(args.strategy or STRATEGIES)
    if args.reference is not None:
        reference(args.reference, strategies[0], range(*args.seeds), args.cycles)
        return
    if args.quick:
        args.repeats, args.cycles = 1, 3
    again = args.reference_repeats or args.repeats
    with tempfile.TemporaryDirectory() as folder:
        shape = prepare(Path(folder), args.quick)
        results = {}
        for name in strategies:
            mine = ours(Path(folder), name, args.repeats, args.cycles, args.cpus)
            theirs = run_reference(Path(folder), name, again, args.cycles, args.cpus)
            results[name] = (mine, theirs)
        report(shape, args.cycles, args.cpus, results)


if __name__ == "__main__":
    main()
