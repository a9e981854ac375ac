"""Was a model trained on the recordings that judge it? Two tests for when nothing is declared.

A model that has seen the truth of a recording is surer there than it has reason to be. The first
test needs no labels: where the other models see a class, is this one higher on the recordings that
judge it than on others from the same site and time of day? The second needs classes that have no
training audio: an honest model is at chance there.

Yeom et al. (2018, *Proc. IEEE Computer Security Foundations*: 268-282) test membership by the loss,
which needs the labels, and which recordings that are easy for every model have low; the comparison
with the other models takes the place of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.evaluation.blending.scoring.inputs import finite
from antiphon.evaluation.blending.trust.strata import matched
from antiphon.evaluation.paired import holm
from antiphon.threads import few_threads

Bool = npt.NDArray[np.bool_]
Float64 = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

LIMIT = 0.01
"""A model is suspected below this p, corrected for the number of models (Holm): being accused in
error costs a model, and a leak that matters is far below."""

MIN_MATCHED = 10
"""Recordings needed on each side; with fewer nothing is said."""

# Consensus, in standard deviations of its class, from which on the others are said to see it.
_SEEN = 2.0
_EDGES = np.concatenate([np.linspace(0.0, 0.95, 20), np.linspace(0.955, 0.999, 15)])
# Of 1 / MAD to standard deviation for normal values.
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Membership:
    """The finding for one model.

    Parameters
    ----------
    model
        Its name.
    effect
        How much surer it is on the recordings that judge it than on matched ones, where the others
        see a class, minus the median of the same for the others; in standard deviations of its
        own logits.
    p, p_holm
        One-sided, from exchanging recordings inside strata; and corrected for the models.
    suspected
        Whether ``p_holm`` is below :data:`LIMIT`.
    n_judged, n_matched
        Recordings that took part on the two sides.
    note
        Why nothing can be said; empty when something can.
    """

    model: str
    effect: float
    p: float
    p_holm: float
    suspected: bool
    n_judged: int
    n_matched: int
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, None for NaN."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


def membership_test(
    models: Sequence[str],
    scores: npt.ArrayLike,
    file: npt.ArrayLike,
    judged: npt.ArrayLike,
    strata: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    n_permutations: int = 4999,
) -> tuple[Membership, ...]:
    """Test whether each model is surer on the recordings that judge it than the others explain.

    Parameters
    ----------
    models
        Names of the m models.
    scores
        ``(m, n, C)`` probabilities or logits, finite.
    file
        ``(n,)`` index of each window's recording.
    judged
        ``(n_files,)``, which recordings have truth.
    strata
        ``(n_files,)`` what must be equal for two recordings to be compared; see
        :func:`antiphon.evaluation.blending.trust.strata.match_strata`.
    rng
        The only source of randomness.

    Returns
    -------
    tuple of Membership
        One for each model. With fewer than two models, or fewer than :data:`MIN_MATCHED`
        recordings on a side, all have a note and no p.

    Raises
    ------
    UserError
        If shapes do not fit or a score is not finite.

    Notes
    -----
    Logits are brought to median 0 and unit spread (MAD) in each class and model. Of those of a
    model, what the mean of the others tells (a curve common to all classes, then a straight line
    in the consensus of the window and of the recording for each class) is taken away. The rest is
    averaged over a recording with the weight ``max(consensus - 2, 0)``, and compared inside strata
    between recordings that judge and others. Recordings that judge are often richer, which moves
    all models alike: the median of the other models is subtracted. If as many models leak as do
    not, none stands out.
    """
    values = finite(scores)
    which, member = np.asarray(file, np.intp), np.asarray(judged, bool)
    stratum = np.unique(np.asarray(strata), return_inverse=True)[1]
    if (
        values.ndim != 3
        or values.shape[:2] != (len(models), len(which))
        or len(member) != len(stratum)
    ):
        raise UserError(
            f"Scores must be (models, windows, classes) with {len(models)} models and "
            f"{len(which)} windows, and each recording needs a stratum; got {values.shape}, "
            f"{len(member)} recordings and {len(stratum)} strata."
        )
    used = matched(member, stratum)
    n_judged, n_matched = int((used & member).sum()), int((used & ~member).sum())
    note = _too_little(len(models), n_judged, n_matched)
    if note:
        nan = float("nan")
        return tuple(Membership(m, nan, nan, nan, False, n_judged, n_matched, note) for m in models)
    with few_threads(values.size):
        surplus = _surplus(_standardised(values), which, len(member))
    observed = _contrast(member[None], stratum, used)
    drawn = _exchanged(member, stratum, used, n_permutations, rng)
    with few_threads(drawn.size):
        shift = np.vstack([observed, _contrast(drawn, stratum, used)]) @ surplus.T
    others = np.stack(
        [np.median(np.delete(shift, k, axis=1), axis=1) for k in range(len(models))], axis=1
    )
    beyond = shift - others
    # The observed arrangement is one of those possible (Phipson and Smyth 2010).
    p = (beyond >= beyond[0] - 1e-12).mean(axis=0)
    corrected = holm(p)
    return tuple(
        Membership(
            model,
            float(beyond[0, k]),
            float(p[k]),
            float(corrected[k]),
            bool(corrected[k] < LIMIT),
            n_judged,
            n_matched,
        )
        for k, model in enumerate(models)
    )


def _too_little(n_models: int, n_judged: int, n_matched: int) -> str:
    if n_models < 2:
        return "there is no other model to compare with"
    if n_judged < MIN_MATCHED or n_matched < MIN_MATCHED:
        return (
            f"{n_judged} recordings that judge and {n_matched} without truth could be matched; "
            f"{MIN_MATCHED} of each are needed"
        )
    return ""


def _standardised(scores: npt.NDArray[np.floating]) -> Float64:
    """Return logits with median 0 and unit spread in each model and class."""
    out = np.empty(scores.shape)
    for k, one in enumerate(scores):
        x = one.astype(np.float64)
        if x.min() >= 0.0 and x.max() <= 1.0:
            # Saturated scores of float32 and float16 are ones and zeros.
            x = np.clip(x, 1e-7, 1.0 - 1e-7)
            x = np.log(x / (1.0 - x))
        x = x - np.median(x, axis=0)
        spread = _MAD * np.median(np.abs(x), axis=0)
        spread = np.where(spread > 0, spread, x.std(axis=0))
        out[k] = x / np.where(spread > 0, spread, 1.0)
    return out


def _surplus(z: Float64, file: Index, n_files: int) -> Float64:
    """Return by how much each model is above what the others tell, ``(m, n_files)``."""
    size = np.maximum(np.bincount(file, minlength=n_files), 1)
    whole = z.sum(axis=0)
    out = np.zeros((len(z), n_files))
    for k, own in enumerate(z):
        others = (whole - own) / (len(z) - 1)
        spread = others.std(axis=0)
        others = others / np.where(spread > 0, spread, 1.0)
        of_file = np.zeros((n_files, others.shape[1]))
        np.add.at(of_file, file, others)
        rest = _unexplained(own, others, (of_file / size[:, None])[file])
        weight = np.maximum(others - _SEEN, 0.0)
        total = np.bincount(file, weight.sum(axis=1), minlength=n_files)
        above = np.bincount(file, (weight * rest).sum(axis=1), minlength=n_files)
        out[k] = np.where(total > 0, above / np.where(total > 0, total, 1.0), 0.0)
    return out


def _unexplained(own: Float64, others: Float64, others_in_file: Float64) -> Float64:
    """Return what is left of a model's logits after those of the others, ``(n, C)``."""
    bins = np.searchsorted(np.quantile(others, _EDGES), others.ravel())
    count = np.maximum(np.bincount(bins, minlength=len(_EDGES) + 1), 1)
    curve = np.bincount(bins, own.ravel(), minlength=len(_EDGES) + 1) / count
    rest = own - curve[bins].reshape(own.shape)
    rest -= rest.mean(axis=0)
    x, y = others - others.mean(axis=0), others_in_file - others_in_file.mean(axis=0)
    # Least squares on two columns, for every class at once.
    xx, yy, xy = (x * x).sum(axis=0), (y * y).sum(axis=0), (x * y).sum(axis=0)
    xr, yr = (x * rest).sum(axis=0), (y * rest).sum(axis=0)
    determinant = xx * yy - xy * xy
    solvable = determinant > 1e-9 * np.maximum(xx * yy, 1e-300)
    safe = np.where(solvable, determinant, 1.0)
    a = np.where(solvable, (yy * xr - xy * yr) / safe, xr / np.where(xx > 0, xx, 1.0))
    b = np.where(solvable, (xx * yr - xy * xr) / safe, 0.0)
    return np.asarray(rest - a * x - b * y)


def _contrast(member: Bool, stratum: Index, used: Bool) -> Float64:
    """Return coefficients of the difference of means, strata weighted by their information.

    Parameters
    ----------
    member
        ``(b, n_files)``.
    """
    out = np.zeros(member.shape)
    total = 0.0
    for s in np.unique(stratum[used]):
        here = used & (stratum == s)
        inside = int(member[0, here].sum())
        outside = int(here.sum()) - inside
        weight = inside * outside / (inside + outside)
        total += weight
        out[:, here] = np.where(member[:, here], weight / inside, -weight / outside)
    return out / total


def _exchanged(
    member: Bool, stratum: Index, used: Bool, count: int, rng: np.random.Generator
) -> Bool:
    """Return random arrangements with as many members in each stratum, ``(count, n_files)``."""
    out = np.broadcast_to(member, (count, len(member))).copy()
    for s in np.unique(stratum[used]):
        here = np.flatnonzero(used & (stratum == s))
        shuffled = rng.permuted(np.tile(member[here], (count, 1)), axis=1)
        out[:, here] = shuffled
    return out
