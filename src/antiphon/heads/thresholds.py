"""Thresholds for a wanted precision, with intervals and what would narrow them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from antiphon.errors import UserError
from antiphon.heads.binomial import clopper_pearson

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MIN_GROUPS = 5
"""With detections in fewer groups than this, a bootstrap over groups says too little."""
_CANDIDATES = 512
_NEVER = 1.0
# Below this a calibrated score says that a detection is more likely wrong than right.
_DOUBTFUL = 0.5


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where to cut a label's scores, and what to expect there; NaN where nothing can be said.

    Parameters
    ----------
    value
        A window is detected at ``score >= value``. Without held-out positives: above all
        held-out scores and at least 0.5; without any labelled window: 1.0, which no calibrated
        score reaches.
    precision, precision_low, precision_high
        Share of detections that are right on held-out windows, with its interval.
    recall, recall_low, recall_high
        Share of positives that are detected, with its interval.
    n_positive
        Positive windows that the numbers rest on.
    n_groups
        Groups (recordings, sites) with known windows of the label.
    more_clips_needed
        About how many more labelled detections would bring the half-width of the precision's
        interval to the wanted one; None where it cannot be told.
    reached
        Whether the wanted precision was reached; if not, ``value`` gives the best that was.
    note
        What the user should know, in sentences; empty when all is plain.
    """

    value: float
    precision: float
    precision_low: float
    precision_high: float
    recall: float
    recall_low: float
    recall_high: float
    n_positive: int
    n_groups: int
    more_clips_needed: int | None
    reached: bool = True
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; NaN becomes None."""
        return {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Build a threshold from :meth:`to_json`.

        Raises
        ------
        ValueError
            If a field is missing, unknown, or of another type.
        """
        names = {f.name for f in fields(cls)}
        if not isinstance(values, dict) or set(values) != names:
            raise ValueError(f"a threshold needs the fields {', '.join(sorted(names))}")
        made: dict[str, Any] = {}
        for name, value in values.items():
            if name == "note":
                ok = isinstance(value, str)
            elif name == "reached":
                ok = isinstance(value, bool)
            elif name in ("n_positive", "n_groups"):
                ok = isinstance(value, int)
            elif name == "more_clips_needed":
                ok = value is None or isinstance(value, int)
            else:
                ok = isinstance(value, int | float) or (value is None and name != "value")
                value = math.nan if value is None else value
                ok = ok and (name != "value" or math.isfinite(value))
            if not ok:
                raise ValueError(f"the threshold's field {name!r} is {value!r}")
            made[name] = value
        return cls(**made)


def choose_thresholds(
    prob: npt.ArrayLike,
    Y: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    precision: float = 0.9,
    rule: Literal["estimate", "lower"] = "estimate",
    level: float = 0.9,
    half_width: float = 0.05,
    n_resamples: int = 1000,
    rng: np.random.Generator | None = None,
) -> list[Threshold]:
    """Choose for each label the lowest threshold that reaches a precision.

    Parameters
    ----------
    prob
        ``(n, n_labels)`` held-out scores; NaN where a row was in no fold.
    Y
        ``(n, n_labels)``: 1, 0 or NaN.
    groups
        ``(n,)`` recording or site of each row: what is resampled, since windows of one recording
        are not independent.
    precision
        Wanted, above 0 and at most 1.
    rule
        ``"estimate"``: the estimate reaches it; ``"lower"``: the interval's lower end does.
    level
        Of the intervals, two-sided.
    half_width
        Wanted for the precision's interval, for ``more_clips_needed``.
    n_resamples
        Bootstrap resamples.
    rng
        Source of the resamples; a generator of seed 0 when None.

    Returns
    -------
    list of Threshold
        One for each label.

    Raises
    ------
    UserError
        If shapes or parameters are not as described.

    Notes
    -----
    Where no threshold reaches the precision, the one of best precision is taken, but none below
    0.5: a calibrated score says there that most detections would be wrong.

    Only scores of positives are candidates: going down to a lower one adds false detections and
    no right one. The intervals are percentiles of a bootstrap over groups at the chosen
    threshold (Davison and Hinkley 1997, section 5.3). They become exact binomial ones (Clopper
    and Pearson 1934), with the groups as the sample, where groups are fewer than
    :data:`MIN_GROUPS` and where all resamples agree because there was no error. The threshold is
    chosen on the rows that it is judged on, so the estimate is a little optimistic; nested
    cross-validation measures by how much.
    """
    scores: Float32 = np.asarray(prob, dtype=np.float32)
    labels: Float32 = np.asarray(Y, dtype=np.float32)
    group = np.asarray(np.unique(np.asarray(groups), return_inverse=True)[1], dtype=np.intp)
    if scores.ndim != 2 or scores.shape != labels.shape or group.shape != scores.shape[:1]:
        raise UserError(
            "Thresholds need scores and labels of one shape (n, labels) and n groups, but got "
            f"{scores.shape}, {labels.shape} and {group.shape}."
        )
    if not 0.0 < precision <= 1.0:
        raise UserError(f"The wanted precision is {precision:g}; it must be above 0, at most 1.")
    if not 0.0 < level < 1.0 or not 0.0 < half_width < 1.0:
        raise UserError("The level and the half-width of an interval must lie between 0 and 1.")
    if rule not in ("estimate", "lower"):
        raise UserError(f"The rule {rule!r} is not known. There are: estimate, lower.")
    rng = np.random.default_rng(0) if rng is None else rng
    found = []
    # A generator of its own for each label, so that its interval does not hang on the others.
    for column, own in enumerate(rng.spawn(scores.shape[1])):
        known = ~np.isnan(labels[:, column]) & ~np.isnan(scores[:, column])
        sample = _Sample(
            scores[known, column],
            labels[known, column] == 1.0,
            group[known],
            level,
            n_resamples,
            own,
        )
        found.append(_choose(sample, precision, rule, half_width))
    return found


class _Sample:
    """One label's held-out windows: counts by candidate threshold and group."""

    def __init__(
        self,
        score: Float32,
        positive: npt.NDArray[np.bool_],
        group: npt.NDArray[np.intp],
        level: float,
        n_resamples: int,
        rng: np.random.Generator,
    ) -> None:
        self.score, self.positive, self.level = score, positive, level
        _, self.group = np.unique(group, return_inverse=True)
        self.n_groups = int(self.group.max()) + 1 if len(group) else 0
        self.n_positive = int(positive.sum())
        self.candidates = np.unique(score[positive])[::-1]
        n = self.n_groups
        self._weights = (
            rng.multinomial(n, np.full(n, 1.0 / n), size=n_resamples).astype(np.float32)
            if n >= MIN_GROUPS
            else None
        )

    def counts(self) -> tuple[Int64, Int64]:
        """Return right and all detections at each candidate, candidates descending."""
        # Scores are negated because searchsorted wants them ascending.
        order = np.sort(-self.score)
        of_positives = np.sort(-self.score[self.positive])
        cut = -self.candidates
        right = np.searchsorted(of_positives, cut, side="right").astype(np.int64)
        return right, np.searchsorted(order, cut, side="right").astype(np.int64)

    def by_group(self, candidates: Float32) -> tuple[Float32, Float32, Float32]:
        """Count in each group what thresholds (descending) detect.

        Returns
        -------
        right, detected
            ``(n_groups, n_candidates)`` right and all detections.
        positive
            ``(n_groups, 1)`` positives.
        """
        width = len(candidates) + 1
        first = np.searchsorted(-candidates, -self.score, side="left")
        cell = self.group * width + first
        size = self.n_groups * width

        def counts(cells: npt.NDArray[np.intp]) -> Float32:
            table = np.bincount(cells, minlength=size).reshape(self.n_groups, width)
            return np.cumsum(table, axis=1)[:, :-1].astype(np.float32)

        positive = np.bincount(self.group[self.positive], minlength=self.n_groups)
        return counts(cell[self.positive]), counts(cell), positive[:, None].astype(np.float32)

    def intervals(self, part: Float32, whole: Float32) -> _Intervals:
        """Return intervals of ratios of sums over groups, ``(n_groups, m)`` each."""
        k, n = part.sum(axis=0, dtype=np.float64), whole.sum(axis=0, dtype=np.float64)
        groups = (whole > 0).sum(axis=0)
        # Windows of one group are alike; the groups are the sample, not the windows.
        size = groups.astype(np.float64)
        share = np.divide(k, n, out=np.zeros_like(k), where=n > 0)
        low, high = clopper_pearson(share * size, size, self.level)
        variance = np.full(len(k), math.nan)
        enough = np.flatnonzero(groups >= MIN_GROUPS)
        if self._weights is None or len(enough) == 0:
            return _Intervals(low, high, variance, groups, size)
        tails = [(1 - self.level) / 2, (1 + self.level) / 2]
        # Blocks of columns keep the resamples of all candidates within some megabytes.
        for block in np.array_split(enough, math.ceil(len(enough) / 128)):
            above, below = self._weights @ part[:, block], self._weights @ whole[:, block]
            with np.errstate(invalid="ignore"):
                drawn = above / below
            ends = np.nanquantile(drawn, tails, axis=0)
            low[block], high[block] = ends
            variance[block] = np.nanvar(drawn, axis=0)
            size[block] = math.nan
            same = block[ends[1] - ends[0] < 1e-9]
            size[same] = groups[same]
            variance[same] = math.nan
            low[same], high[same] = clopper_pearson(
                share[same] * size[same], size[same], self.level
            )
        return _Intervals(low, high, variance, groups, size)


@dataclass(frozen=True, slots=True)
class _Intervals:
    """Intervals of several ratios; ``size`` is the binomial sample size, NaN for a bootstrap."""

    low: Float64
    high: Float64
    variance: Float64
    groups: Int64
    size: Float64

    def note(self, what: str) -> str:
        """Say how the first interval was made, if not by the bootstrap."""
        size, groups = self.size[0], int(self.groups[0])
        if math.isnan(size):
            return ""
        return (
            f"The interval of {what} is a binomial one over its {groups} "
            f"group{'s' if groups != 1 else ''}."
        )


def _choose(
    sample: _Sample, precision: float, rule: Literal["estimate", "lower"], half_width: float
) -> Threshold:
    if sample.n_positive == 0:
        return _unchecked(sample)
    right, detected = sample.counts()
    estimate = right / detected
    notes = []
    judged, candidates = estimate, np.arange(len(estimate))
    if rule == "lower":
        # Candidates thinned evenly keep the cost bounded with thousands of positives.
        thin = np.linspace(0, len(estimate) - 1, min(_CANDIDATES, len(estimate)))
        candidates = np.unique(thin.round().astype(np.intp))
        right_in, detected_in, _ = sample.by_group(sample.candidates[candidates])
        judged = sample.intervals(right_in, detected_in).low
    good = np.flatnonzero(judged >= precision)
    reached = len(good) > 0
    # Of equally good unreachable ones the last has the most recall.
    best = int(good[-1] if reached else np.flatnonzero(judged == judged.max())[-1])
    chosen = int(candidates[best])
    value = float(sample.candidates[chosen])
    if not reached:
        of = "" if rule == "estimate" else " as the lower end of the interval"
        notes.append(
            f"Precision {precision:.2f}{of} is not reached at any threshold; the best is "
            f"{judged[best]:.2f}, at recall {right[chosen] / sample.n_positive:.2f}."
        )
        if value < _DOUBTFUL:
            value = _DOUBTFUL
            notes.append(f"The threshold is kept at {value:.2f}: below, most would be wrong.")
    at_value = np.array([value], np.float32)
    in_right, in_detected, in_positive = sample.by_group(at_value)
    of_precision = sample.intervals(in_right, in_detected)
    of_recall = sample.intervals(in_right, in_positive)
    n_right, n_detected = int(in_right.sum()), int(in_detected.sum())
    if sample.n_positive == 1:
        notes.append("All rests on one positive window.")
    if len(sample.candidates) == 1 and detected[0] == len(sample.score) > 1:
        notes.append("All scores are equal, so every window is detected or none.")
    notes += [n for n in (of_precision.note("precision"), of_recall.note("recall")) if n]
    return Threshold(
        value=value,
        precision=n_right / n_detected if n_detected else math.nan,
        precision_low=float(of_precision.low[0]),
        precision_high=float(of_precision.high[0]),
        recall=n_right / sample.n_positive,
        recall_low=float(of_recall.low[0]),
        recall_high=float(of_recall.high[0]),
        n_positive=sample.n_positive,
        n_groups=sample.n_groups,
        more_clips_needed=_more_clips(
            n_right,
            n_detected,
            float(of_precision.variance[0]),
            half_width,
            sample.level,
        ),
        reached=reached,
        note=" ".join(notes),
    )


def _unchecked(sample: _Sample) -> Threshold:
    """Return what stands in where no positive was held out."""
    if len(sample.score) == 0:
        value = _NEVER
        note = "No held-out window is labelled, so nothing can be said and it is never detected."
    else:
        above = np.nextafter(sample.score.max(), np.float32(np.inf))
        value = min(_NEVER, max(_DOUBTFUL, float(above)))
        note = (
            "No held-out window has it, so precision and recall cannot be checked; the threshold "
            "lies above all held-out windows without it, and at 0.50 or higher."
        )
    nan = math.nan
    return Threshold(value, nan, nan, nan, nan, nan, nan, 0, sample.n_groups, None, False, note)


def _more_clips(k: int, n: int, variance: float, half_width: float, level: float) -> int:
    """Return how many more labelled detections give an interval of the wanted half-width.

    Normal approximation ``n = z^2 p (1 - p) deff / w^2`` with ``p`` smoothed (Agresti and Coull
    1998) and the design effect ``deff`` (Kish 1965) of the grouped bootstrap, 1 at least.
    """
    p = (k + 2.0) / (n + 4.0)
    effect = 1.0 if math.isnan(variance) else max(1.0, variance * n / (p * (1.0 - p)))
    z = float(ndtri((1.0 + level) / 2.0))
    return max(0, math.ceil(z * z * p * (1.0 - p) * effect / half_width**2) - n)
