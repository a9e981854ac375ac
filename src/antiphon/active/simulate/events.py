"""Who calls where: the labels of each segment, and the sounds behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antiphon.active.dataset import Bool, Int64
from antiphon.active.simulate.layout import Layout
from antiphon.active.simulate.recipe import Recipe

Float64 = npt.NDArray[np.float64]

# Directions along which the frequencies of classes vary together.
_FACTORS = 3
# Segments that each class has at least, in the pool and in validation.
_LEAST = 2


@dataclass(frozen=True, slots=True)
class Events:
    """Labels, and what truly sounds.

    Parameters
    ----------
    labelled
        ``(n, n_classes)`` bool.
    heard
        ``(n, n_classes)`` bool: labels without sound are not in it, unlabelled sounds are.
    """

    labelled: Bool
    heard: Bool


def draw_events(recipe: Recipe, layout: Layout, rng: np.random.Generator) -> Events:
    """Draw how many labels each segment has, then which.

    Classes are drawn without replacement from their frequencies at that site, recording and bout
    (the Gumbel-top-k trick: Kool et al. 2019, arXiv 1903.06059), so that the number of labels is
    exact. A segment that repeats the one before has its labels.
    """
    first = np.flatnonzero(~layout.repeats)
    origin = np.cumsum(~layout.repeats) - 1
    count = _counts(recipe, layout, first, origin, rng)
    wish = _wishes(recipe, layout, first, rng)
    order = np.argsort(-wish, axis=1)
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(recipe.n_classes)[None, :], axis=1)
    labelled = rank < count[:, None]
    for judges in (False, True):
        _fill_gaps(labelled, wish, np.flatnonzero(layout.validation[first] == judges))
    heard = labelled.copy()
    # Unlabelled sounds are the next likely ones of random segments.
    extra = rng.random(len(first)) < recipe.missed * count.mean()
    following = np.minimum(count, recipe.n_classes - 1)
    rows = np.flatnonzero(extra & (count < recipe.n_classes))
    heard[rows, order[rows, following[rows]]] = True
    heard &= ~(labelled & (rng.random(labelled.shape) < recipe.spurious))
    return Events(labelled[origin], heard[origin])


def _counts(
    recipe: Recipe, layout: Layout, first: Int64, origin: Int64, rng: np.random.Generator
) -> Int64:
    """Return how many labels each first segment has; their sum over all segments is exact."""
    n, n_first = len(layout), len(first)
    times = np.bincount(origin, minlength=n_first)
    activity = np.sqrt(1.0 - recipe.clumping) * rng.standard_normal(n_first)
    for group in (layout.recording, layout.bout):
        between = rng.standard_normal(int(group.max()) + 1)
        activity += np.sqrt(recipe.clumping / 2.0) * between[group[first]]
    order = np.argsort(-activity, kind="stable")
    wanted = round(recipe.labels_per_sample * n)
    occupied = n - round(recipe.empty_share * n)
    # The most active segments are the occupied ones.
    place = int(np.searchsorted(np.cumsum(times[order]), occupied)) + 1
    occupied_rows = order[: min(place, n_first)]
    mean = wanted / max(1, int(times[occupied_rows].sum())) - 1.0
    count = np.zeros(n_first, np.int64)
    more = rng.poisson(max(0.0, mean), len(occupied_rows))
    # Poisson numbers in the order of activity, but for some noise: busy segments hold more.
    noisy = activity[occupied_rows] + 0.5 * rng.standard_normal(len(occupied_rows))
    more = np.sort(more)[np.argsort(np.argsort(noisy))]
    count[occupied_rows] = 1 + np.minimum(more, recipe.n_classes - 1)
    _settle(count, times, wanted, recipe.n_classes, rng)
    return count


def _settle(count: Int64, times: Int64, wanted: int, most: int, rng: np.random.Generator) -> None:
    """Add or take single labels at random occupied segments until the sum is as wanted."""
    missing = wanted - int(count @ times)
    # Empty segments get a label, or others lose their last, only when there is no other way. A
    # segment changes by one label in a pass, so a nearly full set takes several.
    for number in range(2 + most):
        allowed = range(1, most) if number == 0 else range(most)
        for row in rng.permutation(len(count)):
            if missing == 0:
                return
            step = 1 if missing > 0 else -1
            inside = count[row] in allowed if step > 0 else count[row] - 1 in allowed
            if inside and times[row] <= abs(missing):
                count[row] += step
                missing -= step * int(times[row])


def _wishes(recipe: Recipe, layout: Layout, first: Int64, rng: np.random.Generator) -> Float64:
    """Return log frequencies plus Gumbel noise, ``(n_first, n_classes)``."""
    classes = recipe.n_classes
    prevalence = -recipe.long_tail * np.log(np.arange(1, classes + 1))
    wish: Float64 = np.broadcast_to(prevalence, (len(first), classes)).copy()
    groups = (
        (layout.site, recipe.site_affinity),
        (layout.recording, recipe.recording_affinity),
        (layout.bout, recipe.bout_affinity),
    )
    for group, deviation in groups:
        between = deviation * rng.standard_normal((int(group.max()) + 1, classes))
        wish += between[group[first]]
    loading = rng.standard_normal((_FACTORS, classes)) / np.sqrt(_FACTORS)
    factor = rng.standard_normal((int(layout.bout.max()) + 1, _FACTORS))
    wish += recipe.cooccurrence * (factor @ loading)[layout.bout[first]]
    wish += rng.gumbel(size=wish.shape)
    return wish


def _fill_gaps(labelled: Bool, wish: Float64, rows: Int64) -> None:
    """Give each class its least number of segments among ``rows``, at the cost of commoner ones.

    The number of labels of a segment does not change.
    """
    totals = labelled[rows].sum(axis=0)
    for rare in np.argsort(totals, kind="stable"):
        while totals[rare] < _LEAST:
            holders = labelled[rows].any(axis=1) & ~labelled[rows, rare]
            common = totals > max(_LEAST, totals[rare] + 1)
            holders &= (labelled[rows] & common).any(axis=1)
            if not holders.any():
                break
            row = rows[holders][np.argmax(wish[rows[holders], rare])]
            given = np.flatnonzero(labelled[row] & common)
            commonest = given[np.argmax(totals[given])]
            labelled[row, commonest], labelled[row, rare] = False, True
            totals[commonest] -= 1
            totals[rare] += 1
