from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.pretraining.measures import code_usage, deviation, spread  # noqa: E402


def test_spread_is_zero_for_equal_clips_and_one_minus_the_mean_cosine_otherwise():
    assert spread(torch.tensor([[1.0, 2.0], [2.0, 4.0]])).item() == pytest.approx(0, abs=1e-6)
    # Cosines 0, -1 and 0.
    clips = torch.tensor([[1.0, 0.0], [0.0, 3.0], [-2.0, 0.0]])
    assert spread(clips).item() == pytest.approx(1 + 1 / 3)
    assert math.isnan(spread(clips[:1]).item())


def test_deviation_counts_what_the_mask_holds():
    tokens = torch.tensor([[[1.0, 4.0], [3.0, 4.0], [50.0, -9.0]]])
    mask = torch.tensor([[True, True, False]])
    # Channel 0 deviates by 1, channel 1 not at all.
    assert deviation(tokens, mask).item() == pytest.approx(0.5)


def test_usage_of_a_codebook():
    usage = code_usage(torch.tensor([0, 0, 3, 3]), 8)
    assert usage["codes_used"].item() == pytest.approx(2 / 8)
    assert usage["code_perplexity"].item() == pytest.approx(2.0)
    assert usage["majority"].item() == pytest.approx(0.5)
    collapsed = code_usage(torch.zeros(9, dtype=torch.int64), 8)
    assert collapsed["code_perplexity"].item() == pytest.approx(1.0)
    assert collapsed["majority"].item() == 1.0
