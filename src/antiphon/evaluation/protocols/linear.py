"""The direct linear classifier of the probes: L2 chosen on validation, no training loop.

Softmax for one label per item, one-vs-rest for several; features standardised on the training
side; no class weights, as in the published probe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.crossval import grouped_folds
from antiphon.evaluation.protocols.inputs import Float32, Int64, Labelled
from antiphon.evaluation.protocols.multinomial import MultinomialProblem
from antiphon.heads.base import standardisation, untrainable
from antiphon.heads.linear import LinearHead
from antiphon.heads.logistic import LogisticProblem
from antiphon.threads import few_threads

L2_GRID = tuple(float(10.0**e) for e in np.arange(4.5, -1.5, -0.5))
"""Strengths tried, strongest first: 31,623 to 0.1 by half decades."""

FOLDS = 3
"""Grouped folds of the training side where no validation side is given."""

# Of the fits that only serve the choice, and of the one that is kept. Looser ones would stop so
# early that weak strengths look better than they are.
_ROUGH, _FINE = 3e-4, 1e-4
_ITERATIONS = 300
# Strengths in a row without a better validation loss after which weaker ones are not tried.
_PATIENCE = 2
# A class without a training example is never predicted.
_NEVER = np.float32(-1e9)


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """A fitted classifier and how its strength was chosen.

    Parameters
    ----------
    head
        Its ``logits`` are scores of the classes.
    l2
        The strength.
    curve
        Strength -> mean validation loss (nats per item, or per entry with several labels).
    chosen_on
        ``validation``, ``folds`` or ``given``.
    notes
        What limits the choice or the fit.
    """

    head: LinearHead
    l2: float
    curve: dict[float, float]
    chosen_on: str
    notes: tuple[str, ...] = ()


def fit_linear_probe(
    train: Labelled,
    *,
    validation: Labelled | None = None,
    groups: npt.NDArray[np.generic] | None = None,
    l2: float | None = None,
    grid: Sequence[float] = L2_GRID,
    seed: int = 0,
) -> LinearFit:
    """Fit the classifier, L2 chosen by log-loss on validation.

    Parameters
    ----------
    train
        The rows that the weights are fitted to.
    validation
        Rows that choose the strength and are used for nothing else. Without them, folds of the
        training rows choose, and the fit is then made on all of these.
    groups
        ``(n,)`` recording, site or day of each training row, for the folds; without them every
        row is a group of its own.
    l2
        A fixed strength; nothing is chosen.
    grid
        Strengths to choose from; the stronger of equals wins.

    Raises
    ------
    UserError
        If a strength is not above 0, or there is only one class to learn.

    Notes
    -----
    The loss is summed over rows plus ``l2 / 2 |W|^2`` on standardised columns; the bias is free.
    """
    strengths = sorted({float(s) for s in (grid if l2 is None else [l2])}, reverse=True)
    if not strengths or not all(np.isfinite(s) and s > 0 for s in strengths):
        raise UserError("The strengths of L2 must be finite numbers above 0.")
    if not train.multilabel and int((train.counts > 0).sum()) < 2:
        raise UserError(
            "The training side holds one class only, so there is nothing to tell apart."
        )
    if len(strengths) == 1:
        head = _last(train, strengths)
        return LinearFit(head, strengths[0], {}, "given", _unconverged(head))
    if validation is not None:
        return _on_validation(train, validation, strengths)
    return _on_folds(train, groups, strengths, seed)


def log_loss(logits: Float32, side: Labelled, learnt: npt.NDArray[np.bool_]) -> tuple[float, int]:
    """Return the summed log-loss and the number of items (entries) it is of.

    Items of classes that were not learnt (columns that were not) are left out: no strength of
    L2 changes what is said of them.
    """
    if side.multilabel:
        z = logits[:, learnt].astype(np.float64)
        y = side.matrix[:, learnt]
        return float((np.logaddexp(0.0, z) - y * z).sum()), z.size
    labels = side.labels.astype(np.int64)
    known = learnt[labels]
    z = logits[known].astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    own = z[np.arange(len(z)), labels[known]]
    return float((np.log(np.exp(z).sum(axis=1)) - own).sum()), len(z)


def _on_validation(train: Labelled, validation: Labelled, strengths: list[float]) -> LinearFit:
    learnt = _learnt(train)
    curve: dict[float, float] = {}
    best: tuple[float, float, _Fitted] | None = None
    since = 0
    for strength, fitted in _path(train, strengths):
        total, n = log_loss(fitted.head.logits(validation.x), validation, learnt)
        if n == 0:
            raise UserError("The validation side holds no class that the training side has.")
        curve[strength] = total / n
        if best is None or curve[strength] < best[0]:
            best, since = (curve[strength], strength, fitted), 0
        else:
            since += 1
            if since == _PATIENCE:
                break
    assert best is not None
    head, _ = best[2].finished()
    notes = _at_the_end(best[1], strengths) + _unconverged(head)
    return LinearFit(head, best[1], curve, "validation", notes)


def _on_folds(
    train: Labelled,
    groups: npt.NDArray[np.generic] | None,
    strengths: list[float],
    seed: int,
) -> LinearFit:
    group = np.arange(len(train.x)) if groups is None else groups
    fold = grouped_folds(group, train.matrix, FOLDS, seed)
    loss, count = np.zeros(len(strengths)), np.zeros(len(strengths))
    skipped = 0
    for number in range(int(fold.max()) + 1):
        learning, held = train.rows(fold != number), train.rows(fold == number)
        learnt = _learnt(learning)
        if not train.multilabel and learnt.sum() < 2:
            skipped += 1
            continue
        for i, (_, fitted) in enumerate(_path(learning, strengths)):
            total, n = log_loss(fitted.head.logits(held.x), held, learnt)
            loss[i] += total
            count[i] += n
    if not count.any():
        raise UserError(
            "No fold of the training side can choose L2: its groups hold too few classes each. "
            "Give a validation side, other groups, or a fixed l2."
        )
    mean = loss / count
    chosen = int(np.argmin(mean))
    # A path of every second strength down to the chosen one is a quicker start than none.
    head = _last(train, strengths[chosen % 2 : chosen + 1 : 2])
    notes = _at_the_end(strengths[chosen], strengths) + _unconverged(head)
    if skipped:
        notes += (f"{skipped} folds held too few classes and had no say in the choice of L2.",)
    curve = dict(zip(strengths, mean.tolist(), strict=True))
    return LinearFit(head, strengths[chosen], curve, "folds", notes)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A head good enough to choose by, and what solves it to the end."""

    head: LinearHead
    finished: Callable[[], tuple[LinearHead, Any]]


def _last(train: Labelled, strengths: list[float]) -> LinearHead:
    *_, (_, fitted) = _path(train, strengths)
    return fitted.finished()[0]


def _path(train: Labelled, strengths: list[float]) -> Iterator[tuple[float, _Fitted]]:
    """Yield a fit for each strength, the strongest first, each from the one before."""
    mean, scale = standardisation(train.x)
    design = (train.x - mean) / scale
    with few_threads(design.size):
        problem: _Softmax | _OneVsRest = (
            _OneVsRest(design, train) if train.multilabel else _Softmax(design, train)
        )

    def solved(strength: float, tol: float, start: Any) -> tuple[LinearHead, Any]:
        with few_threads(design.size):
            weight, bias, late, end = problem.solve(strength, tol, start)
        return LinearHead(weight, bias, mean, scale, problem.untrained, late), end

    start = None
    for strength in strengths:
        head, start = solved(strength, _ROUGH, start)
        yield strength, _Fitted(head, partial(solved, strength, _FINE, start))


_Solved = tuple[Float32, Float32, tuple[int, ...], Any]
"""Weights, biases, classes that did not converge, and where to go on from."""


class _Softmax:
    """One label per item: a class without training items is never predicted."""

    def __init__(self, design: Float32, train: Labelled) -> None:
        counts = train.counts
        self._classes, self._dim = train.n_classes, design.shape[1]
        self._present = np.flatnonzero(counts)
        place = np.cumsum(counts > 0) - 1
        labels = place[train.labels.astype(np.int64)]
        self._problem = MultinomialProblem(design, labels, len(self._present))
        self.untrained = {int(i): "no training example" for i in np.flatnonzero(counts == 0)}

    def solve(self, l2: float, tol: float, start: Any) -> _Solved:
        if start is not None:
            self._problem.state = start
        found = self._problem.solve(l2, tol=tol)
        weight = np.zeros((self._classes, self._dim), np.float32)
        bias = np.full(self._classes, _NEVER, np.float32)
        weight[self._present], bias[self._present] = found.weight, found.bias
        late = () if found.converged else tuple(self._present.tolist())
        return weight, bias, late, self._problem.state


class _OneVsRest:
    """Several labels: a class without positives or negatives keeps a constant score."""

    def __init__(self, design: Float32, train: Labelled) -> None:
        target = train.matrix
        self._dim = design.shape[1]
        ones = np.ones((train.n_classes, len(target)), np.float32)
        self.untrained, self._prior = untrainable(target, ones)
        self._fitted = np.array(
            [i for i in range(train.n_classes) if i not in self.untrained], np.intp
        )
        self._target = np.ascontiguousarray(target.T[self._fitted])
        self._cost = ones[self._fitted]
        self._problem = LogisticProblem(design)

    def solve(self, l2: float, tol: float, start: Any) -> _Solved:
        weight = np.zeros((len(self._prior), self._dim), np.float32)
        bias = self._prior.astype(np.float32)
        if not len(self._fitted):
            return weight, bias, (), None
        found = self._problem.solve(
            self._target, self._cost, l2, tol=tol, max_iter=_ITERATIONS, start=start
        )
        weight[self._fitted], bias[self._fitted] = found.weight, found.bias
        return weight, bias, tuple(self._fitted[~found.converged].tolist()), found


def _learnt(train: Labelled) -> npt.NDArray[np.bool_]:
    counts: Int64 = train.counts
    learnt = counts > 0
    return learnt & (counts < len(train.x)) if train.multilabel else learnt


def _at_the_end(chosen: float, strengths: list[float]) -> tuple[str, ...]:
    if chosen == strengths[0]:
        return (f"L2 was chosen at the strong end of the grid ({chosen:g}).",)
    if chosen == strengths[-1]:
        return (f"L2 was chosen at the weak end of the grid ({chosen:g}).",)
    return ()


def _unconverged(head: LinearHead) -> tuple[str, ...]:
    if not head.unconverged:
        return ()
    return (f"The fit of {len(head.unconverged)} classes stopped at its limit of iterations.",)
