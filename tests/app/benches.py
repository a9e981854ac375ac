"""Small finished benchmarks."""

from __future__ import annotations

from pathlib import Path

from antiphon.active.benchmark.contenders import StrategySource
from antiphon.active.benchmark.folder import BenchmarkFolder
from antiphon.active.benchmark.plan import plan
from antiphon.active.benchmark.runner import run_benchmark
from antiphon.active.benchmark.sources import FolderSource
from antiphon.active.learner.config import LoopConfig, Schedule
from antiphon.evaluation.benchmarks.folder import ResultFolder
from antiphon.evaluation.benchmarks.judging.results import EncoderFacts, Result, Value
from tests.active.benchmark.made import small_set


def strategy_run(place: Path) -> Path:
    """Run two strategies, three repeats and four cycles of ten on 60 rows of two classes."""
    small_set(place / "Small_BASEAL")
    config = LoopConfig(budget=40, schedule=Schedule((10,)), epochs=2)
    strategies = [StrategySource.named(name) for name in ("random", "coreset")]
    group = plan([FolderSource(str(place / "Small_BASEAL"))], strategies, config=config, repeats=3)
    report = run_benchmark([group], BenchmarkFolder(place / "run"), jobs=1)
    assert report.done == 6
    return place / "run"


def encoder_run(folder: Path) -> Path:
    """Write results of two encoders on one data set."""
    for label, accuracy in (("spectral", 0.6), ("better", 0.8)):
        value = Value("probe", "accuracy", accuracy, accuracy - 0.1, accuracy + 0.1, 40)
        facts = EncoderFacts(label, "f", 4, 16_000, 1.0)
        counts = {"all": 40, "train": 20, "test": 20}
        ResultFolder(folder).write(
            Result("frogs", "Frogs", "local", "classification", facts, "k", (value,), counts, 4, 40)
        )
    return folder
