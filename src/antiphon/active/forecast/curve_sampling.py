"""Draw learning curves that agree with points: form, speed, asymptote and start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtr, ndtri

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

FORMS = ("power law", "exponential", "sigmoid")
SCATTER = 0.02
"""What is taken for the scatter of scores before the points tell, as one observation of it."""

# Speeds and steepnesses that may be: exponents of the power law; labels in which an exponential
# shrinks by e, and at which a sigmoid is half way, in multiples of the last point's labels.
_BOUNDS = (
    ((0.05, 3.0), (1.0, 1.0)),
    ((0.05, 5.0), (1.0, 1.0)),
    ((0.05, 5.0), (0.7, 4.0)),
)
_CELLS = ((120, 1), (120, 1), (30, 15))
_ROUNDS = 3
# Cells whose fit is worse than the best one's by so much count for nothing: exp(-20).
_WORSE = 40.0
_SCATTER_WEIGHT = 2.0
_DRAWS = 4_000
_PROPOSALS = 40_000
_SCALES = 80


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Learning curves ``y = a - (a - s) left(n)``.

    Parameters
    ----------
    first
        Labels ``n0`` of the first point.
    form
        ``(k,)`` index of :data:`FORMS`: ``left`` is ``(n / n0)**-c``, ``exp(-c (n - n0))`` or
        ``(1 + (c n0)**d) / (1 + (c n)**d)``.
    speed, steepness
        ``(k,)`` ``c`` and ``d``; ``d`` is 1 where it is not used.
    asymptote, start
        ``(k,)`` ``a`` and ``s``: scores at infinity and at the first point.
    """

    first: float
    form: Int64
    speed: Float64
    steepness: Float64
    asymptote: Float64
    start: Float64

    def at(self, n: Float64) -> Float64:
        """Return the scores after ``n`` labels, ``(k, len(n))``."""
        left = _left(n, self.first, self.form, self.speed, self.steepness)
        found: Float64 = self.asymptote[:, None] - (self.asymptote - self.start)[:, None] * left
        return found

    def needed(self, target: float) -> Float64:
        """Return the labels at which each curve reaches a target, infinite where it never does."""
        height = self.asymptote - self.start
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            left = (self.asymptote - target) / height
            half = (1.0 + (self.speed * self.first) ** self.steepness) / left - 1.0
            need = np.choose(
                self.form,
                [
                    self.first * left ** (-1.0 / self.speed),
                    self.first - np.log(left) / self.speed,
                    half ** (1.0 / self.steepness) / self.speed,
                ],
            )
        need = np.where(self.asymptote > target, need, np.inf)
        return np.where(self.start >= target, self.first, need)


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    """Weighted least squares for each form and speed: the normal distribution of ``(a, s)``.

    Arrays are ``(g,)``; variances are for errors as given. ``prior`` is the logarithm of the
    prior probability, ``chi`` the sum of squares at the best ``(a, s)``, ``bounded`` that within
    ``s <= a <= ceiling``.
    """

    form: Int64
    speed: Float64
    steepness: Float64
    prior: Float64
    asymptote: Float64
    start: Float64
    var_a: Float64
    var_s: Float64
    cov: Float64
    chi: Float64
    bounded: Float64


def sample_curves(
    n: Float64,
    y: Float64,
    error: Float64,
    known: bool,
    ceiling: float,
    generator: np.random.Generator,
) -> tuple[Curves, float]:
    """Draw 4,000 curves; see :func:`antiphon.active.forecast.learning_curve.predict_curve`.

    Parameters
    ----------
    n, y, error
        ``(m,)`` labels in rising order, scores and standard errors.
    known
        Whether the errors are known; otherwise their common scale is learnt.

    Returns
    -------
    curves
        The draws.
    scale
        Factor that errors were multiplied by, in the median.

    Notes
    -----
    Importance resampling: the asymptote is drawn from its marginal normal cut off to 0 and the
    ceiling, and weighs as much as the start's conditional normal lies between 0 and it.
    """
    fits = _fits(n, y, error, ceiling)
    scale = _scales(float(fits.bounded.min()), len(n), known, generator)
    each = _PROPOSALS // len(scale)
    width = np.sqrt(fits.var_a)[None] * scale[:, None]
    low, high = ndtr((0.0 - fits.asymptote) / width), ndtr((ceiling - fits.asymptote) / width)
    with np.errstate(divide="ignore"):
        mass = log_ndtr((ceiling - fits.asymptote) / width)
        mass += np.log1p(-np.minimum(low / np.maximum(high, 1e-300), 1.0))
    # The volume of (a, s) that fits as well: the root of the covariance's determinant.
    volume = 0.5 * np.log(fits.var_a * fits.var_s - fits.cov**2)
    weight = fits.prior + mass + volume - 0.5 * fits.chi / scale[:, None] ** 2
    at = np.concatenate([_pick(row, each, generator) for row in weight])
    turn = np.repeat(np.arange(len(scale)), each)
    spread = scale[turn]
    asymptote = _truncated(
        fits.asymptote[at], np.sqrt(fits.var_a[at]) * spread, 0.0, ceiling, generator
    )
    slope = fits.cov[at] / fits.var_a[at]
    middle = fits.start[at] + slope * (asymptote - fits.asymptote[at])
    narrow = np.sqrt(np.maximum(fits.var_s[at] - slope * fits.cov[at], 1e-18)) * spread
    top = log_ndtr((asymptote - middle) / narrow)
    kept = _pick(top, _DRAWS, generator)
    start = _truncated(middle[kept], narrow[kept], 0.0, asymptote[kept], generator)
    drawn = at[kept]
    curves = Curves(
        float(n[0]),
        fits.form[drawn],
        fits.speed[drawn],
        fits.steepness[drawn],
        asymptote[kept],
        start,
    )
    return curves, float(np.median(scale))


def _fits(n: Float64, y: Float64, error: Float64, ceiling: float) -> _Fits:
    """Fit all forms, with speeds that are ever closer around those that agree with the points."""
    log_bounds = [np.log(pair) for pair in _BOUNDS]
    boxes = log_bounds
    for turn in range(_ROUNDS):
        parts = [_grid(form, box, log_bounds[form]) for form, box in enumerate(boxes)]
        form, speed, steepness, prior = (np.concatenate(x) for x in zip(*parts, strict=True))
        form = form.astype(np.int64)
        rate = np.where(form == 0, speed, 1.0 / (speed * n[-1]))
        fits = _fit(n, y, error, ceiling, form, rate, steepness, prior)
        if turn == _ROUNDS - 1:
            break
        allowed = _WORSE * max(1.0, float(fits.bounded.min()) / max(1, len(n) - 3))
        good = fits.bounded <= fits.bounded.min() + allowed
        boxes = [
            _shrunk(box, log_bounds[k], _CELLS[k], speed[there], steepness[there])
            for k, box in enumerate(boxes)
            for there in [good & (form == k)]
        ]
    return fits


def _grid(form: int, box: Float64, bounds: Float64) -> tuple[Float64, Float64, Float64, Float64]:
    """Return form, speed, steepness and log prior of the middles of a box's cells.

    The prior is uniform in the logarithms of speed and steepness, the same for each form.
    """
    sides = []
    for (low, high), cells in zip(box, _CELLS[form], strict=True):
        sides.append(np.exp(low + (high - low) * (np.arange(cells) + 0.5) / cells))
    speed, steepness = (side.ravel() for side in np.meshgrid(*sides, indexing="ij"))
    wide, whole = np.diff(box, axis=1), np.diff(bounds, axis=1)
    share = np.prod(np.where(whole > 0.0, wide / np.where(whole > 0.0, whole, 1.0), 1.0))
    prior = np.full(len(speed), np.log(share / len(speed)))
    return np.full(len(speed), float(form)), speed, steepness, prior


def _shrunk(
    box: Float64, bounds: Float64, cells: tuple[int, int], speed: Float64, steepness: Float64
) -> Float64:
    """Return the box around the cells that fit, one cell wider; the whole one if none does."""
    if len(speed) == 0:
        return box
    margin = np.diff(box, axis=1)[:, 0] / np.array(cells)
    values = np.log(np.stack([speed, steepness]))
    low = np.maximum(values.min(axis=1) - 1.5 * margin, bounds[:, 0])
    high = np.minimum(values.max(axis=1) + 1.5 * margin, bounds[:, 1])
    return np.stack([low, high], axis=1)


def _fit(
    n: Float64,
    y: Float64,
    error: Float64,
    ceiling: float,
    form: Int64,
    speed: Float64,
    steepness: Float64,
    prior: Float64,
) -> _Fits:
    """Fit asymptote and start for many forms and speeds at once."""
    left = _left(n, float(n[0]), form, speed, steepness)
    rise, weight = 1.0 - left, error**-2.0
    aa, ab, bb = ((weight * x).sum(axis=1) for x in (rise * rise, rise * left, left * left))
    ay, by = (weight * y * rise).sum(axis=1), (weight * y * left).sum(axis=1)
    determinant = aa * bb - ab * ab
    asymptote, start = (bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant

    def chi(a: Float64, s: Float64) -> Float64:
        gap = y - rise * a[:, None] - left * s[:, None]
        found: Float64 = (weight * gap * gap).sum(axis=1)
        return found

    free = chi(asymptote, start)
    flat = np.full(len(speed), min(ceiling, float((weight * y).sum() / weight.sum())))
    full = np.full(len(speed), ceiling)
    at_full = np.minimum((by - ab * ceiling) / bb, ceiling)
    edges = np.minimum(chi(flat, flat), chi(full, at_full))
    inside = (start <= asymptote) & (asymptote <= ceiling)
    return _Fits(
        form,
        speed,
        steepness,
        prior,
        asymptote,
        start,
        bb / determinant,
        aa / determinant,
        -ab / determinant,
        free,
        np.where(inside, free, edges),
    )


def _left(n: Float64, first: float, form: Int64, speed: Float64, steepness: Float64) -> Float64:
    """Return the share of the rise from the first point that is still to come, ``(k, len(n))``."""
    c, d, kind = speed[:, None], steepness[:, None], form[:, None]
    with np.errstate(over="ignore"):
        power = (n / first) ** -c
        exponential = np.exp(-(n - first) * c)
        sigmoid = (1.0 + (c * first) ** d) / (1.0 + (c * n) ** d)
    return np.where(kind == 0, power, np.where(kind == 1, exponential, sigmoid))


def _scales(chi: float, m: int, known: bool, generator: np.random.Generator) -> Float64:
    """Return factors for the errors: one when they are known, draws from what the points say."""
    if known:
        return np.array([np.sqrt(max(1.0, chi / (m - 3)))]) if m > 3 else np.ones(1)
    drawn = generator.chisquare(_SCATTER_WEIGHT + m - 3, _SCALES)
    return np.sqrt((_SCATTER_WEIGHT + chi) / drawn)


def _pick(log_weight: Float64, size: int, generator: np.random.Generator) -> Int64:
    """Return indices drawn by weight, with replacement."""
    weight = np.exp(log_weight - log_weight.max())
    total = np.cumsum(weight)
    at = np.searchsorted(total, generator.random(size) * total[-1], side="right")
    found: Int64 = np.minimum(at, len(weight) - 1).astype(np.int64)
    return found


def _truncated(
    mean: Float64,
    width: Float64,
    low: float,
    high: float | Float64,
    generator: np.random.Generator,
) -> Float64:
    """Return draws of normal distributions that are cut off at ``low`` and ``high``."""
    # From the far tail of a normal only the mirrored side is resolved.
    a, b = (low - mean) / width, (high - mean) / width
    flip = a > 0.0
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    share = generator.random(len(mean))
    below, above = ndtr(a), ndtr(b)
    drawn = ndtri(below + share * (above - below))
    drawn = np.where(np.isfinite(drawn), drawn, b)
    found: Float64 = np.clip(mean + width * np.where(flip, -drawn, drawn), low, high)
    return found
