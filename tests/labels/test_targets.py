from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.labels import spans
from antiphon.labels.targets import window_targets

NAN = math.nan
LABELS = ["a", "b", "c"]
SCHEMA = pa.schema(
    [
        ("recording_id", pa.int64()),
        ("start_s", pa.float64()),
        ("end_s", pa.float64()),
        ("channel", pa.int16()),
        ("label", pa.string()),
        ("presence", pa.string()),
        ("scope", pa.list_(pa.string())),
    ]
)


def said(*rows: dict[str, Any]) -> pa.Table:
    whole: dict[str, Any] = dict.fromkeys(SCHEMA.names) | {"recording_id": 1}
    return pa.Table.from_pylist([whole | row for row in rows], schema=SCHEMA)


def present(label: str, start: float | None = None, end: float | None = None) -> dict[str, Any]:
    return {"label": label, "start_s": start, "end_s": end, "presence": "present"}


def absent(label: str | None, start: float | None = None, end: float | None = None) -> Any:
    return present("", start, end) | {"label": label, "presence": "absent"}


def one_window(*rows: dict[str, Any], channel: int = -1, **options: Any) -> list[float]:
    table = said(*rows)
    return window_targets([1], [10.0], [12.0], [channel], table, LABELS, **options)[0].tolist()


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], [NAN, NAN, NAN]),
        # A call that fills half of the window, and one that lies in it whole but is short.
        ([present("a", 11.0, 20.0), present("b", 10.5, 10.6)], [1, 1, NAN]),
        # Less than half of the window: unknown, and not absent either.
        ([present("a", 11.5, 20.0), absent(None)], [NAN, 0, 0]),
        # Half of a short call that hangs over the edge.
        ([present("a", 9.0, 11.0), present("b", 9.0, 10.5)], [1, NAN, NAN]),
        ([present("a"), absent("b")], [1, 0, NAN]),
        ([present("a"), absent("a")], [1, NAN, NAN]),
        ([present("a") | {"presence": "unsure"}, absent(None)], [NAN, 0, 0]),
        ([present("a") | {"presence": "unsure"}, present("a", 10, 12)], [1, NAN, NAN]),
        ([absent("a", 10.0, 11.99)], [0, NAN, NAN]),
        ([absent("a", 10.0, 11.9)], [NAN, NAN, NAN]),
        # Two spans that cover the window together, in either order, of either kind.
        ([absent("a", 10.9, 14.0), absent("a", 8.0, 11.0)], [0, NAN, NAN]),
        ([absent(None, 10.9, 14.0), absent("a", 8.0, 11.0)], [0, NAN, NAN]),
        ([absent(None, 10.9, 14.0), absent(None, 8.0, 11.0)], [0, 0, 0]),
        # The same second twice covers one second.
        ([absent("a", 10.0, 11.0), absent("a", 10.0, 11.0)], [NAN, NAN, NAN]),
        ([absent(None) | {"scope": ["b", "zebra"]}], [NAN, 0, NAN]),
        ([absent(None) | {"scope": ["c", "a", "b"]}], [0, 0, 0]),
        ([present("zebra")], [NAN, NAN, NAN]),
        # Other recordings, and calls that only touch, say nothing.
        ([present("a") | {"recording_id": 2}], [NAN, NAN, NAN]),
        ([present("a", 12.0, 14.0), present("b", 8.0, 10.0), absent(None)], [0, 0, 0]),
        ([present("a", 8.0, 10.0 + 1e-12), absent(None)], [0, 0, 0]),
        # Points in time: at the start, within, at the end.
        ([present("a", 10, 10), present("b", 11, 11), present("c", 12, 12)], [1, 1, NAN]),
    ],
)
def test_the_rules(rows: list[dict[str, Any]], expected: list[float]) -> None:
    np.testing.assert_array_equal(one_window(*rows), expected)


def test_a_channel_speaks_of_its_windows_and_of_the_mix() -> None:
    row = present("a") | {"channel": 1}
    assert one_window(row, channel=1)[0] == 1
    assert one_window(row, channel=-1)[0] == 1
    assert math.isnan(one_window(row, channel=0)[0])
    assert one_window(present("a"), channel=0)[0] == 1


def test_absence_in_one_channel_is_not_absence_in_the_mix() -> None:
    left, right = absent("a") | {"channel": 0}, absent("a") | {"channel": 1}
    assert one_window(left, channel=0)[0] == 0
    assert math.isnan(one_window(left, channel=1)[0])
    assert math.isnan(one_window(right, channel=-1)[0])
    assert math.isnan(one_window(left, channel=-1, channels=[2])[0])
    assert one_window(left, channel=-1, channels=[1])[0] == 0
    assert one_window(left, right, channel=-1, channels=[2])[0] == 0
    # Halves of different channels do not add up to a whole window.
    halves = [left | {"end_s": 11.0}, right | {"start_s": 11.0}]
    assert math.isnan(one_window(*halves, channel=-1, channels=[2])[0])


def test_shares_can_be_chosen() -> None:
    assert one_window(present("a", 11.5, 20.0), min_overlap=0.25)[0] == 1
    assert one_window(absent("a", 10.0, 11.0), min_cover=0.5)[0] == 0


def test_fully_reviewed_recording() -> None:
    table = said(absent(None), present("a", 1.0, 2.0))
    found = window_targets([1] * 4, [0, 1, 2, 3], [1, 2, 3, 4], [-1] * 4, table, ["a", "b"])
    np.testing.assert_array_equal(found, [[0, 0], [1, 0], [0, 0], [0, 0]])


def test_nothing_in_gives_unknown_out() -> None:
    assert window_targets([], [], [], [], said(present("a")), LABELS).shape == (0, 3)
    assert np.isnan(window_targets([1], [0.0], [1.0], [0], said(), LABELS)).all()
    assert window_targets([1], [0.0], [1.0], [0], said(absent(None)), []).shape == (1, 0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"start_s": [2.0]}, "after its start"),
        ({"channel": [0, 1]}, "one length"),
        ({"labels": ["a", "a"]}, "twice"),
        ({"min_overlap": 0.0}, "min_overlap"),
        ({"min_cover": 1.1}, "min_cover"),
        ({"annotations": said(present("a") | {"presence": "perhaps"})}, "presence"),
        ({"annotations": said().drop_columns(["scope"])}, "scope"),
    ],
)
def test_impossible_input_is_refused(change: dict[str, Any], word: str) -> None:
    good: dict[str, Any] = {
        "recording": [1],
        "start_s": [0.0],
        "end_s": [1.0],
        "channel": [0],
        "annotations": said(present("a")),
        "labels": LABELS,
    }
    with pytest.raises(ValueError, match=word):
        window_targets(**good | change)


def brute_force(windows: list[Any], rows: list[dict[str, Any]], labels: list[str]) -> list[Any]:
    """Follow the rules one window, label and annotation at a time; all times in eighths."""
    out = []
    for recording, w0, w1, channel in windows:
        line = []
        for label in labels:
            is_present = doubt = False
            # Two channels; the mix lacks a label where both do.
            asked = [channel] if channel >= 0 else [0, 1]
            covered: dict[int, set[int]] = {c: set() for c in asked}
            for row in rows:
                names = [row["label"]] if row["label"] else row["scope"] or labels
                if row["recording_id"] != recording or label not in names:
                    continue
                if channel >= 0 and row["channel"] is not None and row["channel"] != channel:
                    continue
                a0 = -1_000 if row["start_s"] is None else row["start_s"]
                a1 = 1_000 if row["end_s"] is None else row["end_s"]
                shared = min(a1, w1) - max(a0, w0)
                if row["presence"] == "absent":
                    for c in asked:
                        if row["channel"] in (None, c):
                            covered[c] |= set(range(max(a0, w0), min(a1, w1)))
                elif shared > 0 or (a0 == a1 and w0 <= a0 < w1):
                    enough = a0 == a1 or shared / min(a1 - a0, w1 - w0) >= 0.5
                    is_present |= enough and row["presence"] == "present"
                    doubt |= not enough or row["presence"] == "unsure"
            all_covered = all(len(c) >= 0.99 * (w1 - w0) for c in covered.values())
            line.append(1.0 if is_present else NAN if doubt or not all_covered else 0.0)
        out.append(line)
    return out


@st.composite
def annotation(draw: st.DrawFn) -> dict[str, Any]:
    presence = draw(st.sampled_from(["present", "absent", "absent", "unsure"]))
    start = draw(st.integers(0, 20))
    end = start + draw(st.integers(0, 12))
    whole = draw(st.integers(0, 7)) == 0
    null = presence == "absent" and draw(st.booleans())
    return {
        "recording_id": draw(st.integers(0, 2)),
        "start_s": None if whole else start,
        "end_s": None if whole else end,
        "channel": draw(st.sampled_from([None, None, 0, 1])),
        "label": None if null else draw(st.sampled_from(["a", "b", "c", "other"])),
        "presence": presence,
        "scope": draw(st.sampled_from([None, ["a"], ["b", "c"], ["a", "b", "c", "other"]]))
        if null
        else None,
    }


WINDOW = st.tuples(
    st.integers(0, 2), st.integers(0, 20), st.integers(1, 10), st.integers(-1, 1)
).map(lambda w: (w[0], w[1], w[1] + w[2], w[3]))


@given(st.lists(WINDOW, max_size=10), st.lists(annotation(), max_size=10), st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_agrees_with_following_the_rules_one_by_one(
    windows: list[Any], rows: list[dict[str, Any]], pairs: int
) -> None:
    eighths = [
        row
        | {
            "start_s": None if row["start_s"] is None else row["start_s"] / 8,
            "end_s": None if row["end_s"] is None else row["end_s"] / 8,
        }
        for row in rows
    ]
    columns = np.array(windows, dtype=float).reshape(-1, 4).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "_PAIRS", pairs)
        found = window_targets(
            columns[0].astype(int), columns[1] / 8, columns[2] / 8, columns[3].astype(int),
            said(*eighths), LABELS, channels=np.full(len(windows), 2),
        )  # fmt: skip
    expected = np.array(brute_force(windows, rows, LABELS), dtype=np.float32).reshape(-1, 3)
    np.testing.assert_array_equal(found, expected)
