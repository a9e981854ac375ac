# ruff: noqa: E402
"""What holds for every backbone."""

from __future__ import annotations

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.errors import UserError
from antiphon.training.backbones.registry import create_backbone
from antiphon.training.pooling import masked_mean
from tests.training.backbones.small import BANDS, CONFIGS, create, inputs


def pooled(network: object, features: object, mask: object) -> object:
    with torch.no_grad():
        out = network(features, mask)
    return masked_mean(out.tokens, out.mask)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_padded_clip_has_the_tokens_of_the_bare_one(name: str) -> None:
    network = create(name)
    # Whole patches, partial ones, an odd number of frames, less than one patch.
    for frames in (96, 101, 119, 13):
        features, mask = inputs(name, [frames, 320])
        bare = features[:1, : mask[0].sum()], mask[:1, : mask[0].sum()]
        alone, padded = network(*bare), network(features, mask)
        count = int(alone.mask.sum())
        assert count == int(padded.mask[0].sum()) > 0
        torch.testing.assert_close(
            alone.tokens[0][alone.mask[0]], padded.tokens[0][padded.mask[0]], rtol=1e-3, atol=1e-3
        )
        if alone.cls is not None:
            torch.testing.assert_close(alone.cls[0], padded.cls[0], rtol=1e-3, atol=1e-3)
        one, other = pooled(network, *bare), pooled(network, features, mask)[:1]
        assert torch.cosine_similarity(one, other).item() > 0.9999


@pytest.mark.parametrize("name", [n for n, c in CONFIGS.items() if c.kind != "hubert"])
def test_training_sees_a_padded_batch_as_the_bare_one(name: str) -> None:
    """Tokens in training mode, and the statistics that batch normalisation keeps."""
    features, mask = inputs(name, [64, 64], 192)
    bare, padded = create(name).train(), create(name).train()
    one, other = bare(features[:, :64], mask[:, :64]), padded(features, mask)
    torch.testing.assert_close(
        one.tokens, other.tokens[:, : one.tokens.shape[1]], rtol=1e-3, atol=1e-3
    )
    kept = dict(padded.named_buffers())
    for key, value in bare.named_buffers():
        if "running" in key:
            torch.testing.assert_close(value, kept[key], rtol=1e-3, atol=1e-4, msg=key)


@pytest.mark.parametrize("name", CONFIGS)
def test_what_lies_beyond_the_audio_does_not_matter(name: str) -> None:
    network = create(name)
    features, mask = inputs(name, [80, 200])
    dirty = features.clone()
    dirty[0, int(mask[0].sum()) :] = 50.0
    torch.testing.assert_close(pooled(network, dirty, mask), pooled(network, features, mask))


@pytest.mark.parametrize("name", CONFIGS)
def test_rows_do_not_depend_on_their_batch(name: str) -> None:
    network = create(name)
    features, mask = inputs(name, [150, 64, 200])
    whole = pooled(network, features, mask)
    order = [2, 0, 1]
    shuffled = pooled(network, features[order], mask[order])
    torch.testing.assert_close(shuffled, whole[order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        pooled(network, features[1:2], mask[1:2]), whole[1:2], rtol=1e-4, atol=1e-5
    )
    # Different clips give different tokens: none of the above holds for want of a difference.
    assert (whole[0] - whole[2]).abs().max() > 1e-3


@pytest.mark.parametrize("name", CONFIGS)
def test_gradients_reach_every_parameter_and_are_finite_with_an_empty_row(name: str) -> None:
    network = create(name)
    network.train()
    features, mask = inputs(name, [120, 33, 96])
    mask = mask.clone()
    mask[1] = False
    out = network(features * mask[..., None] if features.ndim == 3 else features * mask, mask)
    assert not out.mask[1].any()
    loss = masked_mean(out.tokens, out.mask).square().sum()
    if out.cls is not None:
        loss = loss + out.cls.square().sum()
    loss.backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert bool(torch.isfinite(parameter.grad).all()), key


@pytest.mark.parametrize("name", CONFIGS)
def test_every_parameter_is_of_one_layer(name: str) -> None:
    network = create(name)
    layers = network.layer_prefixes()
    for key, _ in network.named_parameters():
        homes = [n for n, names in enumerate(layers) if any(key.startswith(p) for p in names)]
        assert len(homes) == 1, key
    assert len(layers) >= 3


@pytest.mark.parametrize("name", CONFIGS)
def test_a_deep_copy_is_a_network_of_its_own(name: str) -> None:
    network = create(name)
    twin = copy.deepcopy(network)
    features, mask = inputs(name, [90, 160])
    wanted = pooled(network, features, mask)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    torch.testing.assert_close(pooled(twin, features, mask), wanted)


@pytest.mark.parametrize("name", ["vit", "conv", "efficientat", "beats"])
def test_features_are_a_spectrogram(name: str) -> None:
    with pytest.raises(UserError, match="takes a spectrogram"):
        create_backbone(CONFIGS[name], (16000,))


def test_hubert_takes_samples() -> None:
    with pytest.raises(UserError, match="takes samples"):
        create_backbone(CONFIGS["hubert"], (100, BANDS))
