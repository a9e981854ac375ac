"""A predicted learning curve: what more labels would bring, and when to stop.

Scores ``y`` after ``n`` labels are described by three forms: the inverse power law
``y = a - b n**-c`` (Mukherjee et al. 2003, doi:10.1089/106652703321825928; Figueroa et al. 2012,
doi:10.1186/1472-6947-12-8), the exponential ``y = a - b exp(-c n)`` and the sigmoid
``y = a - b / (1 + (c n)**d)`` (Morgan, Mercer and Flodin 1975, doi:10.1073/pnas.72.11.4327).
Curves are too diverse for any one form (Viering and Loog 2022, doi:10.1109/TPAMI.2022.3220744), so
the three are averaged by how well they fit. The points alone hardly tell where a curve will end:
the interval takes in every asymptote, speed and form that agree with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from antiphon.active.forecast.curve_sampling import FORMS, SCATTER, Curves, sample_curves
from antiphon.active.forecast.estimate import Estimate, of_draws
from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]

_POINTS = 3


@dataclass(frozen=True, slots=True)
class Reach:
    """How many labels a target takes.

    Parameters
    ----------
    target
        The score aimed at.
    labels
        Labels in all, with their interval; ``value`` and ``high`` are infinite where half the
        curves, and where the interval's share of them, do not get there within the horizon.
    more
        The same, beyond those spent.
    share
        Share of the curves that get there within the horizon.
    horizon
        Labels up to which was looked.
    """

    target: float
    labels: Estimate
    more: Estimate
    share: float
    horizon: float

    @property
    def within_reach(self) -> bool:
        """Whether at least half of the curves get there within the horizon."""
        return bool(np.isfinite(self.labels.value))

    def __str__(self) -> str:
        if not self.within_reach:
            return (
                f"{self.target:g} is not within reach of {self.horizon:,.0f} labels "
                f"({self.share:.0%} of the curves get there)."
            )
        high = self.more.high
        most = f"{high:,.0f}" if np.isfinite(high) else f"more than {self.horizon:,.0f}"
        return (
            f"{self.target:g} takes about {self.more.value:,.0f} more labels "
            f"({self.more.low:,.0f} to {most})."
        )


@dataclass(frozen=True, slots=True)
class StopAdvice:
    """Whether labelling may stop.

    Parameters
    ----------
    stop
        True when even the upper end of the gain is below what is asked for.
    gain
        Gain in score of the next ``per_labels`` labels.
    min_gain, per_labels
        What was asked for.
    """

    stop: bool
    gain: Estimate
    min_gain: float
    per_labels: float

    def __str__(self) -> str:
        said = (
            f"The next {self.per_labels:,.0f} labels are predicted to bring "
            f"{self.gain.value:+.3f} ({self.gain.low:+.3f} to {self.gain.high:+.3f}); "
            f"asked for were {self.min_gain:g}."
        )
        return said + (" Labelling may stop." if self.stop else " Labelling is worth it.")


@dataclass(frozen=True, slots=True, eq=False)
class PredictedCurve:
    """Curves that agree with what was measured; make one with :func:`predict_curve`.

    Parameters
    ----------
    labels, score, se
        ``(m,)`` points in the order of labels, and their standard errors as used.
    level
        Of all intervals, such as 0.9.
    drawn
        The curves.
    """

    labels: Float64
    score: Float64
    se: Float64
    level: float
    drawn: Curves

    @property
    def weights(self) -> dict[str, float]:
        """Share of each form among the curves."""
        share = np.bincount(self.drawn.form, minlength=len(FORMS)) / len(self.drawn.form)
        return dict(zip(FORMS, share.tolist(), strict=True))

    @property
    def asymptote(self) -> Estimate:
        """Score that no number of labels exceeds."""
        return of_draws(self.drawn.asymptote, self.level)

    @property
    def spent(self) -> float:
        """Labels of the last point."""
        return float(self.labels[-1])

    def curves(self, n: npt.ArrayLike) -> Float64:
        """Return the score of every curve after ``n`` labels, ``(k, len(n))``."""
        n = np.atleast_1d(np.asarray(n, dtype=np.float64))
        if not (n > 0.0).all():
            raise UserError("A learning curve is predicted for 1 label and more.")
        return self.drawn.at(n)

    def predict(self, n: npt.ArrayLike) -> tuple[Float64, Float64, Float64]:
        """Return the expected score after ``n`` labels with its interval.

        Parameters
        ----------
        n
            ``(m,)`` labels in all, 1 or more.

        Returns
        -------
        value, low, high
            ``(m,)``: the median of the curves and the central interval. A measured score scatters
            around the curve, so it may lie outside.
        """
        tail = (1.0 - self.level) / 2.0
        low, value, high = np.quantile(self.curves(n), [tail, 0.5, 1.0 - tail], axis=0)
        return value, low, high

    def gain_of_next(self, n: float, at: float | None = None) -> Estimate:
        """Return how much the score is expected to grow with the next ``n`` labels.

        Parameters
        ----------
        n
            Labels, more than 0.
        at
            Labels spent before; those of the last point when None.
        """
        if not n > 0.0:
            raise UserError(f"A gain is predicted for more than {n:g} labels.")
        begin = self.spent if at is None else at
        scores = self.curves([begin, begin + n])
        return of_draws(scores[:, 1] - scores[:, 0], self.level)

    def labels_to_reach(self, target: float, horizon: float | None = None) -> Reach:
        """Return how many labels the expected score needs to reach a target.

        Parameters
        ----------
        target
            A score.
        horizon
            Labels in all beyond which nothing is said; ten times those spent when None.

        Raises
        ------
        UserError
            If the horizon is not beyond the labels spent.
        """
        limit = 10.0 * self.spent if horizon is None else float(horizon)
        if not limit > self.spent:
            raise UserError(
                f"The horizon of {limit:g} labels is not beyond the {self.spent:g} spent."
            )
        need = self.drawn.needed(target)
        need[need > limit] = np.inf
        need = np.maximum(need, self.spent)
        tail = (1.0 - self.level) / 2.0
        # No interpolation: infinite values stand beside finite ones.
        low, value, high = np.quantile(need, [tail, 0.5, 1.0 - tail], method="inverted_cdf")
        labels = Estimate(float(value), float(low), float(high))
        more = Estimate(*(end - self.spent for end in (labels.value, labels.low, labels.high)))
        return Reach(target, labels, more, float(np.isfinite(need).mean()), limit)

    def should_stop(self, min_gain: float, per_labels: float) -> StopAdvice:
        """Say whether the next labels can still bring what is asked for.

        Parameters
        ----------
        min_gain
            The least gain in score that is worth the work, more than 0.
        per_labels
            For so many labels.

        Notes
        -----
        Labelling may stop when the upper end of the interval of the gain is below ``min_gain``;
        with few or scattered points that end is high, and the advice is to go on.
        """
        if not min_gain > 0.0:
            raise UserError(f"The gain that is worth labelling for is {min_gain:g}; more than 0.")
        gain = self.gain_of_next(per_labels)
        return StopAdvice(gain.high < min_gain, gain, min_gain, float(per_labels))


def predict_curve(
    labels: npt.ArrayLike,
    score: npt.ArrayLike,
    se: npt.ArrayLike | None = None,
    *,
    ceiling: float = 1.0,
    level: float = 0.9,
    seed: int = 0,
) -> PredictedCurve:
    """Predict a learning curve from what was measured so far.

    Parameters
    ----------
    labels
        ``(m,)`` labels spent, different and more than 0, at least three.
    score
        ``(m,)`` scores after them, between 0 and ``ceiling``.
    se
        ``(m,)`` or one standard error of the scores, more than 0; see :func:`standard_error`.
        None: the scatter around the curve is learnt from the points, starting from 0.02.
    ceiling
        The largest score there is.
    level
        Of the intervals.
    seed
        Of the curves that are drawn.

    Raises
    ------
    UserError
        If there are fewer than three points, or a number is not finite or out of range.

    Notes
    -----
    For each form and speed the best asymptote and start follow by weighted least squares; with a
    flat prior on both between 0 and the ceiling (the asymptote not below the start), their
    distribution is a normal one, cut off at these bounds. Forms and speeds (uniform in their
    logarithm) count by their likelihood, and 4,000 curves are drawn. Errors of points are taken as
    independent. Where points scatter more than their standard errors allow, these are scaled up
    (Birge 1932, doi:10.1103/PhysRev.40.207).
    """
    n, y, error = _points(labels, score, se, ceiling)
    generator = np.random.default_rng(seed)
    found, scale = sample_curves(n, y, error, se is not None, ceiling, generator)
    return PredictedCurve(n, y, error * scale, level, found)


def standard_error(low: npt.ArrayLike, high: npt.ArrayLike, level: float = 0.95) -> Float64:
    """Return the standard error that an interval of a normal distribution speaks of.

    Parameters
    ----------
    low, high
        Ends of two-sided intervals of that level.
    """
    wide = np.asarray(high, dtype=np.float64) - np.asarray(low, dtype=np.float64)
    return np.asarray(wide / (2.0 * ndtri(0.5 + level / 2.0)), dtype=np.float64)


def _points(
    labels: npt.ArrayLike, score: npt.ArrayLike, se: npt.ArrayLike | None, ceiling: float
) -> tuple[Float64, Float64, Float64]:
    """Return checked points in the order of labels, and their standard errors."""
    n = np.asarray(labels, dtype=np.float64)
    y = np.asarray(score, dtype=np.float64)
    error = np.full(n.shape, SCATTER) if se is None else np.asarray(se, dtype=np.float64)
    if n.ndim != 1 or y.shape != n.shape or error.shape not in ((), n.shape):
        raise UserError(
            f"There are {n.size} numbers of labels, {y.size} scores, {error.size} errors."
        )
    if len(n) < _POINTS:
        raise UserError(
            f"A learning curve is predicted from {_POINTS} points and more; there are {len(n)}. "
            "Train and evaluate after more labels."
        )
    error = np.broadcast_to(error, n.shape)
    for name, values, good in (
        ("numbers of labels", n, n > 0.0),
        ("scores", y, (y >= 0.0) & (y <= ceiling)),
        ("standard errors", error, error > 0.0),
    ):
        if not (good & np.isfinite(values)).all():
            bad = values[~(good & np.isfinite(values))][0]
            raise UserError(f"One of the {name} of the learning curve is {bad:g}.")
    if len(np.unique(n)) != len(n):
        raise UserError("Two points of the learning curve have the same number of labels.")
    order = np.argsort(n)
    return n[order], y[order], error[order]
