"""What a run of the loop leaves behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from antiphon.active.learner.config import LoopConfig
from antiphon.active.learner.scores import (
    aulc_mean,
    aulc_on_grid,
    aulc_trapezoid,
    relative_cost,
)


@dataclass(frozen=True, slots=True)
class Cycle:
    """One selection and the training after it.

    Parameters
    ----------
    cycle
        From 1.
    n_labelled
        Labels spent so far.
    rows
        Rows of the data set that were chosen, the most wanted first.
    events
        Annotation cost: present labels of those rows; in single-label sets one for each.
    mAP, accuracy, f1, calibration_error
        See :class:`~antiphon.active.learner.scores.Scores`.
    loss
        Mean training loss of the last epoch.
    select_s, predict_s, train_s, judge_s
        Seconds of wall time: the strategy alone, the head over the pool where it was asked for,
        training, and judging.
    """

    cycle: int
    n_labelled: int
    rows: tuple[int, ...]
    events: int
    mAP: float  # noqa: N815
    accuracy: float
    f1: float
    calibration_error: float
    loss: float
    select_s: float
    predict_s: float
    train_s: float
    judge_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """One run: a strategy on a set from one seed.

    Parameters
    ----------
    dataset, domain, key
        Of the :class:`~antiphon.active.dataset.LabelledSet`.
    strategy
        Its name.
    seed
        Of initial weights, orders and the strategy's generator.
    config
        Settings.
    parameters, baseline_parameters
        Of the head, and of a head whose hidden layer is as wide as the embeddings.
    n_pool, n_judges, n_labels
        Rows that may be chosen, rows that judge, classes.
    without_positives
        Classes that mAP leaves out because no judging row has them.
    cycles
        In order.
    by_label
        Average precision of each label after the last cycle, None without a positive; empty in
        runs of versions that did not keep it.
    """

    dataset: str
    domain: str
    key: str
    strategy: str
    seed: int
    config: LoopConfig
    parameters: int
    baseline_parameters: int
    n_pool: int
    n_judges: int
    n_labels: int
    without_positives: int
    cycles: tuple[Cycle, ...]
    by_label: tuple[tuple[str, float | None], ...] = ()

    def curve(self, score: str = "mAP") -> tuple[list[int], list[float]]:
        """Return labels spent and a score (``mAP``, ``accuracy``, ``f1``) after each cycle."""
        return [c.n_labelled for c in self.cycles], [float(getattr(c, score)) for c in self.cycles]

    def aulc(self, score: str = "mAP") -> float:
        """Return BaseAL's area; see :func:`~antiphon.active.learner.scores.aulc_trapezoid`."""
        return aulc_trapezoid(*self.curve(score))

    def aulc_mean(self, score: str = "mAP") -> float:
        """Return the task page's area; see :func:`~antiphon.active.learner.scores.aulc_mean`."""
        return aulc_mean(*self.curve(score))

    def aulc_on_grid(self, grid: Sequence[float], score: str = "mAP") -> float:
        """Return the area on an equal grid of labels."""
        return aulc_on_grid(*self.curve(score), grid)

    def events(self) -> int:
        """Return the annotation cost of all cycles."""
        return sum(c.events for c in self.cycles)

    def select_s(self) -> float:
        """Return the seconds of all selections."""
        return sum(c.select_s for c in self.cycles)

    def relative_cost(self) -> float:
        """Return the training cost over the baseline's."""
        spent = self.cycles[-1].n_labelled if self.cycles else 1
        return relative_cost(
            self.parameters, self.config.epochs, len(self.cycles), self.baseline_parameters, spent
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values; :meth:`from_json` reads them."""
        plain = asdict(self)
        return plain | {"config": self.config.to_json(), "cycles": [asdict(c) for c in self.cycles]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` gave."""
        cycles = tuple(Cycle(**{**c, "rows": tuple(c["rows"])}) for c in values["cycles"])
        config = LoopConfig.from_json(values["config"])
        by_label = tuple((str(name), value) for name, value in values.get("by_label", ()))
        return cls(**{**values, "config": config, "cycles": cycles, "by_label": by_label})
