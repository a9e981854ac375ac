# ruff: noqa: E402
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
transformers = pytest.importorskip("transformers", reason="needs the extra train")

from antiphon.training.backbones.config import HubertConfig
from antiphon.training.backbones.hubert import Hubert, MaskedGroupNorm

TINY = HubertConfig(
    dim=16, depth=2, heads=2, hidden=24, channels=8, position_kernel=4, position_groups=2
)


def test_clips_without_padding_are_computed_as_transformers_does() -> None:
    torch.manual_seed(0)
    ours = Hubert(TINY).eval()
    settings = transformers.HubertConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        conv_dim=[8] * 7, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
    )  # fmt: skip
    theirs = transformers.HubertModel(settings).eval()
    state = {key.removeprefix("network."): value for key, value in ours.state_dict().items()}
    missing, unexpected = theirs.load_state_dict(state, strict=False)
    assert missing == ["masked_spec_embed"]
    assert unexpected == []
    audio = torch.randn(2, 4000)
    with torch.no_grad():
        found = ours(audio, torch.ones(2, 4000, dtype=torch.bool)).tokens
        wanted = theirs(audio).last_hidden_state
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_steps_lie_within_the_audio() -> None:
    network = Hubert(TINY).eval()
    mask = torch.arange(2000) < torch.tensor([[2000], [720], [719], [5], [0]])
    out = network(torch.randn(5, 2000), mask)
    # The receptive field is 400 samples, every 320.
    assert out.mask.sum(1).tolist() == [6, 2, 1, 1, 0]
    assert out.tokens.shape == (5, 6, 16)


def test_the_norm_over_the_clip_holds_in_half_precision() -> None:
    torch.manual_seed(0)
    norm = MaskedGroupNorm(2)
    norm.counts = torch.tensor([32000])
    # The sum of squares is beyond 65504.
    x = (8 * torch.randn(1, 2, 32000)).half()
    with torch.no_grad():
        found, wanted = norm(x), norm(x.float())
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.float(), wanted, rtol=1e-3, atol=1e-3)
