"""From logits to probabilities that mean what they say, also where little was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from antiphon.errors import UserError
from antiphon.heads.base import Float32, require

Float64 = npt.NDArray[np.float64]
Method = Literal["platt", "temperature", "none"]

_TENSORS = ("slope", "intercept", "low", "high")
# Prior of a label's slope: the pooled slope, give or take half of it; of its intercept: the pooled
# one, give or take 2 (in log-odds; labels differ more in how common they are than in slope).
_SLOPE_SPREAD = 0.5
_INTERCEPT_SPREAD = 2.0
_UNBOUNDED = np.float32(80.0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """``probability = sigmoid(squash(slope * logit + intercept))`` for each label.

    ``squash`` is the identity between ``low + 1`` and ``high - 1`` and bends towards ``low`` and
    ``high`` beyond, strictly increasing, so that no embedding, however far from what was seen,
    gets a log-odds that the held-out data do not support.

    Parameters
    ----------
    slope, intercept
        ``(n_labels,)`` float32; the slope is at least 0.
    low, high
        ``(n_labels,)`` float32 bounds of the log-odds, ``low <= high``.
    method
        ``platt``, ``temperature`` or ``none``.
    """

    slope: Float32
    intercept: Float32
    low: Float32
    high: Float32
    method: Method

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.slope)

    def log_odds(self, logits: npt.ArrayLike) -> Float32:
        """Return calibrated log-odds, ``(n, n_labels)`` float32."""
        z = np.asarray(logits, dtype=np.float32)
        if z.ndim != 2 or z.shape[1] != self.n_labels:
            raise UserError(
                f"The calibration takes (n, {self.n_labels}) logits, but got shape {z.shape}."
            )
        return _squash(z * self.slope + self.intercept, self.low, self.high)

    def probabilities(self, logits: npt.ArrayLike) -> Float32:
        """Return calibrated probabilities, ``(n, n_labels)`` float32 in (0, 1).

        Raises
        ------
        UserError
            If there is not one column for each label.
        """
        half = np.float32(0.5)
        p: Float32 = half * np.tanh(half * self.log_odds(logits)) + half
        return p

    def to_tensors(self) -> dict[str, Float32]:
        """Return the four arrays by name."""
        return {name: getattr(self, name) for name in _TENSORS}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Float32], method: Method) -> Self:
        """Build the calibration from :meth:`to_tensors`.

        Raises
        ------
        ValueError
            If a tensor is missing, of the wrong shape, not finite or out of range.
        """
        slope = require(tensors, "slope", (None,))
        intercept, low, high = (require(tensors, n, slope.shape) for n in _TENSORS[1:])
        if (slope < 0).any():
            raise ValueError("the tensor 'slope' holds negative numbers")
        if (low > high).any():
            raise ValueError("the tensor 'low' exceeds 'high'")
        return cls(slope, intercept, low, high, method)


def no_calibration(n_labels: int) -> Calibration:
    """Return the calibration that leaves logits as they are."""
    one = np.ones(n_labels, np.float32)
    return Calibration(one, 0 * one, -_UNBOUNDED * one, _UNBOUNDED * one, "none")


def fit_calibration(
    logits: npt.ArrayLike, Y: npt.ArrayLike, method: Method = "platt"
) -> Calibration:
    """Fit the calibration of that name on held-out logits; see the functions for each.

    Raises
    ------
    UserError
        If the method is unknown, or shapes do not fit.
    """
    if method == "platt":
        return fit_platt(logits, Y)
    if method == "temperature":
        return fit_temperature(logits, Y)
    if method == "none":
        return no_calibration(np.asarray(Y).shape[1])
    raise UserError(f"Calibration {method!r} is not known. There are: platt, temperature, none.")


def fit_platt(logits: npt.ArrayLike, Y: npt.ArrayLike) -> Calibration:
    """Fit a slope and an intercept for each label, shrunk towards those of all labels together.

    Parameters
    ----------
    logits
        ``(n, n_labels)`` of a head that did not see the rows (out-of-fold). Rows whose logit is
        NaN (in no fold) are left out.
    Y
        ``(n, n_labels)``: 1, 0 or NaN.

    Notes
    -----
    Platt (1999), with the smoothed targets ``(N+ + 1) / (N+ + 2)`` and ``1 / (N- + 2)`` and the
    Newton iteration of Lin, Lin and Weng (2007), run for all labels at once. To each label's
    likelihood a normal prior is added: mean the slope and intercept of one fit to the entries of
    all labels, standard deviation half that slope and 2. It rules labels with a handful of
    positives and fades with a hundred; a label without known entries gets the pooled fit. A
    slope that would be negative (worse than chance) is set to 0.

    The log-odds of a label are bounded by its counts, ``log(N+ + 1)`` above and ``-log(N- + 1)``
    below (the log-odds of the smoothed targets; log 2 at least), and by what the held-out logits
    reached plus 1.
    """
    z, target, known, positives, negatives = _arrays(logits, Y)
    smooth = np.where(
        target == 1.0, ((positives + 1) / (positives + 2))[:, None], (1 / (negatives + 2))[:, None]
    )
    weight = known.astype(np.float64)
    if known.any():
        pooled = _newton(
            z.reshape(1, -1), smooth.reshape(1, -1), weight.reshape(1, -1), _Prior.weak(1)
        )
        slope_0, intercept_0 = float(pooled[0][0]), float(pooled[1][0])
    else:
        slope_0, intercept_0 = 1.0, 0.0
    spread = _SLOPE_SPREAD * max(slope_0, 0.1)
    prior = _Prior(
        np.full(len(z), slope_0),
        np.full(len(z), intercept_0),
        spread**-2,
        _INTERCEPT_SPREAD**-2,
    )
    slope, intercept = _newton(z, smooth, weight, prior)
    return _bounded(slope, intercept, z, known, positives, negatives, "platt")


def fit_temperature(logits: npt.ArrayLike, Y: npt.ArrayLike) -> Calibration:
    """Fit one slope (the inverse temperature) for all labels, without an intercept.

    Guo et al. (2017), section 4.2, for independent labels: it keeps the order of all entries and
    where the odds are even. Heads fitted with balanced class weights need :func:`fit_platt`,
    since their logits leave out how rare a label is. Bounds as there.
    """
    z, target, known, positives, negatives = _arrays(logits, Y)
    labels = len(z)
    slope = 1.0
    if known.any():
        prior = _Prior(np.ones(1), np.zeros(1), 1e-3, 1e12)
        fitted, _ = _newton(
            z.reshape(1, -1),
            target.reshape(1, -1),
            known.reshape(1, -1).astype(np.float64),
            prior,
        )
        slope = float(fitted[0])
    return _bounded(
        np.full(labels, slope), np.zeros(labels), z, known, positives, negatives, "temperature"
    )


@dataclass(frozen=True, slots=True)
class _Prior:
    """Independent normal priors: means for each problem, one precision for each parameter."""

    slope: Float64
    intercept: Float64
    slope_precision: float
    intercept_precision: float

    @staticmethod
    def weak(problems: int) -> _Prior:
        return _Prior(np.ones(problems), np.zeros(problems), 1e-3, 1e-4)


def _arrays(
    logits: npt.ArrayLike, Y: npt.ArrayLike
) -> tuple[Float64, Float64, npt.NDArray[np.bool_], Float64, Float64]:
    z = np.asarray(logits, dtype=np.float64)
    y = np.asarray(Y, dtype=np.float64)
    if z.ndim != 2 or z.shape != y.shape:
        raise UserError(
            f"Calibration needs logits and labels of one shape (n, labels), but got {z.shape} and "
            f"{y.shape}."
        )
    if np.isinf(z).any():
        raise UserError("The held-out logits hold infinity; the head's training diverged.")
    z, y = z.T, y.T
    known = ~np.isnan(y) & ~np.isnan(z)
    positives = (known & (y == 1.0)).sum(axis=1).astype(np.float64)
    negatives = (known & (y == 0.0)).sum(axis=1).astype(np.float64)
    return np.where(known, z, 0.0), np.where(known, y, 0.0), known, positives, negatives


def _newton(z: Float64, target: Float64, weight: Float64, prior: _Prior) -> tuple[Float64, Float64]:
    """Return slopes (at least 0) and intercepts that maximise the posterior of each row."""
    slope, intercept = _climb(z, target, weight, prior, np.maximum(prior.slope, 0.0))
    wrong = slope < 0
    if wrong.any():
        # The objective is convex, so the constrained optimum lies on the bound.
        at_zero = _Prior(
            np.zeros(int(wrong.sum())), prior.intercept[wrong], 1e12, prior.intercept_precision
        )
        _, fixed = _climb(
            z[wrong], target[wrong], weight[wrong], at_zero, np.zeros(int(wrong.sum()))
        )
        slope[wrong], intercept[wrong] = 0.0, fixed
    return slope, intercept


def _climb(
    z: Float64, target: Float64, weight: Float64, prior: _Prior, start: Float64
) -> tuple[Float64, Float64]:
    """Run damped Newton steps in two variables for all rows at once."""
    a, b = start.copy(), prior.intercept.copy()

    def objective(a: Float64, b: Float64) -> Float64:
        u = a[:, None] * z + b[:, None]
        value: Float64 = (weight * (np.logaddexp(0.0, u) - target * u)).sum(axis=1)
        value += 0.5 * prior.slope_precision * (a - prior.slope) ** 2
        value += 0.5 * prior.intercept_precision * (b - prior.intercept) ** 2
        return value

    now = objective(a, b)
    for _ in range(100):
        u = a[:, None] * z + b[:, None]
        p = 0.5 * (1.0 + np.tanh(0.5 * u))
        residual = weight * (p - target)
        curve = weight * p * (1.0 - p)
        g_a = (residual * z).sum(axis=1) + prior.slope_precision * (a - prior.slope)
        g_b = residual.sum(axis=1) + prior.intercept_precision * (b - prior.intercept)
        curve_z = curve * z
        h_aa = (curve_z * z).sum(axis=1) + prior.slope_precision
        h_ab = curve_z.sum(axis=1)
        h_bb = curve.sum(axis=1) + prior.intercept_precision
        determinant = h_aa * h_bb - h_ab * h_ab
        step_a = -(h_bb * g_a - h_ab * g_b) / determinant
        step_b = -(h_aa * g_b - h_ab * g_a) / determinant
        decrease = -(g_a * step_a + g_b * step_b)
        if (decrease <= 1e-12 * (1.0 + np.abs(now))).all():
            break
        length = np.ones_like(a)
        for _ in range(40):
            trial = objective(a + length * step_a, b + length * step_b)
            worse = trial > now - 1e-4 * length * decrease + 1e-12 * (1.0 + np.abs(now))
            if not worse.any():
                break
            length[worse] *= 0.5
        a, b, now = a + length * step_a, b + length * step_b, trial
    return a, b


def _bounded(
    slope: Float64,
    intercept: Float64,
    z: Float64,
    known: npt.NDArray[np.bool_],
    positives: Float64,
    negatives: Float64,
    method: Method,
) -> Calibration:
    u = slope[:, None] * z + intercept[:, None]
    some = known.any(axis=1)
    top = np.where(known, u, -np.inf).max(axis=1, initial=-np.inf)
    bottom = np.where(known, u, np.inf).min(axis=1, initial=np.inf)
    high = np.maximum(np.log(positives + 1), np.log(2.0))
    low = -np.maximum(np.log(negatives + 1), np.log(2.0))
    high = np.where(some, np.minimum(high, top + 1.0), high)
    low = np.where(some, np.maximum(low, bottom - 1.0), low)
    # All held-out logits may lie beyond what the counts support; then that bound rules alone.
    crossed = low > high
    middle = np.clip(intercept, -np.log(negatives + 2), np.log(positives + 2))
    low, high = np.where(crossed, middle, low), np.where(crossed, middle, high)
    return Calibration(
        slope.astype(np.float32),
        intercept.astype(np.float32),
        low.astype(np.float32),
        high.astype(np.float32),
        method,
    )


def _squash(u: Float32, low: Float32, high: Float32) -> Float32:
    """Bend ``u`` towards the bounds, with slope 1 where the bend begins."""
    middle = np.float32(0.5) * (low + high)
    upper = np.maximum(high - np.float32(1.0), middle)
    lower = np.minimum(low + np.float32(1.0), middle)
    tiny = np.float32(1e-6)
    # x / (1 + x / width) saturates so slowly that float32 keeps far scores apart.
    over = np.maximum(u - upper, np.float32(0.0))
    under = np.maximum(lower - u, np.float32(0.0))
    bent = np.clip(u, lower, upper)
    bent += over / (np.float32(1.0) + over / np.maximum(high - upper, tiny))
    bent -= under / (np.float32(1.0) + under / np.maximum(lower - low, tiny))
    return bent
