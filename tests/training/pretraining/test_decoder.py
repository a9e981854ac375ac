from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
from torch.nn import functional  # noqa: E402

from antiphon.training.pretraining.decoder import ConvolutionalDecoder  # noqa: E402
from antiphon.training.pretraining.masks import Masks, random_masks  # noqa: E402


def make(dim=8, hidden=8, layers=2, noise=0.0):
    torch.manual_seed(0)
    return ConvolutionalDecoder(dim, hidden, layers=layers, kernel=3, groups=2, noise=noise)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_one_layer_is_what_torch_computes():
    decoder = make(layers=1)
    valid = torch.ones(2, 12, dtype=torch.bool)
    masks = random_masks(valid, ratio=0.5, generator=generator())
    tokens = torch.randn(2, 6, 8)
    grid = masks.restore(tokens, torch.zeros(2, 12, 8)).view(2, 4, 3, 8)
    conv = decoder.convolutions[0]
    y = functional.conv2d(grid.permute(0, 3, 1, 2), conv.weight, conv.bias, padding=1, groups=2)
    y = functional.gelu(functional.layer_norm(y.permute(0, 2, 3, 1), (8,)))
    wanted = functional.linear(grid + y, decoder.out.weight, decoder.out.bias).view(2, 12, 8)
    assert torch.allclose(decoder(tokens, masks, valid, (4, 3), generator()), wanted, atol=1e-6)


def test_padding_changes_no_prediction():
    decoder = make(layers=3)
    tokens = torch.randn(1, 3, 8)
    hidden = torch.zeros(1, 6, dtype=torch.bool)
    alone = Masks(torch.tensor([[0, 2, 5]]), torch.ones(1, 3, dtype=torch.bool), hidden)
    short = decoder(tokens, alone, torch.ones(1, 6, dtype=torch.bool), (3, 2), generator())
    valid = torch.arange(12).view(1, 12) < 6
    # Fillers among the kept are padding here, and hold something that must not be seen.
    padded = Masks(torch.tensor([[0, 2, 5, 6, 7]]), torch.tensor([[1, 1, 1, 0, 0]]).bool(), hidden)
    tokens = torch.cat([tokens, torch.full((1, 2, 8), 100.0)], dim=1)
    long = decoder(tokens, padded, valid, (6, 2), generator())
    assert torch.allclose(long[:, :6], short, atol=1e-5)


def test_noise_stands_for_hidden_patches_only():
    valid = torch.ones(1, 4, dtype=torch.bool)
    masks = random_masks(valid, ratio=0.5, generator=generator())
    tokens = torch.randn(1, 2, 8)
    decoder = make(noise=0.5)
    one, same, other = (decoder(tokens, masks, valid, (2, 2), generator(s)) for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.allclose(one, other)


def test_another_width_leads_back_to_the_dim():
    decoder = make(dim=8, hidden=4)
    valid = torch.ones(1, 4, dtype=torch.bool)
    masks = random_masks(valid, ratio=0.5, generator=generator())
    assert decoder(torch.randn(1, 2, 8), masks, valid, (2, 2), generator()).shape == (1, 4, 8)
