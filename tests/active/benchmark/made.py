"""Finished runs made by hand, and small sets and files to run on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.folder import Result
from antiphon.active.benchmark.plan import System
from antiphon.active.benchmark.sources import SetFacts
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.active.learner.record import Cycle, Run
from tests.active.baseal.folders import write_subset

SAMPLING = """
import os, signal, sys, time
import numpy as np

# Without torch, which takes seconds to import.
sys.modules.setdefault("torch", None)


class SamplingStrategy:
    def __init__(self, method="custom", n_samples=10, random_state=None):
        if method not in ("custom", "first", "twice", "raises", "dies", "hangs", "deaf", "leaves"):
            raise ValueError(method)
        self.method, self.n_samples = method, n_samples
        self.rng = np.random.default_rng(random_state)

    def select(self, unlabeled_indices, predictions, embeddings, model, metadata,
               labeled_indices, labels, mc_predictions):
        print("this goes to the log")
        if self.method == "raises":
            raise RuntimeError("no luck today")
        if self.method == "dies":
            sys.stderr.write("out of paper\\n")
            sys.stderr.flush()
            os._exit(7)
        if self.method == "leaves":
            sys.exit("so long")
        if self.method == "deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        if self.method in ("hangs", "deaf"):
            time.sleep(600)
        rows = list(unlabeled_indices[: self.n_samples])
        if self.method == "twice":
            rows = rows[:1] * self.n_samples
        return rows, np.ones(len(unlabeled_indices), np.float32)
"""


def small_set(folder: Path, *, seed: int = 0, n: int = 90, dim: int = 6) -> Path:
    """Write a BaseAL folder of two classes that can be told apart, a third of it to judge."""
    rng = np.random.default_rng(seed)
    labels = [("", "a", "b", "a;b")[i % 4] for i in range(n)]
    rows = [(f"r{i:03d}_000_005.wav", labels[i], str(i % 3 == 0)) for i in range(n)]
    files = {}
    for name, label, _ in rows:
        vector = rng.normal(size=dim) * 0.5
        vector[0] += 2.0 * ("a" in label)
        vector[1] += 2.0 * ("b" in label)
        files[Path(name).stem] = vector.astype(np.float32)
    return write_subset(folder, rows, files=files)


def sampling_file(folder: Path) -> Path:
    """Write a participant's file whose methods go wrong in all ways."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sampling.py"
    path.write_text(SAMPLING, encoding="utf-8")
    return path


def made_facts(name: str, *, domain: str = "", key: str = "") -> SetFacts:
    return SetFacts(key or f"key-{name}", name, domain, True, 100, 50, 4, 8, (), "perch_v2")


def made_result(
    strategy: str,
    facts: SetFacts,
    seed: int,
    curve: Sequence[float],
    *,
    schedule: str = "50",
    select_s: float = 0.01,
    code: str = "c0de",
) -> Result:
    """Return a run whose mAP after each cycle is ``curve``."""
    batches = Schedule.parse(schedule)
    sizes = [batches.sizes[min(i, len(batches.sizes) - 1)] for i in range(len(curve))]
    config = LoopConfig(budget=sum(sizes), schedule=batches)
    cycles = tuple(
        Cycle(
            cycle=i + 1,
            n_labelled=sum(sizes[: i + 1]),
            rows=tuple(range(sum(sizes[:i]), sum(sizes[: i + 1]))),
            events=2 * sizes[i],
            mAP=value,
            accuracy=value / 2,
            f1=value / 3,
            calibration_error=0.1,
            loss=1.0 - value,
            select_s=select_s,
            predict_s=0.0,
            train_s=0.5,
            judge_s=0.0,
        )
        for i, value in enumerate(curve)
    )
    run = Run(
        dataset=facts.name,
        domain=facts.domain,
        key=facts.key,
        strategy=strategy,
        seed=seed,
        config=config,
        parameters=1000,
        baseline_parameters=1000,
        n_pool=facts.n_pool,
        n_judges=facts.n_judges,
        n_labels=facts.n_labels,
        without_positives=0,
        cycles=cycles,
    )
    system = System(StrategySource(strategy), config)
    return Result(facts, system, system.key(), run, {"version": "1", "code": code})
