"""The default: cover the archive first, then turn to doubtful windows of scarce labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from antiphon.active.base import Float32, Int64, PoolView, Selection, Strategy, strategy
from antiphon.active.doubt import balanced_entropy, budget_share
from antiphon.active.geometry.map_dpp import gaussian_kernel, greedy_mode
from antiphon.active.geometry.medoids import isolation
from antiphon.active.geometry.salience import salient
from antiphon.active.geometry.whitening import Fit, principal_axes, whiten
from antiphon.active.surrogate import believe


@dataclass(frozen=True, slots=True)
class Settings:
    """Numbers of the strategy; none depends on the data set.

    Parameters
    ----------
    dims, whitening
        Dimensions of the space, and power of the standard deviation by which each is divided.
    first_candidates
        Random windows among which the determinantal point process chooses the first batch, so
        that odd ones are rare in it.
    salience, loudest
        Power of a window's distance from the background by which it gains in the first batch, and
        the distance, in medians, above which it gains no more.
    later_salience
        The same later, times the share of labelled windows that hold no label: where most are
        empty, windows that stand out are worth more.
    width, noise
        Of the Gaussian process; the width also says what counts as alike within a batch.
    floor
        Added to the entropy, so that windows that seem certain keep some chance.
    ramp_from, ramp_to
        Share of the budget at which entropy begins to count, and from which it counts fully.
    balance
        Power of ``1 + positives`` by which scarce labels weigh more in the entropy.
    candidates
        Windows of largest quality among which the determinantal point process chooses.
    fence
        Quartile ranges above the upper quartile of isolation beyond which a window counts as an
        outlier.
    guard
        Power of isolation by which outliers lose quality; 0 switches the guard off.
    """

    dims: int = 128
    whitening: float = 0.15
    first_candidates: int = 2000
    salience: float = 1.0
    loudest: float = 2.5
    later_salience: float = 1.0
    width: float = 0.7071
    noise: float = 0.1
    floor: float = 0.05
    ramp_from: float = 0.1
    ramp_to: float = 0.4
    balance: float = 0.7
    candidates: int = 600
    fence: float = 1.5
    guard: float = 4.0


@dataclass(frozen=True, slots=True)
class Space:
    """What the strategy derives from embeddings alone.

    Parameters
    ----------
    points
        ``(n, d)`` unit vectors.
    trust
        ``(n,)``: 1, less for outliers.
    length
        ``(n,)`` distance from the background, 1 at the median.
    """

    points: Float32
    trust: Float32
    length: Float32


def antiphon_with(settings: Settings) -> Strategy:
    """Return the strategy with other numbers, to compare them."""

    def choose(pool: PoolView, n: int) -> Selection:
        space = pool.derive(f"antiphon:{settings}", lambda x: make_space(x, settings))
        free = pool.generator.permutation(pool.candidates())
        if len(pool.labelled) == 0:
            # The candidates are in random order.
            some = free[: max(settings.first_candidates, n)]
            worth = space.trust[some] * space.length[some] ** np.float32(settings.salience)
            return diverse_batch(space.points, some, worth, n, settings)
        belief = believe(
            space.points,
            free,
            pool.labelled,
            pool.labels,
            width=settings.width,
            noise=settings.noise,
        )
        worth = np.sqrt(belief.variance) * space.trust[free]
        empty = float((np.nansum(pool.labels, axis=1) == 0.0).mean())
        worth *= space.length[free] ** np.float32(settings.later_salience * empty)
        power = ramp(budget_share(len(pool.labelled), pool.budget), settings)
        if power > 0.0 and belief.probability.shape[1]:
            doubt = balanced_entropy(belief.probability, pool.labels, settings.balance)
            worth *= (settings.floor + doubt) ** np.float32(power)
        best = np.argsort(-worth, kind="stable")[: max(settings.candidates, n)]
        return diverse_batch(space.points, free[best], worth[best], n, settings)

    return choose


@strategy(
    "antiphon",
    "new kinds of sound first, later doubtful windows of labels with few examples; batches "
    "without repeats, outliers held back",
    "this project: deviation times class-balanced entropy of a Gaussian process (Rasmussen and "
    "Williams 2006) in partly whitened space; greedy DPP (arXiv:1709.05135)",
)
def antiphon(pool: PoolView, n: int) -> Selection:
    """Choose by ``deviation * (0.05 + entropy)**g`` and a determinantal point process.

    Embeddings are brought to unit length, partly whitened on the first principal components and
    brought to unit length again. The first batch is the mode of the process over 2,000 random
    windows, those that stand out from the background weighing more. Later, deviation and entropy
    are those of a Gaussian process on the labels so far, not of the detector: it knows after a few
    labels where it knows nothing, and it needs no training. g grows from 0 to 1 between a tenth
    and four tenths of the budget (500 labels where it is not known); entropy is binary, averaged
    over labels with weights of ``(1 + positives)**-0.7``. Where many labelled windows were empty,
    windows that stand out gain; outliers, isolated from all others, count less. The batch is the
    greedy mode of the process over the best 600 candidates.
    """
    return antiphon_with(Settings())(pool, n)


def make_space(embeddings: Float32, settings: Settings) -> Space:
    """Return points, trust and length of ``(n, dim)`` embeddings."""
    fit = principal_axes(embeddings, settings.dims, unit=True)
    points = whiten(embeddings, settings.dims, settings.whitening, fit=fit)
    # A generator of its own, so that the sample is the same in every run.
    lonely = isolation(points, np.random.default_rng(0))
    length = distance_from_background(embeddings, settings, fit)
    return Space(points, outlier_weight(lonely, settings), length)


def distance_from_background(
    embeddings: Float32, settings: Settings, fit: Fit | None = None
) -> Float32:
    """Return how far each window is from the archive's mean, ``(n,)``, 1 at the median."""
    size = np.linalg.norm(salient(embeddings, settings.dims, fit=fit), axis=1)
    middle = float(np.median(size))
    if middle <= 0.0:
        return np.ones(len(size), np.float32)
    length: Float32 = np.minimum(size / middle, settings.loudest).astype(np.float32)
    return length


def ramp(share: float, settings: Settings) -> float:
    """Return the power of the entropy after that share of the budget, from 0 to 1."""
    width = max(settings.ramp_to - settings.ramp_from, 1e-9)
    return min(1.0, max(0.0, (share - settings.ramp_from) / width))


def outlier_weight(lonely: Float32, settings: Settings) -> Float32:
    """Return a weight for each window, ``(n,)``: 1, or less the more isolated an outlier is.

    Parameters
    ----------
    lonely
        ``(n,)`` mean distance to the nearest windows.

    Notes
    -----
    The bound is Tukey's fence (1977, Exploratory Data Analysis): where isolation is evenly spread,
    as with rare sounds, no window is beyond it.
    """
    lower, upper = np.quantile(lonely, [0.25, 0.75])
    bound = float(upper + settings.fence * (upper - lower))
    if bound <= 0.0 or settings.guard == 0.0:
        return np.ones_like(lonely)
    weight: Float32 = np.minimum(1.0, bound / np.maximum(lonely, bound)) ** np.float32(
        settings.guard
    )
    return weight


def diverse_batch(
    points: Float32, rows: Int64, worth: Float32, n: int, settings: Settings
) -> Selection:
    """Return the greedy mode of the process ``worth_i k_ij worth_j`` over some rows.

    The kernel k is Gaussian. Utility is the variance that a window had left when it was chosen.

    Parameters
    ----------
    points
        ``(n_points, d)`` unit vectors.
    rows, worth
        ``(k,)`` candidates, and the quality of each.
    n
        At most k.
    """
    scale = worth.astype(np.float64)
    kernel = gaussian_kernel(points[rows], points[rows], settings.width)
    order, variance = greedy_mode(scale[:, None] * kernel * scale, n)
    return Selection(rows[order], variance.astype(np.float32))
