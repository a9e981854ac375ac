# ruff: noqa: E402
from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")

from antiphon.audio.reader import read_span
from antiphon.encoders.manifest import KaldiFrontEnd, LogMelFrontEnd, WaveformFrontEnd
from antiphon.errors import ModelError, UserError
from antiphon.training.backbones.config import (
    BEATsNetworkConfig,
    EfficientATConfig,
    HeadConfig,
    HubertConfig,
    TimmConfig,
    ViTConfig,
)
from antiphon.training.checkpoints.external import list_external, load_external
from antiphon.training.front_end.config import EmphasisedLogMelFrontEnd
from antiphon.training.model import EncoderModel
from tests.real import real_data, real_model


def saved(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "weights.pt"
    torch.save(content, path)
    return path


def filled(model: EncoderModel) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(5)
    return {
        key: torch.randn(value.shape, generator=generator) * 0.1
        for key, value in model.state_dict().items()
        if value.is_floating_point()
    }


def test_a_layout_that_is_not_known_is_named() -> None:
    assert "beats" in list_external()
    with pytest.raises(UserError, match=r"'beast'\. Did you mean 'beats'"):
        load_external("beast", Path("x.pt"))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, {"layer.weight": torch.zeros(2)})
    for name in list_external():
        with pytest.raises(ModelError, match="does not have the layout"):
            load_external(name, path)


@pytest.mark.real
class TestEfficientAT:
    def test_its_312_tensors_all_find_their_place(self) -> None:
        path = real_model("efficientat_mn04_as.pt")
        state = torch.load(path, weights_only=True)
        model = load_external("efficientat", path, quiet=True)
        assert len(state) == 312 == len(model.state_dict())
        assert model.dim == 384
        assert len(model.classes) == 527
        assert model.backbone_config == EfficientATConfig(width=0.4)
        assert model.sample_rate == 32000
        assert isinstance(model.front_end_config, EmphasisedLogMelFrontEnd)
        assert not model.training
        assert torch.equal(model.head[3].bias, state["classifier.5.bias"])
        with pytest.raises(ModelError, match="527 classes, but 2 were named"):
            load_external("efficientat", path, classes=["a", "b"])

    def test_it_hears_what_is_in_real_clips(self) -> None:
        """ESC-10's classes among the five highest of AudioSet's 527, most of the time."""
        folder = real_data("esc10")
        model = load_external("efficientat", real_model("efficientat_mn04_as.pt"), quiet=True)
        # Numbers of AudioSet's classes, as its published table counts them.
        wanted = {
            "dog_bark": {74, 75},
            "baby_cry": {22, 23},
            "rooster": {99, 101},
            "person_sneeze": {49},
            "clock_tick": {406, 407, 408},
            "rain": {289, 290, 291},
            "sea_waves": {295},
            "fire_crackling": {298, 299},
            "chainsaw": {347},
            "helicopter": {339},
        }
        with (folder / "labels.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        hits = []
        for label, classes in wanted.items():
            clips = [row["filename"] for row in rows if row["label"] == label][:4]
            for clip in clips:
                with torch.no_grad():
                    logits = model(torch.from_numpy(_at(folder / "audio" / clip, 32000))).logits
                top = set(logits[0].topk(5).indices.tolist())
                hits.append((label, bool(top & classes)))
        assert len(hits) == 40
        assert np.mean([hit for _, hit in hits]) > 0.7

    def test_real_clips_padded_to_ten_seconds_keep_their_embedding(self) -> None:
        folder = real_data("esc10")
        model = load_external("efficientat", real_model("efficientat_mn04_as.pt"), quiet=True)
        names = sorted(path for path in (folder / "audio").iterdir())[:400:100]
        audio = torch.cat([torch.from_numpy(_at(path, 32000)[:, :96000]) for path in names])
        padded = torch.zeros(len(audio), 320000)
        padded[:, :96000] = audio
        bare = model.embed(audio)
        masked = model.embed(padded, torch.full((len(audio),), 96000))
        assert torch.cosine_similarity(bare, masked).min().item() > 0.99
        unmasked = model.embed(padded)
        assert torch.cosine_similarity(bare, unmasked).min().item() < 0.99


def _at(path: Path, rate: int) -> np.ndarray:
    return read_span(path, sample_rate=rate)


def test_beats_in_microsofts_layout(tmp_path: Path) -> None:
    front_end = KaldiFrontEnd(
        kind="kaldi_fbank", n_mels=128, scale=32768, normalise="fixed", mean=15.41663, std=13.11164
    )
    config = BEATsNetworkConfig(
        patch_dim=16, dim=32, depth=2, heads=4, hidden=48, position_kernel=8, position_groups=4,
        buckets=16,
    )  # fmt: skip
    model = EncoderModel(front_end, 16000, 10.0, config, ["a", "b", "c"]).eval()
    weights = filled(model)
    model.load_state_dict(weights)
    published = {}
    for key, value in weights.items():
        name = key.removeprefix("backbone.")
        if name == "pos_conv.weight":
            # A normed weight, its length apart from its direction.
            length = value.norm(dim=(0, 1), keepdim=True)
            published["encoder.pos_conv.0.weight_g"] = length
            published["encoder.pos_conv.0.weight_v"] = 3 * value
        elif name.startswith("pos_conv."):
            published["encoder.pos_conv.0.bias"] = value
        elif name.startswith("encoder_norm."):
            published[name.replace("encoder_norm", "encoder.layer_norm")] = value
        elif name.startswith("layers."):
            published["encoder." + name] = value
        elif name.startswith("relative"):
            for layer in range(2):
                published[f"encoder.layers.{layer}.self_attn.{name}"] = value
        elif name.startswith("head.1."):
            published[name.replace("head.1", "predictor")] = value
        else:
            published[name] = value
    loaded = load_external(
        "beats", saved(tmp_path, {"cfg": {"deep_norm": True}, "model": published}), quiet=True
    )
    assert loaded.backbone_config == config
    assert loaded.front_end_config == front_end
    audio = torch.randn(2, 16000)
    with torch.no_grad():
        torch.testing.assert_close(loaded(audio).logits, model(audio).logits)
    # AVEX wraps the network and calls the classifier by another name.
    wrapped = {
        "classifier." + key.removeprefix("predictor.")
        if key.startswith("predictor.")
        else "backbone." + key: value
        for key, value in published.items()
    }
    again = load_external("beats", saved(tmp_path, wrapped), quiet=True)
    with torch.no_grad():
        torch.testing.assert_close(again(audio).logits, model(audio).logits)


@pytest.mark.parametrize("layout", ["fairseq", "avex"])
def test_eat_in_both_layouts(tmp_path: Path, layout: str) -> None:
    classes = ("x", "y") if layout == "avex" else ()
    config = ViTConfig(size="base", dim=64, depth=2, heads=1, norm="post")
    name, mean, std = (
        ("avex_eat_bio", -7.343, 4.412) if layout == "avex" else ("eat", -4.268, 4.569)
    )
    front_end = KaldiFrontEnd(
        kind="kaldi_fbank", n_mels=128, window="hann", normalise="fixed", mean=mean, std=2 * std
    )
    pooling = "cls" if classes else "mean"
    model = EncoderModel(front_end, 16000, 10.24, config, classes, pooling=pooling).eval()
    weights = filled(model)
    model.load_state_dict(weights)
    image = "backbone.model." if classes else "modality_encoders.IMAGE."
    block = "backbone.model." if classes else ""
    table = {
        "backbone.layers.": block + "blocks.",
        "backbone.patch_embed.": image + "local_encoder.proj.",
        "backbone.cls_token": image + "extra_tokens",
        "backbone.norm.": image + ("pre_norm." if classes else "context_encoder.norm."),
        "head.1.": "classifier.",
    }
    published = {
        new + key.removeprefix(old): value
        for key, value in weights.items()
        for old, new in table.items()
        if key.startswith(old)
    }
    if layout == "fairseq":
        published["_ema.blocks.0.norm1.weight"] = torch.zeros(1)
        published[image + "decoder.blocks.0.0.weight"] = torch.zeros(1)
        published[image + "fixed_positional_encoder.positions"] = torch.zeros(1, 6144, 64)
    loaded = load_external(name, saved(tmp_path, {"model": published}), classes=classes, quiet=True)
    assert loaded.backbone_config == config
    assert loaded.front_end_config == front_end
    audio = torch.randn(2, 16000)
    torch.testing.assert_close(loaded.embed(audio), model.embed(audio))
    assert (loaded.head is None) == (not classes)


def test_efficientnet_of_torchvision_with_three_channels(tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision", reason="needs the extra train")
    pytest.importorskip("timm", reason="needs the extra train")
    torch.manual_seed(0)
    theirs = torchvision.models.efficientnet_b0(num_classes=4).eval()
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
    state = {"model." + key: value for key, value in theirs.state_dict().items()}
    ours = load_external("avex_efficientnet", saved(tmp_path, state), quiet=True)
    assert ours.backbone_config == TimmConfig(name="efficientnet_b0")
    assert isinstance(ours.front_end_config, LogMelFrontEnd)
    assert ours.head_config == HeadConfig(dropout=0.2)
    features = torch.randn(1, 96, 128)
    with torch.no_grad():
        image = features.transpose(1, 2).unsqueeze(1).expand(-1, 3, -1, -1)
        wanted = theirs(image)
        found = ours.from_features(features, torch.ones(1, 96, dtype=torch.bool)).logits
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_aves_in_torchaudios_layout(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="needs the extra train")
    config = HubertConfig(
        dim=64, depth=2, heads=1, hidden=24, channels=8, position_kernel=4, position_groups=2
    )
    model = EncoderModel(WaveformFrontEnd(kind="waveform"), 16000, 10.0, config).eval()
    weights = filled(model)
    model.load_state_dict(weights)
    published = {}
    for key, value in weights.items():
        name = key.removeprefix("backbone.network.")
        if name.startswith("encoder."):
            name = name.replace("encoder.", "encoder.transformer.", 1)
        if name.startswith("feature_projection."):
            name = "encoder." + name
        name = name.replace("parametrizations.weight.original0", "weight_g")
        name = name.replace("parametrizations.weight.original1", "weight_v")
        published[name] = value
    published["aux.weight"] = torch.zeros(2, 64)
    loaded = load_external("aves", saved(tmp_path, published), quiet=True)
    assert loaded.backbone_config == config
    audio = torch.randn(2, 8000)
    torch.testing.assert_close(loaded.embed(audio), model.embed(audio))
