"""Masses against sums worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.training.pseudo.config import MassConfig
from antiphon.training.pseudo.mass import cap_mass, sums
from tests.training.pseudo.test_transform import entries

CLASSES = ("a", "b", "c")


def config(share: float, class_share: float | None) -> MassConfig:
    return MassConfig(focal="student.yaml", share=share, class_share=class_share)


def test_the_weight_brings_the_whole_mass_below_the_focal_one() -> None:
    targets = entries((0, 0, 1.0), (1, 0, 1.0), (1, 1, 0.5), (2, 2, 0.5))
    focal = np.array([1.0, 0.5, 0.5])
    # 3.0 offered, 2.0 focal: at a share of 0.75 a window weighs 0.75 * 2 / 3 = 0.5.
    keep, report = cap_mass(targets, CLASSES, focal, config(0.75, None))
    assert keep.all()
    assert report.weight == pytest.approx(0.5)
    assert report.pseudo == pytest.approx([1.0, 0.25, 0.25])
    assert report.share == pytest.approx(0.75)


def test_little_mass_keeps_its_weight() -> None:
    _, report = cap_mass(entries((0, 0, 0.5)), CLASSES, np.array([9.0, 1, 1]), config(0.5, None))
    assert report.weight == 1.0


def test_a_class_stays_below_its_own_focal_mass() -> None:
    targets = entries((0, 0, 0.9), (1, 0, 0.8), (2, 0, 0.7), (3, 1, 0.9))
    # All together 3.3 of 20 focal, so the weight is 1; class 0 may have 0.9 * 2 = 1.8.
    keep, report = cap_mass(targets, CLASSES, np.array([2.0, 18, 0]), config(0.9, 0.9))
    assert keep.tolist() == [True, True, False, True]
    assert report.kept == pytest.approx([1.7, 0.9, 0.0])
    assert report.offered == pytest.approx([2.4, 0.9, 0.0])
    assert (report.pseudo <= 0.9 * report.focal + 1e-9).all()


def test_a_class_without_focal_clips_gets_none_and_is_named() -> None:
    keep, report = cap_mass(
        entries((0, 2, 0.9), (1, 0, 0.5)), CLASSES, np.array([5.0, 5, 0]), config(0.9, 0.9)
    )
    assert keep.tolist() == [False, True]
    assert report.without_focal() == ["c"]
    assert report.to_json()["classes"]["c"] == {
        "focal": 0.0,
        "offered": 0.9,
        "kept": 0.0,
        "pseudo": 0.0,
    }


def test_without_focal_clips_there_is_nothing_to_stay_below() -> None:
    with pytest.raises(UserError, match="no mass to stay below"):
        cap_mass(entries((0, 0, 0.5)), CLASSES, np.zeros(3), config(0.9, 0.9))


@pytest.mark.parametrize("seed", range(20))
def test_no_draw_passes_a_cap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (w, c, float(rng.uniform(0.01, 1)))
        for w in range(40)
        for c in range(3)
        if rng.random() < 0.5
    ]
    targets, focal = entries(*rows), rng.integers(1, 30, 3).astype(np.float64)
    keep, report = cap_mass(targets, CLASSES, focal, config(0.9, 0.6))
    assert report.pseudo.sum() <= 0.9 * focal.sum() * (1 + 1e-9)
    assert (report.pseudo <= 0.6 * focal * (1 + 1e-6)).all()
    assert sums(targets.select(keep), 3) == pytest.approx(report.kept)
