"""A participant's ``sampling.py``, written for BaseAL, as a strategy of this package.

To load such a file is to run it: its code can do whatever the user who runs it can. Load only
files that you have read or whose author you trust.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.active.base import Float32, Int64, PoolView, Selection
from antiphon.active.baseal.foreign_code import global_seeds, run_file
from antiphon.active.baseal.model_view import classifier_of
from antiphon.active.baseal.whole_set import WholeSet, data_frame
from antiphon.active.dataset import LabelledSet
from antiphon.active.learner.guard import StrategyError
from antiphon.errors import FileError

_KEY = "participant"


class Participant:
    """A strategy that asks a participant's ``SamplingStrategy``, made anew for each run.

    Parameters
    ----------
    path
        The file, for messages.
    kind
        Its class ``SamplingStrategy``.
    method
        What BaseAL's setting ``sampling_strategy`` would be.
    compat
        Whether a utility of NaN is chosen first, as BaseAL does; otherwise it is an error.
    passes
        Forward passes under dropout for ``mc_predictions``; BaseAL's ``mc_dropout_passes``.
    dropout
        Share of hidden units left out in training, as the participant's model says it.

    Notes
    -----
    The rows of the pool, validation rows excluded, are the rows of ``embeddings``, ``predictions``
    and ``metadata``; :meth:`on` gives all rows of a set instead, as BaseAL does. Labels are those
    of labelled rows only, in ascending order of their rows as in BaseAL. ``rng`` is the run's
    generator; the global generators of NumPy, ``random`` and torch are seeded from it for the
    call and put back after it.
    """

    def __init__(
        self,
        path: Path,
        kind: Any,
        method: str,
        *,
        compat: bool = False,
        passes: int = 1,
        dropout: float = 0.0,
    ) -> None:
        self.path = path
        self.name = method if method != "custom" else path.stem
        self.summary = f"{method} of {path.name}"
        self.source = str(path)
        self.needs_head = True
        self._kind = kind
        self._method = method
        self._compat = compat
        self._passes = passes
        self._dropout = dropout
        self._whole: WholeSet | None = None

    def on(self, data: LabelledSet) -> Participant:
        """Return the strategy for runs on one set, of which it sees all rows, as in BaseAL.

        Indices are then those of the set's rows. Labels are still those of labelled rows only.
        """
        other = copy.copy(self)
        other._whole = WholeSet(data.embeddings, data.pool(), data.metadata)
        return other

    def __call__(self, pool: PoolView, n: int) -> Selection:
        """Choose ``n`` rows of the pool's candidates.

        Raises
        ------
        StrategyError
            Naming the file, if it returns something else than rows and one utility for each
            candidate. What its code raises passes through.
        """
        candidates = pool.candidates()
        if _KEY not in pool.cache:
            with global_seeds(pool.generator):
                pool.cache[_KEY] = self._kind(method=self._method, n_samples=n)
        sampler = pool.cache[_KEY]
        sampler.n_samples = n
        sampler.rng = pool.generator
        model = classifier_of(pool.head, self._dropout)
        whole = self._whole or WholeSet(pool.embeddings, None, pool.metadata)
        predictions, passes = self._predictions(pool)
        order = np.argsort(pool.labelled, kind="stable")
        with global_seeds(pool.generator):
            answer = sampler.select(
                unlabeled_indices=whole.rows(candidates).tolist(),
                predictions=whole.spread(predictions, pool),
                embeddings=whole.embeddings,
                model=model,
                metadata=data_frame(whole.metadata, len(whole.embeddings)),
                labeled_indices=whole.rows(pool.labelled[order]).tolist(),
                labels=_labels(pool, order),
                mc_predictions=None if passes is None else whole.spread(passes, pool),
            )
        return self._checked(answer, candidates, whole)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Load the file again in another process."""
        options: dict[str, Any] = {
            "compat": self._compat,
            "passes": self._passes,
            "dropout": self._dropout,
        }
        return partial(_reload, **options), (self.path, self._method, self._whole)

    def _predictions(self, pool: PoolView) -> tuple[Float32, Float32 | None]:
        """Return the probabilities, and those under dropout whose mean they are, as in BaseAL."""
        if pool.head is None:
            n_labels = pool.labels.shape[1]
            even = 0.5 if pool.multilabel else 1.0 / max(1, n_labels)
            return np.full((pool.size, n_labels), even, np.float32), None
        if self._passes > 1:
            passes = pool.head.dropout(self._passes)
            return passes.mean(axis=0), passes
        return pool.head.probabilities(), None

    def _checked(self, answer: Any, candidates: Int64, whole: WholeSet) -> Selection:
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise self._error(f"select returned {type(answer).__name__}, expected (rows, utility)")
        rows = np.asarray(answer[0])
        utility = np.asarray(answer[1], dtype=np.float32)
        if rows.ndim != 1 or (rows.size and rows.dtype.kind not in "iu"):
            raise self._error(f"select returned rows of type {rows.dtype}, expected whole numbers")
        if utility.shape != candidates.shape:
            raise self._error(
                f"select returned {utility.size:,} utilities for {candidates.size:,} candidates"
            )
        empty = int(np.isnan(utility).sum())
        if empty and not self._compat:
            raise self._error(
                f"{empty:,} of {utility.size:,} utilities are NaN, which BaseAL would choose first"
            )
        rows = whole.back(rows.astype(np.int64))
        place = np.searchsorted(candidates, rows)
        place[place >= len(candidates)] = 0
        # Rows that are no candidates keep their place; the loop refuses them by name.
        wanted = np.where(candidates[place] == rows, utility[place], -np.inf)
        first = np.argsort(-np.nan_to_num(wanted, nan=np.inf), kind="stable")
        found = np.nan_to_num(wanted[first], nan=1.0, neginf=0.0)
        return Selection(rows[first], found.astype(np.float32))

    def _error(self, problem: str) -> StrategyError:
        return StrategyError(f"{self.path} ({self._method}): {problem}.")


def load_sampling(
    path: Path,
    method: str = "custom",
    *,
    compat: bool = False,
    passes: int = 1,
    dropout: float = 0.0,
) -> Participant:
    """Run a participant's ``sampling.py`` and return what it holds as a strategy.

    **The file's code is executed**, with all rights of the user.

    Parameters
    ----------
    method
        What BaseAL's setting ``sampling_strategy`` would be.
    compat, passes, dropout
        See :class:`Participant`.

    Raises
    ------
    FileError
        If the file is missing, fails to run, needs a package that is not installed, has no class
        ``SamplingStrategy``, or does not know the method.
    """
    module = run_file(path)
    kind = getattr(module, "SamplingStrategy", None)
    if not isinstance(kind, type):
        raise FileError(path, "it has no class SamplingStrategy", "Start from BaseAL's sampling.py")
    try:
        kind(method=method, n_samples=1)
    except (ValueError, TypeError, KeyError) as error:
        raise FileError(
            path, f"SamplingStrategy(method={method!r}, n_samples=1) fails: {error}"
        ) from error
    return Participant(path, kind, method, compat=compat, passes=passes, dropout=dropout)


def _reload(path: Path, method: str, whole: WholeSet | None, **options: Any) -> Participant:
    participant = load_sampling(path, method, **options)
    participant._whole = whole
    return participant


def _labels(pool: PoolView, order: Sequence[int] | Int64) -> npt.NDArray[Any] | None:
    """Return labels as BaseAL gives them: a matrix, class numbers, or None at the start."""
    if not len(pool.labelled):
        return None
    labels = np.array(pool.labels[order], np.float32)
    return labels if pool.multilabel else labels.argmax(axis=1).astype(np.int64)
