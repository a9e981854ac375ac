from __future__ import annotations

import json

import numpy as np
import pytest

from antiphon.evaluation.intervals import Interval
from antiphon.evaluation.protocols.result import Measure, ProtocolResult, unique_notes


def test_measures_are_found_by_name_and_an_unknown_one_names_those_there_are() -> None:
    result = ProtocolResult("probe", (Measure.bare("accuracy", 0.5, 10),))
    assert result["accuracy"].value == 0.5
    with pytest.raises(KeyError, match="there are accuracy"):
        result["map"]


def test_a_measure_keeps_the_note_of_its_interval() -> None:
    interval = Interval(0.5, np.nan, np.nan, 0.95, "percentile", 1, 0, "no interval: 1 group")
    assert Measure.of("accuracy", interval, 3, "by day").note == "by day; no interval: 1 group"


def test_json_holds_arrays_as_lists_and_nan_as_null() -> None:
    inner = ProtocolResult("knn", ())
    details = {
        "per_class": np.array([0.5, np.nan]),
        3: {"a": np.int64(2), "b": np.inf},
        "layers": {"one": inner},
    }
    result = ProtocolResult("probe", (Measure.bare("accuracy", 0.5, 10),), details, ("x",))
    found = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert found["measures"][0]["low"] is None
    assert found["details"] == {
        "per_class": [0.5, None],
        "3": {"a": 2, "b": None},
        "layers": {"one": inner.to_json()},
    }
    assert found["notes"] == ["x"]


def test_notes_are_joined_once_and_in_order() -> None:
    assert unique_notes(["b", ""], ["a", "b"]) == ("b", "a")
