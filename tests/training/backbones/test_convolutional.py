# ruff: noqa: E402
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.training.backbones.config import ConvConfig
from antiphon.training.backbones.conv import ConvNet, MaskedBatchNorm
from antiphon.training.backbones.masking import TimeMask, count_tokens, time_mask


def test_masks_follow_strides() -> None:
    mask = torch.arange(11) < torch.tensor([[11], [6], [5], [0]])
    time = TimeMask(mask)
    assert time.at(6).sum(1).tolist() == [6, 3, 3, 0]
    assert time.at(3).sum(1).tolist() == [3, 2, 2, 0]
    assert time.at(11) is mask
    with pytest.raises(ValueError, match="4 steps does not come from"):
        TimeMask(mask).at(4)


def test_mean_and_silence_leave_padding_out() -> None:
    x = torch.arange(12.0).reshape(1, 1, 2, 6).repeat(2, 1, 1, 1)
    time = TimeMask(torch.arange(6) < torch.tensor([[2], [0]]))
    assert time.mean(x).flatten().tolist() == [(0 + 1 + 6 + 7) / 4, 0.0]
    assert time.silence(x)[0, 0].tolist() == [[0, 1, 0, 0, 0, 0], [6, 7, 0, 0, 0, 0]]
    assert torch.equal(TimeMask().silence(x), x)
    assert TimeMask().mean(x).flatten().tolist() == [5.5, 5.5]


def test_tokens_count_from_half() -> None:
    mask = torch.arange(20) < torch.tensor([[0], [1], [11], [12], [20]])
    counted = count_tokens(mask, 3, 8)
    assert counted.sum(1).tolist() == [0, 1, 1, 2, 3]


def test_whole_batches_are_spared_the_masking_in_training_only() -> None:
    full = torch.ones(2, 8, dtype=torch.bool)
    assert time_mask(full, training=True).at(8) is None
    assert time_mask(full, training=False).at(8) is not None
    full[1, 5:] = False
    assert time_mask(full, training=True).at(8) is not None


def test_batch_statistics_are_those_of_the_audio() -> None:
    torch.manual_seed(0)
    norm, plain = MaskedBatchNorm(3).train(), torch.nn.BatchNorm2d(3).train()
    with torch.no_grad():
        for layer in (norm, plain):
            layer.weight.copy_(torch.tensor([0.5, 1.0, 2.0]))
            layer.bias.copy_(torch.tensor([0.1, -1.0, 0.0]))
    x = torch.randn(2, 3, 4, 10) * 3 + 1
    mask = torch.arange(10) < torch.tensor([[10], [6]])
    # The same values, laid out without the padding.
    held = torch.cat([x[0], x[1, :, :, :6]], dim=2).unsqueeze(0)
    wanted = plain(held)
    found = norm(x, TimeMask(mask))
    torch.testing.assert_close(found[0], wanted[0, :, :, :10])
    torch.testing.assert_close(found[1, :, :, :6], wanted[0, :, :, 10:])
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var)
    assert norm.num_batches_tracked.item() == 1
    kept = norm.running_mean.clone(), norm.running_var.clone()
    norm(x, TimeMask(torch.zeros(2, 10, dtype=torch.bool)))
    torch.testing.assert_close((norm.running_mean, norm.running_var), kept)
    unmasked = MaskedBatchNorm(3).train()
    torch.testing.assert_close(unmasked(x), torch.nn.BatchNorm2d(3).train()(x))


def test_one_token_per_stride_and_sizes() -> None:
    network = ConvNet(ConvConfig(), 128).eval()
    assert network.stride == 16
    out = network(torch.randn(1, 100, 128), torch.ones(1, 100, dtype=torch.bool))
    assert out.tokens.shape == (1, 7, 256)
    assert out.cls is None
    for config, most in ((ConvConfig(), 0.5), (ConvConfig(width=48, dim=512, expansion=3), 2.0)):
        count = sum(parameter.numel() for parameter in ConvNet(config, 128).parameters())
        assert 0.1 < count / 1e6 < most


def test_projected_tokens_know_the_band_and_means_hardly_do() -> None:
    """A tone moved by half the spectrum changes a projected token, where it is not averaged."""
    low = torch.zeros(1, 64, 64)
    low[:, :, 14:18] = 3.0
    high = low.roll(32, dims=2)
    mask = torch.ones(1, 64, dtype=torch.bool)
    change = {}
    for frequency in ("mean", "project"):
        torch.manual_seed(0)
        network = ConvNet(ConvConfig(width=8, dim=32, frequency=frequency), 64).eval()
        one, other = network(low, mask).tokens, network(high, mask).tokens
        change[frequency] = ((one - other).norm() / one.norm()).item()
    assert change["project"] > 3 * change["mean"]


def test_means_hold_in_half_precision() -> None:
    """A sum over the clip is beyond 65504, the mean is not."""
    x = torch.full((1, 2, 4, 1000), 100.0, dtype=torch.float16)
    time = TimeMask(torch.ones(1, 1000, dtype=torch.bool))
    assert time.mean(x).flatten().tolist() == [100.0, 100.0]
    assert time.mean(x).dtype == torch.float16
