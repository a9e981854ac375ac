from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine

pytest.importorskip("torch", reason="needs the extra train")

from antiphon.encoders.base import Encoded
from antiphon.errors import ModelError
from antiphon.training.export.config import Bounds
from antiphon.training.export.parity import (
    compare_outputs,
    cosine_distance,
    reference_outputs,
)
from antiphon.training.export.windows import AudioWindows
from tests.training.export.models import make_model, sounds


def windows(valid):
    names = tuple(f"w{i}" for i in range(len(valid)))
    return AudioWindows(np.zeros((len(valid), 10), np.float32), np.array(valid), names)


def test_the_cosine_distance_is_that_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 20, 7))
    expected = [cosine(x, y) for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(cosine_distance(a, b), expected, rtol=1e-12)


def test_small_distances_are_exact():
    # Turned by an angle of 1e-6: 1 - cos is half its square, far below float32's steps at 1.
    a = np.array([[1.0, 0.0]])
    b = 5 * np.array([[np.cos(1e-6), np.sin(1e-6)]])
    assert cosine_distance(a, b)[0] == pytest.approx(0.5e-12, rel=1e-3)


def test_zeros_and_what_is_not_finite():
    a = np.array([[0.0, 0], [0, 0], [1, 0], [1, 0], [np.nan, 0]])
    b = np.array([[0.0, 0], [1, 0], [0, 0], [np.inf, 0], [1, 0]])
    assert cosine_distance(a, b).tolist() == [0.0, 1.0, 1.0, np.inf, np.inf]


def test_a_comparison_by_hand():
    angles = np.array([0.0, 0.1, 0.2, 0.3])
    reference = np.tile([1.0, 0.0], (4, 1)).astype(np.float32)
    found = np.stack([np.cos(angles), np.sin(angles)], 1).astype(np.float32)
    scores = np.array([[0.1], [0.2], [0.3], [0.4]], np.float32)
    parity = compare_outputs(
        Encoded(reference, scores),
        Encoded(found, scores + np.array([[0], [-0.25], [0.1], [0]], np.float32)),
        windows([10, 10, 4, 10]),
    )
    expected = 1 - np.cos(angles)
    assert parity.windows == 4
    assert parity.padded == 1
    assert parity.mean == pytest.approx(expected.mean(), rel=1e-5)
    assert parity.max == pytest.approx(expected[3], rel=1e-5)
    assert parity.max_padded == pytest.approx(expected[2], rel=1e-5)
    assert parity.max_score == pytest.approx(0.25, rel=1e-5)
    assert [name for name, _ in parity.worst] == ["w3", "w2", "w1"]


def test_bounds():
    one = Encoded(np.array([[1.0, 0.0]] * 4, np.float32))
    other = Encoded(np.array([[1.0, 0.0]] * 3 + [[np.cos(0.3), np.sin(0.3)]], np.float32))
    parity = compare_outputs(one, other, windows([10] * 4))
    assert parity.exceeded(Bounds(max=0.05, mean=0.02)) == []
    assert len(parity.exceeded(Bounds(max=0.04, mean=0.02))) == 1
    assert "max" in parity.exceeded(Bounds(max=0.04))[0]
    assert "mean" in parity.exceeded(Bounds(mean=0.01))[0]
    assert len(parity.exceeded(Bounds(max=0.04, mean=0.01))) == 2


def test_a_bound_on_class_scores_holds_where_there_are_classes():
    rows = np.array([[1.0, 0.0]] * 3, np.float32)
    scores = np.array([[0.1, 0.9], [0.5, 0.5], [0.2, 0.3]], np.float32)
    off = scores + np.array([[0, 0], [0, -0.25], [0.1, 0]], np.float32)
    parity = compare_outputs(Encoded(rows, scores), Encoded(rows, off), windows([10] * 3))
    assert parity.exceeded(Bounds(max=0.1, score=0.26)) == []
    assert parity.exceeded(Bounds(max=0.1, score=0.2)) == [
        "a class score differs by 0.25, above 0.2"
    ]
    assert parity.exceeded(Bounds(max=0.1)) == []
    bare = compare_outputs(Encoded(rows), Encoded(rows), windows([10] * 3))
    assert bare.exceeded(Bounds(score=1e-9)) == []


def test_a_window_that_is_not_finite_is_beyond_any_bound():
    one = Encoded(np.ones((2, 2), np.float32))
    other = Encoded(np.array([[1, 1], [np.nan, 1]], np.float32))
    parity = compare_outputs(one, other, windows([10, 10]))
    assert parity.exceeded(Bounds(max=2.0))
    assert parity.to_json()["max_cosine_distance"] is None


def test_a_score_that_is_not_finite_is_beyond_any_bound():
    rows = np.ones((2, 2), np.float32)
    scores = np.array([[0.5], [np.nan]], np.float32)
    parity = compare_outputs(Encoded(rows, scores * 0), Encoded(rows, scores), windows([10, 10]))
    assert parity.exceeded(Bounds(max=2.0)) == ["a class score is not finite"]


def test_a_model_that_gives_no_numbers_is_an_error():
    model = make_model("vit")
    audio, valid = sounds(3)
    with_nan = model.backbone.norm.weight.data
    with_nan[0] = np.nan
    with pytest.raises(ModelError, match="not finite for w0"):
        reference_outputs(model, AudioWindows(audio, valid, ("w0", "w1", "w2")))
