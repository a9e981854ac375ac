from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.plots.scales import Scale, linear_ticks, log_ticks, tick_text, time_ticks

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


# Worked by hand: the smallest of 1, 2, 2.5, 5, 10 times a power of ten that needs no more steps.
@pytest.mark.parametrize(
    ("low", "high", "count", "ticks"),
    [
        (0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 10, 4, [0, 2.5, 5, 7.5, 10]),
        (3, 97, 5, [20, 40, 60, 80]),
        (-1, 1, 4, [-1, -0.5, 0, 0.5, 1]),
        (12.0, 15.0, 6, [12, 12.5, 13, 13.5, 14, 14.5, 15]),
        (1, 0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (7, 7, 5, [7]),
    ],
)
def test_linear_ticks_by_hand(low, high, count, ticks):
    assert linear_ticks(low, high, count) == ticks


def test_whole_ticks_never_split_a_count():
    assert linear_ticks(0, 2, 5, whole=True) == [0, 1, 2]
    assert linear_ticks(0, 10, 4, whole=True) == [0, 5, 10]
    assert linear_ticks(0, 100, 4, whole=True) == [0, 25, 50, 75, 100]


@given(FINITE, FINITE, st.integers(1, 12))
def test_linear_ticks_are_inside_even_and_few(low, high, count):
    low, high = min(low, high), max(low, high)
    if high - low < 1e-6 * max(abs(low), abs(high), 1e-6):
        return
    ticks = linear_ticks(low, high, count)
    margin = 1e-6 * (high - low)
    assert all(low - margin <= t <= high + margin for t in ticks)
    assert len(ticks) <= count + 1
    steps = [b - a for a, b in pairwise(ticks)]
    assert all(s == pytest.approx(steps[0], rel=1e-6) for s in steps)


def test_ticks_of_no_number():
    assert linear_ticks(float("nan"), 1) == []


def test_log_ticks_by_hand():
    assert log_ticks(1, 100) == [1, 2, 5, 10, 20, 50, 100]
    assert log_ticks(1, 10000, 5) == [1, 10, 100, 1000, 10000]
    assert log_ticks(30, 70) == [50]
    with pytest.raises(ValueError, match="positive"):
        log_ticks(0, 10)


def test_time_ticks_by_hand():
    day = datetime(2025, 5, 3)
    assert time_ticks(day.replace(hour=4, minute=10), day.replace(hour=9), 5) == [
        day.replace(hour=h) for h in (5, 6, 7, 8, 9)
    ]
    assert [t.day for t in time_ticks(day, datetime(2025, 5, 13), 5)] == [3, 5, 7, 9, 11, 13]
    assert time_ticks(day, datetime(2026, 5, 3), 6) == [
        datetime(2025, m, 1) for m in (7, 9, 11)
    ] + [datetime(2026, m, 1) for m in (1, 3, 5)]
    assert time_ticks(day, day) == [day]


def test_time_ticks_keep_the_zone():
    ticks = time_ticks(datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert all(t.tzinfo is UTC for t in ticks)


@pytest.mark.parametrize(
    ("value", "ticks", "written"),
    [
        (0.2, [0.0, 0.2], "0.2"),
        (2.5, [0.0, 2.5, 5.0], "2.5"),
        (5.0, [0.0, 2.5, 5.0], "5.0"),
        (12000.0, [0.0, 12000.0], "12,000"),
        (2e7, [0.0, 2e7], "2e+07"),
        (7.0, [7.0], "7"),
    ],
)
def test_tick_text(value, ticks, written):
    assert tick_text(value, ticks) == written


def test_scale_maps_its_ends():
    scale = Scale(0, 10, 100, 0)
    assert (scale(0), scale(10), scale(2.5)) == (100, 0, 75)
    octave = Scale(1, 100, 0, 200, log=True)
    assert octave(10) == pytest.approx(100)


def test_scale_of_one_value_draws_it_in_the_middle():
    assert Scale(3, 3, 0, 100)(3) == pytest.approx(50)
    assert Scale(0, 0, 0, 100)(0) == pytest.approx(50)
    assert Scale(5, 5, 0, 100, log=True)(5) == pytest.approx(50)


def test_log_scale_needs_positive_ends():
    with pytest.raises(ValueError, match="positive"):
        Scale(0, 1, 0, 1, log=True)
