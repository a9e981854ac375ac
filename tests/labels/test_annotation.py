from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from antiphon.errors import FormatError
from antiphon.labels.annotation import ANNOTATION_SCHEMA, make_annotations, validate


def test_missing_columns_are_null_and_presence_is_present() -> None:
    table = make_annotations({"recording": ["a.wav", "b.wav"], "label": ["wren", None]})
    assert table.schema == ANNOTATION_SCHEMA
    assert table.column("presence").to_pylist() == ["present", "present"]
    for name in ("start_s", "low_hz", "channel", "scope", "note"):
        assert table.column(name).null_count == 2


def test_columns_of_lists_numpy_and_arrow() -> None:
    table = make_annotations(
        {
            "recording": pa.chunked_array([["a"], ["b"]]),
            "start_s": np.array([0, 1], dtype=np.int32),
            "end_s": [1, 2.5],
            "channel": np.array([0, 1], dtype=np.int64),
            "scope": [["x", "y"], None],
        }
    )
    assert table.column("end_s").to_pylist() == [1.0, 2.5]
    assert table.column("channel").to_pylist() == [0, 1]
    assert table.column("scope").to_pylist() == [["x", "y"], None]


@pytest.mark.parametrize(
    ("columns", "error", "word"),
    [
        ({"recording": ["a"], "labl": ["x"]}, ValueError, "labl"),
        ({"label": ["x"]}, ValueError, "recording"),
        ({"recording": ["a"], "label": ["x", "y"]}, ValueError, "label"),
        ({"recording": ["a"], "start_s": ["soon"]}, TypeError, "start_s"),
        ({"recording": ["a"], "label": [3]}, TypeError, "label"),
    ],
)
def test_wrong_columns_are_refused(columns: Any, error: type[Exception], word: str) -> None:
    with pytest.raises(error, match=word):
        make_annotations(columns)


GOOD: dict[str, Any] = {
    "recording": "a.wav",
    "start_s": 1.0,
    "end_s": 2.0,
    "low_hz": 100.0,
    "high_hz": 200.0,
    "channel": 0,
    "label": "wren",
    "presence": "present",
    "scope": None,
    "confidence": 0.5,
}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"end_s": 0.5}, "end_s"),
        ({"start_s": -1.0}, "start_s"),
        ({"start_s": math.nan}, "start_s"),
        ({"end_s": math.inf}, "end_s"),
        ({"end_s": None}, "end_s"),
        ({"start_s": None}, "start_s"),
        ({"low_hz": 300.0}, "low_hz"),
        ({"high_hz": -1.0, "low_hz": None}, "high_hz"),
        ({"channel": -1}, "channel"),
        ({"presence": "maybe"}, "presence"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": math.nan}, "confidence"),
        ({"recording": ""}, "recording"),
        ({"label": ""}, "label"),
        ({"label": None}, "label"),
        ({"label": None, "presence": "unsure"}, "label"),
        ({"label": None, "presence": "absent", "scope": []}, "scope"),
    ],
)
def test_a_faulty_row_is_named_with_file_row_and_column(change: Any, column: str) -> None:
    rows = [GOOD, GOOD | change, GOOD | {"end_s": 0.0}]
    table = make_annotations({name: [row[name] for row in rows] for name in GOOD})
    with pytest.raises(FormatError, match=rf"x\.csv: row 2, column {column}:"):
        validate(table, "x.csv")
    with pytest.raises(FormatError, match=rf"row 17, column {column}:"):
        validate(table, "x.csv", rows=[11, 17, 18])


def test_good_and_empty_tables_pass() -> None:
    rows = [
        GOOD,
        GOOD | {"start_s": None, "end_s": None, "low_hz": None},
        GOOD | {"label": None, "presence": "absent", "scope": ["wren"]},
        GOOD | {"end_s": 1.0},
    ]
    validate(make_annotations({name: [row[name] for row in rows] for name in GOOD}), "x.csv")
    validate(ANNOTATION_SCHEMA.empty_table(), "x.csv")
    validate(make_annotations({"recording": []}), "x.csv")


def test_another_schema_is_refused() -> None:
    with pytest.raises(FormatError, match="columns"):
        validate(pa.table({"recording": ["a"]}), "x.parquet")
