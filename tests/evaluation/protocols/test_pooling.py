from __future__ import annotations

import numpy as np
import pytest

from antiphon.errors import UserError
from antiphon.evaluation.protocols.pooling import masked_mean, valid_frames


@pytest.mark.parametrize("padding", [1, 7, 300])
def test_padding_does_not_change_the_mean(padding: int) -> None:
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((5, 31, 8)).astype(np.float32)
    plain = masked_mean(frames, np.ones(5))
    filled = np.concatenate([frames, np.full((5, padding, 8), 9.0, np.float32)], axis=1)
    share = np.full(5, 31 / (31 + padding))
    mask = np.arange(31 + padding) < 31
    np.testing.assert_array_equal(masked_mean(filled, share), plain)
    np.testing.assert_array_equal(masked_mean(filled, np.tile(mask, (5, 1))), plain)


def test_the_plain_mean_would_have_changed() -> None:
    frames = np.zeros((1, 10, 2), np.float32)
    frames[0, :3] = [1.0, -1.0]
    np.testing.assert_allclose(masked_mean(frames, [0.3]), [[1.0, -1.0]])
    np.testing.assert_allclose(frames.mean(axis=1), [[0.3, -0.3]], rtol=1e-6)


def test_what_stands_in_padded_frames_does_not_matter() -> None:
    frames = np.ones((1, 4, 2), np.float32)
    frames[0, 2:] = np.nan
    np.testing.assert_array_equal(masked_mean(frames, [0.5]), [[1.0, 1.0]])


def test_a_share_keeps_rounded_frames_and_at_least_one() -> None:
    mask = valid_frames([0.01, 0.49, 0.51, 1.0], 4, 10)
    assert mask.sum(axis=1).tolist() == [1, 5, 5, 10]


@pytest.mark.parametrize(
    ("valid", "said"),
    [
        ([1.0, 0.0], "row 1 is 0"),
        ([np.nan, 1.0], "row 0 is nan"),
        ([1.0, 1.5], "row 1 is 1.5"),
        ([[True, False], [False, False]], "Row 1 has no valid frame"),
        ([1.0], "its shape is"),
    ],
)
def test_shares_out_of_range_are_named(valid: list[float], said: str) -> None:
    with pytest.raises(UserError, match=said):
        masked_mean(np.ones((2, 2, 3), np.float32), valid)


def test_frames_need_three_axes() -> None:
    with pytest.raises(UserError, match="items, frames, dim"):
        masked_mean(np.ones((2, 3)), [1.0, 1.0])
