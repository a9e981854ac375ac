"""Targets against values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.training.pseudo.config import TargetConfig
from antiphon.training.pseudo.transform import (
    Targets,
    join,
    make_targets,
    power_transform,
    strongest,
    within_mass,
)


def entries(*rows: tuple[int, int, float]) -> Targets:
    window, label, target = zip(*rows, strict=True)
    return Targets(
        np.array(window, np.int64), np.array(label, np.int32), np.array(target, np.float32), None
    )


def test_the_power_of_each_round() -> None:
    # 0.9 ** 1.54 = exp(1.54 ln 0.9) = 0.85023, 0.5 ** 1.82 = 0.28322
    assert power_transform([0.9], 1.54)[0] == pytest.approx(0.85023, abs=1e-5)
    assert power_transform([0.5], 1.82)[0] == pytest.approx(0.28322, abs=1e-5)
    assert power_transform([0.0, 0.3, 1.0], 1.0).tolist() == pytest.approx([0.0, 0.3, 1.0])


def test_a_power_keeps_the_ends_and_the_order() -> None:
    p = np.linspace(0, 1, 101)
    out = power_transform(p, 1.82)
    assert out[0] == 0
    assert out[-1] == 1
    assert (np.diff(out) > 0).all()


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
def test_scores_that_are_no_probabilities_are_refused(bad: float) -> None:
    with pytest.raises(UserError, match="no probabilities"):
        power_transform([0.5, bad], 1.0)


def test_the_floor_holds_after_the_power_and_overlap_is_kept() -> None:
    rules = TargetConfig(window_s=1.0, frame_s=0.5, floor=0.25, frame_floor=0.1)
    windows = np.array([[0.9, 0.8, 0.4], [0.1, 0.0, 0.49]], np.float32)
    frames = np.array(
        [[[0.9, 0.2, 0.4], [0.1, 0.8, 0.0]], [[0.1, 0.0, 0.49], [0.0, 0.0, 0.0]]], np.float32
    )
    found = make_targets(windows, frames, rules, 2.0, first=7)
    # Squares: 0.81 and 0.64 stay, 0.16, 0.01 and 0.2401 fall below 0.25.
    assert found.window.tolist() == [7, 7]
    assert found.label.tolist() == [0, 1]
    assert found.target == pytest.approx([0.81, 0.64])
    # Frames of class 0: 0.81 and 0.01 (below the frames' floor), of class 1: 0.04 and 0.64.
    assert found.frames == pytest.approx(np.array([[0.81, 0.0], [0.0, 0.64]]))


def test_a_floor_of_zero_lists_no_zeros() -> None:
    rules = TargetConfig(floor=0.0, frame_s=None)
    found = make_targets(np.array([[0.0, 0.2]], np.float32), None, rules, 1.0)
    assert found.label.tolist() == [1]


def test_a_class_keeps_its_strongest_windows() -> None:
    targets = entries((0, 0, 0.5), (1, 0, 0.9), (1, 1, 0.2), (2, 0, 0.7), (3, 0, 0.7))
    assert strongest(targets, 2).tolist() == [False, True, True, True, False]
    assert strongest(targets, None).all()


def test_a_class_keeps_what_fits_its_mass() -> None:
    targets = entries((0, 0, 0.5), (1, 0, 0.75), (1, 1, 0.25), (2, 0, 0.25))
    # Class 0, strongest first: 0.75, 1.25, 1.5. A limit that is met exactly is kept.
    assert within_mass(targets, np.array([1.25, 0.2])).tolist() == [True, True, False, False]
    assert within_mass(targets, np.array([np.inf, np.inf])).all()


def test_parts_without_targets_join_with_others() -> None:
    rules = TargetConfig(floor=0.5, frame_s=None)
    parts = [
        make_targets(np.zeros((2, 3), np.float32), None, rules, 1.0),
        make_targets(np.eye(3, dtype=np.float32), None, rules, 1.0, first=2),
    ]
    assert join(parts).window.tolist() == [2, 3, 4]
    assert len(join(parts[:1])) == 0
