"""Detections narrowed down, joined and by pages."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from antiphon.errors import UserError
from antiphon.pipeline.browse.detections import NO_SITE, DetectionFilter, page, select
from antiphon.pipeline.detect import DETECTION_SCHEMA

ROWS = [
    # recording, site, time, start, end, label, probability
    (1, "a", datetime(2026, 5, 1, 23, 30), 0.0, 3.0, "owl", 0.9),
    (1, "a", datetime(2026, 5, 1, 23, 30, 3), 3.0, 6.0, "owl", 0.7),
    (1, "a", datetime(2026, 5, 1, 23, 30, 3), 3.0, 6.0, "frog", 0.6),
    (2, "b", datetime(2026, 5, 2, 3, 59, 59), 0.0, 3.0, "owl", 0.8),
    (2, "b", datetime(2026, 5, 2, 4, 0, 0), 3.0, 6.0, "owl", 0.5),
    (3, None, None, 0.0, 3.0, "owl", 0.4),
]


@pytest.fixture
def found() -> pa.Table:
    recording, site, time, start, end, label, probability = zip(*ROWS, strict=True)
    n = len(ROWS)
    columns = [recording, [f"{i}.wav" for i in recording], site, time, [-1] * n, start, end, label]
    columns += [probability, [0.4] * n]
    return pa.table(
        [pa.array(v, f.type) for v, f in zip(columns, DETECTION_SCHEMA, strict=True)],
        schema=DETECTION_SCHEMA,
    )


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (DetectionFilter(), [0, 1, 2, 3, 4, 5]),
        (DetectionFilter(labels=("frog",)), [2]),
        (DetectionFilter(sites=("b", NO_SITE)), [3, 4, 5]),
        (DetectionFilter(min_score=0.7), [0, 1, 3]),
        (DetectionFilter(hours=(22.0, 4.0)), [0, 1, 2, 3]),
        (DetectionFilter(hours=(3.0, 24.0)), [0, 1, 2, 3, 4]),
        (DetectionFilter(dates=(date(2026, 5, 2), date(2026, 5, 2))), [3, 4]),
        (DetectionFilter(recording=2, min_score=0.6), [3]),
    ],
)
def test_all_conditions_hold(found: pa.Table, wanted: DetectionFilter, rows: list[int]) -> None:
    chosen = select(found, wanted)
    assert chosen.rows.to_pylist() == found.take(rows).to_pylist()
    assert chosen.recordings == len({ROWS[i][0] for i in rows})
    assert chosen.sites == len({ROWS[i][1] for i in rows} - {None})
    assert chosen.without_time == (1 if wanted.by_time and wanted.recording is None else 0)


def test_windows_are_joined_after_the_filter(found: pa.Table) -> None:
    joined = select(found, DetectionFilter(labels=("owl",)), spans=True).rows
    spans = [(r["recording_id"], r["start_s"], r["end_s"]) for r in joined.to_pylist()]
    assert spans == [(1, 0.0, 6.0), (2, 0.0, 6.0), (3, 0.0, 3.0)]
    high = select(found, DetectionFilter(labels=("owl",), min_score=0.8), spans=True).rows
    assert high.column("end_s").to_pylist() == [3.0, 3.0]


def test_pages_in_any_order_hold_every_row_once(found: pa.Table) -> None:
    for sort in ("score", "time", "label", "recording", "site"):
        for descending in (False, True):
            parts = [
                page(found, sort, descending=descending, offset=i, limit=4).to_pylist()
                for i in (0, 4)
            ]
            keys = {(r["recording_id"], r["start_s"], r["label"]) for p in parts for r in p}
            assert [len(p) for p in parts] == [4, 2]
            assert len(keys) == len(ROWS)
    scores = page(found, "score", descending=True, offset=0, limit=9).column("probability")
    assert np.all(np.diff(scores.to_numpy()) <= 0)


def test_an_unknown_order_is_refused(found: pa.Table) -> None:
    with pytest.raises(UserError, match="cannot be sorted"):
        page(found, "weight", offset=0, limit=1)  # type: ignore[arg-type]
