"""Steps after the blend: smoothing over time, neighbours, what the whole recording says.

Each is a stage of its own with a paired test against the stage before it, because each helps some
ensembles and hurts others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.files.rows import first_few, split_row_id
from antiphon.evaluation.blending.problem import Problem
from antiphon.evaluation.blending.resampling.deltas import Delta, paired_delta
from antiphon.evaluation.blending.resampling.wins import macro_auc, win_counts

Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Kind = Literal["smooth", "max", "mean", "prior"]

FORMS = (
    "smooth:0.1,0.8,0.1 (weights of windows before, at and after), max:0.5 (share of the louder "
    "neighbour), mean:0.5 (share of the recording's mean), prior:1 (times the recording's highest "
    "score to that power); with @Aves or @Aves,Insecta for some taxa only"
)
"""How steps are written, with their default numbers."""

_DEFAULTS: dict[str, tuple[float, ...]] = {
    "smooth": (0.1, 0.8, 0.1),
    "max": (0.5,),
    "mean": (0.5,),
    "prior": (1.0,),
}
_STEP = re.compile(r"(?P<kind>[a-z]+)(?::(?P<numbers>[^@]*))?(?:@(?P<taxa>.+))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Parameters
    ----------
    kind
        ``smooth``: weighted mean with the windows before and after. ``max``: the window's score
        and, with this share, the highest of it and its two neighbours. ``mean``: the window's
        score and, with this share, the mean of the recording. ``prior``: times the highest score
        of the class in the recording, to this power.
    numbers
        Of the kernel (an odd number, not negative), or the share or power.
    taxa
        Where it applies; everywhere when empty.
    """

    kind: Kind
    numbers: tuple[float, ...]
    taxa: tuple[str, ...] = ()

    def __str__(self) -> str:
        numbers = ",".join(f"{v:g}" for v in self.numbers)
        where = f"@{','.join(self.taxa)}" if self.taxa else ""
        return f"{self.kind}:{numbers}{where}"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a step did.

    Parameters
    ----------
    step
        As it is written.
    auc
        Macro ROC-AUC after it.
    delta
        Against the stage before it.
    """

    step: str
    auc: float
    delta: Delta

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return {"step": self.step, "auc": self.auc, "delta": self.delta.to_json()}


def parse_step(text: str) -> Step:
    """Return the step that a text such as ``smooth:0.1,0.8,0.1@Aves`` says; see :data:`FORMS`.

    Raises
    ------
    UserError
        If it says none.
    """
    match = _STEP.fullmatch(text.strip())
    if match is None or match["kind"] not in _DEFAULTS:
        raise UserError(f"{text!r} is no step. Steps are {FORMS}.")
    kind = match["kind"]
    numbers = _DEFAULTS[kind]
    if match["numbers"]:
        try:
            numbers = tuple(float(part) for part in match["numbers"].split(","))
        except ValueError:
            raise UserError(f"The numbers of the step {text!r} cannot be read.") from None
    taxa = tuple(t.strip() for t in (match["taxa"] or "").split(",") if t.strip())
    _check(text, kind, numbers)
    return Step(kind, numbers, taxa)  # type: ignore[arg-type]


def _check(text: str, kind: str, numbers: tuple[float, ...]) -> None:
    if not all(np.isfinite(numbers)) or min(numbers) < 0:
        raise UserError(f"The numbers of the step {text!r} must be finite and not negative.")
    if kind == "smooth" and (len(numbers) % 2 == 0 or numbers[len(numbers) // 2] == 0):
        raise UserError(
            f"The kernel of {text!r} needs an odd number of weights, that in the middle above 0."
        )
    if kind != "smooth" and len(numbers) != 1:
        raise UserError(f"The step {text!r} takes one number.")
    if kind in ("max", "mean") and numbers[0] > 1:
        raise UserError(f"The share in {text!r} must be between 0 and 1.")


def apply_step(
    score: npt.ArrayLike,
    step: Step,
    rows: Sequence[str],
    file: npt.ArrayLike,
    taxa: Sequence[str] | None = None,
    hop_s: float | None = None,
) -> Float64:
    """Return the scores after a step, ``(n, C)``.

    Parameters
    ----------
    score
        ``(n, C)``; not negative for ``prior``.
    rows
        ``row_id`` of each window. Neighbours are windows of one recording whose ends are one hop
        apart; where one is missing its weight goes to the others.
    file
        ``(n,)`` recording of each window.
    taxa
        Taxon of each class; needed by a step for some taxa.
    hop_s
        Seconds from one window to the next; None takes the smallest in the recordings.

    Raises
    ------
    UserError
        If taxa are not known, or ``prior`` meets a negative score.
    """
    values = np.asarray(score, np.float64)
    columns = _columns(step, taxa, values.shape[1])
    some = values[:, columns]
    which = np.asarray(file, np.intp)
    if step.kind == "smooth":
        new = _smooth(some, step.numbers, _neighbours(rows, which, len(step.numbers) // 2, hop_s))
    elif step.kind == "max":
        around = _neighbours(rows, which, 1, hop_s)
        padded = np.vstack([some, np.full((1, some.shape[1]), -np.inf)])
        new = (1 - step.numbers[0]) * some + step.numbers[0] * padded[around].max(axis=0)
    else:
        new = _whole_file(some, step, which)
    out = values.copy()
    out[:, columns] = new
    return out


def run_steps(
    score: npt.ArrayLike,
    steps: Sequence[Step],
    problem: Problem,
    *,
    rng: np.random.Generator,
    taxa: Sequence[str] | None = None,
    replicates: int = 2000,
) -> tuple[Float64, tuple[Stage, ...]]:
    """Apply steps one after the other, each tested against the stage before it.

    Parameters
    ----------
    score
        ``(n, C)`` of the blend, on the rows of ``problem``.

    Returns
    -------
    score, stages
        The scores after the last step, and one stage for each.
    """
    now = np.asarray(score, np.float64)
    before = win_counts(now, problem.truth, problem.file, len(problem.files))
    name, stages = "blend", []
    for step in steps:
        now = apply_step(now, step, problem.rows, problem.file, taxa)
        after = win_counts(now, problem.truth, problem.file, len(problem.files))
        delta = paired_delta(str(step), after, name, before, rng=rng, replicates=replicates)
        stages.append(Stage(str(step), float(macro_auc(after)), delta))
        before, name = after, str(step)
    return now, tuple(stages)


def to_unit(score: npt.ArrayLike) -> Float64:
    """Return scores between 0 and 1 in the same order: logits by the logistic, ranks divided."""
    values = np.asarray(score, np.float64)
    if values.min(initial=0.0) < 0:
        from scipy.special import expit

        return np.asarray(expit(values))
    highest = values.max(initial=0.0)
    return values / highest if highest > 1 else values


def _columns(step: Step, taxa: Sequence[str] | None, n: int) -> npt.NDArray[np.bool_]:
    if not step.taxa:
        return np.ones(n, bool)
    if taxa is None:
        raise UserError(f"The step {step} is for some taxa: give the taxonomy of the classes.")
    unknown = [t for t in step.taxa if t not in taxa]
    if unknown:
        raise UserError(
            f"The step {step} names {first_few(unknown)}, but the taxa are "
            f"{', '.join(sorted(set(taxa)))}."
        )
    return np.isin(np.asarray(taxa), step.taxa)


def _neighbours(rows: Sequence[str], file: Index, reach: int, hop: float | None = None) -> Index:
    """Return the rows ``-reach ... +reach`` windows away, ``(2 reach + 1, n)``; n where none is."""
    ends = np.array([_end(row) for row in rows])
    n = len(ends)
    if hop is None:
        order = np.lexsort((ends, file))
        gaps = np.diff(ends[order])[np.diff(file[order]) == 0]
        hop = gaps.min() if len(gaps) else 1.0
    place = {
        (int(f), round(float(e), 3)): i for i, (f, e) in enumerate(zip(file, ends, strict=True))
    }
    out = np.full((2 * reach + 1, n), n)
    for k in range(-reach, reach + 1):
        for i in range(n):
            out[k + reach, i] = place.get((int(file[i]), round(float(ends[i] + k * hop), 3)), n)
    return out


def _end(row: str) -> float:
    parts = split_row_id(row)
    if parts is None:
        raise UserError(f"The row {row!r} is not <file stem>_<end second>.")
    return parts[1]


def _smooth(score: Float64, kernel: Sequence[float], around: Index) -> Float64:
    padded = np.vstack([score, np.zeros((1, score.shape[1]))])
    out, weight = np.zeros(score.shape), np.zeros((len(score), 1))
    for share, index in zip(kernel, around, strict=True):
        out += share * padded[index]
        weight += share * (index < len(score))[:, None]
    return np.asarray(out / weight)


def _whole_file(score: Float64, step: Step, file: Index) -> Float64:
    """Return scores mixed with, or multiplied by, what their recording says."""
    n_files = int(file.max()) + 1 if len(file) else 0
    if step.kind == "mean":
        total = np.zeros((n_files, score.shape[1]))
        np.add.at(total, file, score)
        mean = total / np.maximum(np.bincount(file, minlength=n_files), 1)[:, None]
        return np.asarray((1 - step.numbers[0]) * score + step.numbers[0] * mean[file])
    if len(score) and score.min() < 0:
        raise UserError(f"The step {step} multiplies scores, which must not be negative.")
    highest = np.zeros((n_files, score.shape[1]))
    np.maximum.at(highest, file, score)
    return np.asarray(score * highest[file] ** step.numbers[0])
