import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.pipeline.report.hours import calendar, days_and_hours, hour_by_day, recorded


def times(*texts):
    return np.array(texts, dtype="datetime64[us]")


def days(*texts):
    return np.array(texts, dtype="datetime64[D]").astype(np.int64)


def test_recording_over_midnight_is_spread():
    day, hour, amount = recorded(times("2025-05-03T22:45"), np.array([2 * 3600.0]))
    assert day.tolist() == [*days("2025-05-03", "2025-05-03", "2025-05-04")]
    assert hour.tolist() == [22, 23, 0]
    assert amount.tolist() == [0.25, 1.0, 0.75]


def test_recording_that_ends_on_the_hour_stays_in_it():
    _, hour, amount = recorded(times("2025-05-03T05:00"), np.array([3600.0]))
    assert (hour.tolist(), amount.tolist()) == ([5], [1.0])


def test_unknown_times_and_empty_recordings_are_left_out():
    day, _, _ = recorded(times("NaT", "2025-05-03T05:00"), np.array([60.0, 0.0]))
    assert len(day) == 0


@given(
    st.lists(
        st.tuples(st.integers(-(10**9), 3 * 10**9), st.floats(0.001, 200_000)),
        min_size=1,
        max_size=8,
    )
)
def test_no_time_is_lost_and_no_hour_overfull(spans):
    start = np.array([s for s, _ in spans], dtype="datetime64[s]")
    duration = np.array([d for _, d in spans])
    day, hour, amount = recorded(start, duration)
    assert amount.sum() * 3600 == pytest.approx(duration.sum(), abs=1e-5 * len(spans))
    assert ((amount > 0) & (amount <= 1)).all()
    grid = hour_by_day(calendar(day), day, hour, amount)
    assert grid.sum() == pytest.approx(amount.sum())


def test_calendar_keeps_short_gaps_and_breaks_long_ones():
    short = calendar(days("2025-05-01", "2025-05-04"))
    assert short.names == ["2025-05-01", "2025-05-02", "2025-05-03", "2025-05-04"]
    assert short.breaks == ()
    long = calendar(days("2019-05-01", "2019-05-02"), days("2025-05-04"))
    assert long.names == ["2019-05-01", "2019-05-02", "2025-05-04"]
    assert long.breaks == (2,)


def test_calendar_of_a_year_marks_months():
    year = calendar(days("2025-01-01") + np.arange(365))
    assert len(year.names) == 365
    assert all(year.names[k].endswith("-01") for k in year.ticks)
    assert 4 <= len(year.ticks) <= 9


def test_calendar_of_nothing():
    assert calendar().names == []
    assert calendar(np.empty(0, np.int64)).names == []
    assert hour_by_day(calendar(), np.empty(0, np.int64), np.empty(0, np.int64)).shape == (24, 0)


def test_events_are_counted_on_known_days():
    dates = calendar(days("2019-05-01", "2025-05-04"))
    day, hour = days_and_hours(
        times("2019-05-01T04:10", "2019-05-01T04:50", "2022-01-01T00:00", "2025-05-04T23:59:59")
    )
    grid = hour_by_day(dates, day, hour)
    assert grid[4].tolist() == [2, 0]
    assert grid[23].tolist() == [0, 1]
    assert grid.sum() == 3


def test_times_before_1970():
    day, hour = days_and_hours(times("1969-12-31T23:30"))
    assert (day.tolist(), hour.tolist()) == ([-1], [23])
