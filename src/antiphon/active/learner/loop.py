"""The active-learning loop: choose, reveal, train, judge."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from antiphon.active.base import PoolView, Strategy
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.compat import as_in_baseal
from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.guard import ask
from antiphon.active.learner.head import Draws, Head, NumpyDraws
from antiphon.active.learner.record import Cycle, Run
from antiphon.active.learner.scores import Scores, judge
from antiphon.active.learner.torch_head import TorchHead
from antiphon.active.learner.view import PoolHead
from antiphon.active.registry import get_strategy
from antiphon.errors import UserError
from antiphon.threads import few_threads

__all__ = ["Cycle", "LoopConfig", "Run", "run_loop"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Named:
    name: str
    choose: Strategy
    needs_head: bool


def run_loop(
    data: LabelledSet,
    strategy: str | Strategy,
    config: LoopConfig | None = None,
    seed: int = 0,
    *,
    draws: Draws | None = None,
    generator: np.random.Generator | None = None,
    on_cycle: Callable[[Cycle], None] | None = None,
) -> Run:
    """Run a strategy on a data set until the budget is spent.

    As in BaseAL: the head starts random; each cycle chooses a batch with it, reveals the batch's
    labels, trains on all labelled rows (in ascending order of their rows, shuffled anew in each
    epoch) with weights and moments carried over, and judges on the validation rows.

    Parameters
    ----------
    data
        The set. The strategy gets the pool's embeddings and the labels revealed so far.
    strategy
        A name of the registry, or anything that can be called as a
        :class:`~antiphon.active.base.Strategy`; its ``name`` is used where it has one.
    config
        Settings; the task page's baseline when None.
    seed
        The only source of randomness: equal seeds, equal runs to the bit on one machine. The head
        and the orders are the same for all strategies of one seed.
    draws
        Initial weights and orders from elsewhere, to repeat another program's run.
    generator
        What the strategy draws from, for the same purpose.
    on_cycle
        Told each cycle as it ends.

    Raises
    ------
    UserError
        If the set has no row to choose, or vectors that are not finite.
    StrategyError
        If the strategy raises, hangs, or returns something that cannot be labelled.
    """
    config = config or LoopConfig()
    # One thread: a run is the same to the bit then, and runs go beside each other.
    with few_threads(0):
        return _Loop(data, strategy, config, seed, draws, generator).run(on_cycle)


class _Loop:
    def __init__(
        self,
        data: LabelledSet,
        strategy: str | Strategy,
        config: LoopConfig,
        seed: int,
        draws: Draws | None,
        generator: np.random.Generator | None,
    ) -> None:
        self.data, self.config, self.seed = data, config, seed
        self.strategy = _named(strategy, config.compat)
        warmup = config.warmup
        self.first = self.strategy if warmup is None else _named(warmup, config.compat)
        training, choosing, masks = np.random.SeedSequence(seed).spawn(3)
        self.generator = generator or np.random.default_rng(choosing)
        self.masks = NumpyDraws(np.random.default_rng(masks))
        self.pool, judges = data.pool(), data.judges()
        self.x = np.ascontiguousarray(data.embeddings[self.pool], np.float32)
        self.y = np.ascontiguousarray(data.targets[self.pool], np.float32)
        if len(self.pool) == 0:
            raise UserError(f"{data.name} has no rows to choose from: all of them are validation.")
        self.x_judge = np.ascontiguousarray(data.embeddings[judges], np.float32)
        self.y_judge = np.ascontiguousarray(data.targets[judges], np.float32)
        for x in (self.x, self.x_judge):
            if not np.isfinite(x.sum(dtype=np.float64)):
                raise UserError(f"{data.name} has vectors with NaN or infinite values.")
        self.metadata: pa.Table | None = (
            None if data.metadata is None else data.metadata.take(pa.array(self.pool))
        )
        self.head = _head(
            self.x.shape[1],
            self.y.shape[1],
            draws or NumpyDraws(np.random.default_rng(training)),
            config,
            multilabel=data.multilabel,
        )
        self.labelled: Int64 = np.empty(0, np.int64)
        self.budget = min(config.budget, len(self.pool))
        # What a strategy derives from the embeddings lasts for the run.
        self.cache: dict[str, object] = {}
        self.without_positives = 0
        self.by_label: tuple[float, ...] = ()

    def run(self, on_cycle: Callable[[Cycle], None] | None) -> Run:
        cycles = []
        for number, size in enumerate(self.config.schedule.batches(self.budget), start=1):
            cycles.append(self._cycle(number, size))
            if on_cycle is not None:
                on_cycle(cycles[-1])
        dim, labels = self.x.shape[1], self.y.shape[1]
        return Run(
            dataset=self.data.name,
            domain=self.data.domain,
            key=self.data.key,
            strategy=self.strategy.name,
            seed=self.seed,
            config=self.config,
            parameters=self.head.n_parameters,
            baseline_parameters=dim * dim + dim + dim * labels + labels,
            n_pool=len(self.pool),
            n_judges=len(self.x_judge),
            n_labels=labels,
            without_positives=self.without_positives,
            cycles=tuple(cycles),
            by_label=tuple(
                # Five digits tell apart what repeats can tell apart.
                (name, None if math.isnan(value) else round(value, 5))
                for name, value in zip(self.data.labels, self.by_label, strict=True)
            ),
        )

    def _cycle(self, number: int, size: int) -> Cycle:
        strategy = self.first if number == 1 else self.strategy
        view = PoolHead(self.head, self.x, self.masks, self.config.dropout)
        if self.config.compat:
            self.head.probabilities(self.x_judge)
        if self.config.compat or strategy.needs_head:
            view.probabilities()
        before = view.seconds
        pool = PoolView(
            embeddings=self.x,
            labelled=self.labelled,
            labels=self.y[self.labelled],
            recording=self.data.recording[self.pool],
            generator=self.generator,
            head=view,
            metadata=self.metadata,
            cycle=number,
            budget=self.budget,
            multilabel=self.data.multilabel,
            cache=self.cache,
        )
        begin = time.perf_counter()
        chosen = ask(
            strategy.name, strategy.choose, pool, size, time_limit_s=self.config.time_limit_s
        ).rows
        select_s = time.perf_counter() - begin - (view.seconds - before)
        events = int(self.y[chosen].sum()) if self.data.multilabel else len(chosen)
        self.labelled = np.concatenate([self.labelled, chosen])
        begin = time.perf_counter()
        rows = np.sort(self.labelled)
        loss = self.head.train(
            self.x[rows], self.y[rows], epochs=self.config.epochs, batch=self.config.batch
        )
        trained = time.perf_counter()
        scores = self._judge()
        return Cycle(
            cycle=number,
            n_labelled=len(self.labelled),
            rows=tuple(int(row) for row in self.pool[chosen]),
            events=events,
            mAP=scores.mAP,
            accuracy=scores.accuracy,
            f1=scores.f1,
            calibration_error=scores.calibration_error,
            loss=loss,
            select_s=select_s,
            predict_s=view.seconds,
            train_s=trained - begin,
            judge_s=time.perf_counter() - trained,
        )

    def _judge(self) -> Scores:
        scores = judge(
            self.head.probabilities(self.x_judge), self.y_judge, multilabel=self.data.multilabel
        )
        self.without_positives, self.by_label = scores.without_positives, scores.by_label
        return scores


def _head(dim: int, n_labels: int, draws: Draws, config: LoopConfig, *, multilabel: bool) -> Head:
    hidden = config.hidden or dim
    if config.device is not None:
        return TorchHead(
            dim,
            hidden,
            n_labels,
            draws,
            device=config.device,
            learning_rate=config.learning_rate,
            dropout=config.dropout,
            multilabel=multilabel,
        )
    return Head(
        dim,
        hidden,
        n_labels,
        draws,
        learning_rate=config.learning_rate,
        dropout=config.dropout,
        multilabel=multilabel,
        exact=config.exact,
    )


def _named(strategy: str | Strategy, compat: bool) -> _Named:
    if isinstance(strategy, str):
        card = as_in_baseal(get_strategy(strategy)) if compat else get_strategy(strategy)
        return _Named(card.name, card.strategy, card.needs_head)
    name = getattr(strategy, "name", None) or getattr(strategy, "__name__", "strategy")
    return _Named(str(name), strategy, bool(getattr(strategy, "needs_head", False)))
