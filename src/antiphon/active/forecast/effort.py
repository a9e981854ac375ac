"""How long labelling takes: seconds per clip as logged, longer for clips with many events.

An answer takes ``a + b * events`` seconds, and some scatter that is skewed: most answers are quick
and a few are slow. So the line is fitted robustly (Huber 1964, doi:10.1214/aoms/1177703732), and
then scaled so that it gives the time that was spent in all, which a typical answer alone would
underestimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from antiphon.active.forecast.estimate import Estimate, of_draws
from antiphon.errors import UserError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

MIN_ANSWERS = 20
"""Timed answers below which the assumed times are used."""

DEFAULT_SECONDS = 8.0
DEFAULT_SECONDS_PER_EVENT = 4.0
DEFAULT_FACTOR = 3.0
"""What is assumed before enough answers are timed, and the factor that it may be wrong by in either
direction. It is an assumption, not a measurement: a clip of three to five seconds is heard once and
a half, and a mark takes as long as finding a label and pressing a key."""

LONGEST_S = 300.0
SHORTEST_S = 0.3
"""A pause beyond the one is a break whatever was usual; below the other, answers were not given
one by one."""

_USUAL = 10.0
_RESAMPLES = 500
_TUNING = 1.345
_ROUNDS = 20
_ROUNDS_AGAIN = 6
# Answers of all resamples that are worked on at once.
_VALUES = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Timings:
    """Answers whose time is known.

    Parameters
    ----------
    seconds
        ``(k,)`` from the answer before, or from when the clip was shown.
    events
        ``(k,)`` events marked in the clip.
    breaks
        Answers after a break, whose time is not known.
    together
        Answers that were not given one by one (imported tables, one key for many clips).
    first
        Answers with none before them.
    """

    seconds: Float64
    events: Float64
    breaks: int = 0
    together: int = 0
    first: int = 0

    def __len__(self) -> int:
        return len(self.seconds)


def time_answers(
    answered: npt.ArrayLike,
    events: npt.ArrayLike,
    *,
    shown: npt.ArrayLike | None = None,
    annotator: Sequence[str] | None = None,
    longest_s: float = LONGEST_S,
) -> Timings:
    """Return how long answers took, breaks left out.

    Parameters
    ----------
    answered
        ``(n,)`` datetime64, when each answer was given, in any order.
    events
        ``(n,)`` events marked in each clip, 0 for none.
    shown
        ``(n,)`` datetime64, when each clip was shown, NaT where unknown; the time since the
        annotator's answer before counts otherwise.
    annotator
        ``(n,)`` names; all the same when None.
    longest_s
        Seconds beyond which a pause is always a break.

    Raises
    ------
    UserError
        If lengths differ, events are negative or not finite, a clip was answered before it was
        shown, or a time of an answer is missing.

    Notes
    -----
    A break is a time of more than ``longest_s``, or of more than ten times the annotator's median
    but at least a minute. Times below 0.3 s are those of answers given together.
    """
    when = np.asarray(answered, dtype="datetime64[us]")
    count = np.asarray(events, dtype=np.float64)
    began = np.full(when.shape, np.datetime64("NaT", "us"))
    if shown is not None:
        began = np.asarray(shown, dtype="datetime64[us]")
    who = np.zeros(when.shape, object) if annotator is None else np.array(annotator, dtype=object)
    if when.ndim != 1 or not when.shape == count.shape == began.shape == who.shape:
        raise UserError(
            f"There are {when.size} times of answers, {count.size} numbers of events, {began.size} "
            f"times of showing and {who.size} annotators."
        )
    if np.isnat(when).any():
        raise UserError("The time of an answer is missing.")
    if not (np.isfinite(count) & (count >= 0.0)).all():
        raise UserError("Events of an answer are counted from 0.")
    parts = [
        _of_one(when[who == name], count[who == name], began[who == name], longest_s)
        for name in dict.fromkeys(who.tolist())
    ]
    if not parts:
        return Timings(np.empty(0), np.empty(0))
    return Timings(
        np.concatenate([part.seconds for part in parts]),
        np.concatenate([part.events for part in parts]),
        sum(part.breaks for part in parts),
        sum(part.together for part in parts),
        sum(part.first for part in parts),
    )


def _of_one(
    when: npt.NDArray[np.datetime64],
    events: Float64,
    began: npt.NDArray[np.datetime64],
    longest_s: float,
) -> Timings:
    """Return the timings of one annotator."""
    order = np.argsort(when, kind="stable")
    when, events, began = when[order], events[order], began[order]
    before = np.concatenate([[np.datetime64("NaT", "us")], when[:-1]])
    known = ~np.isnat(began)
    if (began[known] > when[known]).any():
        raise UserError("An answer is earlier than its clip was shown; check the clock.")
    since = np.where(known, began, before)
    seconds: Float64 = (when - since).astype("timedelta64[us]") / np.timedelta64(1, "s")
    timed = np.isfinite(seconds)
    together = timed & (seconds < SHORTEST_S)
    usable = timed & ~together
    limit = longest_s
    if usable.any():
        limit = min(longest_s, max(60.0, _USUAL * float(np.median(seconds[usable]))))
    kept = usable & (seconds <= limit)
    return Timings(
        seconds[kept],
        events[kept],
        int((usable & ~kept).sum()),
        int(together.sum()),
        int((~timed).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LabellingTime:
    """Seconds that labelling takes; made by :func:`fit_labelling_time`.

    Parameters
    ----------
    seconds, per_event
        Of a clip without events, and more for each event.
    answers
        Timed answers that this rests on; 0 when it is assumed.
    level
        Of intervals.
    lines
        ``(k, 2)`` the two numbers on resamples of the answers.
    scatter
        ``(k,)`` seconds by which single answers scatter around the line, on the same resamples.
    note
        What limits the estimate; empty when all is plain.
    """

    seconds: float
    per_event: float
    answers: int
    level: float
    lines: Float64
    scatter: Float64
    note: str

    @property
    def assumed(self) -> bool:
        """Whether too few answers were timed, so that the numbers are assumptions."""
        return self.answers == 0

    def estimate(self, n_clips: int, expected_events: float, *, seed: int = 0) -> Estimate:
        """Return the seconds that some clips will take, breaks left out.

        Parameters
        ----------
        n_clips
            Clips to label, 0 or more.
        expected_events
            Events in a clip, in the mean.
        seed
            Of the scatter of single answers.

        Returns
        -------
        Estimate
            Seconds for all of the clips together, with an interval that holds the time they take,
            not only its mean. Answers are taken as independent: a slow day is not in it.
        """
        if n_clips < 0 or not expected_events >= 0.0:
            raise UserError(
                f"Time is estimated for 0 clips and more with 0 events and more, not for {n_clips} "
                f"clips with {expected_events:g}."
            )
        value = n_clips * (self.seconds + self.per_event * expected_events)
        mean = n_clips * (self.lines @ np.array([1.0, expected_events]))
        variance = n_clips * self.scatter**2
        # Gamma distributions are positive and skewed, as times are; many answers make them normal.
        small = (mean <= 0.0) | (variance <= 1e-9 * mean**2)
        shape = np.where(small, 1.0, mean**2 / np.where(small, 1.0, variance))
        drawn = np.random.default_rng(seed).gamma(shape) * mean / shape
        ends = of_draws(np.where(small, mean, drawn), self.level)
        return Estimate(value, min(ends.low, value), max(ends.high, value))


def fit_labelling_time(
    timings: Timings,
    *,
    level: float = 0.9,
    min_answers: int = MIN_ANSWERS,
    seed: int = 0,
) -> LabellingTime:
    """Fit ``seconds = a + b * events`` with ``a, b >= 0``, or return what is assumed.

    Parameters
    ----------
    timings
        From :func:`time_answers`.
    level
        Of intervals, such as 0.9.
    min_answers
        Timed answers below which the assumed times are returned.
    seed
        Of the resamples.

    Notes
    -----
    Huber's weights with the constant 1.345 and the median absolute deviation as scale, by
    iteratively reweighted non-negative least squares; then both numbers are multiplied so that
    the line's sum over the answers is the time they took. Where all answers have the same number
    of events, the share of an event is taken from the assumed times. Intervals are percentiles of
    500 resamples of the answers, at the scale of all.
    """
    n = len(timings)
    if n < max(2, min_answers):
        return _assumed(n, min_answers, level, seed)
    line, _, scale = _lines(timings.seconds[None], timings.events[None], _ROUNDS)
    rng = np.random.default_rng(seed)
    lines, scatter = [], []
    step = max(1, _VALUES // n)
    for begin in range(0, _RESAMPLES, step):
        pick = rng.integers(0, n, (min(step, _RESAMPLES - begin), n))
        some, spread, _ = _lines(timings.seconds[pick], timings.events[pick], _ROUNDS_AGAIN, scale)
        lines.append(some)
        scatter.append(spread)
    note = ""
    if np.ptp(timings.events) == 0.0:
        note = (
            f"All timed answers have {timings.events[0]:g} events, so how much longer an event "
            "takes is assumed."
        )
    a, b = line[0]
    return LabellingTime(
        float(a), float(b), n, level, np.concatenate(lines), np.concatenate(scatter), note
    )


def _lines(
    seconds: Float64, events: Float64, rounds: int, scale: Float64 | None = None
) -> tuple[Float64, Float64, Float64]:
    """Fit a line to each row of ``(k, n)`` answers.

    Returns
    -------
    line
        ``(k, 2)``.
    scatter
        ``(k,)`` root mean square of what is left.
    scale
        ``(k, 1)`` by which outliers were told, or the one that was given.
    """
    weight = np.ones(seconds.shape)
    line = np.empty((len(seconds), 2))
    spread = np.ones((len(seconds), 1)) if scale is None else scale
    for _ in range(rounds):
        line = _least_squares(seconds, events, weight)
        gap = np.abs(seconds - line[:, :1] - line[:, 1:] * events)
        if scale is None:
            # The median absolute deviation of a normal distribution is 0.6745 of its SD.
            spread = np.maximum(np.median(gap, axis=1, keepdims=True) / 0.6745, 1e-3)
        weight = np.minimum(1.0, _TUNING * spread / np.maximum(gap, 1e-12))
    fitted = line[:, :1] + line[:, 1:] * events
    line *= (seconds.sum(axis=1) / fitted.sum(axis=1))[:, None]
    left = seconds - line[:, :1] - line[:, 1:] * events
    return line, np.sqrt(np.mean(left**2, axis=1)), spread


def _least_squares(seconds: Float64, events: Float64, weight: Float64) -> Float64:
    """Return ``(k, 2)``: the best ``a, b >= 0`` for each row of ``(k, n)`` weighted answers."""
    w, we, wee = weight.sum(axis=1), (weight * events).sum(axis=1), (weight * events**2).sum(axis=1)
    wy, wey = (weight * seconds).sum(axis=1), (weight * seconds * events).sum(axis=1)
    determinant = w * wee - we * we
    same = determinant <= 1e-12 * np.maximum(w * wee, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = (wee * wy - we * wey) / determinant
        b = (w * wey - we * wy) / determinant
        # Where one number would be negative, the best line has it at zero.
        a, b = np.where(b < 0.0, wy / w, a), np.maximum(b, 0.0)
        a, b = np.maximum(a, 0.0), np.where(a < 0.0, wey / wee, b)
    # With one number of events only the sum is known; it is divided as in the assumed times.
    usual = (wy / w) / (DEFAULT_SECONDS + DEFAULT_SECONDS_PER_EVENT * we / w)
    a = np.where(same, usual * DEFAULT_SECONDS, a)
    b = np.where(same, usual * DEFAULT_SECONDS_PER_EVENT, b)
    return np.stack([a, b], axis=1)


def _assumed(n: int, wanted: int, level: float, seed: int) -> LabellingTime:
    """Return the assumed times; a factor of three either way is what the interval spans."""
    spread = np.log(DEFAULT_FACTOR) / ndtri(0.5 + level / 2.0)
    factor = np.exp(spread * np.random.default_rng(seed).standard_normal(_RESAMPLES))
    line = np.array([DEFAULT_SECONDS, DEFAULT_SECONDS_PER_EVENT])
    note = (
        f"{n} timed answers are too few ({wanted} will do); {DEFAULT_SECONDS:g} s for a clip and "
        f"{DEFAULT_SECONDS_PER_EVENT:g} s for each event are assumed, right within a factor of "
        f"{DEFAULT_FACTOR:g}."
    )
    return LabellingTime(
        DEFAULT_SECONDS,
        DEFAULT_SECONDS_PER_EVENT,
        0,
        level,
        factor[:, None] * line,
        factor * DEFAULT_SECONDS,
        note,
    )
