# ruff: noqa: E402
from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.encoders.manifest import KaldiFrontEnd, LogMelFrontEnd
from antiphon.errors import UserError
from antiphon.training.backbones.config import (
    BackboneConfig,
    BEATsNetworkConfig,
    ConvConfig,
    EfficientATConfig,
    HeadConfig,
    ViTConfig,
)
from antiphon.training.model import EncoderModel

RATE = 16000
FBANK = KaldiFrontEnd(kind="kaldi_fbank", n_mels=64, normalise="fixed", mean=-7.0, std=8.0)
LOG_MEL = LogMelFrontEnd(kind="log_mel", n_fft=512, hop=160, n_mels=64, normalise="mean_std")
BACKBONES: dict[str, BackboneConfig] = {
    "vit": ViTConfig(dim=32, depth=2, heads=2),
    "conv": ConvConfig(width=8, dim=24),
    "efficientat": EfficientATConfig(width=0.1),
    "beats": BEATsNetworkConfig(
        patch_dim=16, dim=32, depth=2, heads=2, hidden=48, position_kernel=8, position_groups=4
    ),
}


def calls(count: int, samples: int, seed: int = 0) -> torch.Tensor:
    """Pulsed chirps in noise, each different."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / RATE
    rows = []
    for _ in range(count):
        low, sweep, beat = rng.uniform(400, 3000), rng.uniform(-900, 900), rng.uniform(1, 4)
        tone = np.sin(2 * np.pi * (low * t + sweep * np.sin(3 * t)))
        pulses = np.sin(2 * np.pi * beat * t) > 0
        rows.append(0.3 * tone * pulses + 0.02 * rng.standard_normal(samples))
    return torch.from_numpy(np.asarray(rows, np.float32))


def model(backbone: str, front_end: Any = FBANK, **more: Any) -> EncoderModel:
    torch.manual_seed(0)
    made = EncoderModel(front_end, RATE, 3.0, BACKBONES[backbone], **more)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.5
    with torch.no_grad():
        for number in range(3):
            made(calls(4, RATE, seed=number))
    return made.eval()


@pytest.mark.parametrize("front_end", [FBANK, LOG_MEL], ids=["fbank", "log mel"])
@pytest.mark.parametrize("name", BACKBONES)
def test_three_seconds_padded_to_ten_give_the_embedding_of_three(name: str, front_end: Any) -> None:
    encoder = model(name, front_end)
    # 48,880 samples are 304 frames: whole patches of 16, and one sample more is another frame.
    for samples in (48000, 48880, 48881, 51237):
        audio = calls(2, samples, seed=9)
        padded = torch.zeros(2, 160000)
        padded[:, :samples] = audio
        bare = encoder.embed(audio)
        masked = encoder.embed(padded, torch.tensor([samples, samples]))
        assert torch.cosine_similarity(bare, masked).min().item() > 0.999
        # Not because all embeddings are alike: what changes is small beside what tells clips apart.
        apart = (bare[0] - bare[1]).norm()
        assert (bare - masked).norm(dim=1).max() < 0.1 * apart
        unmasked = encoder.embed(padded)
        assert (bare - unmasked).norm(dim=1).max() > (bare - masked).norm(dim=1).max()


def test_output_and_head() -> None:
    encoder = model("vit", classes=["a", "b", "c"], head=HeadConfig(hidden=10, dropout=0.5))
    audio = calls(2, 2 * RATE)
    out = encoder(audio, torch.tensor([2 * RATE, RATE]))
    assert out.embedding.shape == (2, 32)
    assert out.tokens.shape[:2] == out.mask.shape
    assert out.logits.shape == (2, 3)
    torch.testing.assert_close(encoder.head(out.embedding), out.logits)
    assert encoder.classes == ("a", "b", "c")
    assert encoder.head_config == HeadConfig(hidden=10, dropout=0.5)
    plain = model("vit")
    assert plain(audio).logits is None
    assert plain.head_config is None
    assert plain.window_samples == 48000


@pytest.mark.parametrize("pooling", ["cls", "attention"])
def test_other_poolings(pooling: str) -> None:
    encoder = model("vit", pooling=pooling)
    audio = calls(2, RATE)
    out = encoder(audio)
    assert out.embedding.shape == (2, 32)
    mean = model("vit")(audio).embedding
    assert (out.embedding - mean).abs().max() > 1e-3


def test_a_class_token_that_there_is_not_is_refused() -> None:
    with pytest.raises(UserError, match="backbone of kind conv does not have"):
        model("conv", pooling="cls")


def test_embed_has_no_gradient_and_restores_the_mode() -> None:
    encoder = model("conv")
    encoder.train()
    encoder.backbone.stem_norm.eval()
    before = encoder.state_dict()["backbone.stem_norm.running_mean"].clone()
    audio = calls(3, RATE)
    one, other = encoder.embed(audio), encoder.embed(audio)
    assert torch.equal(one, other)
    assert not one.requires_grad
    assert encoder.training
    assert encoder.backbone.last_norm.training
    assert not encoder.backbone.stem_norm.training
    torch.testing.assert_close(
        encoder.state_dict()["backbone.stem_norm.running_mean"], before, rtol=0, atol=0
    )


def test_from_features_is_the_second_half() -> None:
    encoder = model("vit", classes=["a"])
    audio, valid = calls(2, RATE), torch.tensor([RATE, 9000])
    features, mask = encoder.front_end(audio, valid)
    torch.testing.assert_close(
        encoder.from_features(features, mask).logits, encoder(audio, valid).logits
    )


class Outputs(torch.nn.Module):
    def __init__(self, encoder: EncoderModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, waveform: torch.Tensor, valid: torch.Tensor) -> tuple[Any, Any]:
        out = self.encoder(waveform, valid)
        return out.embedding, out.logits


@pytest.mark.parametrize("name", BACKBONES)
def test_it_exports_to_onnx_with_any_batch(name: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx", reason="needs the extra train")
    encoder = model(name, LOG_MEL if name == "conv" else FBANK, classes=["a"], transform="matmul")
    file = io.BytesIO()
    names = ["waveform", "valid", "embedding", "logits"]
    with warnings.catch_warnings():
        # The exporter through TorchScript warns that it is the older one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Outputs(encoder).eval(),
            (calls(2, RATE), torch.tensor([RATE, 9000])),
            file,
            dynamo=False,
            opset_version=17,
            input_names=names[:2],
            output_names=names[2:],
            dynamic_axes={name: {0: "batch"} for name in names},
        )
    session = runtime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    audio, valid = calls(5, RATE, seed=4), torch.tensor([RATE, 12345, 500, 8000, 1])
    audio[torch.arange(RATE) >= valid[:, None]] = 0
    found, _ = session.run(None, {"waveform": audio.numpy(), "valid": valid.numpy()})
    wanted = encoder.embed(audio, valid).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
