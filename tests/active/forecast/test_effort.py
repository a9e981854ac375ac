from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.stats import gamma

from antiphon.active.forecast.effort import (
    DEFAULT_SECONDS,
    DEFAULT_SECONDS_PER_EVENT,
    Timings,
    fit_labelling_time,
    time_answers,
)
from antiphon.errors import UserError

START = np.datetime64("2026-05-01T09:00:00", "us")


def at(seconds: list[float] | np.ndarray) -> np.ndarray:
    """Return times so many seconds after nine o'clock."""
    return START + np.round(np.asarray(seconds) * 1e6).astype("timedelta64[us]")


def simulated(
    n: int, rng: np.random.Generator, a: float = 5.0, b: float = 3.0, shape: float = 4.0
) -> Timings:
    """Return answers of ``a + b * events`` seconds in the mean, skewed."""
    events = rng.poisson(1.2, n).astype(float)
    return Timings(rng.gamma(shape, (a + b * events) / shape), events)


# Timing


def test_times_are_differences_of_an_annotators_answers() -> None:
    found = time_answers(
        at([0, 8, 20, 22, 40]), [1, 0, 2, 0, 1], annotator=["ann", "bo", "ann", "bo", "ann"]
    )
    assert sorted(found.seconds.tolist()) == [14.0, 20.0, 20.0]
    assert dict(zip(found.seconds.tolist(), found.events.tolist(), strict=True))[14.0] == 0.0
    assert (found.first, found.breaks, found.together) == (2, 0, 0)


def test_the_time_a_clip_was_shown_counts_where_it_is_known() -> None:
    shown = at([0.0, 7.0, 18.0])
    shown[2] = np.datetime64("NaT")
    found = time_answers(at([5, 12, 30]), [0, 0, 3], shown=shown)
    np.testing.assert_allclose(found.seconds, [5.0, 5.0, 18.0])
    assert found.first == 0


def test_breaks_are_left_out() -> None:
    times = np.cumsum([0.0, 5, 6, 5, 900, 5, 6, 100, 5])
    found = time_answers(at(times), np.zeros(9))
    # 900 s is beyond every limit; 100 s is beyond a minute and ten times the usual 5 s.
    np.testing.assert_allclose(np.sort(found.seconds), [5, 5, 5, 5, 6, 6])
    assert (found.first, found.breaks) == (1, 2)
    slow = time_answers(at(np.cumsum([0.0, 40, 45, 100, 290, 310])), np.zeros(6))
    np.testing.assert_allclose(slow.seconds, [40, 45, 100, 290])
    short = time_answers(at(np.cumsum([0.0, 40, 45, 100])), np.zeros(4), longest_s=90)
    assert short.breaks == 1


def test_answers_given_together_are_not_timed() -> None:
    found = time_answers(at([0, 0, 0, 0.1, 6, 12]), np.zeros(6))
    np.testing.assert_allclose(found.seconds, [5.9, 6.0])
    assert (found.first, found.together) == (1, 3)
    assert len(time_answers(at([0, 0, 0]), np.zeros(3))) == 0
    assert len(time_answers(at([]), [])) == 0


@pytest.mark.parametrize(
    ("answered", "events", "shown", "message"),
    [
        (at([0, 1]), [0], None, "2 times of answers, 1 numbers"),
        (np.array(["NaT"], "datetime64[us]"), [0], None, "missing"),
        (at([0, 1]), [0, -1], None, "counted from 0"),
        (at([0, 1]), [0, np.nan], None, "counted from 0"),
        (at([0, 5]), [0, 0], at([0, 6]), "earlier than its clip"),
    ],
)
def test_answers_that_cannot_be_timed(
    answered: np.ndarray, events: list[float], shown: np.ndarray | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        time_answers(answered, events, shown=shown)


# Fitting


def test_exact_answers_give_their_line() -> None:
    events = np.tile([0.0, 1.0, 2.0, 5.0], 10)
    found = fit_labelling_time(Timings(4.0 + 2.5 * events, events))
    assert (found.seconds, found.per_event) == (pytest.approx(4.0), pytest.approx(2.5))
    total = found.estimate(100, 2.0)
    assert total.value == pytest.approx(900.0)
    assert total.low == pytest.approx(900.0)
    assert total.high == pytest.approx(900.0)
    assert not found.assumed
    assert found.note == ""


def test_normal_scatter_gives_the_line_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    events = rng.poisson(2.0, 4_000).astype(float)
    seconds = 10.0 + 3.0 * events + rng.standard_normal(4_000)
    found = fit_labelling_time(Timings(seconds, events))
    wanted, _ = nnls(np.stack([np.ones(4_000), events], axis=1), seconds)
    assert found.seconds == pytest.approx(wanted[0], abs=0.05)
    assert found.per_event == pytest.approx(wanted[1], abs=0.03)


@pytest.mark.parametrize("slope", [-2.0, 12.0])
def test_no_number_is_negative(slope: float) -> None:
    rng = np.random.default_rng(1)
    events = rng.integers(1, 5, 200).astype(float)
    seconds = np.maximum(12.0 + slope * events - (20.0 if slope > 0 else 0.0), 1.0)
    seconds += 0.1 * rng.random(200)
    found = fit_labelling_time(Timings(seconds, events))
    assert found.seconds >= 0.0
    assert found.per_event >= 0.0
    assert (found.lines >= 0.0).all()
    # The line's sum is the time that was spent.
    line = found.seconds + found.per_event * events
    assert line.sum() == pytest.approx(seconds.sum())


def test_slow_answers_do_not_tilt_the_line_but_count_in_the_sum() -> None:
    rng = np.random.default_rng(2)
    clean = simulated(400, rng, shape=50.0)
    slow = clean.seconds.copy()
    odd = np.flatnonzero(clean.events == 0)[:12]
    slow[odd] = 55.0
    found = fit_labelling_time(Timings(slow, clean.events))
    ratio = found.per_event / found.seconds
    assert ratio == pytest.approx(3.0 / 5.0, rel=0.1)
    design = np.stack([np.ones(400), clean.events], axis=1)
    plain, _ = nnls(design, slow)
    assert abs(ratio - 0.6) < abs(plain[1] / plain[0] - 0.6)
    assert (found.seconds + found.per_event * clean.events).sum() == pytest.approx(slow.sum())


def test_one_number_of_events_says_so() -> None:
    found = fit_labelling_time(Timings(np.full(40, 6.0), np.zeros(40)))
    assert found.estimate(10, 0.0).value == pytest.approx(60.0)
    assert found.per_event == pytest.approx(6.0 * DEFAULT_SECONDS_PER_EVENT / DEFAULT_SECONDS)
    assert "is assumed" in found.note
    busy = fit_labelling_time(Timings(np.full(40, 9.0), np.full(40, 2.0)))
    assert busy.estimate(10, 2.0).value == pytest.approx(90.0)


def test_nine_in_ten_intervals_hold_the_time_that_was_then_spent() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(150):
        found = fit_labelling_time(simulated(60, rng))
        ahead = simulated(200, rng)
        guess = found.estimate(200, float(ahead.events.mean()))
        held.append(guess.low <= ahead.seconds.sum() <= guess.high)
    assert 0.82 <= np.mean(held) <= 0.97


def test_a_single_clip_scatters_as_answers_do() -> None:
    found = fit_labelling_time(simulated(3_000, np.random.default_rng(4), b=0.0))
    guess = found.estimate(1, 0.0)
    low, high = gamma(4.0, scale=5.0 / 4.0).ppf([0.05, 0.95])
    assert guess.low == pytest.approx(low, rel=0.15)
    assert guess.high == pytest.approx(high, rel=0.15)


def test_more_events_and_more_clips_take_longer() -> None:
    found = fit_labelling_time(simulated(100, np.random.default_rng(5)))
    assert found.estimate(50, 3.0).value > found.estimate(50, 1.0).value
    some, many = found.estimate(50, 1.0), found.estimate(5_000, 1.0)
    assert many.value == pytest.approx(100 * some.value)
    assert (many.high - many.low) / many.value < (some.high - some.low) / some.value
    nothing = found.estimate(0, 1.0)
    assert (nothing.low, nothing.value, nothing.high) == (0.0, 0.0, 0.0)


def test_equal_seeds_give_equal_intervals() -> None:
    timings = simulated(50, np.random.default_rng(6))
    first, again = fit_labelling_time(timings), fit_labelling_time(timings)
    assert first.estimate(30, 1.0) == again.estimate(30, 1.0)
    other = fit_labelling_time(timings, seed=1).estimate(30, 1.0)
    assert other.low == pytest.approx(first.estimate(30, 1.0).low, rel=0.05)


# Too few answers


def test_few_answers_fall_back_to_what_is_assumed() -> None:
    found = fit_labelling_time(simulated(19, np.random.default_rng(7)))
    assert found.assumed
    assert "19 timed answers are too few (20 will do)" in found.note
    guess = found.estimate(100, 1.5)
    assert guess.value == pytest.approx(100 * (DEFAULT_SECONDS + 1.5 * DEFAULT_SECONDS_PER_EVENT))
    assert guess.low == pytest.approx(guess.value / 3, rel=0.15)
    assert guess.high == pytest.approx(guess.value * 3, rel=0.15)
    assert not fit_labelling_time(simulated(5, np.random.default_rng(8)), min_answers=5).assumed


@pytest.mark.parametrize(("clips", "events"), [(-1, 1.0), (5, -1.0), (5, float("nan"))])
def test_impossible_work_is_refused(clips: int, events: float) -> None:
    found = fit_labelling_time(Timings(np.empty(0), np.empty(0)))
    with pytest.raises(UserError, match="0 clips and more"):
        found.estimate(clips, events)
