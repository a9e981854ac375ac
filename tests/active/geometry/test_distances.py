from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from antiphon.active.geometry import distances
from antiphon.active.geometry.distances import (
    nearest_squared,
    squared_distances,
)

rng = np.random.default_rng(0)
A = rng.normal(size=(60, 7)).astype(np.float32)
B = rng.normal(size=(23, 7)).astype(np.float32)


def test_distances_are_those_of_scipy() -> None:
    np.testing.assert_allclose(squared_distances(A, B), cdist(A, B) ** 2, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("entries", [50, 4_000_000])
def test_nearest_anchors_do_not_depend_on_blocks(
    entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distances, "ENTRIES", entries)
    gap, which = nearest_squared(A, B)
    wanted = cdist(A, B)
    np.testing.assert_array_equal(which, wanted.argmin(axis=1))
    np.testing.assert_allclose(gap, wanted.min(axis=1) ** 2, rtol=1e-4, atol=1e-4)


def test_a_point_is_at_no_distance_below_zero_from_itself() -> None:
    far = (A + 1000.0).astype(np.float32)
    assert (squared_distances(far, far) >= 0.0).all()
    assert (nearest_squared(far, far)[0] >= 0.0).all()
