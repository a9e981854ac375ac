from __future__ import annotations

import numpy as np
import pytest

from antiphon.active.geometry import coverage, distances
from antiphon.active.geometry.apart import unit_rows
from antiphon.active.geometry.coverage import cover_greedily, rbf

pairwise = pytest.importorskip("sklearn.metrics.pairwise")


def points(n: int, seed: int = 0) -> np.ndarray:
    return unit_rows(np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32))


def test_the_kernel_is_that_of_scikit_learn() -> None:
    x = points(20)
    wanted = pairwise.rbf_kernel(x, x[:7], gamma=1.0 / 0.3**2)
    np.testing.assert_allclose(rbf(x, x[:7], 0.3), wanted, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("refresh", "entries"), [(1, 300), (32, 4_000_000)])
def test_each_choice_is_the_best_of_plain_greedy(
    refresh: int, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "REFRESH", refresh)
    monkeypatch.setattr(coverage, "ENTRIES", entries)
    x = points(120)
    rng = np.random.default_rng(1)
    labelled = np.array([4, 7])
    free = np.setdiff1d(np.arange(120), labelled)
    wanted = np.sort(rng.choice(free, 70, replace=False))
    weight = rng.random(70).astype(np.float32)
    found = cover_greedily(x, free, labelled, wanted, weight, 15, 0.7)
    kernel = np.exp(-((x[:, None].astype(float) - x[wanted]) ** 2).sum(axis=2) / 0.49)
    reach = kernel[labelled].max(axis=0)
    left = free.tolist()
    for row, utility in zip(found.rows, found.utility, strict=True):
        gain = np.maximum(kernel[left] - reach, 0.0) @ weight
        assert row == left[int(np.argmax(gain))]
        assert utility == pytest.approx(gain.max() / 70, rel=1e-4)
        reach = np.maximum(reach, kernel[row])
        left.remove(int(row))


def test_blocks_of_distances_share_one_limit() -> None:
    assert coverage.ENTRIES == distances.ENTRIES
