"""Scores where no member spoke: the prior, and what other windows say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from antiphon.encoders.checking import nearest
from antiphon.errors import FormatError, UserError
from antiphon.evaluation.blending.files.rows import counted, first_few
from antiphon.evaluation.blending.files.tables import read_table
from antiphon.soundscape.ensemble.config import Unreached

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_LABELS = ("primary_label", "label", "class")
_PROBABILITY = ("prior", "probability")
_COUNTS = ("count", "n", "clips")


@dataclass(frozen=True, slots=True)
class Fills:
    """Scores that no member gave, counted by what they were filled with.

    Parameters
    ----------
    recording, run, prior
        Cells (window and class) with the mean of the class in the recording, with its mean over
        all windows given, and with its prior.
    """

    recording: int = 0
    run: int = 0
    prior: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.recording + self.run + self.prior


def prior_from_counts(counts: npt.ArrayLike) -> Float64:
    """Return each class's share of the training examples, ``(C,)``.

    A half is added to each count (Krichevsky and Trofimov 1981, *IEEE Trans. Inf. Theory* 27:
    199), so that a class without an example keeps a chance.

    Raises
    ------
    UserError
        If a count is negative or not finite.
    """
    values = np.asarray(counts, dtype=np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        raise UserError("Training counts must be finite and not negative.")
    return np.asarray((values + 0.5) / (values.sum() + 0.5 * len(values)))


def class_priors(prior: float | Path, classes: Sequence[str]) -> Float64:
    """Return the prior of each class, ``(C,)``.

    Parameters
    ----------
    prior
        A number from 0 to 1 for every class, or a table of :func:`read_priors`.
    classes
        Of the output.

    Raises
    ------
    FormatError
        If the file cannot be used.
    UserError
        If the number is out of range.
    """
    if isinstance(prior, Path):
        return read_priors(prior, classes)
    if not 0 <= prior <= 1:
        raise UserError(f"The prior ({prior:g}) must lie between 0 and 1.")
    return np.full(len(classes), float(prior))


def read_priors(path: Path | str, classes: Sequence[str]) -> Float64:
    """Read priors of classes, ``(C,)``.

    Parameters
    ----------
    path
        A table with ``primary_label`` (or ``label``, ``class``) and either ``prior`` (or
        ``probability``) from 0 to 1, or ``count`` (or ``n``, ``clips``). With the label alone each
        row counts as one example, so that the table of the training clips will do.
    classes
        Of the output. With counts a class that the table lacks has none; with probabilities it is
        an error.

    Raises
    ------
    FormatError
        If it cannot be read, has no label, a value out of range, or lacks a class.
    """
    path = Path(path)
    table = read_table(path, text=_LABELS)
    label = next((name for name in _LABELS if name in table.column_names), None)
    if label is None:
        raise FormatError(
            path,
            f"there is no column {', '.join(_LABELS)}, only {first_few(table.column_names)}",
            "Priors have primary_label and prior or count",
        )
    labels = [str(name) for name in table.column(label).to_pylist()]
    if not set(labels) & set(classes):
        raise FormatError(
            path,
            f"none of its labels ({first_few(labels)}) is a class of the ensemble "
            f"({first_few(classes)})",
        )
    column = next((n for n in (*_PROBABILITY, *_COUNTS) if n in table.column_names), None)
    if column is None:
        seen = Counter(labels)
        return prior_from_counts([seen[name] for name in classes])
    values = [_number(path, column, value) for value in table.column(column).to_pylist()]
    if column in _COUNTS:
        total = dict.fromkeys(classes, 0.0)
        for name, value in zip(labels, values, strict=True):
            total[name] = total.get(name, 0.0) + value
        return prior_from_counts([total[name] for name in classes])
    return _probabilities(path, dict(zip(labels, values, strict=True)), labels, classes)


def fill_unreached(
    score: Float64, there: Bool, file: npt.ArrayLike, prior: Float64, how: Unreached = "mean"
) -> tuple[Float64, Fills]:
    """Return scores without a gap, and how the gaps were filled.

    A window of which nothing was heard is best guessed by what its class has elsewhere: with
    ``mean`` it gets the mean of the class over the scored windows of its recording, where there are
    none over all scored windows, where there are none the prior. The mean of the ranks of a class
    is the middle one, and that of calibrated probabilities is how often the class is there.

    Parameters
    ----------
    score
        ``(n, C)``; what is not ``there`` is ignored.
    there
        ``(n, C)``, where a member spoke.
    file
        ``(n,)`` recording of each window, from 0.
    prior
        ``(C,)``.
    how
        ``mean``, or ``prior`` for the prior everywhere.
    """
    if there.all():
        return score.copy(), Fills()
    out = np.where(there, score, prior)
    if how == "prior":
        return out, Fills(prior=int((~there).sum()))
    which = np.asarray(file, np.intp)
    heard = np.where(there, score, 0.0)
    n_files = int(which.max()) + 1 if len(which) else 0
    total, count = np.zeros((n_files, score.shape[1])), np.zeros((n_files, score.shape[1]))
    np.add.at(total, which, heard)
    np.add.at(count, which, there)
    nearby = ~there & (count[which] > 0)
    anywhere = ~there & ~nearby & (count.sum(axis=0) > 0)
    mean = total / np.maximum(count, 1)
    overall = total.sum(axis=0) / np.maximum(count.sum(axis=0), 1)
    out = np.where(nearby, mean[which], out)
    out = np.where(anywhere, overall, out)
    left = int((~there).sum() - nearby.sum() - anywhere.sum())
    return out, Fills(int(nearby.sum()), int(anywhere.sum()), left)


def _number(path: Path, column: str, value: object) -> float:
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise FormatError(path, f"column {column}: {value!r} is no number") from None
    if not 0 <= found < float("inf"):
        raise FormatError(path, f"column {column}: {value!r} is negative or not finite")
    return found


def _probabilities(
    path: Path, given: Mapping[str, float], labels: Sequence[str], classes: Sequence[str]
) -> Float64:
    if len(given) < len(labels):
        doubled = sorted({name for name in labels if labels.count(name) > 1})
        raise FormatError(path, f"classes twice: {first_few(doubled)}")
    if missing := [name for name in classes if name not in given]:
        raise FormatError(
            path,
            f"{counted(len(missing), 'classes')} without a prior: {first_few(missing)}"
            + nearest(missing[0], given),
        )
    if odd := [name for name in classes if given[name] > 1]:
        raise FormatError(path, f"priors above 1: {first_few(odd)}", "Call the column count")
    return np.array([given[name] for name in classes])
