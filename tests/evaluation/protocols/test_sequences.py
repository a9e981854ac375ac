from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.protocols import sequences as module
from antiphon.evaluation.protocols.attention_model import Frames
from antiphon.evaluation.protocols.sequences import sequence_similarity, warping_cost


def made(n: int, seed: int) -> tuple[Frames, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 8, n)
    x = rng.standard_normal((n, 9, 5)).astype(np.float32)
    frames = Frames.of(x, np.arange(9) < length[:, None])
    parts = [x[i, :m] / np.linalg.norm(x[i, :m], axis=1)[:, None] for i, m in enumerate(length)]
    return frames, parts


def warped(distance: np.ndarray) -> float:
    """Sakoe and Chiba's recursion, cell by cell."""
    m, n = distance.shape
    total = np.full((m, n), np.inf)
    for i in range(m):
        for j in range(n):
            if i == j == 0:
                total[0, 0] = 2 * distance[0, 0]
                continue
            ways = []
            if i:
                ways.append(total[i - 1, j] + distance[i, j])
            if j:
                ways.append(total[i, j - 1] + distance[i, j])
            if i and j:
                ways.append(total[i - 1, j - 1] + 2 * distance[i, j])
            total[i, j] = min(ways)
    return total[-1, -1]


def test_best_frames_are_those_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 300)
    frames, parts = made(20, 0)
    found = sequence_similarity(frames)
    for i, a in enumerate(parts):
        for j, b in enumerate(parts):
            cosine = a @ b.T
            want = 0.5 * (cosine.max(axis=1).mean() + cosine.max(axis=0).mean())
            assert found[i, j] == pytest.approx(want, abs=1e-5)


def test_warping_is_that_of_the_loop() -> None:
    frames, parts = made(12, 1)
    found = sequence_similarity(frames, "dtw")
    for i, a in enumerate(parts):
        for j, b in enumerate(parts):
            cost = warped(1.0 - a.astype(np.float64) @ b.T)
            assert found[i, j] == pytest.approx(1.0 - cost / (len(a) + len(b)), abs=1e-5)


def test_a_stretched_sequence_costs_nothing() -> None:
    cell = 1.0 - np.repeat(np.eye(3), 2, axis=0)
    assert warping_cost(cell[None], np.array([3])).tolist() == [0.0]


@pytest.mark.parametrize("kind", ["best_frames", "dtw"])
def test_padding_and_its_content_change_nothing(kind: str) -> None:
    frames, _ = made(8, 2)
    longer = np.concatenate([frames.values, np.full((8, 6, 5), 3.0, np.float32)], axis=1)
    mask = np.concatenate([frames.mask, np.zeros((8, 6), dtype=bool)], axis=1)
    np.testing.assert_allclose(
        sequence_similarity(Frames.of(longer, mask), kind),
        sequence_similarity(frames, kind),
        atol=1e-6,
    )


def test_order_in_time_counts_for_warping_only() -> None:
    x = np.random.default_rng(0).standard_normal((1, 6, 4)).astype(np.float32)
    both = Frames.of(np.concatenate([x, x[:, ::-1]]), np.ones(2))
    assert sequence_similarity(both)[0, 1] == pytest.approx(1.0, abs=1e-5)
    assert sequence_similarity(both, "dtw")[0, 1] < 0.9


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UserError, match="best_frames, dtw"):
        sequence_similarity(made(3, 0)[0], "mean")
