"""Recorded time and detections over the clock."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from antiphon.pipeline.browse.activity import activity


def test_rates_are_detections_by_recorded_time() -> None:
    recordings = pa.table(
        {
            "name": ["x", "y", "z"],
            "site": ["a", "a", None],
            # From 5:30 to 6:30, one at 7:00, one at nobody knows when.
            "start_time": pa.array(
                [datetime(2026, 5, 1, 5, 30), datetime(2026, 5, 2, 7), None], pa.timestamp("us")
            ),
            "duration_s": [3600.0, 1800.0, 600.0],
        }
    )
    found = pa.table(
        {
            "time": pa.array(
                [datetime(2026, 5, 1, 5, 45), datetime(2026, 5, 1, 6, 10)] * 2 + [None],
                pa.timestamp("us"),
            ),
            "site": ["a", "a", "a", "a", None],
        }
    )
    said = activity(recordings, found, what="owls")
    by_hour = {row[0]: row[1:] for row in said.charts[0].rows}
    assert by_hour["05:00"] == (30.0, 2, 4.0)
    assert by_hour["06:00"] == (30.0, 2, 4.0)
    assert by_hour["07:00"] == (30.0, 0, 0.0)
    assert by_hour["08:00"] == (0.0, 0, None)
    by_date = {row[0]: row[1:] for row in said.charts[1].rows}
    assert by_date == {"2026-05-01": (60.0, 4, 4.0), "2026-05-02": (30.0, 0, 0.0)}
    assert said.charts[2].rows == (
        ("2026-05-01", "05:00", 30.0),
        ("2026-05-01", "06:00", 30.0),
        ("2026-05-02", "07:00", 30.0),
    )
    assert said.sites.rows == (("(site unknown)", 1, 10.0, 1, 6.0), ("a", 2, 90.0, 4, 2.667))
    assert (said.minutes, said.detections) == (pytest.approx(90.0), 4)
    assert (said.left_out, said.left_out_names, said.detections_left_out) == (1, ("z",), 1)
    assert said.charts[0].title == "Owls per recorded hour, by hour of the day"


def test_nothing_at_all_is_drawn_as_such() -> None:
    empty = pa.table(
        {
            "name": pa.array([], pa.string()),
            "site": pa.array([], pa.string()),
            "start_time": pa.array([], pa.timestamp("us")),
            "duration_s": pa.array([], pa.float64()),
            "time": pa.array([], pa.timestamp("us")),
        }
    )
    said = activity(empty, empty)
    assert said.minutes == said.detections == said.left_out == 0
    assert all(chart.svg.startswith("<svg") for chart in (*said.charts, said.sites))
