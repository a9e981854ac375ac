"""The plane of a data set against NumPy, and what its colours mean."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.dataset import LabelledSet
from antiphon.app.services.stepping import NONE, lay_out, two_components


def test_the_plane_is_that_of_the_first_two_components() -> None:
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(200, 12)) * np.linspace(4, 1, 12) + 100).astype(np.float32)
    rows = np.arange(0, 200, 2)
    found, share = two_components(x, rows)
    centred = x[rows] - x[rows].mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    for axis in (0, 1):
        # Same up to sign, place and the common scale.
        correlation = np.corrcoef(found[:, axis], u[:, axis])[0, 1]
        assert abs(correlation) == pytest.approx(1.0, abs=1e-4)
        assert share[axis] == pytest.approx(s[axis] ** 2 / (s**2).sum(), rel=1e-3)
    spread = found.std(axis=0)
    assert spread[1] / spread[0] == pytest.approx(s[1] / s[0], rel=1e-3)
    assert np.abs(found).max() == pytest.approx(1.0, abs=1e-5)


def test_one_dimension_and_equal_rows_are_laid_out_too() -> None:
    found, _ = two_components(np.array([[0.0], [1.0], [3.0]], np.float32), np.arange(3))
    assert found.shape == (3, 2)
    assert np.ptp(found[:, 1]) == 0
    same, share = two_components(np.ones((4, 3), np.float32), np.arange(4))
    assert np.isfinite(same).all()
    assert max(share) < 1e-6


def many(n_labels: int) -> LabelledSet:
    """Return two rows of each class, the last one of none and the one before of two."""
    targets = np.repeat(np.eye(n_labels, dtype=np.float32), 2, axis=0)
    targets = np.vstack([targets, targets[0] + targets[2], np.zeros(n_labels, np.float32)])
    n = len(targets)
    return LabelledSet(
        name="many",
        embeddings=np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32),
        targets=targets,
        labels=tuple(f"c{i}" for i in range(n_labels)),
        validation=np.zeros(n, bool),
        recording=np.full(n, -1, np.int64),
        filenames=tuple(f"f{i}" for i in range(n)),
        multilabel=True,
    )


@pytest.mark.parametrize("n_labels", [3, 40])
def test_every_row_has_a_colour_that_says_what_it_is(n_labels: int) -> None:
    data = many(n_labels)
    plane = lay_out(data)
    assert plane.codes[-1] == NONE
    assert plane.names[plane.codes[-2]] == "several at once"
    assert len(plane.names) <= 20
    for i in range(2 * n_labels):
        assert plane.names[plane.codes[i]] in (f"c{i // 2}", "rarer classes")
    assert ("rarer classes" in plane.names) == (n_labels == 40)
